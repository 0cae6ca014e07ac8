import ArgumentParser
import Foundation
import MemoryEngine

/// How much memory of its own a process takes that serves a large space; the file's pages are not counted.
struct MemoryUse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "memory", abstract: "Anonymous memory while serving 100,000 vectors of 1,024 components."
    )

    @OptionGroup var common: CommonOptions
    @Option(help: "How many memories.") var count = 100_000

    func run() async throws {
        let corpus = try Corpus(common, count: count)
        let scratch = try Scratch(common)
        let store = scratch.path + "/store"
        let home = Namespace.project("memory")
        let engine = try Engine.open(at: store, options: Engine.benchOptions(.none))
        let rows = CorpusVectors.lifted(try CorpusVectors(common).rows(count))
        try await engine.load(corpus.paragraphs[...], rows, space: CorpusVectors.liftedSpace, in: home)
        await engine.close()
        let output = try Child.output(["serve", store, home.description])
        let values = output.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
        guard values.count == 3 else { throw ValidationError("the child printed `\(output)`") }
        var report = Report("memory")
        report.add(
            .init(
                name: "anonymous memory, most", parameters: "\(count) × 1,024, 4 callers, 200 recalls",
                median: values[0],
                unit: "MB", aim: .init(text: "< 100 MB", isMet: values[0] < 100)))
        report.add(
            .init(
                name: "recall by words and vectors", parameters: "4 callers at once, exact",
                median: values[1],
                p99: values[2], unit: "ms"))
        report.note(
            "RssAnon of a process that opens the store and answers; real rows as far as there are any, the rest mixtures"
        )
        report.note("1,024 components are 384 lifted by a random matrix")
        report.print(json: common.json)
    }
}

/// The child of `memory`.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Answers 200 recalls, prints its anonymous memory and times.",
        shouldDisplay: false)

    @Argument var store: String
    @Argument var namespace: String

    func run() async throws {
        let home = try Namespace(path: namespace)
        let engine = try Engine.open(at: store)
        var most = 0.0
        var times = Samples()
        for round in 0..<50 {
            let spent = try await withThrowingTaskGroup(of: Double.self) { group in
                for caller in 0..<4 {
                    group.addTask { try await Self.ask(engine, home, seed: UInt64(round * 4 + caller)) }
                }
                var spent: [Double] = []
                for try await time in group { spent.append(time) }
                return spent
            }
            for time in spent { times.add(time) }
            most = max(most, Self.anonymousMegabytes())
        }
        print(most, times.median, times.p99)
        await engine.close()
    }

    private static let words = [
        "package", "configuration", "file", "option", "server", "module", "function", "value", "database",
        "query",
        "window", "kernel", "library", "version", "user", "network", "script", "object", "error", "thread",
    ]

    private static func ask(_ engine: Engine, _ home: Namespace, seed: UInt64) async throws -> Double {
        var random = SeededRandom(seed: seed)
        let text = (0..<5).map { _ in words.randomElement(using: &random) ?? "" }.joined(separator: " ")
        var query = RecallQuery(text, in: home)
        let space = CorpusVectors.liftedSpace
        query.embeddings = [
            Embedding((0..<space.dimension).map { _ in Float.random(in: -1...1, using: &random) }, in: space)
        ]
        var time = Samples()
        _ = try await time.time { try await engine.recall(query) }
        return time.sum
    }

    /// `RssAnon` of this process.
    private static func anonymousMegabytes() -> Double {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        for line in status.split(separator: "\n") where line.hasPrefix("RssAnon:") {
            return (Double(line.split(whereSeparator: \.isWhitespace)[1]) ?? .nan) * 1_024 / 1_000_000
        }
        return .nan
    }
}
