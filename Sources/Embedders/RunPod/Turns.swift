import MemoryEngine

/// Lets so many go on at once; the others wait, first come, first served.
final class Turns: Sendable {
    private struct State {
        var freeCount: Int
        var number = 0
        var waiting: [(number: Int, turn: Awaited<Void>)] = []
    }

    private let state: Mutex<State>

    init(count: Int) { state = Mutex(State(freeCount: max(1, count))) }

    /// Waits for a turn, and has it while `body` runs.
    ///
    /// - Throws: what `body` does; `CancellationError`.
    func run<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        try await take()
        defer { give() }
        try Task.checkCancellation()
        return try await body()
    }

    private func take() async throws {
        let turn = Awaited<Void>()
        let number: Int? = state.withLock { state in
            if state.freeCount > 0 {
                state.freeCount -= 1
                return nil
            }
            state.number += 1
            state.waiting.append((state.number, turn))
            return state.number
        }
        guard let number else { return }
        try await withTaskCancellationHandler {
            try await turn.value()
        } onCancel: {
            // Who has a turn by now gives it back behind `body`.
            let isWaiting = state.withLock { state in
                let place = state.waiting.firstIndex { $0.number == number }
                if let place { state.waiting.remove(at: place) }
                return place != nil
            }
            if isWaiting { turn.give(.failure(CancellationError())) }
        }
    }

    private func give() {
        let next: Awaited<Void>? = state.withLock { state in
            if state.waiting.isEmpty {
                state.freeCount += 1
                return nil
            }
            return state.waiting.removeFirst().turn
        }
        next?.give(.success(()))
    }
}
