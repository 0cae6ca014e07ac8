/// What a scalar does to the borders of words. The classes are those of Unicode's rules for word
/// boundaries (UAX #29, table 3) as far as an index needs them: what separates words has one class,
/// however it looks, and what joins them only between two words or numbers is named for that.
enum WordClass: UInt8, Sendable {
    /// White space, punctuation, symbols, controls, emoji: no part of a word.
    case separator
    /// A letter of a script that puts space between words (ALetter, Hebrew_Letter).
    case letter
    /// A decimal digit of any script (Numeric).
    case digit
    /// `_` and its like (ExtendNumLet): a part of identifiers.
    case underscore
    /// Punctuation that joins what stands on both sides of it (MidNumLet, MidNum), and what joins the
    /// parts of paths, versions, dates and addresses. `WordScalar.folded` is the ASCII character.
    case joiner
    /// Joins two letters, and is not written (MidLetter): the point of "col·lecció".
    case silentJoiner
    /// A mark or a control that changes nothing: it stays with its word, and is not written (Format, ZWJ,
    /// and Extend where folding drops it).
    case ignorable
    /// A mark that belongs to the spelling of its word (Extend): vowel signs of Indic scripts.
    case mark
    /// A sign of a script written without spaces between words: Han, Kana, Hangul, Thai, Khmer and
    /// their like. A run of them is indexed by pairs.
    case unspaced
}

/// A scalar as the tokenizer sees it: its class, and what is written for it.
struct WordScalar: Sendable {
    let wordClass: WordClass
    let isUppercase: Bool
    /// One to three scalars of 21 bits, the first one lowest. Zero ends them.
    let folded: UInt64

    static let separator = WordScalar(.separator, folded: [])

    init(_ wordClass: WordClass, isUppercase: Bool = false, folded: [UInt32]) {
        self.wordClass = wordClass
        self.isUppercase = isUppercase
        self.folded = folded.reversed().reduce(0) { $0 << 21 | UInt64($1) }
    }

    @inline(__always)
    private init(_ wordClass: WordClass, isUppercase: Bool = false, one: UInt32) {
        self.wordClass = wordClass
        self.isUppercase = isUppercase
        self.folded = UInt64(one)
    }

    /// The scalar with this value, which may be any number.
    @inline(__always)
    init(_ value: UInt32) {
        self =
            value < 0x80
            ? WordScalar(ascii: UInt8(truncatingIfNeeded: value)) : WordScalar(beyondASCII: value)
    }

