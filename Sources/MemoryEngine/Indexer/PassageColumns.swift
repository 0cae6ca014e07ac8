import Store

/// What is known of a passage beside its words: fixed-width values, first in the tail record of the
/// passage, then in column blocks. Both have the same order of fields.
struct PassageRow: Equatable, Sendable {
    static let byteCount = 120

    struct Flags: OptionSet, Equatable, Sendable {
        let rawValue: UInt8
        /// Belongs to a current version.
        static let current = Flags(rawValue: 1)
        /// Holds a question.
        static let question = Flags(rawValue: 2)
        static let pinned = Flags(rawValue: 4)
        /// Was forgotten; all other fields are zero.
        static let erased = Flags(rawValue: 8)
        /// Belongs to a summary that the engine itself made. It is never `current`, so that whatever looks for what is
        /// current, or counts it, passes over it.
        static let own = Flags(rawValue: 16)
        /// Belongs to the current version of such a summary.
        static let currentOwn = Flags(rawValue: 32)
    }

    static let none = UInt32.max

    var row: UInt64 = 0
    var recordedFrom: Int64 = 0
    var recordedUntil: Int64 = .max
    var validFrom: Int64 = .min
    var validUntil: Int64 = .max
    var happenedFrom: Int64 = 0
    var happenedUntil: Int64 = 0
    var expires: Int64 = .max
    var version: UInt32 = 0
    var part: UInt32 = 0
    var byteFrom: UInt32 = 0
    var byteCount: UInt32 = 0
    var session: UInt32 = 0
    var actor: UInt32 = 0
    var thread: UInt32 = 0
    var turn: UInt32 = 0
    var principal: UInt32 = 0
    var kind: UInt32 = 0
    /// The passage before this one in its series; `none` = the first.
    var previous: UInt32 = none
    /// How many terms it has.
    var length: UInt32 = 0
    var importance: Float = 0
    var trust: UInt8 = 0
    var flags: Flags = []
    var lengthCode: UInt8 = 0

    static let erased: PassageRow = {
        var row = PassageRow()
        row.recordedUntil = 0
        row.validFrom = 0
        row.validUntil = 0
        row.expires = 0
        row.previous = none
        row.flags = .erased
        return row
    }()

    func encode(into writer: inout ByteWriter) {
        writer.u64(row)
        writer.i64(recordedFrom)
        writer.i64(recordedUntil)
        writer.i64(validFrom)
        writer.i64(validUntil)
        writer.i64(happenedFrom)
        writer.i64(happenedUntil)
        writer.i64(expires)
        writer.u32(version)
        writer.u32(part)
        writer.u32(byteFrom)
        writer.u32(byteCount)
        writer.u32(session)
        writer.u32(actor)
        writer.u32(thread)
        writer.u32(turn)
        writer.u32(principal)
        writer.u32(kind)
        writer.u32(previous)
        writer.u32(length)
        writer.f32(importance)
        writer.u8(trust)
        writer.u8(flags.rawValue)
        writer.u8(lengthCode)
        writer.u8(0)
    }

    init() {}

    /// The columns that all passages of a version share.
    init(
        _ row: UInt64, _ number: UInt32, _ version: VersionRecord, turn: UInt32, session: UInt32,
        actor: UInt32,
        thread: UInt32, principal: UInt32, kind: UInt32
    ) {
        self.row = row
        self.version = number
        recordedFrom = version.recordedFrom
        recordedUntil = version.recordedUntil
        validFrom = version.fields.valid.lowerBound
        validUntil = version.fields.valid.upperBound
        happenedFrom = version.fields.happened.lowerBound
        happenedUntil = version.fields.happened.upperBound
        expires = version.fields.expires
        self.turn = turn
        self.session = session
        self.actor = actor
        self.thread = thread
        self.principal = principal
        self.kind = kind
        importance = version.fields.importance
        trust = version.fields.origin.trust.rawValue
    }

    /// The columns of one passage of it.
    mutating func describe(
        _ part: Int, _ range: Range<UInt32>, _ content: [UInt8], _ terms: TermList, isCurrent: Bool,
        _ fields: VersionFields
    ) {
        self.part = UInt32(part)
        byteFrom = range.lowerBound
        byteCount = range.upperBound - range.lowerBound
        length = terms.length
        lengthCode = LengthCode.encode(length)
        flags = fields.isConcluded ? .own : []
        if isCurrent { flags.insert(fields.isConcluded ? .currentOwn : .current) }
        if fields.isPinned { flags.insert(.pinned) }
        if content[Int(range.lowerBound)..<Int(range.upperBound)].contains(UInt8(ascii: "?")) {
            flags.insert(.question)
        }
    }

