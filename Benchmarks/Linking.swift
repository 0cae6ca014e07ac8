import ArgumentParser
import MemoryEngine

/// Single remembers while the indexer links rows of vectors, beside those of a home in which it has nothing to do.
struct Linking: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "linking", abstract: "Single durable remembers while rows of vectors are linked.")

    @OptionGroup var common: CommonOptions
    @Option(help: "How many memories are brought, in batches of 1,000, before the single ones.") var count =
        20_000
    @Option(help: "How many single remembers.") var singles = 2_000

    func run() async throws {
        let corpus = try Corpus(common, count: count + 2 * singles)
        let rows = try CorpusVectors(common).rows(count + 2 * singles)
        let scratch = try Scratch(common)
        let engine = try Engine.open(at: scratch.path + "/store", options: Engine.benchOptions())
        let home = Namespace.project("linking")
        var report = Report("linking")
        for batch in Engine.batches(
            corpus.paragraphs[..<count], Array(rows[..<count]), space: CorpusVectors.space)
        {
            for result in try await engine.remember(batch, in: home) { _ = try result.get() }
        }
        let before = try await linked(engine, home)
        let during = try await remember(count..<count + singles, corpus, rows, engine, home)
        let after = try await linked(engine, home)
        try await engine.settle(home)
        let quiet = try await remember(
            count + singles..<count + 2 * singles, corpus, rows, engine, home)
        report.add(
            .init(
                name: "remember, nothing to link", parameters: "384-d, synced", median: quiet.median,
                p99: quiet.p99, unit: "ms"))
        report.add(
            .init(
                name: "remember while rows are linked", parameters: "384-d, synced", median: during.median,
                p99: during.p99, unit: "ms",
                aim: .init(text: "p99 ≤ 50 ms", isMet: during.p99 <= 50)))
        report.note("the longest took \(Report.digits(during.quantile(1))) ms")
        report.note(
            "\(after - before) rows were linked in the meantime, \(before) of \(count) before; one caller")
        report.print(json: common.json)
        await engine.close()
    }

    private func linked(_ engine: Engine, _ home: Namespace) async throws -> Int {
        Int(try await engine.stats(in: home).spaces.first?.linkedVectors ?? 0)
    }

    private func remember(
        _ places: Range<Int>, _ corpus: Corpus, _ rows: [[Float]], _ engine: Engine, _ home: Namespace
    ) async throws -> Samples {
        var samples = Samples()
        for place in places {
            var draft = MemoryDraft(corpus.paragraphs[place])
            draft.embeddings = [Embedding(rows[place], in: CorpusVectors.space)]
            let ready = draft
            try await samples.time { _ = try await engine.remember(ready, in: home) }
        }
        return samples
    }
}
