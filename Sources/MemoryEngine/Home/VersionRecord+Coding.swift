import Store

extension VersionRecord {
    /// What of a version differs from the usual, and therefore stands in the record, in this order.
    private struct Marks: OptionSet {
        let rawValue: UInt16
        static let recordedUntil = Marks(rawValue: 1 << 0)
        static let closure = Marks(rawValue: 1 << 1)
        /// Usual: one passage that is all of the content.
        static let ranges = Marks(rawValue: 1 << 2)
        static let session = Marks(rawValue: 1 << 3)
        static let actor = Marks(rawValue: 1 << 4)
        static let thread = Marks(rawValue: 1 << 5)
        /// Usual: a moment.
        static let happenedUntil = Marks(rawValue: 1 << 6)
        static let valid = Marks(rawValue: 1 << 7)
        static let expires = Marks(rawValue: 1 << 8)
        /// Has no more to it.
        static let pinned = Marks(rawValue: 1 << 9)
        static let importance = Marks(rawValue: 1 << 10)
        static let tags = Marks(rawValue: 1 << 11)
        static let keywords = Marks(rawValue: 1 << 12)
        static let attributes = Marks(rawValue: 1 << 13)
        /// Usual: known, by a principal, and no more.
        static let origin = Marks(rawValue: 1 << 14)
        static let attachments = Marks(rawValue: 1 << 15)
    }

    private static let usualImportance: Float = 0.5
    private static let always = Int64.min..<Int64.max

    private static func usualOrigin(_ principal: String) -> Origin {
        var origin = Origin(trust: .known)
        origin.principal = principal
        return origin
    }

    private var marks: Marks {
        var marks: Marks = []
        if recordedUntil != .max { marks.insert(.recordedUntil) }
        if closure != .open { marks.insert(.closure) }
        if ranges != [0..<contentByteCount] { marks.insert(.ranges) }
        if fields.session != nil { marks.insert(.session) }
        if fields.actor != nil { marks.insert(.actor) }
        if fields.thread != nil { marks.insert(.thread) }
        if !fields.happened.isEmpty { marks.insert(.happenedUntil) }
        if fields.valid != Self.always { marks.insert(.valid) }
        if fields.expires != .max { marks.insert(.expires) }
        if fields.isPinned { marks.insert(.pinned) }
        // By its bits, so that it comes back as it was.
        if fields.importance.bitPattern != Self.usualImportance.bitPattern { marks.insert(.importance) }
        if !fields.tags.isEmpty { marks.insert(.tags) }
        if !fields.keywords.isEmpty { marks.insert(.keywords) }
        if !fields.attributes.isEmpty { marks.insert(.attributes) }
        if fields.origin != Self.usualOrigin(fields.origin.principal) { marks.insert(.origin) }
        if !fields.attachments.isEmpty { marks.insert(.attachments) }
        return marks
    }

    func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 128 + inlineContent.count)
        let marks = marks
        writer.u16(marks.rawValue)
        writer.i64(recordedFrom)
        if marks.contains(.recordedUntil) { writer.i64(recordedUntil) }
        if marks.contains(.closure) { writer.u8(closure.rawValue) }
        writer.u32(firstPassage)
        if marks.contains(.ranges) {
            writer.list(ranges) {
                $0.u32($1.lowerBound)
                $0.u32($1.upperBound)
            }
        }
        writer.u32(contentByteCount)
        writer.string(fields.kind)
        if let session = fields.session { writer.string(session) }
        if let actor = fields.actor { writer.string(actor) }
        if let thread = fields.thread { writer.string(thread) }
        writer.i64(fields.happened.lowerBound)
        if marks.contains(.happenedUntil) { writer.i64(fields.happened.upperBound) }
        if marks.contains(.valid) {
            writer.i64(fields.valid.lowerBound)
            writer.i64(fields.valid.upperBound)
        }
        if marks.contains(.expires) { writer.i64(fields.expires) }
        if marks.contains(.importance) { writer.f32(fields.importance) }
        if marks.contains(.tags) { writer.list(fields.tags) { $0.string($1) } }
        if marks.contains(.keywords) { writer.list(fields.keywords) { $0.string($1) } }
        if marks.contains(.attributes) { writer.attributes(fields.attributes) }
        if marks.contains(.origin) {
            fields.origin.encode(into: &writer)
        } else {
            writer.string(fields.origin.principal)
        }
        if marks.contains(.attachments) { writer.list(fields.attachments) { $1.encode(into: &$0) } }
        writer.raw(inlineContent)
        return writer.bytes
    }

    init(decoding bytes: RawSpan) throws {
        var reader = ByteReader(bytes)
        let marks = Marks(rawValue: try reader.u16())
        recordedFrom = try reader.i64()
        recordedUntil = marks.contains(.recordedUntil) ? try reader.i64() : .max
        closure = marks.contains(.closure) ? try Self.closure(&reader) : .open
        firstPassage = try reader.u32()
        let given = marks.contains(.ranges) ? try Self.ranges(&reader) : nil
        contentByteCount = try reader.u32()
        ranges = given ?? [0..<contentByteCount]
        let kind = try reader.string()
        let session = marks.contains(.session) ? try reader.string() : nil
        let actor = marks.contains(.actor) ? try reader.string() : nil
        let thread = marks.contains(.thread) ? try reader.string() : nil
        let happenedFrom = try reader.i64()
        let happened = try VersionFields.range(
            happenedFrom, marks.contains(.happenedUntil) ? try reader.i64() : happenedFrom)
        let valid =
            marks.contains(.valid)
            ? try VersionFields.range(try reader.i64(), try reader.i64()) : Self.always
        let expires = marks.contains(.expires) ? try reader.i64() : .max
        let importance = marks.contains(.importance) ? try reader.f32() : Self.usualImportance
        let tags = marks.contains(.tags) ? try reader.list { try $0.string() } : []
        let keywords = marks.contains(.keywords) ? try reader.list { try $0.string() } : []
        let attributes = marks.contains(.attributes) ? try reader.attributes() : [:]
        let origin =
            marks.contains(.origin) ? try Origin(from: &reader) : Self.usualOrigin(try reader.string())
        let attachments =
            marks.contains(.attachments) ? try reader.list { try Attachment(from: &$0) } : []
        fields = VersionFields(
            kind: kind, session: session, actor: actor, thread: thread, happened: happened, valid: valid,
            expires: expires, isPinned: marks.contains(.pinned), importance: importance, tags: tags,
            keywords: keywords, attributes: attributes, origin: origin, attachments: attachments)
        inlineContent = try reader.raw(reader.remaining)
        try checkContent()
        // Each version has one form only.
        guard self.marks == marks else {
            throw StoreError(.corrupted, "a version says what is usual")
        }
    }

    /// A version as formats up to 4 had it: all of it in full.
    init(decodingFormat4 bytes: RawSpan) throws {
        var reader = ByteReader(bytes)
        recordedFrom = try reader.i64()
        recordedUntil = try reader.i64()
        closure = try Self.closure(&reader)
        firstPassage = try reader.u32()
        ranges = try Self.ranges(&reader)
        contentByteCount = try reader.u32()
        fields = try VersionFields(from: &reader)
        inlineContent = try reader.raw(reader.remaining)
        try checkContent()
    }

    private static func closure(_ reader: inout ByteReader) throws -> Closure {
        guard let closure = Closure(rawValue: try reader.u8()) else {
            throw StoreError(.corrupted, "a version is closed in an unknown way")
        }
        return closure
    }

    private static func ranges(_ reader: inout ByteReader) throws -> [Range<UInt32>] {
        try reader.list {
            let from = try $0.u32()
            let until = try $0.u32()
            guard from <= until else { throw StoreError(.corrupted, "a passage ends before it begins") }
            return from..<until
        }
    }

    private func checkContent() throws {
        guard inlineContent.isEmpty || inlineContent.count == Int(contentByteCount) else {
            throw StoreError(.corrupted, "the content of a version has the wrong length")
        }
    }
}

