import Foundation
import MemoryEngine
import TestSupport
import Testing

@testable import Embedders

/// Both shapes over libcurl, and servers on this machine that fail in their ways. Every error is searched for the key.
@Suite(.timeLimit(.minutes(10))) struct `Services that fail` {
    enum Shape: Sendable, CaseIterable {
        case openAI, tei

        /// An answer with these vectors.
        func body(_ vectors: String...) -> String {
            switch self {
            case .openAI:
                let items = vectors.map { "{\"embedding\":\($0)}" }.joined(separator: ",")
                return "{\"data\":[\(items)],\"model\":\"m\",\"usage\":{\"total_tokens\":5}}"
            case .tei: return "[\(vectors.joined(separator: ","))]"
            }
        }
    }

    private static let key = "sk-test-4f9b1c77d02e4a5cb6"
    private static let noon = Timestamp("2026-11-28T12:00:00Z") ?? .distantPast

    private let clock = TurnedHTTPClock()
    private let ledger = CostLedger(clock: { noon })

    private var counted: CostLedger.Day? {
        get throws { try ledger.days()["2026-11-28"]?["it"] }
    }

    /// They serve as long as the test runs.
    private let servers = Mutex<[LoopbackServer]>([])

    private func embedder(_ shape: Shape, _ server: LoopbackServer) throws -> any HealthReporting {
        servers.withLock { $0.append(server) }
        return try embedder(shape, server.url(""))
    }

    private func embedder(_ shape: Shape, _ url: String) throws -> any HealthReporting {
        var transport = CurlTransport.Options()
        transport.proxy = ""
        transport.maximumReplyByteCount = 2_000
        var retries = HTTPClient.Options()
        retries.random = { 0 }
        let client = try HTTPClient(
            over: CurlTransport(options: transport), clock: clock, options: retries)
        let space = EmbeddingSpace(model: "m", dimension: 2)
        switch shape {
        case .openAI:
            var options = OpenAIEmbedder.Options.server()
            options.service = "it"
            options.ledger = ledger
            return try OpenAIEmbedder(
                url: url, key: Self.key, space: space, options: options, client: client)
        case .tei:
            var options = TEIEmbedder.Options()
            options.service = "it"
            options.ledger = ledger
            options.checksModel = false
            return try TEIEmbedder(url: url, key: Self.key, space: space, options: options, client: client)
        }
    }

    /// What a call that must fail is refused with.
    private static func error(of embedder: any HealthReporting) async throws -> EngineError {
        let error = await #expect(throws: EngineError.self) {
            try await embedder.embed([.text("a text")], for: .passage)
        }
        let told = try #require(error)
        var shown = "\(told) \(String(reflecting: told)) \(told.localizedDescription) \(embedder)"
        dump(told, to: &shown)
        dump(embedder, to: &shown)
        let signs = Array(key)
        for start in 0...signs.count - 8 { #expect(!shown.contains(String(signs[start..<start + 8]))) }
        return told
    }

    /// A server that gives these answers, and the last one to all that follows.
    private static func server(_ asked: Gauge = Gauge(), _ answers: String...) throws -> LoopbackServer {
        let rest = Mutex(answers)
        return try LoopbackServer { _, connection in
            asked.change(by: 1)
            let answer = rest.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
            if !answer.contains("Connection: close") { return answer }
            connection.send(answer)
            return nil
        }
    }

    private static let page = "<html>\r\n<title>502 Bad Gateway</title><!-- \(key) -->\r\n</html>"

    @Test(arguments: Shape.allCases)
    func `are asked again through a storm of pages of HTML and endings, and counted where they may bill`(
        shape: Shape
    ) async throws {
        let page = LoopbackServer.reply("502 Bad Gateway", Self.page, headers: ["Content-Type: text/html"])
        let cut = "HTTP/1.1 200 OK\r\nContent-Length: 900\r\nConnection: close\r\n\r\n\(shape.body("[3,"))"
        let server = try Self.server(
            Gauge(), page, page, cut, LoopbackServer.reply("200 OK", shape.body("[3,4]")))
        let vectors = try await embedder(shape, server).embed([.text("a text")], for: .query)
        #expect(vectors == [[0.6, 0.8]])
        // The one that was cut off, by an estimate, and the last one.
        let day = try #require(try counted)
        #expect(day.requests == 2 && day.texts == 2)
        #expect(day.estimatedTokens == (shape == .openAI ? 2 : 4))
        #expect(day.tokens == (shape == .openAI ? 7 : 4))
    }

    @Test(arguments: Shape.allCases)
    func `are given up after four retries`(shape: Shape) async throws {
        let requests = Mutex(0)
        let server = try LoopbackServer { _, _ in
            requests.withLock { $0 += 1 }
            return LoopbackServer.reply("502 Bad Gateway", Self.page)
        }
        let error = try await Self.error(of: embedder(shape, server))
        #expect(error.code == .embedder)
        #expect(error.message.contains("answered 502: <html> <title>502 Bad Gateway</title>"))
        #expect(requests.withLock { $0 } == 5)
        #expect(try counted == nil)
    }

    @Test(arguments: Shape.allCases, [("Retry-After: 30", 30), ("X-Other: 30", 0)])
    func `are left alone as long as they say`(shape: Shape, wait: (header: String, seconds: Int)) async throws
    {
        let server = try Self.server(
            Gauge(), LoopbackServer.reply("429 Too Many Requests", headers: [wait.header]),
            LoopbackServer.reply("200 OK", shape.body("[0,2]")))
        let embedder = try embedder(shape, server)
        async let vectors = embedder.embed([.text("a text")], for: .query)
        if wait.seconds > 0 { #expect(try await clock.turnToNext(of: 2) == .seconds(wait.seconds)) }
        #expect(try await vectors == [[0, 1]])
        #expect(clock.uptime == .seconds(wait.seconds))
        #expect(try counted?.requests == 1)
    }

    @Test(arguments: Shape.allCases)
    func `are not waited for where they want longer than the caller does`(shape: Shape) async throws {
        let error = try await Self.error(
            of: embedder(
                shape,
                Self.server(
                    Gauge(), LoopbackServer.reply("429 Too Many Requests", headers: ["Retry-After: 3600"]))))
        #expect(error.message.contains("answered 429; it is asked too often, or its quota is used up"))
    }

    @Test(
        arguments: Shape.allCases,
        [
            (400, ""), (401, "whether the key is right"), (402, "no money"), (404, "the name of the model"),
            (422, ""),
        ]
    )
    func `are asked once where they refuse, and the error tells the way out`(
        shape: Shape, refusal: (status: Int, way: String)
    ) async throws {
        let requests = Mutex(0)
        let server = try LoopbackServer { _, _ in
            requests.withLock { $0 += 1 }
            return LoopbackServer.reply(
                "\(refusal.status) No", "{\"error\":\"\(Self.key)\",\"error_type\":\"x\"}")
        }
        let error = try await Self.error(of: embedder(shape, server))
        #expect(error.code == .embedder && error.message.contains("answered \(refusal.status): {"))
        #expect(error.message.contains(refusal.way) || refusal.way.isEmpty)
        #expect(requests.withLock { $0 } == 1)
        #expect(try counted == nil)
    }

    @Test(
        arguments: Shape.allCases,
        [
            "[]", "[1]", "[1,0,0]", "[0,0]", "[NaN,1]", "[1e999,1]", "[1,null]", "\"AADAfwAAgD8=\"",
            "[1,0],[1,0]",
            "[3,", "[\"\(key)\"]",
        ])
    func `give no vectors that are none`(shape: Shape, vector: String) async throws {
        let server = try Self.server(Gauge(), LoopbackServer.reply("200 OK", shape.body(vector)))
        let error = try await Self.error(of: embedder(shape, server))
        #expect(error.code == .embedder && error.message.contains("gave no vectors of m/2/cosine"))
        // It was answered, and is paid for.
        #expect(try counted?.requests == 1)
    }

    @Test(arguments: Shape.allCases, ["", "null", "{}", page])
    func `give no vectors where they give something else`(shape: Shape, body: String) async throws {
        let error = try await Self.error(
            of: embedder(shape, Self.server(Gauge(), LoopbackServer.reply("200 OK", body))))
        #expect(error.message.contains("its answer is none"))
    }

    @Test(arguments: Shape.allCases)
    func `may not answer with more than there is room for`(shape: Shape) async throws {
        let long = shape.body("[" + String(repeating: "1,", count: 1_500) + "1]")
        let error = try await Self.error(
            of: embedder(shape, Self.server(Gauge(), LoopbackServer.reply("200 OK", long))))
        #expect(error.message.contains("larger than 2000 bytes"))
        #expect(try counted?.estimatedTokens == 2)
    }

    @Test(arguments: Shape.allCases)
    func `are not waited for beyond the deadline where they never answer`(shape: Shape) async throws {
        let asked = Gauge()
        let server = try LoopbackServer { _, connection in
            asked.change(by: 1)
            connection.waitForEnd()
            return nil
        }
        let embedder = try embedder(shape, server)
        let call = Task { try await Self.error(of: embedder) }
        try await asked.reaches(1)
        clock.turn(to: .seconds(60))
        #expect(try await call.value.code == .deadline)
        // Nobody knows what it did.
        #expect(try counted?.requests == 1)

        let health = Task { await embedder.health() }
        try await asked.reaches(2)
        clock.turn(to: .seconds(70))
        #expect(await health.value.state == .unreachable)
    }

    @Test(arguments: Shape.allCases)
    func `cost nothing where there are none`(shape: Shape) async throws {
        // Nobody listens on the port of a server that is gone.
        let url = try LoopbackServer { _, _ in nil }.url("")
        let embedder = try embedder(shape, url)
        let error = try await Self.error(of: embedder)
        #expect(error.code == .embedder && error.message.contains("the connection to 127.0.0.1"))
        #expect(await embedder.health().state == .unreachable)
        #expect(try counted == nil)
    }
}
