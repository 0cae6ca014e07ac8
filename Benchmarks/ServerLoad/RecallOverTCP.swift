import ArgumentParser
import Embedders
import Logging
import MemoryEngine
import Server

/// The same recalls in the process and through a server on the loopback, by turns.
struct RecallOverTCP: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "over-tcp",
        abstract: "The same recalls in the process and through a server on the loopback, by turns.")

    @OptionGroup var common: CommonOptions
    @Option(help: "How many memories.") var count = 10_000
    @Option(help: "How many questions; each is asked once on either way.") var questions = 2_000

    @Option(help: "How many hits a question has.") var limit = 10

    /// Questions that one way has before the other has them.
    private static let turnCount = 50

    func run() async throws {
        let corpus = try Corpus(common, count: count + 20_000)
        let asked = Questions.make(
            from: corpus.paragraphs[count...], over: corpus.paragraphs[..<count], count: questions, seed: 2)
        let scratch = try Scratch(common)
        let home = Namespace.project("served")
        let engine = try Engine.open(
            at: scratch.path + "/store", embedder: HashEmbedder(), options: Engine.benchOptions(.none))
        try await engine.load(corpus.paragraphs[..<count], in: home)
        try await engine.settle(home)

        var options = Server.Options()
        options.port = 0
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        let server = Server(
            engine: engine, options: options, logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        ) { continuation.yield($0.port ?? 0) }
        let serving = Task { try await server.run() }
        var direct = Samples()
        var served = Samples()
        var pings = Samples()
        let ping = LoadCommand.bytes(["PING"])
        for await port in ports {
            var client = try PlainClient(port: port)
            for first in stride(from: 0, to: asked.count, by: Self.turnCount) {
                let texts = asked[first..<min(first + Self.turnCount, asked.count)]
                func inProcess() async throws {
                    for text in texts {
                        var query = RecallQuery(text, in: home)
                        query.limit = limit
                        let ready = query
                        try await direct.time { _ = try await engine.recall(ready) }
                    }
                }
                func overTCP() throws {
                    for text in texts {
                        let command = LoadCommand.bytes([
                            "MEM.RECALL", "\(home)", text, "LIMIT", "\(limit)",
                        ])
                        try served.timeNow { try client.ask(command) }
                    }
                }
                // Whoever comes second finds the pages in the caches.
                if first.isMultiple(of: 2 * Self.turnCount) {
                    try await inProcess()
                    try overTCP()
                } else {
                    try overTCP()
                    try await inProcess()
                }
                for _ in texts { try pings.timeNow { try client.ask(ping) } }
            }
            break
        }
        serving.cancel()
        try? await serving.value
        await engine.close()
        var report = Report("over-tcp")
        report.add(
            .init(
                name: "recall", parameters: "\(count) memories, in the process", median: direct.median,
                p99: direct.p99, unit: "ms"))
        let added = (served.median - direct.median) * 1_000
        report.add(
            .init(
                name: "MEM.RECALL", parameters: "over TCP, one client", median: served.median,
                p99: served.p99, unit: "ms", peer: ("in the process", served.median / direct.median),
                aim: .init(text: "≤ 100 µs more", isMet: added <= 100)))
        report.add(
            .init(
                name: "PING", parameters: "over TCP, one client", median: pings.median, p99: pings.p99,
                unit: "ms"))
        report.note("\(questions) questions, one after another on both ways by turns; \(Int(added)) µs more")
        report.print(json: common.json)
    }
}
