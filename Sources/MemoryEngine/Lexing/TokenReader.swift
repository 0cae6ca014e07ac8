/// Cuts a text into tokens, each byte once, whatever the bytes are. What is not UTF-8 counts as letters, so
/// that a token may begin within a scalar only where a text is no text at all.
struct TokenReader: Sendable {
    private(set) var index = 0
    private let lexicon: Lexicon

    init(_ lexicon: Lexicon) { self.lexicon = lexicon }

    /// Appends tokens until `tokens` has `count` of them or the text ends. Returns whether it has ended.
    mutating func fill(_ tokens: inout [TextToken], upTo count: Int, from utf8: Span<UInt8>) -> Bool {
        while tokens.count < count {
            guard let token = next(in: utf8) else { return true }
            tokens.append(token)
        }
        return false
    }

    /// The next token; `nil` at the end.
    @inline(__always)
    mutating func next(in utf8: Span<UInt8>) -> TextToken? {
        var token = TextToken()
        var position = index
        let count = utf8.count
        while position < count {
            let byte = utf8[position]
            if byte > 0x20 {
                // A no-break space is a space.
                guard byte == 0xC2, position + 1 < count, utf8[position + 1] == 0xA0 else { break }
                position += 1
            } else if byte == 0x0A {
                token.flags.insert(token.startsLine ? .startsParagraph : .startsLine)
            }
            position += 1
        }
        guard position < count else {
            index = count
            return nil
        }
        if position == index, position > 0 { token.flags.insert(.glued) }
        token.start = position
        let byte = utf8[position]
        if isASCIILetter(byte) {
            readWord(&token, utf8)
        } else if isASCIIDigit(byte) {
            readNumber(&token, utf8)
        } else if byte < 0x80 {
            token.kind = .sign
            token.sign = byte
            token.end = position + 1
        } else if let (sign, byteCount) = Self.sign(in: utf8, at: position) {
            token.kind = .sign
            token.sign = sign
            token.end = position + byteCount
        } else {
            readWord(&token, utf8)
        }
        index = token.end
        return token
    }

    private func readNumber(_ token: inout TextToken, _ utf8: Span<UInt8>) {
        var position = token.start
        var value: UInt64 = 0
        while position < utf8.count, isASCIIDigit(utf8[position]) {
            if position - token.start < 10 { value = value * 10 + UInt64(utf8[position] & 15) }
            position += 1
        }
        token.kind = .number
        token.key = WordKey(low: position - token.start <= 10 ? value : 1 << 62, high: 0)
        token.end = position
    }

    @inline(__always)
    private func readWord(_ token: inout TextToken, _ utf8: Span<UInt8>) {
        let start = token.start
        let first = utf8[start]
        var position = start
        var low: UInt64 = 0
        // Nearly every word is up to eight letters of ASCII.
        let near = min(utf8.count, start + 8)
        while position < near, isASCIILetter(utf8[position]) {
            low = low << 8 | UInt64(utf8[position] | 0x20)
            position += 1
        }
        if position < utf8.count, utf8[position] >= 0x80 || position == near && isASCIILetter(utf8[position])
        {
            position = readLongWord(&token, utf8, from: position, low)
        } else {
            token.key = WordKey(low: low, high: 0)
        }
        token.kind = .word
        token.end = position
        token.tag = lexicon.tag(of: token.key)
        if first &- UInt8(ascii: "A") < 26
            || first == 0xC3 && start + 1 < position && utf8[start + 1] &- 0x80 < 0x1F
        {
            token.flags.insert(.capital)
        }
        guard position - start > 3 else { return }
        let last = utf8[position - 1] | 0x20
        let lastButOne = utf8[position - 2] | 0x20
        if last == UInt8(ascii: "d"), lastButOne == UInt8(ascii: "e") { token.flags.insert(.endsInEd) }
        if last == UInt8(ascii: "s"), lastButOne != UInt8(ascii: "s"), lastButOne != UInt8(ascii: "u") {
            token.flags.insert(.endsInS)
        }
    }

    /// The rest of a word that has more than eight letters, or others than those of ASCII. Returns its end.
    private func readLongWord(
        _ token: inout TextToken, _ utf8: Span<UInt8>, from start: Int, _ low: UInt64
    ) -> Int {
        var builder = WordKey.Builder(low: low, count: start - token.start)
        var position = start
        while position < utf8.count {
            let byte = utf8[position]
            if byte < 0x80 {
                guard isASCIILetter(byte) else { break }
            } else if byte >= 0xC2, byte <= 0xE3, Self.sign(in: utf8, at: position) != nil {
                break
            }
            builder.append(byte)
            position += 1
        }
        token.key = builder.key
        return position
    }

    /// The sign beyond ASCII that begins at `position`, and its bytes: Latin-1's and general punctuation, and
    /// the stops of Han. 0 stands for a sign that has no likeness in ASCII.
    private static func sign(in utf8: Span<UInt8>, at position: Int) -> (sign: UInt8, byteCount: Int)? {
        let left = utf8.count - position
        let lead = utf8[position]
        if lead == 0xC2, left >= 2, utf8[position + 1] & 0xC0 == 0x80 {
            // U+0080 to U+00BF; ª and º are letters.
            let second = utf8[position + 1]
            return second == 0xAA || second == 0xBA ? nil : (0, 2)
        }
        guard left >= 3, utf8[position + 2] & 0xC0 == 0x80 else { return nil }
        switch (lead, utf8[position + 1], utf8[position + 2]) {
        case (0xE2, 0x80, 0x90...0x95), (0xE2, 0x88, 0x92): return (UInt8(ascii: "-"), 3)
        case (0xE2, 0x80, 0x98...0x9B), (0xE2, 0x80, 0xB2): return (UInt8(ascii: "'"), 3)
        case (0xE2, 0x80, 0x9C...0x9F), (0xE2, 0x80, 0xB3): return (UInt8(ascii: "\""), 3)
        case (0xE2, 0x80, 0xA6), (0xE3, 0x80, 0x82): return (UInt8(ascii: "."), 3)
        case (0xE2, 0x80...0x81, _), (0xE3, 0x80, 0x80...0x91): return (0, 3)
        default: return nil
        }
    }
}
