import Store

extension Engine {
    /// Remembers a text.
    ///
    /// - Returns: its id, and whether it is new.
    /// - Throws: `EngineError`; nothing is stored then.
    @discardableResult
    public func remember(_ text: String, in namespace: Namespace) async throws -> Remembered {
        try await remember(MemoryDraft(text), in: namespace)
    }

    /// Remembers a draft: the memory, its words and its vectors are one transaction, synced before the call
    /// returns (unless `Options.durability` says otherwise).
    ///
    /// - Throws: `EngineError`: what is wrong with the draft, the home, or the disk; nothing is stored then.
    @discardableResult
    public func remember(_ draft: MemoryDraft, in namespace: Namespace) async throws -> Remembered {
        try await remember([draft], in: namespace)[0].get()
    }

    /// What happens to a batch with a bad draft.
    public enum BatchPolicy: String, Sendable {
        /// Nothing of the batch is stored.
        case atomic
        /// The good ones are stored.
        case skip
    }

    /// The most drafts of one batch.
    public static let maximumBatchCount = 10_000

    /// Remembers many drafts in one transaction.
    ///
    /// A draft whose text the embedder refuses is a bad one too, where it must have vectors (`Options.embedding`).
    ///
    /// - Returns: a result for each draft, in their order. With `.atomic` all are successes.
    /// - Throws: `EngineError`; with `.atomic`, for the first bad draft, whose place it names.
    public func remember(
        _ drafts: [MemoryDraft], in namespace: Namespace, onError policy: BatchPolicy = .atomic
    ) async throws -> [Result<Remembered, EngineError>] {
        guard drafts.count <= Self.maximumBatchCount else {
            throw EngineError(
                .tooLarge, "\(drafts.count) drafts; a batch has at most \(Self.maximumBatchCount)")
        }
        try checkWritable(namespace)
        guard !drafts.isEmpty else { return [] }
        let known = try await withHome(of: namespace, creating: false) { home in
            try await self.store(try await self.prepared(drafts, in: namespace, policy, home), in: home)
        }
        if let known { return known }
        // A home is made for what is stored, and not for what is refused.
        let batch = try await prepared(drafts, in: namespace, policy, nil)
        guard !batch.versions.isEmpty else { return batch.results.compactMap { $0 } }
        return try await withWritableHome(of: namespace) { try await self.store(batch, in: $0) }
    }

    /// Drafts on their way into a home.
    private struct Batch {
        var versions: [Mutation.NewVersion] = []
        /// Which drafts they are.
        var places: [Int] = []
        /// Of those that are refused.
        var results: [Result<Remembered, EngineError>?]
        /// What is written with them.
        var first: [Mutation.Change] = []
    }

    /// What becomes of drafts before any is stored: they are checked, and have their vectors.
    ///
    /// - Parameter home: `nil` = it is not there yet.
    // Not inlined into the closure that lends the home, like `draft(of:in:_:)`.
    @inline(never)
    private func prepared(
        _ drafts: [MemoryDraft], in namespace: Namespace, _ policy: BatchPolicy, _ home: Home?
    ) async throws -> Batch {
        let preparation = self.preparation(for: home)
        var batch = Batch(results: [Result<Remembered, EngineError>?](repeating: nil, count: drafts.count))
        for (index, draft) in drafts.enumerated() {
            do throws(EngineError) {
                let id = MemoryID(at: preparation.now)
                batch.versions.append(try preparation.prepare(draft, id: id, in: namespace))
                batch.places.append(index)
            } catch {
                guard policy == .skip else {
                    throw EngineError(error, ofDraft: index, of: drafts.count)
                }
                batch.results[index] = .failure(error)
            }
        }
        guard !batch.versions.isEmpty else { return batch }
        let refused: [Int: EngineError]
        (batch.first, refused) = try await embed(
            &batch.versions, for: namespace.home, home, tellsRefused: options.embedding == .required)
        guard !refused.isEmpty else { return batch }
        if let bad = refused.min(by: { $0.key < $1.key }), policy == .atomic {
            throw EngineError(bad.value, ofDraft: batch.places[bad.key], of: drafts.count)
        }
        for (index, error) in refused { batch.results[batch.places[index]] = .failure(error) }
        for index in refused.keys.sorted(by: >) {
            batch.versions.remove(at: index)
            batch.places.remove(at: index)
        }
        // The other spaces, for what is left.
        batch.first = try await embed(&batch.versions, for: namespace.home, home, tellsRefused: false).first
        return batch
    }

