/// The words of a text, as it matters for whether two texts say the same.
struct SaidWords: Sendable {
    /// What it says: words, numbers and signs of arithmetic in their order, by hash, letters of ASCII in lower case; without
    /// articles and other words that may come and go.
    private(set) var content: [UInt64] = []
    /// The words among them that begin with a capital, but those that stand in any text.
    private(set) var names: Set<UInt64> = []
    /// All numbers in their order.
    private(set) var numbers: [Int] = []
    /// How often it denies something.
    private(set) var denials = 0

    private static let empty: UInt16 = 1
    private static let denying: UInt16 = 2
    private static let lexicon = Lexicon(
        """
        a an the this that these those it its is are was were be been being am has have had will to of and so just very s
        """.split(whereSeparator: \.isWhitespace).map { (String($0), empty) }
            + """
            no not never none nobody nothing nowhere neither nor without cannot t isnt dont doesnt didnt wont cant
            nicht kein keine nie ne pas jamais sin nunca não
            """.split(whereSeparator: \.isWhitespace).map { (String($0), denying) })

    init(_ text: [UInt8]) {
        var reader = TokenReader(Self.lexicon)
        let span = text.span
        while let token = reader.next(in: span) {
            let bytes = span.extracting(token.range)
            switch token.kind {
            case .word:
                if token.tag == Self.empty { continue }
                if token.tag == Self.denying { denials += 1 }
                let hash = Self.hash(bytes)
                content.append(hash)
                if token.isCapital, !StopWords.contains(Self.folded(bytes)) { names.insert(hash) }
            case .number:
                numbers.append(token.number)
                content.append(Self.hash(bytes))
            case .sign:
                // A dash is punctuation more often than not.
                if "<>=+*/%^~&|$#@".utf8.contains(token.sign) { content.append(UInt64(token.sign)) }
            case .end: break
            }
        }
    }

    private static func folded(_ bytes: Span<UInt8>) -> [UInt8] {
        bytes.indices.map { bytes[$0] &- 0x41 < 26 ? bytes[$0] | 0x20 : bytes[$0] }
    }

    /// FNV-1a over the bytes, letters of ASCII in lower case.
    private static func hash(_ bytes: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in bytes.indices {
            let byte = bytes[index]
            hash = (hash ^ UInt64(byte &- 0x41 < 26 ? byte | 0x20 : byte)) &* 0x100_0000_01B3
        }
        return hash
    }
}
