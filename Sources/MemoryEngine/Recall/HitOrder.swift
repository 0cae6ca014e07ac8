extension RecallQuery.Order {
    /// The order of hits that a question of an intent gets.
    init(for intent: Intent) { self = intent == .why ? .chains : .score }

    /// Puts hits, the best first, into this order.
    func arrange(_ hits: [Hit]) -> [Hit] {
        switch self {
        case .score: hits
        case .time:
            hits.enumerated().sorted {
                let (a, b) = ($0.element.memory.happened.lowerBound, $1.element.memory.happened.lowerBound)
                return a != b ? a < b : $0.offset < $1.offset
            }.map(\.element)
        case .chains: Self.chained(hits)
        }
    }

    /// Each hit stands behind the better one that an edge joins it to, and what hangs on that one.
    private static func chained(_ hits: [Hit]) -> [Hit] {
        var place: [MemoryID: Int] = [:]
        for (index, hit) in hits.enumerated() { place[hit.memory.id] = index }
        var followers = [[Int]](repeating: [], count: hits.count)
        var first: [Int] = []
        for (index, hit) in hits.enumerated() {
            if let anchor = hit.causalNeighbor.flatMap({ place[$0] }), anchor < index {
                followers[anchor].append(index)
            } else {
                first.append(index)
            }
        }
        var arranged: [Hit] = []
        // Each follower has a higher index than what it follows, so that there are no circles.
        var stack = Array(first.reversed())
        while let index = stack.popLast() {
            arranged.append(hits[index])
            stack += followers[index].reversed()
        }
        return arranged
    }
}

extension Hit {
    /// The memory to which an edge of cause or reference joins this one, where that vouched for it.
    fileprivate var causalNeighbor: MemoryID? {
        for step in path {
            if case .edge(let kind, _, let id) = step.reason, kind.graph != .temporal { return id }
        }
        return nil
    }
}
