import Testing

@testable import MemoryEngine
@testable import Store

/// Knows some words: each stands for a direction, and a share of it. All else lies in directions of its own.
private struct WordEmbedder: Embedder {
    let space = EmbeddingSpace(model: "words", dimension: 40)
    var limits = EmbedderLimits(maximumBatchCount: 3)
    let calls = Mutex((embedded: [String](), failAfter: Int.max))
    /// Direction and how much of it.
    static let known: [String: (axis: Int, share: Float)] = [
        "car": (0, 1), "vehicle": (0, 0.9), "automobile": (0, 0.8), "truck": (0, 0.5), "ada": (1, 1),
        "bob": (1, 0.9),
        "pump": (2, 1), "compressor": (2, 0.7),
    ]

    func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        try inputs.map { input in
            guard case .text(let text) = input else { throw EngineError(.embedder, "not a text") }
            let isOver = calls.withLock { calls in
                calls.embedded.append(text)
                return calls.embedded.count > calls.failAfter
            }
            if isOver { throw EngineError(.embedder, "enough") }
            var vector = [Float](repeating: 0, count: space.dimension)
            let own = 4 + Int(TermHash.hash(Array(text.utf8)) % 36)
            let known = Self.known[text]
            if let known { vector[known.axis] = known.share }
            vector[own] += known.map { (1 - $0.share * $0.share).squareRoot() } ?? 1
            return vector
        }
    }

    /// Words that were embedded since the last call, without the texts of memories.
    func takeWords() -> [String] {
        calls.withLock { calls in
            defer { calls.embedded = [] }
            return calls.embedded.filter { !$0.contains(" ") }
        }
    }
}

@Suite struct `Synonyms` {
    let atlas = Namespace.project("atlas")
    private let embedder = WordEmbedder()

    private func store() async throws -> ScratchStore {
        let store = try ScratchStore(embedder: embedder)
        for text in [
            "The vehicle broke on the bridge", "An automobile with three wheels", "A truck full of sand",
            "Lunch was late again", "The pump of hall two leaks", "Nobody saw the compressor",
            "The river is high today",
            "Number 4711 is not in service",
        ] {
            try await store.engine.remember(text, in: atlas)
        }
        _ = embedder.takeWords()
        return store
    }

    private func asked(
        _ text: String, _ store: ScratchStore, _ change: (inout RecallQuery) -> Void = { _ in }
    ) async throws -> [Hit] {
        var query = RecallQuery(text, in: atlas)
        query.channels = [.words]
        change(&query)
        return try await store.engine.recall(query).hits
    }

    private func lists(_ store: ScratchStore) async throws -> [String: [String]] {
        let space = embedder.space
        let lists = try await store.engine.read(in: atlas) { try SynonymLists(space).all(in: $0) } ?? []
        return Dictionary(
            uniqueKeysWithValues: lists.map { list in
                (
                    String(decoding: list.term, as: UTF8.self),
                    list.list.map { String(decoding: $0.term, as: UTF8.self) }
                )
            })
    }

    @Test(arguments: [false, true])
    func `find what says the same in other words, the nearer the better`(isFolded: Bool) async throws {
        let store = try await store()
        try await store.engine.remember("My car is red", in: atlas)
        #expect(try await asked("car", store).map(\.memory.content) == ["My car is red"])
        if isFolded { try await store.engine.fold(atlas) }
        let progress = try await store.engine.consolidate(in: atlas, steps: [.words])
        #expect(progress.comparedWords > 0 && progress.embeddedWords == progress.comparedWords)
        let found = try await asked("car", store)
        #expect(
            found.map(\.memory.content) == [
                "My car is red", "The vehicle broke on the bridge", "An automobile with three wheels",
            ])
        for hit in found { #expect(abs(hit.parts.sum - hit.score) < 1e-9 && hit.parts.words == hit.score) }
        // Half a share of the direction is too little.
        #expect(try await lists(store)["car"] == ["vehicl", "automobil"])
        #expect(try await lists(store)["truck"] == [])
        let without = try await asked("car", store) { query in
            query.weights = RecallWeights()
            query.weights?.synonyms = 0
        }
        #expect(without.map(\.memory.content) == ["My car is red"])
        // With both words a memory has the better of the two, and not their sum.
        try await store.engine.remember("The car is a vehicle", in: atlas)
        let both = try await asked("car", store)
        let scores = ["The car is a vehicle", "My car is red"].map { text in
            both.first { $0.memory.content == text }?.score
        }
        #expect(scores[0] != nil && scores[0] == scores[1])
        try await store.engine.expectClean(atlas)
    }

    @Test func `that one home knows serve others that are asked with it`() async throws {
        let store = try await store()
        try await store.engine.remember("My car is red", in: atlas)
        try await store.engine.consolidate(in: atlas, steps: [.words])
        let ada = Namespace.user("ada")
        try await store.engine.remember("A vehicle of her own", in: ada)
        let alone = try await asked("car", store) { $0.namespaces = [ada: 1] }
        #expect(alone.isEmpty)
        let found = try await asked("car", store) { $0.namespaces[ada] = 1 }
        #expect(found.contains { $0.memory.content == "A vehicle of her own" })
    }

    @Test func `are compared once, and new words with all that were there`() async throws {
        let store = try await store()
        try await store.engine.consolidate(in: atlas, steps: [.words])
        #expect(embedder.takeWords().contains("vehicle"))
        #expect(try await lists(store)["vehicl"] == ["automobil"])
        #expect(try await store.engine.consolidate(in: atlas, steps: [.words]) == ConsolidationReport())
        #expect(embedder.takeWords() == [])
        // Numbers have none.
        #expect(try await lists(store)["4711"] == nil)
        try await store.engine.remember("The car stands still", in: atlas)
        _ = embedder.takeWords()
        try await store.engine.consolidate(in: atlas, steps: [.words])
        #expect(embedder.takeWords().sorted() == ["car", "stands", "still"])
        #expect(try await lists(store)["vehicl"] == ["car", "automobil"])
        let grown = try await lists(store)
        let other = try await self.store()
        try await other.engine.remember("The car stands still", in: atlas)
        try await other.engine.consolidate(in: atlas, steps: [.words])
        #expect(try await lists(other) == grown)
    }

