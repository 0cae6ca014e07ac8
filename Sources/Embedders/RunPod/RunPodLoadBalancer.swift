import MemoryEngine

/// A load-balancing endpoint of RunPod, or any server that answers at once: plain HTTP, no queue and no jobs.
///
/// It costs no wait for a worker's next look into a queue, so questions go here. What it cannot take it drops.
final class RunPodLoadBalancer: Sendable {
    let name: String
    let url: String
    let credential: HTTPCredential?
    private let client: HTTPClient
    private let clock: any HTTPClock

    /// RunPod's bound of a body, in bytes.
    static let maximumBodyByteCount = 30_000_000
    /// What the question whether it is ready may take, after a failure.
    private static let longestPing = Duration.seconds(1)

    /// - Parameter endpoint: an id such as `abc123`, or an URL that paths are added to.
    /// - Throws: `RunPodError` with code `invalid`.
    init(
        _ endpoint: String, key: String?, client: HTTPClient, clock: any HTTPClock = SystemHTTPClock()
    ) throws {
        let address = try RunPodAddress(endpoint, key: key) { "https://\($0).api.runpod.ai" }
        url = address.url
        credential = address.credential
        name = "the RunPod load balancer \(address.name)"
        self.client = client
        self.clock = clock
    }

    /// Posts JSON to a path, such as `/embed`, and gives the body of the answer.
    ///
    /// - Parameters:
    ///   - isHurried: as of `HTTPClient.send`.
    ///   - meter: counts each attempt, once for all who ask the same at the same time.
    /// - Throws: `RunPodError`, of which `cold` tells that its workers are starting; `CancellationError`; what the meter throws.
    func post(
        _ body: [UInt8], to path: String, within: Duration, isHurried: Bool = false, meter: HTTPMeter? = nil
    ) async throws -> [UInt8] {
        let deadline = clock.uptime + within
        do {
            return try await answer(to: body, at: path, within, isHurried: isHurried, meter)
        } catch let error as HTTPError {
            var told = RunPodError(error, of: name)
            let left = deadline - clock.uptime
            let isUnreached = error.code == .connection && error.isUnsent
            // RunPod answers 400 where no worker was there for 2 minutes.
            if told.code == .unavailable && !isUnreached || error.status == 400, left > .zero,
                try await isStarting(within: min(Self.longestPing, left))
            {
                told = starting
            }
            throw told.scrubbed(of: credential)
        } catch let error as RunPodError {
            throw error.scrubbed(of: credential)
        }
    }

    private func answer(
        to body: [UInt8], at path: String, _ within: Duration, isHurried: Bool, _ meter: HTTPMeter?
    ) async throws -> [UInt8] {
        guard body.count <= Self.maximumBodyByteCount else {
            throw RunPodError(
                .tooLarge,
                "a request to \(name) has \(body.count) bytes, and may have \(Self.maximumBodyByteCount); send fewer inputs"
            )
        }
        let request = try HTTPRequest(
            .post, url + path, headers: [HTTPHeader("Content-Type", "application/json")],
            credential: credential, body: body)
        let response = try await client.send(request, within: within, isHurried: isHurried, meter: meter)
        guard response.status != 204 else { throw starting }
        return response.body
    }

    /// Asks whether a worker is ready; `false` while they start.
    ///
    /// - Throws: `RunPodError`; `CancellationError`.
    func isReady(within: Duration = .seconds(10)) async throws -> Bool {
        do {
            return try await ping(within) != 204
        } catch let error as HTTPError {
            throw RunPodError(error, of: name).scrubbed(of: credential)
        }
    }

    private func isStarting(within: Duration) async throws -> Bool {
        do {
            return try await ping(within) == 204
        } catch is HTTPError {
            return false
        }
    }

    private func ping(_ within: Duration) async throws -> Int {
        try await client.send(HTTPRequest(.get, url + "/ping", credential: credential), within: within).status
    }

    private var starting: RunPodError {
        RunPodError(
            .cold, "the workers of \(name) are starting; ask again later, or keep one active")
    }
}
