/// How to walk from a memory, and how far.
public struct GraphQuery: Sendable {
    /// Which kinds of edges are followed; `nil` = those of `graphs`.
    public var kinds: Set<EdgeKind>?
    /// Which graphs are walked, where no kinds are named; `nil` = all four.
    public var graphs: Set<MemoryGraph>?
    public var direction: EdgeDirection = .both
    /// The most edges on a path, 1 to 64.
    public var depth = 1
    /// The most memories that are given, 1 to 10,000.
    public var limit = 100
    public var order: Order = .breadthFirst
    /// Only memories that happened then are given; a walk still leads through others.
    public var happened: Range<Timestamp>?
    /// Only memories whose words name a time that meets this one are given (`Memory.times`), whenever they happened; a
    /// walk still leads through others.
    public var speaksOf: Range<Timestamp>?
    /// What the store knew then, of edges and of memories; `nil` = knows now.
    public var asOf: Timestamp?
    /// What was true then; `nil` = now.
    public var validAt: Timestamp?
    /// The most memories that are looked at, 1 to 1,000,000.
    public var visitLimit = 100_000
    /// How long it may take; what was found by then is given, with `isComplete` false.
    public var deadline: Duration?

    /// The order in which a walk reaches memories.
    public enum Order: String, Sendable, CaseIterable {
        /// By the number of edges.
        case breadthFirst
        /// By the strength of the path: the product of its weights, with a loss of a fifth for each edge.
        case strongest
    }

    public init() {}
}

/// A memory that a walk reached.
public struct GraphHit: Sendable {
    public let memory: Memory
    /// The edges that lead to it from where the walk began.
    public let path: [Edge]
    /// The product of the weights along the path, with a loss of a fifth for each edge; 1 at the start.
    public let strength: Double
}

/// What a walk reached, in its order.
public struct GraphHits: Sendable, RandomAccessCollection {
    public let hits: [GraphHit]
    /// How many memories were looked at.
    public let visitedCount: Int
    /// False when a bound (of memories or of time) ended the walk.
    public let isComplete: Bool

    public var startIndex: Int { 0 }
    public var endIndex: Int { hits.count }
    public subscript(index: Int) -> GraphHit { hits[index] }
}

/// A link of a causal chain.
public struct CausalLink: Sendable {
    public let effect: Memory
    public let cause: Memory
    /// With its evidence, or the rule that derived it.
    public let edge: Edge
    /// How many links lie between it and the memory asked about, from 1.
    public let depth: Int
    /// The product of the weights of the strongest way from the memory asked about.
    public let confidence: Double
}

/// Causes or effects of a memory, the nearest first. No link leads back: there is no cycle in it.
public struct CausalChain: Sendable, RandomAccessCollection {
    public let links: [CausalLink]
    /// False when a bound (of links or of time) ended it.
    public let isComplete: Bool

    public var startIndex: Int { 0 }
    public var endIndex: Int { links.count }
    public subscript(index: Int) -> CausalLink { links[index] }
}
