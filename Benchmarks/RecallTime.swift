import ArgumentParser
import MemoryEngine

/// A recall with all channels and edges, with the question's vector given, with and without a filter.
struct RecallTime: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recall-time",
        abstract: "Recall over words, vectors, times and edges, with and without a filter.")

    @OptionGroup var common: CommonOptions
    @Option(help: "How many memories have 384 components.") var small = 10_000
    @Option(help: "How many memories have 1,024 components.") var large = 100_000
    @Option(help: "How many questions, each asked once.") var questions = 1_000
    @Option(help: "Keep the store in this folder, and use it again if it is there.") var keep: String?
    @Option(help: "Show so many of the slowest recalls, with what their parts took.") var slowest = 0

    /// Memories of one thread follow each other; a tag is on one in twenty.
    private static let turnCount = 25
    private static let tagCount = 20
    private static let actors = [
        "Ada", "Barbara", "Claude", "Dorothy", "Edsger", "Frances", "Grace", "Hedy", "Ivan", "John",
        "Katherine",
        "Leslie",
    ]

    func run() async throws {
        let corpus = try Corpus(common, count: max(small, large) + 20_000)
        let embedded = try CorpusVectors(common)
        var report = Report("recall-time")
        let scratch = try Scratch(common)
        let engine = try Engine.open(
            at: (keep ?? scratch.path) + "/store", options: Engine.benchOptions(.none))
        for (count, isLifted, aim) in [(small, false, 8.0), (large, true, 12.0)] where count > 0 {
            let passages = corpus.paragraphs[..<count]
            let asked = Questions.make(
                from: corpus.paragraphs[count...], over: passages, count: questions, seed: 2
            ).enumerated().map { Self.question($1, $0) }
            func lifted(_ rows: [[Float]]) -> [[Float]] { isLifted ? CorpusVectors.lifted(rows) : rows }
            let space = isLifted ? CorpusVectors.liftedSpace : CorpusVectors.space
            let home = Namespace.project("recall-\(count)")
            if try engine.homes().contains(home) {
                let memories = try await engine.stats(in: home).memories
                guard memories == count else {
                    throw ValidationError("\(home) was kept with \(memories) memories only; remove it")
                }
            } else {
                try await load(passages, lifted(embedded.rows(count)), space, in: home, engine)
            }
            let queries = lifted(embedded.mixtures(asked.count, seed: 3))
            let linked = try await engine.stats(in: home).spaces.first?.linkedVectors ?? 0
            for filter in [nil, Filter.tag("tag-7")] {
                var samples = Samples()
                var timings = RecallTimings()
                var slow: [(timings: Recall.Timings, text: String)] = []
                for (index, text) in asked.enumerated() {
                    var query = RecallQuery(text, in: home)
                    query.embeddings = [Embedding(queries[index], in: space)]
                    query.filter = filter
                    let ready = query
                    let recall = try await samples.time { try await engine.recall(ready) }
                    // The first questions bring the file's pages into memory.
                    if index < 20 {
                        samples = Samples()
                    } else {
                        timings.add(recall.timings)
                        slow.append((recall.timings, text))
                    }
                }
                report.add(
                    .init(
                        name: "recall, all channels and edges",
                        parameters: "\(count) × \(space.dimension), \(linked == 0 ? "scanned" : "graph"), "
                            + (filter == nil ? "no filter" : "5 % match"),
                        median: samples.median, p99: samples.p99, unit: "ms",
                        aim: .init(text: "p99 < \(Int(aim)) ms", isMet: samples.p99 < aim)))
                report.note("median parts: \(timings.text)")
                for (timings, text) in slow.sorted(by: { $0.timings.total > $1.timings.total }).prefix(
                    slowest)
                {
                    report.note("slow: \(RecallTimings(timings).text): \(text)")
                }
            }
        }
        report.note(
            "questions of at least 3 terms, none asked twice; a quarter names a month, a quarter an actor")
        report.note(
            "\(Self.turnCount) memories to a thread, each with an actor, a time and a tag; vectors are given")
        report.print(json: common.json)
        await engine.close()
    }

    private func load(
        _ passages: ArraySlice<String>, _ rows: [[Float]], _ space: EmbeddingSpace, in home: Namespace,
        _ engine: Engine
    ) async throws {
        let start = Timestamp.now.advanced(by: .seconds(-passages.count * 300))
        for first in stride(from: 0, to: passages.count, by: 1_000) {
            let drafts = (first..<min(first + 1_000, passages.count)).map { place in
                var draft = MemoryDraft(passages[place])
                let time = start.advanced(by: .seconds(place * 300))
                draft.happened = time...time
                draft.thread = "thread-\(place / Self.turnCount)"
                draft.actor = Self.actors[place % Self.actors.count]
                draft.tags = ["tag-\(place % Self.tagCount)"]
                draft.embeddings = [Embedding(rows[place], in: space)]
                return draft
            }
            for result in try await engine.remember(drafts, in: home) { _ = try result.get() }
        }
        try await engine.settle(home)
    }

    private static func question(_ words: String, _ index: Int) -> String {
        switch index % 4 {
        case 0: "What happened in September 2026 to \(words)?"
        case 1: "What did \(actors[index / 4 % actors.count]) say of \(words)?"
        case 2: "Why \(words)?"
        default: words
        }
    }
}