    @inline(__always)
    init(ascii byte: UInt8) {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): self.init(.letter, one: UInt32(byte))
        case UInt8(ascii: "A")...UInt8(ascii: "Z"):
            self.init(.letter, isUppercase: true, one: UInt32(byte | 0x20))
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self.init(.digit, one: UInt32(byte))
        case UInt8(ascii: "_"): self.init(.underscore, one: UInt32(byte))
        case UInt8(ascii: "'"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ","), UInt8(ascii: ":"),
            UInt8(ascii: "/"), UInt8(ascii: "@"), UInt8(ascii: "+"), UInt8(ascii: "~"):
            self.init(.joiner, one: UInt32(byte))
        default: self = .separator
        }
    }

    private init(beyondASCII value: UInt32) {
        if let entry = LetterFolding.entry(for: value) {
            self = entry
        } else if let unspaced = UnspacedScripts.folded(value) {
            self.init(.unspaced, one: unspaced)
        } else if let scalar = Unicode.Scalar(value) {
            self.init(general: scalar)
        } else {
            self = .separator
        }
    }

    /// The class by Unicode's properties, and lower case; no marks are taken off.
    init(general scalar: Unicode.Scalar) {
        if let same = Self.asciiLike(scalar.value) {
            self.init(ascii: same)
            return
        }
        if let ligature = Self.ligature(scalar.value) {
            self.init(.letter, folded: ligature.utf8.map(UInt32.init))
            return
        }
        let properties = scalar.properties
        switch properties.generalCategory {
        case .uppercaseLetter, .titlecaseLetter:
            if scalar.value == 0x212B {
                // The sign of the angstrom is the letter Å.
                self.init(.letter, isUppercase: true, one: UInt32(UInt8(ascii: "a")))
                return
            }
            let lowercase = properties.lowercaseMapping.unicodeScalars.first ?? scalar
            self.init(.letter, isUppercase: true, one: lowercase.value)
        case .lowercaseLetter, .otherLetter, .letterNumber:
            self.init(.letter, one: Self.baseLetter(scalar.value))
        case .modifierLetter:
            // The tatweel only makes a word of Arabic wider.
            self.init(scalar.value == 0x0640 ? .ignorable : .letter, one: scalar.value)
        case .decimalNumber:
            let digit = UInt32(properties.numericValue ?? 0)
            self.init(.digit, one: UInt32(UInt8(ascii: "0")) + digit)
        case .connectorPunctuation:
            self.init(.underscore, one: UInt32(UInt8(ascii: "_")))
        case .nonspacingMark, .spacingMark:
            self.init(Self.isDropped(scalar.value) ? .ignorable : .mark, one: scalar.value)
        case .enclosingMark:
            self.init(.ignorable, one: scalar.value)
        case .format:
            // A zero-width space separates words; the other format characters do not.
            self.init(scalar.value == 0x200B ? .separator : .ignorable, one: scalar.value)
        default:
            switch scalar.value {
            case 0x00B7, 0x0387, 0x2027, 0x05F3, 0x05F4: self.init(.silentJoiner, one: scalar.value)
            default: self = .separator
            }
        }
    }

    /// The ASCII character that a scalar is read as: full-width forms, the apostrophes and hyphens of
    /// typesetters, subscript digits, and the marks of Arabic numbers.
    private static func asciiLike(_ value: UInt32) -> UInt8? {
        switch value {
        case 0xFF01...0xFF5E: UInt8(value - 0xFF01 + 0x21)
        case 0x2018, 0x2019, 0x02BC: UInt8(ascii: "'")
        case 0x2010, 0x2011: UInt8(ascii: "-")
        case 0x2080...0x2089: UInt8(value - 0x2080) + UInt8(ascii: "0")
        case 0x066B: UInt8(ascii: ".")
        case 0x066C: UInt8(ascii: ",")
        default: nil
        }
    }

    /// The letters of the ligatures that typesetters use for f and s.
    private static func ligature(_ value: UInt32) -> String? {
        switch value {
        case 0xFB00: "ff"
        case 0xFB01: "fi"
        case 0xFB02: "fl"
        case 0xFB03: "ffi"
        case 0xFB04: "ffl"
        case 0xFB05, 0xFB06: "st"
        default: nil
        }
    }

    /// Marks that a word is found without: accents, the points of Hebrew, the vowels of Arabic, the nukta of
    /// Indic scripts, and the variation selectors.
    private static func isDropped(_ value: UInt32) -> Bool {
        switch value {
        case 0x0300...0x036F, 0x0483...0x0487, 0x1AB0...0x1AFF, 0x1DC0...0x1DFF, 0x20D0...0x20FF,
            0xFE20...0xFE2F:
            true
        case 0x0591...0x05C7, 0x0610...0x061A, 0x064B...0x065F, 0x0670, 0x06D6...0x06ED, 0x093C,
            0x09BC, 0x0A3C, 0x0B3C, 0xFE00...0xFE0F, 0xE0100...0xE01EF:
            true
        default: false
        }
    }

    /// The letter that one with a dropped mark in it decomposes into: hamza and madda of Arabic, nukta of
    /// Devanagari, Bengali, Gurmukhi and Oriya.
    private static func baseLetter(_ value: UInt32) -> UInt32 {
        switch value {
        case 0x0622, 0x0623, 0x0625: 0x0627
        case 0x0624: 0x0648
        case 0x0626: 0x064A
        case 0x06C0: 0x06D5
        case 0x06C2: 0x06C1
        case 0x06D3: 0x06D2
        case 0x0929, 0x0931, 0x0934: value - 1
        case 0x0958...0x095A: value - 0x0958 + 0x0915
        case 0x095B: 0x091C
        case 0x095C, 0x095D: value - 0x095C + 0x0921
        case 0x095E: 0x092B
        case 0x095F: 0x092F
        case 0x09DC, 0x09DD: value - 0x09DC + 0x09A1
        case 0x09DF: 0x09AF
        case 0x0A33: 0x0A32
        case 0x0A36: 0x0A38
        case 0x0A59, 0x0A5A: value - 0x0A59 + 0x0A16
        case 0x0A5B: 0x0A1C
        case 0x0A5E: 0x0A2B
        case 0x0B5C, 0x0B5D: value - 0x0B5C + 0x0B21
        default: value
        }
    }
}

/// Reads one scalar of UTF-8. Any bytes at all give one: a byte that begins no well-formed sequence
/// gives U+FFFD, which separates words, and a count of 1.
@inline(__always)
func decodeScalar(in utf8: Span<UInt8>, at index: Int) -> (value: UInt32, byteCount: Int) {
    let lead = utf8[index]
    if lead < 0x80 { return (UInt32(lead), 1) }
    return decodeLongScalar(in: utf8, at: index, lead: lead)
}

private func decodeLongScalar(
    in utf8: Span<UInt8>, at index: Int, lead: UInt8
) -> (value: UInt32, byteCount: Int) {
    let byteCount: Int
    let smallest: UInt32
    var value: UInt32
    switch lead {
    case 0xC2...0xDF: (byteCount, smallest, value) = (2, 0x80, UInt32(lead & 0x1F))
    case 0xE0...0xEF: (byteCount, smallest, value) = (3, 0x800, UInt32(lead & 0x0F))
    case 0xF0...0xF4: (byteCount, smallest, value) = (4, 0x10000, UInt32(lead & 0x07))
    default: return (0xFFFD, 1)
    }
    guard utf8.count - index >= byteCount else { return (0xFFFD, 1) }
    for offset in 1..<byteCount {
        let byte = utf8[index + offset]
        guard byte & 0xC0 == 0x80 else { return (0xFFFD, 1) }
        value = value << 6 | UInt32(byte & 0x3F)
    }
    let isScalar = value >= smallest && value <= 0x10FFFF && !(0xD800...0xDFFF).contains(value)
    return isScalar ? (value, byteCount) : (0xFFFD, 1)
}
