import Testing

@testable import Embedders

@Suite struct `A job at RunPod` {
    private static let input = "the secret input"

    private static func job(
        deadline: Duration = .seconds(600), _ change: (inout RunPodJob.Options) -> Void = { _ in }
    ) -> RunPodJob {
        var options = RunPodJob.Options()
        change(&options)
        return RunPodJob(of: "endpoint abc", at: .zero, deadline: deadline, options: options)
    }

    /// One that waits in the queue.
    private static func queued(
        deadline: Duration = .seconds(600), _ change: (inout RunPodJob.Options) -> Void = { _ in }
    ) -> RunPodJob {
        var job = job(deadline: deadline, change)
        _ = job.take(answer("IN_QUEUE"), at: .zero)
        return job
    }

    private static func answer(_ state: String, _ rest: String = "") -> RunPodJob.Event {
        .answer(Array(#"{"id":"job-1","status":"\#(state)"\#(rest)}"#.utf8))
    }

    private static func health(_ workers: [String: Int]) -> RunPodJob.Event {
        .health(RunPodHealth(workers: workers))
    }

    private static func error(_ action: RunPodJob.Action) -> RunPodError? {
        switch action {
        case .fail(let error), .cancel(let error): error
        case .wait, .askStatus, .askHealth, .succeed: nil
        }
    }

    // MARK: Time

    @Test func `is asked for in growing intervals, up to a cap`() {
        var job = Self.queued { $0.healthInterval = .seconds(9_999) }
        var moment = Duration.milliseconds(250)
        var waits: [Duration] = []
        for _ in 0..<10 {
            #expect(job.take(.time, at: moment) == .askStatus)
            guard case .wait(let next) = job.take(Self.answer("IN_QUEUE"), at: moment) else { break }
            waits.append(next - moment)
            moment = next
        }
        #expect(
            waits.prefix(3) == [.milliseconds(375), .microseconds(562_500), .microseconds(843_750)])
        #expect(waits.suffix(3) == [.seconds(5), .seconds(5), .seconds(5)])
        #expect(zip(waits, waits.dropFirst()).allSatisfy { $0 <= $1 })
    }

    @Test(arguments: ["IN_PROGRESS", "RUNNING"])
    func `is asked for more often again when it has begun`(state: String) {
        var job = Self.queued()
        for _ in 0..<9 { _ = job.take(Self.answer("IN_QUEUE"), at: .seconds(1)) }
        #expect(job.take(Self.answer("IN_QUEUE"), at: .seconds(1)) == .wait(until: .seconds(6)))
        #expect(job.take(Self.answer(state), at: .seconds(6)) == .wait(until: .seconds(6.25)))
        #expect(job.take(Self.answer(state), at: .seconds(7)) == .wait(until: .seconds(7.375)))
    }

    @Test func `is not waited for beyond the deadline, and then cancelled`() {
        var job = Self.queued(deadline: .seconds(10))
        #expect(job.take(Self.answer("IN_PROGRESS"), at: .seconds(9.9)) == .wait(until: .seconds(10)))
        let action = job.take(.time, at: .seconds(10))
        guard case .cancel(let error) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(error.code == .deadline)
        #expect(error.message.contains("was still at a job after 10 s"))
    }

    @Test func `is cancelled at once where its first answer comes too late`() {
        var job = Self.job(deadline: .seconds(5))
        guard case .cancel(let error) = job.take(Self.answer("IN_QUEUE"), at: .seconds(5)) else {
            Issue.record("goes on")
            return
        }
        #expect(error.code == .cold)
        #expect(job.id == "job-1")
    }

    // MARK: Ends

    @Test(arguments: [
        #"{"vectors":[]}"#, #"[{"vectors":[]}]"#, #""text""#, "7", "[]", "[[0.5]]", #"{"error":null}"#,
        #"{"error":""}"#, #"{"error":false}"#, #"{"object":"list","data":[]}"#,
    ])
    func `succeeds with an output that is no error`(output: String) {
        var job = Self.job()
        #expect(job.take(Self.answer("COMPLETED", #","output":\#(output)"#), at: .seconds(1)) == .succeed)
    }

    @Test(arguments: [
        #"{"error":"out of memory"}"#, #"[{"error":"out of memory"}]"#,
        #"{"error":{"code":"internal","message":"out of memory"}}"#,
        #"{"object":"error","message":"out of memory","code":500}"#,
        #"[{"object":"error","message":"out of memory"}]"#,
        #"{"object":"error","error":{"message":"out of memory"}}"#,
    ])
    func `fails where it is completed with an error for its output`(output: String) {
        var job = Self.queued()
        let action = job.take(Self.answer("COMPLETED", #","output":\#(output)"#), at: .seconds(1))
        #expect(Self.error(action)?.code == .failed)
        #expect(Self.error(action)?.message.hasSuffix(": out of memory") == true)
        guard case .fail = action else {
            Issue.record("it is over, and needs no cancelling")
            return
        }
    }

    @Test func `fails without an output`() {
        for rest in ["", #","output":null"#] {
            var job = Self.queued()
            let error = Self.error(job.take(Self.answer("COMPLETED", rest), at: .seconds(1)))
            #expect(error?.code == .failed)
            #expect(error?.message.contains("20 MB") == true)
        }
    }

    @Test func `tells the message of an exception, and neither its traceback nor the input`() {
        // As the SDK sends it: JSON in a string.
        let told =
            #"{\"error_type\":\"<class 'ValueError'>\",\"error_message\":\"no such layer\",\"error_traceback\":"#
            + #"\"Traceback (most recent call last):\\n  text = '\#(Self.input)'\\n\",\"hostname\":\"pod-77\"}"#
        var job = Self.queued()
        let error = Self.error(job.take(Self.answer("FAILED", #","error":"\#(told)""#), at: .seconds(1)))
        #expect(error?.code == .failed)
        #expect(
            error?.message
                == "a worker of endpoint abc failed at a job (<class 'ValueError'>): no such layer")
    }

    @Test(arguments: [
        (
            #""Traceback (most recent call last):\n  f('the secret input')\nValueError: no such layer\n""#,
            "ValueError: no such layer"
        ),
        (
            #"{"error_message":"Traceback (most recent call last):\n  'the secret input'\nno such layer"}"#,
            "no such layer"
        ),
        (#""{\"error_message\": \"cut, 'the secret input""#, "an error without a message"),
        (#"{"input":"the secret input"}"#, "an error without a message"),
        (#"["the secret input"]"#, "an error without a message"),
        (#""[\"the secret input\"]""#, "an error without a message"),
        ("7", "an error without a message"), ("true", "an error without a message"),
        ("null", "an error without a message"), (#""""#, "an error without a message"),
        (#"{"message":""}"#, "an error without a message"), (#""plain words""#, "plain words"),
    ])
    func `tells as much of an error as is safe`(error: String, told: String) {
        var job = Self.queued()
        let action = job.take(Self.answer("FAILED", #","error":\#(error)"#), at: .seconds(1))
        #expect(Self.error(action)?.message == "a worker of endpoint abc failed at a job: \(told)")
    }

    @Test(arguments: ["too_large", "too_many", "reply_too_large"])
    func `is too large where the worker says so`(code: String) {
        var job = Self.queued()
        let rest = #","error":"{\"code\":\"\#(code)\",\"message\":\"1,024 are the limit\"}""#
        #expect(Self.error(job.take(Self.answer("FAILED", rest), at: .seconds(1)))?.code == .tooLarge)
    }

    @Test(arguments: [
        ("FAILED", RunPodError.Code.failed), ("CANCELLED", .cancelled), ("TIMED_OUT", .timedOut),
    ])
    func `fails with the reason that RunPod gives`(state: String, code: RunPodError.Code) {
        var job = Self.queued()
        guard case .fail(let error) = job.take(Self.answer(state), at: .seconds(1)) else {
            Issue.record("goes on")
            return
        }
        #expect(error.code == code)
        #expect(error.message.contains("endpoint abc"))
    }

    // MARK: Answers that are none

    private static let nonsense = [
        "", "null", "[]", "{}", "<html>502</html>", #"{"id":"job-1","status":"COMPL"#, #"{"status":7}"#,
        #"{"id":"job-1","status":"PAUSED"}"#, #"{"id":"job-2","status":"COMPLETED","output":1}"#,
        #"{"id":7,"status":"COMPLETED","output":1}"#,
    ]

    @Test(arguments: nonsense)
    func `is asked for again after an answer that is none, some times, and then given up`(body: String) {
        var job = Self.queued()
        var moment = Duration.zero
        for _ in 0..<7 {
            guard case .wait(let next) = job.take(.answer(Array(body.utf8)), at: moment) else {
                Issue.record("gives up")
                return
            }
            moment = next
        }
        // One good answer, and all begins anew.
        var well = job
        _ = well.take(Self.answer("IN_QUEUE"), at: moment)
        guard case .wait = well.take(.answer(Array(body.utf8)), at: moment) else {
            Issue.record("gives up")
            return
        }
        guard case .cancel(let error) = job.take(.answer(Array(body.utf8)), at: moment) else {
            Issue.record("goes on")
            return
        }
        #expect(error.code == .badReply)
    }

    @Test(
        arguments: nonsense.filter { !$0.contains("PAUSED") && !$0.contains("job-2") && !$0.contains("7,") })
    func `fails where nothing is known of it`(body: String) {
        var job = Self.job()
        guard case .fail(let error) = job.take(.answer(Array(body.utf8)), at: .zero) else {
            Issue.record("goes on")
            return
        }
        #expect(error.code == .badReply)
    }

    @Test(arguments: ["", "a/b", "a?b", "../x", "a b", "ä", String(repeating: "a", count: 201)])
    func `takes no id that would be another address`(id: String) {
        var job = Self.job()
        let body = #"{"id":"\#(id)","status":"IN_QUEUE"}"#
        #expect(Self.error(job.take(.answer(Array(body.utf8)), at: .zero))?.code == .badReply)
        #expect(job.id == nil)
    }

    // MARK: Refusals

    private static func refusal(
        _ status: Int, _ message: String = "told", retryAfter: Duration? = nil
    ) -> RunPodJob.Event {
        .refusal(HTTPError(.status, message, status: status, retryAfter: retryAfter))
    }

    @Test(arguments: [
        (refusal(401), RunPodError.Code.wrongKey), (refusal(403), .wrongKey), (refusal(404), .noEndpoint),
        (refusal(400, "answered 400: Exceeded max body size of 10MiB"), .tooLarge),
        (refusal(413), .tooLarge), (refusal(400), .failed), (refusal(422), .failed),
        (refusal(429), .unavailable), (refusal(502), .unavailable),
        (.refusal(HTTPError(.deadline, "told")), .deadline),
        (.refusal(HTTPError(.connection, "told")), .unavailable),
        (.refusal(HTTPError(.resting, "told")), .unavailable),
        (.refusal(HTTPError(.certificate, "told")), .unavailable),
        (.refusal(HTTPError(.bodyTooLarge, "told")), .tooLarge),
        (.refusal(HTTPError(.replyTooLarge, "told")), .tooLarge),
    ])
    func `fails at once where it is refused`(event: RunPodJob.Event, code: RunPodError.Code) {
        var job = Self.job()
        guard case .fail(let error) = job.take(event, at: .zero) else {
            Issue.record("goes on")
            return
        }
        #expect(error.code == code)
        #expect(error.message.contains("endpoint abc"))
    }

    @Test func `has expired where its status is not found`() {
        var job = Self.queued()
        guard case .fail(let error) = job.take(Self.refusal(404), at: .seconds(1)) else {
            Issue.record("goes on")
            return
        }
        #expect(error.code == .expired)
    }

    @Test func `goes on while questions fail for a while`() {
        var job = Self.queued()
        for event in [
            Self.refusal(502), Self.refusal(429), .refusal(HTTPError(.connection, "told")),
            .refusal(HTTPError(.deadline, "told")), .refusal(HTTPError(.resting, "told")),
        ] {
            guard case .wait = job.take(event, at: .seconds(1)) else {
                Issue.record("gives up")
                return
            }
        }
        #expect(
            job.take(Self.refusal(429, retryAfter: .seconds(30)), at: .seconds(2))
                == .wait(until: .seconds(32)))
        #expect(
            job.take(Self.refusal(429, retryAfter: .seconds(9_999)), at: .seconds(32))
                == .wait(until: .seconds(600)))
        guard case .cancel(let error) = job.take(.time, at: .seconds(600)) else {
            Issue.record("goes on")
            return
        }
        #expect(error.message.contains("the last question failed: endpoint abc is asked too often"))
    }

    @Test func `is cancelled where questions are refused, unless the key is`() {
        var job = Self.queued()
        guard case .cancel = job.take(Self.refusal(400), at: .seconds(1)) else {
            Issue.record("is not cancelled")
            return
        }
        var other = Self.queued()
        guard case .fail(let error) = other.take(Self.refusal(401), at: .seconds(1)) else {
            Issue.record("is cancelled")
            return
        }
        #expect(error.code == .wrongKey)
    }

    // MARK: Health

    @Test func `lets the endpoint be asked for its health while it waits long`() {
        var job = Self.queued()
        #expect(job.take(.time, at: .seconds(9.9)) == .askStatus)
        #expect(job.take(.time, at: .seconds(10)) == .askHealth)
        #expect(job.take(Self.health(["initializing": 1]), at: .seconds(10)) == .askStatus)
        #expect(job.take(.time, at: .seconds(19)) == .askStatus)
        #expect(job.take(.time, at: .seconds(20)) == .askHealth)
        #expect(job.take(.health(nil), at: .seconds(20)) == .askStatus)
        _ = job.take(Self.answer("IN_PROGRESS"), at: .seconds(21))
        #expect(job.take(.time, at: .seconds(60)) == .askStatus)
    }

    @Test func `counts how long it waits from its submission, or from when a worker gave it back`() {
        var job = Self.job()
        _ = job.take(Self.answer("IN_QUEUE"), at: .seconds(30))
        #expect(job.take(.time, at: .seconds(31)) == .askHealth)
        _ = job.take(.health(nil), at: .seconds(31))
        _ = job.take(Self.answer("IN_PROGRESS"), at: .seconds(50))
        _ = job.take(Self.answer("IN_QUEUE"), at: .seconds(100))
        let health = Self.health([:])
        #expect(job.take(.time, at: .seconds(110)) == .askHealth)
        #expect(job.take(health, at: .seconds(110)) == .askStatus)
        #expect(job.take(health, at: .seconds(129)) == .askStatus)
        #expect(Self.error(job.take(health, at: .seconds(130)))?.code == .asleep)
    }

    @Test func `tells an endpoint that sleeps from one that is cold`() {
        var job = Self.queued()
        #expect(job.take(.time, at: .seconds(10)) == .askHealth)
        #expect(job.take(Self.health(["idle": 0, "running": 0]), at: .seconds(10)) == .askStatus)
        #expect(job.take(Self.health([:]), at: .seconds(20)) == .askStatus)
        // A worker that starts: it was cold only.
        var cold = job
        #expect(cold.take(Self.health(["initializing": 1]), at: .seconds(30)) == .askStatus)
        #expect(cold.take(Self.health([:]), at: .seconds(40)) == .askStatus)
        guard case .cancel(let error) = job.take(Self.health(["idle": 0]), at: .seconds(30)) else {
            Issue.record("goes on")
            return
        }
        #expect(error.code == .asleep)
        #expect(error.message.contains("endpoint abc is asleep: a job waits for 30 s"))
        #expect(error.message.contains("raise it"))
    }

    @Test(
        arguments: [
            ([:], RunPodError.Code.cold, "had no worker yet"), (["initializing": 2], .cold, "are starting"),
            (["throttled": 1], .cold, "no GPU is free"), (["unhealthy": 1], .cold, "not well"),
            (["running": 3], .busy, "have others"), (["idle": 0, "ready": 1], .busy, "have others"),
        ] as [([String: Int], RunPodError.Code, String)])
    func `says what kept it in the queue`(workers: [String: Int], code: RunPodError.Code, words: String) {
        var job = Self.queued(deadline: .seconds(8))
        #expect(job.take(.time, at: .seconds(2)) == .askHealth)
        #expect(job.take(Self.health(workers), at: .seconds(2)) == .askStatus)
        let error = Self.error(job.take(.time, at: .seconds(8)))
        #expect(error?.code == code)
        #expect(error?.message.contains("waited 8 s in the queue of endpoint abc") == true)
        #expect(error?.message.contains(words) == true)
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"workers":7}"#, #"{"workers":{"idle":"x"}}"#, #"{"workers":{"idle":1"#,
    ])
    func `takes no health from an answer that has none`(body: String) {
        #expect(RunPodHealth(Array(body.utf8)) == nil)
    }

    @Test func `reads an endpoint's health`() {
        let health = RunPodHealth(
            Array(#"{"jobs":{"inQueue":2},"workers":{"idle":0,"running":0,"initializing":1}}"#.utf8))
        #expect(health?.condition == .starting)
        #expect(health?.jobs == ["inQueue": 2])
    }
}
