import Store

/// Summaries of sessions and threads, which consolidation makes.
extension Engine {
    /// The summaries that consolidations made, the newest first.
    ///
    /// - Parameters:
    ///   - includesTakenBack: also those that were retracted.
    ///   - limit: at most so many, 1 to 1,000,000.
    /// - Throws: `EngineError`: `notFound` (the home), `invalid`.
    /// - Complexity: O(passages of the home).
    public func summaries(
        in namespace: Namespace, includesTakenBack: Bool = false, limit: Int = 1_000
    ) async throws -> [Memory] {
        guard (1...1_000_000).contains(limit) else {
            throw EngineError(.invalid, "a list of summaries has 1 to 1,000,000, not \(limit)")
        }
        let now = options.clock()
        let found = try await read(in: namespace) { transaction in
            let rows = try Self.summaries(
                notExpiredAt: now, includesTakenBack: includesTakenBack, in: transaction)
            let reader = MemoryReader(home: namespace.home)
            var found: [Memory] = []
            for row in rows.reversed() where found.count < limit {
                guard let head = try HeadRecord.read(row, in: transaction) else { continue }
                let memory = try reader.memory(row, head.version, in: transaction).0
                if memory.kind == .summary, namespace.contains(memory.namespace) { found.append(memory) }
            }
            return found
        }
        guard let found else { throw EngineError(.notFound, "there is no home \(namespace.home)") }
        return found
    }

    /// The rows of the engine's own summaries, ascending.
    static func summaries(
        notExpiredAt now: Timestamp, includesTakenBack: Bool, in transaction: borrowing ReadTransaction
    ) throws -> [UInt64] {
        let view = try HomeView(in: transaction)
        let evaluation = FilterEvaluation(view: view)
        guard try evaluation.mayHoldOwn(in: transaction) else { return [] }
        var set = try evaluation.flagged(includesTakenBack ? .own : .currentOwn, in: transaction)
        set.formIntersection(try evaluation.newest(notExpiredAt: now, in: transaction))
        return try rows(of: set, view, in: transaction)
    }

    func retractSummaries(in namespace: Namespace) async throws -> Int {
        var count = 0
        for memory in try await summaries(in: namespace, limit: 1_000_000) {
            do {
                try await retract(memory.id, in: memory.namespace)
                count += 1
            } catch let error as EngineError where error.code == .notFound || error.code == .conflict {
                // Somebody else was first.
            }
        }
        return count
    }

    // MARK: Making them

    /// What stands under the key of an episode.
    private enum Standing: Sendable {
        case nothing
        /// A summary of the engine's own, with the edges to what it is made of.
        case summary(MemoryID, version: UInt32, digest: [UInt8]?, model: String?, edges: [EdgeID])
        /// It was retracted, or changed by somebody, or is something else: it stays as it is.
        case kept
    }

    /// Makes the summaries of episodes that have none, or have grown since, each in a transaction of its own; and drops those
    /// of which too little is left.
    ///
    /// - Parameter asksAgain: also those that the reasoner has not told.
    func summarize(
        _ study: HomeStudy, in home: Namespace, by reasoner: (any Reasoner)? = nil, asksAgain: Bool,
        _ result: inout ConsolidationReport,
        _ report: ((ConsolidationProgress) async throws -> Void)?
    ) async throws {
        let now = options.clock()
        let model = reasoner?.model
        let episodes = try await readers.run { Episode.all(in: study, at: now, model: model) }
        let standing =
            try await read(in: home) { transaction in
                try episodes.map { try Self.standing($0, in: transaction) }
            } ?? []
        try await dropSummaries(besides: episodes, in: home)
        let due = zip(episodes, standing).filter { episode, standing in
            guard episode.isAtRest(at: now) else { return false }
            switch standing {
            case .nothing: return true
            case .summary(_, _, let digest, let teller, _):
                return digest != episode.digest || asksAgain && teller != model
            case .kept: return false
            }
        }
        guard !due.isEmpty else { return }
        let rarity = try await readers.run { TermRarity(study) }
        for (done, (episode, standing)) in due.enumerated() {
            try Task.checkCancellation()
            let told = try await reasoner?.summary(
                of: episode.memories.map { ReasonerMemory($0) }, wordCount: EpisodeSummary.maximumWordCount)
            let checked = told.flatMap { EpisodeSummary($0, of: episode) }
            if checked == nil, case .summary(_, _, episode.digest, _, _) = standing { continue }
            let own = try await readers.run { EpisodeSummary(episode, rarity) }
            if let summary = checked ?? own,
                try await store(summary, of: episode, in: standing, home)
            {
                result.found[.episodes, default: 0] += 1
            }
            try await report?(ConsolidationProgress(step: .episodes, done: done + 1, total: due.count))
        }
    }

