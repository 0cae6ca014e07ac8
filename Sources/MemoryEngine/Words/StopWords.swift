/// The words of English that say nothing about what a text is about: articles, pronouns, auxiliaries,
/// prepositions, conjunctions, question words and the adverbs that go with them; 126 in all.
package enum StopWords {
    /// Whether the bytes are one of the words, in lower case and without apostrophes.
    ///
    /// - Complexity: O(n) in the bytes for words of up to 10 bytes, O(1) for longer ones.
    package static func contains(_ word: [UInt8]) -> Bool {
        word.count <= longest && contains(WordBuffer(word))
    }

    /// Whether the word is one of them.
    static func contains(_ word: borrowing WordBuffer) -> Bool {
        if word.isEmpty || word.count > longest { return false }
        if word.count <= 8 { return short.contains(word.tail) }
        return long.contains { $0 == word.array }
    }

    private static let longest = 10

    /// The words of up to eight bytes, each as one number, and the others.
    private static let short = SlotTable(english.filter { $0.utf8.count <= 8 }.map { Affix($0).packed })
    private static let long = english.filter { $0.utf8.count > 8 }.map { Array($0.utf8) }

    static let english: [String] =
        """
        a an the this that these those
        i me my myself we our ours ourselves you your yours yourself yourselves he him his himself
        she her hers herself it its itself they them their theirs themselves
        what which who whom when where why how
        am is are was were be been being have has had having do does did doing can will should
        and but if or because as until while nor
        of at by for with about against between into through during before after above below
        to from up down in out on off over under
        again further then once here there all any both each few more most other some such
        no not only own same so than too very just now s t
        """
        .split(whereSeparator: \.isWhitespace).map(String.init)
}

/// A set of numbers that never changes, with open addressing: one multiplication and, nearly always, one
/// comparison to a question.
private struct SlotTable: Sendable {
    /// Zero is an empty slot. At most half of the slots are in use.
    private var slots = [UInt64](repeating: 0, count: 512)

    init(_ values: [UInt64]) {
        precondition(values.count <= slots.count / 2, "the table is too small for \(values.count) words")
        for value in values {
            var index = Self.slot(of: value)
            while slots[index] != 0, slots[index] != value { index = (index + 1) % 512 }
            slots[index] = value
        }
    }

    func contains(_ value: UInt64) -> Bool {
        var index = Self.slot(of: value)
        while slots[index] != 0 {
            if slots[index] == value { return true }
            index = (index + 1) % 512
        }
        return false
    }

    private static func slot(of value: UInt64) -> Int { Int((value &* 0x9E37_79B9_7F4A_7C15) >> 55) }
}
