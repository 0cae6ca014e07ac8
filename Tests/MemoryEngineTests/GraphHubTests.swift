import MemoryEngine
import TestSupport
import Testing

@Suite struct `A memory with many edges` {
    private let atlas = Namespace.project("atlas")
    private let leafCount = 700

    /// A hub, and leaves that each lead to it; every tenth leaf happened in the asked time.
    private func makeStar(_ store: ScratchStore) async throws -> (hub: MemoryID, leaves: [MemoryID]) {
        let engine = store.engine
        let hub = try await engine.remember("the hub", in: atlas).id
        let drafts = (0..<leafCount).map { number in
            var draft = MemoryDraft("leaf \(number)")
            let time = Timestamp(microseconds: number % 10 == 0 ? 1_000_000 : 9_000_000)
            draft.happened = time...time
            return draft
        }
        var leaves: [MemoryID] = []
        for result in try await engine.remember(drafts, in: atlas) { leaves.append(try result.get().id) }
        var random = SeededRandom(seed: 7)
        let known = Timestamp.now..<Timestamp.distantFuture
        let edges = leaves.enumerated().map { number, leaf in
            Edge(
                id: EdgeID(rawValue: UInt128(number + 1)), kind: .refersTo, from: leaf, to: hub, toHome: nil,
                weight: Float.random(in: 0.1...1, using: &random),
                valid: Timestamp.distantPast..<Timestamp.distantFuture, recorded: known, origin: Origin(),
                principal: "test", evidence: [])
        }
        try await engine.importEdges(edges, in: atlas)
        return (hub, leaves)
    }

    @Test(arguments: GraphQuery.Order.allCases)
    func `gives at a limit what the whole walk gives first`(order: GraphQuery.Order) async throws {
        let store = try ScratchStore()
        let (hub, _) = try await makeStar(store)
        var query = GraphQuery()
        query.order = order
        query.depth = 2
        query.limit = 10_000
        query.happened = Timestamp(microseconds: 0)..<Timestamp(microseconds: 2_000_000)
        let whole = try await store.engine.neighbors(of: hub, in: atlas, query: query)
        #expect(whole.count == leafCount / 10 && whole.isComplete)
        #expect(whole.visitedCount == leafCount + 1)
        for limit in [1, 40, 69] {
            query.limit = limit
            let first = try await store.engine.neighbors(of: hub, in: atlas, query: query)
            #expect(first.map(\.memory.id) == whole.prefix(limit).map(\.memory.id))
            #expect(first.map(\.strength) == whole.prefix(limit).map(\.strength))
            #expect(first.isComplete)
        }
        // A walk that found enough did not go on.
        query.happened = nil
        query.limit = 5
        let near = try await store.engine.neighbors(of: hub, in: atlas, query: query)
        #expect(near.count == 5 && near.visitedCount < leafCount / 2)
        // What a bound of memories ended is not complete.
        query.limit = 600
        query.visitLimit = 300
        let bounded = try await store.engine.neighbors(of: hub, in: atlas, query: query)
        #expect(bounded.count == 299 && bounded.visitedCount == 300 && !bounded.isComplete)
    }

    @Test func `lies on a path between two of its neighbors, and is not walked through`() async throws {
        let store = try ScratchStore()
        let (hub, leaves) = try await makeStar(store)
        var query = GraphQuery()
        query.depth = 2
        query.visitLimit = 10
        let short = try await store.engine.path(from: leaves[3], to: leaves[650], in: atlas, query: query)
        #expect(short?.map(\.from) == [leaves[3], leaves[650]])
        #expect(short?.map(\.to) == [hub, hub])
        query.direction = .out
        let forward = try await store.engine.path(from: leaves[3], to: hub, in: atlas, query: query)
        #expect(forward?.map(\.to) == [hub])
        #expect(try await store.engine.path(from: hub, to: leaves[3], in: atlas, query: query) == nil)
        query.depth = 1
        query.direction = .both
        #expect(try await store.engine.path(from: leaves[3], to: leaves[5], in: atlas, query: query) == nil)
        #expect(try await store.engine.path(from: hub, to: hub, in: atlas, query: query) == [])
        // The side that leads nowhere ends the search before the hub is walked through.
        let apart = try await store.engine.remember("apart", in: atlas).id
        try await store.engine.link(apart, to: leaves[0], as: .sameAs, in: atlas)
        query.depth = 64
        query.kinds = [.refersTo]
        #expect(try await store.engine.path(from: leaves[9], to: apart, in: atlas, query: query) == nil)
        // Where both lead on, the bound does.
        query.kinds = nil
        let other = try await store.engine.remember("further apart", in: atlas).id
        try await store.engine.link(other, to: leaves[1], as: .sameAs, in: atlas)
        query.visitLimit = 4
        let bounded = query
        let engine = store.engine
        let error = await refusal {
            try await engine.path(from: other, to: apart, in: atlas, query: bounded)
        }
        #expect(error?.code == .deadline)
        query.visitLimit = 10
        let path = try await engine.path(from: other, to: apart, in: atlas, query: query)
        #expect(path?.count == 4)
    }

    @Test func `shows so many of its edges as are asked for`() async throws {
        let store = try ScratchStore()
        let (hub, _) = try await makeStar(store)
        for limit in [1, 250, 700, 900] {
            let edges = try await store.engine.edges(of: hub, in: atlas, limit: limit)
            #expect(edges.count == min(limit, leafCount))
            #expect(Set(edges.compactMap(\.id)).count == edges.count)
        }
    }
}
