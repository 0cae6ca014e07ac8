import ArgumentParser
import MemoryEngine

/// What a search finds after half of all memories were replaced at random, beside a home that was made of the same ones at
/// once; and how long searches take while the index is repaired and rewritten.
struct Replace: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replace",
        abstract: "Recall and time of searches after half of the vectors were replaced.")

    @OptionGroup var common: CommonOptions
    @Option(help: "How many memories.") var count = 50_000
    @Option(help: "How many questions.") var questions = 500
    @Option(help: "Candidates of a search.") var ef = [16, 32, 96]

    private static let rounds = 100

    func run() async throws {
        let half = count / 2
        let corpus = try Corpus(common, count: count + half)
        let embedded = try CorpusVectors(common)
        let rows = embedded.rows(count + half)
        let queries = (0..<questions).map { embedded[embedded.count - 1 - $0] }
        let scratch = try Scratch(common)
        let engine = try Engine.open(at: scratch.path + "/store", options: Engine.benchOptions(.none))
        let (changed, fresh) = (Namespace.project("changed"), Namespace.project("fresh"))
        var random = SeededRandom(seed: 11)
        var order = Array(0..<count)
        order.shuffle(using: &random)
        var round = [Int](repeating: 0, count: count)
        for (place, row) in order.enumerated() { round[row] = place * 2 * Self.rounds / count }
        try await remember(0..<count, corpus, rows, engine, changed) { "round-\(round[$0])" }
        try await engine.settle(changed)
        var report = Report("replace")
        let resting = try await times(queries, engine, changed)
        report.add(
            .init(
                name: "search, before", parameters: "\(count) × 384, ef 96", median: resting.median,
                p99: resting.p99, unit: "ms"))
        let sizes = try await engine.stats(in: changed)
        // The first half of the rounds is forgotten, and as many come in its place.
        let replacing = Task { [rows] in
            var next = count
            for number in 0..<Self.rounds {
                try await engine.forget(.filter(.tag("round-\(number)")), under: changed)
                let last = count + half * (number + 1) / Self.rounds
                try await remember(next..<last, corpus, rows, engine, changed) { _ in "new" }
                next = last
            }
            try await engine.settle(changed)
        }
        let isDone = Done()
        let searching = Task {
            var samples = Samples()
            while !isDone.isSet { samples.add(try await times(queries, engine, changed, until: isDone)) }
            return samples
        }
        try await replacing.value
        isDone.set()
        let during = try await searching.value
        report.add(
            .init(
                name: "search, while they are replaced",
                parameters: "ef 96, \(during.values.count) questions",
                median: during.median, p99: during.p99, unit: "ms",
                peer: (name: "before (p99)", ratio: during.p99 / resting.p99)))
        let after = try await engine.stats(in: changed)
        report.note(
            "places of forgotten vectors: \(after.spaces.first?.erasedVectors ?? 0) of \(count); "
                + "file \(sizes.fileBytes >> 20) MiB before, \(after.fileBytes >> 20) after, \(after.freePages) pages free"
        )
        let kept = (0..<count).filter { round[$0] >= Self.rounds } + Array(count..<count + half)
        for start in stride(from: 0, to: kept.count, by: 1_000) {
            let drafts = kept[start..<min(start + 1_000, kept.count)].map { draft($0, corpus, rows, "kept") }
            for result in try await engine.remember(drafts, in: fresh) { _ = try result.get() }
        }
        try await engine.settle(fresh)
        for ef in ef {
            let ours = try await recall(queries, ef, engine, changed)
            let peer = try await recall(queries, ef, engine, fresh)
            report.add(
                .init(
                    name: "recall@10 after it",
                    parameters: "ef \(ef); made at once: \(Report.digits(100 * peer))",
                    median: 100 * ours, unit: "%", peer: (name: "made at once", ratio: ours / peer),
                    aim: .init(text: "within one point", isMet: ours >= peer - 0.01)))
        }
        let problems = try await engine.check(in: changed).problems
        guard problems.isEmpty else { throw ValidationError("the home that was changed: \(problems[0])") }
        report.print(json: common.json)
        await engine.close()
    }

    private func draft(_ row: Int, _ corpus: Corpus, _ rows: [[Float]], _ tag: String) -> MemoryDraft {
        var draft = MemoryDraft(corpus.paragraphs[row])
        draft.embeddings = [Embedding(rows[row], in: CorpusVectors.space)]
        draft.tags = [tag]
        return draft
    }

    private func remember(
        _ places: Range<Int>, _ corpus: Corpus, _ rows: [[Float]], _ engine: Engine, _ home: Namespace,
        tag: (Int) -> String
    ) async throws {
        for start in stride(from: places.lowerBound, to: places.upperBound, by: 1_000) {
            let drafts = (start..<min(start + 1_000, places.upperBound)).map {
                draft($0, corpus, rows, tag($0))
            }
            for result in try await engine.remember(drafts, in: home) { _ = try result.get() }
        }
    }

    private func times(
        _ queries: [[Float]], _ engine: Engine, _ home: Namespace, until isDone: Done? = nil
    ) async throws -> Samples {
        var samples = Samples()
        for vector in queries where isDone?.isSet != true {
            var query = VectorQuery([vector], in: CorpusVectors.space)
            query.effort = .candidates(96)
            let ready = query
            _ = try await samples.time { try await engine.nearest(ready, in: home) }
        }
        return samples
    }

    /// The share of the ten nearest that are found.
    private func recall(
        _ queries: [[Float]], _ ef: Int, _ engine: Engine, _ home: Namespace
    ) async throws -> Double {
        var found = 0
        var all = 0
        for vector in queries {
            var query = VectorQuery([vector], in: CorpusVectors.space)
            query.effort = .exact
            let exact = try await engine.nearest(query, in: home).hits[0]
            query.effort = .candidates(ef)
            let least = (exact.last?.score ?? 1) - 2e-6
            found += try await engine.nearest(query, in: home).hits[0].count { $0.score >= least }
            all += exact.count
        }
        return Double(found) / Double(max(1, all))
    }
}
