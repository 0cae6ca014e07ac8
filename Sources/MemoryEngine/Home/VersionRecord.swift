import Store

/// The head of a memory: what all its versions share. Key: row, version 0.
struct HeadRecord: Equatable, Sendable {
    var id: MemoryID
    /// The newest version.
    var version: UInt32
    var firstPassage: UInt32
    var passageCount: UInt32
    /// The number of its thread or, without one, of its session; 0 = none.
    var series: UInt32
    var turn: UInt32
    /// The session in which its key is unique; the session that the memory was first put into.
    var keySession: UInt32
    var key: String?

    func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.u128(id.rawValue)
        writer.u32(version)
        writer.u32(firstPassage)
        writer.u32(passageCount)
        writer.u32(series)
        writer.u32(turn)
        writer.u32(keySession)
        writer.optional(key) { $0.string($1) }
        return writer.bytes
    }

    static func read(_ row: UInt64, in transaction: borrowing ReadTransaction) throws -> HeadRecord? {
        guard let value = try Schema.memory.get(Schema.head(row), in: transaction) else { return nil }
        return try HeadRecord(decoding: value)
    }

    init(decoding bytes: RawSpan) throws {
        var reader = ByteReader(bytes)
        id = MemoryID(rawValue: try reader.u128())
        version = try reader.u32()
        firstPassage = try reader.u32()
        passageCount = try reader.u32()
        series = try reader.u32()
        turn = try reader.u32()
        keySession = try reader.u32()
        key = try reader.optional { try $0.string() }
        try reader.finish()
        guard !firstPassage.addingReportingOverflow(passageCount).overflow else {
            throw StoreError(.corrupted, "a head names more passages than there can be")
        }
    }

    init(
        id: MemoryID, version: UInt32, firstPassage: UInt32, passageCount: UInt32, series: UInt32,
        turn: UInt32,
        keySession: UInt32, key: String?
    ) {
        self.id = id
        self.version = version
        self.firstPassage = firstPassage
        self.passageCount = passageCount
        self.series = series
        self.turn = turn
        self.keySession = keySession
        self.key = key
    }

    func write(_ row: UInt64, in transaction: borrowing WriteTransaction) throws {
        try Schema.memory.put(Schema.head(row), encode(), in: transaction)
    }
}

/// Why a version is not (or no longer) what is true.
enum Closure: UInt8 {
    case open = 0
    case retracted = 1
    case superseded = 2
}

/// What a caller says of a version, without content and clocks, as it stands in a mutation.
struct VersionFields: Equatable, Sendable {
    var kind: String
    var session: String?
    var actor: String?
    var thread: String?
    var happened: Range<Int64>
    var valid: Range<Int64>
    var expires: Int64
    var isPinned: Bool
    var importance: Float
    var tags: [String]
    var keywords: [String]
    var attributes: [String: AttributeValue]
    var origin: Origin
    var attachments: [Attachment]

    func encode(into writer: inout ByteWriter) {
        writer.string(kind)
        writer.optional(session) { $0.string($1) }
        writer.optional(actor) { $0.string($1) }
        writer.optional(thread) { $0.string($1) }
        writer.i64(happened.lowerBound)
        writer.i64(happened.upperBound)
        writer.i64(valid.lowerBound)
        writer.i64(valid.upperBound)
        writer.i64(expires)
        writer.bool(isPinned)
        writer.f32(importance)
        writer.list(tags) { $0.string($1) }
        writer.list(keywords) { $0.string($1) }
        writer.attributes(attributes)
        origin.encode(into: &writer)
        writer.list(attachments) { $1.encode(into: &$0) }
    }

    init(from reader: inout ByteReader) throws {
        kind = try reader.string()
        session = try reader.optional { try $0.string() }
        actor = try reader.optional { try $0.string() }
        thread = try reader.optional { try $0.string() }
        happened = try Self.range(try reader.i64(), try reader.i64())
        valid = try Self.range(try reader.i64(), try reader.i64())
        expires = try reader.i64()
        isPinned = try reader.bool()
        importance = try reader.f32()
        tags = try reader.list { try $0.string() }
        keywords = try reader.list { try $0.string() }
        attributes = try reader.attributes()
        origin = try Origin(from: &reader)
        attachments = try reader.list { try Attachment(from: &$0) }
    }

    static func range(_ from: Int64, _ until: Int64) throws -> Range<Int64> {
        guard from <= until else { throw StoreError(.corrupted, "an interval ends before it begins") }
        return from..<until
    }

