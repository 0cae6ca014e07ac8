/// The letters and digits between two joiners or underscores, seen as what may be hexadecimal.
private struct HexRun {
    var firstPart = 0
    var changeCount = 0
    private var isHexadecimal = true

    mutating func see(letter: UInt64) {
        let isHexLetter = letter >= UInt64(UInt8(ascii: "a")) && letter <= UInt64(UInt8(ascii: "f"))
        if !isHexLetter { isHexadecimal = false }
    }

    /// Whether the run is a hash rather than words and numbers: at least seven hexadecimal digits with both
    /// kinds among them; or at least four that change twice between the kinds, as in the groups of a UUID.
    func isHash(byteCount: Int) -> Bool {
        isHexadecimal && changeCount > 0 && (byteCount >= 7 || (byteCount >= 4 && changeCount > 1))
    }
}

/// What stands together without a space: a word with something in it, or an identifier. Holds its folded
/// bytes, and where its parts lie in them.
///
/// A joiner belongs to a piece only between two word characters: `.`, `-`, `/`, `@`, `+` and `~` between
/// any two, `::` too, `:` between digits, `'` between letters, and `,` before a group of three digits. So
/// punctuation at the end of a sentence is no part of it, and two hyphens end it.
struct Piece {
    /// What lies between a part and the one before it.
    enum Border: UInt8 {
        /// A change of case or kind, or a joiner that is none of the others.
        case weak = 0
        /// A point that joins two letters.
        case point = 1
        /// `/`, `@` or `::`.
        case component = 2
    }

    /// A part, which is a word or number: the range of its bytes in `folded`.
    struct Part {
        var start: Int
        var end: Int
        var border: Border
    }

    private(set) var folded: [UInt8] = []
    private(set) var parts: [Part] = []

    // What has been read, while reading.
    private enum Kind {
        case none
        case letter
        case capital
        case digit
        case underscore
    }
    private var last = Kind.none
    private var border = Border.weak
    private var lastLetterStart = 0
    private var capitalsInARow = 0
    private var digitsInARow = 0
    private var hexRun = HexRun()
    private var lastApostrophe: Int?

    /// Whether a piece begins with the punctuation at `index`: a `/` before a name, where a path begins, and
    /// a `#` before a digit.
    static func isLeader(_ utf8: Span<UInt8>, at index: Int) -> Bool {
        let byte = utf8[index]
        guard byte == UInt8(ascii: "/") || byte == UInt8(ascii: "#"), index + 1 < utf8.count else {
            return false
        }
        if byte == UInt8(ascii: "#") { return isASCIIDigit(utf8[index + 1]) }
        guard isWord(utf8, at: index + 1) else { return false }
        guard index > 0 else { return true }
        switch utf8[index - 1] {
        case 0...32, UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"), UInt8(ascii: "("),
            UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "<"), UInt8(ascii: "="), UInt8(ascii: ","):
            return true
        default: return false
        }
    }

    /// Reads the piece that begins at `start`, where a word character or a leader stands. Returns where it
    /// ends.
    mutating func read(_ utf8: Span<UInt8>, from start: Int) -> Int {
        reset()
        var index = start
        if Self.isLeader(utf8, at: start) {
            folded.append(utf8[start])
            index += 1
        }
        scan: while index < utf8.count {
            let (value, byteCount) = decodeScalar(in: utf8, at: index)
            let scalar = WordScalar(value)
            let next = index + byteCount
            switch scalar.wordClass {
            case .letter: appendLetter(scalar, utf8, next)
            case .digit: appendDigit(scalar)
            case .mark: append(scalar)
            case .ignorable: break
            case .underscore:
                closePart()
                append(scalar)
                last = .underscore
            case .silentJoiner:
                guard isLetter(last), Self.wordClass(utf8, at: next) == .letter else { break scan }
            case .joiner:
                let joined = join(UInt8(truncatingIfNeeded: scalar.folded), utf8, next)
                guard joined >= 0 else { break scan }
                index = next + joined
                continue scan
            case .separator, .unspaced: break scan
            }
            index = next
        }
        closePart()
        return index
    }

    private mutating func reset() {
        folded.removeAll(keepingCapacity: true)
        parts.removeAll(keepingCapacity: true)
        last = .none
        border = .weak
        digitsInARow = 0
        capitalsInARow = 0
        hexRun = HexRun()
        lastApostrophe = nil
    }

    // MARK: Letters and digits

    private mutating func appendLetter(_ scalar: WordScalar, _ utf8: Span<UInt8>, _ next: Int) {
        switch last {
        case .none, .underscore: startPart(at: folded.count)
        case .digit:
            startPart(at: folded.count)
            hexRun.changeCount += 1
        case .letter:
            if scalar.isUppercase { startPart(at: folded.count) }
        case .capital:
            // "HTTPHeader" parts before its second H; "URLs" is one word.
            if !scalar.isUppercase, capitalsInARow > 1, !isPluralS(scalar, utf8, next) {
                startPart(at: lastLetterStart)
            }
        }
        lastLetterStart = folded.count
        capitalsInARow = scalar.isUppercase ? (last == .capital ? capitalsInARow + 1 : 1) : 0
        last = scalar.isUppercase ? .capital : .letter
        hexRun.see(letter: scalar.folded)
        append(scalar)
    }

    private func isPluralS(_ scalar: WordScalar, _ utf8: Span<UInt8>, _ next: Int) -> Bool {
        scalar.folded == UInt64(UInt8(ascii: "s")) && Self.wordClass(utf8, at: next) != .letter
    }

