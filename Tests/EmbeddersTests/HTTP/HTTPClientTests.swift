import MemoryEngine
import Testing

@testable import Embedders

@Suite(.timeLimit(.minutes(10))) struct `A client of HTTP` {
    private static let patience = Duration.seconds(60)

    private let clock = TurnedHTTPClock()

    private func client(
        over transport: any HTTPTransport, _ change: (inout HTTPClient.Options) -> Void = { _ in }
    ) -> HTTPClient {
        var options = HTTPClient.Options()
        options.random = { 0.5 }
        change(&options)
        return HTTPClient(over: transport, clock: clock, options: options)
    }

    private static func request(_ number: Int = 0, key: String = "key") throws -> HTTPRequest {
        try HTTPRequest(
            .post, "https://api.example/embed", credential: .bearer(key), body: Array("\(number)".utf8))
    }

    private static func error(_ body: () async throws -> HTTPResponse) async -> HTTPError? {
        do {
            _ = try await body()
            return nil
        } catch {
            return error as? HTTPError
        }
    }

    // MARK: Retries

    @Test(arguments: [408, 429, 500, 502, 503, 504])
    func `asks again after a moment where that may help`(status: Int) async throws {
        let transport = ScriptedTransport(.answer(status), .answer(200, body: "well"))
        let client = client(over: transport)
        let request = try Self.request()
        async let answer = client.send(request, within: Self.patience)
        #expect(try await clock.turnToNext(of: 2) == .milliseconds(250))
        #expect(try await answer.body == Array("well".utf8))
        #expect(transport.requests == [request, request])
    }

    @Test(arguments: [301, 400, 401, 402, 403, 404, 413, 422, 501])
    func `does not ask again where the answer would be the same`(status: Int) async throws {
        let transport = ScriptedTransport(.answer(status, body: "<p>no</p>"), .answer(200))
        let request = try Self.request()
        let error = await Self.error {
            try await client(over: transport).send(request, within: Self.patience)
        }
        #expect(error?.code == .status)
        #expect(error?.status == status)
        #expect(error?.message == "api.example answered \(status): <p>no</p>")
        #expect(transport.requests.count == 1)
    }

    @Test func `asks again after a broken connection, and not after what stays so`() async throws {
        let broken = ScriptedTransport(.fail(.connection), .fail(.deadline), .answer(200))
        let client = client(over: broken) { $0.random = { 0 } }
        #expect(try await client.send(Self.request(), within: Self.patience).status == 200)
        #expect(broken.requests.count == 3)
        for code in [HTTPError.Code.certificate, .invalid, .bodyTooLarge, .replyTooLarge] {
            let transport = ScriptedTransport(.fail(code), .answer(200))
            let error = await Self.error {
                try await self.client(over: transport).send(Self.request(), within: Self.patience)
            }
            #expect(error?.code == code)
        }
    }

    @Test func `asks once more and soon, where there is no connection and somebody can do without`()
        async throws
    {
        let refused = ScriptedTransport(.fail(.connection, isUnsent: true))
        let client = client(over: refused) { $0.random = { 0.99 } }
        let request = try Self.request()
        let task = Task {
            await Self.error { try await client.send(request, within: Self.patience, isHurried: true) }
        }
        // With the patience of others it would wait for a clock that nobody turns.
        try #require(try await clock.turnToNext(of: 2) <= .milliseconds(250))
        #expect(await task.value?.code == .connection)
        #expect(refused.requests.count == 2)
        // Where there is one, it is asked with the same patience as ever.
        let broken = ScriptedTransport(.fail(.connection), .answer(503), .answer(503), .answer(200))
        let other = self.client(over: broken) { $0.random = { 0 } }
        #expect(try await other.send(Self.request(), within: Self.patience, isHurried: true).status == 200)
    }

    @Test(.timeLimit(.minutes(1))) func `keeps who can do without apart from who cannot`() async throws {
        let refused = ScriptedTransport(
            .fail(.connection, isUnsent: true), .fail(.connection, isUnsent: true), .hang)
        let client = client(over: refused)
        let request = try Self.request()
        async let answer = client.send(request, within: Self.patience)
        try await clock.sleeping.reaches(2)
        let hurried = Task {
            await Self.error { try await client.send(request, within: Self.patience, isHurried: true) }
        }
        try await clock.sleeping.reaches(4)
        clock.turn(to: .milliseconds(250))
        try await refused.asked.reaches(4)
        refused.release(HTTPResponse(status: 200, headers: [], body: []))
        #expect(try await answer.status == 200)
        #expect(await hurried.value == nil)
    }

    @Test func `waits longer before each retry, and gives up`() async throws {
        let transport = ScriptedTransport(.answer(503))
        let client = client(over: transport)
        let request = try Self.request()
        let task = Task { await Self.error { try await client.send(request, within: Self.patience) } }
        var moments: [Duration] = []
        for _ in 0..<4 { moments.append(try await clock.turnToNext(of: 2)) }
        #expect(moments == [.seconds(0.25), .seconds(0.75), .seconds(1.75), .seconds(3.75)])
        #expect(await task.value?.status == 503)
        #expect(transport.requests.count == 5)
    }

    @Test func `comes back when the server said`() async throws {
        let transport = ScriptedTransport(.answer(429, retryAfter: "7"), .answer(200))
        let client = client(over: transport)
        let request = try Self.request()
        async let answer = client.send(request, within: Self.patience)
        #expect(try await clock.turnToNext(of: 2) == .seconds(7.25))
        #expect(try await answer.status == 200)
    }

    @Test func `says at once when the server wants more time than there is`() async throws {
        let transport = ScriptedTransport(.answer(429, retryAfter: "120"), .answer(200))
        let error = await Self.error {
            try await client(over: transport).send(Self.request(), within: Self.patience)
        }
        #expect(error?.status == 429)
        #expect(error?.retryAfter == .seconds(120))
        #expect(transport.requests.count == 1)
    }

    @Test func `adds a tenth to the requests of a storm, and a few for a start`() async throws {
        let transport = ScriptedTransport(.answer(502))
        let client = client(over: transport) {
            $0.random = { 0 }
            $0.breaker.leastCount = .max
        }
        for number in 0..<100 {
            let error = await Self.error {
                try await client.send(Self.request(number), within: Self.patience)
            }
            #expect(error?.status == 502)
        }
        #expect(transport.requests.count == 100 + 5 + 10)
    }

    // MARK: The breaker

    @Test func `leaves a failing provider alone, and then lets one request try`() async throws {
        let transport = ScriptedTransport(.fail(.connection))
        let client = client(over: transport) { $0.retries.maximumRetries = 0 }
        for number in 0..<10 {
            #expect(
                await Self.error { try await client.send(Self.request(number), within: Self.patience) }?.code
                    == .connection)
        }
        let resting = await Self.error { try await client.send(Self.request(), within: Self.patience) }
        #expect(resting?.code == .resting)
        #expect(resting?.retryAfter == .seconds(10))
        #expect(transport.requests.count == 10)

        clock.turn(to: .seconds(10))
        #expect(
            await Self.error { try await client.send(Self.request(), within: Self.patience) }?.code
                == .connection)
        #expect(
            await Self.error { try await client.send(Self.request(), within: Self.patience) }?.code
                == .resting)
        #expect(transport.requests.count == 11)
    }

    @Test func `lets only one request try, and the next where that one was given up`() async throws {
        let transport = ScriptedTransport(
            .answer(500), .answer(500), .answer(500), .answer(500), .answer(500), .answer(500), .answer(500),
            .answer(500), .answer(500), .answer(500), .hang)
        let client = client(over: transport) { $0.retries.maximumRetries = 0 }
        for number in 0..<10 {
            _ = await Self.error { try await client.send(Self.request(number), within: Self.patience) }
        }
        clock.turn(to: .seconds(10))
        let probe = Task { try await client.send(Self.request(1), within: Self.patience) }
        try await transport.asked.reaches(11)
        #expect(
            await Self.error { try await client.send(Self.request(2), within: Self.patience) }?.code
                == .resting)
        probe.cancel()
        await #expect(throws: CancellationError.self) { try await probe.value }
        let next = Task { try await client.send(Self.request(3), within: Self.patience) }
        try await transport.asked.reaches(12)
        transport.release(HTTPResponse(status: 200))
        #expect(try await next.value.status == 200)
        // It is closed: two may be under way.
        let both = [4, 5].map { number in
            Task { try await client.send(Self.request(number), within: Self.patience) }
        }
        try await transport.asked.reaches(14)
        transport.release(HTTPResponse(status: 200))
        for task in both { #expect(try await task.value.status == 200) }
    }

    @Test(arguments: [HTTPError.Code.invalid, .bodyTooLarge])
    func `takes nothing that was not sent for a sign of life`(code: HTTPError.Code) async throws {
        let transport = ScriptedTransport(
            .answer(500), .answer(500), .answer(500), .answer(500), .answer(500), .answer(500), .answer(500),
            .answer(500), .answer(500), .answer(500), .fail(code), .answer(500))
        let client = client(over: transport) { $0.retries.maximumRetries = 0 }
        // The one behind it tries in its place, fails, and nobody does after that.
        let expected = Array(repeating: HTTPError.Code.status, count: 10) + [code, .status, .resting]
        for (number, expected) in expected.enumerated() {
            if number == 10 { clock.turn(to: .seconds(10)) }
            let error = await Self.error {
                try await client.send(Self.request(number), within: Self.patience)
            }
            #expect(error?.code == expected)
        }
    }

    @Test func `does not blame the provider for what was asked of it`() async throws {
        let transport = ScriptedTransport(.answer(404))
        let client = client(over: transport)
        for number in 0..<20 {
            #expect(
                await Self.error { try await client.send(Self.request(number), within: Self.patience) }?
                    .status == 404)
        }
        #expect(transport.requests.count == 20)
    }

    @Test(arguments: [(Duration.seconds(2), HTTPError.Code.resting), (.milliseconds(500), .deadline)])
    func `takes it for a failure that a provider never answers, if it had the time`(
        within: Duration, then code: HTTPError.Code
    ) async throws {
        let transport = ScriptedTransport(.hang)
        let client = client(over: transport)
        for number in 0..<10 {
            async let error = Self.error { try await client.send(Self.request(number), within: within) }
            try await transport.asked.reaches(number + 1)
            _ = try await clock.turnToNext(of: 1)
            #expect(await error?.code == .deadline)
            try await transport.cancelled.reaches(number + 1)
        }
        let last = Task { await Self.error { try await client.send(Self.request(), within: within) } }
        if code == .deadline {
            try await transport.asked.reaches(11)
            _ = try await clock.turnToNext(of: 1)
        }
        #expect(await last.value?.code == code)
    }

    // MARK: Deadlines and sharing

    @Test func `ends when the caller's time is up, and says what was before`() async throws {
        let transport = ScriptedTransport(.answer(503, body: "busy"), .hang)
        let client = client(over: transport)
        let request = try Self.request()
        async let error = Self.error { try await client.send(request, within: .seconds(5)) }
        #expect(try await clock.turnToNext(of: 2) == .milliseconds(250))
        try await transport.asked.reaches(2)
        #expect(try await clock.turnToNext(of: 1) == .seconds(5))
        #expect(
            await error?.message
                == "api.example gave no answer in time; before that: api.example answered 503: busy")
        try await transport.cancelled.reaches(1)
    }

    @Test func `asks once for all who want the same`() async throws {
        let transport = ScriptedTransport(.hang)
        let client = client(over: transport)
        let request = try Self.request()
        let tasks = (0..<3).map { _ in Task { try await client.send(request, within: Self.patience) } }
        try await clock.sleeping.reaches(3)
        try await transport.asked.reaches(1)
        transport.release(HTTPResponse(status: 200, body: [7]))
        for task in tasks { #expect(try await task.value.body == [7]) }
        #expect(transport.requests.count == 1)

        // Who comes later asks anew.
        async let later = client.send(request, within: Self.patience)
        try await transport.asked.reaches(2)
        transport.release(HTTPResponse(status: 200, body: [8]))
        #expect(try await later.body == [8])
    }

    @Test func `does not share between different keys or bodies`() async throws {
        let transport = ScriptedTransport(.hang)
        let client = client(over: transport)
        let requests = try [Self.request(), Self.request(key: "other"), Self.request(1)]
        let tasks = requests.map { request in Task { try await client.send(request, within: Self.patience) } }
        try await transport.asked.reaches(3)
        #expect(Set(transport.requests) == Set(requests))
        transport.release(HTTPResponse(status: 200))
        for task in tasks { #expect(try await task.value.status == 200) }
    }

    @Test func `keeps the deadline of each who shares`() async throws {
        let transport = ScriptedTransport(.hang)
        let client = client(over: transport)
        let request = try Self.request()
        let hasty = Task { await Self.error { try await client.send(request, within: .seconds(5)) } }
        let patient = Task { try await client.send(request, within: .seconds(20)) }
        #expect(try await clock.turnToNext(of: 2) == .seconds(5))
        #expect(await hasty.value?.code == .deadline)
        try await transport.asked.reaches(1)
        transport.release(HTTPResponse(status: 200))
        #expect(try await patient.value.status == 200)
        #expect(transport.requests.count == 1)
    }

    @Test func `ends a shared request when the last has left`() async throws {
        let transport = ScriptedTransport(.hang)
        let client = client(over: transport)
        let request = try Self.request()
        let tasks = (0..<2).map { _ in Task { try await client.send(request, within: Self.patience) } }
        try await clock.sleeping.reaches(2)
        try await transport.asked.reaches(1)
        tasks[0].cancel()
        await #expect(throws: CancellationError.self) { try await tasks[0].value }
        // The other one still waits, and whoever comes now joins it.
        let third = Task { try await client.send(request, within: Self.patience) }
        try await clock.sleeping.reaches(2)
        tasks[1].cancel()
        await #expect(throws: CancellationError.self) { try await tasks[1].value }
        third.cancel()
        await #expect(throws: CancellationError.self) { try await third.value }
        try await transport.cancelled.reaches(1)
        #expect(transport.requests.count == 1)
    }

    @Test func `stops waiting for a retry when it is cancelled`() async throws {
        let transport = ScriptedTransport(.answer(503))
        let client = client(over: transport)
        let request = try Self.request()
        let task = Task { try await client.send(request, within: Self.patience) }
        try await clock.sleeping.reaches(2)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(transport.requests.count == 1)
    }
}
