import TestSupport
import Testing

@testable import MemoryEngine
@testable import Store

/// Vectors by the first word of a text: the same word, nearly the same direction.
private struct TopicEmbedder: Embedder {
    let space = EmbeddingSpace(model: "topics", dimension: 64)
    let limits = EmbedderLimits()

    func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        inputs.map { input in
            guard case .text(let text) = input else { return [] }
            var topic = SeededRandom(seed: UInt64(TermHash.hash(Array(text.prefix { $0 != " " }.utf8))))
            var own = SeededRandom(seed: UInt64(TermHash.hash(Array(text.utf8))))
            return zip(topic.vector(space.dimension), own.vector(space.dimension)).map { $0 + 0.2 * $1 }
        }
    }
}

@Suite struct `A consolidation` {
    private let atlas = Namespace.project("atlas")
    private static let said = "The deploy failed because its token had expired."

    private func store(_ texts: [String]) async throws -> (ScratchStore, [MemoryID]) {
        let store = try ScratchStore()
        let ids = try await store.engine.remember(texts.map { MemoryDraft($0) }, in: atlas)
        return (store, try ids.map { try $0.get().id })
    }

    @Test func `concludes what says the same, once, and goes on with what is new`() async throws {
        let (store, ids) = try await store([
            Self.said, "Lunch is at twelve.", Self.said.uppercased().lowercased(),
        ])
        let first = try await store.engine.consolidate(in: atlas)
        #expect(first.found[.duplicates] == 1)
        #expect(first.leftOut[.words] != nil && first.leftOut[.links] != nil)
        let conclusions = try await store.engine.conclusions(in: atlas)
        #expect(conclusions.count == 1 && conclusions[0].step == .duplicates)
        let edge = conclusions[0].edge
        #expect([edge.from, edge.to] == [ids[2], ids[0]] && edge.kind == .duplicateOf)
        #expect(edge.rule == conclusions[0].says && edge.evidence.map(\.id) == [ids[2], ids[0]])
        #expect(edge.origin.principal == "loci")

        let sequence = try await store.engine.stats(in: atlas).sequence
        #expect(try await store.engine.consolidate(in: atlas).found == [:])
        #expect(try await store.engine.stats(in: atlas).sequence == sequence)

        try await store.engine.remember(MemoryDraft(Self.said + "!"), in: atlas)
        #expect(try await store.engine.consolidate(in: atlas).found[.duplicates] == 1)
        try await store.engine.expectClean(atlas)
        // What it made outlives the indexes.
        try await store.engine.rebuild(in: atlas)
        #expect(try await store.engine.conclusions(in: atlas).count == 2)
    }

    @Test func `does not conclude again what was taken back`() async throws {
        let (store, ids) = try await store([Self.said, Self.said, Self.said])
        try await store.engine.consolidate(in: atlas)
        let found = try await store.engine.conclusions(in: atlas)
        try await store.engine.unlink(#require(found.first?.edge.id), in: atlas)
        // Another look at all of it.
        let mutation = Mutation(at: store.clock.time, changes: [.setting("consolidated.duplicates", nil)])
        try await store.engine.withExistingHome(of: atlas) { _ = try await $0.apply(mutation) }
        #expect(try await store.engine.consolidate(in: atlas).found[.duplicates] == 0)
        #expect(try await store.engine.conclusions(in: atlas).count == 1)
        #expect(try await store.engine.takeBackConclusions(of: [.links], in: atlas) == 0)
        #expect(try await store.engine.takeBackConclusions(of: [.duplicates], in: atlas) == 1)
        #expect(try await store.engine.conclusions(in: atlas) == [])
        #expect(try await store.engine.conclusions(in: atlas, includesTakenBack: true).count == 2)
        try await store.engine.forget(.id(ids[0]), under: atlas)
        #expect(try await store.engine.conclusions(in: atlas, includesTakenBack: true) == [])
        try await store.engine.expectClean(atlas)
    }

    @Test func `lets recalls give the best of those that say the same`() async throws {
        let texts = [Self.said, "The deploy of atlas failed twice.", Self.said, Self.said]
        let (store, ids) = try await store(texts)
        func asked(_ change: (inout RecallQuery) -> Void = { _ in }) async throws -> [Hit] {
            var query = RecallQuery("Why did the deploy fail?", in: atlas)
            change(&query)
            return try await store.engine.recall(query).hits
        }
        #expect(try await asked().count == 4)
        let before = store.clock.time
        store.clock.advance(by: .seconds(60))
        try await store.engine.consolidate(in: atlas)
        let folded = try await asked()
        #expect(folded.count == 2)
        let hit = try #require(folded.first { $0.memory.content == Self.said })
        #expect(Set([hit.memory.id] + hit.duplicates) == [ids[0], ids[2], ids[3]])
        #expect(try await asked { $0.limit = 2 }.map(\.memory.content).sorted() == texts[0...1].sorted())
        #expect(try await asked { $0.foldsDuplicates = false }.count == 4)
        // Nothing was concluded then.
        #expect(try await asked { $0.asOf = before }.count == 4)
        // Without the oldest, the others are each their own until the next consolidation.
        try await store.engine.forget(.id(ids[0]), under: atlas)
        #expect(try await asked().count == 3)
    }

    @Test func `links what is about the same, from the younger to the older`() async throws {
        let embedder = TopicEmbedder()
        let store = try ScratchStore(embedder: embedder)
        var texts = (0..<120).map { "topic\($0) was spoken of" }
        for round in 0..<3 { texts += ["pump", "lunch", "river"].map { "\($0) was seen \(round) times" } }
        let ids = try await store.engine.remember(texts.map { MemoryDraft($0) }, in: atlas).map {
            try $0.get().id
        }
        var seen: [ConsolidationProgress] = []
        let report = try await store.engine.consolidate(in: atlas, steps: [.links]) { seen.append($0) }
        #expect(seen.last == ConsolidationProgress(step: .links, done: texts.count, total: texts.count))
        let found = try await store.engine.conclusions(in: atlas)
        #expect(report.found[.links] == found.count)
        var alike = 0
        for edge in found.map(\.edge) {
            #expect([.relatesTo, .paraphrases].contains(edge.kind))
            let words = try [edge.from, edge.to].map { id in
                texts[try #require(ids.firstIndex(of: id))].prefix { $0 != " " }
            }
            if words[0] == words[1] { alike += 1 }
        }
        // The three of each topic, each with each, and what is like them by chance.
        #expect(alike == 9 && found.count < 14)
        #expect(try await store.engine.consolidate(in: atlas, steps: [.links]).found == [:])
        // A walk over the semantic graph goes along them.
        let start = try #require(found.first).edge.from
        let edges = try await store.engine.edges(of: start, in: atlas, kinds: [.relatesTo, .paraphrases])
        #expect(!edges.isEmpty && edges.allSatisfy { $0.rule?.contains("cosine") ?? false })
        try await store.engine.expectClean(atlas)
    }

    @Test func `is refused where nobody may write, and there is no home`() async throws {
        let (store, _) = try await store([Self.said])
        let missing = await #expect(throws: EngineError.self) {
            try await store.engine.consolidate(in: .project("nowhere"))
        }
        #expect(missing?.code == .notFound)
        try await store.engine.close()
        let reader = try store.reopened { $0.isReadOnly = true }
        let refused = await #expect(throws: EngineError.self) { try await reader.consolidate(in: atlas) }
        #expect(refused?.code == .readOnly)
        #expect(try await reader.conclusions(in: atlas) == [])
    }
}
