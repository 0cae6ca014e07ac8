import Glibc
import Store

/// BM25 scores of all passages of a home that hold a word of the question (Robertson and Zaragoza,
/// "The Probabilistic Relevance Framework", 2009).
///
/// Postings and the tail are scored alike, and statistics count the passages of current versions only:
/// the number of documents and their mean length stand in the home's counters, and the document
/// frequency of a term is counted from its postings as they are read. So all three are exact after
/// every update, however the versions came and went.
struct WordScores {
    /// Score by passage; 0 = no word matches.
    private(set) var scores: [Float]
    /// What words in titles add, by passage; empty where nothing does.
    private var titles: [Float] = []
    private var titleMean = 0.0
    /// Passages with a score, in no order.
    private(set) var matched: [UInt32] = []
    /// The scores of all passages that are compared, those without a match included.
    private(set) var moments = WordMoments()
    /// Their mean and standard deviation.
    private(set) var mean = 0.0
    private(set) var deviation = 0.0
    /// How many postings were read.
    private(set) var postingCount = 0
    /// Terms that were left out because the bound on postings was reached.
    private(set) var isCut = false
    /// The words of the question, those that are only near to one of them left out.
    private(set) var asked: [AskedWord] = []
    /// The inverse document frequency of a word that no current passage has.
    private(set) var unknownWorth = 0.0

    /// The most postings that one question may read in a home.
    static let maximumPostings = 8_000_000
    /// The most terms that a prefix stands for.
    static let maximumExpansion = 128

    /// - Parameters:
    ///   - titleWeight: what a word in a title adds, times its inverse document frequency.
    ///   - compared: the passages whose scores mean and deviation are of; `nil` = the current ones.
    ///   - shared: counts of all homes that are asked; `nil` = of this one.
    init(
        _ query: WordQuery, _ view: HomeView, k1: Double, b: Double, titleWeight: Double = 0,
        compared: PassageSet? = nil, shared: WordStatistics? = nil,
        in transaction: borrowing ReadTransaction
    ) throws {
        scores = [Float](repeating: 0, count: view.capacity)
        // Where all versions are closed, an as-of query still finds them.
        let count = Double(max(1, shared?.passageCount ?? view.state.currentPassages))
        guard view.capacity > 0, !query.isEmpty else { return }
        let mean = max(1, Double(shared?.length ?? view.state.currentLength) / count)
        let norms = LengthCode.lengths.map { Float(k1 * (1 - b + b * Double($0) / mean)) }

        // Whether each passage is current matters only where some are not.
        let current =
            view.hasClosed ? try FilterEvaluation(view: view).flagged(.current, in: transaction) : nil
        var codes = [UInt8](repeating: 0, count: view.capacity)
        try view.forEachBlock(.lengthCode, in: transaction) { first, bytes in
            let count = min(Column.lengthCode.rowsPerBlock, Int(view.state.foldedPassages) - first)
            codes.replaceSubrange(first..<first + count, with: bytes.copy(0..<count))
        }
        for entry in view.tail { codes[Int(entry.passage)] = entry.front.row.lengthCode }

        unknownWorth = log1p((count + 0.5) / 0.5)
        let folded = view.state.foldedPassages
        var group = TermGroup()
        var ownInverse = 0.0
        let inTailTitles = titleWeight == 0 ? [:] : query.titles(of: view.tail)
        for (index, term) in query.terms.enumerated() {
            let isSynonym = index < query.words.count && query.words[index].isSynonym
            let isGrouped = isSynonym || index + 1 < query.words.count && query.words[index + 1].isSynonym
            if !isSynonym { take(&group) }
            if postingCount > Self.maximumPostings {
                isCut = true
                break
            }
            let found = try FoundTerm(term, at: index, view, current, in: transaction)
            let (inTail, merged) = (found.inTail, found.merged)
            if !isSynonym { postingCount += found.postingCount }
            let documentFrequency = shared?.frequencies[term] ?? found.documentFrequency
            var inverse = log1p((count - Double(documentFrequency) + 0.5) / (Double(documentFrequency) + 0.5))
            // A rare word does not count more than the one that was asked for.
            if isSynonym { inverse = min(inverse, ownInverse) } else { ownInverse = inverse }
            if titleWeight != 0, !isSynonym, index < query.words.count {
                try addTitles(
                    of: term.bytes, Float(inverse * titleWeight), inTailTitles[index] ?? [], view,
                    in: transaction)
            }
            let scale = TermScale(
                weight: Float(inverse * (k1 + 1))
                    * Float(index < query.words.count ? query.words[index].weight : 1), norms: norms)
            if !isSynonym {
                asked.append(
                    AskedWord(
                        term: term.bytes, index: index, numbers: found.numbers,
                        worth: inverse * (index < query.words.count ? query.words[index].weight : 1),
                        isKnown: documentFrequency > 0))
            }
            if isGrouped {
                // What is in much of the home would bring in all of that, and tell little.
                if isSynonym, Double(documentFrequency) > max(Self.synonymFloor, Self.synonymShare * count) {
                    continue
                }
                group.begin(capacity: view.capacity)
                if let number = found.number {
                    try Postings.forEachBlock(of: number, in: transaction) { block in
                        for place in 0..<block.count {
                            let passage = block.passage(at: place)
                            guard passage < folded else { throw Self.strayPosting(passage) }
                            group.add(passage, scale.score(block.frequency(at: place), codes[Int(passage)]))
                        }
                    }
                }
                for (passage, frequency) in inTail {
                    group.add(passage, scale.score(frequency, codes[Int(passage)]))
                }
                continue
            }
            if let merged {
                for (passage, frequency) in merged { add(passage, frequency, scale, codes) }
            } else if let number = found.number {
                try Postings.forEachBlock(of: number, in: transaction) { block in
                    try add(block, below: folded, scale, codes)
                }
            }
            for (passage, frequency) in inTail { add(passage, frequency, scale, codes) }
        }

        take(&group)
        for passage in matched where (compared ?? current)?.contains(passage) ?? true {
            moments.scores.add(Double(scores[Int(passage)]))
            if !titles.isEmpty { moments.titles += Double(titles[Int(passage)]) }
        }
        moments.scores.count = Double(compared?.count ?? Int(view.state.currentPassages))
        compare(with: moments)
    }