    @Test func `go on where a consolidation failed`() async throws {
        let store = try await store()
        embedder.calls.withLock { $0.failAfter = 5 }
        let error = await #expect(throws: EngineError.self) {
            try await store.engine.consolidate(in: atlas, steps: [.words])
        }
        #expect(error?.code == .embedder)
        #expect(try await lists(store).isEmpty)
        embedder.calls.withLock { $0.failAfter = .max }
        try await store.engine.consolidate(in: atlas, steps: [.words])
        #expect(try await lists(store)["vehicl"] == ["automobil"])
    }

    @Test(arguments: [false, true])
    func `go with the last memory that holds the word`(isFolded: Bool) async throws {
        let store = try await store()
        let ids = try await store.engine.remember(
            ["Every car has a secretword", "Two cars"].map { MemoryDraft($0) }, in: atlas
        ).map { try $0.get().id }
        if isFolded { try await store.engine.fold(atlas) }
        try await store.engine.consolidate(in: atlas, steps: [.words])
        func holds(_ word: String) async throws -> Bool {
            try await store.engine.entries(of: atlas).contains {
                $0.table == "word"
                    && String(decoding: $0.key + $0.value, as: Unicode.ASCII.self).contains(word)
            }
        }
        #expect(try await holds("secretword"))
        try await store.engine.forget(.id(ids[0]), under: atlas)
        #expect(try await !holds("secretword"))
        try await store.engine.expectClean(atlas)
        // What has nothing to do with it stays.
        #expect(try await lists(store)["pump"] == ["compressor"])
        // The lists are made again of the vectors that are left.
        _ = embedder.takeWords()
        try await store.engine.consolidate(in: atlas, steps: [.words])
        #expect(embedder.takeWords() == [])
        #expect(try await lists(store)["car"] == ["vehicl", "automobil"])
        try await store.engine.forget(.id(ids[1]), under: atlas)
        try await store.engine.consolidate(in: atlas, steps: [.words])
        #expect(try await lists(store)["car"] == nil)
        #expect(try await lists(store)["vehicl"] == ["automobil"])
        try await store.engine.expectClean(atlas)
    }

    @Test func `count less than the word itself, however rare they are`() async throws {
        let store = try ScratchStore(embedder: embedder)
        for number in 0..<40 { try await store.engine.remember("Day \(number) by car", in: atlas) }
        try await store.engine.remember("Day 41 by automobile", in: atlas)
        try await store.engine.consolidate(in: atlas, steps: [.words])
        let recall = try await store.engine.recall("car", in: atlas, limit: 50)
        let hits = try await asked("car", store) { $0.limit = 50 }
        #expect(hits.count == 41 && hits.last?.memory.content == "Day 41 by automobile")
        #expect(try (0...1).contains(#require(recall.confidence)))
    }

    @Test func `are none in a space that the home has not`() async throws {
        let store = try ScratchStore(embedder: embedder) { $0.embedding = .later }
        try await store.engine.remember("The vehicle broke", in: atlas)
        #expect(try await store.engine.consolidate(in: atlas, steps: [.words]) == ConsolidationReport())
        #expect(try await store.engine.entries(of: atlas).allSatisfy { $0.table != "word" })
        #expect(await refusal { try await store.engine.consolidate(in: .project("none")) }?.code == .notFound)
        try await store.engine.expectClean(atlas)
    }

    @Test func `are none of those who speak`() async throws {
        let store = try await store()
        for (actor, text) in [("Ada", "I like soup, Bob"), ("Bob", "So do I, Ada")] {
            var draft = MemoryDraft(text)
            draft.actor = actor
            try await store.engine.remember(draft, in: atlas)
        }
        try await store.engine.consolidate(in: atlas, steps: [.words])
        #expect(try await lists(store)["ada"] == [])
        #expect(try await lists(store)["bob"] == [])
        // Who speaks later loses what the word had.
        #expect(try await lists(store)["pump"] == ["compressor"])
        var draft = MemoryDraft("Here I am")
        draft.actor = "Pump"
        try await store.engine.remember(draft, in: atlas)
        try await store.engine.consolidate(in: atlas, steps: [.words])
        #expect(try await lists(store)["pump"] == [])
        #expect(try await store.engine.consolidate(in: atlas, steps: [.words]) == ConsolidationReport())
    }

    @Test func `go with their space, and with a rebuild`() async throws {
        let store = try await store()
        try await store.engine.consolidate(in: atlas, steps: [.words])
        try await store.engine.rebuild(in: atlas)
        #expect(try await lists(store).isEmpty)
        try await store.engine.consolidate(in: atlas, steps: [.words])
        #expect(try await lists(store)["vehicl"] == ["automobil"])
        await store.engine.close()
        let other = FlakyEmbedder()
        let engine = try Engine.open(at: store.directory.path, embedder: other, options: store.options)
        try await engine.reembed(in: atlas, into: other.space, dropsOld: true)
        let words = try await engine.entries(of: atlas).filter { $0.table == "word" }
        #expect(!words.contains { $0.key[0] == Schema.Word.termVector || $0.key[0] == Schema.Word.synonyms })
        try await engine.expectClean(atlas)
        await engine.close()
    }
}
