import HNSW
import Store

/// Vectors that come later than their memories: a failed or a new embedder, or a caller's own model.
extension Engine {
    /// Lends the passages that have no vector in a space, in the order in which they were remembered. In the space of attached
    /// images or videos only the first passage of a memory that has one can lack a vector.
    ///
    /// - Parameters:
    ///   - includesClosed: also those of versions that are not the newest, which recalls as of then look at.
    ///   - cursor: `UnembeddedPage.next` of the page before. It stays good while memories come and go.
    /// - Throws: `EngineError`: `invalid` (a limit outside of 1 to 10,000, no cursor of this list).
    /// - Complexity: O(passages of the home) for a page, a bit for each; what is attached is read of those that it passes alone.
    public func passages(
        lacking space: EmbeddingSpace, in namespace: Namespace, filter: Filter? = nil,
        includesClosed: Bool = false, after cursor: String? = nil, limit: Int = 256
    ) async throws -> UnembeddedPage {
        guard (1...10_000).contains(limit) else {
            throw EngineError(.invalid, "a page has 1 to 10,000 passages, not \(limit)")
        }
        try check(filter)
        let first = try cursor.map(Self.passage(ofCursor:)) ?? 0
        let now = options.clock()
        let namesActor = embedder(of: space)?.knowsMeanings ?? true
        return try await read(in: namespace) { transaction in
            let view = try HomeView(in: transaction)
            let lacking = try self.lacking(
                space, namespace, filter, includesClosed: includesClosed, now, view, in: transaction)
            return try Self.page(
                of: lacking, from: first, limit: limit, namespace.home, namesActor: namesActor, view,
                in: transaction)
        } ?? UnembeddedPage(passages: [], next: nil)
    }

    /// The spaces in which passages of a namespace lack a vector, and how many: of those that the home has
    /// vectors in, and the embedders'.
    ///
    /// - Complexity: O(passages of the home) for each space.
    public func missingSpaces(in namespace: Namespace) async throws -> [EmbeddingSpace: Int] {
        let now = options.clock()
        let own = embedders.map(\.space)
        return try await read(in: namespace) { transaction in
            let view = try HomeView(in: transaction)
            let roles = try self.mediaRoles(SpaceRoles.read(in: transaction), in: transaction)
            let media = [roles.images, roles.videos].compactMap { $0 }
            var counts: [EmbeddingSpace: Int] = [:]
            for space in Set(view.spaces.map(\.space) + own + media) {
                let count = try self.lacking(
                    space, namespace, nil, includesClosed: false, now, view, in: transaction
                ).count(view, in: transaction)
                if count > 0 { counts[space] = count }
            }
            return counts
        } ?? [:]
    }

    /// How much `embed` would embed now, and what that costs about.
    ///
    /// - Parameters: as of `embed`.
    /// - Throws: `EngineError`: `invalid` (no embedder), `notFound`.
    /// - Complexity: O(passages of the home).
    public func embeddingEstimate(
        in namespace: Namespace, into space: EmbeddingSpace? = nil, filter: Filter? = nil,
        includesClosed: Bool = false
    ) async throws -> EmbeddingEstimate {
        try check(filter)
        let embedder = try await embedder(of: space, for: namespace)
        let now = options.clock()
        var estimate = EmbeddingEstimate(space: embedder.space)
        (estimate.passages, estimate.bytes, estimate.attachments, estimate.waiting) =
            try await read(in: namespace) { transaction in
                let view = try HomeView(in: transaction)
                let set = try self.lacking(
                    embedder.space, namespace, filter, includesClosed: includesClosed, now, view,
                    in: transaction
                ).set
                var (count, bytes) = (0, 0)
                try set.forEachPassage(from: 0) { passage in
                    let length = Int(try view.row(passage, in: transaction).byteCount)
                    bytes += length
                    count += length > 0 ? 1 : 0
                    return true
                }
                guard space == nil else { return (count, bytes, 0, []) }
                let own = try self.embedders(in: transaction)
                var (attachments, waiting) = (0, [WaitingAttachments]())
                for modality in [Modality.image, .video] {
                    let space = own.roles[modality]
                    let lacking = try self.lacking(
                        space, modality, namespace, filter, includesClosed: includesClosed, now, view,
                        in: transaction
                    ).count(view, in: transaction)
                    if own.media[modality] != nil {
                        attachments += lacking
                    } else if lacking > 0 {
                        waiting.append(
                            WaitingAttachments(
                                modality: modality, space: space, count: lacking,
                                reason: space.map(self.absence)))
                    }
                }
                return (count, bytes, attachments, waiting)
            } ?? (0, 0, 0, [])
        estimate.dollars = Double(estimate.bytes) / 1e6 * embedder.limits.costPerMegabyte
        return estimate
    }

