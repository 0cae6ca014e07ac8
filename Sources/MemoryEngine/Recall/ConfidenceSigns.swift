import Glibc

/// What tells whether the answer to a question is in a home at all, and how sure that makes it.
///
/// The weights are those of a logistic regression over questions of LoCoMo's development half, each put to its own
/// conversation and, with the names changed, to another one (`bench confidence`). They are of quantities that hardly
/// grow with the home and do not depend on a model.
struct ConfidenceSigns: Sendable, Equatable {
    /// How much of the question's words the best match has: its BM25 score, of the bound. 0 to 1.
    private(set) var coverage = 0.0
    /// The share of the question's words, by what they would be worth, that no current passage has. 0 to 1.
    private(set) var unknownShare = 0.0
    /// The best match by vectors above the mean of the home, in standard deviations; the mean over spaces.
    private(set) var vectorDeviations = 0.0
    /// The vectors that these deviations are of; the fewest of any space.
    private(set) var vectorCount = 0
    private(set) var hasWords = false
    private(set) var hasHits = false

    /// How many of the first candidates are looked at, whatever the limit of the query.
    static let depth = 10
    /// Among fewer vectors a deviation says nothing.
    private static let leastVectorCount = 16

    init() {}

    init(_ vouching: Vouching) {
        let own = vouching.own
        let best = vouching.ranked.prefix(Self.depth).map { vouching.candidates[$0].passage }
        hasHits = !best.isEmpty
        if let words = own.words, words.bound > 0 {
            hasWords = true
            unknownShare = words.unknownShare
            coverage = min(1, (best.map { Double(words.scores[Int($0)]) }.max() ?? 0) / words.bound)
        }
        vectorCount = own.vectors.map(\.sampleCount).min() ?? 0
        for space in own.vectors {
            vectorDeviations += (best.map { space.normalized($0) }.max() ?? 0) / Double(own.vectors.count)
        }
    }

    /// 0 to 1. By words where the question has any, else by vectors; where there are too few of these to tell, one half.
    var confidence: Double {
        guard hasHits else { return 0 }
        var logit = 0.0
        if hasWords {
            logit = 6.80 * coverage - 1.79 * unknownShare - 1.08
        } else if vectorCount >= Self.leastVectorCount {
            logit = 0.756 * vectorDeviations - 2.36
        }
        return 1 / (1 + exp(-logit))
    }
}
