import HNSW
import TestSupport
import Testing

@testable import MemoryEngine

@Suite struct `A search over vectors alone` {
    private static let space = EmbeddingSpace(model: "test", dimension: 4)
    private let atlas = Namespace.project("atlas")

    private func draft(_ text: String, _ vector: [Float], tag: String? = nil) -> MemoryDraft {
        var draft = MemoryDraft(text)
        draft.embeddings = [Embedding(vector, in: Self.space)]
        if let tag { draft.tags = [tag] }
        return draft
    }

    private func filled() async throws -> ScratchStore {
        let store = try ScratchStore()
        for (text, vector) in [
            ("east", [1, 0, 0, 0]), ("north", [0, 1, 0, 0]), ("north-east", [1, 1, 0, 0]),
            ("up", [0, 0, 1, 0]),
        ] as [(String, [Float])] {
            _ = try await store.engine.remember(
                draft(text, vector, tag: text.count > 4 ? "long" : nil), in: atlas)
        }
        return store
    }

    private func query(_ vectors: [[Float]]) -> VectorQuery { VectorQuery(vectors, in: Self.space) }

    @Test(arguments: [SearchEffort.usual, .exact, .candidates(1), .recall(0.9)])
    func `gives the nearest of each vector, with their scores`(effort: SearchEffort) async throws {
        let store = try await filled()
        var query = query([[2, 0, 0, 0], [0, 0, 3, 0]])
        query.limit = 2
        query.effort = effort
        let answer = try await store.engine.nearest(query, in: atlas)
        #expect(answer.isComplete)
        #expect(answer.hits.map { $0.map(\.memory.content) }.first == ["east", "north-east"])
        #expect(answer.hits[0].map(\.score)[0] == 1)
        #expect(abs(answer.hits[0][1].score - 0.7071) < 1e-3)
        #expect(answer.hits[1].first?.memory.content == "up")
        #expect(answer.hits[1].first?.passage.text == "up")
        await store.engine.close()
    }

