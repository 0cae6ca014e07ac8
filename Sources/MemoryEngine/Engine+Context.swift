import Store

extension Engine {
    /// Gathers what a model should read to answer a question, within a budget of tokens.
    ///
    /// What is found stands in the order of time where the question asks when, behind its causes where it asks why, and
    /// else the best first. Where a memory is superseded by another (`EdgeKind.supersedes`), the newer one stands in its
    /// place. The same words are given once.
    ///
    /// - Parameters:
    ///   - query: its `limit` is that of the recall; by default as many as the budget may hold.
    ///   - tokenBudget: 1 to 1,000,000; the pack's whole text is counted.
    ///   - counter: of the model that will read it.
    /// - Throws: as `recall`, and `invalid` for a budget out of bounds.
    /// - Complexity: a recall, and O(entries × the pack's text).
    public func context(
        for query: RecallQuery, tokenBudget: Int, counter: TokenCounter = .estimate
    ) async throws -> ContextPack {
        try await context(for: query, tokenBudget: tokenBudget, counter: counter, behind: []) { _ in nil }
    }

    /// The same behind entries that come first, whatever is asked; they are not given again.
    func context(
        for query: RecallQuery, tokenBudget: Int, counter: TokenCounter, behind first: [ContextPack.Entry],
        scope: (Namespace) -> MemoryView.Scope?
    ) async throws -> ContextPack {
        guard (1...1_000_000).contains(tokenBudget) else {
            throw EngineError(.invalid, "a budget has 1 to 1,000,000 tokens, not \(tokenBudget)")
        }
        var query = query
        // An entry takes some thirty tokens before its text begins.
        query.limit = max(query.limit, min(400, tokenBudget / 40 + 20))
        query.order = .score
        let recall = try await recall(query)
        var leftOut = recall.leftOut
        var entries = try await current(of: recall, query, &leftOut)
        var placeOfCause: [MemoryID: Int] = [:]
        if recall.intent == .why { placeOfCause = try await addCauses(to: &entries, query, &leftOut) }
        for index in entries.indices { entries[index].scope = scope(entries[index].citation.namespace) }
        Self.dropRepetitions(&entries, first, &leftOut)
        let used = first.isEmpty ? 0 : counter.count(ContextPack.serialized(first)) + 1
        var builder = ContextBuilder(budget: max(0, tokenBudget - used), counter: counter)
        builder.fill(entries)
        if builder.omittedCount > 0 {
            leftOut.append(
                "\(builder.omittedCount) memories that found no place within \(tokenBudget) tokens")
        }
        let ordered = first + Self.ordered(builder.entries, recall.intent, placeOfCause)
        var text = ContextPack.serialized(ordered)
        var kept = ordered
        // Other numbers may take other tokens.
        while counter.count(text) > tokenBudget, !kept.isEmpty {
            kept.removeLast()
            text = ContextPack.serialized(kept)
        }
        return ContextPack(
            entries: kept, text: text, tokenCount: counter.count(text), tokenBudget: tokenBudget,
            intent: recall.intent, recall: recall.id, leftOut: leftOut)
    }

    /// The hits as entries, each superseded one replaced by what supersedes it.
    private func current(
        of recall: Recall, _ query: RecallQuery, _ leftOut: inout [String]
    ) async throws -> [ContextPack.Entry] {
        var newerOf: [MemoryID: MemoryID] = [:]
        for (home, hits) in Dictionary(grouping: recall.hits, by: \.memory.namespace.home) {
            newerOf.merge(try await newer(than: hits.map(\.memory.id), in: home, query)) { first, _ in first }
        }
        var entries: [ContextPack.Entry] = []
        var present = Set(recall.hits.map(\.memory.id))
        var replacedCount = 0
        for hit in recall.hits {
            guard let newer = newerOf[hit.memory.id] else {
                entries.append(ContextPack.Entry(hit))
                continue
            }
            replacedCount += 1
            guard present.insert(newer).inserted,
                let memory = try await get(newer, in: hit.memory.namespace.home), memory.isCurrent
            else { continue }
            entries.append(ContextPack.Entry(memory, score: 0, note: "supersedes \(hit.memory.id)"))
        }
        if replacedCount > 0 { leftOut.append("\(replacedCount) memories that newer ones supersede") }
        return entries
    }

    private func newer(
        than ids: [MemoryID], in home: Namespace, _ query: RecallQuery
    ) async throws -> [MemoryID: MemoryID] {
        guard !ids.isEmpty else { return [:] }
        let moment = (query.validAt ?? options.clock()).microseconds
        let asOf = query.asOf?.microseconds
        return try await graph(in: home) { transaction in
            try Self.superseding(ids, home, asOf: asOf, validAt: moment, in: transaction)
        }
    }

    /// For each memory that another supersedes, the last one of that chain.
    private static func superseding(
        _ ids: [MemoryID], _ home: Namespace, asOf: Int64?, validAt: Int64,
        in transaction: borrowing ReadTransaction
    ) throws -> [MemoryID: MemoryID] {
        let view = try GraphView(home: home, in: transaction)
        let reader = GraphReader(
            kinds: view.numbers(of: [.supersedes]), direction: .into, asOf: asOf, validAt: validAt)
        var newerOf: [MemoryID: MemoryID] = [:]
        for id in ids {
            guard let start = try Lookup.row(of: id, in: transaction) else { continue }
            var row = start
            var seen: Set<UInt64> = [start]
            var goesOn = true
            while goesOn {
                goesOn = false
                var next: UInt64?
                try reader.forEachNeighbor(of: row, view.state, in: transaction) { neighbor in
                    next = neighbor.row
                    return false
                }
                if let next, seen.insert(next).inserted {
                    row = next
                    goesOn = true
                }
            }
            if row != start { newerOf[id] = try view.id(of: row, in: transaction) }
        }
        return newerOf
    }