    /// Adds vectors to versions that were stored without them, all in one transaction. A passage that has a vector
    /// in the space keeps it, and what was forgotten meanwhile stays forgotten: both are counted as obsolete.
    ///
    /// - Throws: `EngineError`: `tooLarge` (more than 10,000 versions), `invalidVector`, `notFound` (no such home);
    ///   nothing is stored then.
    @discardableResult
    public func addEmbeddings(
        _ additions: [AddedEmbeddings], in namespace: Namespace
    ) async throws -> EmbeddingProgress {
        try checkWritable(namespace)
        guard additions.count <= Self.maximumBatchCount else {
            throw EngineError(
                .tooLarge,
                "vectors for \(additions.count) versions; at most \(Self.maximumBatchCount) at once")
        }
        return try await withExistingHome(of: namespace) { try await add(additions, namespace, $0) }
    }

    /// Adds vectors to a memory that was stored without them.
    ///
    /// - Parameter version: by default the newest.
    /// - Throws: `EngineError`: `notFound`, `invalidVector`.
    /// - Returns: how many were added; a passage that has a vector in the space keeps it.
    @discardableResult
    public func addEmbeddings(
        _ embeddings: [Embedding], to id: MemoryID, version: UInt32? = nil, in namespace: Namespace
    ) async throws -> Int {
        try checkWritable(namespace)
        guard let memory = try await get(id, in: namespace, version: version) else {
            throw EngineError(.notFound, "there is no memory \(id) in \(namespace)")
        }
        let addition = AddedEmbeddings(embeddings, to: id, version: memory.version)
        return try await withExistingHome(of: namespace) { try await add([addition], namespace, $0) }.added
    }

    /// Gives a vector to every passage that lacks one in the space of the home, and then to every attached image and video, in
    /// batches that are a transaction each. It can be called again after any failure: what has its vector by then is not asked
    /// for again.
    ///
    /// - Parameters:
    ///   - space: by default the one that the home uses for texts, and those for what is attached; else one of any embedder of
    ///     the engine.
    ///   - cursor: `EmbeddingProgress.next` of an earlier call; by default from the beginning.
    ///   - batchCount: how many passages are embedded before they are stored, 1 to 10,000; `nil` = as many as the embedder wants.
    ///   - report: called after each batch, when it is durable.
    /// - Throws: `EngineError`: `invalid` (no embedder, a batch out of bounds), `embedder`, `notFound`;
    ///   `CancellationError`. The batches before stay stored.
    @discardableResult
    public func embed(
        in namespace: Namespace, into space: EmbeddingSpace? = nil, filter: Filter? = nil,
        includesClosed: Bool = false, after cursor: String? = nil, batchCount: Int? = nil,
        _ report: ((EmbeddingProgress) async throws -> Void)? = nil
    ) async throws -> EmbeddingProgress {
        try await embed(
            in: namespace, into: space, filter: filter, includesClosed: includesClosed, after: cursor,
            batchCount: batchCount, besides: Refusals(), report)
    }

    /// The same, but for what was refused before.
    @discardableResult
    func embed(
        in namespace: Namespace, into space: EmbeddingSpace?, filter: Filter? = nil,
        includesClosed: Bool = false,
        after cursor: String? = nil, batchCount: Int? = nil, besides refusals: Refusals,
        _ report: ((EmbeddingProgress) async throws -> Void)? = nil
    ) async throws -> EmbeddingProgress {
        try checkWritable(namespace)
        let media = try await withHome(of: namespace, creating: false) { try embedders(of: $0) }
        if let modality = space.flatMap({ media?.roles.modality(of: $0) }), media?.media[modality] != nil {
            return try await embedMedia(
                modality, in: namespace, filter: filter, includesClosed: includesClosed, besides: refusals,
                report)
        }
        var progress = EmbeddingProgress(next: cursor)
        // Where there are embedders of images alone, there is nothing else to be done.
        let hasTexts =
            space != nil || media?.media.isEmpty ?? true || media?.current?.modalities.contains(.text) == true
        if hasTexts {
            progress = try await embedTexts(
                in: namespace, into: space, filter: filter, includesClosed: includesClosed, after: cursor,
                batchCount: batchCount, besides: refusals, report)
        }
        guard space == nil else { return progress }
        for modality in Modality.allCases where media?.media[modality] != nil {
            let before = progress
            let done = try await embedMedia(
                modality, in: namespace, filter: filter, includesClosed: includesClosed, besides: refusals
            ) { done in
                try await report?(before + done)
            }
            progress = before + done
        }
        return progress
    }

