import HNSW
import Store

/// A word that means about the same as another.
struct Synonym: Equatable, Sendable {
    var term: [UInt8]
    /// Of the angle between their vectors.
    var cosine: Double
}

/// For each word that has a vector the words nearest to it, so that a question finds what says the same in other words.
///
/// Every word that was looked at has a list, an empty one too: what has none is still to do. Words that name who speaks have
/// an empty one, for another name is another person.
struct SynonymLists {
    private let tag: UInt32

    /// Words farther from each other mean different things; nearer ones count the less the farther they are.
    static let leastCosine = 0.55
    static let maximumCount = 10

    init(_ space: EmbeddingSpace) { tag = TermVectors.tag(space) }

    var prefix: Key { Key(prefix: Schema.Word.synonyms).u32(tag) }
    private func key(_ term: [UInt8]) -> Key { prefix.raw(term) }

    /// Whether a word may have synonyms at all: letters alone, three of them at least. Numbers, hashes and names of
    /// files are near to what they must not be taken for.
    static func isWord(_ term: Span<UInt8>) -> Bool {
        guard term.count >= 3 else { return false }
        for index in term.indices {
            let byte = term[index]
            guard byte >= 0x80 || (byte | 0x20) &- UInt8(ascii: "a") < 26 else { return false }
        }
        return true
    }

    /// The nearest first; `nil` = nobody looked yet.
    ///
    /// - Throws: `StoreError.corrupted`.
    func list(of term: [UInt8], in transaction: borrowing ReadTransaction) throws -> [Synonym]? {
        guard let value = try Schema.word.get(key(term), in: transaction) else { return nil }
        return try Self.decode(value)
    }

    /// Every list, with the word that it is of.
    func all(in transaction: borrowing ReadTransaction) throws -> [(term: [UInt8], list: [Synonym])] {
        var lists: [([UInt8], [Synonym])] = []
        try Schema.word.scan(prefix: prefix, in: transaction) { key, value in
            lists.append((key.copy(TermVectors.termStart..<key.byteCount), try Self.decode(value)))
            return true
        }
        return lists
    }

    func contains(_ term: [UInt8], in transaction: borrowing ReadTransaction) throws -> Bool {
        try Schema.word.contains(key(term), in: transaction)
    }

    func put(_ list: [Synonym], of term: [UInt8], in transaction: borrowing WriteTransaction) throws {
        try Schema.word.put(key(term), Self.encode(list), in: transaction)
    }

    static func encode(_ list: [Synonym]) -> [UInt8] {
        var writer = ByteWriter()
        for synonym in list {
            writer.u16(UInt16((min(1, max(0, synonym.cosine)) * 65_535).rounded()))
            writer.u8(UInt8(synonym.term.count))
            writer.raw(synonym.term)
        }
        return writer.bytes
    }

    static func decode(_ value: RawSpan) throws -> [Synonym] {
        var list: [Synonym] = []
        var place = 0
        while place < value.byteCount {
            guard list.count < maximumCount, place + 3 <= value.byteCount else { throw damaged }
            let count = Int(value.u8(at: place + 2))
            guard (1...Tokenizer.maximumTermByteCount).contains(count), place + 3 + count <= value.byteCount
            else { throw damaged }
            list.append(
                Synonym(
                    term: value.copy(place + 3..<place + 3 + count),
                    cosine: Double(value.u16(at: place)) / 65_535))
            place += 3 + count
        }
        return list
    }

    private static var damaged: StoreError {
        StoreError(
            .corrupted, "a list of synonyms is damaged; run `loci rebuild`, and consolidate the home again")
    }

    /// Puts one into a list, which keeps the nearest.
    static func insert(_ synonym: Synonym, into list: inout [Synonym]) {
        list.removeAll { $0.term == synonym.term }
        let place = list.firstIndex { $0.cosine < synonym.cosine } ?? list.count
        list.insert(synonym, at: place)
        if list.count > maximumCount { list.removeLast() }
    }

    // MARK: Forgetting

    /// Removes all that is known of words by a space.
    static func remove(_ space: EmbeddingSpace, in transaction: borrowing WriteTransaction) throws {
        try Schema.word.removeAll(prefix: TermVectors(space).prefix, in: transaction)
        try Schema.word.removeAll(prefix: SynonymLists(space).prefix, in: transaction)
    }

    /// Whether a home has any vectors of words.
    static func areThere(in transaction: borrowing ReadTransaction) throws -> Bool {
        var found = false
        try Schema.word.scan(prefix: Key(prefix: Schema.Word.termVector), in: transaction) { _, _ in
            found = true
            return false
        }
        return found
    }

    /// Those of some words that a passage holds.
    ///
    /// - Complexity: a look-up for each word, and the words of the tail.
    static func held(
        _ terms: Set<[UInt8]>, _ state: HomeState, in transaction: borrowing ReadTransaction
    ) throws -> Set<[UInt8]> {
        var held: Set<[UInt8]> = []
        var others: [UInt32: [[UInt8]]] = [:]
        for term in terms {
            if try Postings.number(of: Postings.wordKey(term), in: transaction) != nil {
                held.insert(term)
            } else {
                others[TermHash.hash(term), default: []].append(term)
            }
        }
        guard !others.isEmpty else { return held }
        try TailRecord.forEach(in: transaction, from: state.foldedPassages) { _, _, bytes in
            try TermListView(checking: bytes).forEach(in: bytes) { hash, term, _ in
                guard let same = others[hash] else { return }
                let copy = term.indices.map { term[$0] }
                if same.contains(copy) { held.insert(copy) }
            }
        }
        return held
    }

    /// Removes what is known of words that no passage holds any more, and the lists that name them, which the next
    /// consolidation makes again of the vectors that are left.
    ///
    /// - Parameter terms: words of passages that were erased in this transaction.
    /// - Complexity: where such a word was known, O(words of the home).
    static func forget(
        _ terms: Set<[UInt8]>, _ state: HomeState, in transaction: borrowing WriteTransaction
    ) throws {
        let gone = terms.subtracting(try held(terms, state, in: transaction.snapshot))
        guard !gone.isEmpty else { return }
        var wasKnown = false
        for tag in try TermVectors.tags(in: transaction.snapshot) {
            for term in gone where try Schema.word.remove(TermVectors.key(term, tag: tag), in: transaction) {
                wasKnown = true
            }
        }
        guard wasKnown else { return }
        var keys: [Key] = []
        try Schema.word.scan(prefix: Key(prefix: Schema.Word.synonyms), in: transaction.snapshot) {
            key, value in
            let isGone = gone.contains(key.copy(TermVectors.termStart..<key.byteCount))
            if try isGone || decode(value).contains(where: { gone.contains($0.term) }) {
                keys.append(Key(bytes: key.array))
            }
            return true
        }
        for key in keys { try Schema.word.remove(key, in: transaction) }
    }
}