    init(
        kind: String, session: String?, actor: String?, thread: String?, happened: Range<Int64>,
        valid: Range<Int64>, expires: Int64, isPinned: Bool, importance: Float, tags: [String],
        keywords: [String], attributes: [String: AttributeValue], origin: Origin, attachments: [Attachment]
    ) {
        self.kind = kind
        self.session = session
        self.actor = actor
        self.thread = thread
        self.happened = happened
        self.valid = valid
        self.expires = expires
        self.isPinned = isPinned
        self.importance = importance
        self.tags = tags
        self.keywords = keywords
        self.attributes = attributes
        self.origin = origin
        self.attachments = attachments
    }

    /// Whether the same fields would be told of anew: attachment bytes are compared by digest.
    func says(sameAs other: VersionFields) -> Bool {
        var a = self
        var b = other
        for index in a.attachments.indices { a.attachments[index].data = [] }
        for index in b.attachments.indices { b.attachments[index].data = [] }
        return a == b
    }
}

/// A version as it stands in the file. Key: row, version.
struct VersionRecord: Equatable, Sendable {
    /// Content up to this many bytes stands in the record; longer content has pages of its own.
    static let inlineByteCount = 1_024

    var fields: VersionFields
    var recordedFrom: Int64
    var recordedUntil: Int64
    var closure: Closure
    var firstPassage: UInt32
    /// The byte ranges of its passages.
    var ranges: [Range<UInt32>]
    var contentByteCount: UInt32
    /// The content itself, if it is short.
    var inlineContent: [UInt8]

    init(
        fields: VersionFields, recordedFrom: Int64, recordedUntil: Int64, closure: Closure,
        firstPassage: UInt32,
        ranges: [Range<UInt32>], contentByteCount: UInt32, inlineContent: [UInt8]
    ) {
        self.fields = fields
        self.recordedFrom = recordedFrom
        self.recordedUntil = recordedUntil
        self.closure = closure
        self.firstPassage = firstPassage
        self.ranges = ranges
        self.contentByteCount = contentByteCount
        self.inlineContent = inlineContent
    }

    static func read(
        _ row: UInt64, _ version: UInt32, in transaction: borrowing ReadTransaction
    ) throws -> VersionRecord? {
        guard let value = try Schema.memory.get(Schema.version(row, version), in: transaction) else {
            return nil
        }
        return try VersionRecord(decoding: value)
    }

    /// The record takes more than a page only where there are many long attributes or hundreds of passages.
    func write(_ row: UInt64, _ version: UInt32, in transaction: borrowing WriteTransaction) throws {
        try Schema.memory.put(Schema.version(row, version), encode(), in: transaction)
    }

    var passageCount: UInt32 { UInt32(ranges.count) }

    /// Whether the version is what the store holds to be so: the newest, neither retracted nor superseded.
    var isCurrent: Bool { recordedUntil == .max && closure == .open }

    /// The content, from the record or from its pages.
    func content(
        _ row: UInt64, _ version: UInt32, in transaction: borrowing ReadTransaction
    ) throws -> [UInt8] {
        if contentByteCount == 0 || !inlineContent.isEmpty { return inlineContent }
        return try content(row, version, 0..<Int(contentByteCount), in: transaction)
    }

    /// The bytes of the content in `range`.
    func content(
        _ row: UInt64, _ version: UInt32, _ range: Range<Int>, in transaction: borrowing ReadTransaction
    ) throws -> [UInt8] {
        guard range.upperBound <= Int(contentByteCount) else {
            throw StoreError(.corrupted, "a passage lies outside of its content")
        }
        if range.isEmpty { return [] }
        if !inlineContent.isEmpty { return Array(inlineContent[range]) }
        let pageByteCount = Table.pagePayloadByteCount
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        for page in range.lowerBound / pageByteCount...(range.upperBound - 1) / pageByteCount {
            let key = Schema.content(row, version, page: UInt32(page + 1))
            let start = page * pageByteCount
            let end = min(start + pageByteCount, Int(contentByteCount))
            guard let value = try Schema.memory.get(key, in: transaction), value.byteCount == end - start
            else {
                throw StoreError(.corrupted, "page \(page) of the content of a memory is missing")
            }
            bytes += value.copy(max(start, range.lowerBound) - start..<min(end, range.upperBound) - start)
        }
        return bytes
    }
}
