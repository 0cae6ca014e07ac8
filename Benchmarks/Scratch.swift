import Foundation
import MemoryEngine

/// A folder for a measurement's stores; removed when the measurement ends.
struct Scratch: ~Copyable {
    let path: String

    init(_ options: CommonOptions) throws {
        path = options.scratch + "/\(ProcessInfo.processInfo.processIdentifier)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}

extension Engine {
    /// Options of the measurements: one paragraph is one passage, so that it may bring its own vector.
    static func benchOptions(_ durability: Durability = .commit) -> Options {
        var options = Options()
        options.durability = durability
        options.passageByteCount = 4_096
        return options
    }

    /// Waits until the indexer has nothing to do.
    func settle(_ namespace: Namespace) async throws {
        try await finishIndexing(in: namespace)
    }

    /// Remembers paragraphs in batches of 1,000, with vectors where there are any.
    func load(
        _ paragraphs: ArraySlice<String>, _ vectors: [[Float]] = [],
        space: EmbeddingSpace = CorpusVectors.space,
        in namespace: Namespace
    ) async throws {
        for batch in Self.batches(paragraphs, vectors, space: space) {
            for result in try await remember(batch, in: namespace) { _ = try result.get() }
        }
        try await settle(namespace)
    }

    static func batches(
        _ paragraphs: ArraySlice<String>, _ vectors: [[Float]], space: EmbeddingSpace, size: Int = 1_000
    ) -> [[MemoryDraft]] {
        stride(from: 0, to: paragraphs.count, by: size).map { start in
            (start..<min(start + size, paragraphs.count)).map { place in
                var draft = MemoryDraft(paragraphs[paragraphs.startIndex + place])
                if place < vectors.count { draft.embeddings = [Embedding(vectors[place], in: space)] }
                return draft
            }
        }
    }
}
