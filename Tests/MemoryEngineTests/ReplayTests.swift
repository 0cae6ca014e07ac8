import TestSupport
import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `Mutations` {
    let atlas = Namespace.project("atlas")

    @Test(arguments: 1...3 as ClosedRange<UInt64>)
    func `give the same ground state when they are replayed in another home`(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let store = try ScratchStore { $0.passageByteCount = 128 }
        try await store.engine.remember("first", in: atlas)
        let log = RecordedMutations()
        try await store.engine.observeMutations(of: atlas) { log.append($0) }
        try await store.engine.forget(.filter(.session(nil)), under: atlas)
        try await `Scores of words`.fill(store, &random, in: atlas)
        let space = EmbeddingSpace(model: "org/m", revision: "1", dimension: 4)
        var draft: MemoryDraft = "with a vector"
        draft.embeddings = [Embedding([1, 2, 3, 4], in: space)]
        draft.key = "k"
        let id = try await store.engine.remember(draft, in: atlas.session("s")).id
        let other = try await store.engine.remember("its successor", in: atlas).id
        try await store.engine.promote(id, from: atlas.session("s"), to: atlas)
        try await store.engine.supersede(id, by: other, in: atlas)
        var query = RecallQuery("word3 word4", in: atlas)
        query.keepReceipt = true
        let recall = try await store.engine.recall(query)
        try await store.engine.record(.success, of: recall.id, in: atlas)

        let copy = try ScratchStore { $0.passageByteCount = 128 }
        try await copy.engine.remember("first", in: atlas)
        try await copy.engine.forget(.filter(.session(nil)), under: atlas)
        let mutations = log.all
        #expect(mutations.count > 100)
        for (place, bytes) in mutations.enumerated() {
            var mutation = try Mutation(decoding: bytes.span.bytes)
            #expect(mutation.encode() == bytes)
            mutation.prepare(Analyzer())
            let ready = mutation
            try await copy.engine.withExistingHome(of: atlas) { home in
                let sequence = try await home.apply(ready).sequence
                // A repeated operation changes nothing.
                if place % 10 == 0 { #expect(try await home.apply(ready).sequence == sequence) }
            }
            if place % 50 == 49 { try await copy.engine.fold(atlas) }
        }
        #expect(try await copy.engine.exported(atlas) == store.engine.exported(atlas))
        #expect(try await copy.engine.stats(in: atlas).receipts == store.engine.stats(in: atlas).receipts)
        let edges = try await store.engine.entries(of: atlas).filter { $0.table == "edge" }.map(\.value)
        #expect(try await copy.engine.entries(of: atlas).filter { $0.table == "edge" }.map(\.value) == edges)
        try await copy.engine.expectClean(atlas)
    }

    @Test func `add vectors to a version that was stored without them`() async throws {
        let store = try ScratchStore()
        let id = try await store.engine.remember("words first", in: atlas).id
        let spaces = ["a", "b"].map { EmbeddingSpace(model: $0, dimension: 2) }
        for (place, space) in spaces.enumerated() {
            if place == 1 { try await store.engine.fold(atlas) }
            let vector = Mutation.NewVector(space: space, part: 0, vector: [1, 2])
            for _ in 0..<2 {
                try await store.engine.withExistingHome(of: atlas) { home in
                    _ = try await home.apply(
                        Mutation(
                            operation: .random(), time: 1,
                            changes: [.embed(id, version: 1, [vector, vector])]))
                }
            }
            try await store.engine.expectClean(atlas)
        }
        #expect(try await store.engine.embeddings(of: id, in: atlas).map(\.space) == spaces)
    }
}

/// Mutations as they came.
final class RecordedMutations: Sendable {
    private let bytes = Mutex<[[UInt8]]>([])
    var all: [[UInt8]] { bytes.withLock { $0 } }
    func append(_ mutation: [UInt8]) { bytes.withLock { $0.append(mutation) } }
}
