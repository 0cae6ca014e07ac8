import ArgumentParser
import MemoryEngine

/// Durable ingest with words and vectors.
struct Ingest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest", abstract: "Durable batches of 1,000 memories with words and 384-d vectors.")

    @OptionGroup var common: CommonOptions
    @Option(help: "How many memories.") var count = 40_000

    func run() async throws {
        let corpus = try Corpus(common, count: count)
        let embedded = try CorpusVectors(common)
        let batches = Engine.batches(
            corpus.paragraphs[..<count], embedded.rows(count), space: CorpusVectors.space)
        let scratch = try Scratch(common)
        let home = Namespace.project("ingest")
        let engine = try Engine.open(at: scratch.path + "/store", options: Engine.benchOptions())
        let peer = try BareLMDB(path: scratch.path + "/peer")
        var ours = Samples()
        var bare = Samples()
        for batch in batches {
            try await ours.time {
                for result in try await engine.remember(batch, in: home) { _ = try result.get() }
            }
            // The peer puts the same text and vector, and derives nothing.
            let values = batch.map { draft in
                Array(draft.content.utf8) + [UInt8](repeating: 7, count: CorpusVectors.space.dimension * 4)
            }
            try bare.timeNow { try peer.put(values) }
        }
        var rest = Samples()
        try await rest.time { try await engine.settle(home) }
        let rate = Double(count) / ours.sum * 1_000
        let settled = Double(count) / (ours.sum + max(0, rest.sum - 200)) * 1_000
        var report = Report("ingest")
        report.add(
            .init(
                name: "acknowledged, durable", parameters: "\(count) memories, 384-d, batches of 1,000",
                median: rate,
                unit: "memories/s", peer: (name: "bare LMDB", ratio: bare.sum / ours.sum),
                aim: .init(text: "≥ 4,000/s", isMet: rate >= 4_000)))
        report.add(
            .init(
                name: "a batch", parameters: "1,000 memories", median: ours.median, p99: ours.p99, unit: "ms")
        )
        report.add(
            .init(
                name: "folded by the indexer", parameters: "to the end of background work", median: settled,
                unit: "memories/s"))
        report.note("bare LMDB: the same bytes in commits of 1,000 puts, no words and no index")
        report.note(
            "beyond \(embedded.count) vectors: mixtures of a real one and three of its neighbors with noise")
        report.print(json: common.json)
        await engine.close()
    }
}