    private static func standing(
        _ episode: Episode, in transaction: borrowing ReadTransaction
    ) throws -> Standing {
        let session = try episode.session.flatMap { try Names.number(of: $0, .session, in: transaction) } ?? 0
        guard let row = try Lookup.row(ofKey: episode.key, session: session, in: transaction),
            let head = try HeadRecord.read(row, in: transaction),
            let record = try VersionRecord.read(row, head.version, in: transaction)
        else { return .nothing }
        guard record.isCurrent, record.fields.isEpisode else { return .kept }
        let edges = try Edges.touching(row, in: transaction).map(\.record).filter {
            $0.from == row && $0.span.recordedUntil == .max && Derivation.read($0.origin)?.step == .episodes
        }
        // An import may have brought it without its edges.
        return .summary(
            head.id, version: head.version,
            digest: edges.isEmpty ? nil : record.fields.origin.sourceDigest,
            model: record.fields.origin.model, edges: edges.map(\.id))
    }

    /// - Returns: false where somebody changed what it rests on meanwhile, so that nothing was stored.
    private func store(
        _ summary: EpisodeSummary, of episode: Episode, in standing: Standing, _ name: Namespace
    ) async throws -> Bool {
        try await withExistingHome(of: name) { try await store(summary, of: episode, in: standing, $0) }
    }

    // Not inlined into the closure that lends the home, like `writeOnce`.
    @inline(never)
    private func store(
        _ summary: EpisodeSummary, of episode: Episode, in standing: Standing, _ home: Home
    ) async throws -> Bool {
        let now = options.clock()
        let preparation = DraftPreparation(
            splitter: PassageSplitter(maximumByteCount: Int(home.header.passageByteCount)),
            principal: VersionFields.entityPrincipal, now: now)
        var id = MemoryID(at: now)
        if case .summary(let known, _, _, _, _) = standing { id = known }
        let namespace = episode.session.map(home.namespace.session) ?? home.namespace
        var versions = [try preparation.prepare(summary.draft(of: episode), id: id, in: namespace)]
        try await embed(&versions, for: home)
        var changes: [Mutation.Change] = [.remember(versions[0])]
        var number: UInt32 = 1
        if case .summary(_, let version, _, _, let edges) = standing {
            number = version + 1
            changes = [.update(id, expecting: version, versions[0])] + edges.map { .unlink($0) }
        }
        changes += summary.edges(from: id, version: number, of: episode).map { .link($0) }
        var mutation = Mutation(at: options.clock(), changes: changes)
        mutation.prepare(Analyzer())
        do {
            _ = try await home.apply(mutation)
            return true
        } catch let error as EngineError where error.code == .notFound || error.code == .conflict {
            return false
        }
    }

    /// Forgets the summaries of what is no episode any more: memories were retracted or forgotten, and too little is left.
    private func dropSummaries(besides episodes: [Episode], in home: Namespace) async throws {
        let now = options.clock()
        let kept = Set(episodes.map { SummaryPlace(session: $0.session, key: $0.key) })
        let ids =
            try await read(in: home) { transaction in
                try Self.summaries(notExpiredAt: now, includesTakenBack: false, in: transaction).compactMap {
                    row -> MemoryID? in
                    guard let head = try HeadRecord.read(row, in: transaction),
                        let record = try VersionRecord.read(row, head.version, in: transaction),
                        record.fields.isEpisode, let key = head.key
                    else { return nil }
                    let place = SummaryPlace(session: record.fields.session, key: key)
                    return kept.contains(place) ? nil : head.id
                }
            } ?? []
        for start in stride(from: 0, to: ids.count, by: Applier.maximumEraseCount) {
            let part = Array(ids[start..<min(start + Applier.maximumEraseCount, ids.count)])
            _ = try await withExistingHome(of: home) { try await erase(part, by: .forget(part), $0) }
        }
    }

    private struct SummaryPlace: Hashable {
        var session: String?
        var key: String
    }
}
