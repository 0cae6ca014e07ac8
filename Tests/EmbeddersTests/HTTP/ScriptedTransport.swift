import MemoryEngine

@testable import Embedders

/// A number that tests wait for.
final class Gauge: Sendable {
    private struct State {
        var value = 0
        var waiting: [(least: Int, reached: Awaited<Void>)] = []
    }

    private let state = Mutex(State())

    func change(by difference: Int) {
        let reached: [Awaited<Void>] = state.withLock { state in
            state.value += difference
            let value = state.value
            defer { state.waiting.removeAll { $0.least <= value } }
            return state.waiting.filter { $0.least <= value }.map(\.reached)
        }
        for one in reached { one.give(.success(())) }
    }

    func reaches(_ least: Int) async throws {
        let reached = Awaited<Void>()
        state.withLock { state in
            if state.value < least { return state.waiting.append((least, reached)) }
            reached.give(.success(()))
        }
        try await reached.value()
    }
}

/// A clock that a test turns. It stands still otherwise.
final class TurnedHTTPClock: HTTPClock {
    private struct State {
        var uptime = Duration.zero
        var number = 0
        var sleepers: [Int: (until: Duration, woken: Awaited<Void>)] = [:]
    }

    private let state = Mutex(State())
    /// How many sleep.
    let sleeping = Gauge()
    private let start: Timestamp

    init(date: Timestamp = Timestamp(microseconds: 0)) { start = date }

    var uptime: Duration { state.withLock { $0.uptime } }
    var date: Timestamp { start.advanced(by: uptime) }

    func sleep(until moment: Duration) async throws {
        let woken = Awaited<Void>()
        let number: Int? = state.withLock { state in
            guard moment > state.uptime else { return nil }
            state.number += 1
            state.sleepers[state.number] = (moment, woken)
            return state.number
        }
        guard let number else { return }
        try await withTaskCancellationHandler {
            // Who counts sleepers may cancel this one at once.
            sleeping.change(by: 1)
            try await woken.value()
        } onCancel: {
            if state.withLock({ $0.sleepers.removeValue(forKey: number) }) != nil { sleeping.change(by: -1) }
            woken.give(.failure(CancellationError()))
        }
    }

    /// Turns it, and wakes whose time has come.
    func turn(to moment: Duration) {
        let due: [Awaited<Void>] = state.withLock { state in
            state.uptime = moment
            let due = state.sleepers.filter { $0.value.until <= moment }
            for number in due.keys { state.sleepers[number] = nil }
            return due.values.map(\.woken)
        }
        sleeping.change(by: -due.count)
        for one in due { one.give(.success(())) }
    }

    /// Waits until so many sleep, turns to when the first of them wants to wake up, and tells that time.
    func turnToNext(of count: Int) async throws -> Duration {
        try await sleeping.reaches(count)
        let next = state.withLock { $0.sleepers.values.map(\.until).min() ?? $0.uptime }
        turn(to: next)
        return next
    }
}

/// A transport that answers as it was told, and whose last answer is that to all that follows.
final class ScriptedTransport: HTTPTransport {
    enum Step: Sendable {
        case answer(Int, retryAfter: String? = nil, body: String = "")
        case fail(HTTPError.Code, isUnsent: Bool = false)
        /// It answers with what `release` says.
        case hang
    }

    private struct State {
        var steps: [Step]
        var requests: [HTTPRequest] = []
        var hanging: [Awaited<HTTPResponse>] = []
    }

    private let state: Mutex<State>
    /// How many requests came.
    let asked = Gauge()
    /// How many were cancelled.
    let cancelled = Gauge()

    convenience init(_ steps: Step...) { self.init(steps) }

    init(_ steps: [Step]) { state = Mutex(State(steps: steps)) }

    var requests: [HTTPRequest] { state.withLock { $0.requests } }

    func send(_ request: HTTPRequest, within: Duration) async throws -> HTTPResponse {
        let answer = Awaited<HTTPResponse>()
        state.withLock { state in
            state.requests.append(request)
            switch state.steps[0] {
            case .answer(let status, let retryAfter, let body):
                let headers = retryAfter.map { [HTTPHeader("retry-after", $0)] } ?? []
                answer.give(
                    .success(HTTPResponse(status: status, headers: headers, body: Array(body.utf8))))
            case .fail(let code, let isUnsent):
                answer.give(.failure(HTTPError(code, "as told", isUnsent: isUnsent)))
            case .hang: state.hanging.append(answer)
            }
            if state.steps.count > 1 { state.steps.removeFirst() }
        }
        asked.change(by: 1)
        return try await withTaskCancellationHandler {
            try await answer.value()
        } onCancel: {
            answer.give(.failure(CancellationError()))
            cancelled.change(by: 1)
        }
    }

    /// Answers the requests that hang.
    func release(_ response: HTTPResponse) {
        let hanging = state.withLock { state in
            defer { state.hanging = [] }
            return state.hanging
        }
        for answer in hanging { answer.give(.success(response)) }
    }
}