    @Test func `keeps to a radius, a filter, and what was known then`() async throws {
        let store = try await filled()
        var query = query([[1, 0, 0, 0]])
        query.minimumScore = 0.5
        #expect(
            try await store.engine.nearest(query, in: atlas).hits[0].map(\.memory.content) == [
                "east", "north-east",
            ])
        query.filter = .tag("long")
        #expect(
            try await store.engine.nearest(query, in: atlas).hits[0].map(\.memory.content) == ["north-east"])
        query.filter = nil
        let before = store.clock.advance()
        store.clock.advance()
        _ = try await store.engine.remember(draft("nearly east", [1, 0.1, 0, 0]), in: atlas)
        #expect(try await store.engine.nearest(query, in: atlas).hits[0].count == 3)
        query.asOf = before
        #expect(try await store.engine.nearest(query, in: atlas).hits[0].count == 2)
        await store.engine.close()
    }

    @Test func `of a session sees nothing of other sessions`() async throws {
        let store = try await filled()
        _ = try await store.engine.remember(draft("mine", [1, 0, 0, 0]), in: atlas.session("mine"))
        _ = try await store.engine.remember(draft("theirs", [1, 0, 0, 0]), in: atlas.session("theirs"))
        let answer = try await store.engine.nearest(query([[1, 0, 0, 0]]), in: atlas.session("mine"))
        #expect(answer.hits[0].map(\.memory.content) == ["mine"])
        await store.engine.close()
    }

    @Test func `whose time is over says that it is not complete`() async throws {
        let store = try await filled()
        var query = query([[1, 0, 0, 0]])
        query.deadline = .zero
        let answer = try await store.engine.nearest(query, in: atlas)
        #expect(!answer.isComplete)
        #expect(answer.hits.map(\.count) == [0])
        await store.engine.close()
    }

    @Test func `that is cancelled throws`() async throws {
        let store = try await filled()
        let (engine, query, atlas) = (store.engine, query([[1, 0, 0, 0]]), atlas)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await engine.nearest(query, in: atlas)
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        await store.engine.close()
    }

    @Test func `outside of its limits is refused by name`() async throws {
        let store = try await filled()
        func code(_ change: (inout VectorQuery) -> Void) async -> EngineError.Code? {
            var query = query([[1, 0, 0, 0]])
            change(&query)
            do {
                _ = try await store.engine.nearest(query, in: atlas)
                return nil
            } catch {
                return (error as? EngineError)?.code
            }
        }
        #expect(await code { $0.limit = 0 } == .invalid)
        #expect(await code { $0.limit = 4_097 } == .invalid)
        #expect(await code { $0.vectors = [] } == .invalid)
        #expect(
            await code {
                $0.vectors = Array(repeating: [1, 0, 0, 0], count: 1_000)
                $0.limit = 100
            } == .tooLarge)
        #expect(await code { $0.effort = .candidates(0) } == .invalid)
        #expect(await code { $0.effort = .recall(1) } == .invalid)
        #expect(await code { $0.minimumScore = .nan } == .invalid)
        #expect(await code { $0.vectors = [[1, 0]] } == .invalidVector)
        #expect(await code { $0.vectors = [[0, 0, 0, 0]] } == .invalidVector)
        #expect(await code { $0.space = EmbeddingSpace(model: "other", dimension: 4) } == .notFound)
        await #expect(throws: EngineError.self) {
            try await store.engine.nearest(query([[1, 0, 0, 0]]), in: .project("nowhere"))
        }
        await store.engine.close()
    }

    @Test func `goes by the curve that the index measured on itself`() async throws {
        let store = try ScratchStore { options in
            options.index.thresholdByteCount = 1
            options.index.m = 4
            options.index.m0 = 8
            options.index.efConstruction = 24
            options.linkingThreads = 2
        }
        let space = EmbeddingSpace(model: "test", dimension: 4_096)
        var random = SeededRandom(seed: 9)
        func vector() -> [Float] {
            var vector = [Float](repeating: 0, count: 4_096)
            for place in 0..<6 { vector[place] = Float(random.below(2_001)) / 1_000 - 1 }
            vector[0] += 0.25
            return vector
        }
        let drafts = (0..<200).map { number in
            var draft = MemoryDraft("Memory \(number)")
            draft.embeddings = [Embedding(vector(), in: space)]
            return draft
        }
        for result in try await store.engine.remember(drafts, in: atlas) { _ = try result.get() }
        try await store.engine.finishIndexing(in: atlas)
        let before = try #require(try await store.engine.indexes(in: atlas, sampleCount: 20).first)
        #expect(before.nodes > 150)
        #expect(before.curve == nil)
        #expect(try #require(before.recall) > 0.8)
        let after = try #require(
            try await store.engine.tuneIndexes(in: atlas, neighborCount: 5, sampleCount: 30).first)
        let curve = try #require(after.curve)
        #expect(curve.neighborCount == 5)
        #expect(curve.nodes == after.nodes)
        #expect(try #require(curve.points.last).recall > 0.99)
        var query = VectorQuery([vector()], in: space)
        for recall in [0.5, 0.9, 0.99] {
            query.effort = .recall(recall)
            let answer = try await store.engine.nearest(query, in: atlas)
            #expect(answer.hits[0].count == 10)
            let next = try #require(curve.points.first { $0.recall >= recall })
            let candidates = try #require(answer.candidates)
            #expect(candidates <= max(10, next.candidates))
            #expect(candidates >= max(10, curve.points.last { $0.recall < recall }?.candidates ?? 0))
        }
        query.effort = .candidates(77)
        #expect(try await store.engine.nearest(query, in: atlas).candidates == 77)
        query.effort = .exact
        #expect(try await store.engine.nearest(query, in: atlas).candidates == nil)
        try await store.engine.expectClean(atlas)
        try await store.engine.rebuild(in: atlas)
        #expect(try await store.engine.indexes(in: atlas).first?.curve == nil)
        await #expect(throws: EngineError.self) {
            try await store.engine.tuneIndexes(in: atlas, neighborCount: 0)
        }
        await store.engine.close()
    }
}
