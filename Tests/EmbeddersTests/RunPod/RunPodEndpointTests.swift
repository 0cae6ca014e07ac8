import Foundation
import MemoryEngine
import Testing

@testable import Embedders

@Suite(.timeLimit(.minutes(10))) struct `A queue endpoint of RunPod` {
    private static let key = "rpa_TEST4F9B1C77D02E4A5CB6"
    private static let patience = Duration.seconds(600)

    /// Of the waits between questions; the client has one that stands still.
    private let clock = EagerHTTPClock()

    private func endpoint(
        over transport: any HTTPTransport, clock: (any HTTPClock)? = nil,
        clientClock: any HTTPClock = TurnedHTTPClock()
    ) throws -> RunPodEndpoint {
        var options = HTTPClient.Options()
        options.random = { 0 }
        // As many fail here within seconds as fail within minutes elsewhere.
        options.breaker.leastCount = 100
        return try RunPodEndpoint(
            "abc123", key: Self.key,
            client: HTTPClient(over: transport, clock: clientClock, options: options),
            clock: clock ?? self.clock)
    }

    private static func error(_ body: () async throws -> [UInt8]) async -> RunPodError? {
        do {
            _ = try await body()
            return nil
        } catch {
            return error as? RunPodError
        }
    }

    @Test func `is given a job, and asked for it until it is completed`() async throws {
        let transport = RunPodTransport { _, path, before in
            switch (path, before) {
            case ("/run", 0), ("/status/job-1", 0): RunPodTransport.job("IN_QUEUE")
            case ("/status/job-1", 1): RunPodTransport.job("IN_PROGRESS")
            default: RunPodTransport.job("COMPLETED", #","output":{"vectors":[]}"#)
            }
        }
        let body = try await endpoint(over: transport).result(
            of: Array(#"{"type":"text"}"#.utf8), within: .seconds(60))
        #expect(
            String(decoding: body, as: UTF8.self)
                == #"{"id":"job-1","status":"COMPLETED","output":{"vectors":[]}}"#)
        #expect(transport.paths == ["/run", "/status/job-1", "/status/job-1", "/status/job-1"])
        #expect(transport.requests.map(\.method) == [.post, .get, .get, .get])
        #expect(transport.requests.allSatisfy { $0.credential?.key == Self.key })
        #expect(
            String(decoding: transport.requests[0].body, as: UTF8.self)
                == #"{"input":{"type":"text"},"policy":{"executionTimeout":60000,"ttl":65000}}"#)
        #expect(clock.wakings == [.milliseconds(250), .milliseconds(625), .milliseconds(875)])
    }

    @Test(arguments: [
        (Duration.seconds(600), 30_000), (.seconds(10), 9_000), (.milliseconds(500), 1_000),
    ])
    func `holds a question open as long as there is time to cancel it, or half a minute`(
        within: Duration, hold: Int
    ) async throws {
        let transport = RunPodTransport { _, path, _ in
            path.hasPrefix("/runsync")
                ? RunPodTransport.job("IN_PROGRESS", id: "sync-1-u1")
                : RunPodTransport.job("COMPLETED", #","output":7"#, id: "sync-1-u1")
        }
        _ = try await endpoint(over: transport).result(of: Array("{}".utf8), by: .runSync, within: within)
        #expect(transport.paths == ["/runsync?wait=\(hold)", "/status/sync-1-u1"])
    }

    @Test(arguments: [
        (401, "wrong", RunPodError.Code.wrongKey, "refuses the key"), (403, "", .wrongKey, "refuses the key"),
        (404, "", .noEndpoint, "the RunPod endpoint abc123 does not exist"),
        (400, "exceeded max body size of 10MiB", .tooLarge, "send fewer inputs"),
        (400, "bad", .failed, "refuses the request"),
        (502, "<html>\n<body>Bad Gateway", .unavailable, "<html> <body>Bad Gateway"),
    ])
    func `names why it takes no job, and the way out`(
        status: Int, body: String, code: RunPodError.Code, words: String
    ) async throws {
        let transport = RunPodTransport { _, _, _ in .answer(status, body: body) }
        let endpoint = try endpoint(over: transport, clientClock: EagerHTTPClock(longest: .seconds(20)))
        let error = await Self.error { try await endpoint.result(of: [], within: Self.patience) }
        #expect(error?.code == code)
        #expect(error?.message.contains(words) == true)
        #expect(error?.message.contains("abc123") == true)
        #expect(transport.paths.allSatisfy { $0 == "/run" })
    }

    @Test func `is sent no job that it would not take`() async throws {
        let transport = RunPodTransport { _, _, _ in RunPodTransport.job("COMPLETED", #","output":7"#) }
        let endpoint = try endpoint(over: transport)
        let large = [UInt8](repeating: 0x20, count: 10_000_000)
        let error = await Self.error { try await endpoint.result(of: large, within: Self.patience) }
        #expect(error?.code == .tooLarge)
        #expect(transport.requests.isEmpty)
        #expect(
            await Self.error { try await endpoint.result(of: large, by: .runSync, within: Self.patience) }
                == nil)
    }

    @Test func `loses no job in a storm of 502`() async throws {
        let transport = RunPodTransport { _, path, before in
            switch (path, before) {
            case ("/run", 0): .answer(502, body: "<html>Bad Gateway</html>")
            case ("/run", 1): RunPodTransport.job("IN_QUEUE")
            case (_, 0...3): .answer(502, body: "<html>Bad Gateway</html>")
            case (_, 4): .fail(.connection)
            case (_, 5): .answer(200, body: #"{"id":"job-1","sta"#)
            case (_, 6): .answer(429, retryAfter: "3")
            case (_, 7): .answer(200, body: "<html>")
            default: RunPodTransport.job("COMPLETED", #","output":7"#)
            }
        }
        let endpoint = try endpoint(over: transport, clientClock: EagerHTTPClock(longest: .seconds(20)))
        _ = try await endpoint.result(of: [], within: Self.patience)
        #expect(transport.paths.filter { $0 == "/run" }.count == 2)
        #expect(transport.paths.allSatisfy { !$0.hasPrefix("/cancel") })
    }

    // MARK: Cancelling

    @Test func `cancels a job that nobody waits for any more`() async throws {
        let transport = RunPodTransport { _, _, _ in RunPodTransport.job("IN_QUEUE") }
        let turned = TurnedHTTPClock()
        let endpoint = try endpoint(over: transport, clock: turned)
        let task = Task { try await endpoint.result(of: [], within: Self.patience) }
        // It sleeps until the first question.
        try await transport.asked.reaches(1)
        try await turned.sleeping.reaches(1)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try await transport.cancels.reaches(1)
        #expect(transport.paths == ["/run", "/cancel/job-1"])
        #expect(transport.requests[1].method == .post)
        #expect(transport.requests[1].credential?.key == Self.key)
    }

    @Test func `cancels a job when the time is up`() async throws {
        let transport = RunPodTransport { _, path, _ in
            path == "/health" ? .answer(500) : RunPodTransport.job("IN_PROGRESS")
        }
        let endpoint = try endpoint(over: transport)
        let error = await Self.error { try await endpoint.result(of: [], within: .seconds(20)) }
        #expect(error?.code == .deadline)
        #expect(clock.uptime == .seconds(20))
        try await transport.cancels.reaches(1)
        #expect(transport.paths.last == "/cancel/job-1")
    }

    @Test func `cancels no job that another caller waits for`() async throws {
        let transport = RunPodTransport { _, path, _ in
            path == "/run" ? .hang : RunPodTransport.job("COMPLETED", #","output":7"#)
        }
        let (turned, alarms) = (TurnedHTTPClock(), TurnedHTTPClock())
        let endpoint = try endpoint(over: transport, clock: turned, clientClock: alarms)
        let tasks = (0..<2).map { _ in Task { try await endpoint.result(of: [], within: Self.patience) } }
        try await alarms.sleeping.reaches(2)
        try await transport.asked.reaches(1)
        transport.release(#"{"id":"job-1","status":"IN_QUEUE"}"#)
        try await turned.sleeping.reaches(2)
        tasks[0].cancel()
        await #expect(throws: CancellationError.self) { try await tasks[0].value }
        turned.turn(to: .milliseconds(250))
        _ = try await tasks[1].value
        #expect(transport.paths == ["/run", "/status/job-1"])
    }

    @Test func `does not wait for a provider that never answers`() async throws {
        let transport = RunPodTransport { _, _, _ in .hang }
        let turned = TurnedHTTPClock()
        let endpoint = try endpoint(over: transport, clock: turned, clientClock: turned)
        async let error = Self.error { try await endpoint.result(of: [], within: .seconds(30)) }
        try await transport.asked.reaches(1)
        #expect(try await turned.turnToNext(of: 1) == .seconds(30))
        #expect(await error?.code == .deadline)
        #expect(transport.paths == ["/run"])
    }

    // MARK: Health

    @Test func `finds out that it sleeps, and takes the job back`() async throws {
        let transport = RunPodTransport { _, path, _ in
            path == "/health"
                ? .answer(200, body: #"{"jobs":{"inQueue":1},"workers":{"idle":0,"running":0}}"#)
                : RunPodTransport.job("IN_QUEUE")
        }
        let endpoint = try endpoint(over: transport)
        let error = await Self.error { try await endpoint.result(of: [], within: Self.patience) }
        #expect(error?.code == .asleep)
        #expect(clock.uptime < .seconds(45))
        #expect(error?.engineError.code == .embedder)
        try await transport.cancels.reaches(1)
    }

    @Test func `says that it is cold while a worker starts`() async throws {
        let transport = RunPodTransport { _, path, _ in
            path == "/health"
                ? .answer(200, body: #"{"jobs":{"inQueue":1},"workers":{"idle":0,"initializing":1}}"#)
                : RunPodTransport.job("IN_QUEUE")
        }
        let endpoint = try endpoint(over: transport)
        let error = await Self.error { try await endpoint.result(of: [], within: Self.patience) }
        #expect(error?.code == .cold)
        #expect(clock.uptime == Self.patience)
        #expect(error?.engineError.code == .embedder)
    }

    @Test func `says that the key is refused, where only the question for its health is`() async throws {
        let transport = RunPodTransport { _, path, _ in
            path == "/health" ? .answer(403) : RunPodTransport.job("IN_QUEUE")
        }
        let endpoint = try endpoint(over: transport)
        let error = await Self.error { try await endpoint.result(of: [], within: Self.patience) }
        #expect(error?.code == .wrongKey)
    }

    @Test func `tells its health`() async throws {
        let transport = RunPodTransport { _, _, before in
            before == 0 ? .answer(200, body: #"{"workers":{"idle":1}}"#) : .answer(200, body: "<html>")
        }
        let endpoint = try endpoint(over: transport)
        #expect(try await endpoint.health().condition == .ready)
        #expect(transport.paths == ["/health"])
        let error = await #expect(throws: RunPodError.self) { try await endpoint.health() }
        #expect(error?.code == .badReply)
    }

    // MARK: Addresses

    @Test(arguments: [
        "", "a b", "a/b", "abc?x", "ä", "rpa_SOMETHING", key, "https://host/\(key)", "https://",
        "ftp://host/x",
        "https://user:pass@host/v2/abc", String(repeating: "a", count: 101),
    ])
    func `is none of what is no id and no URL, and shows no key`(endpoint: String) throws {
        let client = HTTPClient(over: RunPodTransport { _, _, _ in .hang }, clock: TurnedHTTPClock())
        let error = #expect(throws: RunPodError.self) {
            try RunPodEndpoint(endpoint, key: Self.key, client: client)
        }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains(Self.key) == false)
        #expect(error?.message.contains("rpa_") == false)
    }

    @Test func `may stand at another address`() async throws {
        let transport = RunPodTransport { _, _, _ in .answer(200, body: #"{"workers":{}}"#) }
        let client = HTTPClient(over: transport, clock: TurnedHTTPClock())
        _ = try await RunPodEndpoint("http://127.0.0.1:8000/v2/x/", key: nil, client: client).health()
        #expect(transport.requests.map(\.url) == ["http://127.0.0.1:8000/v2/x/health"])
        #expect(transport.requests[0].credential == nil)
    }
}
