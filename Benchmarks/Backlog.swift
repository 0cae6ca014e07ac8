import ArgumentParser
import MemoryEngine

/// Searches and single remembers while nothing, half of the bound and all of it waits to be linked: from the bound on, who
/// adds vectors waits for the indexer.
struct Backlog: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backlog",
        abstract: "Searches and remembers with no, half a and a full backlog of rows to link.")

    @OptionGroup var common: CommonOptions
    @Option(help: "How many memories are linked before.") var count = 30_000
    @Option(help: "How many searches, and how many remembers, at each.") var questions = 200

    /// Rows of 384 components in 64 MiB.
    private static let bound = 43_690

    func run() async throws {
        let fills = [0, Self.bound / 2, Self.bound + 6_000]
        let most = count + fills.reduce(0, +) + fills.count * questions
        let corpus = try Corpus(common, count: min(most, 120_000))
        let embedded = try CorpusVectors(common)
        let rows = embedded.rows(min(most, 120_000))
        let queries = embedded.mixtures(questions, seed: 9)
        let scratch = try Scratch(common)
        let engine = try Engine.open(at: scratch.path + "/store", options: Engine.benchOptions())
        let home = Namespace.project("backlog")
        try await engine.load(corpus.paragraphs[..<count], Array(rows[..<count]), in: home)
        var next = count
        var report = Report("backlog")
        for (fill, name) in zip(fills, ["empty", "half full", "full"]) {
            for batch in Engine.batches(
                corpus.paragraphs[next..<next + fill], Array(rows[next..<next + fill]),
                space: CorpusVectors.space)
            {
                for result in try await engine.remember(batch, in: home) { _ = try result.get() }
            }
            next += fill
            let before = try await waiting(engine, home)
            var searches = Samples()
            var remembers = Samples()
            for vector in queries {
                _ = try await searches.time {
                    try await engine.nearest(VectorQuery([vector], in: CorpusVectors.space), in: home)
                }
                var draft = MemoryDraft(corpus.paragraphs[next])
                draft.embeddings = [Embedding(rows[next], in: CorpusVectors.space)]
                let ready = draft
                _ = try await remembers.time { try await engine.remember(ready, in: home) }
                next += 1
            }
            let after = try await waiting(engine, home)
            for (what, samples) in [("search", searches), ("remember", remembers)] {
                report.add(
                    .init(
                        name: "\(what), backlog \(name)", parameters: "\(before) rows before, \(after) after",
                        median: samples.median, p99: samples.p99, unit: "ms"))
            }
            try await engine.settle(home)
        }
        report.print(json: common.json)
        await engine.close()
    }

    /// Rows that searches scan.
    private func waiting(_ engine: Engine, _ home: Namespace) async throws -> Int {
        let space = try await engine.stats(in: home).spaces.first
        return Int(space?.vectors ?? 0) - Int(space?.linkedVectors ?? 0)
    }
}
