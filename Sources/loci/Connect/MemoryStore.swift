import MemoryEngine

/// A store of memories as the verbs use it: files that this process opens, or a server that has them open.
protocol MemoryStore: Sendable {
    func homes(under subtree: Namespace?) async throws -> [Namespace]
    func namespaces(in home: Namespace) async throws -> [NamespaceSummary]
    func stats(in namespace: Namespace) async throws -> HomeStatistics
    func spaces(in namespace: Namespace) async throws -> [EmbeddingSpace]
    func changes(
        after sequence: UInt64, in namespace: Namespace, upToNow: Bool
    ) -> AsyncThrowingStream<Change, any Error>

    func remember(_ draft: MemoryDraft, in namespace: Namespace) async throws -> Remembered
    func remember(
        _ drafts: [MemoryDraft], in namespace: Namespace, onError policy: Engine.BatchPolicy
    ) async throws -> [Result<Remembered, EngineError>]
    func update(
        _ id: MemoryID, in namespace: Namespace, expecting version: UInt32?, saying change: MemoryChange
    ) async throws -> Remembered
    func supersede(
        _ id: MemoryID, by successor: MemoryID, in namespace: Namespace, at moment: Timestamp?
    ) async throws
    func retract(_ id: MemoryID, in namespace: Namespace, at moment: Timestamp?) async throws
    func promote(_ id: MemoryID, from source: Namespace, to target: Namespace) async throws -> Remembered
    func forget(_ what: Engine.Selection, under subtree: Namespace) async throws -> Engine.Erasure
    func record(_ outcome: Outcome, of recall: RecallID, in namespace: Namespace?) async throws

    func get(
        _ id: MemoryID, in namespace: Namespace, version: UInt32?, asOf: Timestamp?, validAt: Timestamp?
    ) async throws -> Memory?
    func id(ofKey key: String, in namespace: Namespace) async throws -> MemoryID?
    /// Those of some keys under which there is a memory.
    func known(_ keys: [String], in namespace: Namespace) async throws -> Set<String>
    /// The newest versions of those of some memories that are there.
    func memories(_ ids: [MemoryID], in namespace: Namespace) async throws -> [MemoryID: Memory]
    func versions(of id: MemoryID, in namespace: Namespace) async throws -> [Memory]
    func bytes(of attachment: Attachment, of memory: Memory) async throws -> [UInt8]
    func content(of citation: Citation) async throws -> String
    func list(
        in namespace: Namespace, filter: Filter?, order: Engine.ListOrder, after cursor: String?, limit: Int,
        includesClosed: Bool
    ) async throws -> Engine.MemoryPage

    func recall(_ query: RecallQuery) async throws -> Recall
    func context(for queries: [RecallQuery], tokenBudget: Int) async throws -> ContextPack

    func link(
        _ from: MemoryID, to: MemoryID, as kind: EdgeKind, in namespace: Namespace, weight: Float,
        valid: Range<Timestamp>, evidence: [Citation]
    ) async throws -> EdgeID
    func unlink(_ id: EdgeID, in namespace: Namespace) async throws
    func neighbors(of id: MemoryID, in namespace: Namespace, query: GraphQuery) async throws -> GraphHits
    func edges(
        between a: MemoryID, and b: MemoryID, in namespace: Namespace, direction: EdgeDirection,
        kinds: Set<EdgeKind>?, asOf: Timestamp?, validAt: Timestamp?
    ) async throws -> [Edge]
    func path(
        from: MemoryID, to: MemoryID, in namespace: Namespace, query: GraphQuery
    ) async throws -> [Edge]?
    func causalChain(
        of id: MemoryID, in namespace: Namespace, depth: Int, towards effects: Bool
    ) async throws -> CausalChain
}

extension MemoryStore {
    func get(_ id: MemoryID, in namespace: Namespace) async throws -> Memory? {
        try await get(id, in: namespace, version: nil, asOf: nil, validAt: nil)
    }

    /// The homes of a subtree.
    ///
    /// - Throws: `notFound` where there is none: a typing error in a name must not look like an empty memory.
    func existingHomes(under subtree: Namespace) async throws -> [Namespace] {
        let homes = try await homes(under: subtree)
        guard !homes.isEmpty else {
            throw EngineError(
                .notFound,
                subtree.root == .tenant
                    ? "there is no home of \(subtree)" : "there is no home \(subtree.home)")
        }
        return homes
    }

    /// - Throws: `notFound` where no home of any of these namespaces is there.
    func checkAnyHome(of namespaces: some Sequence<Namespace>) async throws {
        let asked = Set(namespaces.map(\.home))
        guard try await asked.isDisjoint(with: homes(under: nil)) else { return }
        throw EngineError(
            .notFound, asked.map { "there is no home \($0)" }.sorted().joined(separator: "; "))
    }

    /// - Throws: `notFound` where none of the homes is there.
    func recallOfSome(_ query: RecallQuery) async throws -> Recall {
        let recall = try await recall(query)
        if recall.sequences.isEmpty {
            try await checkAnyHome(of: query.namespaces.keys)
            throw EngineError(.notFound, recall.leftOut.joined(separator: "; "))
        }
        return recall
    }
}

extension Engine: MemoryStore {
    func update(
        _ id: MemoryID, in namespace: Namespace, expecting version: UInt32?, saying change: MemoryChange
    ) async throws -> Remembered {
        try await update(id, in: namespace, expecting: version) { try change.apply(to: &$0) }
    }

    func known(_ keys: [String], in namespace: Namespace) async throws -> Set<String> {
        var known: Set<String> = []
        for key in keys where try await get(key: key, in: namespace) != nil { known.insert(key) }
        return known
    }

    func bytes(of attachment: Attachment, of memory: Memory) async throws -> [UInt8] {
        try await self.attachment(attachment.digest, in: memory.namespace)
    }

    func memories(_ ids: [MemoryID], in namespace: Namespace) async throws -> [MemoryID: Memory] {
        var memories: [MemoryID: Memory] = [:]
        for id in ids { memories[id] = try await get(id, in: namespace) }
        return memories
    }

    func context(for queries: [RecallQuery], tokenBudget: Int) async throws -> ContextPack {
        try await context(for: queries, tokenBudget: tokenBudget, counter: .estimate)
    }

    func link(
        _ from: MemoryID, to: MemoryID, as kind: EdgeKind, in namespace: Namespace, weight: Float,
        valid: Range<Timestamp>, evidence: [Citation]
    ) async throws -> EdgeID {
        try await link(
            from, to: to, as: kind, in: namespace, toHome: nil, weight: weight, valid: valid,
            evidence: evidence)
    }

    func causalChain(
        of id: MemoryID, in namespace: Namespace, depth: Int, towards effects: Bool
    ) async throws -> CausalChain {
        effects
            ? try await self.effects(of: id, in: namespace, depth: depth)
            : try await causes(of: id, in: namespace, depth: depth)
    }
}

/// What `update` changes of a memory.
struct MemoryChange: Sendable {
    var content: String?
    var options: DraftOptions
    var untag: [String] = []
    var unset: [String] = []
    var isPinned: Bool?

    func apply(to draft: inout MemoryDraft) throws {
        if let content { draft.content = content }
        draft.tags.removeAll { untag.contains($0) }
        for name in unset { draft.attributes[name] = nil }
        try options.apply(to: &draft)
        if let isPinned { draft.isPinned = isPinned }
    }
}
