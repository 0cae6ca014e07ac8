import MemoryEngine
import NIOCore

/// The connections that are open.
final class Connections: Sendable {
    private struct State {
        var next = 1
        var channels: [Int: any Channel] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())
    private let maximumCount: Int
    private let metrics: ServerMetrics?

    init(maximumCount: Int, metrics: ServerMetrics? = nil) {
        self.maximumCount = maximumCount
        self.metrics = metrics
    }

    var count: Int { state.withLock { $0.channels.count } }

    /// Takes no more, and gives those that are open.
    func close() -> [any Channel] {
        state.withLock { state in
            state.isClosed = true
            return Array(state.channels.values)
        }
    }

    /// Takes a connection until it closes, and gives its number; `nil` where there are as many as are allowed, or none is
    /// taken any more.
    func add(_ channel: any Channel) -> Int? {
        let id: Int? = state.withLock { state in
            guard !state.isClosed, state.channels.count < maximumCount else { return nil }
            defer { state.next += 1 }
            state.channels[state.next] = channel
            return state.next
        }
        guard let id else {
            metrics?.connectionRefused()
            return nil
        }
        metrics?.connectionOpened()
        channel.closeFuture.whenComplete { [self] _ in
            state.withLock { _ = $0.channels.removeValue(forKey: id) }
            metrics?.connectionClosed()
        }
        return id
    }
}
