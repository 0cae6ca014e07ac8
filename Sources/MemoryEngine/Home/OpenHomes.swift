import Store

/// The homes of an engine that are open: each is opened once however many ask for it, off the threads of callers,
/// and closed when it was not used lately.
///
/// Opening may take long (a lock of another process, words to be made anew), so it happens beside this table,
/// never inside its lock: callers of that home wait, callers of others do not notice.
final class OpenHomes: Sendable {
    private struct Entry {
        let home: Home
        var users: Int
        var lastUse: UInt64
    }

    private struct Waiter {
        let continuation: CheckedContinuation<Home?, any Error>
        /// Whether the home is to be made if it is not there.
        let creates: Bool
        let open: @Sendable (_ creating: Bool) throws -> Home?
    }

    private struct State {
        var entries: [Namespace: Entry] = [:]
        /// Who waits for homes that are being opened, by ticket.
        var openings: [Namespace: [UInt64: Waiter]] = [:]
        /// Homes that were left out for others, and are being closed.
        var closings: Set<Namespace> = []
        /// Homes whose files are being replaced or removed.
        var held: Set<Namespace> = []
        var tick: UInt64 = 0
        var isClosed = false
        /// Who waits until some opening or closing is over.
        var observers: [CheckedContinuation<Void, Never>] = []

        mutating func use(_ name: Namespace) throws -> Home? {
            guard !isClosed else { throw EngineError(.invalid, "the engine is closed") }
            guard !held.contains(name) else {
                throw EngineError(.locked, "\(name) is being compacted, restored or removed; try again soon")
            }
            guard var entry = entries[name] else { return nil }
            tick += 1
            entry.users += 1
            entry.lastUse = tick
            entries[name] = entry
            return entry.home
        }

