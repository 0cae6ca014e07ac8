import HNSW
import Store

/// What takes too long for a caller to wait for: it is done by and by, and again when there is more.
extension Engine {
    /// Works through what a home holds, off the way of callers: finds words that mean alike, memories that say the same or are
    /// about the same, names of one thing, what newer memories take back of older ones, whose validity ends with that, what may
    /// have caused what; and sums up sessions. What it concludes are edges of the engine's own: each with the step that made it
    /// and where it is said. `unlink` takes one back, and it is not concluded again. What is done stays: a call that was
    /// stopped is gone on with by the next, and where nothing is new the next changes nothing.
    ///
    /// - Parameters:
    ///   - steps: by default all. Those that need meanings are left out where no embedder knows any; the report says so.
    ///   - reasoner: a language model that notes memories and tells episodes; everything else is done without.
    ///   - asksAgain: asks the reasoner also about memories that it has seen and added nothing to, and episodes that it has not
    ///     told: it may do better now. What was taken back stays so.
    ///   - report: called after each part, when it is durable.
    /// - Throws: `EngineError`: `embedder`, `notFound` (the home), `readOnly`; what the reasoner throws; `CancellationError`.
    /// - Complexity: O(what is new × log of what there is), but words are compared with all words (some 20 ns a pair); memory
    ///   for the words of the home's memories, 16 KiB of each at most.
    @discardableResult
    public func consolidate(
        in namespace: Namespace, steps: Set<ConsolidationStep> = Set(ConsolidationStep.allCases),
        reasoner: (any Reasoner)? = nil, asksAgain: Bool = false,
        _ report: ((ConsolidationProgress) async throws -> Void)? = nil
    ) async throws -> ConsolidationReport {
        try checkWritable(namespace)
        let home = namespace.home
        guard try await read(in: home, { _ in true }) != nil else {
            throw EngineError(.notFound, "there is no home \(home)")
        }
        var result = ConsolidationReport()
        let study = steps.contains { $0.readsMemories } ? try await study(home) : HomeStudy()
        for step in ConsolidationStep.allCases where steps.contains(step) {
            try Task.checkCancellation()
            switch step {
            case .words: try await consolidateWords(in: home, study, &result, report)
            case .duplicates:
                try await conclude(step, rules: NearDuplicates.rules, study, in: home, &result, report) {
                    NearDuplicates.find(in: study, from: $0)
                }
            case .links: try await linkNotes(in: home, study, &result, report)
            case .contradictions:
                try await conclude(
                    step, rules: Contradictions.rules, study, in: home, &result, report
                ) { Contradictions.find(in: study, from: $0) }
            case .entities:
                let known = try await graph(in: home) { try EntityMerges.Known(in: $0) }
                try await conclude(step, rules: EntityMerges.rules, study, in: home, &result, report) { _ in
                    EntityMerges.find(in: study, known)
                }
            case .causes:
                let caused = try await graph(in: home) { try CausalCandidates.caused(in: $0) }
                try await conclude(step, rules: CausalCandidates.rules, study, in: home, &result, report) {
                    CausalCandidates.find(in: study, from: $0, caused: caused)
                }
            case .notes:
                guard let reasoner else {
                    result.leftOut[.notes] = "no reasoner"
                    continue
                }
                try await note(study, in: home, by: reasoner, asksAgain: asksAgain, &result, report)
            case .episodes:
                try await summarize(
                    study, in: home, by: reasoner, asksAgain: asksAgain, &result, report)
            }
        }
        return result
    }

    /// Reads the current memories of a home, a snapshot for each page.
    private func study(_ home: Namespace) async throws -> HomeStudy {
        var study = HomeStudy()
        let now = options.clock()
        let end = try await read(in: home) { try HomeState.read(in: $0).nextPassage } ?? 0
        var goesOn = true
        while goesOn {
            try Task.checkCancellation()
            let first = study.nextPassage
            let read = try await read(in: home) { transaction in
                var page = HomeStudy(nextPassage: first)
                let goesOn = try page.readPage(until: end, now: now, in: transaction)
                return (page, goesOn)
            }
            guard let (page, isMore) = read else { break }
            study.memories += page.memories
            study.nextPassage = page.nextPassage
            goesOn = isMore
        }
        return study
    }

    // MARK: Conclusions

    /// Conclusions that are stored in one transaction.
    private static let conclusionsPerPart = 512

    /// Runs a step that looks at memories alone, from where it was last time.
    private func conclude(
        _ step: ConsolidationStep, rules: Int, _ study: HomeStudy, in home: Namespace,
        _ result: inout ConsolidationReport, _ report: ((ConsolidationProgress) async throws -> Void)?,
        _ find: @escaping @Sendable (UInt32) -> [Derivation]
    ) async throws {
        let mark =
            try await read(in: home) { try ConsolidationMark.passage(of: step, rules: rules, in: $0) } ?? 0
        guard mark < study.nextPassage else { return }
        let found = try await readers.run { find(mark) }
        let end = ConsolidationMark(rules: rules, passage: study.nextPassage)
        try await store(found, of: step, until: end, in: home, &result, report)
    }

    /// Stores what a step found, and how far it has looked.
    func store(
        _ found: [Derivation], of step: ConsolidationStep, until mark: ConsolidationMark, in home: Namespace,
        _ result: inout ConsolidationReport, _ report: ((ConsolidationProgress) async throws -> Void)?
    ) async throws {
        var done = 0
        repeat {
            try Task.checkCancellation()
            let part = found[done..<min(found.count, done + Self.conclusionsPerPart)]
            done += part.count
            let isLast = done == found.count
            let end = isLast ? [Mutation.Change.setting(ConsolidationMark.name(step), mark.value)] : []
            result.found[step, default: 0] += try await store(part.map(\.change), end, in: home)
            try await report?(ConsolidationProgress(step: step, done: done, total: found.count))
        } while done < found.count
    }

