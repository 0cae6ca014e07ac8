import Store

/// Vectors of images and videos that are attached to memories: beside those of texts, in spaces of their own.
///
/// The first image of a memory has a vector, and its first video; each belongs to the first passage. A memory is never
/// refused because its image could not be embedded.
extension Engine {
    /// What is embedded of one version.
    struct Medium: Sendable {
        let attachment: Attachment
        let modality: Modality
        /// How errors call it.
        let name: String

        /// - Parameter id: of the memory, where the caller does not know which one it is.
        init(_ attachment: Attachment, _ modality: Modality, of id: MemoryID? = nil) {
            (self.attachment, self.modality) = (attachment, modality)
            name = "`\(attachment.name)`" + (id.map { " of \($0)" } ?? "")
        }

        /// What of a passage's attachments is embedded; `nil` = none of this kind is.
        init?(_ passage: UnembeddedPassage, _ modality: Modality) {
            guard let attachment = passage.attachments.embedded(modality) else { return nil }
            self.init(attachment, modality, of: passage.id)
        }
    }

    /// What an embedder makes of some media.
    private struct Made {
        /// `nil` = it has no vector.
        var vectors: [[Float]?]
        /// Why some of them have none though the embedder answers, by their places.
        var refusals: [Int: EngineError] = [:]
        /// What may pass.
        var failure: EngineError?
        /// The place that may be to blame for the failure: that of one that went alone, to an embedder that takes no texts.
        var suspect: Int?

        init(_ count: Int) { vectors = [[Float]?](repeating: nil, count: count) }
    }

    /// Gives vectors to what is attached to versions that are about to be stored, where their embedders answer in time.
    ///
    /// - Parameter home: `nil` = it is made when they are stored.
    /// - Throws: `EngineError`: `corrupted`, `io`; `deadline` where the call is cancelled.
    func embedMedia(
        _ versions: inout [Mutation.NewVersion], _ own: HomeEmbedders, _ name: Namespace, _ home: Home?
    ) async throws {
        let deadline = ContinuousClock.now + options.mediaPatience
        for modality in Modality.allCases {
            guard let embedder = own.media[modality] else { continue }
            let space = embedder.space
            let lacking = versions.indices.filter { index in
                versions[index].fields.attachments.embedded(modality) != nil
                    && !versions[index].vectors.contains { $0.space == space && $0.part == 0 }
            }
            guard !lacking.isEmpty else { continue }
            let media = lacking.compactMap { index in
                versions[index].fields.attachments.embedded(modality).map { Medium($0, modality) }
            }
            let made = try await self.vectors(of: media, embedder, name, home, until: deadline)
            if let home, made.vectors.contains(where: { $0 != nil }) {
                try await record(modality, own, home)
            }
            for (place, refusal) in made.refusals where Self.isRefusal(refusal) {
                versions[lacking[place]].refusals[space] = refusal.message
            }
            for (index, vector) in zip(lacking, made.vectors) {
                guard let vector else {
                    versions[index].failures[space] = made.failure?.message
                    continue
                }
                versions[index].vectors.append(Mutation.NewVector(space: space, part: 0, vector: vector))
            }
        }
    }

    /// Gives vectors to what is attached in a namespace and has none, in batches that are a transaction each.
    ///
    /// - Throws: `EngineError`: `embedder`, `deadline`; the batches before stay stored. What is damaged or too large is left
    ///   out, and counted as skipped.
    func embedMedia(
        _ modality: Modality, in namespace: Namespace, filter: Filter? = nil, includesClosed: Bool = false,
        besides refusals: Refusals, _ report: ((EmbeddingProgress) async throws -> Void)? = nil
    ) async throws -> EmbeddingProgress {
        let own = try await withExistingHome(of: namespace) { try embedders(of: $0) }
        var progress = EmbeddingProgress()
        guard let embedder = own.media[modality] else { return progress }
        var suspects: [(passage: UnembeddedPassage, failure: EngineError)] = []
        var taken: UnembeddedPassage?
        var failures = 0
        var goesOn = true
        while goesOn {
            try Task.checkCancellation()
            let page = try await passages(
                lacking: embedder.space, in: namespace, filter: filter, includesClosed: includesClosed,
                after: progress.next, limit: max(1, min(16, embedder.limits.maximumBatchCount)))
            let known = suspects.map(\.passage)
            let all = page.passages.filter { !known.contains($0) }
            let lacking = all.filter {
                $0.attachments.embedded(modality) != nil && !refusals.contains($0, in: embedder.space)
            }
            var part = EmbeddingProgress(skipped: all.count - lacking.count, next: page.next)
            let made = try await embed(lacking, modality, embedder, own, namespace, refusals, &part)
            if let last = made.vectors.lastIndex(where: { $0 != nil }) {
                (taken, failures) = (lacking[last], 0)
            }
            if let failure = made.failure {
                failures += 1
                // Where one after another fails, it is the embedder.
                guard let suspect = made.suspect, failures < (taken == nil ? 2 : Self.maximumFailureCount)
                else { throw failure }
                suspects.append((lacking[suspect], failure))
                // What stands behind it on the page has its turn.
                (part.skipped, part.next) = (0, progress.next)
            }
            goesOn = part.next != nil || made.failure != nil
            progress = progress + part
            try await report?(progress)
        }
        guard let first = suspects.first else { return progress }
        guard let taken else { throw first.failure }
        var failed: [(passage: UnembeddedPassage, failure: EngineError)] = []
        for suspect in suspects {
            var part = EmbeddingProgress()
            let made = try await embed(
                [suspect.passage], modality, embedder, own, namespace, refusals, &part)
            progress = progress + part
            guard let failure = made.failure else { continue }
            guard made.suspect != nil else { throw failure }
            failed.append((suspect.passage, failure))
        }
        guard !failed.isEmpty else { return progress }
        // They are to blame where it takes another one still.
        let probe = try await withExistingHome(of: namespace) {
            try await vectors(
                of: [Medium(taken, modality)].compactMap { $0 }, embedder, $0.namespace, $0, until: nil)
        }
        if let failure = probe.failure { throw failure }
        for (passage, failure) in failed {
            refusals.insert(passage, in: embedder.space)
            progress.skipped += 1
            let name = Medium(passage, modality)?.name ?? "\(passage.id)"
            warnOfRefusal("\(name): \(failure.message)", namespace.home)
        }
        try await report?(progress)
        return progress
    }

