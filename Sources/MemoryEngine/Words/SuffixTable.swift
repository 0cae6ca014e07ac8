/// Up to eight ASCII letters in one number, the last letter lowest, so that they are compared with one
/// instruction.
struct Affix: Sendable {
    let packed: UInt64
    let count: Int

    init(_ text: String) {
        precondition(text.utf8.count <= 8, "an affix has at most 8 letters: \(text)")
        packed = text.utf8.reduce(0) { $0 << 8 | UInt64($1) }
        count = text.utf8.count
    }

    /// Whether these are the last letters of a word.
    @inline(__always)
    func isSuffix(ofTail tail: UInt64, count wordCount: Int) -> Bool {
        count <= wordCount && (tail ^ packed) << UInt64(64 - 8 * count) == 0
    }

    /// Whether these are the first letters of a word with this head (`WordBuffer.head`).
    @inline(__always)
    func isPrefix(ofHead head: UInt64) -> Bool { head >> UInt64(64 - 8 * count) == packed }

    /// Writes the letters at `start`. The word must have room for them.
    @inline(__always)
    func write(to word: inout WordBuffer, at start: Int) {
        for index in 0..<count {
            word[start + index] = UInt8(truncatingIfNeeded: packed >> UInt64(8 * (count - 1 - index)))
        }
    }
}

/// The suffixes that one step of a stemmer looks for. The longest one that the word ends in wins, and
/// only then is its condition asked.
struct SuffixTable: Sendable {
    /// When a rule holds. Each step gives meaning to those that its table uses.
    enum Condition: Sendable {
        case always
        case inR1
        case inR2
        case afterL
        case afterSOrT
        case afterLiLetter
        case progressive
        case twoLettersBefore
        case vowelBefore
    }

    struct Rule: Sendable {
        let suffix: Affix
        let replacement: Affix
        let condition: Condition

        init(_ suffix: String, _ replacement: String, _ condition: Condition = .always) {
            self.suffix = Affix(suffix)
            self.replacement = Affix(replacement)
            self.condition = condition
        }

        var lastFive: Int { SuffixTable.lowFive(UInt8(truncatingIfNeeded: suffix.packed)) }
    }

    /// The rules by the low five bits of the last byte of their suffix, and the longer suffix first.
    private let rules: [Rule]
    /// For each such five bits, where its rules begin and end in `rules`, and which bytes before the last
    /// one some rule wants: most words are dismissed by these two bytes.
    private let groups: [Group]

    private struct Group: Sendable {
        var start: UInt8 = 0
        var end: UInt8 = 0
        var bytesBefore: UInt32 = 0
    }

    init(_ list: [Rule]) {
        rules = list.sorted { a, b in
            a.lastFive == b.lastFive ? a.suffix.count > b.suffix.count : a.lastFive < b.lastFive
        }
        var groups = [Group](repeating: Group(), count: 32)
        for (index, rule) in rules.enumerated() {
            var group = groups[rule.lastFive]
            if group.end == 0 { group.start = UInt8(index) }
            group.end = UInt8(index + 1)
            let before = UInt8(truncatingIfNeeded: rule.suffix.packed >> 8)
            group.bytesBefore |= rule.suffix.count == 1 ? .max : 1 << UInt32(Self.lowFive(before))
            groups[rule.lastFive] = group
        }
        self.groups = groups
    }

    private static func lowFive(_ byte: UInt8) -> Int { Int(byte & 31) }

    /// The rule with the longest suffix of the word.
    @inline(__always)
    func longestMatch(in word: borrowing WordBuffer) -> Rule? {
        let count = word.count
        guard count > 0 else { return nil }
        let group = groups[Self.lowFive(word[count - 1])]
        let before = count > 1 ? Self.lowFive(word[count - 2]) : 0
        guard group.bytesBefore >> UInt32(before) & 1 == 1 else { return nil }
        return longestMatch(in: word, from: Int(group.start), to: Int(group.end))
    }

    private func longestMatch(in word: borrowing WordBuffer, from start: Int, to end: Int) -> Rule? {
        let tail = word.tail
        let count = word.count
        for index in start..<end where rules[index].suffix.isSuffix(ofTail: tail, count: count) {
            return rules[index]
        }
        return nil
    }
}
