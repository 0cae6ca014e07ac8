import MemoryEngine

/// Why RunPod gave no result. Switch on `code`; show `message`, which names the endpoint and the way out.
struct RunPodError: Error, Sendable, Equatable, CustomStringConvertible {
    enum Code: Sendable {
        /// An id, URL or key that is none.
        case invalid
        /// The key is refused.
        case wrongKey
        /// There is no such endpoint, for this key.
        case noEndpoint
        /// It has no workers, and starts none until somebody raises their number by hand.
        case asleep
        /// Its workers start, or are waited for. Later it may be quick.
        case cold
        /// Its workers have other jobs.
        case busy
        /// The job or its answer is larger than RunPod or the worker takes. Nothing was embedded.
        case tooLarge
        /// The worker failed at the job, or refused it.
        case failed
        /// The worker cannot read an image or a video, and never will.
        case refused
        /// Somebody else ended the job.
        case cancelled
        /// The job ran longer than it may.
        case timedOut
        /// RunPod does not know the job any more.
        case expired
        /// An answer that is none of RunPod's or of the worker's.
        case badReply
        /// RunPod does not answer, or with failures only.
        case unavailable
        /// The caller's time is up.
        case deadline
    }

    let code: Code
    let message: String
    /// That a worker took all the same, by RunPod's count.
    var seconds = 0.0
    /// Whether another caller of the same job counts them.
    var isCounted = false

    init(_ code: Code, _ message: String) { (self.code, self.message) = (code, message) }

    var description: String { message }

    /// What came of a request that is not about a job: `name` says whose it is.
    init(_ error: HTTPError, of name: String) {
        let text = error.message
        switch (error.code, error.status) {
        case (.status, 401), (.status, 403):
            self.init(
                .wrongKey,
                "\(name) refuses the key: \(text); check that it is whole, not revoked, and may use this endpoint"
            )
        case (.status, 404):
            self.init(
                .noEndpoint,
                "\(name) does not exist: \(text); check the id, and that the key is of the account that has it"
            )
        // RunPod's documents say nothing of it; public clients quote this body.
        case (.status, 413), (.bodyTooLarge, _),
            (.status, 400) where text.lowercased().contains(Self.sizeWords):
            self.init(.tooLarge, "\(name) takes no body of this size: \(text); send fewer inputs in one job")
        case (.status, 429):
            self.init(.unavailable, "\(name) is asked too often: \(text); keep fewer jobs in flight")
        case (.status, .some(let status)) where status < 500:
            self.init(.failed, "\(name) refuses the request: \(text)")
        case (.deadline, _): self.init(.deadline, "\(name) gave no answer in time: \(text)")
        case (.replyTooLarge, _):
            self.init(.tooLarge, "\(name) answers with too much: \(text); send fewer inputs in one job")
        case (.invalid, _): self.init(.invalid, "\(name) cannot be asked: \(text)")
        case (.status, _), (.connection, _), (.certificate, _), (.resting, _):
            self.init(.unavailable, "\(name) does not answer as it should: \(text); try again later")
        }
    }

    private static let sizeWords = "exceeded max body size"

    /// The same without the key, and in one line.
    func scrubbed(of credential: HTTPCredential?) -> RunPodError {
        var error = RunPodError(
            code, HTTPCredential.excerpt(of: Array(message.utf8), without: credential, limit: 800))
        (error.seconds, error.isCounted) = (seconds, isCounted)
        return error
    }

    /// As the engine knows errors. A cold endpoint is an embedder that fails, so that a text can be stored without it.
    var engineError: EngineError {
        let code: EngineError.Code =
            switch code {
            case .invalid, .refused: .invalid
            case .tooLarge: .tooLarge
            case .deadline: .deadline
            case .wrongKey, .noEndpoint, .asleep, .cold, .busy, .failed, .cancelled, .timedOut, .expired,
                .badReply, .unavailable:
                .embedder
            }
        let isTransient =
            switch code {
            case .deadline: true
            case .embedder: ![.failed, .badReply].contains(self.code)
            default: false
            }
        return EngineError(code, message, isTransient: isTransient)
    }
}
