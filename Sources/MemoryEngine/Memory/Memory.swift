/// What sort of thing a memory is. Callers may add kinds of their own.
public struct MemoryKind: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public init(stringLiteral value: String) { rawValue = value }

    public static let note: MemoryKind = "note"
    public static let message: MemoryKind = "message"
    public static let event: MemoryKind = "event"
    public static let fact: MemoryKind = "fact"
    public static let document: MemoryKind = "document"
    public static let commit: MemoryKind = "commit"
    public static let entity: MemoryKind = "entity"
    public static let episode: MemoryKind = "episode"
    public static let summary: MemoryKind = "summary"
    public static let outcome: MemoryKind = "outcome"
    public static let pattern: MemoryKind = "pattern"
}

/// The value of an attribute. Equal values of different types differ.
public enum AttributeValue: Hashable, Sendable {
    case string(String)
    case number(Double)
    case bool(Bool)
}

extension AttributeValue: ExpressibleByStringLiteral, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(integerLiteral value: Int) { self = .number(Double(value)) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension AttributeValue: CustomStringConvertible {
    public var description: String {
        switch self {
        case .string(let value): value
        case .number(let value):
            value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
        case .bool(let value): String(value)
        }
    }
}

extension AttributeValue {
    /// What a text without quotes says: `true`, `false`, a number, or else itself.
    ///
    /// A number is what JSON takes for one (RFC 8259, section 6), if it is finite; whole ones up to 2^53 only, so that no
    /// digit of an identifier is lost. `007`, `0x10`, `inf` and `12345678901234567890` are strings.
    public init(reading text: String) {
        switch text {
        case "true": self = .bool(true)
        case "false": self = .bool(false)
        default: self = Self.jsonNumber(text).map(AttributeValue.number) ?? .string(text)
        }
    }

    private static func jsonNumber(_ text: String) -> Double? {
        var rest = text.utf8[...]
        func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        func digits() -> Int {
            let count = rest.prefix(while: isDigit).count
            rest = rest.dropFirst(count)
            return count
        }
        func skip(_ bytes: String) -> Bool {
            guard let first = rest.first, bytes.utf8.contains(first) else { return false }
            rest = rest.dropFirst()
            return true
        }
        _ = skip("-")
        let startsWithZero = rest.first == UInt8(ascii: "0")
        let count = digits()
        guard count > 0, count == 1 || !startsWithZero else { return nil }
        let isWhole = rest.isEmpty
        if skip("."), digits() == 0 { return nil }
        if skip("eE") {
            _ = skip("+-")
            guard digits() > 0 else { return nil }
        }
        guard rest.isEmpty, let number = Double(text), number.isFinite else { return nil }
        let isExact = !isWhole || Int64(text).map { $0.magnitude <= 1 << 53 } ?? false
        return isExact ? number : nil
    }
}

/// A file that belongs to a memory: stored once in a home, whatever number of memories have it, or
/// kept outside and named by its address.
public struct Attachment: Hashable, Sendable {
    public var name: String
    public var mediaType: String
    /// SHA-256 of the bytes, 32 bytes.
    public let digest: [UInt8]
    public let byteCount: UInt64
    /// Where an external one is; `nil` for one whose bytes are in the store.
    public let address: String?
    /// The bytes to be stored; empty when read back (see `Engine.attachment`).
    package var data: [UInt8]

    package init(
        name: String, mediaType: String, digest: [UInt8], byteCount: UInt64, address: String?,
        data: [UInt8] = []
    ) {
        self.name = name
        self.mediaType = mediaType
        self.digest = digest
        self.byteCount = byteCount
        self.address = address
        self.data = data
    }
}

/// Something to be remembered.
///
/// Limits: content 16 MB; key, actor, thread, kind, tag, keyword and attribute name 256 bytes each;
/// attribute value 4 KiB; 256 tags, keywords and attributes each; 64 attachments of 64 MiB each.
public struct MemoryDraft: Sendable, Equatable {
    /// The words. May be empty where there is a vector or an attachment.
    public var content: String
    public var kind: MemoryKind = .note
    /// Who said or did it.
    public var actor: String?
    /// The conversation, file or series that it belongs to; memories of a thread follow each other.
    public var thread: String?
    /// A name of the caller's, unique in its namespace: remembering the same content under it again
    /// returns the memory that is there, other content becomes a new version of it. So do other kinds, tags and so on
    /// with the same content; what the draft leaves at its default stays then (`update` changes that too).
    public var key: String?
    /// When it happened. `nil` = at the time of remembering.
    public var happened: ClosedRange<Timestamp>?
    /// When it was true, up to but not including the end. `nil` = always.
    public var valid: Range<Timestamp>?
    /// From then on it is hidden, and later removed.
    public var expires: Timestamp?
    /// Keeps it from being swept or consolidated away.
    public var isPinned = false
    /// How much it matters, 0 to 1.
    public var importance: Float = 0.5
    public var tags: [String] = []
    /// Further words to be found by, which are not part of the content.
    public var keywords: [String] = []
    public var attributes: [String: AttributeValue] = [:]
    public var origin = Origin()
    public var attachments: [Attachment] = []
    /// Vectors that the caller has already; spaces that are not among them are embedded by the engine.
    public var embeddings: [Embedding] = []

    public init(_ content: String) { self.content = content }
}

extension MemoryDraft: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self.init(value) }
}

/// One version of a remembered item, as it was read.
public struct Memory: Sendable, Equatable, Identifiable {
    public let id: MemoryID
    /// Counts from 1.
    public let version: UInt32
    public let namespace: Namespace
    public let content: String
    public let kind: MemoryKind
    public let actor: String?
    public let thread: String?
    /// The position in its thread, from 0.
    public let turn: UInt32?
    public let key: String?
    /// When the store knew this version; open-ended for the current one.
    public let recorded: Range<Timestamp>
    /// When it was true, half-open.
    public let valid: Range<Timestamp>
    /// When it happened, half-open.
    public let happened: Range<Timestamp>
    public let expires: Timestamp?
    public let isPinned: Bool
    public let importance: Float
    public let tags: [String]
    public let keywords: [String]
    public let attributes: [String: AttributeValue]
    public let origin: Origin
    public let attachments: [Attachment]
    /// Whether this is the newest version, and neither superseded nor retracted.
    public let isCurrent: Bool
}

/// What `remember` did.
public struct Remembered: Sendable, Equatable {
    public let id: MemoryID
    public let version: UInt32
    /// False when the same content stood under the key already.
    public let isNew: Bool
    /// The commit that holds it; reads may ask for at least this one.
    public let sequence: UInt64
    /// Spaces of the engine in which it has no vector yet.
    public let missingSpaces: [EmbeddingSpace]
    /// Why an attached image or video gets no vector: it is damaged, too large, or refused by its model. Nothing makes up for that.
    public let refusals: [String]
    /// Why it has no vector in `missingSpaces` yet, as far as that is known: what its embedder said, or why there is none.
    public let failures: [String]
}
