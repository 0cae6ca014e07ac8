import MemoryEngine

/// Counts what is sent: called before each attempt, which what it throws stops, and what it gives is told what came of it.
package typealias HTTPMeter =
    @Sendable () async throws -> @Sendable (Result<HTTPResponse, any Error>) async -> Void

/// Asks one provider, and keeps at it as long as that is of use: it retries what may succeed a moment later, within a budget;
/// it leaves a provider alone that fails; and it asks once where several want the same at the same time.
///
/// Callers who share a request each keep their own deadline and cancellation. The request is ended when the last of them has
/// left.
package final class HTTPClient: Sendable {
    package struct Options: Sendable {
        package var retries = RetryPolicy()
        package var breaker = CircuitBreaker.Options()
        /// The bound of one attempt, for callers with more patience than sense.
        package var longestAttempt = Duration.seconds(300)
        /// How long a provider must have had for its answer, until a caller's deadline counts as its failure.
        package var leastPatience = Duration.seconds(1)
        /// From 0 up to 1, for jitter.
        package var random: @Sendable () -> Double = { Double.random(in: 0..<1) }

        package init() {}
    }

    /// What callers share who send the same, and keep at it as long.
    private struct Wanted: Hashable {
        let request: HTTPRequest
        let isHurried: Bool
    }

    private struct Caller {
        let answer: Awaited<HTTPResponse>
        let deadline: Duration
        let isRetried: Bool
    }

    /// A request under way, for all who wait for it.
    private struct Flight {
        let wanted: Wanted
        var request: HTTPRequest { wanted.request }
        var callers: [Int: Caller] = [:]
        var task: Task<Void, Never>?
        /// What is at the provider just now, since when.
        var attempt: (permit: CircuitBreaker.Permit, start: Duration)?
        /// Why the attempt before did not succeed.
        var failure: HTTPError?
    }

    private struct State {
        var flights: [Int: Flight] = [:]
        var flightOf: [Wanted: Int] = [:]
        /// The next number, of a flight or a caller.
        var number = 0
        var budget = RetryBudget()
        var breaker: CircuitBreaker

        mutating func remove(_ flight: Int) -> Flight? {
            guard let removed = flights.removeValue(forKey: flight) else { return nil }
            flightOf[removed.wanted] = nil
            return removed
        }
    }

    private let transport: any HTTPTransport
    private let clock: any HTTPClock
    private let options: Options
    private let state: Mutex<State>

    private static let longestWait = Duration.seconds(7 * 86_400)

    package init(
        over transport: any HTTPTransport, clock: any HTTPClock = SystemHTTPClock(),
        options: Options = Options()
    ) {
        self.transport = transport
        self.clock = clock
        self.options = options
        state = Mutex(State(breaker: CircuitBreaker(options.breaker)))
    }

    /// Sends a request, and gives the answer of a server that did what it was asked for.
    ///
    /// - Parameters:
    ///   - within: how long the caller waits, retries and all.
    ///   - isRetried: whether it is sent again where that may help. Who wants to know how a provider is does not want that.
    ///   - isHurried: somebody waits who can do without: where there is no connection, it is sent once more and soon (`RetryPolicy.hurried`).
    ///   - meter: counts each attempt; of callers who share a request, the first one's.
    /// - Throws: `HTTPError`; `CancellationError`; what the meter throws.
    package func send(
        _ request: HTTPRequest, within: Duration, isRetried: Bool = true, isHurried: Bool = false,
        meter: HTTPMeter? = nil
    ) async throws -> HTTPResponse {
        try Task.checkCancellation()
        let deadline = clock.uptime + min(max(within, .zero), Self.longestWait)
        let answer = Awaited<HTTPResponse>()
        let (flight, caller) = join(
            Wanted(request: request, isHurried: isHurried), meter,
            Caller(answer: answer, deadline: deadline, isRetried: isRetried))
        let alarm = Task {
            try await clock.sleep(until: deadline)
            leave(flight, caller, answer, isOverdue: true)
        }
        defer { alarm.cancel() }
        return try await withTaskCancellationHandler {
            try await answer.value()
        } onCancel: {
            leave(flight, caller, answer, isOverdue: false)
        }
    }

    // MARK: Sharing

    private func join(
        _ wanted: Wanted, _ meter: HTTPMeter?, _ caller: Caller
    ) -> (flight: Int, caller: Int) {
        let (flight, number, isNew) = state.withLock { state in
            state.number += 2
            let known = state.flightOf[wanted]
            let flight = known ?? state.number
            if known == nil {
                state.flightOf[wanted] = flight
                state.flights[flight] = Flight(wanted: wanted)
                state.budget.countRequest()
            }
            state.flights[flight]?.callers[state.number + 1] = caller
            return (flight, state.number + 1, known == nil)
        }
        if isNew {
            let task = Task { await fly(flight, wanted, meter) }
            let isWanted = state.withLock { state in
                state.flights[flight]?.task = task
                return state.flights[flight] != nil
            }
            if !isWanted { task.cancel() }
        }
        return (flight, number)
    }

    /// Lets a caller go without an answer; the last one takes the request along.
    private func leave(_ number: Int, _ caller: Int, _ answer: Awaited<HTTPResponse>, isOverdue: Bool) {
        let now = clock.uptime
        let left: (task: Task<Void, Never>?, failure: HTTPError?, host: String)? = state.withLock { state in
            guard state.flights[number]?.callers.removeValue(forKey: caller) != nil,
                let flight = state.flights[number]
            else { return nil }
            guard flight.callers.isEmpty else { return (nil, flight.failure, flight.request.host) }
            if let (permit, start) = flight.attempt {
                let isFailure = isOverdue && now - start >= options.leastPatience
                state.breaker.record(isFailure ? .failure : .unknown, of: permit, at: now)
            }
            _ = state.remove(number)
            return (flight.task, flight.failure, flight.request.host)
        }
        left?.task?.cancel()
        guard isOverdue else { return answer.give(.failure(CancellationError())) }
        // Where the request is over, `fly` is about to give what came of it.
        guard let left else { return }
        let reason = left.failure.map { "; before that: \($0)" } ?? ""
        answer.give(.failure(HTTPError(.deadline, "\(left.host) gave no answer in time\(reason)")))
    }

    private func fly(_ number: Int, _ wanted: Wanted, _ meter: HTTPMeter?) async {
        let result: Result<HTTPResponse, any Error>
        do {
            result = .success(try await answer(to: wanted, number, meter))
        } catch {
            result = .failure(error)
        }
        let callers = state.withLock { $0.remove(number)?.callers.values.map(\.answer) ?? [] }
        for answer in callers { answer.give(result) }
    }

    // MARK: Attempts

    private func answer(
        to wanted: Wanted, _ number: Int, _ meter: HTTPMeter?
    ) async throws -> HTTPResponse {
        let request = wanted.request
        var retry = 0
        while true {
            try beginAttempt(number, at: request.host)
            let failure: HTTPError
            do {
                let response = try await attempt(request, meter)
                if response.isSuccess {
                    endAttempt(number, .success)
                    return response
                }
                failure = refusal(response, of: request)
            } catch let error as HTTPError {
                failure = error
            } catch {
                endAttempt(number, .unknown)
                throw error
            }
            endAttempt(number, failure.outcome, failure)
            guard let moment = retryMoment(number, retry, after: failure, isHurried: wanted.isHurried) else {
                throw failure
            }
            try await clock.sleep(until: moment)
            retry += 1
        }
    }

    private func attempt(_ request: HTTPRequest, _ meter: HTTPMeter?) async throws -> HTTPResponse {
        let end = try await meter?()
        do {
            guard !Task.isCancelled else { throw HTTPError(.deadline, "nobody waits", isUnsent: true) }
            let response = try await transport.send(request, within: options.longestAttempt)
            await end?(.success(response))
            return response
        } catch {
            await end?(.failure(error))
            throw error
        }
    }

    /// - Throws: why the attempt before failed, or that there shall be none.
    private func beginAttempt(_ number: Int, at host: String) throws {
        let now = clock.uptime
        let failure: HTTPError? = state.withLock { state in
            guard let flight = state.flights[number] else { return HTTPError(.deadline, "nobody waits") }
            guard let permit = state.breaker.permit(at: now) else {
                let rest = state.breaker.opensUntil.map { max(.zero, $0 - now) }
                return flight.failure
                    ?? HTTPError(
                        .resting, "\(host) failed too often lately, and is not asked for a while",
                        retryAfter: rest)
            }
            state.flights[number]?.attempt = (permit, now)
            return nil
        }
        if let failure { throw failure }
    }

    private func endAttempt(_ number: Int, _ outcome: CircuitBreaker.Outcome, _ failure: HTTPError? = nil) {
        let now = clock.uptime
        state.withLock { state in
            // Where the last caller has left, `leave` has recorded it.
            guard let attempt = state.flights[number]?.attempt else { return }
            state.flights[number]?.attempt = nil
            state.flights[number]?.failure = failure
            state.breaker.record(outcome, of: attempt.permit, at: now)
        }
    }

    /// When to try again; `nil` if that is of no use, comes too late for everybody, or is beyond the budget.
    private func retryMoment(
        _ number: Int, _ retry: Int, after failure: HTTPError, isHurried: Bool
    ) -> Duration? {
        let isUnreached = failure.code == .connection && failure.isUnsent
        let policy = isHurried && isUnreached ? .hurried : options.retries
        guard failure.isTransient, retry < policy.maximumRetries else { return nil }
        let wait = policy.wait(
            beforeRetry: retry, retryAfter: failure.retryAfter, random: options.random())
        let moment = clock.uptime + wait
        return state.withLock { state in
            let deadline =
                state.flights[number]?.callers.values.filter(\.isRetried).map(\.deadline).max() ?? .zero
            return moment < deadline && state.budget.takeRetry() ? moment : nil
        }
    }

    private func refusal(_ response: HTTPResponse, of request: HTTPRequest) -> HTTPError {
        let excerpt = HTTPCredential.excerpt(of: response.body, without: request.credential)
        return HTTPError(
            .status, "\(request.host) answered \(response.status)" + (excerpt.isEmpty ? "" : ": \(excerpt)"),
            status: response.status,
            retryAfter: response.value(of: "Retry-After").flatMap { RetryAfter.parse($0, now: clock.date) })
    }
}
