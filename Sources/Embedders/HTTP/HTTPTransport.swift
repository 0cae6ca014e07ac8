import MemoryEngine

/// Carries requests to servers, without a second try of its own. (libcurl sends one again whose kept connection turns out to
/// be closed before an answer begins.)
package protocol HTTPTransport: Sendable {
    /// Sends a request, and gives the answer, whatever its status.
    ///
    /// - Throws: `HTTPError`, of which `status` and `resting` are none; `CancellationError` as soon as the task is cancelled.
    func send(_ request: HTTPRequest, within: Duration) async throws -> HTTPResponse
}

/// Time, as a client sees it. A test turns one of its own.
package protocol HTTPClock: Sendable {
    /// How long it runs. It never goes back.
    var uptime: Duration { get }
    /// The time of day, which servers' dates are compared with.
    var date: Timestamp { get }
    /// Waits until `uptime` is `moment`. Throws `CancellationError`.
    func sleep(until moment: Duration) async throws
}

/// The clock of this machine.
package struct SystemHTTPClock: HTTPClock {
    private static let start = ContinuousClock.now

    package init() {}

    package var uptime: Duration { Self.start.duration(to: .now) }
    package var date: Timestamp { .now }
    package func sleep(until moment: Duration) async throws {
        try await Task.sleep(until: Self.start.advanced(by: moment), clock: .continuous)
    }
}
