import Store

/// What words and vectors say of each passage by itself: their normalised scores, or what stands for their ranks, weighted
/// and added.
struct OwnScores {
    private(set) var words: WordScores?
    private(set) var vectors: [VectorScores]
    /// Which of these are of attached images or videos, and not of texts.
    private let areOfMedia: [Bool]
    /// Nothing but what is attached is asked.
    private var isOfMediaAlone = false
    private(set) var wordShare = 1.0
    private var vectorShare = 1.0
    private let mediaShare: Double
    private let lexicalWeight: Double
    /// Where ranks count in the place of scores.
    private var ranks: Ranks?

    /// What the ranks of passages in the list of each way of finding are worth.
    private struct Ranks {
        var words: [UInt32: Double]
        var vectors: [[UInt32: Double]]

        init(_ found: FoundLists) {
            words = Self.worth(found.words)
            vectors = found.vectors.map { Self.worth($0.list) }
        }

        /// 1 for the first, and 61 / (60 + rank) for those behind it.
        private static func worth(_ list: FoundList) -> [UInt32: Double] {
            list.ranks.mapValues { 61 / Double(60 + $0) }
        }
    }

    /// Lets the ranks in these lists count in the place of scores.
    mutating func rank(by found: FoundLists) { ranks = Ranks(found) }

    init(
        words: WordScores?, vectors: [VectorScores], lexicalWeight: Double, media: EmbeddingSpace? = nil,
        mediaShare: Double = 0
    ) {
        self.words = words
        self.vectors = vectors
        self.lexicalWeight = lexicalWeight
        self.mediaShare = mediaShare
        areOfMedia = vectors.map { $0.space == media }
        share(amongSpaces: areOfMedia.count { !$0 })
    }

    /// Those of the passages' texts.
    var vectorsOfTexts: [VectorScores] { zip(vectors, areOfMedia).filter { !$1 }.map(\.0) }

    /// What an image says comes on top of what words and vectors of texts say, so that texts stand among each other as they
    /// would without it.
    ///
    /// - Parameter spaceCount: how many spaces of texts take part.
    private mutating func share(amongSpaces spaceCount: Int) {
        let hasBoth = words != nil && spaceCount > 0
        isOfMediaAlone = words == nil && spaceCount == 0
        wordShare = hasBoth ? lexicalWeight : 1
        vectorShare = (hasBoth ? 1 - lexicalWeight : 1) / Double(max(1, spaceCount))
    }

    /// The weight of a space in the sum.
    func share(ofSpace space: Int) -> Double {
        areOfMedia[space] && !isOfMediaAlone ? mediaShare : vectorShare
    }

    /// Measures by what all homes that are asked hold, in the place of this one.
    ///
    /// - Parameter spaces: those in which this home is asked. One that has no vectors there is no better for it.
    mutating func compare(with shared: SharedStatistics, in spaces: [EmbeddingSpace]) {
        share(amongSpaces: spaces.count { shared.vectorMoments[$0] != nil })
        words?.compare(with: shared.wordMoments)
        for index in vectors.indices {
            if let moments = shared.vectorMoments[vectors[index].space] {
                vectors[index].compare(with: moments)
            }
        }
    }

    /// The share of the score that is of words.
    func wordPart(of passage: UInt32) -> Double {
        wordShare * (ranks.map { $0.words[passage] ?? 0 } ?? words?.normalized(passage) ?? 0)
    }

    /// Whether what is attached to a passage says more for it than all else does.
    ///
    /// - Parameter score: all that is said for it.
    func isByMedia(_ passage: UInt32, score: Double) -> Bool {
        guard let space = areOfMedia.firstIndex(of: true), !vectors[space].score(passage).isNaN else {
            return false
        }
        if isOfMediaAlone { return true }
        let part = vectorPart(of: passage, space)
        if part > 0 { return part > score - part }
        // One that is alone stands out from nothing: without a word of the question nothing else found it.
        return score == 0 && words?.scores[Int(passage)] ?? 0 == 0
    }

    /// The share of the score that is of one space.
    func vectorPart(of passage: UInt32, _ space: Int) -> Double {
        if let ranks { return share(ofSpace: space) * (ranks.vectors[space][passage] ?? 0) }
        let score = vectors[space].normalized(passage)
        // An image that is nothing like the question says nothing against the text beside it.
        return share(ofSpace: space) * (areOfMedia[space] && !isOfMediaAlone ? max(0, score) : score)
    }

    func score(of passage: UInt32) -> Double {
        var score = wordPart(of: passage)
        for space in vectors.indices { score += vectorPart(of: passage, space) }
        return score
    }

    /// The passages that have a word of the question or were compared by vectors, and the latter alone: none of the others is
    /// told from another. `nil` where all may have been, or ranks count.
    func marks(capacity: Int) -> (found: PassageSet, compared: PassageSet)? {
        guard ranks == nil, let words, !vectors.contains(where: \.isComplete) else { return nil }
        var compared = PassageSet(capacity: capacity)
        for space in vectors {
            for passage in space.compared { compared.insert(passage) }
        }
        var found = words.found(capacity: capacity)
        found.formUnion(compared)
        return (found, compared)
    }

    /// Whether a passage has anything to do with the question.
    func matches(_ passage: UInt32) -> Bool {
        (words?.scores[Int(passage)] ?? 0) > 0 || vectors.contains { $0.matches(passage) }
    }

    /// Nothing is left to make up for.
    var isComplete: Bool { vectors.allSatisfy(\.isComplete) }

    /// Makes up for vectors that were not compared so far.
    ///
    /// - Parameter passages: in ascending order.
    mutating func complete(
        _ passages: [UInt32], _ view: HomeView, in transaction: borrowing ReadTransaction
    ) throws {
        for index in vectors.indices { try vectors[index].complete(passages, view, in: transaction) }
    }
}

/// What a way of finding found in a home, the best first.
struct FoundList: Sendable {
    private(set) var passages: [UInt32] = []
    /// From 1.
    private(set) var ranks: [UInt32: Int] = [:]

    init() {}

    /// - Parameter ranks: among what was found in all homes that are asked; what has none there is left out. `nil` = this
    ///   home alone is asked.
    init(_ passages: [UInt32], ranks: [Int]? = nil) {
        let places = ranks ?? Array(passages.indices.map { $0 + 1 })
        self.passages = Array(passages.prefix(places.count))
        self.ranks = Dictionary(uniqueKeysWithValues: zip(passages, places))
    }
}

/// What was found by each way of finding.
struct FoundLists: Sendable {
    var words = FoundList()
    /// A list for each space of `OwnScores.vectors`.
    var vectors: [(space: EmbeddingSpace, list: FoundList)] = []

    /// All of it.
    ///
    /// - Parameter capacity: how many passages the home has.
    func passages(capacity: Int) -> PassageSet {
        var all = PassageSet(capacity: capacity)
        for passage in words.passages { all.insert(passage) }
        for (_, list) in vectors {
            for passage in list.passages { all.insert(passage) }
        }
        return all
    }
}
