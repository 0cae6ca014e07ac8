import Dispatch
import Store

/// Runs blocking work on a bounded number of threads of its own, so that page faults do not stall
/// Swift's cooperative pool.
final class BoundedExecutor: Sendable {
    private struct State {
        var running = 0
        var waiting: [@Sendable () -> Void] = []
    }

    /// 0 = on the threads of those who ask.
    private let width: Int
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "loci.readers", qos: .userInitiated, attributes: .concurrent)

    static let onCallersThread = BoundedExecutor(width: 0)

    init(width: Int) { self.width = width }

    func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        if width == 0 { return try body() }
        return try await withCheckedThrowingContinuation { continuation in
            submit { continuation.resume(with: Swift.Result { try body() }) }
        }
    }

    func submit(_ job: @escaping @Sendable () -> Void) {
        if width == 0 { return job() }
        let isStarted = state.withLock { state in
            if state.running < width {
                state.running += 1
                return true
            }
            state.waiting.append(job)
            return false
        }
        if isStarted { queue.async { self.work(job) } }
    }

    private func work(_ first: @Sendable () -> Void) {
        first()
        while true {
            let next: (@Sendable () -> Void)? = state.withLock { state in
                if state.waiting.isEmpty {
                    state.running -= 1
                    return nil
                }
                return state.waiting.removeFirst()
            }
            guard let next else { return }
            next()
        }
    }
}
