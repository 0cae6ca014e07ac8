/// A question, and how to look for its answer.
public struct RecallQuery: Sendable {
    public var text: String
    /// Where to look, and how much what is found there counts: a positive score is multiplied by it.
    public var namespaces: [Namespace: Double]
    public var limit = 10
    public var filter: Filter?
    /// What the store knew then. Old versions are ranked with today's statistics of words.
    public var asOf: Timestamp?
    /// What was true then; `nil` = now.
    public var validAt: Timestamp?
    /// When it is asked: "last week" is the one before, and what is not true then is left out; `nil` = now. What has expired
    /// by now is gone whatever it says.
    public var now: Timestamp?
    /// Which ways of finding take part.
    public var channels: Set<Channel> = [.words, .vectors, .context]
    /// What the question wants to know; `nil` = read from its words by rules.
    public var intent: Intent?
    /// How much what stands around a memory counts; `nil` = as the home and the intent have it.
    public var weights: RecallWeights?
    /// Single weights, by their names in `RecallWeights.names`, in the place of those of the home.
    package var weightOverrides: [String: Double] = [:]
    /// In the place of what the home keeps.
    var settings: RecallSettings?
    /// How hits are put in order; `nil` = as the intent has it.
    public var order: Order?
    /// How words and vectors become one score.
    public var fusion = Fusion.scores
    /// The share of words in the sum, 0 to 1; `nil` = as the home has it, or the embedder advises.
    public var lexicalWeight: Double?
    /// BM25: how fast the repetition of a word saturates.
    public var k1 = 0.9
    /// BM25: how much longer passages are held back, 0 to 1.
    public var b = 0.4
    /// Vectors of the question that the caller has already, one for each space at most.
    public var embeddings: [Embedding] = []
    /// An image or a video that is shown: what is like it finds the memories that it is attached to. Without a text nothing else is
    /// asked; beside one it stands in the place of what the words say of images.
    public var like: EmbeddingInput?
    /// Of memories that consolidation found to say nearly the same, gives the best only, with the others in
    /// `Hit.duplicates`.
    public var foldsDuplicates = true
    /// Also finds the summaries that consolidation made, which say what the memories say that they are made of. A filter that
    /// asks for summaries finds them in any case.
    public var includesSummaries = false
    /// Keeps what was given, so that an outcome can be recorded against it (see `Engine.record`).
    public var keepReceipt = false
    /// Tells what the recall went by, and the scores of each way of finding (`Recall.explanations`).
    public var explains = false
    /// How long it may take. What is not ready by then is left out and named in `Recall.leftOut`.
    public var deadline: Duration?
    /// The least commit that must be seen, for each home asked.
    public var atLeast: UInt64?

    /// What the question wants to know, as the query says or the rules read it from its words.
    package var readIntent: Intent { intent ?? IntentRules.classify(text).intent }

    /// A way of finding.
    public enum Channel: String, Sendable, CaseIterable {
        case words, vectors
        /// What stands around a memory vouches for it, and leads to more: its thread and session, who said it, when,
        /// and edges of cause (`RecallWeights`).
        case context
    }

    /// How what words and vectors say of a memory becomes one score.
    public enum Fusion: String, Sendable, CaseIterable {
        /// The weighted sum of scores, each in standard deviations above the mean of the homes asked. It finds more: how far one is
        /// ahead of the others counts.
        case scores
        /// The weighted sum of 61 / (60 + rank), with the ranks in each list (reciprocal rank fusion: Cormack, Clarke and
        /// Büttcher, 2009). What stands in no list has nothing.
        case ranks
    }

    /// How hits are put in order. Which memories are hits is always a matter of the score.
    public enum Order: String, Sendable, CaseIterable {
        /// The best first.
        case score
        /// What happened first comes first.
        case time
        /// The best first, and behind each those that edges of cause or reference join to it.
        case chains
    }

    /// The most hits that a recall gives.
    public static let maximumLimit = 1_000

    public init(_ text: String, in namespaces: [Namespace: Double]) {
        self.text = text
        self.namespaces = namespaces
    }

    public init(_ text: String, in namespace: Namespace) {
        self.init(text, in: [namespace: 1])
    }
}

/// Names a recall, so that its outcome can be recorded.
public struct RecallID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt128
    public init(rawValue: UInt128) { self.rawValue = rawValue }
    public init?(_ text: String) {
        guard let id = MemoryID(text) else { return nil }
        rawValue = id.rawValue
    }
    public var description: String { MemoryID(rawValue: rawValue).description }
}

/// What came of using what a recall gave.
public enum Outcome: UInt8, Sendable, CaseIterable {
    case failure = 0
    case success = 1
    case ignored = 2
}

/// A place in a version of a memory: `id@version#from-to`, bytes of its content.
public struct Citation: Hashable, Sendable, CustomStringConvertible {
    public let namespace: Namespace
    public let id: MemoryID
    public let version: UInt32
    public let range: Range<Int>

    public init(namespace: Namespace, id: MemoryID, version: UInt32, range: Range<Int>) {
        self.namespace = namespace
        self.id = id
        self.version = version
        self.range = range
    }

