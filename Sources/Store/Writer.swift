import Dispatch
import Glibc

/// The one writer of a home: a serial queue that owns the write transaction.
///
/// Jobs that wait together run one after another in one transaction (group commit), at most 256 of them
/// or about 32 MiB. A job that throws before its first put is left out; one that throws later makes the
/// group begin again without it. Nobody hears of success before the commit. Background jobs (the
/// indexer's steps) run alone, when no caller waits, or after eight groups of callers.
package final class Writer: Sendable {
    package static let maximumGroupCount = 256
    package static let maximumGroupByteCount = 32 << 20

    struct Job: Sendable {
        let byteCount: Int
        /// It puts little and computes little, so that its caller's thread may run it.
        let isShort: Bool
        let run: @Sendable (borrowing WriteTransaction) throws -> Void
        let finish: @Sendable ((any Error)?) -> Void
    }

    private struct Waiting {
        var callers: [Job] = []
        var background: [Job] = []
        var isRunning = false
        /// The last commit was of one job, nobody waited behind it, and it was soon on the disk.
        var isLoneAndQuick = false
        /// Groups of callers since the last background job.
        var groupCount = 0
        var lock: Int32 = -1
        /// The lock is given back soon to another process that waits for it.
        var givesWay = false
        /// Background jobs are refused.
        var isClosing = false
        var isClosed = false

        /// Nothing waits: the next job is the first to run again.
        mutating func rests() -> Bool {
            guard callers.isEmpty, background.isEmpty else { return false }
            isRunning = false
            groupCount = 0
            return true
        }
    }

    /// What runs a job: the queue's thread, that of the job before it, or the caller's own.
    private enum Runner { case queue, running, caller }

    /// Commits that take less are quick: one keeps a caller's thread for about as long as the embedder and the
    /// tokenizer did before it.
    private static let quickCommit = Duration.milliseconds(1)

    fileprivate let queue = DispatchQueue(label: "loci.writer", qos: .userInitiated)
    private let waiting = Mutex(Waiting())

    /// A caller who writes alone, where commits are quick, runs a short job itself: waking the queue's thread and being
    /// woken by it takes a tenth of a commit's time (docs/decisions/0013-what-a-commit-writes.md). Whoever else comes
    /// meanwhile is left to the queue.
    func submit(_ job: Job, isBackground: Bool, to environment: Environment) {
        let runner: Runner? = waiting.withLock { waiting in
            if isBackground, waiting.isClosing { return nil }
            if isBackground { waiting.background.append(job) } else { waiting.callers.append(job) }
            defer { waiting.isRunning = true }
            if waiting.isRunning { return .running }
            return !isBackground && job.isShort && waiting.isLoneAndQuick ? .caller : .queue
        }
        switch runner {
        case nil: job.finish(StoreError(.io, "the home is being closed"))
        case .running: break
        case .queue: queue.async { self.work(on: environment) }
        case .caller:
            queue.sync { _ = step(on: environment) }
            if !waiting.withLock({ $0.rests() }) { queue.async { self.work(on: environment) } }
        }
    }

    /// Runs `body` after all that callers submitted before; what is submitted later is refused, background jobs
    /// at once, and the lock against other processes is given back.
    func shutDown(_ environment: Environment, _ body: () -> Void) {
        let dropped = waiting.withLock { waiting in
            waiting.isClosing = true
            defer { waiting.background = [] }
            return waiting.background
        }
        for job in dropped { job.finish(StoreError(.io, "the home is being closed")) }
        queue.sync {
            work(on: environment)
            waiting.withLock { $0.isClosed = true }
            body()
            unlock()
        }
    }

    /// How many jobs of callers wait.
    package var waitingCount: Int { waiting.withLock { $0.callers.count } }

    private func work(on environment: Environment) {
        while step(on: environment) {}
    }

    /// Commits the next group, or runs the next background job, on the queue.
    ///
    /// - Returns: false when nothing waited.
    private func step(on environment: Environment) -> Bool {
        let group: [Job] = waiting.withLock { waiting in
            if !waiting.background.isEmpty, waiting.callers.isEmpty || waiting.groupCount >= 8 {
                waiting.groupCount = 0
                return [waiting.background.removeFirst()]
            }
            if waiting.rests() { return [] }
            waiting.groupCount += 1
            var byteCount = 0
            var count = 0
            for job in waiting.callers.prefix(Self.maximumGroupCount) {
                if count > 0, byteCount + job.byteCount > Self.maximumGroupByteCount { break }
                byteCount += job.byteCount
                count += 1
            }
            defer { waiting.callers.removeFirst(count) }
            return Array(waiting.callers.prefix(count))
        }
        if group.isEmpty { return false }
        let start = ContinuousClock.now
        do {
            try lock(environment.options)
            commit(group, to: environment)
        } catch {
            for job in group { job.finish(error) }
        }
        let isQuick = group.count == 1 && ContinuousClock.now - start < Self.quickCommit
        waiting.withLock { $0.isLoneAndQuick = isQuick && $0.callers.isEmpty }
        return true
    }

    /// A job's failure after its first put: the transaction holds half of it, so it cannot be kept.
    private struct Spoiled: Error {
        let index: Int
        let reason: any Error
    }

    private func commit(_ group: [Job], to environment: Environment) {
        var group = group
        while !group.isEmpty {
            var failures = [(any Error)?](repeating: nil, count: group.count)
            do {
                try environment.write { transaction in
                    for (index, job) in group.enumerated() {
                        let before = transaction.changeCount
                        do {
                            try job.run(transaction)
                        } catch {
                            guard transaction.changeCount == before else {
                                throw Spoiled(index: index, reason: error)
                            }
                            failures[index] = error
                        }
                    }
                }
                for (index, job) in group.enumerated() { job.finish(failures[index]) }
                return
            } catch let spoiled as Spoiled {
                group.remove(at: spoiled.index).finish(spoiled.reason)
            } catch {
                for job in group { job.finish(error) }
                return
            }
        }
    }

    // MARK: The lock against other processes

    /// Takes the lock on the home's byte of the store's lock file, once.
    fileprivate func lock(_ options: Environment.Options) throws {
        // A job that comes after closing must not take the lock: nobody would give it back.
        guard !waiting.withLock({ $0.isClosed }) else { throw StoreError(.io, "the home is closed") }
        guard let lock = options.writerLock, waiting.withLock({ $0.lock < 0 }) else { return }
        // Who gives way waits for nobody who does the same.
        let file = try lock.take(waits: !waiting.withLock { $0.givesWay })
        waiting.withLock { waiting in
            waiting.lock = file
            if waiting.givesWay { lock.giveWay(file) }
        }
    }

    fileprivate func giveWay(_ options: Environment.Options) {
        waiting.withLock { waiting in
            waiting.givesWay = true
            if waiting.lock >= 0 { options.writerLock?.giveWay(waiting.lock) }
        }
    }

    fileprivate func isWanted(_ options: Environment.Options) -> Bool {
        waiting.withLock { waiting in
            guard waiting.givesWay, waiting.lock >= 0 else { return false }
            return options.writerLock?.isWanted(waiting.lock) ?? false
        }
    }

    /// Gives the lock back, for good.
    func unlock() {
        let file = waiting.withLock { waiting in
            defer { waiting.lock = -1 }
            waiting.isClosed = true
            return waiting.lock
        }
        guard file >= 0 else { return }
        FileLock.release(file)
        close(file)
    }
}

