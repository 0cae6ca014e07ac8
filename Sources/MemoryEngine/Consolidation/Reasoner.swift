import Store

/// A language model, as consolidation may use one (`Engine.consolidate(in:steps:reasoner:asksAgain:_:)`): it notes what a memory is about,
/// what it has to do with others, and which facts it states. Everything works without one.
///
/// What it is given is data: a reasoner hands it to its model marked as such, for a text may hold words that sound like
/// instructions. What it answers is checked before it is believed: what names a memory that it was not given, or quotes what
/// does not stand in the memory, is left out. Its conclusions carry its name, and can be taken back.
public protocol Reasoner: Sendable {
    /// The model, as `Origin.model` gives it.
    var model: String { get }

    /// What is to be noted of a memory.
    ///
    /// - Parameter others: memories that are like it, at most `ReasonerNote.maximumOthers`.
    /// - Throws: any error; the consolidation ends with it, and the next goes on with this memory.
    func note(on memory: ReasonerMemory, beside others: [ReasonerMemory]) async throws -> ReasonerNote

    /// The memories of an episode in at most so many words; `nil` = the engine is to choose sentences itself.
    func summary(of episode: [ReasonerMemory], wordCount: Int) async throws -> String?
}

extension Reasoner {
    /// Leaves it to the engine.
    public func summary(of episode: [ReasonerMemory], wordCount: Int) async throws -> String? { nil }
}

/// A memory as a reasoner sees it.
public struct ReasonerMemory: Sendable, Equatable {
    public let id: MemoryID
    /// Its words, 16 KiB at most.
    public let content: String
    public let kind: MemoryKind
    public let actor: String?
    public let happened: Timestamp
    public let tags: [String]
    public let keywords: [String]
}

/// What a reasoner notes of a memory (after A-Mem: Xu et al., arXiv 2502.12110, section 3: keywords and tags of a note, its
/// links, and what it adds to the notes that are there).
public struct ReasonerNote: Sendable, Equatable {
    /// Words by which it should be found, which it does not have; they are added to its keywords.
    public var keywords: [String] = []
    public var tags: [String] = []
    public var links: [Link] = []
    public var facts: [Fact] = []
    /// What is now to be added to the others.
    public var refinements: [Refinement] = []

    /// How many memories it is shown beside the one to be noted.
    public static let maximumOthers = 8
    /// Of each list; what is beyond is left out.
    public static let maximumCount = 16

    public init() {}

    /// What the memory has to do with another that was shown.
    public struct Link: Sendable, Equatable {
        public var to: MemoryID
        public var relation: Relation
        /// Above 0 and up to 1.
        public var confidence: Double
        /// Words of the memory that say so, as they stand there; `nil` = all of it.
        public var quote: String?

        public init(to: MemoryID, _ relation: Relation, confidence: Double, quote: String? = nil) {
            self.to = to
            self.relation = relation
            self.confidence = confidence
            self.quote = quote
        }
    }

    /// What one memory has to do with another, as the kinds of edges of the same names have it.
    public enum Relation: String, Sendable, CaseIterable {
        case relatesTo, paraphrases, contradicts, supersedes, causedBy

        var kind: EdgeKind {
            switch self {
            case .relatesTo: .relatesTo
            case .paraphrases: .paraphrases
            case .contradicts: .contradicts
            case .supersedes: .supersedes
            case .causedBy: .causedBy
            }
        }
    }

    /// A fact that the memory states: it becomes a memory of its own (kind `fact`, attributes `subject`, `relation` and
    /// `value`), which goes when the memory is forgotten.
    public struct Fact: Sendable, Equatable {
        public var subject: String
        public var relation: String
        public var value: String
        /// Words of the memory that state it, as they stand there.
        public var quote: String

        public init(subject: String, relation: String, value: String, quote: String) {
            self.subject = subject
            self.relation = relation
            self.value = value
            self.quote = quote
        }
    }

    /// Words by which one of the others should be found, too.
    public struct Refinement: Sendable, Equatable {
        public var id: MemoryID
        public var keywords: [String]
        public var tags: [String]

        public init(of id: MemoryID, keywords: [String], tags: [String] = []) {
            self.id = id
            self.keywords = keywords
            self.tags = tags
        }
    }
}

extension ReasonerMemory {
    init(_ memory: StudiedMemory) {
        self.init(
            id: memory.id, content: String(decoding: memory.content, as: UTF8.self), kind: memory.kind,
            actor: memory.actor, happened: Timestamp(microseconds: memory.happened.lowerBound),
            tags: memory.tags, keywords: memory.keywords)
    }