    // Not inlined into the closure that lends the home, like `writeOnce`.
    @inline(never)
    func add(
        _ additions: [AddedEmbeddings], _ namespace: Namespace, _ home: Home
    ) async throws -> EmbeddingProgress {
        // One change for each version, so that the log of changes names it once.
        var order: [String] = []
        var grouped: [String: AddedEmbeddings] = [:]
        for addition in additions {
            let name = "\(addition.id)@\(addition.version)"
            if grouped[name] == nil { order.append(name) }
            grouped[name, default: AddedEmbeddings([], to: addition.id, version: addition.version)]
                .embeddings += addition.embeddings
        }
        let versions = order.compactMap { grouped[$0] }
        let counts = try await read(home) { transaction in
            try versions.map { try Self.passageCount(of: $0, namespace, in: transaction) }
        }
        var progress = EmbeddingProgress()
        var changes: [Mutation.Change] = []
        for (version, count) in zip(versions, counts) {
            guard let count else {
                progress.obsolete += version.embeddings.count
                continue
            }
            var vectors: [Mutation.NewVector] = []
            for embedding in version.embeddings {
                vectors.append(
                    try DraftPreparation.vector(embedding, passageCount: count, others: vectors))
            }
            changes.append(.embed(version.id, version: version.version, vectors))
        }
        guard !changes.isEmpty else { return progress }
        let applied = try await home.apply(
            Mutation(
                at: options.clock(), changes: changes))
        for (change, outcome) in zip(changes, applied.outcomes) {
            guard case .embed(_, _, let vectors) = change else { continue }
            var added = 0
            if case .embedded(let count) = outcome { added = count }
            progress.added += added
            progress.obsolete += vectors.count - added
        }
        return progress
    }

    /// How many passages a version has; `nil` if it is not in the namespace (any more).
    private static func passageCount(
        of addition: AddedEmbeddings, _ namespace: Namespace, in transaction: borrowing ReadTransaction
    ) throws -> Int? {
        guard let row = try Lookup.row(of: addition.id, in: transaction),
            let head = try HeadRecord.read(row, in: transaction),
            let newest = try VersionRecord.read(row, head.version, in: transaction),
            namespace.session == nil || newest.fields.session == namespace.session,
            let record = try VersionRecord.read(row, addition.version, in: transaction)
        else { return nil }
        return record.ranges.count
    }

    // MARK: What lacks a vector

    /// The passages that may lack a vector. Of those in the space of what is attached, the versions alone tell which do.
    private struct LackingPassages {
        var set: PassageSet
        /// Of the space; `nil` = all of the set lack one.
        let modality: Modality?

        /// The first passage of a version that has something attached whose bytes are in the store lacks a vector.
        func holds(_ part: UInt32, of record: VersionRecord) -> Bool {
            guard let modality else { return true }
            return part == 0 && record.fields.attachments.embedded(modality) != nil
        }

        /// - Complexity: O(passages of the set) records, in the space of what is attached.
        func count(_ view: HomeView, in transaction: borrowing ReadTransaction) throws -> Int {
            guard modality != nil else { return set.count }
            var count = 0
            for passage in set.passages {
                let row = try view.row(passage, in: transaction)
                guard row.part == 0,
                    let record = try VersionRecord.read(row.row, row.version, in: transaction)
                else { continue }
                if holds(0, of: record) { count += 1 }
            }
            return count
        }
    }

    private func lacking(
        _ space: EmbeddingSpace, _ namespace: Namespace, _ filter: Filter?, includesClosed: Bool,
        _ now: Timestamp, _ view: HomeView, in transaction: borrowing ReadTransaction
    ) throws -> LackingPassages {
        let modality = try mediaRoles(SpaceRoles.read(in: transaction), in: transaction).modality(of: space)
        return try lacking(
            space, modality, namespace, filter, includesClosed: includesClosed, now, view, in: transaction)
    }

