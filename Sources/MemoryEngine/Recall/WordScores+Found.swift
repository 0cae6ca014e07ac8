extension WordScores {
    /// The passages that have a word of the question.
    func found(capacity: Int) -> PassageSet {
        var set = PassageSet(capacity: capacity)
        let scores = scores.span
        let titles = titles.span
        for start in stride(from: 0, to: min(capacity, scores.count), by: 64) {
            var word: UInt64 = 0
            for bit in 0..<min(64, capacity - start, scores.count - start) where scores[start + bit] != 0 {
                word |= 1 << UInt64(bit)
            }
            if !titles.isEmpty {
                for bit in 0..<min(64, capacity - start) where titles[start + bit] != 0 {
                    word |= 1 << UInt64(bit)
                }
            }
            if word != 0 { set.formUnion(word, at: start / 64) }
        }
        return set
    }
}