/// Where the lock against a second writing process is, and how long to wait for it.
package struct WriterLock: Sendable, Equatable {
    package let path: String
    package let offset: Int64
    package let home: String
    package let waitNanoseconds: UInt64

    package init(path: String, offset: Int64, home: String, wait: Duration) {
        self.path = path
        self.offset = offset
        self.home = home
        let (seconds, attoseconds) = wait.components
        self.waitNanoseconds =
            UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, attoseconds) / 1_000_000_000)
    }

    /// A shared lock on the byte that lies so far behind says that somebody waits. No home's byte is there.
    private static let waitingOffset: Int64 = 1 << 60

    /// Whether another process has the lock, or this one by another opening, and does not give way.
    package var isTaken: Bool {
        // Safe because the path is a string of Swift's.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        return FileLock.conflict(file, at: offset) == F_WRLCK
    }

    /// Takes the lock; closing the descriptor that is returned gives it back.
    ///
    /// - Parameter waits: false = not at all.
    /// - Throws: `locked` when another process still has it after the wait. One that gives way is waited for in any case.
    func take(waits: Bool = true) throws -> Int32 {
        // Safe because the path is a string of Swift's, and texts of errors are copied at once.
        let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard file >= 0 else {
            throw StoreError(.io, "cannot open \(path): \(unsafe String(cString: strerror(errno)))")
        }
        var patience = LockPatience(wait: waitNanoseconds, since: DispatchTime.now().uptimeNanoseconds)
        while true {
            if FileLock.take(F_WRLCK, file, at: offset) { return file }
            guard FileLock.isRefusal(errno) else {
                defer { close(file) }
                throw StoreError(.io, "cannot lock \(path): \(unsafe String(cString: strerror(errno)))")
            }
            // The lock of one that gives way is shared, though nobody shares it.
            let isKept = FileLock.conflict(file, at: offset) == F_WRLCK
            guard waits, patience.lasts(isKept: isKept, at: DispatchTime.now().uptimeNanoseconds)
            else {
                close(file)
                throw StoreError(
                    .locked, "another process writes to \(home); try again when it has ended")
            }
            // It goes with the descriptor.
            _ = FileLock.take(F_RDLCK, file, at: offset + Self.waitingOffset)
            usleep(5_000)
        }
    }

    /// Says of a lock that was taken that it is given back soon where somebody waits for it.
    fileprivate func giveWay(_ file: Int32) { _ = FileLock.take(F_RDLCK, file, at: offset) }

    /// Whether another process waits for a lock that was taken.
    fileprivate func isWanted(_ file: Int32) -> Bool {
        FileLock.conflict(file, at: offset + Self.waitingOffset) != F_UNLCK
    }
}

