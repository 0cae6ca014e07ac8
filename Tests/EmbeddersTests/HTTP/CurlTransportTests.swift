import Foundation
import MemoryEngine
import TestSupport
import Testing

@testable import Embedders

/// All of these wait for what comes. The bound of a minute is for the day when it does not.
@Suite(.timeLimit(.minutes(10))) struct `A transport of libcurl` {
    private static let patience = Duration.seconds(60)
    private static let key = "sk-test-4f9b1c77d02e4a5cb6"

    private static func transport(
        _ change: (inout CurlTransport.Options) -> Void = { _ in }
    ) throws -> CurlTransport {
        var options = CurlTransport.Options()
        options.proxy = ""
        change(&options)
        return try CurlTransport(options: options)
    }

    /// What the transport threw.
    private static func error(
        of request: HTTPRequest, over transport: CurlTransport, within: Duration = patience
    ) async -> HTTPError? {
        do {
            _ = try await transport.send(request, within: within)
            return nil
        } catch {
            return error as? HTTPError
        }
    }

    @Test func `posts a body, and gives status, headers and body of the answer`() async throws {
        let seen = Mutex<LoopbackServer.Request?>(nil)
        let server = try LoopbackServer { request, _ in
            seen.withLock { $0 = request }
            return LoopbackServer.reply("200 OK", "{\"ok\":true}", headers: ["X-Kind:  plain ", "Empty:"])
        }
        let body = Array("{\"input\":[\"the deploy failed\"]}".utf8)
        let request = try HTTPRequest(
            .post, server.url("/v1/embeddings"), headers: [HTTPHeader("Content-Type", "application/json")],
            credential: .bearer(Self.key), body: body)
        let response = try await Self.transport().send(request, within: Self.patience)
        #expect(response.status == 200)
        #expect(response.body == Array("{\"ok\":true}".utf8))
        #expect(response.value(of: "x-kind") == "plain")
        #expect(response.value(of: "empty") == "")
        let head = try #require(seen.withLock { $0?.head })
        #expect(seen.withLock { $0?.body } == body)
        let lines = head.components(separatedBy: "\r\n")
        #expect(lines[0] == "POST /v1/embeddings HTTP/1.1")
        #expect(lines.contains("Authorization: Bearer \(Self.key)"))
        #expect(lines.contains("Content-Type: application/json"))
        #expect(!head.lowercased().contains("expect:"))
    }

    @Test func `sends requests one after another over one connection`() async throws {
        let server = try LoopbackServer { request, _ in
            LoopbackServer.reply("200 OK", "\(request.connection)")
        }
        let transport = try Self.transport()
        for index in 0..<3 {
            let request = try HTTPRequest(.get, server.url("/\(index)"))
            #expect(try await transport.send(request, within: Self.patience).body == Array("0".utf8))
        }
    }

    @Test func `sends many at once, each on its way`() async throws {
        let server = try LoopbackServer { request, _ in
            LoopbackServer.reply("200 OK", String(request.head.split(separator: " ")[1]))
        }
        let transport = try Self.transport()
        let answers = try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
            for index in 0..<40 {
                let request = try HTTPRequest(.get, server.url("/\(index)"))
                group.addTask { (index, try await transport.send(request, within: Self.patience).body) }
            }
            return try await group.reduce(into: [Int: [UInt8]]()) { $0[$1.0] = $1.1 }
        }
        #expect(answers.count == 40)
        for (index, body) in answers { #expect(body == Array("/\(index)".utf8)) }
    }

    @Test func `sends a body of megabytes whole, and an empty one`() async throws {
        let server = try LoopbackServer { request, _ in
            let sum = request.body.reduce(0) { $0 &+ Int($1) }
            return LoopbackServer.reply("200 OK", "\(request.body.count) \(sum)")
        }
        let transport = try Self.transport()
        let body = [UInt8](repeating: 3, count: 2_000_000)
        let large = try HTTPRequest(.post, server.url(), body: body)
        #expect(try await transport.send(large, within: Self.patience).body == Array("2000000 6000000".utf8))
        let empty = try HTTPRequest(.post, server.url())
        #expect(try await transport.send(empty, within: Self.patience).body == Array("0 0".utf8))
    }

    @Test func `refuses to send more than its bound, and sends what is just within`() async throws {
        let server = try LoopbackServer { _, _ in LoopbackServer.reply("200 OK") }
        let transport = try Self.transport { $0.maximumBodyByteCount = 1_000 }
        let within = try HTTPRequest(.post, server.url(), body: [UInt8](repeating: 1, count: 1_000))
        #expect(try await transport.send(within, within: Self.patience).status == 200)
        let beyond = try HTTPRequest(.post, server.url(), body: [UInt8](repeating: 1, count: 1_001))
        #expect(await Self.error(of: beyond, over: transport)?.code == .bodyTooLarge)
    }

    @Test(arguments: [true, false])
    func `ends an answer that is larger than its bound`(isLengthTold: Bool) async throws {
        // Where no length is told, the server would go on for ever.
        let server = try LoopbackServer { request, connection in
            if request.head.contains("/small") {
                return LoopbackServer.reply("200 OK", String(repeating: "a", count: 1_000))
            }
            if isLengthTold { return LoopbackServer.reply("200 OK", String(repeating: "a", count: 1_001)) }
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<11 { connection.send("64\r\n" + String(repeating: "a", count: 100) + "\r\n") }
            connection.waitForEnd()
            return nil
        }
        let transport = try Self.transport { $0.maximumReplyByteCount = 1_000 }
        let small = try HTTPRequest(.get, server.url("/small"))
        #expect(try await transport.send(small, within: Self.patience).body.count == 1_000)
        let error = try await Self.error(of: HTTPRequest(.get, server.url("/large")), over: transport)
        #expect(error?.code == .replyTooLarge)
    }

    @Test func `ends an answer whose head has no end`() async throws {
        let server = try LoopbackServer { _, connection in
            connection.send("HTTP/1.1 200 OK\r\n")
            for index in 0..<2_000 {
                connection.send("X-\(index): " + String(repeating: "a", count: 50) + "\r\n")
            }
            connection.waitForEnd()
            return nil
        }
        let error = try await Self.error(of: HTTPRequest(.get, server.url()), over: Self.transport())
        #expect(error?.code == .replyTooLarge)
    }

    @Test func `gives up a server that never answers when the time is up`() async throws {
        let server = try LoopbackServer { _, connection in
            connection.waitForEnd()
            return nil
        }
        let request = try HTTPRequest(.get, server.url())
        let error = try await Self.error(of: request, over: Self.transport(), within: .milliseconds(50))
        #expect(error?.code == .deadline)
    }

    @Test func `ends the connection of a request that is cancelled, and serves the next`() async throws {
        let (events, continuation) = AsyncStream.makeStream(of: String.self)
        let server = try LoopbackServer { request, connection in
            guard request.head.contains("/slow") else { return LoopbackServer.reply("200 OK", "next") }
            continuation.yield("came")
            connection.waitForEnd()
            continuation.yield("ended")
            return nil
        }
        let transport = try Self.transport()
        let request = try HTTPRequest(.get, server.url("/slow"))
        let task = Task { try await transport.send(request, within: Self.patience) }
        var iterator = events.makeAsyncIterator()
        #expect(await iterator.next() == "came")
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(await iterator.next() == "ended")
        let next = try HTTPRequest(.get, server.url("/next"))
        #expect(try await transport.send(next, within: Self.patience).body == Array("next".utf8))
    }

    @Test func `does not begin a request whose task is cancelled already`() async throws {
        let count = Mutex(0)
        let server = try LoopbackServer { _, _ in
            count.withLock { $0 += 1 }
            return LoopbackServer.reply("200 OK")
        }
        let transport = try Self.transport()
        let request = try HTTPRequest(.get, server.url())
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await transport.send(request, within: Self.patience)
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        // Another request goes through all that the first would have gone through.
        #expect(try await transport.send(request, within: Self.patience).status == 200)
        #expect(count.withLock { $0 } == 1)
    }

    @Test func `tells a connection that breaks amid a body from an answer`() async throws {
        let server = try LoopbackServer { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"data\":[")
            return nil
        }
        let error = try await Self.error(of: HTTPRequest(.get, server.url()), over: Self.transport())
        #expect(error?.code == .connection)
        #expect(error?.message.contains("127.0.0.1:\(server.port)") == true)
    }

    @Test func `says which host nobody answers at`() async throws {
        // The port is free again once the server is gone.
        let port = try LoopbackServer { _, _ in nil }.port
        let request = try HTTPRequest(.get, "http://127.0.0.1:\(port)/")
        let error = try await Self.error(of: request, over: Self.transport())
        #expect(error?.code == .connection)
        #expect(error?.message.contains("127.0.0.1:\(port)") == true)
    }

    @Test func `follows no redirect, so that a key stays with its host`() async throws {
        let other = Mutex(0)
        let second = try LoopbackServer { _, _ in
            other.withLock { $0 += 1 }
            return LoopbackServer.reply("200 OK")
        }
        let url = second.url()
        let server = try LoopbackServer { _, _ in
            LoopbackServer.reply("307 Temporary Redirect", headers: ["Location: \(url)"])
        }
        let request = try HTTPRequest(.get, server.url(), credential: .bearer(Self.key))
        #expect(try await Self.transport().send(request, within: Self.patience).status == 307)
        #expect(other.withLock { $0 } == 0)
    }

    @Test func `asks through a proxy that it is told of`() async throws {
        let proxy = try LoopbackServer { request, _ in
            LoopbackServer.reply("200 OK", String(request.head.prefix { $0 != "\r\n" }))
        }
        let transport = try Self.transport { $0.proxy = proxy.url() }
        let request = try HTTPRequest(.get, "http://memory.example/health")
        #expect(
            try await transport.send(request, within: Self.patience).body
                == Array("GET http://memory.example/health HTTP/1.1".utf8))
    }

    @Test func `drops what a server says before its answer`() async throws {
        let server = try LoopbackServer { _, connection in
            connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
            return LoopbackServer.reply("200 OK", "answer", headers: ["X-Kind: last"])
        }
        let response = try await Self.transport().send(HTTPRequest(.get, server.url()), within: Self.patience)
        #expect(response.status == 200)
        #expect(response.value(of: "link") == nil)
        #expect(response.value(of: "x-kind") == "last")
    }
}
