import Store

/// A whole memory in the portable form: all versions with their clocks, vectors and attachments.
public struct ExportedMemory: Sendable, Equatable {
    public var id: MemoryID
    public var key: String?
    public var versions: [Version]

    /// One version of it, with what a `Memory` alone does not tell.
    public struct Version: Sendable, Equatable {
        public var memory: Memory
        /// How it ended, beside a later version: retracted, superseded, or not at all.
        public var closure: VersionClosure
        /// Byte ranges of the content that are indexed.
        public var passages: [Range<Int>]
        public var embeddings: [Embedding]
        /// Bytes of the attachments that are in the store, by digest.
        public var attachments: [[UInt8]: [UInt8]]

        public init(
            memory: Memory, closure: VersionClosure, passages: [Range<Int>], embeddings: [Embedding],
            attachments: [[UInt8]: [UInt8]]
        ) {
            self.memory = memory
            self.closure = closure
            self.passages = passages
            self.embeddings = embeddings
            self.attachments = attachments
        }
    }

    public init(id: MemoryID, key: String?, versions: [Version]) {
        self.id = id
        self.key = key
        self.versions = versions
    }
}

/// How the truth of a version ended.
public enum VersionClosure: String, Sendable, CaseIterable {
    case open, retracted, superseded
}

extension Memory {
    /// A version from the portable form.
    public init(
        id: MemoryID, version: UInt32, namespace: Namespace, draft: MemoryDraft, principal: String,
        recorded: Range<Timestamp>, valid: Range<Timestamp>, happened: Range<Timestamp>, isCurrent: Bool
    ) {
        var origin = draft.origin
        origin.principal = principal
        self.init(
            id: id, version: version, namespace: namespace, content: draft.content, kind: draft.kind,
            actor: draft.actor, thread: draft.thread, turn: nil, key: draft.key, recorded: recorded,
            valid: valid,
            happened: happened, expires: draft.expires, isPinned: draft.isPinned,
            importance: draft.importance,
            tags: draft.tags, keywords: draft.keywords, attributes: draft.attributes, origin: origin,
            attachments: draft.attachments, isCurrent: isCurrent)
    }
}

extension Engine {
    /// Lends every memory of a namespace in the portable form, in the order of remembering.
    ///
    /// At most 256 memories, or about 8 MiB of them, are read ahead, each such batch from one snapshot; a memory that
    /// changes meanwhile is given as it is then.
    public func export(
        in namespace: Namespace, _ body: (ExportedMemory) async throws -> Void
    ) async throws {
        var row: UInt64 = 0
        while true {
            let after = row
            let batch = try await read(in: namespace) { transaction in
                try Self.exportBatch(namespace, after: after, in: transaction)
            }
            guard let batch else { throw EngineError(.notFound, "there is no home \(namespace.home)") }
            for memory in batch.memories { try await body(memory) }
            guard let last = batch.last else { return }
            row = last
        }
    }

    private static func exportBatch(
        _ namespace: Namespace, after row: UInt64, in transaction: borrowing ReadTransaction
    ) throws -> (memories: [ExportedMemory], last: UInt64?) {
        var memories: [ExportedMemory] = []
        var last: UInt64?
        var byteCount = 0
        let reader = MemoryReader(home: namespace.home)
        var count = 0
        while count < 256, byteCount < exportByteCount,
            let row = try firstRow(from: (last ?? row) + 1, in: transaction)
        {
            last = row
            count += 1
            // Entities of the engine's own are made anew from what names them.
            guard let head = try HeadRecord.read(row, in: transaction), head.passageCount > 0 else {
                continue
            }
            var exported = ExportedMemory(id: head.id, key: head.key, versions: [])
            for number in try versionNumbers(row, in: transaction) {
                guard let record = try VersionRecord.read(row, number, in: transaction) else { continue }
                let memory = try reader.memory(row, head, number, record, in: transaction)
                var attachments: [[UInt8]: [UInt8]] = [:]
                for attachment in memory.attachments where attachment.address == nil {
                    attachments[attachment.digest] = try attachmentBytes(
                        attachment.digest, 0..<attachment.byteCount, in: transaction)
                }
                let closure: VersionClosure =
                    switch record.closure {
                    case .open: .open
                    case .retracted: .retracted
                    case .superseded: .superseded
                    }
                byteCount += memory.content.utf8.count + attachments.values.reduce(0) { $0 + $1.count }
                exported.versions.append(
                    ExportedMemory.Version(
                        memory: memory, closure: closure,
                        passages: record.ranges.map { Int($0.lowerBound)..<Int($0.upperBound) },
                        // By name, because another home numbers its spaces in another order.
                        embeddings: try embeddings(row, number, in: transaction).sorted {
                            ($0.part ?? 0, $0.space.name) < ($1.part ?? 0, $1.space.name)
                        },
                        attachments: attachments))
            }
            if let newest = exported.versions.last, namespace.contains(newest.memory.namespace) {
                memories.append(exported)
            }
        }
        return (memories, last)
    }

