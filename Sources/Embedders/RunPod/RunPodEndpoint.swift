import MemoryEngine

/// A queue endpoint of RunPod: jobs go into its queue, and its workers take them out of it.
///
/// What it says is claimed by RunPod's documents and read from its SDK; no live account was used.
final class RunPodEndpoint: Sendable {
    /// How a job is sent.
    enum Route: Sendable, Equatable {
        /// It is sent, and then asked for: a connection that breaks costs nothing.
        case run
        /// The answer is waited for, which is quicker by the time between two questions.
        case runSync

        /// The largest body, in bytes. RunPod says 10 and 20 MB, and means by it at least that.
        var maximumBodyByteCount: Int { self == .run ? 10_000_000 : 20_000_000 }
    }

    /// Jobs that somebody waits for, so that one is not cancelled under another caller: the client sends equal requests once.
    fileprivate struct Waiting {
        /// By their request, who has no answer to it yet.
        var submitting: [HTTPRequest: Int] = [:]
        /// By the id of the job.
        var jobs: [String: Int] = [:]
        /// Of these jobs, those that one who waited for them has the answer of, and counts.
        var counted: Set<String> = []
    }

    /// How errors call it.
    let name: String
    let url: String
    let credential: HTTPCredential?
    private let client: HTTPClient
    private let clock: any HTTPClock
    private let options: RunPodJob.Options
    private let waiting = Mutex(Waiting())

    /// What one question may take; with a broken connection it is asked again.
    private static let longestQuestion = Duration.seconds(30)
    /// How long RunPod holds a `/runsync`. It takes up to 5 minutes, but until it answers there is no id to cancel.
    private static let longestHold = Duration.seconds(30)

    /// - Parameter endpoint: an id such as `abc123`, or the URL that stands before `/run`.
    /// - Throws: `RunPodError` with code `invalid`.
    init(
        _ endpoint: String, key: String?, client: HTTPClient, clock: any HTTPClock = SystemHTTPClock(),
        options: RunPodJob.Options = RunPodJob.Options()
    ) throws {
        let address = try RunPodAddress(endpoint, key: key) { "https://api.runpod.ai/v2/\($0)" }
        url = address.url
        credential = address.credential
        name = "the RunPod endpoint \(address.name)"
        self.client = client
        self.clock = clock
        self.options = options
    }

    // MARK: Jobs

    /// Sends a job, and waits for its result.
    ///
    /// When the caller is cancelled, or its time is up, RunPod is told that nobody waits for the job any more, if it has an
    /// id by then; if not, it expires a little later by itself.
    ///
    /// - Parameters:
    ///   - input: JSON, an object.
    ///   - within: how long the caller waits, in the queue and for the worker.
    /// - Returns: the answer of RunPod whose `output` is the result.
    /// - Throws: `RunPodError`; `CancellationError`.
    func result(of input: [UInt8], by route: Route = .run, within: Duration) async throws -> [UInt8] {
        try await outcome(of: input, by: route, within: within).body
    }

    /// As `result`, with whether another caller of the same job counts what it took; an error says it in `isCounted`.
    func outcome(
        of input: [UInt8], by route: Route, within: Duration
    ) async throws -> (body: [UInt8], isCounted: Bool) {
        do {
            return try await answer(to: input, route, within)
        } catch let error as RunPodError {
            throw error.scrubbed(of: credential)
        }
    }

    private func answer(
        to input: [UInt8], _ route: Route, _ within: Duration
    ) async throws -> (body: [UInt8], isCounted: Bool) {
        let start = clock.uptime
        let deadline = start + within
        let request = try submission(of: input, route, within)
        var job = RunPodJob(of: name, at: start, deadline: deadline, options: options)
        var (action, body) = try await submit(request, within, &job)
        var isOver = false
        defer {
            let isLast = waiting.withLock { $0.stopWaiting(for: job.id, of: request) }
            if isLast, !isOver, let id = job.id { cancel(id) }
        }
        while true {
            switch action {
            case .wait(let moment):
                try await clock.sleep(until: moment)
                action = job.take(.time, at: clock.uptime)
            case .askStatus:
                let status = try self.request(.get, "/status/\(job.id ?? "")")
                let event: RunPodJob.Event
                do {
                    let left = deadline - clock.uptime
                    body = try await client.send(status, within: min(Self.longestQuestion, left)).body
                    event = .answer(body)
                } catch let error as HTTPError {
                    event = .refusal(error)
                }
                action = job.take(event, at: clock.uptime)
            case .askHealth:
                let event: RunPodJob.Event
                do {
                    let left = deadline - clock.uptime
                    event = .health(try await askHealth(within: min(Self.longestQuestion, left)))
                } catch let error as HTTPError {
                    event = [401, 403].contains(error.status) ? .refusal(error) : .health(nil)
                }
                action = job.take(event, at: clock.uptime)
            case .succeed:
                isOver = true
                return (body, !waiting.withLock { $0.count(job.id) })
            case .fail(var error):
                isOver = true
                error.seconds = RunPodOutput.seconds(ofJob: body)
                error.isCounted = !waiting.withLock { $0.count(job.id) }
                throw error
            case .cancel(let error): throw error
            }
        }
    }

