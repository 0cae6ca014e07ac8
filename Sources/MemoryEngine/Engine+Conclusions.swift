import Store

/// Something that a consolidation concluded.
public struct Conclusion: Sendable, Equatable {
    public let step: ConsolidationStep
    /// What it rests on, in a few words.
    public let says: String
    /// The edge that holds it, with its evidence. Its `recorded` has an end where it was taken back.
    public let edge: Edge
}

/// Words that a language model added to a memory, so that it is found by them too.
public struct NotedMemory: Sendable, Equatable {
    /// As it is with them.
    public let memory: Memory
    /// Of the model, the last one of several.
    public let model: String
    public let keywords: [String]
    public let tags: [String]
}

extension Engine {
    /// What consolidations concluded, the newest first; of a session, what has an end in it. The summaries that they made are
    /// memories, which `summaries` gives, and what they added to memories `notedMemories`.
    ///
    /// - Parameters:
    ///   - includesTakenBack: also what was taken back.
    ///   - limit: at most so many, 1 to 1,000,000.
    /// - Throws: `EngineError`: `notFound` (the home), `invalid`.
    /// - Complexity: O(edges that were given or concluded).
    public func conclusions(
        in namespace: Namespace, steps: Set<ConsolidationStep> = Set(ConsolidationStep.allCases),
        includesTakenBack: Bool = false, limit: Int = 1_000
    ) async throws -> [Conclusion] {
        guard (1...1_000_000).contains(limit) else {
            throw EngineError(.invalid, "a list of conclusions has 1 to 1,000,000, not \(limit)")
        }
        return try await graph(in: namespace) { transaction in
            let view = try GraphView(home: namespace.home, in: transaction)
            var found: [Conclusion] = []
            try Schema.edge.scanBackwards(prefix: Key(prefix: Schema.Edge.record), in: transaction) {
                _, value in
                let record = try EdgeRecord(decoding: value)
                // An edge of a summary tells what that is made of; the summary is the conclusion.
                guard let (step, says) = Derivation.read(record.origin), steps.contains(step),
                    step != .episodes,
                    includesTakenBack || record.span.recordedUntil == .max,
                    try Self.touches(namespace.session, record, in: transaction)
                else { return true }
                found.append(
                    Conclusion(step: step, says: says, edge: try view.edge(record, in: transaction)))
                return found.count < limit
            }
            return found
        }
    }

    /// The memories to which language models added words in consolidations, the newest memories first.
    ///
    /// - Parameter limit: at most so many, 1 to 1,000,000.
    /// - Throws: `EngineError`: `notFound` (the home), `invalid`.
    /// - Complexity: O(memories of the home that have attributes).
    public func notedMemories(in namespace: Namespace, limit: Int = 1_000) async throws -> [NotedMemory] {
        guard (1...1_000_000).contains(limit) else {
            throw EngineError(.invalid, "a list of noted memories has 1 to 1,000,000, not \(limit)")
        }
        var found: [NotedMemory] = []
        var cursor: String?
        repeat {
            let page = try await list(
                in: namespace, filter: .hasAttribute(NotedWords.attribute), order: .recordedDescending,
                after: cursor, limit: 256)
            for memory in page.memories where found.count < limit {
                guard let noted = NotedWords(memory.attributes) else { continue }
                // Somebody may have taken some away.
                let (keywords, tags) = (
                    noted.keywords.filter(memory.keywords.contains), noted.tags.filter(memory.tags.contains)
                )
                guard !keywords.isEmpty || !tags.isEmpty else { continue }
                found.append(
                    NotedMemory(memory: memory, model: noted.model, keywords: keywords, tags: tags))
            }
            cursor = page.next
        } while cursor != nil && found.count < limit
        return found
    }

    /// Whether an end of an edge lies in a session; every one does in no session, which is all of the home.
    private static func touches(
        _ session: String?, _ record: EdgeRecord, in transaction: borrowing ReadTransaction
    ) throws -> Bool {
        guard let session else { return true }
        for row in [record.from, record.to] {
            guard let head = try HeadRecord.read(row, in: transaction),
                let version = try VersionRecord.read(row, head.version, in: transaction)
            else { continue }
            if version.fields.session == session { return true }
        }
        return false
    }

    /// Takes back all that some steps concluded, in a home or of the memories of a session: unlinks the edges, and retracts the
    /// summaries. None of it is concluded again. Returns how much it was.
    ///
    /// - Throws: `EngineError`: `notFound` (the home), `readOnly`.
    @discardableResult
    public func takeBackConclusions(
        of steps: Set<ConsolidationStep>, in namespace: Namespace
    ) async throws -> Int {
        try checkWritable(namespace)
        var count = steps.contains(.episodes) ? try await retractSummaries(in: namespace) : 0
        if steps.contains(.notes) { count += try await takeBackNotes(in: namespace) }
        while true {
            try Task.checkCancellation()
            let part = try await conclusions(in: namespace, steps: steps, limit: 512)
            if part.isEmpty { return count }
            for conclusion in part {
                guard let id = conclusion.edge.id else { continue }
                do {
                    try await unlink(id, in: namespace)
                    count += 1
                } catch let error as EngineError where error.code == .notFound || error.code == .conflict {
                    // Somebody else was first.
                }
            }
        }
    }
}