    /// From here on a batch of an export ends.
    private static let exportByteCount = 8 << 20

    /// The first row from a number on that has a memory.
    private static func firstRow(
        from number: UInt64, in transaction: borrowing ReadTransaction
    ) throws -> UInt64? {
        try Schema.memory.withCursor(in: transaction) { cursor in
            try cursor.seek(Schema.head(number)) ? cursor.key.keyU64(at: 0) : nil
        }
    }

    /// Puts memories of the portable form into a home, exactly as they were: ids, versions, clocks, vectors,
    /// origin. One that is there already (with as many versions) stays as it is, so an import can be repeated; it
    /// gets only the vectors that it lacks.
    ///
    /// - Parameter namespace: the home to put them into; by default the one that each names.
    /// - Returns: how many were new or newer, or got vectors.
    /// - Throws: `EngineError`: what is wrong with which memory; nothing of the call is stored then for that home.
    @discardableResult
    public func importMemories(
        _ memories: [ExportedMemory], in namespace: Namespace? = nil
    ) async throws -> Int {
        var count = 0
        let homes = Dictionary(grouping: memories) { memory in
            (namespace ?? memory.versions.last?.memory.namespace ?? .project("default")).home
        }
        for (name, memories) in homes.sorted(by: { $0.key.description < $1.key.description }) {
            try checkWritable(name)
            var changes: [Mutation.Change] = []
            let preparation = DraftPreparation(
                splitter: PassageSplitter(maximumByteCount: options.passageByteCount),
                principal: options.principal,
                now: options.clock())
            for memory in memories {
                changes.append(.restore(try Self.restored(memory, preparation)))
            }
            var mutation = Mutation(
                at: preparation.now, changes: changes)
            mutation.prepare(Analyzer())
            let ready = mutation
            let applied = try await withHome(of: name, creating: true) { try await $0.apply(ready) }
            for case .stored(_, _, true) in applied?.outcomes ?? [] { count += 1 }
        }
        return count
    }

    /// The largest number that a version of the portable form may have.
    static let maximumVersion: UInt32 = 1 << 30

    /// Checks a memory of the portable form as if it came from an enemy.
    static func restored(
        _ memory: ExportedMemory, _ preparation: DraftPreparation
    ) throws -> Mutation.RestoredMemory {
        guard let last = memory.versions.last else {
            throw EngineError(.invalid, "memory \(memory.id) has no version")
        }
        var versions: [Mutation.RestoredVersion] = []
        for version in memory.versions {
            let number = version.memory.version
            guard version.memory.id == memory.id, number > versions.last?.number ?? 0,
                number <= maximumVersion
            else {
                throw EngineError(
                    .invalid,
                    "memory \(memory.id) has versions that do not ascend from 1 to \(maximumVersion), or of another memory"
                )
            }
            let recorded =
                version.memory.recorded.lowerBound
                .microseconds..<version.memory.recorded.upperBound.microseconds
            guard Timestamp.allowed.contains(version.memory.recorded.lowerBound),
                (number == last.memory.version) == (recorded.upperBound == .max),
                versions.last?.recorded.upperBound ?? .min <= recorded.lowerBound
            else {
                throw EngineError(
                    .invalid,
                    "the times at which the versions of memory \(memory.id) were recorded do not follow each other, "
                        + "with the last one open")
            }
            versions.append(
                Mutation.RestoredVersion(
                    number: number, recorded: recorded, closure: Closure(version.closure),
                    version: try restored(version, memory, preparation)))
        }
        return Mutation.RestoredMemory(id: memory.id, key: memory.key, versions: versions)
    }

