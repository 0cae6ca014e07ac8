/// A short form, and the words that it may be short for (after Schwartz and Hearst, A simple algorithm for identifying
/// abbreviation definitions in biomedical text, 2003), more strictly: its letters stand in the long form in their order, the
/// first one first, and the letters that begin the words of the long form stand in it.
struct ShortForm {
    private let letters: [Character]
    /// `i18n`: how many letters lie between the first and the last.
    private let skipped: Int?

    /// `nil` for what does not look like one: two to ten letters and digits, half of them capitals, or a count between two.
    init?(_ surface: String) {
        let count = Int(surface.dropFirst().dropLast())
        let isPlural = count == nil && surface.hasSuffix("s") && surface.count >= 3
        let text = isPlural ? String(surface.dropLast()) : surface
        guard (2...10).contains(text.count), text.utf8.allSatisfy({ $0 < 0x80 }),
            text.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "-" }), let first = text.first,
            first.isLetter, let last = text.last
        else { return nil }
        letters = Array(text.lowercased().filter { $0 != "-" })
        skipped = last.isLetter ? count : nil
        let capitals = text.count { $0.isUppercase }
        guard skipped != nil || capitals >= 2 && capitals * 2 >= letters.count else { return nil }
    }

    /// What stands at the end of `text` and may be the long form, the longest first.
    ///
    /// - Complexity: O(n²) in the bytes of `text`.
    func longForms(atEndOf text: String) -> [String] {
        var words = text.split { $0 == " " || $0 == "\n" }
        if let end = words.lastIndex(where: { $0.contains { ".;:()".contains($0) } }) {
            words.removeFirst(end + 1)
        }
        return words.indices.map { words[$0...].joined(separator: " ") }.filter { isShort(for: $0) }
    }

    func isShort(for long: String) -> Bool {
        let words = long.split(separator: " ")
        let folded = Array(long.lowercased())
        guard let first = folded.first, let last = folded.last else { return false }
        if let skipped {
            return words.count == 1 && folded.count == skipped + 2 && first == letters[0]
                && last == letters[letters.count - 1]
        }
        guard words.count <= min(letters.count + 5, letters.count * 2),
            words.count >= 2 || long.count(where: \.isUppercase) >= 2, long.count > letters.count
        else { return false }
        // XML: the e of "extensible" is passed over.
        var rest = folded[(letters[0] == "x" && first == "e" ? 1 : 0)...]
        guard rest.first == letters[0] else { return false }
        for letter in letters {
            guard let place = rest.firstIndex(of: letter) else { return false }
            rest = rest[(place + 1)...]
        }
        return hasInitials(of: words)
    }

    /// Whether the letters that begin its words, small words left out, stand in the short form in their order.
    private func hasInitials(of words: [Substring]) -> Bool {
        var rest = letters.dropFirst()
        for word in words.dropFirst() {
            guard let initial = word.first else { continue }
            if let place = rest.firstIndex(of: Character(initial.lowercased())) {
                rest = rest[(place + 1)...]
            } else if initial.isUppercase || word.count > 3 {
                return false
            }
        }
        return true
    }
}
