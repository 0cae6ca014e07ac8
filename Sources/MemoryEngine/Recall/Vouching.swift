import Store

/// Gathers what may be a hit, and lets what stands around it vouch for it: its thread, session, actor, times and edges.
///
/// The rules and their weights are those of `RecallWeights`. What must stay true: all that vouches does so by its own
/// score, of words and vectors alone, so that the order of the steps does not matter and nothing vouches for itself by
/// a way round.
struct Vouching {
    let view: HomeView
    let weights: RecallWeights
    /// What may be a hit.
    let eligible: PassageSet
    /// What may vouch: all that could be a hit without the filter.
    let visible: PassageSet
    var own: OwnScores
    /// Ascending by passage.
    var candidates: [Candidate] = []
    /// The times that the question names.
    var intervals: [Range<Int64>] = []
    /// The actors that the question names.
    private(set) var actors: [String] = []

    /// The most memories that become candidates because they happened at a time that the question names.
    static let calendarCount = 300
    /// Where more happened then, vectors that were not compared yet are not compared now.
    static let calendarCompletionCount = 4_096

    /// The places of candidates, the best first. Equal scores prefer what was remembered first.
    var ranked: [Int] {
        let scores = candidates.map(\.score)
        return candidates.indices.sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
    }

    // MARK: Candidates

    /// Makes candidates of what was found, of what stands beside it, of what happened at the times asked for, and of
    /// what edges join to the best.
    mutating func gather(
        _ found: FoundLists, _ causes: CausalEdges?, in transaction: borrowing ReadTransaction
    ) throws {
        var all = found.passages(capacity: view.capacity)
        let listed = all.passages
        for passage in try neighbors(of: listed, in: transaction).all(capacity: view.capacity)
        where eligible.contains(passage) {
            all.insert(passage)
        }
        if !intervals.isEmpty {
            for passage in try happened(in: transaction) { all.insert(passage) }
        }
        var edges: [UInt32: CausalEdge] = [:]
        if let causes {
            edges = try causes.edges(from: listed, view, eligible, &own, in: transaction)
            for passage in edges.keys { all.insert(passage) }
        }
        candidates = all.passages.map { Candidate($0) }
        try own.complete(candidates.map(\.passage), view, in: transaction)
        for index in candidates.indices {
            candidates[index].parts = ownParts(of: candidates[index].passage)
            guard let edge = edges[candidates[index].passage] else { continue }
            candidates[index].cause = edge
            candidates[index].parts.causes = edge.strength * own.score(of: edge.anchor)
        }
    }

    /// Makes candidates of what was found, and of nothing else.
    mutating func gather(onlyFound found: FoundLists, in transaction: borrowing ReadTransaction) throws {
        candidates = found.passages(capacity: view.capacity).passages.map { Candidate($0) }
        try own.complete(candidates.map(\.passage), view, in: transaction)
        for index in candidates.indices { candidates[index].parts = ownParts(of: candidates[index].passage) }
    }

    private func ownParts(of passage: UInt32) -> Hit.ScoreParts {
        var parts = Hit.ScoreParts()
        parts.words = own.wordPart(of: passage)
        for space in own.vectors.indices { parts.vectors += own.vectorPart(of: passage, space) }
        return parts
    }

    /// The best of what happened at the times that the question names.
    private mutating func happened(in transaction: borrowing ReadTransaction) throws -> [UInt32] {
        let marks = own.marks(capacity: view.capacity)
        let inside = try HappenedIntervals(intervals).passages(
            of: eligible, beyond: Self.calendarCompletionCount, only: marks?.found, view, in: transaction)
        var top = TopList(capacity: Self.calendarCount)
        guard inside.count > Self.calendarCompletionCount, let marks else {
            if inside.count <= Self.calendarCompletionCount {
                try own.complete(inside, view, in: transaction)
            }
            for passage in inside {
                let score = Float(own.score(of: passage))
                if score > top.bar { top.insert(score, passage) }
            }
            return top.ranked
        }
        // All that has no word and was not compared scores the same; where only words tell, more of them never score less.
        var blanks: [UInt32] = []
        var poorest: Float = 0
        for passage in inside {
            guard marks.found.contains(passage) else {
                if blanks.count < Self.calendarCount { blanks.append(passage) }
                continue
            }
            let isByWords = !marks.compared.contains(passage)
            let total = own.words?.total(passage) ?? 0
            if isByWords, total <= poorest { continue }
            let score = Float(own.score(of: passage))
            if score > top.bar {
                top.insert(score, passage)
            } else if isByWords {
                poorest = total
            }
        }
        let blank = blanks.first.map { Float(own.score(of: $0)) } ?? 0
        for passage in blanks where blank > top.bar { top.insert(blank, passage) }
        return top.ranked
    }

