import ArgumentParser
import MemoryEngine

/// Recall with everything on: words, vectors, and what stands around memories, over conversations of real paragraphs.
struct Edges: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edges", abstract: "Recall end to end over conversations, all channels and edges on.")

    @OptionGroup var common: CommonOptions
    @Option(help: "How many memories.") var count = 10_000
    @Option(help: "Components of a vector: 384, or 1024 (lifted).") var dimension = 384
    @Option(help: "How many questions, each asked once.") var questions = 1_000

    private static let actors = ["Ada", "Bela", "Cleo", "Dora", "Emil", "Fanny", "Gustav", "Hanna"]
    private static let turnsOfSession = 20
    private static let home = Namespace.project("edges")

    func run() async throws {
        let corpus = try Corpus(common, count: count + 20_000)
        let embedded = try CorpusVectors(common)
        let passages = corpus.paragraphs[..<count]
        let asked = Questions.make(
            from: corpus.paragraphs[count...], over: passages, count: questions, seed: 6)
        let space = dimension == 384 ? CorpusVectors.space : CorpusVectors.liftedSpace
        func fitted(_ rows: [[Float]]) -> [[Float]] {
            dimension == 384 ? rows : CorpusVectors.lifted(rows)
        }
        let scratch = try Scratch(common)
        let engine = try Engine.open(at: scratch.path + "/store", options: Engine.benchOptions(.none))
        try await load(passages, fitted(embedded.rows(count)), space, engine)

        var report = Report("edges")
        let queries = fitted(embedded.mixtures(asked.count, seed: 7))
        for (name, channels) in [
            ("words and vectors", [.words, .vectors] as Set<RecallQuery.Channel>),
            ("all, edges too", Set(RecallQuery.Channel.allCases)),
        ] {
            var samples = Samples()
            var timings = RecallTimings()
            for (index, question) in asked.enumerated() {
                var query = RecallQuery(Self.question(question, index), in: Self.home)
                query.channels = channels
                query.embeddings = [Embedding(queries[index], in: space)]
                let recall = try await samples.time { try await engine.recall(query) }
                if index >= 20 { timings.add(recall.timings) }
            }
            let most = count <= 10_000 ? 8.0 : 12
            report.add(
                .init(
                    name: "recall by \(name)",
                    parameters: "\(count) memories, \(space.dimension)-d, \(asked.count) questions",
                    median: samples.median, p99: samples.p99, unit: "ms",
                    aim: .init(text: "p99 < \(Report.digits(most)) ms", isMet: samples.p99 < most)))
            report.note("\(name), median parts: \(timings.text)")
        }
        report.note("every second question names a month, every third an actor, every fifth asks why or when")
        report.print(json: common.json)
        await engine.close()
    }

    private static func question(_ text: String, _ index: Int) -> String {
        var text = text
        if index % 3 == 0 { text += " with " + actors[index % actors.count] }
        if index % 2 == 0 { text += " in May 2024" }
        if index % 5 == 0 { text = (index % 2 == 0 ? "Why " : "When ") + text }
        return text
    }

    /// Sessions of twenty turns by two actors each, over three years; every fourth turn asks.
    private func load(
        _ passages: ArraySlice<String>, _ vectors: [[Float]], _ space: EmbeddingSpace, _ engine: Engine
    ) async throws {
        guard let first = Timestamp("2022-01-01") else { return }
        let step = 3 * 365 * 86_400 / count
        for start in stride(from: 0, to: passages.count, by: Self.turnsOfSession) {
            let session = start / Self.turnsOfSession
            let drafts = (start..<min(start + Self.turnsOfSession, passages.count)).map { place in
                var draft = MemoryDraft(
                    passages[passages.startIndex + place] + (place % 4 == 0 ? " Is it?" : ""))
                draft.kind = .message
                draft.actor = Self.actors[(session + place % 2) % Self.actors.count]
                draft.thread = "thread \(session % 40)"
                let time = first.advanced(by: .seconds(place * step))
                draft.happened = time...time
                draft.embeddings = [Embedding(vectors[place], in: space)]
                return draft
            }
            let namespace = Self.home.session("session \(session)")
            for result in try await engine.remember(drafts, in: namespace) { _ = try result.get() }
        }
        try await engine.settle(Self.home)
    }
}
