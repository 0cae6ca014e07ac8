import Store

/// The embedding spaces of a home: which one it uses, and the way from one to another.
extension Engine {
    /// The engine's embedders: first the one that new homes use.
    var embedders: [any Embedder] {
        ([embedder] + options.otherEmbedders + [options.fallbackEmbedder]).compactMap { $0 }
    }

    /// The embedders of a home.
    struct HomeEmbedders: Sendable {
        /// Embeds texts and questions.
        var current: (any Embedder)?
        /// Embeds texts besides, while a re-embedding fills its space.
        var next: (any Embedder)?
        /// Embed what is attached.
        var media: [Modality: any Embedder] = [:]
        /// Where what is attached has its vectors, or will have them.
        var roles = SpaceRoles()
        /// Those of them that the home has not noted yet.
        var unnoted: [Modality: EmbeddingSpace] = [:]
        /// Whether there are vectors of attached images.
        var hasImages = false
        /// The space that the home uses, where the engine has no embedder of it.
        var missing: EmbeddingSpace?
        /// The space that the home uses.
        var space: EmbeddingSpace? { missing ?? current?.space }
    }

    func embedders(of home: Home) throws -> HomeEmbedders {
        do {
            return try home.environment.read { try self.embedders(in: $0) }
        } catch let error as StoreError {
            throw EngineError(error)
        }
    }

    /// Those of a home that is not there yet.
    func embeddersOfNewHome() -> HomeEmbedders {
        var found = HomeEmbedders()
        found.roles = mediaRoles(SpaceRoles(), taken: [])
        noteMedia(SpaceRoles(), in: &found)
        found.current = embedder
        return found
    }

    private func noteMedia(_ roles: SpaceRoles, in found: inout HomeEmbedders) {
        for modality in [Modality.image, .video] {
            if roles[modality] == nil { found.unnoted[modality] = found.roles[modality] }
            found.media[modality] = found.roles[modality].flatMap(mediaEmbedder(of:))
        }
    }

    /// - Complexity: two look-ups.
    func embedders(in transaction: borrowing ReadTransaction) throws -> HomeEmbedders {
        let roles = try SpaceRoles.read(in: transaction)
        var found = HomeEmbedders()
        found.next = roles.next.flatMap(embedder(of:))
        found.roles = try mediaRoles(roles, in: transaction)
        if let images = roles.images {
            found.hasImages = try SpaceRecord.open(in: transaction).contains {
                $0.space == images && $0.nextSlot > $0.erasedSlots
            }
        }
        noteMedia(roles, in: &found)
        if let current = roles.current {
            found.current = embedder(of: current)
            if found.current == nil {
                found.missing = current
                warnOfAbsence(current)
            }
            return found
        }
        found.current = embedder
        // Nobody chose yet: a home goes on with the embedder of most of its vectors.
        guard !options.otherEmbedders.isEmpty else { return found }
        let known = try SpaceRecord.open(in: transaction).filter {
            $0.nextSlot > $0.erasedSlots && $0.space != roles.next && roles.modality(of: $0.space) == nil
                && $0.space != options.fallbackEmbedder?.space && embedder(of: $0.space) != nil
        }
        func count(_ space: SpaceRecord) -> (UInt32, Int) {
            (space.nextSlot - space.erasedSlots, space.space == embedder?.space ? 1 : 0)
        }
        if let most = known.max(by: { count($0) < count($1) }) { found.current = embedder(of: most.space) }
        return found
    }

    /// Where what is attached has its vectors, or will have them: a space holds one vector of a passage, so it is none that
    /// texts are embedded in.
    func mediaRoles(_ roles: SpaceRoles, in transaction: borrowing ReadTransaction) throws -> SpaceRoles {
        if options.mediaEmbedders.isEmpty { return roles }
        // What texts have vectors in, chosen or not.
        let taken = try SpaceRecord.open(in: transaction).filter {
            $0.nextSlot > $0.erasedSlots && $0.space != roles.images && $0.space != roles.videos
        }.map(\.space)
        return mediaRoles(roles, taken: taken)
    }

    private func mediaRoles(_ roles: SpaceRoles, taken: [EmbeddingSpace]) -> SpaceRoles {
        var roles = roles
        for modality in [Modality.image, .video] where roles[modality] == nil {
            roles[modality] =
                options.mediaEmbedders.first {
                    $0.modalities.contains(modality)
                        && ![roles.current, roles.next, roles.images, roles.videos].contains($0.space)
                        && !taken.contains($0.space)
                }?.space
        }
        return roles
    }

    private func mediaEmbedder(of space: EmbeddingSpace) -> (any Embedder)? {
        options.mediaEmbedders.first { $0.space == space } ?? embedder(of: space)
    }

