import Foundation
import MemoryEngine
import TestSupport
import Testing

@testable import Embedders

/// RunPod as a server on this machine that fails in its ways, over libcurl.
@Suite(.timeLimit(.minutes(10))) struct `RunPod over libcurl` {
    private static let key = "rpa_TEST4F9B1C77D02E4A5CB6"
    private static let space = EmbeddingSpace(model: "small-model", dimension: 2)
    private static let page = "<html><head><title>502 Bad Gateway</title></head></html>"

    private static func client(
        retries: Int = 4, _ change: (inout CurlTransport.Options) -> Void = { _ in }
    ) throws -> HTTPClient {
        var transport = CurlTransport.Options()
        transport.proxy = ""
        change(&transport)
        var options = HTTPClient.Options()
        options.random = { 0 }
        options.retries.maximumRetries = retries
        options.breaker.leastCount = .max
        return try HTTPClient(
            over: CurlTransport(options: transport), clock: TurnedHTTPClock(), options: options)
    }

    private static func endpoint(_ server: LoopbackServer, retries: Int = 4) throws -> RunPodEndpoint {
        try RunPodEndpoint(
            server.url("/v2/abc123"), key: key, client: client(retries: retries), clock: EagerHTTPClock())
    }

    private static func reply(_ body: String) -> String { LoopbackServer.reply("200 OK", body) }

    /// What a job comes through before it ends: pages of HTML, endings, resets, half of JSON.
    @Test func `loses no job in a storm`() async throws {
        let statuses = Mutex<[String]>([
            "", LoopbackServer.reply("502 Bad Gateway", Self.page),
            Self.reply(#"{"id":"job-1","status":"IN_QU"#),
            LoopbackServer.reply("429 Too Many Requests"), "cut", "nonsense\r\n\r\n", Self.reply(Self.page),
            LoopbackServer.reply("504 Gateway Timeout", Self.page),
            Self.reply(#"{"id":"job-1","status":"IN_PROGRESS"}"#),
        ])
        let paths = Mutex<[String]>([])
        let server = try LoopbackServer { request, connection in
            let path = String(request.head.split(separator: " ")[1])
            paths.withLock { $0.append(path) }
            switch path {
            case "/v2/abc123/run": return Self.reply(#"{"id":"job-1","status":"IN_QUEUE"}"#)
            case "/v2/abc123/status/job-1":
                let next = statuses.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                guard let next else {
                    let output = RunPodTransport.output([[3, 4]])
                    return Self.reply(#"{"id":"job-1","status":"COMPLETED","output":\#(output)}"#)
                }
                guard next == "cut" else { return next.isEmpty ? nil : next }
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{\"id\":\"job-1\"")
                return nil
            default: return LoopbackServer.reply("404 Not Found")
            }
        }
        let embedder = try RunPodEmbedder(
            queue: Self.endpoint(server), loadBalancer: nil, space: Self.space)
        let task = Task { try await embedder.embed([.text("a")], for: .passage) }
        #expect(try await task.value == [[0.6, 0.8]])
        #expect(statuses.withLock { $0.isEmpty })
        #expect(paths.withLock { $0.count { $0.hasSuffix("/run") } } == 1)
        #expect(!paths.withLock { $0.contains { $0.contains("/cancel") } })
    }

    @Test func `tells RunPod that nobody waits any more`() async throws {
        let cancelled = Gauge()
        let asked = Gauge()
        let server = try LoopbackServer { request, connection in
            if request.head.hasPrefix("POST /v2/abc123/cancel/job-1 ") {
                cancelled.change(by: 1)
                return Self.reply(#"{"id":"job-1","status":"CANCELLED"}"#)
            }
            guard request.head.hasPrefix("GET /v2/abc123/status/job-1 ") else {
                return Self.reply(#"{"id":"job-1","status":"IN_PROGRESS"}"#)
            }
            asked.change(by: 1)
            connection.waitForEnd()
            return nil
        }
        let endpoint = try Self.endpoint(server)
        let task = Task { try await endpoint.result(of: Array("{}".utf8), within: .seconds(600)) }
        try await asked.reaches(1)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try await cancelled.reaches(1)
    }

    @Test func `shows its key in no error, and no input, whatever fails`() async throws {
        let secret = "what nobody but the caller knows"
        let piece = Self.key.prefix(12)
        let words = "Invalid key \(Self.key) (\(piece)****). Authorization: Bearer \(Self.key)"
        let error = #"{\"error_message\":\"\#(words)\",\"error_traceback\":\"f('\#(secret)')\"}"#
        let answers: [String: String] = [
            "400": LoopbackServer.reply("400 Bad Request", words),
            "large": LoopbackServer.reply("400 Bad Request", "exceeded max body size of 10MiB, \(words)"),
            "401": LoopbackServer.reply("401 Unauthorized", words),
            "404": LoopbackServer.reply("404 Not Found", words),
            "429": LoopbackServer.reply("429 Too Many Requests", words),
            "502": LoopbackServer.reply("502 Bad Gateway", "<html>\(words)"),
            "html": Self.reply("<html>\(words)"), "half": Self.reply(#"{"status":"\#(words)"#),
            "traceback": Self.reply(#"{"id":"a","status":"FAILED","error":"\#(secret)"#),
            "echo": Self.reply(#"{"id":"a","status":"COMPLETED","output":{"text":"\#(secret)"}}"#),
            "state": Self.reply(#"{"id":"a","status":"\#(words)"}"#),
            "id": Self.reply(#"{"id":"\#(words)","status":"IN_QUEUE"}"#),
            "failed": Self.reply(#"{"id":"a","status":"FAILED","error":"\#(error)"}"#),
            "output": Self.reply(#"{"id":"a","status":"COMPLETED","output":{"error":"\#(words)"}}"#),
            "object": Self.reply(
                #"{"id":"a","status":"COMPLETED","output":{"object":"error","message":"\#(words)"}}"#),
            "model": Self.reply(
                #"{"id":"a","status":"COMPLETED","output":{"model":"\#(words)","vectors":[[1,0]]}}"#),
            "other": Self.reply(#"{"id":"a","status":"COMPLETED","output":{"text":"\#(words)"}}"#),
            "cancelled": Self.reply(#"{"id":"a","status":"CANCELLED","error":"\#(words)"}"#),
            "timed": Self.reply(#"{"id":"a","status":"TIMED_OUT","error":"\#(words)"}"#),
            "later": Self.reply(#"{"id":"a","status":"IN_QUEUE"}"#), "dropped": "",
            "nonsense": "\(words)\r\n\r\n", "empty": LoopbackServer.reply("204 No Content"),
            "directly": Self.reply(words),
        ]
        let heads = Mutex<[String]>([])
        let server = try LoopbackServer { request, _ in
            heads.withLock { $0.append(request.head) }
            let parts = request.head.split(separator: " ")[1].split(separator: "/")
            // What comes of the job that is accepted.
            if parts[0] == "later", parts[1] != "run" { return LoopbackServer.reply("502 No", words) }
            let answer = answers[String(parts[0])] ?? ""
            return answer.isEmpty ? nil : answer
        }
        var shown: [String] = []
        var messages: [String] = []
        func note(_ error: any Error, _ embedder: RunPodEmbedder) {
            shown += ["\(error)", String(reflecting: error), error.localizedDescription, "\(embedder)"]
            messages.append("\(error)")
            dump(error, to: &shown[0])
            dump(embedder, to: &shown[0])
        }
        shown.append("")
        for name in answers.keys.sorted() {
            // Each has a client of its own, so that none rests.
            let url = server.url("/\(name)")
            let queue = try RunPodEndpoint(
                url, key: Self.key, client: Self.client(retries: 0), clock: EagerHTTPClock())
            let balancer = try RunPodLoadBalancer(
                url, key: Self.key, client: Self.client(retries: 0), clock: EagerHTTPClock())
            for (embedder, purpose) in [
                (
                    try RunPodEmbedder(queue: queue, loadBalancer: nil, space: Self.space),
                    EmbeddingPurpose.passage
                ),
                (try RunPodEmbedder(queue: queue, loadBalancer: nil, space: Self.space), .query),
                (try RunPodEmbedder(queue: nil, loadBalancer: balancer, space: Self.space), .query),
            ] {
                do {
                    _ = try await embedder.embed([.text(secret)], for: purpose)
                    Issue.record("\(name) gives vectors")
                } catch {
                    #expect(
                        (error as? EngineError)?.message.contains("127.0.0.1") == true, "\(name): \(error)")
                    note(error, embedder)
                }
                do {
                    _ = try await embedder.queueHealth()
                    _ = try await embedder.loadBalancerIsReady()
                } catch {
                    note(error, embedder)
                }
            }
        }
        let signs = Array(Self.key)
        let pieces = (0...signs.count - 8).map { String(signs[$0..<$0 + 8]) }
        for text in shown {
            for piece in pieces + [secret] { #expect(!text.contains(piece)) }
        }
        #expect(messages.contains { $0.contains("Invalid key [key]") })

        // And it was sent, in its header and not in its URL.
        let all = heads.withLock { $0 }
        #expect(all.count >= answers.count * 2)
        for head in all {
            let lines = head.components(separatedBy: "\r\n")
            #expect(!lines[0].contains(Self.key))
            #expect(lines.filter { $0.contains(Self.key) }.count == 1)
        }
    }

    @Test func `gives up an answer that is too large`() async throws {
        let server = try LoopbackServer { _, _ in Self.reply(String(repeating: " ", count: 3_000)) }
        let client = try Self.client { $0.maximumReplyByteCount = 2_000 }
        let endpoint = try RunPodEndpoint(
            server.url(), key: Self.key, client: client, clock: EagerHTTPClock())
        let error = await #expect(throws: RunPodError.self) {
            try await endpoint.result(of: Array("{}".utf8), within: .seconds(60))
        }
        #expect(error?.code == .tooLarge)
        #expect(error?.message.contains("send fewer inputs in one job") == true)
    }

    @Test func `reads the vectors of the largest job that our workers take`() async throws {
        let space = EmbeddingSpace(model: "small-model", dimension: 1_024)
        let vector = RunPodTransport.base64((0..<1_024).map { Float($0) })
        let list = Array(repeating: "\"\(vector)\"", count: 1_024).joined(separator: ",")
        let body = #"{"id":"a","status":"COMPLETED","output":{"vectors":[\#(list)]}}"#
        let server = try LoopbackServer { _, _ in Self.reply(body) }
        let endpoint = try RunPodEndpoint(
            server.url(), key: Self.key, client: Self.client(), clock: EagerHTTPClock())
        var options = RunPodEmbedder.Options()
        options.maximumJobCount = 1_024
        let embedder = try RunPodEmbedder(
            queue: endpoint, loadBalancer: nil, space: space, options: options)
        let vectors = try await embedder.embed(
            Array(repeating: .text("a"), count: 1_024), for: .passage)
        #expect(vectors.count == 1_024)
        #expect(vectors.allSatisfy { $0 == vectors[0] && $0.count == 1_024 && $0[0] == 0 && $0[1] > 0 })
    }
}
