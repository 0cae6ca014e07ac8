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

    /// Mixtures come in threads of so many.
    private static let turnsPerThread = 25

    func validate() throws {
        guard memories > 0, (1...RecallQuery.maximumLimit).contains(limit) else {
            throw ValidationError("--memories is above 0, and --limit 1 to \(RecallQuery.maximumLimit)")
        }
    }

    func run() async throws {
        let missing = EvaluationData.missing(in: common.data, vectors: vectors)
        guard missing.isEmpty else {
            print("bench latency: skipped, because there is no \(missing.joined(separator: ", no "))")
            return
        }
        let data = try EvaluationData(common.data, vectors: vectors)
        guard data.turns.count > 1 else { throw ValidationError("\(common.data) has fewer than two turns") }
        let scratch = try Scratch(common)
        let embedder: (any Embedder)? = vectors == nil ? HashEmbedder() : VocabularyEmbedder(data)
        var options = Engine.benchOptions(.none)
        // One passage for each turn, so that it may bring its own vector.
        options.passageByteCount = 1 << 16
        let engine = try Engine.open(at: scratch.path + "/latency", embedder: embedder, options: options)
        let home = Namespace.project("latency")
        var random = SeededRandom(seed: 11)
        for start in stride(from: 0, to: memories, by: 1_000) {
            let drafts = (start..<min(start + 1_000, memories)).map { place in
                place < data.turns.count
                    ? draft(data.turns[place], data.space) : mixture(place, data, &random)
            }
            for result in try await engine.remember(drafts, in: home) { _ = try result.get() }
        }
        try await engine.settle(home)
        if embedder?.knowsMeanings ?? false { try await engine.consolidate(in: home) }
        var total = Samples()
        var parts = RecallTimings()
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
            total.add((recall.timings.total - recall.timings.embedding).milliseconds)
            parts.add(recall.timings)
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
            report.print(json: false)
        }
    }

    private func draft(_ turn: EvaluationData.Turn, _ space: EmbeddingSpace) -> MemoryDraft {
        var draft = MemoryDraft(turn.text)
        draft.kind = .message
        draft.actor = turn.speaker
        draft.thread = turn.conversation + "-" + (turn.session ?? "")
        draft.happened = turn.time...turn.time
        if let vector = turn.vector { draft.embeddings = [Embedding(vector, in: space)] }
        return draft
    }

    /// The beginning of one turn and the end of another.
    private func mixture(
        _ place: Int, _ data: EvaluationData, _ random: inout SeededRandom
    ) -> MemoryDraft {
        let one = data.turns[place % data.turns.count]
        let other = data.turns[Int(random.next() % UInt64(data.turns.count))]
        let (begin, end) = (one.text.split(separator: " "), other.text.split(separator: " "))
        var turn = one
        turn.text = (begin.prefix((begin.count + 1) / 2) + end.suffix((end.count + 1) / 2)).joined(
            separator: " ")
        turn.conversation = "mixture-\(place / Self.turnsPerThread)"
        turn.session = nil
        turn.time = one.time.advanced(by: .seconds(place))
        if let a = one.vector, let b = other.vector {
            let share = Float.random(in: 0..<1, using: &random)
            let sum = zip(a, b).map { $0 + share * $1 + Float.random(in: -0.02...0.02, using: &random) }
            let norm = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
            turn.vector = sum.map { $0 / max(norm, 1e-6) }
        }
        return draft(turn, data.space)
    }
}