    public var description: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(60)
        write(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the description.
    package func write(into bytes: inout [UInt8]) {
        id.write(into: &bytes)
        bytes.append(UInt8(ascii: "@"))
        bytes += String(version).utf8
        bytes.append(UInt8(ascii: "#"))
        bytes += String(range.lowerBound).utf8
        bytes.append(UInt8(ascii: "-"))
        bytes += String(range.upperBound).utf8
    }

    /// Reads what `description` writes; `nil` for other text.
    public init?(_ text: String, in namespace: Namespace) {
        guard let place = Self.place(text) else { return nil }
        self.init(namespace: namespace, id: place.id, version: place.version, range: place.range)
    }

    /// The words that it names, of the memory's version that it names; `nil` = there is none.
    ///
    /// - Throws: `EngineError`: `notFound`, `invalid` (a range outside of it).
    package func words(of memory: Memory?) throws -> String {
        guard let memory else {
            throw EngineError(.notFound, "there is no \(id)@\(version) in \(namespace)")
        }
        let bytes = memory.content.utf8.count
        guard range.lowerBound >= 0, range.upperBound <= bytes else {
            throw EngineError(.invalid, "the memory has \(bytes) bytes; the citation names \(range)")
        }
        return String(decoding: Array(memory.content.utf8)[range], as: UTF8.self)
    }

    /// A place within a home, as `description` writes it.
    package static func place(_ text: String) -> (id: MemoryID, version: UInt32, range: Range<Int>)? {
        guard let at = text.lastIndex(of: "@"), let id = MemoryID(String(text[..<at])) else { return nil }
        let rest = text[text.index(after: at)...].split(separator: "#", omittingEmptySubsequences: false)
        guard rest.count == 2, let version = UInt32(rest[0]) else { return nil }
        let bounds = rest[1].split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count == 2, let from = Int(bounds[0]), let to = Int(bounds[1]), 0 <= from, from <= to
        else { return nil }
        return (id, version, from..<to)
    }
}

/// A memory that a recall found.
public struct Hit: Sendable, Equatable {
    public let memory: Memory
    /// The larger the better; comparable within one recall only.
    public let score: Double
    /// What the score is made of; the parts sum to it.
    public let parts: ScoreParts
    /// The part of the memory that matched.
    public let passage: Passage
    /// How it was found, and what vouched for it. What the steps add is the score.
    public let path: [Step]
    /// Others that say nearly the same and would have stood below it (`RecallQuery.foldsDuplicates`), the best first.
    public internal(set) var duplicates: [MemoryID] = []

    /// What each way of finding adds to a score, in standard deviations and weighted.
    public struct ScoreParts: Sendable, Equatable {
        /// BM25.
        public var words = 0.0
        /// Likeness of vectors, in all spaces asked.
        public var vectors = 0.0
        /// What stands before and behind it in its thread.
        public var context = 0.0
        /// The best of its session.
        public var session = 0.0
        /// The question names who said or did it.
        public var actor = 0.0
        /// It happened at a time that the question names.
        public var calendar = 0.0
        /// It speaks of a time that the question names, or of any where it asks when.
        public var event = 0.0
        /// An edge of cause or reference joins it to a good one.
        public var causes = 0.0

        public var sum: Double { words + vectors + edges }
        /// What others vouch for it: all but words and vectors.
        public var edges: Double { context + session + actor + calendar + event + causes }

        mutating func scale(by factor: Double) {
            for (_, path) in Self.names { self[keyPath: path] *= factor }
        }

        /// Each part with its name.
        package static var names: [(name: String, path: WritableKeyPath<ScoreParts, Double>)] {
            [
                ("words", \.words), ("vectors", \.vectors), ("context", \.context), ("session", \.session),
                ("actor", \.actor), ("calendar", \.calendar), ("event", \.event), ("causes", \.causes),
            ]
        }
    }

    /// The part of a memory that was found, and where it stands.
    public struct Passage: Sendable, Equatable {
        public let part: Int
        public let text: String
        public let citation: Citation
    }

    public var citation: Citation { passage.citation }
}

/// What a recall gave: hits, the best first unless another order was asked for.
public struct Recall: Sendable, RandomAccessCollection {
    public let id: RecallID
    public let hits: [Hit]
    /// What the question was taken to want to know; it set the weights and the order, unless the query did.
    public let intent: Intent
    public let timings: Timings
    /// What did not take part, and why, in words.
    public let leftOut: [String]
    /// Another time was asked for (`asOf`, `validAt`): versions of then are ranked with today's statistics of words.
    public let isRankedWithTodaysStatistics: Bool
    /// What it went by in each home, by their names; empty unless the query asks for it.
    public let explanations: [RecallExplanation]
    /// The commit of each home that was seen.
    public let sequences: [Namespace: UInt64]
    /// How sure it is that what was asked is told in the namespaces at all, 0 to 1: of a hundred recalls with 0.7, some
    /// seventy have the answer in their home, if every other question has one. It is made of how much of the question's
    /// words the best matches have with what stands beside them, how many nothing has, whether words and vectors find the
    /// same, and whether the best are of the time and the actor that the question names. So a paraphrase without a common
    /// word has little. Where the question has no words, or they were not asked, it is made of how far the best vectors
    /// stand out. Of several homes it is as if all were in one. It says nothing of single hits.
    ///
    /// `nil` where the best hit is the best by an image or a video that is attached to it: what these say of an answer was never
    /// measured.
    public let confidence: Double?
    /// What the confidence is made of.
    package let signs: ConfidenceSigns

    /// Where the time went; where several homes were asked side by side, that of the slowest.
    public struct Timings: Sendable {
        public var embedding: Duration = .zero
        public var words: Duration = .zero
        public var vectors: Duration = .zero
        public var filter: Duration = .zero
        public var ranking: Duration = .zero
        public var decoding: Duration = .zero
        /// All of it, from the call to the answer.
        public var total: Duration = .zero
    }

    /// A recall with less `confidence` likely has no answer: one in 27 questions that were answered there had less, and
    /// every other of those that were not; where no vectors know meanings, one in 22 and 42 in a hundred
    /// (`scripts/fit-confidence`).
    public static let leastConfidence = 0.15

    public var startIndex: Int { 0 }
    public var endIndex: Int { hits.count }
    public subscript(index: Int) -> Hit { hits[index] }
}