    /// The same of a kind of attachments (`nil` = of texts); without a space all of it lacks a vector.
    private func lacking(
        _ space: EmbeddingSpace?, _ modality: Modality?, _ namespace: Namespace, _ filter: Filter?,
        includesClosed: Bool, _ now: Timestamp, _ view: HomeView, in transaction: borrowing ReadTransaction
    ) throws -> LackingPassages {
        let evaluation = FilterEvaluation(view: view)
        var set =
            includesClosed
            ? try evaluation.present(in: transaction)
            : try evaluation.newest(notExpiredAt: now, in: transaction)
        if let name = namespace.session {
            set.formIntersection(try evaluation.set(.session(name), in: transaction))
        }
        if let filter { set.formIntersection(try evaluation.set(filter, in: transaction)) }
        if let modality {
            set.formIntersection(try evaluation.set(.modality(modality), in: transaction))
        }
        if let space {
            var without = try evaluation.embedded(in: space, in: transaction)
            without.invert()
            set.formIntersection(without)
        }
        return LackingPassages(set: set, modality: modality)
    }

    private static func page(
        of lacking: LackingPassages, from first: UInt32, limit: Int, _ home: Namespace, namesActor: Bool,
        _ view: HomeView, in transaction: borrowing ReadTransaction
    ) throws -> UnembeddedPage {
        var passages: [UnembeddedPassage] = []
        var byteCount = 0
        var next: UInt32?
        var last: (row: UInt64, version: UInt32, id: MemoryID, record: VersionRecord)?
        try lacking.set.forEachPassage(from: first) { passage in
            let row = try view.row(passage, in: transaction)
            if last?.row != row.row || last?.version != row.version {
                guard let head = try HeadRecord.read(row.row, in: transaction),
                    let record = try VersionRecord.read(row.row, row.version, in: transaction)
                else { throw StoreError(.corrupted, "passage \(passage) belongs to no version") }
                last = (row.row, row.version, head.id, record)
            }
            guard let last, lacking.holds(row.part, of: last.record) else { return true }
            if passages.count == limit || byteCount >= UnembeddedPage.maximumByteCount {
                next = passage
                return false
            }
            let range = Int(row.byteFrom)..<Int(row.byteFrom) + Int(row.byteCount)
            let bytes = try last.record.content(row.row, row.version, range, in: transaction)
            byteCount += bytes.count
            let text = String(decoding: bytes, as: UTF8.self)
            passages.append(
                UnembeddedPassage(
                    id: last.id, version: row.version, part: Int(row.part),
                    namespace: last.record.fields.session.map(home.session) ?? home,
                    text: namesActor ? last.record.fields.embedded(text) : text,
                    attachments: last.record.fields.attachments))
            return true
        }
        return UnembeddedPage(passages: passages, next: next.map { "passage.\($0)" })
    }

    private static func passage(ofCursor text: String) throws -> UInt32 {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "passage", let passage = UInt32(parts[1]) else {
            throw EngineError(.invalid, "`\(text.prefix(80))` is not a cursor of passages without vectors")
        }
        return passage
    }

    // MARK: The embedder

    /// Gives a vector to every passage that lacks one in the space of the home, as the policy has it; and in the space
    /// that a re-embedding fills, if its embedder answers.
    ///
    /// - Returns: what makes the space of the first texts, and those of the first images and videos, the ones that the home goes on
    ///   with, whichever embedders it is opened with later: to be written in the same transaction.
    @discardableResult
    func embed(_ versions: inout [Mutation.NewVersion], for home: Home) async throws -> [Mutation.Change] {
        try await embed(&versions, for: home.namespace, home, tellsRefused: false).first
    }

