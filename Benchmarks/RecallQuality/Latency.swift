import ArgumentParser
import Embedders
import Foundation
import MemoryEngine

/// How long a recall takes over as many memories as are asked for, of the kind of a folder's turns.
struct Latency: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latency", abstract: "How long a recall takes over many memories of a folder's kind.",
        discussion: """
            One home holds the folder's turns and, where more are asked for, mixtures: the beginning of one turn and the \
            end of another, with a vector between theirs. Each question is asked once, by one caller, with all channels; \
            embedding it is not counted. The folder's form is told in Benchmarks/RecallQuality/EvaluationData.swift.

                bench latency --data DIR --vectors minilm --memories 100000 --json
            """)

    @OptionGroup var common: CommonOptions
    @Option(
        help:
            "Which vectors of the folder: those of turns.NAME.f16. Without it, the embedded default makes them."
    )
    var vectors: String?
    @Option(help: "How many memories.") var memories = 10_000
    @Option(help: "How many hits a question asks for.") var limit = 10
    @Option(help: "Print so many of the questions that took longest, with the time of each part.")
    var slowest = 0
    @Option(help: "Keep the store in this folder, and use it again if it is there.") var keep: String?

    func validate() throws {
        guard memories > 0, (1...RecallQuery.maximumLimit).contains(limit) else {
            throw ValidationError("--memories is above 0, and --limit 1 to \(RecallQuery.maximumLimit)")
        }
    }

    func run() async throws {
        let scratch = try Scratch(common)
        guard
            let mixed = try await MixedMemories(
                memories, of: common.data, vectors: vectors, at: keep ?? scratch.path, "latency", .none)
        else { return }
        let (data, engine, home) = (mixed.data, mixed.engine, mixed.home)
        if !mixed.isKept, engine.embedder?.knowsMeanings ?? false { try await engine.consolidate(in: home) }
        var total = Samples()
        var parts = RecallTimings()
        var single: [(milliseconds: Double, question: String, parts: RecallTimings)] = []
        // The first few bring the file's pages into memory, and are asked by other words than any that counts.
        for turn in data.turns.prefix(20) {
            var query = RecallQuery(turn.text, in: home)
            if let vector = turn.vector { query.embeddings = [Embedding(vector, in: data.space)] }
            _ = try await engine.recall(query)
        }
        for question in data.questions {
            var query = RecallQuery(question.text, in: home)
            query.limit = limit
            if let vector = question.vector { query.embeddings = [Embedding(vector, in: data.space)] }
            query.filter = question.until.map { .happened(.distantPast..<$0) }
            let recall = try await engine.recall(query)
            let milliseconds = (recall.timings.total - recall.timings.embedding).milliseconds
            total.add(milliseconds)
            parts.add(recall.timings)
            if slowest > 0 {
                var own = RecallTimings()
                own.add(recall.timings)
                single.append((milliseconds, question.text, own))
            }
        }
        await engine.close()
        let made = max(0, memories - data.turns.count)
        if common.json {
            let object: [String: Any] = [
                "memories": memories, "mixtures": made, "questions": data.questions.count,
                "p50_ms": total.median,
                "p99_ms": total.p99, "channels": parts.milliseconds,
            ]
            let line = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
            print(String(decoding: line, as: UTF8.self))
        } else {
            var report = Report("latency")
            report.add(
                .init(
                    name: "recall, all channels",
                    parameters: "\(memories) memories, \(made) of them mixtures",
                    median: total.median, p99: total.p99, unit: "ms"))
            report.note("median parts: \(parts.text)")
            for one in single.sorted(by: { $0.milliseconds > $1.milliseconds }).prefix(max(0, slowest)) {
                report.note("\(one.question): \(one.parts.text)")
            }
            report.print(json: false)
        }
    }
}
