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
    private(set) var titles: [Float] = []
    private var titleMean = 0.0
    /// The passages with the highest totals of those that were asked for, the best first.
    private(set) var best: [UInt32] = []
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
    /// All terms are scored in one range of passages before the next, that of a block of postings: what is known of so
    /// many passages stays in the processor's cache meanwhile.
    private static let rangeCount = Postings.rangeCount

    /// - Parameters:
    ///   - titleWeight: what a word in a title adds, times its inverse document frequency.
    ///   - compared: the passages whose scores mean and deviation are of; `nil` = the current ones.
    ///   - shared: counts of all homes that are asked; `nil` = of this one.
    ///   - eligible: of these the best are found, so many of them.
    init(
        _ query: WordQuery, _ view: HomeView, k1: Double, b: Double, titleWeight: Double = 0,
        compared: PassageSet? = nil, shared: WordStatistics? = nil,
        eligible: PassageSet? = nil, bestCount: Int = 0, in transaction: borrowing ReadTransaction
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
        unknownWorth = log1p((count + 0.5) / 0.5)
        var terms: [ScoredTerm] = []
        var ownInverse = 0.0
        let inTailTitles = titleWeight == 0 ? [:] : query.titles(of: view.tail)
        for (index, term) in query.terms.enumerated() {
            let isSynonym = index < query.words.count && query.words[index].isSynonym
            let isGrouped = isSynonym || index + 1 < query.words.count && query.words[index + 1].isSynonym
            if postingCount > Self.maximumPostings {
                isCut = true
                break
            }
            let found = try FoundTerm(term, at: index, view, current, in: transaction)
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
            // What is in much of the home would bring in all of that, and tell little.
            if isSynonym, Double(documentFrequency) > max(Self.synonymFloor, Self.synonymShare * count) {
                continue
            }
            terms.append(
                ScoredTerm(found: found, scale: scale, isGrouped: isGrouped, isSynonym: isSynonym))
        }

        var list = BestList(TopList(capacity: bestCount), of: eligible)
        try score(terms, compared ?? current, &list, view, in: transaction)
        best = list.top.ranked
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

    /// A term of the question that is scored.
    private struct ScoredTerm {
        let found: FoundTerm
        let scale: TermScale
        /// It has words near to it, or is one: of the scores of all of them the best counts.
        let isGrouped: Bool
        let isSynonym: Bool
        /// How many of those passages were scored that are not found by postings.
        var doneCount = 0
    }

    /// What is known of the passages of one range.
    private struct RangeState {
        /// The codes of their lengths.
        private(set) var codes: [UInt8]
        /// Their scores by a word and those near to it.
        private var grouped: [Float] = []
        private var groupedPlaces: [UInt32] = []
        private(set) var range = 0..<0

        init(capacity: Int) { codes = [UInt8](repeating: 0, count: min(capacity, WordScores.rangeCount)) }

        mutating func begin(
            _ range: Range<Int>, _ view: HomeView, in transaction: borrowing ReadTransaction
        ) throws {
            self.range = range
            let rowsPerBlock = Column.lengthCode.rowsPerBlock
            let end = min(range.upperBound, Int(view.state.foldedPassages))
            var passage = range.lowerBound
            while passage < end {
                let (block, index) = passage.quotientAndRemainder(dividingBy: rowsPerBlock)
                let count = min(rowsPerBlock - index, end - passage)
                let places = passage - range.lowerBound..<passage - range.lowerBound + count
                if let bytes = try view.block(.lengthCode, block, in: transaction) {
                    codes.replaceSubrange(places, with: bytes.copy(index..<index + count))
                } else {
                    codes.replaceSubrange(places, with: repeatElement(0, count: count))
                }
                passage += count
            }
            guard range.upperBound > end else { return }
            for entry in view.tail where range.contains(Int(entry.passage)) {
                codes[Int(entry.passage) - range.lowerBound] = entry.front.row.lengthCode
            }
        }

        mutating func beginGroup() {
            if grouped.isEmpty { grouped = [Float](repeating: 0, count: codes.count) }
        }

        mutating func group(_ passage: UInt32, _ frequency: UInt8, _ scale: TermScale) {
            let place = Int(passage) - range.lowerBound
            let score = scale.score(frequency, codes[place])
            if grouped[place] == 0 { groupedPlaces.append(UInt32(place)) }
            grouped[place] = max(grouped[place], score)
        }

        /// Puts the passages of a block into the group.
        mutating func group(_ block: PostingBlock, below folded: UInt32, _ scale: TermScale) throws {
            try Self.group(
                block, below: folded, scale, codes, range.lowerBound, into: &grouped, &groupedPlaces)
        }

        private static func group(
            _ block: PostingBlock, below folded: UInt32, _ scale: TermScale, _ codes: [UInt8], _ start: Int,
            into grouped: inout [Float], _ places: inout [UInt32]
        ) throws {
            var best = grouped.mutableSpan
            let codes = codes.span
            for index in 0..<block.count {
                let passage = block.passage(at: index)
                guard passage < folded else { throw WordScores.strayPosting(passage) }
                let place = Int(passage) - start
                let score = scale.score(block.frequency(at: index), codes[place])
                let known = best[place]
                if known == 0 { places.append(UInt32(place)) }
                best[place] = max(known, score)
            }
        }

        /// Adds the scores of the group, which is empty then.
        mutating func endGroup(adding all: inout [Float]) {
            if groupedPlaces.isEmpty { return }
            let (places, start) = (groupedPlaces, range.lowerBound)
            var scores = all.mutableSpan
            var best = grouped.mutableSpan
            for place in places {
                scores[start + Int(place)] += best[Int(place)]
                best[Int(place)] = 0
            }
            groupedPlaces = []
        }
    }

    /// The best of a set.
    private struct BestList {
        private(set) var top: TopList
        private let eligible: PassageSet?

        init(_ top: TopList, of eligible: PassageSet?) { (self.top, self.eligible) = (top, eligible) }

        /// What scores no more than that comes too late for the list.
        var bar: Float { max(0, top.bar) }

        mutating func insert(_ score: Float, _ passage: Int) {
            if eligible?.contains(UInt32(passage)) ?? true { top.insert(score, UInt32(passage)) }
        }
    }

    /// Scores all terms, range by range.
    ///
    /// - Parameter compared: the passages whose scores are summed up; `nil` = all.
    private mutating func score(
        _ terms: consuming [ScoredTerm], _ compared: PassageSet?, _ list: inout BestList, _ view: HomeView,
        in transaction: borrowing ReadTransaction
    ) throws {
        var scores = self.scores
        self.scores = []
        defer { self.scores = scores }
        var state = RangeState(capacity: view.capacity)
        for start in stride(from: 0, to: view.capacity, by: Self.rangeCount) {
            guard terms.contains(where: { $0.found.ranges.contains(UInt32(start / Self.rangeCount)) }) else {
                continue
            }
            try state.begin(start..<min(start + Self.rangeCount, view.capacity), view, in: transaction)
            for index in terms.indices {
                if !terms[index].isSynonym { state.endGroup(adding: &scores) }
                guard terms[index].found.ranges.contains(UInt32(start / Self.rangeCount)) else { continue }
                try Self.score(&terms[index], &scores, &state, view, in: transaction)
            }
            state.endGroup(adding: &scores)
            sumUp(scores, state.range, compared, &list)
        }
    }

    /// Scores a term in one range.
    private static func score(
        _ term: inout ScoredTerm, _ scores: inout [Float], _ state: inout RangeState, _ view: HomeView,
        in transaction: borrowing ReadTransaction
    ) throws {
        let scale = term.scale
        let folded = view.state.foldedPassages
        if term.isGrouped { state.beginGroup() }
        if let number = term.found.number {
            try Postings.forEachBlock(
                of: number, from: UInt32(state.range.lowerBound), in: transaction
            ) { block in
                if term.isGrouped {
                    try state.group(block, below: folded, scale)
                } else {
                    try add(block, below: folded, scale, state, to: &scores)
                }
            }
        }
        while term.doneCount < term.found.listed.count {
            let (passage, frequency) = term.found.listed[term.doneCount]
            guard Int(passage) < state.range.upperBound else { return }
            term.doneCount += 1
            if term.isGrouped {
                state.group(passage, frequency, scale)
            } else {
                let code = state.codes[Int(passage) - state.range.lowerBound]
                scores[Int(passage)] += scale.score(frequency, code)
            }
        }
    }

    /// Adds the scores of a block's passages.
    private static func add(
        _ block: PostingBlock, below folded: UInt32, _ scale: TermScale, _ state: RangeState,
        to scores: inout [Float]
    ) throws {
        var scores = scores.mutableSpan
        let codes = state.codes.span
        let start = state.range.lowerBound
        for place in 0..<block.count {
            let passage = block.passage(at: place)
            guard passage < folded else { throw strayPosting(passage) }
            scores[Int(passage)] += scale.score(block.frequency(at: place), codes[Int(passage) - start])
        }
    }

    /// Adds the scores of a range to the moments, and puts the best on a list.
    private mutating func sumUp(
        _ scores: [Float], _ range: Range<Int>, _ compared: PassageSet?, _ list: inout BestList
    ) {
        let scores = scores.span
        var (sum, squares) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
        var bar = list.bar
        for first in stride(from: range.lowerBound, to: range.upperBound, by: 64) {
            let end = min(first + 64, range.upperBound)
            let bits = compared?.words[first / 64] ?? .max
            if bits == .max, end - first == 64, titles.isEmpty {
                let chunk = scores.extracting(first..<end)
                var highest = SIMD8<Float>.zero
                for place in stride(from: 0, to: 64, by: 8) {
                    let eight = SIMD8(
                        chunk[place], chunk[place + 1], chunk[place + 2], chunk[place + 3], chunk[place + 4],
                        chunk[place + 5], chunk[place + 6], chunk[place + 7])
                    highest.replace(with: eight, where: eight .> highest)
                    let wide = SIMD8<Double>(eight)
                    sum += wide
                    squares += wide * wide
                }
                if highest.max() <= bar { continue }
            } else {
                for place in first..<end where bits >> UInt64(place - first) & 1 == 1 && scores[place] > 0 {
                    let score = Double(scores[place])
                    sum[0] += score
                    squares[0] += score * score
                    if !titles.isEmpty { moments.titles += Double(titles[place]) }
                }
            }
            for place in first..<end where scores[place] > 0 {
                let total = titles.isEmpty ? scores[place] : scores[place] + titles[place]
                guard total > bar else { continue }
                list.insert(total, place)
                bar = list.bar
            }
        }
        moments.scores.add(Moments(count: 0, sum: sum.sum(), squares: squares.sum()))
    }

    /// Where a term stands, and in how many current passages.
    private struct FoundTerm {
        /// Its postings, where it is one term.
        private(set) var number: UInt32?
        /// Those of all terms that it stands for.
        private(set) var numbers: [UInt32] = []
        /// The passages that are not found by postings, ascending: those in the tail, and what stands behind a prefix of
        /// several terms, of which a passage counts the most frequent.
        private(set) var listed: [(passage: UInt32, frequency: UInt8)] = []
        /// The ranges of passages in which it is found.
        private(set) var ranges: PassageSet
        private(set) var documentFrequency = 0
        private(set) var postingCount = 0

        init(
            _ term: WordTerm, at index: Int, _ view: HomeView, _ current: PassageSet?,
            in transaction: borrowing ReadTransaction
        ) throws {
            let keys =
                term.isPrefix
                ? try WordScores.expand(term.bytes, in: transaction) : [Postings.wordKey(term.bytes)]
            ranges = PassageSet(capacity: (view.capacity + WordScores.rangeCount - 1) / WordScores.rangeCount)
            numbers = try keys.compactMap { try Postings.number(of: $0, in: transaction) }
            if numbers.count > 1 { listed = try merge(numbers, view, in: transaction) }
            let tail = view.tail
            for (place, frequency) in view.tailFrequencies[index].enumerated() where frequency > 0 {
                listed.append((tail[place].passage, frequency))
            }
            for (passage, _) in listed {
                ranges.insert(passage / UInt32(WordScores.rangeCount))
                if current?.contains(passage) ?? true { documentFrequency += 1 }
            }
            guard numbers.count == 1, let only = numbers.first else { return }
            number = only
            try Postings.forEachBlock(of: only, in: transaction) { block in
                guard block.base < view.capacity else { throw WordScores.strayPosting(block.base) }
                ranges.insert(block.base / UInt32(WordScores.rangeCount))
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
            return passages.sorted().map { ($0, frequencies[Int($0)]) }
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
