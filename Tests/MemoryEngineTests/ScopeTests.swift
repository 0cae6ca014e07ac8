import Store
import Testing

@testable import MemoryEngine

@Suite struct `What lies where` {
    private func inScratch(_ body: (Engine) async throws -> Void) async throws {
        let store = try ScratchStore()
        try await body(store.engine)
        await store.engine.close()
    }

    @Test func `forgetting a session spares what was promoted out of it`() async throws {
        try await inScratch { engine in
            let atlas = Namespace.project("atlas")
            let session = atlas.session("s1")
            let kept = try await engine.remember("the token expired", in: session)
            try await engine.remember("small talk", in: session)
            try await engine.promote(kept.id, from: session, to: atlas)
            let erased = try await engine.forget(.everything, under: session)
            #expect(erased.memories == 1)
            #expect(try await engine.get(kept.id, in: atlas)?.content == "the token expired")
        }
    }

    @Test func `a memory can be forgotten after its older versions were trimmed`() async throws {
        try await inScratch { engine in
            let atlas = Namespace.project("atlas")
            let kept = try await engine.remember("the token expired", in: atlas.session("s1"))
            try await engine.promote(kept.id, from: atlas.session("s1"), to: atlas)
            _ = try await engine.vacuum(in: atlas, retention: Retention(count: 0))
            #expect(try await engine.versions(of: kept.id, in: atlas).map(\.version) == [2])
            #expect(try await engine.forget(.id(kept.id), under: atlas).memories == 1)
            #expect(try await engine.check(in: atlas).problems == [])
        }
    }

    @Test func `a tenant is no home, and nobody writes to the collective`() async throws {
        try await inScratch { engine in
            await #expect(throws: EngineError.self) { try await engine.check(in: .tenant("acme")) }
            await #expect(throws: EngineError.self) { try await engine.compact(in: .tenant("acme")) }
            await #expect(throws: EngineError.self) { try await engine.remember("x", in: .collective) }
        }
    }

    @Test func `a receipt over all scopes lies in the first home that is there`() async throws {
        try await inScratch { engine in
            let user = Namespace.user("u-7")
            try await engine.remember("likes tea", in: user)
            var query = RecallQuery("tea", in: [.collective: 0.5, .project("atlas"): 0.8, user: 1])
            query.keepReceipt = true
            let recall = try await engine.recall(query)
            #expect(recall.count == 1)
            try await engine.record(.success, of: recall.id, in: user)
        }
    }

    @Test func `an import whose clocks contradict each other is refused`() async throws {
        try await inScratch { engine in
            let atlas = Namespace.project("atlas")
            let stored = try await engine.remember("one", in: atlas)
            try await engine.update(stored.id, in: atlas) { $0.content = "two" }
            var exported: [ExportedMemory] = []
            try await engine.export(in: atlas) { exported.append($0) }
            var isOpenTwice = exported[0]
            isOpenTwice.versions[0] = exported[0].versions[1]
            await #expect(throws: EngineError.self) {
                try await engine.importMemories([isOpenTwice], in: .project("other"))
            }
            var outside = exported[0]
            outside.versions[1].passages = [2_000..<2_001]
            await #expect(throws: EngineError.self) {
                try await engine.importMemories([outside], in: .project("other"))
            }
            #expect(try await engine.importMemories(exported, in: .project("other")) == 1)
            #expect(try await engine.importMemories(exported, in: .project("other")) == 0)
        }
    }

    @Test func `a store can be closed while its indexer folds`() async throws {
        for _ in 0..<3 {
            let store = try ScratchStore()
            let drafts = (0..<3_000).map { MemoryDraft("note \($0) about deploys") }
            _ = try await store.engine.remember(drafts, in: .project("atlas"))
            await store.engine.close()
            let engine = try store.reopened()
            #expect(try await engine.check(in: .project("atlas")).problems == [])
            #expect(try await engine.stats(in: .project("atlas")).memories == 3_000)
            await engine.close()
        }
    }

    @Test func `words of another version of the tokenizer are made anew`() async throws {
        let store = try ScratchStore()
        let atlas = Namespace.project("atlas")
        try await store.engine.remember("the token expired", in: atlas)
        try await store.engine.withExistingHome(of: atlas) { home in
            try await home.environment.submit { transaction in
                var state = try HomeState.read(in: transaction.snapshot)
                state.wordsVersion = 0
                try state.write(in: transaction)
            }
        }
        // Until then it is said that their titles are not known.
        #expect(try await store.engine.recall("token", in: atlas).leftOut.contains { $0.contains("titles") })
        await store.engine.close()
        let engine = try store.reopened()
        let recall = try await engine.recall("token", in: atlas)
        #expect(recall.count == 1 && recall.leftOut.isEmpty)
        let version = try await engine.read(in: atlas) { try HomeState.read(in: $0).wordsVersion }
        #expect(version == Schema.wordsVersion)
        await engine.close()
    }

    @Test func `forgetting a principal forgets what they asked`() async throws {
        try await inScratch { engine in
            let atlas = Namespace.project("atlas")
            var imported = MemoryDraft("the token expired")
            imported.key = "t"
            try await engine.remember(imported, in: atlas)
            var query = RecallQuery("token", in: atlas)
            query.keepReceipt = true
            let recall = try await engine.recall(query)
            let erased = try await engine.forget(.principal("tester"), under: atlas)
            #expect(erased.memories == 1)
            #expect(try await engine.stats(in: atlas).receipts == 0)
            await #expect(throws: EngineError.self) {
                try await engine.record(.success, of: recall.id, in: atlas)
            }
            #expect(try await engine.check(in: atlas).problems == [])
        }
    }
}
