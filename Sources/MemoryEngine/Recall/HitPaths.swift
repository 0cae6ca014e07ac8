import Store

/// Tells for the best candidates how they were found and what vouched for them.
struct HitPaths {
    private let vouching: Vouching
    private let kinds: EdgeKinds
    /// Ranks from 1, by words and by each space.
    private let wordRanks: [UInt32: Int]
    private let vectorRanks: [(space: EmbeddingSpace, ranks: [UInt32: Int])]

    init(
        _ vouching: Vouching, _ found: FoundLists, in transaction: borrowing ReadTransaction
    ) throws {
        self.vouching = vouching
        kinds = try EdgeKinds(in: transaction)
        wordRanks = found.words.ranks
        vectorRanks = found.vectors.map { ($0.space, $0.list.ranks) }
    }

    /// The steps of a candidate: words and vectors first, then what vouched, the most first.
    func path(
        of candidate: Candidate, in transaction: borrowing ReadTransaction
    ) throws -> [Hit.Step] {
        let (own, passage, parts) = (vouching.own, candidate.passage, candidate.parts)
        var found: [Hit.Step] = []
        if own.words != nil {
            found.append(Hit.Step(reason: .words(rank: wordRanks[passage]), adds: parts.words))
        }
        for (index, list) in vectorRanks.enumerated() {
            found.append(
                Hit.Step(
                    reason: .vectors(list.space, rank: list.ranks[passage]),
                    adds: own.vectorPart(of: passage, index) * candidate.factor))
        }
        var vouchers: [Hit.Step] = []
        if candidate.previous != PassageRow.none {
            let id = try id(of: candidate.previous, in: transaction)
            vouchers.append(
                Hit.Step(
                    reason: candidate.isReply ? .edge(.repliesTo, .out, id) : .edge(.next, .into, id),
                    adds: vouching.previousPart(of: candidate) * candidate.factor))
        }
        if candidate.next != PassageRow.none {
            vouchers.append(
                Hit.Step(
                    reason: .edge(.next, .out, try id(of: candidate.next, in: transaction)),
                    adds: vouching.nextPart(of: candidate) * candidate.factor))
        }
        if candidate.best != PassageRow.none {
            vouchers.append(
                Hit.Step(
                    reason: .session(try id(of: candidate.best, in: transaction)), adds: parts.session))
        }
        if let edge = candidate.cause {
            vouchers.append(
                Hit.Step(
                    reason: .edge(
                        try kinds.kind(edge.kind), edge.direction, try id(of: edge.anchor, in: transaction)),
                    adds: parts.causes))
        }
        if let actor = candidate.actor, parts.actor != 0 {
            vouchers.append(Hit.Step(reason: .actor(actor), adds: parts.actor))
        }
        if let interval = candidate.interval {
            vouchers.append(Hit.Step(reason: .calendar(interval.timestamps), adds: parts.calendar))
        }
        if let event = candidate.event {
            vouchers.append(Hit.Step(reason: .event(event.timestamps), adds: parts.event))
        }
        return found.filter { $0.adds != 0 }
            + vouchers.filter { $0.adds != 0 }.sorted { abs($0.adds) > abs($1.adds) }
    }

    private func id(
        of passage: UInt32, in transaction: borrowing ReadTransaction
    ) throws -> MemoryID {
        let row = try vouching.view.values(.row, of: [passage], in: transaction) { $0.row }[0]
        guard let head = try HeadRecord.read(row, in: transaction) else {
            throw StoreError(.corrupted, "a passage belongs to row \(row), which is not there")
        }
        return head.id
    }
}