    func embedder(of space: EmbeddingSpace) -> (any Embedder)? {
        embedders.first { $0.space == space }
    }

    /// The embedder of texts of a space, by default of the one that the home uses.
    func embedder(of space: EmbeddingSpace?, for namespace: Namespace) async throws -> any Embedder {
        guard !embedders.isEmpty else {
            throw EngineError(.invalid, "the engine has no embedder of texts; open it with one")
        }
        var found = space.flatMap(embedder(of:))
        var missing = space
        if space == nil {
            let own = try await withHome(of: namespace, creating: false) { try embedders(of: $0) }
            found = own == nil ? embedder : own?.current
            missing = own?.missing
        }
        guard let found, found.modalities.contains(.text) else {
            guard let missing else {
                throw EngineError(.invalid, "the engine has no embedder of texts; open it with one")
            }
            throw EngineError(
                .invalid,
                "nothing makes vectors of texts in \(missing.name): \(absence(of: missing)); or bring the home to another space "
                    + "(`reembed` into that)")
        }
        return found
    }

    /// Tells, once, of a space that a home uses and nothing makes vectors in, where that is wanted.
    private func warnOfAbsence(_ space: EmbeddingSpace, _ reason: String? = nil) {
        guard options.warnsOfAbsence, toldAbsences.withLock({ $0.insert(space).inserted }) else { return }
        let reason = reason ?? options.absence?(space) ?? "there is no embedder of it"
        options.warn?(
            "homes have their vectors in \(space.name), and nothing makes them: \(reason); words answer meanwhile, and "
                + "what is remembered waits for its vectors")
    }

    /// Whether an embedder fails because what it needs is damaged or gone: then it is as good as none.
    static func isAbsence(_ error: EngineError) -> Bool {
        [.corrupted, .notFound, .io].contains(error.code)
    }

    /// Why what is meant to make vectors cannot, as those are told who ask: in a space, or (`nil`) those of new homes.
    func fault(of space: EmbeddingSpace?) -> EngineError? {
        options.fault?(space).map { fault in
            guard options.warnsOfAbsence else { return fault }
            return EngineError(
                .embedder,
                "what is to make vectors \(space.map { "in \($0.name)" } ?? "of new homes") cannot be used")
        }
    }

    /// What is said of an embedder that is as good as none. Where `warn` is told, the reason is no matter of those who ask.
    func fault(of space: EmbeddingSpace, _ error: EngineError) -> String {
        guard options.warnsOfAbsence else { return error.message }
        warnOfAbsence(space, error.message)
        return "its embedder cannot be used"
    }

    /// Why nothing makes vectors in a space. Where `warn` is told, the reason is no matter of those who ask.
    func absence(of space: EmbeddingSpace) -> String {
        (options.warnsOfAbsence ? nil : options.absence?(space)) ?? "the engine has no embedder of it"
    }

    /// The space in which the texts and questions of a home are embedded; `nil` = the engine has no embedder, and nobody
    /// chose.
    ///
    /// - Throws: `EngineError`: `notFound`.
    public func space(of namespace: Namespace) async throws -> EmbeddingSpace? {
        try await withExistingHome(of: namespace) { try embedders(of: $0).space }
    }

    /// The spaces in which a home has vectors, or had.
    ///
    /// - Throws: `EngineError`: `notFound`.
    /// - Complexity: O(spaces).
    public func spaces(in namespace: Namespace) async throws -> [EmbeddingSpace] {
        try await withExistingHome(of: namespace) { home in
            try await read(home) { try SpaceRecord.open(in: $0).map(\.space) }
        }
    }

