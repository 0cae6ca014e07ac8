import ArgumentParser
import Foundation
import MemoryEngine

/// Opening a store and answering the first recall, in a fresh process each time.
struct Open: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open",
        abstract: "Opening a store of 100,000 memories and the first recall, in a fresh process.")

    @OptionGroup var common: CommonOptions
    @Option(help: "How many memories.") var count = 100_000
    @Option(help: "How many processes.") var runs = 20

    func run() async throws {
        let corpus = try Corpus(common, count: count)
        let embedded = try CorpusVectors(common)
        let scratch = try Scratch(common)
        let store = scratch.path + "/store"
        let home = Namespace.project("open")
        let engine = try Engine.open(at: store, options: Engine.benchOptions(.none))
        try await engine.load(corpus.paragraphs[..<count], embedded.rows(count), in: home)
        await engine.close()
        var report = Report("open")
        for channels in ["words", "words,vectors"] {
            var samples = Samples()
            for _ in 0..<runs {
                let output = try Child.output([
                    "first-recall", store, home.description, "--channels", channels,
                ])
                guard let time = Double(output.trimmingCharacters(in: .whitespacesAndNewlines)) else {
                    throw ValidationError("the child printed `\(output)`")
                }
                samples.add(time)
            }
            report.add(
                .init(
                    name: "open and first recall",
                    parameters: "\(count) memories with 384-d vectors, by \(channels)",
                    median: samples.median, p99: samples.p99, unit: "ms",
                    aim: .init(text: "< 50 ms", isMet: samples.median < 50)))
        }
        report.note("a fresh process each time, warm page cache; from before `Engine.open` to the hits")
        report.print(json: common.json)
    }
}

/// The child of `open`.
struct FirstRecall: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "first-recall", abstract: "Opens a store, asks once, prints milliseconds.",
        shouldDisplay: false)

    @Argument var store: String
    @Argument var namespace: String
    @Option var channels = "words"

    func run() async throws {
        let home = try Namespace(path: namespace)
        var query = RecallQuery("Which option makes the package manager keep configuration files?", in: home)
        if channels == "words" {
            query.channels = [.words, .context]
        } else {
            var random = SeededRandom(seed: 5)
            let vector = (0..<CorpusVectors.space.dimension).map { _ in
                Float.random(in: -1...1, using: &random)
            }
            query.embeddings = [Embedding(vector, in: CorpusVectors.space)]
        }
        let start = ContinuousClock.now
        let engine = try Engine.open(at: store)
        let recall = try await engine.recall(query)
        let time = (ContinuousClock.now - start).milliseconds
        guard !recall.hits.isEmpty else { throw ValidationError("nothing was found") }
        print(time)
        await engine.close()
    }
}