extension ByteWriter {
    /// In the order of their names.
    mutating func attributes(_ attributes: [String: AttributeValue]) {
        list(attributes.sorted { $0.key < $1.key }) { writer, entry in
            writer.string(entry.key)
            entry.value.encode(into: &writer)
        }
    }
}

extension ByteReader {
    mutating func attributes() throws -> [String: AttributeValue] {
        var attributes: [String: AttributeValue] = [:]
        for (name, value) in try list({ (try $0.string(), try AttributeValue(from: &$0)) }) {
            attributes[name] = value
        }
        return attributes
    }
}

extension AttributeValue {
    func encode(into writer: inout ByteWriter) {
        switch self {
        case .string(let value):
            writer.u8(0)
            writer.string(value)
        case .number(let value):
            writer.u8(1)
            writer.f64(value)
        case .bool(let value):
            writer.u8(2)
            writer.bool(value)
        }
    }

    init(from reader: inout ByteReader) throws {
        switch try reader.u8() {
        case 0: self = .string(try reader.string())
        case 1: self = .number(try reader.f64())
        case 2: self = .bool(try reader.bool())
        default: throw StoreError(.corrupted, "an attribute has an unknown type")
        }
    }
}

extension Origin {
    func encode(into writer: inout ByteWriter) {
        writer.string(principal)
        writer.optional(agent) { $0.string($1) }
        writer.optional(model) { $0.string($1) }
        writer.optional(source) { $0.string($1) }
        writer.optional(sourceDigest) { $0.blob($1) }
        writer.optional(sourceSpan) {
            $0.u64($1.lowerBound)
            $0.u64($1.upperBound)
        }
        writer.u8(trust.rawValue)
        writer.bool(mayContribute)
    }

    init(from reader: inout ByteReader) throws {
        let principal = try reader.string()
        let agent = try reader.optional { try $0.string() }
        let model = try reader.optional { try $0.string() }
        let source = try reader.optional { try $0.string() }
        let digest = try reader.optional { try $0.blob() }
        let span: Range<UInt64>? = try reader.optional {
            let from = try $0.u64()
            let until = try $0.u64()
            guard from <= until else { throw StoreError(.corrupted, "a span ends before it begins") }
            return from..<until
        }
        guard let trust = Trust(rawValue: try reader.u8()) else {
            throw StoreError(.corrupted, "a trust is not one")
        }
        self.init(agent: agent, model: model, source: source, trust: trust, mayContribute: try reader.bool())
        self.principal = principal
        sourceDigest = digest
        sourceSpan = span
    }
}

extension Attachment {
    func encode(into writer: inout ByteWriter) {
        writer.string(name)
        writer.string(mediaType)
        writer.blob(digest)
        writer.u64(byteCount)
        writer.optional(address) { $0.string($1) }
    }

    init(from reader: inout ByteReader) throws {
        self.init(
            name: try reader.string(), mediaType: try reader.string(), digest: try reader.blob(),
            byteCount: try reader.u64(), address: try reader.optional { try $0.string() })
    }
}