    // MARK: Threads

    /// What stands beside passages in their series; `PassageRow.none` where nothing does that counts.
    struct Neighbors {
        var previous: [UInt32]
        var next: [UInt32]
        /// All of them, ascending.
        ///
        /// - Parameter capacity: how many passages the home has.
        func all(capacity: Int) -> [UInt32] {
            var all = PassageSet(capacity: capacity)
            for passage in previous where passage != PassageRow.none { all.insert(passage) }
            for passage in next where passage != PassageRow.none { all.insert(passage) }
            return all.passages
        }
    }

    /// What stands before and behind each passage, in the memory or in the thread. Turns of one session only: what was
    /// said another day is no reply. And no commits: those around one in a history tell little of it.
    private func neighbors(
        of passages: [UInt32], in transaction: borrowing ReadTransaction
    ) throws -> Neighbors {
        let count = passages.count
        var neighbors = Neighbors(
            previous: [UInt32](repeating: PassageRow.none, count: count),
            next: [UInt32](repeating: PassageRow.none, count: count))
        let sessions = try view.values(.session, of: passages, in: transaction) { UInt64($0.session) }
        let threads = try view.values(.thread, of: passages, in: transaction) { UInt64($0.thread) }
        let areCommits = try areCommits(passages, in: transaction)
        let previous = try view.values(.previous, of: passages, in: transaction) { UInt64($0.previous) }
        // What was remembered next often is the next one: then its column tells so.
        let behind = passages.map { min($0 + 1, view.state.nextPassage - 1) }
        let before = try view.values(.previous, of: behind, in: transaction) { UInt64($0.previous) }
        for (index, passage) in passages.enumerated() where !areCommits[index] {
            let hasSeries = sessions[index] != 0 || threads[index] != 0
            let beforeThis = UInt32(truncatingIfNeeded: previous[index])
            if visible.contains(beforeThis) { neighbors.previous[index] = beforeThis }
            if behind[index] != passage, before[index] == UInt64(passage), visible.contains(behind[index]) {
                neighbors.next[index] = behind[index]
            } else if hasSeries {
                neighbors.next[index] = try nextTurn(of: passage, in: transaction)
            }
        }
        try keepWithinSessions(&neighbors.previous, of: passages, sessions, in: transaction)
        try keepWithinSessions(&neighbors.next, of: passages, sessions, in: transaction)
        return neighbors
    }

    /// Whether each passage is of a commit.
    private func areCommits(
        _ passages: [UInt32], in transaction: borrowing ReadTransaction
    ) throws -> [Bool] {
        guard let commit = try Names.number(of: MemoryKind.commit.rawValue, .kind, in: transaction) else {
            return [Bool](repeating: false, count: passages.count)
        }
        return try view.values(.kind, of: passages, in: transaction) { UInt64($0.kind) }
            .map { $0 == UInt64(commit) }
    }

    /// Takes away neighbors of other sessions.
    private func keepWithinSessions(
        _ neighbors: inout [UInt32], of passages: [UInt32], _ sessions: [UInt64],
        in transaction: borrowing ReadTransaction
    ) throws {
        let present = Self.present(neighbors, or: passages)
        let others = try view.values(.session, of: present, in: transaction) { UInt64($0.session) }
        for index in neighbors.indices {
            // What was taken out of a session, or never was in one, may stand beside any.
            if others[index] == sessions[index] || others[index] == 0 || sessions[index] == 0 { continue }
            neighbors[index] = PassageRow.none
        }
    }

    /// The neighbors, and in place of those that are none the passages themselves: so columns can be read in order.
    private static func present(_ neighbors: [UInt32], or passages: [UInt32]) -> [UInt32] {
        neighbors.indices.map { neighbors[$0] == PassageRow.none ? passages[$0] : neighbors[$0] }
    }

