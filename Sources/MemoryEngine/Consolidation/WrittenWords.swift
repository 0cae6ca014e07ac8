/// How the words of a home are written, by their stems: a model knows "especially", and not "especi".
struct WrittenWords: Sendable {
    private var written: [[UInt8]: (word: [UInt8], count: Int)] = [:]

    /// - Complexity: O(bytes of the memories).
    init(in study: HomeStudy) {
        var counts: [[UInt8]: Int] = [:]
        let tokenizer = Tokenizer(language: .none)
        for memory in study.memories {
            tokenizer.forEachTerm(in: memory.content.span) { term in
                guard SynonymLists.isWord(term) else { return }
                counts[term.indices.map { term[$0] }, default: 0] += 1
            }
        }
        for (word, count) in counts {
            var stem = word
            PorterStemmer.stem(&stem)
            if let known = written[stem],
                known.count > count || known.count == count && known.word.lexicographicallyPrecedes(word)
            {
                continue
            }
            written[stem] = (word, count)
        }
    }

    /// The word that is written most often of those with a stem; the stem, where none was seen.
    subscript(stem: [UInt8]) -> String { String(decoding: written[stem]?.word ?? stem, as: UTF8.self) }
}
