/// A question in the space of what is attached to the memories of a home.
struct MediaQuestion: Sendable {
    let embedding: Embedding
    /// The share of words that the embedder of the space advises.
    let lexicalWeight: Double?
}

extension Engine {
    /// Finds memories whose attached image, or video, is like one that the caller shows: the nearest in the space in which those
    /// of the home have their vectors. `RecallQuery.like` asks the same of several homes, with filters, or beside words.
    ///
    ///     let hits = try await engine.recall(like: .image(photo), in: .project("atlas"))
    ///
    /// - Parameter medium: an image or a video; a text is asked as `recall(_:in:limit:)` asks it.
    /// - Throws: `EngineError`: `notFound` (no such home, or it has no vectors of this kind), `invalid` (no image or video,
    ///   or damaged; no embedder of the space), `tooLarge`, `embedder`; as a recall besides. Where one of several homes can be
    ///   asked, the others are named in `leftOut`.
    public func recall(
        like medium: EmbeddingInput, in namespace: Namespace, limit: Int = 10
    ) async throws -> Recall {
        if case .text(let text) = medium { return try await recall(text, in: namespace, limit: limit) }
        var query = RecallQuery("", in: namespace)
        query.limit = limit
        query.like = medium
        return try await recall(query)
    }

    /// What is shown, in the space of each home that has vectors of its kind, and what was left out.
    ///
    /// - Throws: `EngineError`: why no home can be asked, or what an embedder throws.
    func questions(
        showing shown: EmbeddingInput, _ homes: [(Namespace, HomeEmbedders?)],
        _ deadline: ContinuousClock.Instant?
    ) async throws -> (questions: [Namespace: MediaQuestion], leftOut: [String]) {
        var used: [(home: Namespace, embedder: any Embedder)] = []
        var refusals: [EngineError] = []
        for (home, own) in homes {
            guard let own else {
                // Of several, a recall names those that are not there.
                if homes.count == 1 { throw EngineError(.notFound, "there is no home \(home)") }
                continue
            }
            do {
                used.append((home, try await embedder(of: shown.modality, own, home)))
            } catch let error as EngineError where [.notFound, .invalid].contains(error.code) {
                refusals.append(error)
            }
        }
        var leftOut = refusals.map(\.message)
        if used.isEmpty, let first = refusals.first {
            throw EngineError(first.code, leftOut.joined(separator: "; "))
        }
        let made = await vectors(
            of: shown, Dictionary(used.map { ($0.embedder.space, $0.embedder) }) { $1 }, deadline)
        var questions: [Namespace: MediaQuestion] = [:]
        for (home, embedder) in used {
            switch made[embedder.space] {
            case .success(let vector):
                questions[home] = MediaQuestion(
                    embedding: Embedding(vector, in: embedder.space), lexicalWeight: embedder.lexicalWeight)
            case .failure(let error): throw error
            case nil:
                leftOut.append(
                    "\(home): \(shown.modality.rawValue)s in \(embedder.space.name): its embedder was not ready by the deadline"
                )
            }
        }
        return (questions, leftOut)
    }

    /// What embeds what is shown, where those of a home have their vectors.
    private func embedder(
        of modality: Modality, _ own: HomeEmbedders, _ home: Namespace
    ) async throws -> any Embedder {
        guard let space = own.roles[modality], try await vectorCount(home, space) > 0 else {
            throw EngineError(
                .notFound, "\(home): no \(modality.rawValue) that is attached there has a vector")
        }
        guard let embedder = own.media[modality] else {
            throw EngineError(
                .invalid,
                "\(home): \(modality.rawValue)s in \(space.name): \(absence(of: space))")
        }
        return embedder
    }

    /// The space in which attached images, or videos, of a home have vectors; `nil` = none has any.
    package func space(of modality: Modality, in namespace: Namespace) async throws -> EmbeddingSpace? {
        let own = try await withHome(of: namespace, creating: false) { try embedders(of: $0) }
        guard let space = own?.roles[modality], try await vectorCount(namespace.home, space) > 0 else {
            return nil
        }
        return space
    }

    /// The space in which images, or videos, of a home have their vectors or would get them; `nil` = nothing says which.
    package func plannedSpace(of modality: Modality, in namespace: Namespace) async throws -> EmbeddingSpace?
    {
        try await withHome(of: namespace, creating: false) { try embedders(of: $0) }?.roles[modality]
    }
}

extension RecallQuery {
    /// Whether there is something to show and nothing to say.
    private var isWordless: Bool { like != nil && text.allSatisfy(\.isWhitespace) }

    /// What is shown is compared with what is attached, and nothing else is asked where nothing is said.
    var asShown: RecallQuery {
        guard isWordless else { return self }
        var query = self
        query.text = ""
        query.channels = [.vectors]
        return query
    }

    /// - Throws: `EngineError`: `invalid` (nothing that can be shown, or that cannot go with it), `tooLarge`.
    func checkLike() throws(EngineError) {
        guard let like else { return }
        if case .text = like {
            throw EngineError(.invalid, "a text is asked as the text of a question, and not shown")
        }
        try like.check("the \(like.modality.rawValue)")
        guard channels.contains(.vectors) else {
            throw EngineError(
                .invalid, "an image or a video is compared by vectors, which are not to be asked")
        }
        guard embeddings.isEmpty else {
            throw EngineError(
                .invalid, "a question brings vectors, or shows an image or a video: leave out one of them")
        }
    }
}
