import HNSW
import Store

/// Which words mean alike, by their vectors in one space.
struct WordConsolidation: Sendable {
    let space: EmbeddingSpace
    private var vectors: TermVectors { TermVectors(space) }
    private var lists: SynonymLists { SynonymLists(space) }

    /// Words that are embedded and stored together: some 3 MB.
    private static let wordsPerPart = 4_096
    /// Products that are computed before what was found is stored: some tenths of a second.
    private static let productsPerPart = 8_000_000

    init(_ space: EmbeddingSpace) { self.space = space }

    /// Whether the home has vectors in the space. By one that it has not, nothing is known of words either: `forget` and
    /// `check` go by the spaces that are there.
    func hasSpace(in transaction: borrowing ReadTransaction) throws -> Bool {
        try SpaceRecord.open(in: transaction).contains { $0.space == space }
    }

    /// Some words behind `last`, in the order of their bytes, that have no vector yet: of the dictionary, and of passages that
    /// are not folded.
    func wordsWithoutVector(
        after last: [UInt8], in transaction: borrowing ReadTransaction
    ) throws -> [[UInt8]] {
        var words: Set<[UInt8]> = []
        let prefix = Postings.wordKey([])
        let start = prefix.bytes.count
        try Schema.word.scan(prefix: prefix, from: Postings.wordKey(last), in: transaction) { key, _ in
            let term = key.copy(start..<key.byteCount)
            if term != last, SynonymLists.isWord(term.span), try !vectors.contains(term, in: transaction) {
                words.insert(term)
            }
            return words.count < Self.wordsPerPart
        }
        let state = try HomeState.read(in: transaction)
        try TailRecord.forEach(in: transaction, from: state.foldedPassages) { _, _, bytes in
            let view = try TermListView(checking: bytes)
            try view.forEach(in: bytes) { _, term, _ in
                guard SynonymLists.isWord(term) else { return }
                let copy = term.indices.map { term[$0] }
                if last.lexicographicallyPrecedes(copy), !words.contains(copy),
                    try !vectors.contains(copy, in: transaction)
                {
                    words.insert(copy)
                }
            }
        }
        return Array(words.sorted { $0.lexicographicallyPrecedes($1) }.prefix(Self.wordsPerPart))
    }

    /// Stores vectors of words that are still there. Returns how many.
    func put(
        _ words: [[UInt8]], _ rows: [[Float]], in transaction: borrowing WriteTransaction
    ) throws -> Int {
        try checkSpace(in: transaction.snapshot)
        // What was forgotten while it was embedded is not brought back.
        let state = try HomeState.read(in: transaction.snapshot)
        let present = try SynonymLists.held(Set(words), state, in: transaction.snapshot)
        for (word, row) in zip(words, rows) where present.contains(word) {
            try vectors.put(word, row, in: transaction)
        }
        return present.count
    }

    private func checkSpace(in transaction: borrowing ReadTransaction) throws {
        guard try hasSpace(in: transaction) else {
            throw EngineError(.conflict, "\(space.name) was dropped while words were embedded in it")
        }
    }

    // MARK: Comparing

    /// All vectors, and the words that have no list yet.
    struct Table: Sendable {
        var vectors: TermVectors.Table
        /// Places of words that are to be compared.
        var due: [Int] = []
        /// Words that name somebody.
        var isName: [Bool] = []
        /// Words that had a list before.
        var isKnown: [Bool] = []

        init(_ vectors: TermVectors.Table) { self.vectors = vectors }
        init(_ space: EmbeddingSpace) {
            self.init(TermVectors.Table(rowByteCount: Distance.byteCount(dimension: space.dimension)))
        }

        /// Ranges of `due` that are compared together.
        var parts: [Range<Int>] {
            let size = max(16, WordConsolidation.productsPerPart / max(1, vectors.terms.count))
            return stride(from: 0, to: due.count, by: size).map { $0..<min($0 + size, due.count) }
        }
    }

    /// What was found: whole lists, and additions to lists that are there.
    struct Found: Sendable {
        var lists: [(term: [UInt8], list: [Synonym], isName: Bool)] = []
        var additions: [[UInt8]: [Synonym]] = [:]
    }

    func table(in transaction: borrowing ReadTransaction) throws -> Table {
        var table = Table(try vectors.all(in: transaction))
        let names = try names(in: transaction)
        for (place, term) in table.vectors.terms.enumerated() {
            let isName = names.contains(term)
            let list = try lists.list(of: term, in: transaction)
            table.isName.append(isName)
            table.isKnown.append(list != nil)
            // A word may have become a name since.
            if list == nil || isName && list != [] { table.due.append(place) }
        }
        return table
    }

    /// The words that names of actors are made of.
    private func names(in transaction: borrowing ReadTransaction) throws -> Set<[UInt8]> {
        let tokenizer = Tokenizer()
        var names: Set<[UInt8]> = []
        for (name, _) in try Names.all(.actor, in: transaction) {
            for (term, _) in tokenizer.terms(in: name).terms { names.insert(term) }
        }
        return names
    }

    /// Stores lists, without words that were forgotten meanwhile. Returns how many pairs there are in the whole lists.
    func put(_ found: Found, in transaction: borrowing WriteTransaction) throws -> Int {
        var known: [[UInt8]: Bool] = [:]
        func isThere(_ term: [UInt8], _ transaction: borrowing ReadTransaction) throws -> Bool {
            if let known = known[term] { return known }
            let isThere = try vectors.contains(term, in: transaction)
            known[term] = isThere
            return isThere
        }
        try checkSpace(in: transaction.snapshot)
        var count = 0
        for (term, list, isName) in found.lists where try isThere(term, transaction.snapshot) {
            // What another consolidation found meanwhile stays.
            let other = isName ? [] : try lists.list(of: term, in: transaction.snapshot) ?? []
            var list = list
            for synonym in other { SynonymLists.insert(synonym, into: &list) }
            list = try list.filter { try isThere($0.term, transaction.snapshot) }
            try lists.put(list, of: term, in: transaction)
            count += list.count
        }
        for (term, additions) in found.additions {
            // A list that was removed meanwhile is made whole by the next consolidation.
            guard var list = try lists.list(of: term, in: transaction.snapshot) else { continue }
            for synonym in additions where try isThere(synonym.term, transaction.snapshot) {
                SynonymLists.insert(synonym, into: &list)
            }
            try lists.put(list, of: term, in: transaction)
        }
        return count
    }
}

extension WordConsolidation.Table {
    /// The words nearest to some that are due.
    func compared(_ part: Range<Int>) -> WordConsolidation.Found {
        var found = WordConsolidation.Found()
        var products: [Int32] = []
        let rows = vectors.rows.span
        for place in due[part] {
            let term = vectors.terms[place]
            guard !isName[place] else {
                found.lists.append((term, [], true))
                continue
            }
            let start = place * vectors.rowByteCount
            Distance.dots(rows.extracting(start..<start + vectors.rowByteCount), rows: rows, into: &products)
            let step = Double(vectors.steps[place])
            var list: [Synonym] = []
            for (other, product) in products.enumerated() where other != place {
                let cosine = Double(product) * step * Double(vectors.steps[other])
                guard cosine >= SynonymLists.leastCosine, !isName[other] else { continue }
                SynonymLists.insert(Synonym(term: vectors.terms[other], cosine: cosine), into: &list)
                if isKnown[other], !isKnown[place] {
                    found.additions[vectors.terms[other], default: []].append(
                        Synonym(term: term, cosine: cosine))
                }
            }
            found.lists.append((term, list, false))
        }
        return found
    }
}