    @inline(never)
    private func store(_ batch: Batch, in home: Home) async throws -> [Result<Remembered, EngineError>] {
        var results = batch.results
        guard !batch.versions.isEmpty else { return results.compactMap { $0 } }
        // The store learns of it now, not when the embedder was asked.
        var mutation = Mutation(
            at: options.clock(), changes: batch.versions.map { .remember($0) } + batch.first)
        mutation.prepare(Analyzer())
        let applied = try await home.apply(mutation)
        let outcomes = Array(applied.outcomes.prefix(batch.versions.count))
        let missing = await knownMissingSpaces(batch.versions, outcomes, home)
        for (index, outcome) in outcomes.enumerated() {
            results[batch.places[index]] = .success(
                try remembered(outcome, applied.sequence, missing[index]))
        }
        return results.compactMap { $0 }
    }

    /// How far a stream of drafts has come.
    public struct RememberProgress: Sendable {
        /// Drafts that were taken, the bad ones included.
        public var count: Int
        /// The bad ones of the last batch: their place in the stream, and why.
        public var failures: [(index: Int, error: EngineError)]
    }

    /// Remembers a sequence of any length, in batches of 1,000, each durable when it is reported.
    ///
    /// - Parameter policy: with `.atomic` a bad draft ends the stream, and its batch is not stored.
    public func remember<Drafts: Sequence & Sendable>(
        contentsOf drafts: Drafts, in namespace: Namespace, onError policy: BatchPolicy = .atomic
    ) -> AsyncThrowingStream<RememberProgress, any Error> where Drafts.Element == MemoryDraft {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    var batch: [MemoryDraft] = []
                    var done = 0
                    for draft in drafts {
                        batch.append(draft)
                        if batch.count == 1_000 {
                            try Task.checkCancellation()
                            continuation.yield(
                                try await self.remember(batch, after: done, in: namespace, policy))
                            done += batch.count
                            batch.removeAll(keepingCapacity: true)
                        }
                    }
                    if !batch.isEmpty {
                        continuation.yield(try await self.remember(batch, after: done, in: namespace, policy))
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func remember(
        _ batch: [MemoryDraft], after done: Int, in namespace: Namespace, _ policy: BatchPolicy
    ) async throws -> RememberProgress {
        let results = try await remember(batch, in: namespace, onError: policy)
        var progress = RememberProgress(count: done + batch.count, failures: [])
        for (index, result) in results.enumerated() {
            if case .failure(let error) = result { progress.failures.append((done + index, error)) }
        }
        return progress
    }

    // MARK: Update

    /// Changes a memory: `change` gets a draft of its newest version, and what it makes of it becomes the next
    /// one. The versions before stay, as what the store knew then.
    ///
    /// - Parameter version: the version that the change is based on.
    /// - Throws: `EngineError`: `notFound`, `conflict` (another version than expected is the newest), or what is
    ///   wrong with the draft. What was retracted or superseded stays untrue unless the change gives it a validity; what only a
    ///   consolidation ended is judged anew with other words.
    @discardableResult
    public func update(
        _ id: MemoryID, in namespace: Namespace, expecting version: UInt32? = nil,
        _ change: @escaping @Sendable (inout MemoryDraft) throws -> Void
    ) async throws -> Remembered {
        let written = try await write(
            [.update(.id(id), expecting: version, change: change)], in: namespace)
        return try written[0].remembered
    }

    /// What a change makes of a memory, without the vectors that it lacks, and the version that it is based on.
    func newVersion(
        _ id: MemoryID, _ namespace: Namespace,
        _ change: @escaping @Sendable (inout MemoryDraft) throws -> Void, _ home: Home
    ) async throws -> (Mutation.NewVersion, newest: UInt32) {
        let current = try await read(home) { try Self.current(id, namespace, in: $0) }
        var draft = MemoryDraft(current.memory)
        try change(&draft)
        guard draft.key == nil || draft.key == current.memory.key else {
            throw EngineError(.invalid, "the key of a memory stays; remember it anew under another one")
        }
        let isSameContent = draft.content == current.memory.content
        let roles = try await read(home) { try SpaceRoles.read(in: $0) }
        var renewed = draft.actor == current.memory.actor ? [] : spacesOfActor
        renewed.subtract([roles.images, roles.videos].compactMap { $0 })
        let brought = draft.embeddings
        let attachments = draft.attachments
        draft.embeddings += current.embeddings.filter { old in
            !brought.contains { $0.space == old.space && ($0.part ?? 0) == old.part }
                && !renewed.contains(old.space)
                && roles.keeps(
                    old.space, part: UInt32(old.part ?? 0), isSameContent: isSameContent,
                    from: current.memory.attachments, to: attachments)
        }
        let version = try preparation(for: home).prepare(
            draft, id: id, in: current.memory.namespace, passages: isSameContent ? current.passages : nil)
        return (version, current.memory.version)
    }

    private func update(
        _ id: MemoryID, expecting: UInt32, _ version: Mutation.NewVersion, _ now: Timestamp, _ home: Home
    ) async throws -> Remembered {
        var mutation = Mutation(
            at: now, changes: [.update(id, expecting: expecting, version)])
        mutation.prepare(Analyzer())
        let applied = try await home.apply(mutation)
        let missing = await knownMissingSpaces([version], applied.outcomes, home)
        return try remembered(applied.outcomes[0], applied.sequence, missing[0])
    }

    /// Says that a memory is no longer true because another one took its place: its validity ends, and an edge
    /// leads from the successor to it.
    ///
    /// - Parameter moment: from when on; by default now. One in the future is announced: the memory stays current until
    ///   then, and the end can be moved.
    /// - Throws: `EngineError`: `notFound`, `conflict` (it, or its successor, is superseded or retracted
    ///   already).
    public func supersede(
        _ id: MemoryID, by successor: MemoryID, in namespace: Namespace, at moment: Timestamp? = nil
    ) async throws {
        try await write([.supersede(.id(id), by: .id(successor), at: moment)], in: namespace)
    }

    /// Says that a memory is not true any more, or never was (with the beginning of its validity as `moment`).
    ///
    /// - Parameter moment: from when on; by default now. One in the future is announced: the memory stays current until
    ///   then, and can be retracted earlier.
    /// - Throws: `EngineError`: `notFound`, `conflict` (it is superseded or retracted already).
    public func retract(_ id: MemoryID, in namespace: Namespace, at moment: Timestamp? = nil) async throws {
        try await write([.retract(.id(id), at: moment)], in: namespace)
    }

    static func checkMoment(_ moment: Timestamp?) throws {
        guard let moment, moment != .distantPast, !Timestamp.allowed.contains(moment) else { return }
        throw EngineError(.invalid, "the moment lies outside of the years 1 to 9999")
    }

    /// Makes a memory part of a wider namespace: from a session to its home, or (as a copy with the same id) from
    /// one home to another. A copy keeps all that is known of it, with its vectors and attachments; its origin names the version
    /// that it was copied from, and an edge `derivedFrom` leads there.
    ///
    /// - Throws: `EngineError`: `notFound`, `invalid` (the same namespace, or a session), `forbidden`.
    @discardableResult
    public func promote(
        _ id: MemoryID, from source: Namespace, to target: Namespace
    ) async throws -> Remembered {
        guard source != target else {
            throw EngineError(.invalid, "\(source) is where the memory is already")
        }
        guard target.session == nil else {
            throw EngineError(
                .invalid,
                "\(target) is a session, and what is promoted goes to where more can see it: name a home, as \(target.home)"
            )
        }
        try checkWritable(target)
        let found = try await read(in: source) { try Self.current(id, source, in: $0) }
        guard let found else { throw EngineError(.notFound, "there is no home \(source.home)") }
        var draft = MemoryDraft(found.memory)
        draft.embeddings = found.embeddings
        let passages = found.passages
        let author = found.memory.origin.principal
        if source.home == target.home {
            let (moved, version) = (draft, found.memory.version)
            return try await withExistingHome(of: target) { home in
                try await move(moved, id, expecting: version, passages, to: target, home)
            }
        }
        for index in draft.attachments.indices where draft.attachments[index].address == nil {
            draft.attachments[index].data = try await attachment(draft.attachments[index].digest, in: source)
        }
        draft.origin.source = draft.origin.source ?? "\(source)/\(id)@\(found.memory.version)"
        let copied = draft
        let remembered = try await withWritableHome(of: target) { home in
            try await copy(copied, id, passages, by: author, to: target, home)
        }
        // Once, however often it is promoted; `origin` says the same where the engine stops before.
        let known = try await edges(
            of: remembered.id, in: target, direction: .out, kinds: [.derivedFrom], includesClosed: true)
        if !known.contains(where: { $0.to == id && $0.toHome == source.home }) {
            try await link(
                remembered.id, to: id, as: .derivedFrom, in: target, toHome: source.home,
                origin: copied.origin)
        }
        return remembered
    }

    // Not inlined into the closure that lends the home, like `writeOnce`.
    @inline(never)
    private func move(
        _ draft: MemoryDraft, _ id: MemoryID, expecting version: UInt32, _ passages: [Range<Int>],
        to target: Namespace, _ home: Home
    ) async throws -> Remembered {
        let preparation = self.preparation(for: home)
        let prepared = try preparation.prepare(draft, id: id, in: target, passages: passages)
        return try await update(id, expecting: version, prepared, preparation.now, home)
    }

    @inline(never)
    private func copy(
        _ draft: MemoryDraft, _ id: MemoryID, _ passages: [Range<Int>], by author: String,
        to target: Namespace, _ home: Home
    ) async throws -> Remembered {
        let preparation = self.preparation(for: home)
        var version = try preparation.prepare(draft, id: id, in: target, passages: passages)
        // Who wrote it stays its principal, so that it is forgotten with what else is theirs.
        version.fields.origin.principal = author
        var mutation = Mutation(at: preparation.now, changes: [.remember(version)])
        mutation.prepare(Analyzer())
        let applied = try await home.apply(mutation)
        let missing = await knownMissingSpaces([version], applied.outcomes, home)
        return try remembered(applied.outcomes[0], applied.sequence, missing[0])
    }

    // MARK: Helpers

    func checkWritable(_ namespace: Namespace) throws {
        guard namespace.root != .collective else {
            throw EngineError(
                .forbidden,
                "nobody writes to `collective` directly: its patterns come from the anonymiser alone")
        }
        guard !options.isReadOnly else { throw EngineError(.readOnly, "the store is open for reading only") }
    }

    /// - Parameter home: `nil` = it is not there yet.
    func preparation(for home: Home?) -> DraftPreparation {
        let byteCount = home.map { Int($0.header.passageByteCount) } ?? options.passageByteCount
        return DraftPreparation(
            splitter: PassageSplitter(maximumByteCount: byteCount),
            principal: options.principal, now: options.clock())
    }

    /// Lends the home of a namespace, made now if it is not there.
    func withWritableHome<Result>(
        of namespace: Namespace, _ body: (Home) async throws -> Result
    ) async throws -> Result {
        guard let result = try await withHome(of: namespace, creating: true, body) else {
            throw EngineError(.io, "the home \(namespace.home) could not be made")
        }
        return result
    }

    func withExistingHome<Result>(
        of namespace: Namespace, _ body: (Home) async throws -> Result
    ) async throws -> Result {
        guard let result = try await withHome(of: namespace, creating: false, body) else {
            throw EngineError(.notFound, "there is no home \(namespace.home)")
        }
        return result
    }

    func remembered(
        _ outcome: Applier.Outcome, _ sequence: UInt64, _ missing: MissingSpaces
    ) throws -> Remembered {
        guard case .stored(let id, let version, let isNew) = outcome else {
            throw EngineError(
                .conflict, "the operation was applied before, and its memory has been forgotten since")
        }
        return Remembered(
            id: id, version: version, isNew: isNew, sequence: sequence, missingSpaces: missing.spaces,
            refusals: missing.refusals, failures: missing.failures)
    }
}

extension MemoryDraft {
    /// A draft that says what a memory says, without its vectors.
    public init(_ memory: Memory) {
        self.init(memory.content)
        kind = memory.kind
        actor = memory.actor
        thread = memory.thread
        key = memory.key
        happened =
            memory.happened.isEmpty
            ? memory.happened.lowerBound...memory.happened.lowerBound
            : memory.happened
                .lowerBound...Timestamp(microseconds: memory.happened.upperBound.microseconds - 1)
        valid = memory.valid == Timestamp.distantPast..<Timestamp.distantFuture ? nil : memory.valid
        expires = memory.expires
        isPinned = memory.isPinned
        importance = memory.importance
        tags = memory.tags
        keywords = memory.keywords
        attributes = memory.attributes
        origin = memory.origin
        attachments = memory.attachments
    }
}
