import Testing

@testable import MemoryEngine

/// Writes down how many passages it is asked for at once.
private final class CountingEmbedder: Embedder {
    let space: EmbeddingSpace
    let limits = EmbedderLimits(maximumBatchCount: 1_000)
    let preferredBatchCount: Int
    private let counts = Mutex<[Int]>([])

    init(_ model: String, preferring count: Int) {
        space = EmbeddingSpace(model: model, dimension: 2)
        preferredBatchCount = count
    }

    /// Since the last look.
    func taken() -> [Int] {
        counts.withLock { counts in
            defer { counts = [] }
            return counts
        }
    }

    func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        counts.withLock { $0.append(inputs.count) }
        return inputs.map { _ in [1, 0] }
    }
}

@Suite struct `The passages of a backlog` {
    private let atlas = Namespace.project("atlas")

    @Test(arguments: [(400, [300]), (150, [150, 150]), (256, [256, 44])])
    func `are as many at once as the embedder wants`(preferred: Int, counts: [Int]) async throws {
        let embedder = CountingEmbedder("first", preferring: preferred)
        let other = CountingEmbedder("second", preferring: preferred)
        let store = try ScratchStore(embedder: embedder) {
            $0.embedding = .later
            $0.otherEmbedders = [other]
        }
        _ = try await store.engine.remember((0..<300).map { MemoryDraft("text \($0)") }, in: atlas)
        #expect(try await store.engine.embed(in: atlas).added == 300)
        #expect(embedder.taken() == counts)
        try await store.engine.reembed(in: atlas, into: other.space)
        #expect(other.taken() == counts)
    }

    @Test func `are within bounds, and as many as the caller says where it says so`() async throws {
        let embedder = CountingEmbedder("first", preferring: 0)
        let store = try ScratchStore(embedder: embedder) { $0.embedding = .later }
        _ = try await store.engine.remember(["a", "b", "c"], in: atlas)
        #expect(try await store.engine.embed(in: atlas).added == 3)
        #expect(embedder.taken() == [1, 1, 1])
        _ = try await store.engine.remember(["d", "e", "f"], in: atlas)
        #expect(try await store.engine.embed(in: atlas, batchCount: 2).added == 3)
        #expect(embedder.taken() == [2, 1])
        let huge = CountingEmbedder("first", preferring: .max)
        let large = try ScratchStore(embedder: huge) { $0.embedding = .later }
        _ = try await large.engine.remember(["a", "b", "c"], in: atlas)
        #expect(try await large.engine.embed(in: atlas).added == 3)
        #expect(huge.taken() == [3])
    }
}
