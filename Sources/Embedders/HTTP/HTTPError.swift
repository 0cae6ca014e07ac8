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

    package init(_ code: Code, _ message: String, status: Int? = nil, retryAfter: Duration? = nil) {
        (self.code, self.message, self.status, self.retryAfter) = (code, message, status, retryAfter)
    }

    package var description: String { message }

    /// Whether the same request may succeed a moment later.
    var isTransient: Bool {
        switch code {
        case .connection, .deadline: true
        case .status: [408, 429, 500, 502, 503, 504].contains(status)
        case .invalid, .bodyTooLarge, .replyTooLarge, .certificate, .resting: false
        }
    }

    /// Whether nothing was sent, so that it tells nothing of the provider.
    var isBeforeSending: Bool { code == .invalid || code == .bodyTooLarge || code == .resting }

    /// Whether it tells of the provider's state, and not of what was asked of it.
    var isFailureOfProvider: Bool {
        switch code {
        case .connection, .deadline, .certificate: true
        case .status: status.map { $0 == 429 || $0 >= 500 } ?? false
        case .invalid, .bodyTooLarge, .replyTooLarge, .resting: false
        }
    }
}
