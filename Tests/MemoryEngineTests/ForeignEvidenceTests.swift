import Testing

@testable import MemoryEngine

@Suite struct `Edges that lead to other homes` {
    private let atlas = Namespace.project("atlas")
    private let user = Namespace.user("u-7")
    private let other = Namespace.project("other")

    /// An edge in `atlas` to `user`, and one inside with evidence in `user` and `other`.
    private func filled(
        _ engine: Engine
    ) async throws -> (ids: [Namespace: MemoryID], end: EdgeID, cited: EdgeID, only: EdgeID) {
        var ids: [Namespace: MemoryID] = [:]
        for home in [atlas, user, other] {
            ids[home] = try await engine.remember("The token of \(home)", in: home).id
        }
        let second = try await engine.remember("The deploy", in: atlas).id
        let (own, users, others) = (
            try #require(ids[atlas]), try #require(ids[user]), try #require(ids[other])
        )
        let end = try await engine.link(own, to: users, as: .refersTo, in: atlas, toHome: user)
        func citation(_ id: MemoryID, _ home: Namespace) -> Citation {
            Citation(namespace: home, id: id, version: 1, range: 0..<3)
        }
        let cited = try await engine.link(
            own, to: second, as: .causedBy, in: atlas,
            evidence: [citation(users, user), citation(others, other)])
        let only = try await engine.link(
            second, to: own, as: .fixes, in: atlas, evidence: [citation(users, user.session("s"))])
        return (ids, end, cited, only)
    }

    @Test(arguments: 0..<4)
    func `go with the memories there, and so does evidence, however these are forgotten`(
        way: Int
    ) async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let (ids, end, cited, only) = try await filled(engine)
        let own = try #require(ids[atlas])
        func edges() async throws -> [Edge] {
            try await engine.edges(of: own, in: atlas, includesClosed: true)
        }
        #expect(Set(try await edges().compactMap(\.id)) == [end, cited, only])
        try await engine.expectClean(atlas)
        let id = try #require(ids[user])
        switch way {
        case 0: try await engine.forget(.id(id), under: user)
        case 1: try await engine.forget(.filter(.principal("tester")), under: user)
        case 2: try await engine.forget(.everything, under: user)
        default:
            let now = store.clock.time
            try await engine.update(id, in: user) { $0.expires = now }
            _ = try await engine.vacuum(in: user)
        }
        #expect(try await edges().compactMap(\.id) == [cited])
        #expect(try await edges().flatMap(\.evidence).map(\.namespace) == [other])
        try await engine.expectClean(atlas)
        try await engine.forget(.everything, under: other)
        #expect(try await edges().isEmpty)
        #expect(try await engine.entries(of: atlas).allSatisfy { $0.table != "edge" })
        try await engine.expectClean(atlas)
    }

    @Test func `are not made to what was forgotten`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let (ids, _, _, _) = try await filled(engine)
        let (own, gone) = (try #require(ids[atlas]), try #require(ids[other]))
        try await engine.forget(.id(gone), under: other)
        await #expect(throws: EngineError.self) {
            try await engine.link(own, to: gone, as: .refersTo, in: atlas, toHome: other)
        }
        try await engine.expectClean(atlas)
    }

    @Test func `are filed by a rebuild where an older program did not`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let (ids, end, _, _) = try await filled(engine)
        try await engine.withExistingHome(of: atlas) { home in
            try await home.environment.submit { transaction in
                for edge in try Edges.citing(Edges.foreign, in: transaction.snapshot) {
                    try Schema.edge.remove(Edges.evidenceKey(Edges.foreign, edge), in: transaction)
                }
            }
        }
        #expect(try await !engine.check(in: atlas).problems.isEmpty)
        try await engine.rebuild(in: atlas)
        try await engine.expectClean(atlas)
        try await engine.forget(.id(try #require(ids[user])), under: user)
        let own = try #require(ids[atlas])
        #expect(try await !engine.edges(of: own, in: atlas).contains { $0.id == end })
    }
}
