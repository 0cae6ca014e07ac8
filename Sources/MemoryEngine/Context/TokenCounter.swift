/// Counts the tokens that a model would make of a text.
///
/// The engine knows no model's tokens: whoever asks for a context gives the counter of the model that will read it, or
/// takes the estimate.
public struct TokenCounter: Sendable {
    public let count: @Sendable (String) -> Int

    /// - Parameter count: the tokens of a text, the same each time. A pack is counted whole.
    public init(_ count: @escaping @Sendable (String) -> Int) { self.count = count }

    /// What byte-pair vocabularies of some 100,000 entries make of a text, about; rather too many than too few. A run of
    /// letters counts one for each five bytes, digits one for three, every other mark one; what is not ASCII one for
    /// each scalar of an ideographic script, and one for two bytes elsewhere.
    ///
    /// - Complexity: O(n).
    public static let estimate = TokenCounter { text in
        var count = 0
        var letters = 0
        var digits = 0
        var others = 0
        func flush() {
            count += (letters + 4) / 5 + (digits + 2) / 3 + (others + 1) / 2
            letters = 0
            digits = 0
            others = 0
        }
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x41...0x5a, 0x61...0x7a:
                if digits > 0 || others > 0 { flush() }
                letters += 1
            case 0x30...0x39:
                if letters > 0 || others > 0 { flush() }
                digits += 1
            case 0x20: flush()
            case 0..<0x80:
                flush()
                count += 1
            case 0x3000...0x9fff, 0xac00...0xd7af, 0x20000...0x3ffff:
                flush()
                count += 1
            default:
                if letters > 0 || digits > 0 { flush() }
                others += scalar.utf8.count
            }
        }
        flush()
        return count
    }
}