    /// Applies changes together; where something they rest on was forgotten meanwhile, one by one. Returns how many were done.
    func store(
        _ changes: [Mutation.Change], _ end: [Mutation.Change], in home: Namespace
    ) async throws -> Int {
        do {
            return try await done(changes + end, in: home) - end.count
        } catch let error as EngineError where error.code == .notFound {
            var count = 0
            for change in changes {
                do { count += try await done([change], in: home) } catch let error as EngineError
                    where error.code == .notFound
                {}
            }
            if !end.isEmpty { _ = try await done(end, in: home) }
            return count
        }
    }

    private func done(_ changes: [Mutation.Change], in home: Namespace) async throws -> Int {
        let mutation = Mutation(at: options.clock(), changes: changes)
        return try await withExistingHome(of: home) { try await $0.apply(mutation) }.outcomes.count {
            $0 == .done
        }
    }

    // MARK: Notes

    /// Memories whose neighbors are looked for in one snapshot.
    private static let notesPerPart = 256

    private func linkNotes(
        in home: Namespace, _ study: HomeStudy, _ result: inout ConsolidationReport,
        _ report: ((ConsolidationProgress) async throws -> Void)?
    ) async throws {
        guard let embedder = try? await embedder(of: nil, for: home), embedder.knowsMeanings else {
            result.leftOut[.links] = "no embedder that knows meanings"
            return
        }
        let (rules, now, space) = (NoteLinks.rules, options.clock(), embedder.space)
        let mark =
            try await read(in: home) { try ConsolidationMark.passage(of: .links, rules: rules, in: $0) } ?? 0
        let fresh = Array(study.fresh(from: mark))
        guard mark < study.nextPassage else { return }
        var done = 0
        repeat {
            try Task.checkCancellation()
            let part = Array(fresh[done..<min(fresh.count, done + Self.notesPerPart)])
            done += part.count
            let found = try await graph(in: home) { indexes, transaction in
                try NoteLinks(space, now, indexes, in: transaction)?.find(for: part, in: transaction) ?? []
            }
            let next = done < fresh.count ? fresh[done].passage : study.nextPassage
            let end = ConsolidationMark(rules: rules, passage: next)
            result.found[.links, default: 0] += try await store(
                found.map(\.change), [.setting(ConsolidationMark.name(.links), end.value)], in: home)
            try await report?(ConsolidationProgress(step: .links, done: done, total: fresh.count))
        } while done < fresh.count
    }

    // MARK: Words

    /// - Parameter study: of the home; empty where no step but that of words is done.
    private func writtenWords(of home: Namespace, _ study: HomeStudy) async throws -> WrittenWords {
        let study = study.memories.isEmpty ? try await self.study(home) : study
        return try await readers.run { WrittenWords(in: study) }
    }

    private func consolidateWords(
        in home: Namespace, _ study: HomeStudy, _ result: inout ConsolidationReport,
        _ report: ((ConsolidationProgress) async throws -> Void)?
    ) async throws {
        guard let embedder = try? await embedder(of: nil, for: home), embedder.knowsMeanings else {
            result.leftOut[.words] = "no embedder that knows meanings"
            return
        }
        let work = WordConsolidation(embedder.space)
        guard try await read(in: home, { try work.hasSpace(in: $0) }) ?? false else { return }
        var last: [UInt8] = []
        var known: WrittenWords?
        while true {
            try Task.checkCancellation()
            let after = last
            let words = try await read(in: home) { try work.wordsWithoutVector(after: after, in: $0) } ?? []
            guard let next = words.last else { break }
            last = next
            let written = if let known { known } else { try await writtenWords(of: home, study) }
            known = written
            let texts = words.map { EmbeddingInput.text(written[$0]) }
            let vectors = try await embedded(texts, embedder)
            result.embeddedWords += try await write(in: home) { try work.put(words, vectors, in: $0) }
            try await report?(
                ConsolidationProgress(
                    step: .words, done: 0, total: result.embeddedWords))
        }
        let table =
            try await read(in: home) { try work.table(in: $0) } ?? WordConsolidation.Table(embedder.space)
        for part in table.parts {
            try Task.checkCancellation()
            let found = try await readers.run { table.compared(part) }
            result.synonyms += try await write(in: home) { try work.put(found, in: $0) }
            result.comparedWords += part.count
            try await report?(
                ConsolidationProgress(step: .words, done: result.comparedWords, total: table.due.count))
        }
        if result.synonyms > 0 { result.found[.words] = result.synonyms }
    }

    /// Runs `body` in a transaction of its own, between those of callers.
    private func write<Result: Sendable>(
        in namespace: Namespace, _ body: @escaping @Sendable (borrowing WriteTransaction) throws -> Result
    ) async throws -> Result {
        do {
            return try await withExistingHome(of: namespace) { try await submit(body, to: $0) }
        } catch let error as StoreError {
            throw EngineError(error)
        }
    }

    // Not inlined into the closure that lends the home, like `writeOnce`.
    @inline(never)
    private func submit<Result: Sendable>(
        _ body: @escaping @Sendable (borrowing WriteTransaction) throws -> Result, to home: Home
    ) async throws -> Result {
        try await home.environment.submit(body)
    }
}

extension ConsolidationStep {
    /// Whether it looks at the memories of the home, and not at its index of words.
    fileprivate var readsMemories: Bool { self != .words }
}
