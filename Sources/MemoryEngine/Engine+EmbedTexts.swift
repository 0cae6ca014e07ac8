/// Vectors of texts, new ones and those that were stored without. What an embedder does not take, such as a text with more tokens
/// than its model has, must not keep others from theirs.
extension Engine {
    /// Gives vectors to passages with text that have none in a space, in batches that are a transaction each. What the embedder
    /// refuses is told to `Options.warn`, and not asked about again.
    func embedTexts(
        in namespace: Namespace, into space: EmbeddingSpace?, filter: Filter?, includesClosed: Bool,
        after cursor: String?, batchCount: Int?, besides refusals: Refusals,
        _ report: ((EmbeddingProgress) async throws -> Void)?
    ) async throws -> EmbeddingProgress {
        let embedder = try await embedder(of: space, for: namespace)
        let limit = batchCount ?? min(max(1, embedder.preferredBatchCount), Self.maximumBatchCount)
        var progress = EmbeddingProgress(next: cursor)
        repeat {
            try Task.checkCancellation()
            let page = try await passages(
                lacking: embedder.space, in: namespace, filter: filter, includesClosed: includesClosed,
                after: progress.next, limit: limit)
            let texts = page.passages.filter {
                !$0.text.isEmpty && !refusals.contains($0, in: embedder.space)
            }
            progress.skipped += page.passages.count - texts.count
            if !texts.isEmpty {
                var additions: [AddedEmbeddings] = []
                for (text, vector) in zip(texts, try await taken(texts.map(\.text), embedder)) {
                    switch vector {
                    case .success(let vector):
                        additions.append(AddedEmbeddings(vector, in: embedder.space, to: text))
                    case .failure(let refusal):
                        refusals.insert(text, in: embedder.space)
                        options.warn?("\(text.namespace): \(text.id) gets no vector: \(refusal.message)")
                    }
                }
                let found = additions
                let done = try await withExistingHome(of: namespace) {
                    try await add(found, namespace, $0)
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

    // MARK: New ones

    /// Gives vectors in an embedder's space to the texts of versions that have none there.
    ///
    /// - Parameter tellsRefused: whether texts that the embedder refuses are told from an embedder that fails.
    /// - Returns: by their places, the versions with a text that is refused, and why.
    func embedTexts(
        of versions: inout [Mutation.NewVersion], _ embedder: any Embedder, tellsRefused: Bool
    ) async throws -> [Int: EngineError] {
        var places: [(version: Int, part: Int)] = []
        var texts: [String] = []
        for (index, version) in versions.enumerated() {
            for (part, range) in version.passages.enumerated() where !range.isEmpty {
                let isThere = version.vectors.contains {
                    $0.space == embedder.space && $0.part == UInt32(part)
                }
                guard !isThere else { continue }
                places.append((index, part))
                let bytes = version.content[Int(range.lowerBound)..<Int(range.upperBound)]
                let text = String(decoding: bytes, as: UTF8.self)
                texts.append(embedder.knowsMeanings ? version.fields.embedded(text) : text)
            }
        }
        let vectors =
            tellsRefused
            ? try await taken(texts, embedder)
            : try await embedded(texts.map { .text($0) }, embedder).map { .success($0) }
        var refused: [Int: EngineError] = [:]
        for (place, vector) in zip(places, vectors) {
            switch vector {
            case .success(let vector):
                versions[place.version].vectors.append(
                    Mutation.NewVector(space: embedder.space, part: UInt32(place.part), vector: vector))
            case .failure(let refusal):
                refused[place.version] = refused[place.version] ?? refusal
            }
        }
        return refused
    }

    // MARK: What is not taken

    /// A text that every embedder takes, to tell one that refuses others from one that fails.
    private static let harmless = EmbeddingInput.text("text")

    /// The vectors of texts, or why the embedder refuses one, in calls as large as it takes.
    ///
    /// - Throws: `EngineError`: what the embedder throws where it takes no text at all; `CancellationError`.
    /// - Complexity: no further calls where all are taken; O(log texts of a call) for each that is not.
    private func taken(
        _ texts: [String], _ embedder: any Embedder
    ) async throws -> [Result<[Float], EngineError>] {
        let limit = max(1, embedder.limits.maximumBatchCount)
        var all: [Result<[Float], EngineError>] = []
        for start in stride(from: 0, to: texts.count, by: limit) {
            all += try await takenAtOnce(texts[start..<min(start + limit, texts.count)], embedder)
        }
        return all
    }

    private func takenAtOnce(
        _ texts: ArraySlice<String>, _ embedder: any Embedder, isPart: Bool = false
    ) async throws -> [Result<[Float], EngineError>] {
        do {
            return try await vectors(for: texts.map { .text($0) }, .passage, embedder).map { .success($0) }
        } catch let error as EngineError where Self.mayBeRefusal(error) {
            // A text is refused where a harmless one is taken before and after it: neither what comes back nor what fails from now
            // on must be taken for that.
            if !isPart || texts.count == 1 { try await check(embedder, or: error) }
            if isPart, texts.count == 1 { return [.failure(Self.refusal(error, embedder))] }
            let middle = texts.startIndex + (texts.count + 1) / 2
            var all = try await takenAtOnce(texts[..<middle], embedder, isPart: true)
            if middle < texts.endIndex {
                all += try await takenAtOnce(texts[middle...], embedder, isPart: true)
            }
            return all
        }
    }

    /// - Throws: `reason`, where the embedder takes no text at all: what it said first.
    private func check(_ embedder: any Embedder, or reason: EngineError) async throws {
        guard try await takesTexts(embedder) else { throw reason }
    }

    /// Whether an embedder takes a harmless text now.
    func takesTexts(_ embedder: any Embedder) async throws -> Bool {
        do {
            _ = try await vectors(for: [Self.harmless], .passage, embedder)
            return true
        } catch {
            try Task.checkCancellation()
            return false
        }
    }

    private static func refusal(_ error: EngineError, _ embedder: any Embedder) -> EngineError {
        EngineError(
            error.code == .embedder ? .invalid : error.code,
            "\(embedder.space.name) refuses the text: \(error.message)")
    }

    /// Services do not tell what they refuse from what fails in one way.
    private static func mayBeRefusal(_ error: EngineError) -> Bool {
        [.invalid, .tooLarge, .embedder].contains(error.code) && !error.isTransient && !Task.isCancelled
    }
}

extension VersionFields {
    /// What a model that knows meanings is given of a passage: who said it, and it, as questions ask for that
    /// (`docs/decisions/0034-what-is-embedded.md`). Others would count the name as a word of each.
    func embedded(_ passage: String) -> String {
        guard let actor, !passage.isEmpty else { return passage }
        return "\(actor): \(passage)"
    }
}
