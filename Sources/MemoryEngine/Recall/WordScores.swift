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
    /// Passages with a score, in no order.
    private(set) var matched: [UInt32] = []
    /// Mean and standard deviation of the scores of all current passages, those without a match included.
    private(set) var mean = 0.0
    private(set) var deviation = 0.0
    /// How many postings were read.
    private(set) var postingCount = 0
    /// Terms that were left out because the bound on postings was reached.
    private(set) var isCut = false

    /// The most postings that one question may read in a home.
    static let maximumPostings = 8_000_000
    /// The most terms that a prefix stands for.
    static let maximumExpansion = 128

    init(
        _ query: WordQuery, _ view: HomeView, k1: Double, b: Double, in transaction: borrowing ReadTransaction
    ) throws {
        scores = [Float](repeating: 0, count: view.capacity)
        // Where all versions are closed, an as-of query still finds them.
        let count = Double(max(1, view.state.currentPassages))
        guard view.capacity > 0, !query.isEmpty else { return }
        let mean = max(1, Double(view.state.currentLength) / count)
        let norms = LengthCode.lengths.map { Float(k1 * (1 - b + b * Double($0) / mean)) }

        // Whether each passage is current matters only where some are not.
        let hasClosed = view.state.currentPassages != UInt64(view.capacity)
        let current = hasClosed ? try FilterEvaluation(view: view).flagged(.current, in: transaction) : nil
        var codes = [UInt8](repeating: 0, count: view.capacity)
        try Columns.forEachBlock(.lengthCode, below: view.state.foldedPassages, in: transaction) {
            first, bytes in
            for index in 0..<min(Column.lengthCode.rowsPerBlock, Int(view.state.foldedPassages) - first) {
                codes[first + index] = bytes.u8(at: index)
            }
        }
        for entry in view.tail { codes[Int(entry.passage)] = entry.front.row.lengthCode }

        var frequencies: [UInt8] = []
        for (index, word)
            in (query.words.map { (term: $0.term, isPrefix: false) }
            + query.prefixes.map { (term: $0, isPrefix: true) }).enumerated()
        {
            if postingCount > Self.maximumPostings {
                isCut = true
                break
            }
            let keys =
                word.isPrefix
                ? try Self.expand(word.term, in: transaction) : [Postings.wordKey(word.term)]
            let numbers = try keys.compactMap { try Postings.number(of: $0, in: transaction) }
            // A prefix counts as the most frequent of its terms in a passage.
            if numbers.count > 1 { frequencies = [UInt8](repeating: 0, count: view.capacity) }
            var documentFrequency = 0
            var passages: [UInt32] = []
            var counts: [UInt8] = []
            for number in numbers {
                try Postings.forEachBlock(of: number, in: transaction) { block in
                    postingCount += block.count
                    for place in 0..<block.count {
                        let passage = block.passage(at: place)
                        guard passage < view.state.foldedPassages else {
                            throw StoreError(
                                .corrupted, "a posting names passage \(passage), which is not there")
                        }
                        if numbers.count > 1 {
                            if frequencies[Int(passage)] == 0 { passages.append(passage) }
                            frequencies[Int(passage)] = max(
                                frequencies[Int(passage)], block.frequency(at: place))
                        } else {
                            passages.append(passage)
                            counts.append(block.frequency(at: place))
                        }
                    }
                }
            }
            if numbers.count > 1 { counts = passages.map { frequencies[Int($0)] } }
            for (place, frequency) in view.tailFrequencies[index].enumerated() where frequency > 0 {
                passages.append(view.tail[place].passage)
                counts.append(frequency)
            }
            if let current {
                for passage in passages where current.contains(passage) { documentFrequency += 1 }
            } else {
                documentFrequency = passages.count
            }
            let inverse = log1p((count - Double(documentFrequency) + 0.5) / (Double(documentFrequency) + 0.5))
            let weight =
                Float(inverse * (k1 + 1)) * Float(index < query.words.count ? query.words[index].weight : 1)
            for place in passages.indices {
                let passage = Int(passages[place])
                let frequency = Float(counts[place])
                if scores[passage] == 0 { matched.append(passages[place]) }
                scores[passage] += weight * frequency / (frequency + norms[Int(codes[passage])])
            }
        }

        var sum = 0.0
        var squares = 0.0
        for passage in matched where current?.contains(passage) ?? true {
            let score = Double(scores[Int(passage)])
            sum += score
            squares += score * score
        }
        self.mean = sum / count
        deviation = Deviation.of(squares: squares, mean: self.mean, count: count)
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

    /// The score of a passage above the mean, in standard deviations. Where all current passages match alike, as
    /// the only one of a home does, or there are none, a match counts as one deviation and what it has above.
    func normalized(_ passage: UInt32) -> Double {
        let score = Double(scores[Int(passage)])
        guard deviation > 0 else { return score > 0 ? 1 + score - mean : 0 }
        return (score - mean) / deviation
    }
}

/// The words of a question as terms.
struct WordQuery: Sendable {
    struct Word: Sendable {
        let term: [UInt8]
        /// How often the question says it, or less for a word that is only near to one of it.
        let weight: Double
    }

    let words: [Word]
    let prefixes: [[UInt8]]

    /// The most terms of a question that are looked up.
    static let maximumCount = 256

    init(_ text: String, _ tokenizer: Tokenizer) {
        let query = tokenizer.query(text)
        words = query.terms.terms.prefix(Self.maximumCount).map {
            Word(term: $0.term, weight: Double($0.frequency))
        }
        prefixes = query.prefixes.prefix(16).map(\.bytes)
    }

    var isEmpty: Bool { words.isEmpty && prefixes.isEmpty }
}
