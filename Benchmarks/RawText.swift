import ArgumentParser
import Embedders
import Foundation
import MemoryEngine

/// Remembering and recalling from raw text, embedded by the local encoder.
struct RawText: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "raw-text",
        abstract: "Remember and recall from raw text with the local encoder, embedding included.",
        discussion: "The model is what `make model` fetched, or LOCI_MODEL names.")

    @OptionGroup var common: CommonOptions
    @Option(help: "How many memories.") var memories = 10_000
    @Option(help: "How many questions.") var questions = 1_000

    func run() async throws {
        guard let encoder = try AvailableEmbedders().local else {
            throw ValidationError("there is no model: run `make model`, or set LOCI_MODEL to its folder")
        }
        try encoder.load()
        let corpus = try Corpus(common, count: memories + questions)
        let scratch = try Scratch(common)
        let home = Namespace.project("raw")
        // Paragraphs are cut into passages as they are by default.
        let engine = try Engine.open(at: scratch.path + "/store", embedder: encoder)
        let start = ContinuousClock.now
        try await engine.load(corpus.paragraphs[..<memories], in: home)
        let seconds = (ContinuousClock.now - start).seconds
        var (recall, embedding, remember) = (Samples(), Samples(), Samples())
        var random = SeededRandom(seed: 11)
        for (place, text) in corpus.paragraphs[memories...].enumerated() {
            let question = Self.question(text, &random)
            try await recall.time { _ = try await engine.recall(question, in: home, limit: 10) }
            try await embedding.time { _ = try await encoder.embed([.text(question)], for: .query) }
            if place % 10 == 0 {
                try await remember.time { try await engine.remember(question, in: home) }
            }
        }
        var report = Report("raw-text")
        let isWide = encoder.rounds && encoder.kernelName.hasPrefix("AVX-512")
        let (p50, p99): (Double, Double) = isWide ? (6, 15) : (10, .infinity)
        report.add(
            .init(
                name: "recall", parameters: "\(memories) memories, from raw text", median: recall.median,
                p99: recall.p99, unit: "ms",
                aim: .init(
                    text: "p50 ≤ \(Int(p50)) ms" + (isWide ? ", p99 ≤ 15 ms" : ""),
                    isMet: recall.median <= p50 && recall.p99 <= p99)))
        report.add(
            .init(
                name: "of it the question's vector", parameters: "6 to 12 words", median: embedding.median,
                p99: embedding.p99, unit: "ms"))
        report.add(
            .init(
                name: "remember", parameters: "6 to 12 words, one caller", median: remember.median,
                p99: remember.p99, unit: "ms"))
        report.add(
            .init(
                name: "remember", parameters: "paragraphs, batches of 1,000",
                median: Double(memories) / seconds,
                unit: "memories/s"))
        report.note("\(encoder.space.name), \(encoder.kernelName)")
        report.print(json: common.json)
        await engine.close()
    }

    /// A run of 6 to 12 words.
    private static func question(_ text: String, _ random: inout SeededRandom) -> String {
        let words = text.split(separator: " ")
        let count = min(words.count, Int.random(in: 6...12, using: &random))
        let first = Int.random(in: 0...words.count - count, using: &random)
        return words[first..<first + count].joined(separator: " ")
    }
}