    /// Puts the causes of the best entries behind them, as the next to be wanted. Returns how far from its effect each
    /// cause is.
    private func addCauses(
        to entries: inout [ContextPack.Entry], _ query: RecallQuery, _ leftOut: inout [String]
    ) async throws -> [MemoryID: Int] {
        let moment = query.validAt ?? query.asOf ?? options.clock()
        var retracted = Set<MemoryID>()
        var depthOfCause: [MemoryID: Int] = [:]
        var withCauses: [ContextPack.Entry] = []
        for (rank, entry) in entries.enumerated() {
            withCauses.append(entry)
            guard rank < 3 else { continue }
            let home = entry.citation.namespace.home
            let chain = try await causes(
                of: entry.citation.id, in: home, depth: 4, limit: 20, asOf: query.asOf,
                validAt: query.validAt, deadline: query.deadline)
            let closed = Set(chain.lazy.map(\.cause).filter { $0.isClosed(at: moment) }.map(\.id))
            let newer = try await newer(than: Array(closed), in: home, query)
            for link in chain
            where query.namespaces.keys.contains(where: { $0.contains(link.cause.namespace) }) {
                // What took the place of a cause does not make it untrue for its time; a retraction does.
                // Links stand the nearest first, so what leads here is known.
                if closed.contains(link.cause.id) && newer[link.cause.id] == nil
                    || retracted.contains(link.effect.id)
                {
                    retracted.insert(link.cause.id)
                    continue
                }
                depthOfCause[link.cause.id] = max(depthOfCause[link.cause.id] ?? 0, link.depth)
                let says =
                    link.edge.rule.map { "which \($0)" } ?? "by an edge \(link.edge.kind) that was given"
                withCauses.append(
                    ContextPack.Entry(
                        link.cause, score: 0,
                        note: "cause of \(link.effect.id), \(says)"
                            + (newer[link.cause.id].map { "; superseded by \($0)" } ?? "")))
            }
        }
        if !retracted.isEmpty {
            leftOut.append("\(retracted.count) causes that are retracted, or known by one that is")
        }
        // What was found by itself too is the cause from now on.
        let causes = Set(depthOfCause.keys)
        var seen = Set<MemoryID>()
        entries = withCauses.filter { entry in
            !causes.contains(entry.citation.id) || entry.note != nil
        }.filter { $0.note == nil || seen.insert($0.citation.id).inserted }
        return depthOfCause
    }

    private static func dropRepetitions(
        _ entries: inout [ContextPack.Entry], _ first: [ContextPack.Entry], _ leftOut: inout [String]
    ) {
        var seen = Set(first.map(\.text))
        let there = Set(first.map(\.citation.id))
        entries.removeAll { there.contains($0.citation.id) }
        let before = entries.count
        entries = entries.filter { seen.insert($0.text).inserted }
        if entries.count < before { leftOut.append("\(before - entries.count) memories with the same words") }
    }

    /// Causes before effects, the farthest first; or by time; or as they are wanted.
    private static func ordered(
        _ entries: [ContextPack.Entry], _ intent: Intent, _ depthOfCause: [MemoryID: Int]
    ) -> [ContextPack.Entry] {
        switch intent {
        case .why:
            let causes = entries.enumerated().filter { depthOfCause[$0.element.citation.id] != nil }.sorted {
                let (a, b) = (
                    depthOfCause[$0.element.citation.id] ?? 0, depthOfCause[$1.element.citation.id] ?? 0
                )
                return a != b ? a > b : $0.offset < $1.offset
            }
            return causes.map(\.element) + entries.filter { depthOfCause[$0.citation.id] == nil }
        case .when:
            return entries.enumerated().sorted {
                let (a, b) = ($0.element.happened.lowerBound, $1.element.happened.lowerBound)
                return a != b ? a < b : $0.offset < $1.offset
            }.map(\.element)
        default: return entries
        }
    }
}

extension Memory {
    /// Whether it was superseded or retracted by then. What was only true for a time is neither.
    fileprivate func isClosed(at moment: Timestamp) -> Bool { !isCurrent && valid.upperBound <= moment }
}

extension ContextPack.Entry {
    init(_ hit: Hit) {
        self.init(
            citation: hit.citation, text: hit.passage.text, happened: hit.memory.happened,
            actor: hit.memory.actor, kind: hit.memory.kind, score: hit.score, note: nil)
    }

    /// How much is taken of a memory that is not a hit, in bytes.
    private static let longestText = 4_096

    /// The beginning of a memory, all of it as a rule.
    init(_ memory: Memory, score: Double, note: String?) {
        let whole = Self.whole(memory, score, note)
        self = whole.beginning(ofAtMost: Self.longestText) ?? whole
    }

    private static func whole(_ memory: Memory, _ score: Double, _ note: String?) -> ContextPack.Entry {
        ContextPack.Entry(
            citation: Citation(
                namespace: memory.namespace, id: memory.id, version: memory.version,
                range: 0..<memory.content.utf8.count),
            text: memory.content, happened: memory.happened, actor: memory.actor, kind: memory.kind,
            score: score, note: note)
    }
}
