import Glibc

/// What tells whether the answer to a question is in a home at all, and how sure that makes it.
///
/// The weights are those of a logistic regression over questions of LoCoMo's development half, each put to its own
/// conversation and, with the names changed, to another one (`bench confidence`). They are of quantities that hardly
/// grow with the home and do not depend on a model.
struct ConfidenceSigns: Sendable, Equatable {
    /// The share of the question's words, by what they would be worth, that no current passage has. 0 to 1.
    private var unknownShare = 0.0
    /// The vectors that deviations are of; the fewest of any space.
    private var vectorCount = 0
    /// What a passage would score that is full of the question's words; 0 = it has none, or they were not asked.
    private var bound = 0.0
    /// The best candidates, the best first.
    private var best: [Sign] = []

    private struct Sign: Sendable, Equatable {
        var score: Double
        var words: Double
        /// In standard deviations above the mean, in each space.
        var vectors: [Double]
    }

    /// How many of the first candidates are looked at, whatever the limit of the query.
    static let depth = 10
    /// Among fewer vectors a deviation says nothing.
    private static let leastVectorCount = 16

    init() {}

    init(_ vouching: Vouching) {
        let own = vouching.own
        if let words = own.words { (bound, unknownShare) = (words.bound, words.unknownShare) }
        vectorCount = own.vectors.map(\.sampleCount).min() ?? 0
        best = vouching.ranked.prefix(Self.depth).map { vouching.candidates[$0] }.map { candidate in
            Sign(
                score: candidate.score,
                words: Double(own.words?.scores[Int(candidate.passage)] ?? 0),
                vectors: own.vectors.map { $0.normalized(candidate.passage) })
        }
    }

    /// What several homes say together, whose scores were measured alike.
    init(of homes: [ConfidenceSigns]) {
        unknownShare = homes.filter { $0.bound > 0 }.map(\.unknownShare).min() ?? 0
        bound = homes.map(\.bound).max() ?? 0
        vectorCount = homes.reduce(0) { $0 + $1.vectorCount }
        best = Array(homes.flatMap(\.best).sorted { $0.score > $1.score }.prefix(Self.depth))
    }

    /// How much of the question's words the best match has: its BM25 score, of the bound. 0 to 1.
    private var coverage: Double { min(1, (best.map(\.words).max() ?? 0) / bound) }

    /// The best match by vectors above the mean, in standard deviations; the mean over spaces.
    private var vectorDeviations: Double {
        let count = best.map(\.vectors.count).max() ?? 0
        return (0..<count).reduce(0) { sum, space in
            sum + (best.compactMap { space < $0.vectors.count ? $0.vectors[space] : nil }.max() ?? 0)
                / Double(count)
        }
    }

    /// 0 to 1. By words where the question has any, else by vectors; where there are too few of these to tell, one half.
    var confidence: Double {
        guard !best.isEmpty else { return 0 }
        var logit = 0.0
        if bound > 0 {
            logit = 6.80 * coverage - 1.79 * unknownShare - 1.08
        } else if vectorCount >= Self.leastVectorCount {
            logit = 0.756 * vectorDeviations - 2.36
        }
        return 1 / (1 + exp(-logit))
    }
}
