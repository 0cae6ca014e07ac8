import Store

extension Engine {
    /// Finds the memories that answer a question.
    public func recall(_ text: String, in namespace: Namespace, limit: Int = 10) async throws -> Recall {
        var query = RecallQuery(text, in: namespace)
        query.limit = limit
        return try await recall(query)
    }

    /// Finds the memories that answer a question: by words and by vectors, fused by normalised scores, and by what
    /// stands around them (`RecallWeights`), over one snapshot of the home. Several homes are asked as if what they hold
    /// were in one, each over snapshots of its own.
    ///
    /// - Throws: `EngineError`: `invalid` (a query outside of the limits), `invalidVector`, `corrupted`, `io`; where something is
    ///   shown (`RecallQuery.like`) also what `recall(like:in:limit:)` throws.
    ///   A home that is not there holds nothing; it is named in `leftOut`.
    public func recall(_ query: RecallQuery) async throws -> Recall {
        let clock = ContinuousClock()
        let start = clock.now
        try check(query)
        let query = query.asShown
        guard !query.keepReceipt || !options.isReadOnly else {
            throw EngineError(.readOnly, "the store is open for reading only: a receipt cannot be kept")
        }
        let now = options.clock()
        let asked = query.now ?? now
        let deadline = query.deadline.map { start + $0 }
        var leftOut: [String] = []
        let homes = Dictionary(grouping: query.namespaces, by: \.key.home).sorted {
            $0.key.description < $1.key.description
        }
        let questions = try await questions(of: query, homes.map(\.key), deadline, &leftOut)
        let embedded = clock.now - start

        let tokenizer = Tokenizer()
        let words = WordQuery(query.text, tokenizer)
        let intent = query.readIntent
        let answers = try await answers(
            of: homes.map { home, parts in
                var sessions: [String: Double] = [:]
                for (namespace, weight) in parts {
                    if let session = namespace.session { sessions[session] = weight }
                }
                return HomeRecall(
                    query: query, words: words, embeddings: questions[home]?.embeddings ?? [],
                    media: questions[home]?.media,
                    advisedLexicalWeight: questions[home]?.lexicalWeight,
                    spelledSpace: questions[home]?.spelledSpace, intent: intent, home: home,
                    homeWeight: parts.first { $0.key.session == nil }?.value, sessionWeights: sessions,
                    now: asked, expiry: max(asked, now), deadline: deadline)
            })

        var hits: [Hit] = []
        var timings = Recall.Timings()
        var sequences: [Namespace: UInt64] = [:]
        for (home, answer) in answers {
            guard let answer else {
                leftOut.append("\(home): there is no such home")
                continue
            }
            hits += answer.hits
            leftOut += answer.leftOut
            sequences[home] = answer.sequence
            // Homes are asked side by side: the slowest one counts.
            timings.filter = max(timings.filter, answer.timings.filter)
            timings.words = max(timings.words, answer.timings.words)
            timings.vectors = max(timings.vectors, answer.timings.vectors)
            timings.ranking = max(timings.ranking, answer.timings.ranking)
            timings.decoding = max(timings.decoding, answer.timings.decoding)
        }
        if words.isEmpty, query.channels.contains(.words) { leftOut.append("words: the question has none") }
        hits.sort { $0.score != $1.score ? $0.score > $1.score : $0.memory.id < $1.memory.id }
        hits.removeLast(max(0, hits.count - query.limit))
        hits = (query.order ?? RecallQuery.Order(for: intent)).arrange(hits)
        timings.embedding = embedded
        let id = RecallID(rawValue: MemoryID(at: now).rawValue)
        if query.keepReceipt {
            if let home = answers.first(where: { $0.1 != nil && $0.0.root != .collective })?.0 {
                try await keepReceipt(id, query, hits, now, in: home, &leftOut)
            } else {
                leftOut.append("receipt: none of the homes can hold it")
            }
        }
        timings.total = clock.now - start
        let signs = ConfidenceSigns(of: answers.compactMap { $0.1?.signs })
        return Recall(
            id: id, hits: hits, intent: intent, timings: timings, leftOut: leftOut,
            isRankedWithTodaysStatistics: query.asOf != nil || query.validAt != nil,
            explanations: answers.compactMap { $0.1?.explanation }, sequences: sequences,
            confidence: signs.confidence, signs: signs)
    }

