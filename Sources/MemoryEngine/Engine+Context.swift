import Store

extension Engine {
    /// Gathers what a model should read to answer a question, within a budget of tokens.
    ///
    /// What is found stands in the order of time where the question asks when, behind its causes where it asks why, and
    /// else the best first. Where a memory is superseded by another (`EdgeKind.supersedes`), the newer one stands in its
    /// place. The same words, and what says nearly the same, are given once. Where several memories of a session found no place,
    /// the summary that consolidation made of it may stand for them.
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
        try await context(for: [query], tokenBudget: tokenBudget, counter: counter)
    }

    /// Gathers what a model should read to answer several questions, in one budget: the best of each in turn, nothing twice.
    /// It is in order of time, or causes first, where all of them ask when, or why.
    ///
    /// - Parameter queries: 1 to 16; the pack has the intent and the recall of the first.
    /// - Throws: as `recall`, and `invalid` for a budget or a number of questions out of bounds.
    /// - Complexity: a recall for each, and O(entries × the pack's text).
    public func context(
        for queries: [RecallQuery], tokenBudget: Int, counter: TokenCounter = .estimate
    ) async throws -> ContextPack {
        try await context(for: queries, tokenBudget: tokenBudget, counter: counter, behind: []) { _ in nil }
    }

    /// The same behind entries that come first, whatever is asked; they are not given again.
    func context(
        for queries: [RecallQuery], tokenBudget: Int, counter: TokenCounter,
        behind first: [ContextPack.Entry],
        scope: (Namespace) -> MemoryView.Scope?
    ) async throws -> ContextPack {
        guard (1...1_000_000).contains(tokenBudget) else {
            throw EngineError(.invalid, "a budget has 1 to 1,000,000 tokens, not \(tokenBudget)")
        }
        guard (1...Self.maximumQuestionCount).contains(queries.count) else {
            throw EngineError(
                .invalid,
                "a context answers 1 to \(Self.maximumQuestionCount) questions, not \(queries.count)")
        }
        var found: [Found] = []
        var leftOut: [String] = []
        for query in queries {
            let part = try await entries(for: query, tokenBudget, &leftOut)
            found.append(part)
        }
        var entries = Self.inTurn(found.map(\.entries))
        for index in entries.indices { entries[index].scope = scope(entries[index].citation.namespace) }
        Self.dropRepetitions(&entries, behind: first, &leftOut)
        let used = first.isEmpty ? 0 : counter.count(ContextPack.serialized(first)) + 1
        var builder = ContextBuilder(budget: max(0, tokenBudget - used), counter: counter)
        builder.fill(entries)
        if builder.omittedCount > 0 {
            let episodes = found.reduce(into: [:]) { $0.merge($1.episodes) { first, _ in first } }
            try await standIn(episodes, for: entries, scope, &builder)
        }
        return Self.pack(found, builder, behind: first, tokenBudget, leftOut)
    }

    /// The most questions of one context.
    public static let maximumQuestionCount = 16

    /// What was found for one question.
    private struct Found {
        var recall: Recall
        /// The most wanted first.
        var entries: [ContextPack.Entry]
        var placeOfCause: [MemoryID: Int]
        /// Of which summaries what was found would be a part.
        var episodes: [MemoryID: EpisodePlace]
    }

    /// Where the summary of an episode stands.
    private struct EpisodePlace: Hashable {
        var namespace: Namespace
        var key: String
    }

    private func entries(
        for query: RecallQuery, _ tokenBudget: Int, _ leftOut: inout [String]
    ) async throws -> Found {
        var query = query
        // An entry takes some thirty tokens before its text begins.
        query.limit = max(query.limit, min(400, tokenBudget / 40 + 20))
        query.order = .score
        let recall = try await recall(query)
        leftOut += recall.leftOut.filter { !leftOut.contains($0) }
        let foldedCount = recall.reduce(0) { $0 + $1.duplicates.count }
        if foldedCount > 0 { leftOut.append("\(foldedCount) memories that say the same as others") }
        var found = Found(
            recall: recall, entries: try await current(of: recall, query, &leftOut), placeOfCause: [:],
            episodes: [:])
        if recall.intent == .why {
            found.placeOfCause = try await addCauses(to: &found.entries, query, &leftOut)
        }
        // A summary may hold what a filter leaves out, and what was not so at another time.
        if query.filter == nil, query.asOf == nil, query.validAt == nil {
            for hit in recall {
                let memory = hit.memory
                guard let name = memory.namespace.session ?? memory.thread else { continue }
                found.episodes[memory.id] = EpisodePlace(
                    namespace: memory.namespace, key: Episode.key(of: name))
            }
        }
        return found
    }

    /// The first of each, the second of each, and so on; no memory twice.
    private static func inTurn(_ lists: [[ContextPack.Entry]]) -> [ContextPack.Entry] {
        var seen = Set<MemoryID>()
        var merged: [ContextPack.Entry] = []
        for place in 0..<(lists.map(\.count).max() ?? 0) {
            for list in lists where place < list.count && seen.insert(list[place].citation.id).inserted {
                merged.append(list[place])
            }
        }
        return merged
    }

    /// The most summaries of one pack.
    private static let maximumSummaryCount = 3

    /// Lets the summary of a session stand for what found no place, where at least two of it nearly did: they are among the
    /// twice as many as found one. A quarter of the entries may be given for summaries, and for each no more than it stands for.
    private func standIn(
        _ episodes: [MemoryID: EpisodePlace], for wanted: [ContextPack.Entry],
        _ scope: (Namespace) -> MemoryView.Scope?, _ builder: inout ContextBuilder
    ) async throws {
        let placed = Set(builder.entries.map(\.citation.id))
        var counts: [EpisodePlace: Int] = [:]
        var inOrder: [EpisodePlace] = []
        for entry in wanted.prefix(2 * placed.count) where !placed.contains(entry.citation.id) {
            guard let place = episodes[entry.citation.id] else { continue }
            counts[place, default: 0] += 1
            if counts[place] == 2 { inOrder.append(place) }
        }
        var most = builder.entries.count / 4
        for place in inOrder.prefix(Self.maximumSummaryCount) {
            guard let memory = try await get(key: place.key, in: place.namespace), memory.isCurrent,
                memory.isEpisode, case .number(let count)? = memory.attributes["memories"]
            else { continue }
            var entry = ContextPack.Entry(memory, score: 0, note: "summary of \(Int(count)) memories")
            entry.scope = scope(place.namespace)
            let before = builder.omittedCount
            if builder.stand(entry, inThePlaceOfAtMost: min(most, counts[place] ?? 0)) {
                most -= builder.omittedCount - before
            }
        }
    }

    private static func pack(
        _ found: [Found], _ builder: ContextBuilder, behind first: [ContextPack.Entry], _ tokenBudget: Int,
        _ omitted: [String]
    ) -> ContextPack {
        var leftOut = omitted
        let counter = builder.counter
        if builder.omittedCount > 0 {
            leftOut.append(
                "\(builder.omittedCount) memories that found no place within \(tokenBudget) tokens")
        }
        let intents = Set(found.map(\.recall.intent))
        let placeOfCause = found.reduce(into: [:]) { $0.merge($1.placeOfCause) { max($0, $1) } }
        let ordered =
            first
            + (intents.count > 1
                ? builder.entries : Self.ordered(builder.entries, found[0].recall.intent, placeOfCause))
        var text = ContextPack.serialized(ordered)
        var kept = ordered
        // Other numbers may take other tokens.
        while counter.count(text) > tokenBudget, !kept.isEmpty {
            kept.removeLast()
            text = ContextPack.serialized(kept)
        }
        return ContextPack(
            entries: kept, text: text, tokenCount: counter.count(text), tokenBudget: tokenBudget,
            intent: found[0].recall.intent, recall: found[0].recall.id,
            confidence: found.compactMap(\.recall.confidence).min(), leftOut: leftOut)
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
                    // What was concluded, and closed nothing, leaves the memory standing beside it.
                    if case .given(let number) = neighbor.source,
                        try Edges.record(number, in: transaction).isConclusion,
                        try Self.isCurrent(row, in: transaction)
                    {
                        return true
                    }
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

    private static func isCurrent(_ row: UInt64, in transaction: borrowing ReadTransaction) throws -> Bool {
        guard let head = try HeadRecord.read(row, in: transaction),
            let version = try VersionRecord.read(row, head.version, in: transaction)
        else { return false }
        return version.isCurrent
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
        _ entries: inout [ContextPack.Entry], behind first: [ContextPack.Entry], _ leftOut: inout [String]
    ) {
        var seen = Set(first.map(\.text))
        let there = Set(first.map(\.citation.id))
        entries.removeAll { there.contains($0.citation.id) }
        let before = entries.count
        entries = entries.filter { seen.insert($0.text).inserted }
        if entries.count < before { leftOut.append("\(before - entries.count) memories with the same words") }
        var said = Set(first.map { SaidWords(Array($0.text.utf8)).content })
        let different = entries.filter { entry in
            let isNew = said.insert(SaidWords(Array(entry.text.utf8)).content).inserted
            // What is here for the sake of another stays.
            return isNew || entry.note != nil
        }
        if different.count < entries.count {
            leftOut.append("\(entries.count - different.count) memories that say the same as others")
        }
        entries = different
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

extension Memory {
    /// Whether it is the summary of an episode, which consolidation made.
    fileprivate var isEpisode: Bool { kind == .summary && Derivation.read(origin)?.step == .episodes }
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