    /// The same.
    ///
    /// - Parameters:
    ///   - name: of the home.
    ///   - home: `nil` = it is made when they are stored.
    ///   - tellsRefused: whether the versions with a text that the home's embedder refuses are given back, by their places.
    ///     Otherwise they throw where each must have its vectors, and have none where that can wait.
    func embed(
        _ versions: inout [Mutation.NewVersion], for name: Namespace, _ home: Home?, tellsRefused: Bool
    ) async throws -> (first: [Mutation.Change], refused: [Int: EngineError]) {
        guard !versions.isEmpty, !embedders.isEmpty || !options.mediaEmbedders.isEmpty else {
            return ([], [:])
        }
        let own = try home.map { try embedders(of: $0) } ?? embeddersOfNewHome()
        for index in versions.indices { versions[index].spacesOfActor = spacesOfActor }
        try checkFault(own, versions)
        var first: [Mutation.Change] = []
        if own.roles.current == nil, let current = own.current, current.modalities.contains(.text) {
            first = [.setting(SpaceRoles.currentName, current.space.name)]
        }
        for (modality, name) in [(Modality.image, SpaceRoles.imagesName), (.video, SpaceRoles.videosName)] {
            if let space = own.unnoted[modality],
                versions.contains(where: { $0.fields.attachments.embedded(modality) != nil })
            {
                first.append(.setting(name, space.name))
            }
        }
        if options.embedding == .later { return (first, [:]) }
        var refused: [Int: EngineError] = [:]
        var done: Set<EmbeddingSpace> = []
        for (embedder, isOwn) in [(own.current, true), (own.next, false), (options.fallbackEmbedder, false)] {
            let isRequired = isOwn && options.embedding == .required
            guard let embedder, embedder.modalities.contains(.text), done.insert(embedder.space).inserted
            else {
                continue
            }
            do {
                let others = try await embedTexts(
                    of: &versions, embedder, tellsRefused: tellsRefused && isOwn)
                refused.merge(others) { first, _ in first }
                // What is left is embedded when it is known what that is.
                if !refused.isEmpty { return (first, refused) }
            } catch let error as EngineError where options.warnsOfAbsence && Self.isAbsence(error) {
                // Stored without, as `warn` is told: who asks cannot mend it.
                let reason = fault(of: embedder.space, error)
                for index in versions.indices { versions[index].failures[embedder.space] = reason }
            } catch let error as EngineError
                where
                ([.embedder, .deadline, .invalid, .tooLarge, .invalidVector].contains(error.code)
                || Self.isAbsence(error)) && !isRequired && !Task.isCancelled
            {
                // Stored without; `missingSpaces` tells.
                for index in versions.indices { versions[index].failures[embedder.space] = error.message }
            }
        }
        try await embedMedia(&versions, own, name, home)
        return (first, refused)
    }

    /// Where who says a memory is embedded with it.
    var spacesOfActor: Set<EmbeddingSpace> { Set(embedders.filter(\.knowsMeanings).map(\.space)) }

    /// - Throws: `Options.fault`, where texts without vectors are of a home whose embedder that concerns.
    private func checkFault(_ own: HomeEmbedders, _ versions: [Mutation.NewVersion]) throws {
        guard own.current == nil, let fault = fault(of: own.missing) else { return }
        let isEmbedded = versions.allSatisfy { version in
            own.missing.map { version.isEmbedded(in: $0, .text) }
                ?? (!version.vectors.isEmpty || version.passages.allSatisfy(\.isEmpty))
        }
        // Those that a server stores wait, as its log says.
        let mayWait = options.embedding != .required || options.warnsOfAbsence
        guard !isEmbedded, own.missing == nil || !mayWait else { return }
        throw fault
    }

    /// What the embedder makes of passages, in calls as large as it takes.
    func embedded(_ inputs: [EmbeddingInput], _ embedder: any Embedder) async throws -> [[Float]] {
        let batch = max(1, embedder.limits.maximumBatchCount)
        var all: [[Float]] = []
        for start in stride(from: 0, to: inputs.count, by: batch) {
            all += try await vectors(
                for: Array(inputs[start..<min(start + batch, inputs.count)]), .passage, embedder)
        }
        return all
    }

    /// What the embedder makes of the inputs, checked.
    func vectors(
        for inputs: [EmbeddingInput], _ purpose: EmbeddingPurpose, _ embedder: any Embedder
    ) async throws -> [[Float]] {
        let vectors: [[Float]]
        do {
            vectors = try await embedder.embed(inputs, for: purpose)
        } catch let error as EngineError {
            throw error
        } catch is CancellationError {
            throw EngineError(.deadline, "the call was cancelled")
        } catch {
            throw EngineError(.embedder, "the embedder \(embedder.space.name) failed: \(error)")
        }
        guard vectors.count == inputs.count else {
            throw EngineError(
                .embedder,
                "the embedder \(embedder.space.name) gave \(vectors.count) vectors for \(inputs.count) inputs"
            )
        }
        for vector in vectors {
            try Mutation.NewVector.check(Mutation.NewVector(space: embedder.space, part: 0, vector: vector))
        }
        return vectors
    }
}
