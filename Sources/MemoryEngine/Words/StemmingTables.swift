/// The tables of the Porter2 stemmer, as published. One object holds them all, so that a word asks only
/// once where they are.
final class StemmingTables: Sendable {
    static let shared = StemmingTables()

    private init() {}

    /// Words that have a stem of their own, or are their own stem.
    let wholeWords = SuffixTable([
        .init("skis", "ski"), .init("skies", "sky"), .init("idly", "idl"), .init("gently", "gentl"),
        .init("ugly", "ugli"), .init("early", "earli"), .init("only", "onli"), .init("singly", "singl"),
        .init("sky", "sky"), .init("news", "news"), .init("howe", "howe"), .init("atlas", "atlas"),
        .init("cosmos", "cosmos"), .init("bias", "bias"), .init("andes", "andes"),
    ])

    /// Beginnings of words that R1 lies behind, so that "organ" and "organization" part.
    private let regionPrefixes = [
        "arsen", "commun", "emerg", "gener", "inter", "later", "organ", "past", "univers",
    ].map(Affix.init)

    /// The letters that a region prefix begins with, by their low five bits.
    private let regionPrefixLetters: UInt32 = "acegilopu".utf8.reduce(0) { $0 | 1 << UInt32($1 & 31) }

    /// Step 0.
    let possessives = SuffixTable([.init("'", ""), .init("'s", ""), .init("'s'", "")])

    /// Step 1a.
    let plurals = SuffixTable([
        .init("sses", "ss"), .init("ied", "", .twoLettersBefore), .init("ies", "", .twoLettersBefore),
        .init("s", "", .vowelBefore), .init("us", "us"), .init("ss", "ss"),
    ])

    /// Step 1b.
    let pastAndProgressive = SuffixTable([
        .init("eed", "ee", .inR1), .init("eedly", "ee", .inR1), .init("ed", ""), .init("edly", ""),
        .init("ing", "", .progressive), .init("ingly", ""),
    ])

    let wordsInEed = ["succ", "proc", "exc"].map(Affix.init)
    let nounsInIng = ["even", "cann", "inn", "earr", "herr", "out"].map(Affix.init)
    let endingsThatWantE = SuffixTable([.init("at", "ate"), .init("bl", "ble"), .init("iz", "ize")])

    /// Step 2.
    let doubleSuffixes = SuffixTable([
        .init("tional", "tion"), .init("enci", "ence"), .init("anci", "ance"), .init("abli", "able"),
        .init("entli", "ent"), .init("izer", "ize"), .init("ization", "ize"), .init("ational", "ate"),
        .init("ation", "ate"), .init("ator", "ate"), .init("alism", "al"), .init("aliti", "al"),
        .init("alli", "al"), .init("fulness", "ful"), .init("ousli", "ous"), .init("ousness", "ous"),
        .init("iveness", "ive"), .init("iviti", "ive"), .init("biliti", "ble"), .init("bli", "ble"),
        .init("ogist", "og"), .init("ogi", "og", .afterL), .init("fulli", "ful"), .init("lessli", "less"),
        .init("li", "", .afterLiLetter),
    ])

    /// Step 3.
    let adjectivalSuffixes = SuffixTable([
        .init("tional", "tion"), .init("ational", "ate"), .init("alize", "al"), .init("icate", "ic"),
        .init("iciti", "ic"), .init("ical", "ic"), .init("ful", ""), .init("ness", ""),
        .init("ative", "", .inR2),
    ])

    /// Step 4.
    let residualSuffixes = SuffixTable([
        .init("al", ""), .init("ance", ""), .init("ence", ""), .init("er", ""), .init("ic", ""),
        .init("able", ""), .init("ible", ""), .init("ant", ""), .init("ement", ""), .init("ment", ""),
        .init("ent", ""), .init("ism", ""), .init("ate", ""), .init("iti", ""), .init("ous", ""),
        .init("ive", ""), .init("ize", ""), .init("ion", "", .afterSOrT),
    ])

    /// The region prefix that the word begins with, if there is one.
    func regionPrefix(of word: borrowing WordBuffer) -> Affix? {
        guard regionPrefixLetters >> UInt32(word[0] & 31) & 1 == 1 else { return nil }
        let head = word.head
        return regionPrefixes.first { $0.isPrefix(ofHead: head) }
    }

    /// Whether the first `count` letters of the word are one of the affixes.
    func isBeginning(_ affixes: [Affix], of word: borrowing WordBuffer, count: Int) -> Bool {
        guard (3...4).contains(count) else { return false }
        let head = word.head
        return affixes.contains { $0.count == count && $0.isPrefix(ofHead: head) }
    }
}
