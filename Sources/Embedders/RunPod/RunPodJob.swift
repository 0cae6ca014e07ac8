/// A job of a queue endpoint, from its submission to its end: what was learned goes in with its time, and what to do next comes
/// out. No I/O and no clock.
///
/// It begins with the answer to `/run` or `/runsync`, and goes on with those of `/status`. A failure to ask is no failure of the
/// job, which goes on at RunPod: it is asked again, until several failed in a row or the deadline has passed.
struct RunPodJob: Sendable {
    struct Options: Sendable, Equatable {
        /// Before the first question; each further one comes later, and all begin anew when the job has begun.
        var firstInterval = Duration.milliseconds(250)
        var growth = 1.5
        var longestInterval = Duration.seconds(5)
        /// Questions in a row that may fail.
        var maximumFailureCount = 8
        /// How long a job waits in the queue until the endpoint is asked for its health, and from then to the next time; or a
        /// quarter of the job's time, if that is less.
        var healthInterval = Duration.seconds(10)
        /// How long a job waits without any worker until the endpoint counts as asleep. RunPod starts workers some seconds
        /// after a job came, so this is several times that.
        var asleepAfter = Duration.seconds(30)
    }

    enum Event: Sendable {
        /// An answer to `/run`, `/runsync` or `/status`, with its body.
        case answer([UInt8])
        /// There was no answer to one of these, or a refusal.
        case refusal(HTTPError)
        /// What `/health` said; `nil` where it said nothing of use.
        case health(RunPodHealth?)
        /// The moment of `wait` has come.
        case time
    }

    enum Action: Sendable, Equatable {
        /// Send `time` then.
        case wait(until: Duration)
        case askStatus
        case askHealth
        /// The last answer has the output.
        case succeed
        /// The job is over, or nothing is known of it.
        case fail(RunPodError)
        /// Tell RunPod that nobody waits for the job any more, then fail.
        case cancel(RunPodError)
    }

    private enum Phase {
        case submitted
        case queued(since: Duration)
        case running
        case over
    }

    /// RunPod's name for the job, which stands in URLs.
    private(set) var id: String?

    private let endpoint: String
    private let start: Duration
    private let deadline: Duration
    private let options: Options
    private var phase = Phase.submitted
    private var interval: Duration
    private var failureCount = 0
    /// Why it is not known how the job does.
    private var lastFailure: RunPodError?
    private var health: RunPodHealth?
    private var healthAskedAt: Duration?
    /// Since when the endpoint has no workers.
    private var emptySince: Duration?

    /// - Parameters:
    ///   - endpoint: how errors call it.
    ///   - deadline: when the caller's time is up.
    init(of endpoint: String, at now: Duration, deadline: Duration, options: Options = Options()) {
        (self.endpoint, start, self.deadline, self.options) = (endpoint, now, deadline, options)
        interval = options.firstInterval
    }

    /// Takes what happened, and says what to do.
    ///
    /// - Precondition: it is not over.
    mutating func take(_ event: Event, at now: Duration) -> Action {
        if case .over = phase { preconditionFailure("a job that is over") }
        let action: Action
        switch event {
        case .answer(let body): action = answered(body, at: now)
        case .refusal(let error): action = refused(error, at: now)
        case .health(let health): action = took(health, at: now)
        case .time: action = next(at: now)
        }
        switch action {
        case .succeed, .fail, .cancel: phase = .over
        case .wait, .askStatus, .askHealth: break
        }
        return action
    }

    // MARK: Time

    private func next(at now: Duration) -> Action {
        if now >= deadline { return .cancel(overdue(at: now)) }
        guard case .queued(let since) = phase else { return .askStatus }
        let pause = min(options.healthInterval, (deadline - start) / 4)
        return now - (healthAskedAt ?? since) >= pause ? .askHealth : .askStatus
    }

    private mutating func pause(from now: Duration, atLeast least: Duration = .zero) -> Action {
        let until = now + max(interval, least)
        interval = min(options.longestInterval, interval * options.growth)
        return .wait(until: min(until, deadline))
    }

    private func overdue(at now: Duration) -> RunPodError {
        let time = "\(Self.seconds(now - start)) s"
        let before = lastFailure.map { "; the last question failed: \($0)" } ?? ""
        guard case .queued = phase else {
            return RunPodError(
                .deadline,
                "\(endpoint) was still at a job after \(time)\(before); allow more time, or send fewer inputs in one job"
            )
        }
        let waited = "a job waited \(time) in the queue of \(endpoint)"
        switch health?.condition {
        case .ready:
            return RunPodError(
                .busy, "\(waited), whose workers have others\(before); allow more of them, or more time")
        case .starting:
            return RunPodError(
                .cold,
                "\(waited), whose workers are starting\(before); allow more time, or keep one active")
        case .throttled:
            return RunPodError(
                .cold,
                "\(waited), for whose workers no GPU is free\(before); allow more kinds of GPU, or regions")
        case .unhealthy:
            return RunPodError(
                .cold, "\(waited), whose workers are not well\(before); see their logs at RunPod")
        case .withoutWorkers:
            return RunPodError(
                .cold,
                "\(waited), which had no worker yet\(before); allow more time, keep a worker active, or see at RunPod "
                    + "whether its largest number of workers is 0")
        case nil:
            return RunPodError(
                .cold,
                "\(waited)\(before); its workers may be starting: allow more time, or keep one active")
        }
    }

