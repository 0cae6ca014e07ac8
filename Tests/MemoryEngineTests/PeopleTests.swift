import Testing

@testable import MemoryEngine

@Suite struct `The people of a home` {
    private let atlas = Namespace.project("atlas")

    @discardableResult
    private func commit(_ engine: Engine, _ name: String, _ address: String) async throws -> MemoryID {
        var draft = MemoryDraft("Mend the gear of \(name) at \(address)")
        draft.actor = name
        draft.attributes = ["email": .string(address)]
        return try await engine.remember(draft, in: atlas).id
    }

    private func names(_ engine: Engine) async throws -> [[String]] {
        try await engine.people(in: atlas).map { $0.identities.map(\.address).sorted() }.sorted {
            $0[0] < $1[0]
        }
    }

    @Test(arguments: [false, true])
    func `are put together from names and addresses, folded or not`(isFolded: Bool) async throws {
        let store = try ScratchStore()
        let engine = store.engine
        try await commit(engine, "Ada Lovelace", "ada@x.org")
        try await commit(engine, "Ada Lovelace", "Ada@X.org")
        try await commit(engine, "Ada Lovelace", "al@y.org")
        try await commit(engine, "ada", "ada@x.org")
        try await commit(engine, "Bob Ross", "bob@x.org")
        if isFolded {
            for number in 0..<1_100 { try await engine.remember("Filler \(number)", in: atlas) }
            try await engine.finishIndexing()
        }
        #expect(try await engine.people(in: atlas).count == 3)
        let resolution = try await engine.resolvePeople(in: atlas)
        #expect(resolution.identityCount == 5 && resolution.personCount == 2)
        let ada = try #require(try await engine.people(named: "AL@Y.ORG", in: atlas).first)
        #expect(ada.name == "Ada Lovelace" && ada.count == 4 && ada.identities.count == 4)
        #expect(ada.merges.allSatisfy { $0.kind == .sameAs && $0.rule != nil && !$0.evidence.isEmpty })
        #expect(try await engine.people(named: "nobody", in: atlas).isEmpty)
        // By any alias, an edge away from another, all that is theirs can be walked to.
        var query = GraphQuery()
        query.kinds = [.sameAs, .mentions]
        query.depth = 3
        let alias = try #require(PersonAlias(address: "al@y.org")).entity.id
        let reached = try await engine.neighbors(of: alias, in: atlas, query: query)
        #expect(reached.filter { $0.memory.kind != .entity }.count == 4)
        // Resolved again, nothing changes.
        #expect(try await engine.resolvePeople(in: atlas).mergeCount == 0)
        try await engine.expectClean(atlas)
    }

    @Test func `stay apart where a merge was taken back`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        try await commit(engine, "Ada Lovelace", "ada@x.org")
        try await commit(engine, "Ada Lovelace", "al@y.org")
        try await engine.resolvePeople(in: atlas)
        let merge = try #require(
            try await engine.people(in: atlas)[0].merges.first { $0.rule == "stands beside it (al@y.org)" })
        try await engine.unlink(try #require(merge.id), in: atlas)
        #expect(try await names(engine) == [["ada@x.org"], ["al@y.org"]])
        #expect(try await engine.resolvePeople(in: atlas).mergeCount == 0)
        try await commit(engine, "Ada Lovelace", "al@y.org")
        try await engine.resolvePeople(in: atlas)
        #expect(try await names(engine) == [["ada@x.org"], ["al@y.org"]])
        // Also in a copy, and after a rebuild.
        try await engine.rebuild(in: atlas)
        try await engine.resolvePeople(in: atlas)
        #expect(try await names(engine) == [["ada@x.org"], ["al@y.org"]])
        // Whoever joins them by hand is believed.
        let ends = (merge.from, merge.to)
        try await engine.link(ends.0, to: ends.1, as: .sameAs, in: atlas)
        #expect(try await names(engine) == [["ada@x.org", "al@y.org"]])
        try await engine.expectClean(atlas)
    }

    @Test func `leave nothing when the last memory of an alias is forgotten`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let first = try await commit(engine, "Ada Lovelace", "ada@x.org")
        let second = try await commit(engine, "Ada Lovelace", "al@y.org")
        try await engine.resolvePeople(in: atlas)
        try await engine.forget(.id(second), under: atlas)
        try await engine.expectClean(atlas)
        let gone = try #require(PersonAlias(address: "al@y.org")).entity
        #expect(try await engine.get(gone.id, in: atlas) == nil)
        for entry in try await engine.entries(of: atlas) {
            #expect(!String(decoding: entry.value, as: UTF8.self).contains("al@y.org"))
            #expect(!String(decoding: entry.key, as: UTF8.self).contains("al@y.org"))
        }
        try await engine.forget(.id(first), under: atlas)
        #expect(
            try await engine.entries(of: atlas).allSatisfy { $0.table != "edge" && $0.table != "memory" })
        try await engine.expectClean(atlas)
    }

    @Test func `leave nothing, also of a merge that was taken back`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let ids = [
            try await commit(engine, "Ada Lovelace", "ada@x.org"),
            try await commit(engine, "Ada Lovelace", "al@y.org"),
        ]
        try await engine.resolvePeople(in: atlas)
        for merge in try await engine.people(in: atlas)[0].merges {
            try await engine.unlink(try #require(merge.id), in: atlas)
        }
        for id in ids {
            try await engine.forget(.id(id), under: atlas)
            try await engine.expectClean(atlas)
        }
        #expect(
            try await engine.entries(of: atlas).allSatisfy { entry in
                entry.table != "edge" && entry.table != "memory"
                    && (entry.table != "shared" || entry.key[0] != Schema.Shared.entityAlias.rawValue)
            })
    }

    @Test func `are told apart where a role writes`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        try await commit(engine, "root", "root@localhost")
        try await commit(engine, "root", "root@buildd.example.org")
        try await commit(engine, "Ada Lovelace", "root@localhost")
        try await engine.resolvePeople(in: atlas)
        #expect(try await engine.people(in: atlas).count == 3)
        #expect(try await engine.people(named: "root", in: atlas).count == 2)
    }
}
