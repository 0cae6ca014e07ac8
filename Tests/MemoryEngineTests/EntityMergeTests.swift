import Labelled
import Testing

@testable import MemoryEngine

@Suite struct `Names of one thing` {
    private let atlas = Namespace.project("atlas")

    @Test(arguments: [false, true])
    func `are joined as the labelled homes say, those set aside too`(isAside: Bool) async throws {
        let store = try ScratchStore()
        var score = LabelledScore()
        let homes = try LabelledNames.all()
        #expect(homes.map(\.joined.count).reduce(0, +) >= 150)
        #expect(homes.map(\.apart.count).reduce(0, +) >= 150)
        #expect(homes.count(where: \.isAside) * 3 >= homes.count - 2)
        for home in homes where home.isAside == isAside { score.add(try await home.score(in: store.engine)) }
        #expect(score.unknown == [])
        #expect(score.precision >= 0.98, "\(score.wrong)")
        #expect(score.recall >= (isAside ? 0.92 : 0.95), "\(score.missed)")
    }

    private func study(_ texts: [String]) -> HomeStudy {
        let memories = texts.enumerated().map { place, text in
            StudiedMemory(
                id: MemoryID(rawValue: UInt128(place + 1)), version: 1, passage: UInt32(place), kind: .note,
                happened: 0..<1, content: Array(text.utf8))
        }
        return HomeStudy(memories: memories, nextPassage: UInt32(texts.count))
    }

    private func name(_ key: String, _ sort: EntitySort = .name) -> MemoryID {
        EntityName(sort: sort, key: key, surface: key).id
    }

    @Test func `are found with the words that say so, and where they stand`() throws {
        let text = "We keep pages in the Lightning Memory-Mapped Database (LMDB), and like LMDB."
        let found = EntityMerges.find(in: study([text]))
        let only = try #require(found.first)
        #expect(found.count == 1 && only.kind == .sameAs && only.from < only.to && only.weight == 0.95)
        #expect(Set([only.from, only.to]) == [name("lmdb"), name("lightning memory-mapped database")])
        #expect(only.says == "one is defined as short for the other (Lightning Memory-Mapped Database, LMDB)")
        let range = try #require(only.evidence.first).range
        let place = Array(text.utf8)[Int(range.lowerBound)..<Int(range.upperBound)]
        #expect(String(decoding: place, as: UTF8.self) == "Lightning Memory-Mapped Database (LMDB")
    }

    @Test func `stay two where a text says so, or where they stand side by side twice`() {
        let spelled = "Here it is `openHomes`, there `open_homes`."
        #expect(EntityMerges.find(in: study([spelled])).count == 1)
        #expect(EntityMerges.find(in: study([spelled, "Use `openHomes`, not `open_homes`."])).isEmpty)
        let list = "It lists `openHomes` and `open_homes`."
        #expect(EntityMerges.find(in: study([list])).count == 1)
        #expect(EntityMerges.find(in: study([list, list])).isEmpty)
    }

    @Test func `in code are a name of prose only where that is written as no other word is`() {
        #expect(EntityMerges.find(in: study(["It calls `LMDB` here.", "We like LMDB."])).count == 1)
        #expect(
            EntityMerges.find(in: study(["It calls `SET` here.", "They play SET.", "We have a Set."])).isEmpty
        )
    }

    @Test func `are no more than a thing can have`() {
        let texts = (0..<40).map { "They say that Ada\($0)x, also known as Ada\($0 + 1)x, wrote it." }
        var clusters: [MemoryID: Int] = [:]
        for merge in EntityMerges.find(in: study(texts)) {
            clusters[merge.from, default: 0] += 1
            clusters[merge.to, default: 0] += 1
        }
        #expect(clusters.count > NameClusters.maximumCount)
        #expect(EntityMerges.find(in: study(texts)).count < 40)
    }

    private func concluded(_ engine: Engine) async throws -> [Conclusion] {
        try await engine.conclusions(in: atlas, steps: [.entities])
    }

    @Test func `lead a walk from one name to what names the other, until they are taken back for good`()
        async throws
    {
        let store = try ScratchStore()
        let engine = store.engine
        let first = try await engine.remember(
            "The store is the Lightning Memory-Mapped Database (LMDB).", in: atlas
        ).id
        let second = try await engine.remember("We measured LMDB again.", in: atlas).id
        let third = try await engine.remember("A Lightning Memory-Mapped Database needs no cache.", in: atlas)
            .id
        #expect(try await engine.consolidate(in: atlas, steps: [.entities]).found[.entities] == 1)
        #expect(try await engine.consolidate(in: atlas, steps: [.entities]).found[.entities] == nil)
        let only = try #require(try await concluded(engine).first)
        #expect(only.edge.evidence.map(\.id) == [first] && only.edge.rule == only.says)
        var query = GraphQuery()
        query.kinds = [.sameAs, .mentions]
        query.depth = 2
        func reached() async throws -> Set<MemoryID> {
            Set(try await engine.neighbors(of: name("lmdb"), in: atlas, query: query).map(\.memory.id))
        }
        #expect(try await reached().isSuperset(of: [second, third]))
        try await engine.unlink(try #require(only.edge.id), in: atlas)
        #expect(try await !reached().contains(third))
        // Another text says it too, and nothing is concluded, nor by way of a third name.
        try await engine.remember("So LMDB (Lightning Memory-Mapped Database) it is.", in: atlas)
        try await engine.remember("They say Lightning, also known as LMDB, is quick.", in: atlas)
        try await engine.remember(
            "And Lightning, also known as Lightning Memory-Mapped Database, is small.", in: atlas)
        try await engine.consolidate(in: atlas, steps: [.entities])
        #expect(try await concluded(engine).count == 1)
        try await engine.expectClean(atlas)
    }

    @Test func `go with the last memory that names one of them`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let first = try await engine.remember("The function `openHomes` opens them.", in: atlas).id
        let second = try await engine.remember("In C it is open_homes.", in: atlas).id
        try await engine.consolidate(in: atlas, steps: [.entities])
        #expect(try await concluded(engine).count == 1)
        try await engine.forget(.id(second), under: atlas)
        #expect(try await concluded(engine).isEmpty)
        #expect(try await engine.get(name("open_homes", .identifier), in: atlas) == nil)
        #expect(try await engine.get(name("openhomes", .code), in: atlas) != nil)
        try await engine.forget(.id(first), under: atlas)
        #expect(
            try await engine.entries(of: atlas).allSatisfy { $0.table != "edge" && $0.table != "memory" })
        try await engine.expectClean(atlas)
    }

    @Test func `leave to the resolution of people who is who among those who act`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        for actor in ["Ada Lovelace", "Ada King"] {
            var draft = MemoryDraft("I am Ada King, formerly known as Ada Lovelace.")
            draft.actor = actor
            try await engine.remember(draft, in: atlas)
        }
        try await engine.consolidate(in: atlas, steps: [.entities])
        let actors = [name("ada lovelace", .actor), name("ada king", .actor)]
        var query = GraphQuery()
        query.kinds = [.sameAs]
        query.depth = 4
        let reached = try await engine.neighbors(of: actors[0], in: atlas, query: query).map(\.memory.id)
        #expect(!reached.isEmpty && !reached.contains(actors[1]))
    }
}
