import HNSW
import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `A space with many forgotten vectors` {
    private static let space = EmbeddingSpace(model: "test", dimension: 2_048, metric: .l2)
    private let atlas = Namespace.project("atlas")

    private func store(least: UInt32 = 16, withGraph: Bool = true) throws -> ScratchStore {
        try ScratchStore { options in
            options.index.thresholdByteCount = withGraph ? 1 : 1 << 40
            options.index.m = 4
            options.index.m0 = 8
            options.index.efConstruction = 24
            options.index.efSearch = 600
            options.index.rowsPerStep = 24
            options.leastErased = least
        }
    }

    private func draft(_ number: Int) -> MemoryDraft {
        var draft = MemoryDraft("Memory \(number)")
        var vector = [Float](repeating: 0, count: Self.space.dimension)
        vector[0] = Float(number)
        vector[1 + number % 7] = 1
        draft.embeddings = [Embedding(vector, in: Self.space)]
        if number % 2 == 1 { draft.tags = ["odd"] }
        return draft
    }

    private func remember(_ numbers: Range<Int>, _ engine: Engine) async throws -> [MemoryID] {
        try await engine.remember(numbers.map(draft), in: atlas).map { try $0.get().id }
    }

    /// Each of the numbers is found where its vector is, and none besides.
    private func expect(_ known: Set<Int>, of all: Int, _ engine: Engine) async throws {
        let numbers = Array(0..<all)
        var query = VectorQuery(
            try numbers.map { try #require(draft($0).embeddings.first).vector }, in: Self.space)
        query.limit = 1
        let answer = try await engine.nearest(query, in: atlas)
        for (number, hits) in zip(numbers, answer.hits) {
            #expect((hits.first?.memory.content == "Memory \(number)") == known.contains(number), "\(number)")
        }
    }

    private func records(_ engine: Engine) async throws -> [SpaceRecord] {
        try await engine.read(in: atlas) { try SpaceRecord.all(in: $0) } ?? []
    }

    @Test(arguments: [true, false])
    func `is rewritten without them, and finds what it found`(withGraph: Bool) async throws {
        let store = try store(withGraph: withGraph)
        let engine = store.engine
        _ = try await remember(0..<90, engine)
        try await engine.fold(atlas)
        try await engine.finishIndexing(in: atlas)
        let before = try #require(try await records(engine).first)
        try await engine.forget(.filter(.tag("odd")), under: atlas)
        try await engine.finishIndexing(in: atlas)
        let after = try await records(engine)
        #expect(after.count == 1 && after[0].number != before.number && after[0].stage == .open)
        #expect(after[0].erasedSlots == 0 && after[0].nextSlot == 45)
        #expect((try await engine.stats(in: atlas).spaces.first?.linkedVectors ?? 0 > 0) == withGraph)
        try await engine.expectClean(atlas)
        try await expect(Set(stride(from: 0, to: 90, by: 2)), of: 90, engine)
        // Nothing of the other number is left in any table.
        let number = Key().u16(before.number).bytes
        let left = try await engine.entries(of: atlas).filter {
            ["vector", "link"].contains($0.table) && Array($0.key[1..<3]) == number
        }
        #expect(left.isEmpty)
        await engine.close()
    }

    /// Between any two steps callers remember and forget, and the store is opened anew.
    @Test(arguments: [true, false])
    func `is searched, written to and reopened between any two steps`(withGraph: Bool) async throws {
        let store = try store(least: .max, withGraph: withGraph)
        var engine = store.engine
        var ids = try await remember(0..<80, engine)
        try await engine.fold(atlas)
        try await engine.finishIndexing(in: atlas)
        var known = Set(0..<80)
        func forget(_ number: Int) async throws {
            try await engine.forget(.id(ids[number]), under: atlas)
            known.remove(number)
        }
        for number in stride(from: 0, to: 60, by: 3) { try await forget(number) }
        try await engine.finishIndexing(in: atlas)
        // From here on a part of them is enough, and each step is taken by hand.
        let parameters = store.options.index
        let first = try #require(try await records(engine).first)
        var steps = 0
        var hasMore = true
        while hasMore, steps < 100 {
            hasMore = try await engine.withExistingHome(of: atlas) { home in
                let indexes = VectorIndexes(parameters: parameters, leastErased: 16)
                let spaces = try home.environment.read { try SpaceRecord.all(in: $0) }
                let batch = try home.environment.read { transaction in
                    try indexes.due(spaces, vacuums: true, in: transaction).flatMap { due in
                        try indexes.index(of: due.space).prepare(
                            due.space.extent, repairs: due.repairs, in: transaction
                        ).map {
                            (due.space, $0)
                        }
                    }
                }
                return try await home.environment.submit { transaction in
                    if let batch {
                        // The engine's own indexer may have been faster.
                        _ = try indexes.index(of: batch.0).commit(batch.1, in: transaction)
                        return true
                    }
                    return try SpaceVacuum.step(indexes, in: transaction)
                }
            }
            steps += 1
            try await engine.expectClean(atlas)
            if steps % 2 == 1 {
                known.insert(ids.count)
                ids += try await remember(ids.count..<ids.count + 1, engine)
                if let number = known.sorted().dropFirst(steps).first { try await forget(number) }
            }
            if steps % 3 == 0 {
                await engine.close()
                engine = try store.reopened()
            }
            if steps % 5 == 0 { try await engine.fold(atlas) }
            if steps % 4 == 0 { try await expect(known, of: ids.count, engine) }
        }
        let last = try await records(engine)
        #expect(!hasMore && last.count == 1 && last[0].number != first.number)
        #expect(Int(last[0].nextSlot - last[0].erasedSlots) == known.count)
        try await expect(known, of: ids.count, engine)
        try await engine.expectClean(atlas)
        await engine.close()
    }

    @Test func `begins again after a rebuild in its middle, and ends when the space is dropped`() async throws
    {
        let store = try store(least: .max)
        let engine = store.engine
        let ids = try await remember(0..<60, engine)
        try await engine.fold(atlas)
        try await engine.finishIndexing(in: atlas)
        for id in ids.prefix(20) { try await engine.forget(.id(id), under: atlas) }
        let parameters = store.options.index
        func step() async throws {
            try await engine.withExistingHome(of: atlas) { home in
                _ = try await home.environment.submit {
                    try SpaceVacuum.step(VectorIndexes(parameters: parameters, leastErased: 16), in: $0)
                }
            }
        }
        try await step()
        try await step()
        // The engine's own indexer goes on with a copy that it finds: it may have been faster, and done with it.
        func isCopied() async throws -> Bool {
            let found = try await records(engine)
            return found.contains { $0.stage == .copy && $0.nextSlot == 40 }
                || found.allSatisfy { $0.erasedSlots == 0 }
        }
        #expect(try await isCopied())
        try await engine.rebuild(in: atlas)
        try await engine.expectClean(atlas)
        try await engine.finishIndexing(in: atlas)
        try await expect(Set(20..<60), of: 60, engine)
        try await step()
        try await step()
        #expect(try await isCopied())
        #expect(try await engine.dropSpace(Self.space, in: atlas) == 40)
        try await engine.finishIndexing(in: atlas)
        #expect(try await records(engine).isEmpty)
        #expect(try await engine.entries(of: atlas).allSatisfy { !["vector", "link"].contains($0.table) })
        try await engine.expectClean(atlas)
        await engine.close()
    }

    @Test func `loses its rows and their codes at once when it is dropped, and the indexer is told`()
        async throws
    {
        let store = try store()
        let engine = store.engine
        _ = try await remember(0..<60, engine)
        try await engine.fold(atlas)
        try await engine.finishIndexing(in: atlas)
        func kinds() async throws -> Set<UInt8> {
            Set(try await engine.entries(of: atlas).filter { $0.table == "link" }.map { $0.key[0] })
        }
        #expect(try await kinds().isSuperset(of: [1, 2, 4, 5]))
        let after = try await engine.withExistingHome(of: atlas) { home in
            try await home.apply(Mutation(at: store.clock.time, changes: [.dropSpace(Self.space)])).after
        }
        #expect(after?.spaces.map(\.stage) == [.leaving])
        #expect(try await kinds().isDisjoint(with: [4, 5]))
        #expect(try await engine.entries(of: atlas).allSatisfy { $0.table != "vector" })
        try await engine.expectClean(atlas)
        await engine.close()
    }

    @Test func `stays as it is where there is no room for another copy`() async throws {
        // Filled where there is room, and no copy is begun.
        let store = try ScratchStore { options in
            options.index.thresholdByteCount = 1 << 40
            options.leastErased = .max
        }
        let ids = try await remember(0..<320, store.engine)
        try await store.engine.fold(atlas)
        for id in ids.enumerated().filter({ $0.offset % 2 == 1 }).map(\.element) {
            try await store.engine.forget(.id(id), under: atlas)
        }
        try await store.engine.finishIndexing(in: atlas)
        _ = try await store.engine.compact(in: atlas)
        #expect(try await records(store.engine).map(\.erasedSlots) == [160])
        let byteCount = try await store.engine.stats(in: atlas).fileBytes
        await store.engine.close()

        // The rows that are left take 1.3 MB.
        let engine = try store.reopened { options in
            options.leastErased = 16
            options.quotaBytes = byteCount + 600 * 1_024
        }
        try await engine.finishIndexing(in: atlas)
        try await engine.finishIndexing(in: atlas)
        let records = try await records(engine)
        #expect(records.count == 1 && records[0].erasedSlots == 160)
        try await engine.expectClean(atlas)
        try await expect(Set(stride(from: 0, to: 320, by: 2)), of: 320, engine)
        _ = try await engine.vacuum(in: atlas)
        _ = try await remember(320..<321, engine)
        await engine.close()
    }
}
