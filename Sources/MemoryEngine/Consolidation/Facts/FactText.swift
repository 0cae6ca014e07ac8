/// A word of a text as the reader of facts sees it: what is written without a space around a point, a colon, a hyphen, an at
/// sign or the like is one word ("10.0.0.1", "eu-west-1", "9:30"), and so is a verb with its "n't".
struct FactToken: Sendable, Equatable {
    /// In lower case, without accents; of a sign, the sign.
    var text: String
    var range: Range<Int>
    var isSign = false
    /// It begins with a capital, or holds a digit or a sign: it is a name, a number or a code.
    var isName = false
}

/// A sentence of a text: its parts between commas and the like, without what stands in brackets.
struct FactSentence: Sendable, Equatable {
    var parts: [[FactToken]] = [[]]
    var isQuestion = false
    /// Words stand in quotes that are more than a name.
    var quotes = false
    /// Something in it was left out.
    var isCut = false

    var words: some Sequence<FactToken> { parts.joined() }
}

/// Cuts a text into sentences.
enum FactText {
    private static let none = Lexicon([("the", 1)])
    /// What joins two words where there is no space.
    private static let joining = Set(".:-@/_%+#&'~".utf8)
    private static let abbreviations: Set<String> = [
        "dr", "mr", "mrs", "ms", "st", "prof", "vs", "no", "approx",
    ]
    private static let endings = [
        ("n't", "not"), ("'s", "'s"), ("'m", "am"), ("'re", "are"), ("'ve", "have"), ("'ll", "will"),
        ("'d", "would"),
    ]
    /// The longest name that quotes may hold, in words.
    private static let maximumQuotedCount = 4

    /// - Complexity: O(n) in the bytes.
    static func sentences(of utf8: Span<UInt8>) -> [FactSentence] {
        var found: [FactSentence] = []
        var reader = TokenReader(none)
        var sentence = FactSentence()
        var depth = 0
        var quoted: Int?
        var tokens: [TextToken] = []
        while let token = reader.next(in: utf8) { tokens.append(token) }
        func end(_ sign: UInt8 = 0) {
            sentence.isQuestion = sign == UInt8(ascii: "?")
            if quoted != nil { sentence.quotes = true }
            if sentence.parts.contains(where: { !$0.isEmpty }) { found.append(sentence) }
            sentence = FactSentence()
            (depth, quoted) = (0, nil)
        }
        var index = 0
        while index < tokens.count {
            let token = tokens[index]
            if token.startsParagraph || token.startsLine && (token.kind != .word || token.isCapital) { end() }
            let isLast = index + 1 == tokens.count
            guard token.kind != .sign || token.sign == 0 || !isLast && opensWord(token, tokens[index + 1])
            else {
                switch Unicode.Scalar(token.sign) {
                case "(", "[": depth += 1
                case ")", "]": depth = max(0, depth - 1)
                case "\"":
                    if let first = quoted {
                        if count(sentence) - first > maximumQuotedCount { sentence.quotes = true }
                        quoted = nil
                    } else {
                        quoted = count(sentence)
                    }
                case ",", ";", ":", "-": sentence.parts.append([])
                case ">": sentence.quotes = sentence.quotes || count(sentence) == 0
                case ".", "!", "?":
                    let isAbbreviated =
                        token.sign == UInt8(ascii: ".")
                        && abbreviations.contains(sentence.parts.last?.last?.text ?? "")
                    if !isAbbreviated, isLast || !tokens[index + 1].isGlued || tokens[index + 1].kind == .sign
                    {
                        end(token.sign)
                    }
                default: break
                }
                if depth > 0 { sentence.isCut = true }
                index += 1
                continue
            }
            let last = wordEnd(index, tokens)
            if depth == 0 { append(tokens[index...last], utf8, to: &sentence) }
            index = last + 1
        }
        end()
        return found
    }

    private static func count(_ sentence: FactSentence) -> Int { sentence.parts.reduce(0) { $0 + $1.count } }

    /// "$20", "#12", "/etc".
    private static func opensWord(_ token: TextToken, _ next: TextToken) -> Bool {
        next.isGlued && next.kind != .sign && "$#/@~".utf8.contains(token.sign)
    }

    /// The last token of the word that begins at `index`.
    private static func wordEnd(_ index: Int, _ tokens: [TextToken]) -> Int {
        var last = index
        while last + 1 < tokens.count, tokens[last + 1].isGlued {
            let next = tokens[last + 1]
            if next.kind != .sign {
                last += 1
            } else if last + 2 < tokens.count, tokens[last + 2].isGlued, tokens[last + 2].kind != .sign,
                joining.contains(next.sign) || separatesThousands(last + 1, tokens)
            {
                last += 2
            } else if next.sign == UInt8(ascii: "%") || next.sign == UInt8(ascii: "+") {
                last += 1
            } else {
                break
            }
        }
        return last
    }

    /// The comma of "1,500" and of "1,500,000".
    private static func separatesThousands(_ index: Int, _ tokens: [TextToken]) -> Bool {
        let (before, behind) = (tokens[index - 1], tokens[index + 1])
        return tokens[index].isSign(",") && before.kind == .number && before.end - before.start <= 3
            && behind.kind == .number && behind.end - behind.start == 3
    }

    /// Appends a word; "Ada's" is "ada" and "'s", "I'm" is "i" and "am".
    private static func append(
        _ tokens: ArraySlice<TextToken>, _ utf8: Span<UInt8>, to sentence: inout FactSentence
    ) {
        guard let first = tokens.first, let last = tokens.last else { return }
        var text = FoldedKey.fold(utf8, first.start..<last.end)
        let range = first.start..<last.end
        let isName =
            first.isCapital || first.kind != .word
            || tokens.contains {
                $0.kind == .number
                    || $0.kind == .sign && $0.sign != UInt8(ascii: "'") && $0.sign != UInt8(ascii: "-")
            }
        var tail: FactToken?
        if tokens.count > 1 {
            if tokens.contains(where: { $0.isSign("'") && $0.end - $0.start > 1 }) {
                text = text.replacing("’", with: "'")
            }
            for (ending, word) in endings where text.hasSuffix(ending) && text.utf8.count > ending.utf8.count
            {
                text.removeLast(ending.utf8.count)
                if word == "not" { text = text == "ca" ? "can" : text == "wo" ? "will" : text }
                tail = FactToken(text: word, range: range)
            }
        }
        let place = sentence.parts.count - 1
        sentence.parts[place].append(FactToken(text: text, range: range, isName: isName))
        if let tail { sentence.parts[place].append(tail) }
    }
}
