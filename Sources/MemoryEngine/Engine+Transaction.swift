import Store

extension Engine {
    /// How a write names a memory.
    public enum MemoryName: Sendable, Hashable {
        case id(MemoryID)
        /// The key of a memory, which an earlier write of the same transaction may remember.
        case key(String)
    }

    /// One write of a transaction.
    public enum Write: Sendable {
        /// - Parameter unlessRefused: what the home's embedder refuses, as a text with more tokens than its model takes, is not
        ///   remembered, and keeps no other write from being done. While the embedder does not answer, `Options.embedding` holds.
        case remember(MemoryDraft, unlessRefused: Bool = false)
        case update(
            MemoryName, expecting: UInt32? = nil, change: @Sendable (inout MemoryDraft) throws -> Void)
        case supersede(MemoryName, by: MemoryName, at: Timestamp? = nil)
        case retract(MemoryName, at: Timestamp? = nil)
        case link(
            MemoryName, to: MemoryName, as: EdgeKind, weight: Float = 1,
            valid: Range<Timestamp> = Timestamp.distantPast..<Timestamp.distantFuture,
            evidence: [Citation] = [])
        case unlink(EdgeID)

        fileprivate var remembers: Bool {
            if case .remember = self { true } else { false }
        }

        fileprivate var isUnlessRefused: Bool {
            if case .remember(_, unlessRefused: true) = self { true } else { false }
        }
    }

    /// What became of one write.
    public enum Written: Sendable, Equatable {
        /// Of `remember` and `update`.
        case stored(Remembered)
        /// Of a `remember` that is `unlessRefused`: nothing was remembered, and why the embedder refuses the text.
        case refused(String)
        /// Of `link`.
        case linked(EdgeID)
        case done

        /// - Throws: `conflict` where it is no memory that was written.
        var remembered: Remembered {
            get throws {
                guard case .stored(let remembered) = self else {
                    throw EngineError(.conflict, "nothing was remembered")
                }
                return remembered
            }
        }
    }

    /// Of those who change a memory at once one succeeds each time, so that this many fail for nobody but among thousands.
    private static let maximumAttempts = 128

    /// Does several writes as one transaction: others see all of them or none, and so does a crash.
    ///
    ///     try await engine.write(
    ///         [.remember(failure), .remember(cause), .link(.key("deploy/81"), to: .key("token/3"), as: .causedBy)],
    ///         in: atlas)
    ///
    /// They are done in their order. A memory is remembered or updated at most once.
    ///
    /// - Returns: what became of each, in their order.
    /// - Throws: `EngineError`, as each write alone does; nothing is changed then.
    @discardableResult
    public func write(_ writes: [Write], in namespace: Namespace) async throws -> [Written] {
        try await write(writes.map { ($0, namespace) })
    }

    /// The same, with a namespace for each write: sessions of one home, or the home.
    ///
    /// - Throws: `invalid` also for namespaces of several homes.
    public func write(_ writes: [(write: Write, namespace: Namespace)]) async throws -> [Written] {
        guard let home = writes.first?.namespace.home else { return [] }
        guard writes.allSatisfy({ $0.namespace.home == home }) else {
            throw EngineError(.invalid, "a transaction writes to one home")
        }
        guard writes.count <= Self.maximumBatchCount else {
            throw EngineError(
                .tooLarge, "\(writes.count) writes; a transaction has at most \(Self.maximumBatchCount)")
        }
        try checkWritable(home)
        // A version that an update is based on, or what a key leads to, may be replaced before it is written: then all of
        // it is done again, unless a write says which version it expects.
        let mayRepeat = !writes.contains { if case .update(_, .some, _) = $0.write { true } else { false } }
        var attempt = 1
        while true {
            do {
                return try await writeOnce(writes, in: home)
            } catch let error as EngineError
                where error.isStale && mayRepeat && attempt < Self.maximumAttempts
            {
                attempt += 1
            }
        }
    }

    private func writeOnce(
        _ writes: [(write: Write, namespace: Namespace)], in name: Namespace
    ) async throws -> [Written] {
        let known = try await withHome(of: name, creating: false) { home in
            try await self.commit(try await self.draft(of: writes, in: name, home), home)
        }
        if let known { return known }
        guard writes.contains(where: { $0.write.remembers }) else {
            throw EngineError(.notFound, "there is no home \(name)")
        }
        guard writes.allSatisfy({ $0.write.remembers }) else {
            return try await withWritableHome(of: name) { home in
                try await self.commit(try await self.draft(of: writes, in: name, home), home)
            }
        }
        // A home is made for what is stored, and not for what is refused.
        let draft = try await draft(of: writes, in: name, nil)
        if draft.changes.isEmpty { return draft.written([]) }
        return try await withWritableHome(of: name) { try await self.commit(draft, $0) }
    }

