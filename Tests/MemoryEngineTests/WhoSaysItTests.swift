import TestSupport
import Testing

@testable import MemoryEngine
@testable import Store

/// Keeps the texts that it is given, each of which has a vector of its own.
private final class ListeningEmbedder: Embedder {
    let space = EmbeddingSpace(model: "listening", dimension: 3)
    let knowsMeanings: Bool
    private let state = Mutex((texts: [String](), isOff: false))

    init(knowsMeanings: Bool = true) { self.knowsMeanings = knowsMeanings }

    func turn(off: Bool) { state.withLock { $0.isOff = off } }

    func takeTexts() -> [String] {
        state.withLock { state in
            defer { state.texts = [] }
            return state.texts
        }
    }

    static func vector(_ text: String) -> [Float] {
        let hash = TermHash.hash(Array(text.utf8))
        return [1, Float(hash & 0xFF), Float(hash >> 8 & 0xFF)]
    }

    func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        try inputs.map { input in
            guard case .text(let text) = input else { throw EngineError(.invalid, "no text") }
            let isOff = state.withLock { state in
                state.texts.append(text)
                return state.isOff
            }
            if isOff { throw EngineError(.embedder, "no worker is there") }
            return Self.vector(text)
        }
    }
}

@Suite struct `Who says a memory` {
    private let atlas = Namespace.project("atlas")
    private let words = "The oven runs at 1180 degrees."

    private func draft(_ actor: String?, key: String? = nil) -> MemoryDraft {
        var draft = MemoryDraft(words)
        (draft.actor, draft.key) = (actor, key)
        return draft
    }

    private func vector(of id: MemoryID, _ store: ScratchStore) async throws -> [Float]? {
        try await store.engine.embeddings(of: id, in: atlas).first?.vector
    }

    @Test(arguments: [true, false], [EmbeddingPolicy.required, .later])
    func `stands before it for a model that knows meanings`(
        knowsMeanings: Bool, policy: EmbeddingPolicy
    ) async throws {
        let embedder = ListeningEmbedder(knowsMeanings: knowsMeanings)
        let store = try ScratchStore(embedder: embedder) { $0.embedding = policy }
        try await store.engine.remember([draft("Ada"), draft(nil)], in: atlas)
        if policy == .later { try await store.engine.embed(in: atlas) }
        #expect(
            embedder.takeTexts().sorted() == (knowsMeanings ? ["Ada: \(words)", words] : [words, words]))
    }

    @Test(arguments: [true, false]) func `changes its vector where it changes, now or when that can be made`(
        isOff: Bool
    ) async throws {
        let embedder = ListeningEmbedder()
        let store = try ScratchStore(embedder: embedder) { $0.embedding = .whenAvailable }
        let id = try await store.engine.remember(draft("Ada"), in: atlas).id
        embedder.turn(off: isOff)
        try await store.engine.update(id, in: atlas) { $0.actor = "Bob" }
        #expect(try await store.engine.missingSpaces(in: atlas) == (isOff ? [embedder.space: 1] : [:]))
        embedder.turn(off: false)
        try await store.engine.embed(in: atlas)
        #expect(try await vector(of: id, store) == ListeningEmbedder.vector("Bob: \(words)"))
        // What else changes leaves it.
        _ = embedder.takeTexts()
        try await store.engine.update(id, in: atlas) { $0.tags = ["hot"] }
        #expect(embedder.takeTexts().isEmpty)
        #expect(try await vector(of: id, store) == ListeningEmbedder.vector("Bob: \(words)"))
    }

    @Test func `stays where the same is remembered again without it`() async throws {
        let store = try ScratchStore(embedder: ListeningEmbedder())
        let id = try await store.engine.remember(draft("Ada", key: "oven"), in: atlas).id
        var again = draft(nil, key: "oven")
        again.tags = ["hot"]
        let result = try await store.engine.remember(again, in: atlas)
        #expect(result.id == id)
        let memory = try #require(try await store.engine.get(id, in: atlas))
        #expect(memory.actor == "Ada" && memory.tags == ["hot"])
        #expect(try await vector(of: id, store) == ListeningEmbedder.vector("Ada: \(words)"))
        try await store.engine.remember(draft("Bob", key: "oven"), in: atlas)
        #expect(try await vector(of: id, store) == ListeningEmbedder.vector("Bob: \(words)"))
    }

    @Test func `leaves a vector that the caller brought where nothing else makes it`() async throws {
        let store = try ScratchStore(embedder: ListeningEmbedder())
        let own = EmbeddingSpace(model: "own", dimension: 2)
        var draft = draft("Ada")
        draft.embeddings = [Embedding([1, 0], in: own)]
        let id = try await store.engine.remember(draft, in: atlas).id
        try await store.engine.update(id, in: atlas) { $0.actor = "Bob" }
        let spaces = try await store.engine.embeddings(of: id, in: atlas).map(\.space)
        #expect(Set(spaces) == [own, ListeningEmbedder().space])
    }

    @Test func `leaves the vector of an image`() async throws {
        let sight = SightEmbedder()
        let store = try ScratchStore(embedder: ListeningEmbedder()) { $0.mediaEmbedders = [sight] }
        var draft = draft("Ada")
        draft.attachments = [.data(MediaFiles.png(SightEmbedder.dog), name: "dog.png")]
        let id = try await store.engine.remember(draft, in: atlas).id
        sight.isOff = true
        await store.engine.close()
        // As one of the embedders that homes may go on with, as a service is.
        var options = store.options
        (options.mediaEmbedders, options.otherEmbedders) = ([], [sight])
        let engine = try Engine.open(
            at: store.directory.path, embedder: ListeningEmbedder(), options: options)
        try await engine.update(id, in: atlas) { $0.actor = "Bob" }
        let vectors = try await engine.embeddings(of: id, in: atlas)
        #expect(vectors.first { $0.space == sight.space }?.vector == [1, 0, 0])
        #expect(
            vectors.first { $0.space != sight.space }?.vector == ListeningEmbedder.vector("Bob: \(words)"))
        await engine.close()
    }

    @Test func `words are given as most of a home write them`() {
        func study(_ texts: [String]) -> HomeStudy {
            var study = HomeStudy()
            for (number, text) in texts.enumerated() {
                study.memories.append(
                    StudiedMemory(
                        id: MemoryID(digestOf: Array(text.utf8)), version: 1, passage: UInt32(number),
                        kind: .note,
                        happened: 0..<1, content: Array(text.utf8)))
            }
            return study
        }
        let written = WrittenWords(
            in: study(["Connected, CONNECTED and a connection", "Especially connected", "kilns", "kiln"]))
        #expect(written[Array("connect".utf8)] == "connected")
        #expect(written[Array("especi".utf8)] == "especially")
        // Of equals the first in the alphabet.
        #expect(written[Array("kiln".utf8)] == "kiln")
        #expect(written[Array("unseen".utf8)] == "unseen")
    }
}
