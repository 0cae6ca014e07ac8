import Foundation
import Glibc
import MemoryEngine
import Testing

@testable import Embedders

@Suite(.timeLimit(.minutes(10))) struct `What services cost` {
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
        let ledger = CostLedger(caps: ["voyage": .init(tokens: 100)], clock: { Self.noon })
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
        _ = try await ledger.reserve(.init(texts: 1, tokens: 91, dollars: 0), for: "voyage")
        await #expect(throws: EngineError.self) {
            try await ledger.reserve(.init(texts: 1, tokens: 1, dollars: 0), for: "voyage")
        }
    }

    @Test func `loses no count where several write to one file`() async throws {
        try await Self.withFile { path in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    let ledger = CostLedger(
                        file: CostFile(path: path, patience: .seconds(3_600)), caps: [:],
                        clock: { Self.noon })
                    group.addTask {
                        for _ in 0..<10 {
                            let reservation = try await ledger.reserve(
                                .init(texts: 1, tokens: 7, dollars: 0.25), for: "voyage")
                            try await ledger.settle(
                                reservation, .init(texts: 1, tokens: 3, dollars: 0.5, isEstimate: false))
                        }
                    }
                }
                try await group.waitForAll()
            }
            let day = try CostLedger(path: path, clock: { Self.noon }).today("voyage")
            #expect(day.requests == 80 && day.texts == 80 && day.tokens == 240 && day.dollars == 40)
            #expect(day.estimatedTokens == 0)
        }
    }

    @Test(arguments: [
        "", "{", "[]", #"{"2026-11-28":{"voyage":{"requests":-}}}"#, "\u{0}\u{1}",
        #"{"2026-11-28":{"voyage":{"tokens":-1}}}"#,
        #"{"2026-11-28":{"voyage":{"tokens":9223372036854775807}}}"#,
        #"{"2026-11-28":{"voyage":{"tokens":1.5}}}"#, #"{"2026-11-28":{"voyage":{"dollars":-0.5}}}"#,
        #"{"2026-11-28":{"voyage":{"dollars":1e999}}}"#, #"{"2026-11-28T00:00:00Z":{}}"#,
        #"{"2026-13-28":{}}"#, #"{"2026-11-28":{"\#(String(repeating: "v", count: 201))":{}}}"#,
    ])
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

    @Test func `is not counted where the file is damaged and nothing is capped, which is said once`()
        async throws
    {
        try await Self.withFile { path in
            try "{".write(toFile: path, atomically: true, encoding: .utf8)
            let told = Mutex<[String]>([])
            // A cap of another service is no reason to stop.
            let ledger = CostLedger(
                path: path, caps: ["openai": .init(tokens: 0)],
                warn: { line in told.withLock { $0.append(line) } })
            let transport = ScriptedTransport(Self.answer)
            let embedder = try Self.embedder(ledger, transport)
            for text in ["abc", "abcd"] {
                #expect(try await embedder.embed([.text(text)], for: .query) == [[1]])
            }
            let lines = told.withLock { $0 }
            #expect(lines.count == 1 && lines[0].contains(path) && lines[0].contains("remove it"), "\(lines)")
            // What is left of it is left to whoever looks into it.
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "{")
            try FileManager.default.removeItem(atPath: path)
            _ = try await embedder.embed([.text("abcde")], for: .query)
            #expect(try ledger.today("voyage").requests == 1)
        }
    }

    @Test(arguments: [
        (CostLedger.Cap(tokens: 1_000), true), (CostLedger.Cap(tokens: 1_001), false),
        (CostLedger.Cap(dollars: 0.000_18), true), (CostLedger.Cap(dollars: 0.000_19), false),
        (CostLedger.Cap(seconds: 0), true), (CostLedger.Cap(seconds: 1), false), (CostLedger.Cap(), false),
    ])
    func `tells by its health that a cap is reached, and asks nothing then`(
        cap: CostLedger.Cap, isReached: Bool
    ) async throws {
        let counting = CostLedger(clock: { Self.noon })
        let first = try Self.embedder(counting, ScriptedTransport(Self.answer))
        _ = try await first.embed([.text("abc")], for: .query)
        let day = try counting.today("voyage")
        try await Self.withFile { path in
            try JSONEncoder().encode(["2026-11-28": ["voyage": day]]).write(to: URL(fileURLWithPath: path))
            let ledger = CostLedger(path: path, caps: ["voyage": cap], clock: { Self.noon })
            #expect((try ledger.reachedCap(of: "voyage") != nil) == isReached)
            #expect(try ledger.reachedCap(of: "openai") == nil)
            let transport = ScriptedTransport(Self.answer)
            let health = await (try Self.embedder(ledger, transport)).health()
            #expect((health.state == .capped) == isReached, "\(health)")
            if isReached {
                #expect(health.message.hasPrefix("cap reached: voyage has a cap of "), "\(health)")
                #expect(transport.requests.isEmpty)
            }
            let runPod = CostLedger(path: path, caps: ["runpod": .init(seconds: 0)], clock: { Self.noon })
            var options = RunPodEmbedder.Options()
            options.ledger = runPod
            let queue = try RunPodEmbedder(
                queue: "abc", key: "a-key-of-nobody", space: EmbeddingSpace(model: "m", dimension: 1),
                options: options)
            #expect(await queue.health().state == .capped)
            try "{".write(toFile: path, atomically: true, encoding: .utf8)
            #expect(await queue.health().state == .failing)
        }
    }

    @Test func `has no dollars where no price is known, also in a file that does not tell`() throws {
        func day(_ text: String) throws -> CostLedger.Day {
            try JSONDecoder().decode(CostLedger.Day.self, from: Data(text.utf8))
        }
        #expect(try day(#"{"requests":2,"seconds":1.5}"#).knownDollars == nil)
        #expect(try day(#"{"requests":2,"seconds":1.5,"unpricedRequests":0}"#).knownDollars == 0)
        #expect(try day(#"{"requests":2,"tokens":7}"#).knownDollars == 0)
        #expect(try day(#"{"requests":2,"tokens":7,"unpricedTokens":7}"#).knownDollars == nil)
        #expect(try day(#"{"requests":2,"dollars":0.5,"unpricedRequests":1}"#).knownDollars == 0.5)
        var counted = CostLedger.Day()
        counted.add(.init(texts: 1, tokens: 0, dollars: nil, isEstimate: false, seconds: 1.5))
        #expect(counted.knownDollars == nil && counted.unpricedRequests == 1)
        counted.remove(.init(texts: 1, tokens: 0, dollars: nil, isEstimate: false, seconds: 1.5))
        #expect(counted == CostLedger.Day())
    }

    @Test func `is kept for four hundred days`() async throws {
        try await Self.withFile { path in
            let days = (0..<400).map { Self.noon.advanced(by: .seconds(86_400 * $0)).day }
            try ("{" + days.map { "\"\($0)\":{\"voyage\":{\"tokens\":1}}" }.joined(separator: ",") + "}")
                .write(toFile: path, atomically: true, encoding: .utf8)
            #expect(try CostLedger(path: path).days().count == 400)
            let next = Self.noon.advanced(by: .seconds(86_400 * 400))
            let ledger = CostLedger(path: path, clock: { next })
            _ = try await ledger.reserve(.init(texts: 1, tokens: 1, dollars: 0), for: "voyage")
            let kept = try ledger.days()
            #expect(kept.keys.sorted() == days.dropFirst() + [next.day])
            #expect(try ledger.today("voyage").tokens == 1)
        }
    }

    @Test func `is counted once where several wait for the same answer`() async throws {
        let ledger = CostLedger(clock: { Self.noon })
        let clock = TurnedHTTPClock()
        let transport = ScriptedTransport(.hang)
        let embedder = try Self.embedder(ledger, transport, clock: clock)
        let calls = (1...2).map { _ in Task { try await embedder.embed([.text("abc")], for: .query) } }
        try await transport.asked.reaches(1)
        try await clock.sleeping.reaches(2)
        transport.release(
            HTTPResponse(
                status: 200,
                body: Array(
                    #"{"data":[{"embedding":[1]}],"model":"voyage-code-3","usage":{"total_tokens":9}}"#.utf8))
        )
        for call in calls { #expect(try await call.value == [[1]]) }
        #expect(transport.requests.count == 1)
        #expect(try ledger.today("voyage").tokens == 9)
        #expect(try ledger.today("voyage").requests == 1)
    }

    @Test func `is counted for each try that may have been answered`() async throws {
        let ledger = CostLedger(clock: { Self.noon })
        let clock = TurnedHTTPClock()
        let transport = ScriptedTransport(.answer(503), .fail(.connection), Self.answer)
        let embedder = try Self.embedder(ledger, transport, clock: clock)
        let call = Task { try await embedder.embed([.text("abcdefg")], for: .query) }
        for _ in 1...2 { _ = try await clock.turnToNext(of: 2) }
        _ = try await call.value
        let day = try ledger.today("voyage")
        #expect(day.requests == 2 && day.tokens == 1_003 && day.estimatedTokens == 3)
        // One whose answer came no more, since nobody waited for it.
        let hanging = ScriptedTransport(.hang)
        let other = try Self.embedder(ledger, hanging)
        let left = Task { try await other.embed([.text("abc")], for: .query) }
        try await hanging.asked.reaches(1)
        left.cancel()
        await #expect(throws: CancellationError.self) { try await left.value }
        #expect(try ledger.today("voyage").requests == 3)
    }

    @Test func `is said not to be known where the price is not, and no cap in dollars holds there`()
        async throws
    {
        let answer = ScriptedTransport.Step.answer(
            200, body: #"{"data":[{"embedding":[1]}],"usage":{"total_tokens":40}}"#)
        for (cap, isSent) in [(CostLedger.Cap(tokens: 90), true), (CostLedger.Cap(dollars: 5), false)] {
            let ledger = CostLedger(caps: ["jina": cap], clock: { Self.noon })
            var options = OpenAIEmbedder.Options.jina(model: "jina-embeddings-v4")
            options.ledger = ledger
            let transport = ScriptedTransport(answer)
            let embedder = try OpenAIEmbedder(
                url: "https://api.example/v1", key: "a-key-of-nobody",
                space: EmbeddingSpace(model: "jina-embeddings-v4", dimension: 1), options: options,
                client: HTTPClient(over: transport, clock: TurnedHTTPClock()))
            if isSent {
                _ = try await embedder.embed([.text("abc")], for: .query)
                let day = try ledger.today("jina")
                #expect(day.tokens == 40 && day.unpricedTokens == 40 && day.dollars == 0)
            } else {
                let error = await #expect(throws: EngineError.self) {
                    try await embedder.embed([.text("abc")], for: .query)
                }
                #expect(error?.message.contains("the price of its model is not known") == true)
            }
            #expect(transport.requests.count == (isSent ? 1 : 0))
        }
    }

    @Test func `is counted before anything is sent, or nothing is sent`() async throws {
        try await Self.withFile { path in
            let transport = ScriptedTransport(Self.answer)
            try "".write(toFile: path + ".lock", atomically: true, encoding: .utf8)
            let lock = open(path + ".lock", O_RDWR | O_CLOEXEC)
            #expect(flock(lock, LOCK_EX) == 0)
            let held = CostLedger(
                file: CostFile(path: path, patience: .zero), caps: [:], clock: { Self.noon })
            var error = await #expect(throws: EngineError.self) {
                try await Self.embedder(held, transport).embed([.text("abc")], for: .query)
            }
            #expect(error?.code == .locked && error?.message.contains(path + ".lock") == true)
            close(lock)

            let nowhere = CostLedger(path: path + ".lock/costs.json", clock: { Self.noon })
            error = await #expect(throws: EngineError.self) {
                try await Self.embedder(nowhere, transport).embed([.text("abc")], for: .query)
            }
            #expect(error?.code == .io)
            #expect(transport.requests.isEmpty)

            // What is under way is there for whoever looks, and for whoever goes on after a crash.
            let hanging = ScriptedTransport(.hang)
            let ledger = CostLedger(path: path, clock: { Self.noon })
            let embedder = try Self.embedder(ledger, hanging)
            let call = Task { try await embedder.embed([.text("abc")], for: .query) }
            try await hanging.asked.reaches(1)
            #expect(try CostLedger(path: path, clock: { Self.noon }).today("voyage").estimatedTokens == 1)
            call.cancel()
            _ = await call.result
        }
    }
}