    /// What is much, and what little.
    mutating func compare(with moments: WordMoments) {
        mean = moments.scores.mean
        deviation = moments.scores.deviation
        titleMean = moments.titles / max(1, moments.scores.count)
    }

    /// What other homes need to know of this one to count alike.
    static func statistics(
        of query: WordQuery, _ view: HomeView, in transaction: borrowing ReadTransaction
    ) throws -> WordStatistics {
        var statistics = WordStatistics()
        statistics.passageCount = view.state.currentPassages
        statistics.length = view.state.currentLength
        let current =
            view.hasClosed ? try FilterEvaluation(view: view).flagged(.current, in: transaction) : nil
        var postingCount = 0
        for (index, term) in query.terms.enumerated() where postingCount <= maximumPostings {
            let found = try FoundTerm(term, at: index, view, current, in: transaction)
            postingCount += found.postingCount
            statistics.frequencies[term] = found.documentFrequency
        }
        return statistics
    }

    /// Adds what the passages have that hold a word in their title.
    private mutating func addTitles(
        of word: [UInt8], _ worth: Float, _ inTail: [UInt32], _ view: HomeView,
        in transaction: borrowing ReadTransaction
    ) throws {
        let term = try Postings.number(of: Postings.termKey(FilterTerm.title(word)), in: transaction)
        if term == nil, inTail.isEmpty { return }
        if titles.isEmpty { titles = [Float](repeating: 0, count: view.capacity) }
        for passage in inTail { titles[Int(passage)] += worth }
        guard let term else { return }
        try Postings.forEachBlock(of: term, in: transaction) { block in
            postingCount += block.count
            for place in 0..<block.count {
                let passage = block.passage(at: place)
                guard passage < view.state.foldedPassages else { throw Self.strayPosting(passage) }
                titles[Int(passage)] += worth
            }
        }
    }

    /// The mean of `total`.
    var totalMean: Double { mean + titleMean }

    /// What counts where passages are put in order: the score, and what words in titles add.
    func total(_ passage: UInt32) -> Float {
        scores[Int(passage)] + (titles.isEmpty ? 0 : titles[Int(passage)])
    }

    /// What a term adds to the score of a passage that has it.
    private struct TermScale {
        let weight: Float
        /// By the code of the passage's length.
        let norms: [Float]

        @inline(__always)
        func score(_ frequency: UInt8, _ code: UInt8) -> Float {
            let frequency = Float(frequency)
            return weight * frequency / (frequency + norms[Int(code)])
        }
    }

    /// A word near to one of the question is looked up where no more than this share of the passages has it, or so many.
    private static let synonymShare = 0.02
    private static let synonymFloor = 64.0

    /// The scores of passages by a word and those near to it: the best of them counts.
    private struct TermGroup {
        private(set) var passages: [UInt32] = []
        private var best: [Float] = []

        mutating func begin(capacity: Int) {
            if best.isEmpty { best = [Float](repeating: 0, count: capacity) }
        }

        mutating func add(_ passage: UInt32, _ score: Float) {
            if best[Int(passage)] == 0 { passages.append(passage) }
            best[Int(passage)] = max(best[Int(passage)], score)
        }

        /// The score of a passage, which has none from now on.
        mutating func take(_ passage: UInt32) -> Float {
            defer { best[Int(passage)] = 0 }
            return best[Int(passage)]
        }