    private mutating func appendDigit(_ scalar: WordScalar) {
        switch last {
        case .digit: break
        case .none, .underscore:
            startPart(at: folded.count)
            digitsInARow = 0
        case .letter, .capital:
            startPart(at: folded.count)
            hexRun.changeCount += 1
            digitsInARow = 0
        }
        digitsInARow += 1
        last = .digit
        append(scalar)
    }

    private mutating func append(_ scalar: WordScalar) {
        var rest = scalar.folded
        repeat {
            appendScalar(UInt32(rest & 0x1F_FFFF), to: &folded)
            rest >>= 21
        } while rest != 0
    }

    private func isLetter(_ kind: Kind) -> Bool { kind == .letter || kind == .capital }

    // MARK: Parts

    /// Ends the part at hand, if there is one, and begins the next one.
    private mutating func startPart(at start: Int) {
        if last == .none || last == .underscore {
            hexRun = HexRun()
            hexRun.firstPart = parts.count
        } else {
            parts[parts.count - 1].end = start
        }
        parts.append(Part(start: start, end: start, border: border))
        border = .weak
    }

    /// Ends the part at hand, and makes one of the parts of a hash.
    private mutating func closePart() {
        guard last != .none, last != .underscore else { return }
        parts[parts.count - 1].end = folded.count
        let first = hexRun.firstPart
        if parts.count - first > 1, hexRun.isHash(byteCount: folded.count - parts[first].start) {
            parts[first].end = folded.count
            parts.removeLast(parts.count - first - 1)
        }
    }

    /// Takes off what English writes behind an apostrophe: 's, 'm, 're, 've, 'll and 'd. Returns whether the
    /// whole piece is a negated auxiliary: "don't".
    mutating func removeEnglishEnding() -> Bool {
        guard let apostrophe = lastApostrophe, let ending = parts.last, ending.start == apostrophe + 1,
            ending.end == folded.count, folded.count - ending.start <= 2
        else { return false }
        let first = folded[ending.start]
        let second = folded.count - ending.start == 2 ? folded[ending.start + 1] : 0
        switch (first, second) {
        case (UInt8(ascii: "t"), 0):
            return parts.count == 2 && folded[apostrophe - 1] == UInt8(ascii: "n")
        case (UInt8(ascii: "s"), 0), (UInt8(ascii: "m"), 0), (UInt8(ascii: "d"), 0),
            (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
            (UInt8(ascii: "l"), UInt8(ascii: "l")):
            parts.removeLast()
            folded.removeLast(folded.count - apostrophe)
            return false
        default:
            return false
        }
    }

    /// The part behind the last one of the group that begins with `first`: the next one with a border at
    /// least as strong as `border`.
    func endOfGroup(from first: Int, border: Border) -> Int {
        var end = first + 1
        while end < parts.count, parts[end].border.rawValue < border.rawValue { end += 1 }
        return end
    }

    // MARK: Joiners

    /// Joins what has been read to what stands at `next`, if the joiner does that there. Returns how many
    /// bytes behind the joiner belong to it; -1 where it joins nothing.
    private mutating func join(_ joiner: UInt8, _ utf8: Span<UInt8>, _ next: Int) -> Int {
        guard last != .none else { return -1 }
        let following = Self.wordClass(utf8, at: next)
        let isFollowed = following == .letter || following == .digit || following == .underscore
        switch joiner {
        case UInt8(ascii: ","):
            // The comma of "1,000" is not written, and its groups are one part.
            guard last == .digit, digitsInARow <= 3, Self.isGroupOfThree(utf8, at: next) else { return -1 }
            digitsInARow = 0
            return 0
        case UInt8(ascii: "'"):
            guard isLetter(last), following == .letter else { return -1 }
            lastApostrophe = folded.count
            end(with: joiner, .weak)
        case UInt8(ascii: ":"):
            if last == .digit, following == .digit {
                end(with: joiner, .weak)
            } else {
                guard next < utf8.count, utf8[next] == joiner, Self.isWord(utf8, at: next + 1) else {
                    return -1
                }
                end(with: joiner, .component)
                folded.append(joiner)
                return 1
            }
        case UInt8(ascii: "/"), UInt8(ascii: "@"):
            guard isFollowed else { return -1 }
            end(with: joiner, .component)
        case UInt8(ascii: "."):
            guard isFollowed else { return -1 }
            end(with: joiner, isLetter(last) && following == .letter ? .point : .weak)
        default:
            guard isFollowed else { return -1 }
            end(with: joiner, .weak)
        }
        return 0
    }

    private mutating func end(with joiner: UInt8, _ border: Border) {
        closePart()
        last = .none
        self.border = border
        folded.append(joiner)
    }

    private static func wordClass(_ utf8: Span<UInt8>, at index: Int) -> WordClass {
        guard index < utf8.count else { return .separator }
        return WordScalar(decodeScalar(in: utf8, at: index).value).wordClass
    }

    private static func isWord(_ utf8: Span<UInt8>, at index: Int) -> Bool {
        switch wordClass(utf8, at: index) {
        case .letter, .digit, .underscore: true
        default: false
        }
    }

    private static func isGroupOfThree(_ utf8: Span<UInt8>, at index: Int) -> Bool {
        guard index + 3 <= utf8.count else { return false }
        for offset in 0..<3 where !isASCIIDigit(utf8[index + offset]) { return false }
        return !isWord(utf8, at: index + 3)
    }
}
