/// Vectors of texts that were stored without. Those that an embedder does not take, such as texts with more tokens than its model
/// has, must not keep others from theirs.
extension Engine {
    /// Gives vectors to passages with text that have none in a space, in batches that are a transaction each.
    func embedTexts(
        in namespace: Namespace, into space: EmbeddingSpace?, filter: Filter?, includesClosed: Bool,
        after cursor: String?, batchCount: Int?, _ report: ((EmbeddingProgress) async throws -> Void)?
    ) async throws -> EmbeddingProgress {
        let embedder = try await embedder(of: space, for: namespace)
        let limit = batchCount ?? min(max(1, embedder.preferredBatchCount), Self.maximumBatchCount)
        var progress = EmbeddingProgress(next: cursor)
        repeat {
            try Task.checkCancellation()
            let page = try await passages(
                lacking: embedder.space, in: namespace, filter: filter, includesClosed: includesClosed,
                after: progress.next, limit: limit)
            let texts = page.passages.filter { !$0.text.isEmpty }
            progress.skipped += page.passages.count - texts.count
            if !texts.isEmpty {
                let vectors = try await taken(texts, embedder)
                let additions = zip(vectors, texts).compactMap { vector, text in
                    vector.map { AddedEmbeddings($0, in: embedder.space, to: text) }
                }
                let done = try await withExistingHome(of: namespace) {
                    try await add(additions, namespace, $0)
                }
                progress.skipped += texts.count - additions.count
                progress.added += done.added
                progress.obsolete += done.obsolete
            }
            progress.next = page.next
            try await report?(progress)
        } while progress.next != nil
        return progress
    }

    // MARK: What is not taken

    /// A text that every embedder takes, to tell one that refuses others from one that fails.
    private static let harmless = EmbeddingInput.text("text")

    /// The vectors of texts, none of those that the embedder refuses; `Options.warn` is told of them.
    ///
    /// - Throws: `EngineError`: what the embedder throws where it takes no text at all; `CancellationError`.
    /// - Complexity: one call where all are taken; O(log texts) calls for each that is not.
    private func taken(_ texts: [UnembeddedPassage], _ embedder: any Embedder) async throws -> [[Float]?] {
        do {
            return try await embedded(texts.map { .text($0.text) }, embedder)
        } catch let refusal as EngineError where Self.mayBeRefusal(refusal) {
            do {
                _ = try await vectors(for: [Self.harmless], .passage, embedder)
            } catch {
                try Task.checkCancellation()
                // It takes nothing: what it said first is the reason.
                throw refusal
            }
            return try await halves(of: texts, embedder, refusal)
        }
    }

    private func halves(
        of texts: [UnembeddedPassage], _ embedder: any Embedder, _ error: EngineError
    ) async throws -> [[Float]?] {
        guard texts.count > 1 else {
            options.warn?("\(texts[0].namespace): \(texts[0].id) gets no vector: \(error.message)")
            return [nil]
        }
        var vectors: [[Float]?] = []
        for half in [texts[..<(texts.count / 2)], texts[(texts.count / 2)...]].map(Array.init) {
            do {
                vectors += try await embedded(half.map { .text($0.text) }, embedder)
            } catch let error as EngineError where Self.mayBeRefusal(error) {
                vectors += try await halves(of: half, embedder, error)
            }
        }
        return vectors
    }

    /// Services do not tell what they refuse from what fails in one way.
    private static func mayBeRefusal(_ error: EngineError) -> Bool {
        [.invalid, .tooLarge, .embedder].contains(error.code) && !Task.isCancelled
    }
}