    /// - Precondition: `bytes` has at least `byteCount` bytes.
    init(_ bytes: RawSpan) {
        row = bytes.u64(at: 0)
        recordedFrom = bytes.i64(at: 8)
        recordedUntil = bytes.i64(at: 16)
        validFrom = bytes.i64(at: 24)
        validUntil = bytes.i64(at: 32)
        happenedFrom = bytes.i64(at: 40)
        happenedUntil = bytes.i64(at: 48)
        expires = bytes.i64(at: 56)
        version = bytes.u32(at: 64)
        part = bytes.u32(at: 68)
        byteFrom = bytes.u32(at: 72)
        byteCount = bytes.u32(at: 76)
        session = bytes.u32(at: 80)
        actor = bytes.u32(at: 84)
        thread = bytes.u32(at: 88)
        turn = bytes.u32(at: 92)
        principal = bytes.u32(at: 96)
        kind = bytes.u32(at: 100)
        previous = bytes.u32(at: 104)
        length = bytes.u32(at: 108)
        importance = bytes.f32(at: 112)
        trust = bytes.u8(at: 116)
        flags = Flags(rawValue: bytes.u8(at: 117))
        lengthCode = bytes.u8(at: 118)
    }
}

/// A field of `PassageRow`: its number in the file, its place in the row, its width.
struct Column: Hashable, Sendable {
    let number: UInt8
    let offset: Int
    let width: Int

    static let row = Column(number: 1, offset: 0, width: 8)
    static let recordedFrom = Column(number: 2, offset: 8, width: 8)
    static let recordedUntil = Column(number: 3, offset: 16, width: 8)
    static let validFrom = Column(number: 4, offset: 24, width: 8)
    static let validUntil = Column(number: 5, offset: 32, width: 8)
    static let happenedFrom = Column(number: 6, offset: 40, width: 8)
    static let happenedUntil = Column(number: 7, offset: 48, width: 8)
    static let expires = Column(number: 8, offset: 56, width: 8)
    static let version = Column(number: 9, offset: 64, width: 4)
    static let part = Column(number: 10, offset: 68, width: 4)
    static let byteFrom = Column(number: 11, offset: 72, width: 4)
    static let byteCount = Column(number: 12, offset: 76, width: 4)
    static let session = Column(number: 13, offset: 80, width: 4)
    static let actor = Column(number: 14, offset: 84, width: 4)
    static let thread = Column(number: 15, offset: 88, width: 4)
    static let turn = Column(number: 16, offset: 92, width: 4)
    static let principal = Column(number: 17, offset: 96, width: 4)
    static let kind = Column(number: 18, offset: 100, width: 4)
    static let previous = Column(number: 19, offset: 104, width: 4)
    static let length = Column(number: 20, offset: 108, width: 4)
    static let importance = Column(number: 21, offset: 112, width: 4)
    static let trust = Column(number: 22, offset: 116, width: 1)
    static let flags = Column(number: 23, offset: 117, width: 1)
    static let lengthCode = Column(number: 24, offset: 118, width: 1)

    static let all: [Column] = [
        row, recordedFrom, recordedUntil, validFrom, validUntil, happenedFrom, happenedUntil, expires,
        version,
        part, byteFrom, byteCount, session, actor, thread, turn, principal, kind, previous, length,
        importance,
        trust, flags, lengthCode,
    ]

    /// The slot of a passage in a space: a column of its own, which passages without a vector lack.
    static func slot(_ space: UInt16) -> Column {
        precondition(space < 128, "at most 127 spaces")
        return Column(number: 64 + UInt8(space), offset: -1, width: 4)
    }

    /// Bytes of values in a block: a block with its checksum is one page of LMDB's.
    static let blockByteCount = 4_032

    /// How many passages a block covers.
    var rowsPerBlock: Int { Self.blockByteCount / width }

    func key(block: Int) -> Key { Key(prefix: Schema.Passage.column).u8(number).u32(UInt32(block)) }
}

/// Reads and writes column blocks, and the tail that has not been folded into them.
enum Columns {
    /// The block in which a column has no values yet: slots are "none", all else is zero.
    private static func emptyBlock(_ column: Column) -> [UInt8] {
        [UInt8](repeating: column.offset < 0 ? 0xff : 0, count: Column.blockByteCount)
    }

    /// A four-byte value of a folded passage; `nil` where its block is not there.
    static func u32(
        _ column: Column, _ passage: UInt32, in transaction: borrowing ReadTransaction
    ) throws -> UInt32? {
        let (block, index) = Int(passage).quotientAndRemainder(dividingBy: column.rowsPerBlock)
        guard let bytes = try Schema.passage.get(column.key(block: block), in: transaction) else {
            return nil
        }
        return try checked(bytes, column).u32(at: index * 4)
    }

    /// A block of a column; `nil` where it has no values yet.
    @_lifetime(borrow transaction)
    static func block(
        _ column: Column, _ block: Int, in transaction: borrowing ReadTransaction
    ) throws -> RawSpan? {
        guard let bytes = try Schema.passage.get(column.key(block: block), in: transaction) else {
            return nil
        }
        return try checked(bytes, column)
    }

    /// An eight-byte value of a folded passage; `nil` where its block is not there.
    static func u64(
        _ column: Column, _ passage: UInt32, in transaction: borrowing ReadTransaction
    ) throws -> UInt64? {
        let (block, index) = Int(passage).quotientAndRemainder(dividingBy: column.rowsPerBlock)
        guard let bytes = try Schema.passage.get(column.key(block: block), in: transaction) else {
            return nil
        }
        return try checked(bytes, column).u64(at: index * 8)
    }

