/// The words of a text, as it matters for whether two texts say the same: as they stand, without their case.
struct SaidWords: Sendable {
    /// The distinct words, by hash, ascending.
    private(set) var words: [UInt64] = []
    /// Of these, what names something (it begins with a capital) or may not be left out.
    private(set) var telling: Set<UInt64> = []
    /// All numbers in their order.
    private(set) var numbers: [Int] = []
    /// How often it denies something.
    private(set) var denials = 0

    private static let denying = Lexicon(
        [
            "no", "not", "never", "none", "nobody", "nothing", "nowhere", "neither", "nor", "without",
            "cannot", "t",
            "isnt", "dont", "doesnt", "didnt", "wont", "cant", "nicht", "kein", "keine", "nie", "ne", "pas",
            "jamais",
            "sin", "nunca", "não",
        ].map { ($0, 1) })

    init(_ text: [UInt8]) {
        var reader = TokenReader(Self.denying)
        let span = text.span
        var found: Set<UInt64> = []
        while let token = reader.next(in: span) {
            switch token.kind {
            case .word:
                let hash = Self.hash(span.extracting(token.range))
                found.insert(hash)
                if token.isCapital, !StopWords.contains(Self.folded(span.extracting(token.range))) {
                    telling.insert(hash)
                }
                if token.tag != 0 { denials += 1 }
            case .number: numbers.append(token.number)
            case .sign, .end: break
            }
        }
        words = found.sorted()
    }

    /// The share of the words that two texts have in common, 0 to 1 (Jaccard, 1912); 0 where they tell of other numbers,
    /// other names, or one denies what the other says.
    func likeness(to other: SaidWords) -> Float {
        guard numbers == other.numbers, denials == other.denials else { return 0 }
        var (a, b, common) = (0, 0, 0)
        func differs(_ word: UInt64) -> Bool { telling.contains(word) || other.telling.contains(word) }
        while a < words.count || b < other.words.count {
            if b == other.words.count || a < words.count && words[a] < other.words[b] {
                if differs(words[a]) { return 0 }
                a += 1
            } else if a == words.count || other.words[b] < words[a] {
                if differs(other.words[b]) { return 0 }
                b += 1
            } else {
                (a, b, common) = (a + 1, b + 1, common + 1)
            }
        }
        let all = words.count + other.words.count - common
        return all == 0 ? 0 : Float(common) / Float(all)
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