    /// So many images or videos in a row that fail alone are none of their own fault.
    private static let maximumFailureCount = 16

    /// Gives vectors to what is attached to some passages, in one transaction, and counts it.
    private func embed(
        _ passages: [UnembeddedPassage], _ modality: Modality, _ embedder: any Embedder, _ own: HomeEmbedders,
        _ namespace: Namespace, _ refusals: Refusals, _ progress: inout EmbeddingProgress
    ) async throws -> Made {
        guard !passages.isEmpty else { return Made(0) }
        let media = passages.compactMap { Medium($0, modality) }
        let (made, done) = try await withExistingHome(of: namespace) { home in
            let made = try await vectors(of: media, embedder, home.namespace, home, until: nil)
            for place in made.refusals.keys { refusals.insert(passages[place], in: embedder.space) }
            let additions = zip(passages, made.vectors).compactMap { passage, vector in
                vector.map { AddedEmbeddings($0, in: embedder.space, to: passage) }
            }
            var done = EmbeddingProgress()
            if !additions.isEmpty {
                try await record(modality, own, home)
                done = try await add(additions, namespace, home)
            }
            return (made, done)
        }
        progress.added += done.added
        progress.obsolete += done.obsolete
        progress.skipped += made.refusals.count
        return made
    }

    /// Makes a space the one of a kind of attachments, before the first vector is there.
    private func record(_ modality: Modality, _ own: HomeEmbedders, _ home: Home) async throws {
        guard let space = own.roles[modality] else { return }
        let known = try await read(home) { try SpaceRoles.read(in: $0) }
        guard known[modality] == nil else { return }
        let name = modality == .image ? SpaceRoles.imagesName : SpaceRoles.videosName
        _ = try await home.apply(
            Mutation(at: options.clock(), changes: [.setting(name, space.name)]))
    }

    /// What an embedder makes of images or videos.
    ///
    /// One that cannot be read, or that the service refuses, is left out, and `Options.warn` is told.
    private func vectors(
        of media: [Medium], _ embedder: any Embedder, _ name: Namespace, _ home: Home?,
        until deadline: ContinuousClock.Instant?
    ) async throws -> Made {
        var all = Made(media.count)
        for range in Self.batches(of: media, atMost: embedder.limits.maximumBatchCount) {
            var batch: [(place: Int, input: EmbeddingInput)] = []
            for place in range {
                do {
                    batch.append((place, try await input(of: media[place], home)))
                } catch let error as EngineError where Self.isRefusal(error) {
                    all.refusals[place] = error
                }
            }
            if !batch.isEmpty { try await add(batch, to: &all, embedder, until: deadline) }
            if let failure = all.failure, batch.count == 1, failure.code == .embedder, !failure.isTransient,
                !embedder.modalities.contains(.text)
            {
                all.suspect = batch[0].place
            }
            // One that does not answer is not asked for the others.
            if all.failure != nil { break }
        }
        for (_, error) in all.refusals.sorted(by: { $0.key < $1.key }) {
            warnOfRefusal(error.message, name)
        }
        return all
    }

    func warnOfRefusal(_ reason: String, _ home: Namespace) {
        options.warn?("\(home): what is attached gets no vector: \(reason)")
    }

    /// Places that go together: as many as the embedder takes, and no more bytes than may be in memory, unless it is one.
    private static func batches(of media: [Medium], atMost count: Int) -> [Range<Int>] {
        var batches: [Range<Int>] = []
        var (start, byteCount) = (0, UInt64(0))
        for (place, medium) in media.enumerated() {
            let isFull = place - start >= max(1, count) || byteCount + medium.attachment.byteCount > 32 << 20
            if isFull, place > start {
                batches.append(start..<place)
                (start, byteCount) = (place, 0)
            }
            byteCount += medium.attachment.byteCount
        }
        if start < media.count { batches.append(start..<media.count) }
        return batches
    }

