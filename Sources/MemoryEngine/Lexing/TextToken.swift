/// A word, a number or a sign of a text, as the rules that read text for the graph see it.
struct TextToken: Sendable {
    enum Kind: UInt8, Sendable {
        /// Behind the last token, and before the first.
        case end
        /// Letters of any script. An apostrophe is a sign, so "Ada's" is three tokens.
        case word
        /// ASCII digits.
        case number
        /// One sign that is no letter, digit or space. Dashes of every width are `-`, and curly quotes and
        /// apostrophes are straight, so that the grammars need not know them.
        case sign
    }

    struct Flags: OptionSet, Sendable {
        let rawValue: UInt8
        /// No white space lies between this token and the one before it.
        static let glued = Flags(rawValue: 1)
        /// A line ends between the token before it and this one.
        static let startsLine = Flags(rawValue: 2)
        /// Of a word: its first letter is a capital of ASCII or Latin-1.
        static let capital = Flags(rawValue: 4)
        /// Of a word of more than three letters: it ends in "ed".
        static let endsInEd = Flags(rawValue: 8)
        /// Of a word of more than three letters: it ends in "s" but not in "ss" or "us", as plurals do.
        static let endsInS = Flags(rawValue: 16)
        /// A blank line lies between the token before it and this one.
        static let startsParagraph = Flags(rawValue: 32)
    }

    var kind: Kind = .end
    /// Of a sign: what it is; 0 where it has no likeness in ASCII.
    var sign: UInt8 = 0
    var flags: Flags = []
    /// Of a word: its tag in the lexicon, 0 if it is not there.
    var tag: UInt16 = 0
    /// The bytes of the text.
    var start = 0
    var end = 0
    /// Of a word: its letters. Of a number: its value in `low`.
    var key = WordKey.none

    var range: Range<Int> { start..<end }
    var isGlued: Bool { flags.contains(.glued) }
    var startsLine: Bool { flags.contains(.startsLine) }
    var startsParagraph: Bool { flags.contains(.startsParagraph) }
    var isCapital: Bool { flags.contains(.capital) }
    var endsInEd: Bool { flags.contains(.endsInEd) }
    var endsInS: Bool { flags.contains(.endsInS) }
    var digitCount: Int { kind == .number ? end - start : 0 }
    /// The value of up to ten digits, else one that is larger than they give.
    var number: Int { Int(truncatingIfNeeded: key.low) }

    @inline(__always)
    func isSign(_ character: Unicode.Scalar) -> Bool {
        kind == .sign && sign == UInt8(truncatingIfNeeded: character.value)
    }

    /// Whether it is a full stop, an exclamation mark or a question mark.
    var endsSentence: Bool { kind == .sign && (sign == 0x2E || sign == 0x21 || sign == 0x3F) }
}