    /// The first passage of the turn behind the memory that ends with a passage.
    private func nextTurn(
        of passage: UInt32, in transaction: borrowing ReadTransaction
    ) throws -> UInt32 {
        let row = try view.values(.row, of: [passage], in: transaction) { $0.row }
        guard let head = try HeadRecord.read(row[0], in: transaction), head.series != 0, head.turn < .max,
            head.passageCount > 0, head.firstPassage + head.passageCount - 1 == passage,
            let nextRow = try Lookup.number(
                Schema.memoryByTurn(head.series, head.turn + 1), in: transaction),
            let next = try HeadRecord.read(nextRow, in: transaction), visible.contains(next.firstPassage),
            try view.previous(next.firstPassage, in: transaction) == passage
        else { return PassageRow.none }
        return next.firstPassage
    }

    /// The turn before vouches, more so if it asks; and the turn behind.
    mutating func vouchByThread(in transaction: borrowing ReadTransaction) throws {
        let passages = candidates.map(\.passage)
        let neighbors = try neighbors(of: passages, in: transaction)
        if !own.isComplete {
            try own.complete(neighbors.all(capacity: view.capacity), view, in: transaction)
        }
        let before = Self.present(neighbors.previous, or: passages)
        let flags = try view.values(.flags, of: before, in: transaction) { UInt64($0.flags.rawValue) }
        for index in candidates.indices {
            let flags = PassageRow.Flags(rawValue: UInt8(truncatingIfNeeded: flags[index]))
            candidates[index].previous = neighbors.previous[index]
            candidates[index].isReply =
                neighbors.previous[index] != PassageRow.none && flags.contains(.question)
            candidates[index].next = neighbors.next[index]
            candidates[index].parts.context =
                previousPart(of: candidates[index]) + nextPart(of: candidates[index])
        }
    }

    func previousPart(of candidate: Candidate) -> Double {
        guard candidate.previous != PassageRow.none else { return 0 }
        return (candidate.isReply ? weights.reply : weights.previous) * own.score(of: candidate.previous)
    }

    func nextPart(of candidate: Candidate) -> Double {
        candidate.next == PassageRow.none ? 0 : weights.next * own.score(of: candidate.next)
    }

    // MARK: Sessions and actors

    /// The best of a session, or where there is none of a thread, vouches for all of it.
    ///
    /// - Parameter candidateCount: how many candidates all homes have that are asked.
    mutating func vouchBySession(
        among candidateCount: Int, in transaction: borrowing ReadTransaction
    ) throws {
        guard weights.session != 0 else { return }
        let passages = candidates.map(\.passage)
        let sessions = try view.values(.session, of: passages, in: transaction) { UInt64($0.session) }
        let threads = try view.values(.thread, of: passages, in: transaction) { UInt64($0.thread) }
        let areCommits = try areCommits(passages, in: transaction)
        /// The best of each session or thread, and how many of the candidates it has.
        var groups: [UInt64: (best: Int, count: Int)] = [:]
        let keys = candidates.indices.map { index in
            areCommits[index] ? 0 : sessions[index] != 0 ? sessions[index] : threads[index] << 32
        }
        let scores = passages.map { own.score(of: $0) }
        for (index, key) in keys.enumerated() where key != 0 {
            let group = groups[key] ?? (index, 0)
            groups[key] = (scores[index] > scores[group.best] ? index : group.best, group.count + 1)
        }
        for (index, key) in keys.enumerated() {
            var best = index
            if let group = groups[key], 2 * group.count <= candidateCount { best = group.best }
            candidates[index].best = passages[best]
            candidates[index].parts.session = weights.session * scores[best]
        }
    }

    /// What somebody said or did counts more where the question names them.
    mutating func vouchByActors(
        _ named: [(name: String, number: UInt32)], in transaction: borrowing ReadTransaction
    ) throws {
        let passages = candidates.map(\.passage)
        let actors = try view.values(.actor, of: passages, in: transaction) { UInt64($0.actor) }
        self.actors = named.map(\.name)
        let names = Dictionary(named.map { (UInt64($0.number), $0.name) }) { first, _ in first }
        for index in candidates.indices {
            guard let name = names[actors[index]] else { continue }
            candidates[index].actor = name
            candidates[index].parts.actor = weights.actor
        }
    }
}
