/// Why there is no answer. Switch on `code`; show `message`, in which no key is.
package struct HTTPError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable {
        /// The request is none that may be sent. Nothing was.
        case invalid
        /// The body is larger than the transport sends. Nothing was.
        case bodyTooLarge
        /// The answer is larger than the transport takes. It was ended.
        case replyTooLarge
        /// The time is up.
        case deadline
        /// There was no connection, or it broke. Another try may succeed.
        case connection
        /// The server's certificate is not one to trust, or the file of certificates is none.
        case certificate
        /// The server answered, and with no success: see `status`.
        case status
        /// The provider failed so often lately that it is not asked; come back later.
        case resting
    }

    package let code: Code
    package let message: String
    /// What the server answered, where the code is `status`.
    package let status: Int?
    /// How long the server wants to be left alone.
    package let retryAfter: Duration?
    /// Whether the server cannot have got the request, so that it did nothing for it.
    package let isUnsent: Bool

    package init(
        _ code: Code, _ message: String, status: Int? = nil, retryAfter: Duration? = nil,
        isUnsent: Bool = false
    ) {
        (self.code, self.message, self.status, self.retryAfter) = (code, message, status, retryAfter)
        self.isUnsent =
            switch code {
            case .invalid, .bodyTooLarge, .certificate, .resting: true
            case .replyTooLarge, .deadline, .connection, .status: isUnsent
            }
    }

    package var description: String { message }

    /// Whether the same request may succeed a moment later.
    var isTransient: Bool {
        switch code {
        case .connection, .deadline: true
        // 529 is Anthropic's for being overloaded.
        case .status: [408, 429, 500, 502, 503, 504, 529].contains(status)
        case .invalid, .bodyTooLarge, .replyTooLarge, .certificate, .resting: false
        }
    }

    /// What it tells of the provider. One that refuses what was asked of it is well.
    var outcome: CircuitBreaker.Outcome {
        switch code {
        case .connection, .deadline, .certificate: .failure
        case .status: status.map { $0 == 429 || $0 >= 500 } ?? false ? .failure : .success
        case .replyTooLarge: .success
        // Nothing was sent.
        case .invalid, .bodyTooLarge, .resting: .unknown
        }
    }
}
