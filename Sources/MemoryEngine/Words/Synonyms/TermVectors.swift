import HNSW
import Store

/// A vector for each word that a home's passages hold, as signed bytes: what words mean alike is told by it.
///
/// They are made by consolidation, and stand in `word` beside the dictionary. The key is a tag of the space and the term.
struct TermVectors {
    let space: EmbeddingSpace
    private let tag: UInt32

    init(_ space: EmbeddingSpace) {
        self.space = space
        tag = Self.tag(space)
    }

    static func tag(_ space: EmbeddingSpace) -> UInt32 { TermHash.hash(Array(space.name.utf8)) }

    /// Where what is known of a word by a space stands.
    static func key(_ term: [UInt8], tag: UInt32) -> Key {
        Key(prefix: Schema.Word.termVector).u32(tag).raw(term)
    }

    /// The tags of all spaces by which anything is known, whether they are there or not.
    static func tags(in transaction: borrowing ReadTransaction) throws -> [UInt32] {
        var tags: [UInt32] = []
        var next: UInt32? = 0
        while let from = next {
            next = nil
            let prefix = Key(prefix: Schema.Word.termVector)
            try Schema.word.scan(
                prefix: prefix, from: Key(prefix: Schema.Word.termVector).u32(from), in: transaction
            ) {
                key, _ in
                guard key.byteCount > termStart else {
                    throw StoreError(.corrupted, "the key of a vector of a word is not one")
                }
                let tag = key.keyU32(at: 1)
                tags.append(tag)
                next = tag == .max ? nil : tag + 1
                return false
            }
        }
        return tags
    }

    /// How words are compared: as vectors of length 1, whatever the metric of the space.
    var rowByteCount: Int { Distance.byteCount(dimension: space.dimension) }

    var prefix: Key { Key(prefix: Schema.Word.termVector).u32(tag) }
    private func key(_ term: [UInt8]) -> Key { Self.key(term, tag: tag) }
    /// Where a term begins in a key of it.
    static let termStart = 5

    func contains(_ term: [UInt8], in transaction: borrowing ReadTransaction) throws -> Bool {
        try Schema.word.contains(key(term), in: transaction)
    }

    func put(_ term: [UInt8], _ vector: [Float], in transaction: borrowing WriteTransaction) throws {
        let norm = vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        let (bytes, step) = Distance.bytes(of: vector)
        var writer = ByteWriter(capacity: 4 + bytes.count)
        writer.f32(norm > 0 ? step / Float(norm) : 0)
        for byte in bytes { writer.u8(UInt8(bitPattern: byte)) }
        try Schema.word.put(key(term), writer.bytes, in: transaction)
    }

    /// All of them.
    struct Table {
        var terms: [[UInt8]] = []
        /// What one step of a row is worth.
        var steps: [Float] = []
        /// Row after row, each of `rowByteCount`.
        var rows: [Int8] = []
        let rowByteCount: Int
    }

    /// - Throws: `StoreError.corrupted`.
    /// - Complexity: O(words); some 400 bytes each in memory.
    func all(in transaction: borrowing ReadTransaction) throws -> Table {
        var table = Table(rowByteCount: rowByteCount)
        try Schema.word.scan(prefix: prefix, in: transaction) { key, value in
            guard value.byteCount == 4 + rowByteCount, key.byteCount > Self.termStart else {
                throw StoreError(.corrupted, "the vector of a word has \(value.byteCount) bytes")
            }
            table.terms.append(key.copy(Self.termStart..<key.byteCount))
            table.steps.append(value.f32(at: 0))
            for index in 0..<rowByteCount { table.rows.append(Int8(bitPattern: value.u8(at: 4 + index))) }
            return true
        }
        return table
    }
}
