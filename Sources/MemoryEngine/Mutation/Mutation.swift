import Store

/// One write of ground state, complete before it reaches the writer: ids, times, vectors and an
/// operation id. Applying it (`Applier`) calls no clock, no random source, no model and no network, so
/// ground state is a function of the sequence of mutations.
package struct Mutation: Sendable, Equatable {
    /// A repeated one changes nothing.
    var operation: UInt128
    /// When the store learns of it.
    var time: Int64
    var changes: [Change]
    /// The operation id was drawn for this value, here and now, so that no home can know it. Not encoded: what
    /// comes from elsewhere may have been applied.
    private(set) var isFresh = false
    /// By the places of changes that remember under a key: the memory that others of the changes take it to lead to. Not
    /// encoded: what was applied once needs no check.
    var named: [Int: MemoryID] = [:]
    /// The numbers by which errors call the first changes, where they are not counted from 1. Not encoded.
    var numbers: [Int] = []

    /// One that is applied wherever its operation id is not known.
    init(operation: UInt128, time: Int64, changes: [Change]) {
        self.operation = operation
        self.time = time
        self.changes = changes
    }

    /// A new one.
    init(at time: Timestamp, changes: [Change]) {
        self.init(operation: .random(), time: time.microseconds, changes: changes)
        isFresh = true
    }

    enum Change: Sendable, Equatable {
        case remember(NewVersion)
        /// A new version of a memory that is there.
        case update(MemoryID, expecting: UInt32?, NewVersion)
        case close(MemoryID, at: Int64, Closure, successor: MemoryID?)
        case forget([MemoryID])
        /// Vectors for passages of a version that was stored without them.
        case embed(MemoryID, version: UInt32, [NewVector])
        /// A whole memory with its history, from the portable form.
        case restore(RestoredMemory)
        case receipt(Receipt)
        case outcome(RecallID, Outcome)
        case setting(String, String?)
        /// From now on texts and questions of the home are embedded in the space; obsolete while a passage lacks a vector
        /// there and has one in the space that was used before: `from`, where nobody chose one.
        case useSpace(EmbeddingSpace, from: EmbeddingSpace?)
        /// Removes all vectors in a space.
        case dropSpace(EmbeddingSpace)
        /// Removes closed versions that the retention policy lets go.
        case trim(MemoryID, versions: [UInt32])
        /// Removes the receipts of what a principal asked, and edges that it gave, at most `Applier.maximumEraseCount`.
        case eraseTraces(principal: String)
        case link(NewEdge)
        case unlink(EdgeID)
        /// An edge of the engine's own that supersedes: the validity of what it leads to ends when that of the edge begins, if
        /// the version is still the newest, open and not pinned.
        case conclude(NewEdge, closing: UInt32)
        /// Forgets those that have expired and are not pinned when it is applied.
        case expire([MemoryID])
        /// Notes that receipts of another home may cite memories of this one, or that none does any more.
        case citedBy(home: String, Bool)
        /// Removes the receipts that cite memories of another home; `nil` = any of it, which is gone.
        case eraseCitations(home: String, [MemoryID]?)
    }

    /// What becomes of it is in `Applier.Result`.
    struct NewVersion: Sendable, Equatable {
        var id: MemoryID
        var key: String?
        var content: [UInt8]
        /// Byte ranges of the content.
        var passages: [Range<UInt32>]
        var vectors: [NewVector]
        var fields: VersionFields
        /// Whether the caller said when it happened; else it is when it was remembered.
        var saysHappened = false
        /// The terms of the passages, made from the content by `prepare`; derived, so not encoded.
        var terms: [TermList]
        /// The terms of the title, made beside them.
        var titleTerms: [[UInt8]] = []
        /// Why the embedders of some spaces do not take what is attached; not encoded.
        var refusals: [EmbeddingSpace: String] = [:]
        /// Why the embedders of some spaces made no vector for now; not encoded.
        var failures: [EmbeddingSpace: String] = [:]
        /// The spaces whose vectors of the same words do not hold for another actor; not encoded.
        var spacesOfActor: Set<EmbeddingSpace> = []
    }

    struct NewVector: Sendable, Equatable {
        var space: EmbeddingSpace
        var part: UInt32
        var vector: [Float]
    }

    struct RestoredMemory: Sendable, Equatable {
        var id: MemoryID
        var key: String?
        var versions: [RestoredVersion]
    }

    struct RestoredVersion: Sendable, Equatable {
        var number: UInt32
        var recorded: Range<Int64>
        var closure: Closure
        var version: NewVersion
    }

    /// One memory, of a size that people type.
    var isShort: Bool {
        guard changes.count == 1 else { return false }
        switch changes[0] {
        case .remember, .update: return byteCount <= 1 << 16
        default: return false
        }
    }

    /// Bytes that are about to be written, for the bound on a group of commits.
    var byteCount: Int {
        changes.reduce(0) { sum, change in
            switch change {
            case .remember(let version), .update(_, _, let version): sum + version.byteCount
            case .embed(_, _, let vectors): sum + vectors.reduce(0) { $0 + $1.vector.count * 4 }
            case .restore(let memory): sum + memory.versions.reduce(0) { $0 + $1.version.byteCount }
            default: sum + 1_024
            }
        }
    }

    /// Whether it brings vectors.
    var addsVectors: Bool {
        changes.contains { change in
            switch change {
            case .remember(let version), .update(_, _, let version): !version.vectors.isEmpty
            case .embed: true
            case .restore(let memory): memory.versions.contains { !$0.version.vectors.isEmpty }
            default: false
            }
        }
    }

    /// Makes the terms of every version in it, off the writer's queue.
    mutating func prepare(_ analyzer: Analyzer) {
        for index in changes.indices {
            switch changes[index] {
            case .remember(var version):
                version.prepare(analyzer)
                changes[index] = .remember(version)
            case .update(let id, let expecting, var version):
                version.prepare(analyzer)
                changes[index] = .update(id, expecting: expecting, version)
            case .restore(var memory):
                for number in memory.versions.indices { memory.versions[number].version.prepare(analyzer) }
                changes[index] = .restore(memory)
            default: break
            }
        }
    }
}