        mutating func finish() { passages.removeAll(keepingCapacity: true) }
    }

    private mutating func take(_ group: inout TermGroup) {
        for passage in group.passages {
            if scores[Int(passage)] == 0 { matched.append(passage) }
            scores[Int(passage)] += group.take(passage)
        }
        group.finish()
    }

    private mutating func add(_ passage: UInt32, _ frequency: UInt8, _ scale: TermScale, _ codes: [UInt8]) {
        if scores[Int(passage)] == 0 { matched.append(passage) }
        scores[Int(passage)] += scale.score(frequency, codes[Int(passage)])
    }

    /// Adds the scores of a block's passages.
    private mutating func add(
        _ block: PostingBlock, below folded: UInt32, _ scale: TermScale, _ codes: [UInt8]
    ) throws {
        var matched = matched
        self.matched = []
        defer { self.matched = matched }
        var scores = self.scores.mutableSpan
        let codes = codes.span
        for place in 0..<block.count {
            let passage = block.passage(at: place)
            guard passage < folded else { throw Self.strayPosting(passage) }
            let known = scores[Int(passage)]
            if known == 0 { matched.append(passage) }
            scores[Int(passage)] = known + scale.score(block.frequency(at: place), codes[Int(passage)])
        }
    }

    /// Where a term stands, and in how many current passages.
    private struct FoundTerm {
        /// Its postings, where it is one term.
        private(set) var number: UInt32?
        /// Those of all terms that it stands for.
        private(set) var numbers: [UInt32] = []
        private(set) var inTail: [(passage: UInt32, frequency: UInt8)] = []
        /// What stands behind a prefix of several terms: a passage counts the most frequent of them.
        private(set) var merged: [(passage: UInt32, frequency: UInt8)]?
        private(set) var documentFrequency = 0
        private(set) var postingCount = 0

        init(
            _ term: WordTerm, at index: Int, _ view: HomeView, _ current: PassageSet?,
            in transaction: borrowing ReadTransaction
        ) throws {
            let keys =
                term.isPrefix
                ? try WordScores.expand(term.bytes, in: transaction) : [Postings.wordKey(term.bytes)]
            numbers = try keys.compactMap { try Postings.number(of: $0, in: transaction) }
            let tail = view.tail
            for (place, frequency) in view.tailFrequencies[index].enumerated() where frequency > 0 {
                inTail.append((tail[place].passage, frequency))
            }
            if numbers.count > 1 { merged = try merge(numbers, view, in: transaction) }
            if let current {
                for (passage, _) in inTail where current.contains(passage) { documentFrequency += 1 }
                for (passage, _) in merged ?? [] where current.contains(passage) { documentFrequency += 1 }
            } else {
                documentFrequency = inTail.count + (merged?.count ?? 0)
            }
            guard merged == nil, let only = numbers.first else { return }
            number = only
            try Postings.forEachBlock(of: only, in: transaction) { block in
                postingCount += block.count
                documentFrequency += current.map { block.count(in: $0) } ?? block.count
            }
        }

        /// The passages with any of several terms, and the greatest of their frequencies there.
        private mutating func merge(
            _ terms: [UInt32], _ view: HomeView, in transaction: borrowing ReadTransaction
        ) throws -> [(passage: UInt32, frequency: UInt8)] {
            var frequencies = [UInt8](repeating: 0, count: view.capacity)
            var passages: [UInt32] = []
            for term in terms {
                try Postings.forEachBlock(of: term, in: transaction) { block in
                    postingCount += block.count
                    for place in 0..<block.count {
                        let passage = block.passage(at: place)
                        guard passage < view.state.foldedPassages else {
                            throw WordScores.strayPosting(passage)
                        }
                        if frequencies[Int(passage)] == 0 { passages.append(passage) }
                        frequencies[Int(passage)] = max(frequencies[Int(passage)], block.frequency(at: place))
                    }
                }
            }
            return passages.map { ($0, frequencies[Int($0)]) }
        }
    }

    private static func strayPosting(_ passage: UInt32) -> StoreError {
        StoreError(.corrupted, "a posting names passage \(passage), which is not there")
    }

    /// The terms of the dictionary that begin with `prefix`, at most `maximumExpansion`.
    private static func expand(_ prefix: [UInt8], in transaction: borrowing ReadTransaction) throws -> [Key] {
        var keys: [Key] = []
        try Schema.word.scan(prefix: Postings.wordKey(prefix), in: transaction) { key, _ in
            keys.append(Key(bytes: key.array))
            return keys.count < maximumExpansion
        }
        return keys
    }

