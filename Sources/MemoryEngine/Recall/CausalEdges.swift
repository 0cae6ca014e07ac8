import Store

/// Finds what edges of cause and reference join to the best of what was found, a step away.
struct CausalEdges {
    private let reader: GraphReader
    private let weights: RecallWeights
    private let reference = EdgeKind.refersTo.builtInNumber

    /// How many of the best are looked at, the most edges of each, and the most passages of a neighbor.
    static let anchorCount = 20
    static let edgeCount = 64
    static let passageCount = 64

    init(
        _ weights: RecallWeights, asOf: Timestamp?, validAt: Timestamp,
        in transaction: borrowing ReadTransaction
    ) throws {
        self.weights = weights
        var kinds = weights.causes == 0 ? [] : try EdgeKinds(in: transaction).numbers(of: .causal)
        if let reference { kinds.insert(reference) }
        reader = GraphReader(
            kinds: kinds, direction: weights.causes == 0 ? .out : .both, asOf: asOf?.microseconds,
            validAt: validAt.microseconds)
    }

    /// The share of an anchor's score that an edge of this kind hands on.
    private func share(_ neighbor: GraphNeighbor) -> Double {
        let isReference = neighbor.kind == reference && neighbor.isOut
        let share = isReference ? max(weights.causes, weights.references) : weights.causes
        return share * Double(neighbor.weight)
    }

    /// The strongest edge of each passage that one joins to an anchor. Of a memory of several passages, the best one
    /// stands for it.
    func edges(
        from listed: [UInt32], _ view: HomeView, _ eligible: PassageSet, _ own: inout OwnScores,
        in transaction: borrowing ReadTransaction
    ) throws -> [UInt32: CausalEdge] {
        var top = TopList(capacity: Self.anchorCount)
        for passage in listed { top.insert(Float(own.score(of: passage)), passage) }
        var edges: [UInt32: CausalEdge] = [:]
        for anchor in top.ranked where own.score(of: anchor) > 0 {
            let row = try view.values(.row, of: [anchor], in: transaction) { $0.row }[0]
            var neighbors: [GraphNeighbor] = []
            try reader.forEachNeighbor(of: row, view.state, in: transaction) {
                neighbors.append($0)
                return neighbors.count < Self.edgeCount
            }
            for neighbor in neighbors where neighbor.row != row {
                guard let passage = try best(of: neighbor.row, view, eligible, &own, in: transaction) else {
                    continue
                }
                let strength = share(neighbor)
                if let known = edges[passage],
                    known.strength * own.score(of: known.anchor) >= strength * own.score(of: anchor)
                {
                    continue
                }
                edges[passage] = CausalEdge(
                    kind: neighbor.kind, direction: neighbor.isOut ? .into : .out, anchor: anchor,
                    strength: strength)
            }
        }
        return edges
    }

    /// The best passage of a memory's newest version that may be a hit.
    private func best(
        of row: UInt64, _ view: HomeView, _ eligible: PassageSet, _ own: inout OwnScores,
        in transaction: borrowing ReadTransaction
    ) throws -> UInt32? {
        guard let head = try HeadRecord.read(row, in: transaction), head.passageCount > 0 else { return nil }
        let count = min(Int(head.passageCount), Self.passageCount)
        let passages = (0..<count).map { head.firstPassage + UInt32($0) }
            .filter { eligible.contains($0) }
        try own.complete(passages, view, in: transaction)
        let scores = passages.map { own.score(of: $0) }
        return passages.indices.max { (scores[$0], $1) < (scores[$1], $0) }.map { passages[$0] }
    }
}
