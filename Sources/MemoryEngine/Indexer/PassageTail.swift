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
        let (row, slots, filterTerms, offset) = try Self.decodeFront(bytes)
        self.row = row
        self.slots = slots
        self.filterTerms = filterTerms
        words = try TermList(decoding: bytes.copy(offset..<bytes.byteCount).span)
    }

    /// All but the words, and where they begin.
    private static func decodeFront(
        _ bytes: RawSpan
    ) throws -> (row: PassageRow, slots: [Slot], filterTerms: [[UInt8]], offset: Int) {
        guard bytes.byteCount >= PassageRow.byteCount else {
            throw StoreError(.corrupted, "a record of the tail has only \(bytes.byteCount) bytes")
        }
        var reader = ByteReader(bytes, at: PassageRow.byteCount)
        let slots = try reader.list { Slot(space: try $0.u16(), slot: try $0.u32()) }
        let filterTerms = try reader.list { try $0.blob() }
        return (PassageRow(bytes), slots, filterTerms, reader.offset)
    }

    static func read(_ passage: UInt32, in transaction: borrowing ReadTransaction) throws -> TailRecord? {
        guard let value = try Schema.passage.get(Schema.tail(passage), in: transaction) else { return nil }
        return try TailRecord(decoding: value)
    }

    func write(_ passage: UInt32, in transaction: borrowing WriteTransaction) throws {
        try Schema.passage.put(Schema.tail(passage), encode(), in: transaction)
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
            let (row, slots, filterTerms, offset) = try decodeFront(value)
            try body(
                passage, Front(row: row, slots: slots, filterTerms: filterTerms), value.extracting(offset...))
            return true
        }
    }

    struct Front {
        var row: PassageRow
        var slots: [Slot]
        var filterTerms: [[UInt8]]
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
