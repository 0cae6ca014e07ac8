/// Walks over a text once and lends out its terms. The rules are told at `Tokenizer`.
///
/// A word of ASCII letters that nothing joins to anything, as most words are, goes the short way. All else
/// goes through `Piece`: first what is joined without a space is collected and folded, and then its
/// whole and its parts are given out.
struct TermScanner: ~Copyable {
    let language: Tokenizer.Language
    /// Set for a second pass over a text that holds nothing but stop words.
    var keepsStopWords = false
    /// Where prefixes are collected; nil in a text, where a star means nothing.
    var prefixes: [QueryTerms.Prefix]?

    private var termCount = 0
    private var stopWordCount = 0
    /// The term at hand. It and the buffers below live as long as the scanner, so that a term allocates
    /// nothing.
    private var word = WordBuffer()
    private var piece = Piece()
    private var run = UnspacedRun()

    /// Whether the last pass met stop words and gave out nothing.
    var isOnlyStopWords: Bool { termCount == 0 && stopWordCount > 0 }

    init(language: Tokenizer.Language) {
        self.language = language
    }

    mutating func scan(_ utf8: Span<UInt8>, _ body: (Span<UInt8>) -> Void) {
        termCount = 0
        stopWordCount = 0
        var index = 0
        while index < utf8.count {
            let byte = utf8[index]
            if isASCIILetter(byte), prefixes == nil {
                let end = readPlainWord(utf8, from: index)
                if end > index {
                    emitWord(isPlain: true, body)
                    index = end
                    continue
                }
            } else if byte < 0x80, !isASCIILetter(byte), !isASCIIDigit(byte), byte != UInt8(ascii: "_"),
                byte != UInt8(ascii: "/"), byte != UInt8(ascii: "#")
            {
                index += 1
                continue
            }
            index = scanPiece(utf8, from: index, body)
        }
    }