    /// Brings a home to the space of another embedder, while it is used: gives every passage, those of closed versions
    /// too, a vector there, and then switches. What is remembered meanwhile gets vectors in both spaces, questions are
    /// embedded in the old one until the switch, which is one transaction, and in the new one from then on. A query that
    /// brings its own vectors may ask either at any time. It can be called again after any failure, and goes on.
    ///
    /// - Parameters:
    ///   - space: of `embedder` or one of `Options.otherEmbedders`.
    ///   - dropsOld: removes the vectors in the old space afterwards.
    ///   - batchCount: how many passages are embedded before they are stored, 1 to 10,000; `nil` = as many as the embedder wants.
    ///   - report: called after each batch, when it is durable.
    /// - Throws: `EngineError`: `invalid` (no such embedder), `embedder`, `notFound`, `conflict` (a passage has a vector in
    ///   the old space and no text, so that only `addEmbeddings` can give it one); `CancellationError`. The vectors that
    ///   were added stay.
    /// - Complexity: O(passages) beside what the embedder takes.
    @discardableResult
    public func reembed(
        in namespace: Namespace, into space: EmbeddingSpace, dropsOld: Bool = false, batchCount: Int? = nil,
        _ report: ((EmbeddingProgress) async throws -> Void)? = nil
    ) async throws -> EmbeddingProgress {
        let home = try whole(namespace)
        if let batchCount, !(1...10_000).contains(batchCount) {
            throw EngineError(.invalid, "a batch has 1 to 10,000 passages, not \(batchCount)")
        }
        try await checkIsOfTexts(space, home)
        _ = try await embedder(of: space, for: home)
        let old = try await self.space(of: home)
        if old != space { try await change([.setting(SpaceRoles.nextName, space.name)], in: home) }
        var all = EmbeddingProgress()
        let refusals = Refusals()
        while true {
            let before = all
            let done = try await embed(
                in: home, into: space, includesClosed: true, batchCount: batchCount, besides: refusals
            ) { progress in
                var sum = before
                sum.add(progress)
                try await report?(sum)
            }
            all.add(done)
            if try await change([.useSpace(space, from: old)], in: home) != .obsolete { break }
            // What came meanwhile without a vector has one after the next round, if it can have one.
            guard done.added + done.obsolete > 0 else {
                throw EngineError(
                    .conflict,
                    "some passages of \(home) have a vector in \(old?.name ?? "the old space"), and no text, or one that the "
                        + "embedder of \(space.name) refuses: add vectors there to them, or forget them")
            }
        }
        if dropsOld, let old, old != space {
            // What was being embedded when the space was named has a vector in the old one alone.
            all.add(
                try await embed(
                    in: home, into: space, includesClosed: true, batchCount: batchCount, besides: refusals))
            try await dropSpace(old, in: home)
        }
        return all
    }

    /// Makes a space the one in which the texts and questions of a home are embedded. Callers that bring all vectors
    /// themselves have no need of it.
    ///
    /// - Throws: `EngineError`: `notFound`, `conflict` (a passage has a vector in the space that is used now, and none in
    ///   this one: `reembed` gives it one).
    public func useSpace(_ space: EmbeddingSpace, in namespace: Namespace) async throws {
        let home = try whole(namespace)
        try Self.check(space)
        try await checkIsOfTexts(space, home)
        let old = try await self.space(of: home)
        guard try await change([.useSpace(space, from: old)], in: home) != .obsolete else {
            throw EngineError(
                .conflict,
                "some passages of \(home) have a vector in \(old?.name ?? "the old space") and none in \(space.name); "
                    + "embed them first")
        }
    }

    /// Removes all vectors of a home in a space.
    ///
    /// - Throws: `EngineError`: `notFound`, `conflict` (the home uses the space).
    /// - Returns: how many vectors there were.
    @discardableResult
    public func dropSpace(_ space: EmbeddingSpace, in namespace: Namespace) async throws -> Int {
        let home = try whole(namespace)
        let used = try await self.space(of: home)
        guard used != space else {
            throw EngineError(
                .conflict, "\(home) uses \(space.name); switch it to another space before this one goes")
        }
        guard case .erased(let counts) = try await change([.dropSpace(space)], in: home) else {
            throw EngineError(.notFound, "\(home) has no vectors in \(space.name)")
        }
        return counts["vectors"] ?? 0
    }

    /// Applies changes to a home that is there. Returns what became of the last.
    @discardableResult
    private func change(_ changes: [Mutation.Change], in home: Namespace) async throws -> Applier.Outcome? {
        let mutation = Mutation(at: options.clock(), changes: changes)
        return try await withExistingHome(of: home) { try await $0.apply(mutation).outcomes.last }
    }

    private func checkIsOfTexts(_ space: EmbeddingSpace, _ home: Namespace) async throws {
        let roles = try await withExistingHome(of: home) { home in
            try await read(home) { try SpaceRoles.read(in: $0) }
        }
        guard roles.modality(of: space) == nil else {
            throw EngineError(
                .conflict,
                "\(space.name) has the vectors of what is attached in \(home); texts need another space")
        }
    }

    private static func check(_ space: EmbeddingSpace) throws {
        guard space.isStorable else {
            throw EngineError(
                .invalid,
                "`\(space.name.prefix(100))` is no space: a model has a name, and 1 to "
                    + "\(EmbeddingSpace.maximumDimension) dimensions")
        }
    }

    private func whole(_ namespace: Namespace) throws -> Namespace {
        guard namespace.session == nil else {
            throw EngineError(
                .invalidNamespace,
                "`\(namespace)` is a session; spaces are of a whole home, so name `\(namespace.home)`")
        }
        try checkWritable(namespace)
        return namespace
    }
}