    /// What a transaction has come to so far.
    private struct Draft {
        let writeCount: Int
        /// Those that were taken out, by their places, and why.
        var refused: [Int: String] = [:]
        /// Those that are left then, counted from 1.
        var numbers: [Int] = []
        /// What makes the spaces of its vectors those of the home.
        var first: [Mutation.Change] = []
        var changes: [Mutation.Change] = []
        var versions: [Mutation.NewVersion] = []
        /// Where in `changes` each version goes.
        var places: [Int] = []
        var edges: [NewEdge] = []
        /// The keys that it remembers, by namespace.
        var keys: [Namespace: [String: MemoryID]] = [:]
        /// What they lead to, by the places of the changes that remember them.
        var named: [Int: MemoryID] = [:]
        /// Memories that were there, or have a key, and that it gave a version.
        var changed: Set<MemoryID> = []
        /// Memories that it ended.
        var closed: Set<MemoryID> = []

        /// Versions are made of what is stored, so that a second one would not know of the first.
        mutating func note(_ id: MemoryID) throws {
            guard changed.insert(id).inserted else {
                throw EngineError(
                    .invalid, "a transaction remembers or updates a memory once, and \(id) twice")
            }
        }

        /// Takes writes out, by their places. Each has one change.
        mutating func takeOut(_ reasons: [Int: String]) {
            refused = reasons
            let kept = changes.indices.filter { reasons[$0] == nil }
            if kept.count < changes.count { numbers = kept.map { $0 + 1 } }
            let moved = Dictionary(uniqueKeysWithValues: zip(kept, kept.indices))
            changes = kept.map { changes[$0] }
            named = Dictionary(
                uniqueKeysWithValues: named.compactMap { place, id in moved[place].map { ($0, id) } })
            let rest = zip(places, versions).compactMap { place, version in
                moved[place].map { ($0, version) }
            }
            (places, versions) = (rest.map(\.0), rest.map(\.1))
        }

        /// What became of all writes, by what became of those that are left.
        func written(_ left: [Written]) -> [Written] {
            var all = left
            for (place, reason) in refused.sorted(by: { $0.key < $1.key }) {
                all.insert(.refused(reason), at: place)
            }
            return all
        }
    }

    // Not inlined: the optimizer of Swift 6.3.1 makes code of it, inside the closure that lends the home, that jumps to
    // nowhere when a read ends.
    @inline(never)
    private func draft(
        of writes: [(write: Write, namespace: Namespace)], in name: Namespace, _ home: Home?
    ) async throws -> Draft {
        var draft = Draft(writeCount: writes.count)
        for (index, (write, namespace)) in writes.enumerated() {
            do {
                try await add(write, namespace, to: &draft, home)
            } catch let error as EngineError where writes.count > 1 {
                throw EngineError(error.code, "write \(index + 1): \(error.message)")
            }
        }
        let refused: [Int: EngineError]
        (draft.first, refused) = try await embed(
            &draft.versions, for: name, home, tellsRefused: writes.contains { $0.write.isUnlessRefused })
        if !refused.isEmpty {
            var reasons: [Int: String] = [:]
            for (index, error) in refused.sorted(by: { $0.key < $1.key }) {
                let place = draft.places[index]
                if writes[place].write.isUnlessRefused {
                    reasons[place] = error.message
                } else if options.embedding == .required {
                    throw EngineError(
                        error.code,
                        writes.count == 1 ? error.message : "write \(place + 1): \(error.message)")
                }
            }
            draft.takeOut(reasons)
            // The other spaces, for what is left.
            draft.first = try await embed(&draft.versions, for: name, home, tellsRefused: false).first
        }
        return draft
    }