    /// Sends the job; then it has an id that somebody waits for, if it has one.
    private func submit(
        _ request: HTTPRequest, _ within: Duration, _ job: inout RunPodJob
    ) async throws -> (RunPodJob.Action, [UInt8]) {
        waiting.withLock { $0.submitting[request, default: 0] += 1 }
        defer { waiting.withLock { $0.stopSubmitting(request, as: job.id) } }
        do {
            let body = try await client.send(request, within: within).body
            return (job.take(.answer(body), at: clock.uptime), body)
        } catch let error as HTTPError {
            return (job.take(.refusal(error), at: clock.uptime), [])
        }
    }

    private func submission(of input: [UInt8], _ route: Route, _ within: Duration) throws -> HTTPRequest {
        let milliseconds = Int(max(0, min(within, .seconds(7 * 86_400)) / .milliseconds(1)))
        // Nobody asks for its result later than that. These are RunPod's least values.
        let life = max(10_000, milliseconds + 5_000)
        let policy = #"{"executionTimeout":\#(max(5_000, milliseconds)),"ttl":\#(min(life, 604_800_000))}"#
        let body = Array(#"{"input":"#.utf8) + input + Array(#","policy":\#(policy)}"#.utf8)
        guard body.count <= route.maximumBodyByteCount else {
            throw RunPodError(
                .tooLarge,
                "a job for \(name) has \(body.count) bytes, and may have \(route.maximumBodyByteCount); send fewer inputs in "
                    + "one job")
        }
        let longest = Int(Self.longestHold / .milliseconds(1))
        // It shall answer while there is time to say that nobody waits any more.
        let hold = min(longest, max(1_000, milliseconds - 1_000))
        return try self.request(.post, route == .run ? "/run" : "/runsync?wait=\(hold)", body: body)
    }

    private func request(
        _ method: HTTPRequest.Method, _ path: String, body: [UInt8] = []
    ) throws -> HTTPRequest {
        do {
            let headers = body.isEmpty ? [] : [HTTPHeader("Content-Type", "application/json")]
            return try HTTPRequest(method, url + path, headers: headers, credential: credential, body: body)
        } catch let error as HTTPError {
            throw RunPodError(error, of: name)
        }
    }

    /// Tells RunPod that nobody waits for a job any more. Nobody waits for the answer either: a job that goes on all the same
    /// expires.
    private func cancel(_ id: String) {
        guard let request = try? request(.post, "/cancel/\(id)") else { return }
        Task { [client] in try? await client.send(request, within: Self.longestQuestion) }
    }

    // MARK: Health

    /// Asks how its workers and jobs are.
    ///
    /// - Throws: `RunPodError`: `wrongKey`, `noEndpoint`, `badReply`, `unavailable`, `deadline`; `CancellationError`.
    func health(within: Duration = .seconds(10)) async throws -> RunPodHealth {
        do {
            guard let health = try await askHealth(within: within) else {
                throw RunPodError(
                    .badReply, "\(name) answers the question for its health with what is no health")
            }
            return health
        } catch let error as HTTPError {
            throw RunPodError(error, of: name).scrubbed(of: credential)
        }
    }

    private func askHealth(within: Duration) async throws -> RunPodHealth? {
        RunPodHealth(try await client.send(request(.get, "/health"), within: within).body)
    }
}

extension RunPodEndpoint.Waiting {
    /// One who has the answer waits for the job in it.
    fileprivate mutating func stopSubmitting(_ request: HTTPRequest, as id: String?) {
        submitting[request] = submitting[request].flatMap { $0 > 1 ? $0 - 1 : nil }
        if let id { jobs[id, default: 0] += 1 }
    }

    /// Whether it was the last one who waits for the job. One who has no answer yet may get this id.
    fileprivate mutating func stopWaiting(for id: String?, of request: HTTPRequest) -> Bool {
        guard let id else { return false }
        jobs[id] = jobs[id].flatMap { $0 > 1 ? $0 - 1 : nil }
        let isLast = jobs[id] == nil && submitting[request] == nil
        if isLast { counted.remove(id) }
        return isLast
    }

    /// Whether nobody has counted the job yet, which is counted now.
    fileprivate mutating func count(_ id: String?) -> Bool {
        id.map { counted.insert($0).inserted } ?? true
    }
}
