/// Walks over a text by its runs, which are what stands between white space, brackets, quotes and commas.
/// A run of plain lower-case letters, as most are, is passed over at once.
struct MentionScanner {
    let limit: Int
    private(set) var mentions: [Mention] = []
    private var phrase = NamePhrase()
    /// The next word begins a sentence.
    private var startsSentence = true
    /// The word before the run at hand, for "bug 1234"; empty where a sentence ended.
    private var previousWord = 0..<0

    init(limit: Int) { self.limit = limit }

    mutating func scan(_ utf8: Span<UInt8>) {
        let table = ByteClass.table
        var index = 0
        let count = utf8.count
        while index < count, mentions.count < limit {
            let start = index
            // The short way: lower-case letters and a space.
            while index < count, utf8[index] &- UInt8(ascii: "a") < 26 { index += 1 }
            if index < count, utf8[index] == UInt8(ascii: " ") {
                if index > start { word(utf8, start..<index, isCapital: false) }
                index += 1
                continue
            }
            var classes: ByteClass = index > start ? .lower : []
            while index < count {
                let byte = utf8[index]
                let kind = table[Int(byte)]
                if kind == .delimiter { break }
                // Quotes, dashes and spaces beyond ASCII delimit too.
                if kind == .wide, byte >= 0xC2, byte <= 0xE3, Self.wideDelimiter(utf8, index) != nil { break }
                classes.formUnion(kind)
                index += 1
            }
            if index > start {
                index = max(run(utf8, start..<index, classes), index)
            } else if utf8[index] < 0x80 {
                index = delimiter(utf8[index], utf8, index)
            } else {
                closePhrase(utf8)
                index += Self.wideDelimiter(utf8, index) ?? 1
            }
        }
        closePhrase(utf8)
    }

    /// The mentions; a tentative one is certain where the text has the same name in another place.
    func finish() -> [Mention] {
        var sure: Set<String> = []
        for mention in mentions where mention.kind == .name && !mention.isTentative {
            sure.insert(mention.key)
            // A first name is known by the whole one.
            if let space = mention.key.firstIndex(of: " ") { sure.insert(String(mention.key[..<space])) }
        }
        return mentions.map { mention in
            var mention = mention
            if mention.isTentative, sure.contains(mention.key) { mention.isTentative = false }
            return mention
        }
    }

    private mutating func delimiter(_ byte: UInt8, _ utf8: Span<UInt8>, _ index: Int) -> Int {
        closePhrase(utf8)
        switch byte {
        case UInt8(ascii: "\n"):
            startsSentence = true
            previousWord = 0..<0
        case UInt8(ascii: "`"): return code(utf8, index)
        default: break
        }
        return index + 1
    }

    /// What stands between backticks, or between a backtick and an apostrophe as GNU writes it, on one line.
    private mutating func code(_ utf8: Span<UInt8>, _ index: Int) -> Int {
        var end = index + 1
        let last = min(utf8.count, index + 2 + Mentions.maximumByteCount)
        while end < last, utf8[end] != UInt8(ascii: "`"), utf8[end] != UInt8(ascii: "\n") {
            if utf8[end] == UInt8(ascii: "'"),
                end + 1 == utf8.count || !MentionForms.isNameByte(utf8[end + 1])
            {
                break
            }
            end += 1
        }
        guard end < last, utf8[end] != UInt8(ascii: "\n"), end > index + 1 else { return index + 1 }
        var range = index + 1..<end
        while !range.isEmpty, utf8[range.lowerBound] <= 0x20 {
            range = range.lowerBound + 1..<range.upperBound
        }
        while !range.isEmpty, utf8[range.upperBound - 1] <= 0x20 {
            range = range.lowerBound..<range.upperBound - 1
        }
        guard !range.isEmpty else { return end + 1 }
        // The form of a link, shown as it is written, names nothing.
        if range.count > 4, utf8[range.lowerBound] == UInt8(ascii: "["),
            utf8[range.lowerBound + 1] == UInt8(ascii: "[")
        {
            return end + 1
        }
        var named = range
        if named.count > 2, utf8[named.upperBound - 1] == UInt8(ascii: ")"),
            utf8[named.upperBound - 2] == UInt8(ascii: "(")
        {
            named = named.lowerBound..<named.upperBound - 2
        }
        append(.code, range, FoldedKey.fold(utf8, named))
        startsSentence = false
        previousWord = 0..<0
        return end + 1
    }

