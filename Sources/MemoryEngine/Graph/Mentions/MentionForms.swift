/// The forms of what is not prose. Each looks only at its run.
enum MentionForms {
    struct Form {
        var kind: Mention.Kind
        var range: Range<Int>
        var key: String
    }

    /// Reads a run without the signs around it; `nil` if it is a word.
    static func read(
        _ utf8: Span<UInt8>, _ run: Range<Int>, _ classes: ByteClass, behind previous: Range<Int>
    ) -> Form? {
        let first = utf8[run.lowerBound]
        if classes.contains(.at), let form = atSign(utf8, run) { return form }
        if classes.contains(.hash), let form = numbered(utf8, run) { return form }
        guard run.count <= Mentions.maximumByteCount else { return nil }
        func form(_ kind: Mention.Kind, _ range: Range<Int>? = nil, key: String? = nil) -> Form {
            let range = range ?? run
            return Form(kind: kind, range: range, key: key ?? FoldedKey.fold(utf8, range))
        }
        if first == UInt8(ascii: "-") { return isFlag(utf8, run) ? form(.flag) : nil }
        if classes.contains(.slash) { return path(utf8, run).map { form(.path, $0, key: text(utf8, $0)) } }
        if classes.contains(.digit) {
            if let issue = bareIssue(utf8, run, behind: previous) { return issue }
            if isCommit(utf8, run) { return form(.commit) }
            if let version = version(utf8, run, behind: previous) {
                return form(.version, key: FoldedKey.fold(utf8, version))
            }
        }
        if classes.contains(.point), let kind = dotted(utf8, run) {
            return kind == .url
                ? form(.url) : kind == .path ? form(.path, key: text(utf8, run)) : form(.identifier)
        }
        if isIdentifier(utf8, run, classes) { return form(.identifier) }
        return nil
    }

    static func text(_ utf8: Span<UInt8>, _ range: Range<Int>) -> String {
        String(decoding: range.map { utf8[$0] }, as: UTF8.self)
    }

    // MARK: - Addresses

    /// `ada@example.org`, `@ada`.
    private static func atSign(_ utf8: Span<UInt8>, _ run: Range<Int>) -> Form? {
        guard let at = run.first(where: { utf8[$0] == UInt8(ascii: "@") }) else { return nil }
        if at == run.lowerBound {
            var end = at + 1
            while end < run.upperBound, isNameByte(utf8[end]) || utf8[end] == UInt8(ascii: "-") { end += 1 }
            guard (2...39).contains(end - at - 1), isASCIILetter(utf8[at + 1]),
                end == run.upperBound || isApostrophe(utf8, end)
            else {
                return nil
            }
            return Form(kind: .handle, range: at..<end, key: FoldedKey.fold(utf8, at..<end))
        }
        var start = at
        while start > run.lowerBound, isLocalByte(utf8[start - 1]) { start -= 1 }
        var end = at + 1
        var points = 0
        while end < run.upperBound {
            let byte = utf8[end]
            if byte == UInt8(ascii: ".") {
                points += 1
            } else if !isASCIILetter(byte), !isASCIIDigit(byte), byte != UInt8(ascii: "-") {
                break
            }
            end += 1
        }
        guard start < at, points > 0, end - start <= Mentions.maximumByteCount, isASCIILetter(utf8[end - 1]),
            utf8[at + 1] != UInt8(ascii: "."), end == run.upperBound || !isNameByte(utf8[end])
        else { return nil }
        return Form(kind: .address, range: start..<end, key: FoldedKey.fold(utf8, start..<end))
    }

