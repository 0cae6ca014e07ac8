/// Values that another process read of a store, made again of what it told.

extension Memory {
    /// A memory as it was told: the fields of a draft, and what the store adds to them.
    package init(
        retold draft: MemoryDraft, id: MemoryID, version: UInt32, namespace: Namespace, turn: UInt32?,
        principal: String, recorded: Range<Timestamp>, isCurrent: Bool
    ) {
        var origin = draft.origin
        origin.principal = principal
        let happened = draft.happened ?? recorded.lowerBound...recorded.lowerBound
        self.init(
            id: id, version: version, namespace: namespace, content: draft.content, kind: draft.kind,
            actor: draft.actor, thread: draft.thread, turn: turn, key: draft.key, recorded: recorded,
            valid: draft.valid ?? Timestamp.distantPast..<Timestamp.distantFuture,
            happened: happened.lowerBound..<Timestamp(microseconds: happened.upperBound.microseconds + 1),
            expires: draft.expires, isPinned: draft.isPinned, importance: draft.importance,
            tags: draft.tags, keywords: draft.keywords, attributes: draft.attributes, origin: origin,
            attachments: draft.attachments, isCurrent: isCurrent)
    }
}

extension Remembered {
    package init(
        retold id: MemoryID, version: UInt32, isNew: Bool, sequence: UInt64, missingSpaces: [EmbeddingSpace],
        refusals: [String], failures: [String]
    ) {
        self.init(
            id: id, version: version, isNew: isNew, sequence: sequence, missingSpaces: missingSpaces,
            refusals: refusals, failures: failures)
    }
}

extension Hit.ScoreParts {
    /// - Parameter part: gives a part by its name.
    package init(retold part: (String) -> Double?) {
        self.init()
        for (name, path) in Self.names { self[keyPath: path] = part(name) ?? 0 }
    }
}

extension Hit {
    package init(
        retold memory: Memory, score: Double, parts: ScoreParts, path: [Step], part: Int, text: String,
        citation: Citation
    ) {
        self.init(
            memory: memory, score: score, parts: parts,
            passage: Passage(part: part, text: text, citation: citation), path: path)
    }
}

extension Hit.Step {
    package init(retold reason: Hit.Reason, adds: Double) { self.init(reason: reason, adds: adds) }
}

extension Recall {
    /// - Parameter sequences: names the homes that were asked, and are there.
    package init(
        retold id: RecallID, hits: [Hit], intent: Intent, confidence: Double?, leftOut: [String],
        isRankedWithTodaysStatistics: Bool, sequences: [Namespace: UInt64], total: Duration
    ) {
        var timings = Timings()
        timings.total = total
        self.init(
            id: id, hits: hits, intent: intent, timings: timings, leftOut: leftOut,
            isRankedWithTodaysStatistics: isRankedWithTodaysStatistics, explanations: [],
            sequences: sequences, confidence: confidence, signs: ConfidenceSigns())
    }
}

extension ContextPack {
    /// What is known of the entries is where they stand.
    package init(
        retold text: String, citations: [Citation], tokenCount: Int, tokenBudget: Int, intent: Intent,
        recall: RecallID, confidence: Double?, leftOut: [String]
    ) {
        self.init(
            entries: citations.map {
                Entry(
                    citation: $0, text: "", happened: Timestamp.distantPast..<Timestamp.distantFuture,
                    actor: nil, kind: .note, score: 0, note: nil)
            }, text: text, tokenCount: tokenCount, tokenBudget: tokenBudget, intent: intent, recall: recall,
            confidence: confidence, leftOut: leftOut)
    }
}

extension Edge {
    package init(
        retold id: EdgeID?, kind: EdgeKind, from: MemoryID, to: MemoryID, toHome: Namespace?, weight: Float,
        valid: Range<Timestamp>, recorded: Range<Timestamp>, evidence: [Citation], rule: String?
    ) {
        self.init(
            id: id, kind: kind, from: from, to: to, toHome: toHome, weight: weight, valid: valid,
            recorded: recorded, origin: Origin(), evidence: evidence, rule: rule)
    }
}

extension GraphHits {
    package init(retold hits: [(memory: Memory, path: [Edge], strength: Double)], isComplete: Bool) {
        self.init(
            hits: hits.map { GraphHit(memory: $0.memory, path: $0.path, strength: $0.strength) },
            visitedCount: hits.count, isComplete: isComplete)
    }
}

extension CausalLink {
    package init(retold edge: Edge, effect: Memory, cause: Memory, depth: Int, confidence: Double) {
        self.init(effect: effect, cause: cause, edge: edge, depth: depth, confidence: confidence)
    }
}

extension CausalChain {
    package init(retold links: [CausalLink], isComplete: Bool) {
        self.init(links: links, isComplete: isComplete)
    }
}

extension Engine.Erasure {
    package init(retold memories: Int) {
        self.init()
        self.memories = memories
    }
}

extension Change {
    package init(retold kind: Kind, id: MemoryID, version: UInt32, sequence: UInt64, time: Timestamp) {
        self.init(sequence: sequence, time: time, kind: kind, id: id, version: version)
    }
}

extension Engine.MemoryPage {
    package init(retold memories: [Memory], next: String?) {
        self.init(memories: memories, next: next)
    }
}

extension NamespaceSummary {
    package init(retold namespace: Namespace, memories: Int) {
        self.init(namespace: namespace, memories: memories)
    }
}

extension HomeStatistics {
    package init(retold namespace: Namespace) { self.init(namespace: namespace) }
}

extension HomeStatistics.Space {
    package init(retold space: EmbeddingSpace, vectors: UInt64, tailVectors: UInt64, linkedVectors: UInt64) {
        self.init(
            space: space, vectors: vectors, tailVectors: tailVectors, linkedVectors: linkedVectors)
    }
}
