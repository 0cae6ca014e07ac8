import Foundation
import MemoryEngine
import TestSupport
import Testing

@testable import Embedders

/// The client over libcurl, and servers on this machine that fail in their ways.
@Suite(.timeLimit(.minutes(10))) struct `A client over libcurl` {
    private static let patience = Duration.seconds(60)
    private static let key = "sk-test-4f9b1c77d02e4a5cb6"

    private let clock = TurnedHTTPClock()

    private func client(_ change: (inout CurlTransport.Options) -> Void = { _ in }) throws -> HTTPClient {
        var transport = CurlTransport.Options()
        transport.proxy = ""
        change(&transport)
        var options = HTTPClient.Options()
        options.random = { 0 }
        return try HTTPClient(over: CurlTransport(options: transport), clock: clock, options: options)
    }

    private static func error(of request: HTTPRequest, by client: HTTPClient) async -> HTTPError? {
        do {
            _ = try await client.send(request, within: patience)
            return nil
        } catch {
            return error as? HTTPError
        }
    }

    /// A server that gives these answers, and the last one to all that follows. An empty one ends the connection, and
    /// one that says so ends it behind itself.
    private static func server(_ answers: String...) throws -> LoopbackServer {
        let rest = Mutex(answers)
        return try LoopbackServer { _, connection in
            let answer = rest.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
            if !answer.contains("Connection: close") { return answer.isEmpty ? nil : answer }
            connection.send(answer)
            return nil
        }
    }

    @Test func `comes through a storm of pages of HTML, endings and resets`() async throws {
        let page = "<html><head><title>502 Bad Gateway</title></head></html>"
        let server = try Self.server(
            LoopbackServer.reply("502 Bad Gateway", page, headers: ["Content-Type: text/html"]), "",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n{\"dat",
            LoopbackServer.reply("200 OK", "{}"))
        let client = try client()
        let request = try HTTPRequest(.post, server.url(), body: [1])
        let task = Task { try await client.send(request, within: Self.patience) }
        #expect(try await task.value.body == Array("{}".utf8))
    }

    @Test func `shows a page of HTML as one short line`() async throws {
        let page = "<html>\r\n<title>\t502 Bad Gateway</title>\n" + String(repeating: "<br>", count: 10_000)
        let server = try Self.server(LoopbackServer.reply("502 Bad Gateway", page))
        let error = try await Self.error(of: HTTPRequest(.get, server.url()), by: client())
        #expect(error?.status == 502)
        let message = try #require(error?.message)
        #expect(
            message.contains(
                "127.0.0.1:\(server.port) answered 502: <html> <title> 502 Bad Gateway</title> <br>"))
        #expect(message.count < 400)
        #expect(!message.contains("\n"))
    }

    @Test(arguments: [("Retry-After: 30", Duration.seconds(30)), ("X-Other: 30", .zero)])
    func `waits as long as a server wants that is asked too often`(
        header: String, wait: Duration
    ) async throws {
        let server = try Self.server(
            LoopbackServer.reply("429 Too Many Requests", headers: [header]),
            LoopbackServer.reply("200 OK", "well"))
        let client = try client()
        let request = try HTTPRequest(.get, server.url())
        async let answer = client.send(request, within: Self.patience)
        // Without the header it waits for a random part, which is none here.
        if wait > .zero { #expect(try await clock.turnToNext(of: 2) == wait) }
        #expect(try await answer.body == Array("well".utf8))
        #expect(clock.uptime == wait)
    }

    @Test func `shows a key in no error, whatever fails`() async throws {
        let piece = Self.key.prefix(12)
        let echo =
            "{\"error\":\"Incorrect API key provided: \(Self.key) (\(piece)****). Bearer \(Self.key)\"}"
        let heads = Mutex<[String]>([])
        let server = try LoopbackServer { request, connection in
            heads.withLock { $0.append(request.head) }
            let path = request.head.split(separator: " ")[1]
            switch path {
            case "/cut":
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n\(echo)")
                return nil
            case "/nonsense": return "\(echo)\r\n\r\n"
            case "/large": return LoopbackServer.reply("200 OK", String(repeating: echo, count: 100))
            case "/moved":
                return LoopbackServer.reply(
                    "302 Found", headers: ["Location: http://other.example/\(Self.key)"])
            default: return LoopbackServer.reply("\(path.dropFirst()) No", echo)
            }
        }
        let client = try client { $0.maximumReplyByteCount = 2_000 }
        var shown: [String] = []
        let paths = [
            "400", "401", "403", "404", "422", "429", "500", "502", "503", "cut", "nonsense", "large",
            "moved",
        ]
        for path in paths {
            for credential in try [HTTPCredential.bearer(Self.key), .header("x-api-key", Self.key)] {
                let request = try HTTPRequest(
                    .post, server.url("/\(path)"), credential: credential, body: [1])
                // A client of its own for each, so that none rests.
                let error = try #require(
                    await Self.error(of: request, by: try self.client { $0.maximumReplyByteCount = 2_000 }))
                shown += ["\(error)", String(reflecting: error), "\(request)", error.localizedDescription]
                dump(error, to: &shown[0])
                dump(request, to: &shown[0])
            }
        }
        dump(client, to: &shown[0])
        let signs = Array(Self.key)
        let pieces = (0...signs.count - 8).map { String(signs[$0..<$0 + 8]) }
        for text in shown { for piece in pieces { #expect(!text.contains(piece)) } }
        #expect(
            shown.contains { $0.contains("answered 401") && $0.contains("Incorrect API key provided: [key]") }
        )

        // And it was sent, in its header and not in its URL.
        let all = heads.withLock { $0 }
        #expect(all.count >= paths.count * 2)
        for head in all {
            let lines = head.components(separatedBy: "\r\n")
            #expect(!lines[0].contains(Self.key))
            #expect(lines.filter { $0.contains(Self.key) }.count == 1)
        }
    }
}
