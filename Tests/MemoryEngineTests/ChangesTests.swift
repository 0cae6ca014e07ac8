import TestSupport
import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `Changes of a home` {
    let atlas = Namespace.project("atlas")

    private func changes(_ engine: Engine, after: UInt64 = 0) async throws -> [Change] {
        var changes: [Change] = []
        for try await change in engine.changes(after: after, in: atlas, upToNow: true) {
            changes.append(change)
        }
        return changes
    }

    @Test func `come without a gap, and can be taken up after any commit`() async throws {
        let store = try ScratchStore()
        var random = SeededRandom(seed: 5)
        var ids: [MemoryID] = []
        for _ in 0..<40 {
            store.clock.advance()
            if ids.count > 3, random.chance(0.3) {
                try await store.engine.forget(.id(ids.removeFirst()), under: atlas)
            } else {
                let drafts = (0..<1 + random.below(400)).map { MemoryDraft("text \($0)") }
                ids.append(try await store.engine.remember(drafts, in: atlas)[0].get().id)
            }
        }
        let all = try await changes(store.engine)
        #expect(Array(Set(all.map(\.sequence))).sorted() == Array(1...40))
        #expect(zip(all, all.dropFirst()).allSatisfy { $0.sequence <= $1.sequence && $0.time <= $1.time })
        for after in [0, 1, 17, 39, 40] as [UInt64] {
            #expect(try await changes(store.engine, after: after) == all.filter { $0.sequence > after })
        }
        #expect(await refusal { try await self.changes(store.engine, after: 41) }?.code == .invalid)
        #expect(await refusal { try await self.changes(store.engine, after: .max) }?.code == .invalid)
    }

    @Test func `arrive while they are waited for`() async throws {
        let store = try ScratchStore()
        let first = try await store.engine.remember("one", in: atlas)
        let engine = store.engine
        let atlas = atlas
        let waiter = Task {
            for try await change in engine.changes(after: first.sequence, in: atlas) {
                return Optional(change)
            }
            return nil
        }
        let second = try await store.engine.remember("two", in: atlas)
        #expect(try await waiter.value?.id == second.id)
    }

    @Test func `are refused as a gap once they are trimmed`() async throws {
        let store = try ScratchStore()
        try await store.engine.remember("one", in: atlas)
        // As if the home had seen many commits, and kept the fewest that a setting allows.
        try await store.engine.withExistingHome(of: atlas) { home in
            try await home.environment.submit { transaction in
                var state = try HomeState.read(in: transaction.snapshot)
                state.sequence = 200_000
                state.trimmedSequence = 200_000 - Applier.operationCount - 3
                try state.write(in: transaction)
                try Schema.shared.put(
                    Schema.Shared.setting.key.raw(Settings.changeLogCountName.utf8), Array("10".utf8),
                    in: transaction)
            }
        }
        let before = 200_000 - Applier.operationCount - 3
        #expect(try await changes(store.engine, after: before).isEmpty)
        let result = try await store.engine.remember("two", in: atlas)
        #expect(result.sequence == 200_001)
        #expect(await refusal { try await self.changes(store.engine, after: before) }?.code == .gap)
        #expect(await refusal { try await self.changes(store.engine) }?.code == .gap)
        #expect(try await changes(store.engine, after: 200_000).map(\.id) == [result.id])
    }

    @Test func `are read no further ahead than a page, however slowly they are followed`() async throws {
        let store = try ScratchStore()
        for round in 0..<20 {
            _ = try await store.engine.remember((0..<700).map { MemoryDraft("\(round) \($0)") }, in: atlas)
        }
        for upToNow in [true, false] {
            var iterator = store.engine.changes(in: atlas, upToNow: upToNow).makeAsyncIterator()
            let first = try await iterator.next()
            #expect(first?.sequence == 1)
            // The home lets go of what the follower has not seen.
            try await trim(store.engine, upTo: upToNow ? 10 : 15)
            var count = 1
            let error: EngineError?
            do {
                while try await iterator.next() != nil { count += 1 }
                error = nil
            } catch {
                #expect((error as? EngineError)?.code == .gap)
                #expect((1_000..<1_200).contains(count))
                try await trim(store.engine, upTo: 0)
                continue
            }
            #expect(error != nil, "all \(count) changes were read ahead")
        }
        // In the middle of a commit as at its end.
        #expect(try await changes(store.engine).count == 14_000)
    }

    private func trim(_ engine: Engine, upTo sequence: UInt64) async throws {
        try await engine.withExistingHome(of: atlas) { home in
            try await home.environment.submit { transaction in
                var state = try HomeState.read(in: transaction.snapshot)
                state.trimmedSequence = sequence
                try state.write(in: transaction)
            }
        }
    }

    @Test func `of a home that is not there are refused`() async throws {
        let store = try ScratchStore()
        #expect(await refusal { try await self.changes(store.engine) }?.code == .notFound)
    }
}