    @inline(never)
    private func commit(_ prepared: Draft, _ home: Home) async throws -> [Written] {
        var draft = prepared
        guard !draft.changes.isEmpty else { return draft.written([]) }
        for (place, version) in zip(draft.places, draft.versions) {
            switch draft.changes[place] {
            case .update(let id, let expecting, _):
                draft.changes[place] = .update(id, expecting: expecting, version)
            default: draft.changes[place] = .remember(version)
            }
        }
        let foreign = try await tellCited(by: draft.edges, in: home.namespace)
        var mutation = Mutation(at: options.clock(), changes: draft.changes + draft.first)
        mutation.named = draft.named
        mutation.numbers = draft.numbers
        mutation.prepare(Analyzer())
        let applied = try await home.apply(mutation)
        try await eraseForgotten(foreign, in: home.namespace)
        // All is written: who cannot be told what lacks vectors is not told that it failed.
        let missing =
            await knownMissingSpaces(draft.versions, draft.places.map { applied.outcomes[$0] }, home)
        var written = zip(draft.changes, applied.outcomes).map { change, outcome -> Written in
            if case .linked(let id) = outcome { return .linked(id) }
            if case .link(let edge) = change { return .linked(edge.id) }
            return .done
        }
        for (place, missing) in zip(draft.places, missing) {
            written[place] = .stored(try remembered(applied.outcomes[place], applied.sequence, missing))
        }
        return draft.written(written)
    }

    private func add(
        _ write: Write, _ namespace: Namespace, to draft: inout Draft, _ home: Home?
    ) async throws {
        let now = options.clock()
        func opened() throws -> Home {
            guard let home else { throw EngineError(.notFound, "there is no home \(namespace.home)") }
            return home
        }
        switch write {
        case .remember(let memory, _):
            let id = MemoryID(at: now)
            // One that is there keeps its id, which only other writes have to know before.
            if let key = memory.key, draft.writeCount > 1 {
                let named = try await find(key, namespace, draft) ?? id
                draft.keys[namespace, default: [:]][key] = named
                draft.named[draft.changes.count] = named
                try draft.note(named)
            }
            draft.places.append(draft.changes.count)
            draft.versions.append(try preparation(for: home).prepare(memory, id: id, in: namespace))
            draft.changes.append(.remember(draft.versions[draft.versions.count - 1]))
        case .update(let name, let expecting, let change):
            let id = try await resolve(name, namespace, draft)
            guard !draft.closed.contains(id) else {
                throw EngineError(
                    .invalid,
                    "the transaction has ended memory \(id) before: update it first, and end it then")
            }
            try draft.note(id)
            let (version, newest) = try await newVersion(id, namespace, change, opened())
            draft.places.append(draft.changes.count)
            draft.versions.append(version)
            draft.changes.append(.update(id, expecting: expecting ?? newest, version))
        case .supersede(let name, let successor, let moment):
            let id = try await resolve(name, namespace, draft)
            try await close(
                id, .superseded, try await resolve(successor, namespace, draft), namespace, moment, &draft,
                opened())
        case .retract(let name, let moment):
            let id = try await resolve(name, namespace, draft)
            try await close(id, .retracted, nil, namespace, moment, &draft, opened())
        case .link(let from, let to, let kind, let weight, let valid, let evidence):
            let edge = try await newEdge(
                try await resolve(from, namespace, draft), to: try await resolve(to, namespace, draft),
                as: kind,
                in: namespace, weight: weight, valid: valid, evidence: evidence, at: now)
            draft.edges.append(edge)
            draft.changes.append(.link(edge))
        case .unlink(let id): draft.changes.append(.unlink(id))
        }
    }

    private func close(
        _ id: MemoryID, _ closure: Closure, _ successor: MemoryID?, _ namespace: Namespace,
        _ moment: Timestamp?,
        _ draft: inout Draft, _ home: Home
    ) async throws {
        try Self.checkMoment(moment)
        if !draft.changed.contains(id) {
            _ = try await read(home) { try Self.current(id, namespace, in: $0) }
        }
        draft.closed.insert(id)
        draft.changes.append(
            .close(id, at: (moment ?? options.clock()).microseconds, closure, successor: successor))
    }

    private func resolve(_ name: MemoryName, _ namespace: Namespace, _ draft: Draft) async throws -> MemoryID
    {
        switch name {
        case .id(let id): return id
        case .key(let key):
            if let id = try await find(key, namespace, draft) { return id }
            throw EngineError(
                .notFound, "`\(key.prefix(200))` is no id, and no key of a memory in \(namespace)")
        }
    }

    private func find(_ key: String, _ namespace: Namespace, _ draft: Draft) async throws -> MemoryID? {
        if let id = draft.keys[namespace]?[key] { return id }
        return try await id(ofKey: key, in: namespace)
    }
}
