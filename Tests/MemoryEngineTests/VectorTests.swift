import Foundation
import TestSupport
import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `Vectors` {
    let atlas = Namespace.project("atlas")

    static func score(_ a: [Float], _ b: [Float], _ metric: EmbeddingMetric) -> Double {
        let dot = zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        func norm(_ v: [Float]) -> Double { v.reduce(0) { $0 + Double($1) * Double($1) } }
        switch metric {
        case .innerProduct: return dot
        case .cosine: return dot / (norm(a) * norm(b)).squareRoot()
        case .l2:
            return -zip(a, b).reduce(0) { $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) }
        }
    }

    @Test(arguments: EmbeddingMetric.allCases, [3, 700])
    func `are found in the order of an exact comparison, with filters and after changes`(
        metric: EmbeddingMetric, dimension: Int
    ) async throws {
        var random = SeededRandom(seed: UInt64(dimension))
        let store = try ScratchStore()
        let space = EmbeddingSpace(model: "m", dimension: dimension, metric: metric)
        var vectors: [MemoryID: [Float]] = [:]
        var tagged = Set<MemoryID>()
        for place in 0..<120 {
            var draft = MemoryDraft("item \(place)")
            draft.embeddings = [Embedding(random.vector(dimension), in: space)]
            if random.chance(0.1) { draft.tags = ["few"] }
            let id = try await store.engine.remember(draft, in: atlas).id
            vectors[id] = draft.embeddings[0].vector
            if !draft.tags.isEmpty { tagged.insert(id) }
            if place == 100 { try await store.engine.fold(atlas) }
        }
        for id in vectors.keys.sorted().prefix(12) {
            try await store.engine.forget(.id(id), under: atlas)
            vectors[id] = nil
        }
        for id in vectors.keys.sorted().prefix(10) {
            let vector = random.vector(dimension)
            try await store.engine.update(id, in: atlas) { $0.embeddings = [Embedding(vector, in: space)] }
            vectors[id] = vector
        }
        for isFolded in [false, true] {
            if isFolded { try await store.engine.fold(atlas) }
            for filter in [nil, Filter.tag("few")] {
                var query = RecallQuery("", in: atlas)
                query.channels = [.vectors]
                query.filter = filter
                query.limit = 20
                query.embeddings = [Embedding(random.vector(dimension), in: space)]
                let recall = try await store.engine.recall(query)
                let scores = vectors.filter { filter == nil || tagged.contains($0.key) }
                    .mapValues { Self.score(query.embeddings[0].vector, $0, metric) }
                let best = scores.values.sorted(by: >).prefix(20)
                #expect(recall.count == best.count)
                for (hit, expected) in zip(recall, best) {
                    #expect(abs(scores[hit.memory.id]! - expected) < 1e-4 * max(1, abs(expected)))
                }
            }
        }
        try await store.engine.expectClean(atlas)
    }

    @Test func `come back bit by bit, from tail and segments, through updates`() async throws {
        var random = SeededRandom(seed: 3)
        let store = try ScratchStore()
        let wide = EmbeddingSpace(model: "org/wide", revision: "v2", dimension: 2_000, metric: .innerProduct)
        let narrow = EmbeddingSpace(model: "narrow", dimension: 2, metric: .l2)
        var expected: [MemoryID: [[Float]]] = [:]
        for place in 0..<80 {
            var draft = MemoryDraft("item \(place)")
            draft.embeddings = [
                Embedding(random.vector(2_000), in: wide),
                Embedding([Float.leastNonzeroMagnitude, -6.5e18], in: narrow),
            ]
            let id = try await store.engine.remember(draft, in: atlas).id
            expected[id] = draft.embeddings.map(\.vector)
        }
        for isFolded in [false, true] {
            if isFolded { try await store.engine.fold(atlas) }
            for (id, vectors) in expected {
                let found = try await store.engine.embeddings(of: id, in: atlas)
                #expect(found.map { $0.vector.map(\.bitPattern) } == vectors.map { $0.map(\.bitPattern) })
                #expect(found.map(\.space) == [wide, narrow])
            }
        }
        let id = expected.keys.sorted()[0]
        try await store.engine.update(id, in: atlas) { $0.tags = ["same words"] }
        #expect(try await store.engine.embeddings(of: id, in: atlas).map(\.vector) == expected[id])
        try await store.engine.retract(id, in: atlas)
        #expect(try await store.engine.embeddings(of: id, in: atlas).map(\.vector) == expected[id])
        try await store.engine.update(id, in: atlas) { $0.content = "other words" }
        #expect(try await store.engine.embeddings(of: id, in: atlas).isEmpty)
        try await store.engine.expectClean(atlas)
    }

    @Test func `are refused by name`() async throws {
        let store = try ScratchStore()
        let cosine = EmbeddingSpace(model: "m", dimension: 2)
        let bad: [(String, Embedding)] = [
            ("components", Embedding([1], in: cosine)), ("components", Embedding([1, 2, 3], in: cosine)),
            ("not a number", Embedding([1, .nan], in: cosine)),
            ("infinite", Embedding([1, .infinity], in: cosine)),
            ("norm", Embedding([0, 0], in: cosine)), ("part", Embedding([1, 0], in: cosine, part: 1)),
            ("part", Embedding([1, 0], in: cosine, part: -1)),
            ("model", Embedding([1], in: EmbeddingSpace(model: "", dimension: 1))),
            ("dimensions", Embedding([], in: EmbeddingSpace(model: "m", dimension: 0))),
            ("dimensions", Embedding([1], in: EmbeddingSpace(model: "m", dimension: 8_193))),
            ("revision", Embedding([1], in: EmbeddingSpace(model: "m@r", dimension: 1))),
            ("revision", Embedding([1], in: EmbeddingSpace(model: "m", revision: "r@s", dimension: 1))),
        ]
        for (name, embedding) in bad {
            var draft = MemoryDraft("text")
            draft.embeddings = [embedding]
            let error = await refusal { try await store.engine.remember(draft, in: atlas) }
            #expect(error?.code == .invalidVector, "\(embedding)")
            #expect(
                error?.message.localizedCaseInsensitiveContains(name) == true,
                "\(name): \(error?.message ?? "taken")")
        }
        var draft = MemoryDraft("text")
        draft.embeddings = [Embedding([1, 0], in: cosine), Embedding([0, 1], in: cosine)]
        #expect(await refusal { try await store.engine.remember(draft, in: atlas) }?.code == .invalidVector)
        try await store.engine.remember("text", in: atlas)
        var query = RecallQuery("text", in: atlas)
        query.embeddings = [Embedding([1, .nan], in: cosine)]
        #expect(await refusal { try await store.engine.recall(query) }?.code == .invalidVector)
        query.embeddings = [Embedding([1, 0], in: cosine), Embedding([0, 1], in: cosine)]
        #expect(await refusal { try await store.engine.recall(query) }?.code == .invalidVector)
        // A zero vector has an inner product and a distance.
        draft.embeddings = [
            Embedding([0, 0], in: EmbeddingSpace(model: "m", dimension: 2, metric: .l2)),
            Embedding([0, 0], in: EmbeddingSpace(model: "m", dimension: 2, metric: .innerProduct)),
        ]
        #expect(try await store.engine.remember(draft, in: atlas).isNew)
    }

    @Test func `name their part where there are several passages`() async throws {
        let store = try ScratchStore { $0.passageByteCount = 64 }
        let space = EmbeddingSpace(model: "m", dimension: 2)
        var draft = MemoryDraft(String(repeating: "A sentence of some forty bytes in length. ", count: 5))
        draft.embeddings = [Embedding([1, 0], in: space)]
        #expect(await refusal { try await store.engine.remember(draft, in: atlas) }?.code == .invalidVector)
        draft.embeddings = [Embedding([1, 0], in: space, part: 1), Embedding([0, 1], in: space, part: 3)]
        let id = try await store.engine.remember(draft, in: atlas).id
        for isFolded in [false, true] {
            if isFolded { try await store.engine.fold(atlas) }
            #expect(try await store.engine.embeddings(of: id, in: atlas).map(\.part) == [1, 3])
            var query = RecallQuery("", in: atlas)
            query.embeddings = [Embedding([0, 1], in: space)]
            #expect(try await store.engine.recall(query).first?.passage.part == 3)
        }
        try await store.engine.expectClean(atlas)
    }

    @Test func `rank few chosen passages among many without a vector`() async throws {
        let store = try ScratchStore()
        let space = EmbeddingSpace(model: "m", dimension: 2)
        _ = try await store.engine.remember((0..<1_500).map { MemoryDraft("plain \($0)") }, in: atlas)
        var drafts: [MemoryDraft] = []
        for place in 0..<60 {
            var draft = MemoryDraft("vector \(place)")
            draft.embeddings = [Embedding([1, Float(place) / 30], in: space)]
            if place % 20 == 0 { draft.tags = ["few"] }
            drafts.append(draft)
        }
        _ = try await store.engine.remember(drafts, in: atlas)
        var query = RecallQuery("", in: atlas)
        query.embeddings = [Embedding([1, 0], in: space)]
        query.filter = .tag("few")
        let recall = try await store.engine.recall(query)
        #expect(recall.map(\.memory.content) == ["vector 0", "vector 20", "vector 40"])
        #expect(recall[0].score > recall[1].score && recall[1].score > recall[2].score)
    }
}
