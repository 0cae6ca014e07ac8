import Glibc
import Store

/// What tells whether the answer to a question is in a home at all, and how sure that makes it.
///
/// The weights are those of a logistic regression over questions of LoCoMo's development half, each put to its own
/// conversation and, with the names changed, to another one (`bench confidence --signs`, `scripts/fit-confidence`; decision
/// 25). All signs are of quantities that hardly grow with the home and do not depend on a model.
package struct ConfidenceSigns: Sendable, Equatable {
    /// The question has words, and they were asked.
    private var hasWords = false
    /// How much of what the question needs of its words no current passage has. 0 to 1.
    private var unknownShare = 0.0
    /// For each space of vectors that know meanings, how many of the best ten by words are among its best ten.
    private var common: [EmbeddingSpace: Int] = [:]
    /// The passages that may be hits.
    private var eligibleCount = 0
    /// The vectors that deviations are of; the fewest of any space.
    private var vectorCount = 0
    /// The question names a time.
    private var isDated = false
    /// The actors that the question names.
    private var actors: Set<String> = []
    /// The best candidates, the best first.
    private var best: [Sign] = []

    private struct Sign: Sendable, Equatable {
        var score: Double
        /// The share of what the question needs of its words that it has. 0 to 1.
        var coverage = 0.0
        /// What the words are worth that it has together with the passages beside it, in words that nothing has.
        var evidence = 0.0
        /// In standard deviations above the mean, in each space.
        var vectors: [Double]
        /// It happened at a time that the question names.
        var isThen = false
        /// It is of an actor whom the question names.
        var isOfActor: Bool
        /// What is attached to it made it what it is; these signs do not look at that.
        var isByMedia: Bool
    }

    /// How many of the first candidates are looked at, whatever the limit of the query.
    static let depth = 10
    /// Among fewer vectors a deviation says nothing.
    private static let leastVectorCount = 16
    /// Among fewer passages the best by words and by vectors are often the same by chance.
    private static let leastAgreementCount = 100
    /// More words do not make it surer: a long question has some in common with anything.
    private static let mostEvidence = 4.0
    /// What a question needs of its words, in words that nothing has: more say what is around it, as when the last turns
    /// of a dialogue are the question. One question in a hundred has more.
    private static let mostNeeded = 6.0
    /// A longer time tells nothing apart.
    private static let longestMicroseconds: Int64 = 366 * 86_400_000_000

    init() {}

    /// - Parameters:
    ///   - asked: the question's words, those left out that only name a time.
    ///   - spelled: the space whose vectors know no meanings: they agree with words on anything.
    init(
        _ vouching: Vouching, _ found: FoundLists, _ asked: [AskedWord], spelled: EmbeddingSpace?,
        in transaction: borrowing ReadTransaction
    ) throws {
        let own = vouching.own
        let candidates = vouching.ranked.prefix(Self.depth).map { vouching.candidates[$0] }
        let weighsTimes = vouching.weights.calendar != 0
        isDated = weighsTimes && vouching.intervals.contains { Self.tells($0) }
        actors = Set(vouching.actors)
        eligibleCount = vouching.eligible.count
        // Images are few, and are not what a question is about as a rule.
        let vectors = own.vectorsOfTexts
        vectorCount = vectors.map(\.sampleCount).min() ?? 0
        best = candidates.map { candidate in
            Sign(
                score: candidate.score, vectors: vectors.map { $0.normalized(candidate.passage) },
                isThen: candidate.interval.map { Self.tells($0) } ?? false, isOfActor: candidate.actor != nil,
                isByMedia: own.isByMedia(candidate.passage, score: candidate.score))
        }
        guard let words = own.words, !words.asked.isEmpty else { return }
        hasWords = true
        try cover(candidates, asked, words.unknownWorth, vouching.view, in: transaction)
        for (space, list) in found.vectors
        where space != spelled && vectors.contains(where: { $0.space == space }) {
            common[space] = found.words.ranks.count { passage, rank in
                rank <= Self.depth && list.ranks[passage].map { $0 <= Self.depth } ?? false
            }
        }
    }

    /// What several homes say together, whose scores were measured alike.
    init(of homes: [ConfidenceSigns]) {
        hasWords = homes.contains { $0.hasWords }
        unknownShare = homes.filter(\.hasWords).map(\.unknownShare).min() ?? 0
        for home in homes {
            common.merge(home.common) { $0 + $1 }
            actors.formUnion(home.actors)
            eligibleCount += home.eligibleCount
            vectorCount += home.vectorCount
        }
        isDated = homes.contains { $0.isDated }
        best = Array(homes.flatMap(\.best).sorted { $0.score > $1.score }.prefix(Self.depth))
    }

    private static func tells(_ interval: Range<Int64>) -> Bool {
        let length = interval.upperBound.subtractingReportingOverflow(interval.lowerBound)
        return !length.overflow && length.partialValue <= longestMicroseconds
    }

    /// - Parameter unknownWorth: what a word is worth that nothing has.
    private mutating func cover(
        _ candidates: [Candidate], _ asked: [AskedWord], _ unknownWorth: Double, _ view: HomeView,
        in transaction: borrowing ReadTransaction
    ) throws {
        var all = PassageSet(capacity: view.capacity)
        for candidate in candidates {
            for passage in candidate.withNeighbors { all.insert(passage) }
        }
        let words = try WordCoverage(of: all.passages, asked, view, in: transaction)
        let needed = min(words.worth, Self.mostNeeded * unknownWorth)
        // Where the question has no words but those of times, none is missing.
        if needed > 0 { unknownShare = max(0, words.unknown - (words.worth - needed)) / needed }
        for (index, candidate) in candidates.enumerated() {
            best[index].coverage = needed > 0 ? min(1, words.worth(of: [candidate.passage]) / needed) : 1
            best[index].evidence = words.worth(of: candidate.withNeighbors) / unknownWorth
        }
    }

    private var coverage: Double { best.map(\.coverage).max() ?? 0 }

    private var evidence: Double { min(Self.mostEvidence, best.map(\.evidence).max() ?? 0) }

    /// How many of the best ten by words are among the best ten by vectors that know meanings, as a share; the mean over
    /// spaces. `nil` where too few passages are there to tell.
    var agreement: Double? {
        guard !common.isEmpty, min(vectorCount, eligibleCount) >= Self.leastAgreementCount else { return nil }
        return Double(common.values.reduce(0, +)) / Double(Self.depth * common.count)
    }

    /// One of the best matches happened at a time that the question names.
    private var isThen: Bool { isDated && best.contains { $0.isThen } }

    /// The question names one actor, and the best match is of another.
    private var isOthers: Bool { actors.count == 1 && best.first.map { !$0.isOfActor } ?? false }

    /// The best match by vectors above the mean, in standard deviations; the mean over spaces.
    private var vectorDeviations: Double {
        let count = best.map(\.vectors.count).max() ?? 0
        return (0..<count).reduce(0) { sum, space in
            sum + (best.compactMap { space < $0.vectors.count ? $0.vectors[space] : nil }.max() ?? 0)
                / Double(count)
        }
    }

    /// The signs by their names, as a regression reads them.
    package var features: [(name: String, value: Double)] {
        [
            ("coverage", coverage), ("unknownShare", unknownShare), ("evidence", evidence),
            ("agreement", agreement ?? .nan), ("isDated", isDated ? 1 : 0), ("isThen", isThen ? 1 : 0),
            ("isOthers", isOthers ? 1 : 0),
        ]
    }

    /// 0 to 1. By words where the question has any, else by vectors; where there are too few of these to tell, one half.
    /// `nil` where what is attached decides.
    var confidence: Double? {
        guard let first = best.first else { return 0 }
        guard !first.isByMedia else { return nil }
        var logit = 0.0
        if hasWords {
            let weights = agreement == nil ? Weights.words : Weights.wordsAndVectors
            logit = weights.logit(of: self)
        } else if vectorCount >= Self.leastVectorCount {
            logit = 0.756 * vectorDeviations - 2.36
        }
        return 1 / (1 + exp(-logit))
    }

    /// What `scripts/fit-confidence` gives.
    private struct Weights {
        var coverage, unknownShare, evidence, agreement, isDated, isThen, isOthers, bias: Double

        static let words = Weights(
            coverage: 3.99, unknownShare: -1.32, evidence: 1.57, agreement: 0, isDated: -1.22, isThen: 2.03,
            isOthers: -0.905, bias: -3.61)
        static let wordsAndVectors = Weights(
            coverage: 3.46, unknownShare: -1.47, evidence: 1.43, agreement: 3.46, isDated: -1.44,
            isThen: 2.57, isOthers: -1.85, bias: -3.72)

        func logit(of signs: ConfidenceSigns) -> Double {
            bias + coverage * signs.coverage + unknownShare * signs.unknownShare + evidence * signs.evidence
                + agreement * (signs.agreement ?? 0) + (signs.isDated ? isDated : 0)
                + (signs.isThen ? isThen : 0) + (signs.isOthers ? isOthers : 0)
        }
    }
}
