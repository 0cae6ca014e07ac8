/// What a recall over several homes measures by: the sums of what each of them holds, so that the same memories are found
/// in the same order however they are spread.
///
/// It comes together step by step (`HomeWork.Step`), as each step needs what the one before has summed up.
struct SharedStatistics: Sendable {
    /// What the homes know to mean about the same as each word of the question, in each space.
    var synonyms: [[EmbeddingSpace: [Synonym]]] = []
    /// When the first memory of all happened.
    var first = Timestamp.distantFuture
    /// The actors that the question names.
    var actors: [String] = []
    var words = WordStatistics()
    var wordMoments = WordMoments()
    var vectorMoments: [EmbeddingSpace: Moments] = [:]
    /// For each home the ranks of what it found, among what all of them found, the best first.
    var wordRanks: [Namespace: [Int]] = [:]
    var vectorRanks: [EmbeddingSpace: [Namespace: [Int]]] = [:]
    var candidateCount = 0

    /// Sums up what the homes told after a step.
    mutating func add(_ works: [HomeWork], after step: HomeWork.Step) {
        switch step {
        case .lookUp:
            for work in works {
                add(work.told.synonyms)
                first = min(first, work.told.first)
            }
            let names = Set(works.flatMap(\.told.actors))
            if let query = works.first?.recall.query, !names.isEmpty {
                actors = NamedActors.find(query.text, actors: names.sorted())
            }
        case .count:
            for work in works { words.add(work.told.words) }
        case .score:
            for work in works {
                wordMoments.add(work.told.wordMoments)
                for (space, moments) in work.told.vectorMoments {
                    vectorMoments[space, default: Moments()].add(moments)
                }
            }
            wordRanks = Self.ranks(works) { $0.wordList }
            for space in vectorMoments.keys {
                vectorRanks[space] = Self.ranks(works) { $0.vectorLists[space] ?? [] }
            }
        case .gather: candidateCount = works.reduce(0) { $0 + $1.told.candidateCount }
        case .answer: break
        }
    }

    /// Of each word the nearest, whichever home knows them.
    private mutating func add(_ others: [[EmbeddingSpace: [Synonym]]]) {
        if synonyms.isEmpty { synonyms = [[EmbeddingSpace: [Synonym]]](repeating: [:], count: others.count) }
        for (word, lists) in others.enumerated() {
            for (space, list) in lists {
                var nearest = Dictionary(
                    ((synonyms[word][space] ?? []) + list).map { ($0.term, $0.cosine) }, uniquingKeysWith: max
                ).map { Synonym(term: $0, cosine: $1) }
                nearest.sort {
                    $0.cosine != $1.cosine
                        ? $0.cosine > $1.cosine : $0.term.lexicographicallyPrecedes($1.term)
                }
                synonyms[word][space] = Array(nearest.prefix(SynonymLists.maximumCount))
            }
        }
    }

    /// Where all homes count alike, the best of all are candidates, as they are of one home. Else each brings its own best,
    /// as its weight may bring them up.
    private static func ranks(
        _ works: [HomeWork], _ list: (HomeWork.Told) -> [Float]
    ) -> [Namespace: [Int]] {
        guard let recall = works.first?.recall else { return [:] }
        let areAlike = Set(recall.query.namespaces.values).count == 1
        var all: [(score: Float, home: Int)] = []
        for (home, work) in works.enumerated() { all += list(work.told).map { ($0, home) } }
        all.sort { $0.score != $1.score ? $0.score > $1.score : $0.home < $1.home }
        var ranks: [Namespace: [Int]] = [:]
        for (place, entry) in all.prefix(areAlike ? recall.listCount : .max).enumerated() {
            ranks[works[entry.home].recall.home, default: []].append(place + 1)
        }
        return ranks
    }
}

/// The count of numbers, their sum and that of their squares. Those of two lots add up to those of both.
struct Moments: Sendable, Equatable {
    var count = 0.0
    private(set) var sum = 0.0
    private(set) var squares = 0.0

    init() {}

    init(count: Double, sum: Double, squares: Double) {
        (self.count, self.sum, self.squares) = (count, sum, squares)
    }

    mutating func add(_ value: Double) {
        count += 1
        sum += value
        squares += value * value
    }

    mutating func add(_ other: Moments) {
        count += other.count
        sum += other.sum
        squares += other.squares
    }

    /// As of so many numbers in the place of each.
    func standing(for distance: Int) -> Moments {
        var all = self
        all.count *= Double(distance)
        all.sum *= Double(distance)
        all.squares *= Double(distance)
        return all
    }

    var mean: Double { count > 0 ? sum / count : 0 }

    /// The standard deviation. Numbers that differ by no more than rounding have none: dividing by it would make a
    /// difference of nothing.
    var deviation: Double {
        guard count > 0 else { return 0 }
        let variance = squares / count - mean * mean
        return variance > 1e-12 * max(1, mean * mean) ? variance.squareRoot() : 0
    }
}

/// The moments of scores of words, and the sum of what words in titles add to them.
struct WordMoments: Sendable {
    var scores = Moments()
    var titles = 0.0

    mutating func add(_ other: WordMoments) {
        scores.add(other.scores)
        titles += other.titles
    }
}

/// What BM25 counts: passages of current versions, the terms in them, and how many have each term of the question.
struct WordStatistics: Sendable {
    var passageCount: UInt64 = 0
    var length: UInt64 = 0
    var frequencies: [WordTerm: Int] = [:]

    mutating func add(_ other: WordStatistics) {
        passageCount += other.passageCount
        length += other.length
        frequencies.merge(other.frequencies, uniquingKeysWith: +)
    }
}
