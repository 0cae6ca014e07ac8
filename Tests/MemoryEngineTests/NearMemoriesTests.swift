import TestSupport
import Testing

@testable import MemoryEngine

@Suite struct `Computed neighbors` {
    private let atlas = Namespace.project("atlas")

    private func query(_ kinds: Set<EdgeKind>, depth: Int = 1) -> GraphQuery {
        var query = GraphQuery()
        query.kinds = kinds
        query.depth = depth
        return query
    }

    private func cosine(_ a: [Float], _ b: [Float]) -> Double {
        func dot(_ a: [Float], _ b: [Float]) -> Double {
            zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        return dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
    }

    @Test(arguments: [EmbeddingMetric.cosine, .l2, .innerProduct], [false, true])
    func `by vectors are those that a comparison with all finds`(
        metric: EmbeddingMetric, isFolded: Bool
    ) async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let space = EmbeddingSpace(model: "test", revision: "1", dimension: 24, metric: metric)
        var random = SeededRandom(seed: 7)
        // Ten topics, and vectors scattered around them.
        let topics = (0..<10).map { _ in (0..<24).map { _ in Float.random(in: -1...1, using: &random) } }
        var vectors: [MemoryID: [Float]] = [:]
        var ids: [MemoryID] = []
        for number in 0..<240 {
            let topic = random.pick(topics)
            let spread: Float = number % 3 == 0 ? 0.05 : 0.6
            let vector = topic.map { $0 + Float.random(in: -spread...spread, using: &random) }
            var draft = MemoryDraft("Memory \(number)")
            draft.embeddings = [Embedding(vector, in: space)]
            let id = try await engine.remember(draft, in: atlas).id
            vectors[id] = vector
            ids.append(id)
        }
        try await engine.forget(.id(ids.removeFirst()), under: atlas)
        if isFolded { try await engine.fold(atlas) }
        let least = try #require(
            try await engine.read(in: atlas) { transaction in
                let space = try SpaceRecord.all(in: transaction)[0]
                return Double(try Likeness.threshold(of: space, in: transaction))
            })
        var pairCount = 0
        for id in ids.prefix(20) {
            let own = try #require(vectors[id])
            var expected: [(id: MemoryID, likeness: Double)] = []
            for other in ids where other != id {
                let likeness = cosine(own, try #require(vectors[other]))
                if likeness >= least + 1e-5 { expected.append((other, likeness)) }
            }
            expected.sort { $0.likeness > $1.likeness }
            let hits = try await engine.neighbors(of: id, in: atlas, query: query([.similarTo]))
            #expect(
                hits.map(\.memory.id).prefix(16)
                    .elementsEqual(expected.map(\.id).prefix(16)), "\(least) \(expected.count) \(hits.count)")
            for (hit, expected) in zip(hits, expected) {
                let edge = try #require(hit.path.first)
                #expect(abs(Double(edge.weight) - min(1, expected.likeness)) < 1e-4)
                #expect(edge.id == nil && edge.rule == "is like it by a vector")
            }
            pairCount += hits.count
        }
        #expect(pairCount > 0)
    }

    @Test func `by vectors are few of random ones, however the model spreads them`() {
        var random = SeededRandom(seed: 3)
        for mean in [Float(0), 0.7] {
            let cosines = (0..<4_560).map { _ in mean + Float.random(in: -0.2...0.2, using: &random) }
            let least = Likeness.threshold(of: cosines)
            #expect(cosines.count { $0 >= least } <= 5 && least > mean)
        }
        // Where many memories say the same, those pairs do not hide each other.
        let repeating = (0..<4_560).map { number in
            number % 16 == 0 ? Float(0.8) : Float.random(in: -0.1...0.2, using: &random)
        }
        let least = Likeness.threshold(of: repeating)
        #expect(least > 0.25 && least < 0.6, "\(least)")
        // A home of copies has no pair that stands out, and copies are alike.
        #expect(Likeness.threshold(of: [Float](repeating: 1, count: 2_000)) == 0.95)
    }

    @Test(arguments: [false, true])
    func `by words are copies with small changes`(isFolded: Bool) async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let text = "The deploy of the billing service failed at noon because its token had expired yesterday"
        let first = try await engine.remember(text, in: atlas).id
        let copy = try await engine.remember(text + ", again.", in: atlas).id
        let shouted = try await engine.remember(text.uppercased() + "!", in: atlas).id
        try await engine.remember("The deploy of the search service worked at noon.", in: atlas)
        let brief = try await engine.remember("Yes, thanks", in: atlas).id
        let briefCopy = try await engine.remember("yes thanks!", in: atlas).id
        try await engine.remember("Yes, many thanks", in: atlas)
        if isFolded { try await engine.fold(atlas) }
        func duplicates(_ id: MemoryID) async throws -> Set<MemoryID> {
            Set(
                try await engine.neighbors(of: id, in: atlas, query: query([.nearDuplicate])).map(\.memory.id)
            )
        }
        #expect(try await duplicates(first) == [copy, shouted])
        #expect(try await duplicates(copy) == [first, shouted])
        #expect(try await duplicates(brief) == [briefCopy])
        try await engine.forget(.id(copy), under: atlas)
        #expect(try await duplicates(first) == [shouted])
    }

    @Test(arguments: [false, true])
    func `of a session come in the order of time, the nearest of many`(isFolded: Bool) async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let start = store.clock.time
        var ids: [MemoryID] = []
        for number in 0..<150 {
            var draft = MemoryDraft("Turn \(number)")
            let time = start.advanced(by: .seconds(number))
            draft.happened = time...time
            draft.thread = "thread \(number % 3)"
            ids.append(try await engine.remember(draft, in: atlas.session("one")).id)
        }
        var draft = MemoryDraft("Elsewhere")
        draft.thread = "thread 0"
        let alone = try await engine.remember(draft, in: atlas).id
        draft.content = "Elsewhere too"
        let beside = try await engine.remember(draft, in: atlas).id
        if isFolded { try await engine.fold(atlas) }
        let hits = try await engine.neighbors(of: ids[100], in: atlas, query: query([.sameSession]))
        #expect(hits.map(\.memory.id) == Array(ids[68..<100] + ids[101..<133]))
        #expect(hits.allSatisfy { $0.path.first?.kind == .sameSession })
        // Without a session it is the thread, in which the session's memories stand as well.
        let thread = try await engine.neighbors(of: alone, in: atlas, query: query([.sameSession]))
        #expect(thread.contains { $0.memory.id == beside })
        // What is not asked for is not computed.
        let plain = try await engine.neighbors(of: ids[100], in: atlas)
        #expect(plain.allSatisfy { $0.path.first?.kind != .sameSession })
        await #expect(throws: EngineError.self) {
            try await engine.link(ids[0], to: ids[1], as: .sameSession, in: atlas)
        }
    }

    @Test(arguments: [false, true])
    func `as of an earlier time are those of what a memory said then`(isFolded: Bool) async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let space = EmbeddingSpace(model: "test", dimension: 2)
        func draft(_ text: String, _ vector: [Float], session: String) -> MemoryDraft {
            var draft = MemoryDraft(text)
            draft.embeddings = [Embedding(vector, in: space)]
            draft.thread = session
            return draft
        }
        let (old, new) = (
            "The crane lifts the cargo at high tide.", "Lunch is served in the hall upstairs today."
        )
        let changing = try await engine.remember(draft(old, [1, 0], session: "port"), in: atlas).id
        let like = try await engine.remember(draft(old, [1, 0.01], session: "port"), in: atlas).id
        let other = try await engine.remember(draft(new, [0, 1], session: "inn"), in: atlas).id
        let then = store.clock.time
        store.clock.advance()
        let changed = draft(new, [0.01, 1], session: "inn")
        try await engine.update(changing, in: atlas) { $0 = changed }
        if isFolded { try await engine.fold(atlas) }
        for kind in [EdgeKind.nearDuplicate, .similarTo, .sameSession] {
            for (start, asOf, expected) in [
                (changing, then, [like]), (changing, nil, [other]), (like, then, [changing]), (like, nil, []),
            ] as [(MemoryID, Timestamp?, [MemoryID])] {
                var query = query([kind])
                query.asOf = asOf
                let found = try await engine.neighbors(of: start, in: atlas, query: query).map(\.memory.id)
                #expect(found == expected, "\(kind) as of \(asOf.map(String.init(describing:)) ?? "now")")
            }
        }
    }
}
