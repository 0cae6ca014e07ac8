import MemoryEngine

/// A result that one task waits for, and that comes once: the first that is given counts.
final class Awaited<Value: Sendable>: Sendable {
    private enum State {
        case nobodyWaits
        case waits(CheckedContinuation<Value, any Error>)
        case given(Result<Value, any Error>)
    }

    private let state = Mutex(State.nobodyWaits)

    var isGiven: Bool {
        state.withLock { if case .given = $0 { true } else { false } }
    }

    func give(_ result: Result<Value, any Error>) {
        let waiting: CheckedContinuation<Value, any Error>? = state.withLock { state in
            switch state {
            case .given: return nil
            case .nobodyWaits:
                state = .given(result)
                return nil
            case .waits(let continuation):
                state = .given(result)
                return continuation
            }
        }
        waiting?.resume(with: result)
    }

    /// Waits for the result; for one task, once.
    func value() async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let given: Result<Value, any Error>? = state.withLock { state in
                if case .given(let result) = state { return result }
                state = .waits(continuation)
                return nil
            }
            if let given { continuation.resume(with: given) }
        }
    }
}
