import Foundation
import MemoryEngine
import Testing

@testable import Embedders

@Suite(.timeLimit(.minutes(2))) struct `What services cost` {
    private static let noon = Timestamp("2026-11-28T12:00:00Z") ?? .distantPast

    private static func withFile(_ body: (String) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "costs-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder + "/costs.json")
    }

    private static func embedder(
        _ ledger: CostLedger, _ steps: ScriptedTransport, clock: any HTTPClock = TurnedHTTPClock()
    ) throws -> OpenAIEmbedder {
        var options = OpenAIEmbedder.Options.voyage(model: "voyage-code-3")
        options.ledger = ledger
        return try OpenAIEmbedder(
            url: "https://api.example/v1", key: "a-key-of-nobody",
            space: EmbeddingSpace(model: "voyage-code-3", dimension: 1),
            options: options, client: HTTPClient(over: steps, clock: clock))
    }

    private static let answer = ScriptedTransport.Step.answer(
        200, body: #"{"data":[{"embedding":[1]}],"model":"voyage-code-3","usage":{"total_tokens":1000}}"#)

    @Test func `is counted by service and day, as the service counts`() async throws {
        try await Self.withFile { path in
            let now = Mutex(Self.noon)
            let ledger = CostLedger(path: path, clock: { now.withLock { $0 } })
            let embedder = try Self.embedder(ledger, ScriptedTransport(Self.answer))
            _ = try await embedder.embed([.text("abc")], for: .query)
            _ = try await embedder.embed([.text("abc")], for: .passage)
            now.withLock { $0 = Timestamp("2026-11-29T00:00:00Z") ?? .distantPast }
            _ = try await embedder.embed([.text("abc")], for: .query)
            let days = try CostLedger(path: path).days()
            #expect(days.keys.sorted() == ["2026-11-28", "2026-11-29"])
            let first = try #require(days["2026-11-28"]?["voyage"])
            #expect(first.requests == 2 && first.texts == 2 && first.tokens == 2_000)
            #expect(first.estimatedTokens == 0 && abs(first.dollars - 0.000_36) < 1e-12)
            #expect(try ledger.today("voyage").requests == 1)
            #expect(try ledger.today("openai") == CostLedger.Day())
        }
    }

    @Test func `is estimated where the service does not count, and counted where its answer is of no use`()
        async throws
    {
        let ledger = CostLedger()
        let silent = ScriptedTransport(
            .answer(200, body: #"{"data":[{"embedding":[1]}],"model":"voyage-code-3"}"#),
            .answer(200, body: "<html>"))
        let embedder = try Self.embedder(ledger, silent)
        _ = try await embedder.embed([.text("abcdefg")], for: .query)
        await #expect(throws: EngineError.self) { try await embedder.embed([.text("abc")], for: .query) }
        let day = try #require(ledger.days().values.first?["voyage"])
        #expect(day.requests == 2 && day.tokens == 4 && day.estimatedTokens == 4)
        // What was refused costs nothing.
        let refusing = try Self.embedder(ledger, ScriptedTransport(.answer(401)))
        await #expect(throws: EngineError.self) { try await refusing.embed([.text("abc")], for: .query) }
        #expect(try ledger.days().values.first?["voyage"]?.requests == 2)
    }

    @Test(arguments: [CostLedger.Cap(tokens: 2_100), CostLedger.Cap(dollars: 0.000_37)])
    func `has a cap that stops a call before it is sent, until the next day`(cap: CostLedger.Cap) async throws
    {
        let now = Mutex(Self.noon)
        let ledger = CostLedger(caps: ["voyage": cap], clock: { now.withLock { $0 } })
        let transport = ScriptedTransport(Self.answer)
        let embedder = try Self.embedder(ledger, transport)
        for _ in 1...2 { _ = try await embedder.embed([.text("abc")], for: .query) }
        let error = await #expect(throws: EngineError.self) {
            try await embedder.embed([.text(String(repeating: "a", count: 400))], for: .query)
        }
        #expect(error?.code == .embedder)
        #expect(
            error?.message.hasPrefix("voyage has a cap of ") == true
                && error?.message.contains("midnight UTC") == true)
        #expect(transport.requests.count == 2)
        now.withLock { $0 = Timestamp("2026-11-29T00:00:00Z") ?? .distantPast }
        _ = try await embedder.embed([.text("abc")], for: .query)
        #expect(transport.requests.count == 3)
    }

    @Test func `counts what is under way for a cap`() async throws {
        let ledger = CostLedger(caps: ["voyage": .init(tokens: 100)])
        let transport = ScriptedTransport(.hang)
        let embedder = try Self.embedder(ledger, transport)
        let first = Task {
            try await embedder.embed([.text(String(repeating: "a", count: 180))], for: .query)
        }
        try await transport.asked.reaches(1)
        await #expect(throws: EngineError.self) {
            try await embedder.embed([.text(String(repeating: "b", count: 180))], for: .query)
        }
        #expect(transport.requests.count == 1)
        transport.release(
            HTTPResponse(
                status: 200,
                body: Array(
                    #"{"data":[{"embedding":[1]}],"model":"voyage-code-3","usage":{"total_tokens":9}}"#.utf8))
        )
        _ = try await first.value
        // What was set aside for it is free again.
        _ = try ledger.reserve(.init(texts: 1, tokens: 91, dollars: 0), for: "voyage")
        #expect(throws: EngineError.self) {
            try ledger.reserve(.init(texts: 1, tokens: 1, dollars: 0), for: "voyage")
        }
    }

    @Test func `loses no count where several write to one file`() async throws {
        try await Self.withFile { path in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    let ledger = CostLedger(path: path, clock: { Self.noon })
                    group.addTask {
                        for _ in 0..<10 {
                            try ledger.count(
                                .init(texts: 1, tokens: 3, dollars: 0.5), isEstimate: false, for: "voyage")
                        }
                    }
                }
                try await group.waitForAll()
            }
            let day = try CostLedger(path: path, clock: { Self.noon }).today("voyage")
            #expect(day.requests == 80 && day.tokens == 240 && day.dollars == 40)
        }
    }

    @Test(arguments: ["", "{", "[]", #"{"2026-11-28":{"voyage":{"requests":-}}}"#, "\u{0}\u{1}"])
    func `is not counted into a file that holds something else`(text: String) async throws {
        try await Self.withFile { path in
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            let ledger = CostLedger(path: path, caps: ["voyage": .init(tokens: 10)])
            let transport = ScriptedTransport(Self.answer)
            let error = await #expect(throws: EngineError.self) {
                try await Self.embedder(ledger, transport).embed([.text("abc")], for: .query)
            }
            #expect(error?.code == .corrupted && error?.message.contains(path) == true)
            #expect(transport.requests.isEmpty)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
        }
    }

    @Test func `is kept for four hundred days`() async throws {
        try await Self.withFile { path in
            for day in 0..<410 {
                let moment = Self.noon.advanced(by: .seconds(86_400 * day))
                try CostLedger(path: path, clock: { moment }).count(
                    .init(texts: 1, tokens: 1, dollars: 0), isEstimate: false, for: "voyage")
            }
            let days = try CostLedger(path: path).days()
            #expect(days.count == CostLedger.keptDays && days["2026-11-28"] == nil)
        }
    }
}
