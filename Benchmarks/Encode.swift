import ArgumentParser
import Embedders
import Foundation
import MemoryEngine

/// The local encoder: texts a second, loading and tokenizing.
struct Encode: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encode",
        abstract: "Milliseconds a text of the local encoder, by each arithmetic, on one thread.",
        discussion: """
            The model is what `make model` fetched, or --model. `Benchmarks/peers/encode` measures other libraries \
            beside it in the same run.

            With --texts it measures nothing: it writes the vectors of a file's lines (a JSON string each) as \
            little-endian 32-bit floats, and their tokens, a list a line.
            """)

    @Option(help: "The model's folder (by default where `make model` puts it).") var model: String?
    @Option(
        help:
            "Kernels by their name, such as AVX2 (by default the fastest, the fastest of 32-bit floats, and AVX2)."
    )
    var kernels: String?
    @Option(help: "How often each figure is taken.") var rounds = 40
    @Option(help: "A file of texts to embed.") var texts: String?
    @Option(help: "Where to write their vectors.") var vectors: String?
    @Option(help: "Where to write their tokens.") var tokens: String?
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let folder = try folder()
        if let texts { return try await write(texts, folder) }
        var report = Report("encode")
        var names = kernels.map { [$0] } ?? []
        if names.isEmpty {
            for arithmetic in LocalEncoder.Arithmetic.allCases {
                names.append(try LocalEncoder(folder: folder, arithmetic: arithmetic).kernelName)
            }
            names += LocalEncoder.kernelNames.filter { $0.hasPrefix("AVX2") }
        }
        var seen = Set<String>()
        for name in names where seen.insert(name).inserted { try await measure(name, folder, &report) }
        report.note("\(try LocalEncoder(folder: folder).space.name), of \(folder)")
        report.print(json: json)
    }

    private func folder() throws -> String {
        if let model { return model }
        guard let local = try AvailableEmbedders().local else {
            throw ValidationError("there is no model: run `make model`, or write --model DIR")
        }
        return local.folder
    }

    private func encoder(named name: String?, _ folder: String) throws -> LocalEncoder {
        guard let name else { return try LocalEncoder(folder: folder) }
        guard let encoder = try LocalEncoder(folder: folder, kernelName: name) else {
            throw ValidationError(
                "--kernels is one of \(LocalEncoder.kernelNames.joined(separator: ", ")) here")
        }
        return encoder
    }

    private func measure(_ name: String, _ folder: String, _ report: inout Report) async throws {
        var loads = Samples()
        for _ in 0..<max(3, rounds / 4) {
            try loads.timeNow { try self.encoder(named: name, folder).load() }
        }
        report.add(
            .init(
                name: "load", parameters: name, median: loads.median, p99: loads.p99, unit: "ms",
                aim: .init(text: "≤ 60 ms", isMet: loads.median <= 60)))
        let encoder = try self.encoder(named: name, folder)
        var random = SeededRandom(seed: 5)
        for tokenCount in [16, 128] {
            for batchCount in [1, 32] {
                var times = Samples()
                for round in 0..<rounds {
                    let texts = (0..<batchCount).map { _ in Self.text(tokenCount, &random) }
                    precondition(encoder.tokens(of: texts[0]).count == tokenCount)
                    let inputs = texts.map(EmbeddingInput.text)
                    var time = Samples()
                    try await time.time { _ = try await encoder.embed(inputs, for: .passage) }
                    // The first ones find nothing in the caches.
                    if round >= rounds / 10 { times.add(time.sum / Double(batchCount)) }
                }
                report.add(
                    .init(
                        name: "\(tokenCount) tokens", parameters: "batch \(batchCount), \(name)",
                        median: times.median, p99: times.p99, unit: "ms a text"))
            }
        }
        var tokenizing = Samples()
        for _ in 0..<rounds {
            let texts = (0..<100).map { _ in Self.text(16, &random) }
            var (time, count) = (Samples(), 0)
            time.timeNow { for text in texts { count += encoder.tokens(of: text).count } }
            precondition(count == 1_600)
            tokenizing.add(time.sum * 10)
        }
        report.add(
            .init(
                name: "tokenizer", parameters: "16 tokens", median: tokenizing.median, p99: tokenizing.p99,
                unit: "µs", aim: .init(text: "≤ 20 µs", isMet: tokenizing.median <= 20)))
    }

    /// A text of so many tokens, with the marks of its begin and end.
    private static func text(_ tokenCount: Int, _ random: inout SeededRandom) -> String {
        (0..<tokenCount - 2).map { _ in words[Int.random(in: words.indices, using: &random)] }
            .joined(separator: " ")
    }

    /// Each is one token of BERT's vocabulary.
    private static let words = """
        time year people way day man thing woman life child world school state family student group country \
        problem hand part place case week company system program question work government number night point \
        home water room mother area money story fact month lot right study book eye job word business issue \
        side kind head house service friend father power hour game line end member law car city community name
        """.split(separator: " ").map(String.init)

    private func write(_ texts: String, _ folder: String) async throws {
        let encoder = try self.encoder(named: kernels, folder)
        let lines = try String(contentsOfFile: texts, encoding: .utf8).split(separator: "\n")
        let read = try lines.map {
            try JSONDecoder().decode(String.self, from: Data($0.utf8))
        }
        if let tokens {
            let text = read.map { encoder.tokens(of: $0).map(String.init).joined(separator: " ") + "\n" }
                .joined()
            try Data(text.utf8).write(to: URL(fileURLWithPath: tokens))
        }
        if let vectors {
            var data = Data()
            for first in stride(from: 0, to: read.count, by: 64) {
                let part = read[first..<min(first + 64, read.count)].map(EmbeddingInput.text)
                for vector in try await encoder.embed(Array(part), for: .passage) {
                    for number in vector {
                        for shift in stride(from: UInt32(0), to: 32, by: 8) {
                            data.append(UInt8(truncatingIfNeeded: number.bitPattern >> shift))
                        }
                    }
                }
            }
            try data.write(to: URL(fileURLWithPath: vectors))
        }
    }
}