/// How long a process waits for a lock that others have: of those who keep it all together for as long as it was told, and
/// of each that gives way for as long as that may take to end what it has begun.
package struct LockPatience {
    package static let longestEnding: UInt64 = 10_000_000_000

    package let wait: UInt64
    private var last: UInt64
    private var kept: UInt64 = 0
    private var ending: UInt64 = 0

    /// Times are in nanoseconds.
    package init(wait: UInt64, since start: UInt64) {
        self.wait = wait
        last = start
    }

    /// Whether to wait on, the lock being kept or given way.
    package mutating func lasts(isKept: Bool, at now: UInt64) -> Bool {
        defer { last = now }
        if isKept {
            kept += now - last
            ending = 0
            return kept < wait
        }
        ending += now - last
        return ending < max(wait, Self.longestEnding)
    }
}

extension Environment {
    /// Runs `body` in the next write transaction, together with what waits beside it, and returns its
    /// result when the group is committed.
    ///
    /// `body` may run more than once (when another job of the group spoils the transaction), so it
    /// must have no effect but its puts and its result.
    ///
    /// - Parameters:
    ///   - byteCount: about how much it writes, for the bound on a group.
    ///   - isShort: it puts and computes little, so that a thread of the caller's may run it.
    package func submit<Result: Sendable>(
        byteCount: Int = 0, isBackground: Bool = false, isShort: Bool = false,
        _ body: @escaping @Sendable (borrowing WriteTransaction) throws -> Result
    ) async throws -> Result {
        let result = Mutex<Result?>(nil)
        return try await withCheckedThrowingContinuation { continuation in
            let job = Writer.Job(
                byteCount: byteCount, isShort: isShort,
                run: { transaction in
                    let value = try body(transaction)
                    result.withLock { $0 = value }
                },
                finish: { error in
                    if let error {
                        continuation.resume(throwing: error)
                    } else if let value = result.withLock({ $0 }) {
                        continuation.resume(returning: value)
                    } else {
                        continuation.resume(throwing: StoreError(.io, "a write ended without a result"))
                    }
                })
            writer.submit(job, isBackground: isBackground, to: self)
        }
    }
}

extension Environment {
    /// From now on the file is given up soon where another process waits to write to it: that process waits until this one
    /// closes the file, whatever wait it was told. For what can be left to others, last before closing.
    package func giveWay() { writer.giveWay(options) }

    /// Whether this process gives way, and another one waits.
    package var isWanted: Bool { writer.isWanted(options) }

    /// Runs `body` in a write transaction of its own and waits for it; for what must be there before anything
    /// else, such as the header. The writer's lock is held from then on.
    package func locked<Result: Sendable>(
        _ body: @escaping @Sendable (borrowing WriteTransaction) throws -> Result
    ) throws -> Result {
        try writer.runAlone(on: self, body)
    }
}

extension Environment {
    /// Runs `body` while no process can write to a file, and none had it open at the beginning, so that it can be
    /// replaced or removed.
    ///
    /// LMDB's own lock file is taken as LMDB takes it to be the first (its first byte, for this process). It is
    /// neither removed nor made anew, so that all processes go on to agree on one. Opening and closing the file in
    /// `body` loses this lock; `body` gets a function that takes it again, to be called right before the file is
    /// replaced.
    ///
    /// - Throws: `locked` when this process or another has it open, or another writes to it.
    package static func lockedFile<Result>(
        _ lock: WriterLock, path: String, _ body: (_ retake: () throws -> Void) throws -> Result
    ) throws -> Result {
        guard !isOpen(path: path) else {
            throw StoreError(.locked, "\(lock.home) is in use in this process; try again when it is not")
        }
        let writerLock = try lock.take()
        defer {
            FileLock.release(writerLock)
            Glibc.close(writerLock)
        }
        // Safe because the path is a string of Swift's.
        let file = unsafe Glibc.open(path + "-lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard file >= 0 else { throw StoreError(.io, "cannot open \(path)-lock") }
        defer { Glibc.close(file) }
        func take() throws {
            var request = flock()
            request.l_type = Int16(F_WRLCK)
            request.l_whence = Int16(SEEK_SET)
            request.l_len = 1
            // Safe because the request outlives the call.
            guard unsafe fcntl(file, F_SETLK, &request) == 0 else {
                throw StoreError(.locked, "another process has \(lock.home) open; stop it, and try again")
            }
        }
        try take()
        return try body(take)
    }
}

extension Writer {
    fileprivate func runAlone<Result: Sendable>(
        on environment: Environment, _ body: @escaping @Sendable (borrowing WriteTransaction) throws -> Result
    ) throws -> Result {
        try queue.sync {
            try lock(environment.options)
            return try environment.write(body)
        }
    }
}