    /// A URL with a scheme that begins in the run, however long; it ends at white space, a quote or an angle
    /// bracket.
    static func url(_ utf8: Span<UInt8>, _ run: Range<Int>) -> Range<Int>? {
        guard
            let colon = run.first(where: {
                utf8[$0] == UInt8(ascii: ":") && $0 + 2 < utf8.count && utf8[$0 + 1] == UInt8(ascii: "/")
                    && utf8[$0 + 2] == UInt8(ascii: "/")
            })
        else { return nil }
        var start = colon
        while start > run.lowerBound, colon - start < 10,
            isASCIILetter(utf8[start - 1]) || utf8[start - 1] == UInt8(ascii: "+")
        {
            start -= 1
        }
        guard colon - start >= 2 else { return nil }
        var end = colon + 3
        var open = 0
        scan: while end < utf8.count {
            let byte = utf8[end]
            switch byte {
            case 0...0x20, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "`"),
                UInt8(ascii: "|"):
                break scan
            case UInt8(ascii: "("), UInt8(ascii: "["): open += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"):
                if open == 0 { break scan }
                open -= 1
            default: break
            }
            end += 1
        }
        while end > colon + 3, isTrailingSign(utf8[end - 1]) { end -= 1 }
        guard end > colon + 3 else { return nil }
        return start..<end
    }

    /// Without scheme, `www.` and the slash at the end; the host in lower case.
    static func urlKey(_ utf8: Span<UInt8>, _ url: Range<Int>) -> String {
        var start = url.lowerBound
        while utf8[start] != UInt8(ascii: ":") { start += 1 }
        start += 3
        if url.upperBound - start > 4, text(utf8, start..<start + 4).lowercased() == "www." { start += 4 }
        var end = url.upperBound
        while end > start, utf8[end - 1] == UInt8(ascii: "/") { end -= 1 }
        var slash = start
        while slash < end, utf8[slash] != UInt8(ascii: "/") { slash += 1 }
        return FoldedKey.fold(utf8, start..<slash) + text(utf8, slash..<end)
    }

    // MARK: - Numbers

    /// `#12`, `Closes:#12`, `owner/repo#12`.
    private static func numbered(_ utf8: Span<UInt8>, _ run: Range<Int>) -> Form? {
        guard let hash = run.first(where: { utf8[$0] == UInt8(ascii: "#") }), hash + 1 < run.upperBound else {
            return nil
        }
        let digits = hash + 1..<run.upperBound
        guard (1...8).contains(digits.count), digits.allSatisfy({ isASCIIDigit(utf8[$0]) }),
            utf8[hash + 1] != UInt8(ascii: "0")
        else { return nil }
        let before = run.lowerBound..<hash
        if before.isEmpty || utf8[hash - 1] == UInt8(ascii: ":") {
            // "The #1 reason" is a rank.
            guard digits.count > 1 || !before.isEmpty else { return nil }
            return Form(kind: .issue, range: hash..<run.upperBound, key: text(utf8, hash..<run.upperBound))
        }
        let isRepository = before.allSatisfy {
            isNameByte(utf8[$0])
                || [UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: ".")].contains(utf8[$0])
        }
        guard isRepository, isASCIILetter(utf8[run.lowerBound]), run.count <= Mentions.maximumByteCount else {
            return nil
        }
        return Form(kind: .issue, range: run, key: FoldedKey.fold(utf8, run))
    }

    /// `CVE-2024-1234`, `GH-12`, and the number in "bug 1234".
    private static func bareIssue(
        _ utf8: Span<UInt8>, _ run: Range<Int>, behind previous: Range<Int>
    ) -> Form? {
        if run.allSatisfy({ isASCIIDigit(utf8[$0]) }) {
            guard (2...8).contains(run.count), utf8[run.lowerBound] != UInt8(ascii: "0"), !previous.isEmpty,
                run.lowerBound - previous.upperBound <= 2, wordKind(utf8, previous) == .issue
            else { return nil }
            return Form(kind: .issue, range: run, key: "#" + text(utf8, run))
        }
        guard run.count >= 4, run.count <= 24 else { return nil }
        let parts = text(utf8, run).lowercased().split(separator: "-", omittingEmptySubsequences: false)
        func isNumber(_ part: Substring, _ counts: ClosedRange<Int>) -> Bool {
            counts.contains(part.utf8.count) && part.utf8.allSatisfy(isASCIIDigit)
        }
        if parts.count == 3, parts[0] == "cve", isNumber(parts[1], 4...4), isNumber(parts[2], 4...7) {
            return Form(kind: .issue, range: run, key: parts.joined(separator: "-"))
        }
        if parts.count >= 2, ["dsa", "dla", "usn"].contains(parts[0]),
            parts.dropFirst().allSatisfy({ isNumber($0, 1...5) })
        {
            return Form(kind: .issue, range: run, key: parts.joined(separator: "-"))
        }
        if parts.count == 2, parts[0] == "gh", isNumber(parts[1], 1...7) {
            return Form(kind: .issue, range: run, key: "#" + parts[1])
        }
        return nil
    }

    /// 7 to 40 hexadecimal digits with a letter and a digit among them, in one case.
    static func isCommit(_ utf8: Span<UInt8>, _ run: Range<Int>) -> Bool {
        guard (7...40).contains(run.count) else { return false }
        var letters = 0
        var digits = 0
        var exponents = 0
        var cases: UInt8 = 0
        for index in run {
            let byte = utf8[index]
            if isASCIIDigit(byte) {
                digits += 1
            } else if (byte | 0x20) &- UInt8(ascii: "a") < 6 {
                letters += 1
                cases |= byte & 0x20 == 0 ? 1 : 2
                if byte == UInt8(ascii: "e") { exponents += 1 }
            } else {
                return false
            }
        }
        // 12e4567 is a number.
        return letters > 0 && digits > 0 && cases != 3 && !(letters == 1 && exponents == 1)
    }

    /// `1.2.3`, `v2.0`, `2:1.2.3-4ubuntu1`, `1.2` behind the word "version". Returns it without the v.
    private static func version(
        _ utf8: Span<UInt8>, _ run: Range<Int>, behind previous: Range<Int>
    ) -> Range<Int>? {
        var start = run.lowerBound
        let hasV =
            utf8[start] | 0x20 == UInt8(ascii: "v") && start + 1 < run.upperBound
            && isASCIIDigit(utf8[start + 1])
        if hasV { start += 1 }
        guard isASCIIDigit(utf8[start]) else { return nil }
        var points = 0
        var hasRevision = false
        var hasLetters = false
        var hasColon = false
        for index in start..<run.upperBound {
            let byte = utf8[index]
            let isInside = index + 1 < run.upperBound
            switch byte {
            case UInt8(ascii: "."):
                guard isInside, isNameByte(utf8[index + 1]), !hasLetters || hasRevision else { return nil }
                if !hasRevision { points += 1 }
            case UInt8(ascii: "-"), UInt8(ascii: "~"), UInt8(ascii: "+"):
                guard isInside, points > 0, isNameByte(utf8[index + 1]) else { return nil }
                hasRevision = true
            case UInt8(ascii: ":"):
                // An epoch; but 10:30 is a time.
                guard !hasColon, points == 0, index - start <= 2, isInside, isASCIIDigit(utf8[index + 1])
                else { return nil }
                hasColon = true
            default:
                if isASCIILetter(byte) {
                    hasLetters = true
                } else if !isASCIIDigit(byte) {
                    return nil
                }
            }
        }
        guard isNameByte(utf8[run.upperBound - 1]) else { return nil }
        let isNamed =
            !previous.isEmpty && run.lowerBound - previous.upperBound <= 2
            && wordKind(utf8, previous) == .version
        let isVersion = points >= 2 || (points == 1 && (hasRevision || hasV || isNamed))
        guard isVersion, !hasLetters || hasRevision || points >= 2 || isNamed else { return nil }
        return start..<run.upperBound
    }

    // MARK: - Bytes

    /// Letters and digits of ASCII, and the underscore.
    static func isNameByte(_ byte: UInt8) -> Bool {
        isASCIILetter(byte) || isASCIIDigit(byte) || byte == UInt8(ascii: "_")
    }

    private static func isLocalByte(_ byte: UInt8) -> Bool {
        isNameByte(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "+")
    }

    /// `'` or U+2019.
    static func isApostrophe(_ utf8: Span<UInt8>, _ index: Int) -> Bool {
        utf8[index] == UInt8(ascii: "'")
            || utf8[index] == 0xE2 && index + 2 < utf8.count && utf8[index + 1] == 0x80
                && utf8[index + 2] == 0x99
    }

    static func isTrailingSign(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: ":"), UInt8(ascii: "!"),
            UInt8(ascii: "?"), UInt8(ascii: "'"), UInt8(ascii: "*"):
            true
        default: false
        }
    }
}
