/// Words, identifiers and paths.
extension MentionForms {
    /// A run without the signs of the sentence at its ends.
    static func trim(_ utf8: Span<UInt8>, _ run: Range<Int>) -> Range<Int> {
        var start = run.lowerBound
        var end = run.upperBound
        while end > start, isTrailingSign(utf8[end - 1]) || utf8[end - 1] == UInt8(ascii: "-") { end -= 1 }
        // U+2019 at the end, as in "the users’".
        while end - start >= 3, isApostrophe(utf8, end - 3), utf8[end - 3] == 0xE2 { end -= 3 }
        while start < end,
            [UInt8(ascii: "'"), UInt8(ascii: "!"), UInt8(ascii: "?"), UInt8(ascii: ":")].contains(utf8[start])
        {
            start += 1
        }
        return start..<end
    }

    /// Whether a capital stands at `index`: of ASCII, Latin-1, Latin Extended-A, Greek or Cyrillic.
    static func isCapital(_ utf8: Span<UInt8>, _ index: Int) -> Bool {
        let byte = utf8[index]
        if byte < 0x80 { return byte &- UInt8(ascii: "A") < 26 }
        return WordScalar(decodeScalar(in: utf8, at: index).value).isUppercase
    }

    /// Whether a capitalised run can be a word of a name: "O'Brien", "Jean-Luc", "C++", "J.K."; not "Windows/Unix",
    /// "SSL-relevant" and "P1...Pn".
    static func isNameWord(_ utf8: Span<UInt8>, _ run: Range<Int>, _ classes: ByteClass) -> Bool {
        if classes.subtracting([.lower, .upper, .wide, .digit]).isEmpty { return true }
        for index in run where index + 1 < run.upperBound {
            let next = utf8[index + 1]
            switch utf8[index] {
            case UInt8(ascii: "/"), UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "#"),
                UInt8(ascii: "_"):
                return false
            case UInt8(ascii: "-"): if next < 0x80, next &- UInt8(ascii: "A") >= 26 { return false }
            case UInt8(ascii: "."):
                // Only behind an initial.
                let isInitial =
                    index == run.lowerBound + 1
                    || index > run.lowerBound + 1 && utf8[index - 2] == UInt8(ascii: ".")
                if !isInitial || next &- UInt8(ascii: "A") >= 26 { return false }
            case UInt8(ascii: "+"): if next != UInt8(ascii: "+") { return false }
            case UInt8(ascii: "~"), UInt8(ascii: "%"), UInt8(ascii: "$"), UInt8(ascii: "\\"),
                UInt8(ascii: "^"):
                return false
            default: break
            }
        }
        return true
    }

    static func wordKind(_ utf8: Span<UInt8>, _ word: Range<Int>) -> MentionWord? {
        guard word.count <= WordKey.maximumByteCount + 3 else { return nil }
        // "I'm" and "don’t" are looked up without the apostrophe.
        var builder = WordKey.Builder()
        var index = word.lowerBound
        while index < word.upperBound {
            if isApostrophe(utf8, index) {
                index += utf8[index] == 0xE2 ? 3 : 1
                continue
            }
            builder.append(utf8[index])
            index += 1
        }
        return MentionWord.of(builder.key)
    }

    static func isParticle(_ utf8: Span<UInt8>, _ word: Range<Int>) -> Bool {
        guard word.count <= 3 else { return false }
        let kind = wordKind(utf8, word)
        return kind == .particle || word.count == 3 && text(utf8, word) == "the"
    }

    /// "Ada" of "Ada's", "James" of "James'" (whose apostrophe is trimmed before).
    static func withoutPossessive(_ utf8: Span<UInt8>, _ word: Range<Int>) -> Range<Int> {
        guard word.count > 3, utf8[word.upperBound - 1] | 0x20 == UInt8(ascii: "s") else { return word }
        if utf8[word.upperBound - 2] == UInt8(ascii: "'") { return word.lowerBound..<word.upperBound - 2 }
        if word.count > 5, isApostrophe(utf8, word.upperBound - 4) {
            return word.lowerBound..<word.upperBound - 4
        }
        return word
    }

    /// Two or more capitals and nothing else.
    static func isAcronym(_ utf8: Span<UInt8>, _ word: Range<Int>) -> Bool {
        word.count >= 2 && word.allSatisfy { utf8[$0] &- UInt8(ascii: "A") < 26 }
    }

    /// `--force`, `--no-commit`; a value behind `=` is another run.
    static func isFlag(_ utf8: Span<UInt8>, _ run: Range<Int>) -> Bool {
        let start = run.lowerBound
        guard run.count >= 4, run.count <= 60, utf8[start + 1] == UInt8(ascii: "-"),
            isASCIILetter(utf8[start + 2])
        else { return false }
        return (start + 2..<run.upperBound).allSatisfy {
            isNameByte(utf8[$0]) || utf8[$0] == UInt8(ascii: "-")
        }
    }

    /// `/usr/lib`, `./x`, `~/x`, `src/main.c`, `a/b/c`; not "and/or" and not "24/7". Without a line number behind it.
    static func path(_ utf8: Span<UInt8>, _ run: Range<Int>) -> Range<Int>? {
        var end = run.upperBound
        if let colon = run.first(where: { utf8[$0] == UInt8(ascii: ":") }) {
            guard (colon + 1..<end).allSatisfy({ isASCIIDigit(utf8[$0]) || utf8[$0] == UInt8(ascii: ":") })
            else { return nil }
            end = colon
        }
        var start = run.lowerBound
        // A diff's two sides, and a home.
        if utf8[start] == UInt8(ascii: "~") { start += 1 }
        var slashes = 0
        var letters = 0
        var part = 0
        for index in start..<end {
            let byte = utf8[index]
            switch byte {
            case UInt8(ascii: "/"):
                if part == 0, index > start { return nil }
                slashes += 1
                part = 0
            case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "~"),
                UInt8(ascii: "@"):
                part += 1
            default:
                guard isNameByte(byte) || byte >= 0x80 else { return nil }
                part += 1
                if !isASCIIDigit(byte) { letters += 1 }
            }
        }
        guard letters >= 2, slashes > 0, end - run.lowerBound >= 3 else { return nil }
        let first = utf8[run.lowerBound]
        let isRooted =
            first == UInt8(ascii: "/") || first == UInt8(ascii: "~")
            || first == UInt8(ascii: ".") && slashes > 0
        // "/me" alone is a command of a chat; "/etc" is a path, and so is what has two parts.
        if isRooted { return run.lowerBound..<end }
        guard slashes >= 2 || hasFileEnding(utf8, run.lowerBound..<end) else { return nil }
        return run.lowerBound..<end
    }

    private static func hasFileEnding(_ utf8: Span<UInt8>, _ run: Range<Int>) -> Bool {
        ending(utf8, run) == .fileEnding
    }

    /// What the part behind the last point is.
    private static func ending(_ utf8: Span<UInt8>, _ run: Range<Int>) -> MentionWord? {
        guard let point = run.last(where: { utf8[$0] == UInt8(ascii: ".") }), point > run.lowerBound,
            utf8[point - 1] != UInt8(ascii: "/")
        else { return nil }
        var builder = WordKey.Builder()
        for index in point + 1..<run.upperBound { builder.append(utf8[index]) }
        return MentionWord(rawValue: MentionWord.endings.tag(of: builder.key))
    }

    /// `README.md` is a path, `example.org` a URL, `os.path.join` an identifier; "end.Then" is none of them.
    static func dotted(_ utf8: Span<UInt8>, _ run: Range<Int>) -> Mention.Kind? {
        var parts = 1
        var partStart = run.lowerBound
        var hasLetter = false
        var isShort = false
        for index in run {
            let byte = utf8[index]
            if byte == UInt8(ascii: ".") {
                if index == partStart { return nil }
                if index - partStart < 2 { isShort = true }
                parts += 1
                partStart = index + 1
            } else if isASCIILetter(byte) {
                hasLetter = true
            } else if !isNameByte(byte), byte != UInt8(ascii: "-") {
                return nil
            }
        }
        guard parts > 1, hasLetter, partStart < run.upperBound else { return nil }
        switch ending(utf8, run) {
        case .fileEnding:
            return run.upperBound - partStart < 2 && parts == 2 && partStart - run.lowerBound < 3
                ? nil : .path
        case .domain where !isShort: return .url
        default: break
        }
        // "e.g.", "U.S.A" and "end.Then" are prose.
        guard !isShort, run.upperBound - partStart >= 2 else { return nil }
        let hasUnderscore = run.contains { utf8[$0] == UInt8(ascii: "_") }
        let hasDigit = run.contains { isASCIIDigit(utf8[$0]) } && isASCIILetter(utf8[run.lowerBound])
        return parts > 2 || hasUnderscore || hasDigit ? .identifier : nil
    }

    /// `snake_case`, `camelCase`, `foo::bar`, `gcc-12`, `x86_64`, `HTTP2`.
    static func isIdentifier(_ utf8: Span<UInt8>, _ run: Range<Int>, _ classes: ByteClass) -> Bool {
        guard run.count >= 3 else { return false }
        var previous: UInt8 = 0
        var humps = 0
        var letters = 0
        var digits = 0
        var colons = 0
        var underscores = 0
        var hyphens = 0
        for index in run {
            let byte = utf8[index]
            if byte &- UInt8(ascii: "A") < 26 {
                letters += 1
                if previous &- UInt8(ascii: "a") < 26 { humps += 1 }
            } else if byte &- UInt8(ascii: "a") < 26 {
                letters += 1
            } else if isASCIIDigit(byte) {
                digits += 1
            } else if byte == UInt8(ascii: "_") {
                underscores += 1
            } else if byte == UInt8(ascii: ":") {
                colons += 1
            } else if byte == UInt8(ascii: "-") {
                hyphens += 1
            } else {
                return false
            }
            previous = byte
        }
        guard letters >= 2 || underscores > 0 && letters > 0 else { return false }
        if colons > 0 { return colons == 2 && isScoped(utf8, run) }
        let isWhole = utf8[run.upperBound - 1] != UInt8(ascii: "-")
        if underscores == 2, utf8[run.lowerBound] == UInt8(ascii: "_"),
            utf8[run.upperBound - 1] == UInt8(ascii: "_")
        {
            // _Emphasis_.
            return false
        }
        if underscores > 0 { return underscores < run.count / 2 && isWhole }
        if hyphens > 0 {
            // "gcc-12" and "libfoo2-dev", but not "well-known", "20-year" or "mid-2023".
            return digits > 0 && isASCIILetter(utf8[run.lowerBound]) && isWhole && !endsInYear(utf8, run)
        }
        if digits > 0 {
            // "HTTP2" and "x86"; but "3rd", "10am" and "90s" begin with the digit.
            return isASCIILetter(utf8[run.lowerBound]) && letters + digits == run.count
        }
        // "YouTube" is a name; "camelCase" and "NSStringFromClass" are not.
        return humps > 0 && (utf8[run.lowerBound] &- UInt8(ascii: "a") < 26 || humps > 1)
    }

    private static func isScoped(_ utf8: Span<UInt8>, _ run: Range<Int>) -> Bool {
        guard let colon = run.first(where: { utf8[$0] == UInt8(ascii: ":") }) else { return false }
        return colon > run.lowerBound && colon + 2 < run.upperBound && utf8[colon + 1] == UInt8(ascii: ":")
    }

    private static func endsInYear(_ utf8: Span<UInt8>, _ run: Range<Int>) -> Bool {
        guard run.count > 5, utf8[run.upperBound - 5] == UInt8(ascii: "-") else { return false }
        return (run.upperBound - 4..<run.upperBound).allSatisfy { isASCIIDigit(utf8[$0]) }
    }
}
