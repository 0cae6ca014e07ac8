import Glibc

/// How much each way of vouching counts in a score: as a share of the score of what vouches, or in standard deviations.
///
/// The best of a larger home stand out by more deviations: of n normal ones the largest is about √(2 ln n). So what is added in
/// deviations is given for a home of 600 passages, and counts √(ln n / ln 600) times as much in one of n.
///
/// The defaults were measured on conversations and stay the same for other data: the optimum is flat, and to halve or double
/// one of them costs about a point of recall@10 (`docs/decisions/0011-recall-over-edges.md`). 0 switches one off.
public struct RecallWeights: Sendable, Equatable {
    /// The share of its score that a turn which asks something gives to the turn behind it: that is likely its answer.
    public var reply = 0.6
    /// The share of its score that any other turn gives to the turn behind it.
    public var previous = 0.1
    /// The share of its score that a turn gives to the turn before it.
    public var next = 0.2
    /// The share of its score that the best memory of a session (where there is none, of a thread) gives to all of it.
    /// Nothing that holds more than half of what was found counts as a session: it would tell nothing apart. And no
    /// commits, whose sessions are long and of many things.
    public var session = 0.4
    /// Added to what somebody said or did whom the question names.
    public var actor = 1.1
    /// Added to what happened within a time that the question names.
    public var calendar = 2.4
    /// Added to what speaks of a time that the question names; half of it where the memory's words name a time of more
    /// than a month.
    public var event = 0.7
    /// Added to what names any time at all, which "when" asks for.
    public var dated = 0.0
    /// The share of its score that a memory gives to those which an edge of cause or reference joins to it.
    public var causes = 0.0
    /// The share of its score that a memory gives to those which it refers to, if that is more.
    public var references = 0.3
    /// What a word of the question adds that stands in the title of a memory, beside what it counts there as a word: so many
    /// times its inverse document frequency. A title is the first line of a commit, a heading, or a first line that an
    /// empty one sets off.
    public var titles = 2.0
    /// What a word that means about the same as one of the question counts beside that word, times the cube of the cosine of
    /// their vectors. A memory with both has the better of the two. Homes know such words once they were consolidated.
    public var synonyms = 1.0

    /// The greatest weight, of either sign.
    public static let maximum = 100.0

    public init() {}

    /// The weights for what a question wants to know.
    public init(for intent: Intent) { self = RecallWeights().adjusted(for: intent) }

    /// With what a question wants to know: causes count for why, and times for when.
    public func adjusted(for intent: Intent) -> RecallWeights {
        var weights = self
        switch intent {
        case .why: weights.causes = max(causes, 0.3)
        case .when: weights.dated = max(dated, 0.3)
        default: break
        }
        return weights
    }

    /// With what is added in deviations as a home of so many passages has it.
    func scaled(toPassages count: UInt64) -> RecallWeights {
        let factor = Self.sizeFactor(passages: Int(count))
        var weights = self
        weights.actor *= factor
        weights.calendar *= factor
        weights.event *= factor
        weights.dated *= factor
        return weights
    }

    /// How much more what is added in deviations counts in a home of so many passages than in one of 600.
    package static func sizeFactor(passages count: Int) -> Double {
        (log(Double(max(count, leastPassages))) / log(referencePassages)).squareRoot()
    }

    private static let referencePassages = 600.0
    private static let leastPassages = 10

    /// Nothing vouches.
    public static let none: RecallWeights = {
        var weights = RecallWeights()
        for path in names.map(\.path) { weights[keyPath: path] = 0 }
        return weights
    }()

    /// Each weight with its name.
    package static var names: [(name: String, path: WritableKeyPath<RecallWeights, Double>)] {
        [
            ("reply", \.reply), ("previous", \.previous), ("next", \.next), ("session", \.session),
            ("actor", \.actor), ("calendar", \.calendar), ("event", \.event), ("dated", \.dated),
            ("causes", \.causes), ("references", \.references), ("titles", \.titles),
            ("synonyms", \.synonyms),
        ]
    }
}