extension Mutation.NewVersion {
    var byteCount: Int {
        content.count * 2 + vectors.reduce(0) { $0 + $1.vector.count * 4 } + 512
            + fields.attachments.reduce(0) { $0 + $1.data.count }
    }

    mutating func prepare(_ analyzer: Analyzer) {
        guard terms.count != passages.count else { return }
        terms = passages.enumerated().map { part, range in
            analyzer.terms(of: content, range, part: part, fields: fields)
        }
        titleTerms = analyzer.titleTerms(of: content, fields)
    }
}

/// Makes the terms of a passage: the words of its text, the name of its actor and, for the first
/// passage, the keywords.
struct Analyzer: Sendable {
    let tokenizer = Tokenizer()

    func terms(of content: [UInt8], _ range: Range<UInt32>, part: Int, fields: VersionFields) -> TermList {
        var text = Array(content[Int(range.lowerBound)..<Int(range.upperBound)])
        if let actor = fields.actor {
            text.append(UInt8(ascii: "\n"))
            text += Array(actor.utf8)
        }
        if part == 0 {
            for keyword in fields.keywords {
                text.append(UInt8(ascii: "\n"))
                text += Array(keyword.utf8)
            }
        }
        return tokenizer.terms(in: text.span)
    }

    /// The distinct words of a version's title, as filter terms of its first passage.
    func titleTerms(of content: [UInt8], _ fields: VersionFields) -> [[UInt8]] {
        guard let title = Title.range(in: content, kind: MemoryKind(rawValue: fields.kind)) else { return [] }
        return tokenizer.terms(in: content.span.extracting(title)).terms.map { FilterTerm.title($0.term) }
    }
}

/// What a recall gave, kept so that its outcome can be credited to what was used.
struct Receipt: Sendable, Equatable {
    static let maximumCount: UInt64 = 10_000

    struct Item: Sendable, Equatable {
        var namespace: String
        var id: MemoryID
        var version: UInt32
        var score: Float
    }

    var recall: RecallID
    var time: Int64
    var principal: String
    var query: String
    var items: [Item]
    var outcome: Outcome?

    func encode(into writer: inout ByteWriter) {
        writer.u128(recall.rawValue)
        writer.i64(time)
        writer.string(principal)
        writer.string(query)
        writer.list(items) {
            $0.string($1.namespace)
            $0.u128($1.id.rawValue)
            $0.u32($1.version)
            $0.f32($1.score)
        }
        writer.optional(outcome) { $0.u8($1.rawValue) }
    }

    init(from reader: inout ByteReader) throws {
        recall = RecallID(rawValue: try reader.u128())
        time = try reader.i64()
        principal = try reader.string()
        query = try reader.string()
        items = try reader.list {
            Item(
                namespace: try $0.string(), id: MemoryID(rawValue: try $0.u128()), version: try $0.u32(),
                score: try $0.f32())
        }
        outcome = try reader.optional {
            guard let outcome = Outcome(rawValue: try $0.u8()) else {
                throw StoreError(.corrupted, "an outcome is not one")
            }
            return outcome
        }
    }

    init(recall: RecallID, time: Int64, principal: String, query: String, items: [Item], outcome: Outcome?) {
        self.recall = recall
        self.time = time
        self.principal = principal
        self.query = query
        self.items = items
        self.outcome = outcome
    }
}
