/// One of the four graphs over the same memories (after MAGMA, arXiv 2601.03236, section 3).
public enum MemoryGraph: UInt8, Sendable, CaseIterable {
    /// What is about the same, or was made from it.
    case semantic = 1
    /// What came before and after, and what answers what.
    case temporal = 2
    /// What came of what.
    case causal = 3
    /// Who and what is spoken of.
    case entity = 4

    public var name: String {
        switch self {
        case .semantic: "semantic"
        case .temporal: "temporal"
        case .causal: "causal"
        case .entity: "entity"
        }
    }

    public init?(name: String) {
        guard let graph = MemoryGraph.allCases.first(where: { $0.name == name }) else { return nil }
        self = graph
    }
}

/// The label of an edge, in one of the four graphs. Callers may add labels of their own, up to 1,000 in a home.
///
/// An edge of the causal graph leads from what came of it to its cause, whatever its label: `causes(of:)` follows
/// it, `effects(of:)` follows it backwards.
public struct EdgeKind: Hashable, Sendable, CustomStringConvertible {
    public let name: String
    public let graph: MemoryGraph

    /// The longest name in bytes.
    public static let maximumNameByteCount = 64

    /// A label of the caller's.
    ///
    /// - Parameter name: 1 to 64 ASCII letters, digits, `-`, `_` and `.`, a letter first. A name that the engine has
    ///   itself stands in the engine's graph only.
    /// - Throws: `EngineError`: `invalid`.
    public init(_ name: String, in graph: MemoryGraph) throws(EngineError) {
        let bytes = Array(name.utf8)
        let isLetter = { (byte: UInt8) in (0x61...0x7A).contains(byte | 0x20) }
        guard (1...Self.maximumNameByteCount).contains(bytes.count), isLetter(bytes[0]),
            bytes.allSatisfy({ isLetter($0) || (0x30...0x39).contains($0) || "-_.".utf8.contains($0) })
        else {
            throw EngineError(
                .invalid,
                "`\(name.prefix(80))` is no kind of edge: it has 1 to 64 letters, digits, `-`, `_` and `.`, a letter first"
            )
        }
        if let known = Self.builtIn.first(where: { $0.kind.name == name }), known.kind.graph != graph {
            throw EngineError(
                .invalid,
                "`\(name)` is a kind of the \(known.kind.graph.name) graph, not of the \(graph.name) one")
        }
        self.name = name
        self.graph = graph
        builtInNumber = Self.builtIn.first { $0.kind.name == name }?.number
    }

    private init(_ number: UInt16, _ name: String, _ graph: MemoryGraph) {
        self.name = name
        self.graph = graph
        builtInNumber = number
    }

    /// The number in files of a kind of the engine's own; `nil` for one of a caller's.
    let builtInNumber: UInt16?

    public var description: String { name }

    // The semantic graph.

    /// From what is true now to what it took the place of.
    public static let supersedes = EdgeKind(1, "supersedes", .semantic)
    /// From what was made to what it was made from.
    public static let derivedFrom = EdgeKind(2, "derivedFrom", .semantic)
    /// From what cites to what is cited: a commit, a key, a title, a link.
    public static let refersTo = EdgeKind(3, "refersTo", .semantic)
    /// Between what is nearly alike by its vectors; computed when it is asked for by name (`Likeness`).
    public static let similarTo = EdgeKind(4, "similarTo", .semantic)
    /// Between what says nearly the same by its words; computed when it is asked for by name (`WordLikeness`).
    public static let nearDuplicate = EdgeKind(5, "nearDuplicate", .semantic)
    /// From what says nearly the same as an older memory to that one; found by consolidation.
    public static let duplicateOf = EdgeKind(6, "duplicateOf", .semantic)
    /// From a memory to one that is about the same; found by consolidation.
    public static let relatesTo = EdgeKind(7, "relatesTo", .semantic)
    /// From a memory to an older one that says nearly the same in other words; found by consolidation.
    public static let paraphrases = EdgeKind(8, "paraphrases", .semantic)
    /// From what denies to what is denied.
    public static let contradicts = EdgeKind(9, "contradicts", .semantic)

    // The temporal graph; these follow from threads and sessions, and are not stored one by one.

    /// From a memory to the one after it in its thread or session.
    public static let next = EdgeKind(20, "next", .temporal)
    /// From an answer to the question before it.
    public static let repliesTo = EdgeKind(21, "repliesTo", .temporal)
    /// Between the memories of a session, of a thread where there is none; computed when it is asked for by name.
    public static let sameSession = EdgeKind(22, "sameSession", .temporal)

    // The causal graph.

    /// From what happened to why it did.
    public static let causedBy = EdgeKind(40, "causedBy", .causal)
    /// From a repair to what it repairs.
    public static let fixes = EdgeKind(41, "fixes", .causal)
    /// From what takes something back to what is taken back.
    public static let reverts = EdgeKind(42, "reverts", .causal)

    // The entity graph.

    /// From a memory to an entity that it names.
    public static let mentions = EdgeKind(60, "mentions", .entity)
    /// Between two names of one and the same.
    public static let sameAs = EdgeKind(61, "sameAs", .entity)

    /// The engine's own kinds, with their numbers in files.
    static let builtIn: [(number: UInt16, kind: EdgeKind)] = [
        supersedes, derivedFrom, refersTo, similarTo, nearDuplicate, duplicateOf, relatesTo, paraphrases,
        contradicts,
        next, repliesTo, sameSession, causedBy, fixes, reverts, mentions, sameAs,
    ].map { ($0.builtInNumber ?? 0, $0) }

    /// Kinds that are not stored: they follow from threads and sessions, or are computed from vectors and words.
    static let computed: Set<EdgeKind> = [.similarTo, .nearDuplicate, .next, .repliesTo, .sameSession]
    /// Those of them that are computed only where a walk asks for them, by their names or those of their graphs.
    static let asked: Set<EdgeKind> = [.similarTo, .nearDuplicate, .sameSession]

    /// Every kind of the engine.
    public static var all: [EdgeKind] { builtIn.map(\.kind) }
}
