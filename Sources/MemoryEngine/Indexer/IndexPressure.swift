import Store

/// How much waits for the indexer of a home, and who waits for the indexer because of it.
final class IndexPressure: Sendable {
    private struct State {
        /// The tail is long: the indexer waits for no free core.
        var isTailLong = false
        /// Bytes of rows that every search scans because the graph does not hold them yet.
        var backlogByteCount = 0
        var isClosing = false
        var waiting: [CheckedContinuation<Void, Never>] = []

        var isBacklogFull: Bool { backlogByteCount > IndexPressure.backlogByteCount }
    }

    /// So many bytes of rows take an exact scan some 5 ms; who adds vectors waits until there are fewer.
    static let backlogByteCount = 64 << 20

    private let state = Mutex(State())

    /// Whether the indexer must not wait for callers.
    var isHigh: Bool { state.withLock { $0.isTailLong || $0.isBacklogFull } }
    var isTailLong: Bool { state.withLock { $0.isTailLong } }
    var isClosing: Bool { state.withLock { $0.isClosing } }

    func set(tail isLong: Bool) { state.withLock { $0.isTailLong = isLong } }

    func set(backlogByteCount: Int) {
        resume { state in
            state.backlogByteCount = backlogByteCount
            return !state.isBacklogFull
        }
    }

    /// Nothing more is to be done, or nothing more can be.
    func relieve() {
        resume { state in
            state.backlogByteCount = 0
            state.isTailLong = false
            return true
        }
    }

    func close() {
        resume { state in
            state.isClosing = true
            return true
        }
    }

    private func resume(_ change: (inout State) -> Bool) {
        let waiting = state.withLock { state in
            guard change(&state) else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Returns when the backlog is not full.
    func wait() async {
        guard state.withLock({ $0.isBacklogFull && !$0.isClosing }) else { return }
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard state.isBacklogFull, !state.isClosing else { return true }
                state.waiting.append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }
}
