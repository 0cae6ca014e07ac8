import Dispatch
import Glibc
import Testing

@testable import Store

/// Holds the writer inside a transaction until it is let go, so that jobs gather behind it.
private struct Obstacle {
    private let end = DispatchSemaphore(value: 0)
    private let task: Task<Void, any Error>

    /// Returns when the writer is held.
    init(_ environment: Environment) async {
        let end = end
        let (starts, start) = AsyncStream<Void>.makeStream()
        task = Task {
            try await environment.submit(isShort: true) { transaction in
                start.finish()
                end.wait()
                try StoreModel.put([0], at: 0, in: transaction)
            }
        }
        for await _ in starts {}
    }

    func letGo() async throws {
        end.signal()
        try await task.value
    }
}

/// What jobs note of themselves as they run.
private final class Notes<Value: Sendable>: Sendable {
    private let values: Mutex<[Value]>
    init(_ values: [Value] = []) { self.values = Mutex(values) }
    var all: [Value] { values.withLock { $0 } }
    func change(_ body: @Sendable (inout [Value]) -> Void) { values.withLock { body(&$0) } }
}

private struct Refusal: Error, Equatable {
    let number: Int
}

// One after the other: a writer that is held keeps a thread of a small pool.
@Suite(.serialized) struct `The writer` {
    private func commit(_ environment: Environment) throws -> UInt64 { try environment.read { $0.commit } }

    /// Submits one job for each of `count`, one after the other while the writer is held; `results[i]` is how
    /// it ended.
    private func run(
        _ count: Int, byteCount: Int = 0, on environment: Environment,
        _ body: @escaping @Sendable (Int, borrowing WriteTransaction) throws -> Void
    ) async throws -> [Result<Void, any Error>] {
        let obstacle = await Obstacle(environment)
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<count {
            tasks.append(
                Task { try await environment.submit(byteCount: byteCount) { try body(number, $0) } })
            while environment.writer.waitingCount <= number { await Task.yield() }
        }
        try await obstacle.letGo()
        var results: [Result<Void, any Error>] = []
        for task in tasks { results.append(await task.result) }
        return results
    }