    private static func restored(
        _ version: ExportedMemory.Version, _ memory: ExportedMemory, _ preparation: DraftPreparation
    ) throws -> Mutation.NewVersion {
        var draft = MemoryDraft(version.memory)
        draft.key = memory.key
        draft.valid = version.memory.valid.isEmpty ? nil : draft.valid
        draft.embeddings = version.embeddings
        for index in draft.attachments.indices where draft.attachments[index].address == nil {
            guard let data = version.attachments[draft.attachments[index].digest],
                SHA256.digest(of: data) == draft.attachments[index].digest
            else {
                throw EngineError(
                    .invalid,
                    "the bytes of attachment `\(draft.attachments[index].name)` are missing or damaged")
            }
            draft.attachments[index].data = data
        }
        var new = try preparation.prepare(
            draft, id: memory.id, in: version.memory.namespace,
            passages: version.passages.isEmpty ? nil : version.passages)
        new.fields.valid =
            version.memory.valid.lowerBound.microseconds..<version.memory.valid.upperBound.microseconds
        new.fields.origin = version.memory.origin
        guard (1...Names.maximumByteCount).contains(new.fields.origin.principal.utf8.count) else {
            throw EngineError(
                .invalid, "the principal of memory \(memory.id) has 1 to \(Names.maximumByteCount) bytes")
        }
        return new
    }

    // MARK: Dump

    /// Writes every entry of a home's tables in words, for a person: table, key, and what the value says.
    public func dump(in namespace: Namespace, _ line: @escaping @Sendable (String) -> Void) async throws {
        let isDone: Bool? = try await read(in: namespace) { transaction in
            let kinds = try EdgeKinds(in: transaction)
            for table in Schema.all {
                line("\(table.name): \(try table.count(in: transaction)) entries")
                try table.scan(prefix: Key(), in: transaction) { key, value in
                    line("  " + (try Self.describe(table, key, value, kinds)))
                    return true
                }
            }
            return true
        }
        if isDone == nil { throw EngineError(.notFound, "there is no home \(namespace.home)") }
    }

    private static func describe(
        _ table: Table, _ key: RawSpan, _ value: RawSpan, _ kinds: EdgeKinds
    ) throws -> String {
        switch table {
        case Schema.memory:
            let place = "row \(key.keyU64(at: 0))"
            if key.keyU32(at: 8) == 0 {
                let head = try HeadRecord(decoding: value)
                return "\(place): memory \(head.id), \(head.version) versions, key \(head.key ?? "none")"
            }
            if key.keyU32(at: 12) > 0 {
                return
                    "\(place) version \(key.keyU32(at: 8)) page \(key.keyU32(at: 12)): \(value.byteCount) bytes"
            }
            let record = try VersionRecord(decoding: value)
            let text = String(decoding: record.inlineContent.prefix(120), as: UTF8.self)
            return "\(place) version \(key.keyU32(at: 8)): \(record.fields.kind) "
                + "recorded \(Timestamp(microseconds: record.recordedFrom)) to "
                + "\(Timestamp(microseconds: record.recordedUntil)), \(record.contentByteCount) bytes: "
                + text.replacing("\n", with: " ")
        case Schema.passage where key.u8(at: 0) == Schema.Passage.change:
            let sequence = try ChangeLog.place(key).sequence
            let changes = try ChangeLog.decode(sequence, value)
            return "commit \(sequence): "
                + changes.map { "\($0.kind.name) \($0.id)@\($0.version)" }.joined(separator: ", ")
        case Schema.passage where key.u8(at: 0) == Schema.Passage.tail:
            let record = try TailRecord(decoding: value)
            return
                "tail passage \(key.keyU32(at: 1)): row \(record.row.row) version \(record.row.version) part "
                + "\(record.row.part), \(record.words.count) terms"
        case Schema.word where key.u8(at: 0) == Schema.Word.posting:
            let block = try PostingBlock(key: key, value)
            return "postings of term \(key.keyU32(at: 1)): \(block.count) from passage \(key.keyU32(at: 5))"
        case Schema.word where key.u8(at: 0) == Schema.Word.term && value.byteCount == 4:
            return "term \(value.u32(at: 0)): " + String(decoding: key.copy(1..<key.byteCount), as: UTF8.self)
        case Schema.word
        where key.u8(at: 0) == Schema.Word.termVector && key.byteCount > TermVectors.termStart:
            return "vector of the word " + EntryWords.term(key)
        case Schema.word where key.u8(at: 0) == Schema.Word.synonyms && key.byteCount > TermVectors.termStart:
            return "words near to " + EntryWords.term(key) + ": "
                + (try SynonymLists.decode(value)).map { String(decoding: $0.term, as: UTF8.self) }
                .joined(separator: ", ")
        case Schema.edge: return try EntryWords.edge(key, value, kinds)
        case Schema.shared: return try EntryWords.shared(key, value)
        default:
            return "\(EntryWords.hexadecimal(key, from: 0)): \(value.byteCount) bytes"
        }
    }
}
