import Store

/// What a recall went by in one home, and what each way of finding said of each hit: made where `RecallQuery.explains` asks
/// for it.
public struct RecallExplanation: Sendable {
    public let home: Namespace
    /// Current passages, those that the filter, the namespaces and the clocks let through, and those that were weighed: the
    /// best of every way of finding, and what edges, threads and times bring with them.
    public let passageCount: Int
    public let eligibleCount: Int
    public let candidateCount: Int
    /// What was looked up in the index of words: stems of the question, and words that mean about the same.
    public let words: [Word]
    /// Words first, then a channel for each embedding space.
    public let channels: [Channel]
    /// As they counted: of the query, the home or the defaults, for the intent and the size of all homes that are asked.
    public let weights: RecallWeights
    /// The home has weights of its own (`Engine.setRecallSettings`), and the query said no others.
    public let isTuned: Bool
    /// The times that the question names.
    public let times: [Range<Timestamp>]
    /// The actors that the question names.
    public let actors: [String]
    /// What the weight of its namespace makes of all that is added to the score of a hit; 1 as a rule.
    public internal(set) var factors: [MemoryID: Double] = [:]
    /// What each channel said of a hit, in the order of `channels`.
    public internal(set) var scores: [MemoryID: [Score]] = [:]

    /// A word that was looked up.
    public struct Word: Sendable, Equatable {
        public let text: String
        public let weight: Double
        /// The home knows it to mean about the same as the word before it.
        public let isSynonym: Bool
    }

    /// A way of finding that gives scores.
    public struct Channel: Sendable, Equatable {
        /// `words`, or the name of an embedding space.
        public let name: String
        /// Of the raw scores of all passages, or a sample of them; where several homes are asked, of all of them.
        public let mean: Double
        public let deviation: Double
        /// What a normalised score is multiplied by.
        public let share: Double
        /// How many passages it brought in.
        public let foundCount: Int
    }

    /// What a channel said of a hit.
    public struct Score: Sendable, Equatable {
        /// BM25 with what titles add, or the likeness of vectors; `nil` = the passage has no vector there.
        public let raw: Double?
        /// The raw score above the mean, in deviations; with `Fusion.ranks` what the rank is worth.
        public let normalized: Double
        /// The place among the best of the channel in all homes that are asked, from 1; `nil` = not among them.
        public let rank: Int?
    }
}

extension RecallExplanation {
    init(
        _ home: Namespace, _ vouching: Vouching, _ found: FoundLists, _ words: WordQuery,
        _ eligibleCount: Int,
        isTuned: Bool
    ) {
        let own = vouching.own
        self.home = home
        passageCount = Int(vouching.view.state.currentPassages)
        self.eligibleCount = eligibleCount
        candidateCount = vouching.candidates.count
        self.words = words.words.map {
            Word(text: String(decoding: $0.term, as: UTF8.self), weight: $0.weight, isSynonym: $0.isSynonym)
        }
        var channels: [Channel] = []
        if let scores = own.words {
            channels.append(
                Channel(
                    name: "words", mean: scores.totalMean, deviation: scores.deviation, share: own.wordShare,
                    foundCount: found.words.passages.count))
        }
        for (index, (scores, list)) in zip(own.vectors, found.vectors).enumerated() {
            channels.append(
                Channel(
                    name: list.space.name, mean: scores.mean, deviation: scores.deviation,
                    share: own.share(ofSpace: index), foundCount: list.list.passages.count))
        }
        self.channels = channels
        weights = vouching.weights
        self.isTuned = isTuned
        times = vouching.intervals.map(\.timestamps)
        actors = vouching.actors
    }

    /// What the channels said of a candidate.
    static func scores(of passage: UInt32, _ own: OwnScores, _ found: FoundLists) -> [Score] {
        var scores: [Score] = []
        if let words = own.words {
            scores.append(
                Score(
                    raw: Double(words.total(passage)),
                    normalized: own.wordShare == 0 ? 0 : own.wordPart(of: passage) / own.wordShare,
                    rank: found.words.ranks[passage]))
        }
        for (space, vectors) in own.vectors.enumerated() {
            let raw = vectors.score(passage)
            let share = own.share(ofSpace: space)
            scores.append(
                Score(
                    raw: raw.isNaN ? nil : Double(raw),
                    normalized: share == 0 ? 0 : own.vectorPart(of: passage, space) / share,
                    rank: found.vectors[space].list.ranks[passage]))
        }
        return scores
    }
}
