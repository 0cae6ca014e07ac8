/// How far what a memory says can be believed.
public enum Trust: UInt8, Sendable, Comparable, CaseIterable {
    case untrusted = 0
    case known = 1
    case verified = 2

    public static func < (a: Trust, b: Trust) -> Bool { a.rawValue < b.rawValue }

    public var name: String {
        switch self {
        case .untrusted: "untrusted"
        case .known: "known"
        case .verified: "verified"
        }
    }

    public init?(name: String) {
        guard let trust = Trust.allCases.first(where: { $0.name == name }) else { return nil }
        self = trust
    }
}

/// Where a memory is from. Privacy and learning stand on it.
public struct Origin: Hashable, Sendable {
    /// Who wrote it. Set by the engine from `Engine.open(principal:)`, never by the draft.
    public internal(set) var principal: String = ""
    /// The program or agent that wrote it on the principal's behalf.
    public var agent: String?
    /// The model that made it, where one did.
    public var model: String?
    /// What it was taken from: a URI, or a short name as `log:81`.
    public var source: String?
    /// The SHA-256 of the source, 32 bytes.
    public var sourceDigest: [UInt8]?
    /// The bytes of the source that it was taken from.
    public var sourceSpan: Range<UInt64>?
    public var trust: Trust
    /// Whether anonymised patterns may be learned from it.
    public var mayContribute: Bool

    public init(
        agent: String? = nil, model: String? = nil, source: String? = nil, trust: Trust = .known,
        mayContribute: Bool = false
    ) {
        self.agent = agent
        self.model = model
        self.source = source
        self.trust = trust
        self.mayContribute = mayContribute
    }
}
