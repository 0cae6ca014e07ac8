import Store

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
