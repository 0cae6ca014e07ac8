import Store
import TestSupport
import Testing

@testable import MemoryEngine

@Suite struct `Operations of a home` {
    private let atlas = Namespace.project("atlas")

    /// Applies a mutation that changes a setting, as one that came from elsewhere.
    private func apply(_ operation: UInt128, _ store: ScratchStore) async throws -> Applier.Result {
        try await store.engine.withExistingHome(of: atlas) { home in
            try await home.apply(
                Mutation(operation: operation, time: 1, changes: [.setting("test", String(operation))]))
        }
    }

    @Test func `are known again, in the block under way and in full ones, and change nothing then`()
        async throws
    {
        let store = try ScratchStore()
        try await store.engine.remember("the home", in: atlas)
        var random = SeededRandom(seed: 7)
        let operations = (0..<700).map { _ in UInt128(random.next()) << 64 | UInt128(random.next()) }
        for operation in operations {
            #expect(try await !apply(operation, store).isRepeated)
        }
        let sequence = try await apply(operations[0], store).sequence
        for operation in operations { #expect(try await apply(operation, store).isRepeated) }
        #expect(try await apply(operations[699], store).sequence == sequence)
        #expect(try await !apply(1, store).isRepeated)
        try await store.engine.expectClean(atlas)
    }

    @Test func `are forgotten block by block, when more than enough came after them`() async throws {
        let store = try ScratchStore()
        try await store.engine.remember("the home", in: atlas)
        let first: UInt128 = 12_345
        _ = try await apply(first, store)
        for operation in 0..<Operations.idsPerBlock { _ = try await apply(UInt128(operation), store) }
        #expect(try await apply(first, store).isRepeated)
        // As if so many had come that the first block is one more than are kept.
        let last = (Operations.blockCount + 1) * Operations.idsPerBlock
        try await skip(to: last - 2, store)
        _ = try await apply(70_000, store)
        #expect(try await apply(first, store).isRepeated)
        _ = try await apply(70_001, store)
        #expect(try await !apply(first, store).isRepeated)
        #expect(try await apply(70_000, store).isRepeated)
    }

    private func skip(to sequence: UInt64, _ store: ScratchStore) async throws {
        try await store.engine.withExistingHome(of: atlas) { home in
            try await home.environment.submit { transaction in
                var state = try HomeState.read(in: transaction.snapshot)
                state.sequence = sequence
                try state.write(in: transaction)
            }
        }
    }
}