    /// Reads a run. Returns where it ends: a URL may go on behind its delimiters.
    private mutating func run(_ utf8: Span<UInt8>, _ run: Range<Int>, _ classes: ByteClass) -> Int {
        if classes.subtracting([.lower, .apostrophe, .hyphen]).isEmpty,
            utf8[run.lowerBound] != UInt8(ascii: "-")
        {
            word(utf8, run, isCapital: false)
            return run.upperBound
        }
        if classes.contains(.colon), classes.contains(.slash), let url = MentionForms.url(utf8, run) {
            closePhrase(utf8)
            // One that is too long is passed over whole, so that no part of it is read twice.
            if url.count <= Mentions.maximumURLByteCount { append(.url, url, MentionForms.urlKey(utf8, url)) }
            sentenceEnds(utf8, url.upperBound..<max(url.upperBound, run.upperBound))
            return url.upperBound
        }
        let trimmed = MentionForms.trim(utf8, run)
        guard !trimmed.isEmpty else {
            sentenceEnds(utf8, run)
            return run.upperBound
        }
        if let form = MentionForms.read(utf8, trimmed, classes, behind: previousWord) {
            closePhrase(utf8)
            append(form.kind, form.range, form.key)
            startsSentence = false
            previousWord = form.kind == .issue ? previousWord : 0..<0
            sentenceEnds(utf8, trimmed.upperBound..<run.upperBound)
            return run.upperBound
        }
        word(
            utf8, trimmed,
            isCapital: MentionForms.isCapital(utf8, trimmed.lowerBound)
                && MentionForms.isNameWord(utf8, trimmed, classes))
        if trimmed.upperBound < run.upperBound {
            // A point behind a title or an initial ends no sentence.
            if phrase.isOpen, phrase.isAbbreviation(utf8, trimmed),
                utf8[trimmed.upperBound] == UInt8(ascii: ".")
            {
                return run.upperBound
            }
            closePhrase(utf8)
            sentenceEnds(utf8, trimmed.upperBound..<run.upperBound)
        }
        return run.upperBound
    }

    private mutating func word(_ utf8: Span<UInt8>, _ range: Range<Int>, isCapital: Bool) {
        if isCapital {
            phrase.add(utf8, range, startsSentence: startsSentence, isSpaced: isSpacedFromPhrase(utf8, range))
            if let closed = phrase.takeClosed() { emit(closed, utf8) }
        } else if phrase.isOpen {
            if phrase.words < 6, isSpacedFromPhrase(utf8, range), MentionForms.isParticle(utf8, range) {
                phrase.hold(range)
            } else {
                closePhrase(utf8)
            }
        }
        startsSentence = false
        previousWord = range
    }

    private func isSpacedFromPhrase(_ utf8: Span<UInt8>, _ range: Range<Int>) -> Bool {
        phrase.isOpen && range.lowerBound - phrase.end <= 2
    }

    private mutating func sentenceEnds(_ utf8: Span<UInt8>, _ signs: Range<Int>) {
        for index in signs {
            switch utf8[index] {
            case UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "?"):
                startsSentence = true
                previousWord = 0..<0
            default: break
            }
        }
    }

    private mutating func closePhrase(_ utf8: Span<UInt8>) {
        guard phrase.isOpen else { return }
        if let closed = phrase.close() { emit(closed, utf8) }
    }

    private mutating func emit(_ closed: NamePhrase.Closed, _ utf8: Span<UInt8>) {
        guard closed.range.count <= Mentions.maximumByteCount else { return }
        append(.name, closed.range, FoldedKey.fold(utf8, closed.range), isTentative: closed.isTentative)
    }

    private mutating func append(
        _ kind: Mention.Kind, _ range: Range<Int>, _ key: String, isTentative: Bool = false
    ) {
        guard mentions.count < limit, !key.isEmpty else { return }
        mentions.append(Mention(range: range, kind: kind, key: key, isTentative: isTentative))
    }

    /// The bytes of a quote, dash, ellipsis or space beyond ASCII, or of a stop of Han; an apostrophe is none.
    private static func wideDelimiter(_ utf8: Span<UInt8>, _ index: Int) -> Int? {
        let left = utf8.count - index
        if utf8[index] == 0xC2, left >= 2 {
            switch utf8[index + 1] {
            case 0xA0, 0xA1, 0xAB, 0xBB, 0xBF, 0xB7: return 2
            default: return nil
            }
        }
        guard left >= 3 else { return nil }
        switch (utf8[index], utf8[index + 1], utf8[index + 2]) {
        // U+2019 is an apostrophe.
        case (0xE2, 0x80, 0x99): return nil
        case (0xE2, 0x80, 0x80...0x8A), (0xE2, 0x80, 0x92...0x9F), (0xE2, 0x80, 0xA2...0xAF),
            (0xE2, 0x80, 0xB9...0xBA),
            (0xE3, 0x80, 0x80...0x91):
            return 3
        default: return nil
        }
    }
}