    init(_ memory: Memory) {
        self.init(
            id: memory.id,
            content: String(
                decoding: memory.content.utf8.prefix(StudiedMemory.maximumByteCount), as: UTF8.self),
            kind: memory.kind, actor: memory.actor, happened: memory.happened.lowerBound, tags: memory.tags,
            keywords: memory.keywords)
    }
}

/// A note of a reasoner, as far as it can be believed.
struct CheckedNote: Sendable {
    var keywords: [String]
    var tags: [String]
    var links: [Derivation]
    var facts: [Fact]
    var refinements: [ReasonerNote.Refinement]

    struct Fact: Sendable {
        var fact: ReasonerNote.Fact
        var evidence: Evidence

        /// The memory that it becomes; the same fact of the same memory is one.
        func draft(of memory: StudiedMemory, _ model: String) -> MemoryDraft {
            var draft = MemoryDraft("\(fact.subject) \(fact.relation) \(fact.value)")
            draft.kind = .fact
            let key = Key(prefix: 0x56).u128(memory.id.rawValue).raw(draft.content.utf8)
            draft.key = "loci/fact/\(MemoryID(digestOf: key.bytes))"
            draft.attributes = [
                "subject": .string(fact.subject), "relation": .string(fact.relation),
                "value": .string(fact.value),
            ]
            let start = Timestamp(microseconds: memory.happened.lowerBound)
            draft.happened =
                start...Timestamp(
                    microseconds: max(memory.happened.lowerBound, memory.happened.upperBound - 1))
            if memory.expires < .max { draft.expires = Timestamp(microseconds: memory.expires) }
            draft.origin = Origin(
                agent: VersionFields.entityPrincipal, model: model,
                source: Derivation.source(.notes, says: "read from \(memory.id)"), trust: memory.trust)
            return draft
        }
    }

    init(_ note: ReasonerNote, on memory: StudiedMemory, beside others: [Memory], _ model: String) {
        func words(_ given: [String], without known: [String]) -> [String] {
            var seen = Set(known.map { $0.lowercased() })
            return given.prefix(ReasonerNote.maximumCount).map { $0.trimmingSpace }.filter {
                (1...Names.maximumByteCount).contains($0.utf8.count) && seen.insert($0.lowercased()).inserted
            }
        }
        keywords = words(note.keywords, without: memory.keywords)
        tags = words(note.tags, without: memory.tags)
        let byID = Dictionary(others.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        links = note.links.prefix(ReasonerNote.maximumCount).compactMap { link -> Derivation? in
            guard let other = byID[link.to], link.confidence > 0, link.confidence <= 1,
                let place = Self.place(of: link.quote, in: memory)
            else { return nil }
            let evidence = Evidence(
                id: other.id, version: other.version, range: 0..<UInt64(other.content.utf8.count))
            return Derivation(
                step: .notes, kind: link.relation.kind, from: memory.id, to: link.to,
                weight: Float(link.confidence), says: "says \(model)", evidence: [place, evidence])
        }
        facts = note.facts.prefix(ReasonerNote.maximumCount).compactMap { fact -> Fact? in
            guard
                [fact.subject, fact.relation, fact.value].allSatisfy({ (1...256).contains($0.utf8.count) }),
                let place = Self.place(of: fact.quote, in: memory)
            else { return nil }
            return Fact(fact: fact, evidence: place)
        }
        refinements = note.refinements.prefix(ReasonerNote.maximumCount).compactMap {
            refinement -> ReasonerNote.Refinement? in
            guard let other = byID[refinement.id] else { return nil }
            let checked = ReasonerNote.Refinement(
                of: other.id, keywords: words(refinement.keywords, without: other.keywords),
                tags: words(refinement.tags, without: other.tags))
            return checked.keywords.isEmpty && checked.tags.isEmpty ? nil : checked
        }
    }

    /// Where a memory has the words of a quote; `nil` where it does not.
    private static func place(of quote: String?, in memory: StudiedMemory) -> Evidence? {
        guard let quote else { return memory.evidence }
        let wanted = Array(quote.utf8)
        guard !wanted.isEmpty, let range = memory.content.firstRange(of: wanted) else { return nil }
        return memory.evidence(range)
    }
}

extension String {
    fileprivate var trimmingSpace: String {
        String(
            drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
