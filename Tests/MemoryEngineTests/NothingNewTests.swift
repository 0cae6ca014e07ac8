import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `What says nothing new` {
    let atlas = Namespace.project("atlas")
    static let space = EmbeddingSpace(model: "own", dimension: 2)

    private func full() -> MemoryDraft {
        var draft: MemoryDraft = "The limit is 100"
        draft.key = "limit"
        draft.kind = .fact
        draft.actor = "ada"
        draft.thread = "t"
        draft.tags = ["a", "b"]
        draft.keywords = ["rate"]
        draft.attributes = ["region": "eu-1"]
        draft.importance = 0.75
        draft.isPinned = true
        draft.origin = Origin(
            agent: "bot", model: "m", source: "log:1", trust: .verified, mayContribute: true)
        draft.embeddings = [Embedding([1, 2], in: Self.space)]
        return draft
    }

    @Test(arguments: [false, true])
    func `makes no version, whoever updates`(isFolded: Bool) async throws {
        let store = try ScratchStore()
        let id = try await store.engine.remember(full(), in: atlas).id
        if isFolded { try await store.engine.fold(atlas) }
        let sequence = try await store.engine.stats(in: atlas).sequence
        await store.engine.close()
        let engine = try store.reopened { $0.principal = "somebody else" }
        store.clock.advance()
        for _ in 0..<2 {
            let updated = try await engine.update(id, in: atlas) { $0.tags = ["a", "b"] }
            #expect(!updated.isNew && updated.version == 1 && updated.sequence == sequence)
        }
        #expect(try await engine.get(id, in: atlas)?.origin.principal == "tester")
        // A vector in a space that has none comes to the version; another vector is another version.
        let other = EmbeddingSpace(model: "other", dimension: 2)
        let added = try await engine.update(id, in: atlas) { $0.embeddings = [Embedding([3, 4], in: other)] }
        #expect(!added.isNew && added.version == 1)
        #expect(try await engine.embeddings(of: id, in: atlas).map(\.vector) == [[1, 2], [3, 4]])
        let replaced = try await engine.update(id, in: atlas) {
            $0.embeddings = [Embedding([9, 9], in: other)]
        }
        #expect(replaced.isNew && replaced.version == 2)
        #expect(try await engine.embeddings(of: id, in: atlas).map(\.vector) == [[1, 2], [9, 9]])
        #expect(try await engine.update(id, in: atlas) { $0.tags = ["b", "a"] }.version == 3)
        // What is closed begins anew.
        try await engine.retract(id, in: atlas)
        #expect(try await engine.update(id, in: atlas) { _ in }.version == 5)
        try await engine.expectClean(atlas)
        await engine.close()
    }

    @Test func `under a key returns the memory that is there`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let first = try await engine.remember(full(), in: atlas)
        var words: MemoryDraft = "The limit is 100"
        words.key = "limit"
        for draft in [full(), words] {
            store.clock.advance()
            let again = try await engine.remember(draft, in: atlas)
            #expect(!again.isNew && again.version == 1 && again.id == first.id)
        }
        // Twice in one batch, too.
        words.key = "batch"
        words.embeddings = [Embedding([1, 2], in: Self.space)]
        var tagged = words
        tagged.tags = ["new"]
        let batch = try await engine.remember([words, words, tagged, tagged], in: atlas).map { try $0.get() }
        #expect(batch.map(\.version) == [1, 1, 2, 2] && batch.map(\.isNew) == [true, false, true, false])
        #expect(try await engine.embeddings(of: batch[0].id, in: atlas).map(\.vector) == [[1, 2]])
        try await engine.expectClean(atlas)
    }

    @Test func `of the words may say something new of the rest, which is an update of that`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let id = try await engine.remember(full(), in: atlas).id
        let happened = store.clock.time.advanced(by: .seconds(-100))
        let until = happened.advanced(by: .seconds(1_000))
        let changes: [(inout MemoryDraft) -> Void] = [
            { $0.kind = .event }, { $0.tags = ["c"] }, { $0.actor = "bob" }, { $0.keywords = ["throughput"] },
            { $0.attributes = ["region": "us-1"] }, { $0.importance = 0.25 },
            { $0.happened = happened...happened }, { $0.valid = happened..<until }, { $0.expires = until },
            { $0.origin.source = "log:2" }, { $0.origin.trust = .untrusted },
        ]
        var expected = MemoryDraft(try #require(try await engine.get(id, in: atlas)))
        for (place, change) in changes.enumerated() {
            store.clock.advance()
            var draft: MemoryDraft = "The limit is 100"
            draft.key = "limit"
            change(&draft)
            change(&expected)
            let said = draft
            let remembered = try await engine.remember(said, in: atlas)
            #expect(remembered.isNew && remembered.version == UInt32(place) + 2 && remembered.id == id)
            #expect(try await !engine.remember(said, in: atlas).isNew)
            let memory = try #require(try await engine.get(id, in: atlas))
            #expect(MemoryDraft(memory).fields == expected.fields)
        }
        #expect(try await engine.embeddings(of: id, in: atlas).map(\.vector) == [[1, 2]])
        // It is found by what was said last.
        #expect(try await engine.list(in: atlas, filter: .tag("c")).memories.map(\.version) == [12])
        #expect(try await engine.list(in: atlas, filter: .tag("a")).memories.isEmpty)
        #expect(try await engine.recall("throughput", in: atlas).first?.memory.id == id)
        #expect(try await engine.recall("rate", in: atlas).isEmpty)
        try await engine.expectClean(atlas)
    }

    private func found(_ engine: Engine, _ text: String, _ vector: [Float]?) async throws -> Recall {
        var query = RecallQuery(text, in: atlas)
        query.embeddings = vector.map { [Embedding($0, in: Self.space)] } ?? []
        return try await engine.recall(query)
    }

    @Test func `to a question is no answer, and only that`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        func draft(_ text: String, _ vector: [Float]) -> MemoryDraft {
            var draft = MemoryDraft(text)
            draft.embeddings = [Embedding(vector, in: Self.space)]
            return draft
        }
        try await engine.remember(draft("A single port", [1, 0]), in: atlas)
        #expect(try await found(engine, "zebra", [0, 1]).isEmpty)
        #expect(try await found(engine, "zebra", [-1, 0]).isEmpty)
        #expect(try await found(engine, "zebra", nil).isEmpty)
        let like = try await found(engine, "zebra", [2, 0])
        #expect(
            abs((like.first?.parts.vectors ?? 0) - 0.65) < 1e-6 && like.first?.parts.sum == like.first?.score)
        #expect(try await found(engine, "single", [0, 1]).count == 1)
        // Several that are all as unlike as each other.
        for number in 0..<5 { try await engine.remember(draft("Another \(number)", [1, 0]), in: atlas) }
        #expect(try await found(engine, "zebra", [0, 1]).isEmpty)
        #expect(try await found(engine, "zebra", [1, 0]).count == 6)
        // Where they differ, each is ranked, as nearest neighbours are.
        try await engine.remember(draft("The odd one", [0, -1]), in: atlas)
        #expect(try await found(engine, "zebra", [0, 1]).count == 7)
    }
}

extension MemoryDraft {
    /// What it says beside its words and vectors, whoever says it.
    fileprivate var fields: VersionFields? {
        var fields = try? DraftPreparation(
            splitter: PassageSplitter(maximumByteCount: 1_200), principal: "tester", now: .distantPast
        ).prepare(self, id: MemoryID(rawValue: 0), in: .project("atlas")).fields
        fields?.origin.principal = "tester"
        return fields
    }
}