    /// The score of a passage above the mean, in standard deviations. Where all of them match alike, as
    /// the only one of a home does, or there are none, a match counts as one deviation and what it has above.
    func normalized(_ passage: UInt32) -> Double {
        let above = Double(total(passage)) - totalMean
        // What has a word of the question is never below what has none.
        guard deviation > 0 else { return scores[Int(passage)] > 0 ? max(0, 1 + above) : 0 }
        return above / deviation
    }
}

/// What a question looks up in the index of words.
struct WordTerm: Hashable, Sendable {
    let bytes: [UInt8]
    /// It stands for all terms that begin so.
    let isPrefix: Bool
}

/// The words of a question as terms.
struct WordQuery: Sendable {
    struct Word: Sendable {
        let term: [UInt8]
        /// How much it counts: 1 for what the question says once, or less for a word that is only near to one of it.
        let weight: Double
        /// It stands behind the word of the question that it is near to.
        var isSynonym = false
    }

    private(set) var words: [Word]
    let prefixes: [[UInt8]]

    /// The most terms of a question that are looked up.
    static let maximumCount = 256

    init(_ text: String, _ tokenizer: Tokenizer) {
        let query = tokenizer.query(text)
        words = query.terms.terms.prefix(Self.maximumCount).map {
            Word(term: $0.term, weight: Self.saturated(Double($0.frequency)))
        }
        prefixes = query.prefixes.prefix(16).map(\.bytes)
    }

    var isEmpty: Bool { words.isEmpty && prefixes.isEmpty }

    /// What is looked up: the words, and behind them the prefixes.
    var terms: [WordTerm] {
        words.map { WordTerm(bytes: $0.term, isPrefix: false) }
            + prefixes.map { WordTerm(bytes: $0, isPrefix: true) }
    }

    /// What a word counts that the question says so often: once 1, and never 2 (BM25's k3 of 1). A long question repeats
    /// what its sentences need, not only what it asks for.
    private static func saturated(_ frequency: Double) -> Double { 2 * frequency / (frequency + 1) }

    /// The passages of a tail that have words of the question in their titles, by the place of the word.
    func titles(of tail: [HomeView.TailEntry]) -> [Int: [UInt32]] {
        if tail.isEmpty { return [:] }
        let places = Dictionary(words.indices.map { (TermHash.hash(words[$0].term), $0) }) { first, _ in first
        }
        var found: [Int: [UInt32]] = [:]
        for entry in tail {
            entry.front.forEachFilterTerm { term in
                guard term.count > 1, term[0] == FilterTerm.titleField else { return }
                let word = term.extracting(1...)
                guard let place = places[TermHash.hash(word)], word.isEqual(to: words[place].term) else {
                    return
                }
                found[place, default: []].append(entry.passage)
            }
        }
        return found
    }

    /// Questions of more words than that say what they mean in enough of them; others would lead away.
    static let expandedCount = 16

    /// The question with the words that a home knows to mean about the same.
    ///
    /// - Parameter weight: what they count, beside the cube of the cosine.
    func expanded(_ weight: Double, in transaction: borrowing ReadTransaction) throws -> WordQuery {
        guard weight > 0 else { return self }
        return expanded(weight, by: try synonyms(in: transaction))
    }

    /// What a home knows to mean about the same as each word, in each of its spaces.
    func synonyms(in transaction: borrowing ReadTransaction) throws -> [[EmbeddingSpace: [Synonym]]] {
        guard words.count <= Self.expandedCount else { return [] }
        let spaces = try SpaceRecord.open(in: transaction).map(\.space)
        return try words.map { word in
            var lists: [EmbeddingSpace: [Synonym]] = [:]
            for space in spaces {
                lists[space] = try SynonymLists(space).list(of: word.term, in: transaction)
            }
            return lists
        }
    }

    /// The question with words that mean about the same.
    ///
    /// - Parameter synonyms: of each word, in each space.
    func expanded(_ weight: Double, by synonyms: [[EmbeddingSpace: [Synonym]]]) -> WordQuery {
        // Near to two words of the question, one counts for the nearer of them.
        var nearest: [[UInt8]: (word: Int, cosine: Double)] = [:]
        let own = Set(words.map(\.term))
        for (index, lists) in synonyms.enumerated() {
            for synonym in lists.values.joined() where !own.contains(synonym.term) {
                if synonym.cosine > nearest[synonym.term]?.cosine ?? 0 {
                    nearest[synonym.term] = (index, synonym.cosine)
                }
            }
        }
        guard !nearest.isEmpty else { return self }
        let near = Dictionary(grouping: nearest, by: \.value.word)
        var expanded = self
        expanded.words = words.enumerated().flatMap { index, word in
            [word]
                + (near[index] ?? []).sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { term, found in
                    Word(
                        term: term, weight: word.weight * weight * found.cosine * found.cosine * found.cosine,
                        isSynonym: true)
                }
        }
        return expanded
    }
}