    /// Reads a word of ASCII letters into `word`, if it is not part of anything longer, and has no inner
    /// capitals. Returns where it ends, with an 's that is dropped; `start` if it is no such word.
    private mutating func readPlainWord(_ utf8: Span<UInt8>, from start: Int) -> Int {
        word.removeAll()
        var end = start
        var capitalCount = 0
        while end < utf8.count {
            let byte = utf8[end]
            guard isASCIILetter(byte) else { break }
            if byte & 0x20 == 0 { capitalCount += 1 }
            word.append(byte | 0x20)
            end += 1
        }
        let count = end - start
        if capitalCount > 0, capitalCount != count {
            let isCapitalized = capitalCount == 1 && utf8[start] & 0x20 == 0
            let isPluralAcronym = capitalCount == count - 1 && utf8[end - 1] == UInt8(ascii: "s")
            guard isCapitalized || isPluralAcronym else { return start }
        }
        guard end < utf8.count else { return end }
        switch utf8[end] {
        case UInt8(ascii: " "), UInt8(ascii: "\n"): return end
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...: return start
        case UInt8(ascii: "'"):
            let isPossessive =
                language == .english && end + 1 < utf8.count && utf8[end + 1] | 0x20 == UInt8(ascii: "s")
                && (end + 2 == utf8.count || utf8[end + 2] == UInt8(ascii: " "))
            return isPossessive ? end + 2 : mayGoOn(utf8, behind: end) ? start : end
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "@"),
            UInt8(ascii: "+"), UInt8(ascii: "~"):
            return mayGoOn(utf8, behind: end) ? start : end
        default: return end
        }
    }

    /// Whether something that could be part of a word stands behind a joiner.
    private func mayGoOn(_ utf8: Span<UInt8>, behind joiner: Int) -> Bool {
        guard joiner + 1 < utf8.count else { return false }
        let byte = utf8[joiner + 1]
        return byte >= 0x80 || isASCIILetter(byte) || isASCIIDigit(byte) || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: ":")
    }

    /// Scans one piece, or one scalar that belongs to none. Returns where it ends, which is behind `start`.
    private mutating func scanPiece(
        _ utf8: Span<UInt8>, from start: Int, _ body: (Span<UInt8>) -> Void
    ) -> Int {
        let (value, byteCount) = decodeScalar(in: utf8, at: start)
        let first = WordScalar(value)
        var end: Int
        switch first.wordClass {
        case .letter, .digit, .underscore:
            end = piece.read(utf8, from: start)
        case .unspaced:
            return scanUnspaced(utf8, from: start, body)
        default:
            guard Piece.isLeader(utf8, at: start) else { return start + byteCount }
            end = piece.read(utf8, from: start)
        }
        if prefixes != nil, endsInStar(utf8, at: end) {
            appendPrefix()
            end += 1
        } else {
            emitPiece(body)
        }
        return end
    }

    private func endsInStar(_ utf8: Span<UInt8>, at index: Int) -> Bool {
        guard index < utf8.count, utf8[index] == UInt8(ascii: "*"), !piece.parts.isEmpty else { return false }
        guard index + 1 < utf8.count else { return true }
        switch WordScalar(decodeScalar(in: utf8, at: index + 1).value).wordClass {
        case .letter, .digit, .underscore, .unspaced: return false
        default: return true
        }
    }

    private mutating func appendPrefix() {
        word.assign(piece.folded, 0..<piece.folded.count)
        word.cut()
        let bytes = word.array
        if language == .english, word.isOfLowercaseASCIILetters, piece.folded.count == word.count {
            word.stem()
        }
        prefixes?.append(QueryTerms.Prefix(bytes: bytes, term: word.array))
    }

    // MARK: What a piece gives

    private mutating func emitPiece(_ body: (Span<UInt8>) -> Void) {
        if language == .english, piece.removeEnglishEnding() {
            // A negated auxiliary is a stop word.
            stopWordCount += 1
            if keepsStopWords { emitVerbatim(0..<piece.folded.count, body) }
            return
        }
        guard let first = piece.parts.first else { return }
        if piece.parts.count > 1 || first.end - first.start < piece.folded.count {
            emitIdentifier(0..<piece.folded.count, body)
            emitInnerIdentifiers(body)
        }
        for part in piece.parts.indices {
            word.assign(piece.folded, piece.parts[part].start..<piece.parts[part].end)
            emitWord(body)
        }
    }

    /// The identifiers in a piece that are not the whole: what lies between `/`, `@` and `::`, and in that,
    /// what lies between points that join letters, if it has more than one part.
    private mutating func emitInnerIdentifiers(_ body: (Span<UInt8>) -> Void) {
        let count = piece.parts.count
        var outer = 0
        while outer < count {
            let outerEnd = piece.endOfGroup(from: outer, border: .component)
            if outerEnd - outer > 1, outerEnd - outer < count { emitGroup(outer..<outerEnd, body) }
            var inner = outer
            while inner < outerEnd {
                let innerEnd = piece.endOfGroup(from: inner, border: .point)
                if innerEnd - inner > 1, innerEnd - inner < outerEnd - outer {
                    emitGroup(inner..<innerEnd, body)
                }
                inner = innerEnd
            }
            outer = outerEnd
        }
    }

    private mutating func emitGroup(_ parts: Range<Int>, _ body: (Span<UInt8>) -> Void) {
        emitIdentifier(piece.parts[parts.lowerBound].start..<piece.parts[parts.upperBound - 1].end, body)
    }

    private mutating func emitIdentifier(_ range: Range<Int>, _ body: (Span<UInt8>) -> Void) {
        word.assign(piece.folded, range)
        if word.isOfLowercaseASCIILetters { emitWord(body) } else { emit(body) }
    }

    private mutating func emitVerbatim(_ range: Range<Int>, _ body: (Span<UInt8>) -> Void) {
        word.assign(piece.folded, range)
        emit(body)
    }

    /// Gives out `word` as a word of the language. A plain one is known to be of ASCII letters.
    private mutating func emitWord(isPlain: Bool = false, _ body: (Span<UInt8>) -> Void) {
        if language == .english, word.count <= Tokenizer.maximumTermByteCount {
            if StopWords.contains(word) {
                stopWordCount += 1
                guard keepsStopWords else { return }
            }
            if isPlain || word.isOfLowercaseASCIILetters { word.stem() }
        }
        emit(body)
    }

    /// Gives out `word` as it is.
    private mutating func emit(_ body: (Span<UInt8>) -> Void) {
        word.cut()
        guard !word.isEmpty else { return }
        termCount += 1
        word.lend(body)
    }

    // MARK: Scripts without spaces

    private mutating func scanUnspaced(
        _ utf8: Span<UInt8>, from start: Int, _ body: (Span<UInt8>) -> Void
    ) -> Int {
        var index = start
        scan: while index < utf8.count {
            let (value, byteCount) = decodeScalar(in: utf8, at: index)
            let scalar = WordScalar(value)
            switch scalar.wordClass {
            case .unspaced:
                if run.append(UInt32(truncatingIfNeeded: scalar.folded), completing: &word) { emit(body) }
            case .mark: run.appendMark(value)
            case .ignorable: break
            default: break scan
            }
            index += byteCount
        }
        let isPrefix =
            prefixes != nil && run.isSingle && index < utf8.count && utf8[index] == UInt8(ascii: "*")
        run.finish(into: &word)
        guard isPrefix else {
            emit(body)
            return index
        }
        word.cut()
        prefixes?.append(QueryTerms.Prefix(bytes: word.array, term: word.array))
        return index + 1
    }
}

@inline(__always)
func isASCIILetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }

@inline(__always)
func isASCIIDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
