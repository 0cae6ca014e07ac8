import Store

/// Looks for a path with as few edges as possible from both ends at once, a level at a time, the smaller side first: so a
/// memory with a hundred thousand edges that lies between two others is reached from either, and walked through from
/// neither (Pohl, "Bi-directional search", 1971).
struct PathSearch {
    /// From the beginning of the path, and from its end backwards.
    private var forward: GraphWalk
    private var backward: GraphWalk
    /// Where they met.
    private var meeting: UInt64?

    /// How many memories were looked at.
    var visitedCount: Int { forward.steps.count + backward.steps.count }
    /// False when a bound of memories or of time ended the search.
    var isComplete: Bool { forward.isComplete && backward.isComplete }

    /// A step of the path: a memory, and an edge that joins it to the one before or behind.
    typealias Link = (row: UInt64, edge: GraphNeighbor)

    /// - Parameter bounds: its depth is the most edges of the path, its count that of memories on both sides.
    /// - Complexity: O(edges of the memories reached).
    init(
        from start: UInt64, to end: UInt64, _ reader: GraphReader, _ bounds: GraphWalk.Bounds,
        _ state: HomeState, in transaction: borrowing ReadTransaction
    ) throws {
        forward = GraphWalk(reader, bounds)
        backward = GraphWalk(reader.reversed, bounds)
        forward.begin(at: start)
        guard start != end else {
            meeting = start
            return
        }
        backward.begin(at: end)
        // Nothing is nearer than what is met first: a path with fewer edges would have been met a level before.
        for _ in 0..<bounds.depth where forward.frontierCount > 0 && backward.frontierCount > 0 {
            let goesOn: Bool
            if (forward.frontierCount, forward.steps.count) <= (backward.frontierCount, backward.steps.count)
            {
                (goesOn, meeting) = try Self.reach(
                    &forward, backward, bounds.count, state, in: transaction)
            } else {
                (goesOn, meeting) = try Self.reach(
                    &backward, forward, bounds.count, state, in: transaction)
            }
            guard goesOn else { return }
        }
    }

    /// Goes on with one side. Returns whether to go on, and where it met the other.
    private static func reach(
        _ side: inout GraphWalk, _ other: GraphWalk, _ count: Int, _ state: HomeState,
        in transaction: borrowing ReadTransaction
    ) throws -> (goesOn: Bool, meeting: UInt64?) {
        var met: UInt64?
        let goesOn = try side.reachNextLevel(
            atMost: count - other.steps.count, state, in: transaction
        ) { row in
            guard other.index(of: row) != nil else { return false }
            met = row
            return true
        }
        return (goesOn, met)
    }

    /// The edges of the path in its order, each with the memory that it was read from; `nil` if there is none.
    var links: [Link]? {
        guard let meeting, let there = forward.index(of: meeting) else { return nil }
        var links = Self.links(forward.path(to: there))
        if let back = backward.index(of: meeting) { links += Self.links(backward.path(to: back)).reversed() }
        return links
    }

    private static func links(_ path: [GraphWalk.Step]) -> [Link] {
        zip(path, path.dropFirst()).compactMap { step, next in next.edge.map { (step.row, $0) } }
    }
}

extension GraphReader {
    /// The same edges, followed the other way.
    var reversed: GraphReader {
        var reader = self
        switch direction {
        case .out: reader.direction = .into
        case .into: reader.direction = .out
        case .both: break
        }
        return reader
    }
}
