import Foundation
import MemoryEngine

@testable import Embedders

/// A transport whose answers depend on what is asked.
final class RunPodTransport: HTTPTransport {
    typealias Step = ScriptedTransport.Step

    private struct State {
        var requests: [HTTPRequest] = []
        var hanging: [Awaited<HTTPResponse>] = []
    }

    private let state = Mutex(State())
    private let answer: @Sendable (HTTPRequest, String, Int) -> Step
    /// How many requests came.
    let asked = Gauge()
    /// How many were to cancel a job.
    let cancels = Gauge()

    /// - Parameter answer: is given the request, the part of its URL behind the endpoint, and how many came before with the same.
    init(_ answer: @escaping @Sendable (HTTPRequest, String, Int) -> Step) { self.answer = answer }

    static let url = "https://api.runpod.ai/v2/abc123"

    var requests: [HTTPRequest] { state.withLock { $0.requests } }
    var paths: [String] { requests.map(Self.path) }
    private static func path(of request: HTTPRequest) -> String {
        request.url.hasPrefix(url) ? String(request.url.dropFirst(url.count)) : request.url
    }

    func send(_ request: HTTPRequest, within: Duration) async throws -> HTTPResponse {
        let path = Self.path(of: request)
        let before = state.withLock { state in
            defer { state.requests.append(request) }
            return state.requests.count { $0.url == request.url }
        }
        let reply = Awaited<HTTPResponse>()
        switch answer(request, path, before) {
        case .answer(let status, let retryAfter, let body):
            let headers = retryAfter.map { [HTTPHeader("retry-after", $0)] } ?? []
            reply.give(.success(HTTPResponse(status: status, headers: headers, body: Array(body.utf8))))
        case .fail(let code, _): reply.give(.failure(HTTPError(code, "as told")))
        case .hang: state.withLock { $0.hanging.append(reply) }
        }
        asked.change(by: 1)
        if path.hasPrefix("/cancel/") { cancels.change(by: 1) }
        return try await withTaskCancellationHandler {
            try await reply.value()
        } onCancel: {
            reply.give(.failure(CancellationError()))
        }
    }

    /// Answers the requests that hang.
    func release(_ body: String) {
        let hanging = state.withLock { state in
            defer { state.hanging = [] }
            return state.hanging
        }
        for reply in hanging { reply.give(.success(HTTPResponse(status: 200, body: Array(body.utf8)))) }
    }

    /// An answer about a job.
    static func job(_ state: String, _ rest: String = "", id: String = "job-1") -> Step {
        .answer(200, body: #"{"id":"\#(id)","status":"\#(state)"\#(rest)}"#)
    }

    /// A job that is completed, with vectors as our workers give them.
    static func completed(_ vectors: [[Float]], model: String = "small-model", id: String = "job-1") -> Step {
        job("COMPLETED", #","output":\#(output(vectors, model: model))"#, id: id)
    }

    static func output(_ vectors: [[Float]], model: String = "small-model") -> String {
        let encoded = vectors.map { "\"\(base64($0))\"" }.joined(separator: ",")
        let dimension = vectors.first?.count ?? 0
        return #"{"model":"\#(model)","dimension":\#(dimension),"vectors":[\#(encoded)]}"#
    }

    static func base64(_ vector: [Float]) -> String {
        var data = Data()
        for component in vector {
            for shift in [0, 8, 16, 24] {
                data.append(UInt8(truncatingIfNeeded: component.bitPattern >> UInt32(shift)))
            }
        }
        return data.base64EncodedString()
    }
}

/// A clock for which whoever sleeps has slept at once.
final class EagerHTTPClock: HTTPClock {
    /// Whoever would sleep longer sleeps until nobody waits for it: an alarm must not go before what it watches.
    private let longest: Duration
    private let moments = Mutex<[Duration]>([])

    init(longest: Duration = .seconds(1 << 40)) { self.longest = longest }

    /// When sleepers woke up.
    var wakings: [Duration] { moments.withLock { $0 } }
    var uptime: Duration { wakings.max() ?? .zero }
    var date: Timestamp { Timestamp(microseconds: 0) }

    func sleep(until moment: Duration) async throws {
        try Task.checkCancellation()
        if moment - uptime > longest {
            // A stream that gives nothing ends when its task is cancelled.
            let (nothing, continuation) = AsyncStream.makeStream(of: Void.self)
            for await _ in nothing {}
            continuation.finish()
            throw CancellationError()
        }
        moments.withLock { $0.append(moment) }
        await Task.yield()
    }
}
