import Store

/// A passage that was remembered lately: all its columns, slots and terms in one record, so that a
/// `remember` writes one place. The indexer folds it into columns and postings later.
struct TailRecord: Equatable, Sendable {
    struct Slot: Equatable, Sendable {
        var space: UInt16
        var slot: UInt32
    }

    var row: PassageRow
    var slots: [Slot] = []
    /// Tags and attributes, as `FilterTerm` spells them.
    var filterTerms: [[UInt8]] = []
    var words: TermList

    func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 640)
        row.encode(into: &writer)
        writer.list(slots) {
            $0.u16($1.space)
            $0.u32($1.slot)
        }
        writer.list(filterTerms) { $0.blob($1) }
        var bytes = writer.bytes
        words.encode(into: &bytes)
        return bytes
    }

    init(row: PassageRow, words: TermList, filterTerms: [[UInt8]] = []) {
        self.row = row
        self.words = words
        self.filterTerms = filterTerms
    }

    init(decoding bytes: RawSpan) throws {
        let (front, offset) = try Self.decodeFront(bytes)
        row = front.row
        slots = front.slots
        words = try TermList(decoding: bytes.copy(offset..<bytes.byteCount).span)
        front.forEachFilterTerm { filterTerms.append($0.array) }
    }

    /// All but the words, and where they begin.
    private static func decodeFront(_ bytes: RawSpan) throws -> (front: Front, offset: Int) {
        guard bytes.byteCount >= PassageRow.byteCount else {
            throw StoreError(.corrupted, "a record of the tail has only \(bytes.byteCount) bytes")
        }
        var reader = ByteReader(bytes, at: PassageRow.byteCount)
        let slots = try reader.list { Slot(space: try $0.u16(), slot: try $0.u32()) }
        let count = try reader.u32()
        let start = reader.offset
        for _ in 0..<count { try reader.skip(Int(try reader.u32())) }
        let terms = count == 0 ? [] : bytes.copy(start..<reader.offset)
        return (Front(row: PassageRow(bytes), slots: slots, encodedTerms: terms), reader.offset)
    }

    static func read(_ passage: UInt32, in transaction: borrowing ReadTransaction) throws -> TailRecord? {
        guard let value = try Schema.passage.get(Schema.tail(passage), in: transaction) else { return nil }
        return try TailRecord(decoding: value)
    }

    func write(_ passage: UInt32, in transaction: borrowing WriteTransaction) throws {
        try Schema.passage.put(Schema.tail(passage), encode(), in: transaction)
    }

    /// Writes the record of a passage anew.
    ///
    /// - Throws: `StoreError.corrupted` if the passage is not in the tail.
    static func change(
        _ passage: UInt32, in transaction: borrowing WriteTransaction, _ body: (inout TailRecord) -> Void
    ) throws {
        guard var record = try read(passage, in: transaction.snapshot) else {
            throw StoreError(.corrupted, "passage \(passage) is not in the tail")
        }
        body(&record)
        try record.write(passage, in: transaction)
    }

    /// Lends every record of the tail to `body`: the passage, its front, and its words still encoded.
    static func forEach(
        in transaction: borrowing ReadTransaction, from first: UInt32 = 0, below end: UInt32 = .max,
        _ body: (UInt32, Front, RawSpan) throws -> Void
    ) throws {
        try Schema.passage.scan(
            prefix: Key(prefix: Schema.Passage.tail), from: Schema.tail(first), in: transaction
        ) { key, value in
            guard key.byteCount == 5 else { throw StoreError(.corrupted, "a key of the tail is not one") }
            let passage = key.keyU32(at: 1)
            guard passage < end else { return false }
            let (front, offset) = try decodeFront(value)
            try body(passage, front, value.extracting(offset...))
            return true
        }
    }

    /// All but the words. Every recall reads that of the whole tail, so the terms stay as they are encoded: each has
    /// its length before it, and the lengths have been checked.
    struct Front {
        let row: PassageRow
        let slots: [Slot]
        fileprivate let encodedTerms: [UInt8]

        func forEachFilterTerm(_ body: (Span<UInt8>) throws -> Void) rethrows {
            let bytes = encodedTerms.span
            var start = 0
            while start < bytes.count {
                var count = 0
                for index in 0..<4 { count |= Int(bytes[start + index]) << (8 * index) }
                start += 4
                try body(bytes.extracting(start..<start + count))
                start += count
            }
        }

        func hasFilterTerm(_ term: [UInt8]) -> Bool {
            var isThere = false
            forEachFilterTerm { if $0.isEqual(to: term) { isThere = true } }
            return isThere
        }
    }
}

/// How many terms a passage has, in a byte: exact up to 159, in steps of 16 up to 1,679.
enum LengthCode {
    static func encode(_ length: UInt32) -> UInt8 {
        length < 160 ? UInt8(length) : UInt8(min(255, 160 + (length - 160) / 16))
    }

    /// The length that each code stands for; the middle of its step.
    static let lengths: [Float] = (0...255).map { (code: Int) -> Float in
        code < 160 ? Float(code) : Float(160 + (code - 160) * 16 + 8)
    }
}