        /// Takes the homes out that nobody uses, the longest unused first, while there are more than `limit`.
        mutating func evict(beyond limit: Int) -> [Home] {
            var evicted: [Home] = []
            while entries.count > limit {
                let idle = entries.filter { $0.value.users == 0 }
                guard let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse }) else { break }
                entries[oldest.key] = nil
                closings.insert(oldest.key)
                evicted.append(oldest.value.home)
            }
            return evicted
        }
    }

    private let state = Mutex(State())
    private let maximumCount: Int
    /// Each opening has a thread, as it may wait for another process.
    private let threads = BoundedExecutor(width: 32)

    init(maximumCount: Int) { self.maximumCount = maximumCount }

    deinit {
        let homes = state.withLock { $0.entries.values.map(\.home) }
        for home in homes { home.close() }
    }

    /// The homes that are open, in the order of their paths.
    var names: [Namespace] {
        state.withLock { Array($0.entries.keys) }.sorted { $0.description < $1.description }
    }

    /// Whether another process waits to write to one that gives way.
    var isAnyWanted: Bool {
        state.withLock { $0.entries.values.map(\.home.environment) }.contains { $0.isWanted }
    }

    // MARK: Using a home

    /// Gives a home for use until `giveBack`; `nil` where there is none and none is to be made.
    ///
    /// - Throws: what `open` throws, to all who wait for it; `EngineError.deadline` to a caller who is cancelled
    ///   while it waits, which the others do not notice.
    func borrow(
        _ name: Namespace, creating: Bool,
        _ open: @escaping @Sendable (_ creating: Bool) throws -> Home?
    ) async throws -> Home? {
        let (home, ticket): (Home?, UInt64) = try state.withLock { state in
            if let home = try state.use(name) { return (home, 0) }
            state.tick += 1
            return (nil, state.tick)
        }
        if let home { return home }
        let opened = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                wait(
                    for: name, ticket, Waiter(continuation: continuation, creates: creating, open: open))
                // Whoever was cancelled before it waited has not been found by the handler.
                if Task.isCancelled { cancel(ticket, name) }
            }
        } onCancel: {
            cancel(ticket, name)
        }
        // Who opened it held the lock since, so taking it says that what was written is seen. A continuation says so
        // too, but where it is resumed before it is awaited, ThreadSanitizer is not told.
        state.withLock { _ in }
        return opened
    }

    /// The same for a home that is open; `nil` where it is not to be had at once.
    func borrowIfOpen(_ name: Namespace) -> Home? {
        state.withLock { state in
            do { return try state.use(name) } catch { return nil }
        }
    }

    private func wait(for name: Namespace, _ ticket: UInt64, _ waiter: Waiter) {
        do {
            let (home, isFirst): (Home?, Bool) = try state.withLock { state in
                if let home = try state.use(name) { return (home, false) }
                let isFirst = state.openings[name] == nil
                state.openings[name, default: [:]][ticket] = waiter
                return (nil, isFirst)
            }
            if let home { return waiter.continuation.resume(returning: home) }
            if isFirst { start(name, creating: waiter.creates, waiter.open) }
        } catch {
            waiter.continuation.resume(throwing: error)
        }
    }

    private func cancel(_ ticket: UInt64, _ name: Namespace) {
        let waiter = state.withLock { $0.openings[name]?.removeValue(forKey: ticket) }
        waiter?.continuation.resume(throwing: EngineError(.deadline, "the call was cancelled"))
    }

    private func start(
        _ name: Namespace, creating: Bool, _ open: @escaping @Sendable (Bool) throws -> Home?
    ) {
        threads.submit { self.finish(name, creating: creating, Result { try open(creating) }) }
    }

    /// Hands an opened home to all who wait for it.
    private func finish(_ name: Namespace, creating: Bool, _ result: Result<Home?, any Error>) {
        var unwanted: Home?
        let (served, rest, evicted, observers) = state.withLock { state in
            var waiters = state.openings.removeValue(forKey: name) ?? [:]
            var rest: [UInt64: Waiter] = [:]
            var evicted: [Home] = []
            if case .success(let home) = result {
                if let home, state.isClosed {
                    unwanted = home
                    state.closings.insert(name)
                } else if let home {
                    state.tick += 1
                    state.entries[name] = Entry(home: home, users: waiters.count, lastUse: state.tick)
                    evicted = state.evict(beyond: maximumCount)
                } else if !creating, !state.isClosed {
                    // There is none, and some of those who came meanwhile would have one made.
                    rest = waiters.filter { $0.value.creates }
                    waiters = waiters.filter { !$0.value.creates }
                    if !rest.isEmpty { state.openings[name] = rest }
                }
            }
            defer { state.observers = [] }
            return (Array(waiters.values), rest, evicted, state.observers)
        }
        for waiter in served {
            if unwanted != nil {
                waiter.continuation.resume(throwing: EngineError(.invalid, "the engine is closed"))
            } else {
                waiter.continuation.resume(with: result)
            }
        }
        if let first = rest.first?.value { start(name, creating: true, first.open) }
        for observer in observers { observer.resume() }
        for home in evicted + [unwanted].compactMap({ $0 }) { close(home) }
    }

    func giveBack(_ home: Home) {
        let evicted = state.withLock { state in
            guard var entry = state.entries[home.namespace], entry.home === home else { return [Home]() }
            entry.users -= 1
            state.entries[home.namespace] = entry
            // There may be too many because all were used when the last one came.
            return state.evict(beyond: maximumCount)
        }
        for home in evicted { threads.submit { self.close(home) } }
    }

    /// Closes a home that was taken out of the table.
    private func close(_ home: Home) {
        home.close()
        let observers = state.withLock { state in
            state.closings.remove(home.namespace)
            defer { state.observers = [] }
            return state.observers
        }
        for observer in observers { observer.resume() }
    }

    // MARK: Keeping homes closed

    /// Closes a home if nobody uses it, and keeps it closed until `release`, so that its file can be replaced.
    ///
    /// - Throws: `locked` while somebody does.
    func hold(_ name: Namespace) async throws {
        let home: Home? = try state.withLock { state in
            guard state.entries[name]?.users ?? 0 == 0, state.openings[name] == nil,
                !state.held.contains(name)
            else { throw EngineError(.locked, "\(name) is in use; try again when nobody asks or writes") }
            state.held.insert(name)
            let home = state.entries.removeValue(forKey: name)?.home
            if home != nil { state.closings.insert(name) }
            return home
        }
        if let home { threads.submit { self.close(home) } }
        await wait { $0.closings.contains(name) }
    }

    func release(_ name: Namespace) { _ = state.withLock { $0.held.remove(name) } }

    /// Closes all homes, after what is being written and opened. Calls that follow are refused.
    func closeAll() async {
        let homes = state.withLock { state in
            state.isClosed = true
            let homes = state.entries.values.map(\.home)
            state.entries = [:]
            for home in homes { state.closings.insert(home.namespace) }
            return homes
        }
        for home in homes { threads.submit { self.close(home) } }
        await wait { !$0.closings.isEmpty || !$0.openings.isEmpty }
    }

    /// Returns when `isBusy` does not hold any more; it is asked again after each opening and closing.
    private func wait(while isBusy: @escaping @Sendable (State) -> Bool) async {
        while state.withLock({ isBusy($0) }) {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard isBusy(state) else { return true }
                    state.observers.append(continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        }
    }
}