    private func check(_ query: RecallQuery) throws {
        guard !query.namespaces.isEmpty, query.namespaces.count <= 64 else {
            throw EngineError(.invalid, "a recall asks 1 to 64 namespaces, not \(query.namespaces.count)")
        }
        for (namespace, weight) in query.namespaces {
            guard namespace.root != .tenant else {
                throw EngineError(.invalidNamespace, "`\(namespace)` is a tenant; name its homes")
            }
            guard weight.isFinite, weight > 0, weight <= 1_000 else {
                throw EngineError(
                    .invalid, "the weight of \(namespace) is \(weight); it lies above 0 and up to 1,000")
            }
        }
        guard (1...RecallQuery.maximumLimit).contains(query.limit) else {
            throw EngineError(
                .invalid, "a recall gives 1 to \(RecallQuery.maximumLimit) hits, not \(query.limit)")
        }
        guard query.text.utf8.count <= 65_536 else {
            throw EngineError(
                .tooLarge, "the question has \(query.text.utf8.count) bytes; at most 65,536 are allowed")
        }
        guard query.k1 >= 0, query.k1 <= 10, (0...1).contains(query.b),
            query.lexicalWeight.map({ (0...1).contains($0) }) ?? true
        else {
            throw EngineError(.invalid, "k1 lies between 0 and 10, b and the weight of words between 0 and 1")
        }
        try query.weights?.check()
        try check(query.filter)
        try query.checkLike()
        var spaces = Set<EmbeddingSpace>()
        for embedding in query.embeddings {
            guard spaces.insert(embedding.space).inserted else {
                throw EngineError(.invalidVector, "the question has two vectors in \(embedding.space.name)")
            }
            try Mutation.NewVector.check(
                Mutation.NewVector(space: embedding.space, part: 0, vector: embedding.vector))
        }
    }

    /// The vectors of a question of one home, as a recall would make them.
    func embeddings(of query: RecallQuery) async throws -> [Embedding] {
        var leftOut: [String] = []
        let homes = Set(query.namespaces.keys.map(\.home)).sorted { $0.description < $1.description }
        let questions = try await questions(of: query, homes, nil, &leftOut)
        return homes.count == 1 ? questions[homes[0]]?.embeddings ?? [] : query.embeddings
    }

    /// What a home is asked by vectors.
    private struct Question {
        var embeddings: [Embedding] = []
        var media: MediaQuestion?
        var lexicalWeight: Double?
        /// The space of an embedder that knows no meanings.
        var spelledSpace: EmbeddingSpace?
    }

