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
    /// Which ways of finding take part.
    public var channels: Set<Channel> = [.words, .vectors, .context]
    /// The share of words in the sum of normalised scores, 0 to 1; `nil` = as the embedder advises.
    public var lexicalWeight: Double?
    /// BM25: how fast the repetition of a word saturates.
    public var k1 = 0.9
    /// BM25: how much longer passages are held back, 0 to 1.
    public var b = 0.4
    /// Vectors of the question that the caller has already, one for each space at most.
    public var embeddings: [Embedding] = []
    /// Keeps what was given, so that an outcome can be recorded against it (see `Engine.record`).
    public var keepReceipt = false
    /// How long it may take. What is not ready by then is left out and named in `Recall.leftOut`.
    public var deadline: Duration?
    /// The least commit that must be seen, for each home asked.
    public var atLeast: UInt64?

    /// A way of finding.
    public enum Channel: String, Sendable, CaseIterable {
        case words, vectors
        /// The previous memory of the thread vouches for the next.
        case context
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

    public var description: String { "\(id)@\(version)#\(range.lowerBound)-\(range.upperBound)" }
}

/// A memory that a recall found.
public struct Hit: Sendable {
    public let memory: Memory
    /// The larger the better; comparable within one recall only.
    public let score: Double
    /// What the score is made of; the parts sum to it.
    public let parts: ScoreParts
    /// The part of the memory that matched.
    public let passage: Passage

    /// What each way of finding adds to a score, in standard deviations and weighted.
    public struct ScoreParts: Sendable, Equatable {
        public var words = 0.0
        public var vectors = 0.0
        public var context = 0.0
        public var sum: Double { words + vectors + context }
    }

    /// The part of a memory that was found, and where it stands.
    public struct Passage: Sendable, Equatable {
        public let part: Int
        public let text: String
        public let citation: Citation
    }

    public var citation: Citation { passage.citation }
}

/// What a recall gave: hits, the best first.
public struct Recall: Sendable, RandomAccessCollection {
    public let id: RecallID
    public let hits: [Hit]
    public let timings: Timings
    /// What did not take part, and why, in words.
    public let leftOut: [String]
    /// Old versions were asked for: they are ranked with today's statistics of words.
    public let isRankedWithTodaysStatistics: Bool
    /// The commit of each home that was seen.
    public let sequences: [Namespace: UInt64]

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

    public var startIndex: Int { 0 }
    public var endIndex: Int { hits.count }
    public subscript(index: Int) -> Hit { hits[index] }
}
