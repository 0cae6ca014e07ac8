import MemoryEngine

/// How much memory long replies take that wait for their clients, over all connections: a thousand clients that read
/// nothing make the server keep no more than a few do.
final class LongReplies: Sendable {
    private let limit: Int
    private let held = Mutex(0)

    init(limit: Int) { self.limit = limit }

    /// What is told in the place of a reply for which there is no room.
    static let refusal = Reply.error(
        "TOOLARGE the server holds as many long replies as it may, which clients have not taken yet; ask for less, or try "
            + "again")

    /// Makes room for a reply, until `giveBack`; false where there is none. One alone may be of any size.
    func take(_ byteCount: Int) -> Bool {
        held.withLock { held in
            guard held == 0 || held + byteCount <= limit else { return false }
            held += byteCount
            return true
        }
    }

    func giveBack(_ byteCount: Int) { held.withLock { $0 -= byteCount } }
}

/// Lets a few at a time do what takes much memory; others wait for their turn.
final class Turns: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(_ count: Int) { state = Mutex(State(free: count)) }

    /// - Throws: what `body` throws; `CancellationError` where nobody waits for it any more.
    func take<Result>(_ body: () async throws -> Result) async throws -> Result {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free > 0 else {
                    state.waiting.append(continuation)
                    return false
                }
                state.free -= 1
                return true
            }
            if isFree { continuation.resume() }
        }
        defer {
            let next = state.withLock { state in
                if state.waiting.isEmpty {
                    state.free += 1
                    return CheckedContinuation<Void, Never>?.none
                }
                return state.waiting.removeFirst()
            }
            next?.resume()
        }
        try Task.checkCancellation()
        return try await body()
    }
}