    /// The question's vectors for each home: those that the caller brings, or those of the embedder that it uses, if
    /// there is time.
    private func questions(
        of query: RecallQuery, _ homes: [Namespace], _ deadline: ContinuousClock.Instant?,
        _ leftOut: inout [String]
    ) async throws -> [Namespace: Question] {
        var questions: [Namespace: Question] = [:]
        var asked: [EmbeddingSpace: (any Embedder)] = [:]
        var spaces: [Namespace: EmbeddingSpace] = [:]
        var images: [Namespace: any Embedder] = [:]
        let isEmbedded =
            query.channels.contains(.vectors) && query.embeddings.isEmpty && !query.text.isEmpty
        let isAsked = isEmbedded || query.like != nil || query.lexicalWeight == nil
        let owns = try await embedders(of: isAsked ? homes : [])
        for (home, own) in owns {
            let used = own == nil ? embedder : own?.current
            questions[home] = Question(
                lexicalWeight: used?.lexicalWeight,
                spelledSpace: used.flatMap { $0.knowsMeanings ? nil : $0.space })
            // A question that brings vectors says which spaces it means.
            guard isEmbedded, let own else { continue }
            if query.like == nil { images[home] = imageEmbedder(own, home, &leftOut) }
            if let current = own.current, current.modalities.contains(.text) {
                asked[current.space] = current
                spaces[home] = current.space
            } else if let missing = own.missing {
                leftOut.append("\(home): vectors in \(missing.name): \(absence(of: missing))")
            }
        }
        if query.channels.contains(.vectors), !query.embeddings.isEmpty {
            for home in homes { questions[home, default: Question()].embeddings = query.embeddings }
        }
        guard !images.isEmpty else {
            guard let shown = query.like else {
                if !asked.isEmpty { try await ask(query, asked, spaces, deadline, &questions, &leftOut) }
                return questions
            }
            async let media = self.questions(showing: shown, owns, deadline)
            if !asked.isEmpty { try await ask(query, asked, spaces, deadline, &questions, &leftOut) }
            let (made, told) = try await media
            for (home, question) in made { questions[home]?.media = question }
            leftOut += told
            return questions
        }
        // Side by side with those of texts.
        let ofImages = Dictionary(images.values.map { ($0.space, $0) }) { $1 }
        async let imageVectors = vectors(
            of: .text(query.text), ofImages, patience(options.imageQuestionPatience, deadline))
        if !asked.isEmpty { try await ask(query, asked, spaces, deadline, &questions, &leftOut) }
        let made = await imageVectors
        for (home, embedder) in images.sorted(by: { $0.key.description < $1.key.description }) {
            switch made[embedder.space] {
            case .success(let vector):
                questions[home]?.media = MediaQuestion(
                    embedding: Embedding(vector, in: embedder.space), lexicalWeight: embedder.lexicalWeight)
            case .failure(let error):
                leftOut.append("\(home): images in \(embedder.space.name): \(error.message)")
            case nil:
                leftOut.append(
                    "\(home): images in \(embedder.space.name): its embedder was not ready in time")
            }
        }
        return questions
    }

    /// What embeds questions in the space of the images of a home; `nil` = it has none, or nothing can.
    private func imageEmbedder(
        _ own: HomeEmbedders, _ home: Namespace, _ leftOut: inout [String]
    ) -> (any Embedder)? {
        guard own.hasImages, let space = own.roles.images else { return nil }
        guard let embedder = own.media[.image], embedder.modalities.contains(.text) else {
            let reason = own.media[.image] == nil ? absence(of: space) : "its embedder takes no texts"
            leftOut.append("\(home): images in \(space.name): \(reason)")
            return nil
        }
        return embedder
    }

    /// Gives each home its question's vector in the space that it uses, or in that of the fallback.
    private func ask(
        _ query: RecallQuery, _ asked: [EmbeddingSpace: any Embedder], _ spaces: [Namespace: EmbeddingSpace],
        _ deadline: ContinuousClock.Instant?, _ questions: inout [Namespace: Question],
        _ leftOut: inout [String]
    ) async throws {
        let isFinal = options.questionFallback == .none
        let vectors = await vectors(
            of: .text(query.text), asked, isFinal ? deadline : patience(options.questionPatience, deadline))
        var refused: [Namespace: (space: EmbeddingSpace, reason: String)] = [:]
        var isLate = false
        for (home, space) in spaces {
            switch vectors[space] {
            case .success(let vector): questions[home]?.embeddings = [Embedding(vector, in: space)]
            case .failure(let error) where Self.isAbsence(error):
                refused[home] = (space, fault(of: space, error))
            case .failure(let error) where isFinal: throw error
            case .failure(let error): refused[home] = (space, error.message)
            case nil where isFinal: isLate = true
            case nil: refused[home] = (space, "its embedder was not ready in time")
            }
        }
        if isLate {
            leftOut.append("vectors: the embedder was not ready by the deadline")
        }
        if options.questionFallback == .secondSpace, let second = options.fallbackEmbedder?.space {
            // Where a home is on its way to its space, the other one finds more.
            for (home, space) in spaces where refused[home] == nil && space != second {
                let (count, other) = (try await vectorCount(home, space), try await vectorCount(home, second))
                if count < other / 2 { refused[home] = (space, "\(count) of \(other) so far") }
            }
        }
        guard !refused.isEmpty else { return }
        try await fallBack(query.text, refused, deadline, &questions, &leftOut)
    }

    /// Until when embedders may take their time, so that there is some left for what stands in for them.
    private func patience(
        _ patience: Duration?, _ deadline: ContinuousClock.Instant?
    ) -> ContinuousClock.Instant? {
        let now = ContinuousClock.now
        let own = patience.map { now + $0 }
        guard let deadline else { return own }
        return min(own ?? deadline, now + max(.zero, (deadline - now) / 2))
    }

