import Store

/// A word of a question.
struct AskedWord: Sendable, Equatable {
    let term: [UInt8]
    /// Its place in the `WordQuery`.
    let index: Int
    /// The terms of the index that it stands for; none where only the tail has it.
    let numbers: [UInt32]
    /// What it counts: its inverse document frequency, more for one that the question repeats.
    let worth: Double
    /// Some current passage has it.
    let isKnown: Bool
}

/// Which words of a question some passages have, and what these are worth.
struct WordCoverage {
    private let words: [AskedWord]
    /// By passage a bit for each word.
    private var held: [UInt32: UInt64] = [:]
    /// What all of the words are worth.
    let worth: Double

    /// The most words that are looked at, those that are worth most.
    private static let wordCount = 64

    /// - Parameter passages: in ascending order.
    init(
        of passages: [UInt32], _ asked: [AskedWord], _ view: HomeView,
        in transaction: borrowing ReadTransaction
    ) throws {
        words = Array(
            (asked.count > Self.wordCount ? asked.sorted { $0.worth > $1.worth } : asked)
                .prefix(Self.wordCount))
        worth = words.reduce(0) { $0 + $1.worth }
        var held: [UInt32: UInt64] = [:]
        for passage in passages { held[passage] = 0 }
        for (place, word) in words.enumerated() {
            let bit = UInt64(1) << UInt64(place)
            for number in word.numbers {
                try Postings.forEach(of: passages, with: number, in: transaction) {
                    held[$0, default: 0] |= bit
                }
            }
            for (entry, frequency) in view.tailFrequencies[word.index].enumerated() where frequency > 0 {
                let passage = view.tail[entry].passage
                if let known = held[passage] { held[passage] = known | bit }
            }
        }
        self.held = held
    }

    /// What the words are worth that any of some passages has.
    func worth(of passages: [UInt32]) -> Double {
        let bits = passages.reduce(UInt64(0)) { $0 | (held[$1] ?? 0) }
        return words.indices.reduce(0) { bits >> UInt64($1) & 1 == 1 ? $0 + words[$1].worth : $0 }
    }

    /// What the words are worth that no current passage of the home has.
    var unknown: Double { words.reduce(0) { $1.isKnown ? $0 : $0 + $1.worth } }
}
