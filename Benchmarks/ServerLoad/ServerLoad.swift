import ArgumentParser
import Dispatch
import Foundation
import HNSW
import NIOCore
import NIOPosix

/// The same load on several servers that speak RESP, by turns.
struct ServerLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "The same load on several servers that speak RESP, by turns.",
        discussion: """
            Start the servers first, each with an empty store, and name the one that is measured before its peers:

                loci serve --store .cache/served --port 6399
                redis-server --port 6379 --save '' --appendonly yes --appendfsync always
                bench server --address 127.0.0.1:6399 --address 127.0.0.1:6379 --base base.npy --queries queries.npy

            Loads are ping, add (VADD of new elements) and similar (VSIM of 10). Before those on vectors, the rows of \
            --base are added as the set `load`, and searches are repeated until they take as long as the time before. \
            Clients share one thread of this program; each waits for the replies to as many commands as --pipeline says.
            """)

    @Option(help: "A server, as HOST:PORT; may be repeated.") var address: [String]
    @Option(help: "What is asked: ping, add, similar; may be repeated. All by default.")
    var load: [Load] = Load.allCases
    @Option(help: "Numbers of clients, with commas.") var clients = "1,8"
    @Option(help: "Commands on their way at a time.") var pipeline = 1
    @Option(help: "Candidates of searches, with commas.") var ef = "40,200"
    @Option(help: "Seconds of each turn.") var seconds = 3.0
    @Option(help: "How often each server has its turn.") var rounds = 3
    @Option(help: "A .npy file of vectors for the set.") var base: String?
    @Option(help: "A .npy file of questions.") var queries: String?
    @Option(help: "Rows of the base.") var rows = 100_000
    @Flag(help: "The set is there already.") var filled = false
    @Flag(help: "Print JSON.") var json = false

    enum Load: String, CaseIterable, ExpressibleByArgument { case ping, add, similar }

    func validate() throws {
        guard !address.isEmpty, seconds > 0, rounds > 0, (1...10_000).contains(pipeline) else {
            throw ValidationError("give an --address, and --seconds, --rounds and --pipeline above 0")
        }
        guard load == [.ping] || base != nil && queries != nil else {
            throw ValidationError("loads on vectors need --base and --queries")
        }
    }

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let servers = try address.map { try ServerUnderLoad($0, group) }
        var report = Report("server")
        let counts = try numbers(clients, "--clients")
        if load.contains(.ping) {
            for count in counts {
                let command = [Array("PING".utf8)]
                try await measure("PING", count, "", servers, &report) { _ in [command] }
            }
        }
        if load != [.ping], let base, let queries {
            let vectors = try NumberFile(base, of: .float32)
            let questions = try NumberFile(queries, of: .float32)
            let count = min(rows, vectors.rowCount)
            if !filled {
                for server in servers {
                    let took = try await server.fill(vectors, count)
                    report.note(String(format: "%@ took %.1f s for %d additions", server.name, took, count))
                }
            }
            if load.contains(.similar) {
                try await measureSearches(vectors, count, questions, counts, servers, &report)
            }
            if load.contains(.add) {
                for count in counts {
                    try await measure("VADD", count, "new elements", servers, &report) { turn in
                        (0..<vectors.rowCount).prefix(20_000).map { row in
                            ServerUnderLoad.addition(to: "added", "\(turn)-\(row)", vectors.floats(row))
                        }
                    }
                }
            }
        }
        report.note(
            "\(rounds) turns of \(seconds) s each; medians over turns; \(pipeline) commands at a time")
        report.print(json: json)
        try await group.shutdownGracefully()
    }

    private func numbers(_ text: String, _ option: String) throws -> [Int] {
        let numbers = text.split(separator: ",").map { Int($0) ?? 0 }
        guard !numbers.isEmpty, numbers.allSatisfy({ $0 > 0 }) else {
            throw ValidationError("\(option) is numbers above 0, with commas")
        }
        return numbers
    }

    private func measureSearches(
        _ vectors: NumberFile, _ count: Int, _ questions: NumberFile, _ counts: [Int],
        _ servers: [ServerUnderLoad], _ report: inout Report
    ) async throws {
        let asked = (0..<min(questions.rowCount, 1_000)).map(questions.floats)
        for server in servers { try await server.settle(asked[0]) }
        let truth = ExactAnswers(vectors, count, Array(asked.prefix(100)))
        for ef in try numbers(ef, "--ef") {
            var recalls: [String] = []
            for server in servers {
                let recall = truth.recall(of: try await server.answers(Array(asked.prefix(100)), ef: ef))
                recalls.append(String(format: "%.3f", recall))
            }
            let commands = asked.map { ServerUnderLoad.question($0, ef: ef) }
            for count in counts {
                let told = "ef \(ef), recall \(recalls.joined(separator: " / "))"
                try await measure("VSIM", count, told, servers, &report) { _ in commands }
            }
        }
    }

    /// Asks all servers by turns, and adds a line for each.
    private func measure(
        _ name: String, _ count: Int, _ parameters: String, _ servers: [ServerUnderLoad],
        _ report: inout Report, _ commands: (_ turn: Int) -> [[[UInt8]]]
    ) async throws {
        var rates = [Samples](repeating: Samples(), count: servers.count)
        var times = rates
        for round in 0..<rounds {
            let batches = commands(round * 1_000 + count)
            for (place, server) in servers.enumerated() {
                let turn = try await server.run(
                    batches, clients: count, pipeline: pipeline, for: .milliseconds(Int(seconds * 1_000)))
                rates[place].add(Double(turn.values.count * pipeline) / turn.span)
                times[place].add(turn.times)
            }
        }
        for (place, server) in servers.enumerated() {
            let rate = rates[place].median
            var figure = Report.Figure(
                name: "\(name), \(count) client\(count == 1 ? "" : "s"), \(server.name)",
                parameters: "\(Int(rate))/s\(parameters.isEmpty ? "" : ", ")\(parameters)",
                median: times[place].median, p99: times[place].p99, unit: "µs")
            if place > 0 { figure.peer = (servers[0].name, rate / rates[0].median) }
            report.add(figure)
        }
    }
}

/// What is nearest in truth.
private struct ExactAnswers {
    private let best: [Set<Int>]

    init(_ vectors: NumberFile, _ count: Int, _ questions: [[Float]]) {
        var lists = questions.map { _ in [(score: Float, row: Int)]() }
        let units = questions.map(Self.unit)
        for row in 0..<count {
            let vector = vectors.floats(row)
            let scale = Distance.auxiliary(of: vector, metric: .cosine)
            // Safe because floats have no padding.
            let bytes = unsafe vector.span.bytes
            for (place, question) in units.enumerated() {
                let score = Distance.dot(question.span, bytes) * scale
                if lists[place].count < 10 || score > lists[place][9].score {
                    if lists[place].count == 10 { lists[place].removeLast() }
                    let at = lists[place].firstIndex { $0.score < score } ?? lists[place].count
                    lists[place].insert((score, row), at: at)
                }
            }
        }
        best = lists.map { Set($0.map(\.row)) }
    }

    private static func unit(_ vector: [Float]) -> [Float] {
        let scale = Distance.auxiliary(of: vector, metric: .cosine)
        return vector.map { $0 * scale }
    }

    /// Which part of them was found.
    func recall(of answers: [[[UInt8]]]) -> Double {
        let found = zip(best, answers).reduce(0) { sum, pair in
            sum + pair.1.count { pair.0.contains(Int(String(decoding: $0, as: UTF8.self)) ?? -1) }
        }
        return Double(found) / Double(best.reduce(0) { $0 + $1.count })
    }
}
