import Foundation
import HNSW
import TestSupport
import Testing

@testable import MemoryEngine
@testable import Store

/// A home whose vectors have a graph from a few rows on. Rows are long, so that a segment has few, and only their first
/// components are used.
@Suite struct `A home with a graph of its vectors` {
    private static let space = EmbeddingSpace(model: "test", revision: "1", dimension: 4_096, metric: .cosine)
    private let atlas = Namespace.project("atlas")

    private func store() throws -> ScratchStore {
        try ScratchStore { options in
            options.index.thresholdByteCount = 1
            options.index.m = 4
            options.index.m0 = 8
            options.index.efConstruction = 24
            // Small sets are searched whole.
            options.index.efSearch = 600
            options.index.rowsPerStep = 24
            options.leastErased = 40
        }
    }

    private func vector(_ random: inout SeededRandom) -> [Float] {
        var vector = [Float](repeating: 0, count: Self.space.dimension)
        for place in 0..<8 { vector[place] = Float(random.below(2_001)) / 1_000 - 1 }
        vector[Int(random.below(8))] += 0.25
        return vector
    }

    private static func cosine(_ a: [Float], _ b: [Float]) -> Double {
        func dot(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
            zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        let (a, b) = (a.prefix(8), b.prefix(8))
        return dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
    }

    private struct Known {
        var vector: [Float]
        var isEven: Bool
    }

    private func draft(_ step: Int, _ known: Known) -> MemoryDraft {
        var draft = MemoryDraft("Memory of step \(step)")
        draft.embeddings = [Embedding(known.vector, in: Self.space)]
        if known.isEven { draft.tags = ["even"] }
        return draft
    }

    /// The nearest are those that a comparison with all gives.
    private func expectNearest(
        _ query: [Float], of model: [MemoryID: Known], _ engine: Engine, isFiltered: Bool
    ) async throws {
        var asked = RecallQuery("", in: [atlas: 1])
        asked.channels = [.vectors]
        asked.embeddings = [Embedding(query, in: Self.space)]
        asked.limit = 8
        if isFiltered { asked.filter = .tag("even") }
        let hits = try await engine.recall(asked)
        let expected = model.values.filter { !isFiltered || $0.isEven }.map { Self.cosine($0.vector, query) }
            .sorted(by: >).prefix(asked.limit)
        let found = try hits.map { Self.cosine(try #require(model[$0.memory.id]).vector, query) }
        #expect(found.count == expected.count)
        for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-5) }
    }

    @Test(arguments: 1...3 as ClosedRange<UInt64>)
    func `finds what a scan would find, through any sequence of changes`(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let store = try store()
        var engine = store.engine
        var model: [MemoryID: Known] = [:]
        var hadGraph = false
        for step in 0..<90 {
            store.clock.advance()
            let known = Known(vector: vector(&random), isEven: random.chance(0.4))
            switch random.below(10) {
            case 0..<6:
                var drafts: [MemoryDraft] = []
                var added: [Known] = []
                for _ in 0..<1 + random.below(8) {
                    added.append(Known(vector: vector(&random), isEven: random.chance(0.4)))
                    drafts.append(draft(step, added[added.count - 1]))
                }
                for (result, known) in zip(try await engine.remember(drafts, in: atlas), added) {
                    model[try result.get().id] = known
                }
            case 6:
                guard let id = model.keys.sorted().randomElement(using: &random) else { continue }
                let draft = draft(step, known)
                try await engine.update(id, in: atlas) {
                    $0.content = draft.content
                    $0.embeddings = draft.embeddings
                    $0.tags = draft.tags
                }
                model[id] = known
            case 7:
                let ids = Array(model.keys.sorted().shuffled(using: &random).prefix(Int(random.below(6))))
                for id in ids {
                    try await engine.forget(.id(id), under: atlas)
                    model[id] = nil
                }
            case 8:
                try await engine.fold(atlas)
                try await engine.finishIndexing(in: atlas)
                hadGraph =
                    try await engine.stats(in: atlas).spaces.contains { $0.linkedVectors > 0 } || hadGraph
            default:
                if random.chance(0.3) {
                    await engine.close()
                    engine = try store.reopened()
                } else if random.chance(0.3), !model.isEmpty {
                    try await engine.rebuild(in: atlas)
                }
            }
            guard !model.isEmpty, step % 5 == 0 else { continue }
            let query = vector(&random)
            try await expectNearest(query, of: model, engine, isFiltered: false)
            try await expectNearest(query, of: model, engine, isFiltered: true)
            try await engine.expectClean(atlas)
        }
        #expect(hadGraph)
        await engine.close()
    }

    @Test func `is made on the way, and taken down when its rows are forgotten`() async throws {
        var random = SeededRandom(seed: 5)
        let store = try store()
        let engine = store.engine
        var ids: [MemoryID] = []
        for step in 0..<4 {
            let drafts = (0..<50).map { _ in draft(step, Known(vector: vector(&random), isEven: false)) }
            for result in try await engine.remember(drafts, in: atlas) { ids.append(try result.get().id) }
        }
        try await engine.fold(atlas)
        try await engine.finishIndexing(in: atlas)
        let space = try #require(try await engine.stats(in: atlas).spaces.first)
        #expect(space.linkedVectors > 150)
        try await engine.expectClean(atlas)
        // A graph is ground for nothing: without it the same is found.
        let query = vector(&random)
        func nearest() async throws -> [MemoryID] {
            var asked = RecallQuery("", in: [atlas: 1])
            asked.channels = [.vectors]
            asked.embeddings = [Embedding(query, in: Self.space)]
            return try await engine.recall(asked).map(\.memory.id)
        }
        let before = try await nearest()
        try await engine.withExistingHome(of: atlas) { home in
            try await home.environment.submit { transaction in
                for space in try SpaceRecord.all(in: transaction.snapshot) {
                    try HNSWIndex(table: Schema.link, segments: space.segments).drop(in: transaction)
                }
            }
        }
        #expect(try await nearest() == before)
        try await engine.finishIndexing(in: atlas)
        #expect(try await nearest() == before)
        try await engine.expectClean(atlas)
        for id in ids { try await engine.forget(.id(id), under: atlas) }
        try await engine.finishIndexing(in: atlas)
        #expect(try await engine.stats(in: atlas).spaces.allSatisfy { $0.linkedVectors == 0 })
        let left = try await engine.entries(of: atlas).filter { $0.table == "link" && $0.key.count > 3 }
        #expect(left.count == 0)
        try await engine.expectClean(atlas)
    }

    @Test func `says whether its graph is finished, and is measured when it is`() async throws {
        var random = SeededRandom(seed: 6)
        let store = try store()
        let engine = store.engine
        func load() async throws {
            let drafts = (0..<300).map { draft($0, Known(vector: vector(&random), isEven: false)) }
            _ = try await engine.remember(drafts, in: atlas)
        }
        try await load()
        // The indexer may have done it by itself before: either answer is right.
        _ = try await engine.finishIndexing(in: atlas, within: .zero)
        #expect(try await engine.finishIndexing(in: atlas))
        #expect(try await engine.finishIndexing(in: atlas, within: .zero))
        try await load()
        let report = try #require(try await engine.tuneIndexes(in: atlas, sampleCount: 10).first)
        #expect(report.unlinked == 0 && report.nodes > 500)
        #expect(report.curve?.nodes == report.nodes)
    }

    /// Mutations that add so many memories each.
    private func mutations(_ count: Int, adding memoryCount: Int) async throws -> [Mutation] {
        var random = SeededRandom(seed: 7)
        let store = try store()
        try await store.engine.remember("first", in: atlas)
        let log = RecordedMutations()
        try await store.engine.observeMutations(of: atlas) { log.append($0) }
        for _ in 0..<count {
            let drafts = (0..<memoryCount).map {
                draft($0, Known(vector: vector(&random), isEven: false))
            }
            _ = try await store.engine.remember(drafts, in: atlas)
        }
        await store.engine.close()
        return try log.all.map { bytes in
            var mutation = try Mutation(decoding: bytes.span.bytes)
            mutation.prepare(Analyzer())
            return mutation
        }
    }

    @Test func `is finished though others write more in each step than a step links`() async throws {
        let written = try await mutations(40, adding: 60)
        let store = try store()
        let engine = store.engine
        try await engine.withHome(of: atlas, creating: true) { home in
            _ = try await home.apply(written[0])
            _ = try await home.apply(written[1])
            let next = Mutex(2)
            let isDone = try await home.finishIndexing(on: engine.readers, until: { false }) { _, _ in
                let place = next.withLock { next in
                    defer { next += 1 }
                    return next
                }
                if place < written.count { Self.write(written[place], to: home) }
            }
            // On a busy machine the indexer of the home may have linked all before the first step.
            let count = next.withLock { $0 }
            #expect(!isDone || count == 2)
            #expect(count < written.count)
            let linked = try home.environment.read { transaction in
                let space = try SpaceRecord.open(in: transaction)[0]
                return try home.indexes.index(of: space).state(in: transaction)?.linkedSlots ?? 0
            }
            #expect(linked >= 120)
        }
        #expect(try await engine.tuneIndexes(in: atlas, sampleCount: 10).first?.curve != nil)
        await engine.close()
    }

    private static func write(_ mutation: Mutation, to home: Home) {
        do {
            try home.environment.locked { _ = try Applier.apply(mutation, in: $0) }
        } catch { Issue.record(error) }
    }

    @Test func `looks at the clock after each step, those that make edges too`() async throws {
        let store = try store()
        let engine = store.engine
        // More than one step makes edges of, and fewer than wake the indexer.
        let count = Int(Indexer.edgeThreshold) - 1
        _ = try await engine.remember((0..<count).map { MemoryDraft("Memory \($0)") }, in: atlas)
        func edgesMade() async throws -> UInt32? {
            try await engine.read(in: atlas) { try HomeState.read(in: $0).derivedPassages }
        }
        #expect(try await edgesMade() == 0)
        #expect(try await !engine.finishIndexing(in: atlas, within: .zero))
        #expect(try await edgesMade() == UInt32(EdgeBatch.versionCount))
        #expect(try await engine.finishIndexing(in: atlas))
        #expect(try await edgesMade() == UInt32(count))
        await engine.close()
    }

    @Test func `tells of vectors to be linked only where there are some`() async throws {
        var random = SeededRandom(seed: 9)
        let store = try ScratchStore { $0.index.thresholdByteCount = 4_096 * 4 * 1_000 }
        let engine = store.engine
        let drafts = (0..<60).map { draft($0, Known(vector: vector(&random), isEven: false)) }
        _ = try await engine.remember(drafts, in: atlas)
        #expect(try await engine.spaces(in: atlas) == [Self.space])
        try await engine.fold(atlas)
        let space = try #require(try await engine.stats(in: atlas).spaces.first)
        #expect(space.vectors > space.tailVectors && space.linkedVectors == 0)
        #expect(try await engine.unfinishedIndexes(in: atlas) == nil)
        #expect(try await engine.finishIndexingLast(until: { false }).isEmpty)
        await engine.close()
    }
}