    private static func seconds(_ duration: Duration) -> String {
        let tenths = Int((duration / .milliseconds(100)).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }

    // MARK: Answers

    private mutating func answered(_ body: [UInt8], at now: Duration) -> Action {
        guard let reply = RunPodReply(body) else {
            return misunderstood(
                "an answer of \(endpoint) is none about a job: \(Self.shown(body))", at: now)
        }
        if let id {
            guard reply.id == nil || reply.id == id else {
                return misunderstood("\(endpoint) answered about another job", at: now)
            }
        } else {
            id = reply.id.flatMap { Self.isName($0) ? $0 : nil }
        }
        if case .unknown(let state) = reply.state {
            return misunderstood(
                "a job of \(endpoint) is in a state that is not known: \(state.debugDescription)", at: now)
        }
        failureCount = 0
        lastFailure = nil
        switch reply.state {
        case .inQueue, .inProgress:
            guard id != nil else {
                return .fail(RunPodError(.badReply, "\(endpoint) took a job, and gave no id that is one"))
            }
            goOn(reply.state, at: now)
            return now >= deadline ? .cancel(overdue(at: now)) : pause(from: now)
        case .completed:
            if let complaint = reply.complaint { return .fail(complaint.failure(of: endpoint)) }
            guard reply.hasOutput else {
                return .fail(
                    RunPodError(
                        .failed,
                        "a job of \(endpoint) is completed without output; its worker may have given more than RunPod takes "
                            + "(20 MB): send fewer inputs in one job"))
            }
            return .succeed
        case .failed: return .fail((reply.complaint ?? .unreadable).failure(of: endpoint))
        case .cancelled:
            return .fail(RunPodError(.cancelled, "a job of \(endpoint) was cancelled by somebody else"))
        case .timedOut:
            return .fail(
                RunPodError(
                    .timedOut,
                    "a job of \(endpoint) ran longer than it may; send fewer inputs in one job, or allow it more time"
                ))
        case .unknown: preconditionFailure("handled above")
        }
    }

    /// A page of a proxy as a line. Half of a job's JSON is not shown: it might be a traceback with the input in it.
    private static func shown(_ body: [UInt8]) -> String {
        let excerpt = HTTPCredential.excerpt(of: body, without: nil)
        if excerpt.isEmpty { return "it is empty" }
        return excerpt.hasPrefix("{") || excerpt.hasPrefix("[") ? "JSON of \(body.count) bytes" : excerpt
    }

    private mutating func goOn(_ state: RunPodReply.State, at now: Duration) {
        switch (phase, state) {
        case (.queued, .inQueue): break
        // `/runsync` says it a while after the job came.
        case (.submitted, .inQueue): phase = .queued(since: start)
        // A worker that dies gives its job back.
        case (_, .inQueue): phase = .queued(since: now)
        case (.running, _): break
        case (_, _):
            phase = .running
            interval = options.firstInterval
        }
    }

    /// What is told of a job that goes on is not understood.
    private mutating func misunderstood(_ message: String, at now: Duration) -> Action {
        failed(RunPodError(.badReply, message), at: now)
    }

    private mutating func failed(_ error: RunPodError, at now: Duration, wait: Duration = .zero) -> Action {
        // The first answer is the only one that could tell which job it is.
        guard id != nil else { return .fail(error) }
        failureCount += 1
        lastFailure = error
        if failureCount >= options.maximumFailureCount || now >= deadline { return .cancel(error) }
        return pause(from: now, atLeast: wait)
    }

    private mutating func refused(_ error: HTTPError, at now: Duration) -> Action {
        guard id != nil else { return .fail(RunPodError(error, of: endpoint)) }
        if error.status == 404 {
            return .fail(
                RunPodError(
                    .expired,
                    "\(endpoint) does not know a job any more, or its result: it keeps results for a while only, and no job "
                        + "longer than its time to live; send it again"))
        }
        guard error.isTransient || error.code == .resting else {
            let told = RunPodError(error, of: endpoint)
            return told.code == .wrongKey ? .fail(told) : .cancel(told)
        }
        return failed(
            RunPodError(error, of: endpoint), at: now, wait: error.retryAfter ?? .zero)
    }

    // MARK: Health

    private mutating func took(_ health: RunPodHealth?, at now: Duration) -> Action {
        healthAskedAt = now
        if let health { self.health = health }
        guard health?.condition == .withoutWorkers, case .queued(let since) = phase else {
            if health != nil { emptySince = nil }
            return now >= deadline ? .cancel(overdue(at: now)) : .askStatus
        }
        // Twice without any, the first time not before RunPod could have started some.
        if emptySince != nil, now - since >= options.asleepAfter {
            return .cancel(
                RunPodError(
                    .asleep,
                    "\(endpoint) is asleep: a job waits for \(Self.seconds(now - since)) s, and there is no worker and none "
                        + "starts; RunPod sets the largest number of workers to 0 after 7 days without jobs: raise it there"
                ))
        }
        emptySince = emptySince ?? now
        return now >= deadline ? .cancel(overdue(at: now)) : .askStatus
    }

    /// Whether it can stand in a URL as it is.
    private static func isName(_ text: String) -> Bool {
        (1...200).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