    /// How many vectors a home has in a space.
    func vectorCount(_ home: Namespace, _ space: EmbeddingSpace) async throws -> Int {
        try await read(in: home) { transaction in
            try SpaceRecord.open(in: transaction).first { $0.space == space }.map {
                Int($0.nextSlot - $0.erasedSlots)
            }
        }.flatMap { $0 } ?? 0
    }

    /// Asks the homes whose own space cannot be asked in that of the fallback, and says so.
    private func fallBack(
        _ text: String, _ refused: [Namespace: (space: EmbeddingSpace, reason: String)],
        _ deadline: ContinuousClock.Instant?, _ questions: inout [Namespace: Question],
        _ leftOut: inout [String]
    ) async throws {
        var second: (embedder: any Embedder, vector: [Float])?
        if options.questionFallback == .secondSpace, let embedder = options.fallbackEmbedder,
            embedder.modalities.contains(.text),
            case .success(let vector) = await vectors(of: .text(text), [embedder.space: embedder], deadline)[
                embedder.space]
        {
            second = (embedder, vector)
        }
        for (home, (space, reason)) in refused.sorted(by: { $0.key.description < $1.key.description }) {
            var said = "\(home): vectors in \(space.name): \(reason)"
            if let second, second.embedder.space != space,
                try await vectorCount(home, second.embedder.space) > 0
            {
                questions[home]?.embeddings = [Embedding(second.vector, in: second.embedder.space)]
                questions[home]?.lexicalWeight = second.embedder.lexicalWeight
                questions[home]?.spelledSpace = second.embedder.knowsMeanings ? nil : second.embedder.space
                said += "; asked in \(second.embedder.space.name)"
            } else {
                questions[home]?.embeddings = []
            }
            leftOut.append(said)
        }
    }

    /// The embedders of homes, side by side as they may have to be opened.
    private func embedders(of homes: [Namespace]) async throws -> [(Namespace, HomeEmbedders?)] {
        if homes.count == 1 { return [(homes[0], try await embedders(of: homes[0]))] }
        return try await withThrowingTaskGroup(of: (Namespace, HomeEmbedders?).self) { group in
            for home in homes { group.addTask { (home, try await self.embedders(of: home)) } }
            var all: [(Namespace, HomeEmbedders?)] = []
            for try await one in group { all.append(one) }
            return all.sorted { $0.0.description < $1.0.description }
        }
    }

    private func embedders(of home: Namespace) async throws -> HomeEmbedders? {
        try await withHome(of: home, creating: false) { try self.embedders(of: $0) }
    }

    /// What each embedder makes of a question, or why it makes nothing, all at once; without those that are not ready by
    /// the deadline.
    func vectors(
        of question: EmbeddingInput, _ embedders: [EmbeddingSpace: any Embedder],
        _ deadline: ContinuousClock.Instant?
    ) async -> [EmbeddingSpace: Result<[Float], EngineError>] {
        if deadline == nil, embedders.count == 1, let (space, embedder) = embedders.first {
            return [space: await vector(of: question, embedder)]
        }
        return await withTaskGroup(of: (EmbeddingSpace, Result<[Float], EngineError>)?.self) { group in
            for (space, embedder) in embedders {
                group.addTask { (space, await self.vector(of: question, embedder)) }
            }
            if let deadline {
                group.addTask {
                    try? await Task.sleep(until: deadline, clock: .continuous)
                    return nil
                }
            }
            defer { group.cancelAll() }
            var vectors: [EmbeddingSpace: Result<[Float], EngineError>] = [:]
            while vectors.count < embedders.count, let (space, vector) = await group.next() ?? nil {
                vectors[space] = vector
            }
            return vectors
        }
    }

    private func vector(
        of question: EmbeddingInput, _ embedder: any Embedder
    ) async -> Result<[Float], EngineError> {
        do {
            return .success(try await vectors(for: [question], .query, embedder)[0])
        } catch {
            return .failure(
                error as? EngineError
                    ?? EngineError(.embedder, "the embedder \(embedder.space.name) failed: \(error)"))
        }
    }
}