    @_lifetime(copy bytes)
    static func checked(_ bytes: RawSpan, _ column: Column) throws -> RawSpan {
        guard bytes.byteCount == Column.blockByteCount else {
            throw StoreError(.corrupted, "a block of column \(column.number) has \(bytes.byteCount) bytes")
        }
        return bytes
    }

    /// The whole row of a folded passage.
    static func row(_ passage: UInt32, in transaction: borrowing ReadTransaction) throws -> PassageRow {
        var bytes = [UInt8](repeating: 0, count: PassageRow.byteCount)
        for column in Column.all {
            let (block, index) = Int(passage).quotientAndRemainder(dividingBy: column.rowsPerBlock)
            guard let values = try Schema.passage.get(column.key(block: block), in: transaction) else {
                throw StoreError(.corrupted, "column \(column.number) has no block \(block)")
            }
            let span = try checked(values, column)
            for byte in 0..<column.width {
                bytes[column.offset + byte] = span.u8(at: index * column.width + byte)
            }
        }
        // Safe because bytes have no padding.
        return unsafe PassageRow(bytes.span.bytes)
    }

    /// Lends the blocks of a column one after another: the first passage of each, and its bytes.
    static func forEachBlock(
        _ column: Column, below end: UInt32, in transaction: borrowing ReadTransaction,
        _ body: (Int, RawSpan) throws -> Void
    ) throws {
        let prefix = Key(prefix: Schema.Passage.column).u8(column.number)
        try Schema.passage.scan(prefix: prefix, in: transaction) { key, value in
            let first = Int(key.keyU32(at: 2)) * column.rowsPerBlock
            guard first < end else { return false }
            try body(first, try checked(value, column))
            return true
        }
    }

    /// Writes the rows of consecutive folded passages, block by block.
    static func write(
        _ rows: [PassageRow], from first: UInt32, in transaction: borrowing WriteTransaction
    ) throws {
        var writer = ByteWriter(capacity: rows.count * PassageRow.byteCount)
        for row in rows { row.encode(into: &writer) }
        let encoded = writer.bytes
        for column in Column.all {
            try write(column, from: first, count: rows.count, in: transaction) { index, byte in
                encoded[index * PassageRow.byteCount + column.offset + byte]
            }
        }
    }

    /// Writes `count` values of one column from passage `first` on.
    private static func write(
        _ column: Column, from first: UInt32, count: Int, in transaction: borrowing WriteTransaction,
        _ byte: (Int, Int) -> UInt8
    ) throws {
        var done = 0
        while done < count {
            let (block, start) = (Int(first) + done).quotientAndRemainder(dividingBy: column.rowsPerBlock)
            let part = min(count - done, column.rowsPerBlock - start)
            let key = column.key(block: block)
            var bytes = try Schema.passage.get(key, in: transaction.snapshot)?.array ?? emptyBlock(column)
            // Safe because bytes have no padding.
            _ = unsafe try checked(bytes.span.bytes, column)
            for index in 0..<part {
                for offset in 0..<column.width {
                    bytes[(start + index) * column.width + offset] = byte(done + index, offset)
                }
            }
            try Schema.passage.put(key, bytes, in: transaction)
            done += part
        }
    }

    /// Writes one value of one column for each passage given.
    static func set(
        _ column: Column, _ values: [(passage: UInt32, value: UInt64)],
        in transaction: borrowing WriteTransaction
    ) throws {
        for (passage, value) in values {
            try write(column, from: passage, count: 1, in: transaction) { _, offset in
                UInt8(truncatingIfNeeded: value >> (8 * UInt64(offset)))
            }
        }
    }

    /// Writes slots of a space, many at once; the passages need not follow each other.
    static func setSlots(
        _ space: UInt16, _ slots: [(passage: UInt32, slot: UInt32)],
        in transaction: borrowing WriteTransaction
    ) throws {
        let column = Column.slot(space)
        let sorted = slots.sorted { $0.passage < $1.passage }
        var index = 0
        while index < sorted.count {
            let block = Int(sorted[index].passage) / column.rowsPerBlock
            let key = column.key(block: block)
            var bytes = try Schema.passage.get(key, in: transaction.snapshot)?.array ?? emptyBlock(column)
            // Safe because bytes have no padding.
            _ = unsafe try checked(bytes.span.bytes, column)
            while index < sorted.count, Int(sorted[index].passage) / column.rowsPerBlock == block {
                let offset = (Int(sorted[index].passage) % column.rowsPerBlock) * 4
                for byte in 0..<4 {
                    bytes[offset + byte] = UInt8(truncatingIfNeeded: sorted[index].slot >> (8 * UInt32(byte)))
                }
                index += 1
            }
            try Schema.passage.put(key, bytes, in: transaction)
        }
    }

    /// Replaces the whole row of a folded passage.
    static func replace(
        _ passage: UInt32, by row: PassageRow, in transaction: borrowing WriteTransaction
    ) throws {
        try write([row], from: passage, in: transaction)
    }
}