    private func add(
        _ batch: [(place: Int, input: EmbeddingInput)], to all: inout Made, _ embedder: any Embedder,
        until deadline: ContinuousClock.Instant?
    ) async throws {
        do {
            let made = try await vectors(of: batch.map(\.input), embedder, until: deadline)
            for ((place, _), vector) in zip(batch, made) { all.vectors[place] = vector }
            return
        } catch let error as EngineError {
            try Task.checkCancellation()
            guard batch.count > 1, !error.isTransient, Self.isRefusal(error) || error.code == .embedder else {
                guard !Self.isRefusal(error) else {
                    all.refusals[batch[0].place] = error
                    return
                }
                all.failure = error
                if error.code == .embedder, !error.isTransient, Self.tells(embedder, deadline),
                    try await takesTexts(embedder)
                {
                    try await addAgain(batch[0], error, to: &all, embedder, until: deadline)
                }
                return
            }
        }
        // One of them may be to blame, and must not keep the others from being found.
        var failed: [(place: Int, input: EmbeddingInput)] = []
        var first: EngineError?
        var hasSome = false
        for one in batch {
            try await add([one], to: &all, embedder, until: deadline)
            hasSome = hasSome || all.vectors[one.place] != nil
            guard let failure = all.failure else { continue }
            // Where none of two has its vector, it is the embedder that fails.
            if failure.code != .embedder || failure.isTransient || Self.tells(embedder, deadline)
                || !hasSome && first != nil
            {
                return
            }
            first = first ?? failure
            failed.append(one)
            all.failure = nil
        }
        guard let first else { return }
        guard hasSome else {
            all.failure = first
            return
        }
        for one in failed where all.failure == nil {
            try await addAgain(one, first, to: &all, embedder, until: deadline)
        }
    }

    /// Tries one image or video once more, as its embedder takes others: one that fails then too is refused. Services do not tell
    /// that from a failure of theirs in one way.
    private func addAgain(
        _ one: (place: Int, input: EmbeddingInput), _ error: EngineError, to all: inout Made,
        _ embedder: any Embedder, until deadline: ContinuousClock.Instant?
    ) async throws {
        all.failure = nil
        // Who remembers does not wait for that, and nothing is noted then.
        guard deadline == nil else {
            all.refusals[one.place] = error
            return
        }
        do {
            all.vectors[one.place] = try await vectors(for: [one.input], .passage, embedder).first
        } catch let error as EngineError {
            try Task.checkCancellation()
            if error.code == .deadline || error.isTransient {
                all.failure = error
            } else if Self.tells(embedder, deadline), try await !takesTexts(embedder) {
                all.failure = error
            } else {
                all.refusals[one.place] = error
            }
        }
    }

    /// Whether an image or video that is refused is told from an embedder that fails by a text, which takes calls more.
    private static func tells(_ embedder: any Embedder, _ deadline: ContinuousClock.Instant?) -> Bool {
        deadline == nil && embedder.modalities.contains(.text)
    }

    /// As `vectors(for:_:_:)`, but not after a moment.
    private func vectors(
        of inputs: [EmbeddingInput], _ embedder: any Embedder, until deadline: ContinuousClock.Instant?
    ) async throws -> [[Float]] {
        guard let deadline else { return try await vectors(for: inputs, .passage, embedder) }
        return try await withThrowingTaskGroup(of: [[Float]]?.self) { group in
            group.addTask { try await self.vectors(for: inputs, .passage, embedder) }
            group.addTask {
                try? await Task.sleep(until: deadline, clock: .continuous)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let vectors = first else {
                throw EngineError(.deadline, "the embedder \(embedder.space.name) was not ready in time")
            }
            return vectors
        }
    }

    /// Whether an error is about what was sent, so that it comes again each time.
    static func isRefusal(_ error: EngineError) -> Bool {
        [.invalid, .tooLarge, .invalidVector].contains(error.code)
    }

    /// What is attached, looked at as far as that goes without a model.
    ///
    /// - Throws: `EngineError`: `invalid`, `tooLarge`, where no model takes it; what reading throws.
    func input(of medium: Medium, _ home: Home?) async throws -> EmbeddingInput {
        let attachment = medium.attachment
        // What no model takes is not read.
        guard attachment.byteCount <= EmbeddingInput.maximumVideoByteCount else {
            throw EngineError(
                .tooLarge,
                "\(medium.name) has \(attachment.byteCount) bytes; at most \(EmbeddingInput.maximumVideoByteCount) are embedded"
            )
        }
        var bytes = attachment.data
        if bytes.count != attachment.byteCount {
            guard let home else {
                throw EngineError(.invalid, "the bytes of \(medium.name) are missing")
            }
            bytes = try await read(home) {
                try Self.attachmentBytes(attachment.digest, 0..<attachment.byteCount, in: $0)
            }
        }
        let input: EmbeddingInput = medium.modality == .image ? .image(bytes) : .video(bytes)
        try input.check(medium.name)
        return input
    }
}
