import Dispatch
import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `A snapshot that is held` {
    let atlas = Namespace.project("atlas")

    /// A read that goes on until it is let go.
    private final class HeldRead: Sendable {
        private let end = DispatchSemaphore(value: 0)
        private let task: Task<Void, any Error>

        init(_ engine: Engine, _ home: Namespace) async throws {
            let (began, end) = (AsyncStream<Void>.makeStream(), end)
            task = Task {
                _ = try await engine.read(in: home) { _ in
                    began.continuation.finish()
                    end.wait()
                }
            }
            for await _ in began.stream {}
        }

        func letGo() async throws {
            end.signal()
            try await task.value
        }
    }

    /// What was told.
    private final class Told: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    @Test func `is counted and timed in the statistics, and told of once when something is written`()
        async throws
    {
        let told = Told()
        let store = try ScratchStore {
            $0.longestRead = .zero
            $0.warn = { told.add($0) }
        }
        let engine = store.engine
        try await engine.remember("one", in: atlas)
        #expect(try await engine.stats(in: atlas).heldSnapshots == 0)
        #expect(try await engine.stats(in: atlas).oldestSnapshotAge == nil && told.all == [])
        let first = try await HeldRead(engine, atlas)
        let second = try await HeldRead(engine, atlas)
        let young = try #require(try await engine.stats(in: atlas).oldestSnapshotAge)
        let old = try #require(try await engine.stats(in: atlas).oldestSnapshotAge)
        #expect(try await engine.stats(in: atlas).heldSnapshots == 2 && young > .zero && old > young)
        #expect(told.all == [])
        for _ in 0..<3 { try await engine.remember("two", in: atlas) }
        #expect(told.all.count == 1 && told.all[0].contains("project/atlas"))
        try await first.letGo()
        try await engine.remember("three", in: atlas)
        #expect(told.all.count == 2)
        try await second.letGo()
        try await engine.remember("four", in: atlas)
        #expect(told.all.count == 2)
        #expect(try await engine.stats(in: atlas).heldSnapshots == 0)
    }

    @Test func `too long is refused to go on, if that is wanted, but for copies and checks`() async throws {
        let store = try ScratchStore {
            $0.longestRead = .milliseconds(200)
            $0.longRead = .end
        }
        let engine = store.engine
        try await engine.remember("one", in: atlas)
        let clock = ContinuousClock()
        for asksByKey in [true, false] {
            let error = await refusal {
                try await engine.read(in: atlas) { transaction in
                    let start = clock.now
                    while clock.now - start < .seconds(20) {
                        if asksByKey {
                            _ = try HomeState.read(in: transaction)
                        } else {
                            _ = try SpaceRecord.all(in: transaction)
                            try Schema.memory.scan(prefix: Key(), in: transaction) { _, _ in true }
                        }
                    }
                }
            }
            #expect(error?.code == .deadline)
        }
        // Copies and checks go on.
        try await engine.expectClean(atlas)
        let home = try await engine.withExistingHome(of: atlas) { $0 }
        let count = try home.environment.read(isBounded: false) { transaction in
            let start = clock.now
            while clock.now - start < .milliseconds(250) { _ = try HomeState.read(in: transaction) }
            return try HomeState.read(in: transaction).memoryCount
        }
        #expect(count == 1)
        await engine.close()
        // It was that read alone. Without the bound, which a busy machine may exceed here.
        let again = try store.reopened { $0.longRead = .warn }
        try await again.remember("two", in: atlas)
        #expect(try await again.list(in: atlas).memories.count == 2)
        await again.close()
    }
}
