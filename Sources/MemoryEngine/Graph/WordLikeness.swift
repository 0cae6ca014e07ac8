import Store

/// When two texts say nearly the same: the words that both have are at least four fifths of those that either has
/// (Jaccard, 1912). Words are compared as the index has them, without their endings. It needs no vectors, and tells a
/// copy with small changes from what is merely about the same.
enum WordLikeness {
    static let least: Float = 0.8
    /// A text of fewer words is like many others by chance; it has a copy only where the whole text is one.
    static let leastCount = 5
    /// What is read of a text, in bytes.
    static let maximumByteCount = 64 << 10

    /// The share of the words that two texts have in common, 0 to 1.
    static func of(_ a: Set<[UInt8]>, _ b: Set<[UInt8]>) -> Float {
        let common = a.intersection(b).count
        let all = a.count + b.count - common
        return all == 0 ? 0 : Float(common) / Float(all)
    }
}

extension NearMemories {
    /// The best by words that are compared with the memory.
    private static let candidateCount = 64

    /// The memories whose words are nearly the same, the most alike first.
    ///
    /// - Complexity: as a recall by the words of the memory, and O(bytes of 64 memories).
    func duplicates(of row: UInt64, in transaction: borrowing ReadTransaction) throws -> [Near] {
        guard let text = try text(of: row, in: transaction) else { return [] }
        let tokenizer = Tokenizer()
        let own = Self.words(text, tokenizer)
        // A text of equal words scores highest by them, so the best hold all copies, unless there are too many.
        let query = WordQuery(String(decoding: text, as: UTF8.self), tokenizer)
        let view = try HomeView(words: query.words.map(\.term), prefixes: query.prefixes, in: transaction)
        let scores = try WordScores(
            query, view, k1: 0.9, b: 0.4, eligible: eligible, bestCount: Self.candidateCount, in: transaction)
        let passages = scores.best.sorted()
        let rows = try view.values(.row, of: passages, in: transaction) { $0.row }
        var likenessOfRow: [UInt64: Float] = [:]
        for other in Set(rows) where other != row {
            guard let text = try self.text(of: other, in: transaction) else { continue }
            let words = Self.words(text, tokenizer)
            let likeness = WordLikeness.of(own, words)
            guard likeness >= WordLikeness.least,
                min(own.count, words.count) >= WordLikeness.leastCount || likeness == 1
            else { continue }
            likenessOfRow[other] = likeness
        }
        return Self.mostAlike(likenessOfRow)
    }

    private static func words(_ text: [UInt8], _ tokenizer: Tokenizer) -> Set<[UInt8]> {
        Set(tokenizer.terms(in: text.span).terms.map(\.term))
    }

    /// The content of the version that holds, as far as it is compared; `nil` for what has no words.
    private func text(of row: UInt64, in transaction: borrowing ReadTransaction) throws -> [UInt8]? {
        guard let (number, record) = try version(of: row, in: transaction) else { return nil }
        let count = min(Int(record.contentByteCount), WordLikeness.maximumByteCount)
        return try record.content(row, number, 0..<count, in: transaction)
    }
}
