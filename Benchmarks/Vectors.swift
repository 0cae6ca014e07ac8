import ArgumentParser
import MemoryEngine

/// Exact recall by vectors over namespaces of several sizes, beside OpenBLAS over the same rows in memory.
struct Vectors: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vectors", abstract: "Exact recall by vectors, beside BLAS over the same rows in memory."
    )

    @OptionGroup var common: CommonOptions
    @Option(help: "How many passages, each with a vector.") var counts = [5_000, 20_000, 100_000]
    @Option(help: "How many questions.") var questions = 200

    func run() async throws {
        let most = counts.max() ?? 1
        let corpus = try Corpus(common, count: most)
        let embedded = try CorpusVectors(common)
        let rows = embedded.rows(most)
        let queries = embedded.mixtures(questions, seed: 4)
        let scratch = try Scratch(common)
        let engine = try Engine.open(at: scratch.path + "/store", options: Engine.benchOptions(.none))
        var report = Report("vectors")
        for count in counts {
            let home = Namespace.project("v\(count)")
            try await engine.load(corpus.paragraphs[..<count], Array(rows[..<count]), in: home)
            let matrix = rows[..<count].flatMap { $0 }
            var products = [Float](repeating: 0, count: count)
            var recalls = Samples()
            var peer = Samples()
            for vector in queries {
                var query = RecallQuery("", in: home)
                query.channels = [.vectors]
                query.embeddings = [Embedding(vector, in: CorpusVectors.space)]
                _ = try await recalls.time { try await engine.recall(query) }
                peer.timeNow {
                    BLASProduct.dots(query: vector, rows: unsafe matrix.span.bytes, into: &products)
                }
            }
            report.add(
                .init(
                    name: "recall by vectors", parameters: "\(count) × 384, exact", median: recalls.median,
                    p99: recalls.p99, unit: "ms",
                    peer: (name: "a BLAS product in memory", ratio: recalls.median / peer.median)))
        }
        report.note(
            "beyond \(embedded.count) rows: mixtures of a real row and three of its neighbors with noise")
        report.print(json: common.json)
        await engine.close()
    }
}