    @Test(arguments: [1, 2, 100, 256, 257, 600])
    func `commits together what waits together`(count: Int) async throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file)
        defer { environment.close() }
        let before = try commit(environment)
        let results = try await run(count, on: environment) { number, transaction in
            try StoreModel.put([1], at: UInt64(number + 1), in: transaction)
        }
        for result in results { try result.get() }
        let groups = (count + Writer.maximumGroupCount - 1) / Writer.maximumGroupCount
        #expect(try commit(environment) == before + 1 + UInt64(groups))
        #expect(try StoreModel.entries(StoreModel.first, in: environment).count == count + 1)
    }

    @Test func `bounds the bytes of a group`() async throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file)
        defer { environment.close() }
        let before = try commit(environment)
        let results = try await run(5, byteCount: 15 << 20, on: environment) { number, transaction in
            try StoreModel.put([1], at: UInt64(number + 1), in: transaction)
        }
        for result in results { try result.get() }
        #expect(try commit(environment) == before + 1 + 3)
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `lets a job that fails spoil nothing but itself`(seed: UInt64) async throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file)
        defer { environment.close() }
        var numbers = CheckedHome.Numbers(state: seed)
        // 0 = succeeds, 1 = throws before its first put, 2 = throws after it.
        let fates = (0..<50).map { _ in [0, 0, 0, 1, 2].randomElement(using: &numbers)! }
        let runs = Notes([Int](repeating: 0, count: fates.count))
        let before = try commit(environment)
        let results = try await run(fates.count, on: environment) { number, transaction in
            runs.change { $0[number] += 1 }
            if fates[number] == 1 { throw Refusal(number: number) }
            try StoreModel.put([UInt8(number)], at: UInt64(number + 1), in: transaction)
            if fates[number] == 2 { throw Refusal(number: number) }
        }
        for (number, result) in results.enumerated() {
            switch result {
            case .success: #expect(fates[number] == 0)
            case .failure(let error):
                #expect(error as? Refusal == Refusal(number: number) && fates[number] > 0)
            }
            let value = try StoreModel.value(UInt64(number + 1), in: environment)
            #expect(value == (fates[number] == 0 ? [UInt8(number)] : nil))
        }
        // One commit holds them all; each that spoiled the transaction made those before it run again.
        #expect(try commit(environment) == before + 2)
        let spoilers = fates.filter { $0 == 2 }.count
        #expect(runs.all[0] == (fates[0] == 2 ? 1 : spoilers + 1))
    }

    @Test func `fails the one job that has no room, and commits the others`() async throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file, quota: 1 << 20)
        defer { environment.close() }
        let results = try await run(3, on: environment) { number, transaction in
            let byteCount = number == 1 ? 2 << 20 : 100
            try StoreModel.put(
                [UInt8](repeating: 1, count: byteCount), at: UInt64(number + 1), in: transaction)
        }
        #expect(StoreModel.code { try results[1].get() } == .full)
        try results[0].get()
        try results[2].get()
        #expect(try StoreModel.entries(StoreModel.first, in: environment).count == 3)
    }

    @Test func `tells of success when everybody can read it`() async throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file)
        defer { environment.close() }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for key in 1...100 as ClosedRange<UInt64> {
                group.addTask {
                    try await environment.submit { try StoreModel.put([1], at: key, in: $0) }
                    return try StoreModel.value(key, in: environment) == [1]
                }
            }
            for try await isThere in group { #expect(isThere) }
        }
    }

    @Test func `works in the background when no caller waits`() async throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file)
        defer { environment.close() }
        let order = Notes<String>()
        let obstacle = await Obstacle(environment)
        let background = Task {
            try await environment.submit(isBackground: true) { transaction in
                order.change { $0.append("background") }
                try StoreModel.put([1], at: 1_000, in: transaction)
            }
        }
        var callers: [Task<Void, any Error>] = []
        for number in 0..<300 {
            callers.append(
                Task {
                    try await environment.submit { transaction in
                        order.change { $0.append("caller") }
                        try StoreModel.put([1], at: UInt64(number + 1), in: transaction)
                    }
                })
            while environment.writer.waitingCount <= number { await Task.yield() }
        }
        try await obstacle.letGo()
        for caller in callers { try await caller.value }
        try await background.value
        #expect(order.all.count == 301)
        #expect(order.all.last == "background")
        #expect(StoreModel.entriesAreThere(environment, 302))
    }

    @Test func `runs jobs of a lone caller on its own thread`() async throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file)
        defer { environment.close() }
        // Not every one: a commit that took long, on a busy machine, sends the next one to the queue.
        var ownCount = 0
        for number in 0..<300 {
            let caller = pthread_self()
            let runner = try await environment.submit(isShort: true) { transaction in
                try StoreModel.put([1], at: UInt64(number), in: transaction)
                return pthread_self()
            }
            if runner == caller { ownCount += 1 }
        }
        #expect(ownCount > 0)
        #expect(StoreModel.entriesAreThere(environment, 300))
    }

    @Test(arguments: [false, true])
    func `finishes what waits before its file is closed`(isLone: Bool) async throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file)
        // After commits of a lone caller the writer is held on a caller's thread.
        if isLone {
            for _ in 0..<100 {
                try await environment.submit(isShort: true) { try StoreModel.put([1], at: 0, in: $0) }
            }
        }
        let obstacle = await Obstacle(environment)
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<50 {
            tasks.append(
                Task {
                    try await environment.submit { try StoreModel.put([1], at: UInt64(number + 1), in: $0) }
                })
            while environment.writer.waitingCount <= number { await Task.yield() }
        }
        async let closed: Void = close(environment)
        try await obstacle.letGo()
        await closed
        for task in tasks { try await task.value }
        #expect(!Environment.isOpen(path: file.path))
        let again = try StoreModel.open(file)
        defer { again.close() }
        #expect(StoreModel.entriesAreThere(again, 51))
    }

    /// On a thread of its own, because it waits.
    private func close(_ environment: Environment) async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                environment.close()
                continuation.resume()
            }
        }
    }

    // MARK: The lock

    /// What another process would hold: an open file description of its own is as good as a process.
    private func takeLock(_ path: String, _ offset: Int64) -> Int32? {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        var request = flock()
        request.l_type = Int16(F_WRLCK)
        request.l_whence = Int16(SEEK_SET)
        request.l_start = off_t(offset)
        request.l_len = 1
        let setOpenFileDescriptionLock: Int32 = 37
        if fcntl(descriptor, setOpenFileDescriptionLock, &request) == 0 { return descriptor }
        Glibc.close(descriptor)
        return nil
    }

    private func giveBack(_ descriptor: Int32) {
        // A process that a test beside this one begins has a copy of it for a moment.
        FileLock.release(descriptor)
        Glibc.close(descriptor)
    }

    @Test func `is refused while another one holds the lock of the home, and writes when it is free`()
        async throws
    {
        let file = CheckedHome.File()
        let lockFile = CheckedHome.File()
        let other = try #require(takeLock(lockFile.path, 70))
        let lock = WriterLock(path: lockFile.path, offset: 70, home: "project/atlas", wait: .zero)
        let environment = try StoreModel.open(file, lock: lock)
        defer { environment.close() }
        let error = await #expect(throws: StoreError.self) {
            try await environment.submit { try StoreModel.put([1], at: 1, in: $0) }
        }
        #expect(error?.code == .locked)
        #expect(error?.message.contains("project/atlas") == true)
        #expect(try StoreModel.value(1, in: environment) == nil)
        giveBack(other)
        try await environment.submit { try StoreModel.put([1], at: 1, in: $0) }
        #expect(try StoreModel.value(1, in: environment) == [1])
    }

    @Test func `waits for the lock if it is told to`() async throws {
        let file = CheckedHome.File()
        let lockFile = CheckedHome.File()
        let other = try #require(takeLock(lockFile.path, 5))
        let lock = WriterLock(path: lockFile.path, offset: 5, home: "project/atlas", wait: .seconds(60))
        let environment = try StoreModel.open(file, lock: lock)
        defer { environment.close() }
        let write = Task { try await environment.submit { try StoreModel.put([1], at: 1, in: $0) } }
        #expect(try StoreModel.value(1, in: environment) == nil)
        giveBack(other)
        try await write.value
        #expect(try StoreModel.value(1, in: environment) == [1])
    }

    @Test func `gives way to another one, which waits for that`() async throws {
        let (file, otherFile, lockFile) = (CheckedHome.File(), CheckedHome.File(), CheckedHome.File())
        let lock = WriterLock(path: lockFile.path, offset: 12, home: "project/atlas", wait: .zero)
        let environment = try StoreModel.open(file, lock: lock)
        try await environment.submit { try StoreModel.put([1], at: 1, in: $0) }
        environment.giveWay()
        #expect(!environment.isWanted)
        #expect(takeLock(lockFile.path, 12) == nil)
        // One that itself gives way does not wait.
        let last = try StoreModel.open(CheckedHome.File(), lock: lock)
        last.giveWay()
        #expect(
            await StoreModel.asyncCode({ try await last.submit { try StoreModel.put([1], at: 1, in: $0) } })
                == .locked)
        last.close()
        #expect(!environment.isWanted)
        // It waits an hour at least, that no busy machine makes it give up; `LockPatience` is told not to wait below.
        let patientLock = WriterLock(
            path: lockFile.path, offset: 12, home: "project/atlas", wait: .seconds(3_600))
        let other = try StoreModel.open(otherFile, lock: patientLock)
        defer { other.close() }
        let isOver = Mutex(false)
        let write = Task {
            defer { isOver.withLock { $0 = true } }
            try await other.submit { try StoreModel.put([2], at: 2, in: $0) }
        }
        while !environment.isWanted, !isOver.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(1)) }
        #expect(environment.isWanted)
        // Until then it writes as before.
        try await environment.submit { try StoreModel.put([3], at: 3, in: $0) }
        #expect(try StoreModel.value(2, in: other) == nil)
        await close(environment)
        try await write.value
        #expect(try StoreModel.value(2, in: other) == [2])
        #expect(!other.isWanted)
    }

    @Test func `waits for each that gives way, and counts only the time of those who do not`() {
        let second: UInt64 = 1_000_000_000
        var patience = LockPatience(wait: 5 * second, since: 100 * second)
        // The second ends what it has begun, the third keeps the lock for a moment, and gives way.
        let looks = [(true, 104.0), (false, 113), (true, 113.5), (false, 123), (true, 124)].map {
            isKept, time in
            patience.lasts(isKept: isKept, at: UInt64(time * 10) * second / 10)
        }
        #expect(looks == [true, true, true, true, false])
        var other = LockPatience(wait: 0, since: 0)
        let others = [(false, 9), (false, 10), (true, 10)].map { isKept, time in
            other.lasts(isKept: isKept, at: time * second)
        }
        #expect(others == [true, false, false])
    }

    @Test func `holds the lock from its first write until its file is closed, each home its own`()
        async throws
    {
        let file = CheckedHome.File()
        let lockFile = CheckedHome.File()
        let lock = WriterLock(path: lockFile.path, offset: 9, home: "project/atlas", wait: .zero)
        let environment = try StoreModel.open(file, lock: lock)
        let early = try #require(takeLock(lockFile.path, 9))
        giveBack(early)
        try await environment.submit { try StoreModel.put([1], at: 1, in: $0) }
        #expect(takeLock(lockFile.path, 9) == nil)
        let neighbor = try #require(takeLock(lockFile.path, 10))
        giveBack(neighbor)
        #expect(StoreModel.code { try Environment.lockedFile(lock, path: file.path) { _ in } } == .locked)
        environment.close()
        // A write that comes too late is refused, and takes nothing.
        #expect(
            await StoreModel.asyncCode({
                try await environment.submit { try StoreModel.put([1], at: 1, in: $0) }
            }) == .io)
        let late = try #require(takeLock(lockFile.path, 9))
        giveBack(late)
        try Environment.lockedFile(lock, path: file.path) { _ in }
    }
}

extension StoreModel {
    fileprivate static func entriesAreThere(_ environment: Environment, _ count: Int) -> Bool {
        (try? entries(first, in: environment).count) == count
    }
}
