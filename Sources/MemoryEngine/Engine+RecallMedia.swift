extension Engine {
    /// Finds memories whose attached image, or video, is like one that the caller shows: the nearest in the space in which those
    /// of the home have their vectors.
    ///
    ///     let hits = try await engine.recall(like: .image(photo), in: .project("atlas"))
    ///
    /// - Parameter medium: an image or a video; a text is asked as `recall(_:in:limit:)` asks it.
    /// - Throws: `EngineError`: `notFound` (no such home, or it has no vectors of this kind), `invalid` (no image or video,
    ///   or damaged; no embedder of the space), `tooLarge`, `embedder`; as a recall besides.
    public func recall(
        like medium: EmbeddingInput, in namespace: Namespace, limit: Int = 10
    ) async throws -> Recall {
        if case .text(let text) = medium { return try await recall(text, in: namespace, limit: limit) }
        let modality = medium.modality
        try medium.check("the \(modality.rawValue)")
        let own = try await withExistingHome(of: namespace) { try embedders(of: $0) }
        guard let space = own.roles[modality] else {
            throw EngineError(
                .notFound,
                "no \(modality.rawValue) of \(namespace.home) has a vector; embed what is attached first")
        }
        guard let embedder = own.media[modality] else {
            throw EngineError(
                .invalid, "nothing makes vectors in \(space.name): \(absence(of: space))")
        }
        let vector = try await vectors(for: [medium], .query, embedder)[0]
        var query = RecallQuery("", in: namespace)
        query.limit = limit
        query.channels = [.vectors]
        query.embeddings = [Embedding(vector, in: space)]
        return try await recall(query)
    }
}
