/// The Porter2 stemmer for English: brings "connected", "connecting" and "connections" to "connect".
///
/// The algorithm is the English stemmer of the Snowball project (M. F. Porter, 2001, with the
/// project's changes up to release 3.1, snowballstem.org/algorithms/english), exact for every word of
/// lower-case ASCII letters and apostrophes. Stems go into files: a change of this code is a new
/// version of the index of words.
///
/// What must stay true: a stem is never longer than its word, and a word that is only letters gives
/// only letters.
package enum PorterStemmer {
    /// Replaces a word by its stem.
    ///
    /// - Parameter word: one word of lower-case ASCII letters, and apostrophes written `'`. Any other
    ///   byte counts as a consonant; nothing traps. A word of more than 64 bytes, which is longer than a
    ///   term, is its own stem.
    /// - Complexity: O(n) in the bytes of the word.
    package static func stem(_ word: inout [UInt8]) {
        guard word.count <= Tokenizer.maximumTermByteCount else { return }
        var buffer = WordBuffer(word)
        buffer.stem()
        word = buffer.array
    }
}

/// The steps of the algorithm, in the order of the paper. A `y` that is a consonant is written `Y` on the
/// way.
extension WordBuffer {
    /// Replaces a word of at most 64 bytes by its stem; allocates nothing.
    mutating func stem() {
        let tables = StemmingTables.shared
        if let rule = tables.wholeWords.longestMatch(in: self), rule.suffix.count == count {
            replace(rule)
            return
        }
        guard count > 2 else { return }
        dropLeadingApostrophe()
        let hasConsonantY = markRegions(tables)
        removePlural(tables)
        removePastAndProgressive(tables)
        replaceFinalY()
        apply(tables.doubleSuffixes, from: r1)
        apply(tables.adjectivalSuffixes, from: r1)
        apply(tables.residualSuffixes, from: r2)
        removeFinalEOrL()
        if hasConsonantY {
            for index in 0..<count where self[index] == UInt8(ascii: "Y") { self[index] = UInt8(ascii: "y") }
        }
    }

    private mutating func dropLeadingApostrophe() {
        guard self[0] == UInt8(ascii: "'") else { return }
        for index in 1..<count { self[index - 1] = self[index] }
        setCount(count - 1)
    }

    /// Marks each `y` at the beginning or behind a vowel, and finds the regions. Returns whether there is
    /// such a `y`.
    private mutating func markRegions(_ tables: StemmingTables) -> Bool {
        // One bit for each letter that is a vowel; a word has at most 64 letters here.
        var vowels: UInt64 = 0
        var hasConsonantY = false
        var isAfterVowel = true
        for index in 0..<count {
            if self[index] == UInt8(ascii: "y"), isAfterVowel {
                self[index] = UInt8(ascii: "Y")
                hasConsonantY = true
                isAfterVowel = false
            } else {
                isAfterVowel = isVowel(self[index])
                if isAfterVowel { vowels |= 1 << UInt64(index) }
            }
        }
        r1 = tables.regionPrefix(of: self)?.count ?? endOfVowelsAndConsonant(vowels, from: 0)
        r2 = endOfVowelsAndConsonant(vowels, from: r1)
        return hasConsonantY
    }

    /// Where the first consonant ends that follows a vowel at `start` or later.
    private func endOfVowelsAndConsonant(_ vowels: UInt64, from start: Int) -> Int {
        let firstVowel = start + (vowels >> UInt64(start)).trailingZeroBitCount
        guard firstVowel < count else { return count }
        let firstConsonant = firstVowel + (~(vowels >> UInt64(firstVowel))).trailingZeroBitCount
        return min(firstConsonant + 1, count)
    }

    /// Steps 0 and 1a.
    private mutating func removePlural(_ tables: StemmingTables) {
        if let possessive = tables.possessives.longestMatch(in: self) {
            setCount(count - possessive.suffix.count)
        }
        guard count > 0, let plural = tables.plurals.longestMatch(in: self) else { return }
        let stemCount = count - plural.suffix.count
        switch plural.condition {
        case .always:
            replace(plural)
        case .twoLettersBefore:
            // "cries" gives "cri", and "ties" gives "tie".
            setCount(stemCount > 1 ? stemCount + 1 : stemCount + 2)
        default:
            // "gaps" loses its s; "gas" and "this" keep it, having no vowel before their last letter.
            if stemCount > 0, hasVowel(before: stemCount - 1) { setCount(stemCount) }
        }
    }

    /// Step 1b.
    private mutating func removePastAndProgressive(_ tables: StemmingTables) {
        guard let rule = tables.pastAndProgressive.longestMatch(in: self) else { return }
        let stemCount = count - rule.suffix.count
        switch rule.condition {
        case .inR1:
            guard stemCount >= r1 else { return }
            if !tables.isBeginning(tables.wordsInEed, of: self, count: stemCount) { replace(rule) }
            return
        case .progressive:
            if stemCount == 2, self[1] == UInt8(ascii: "y"), !isVowel(self[0]) {
                // "dying" gives "die".
                self[1] = UInt8(ascii: "i")
                self[2] = UInt8(ascii: "e")
                setCount(3)
                return
            }
            if tables.isBeginning(tables.nounsInIng, of: self, count: stemCount) { return }
        default:
            break
        }
        guard hasVowel(before: stemCount) else { return }
        setCount(stemCount)
        mendAfterRemoval(tables)
    }

    /// Gives back the e of "hop(e)", and takes the second p of "hopp".
    private mutating func mendAfterRemoval(_ tables: StemmingTables) {
        if let ending = tables.endingsThatWantE.longestMatch(in: self) {
            replace(ending)
        } else if count > 1, self[count - 1] == self[count - 2], isDoubling(self[count - 1]) {
            // "add", "egg" and "off" keep both.
            let first = self[0]
            let isShort =
                first == UInt8(ascii: "a") || first == UInt8(ascii: "e") || first == UInt8(ascii: "o")
            if !(count == 3 && isShort) { setCount(count - 1) }
        } else if count == r1, endsInShortSyllable(count) {
            self[count] = UInt8(ascii: "e")
            setCount(count + 1)
        }
    }

    /// Step 1c: "cry" gives "cri", and "by" and "say" stay.
    private mutating func replaceFinalY() {
        guard count > 2, self[count - 1] | 0x20 == UInt8(ascii: "y"), !isVowel(self[count - 2]) else {
            return
        }
        self[count - 1] = UInt8(ascii: "i")
    }

    /// Steps 2, 3 and 4: the longest suffix of the table, if it lies behind `region`.
    private mutating func apply(_ table: SuffixTable, from region: Int) {
        guard let rule = table.longestMatch(in: self) else { return }
        let stemCount = count - rule.suffix.count
        guard stemCount >= region else { return }
        let before = stemCount > 0 ? self[stemCount - 1] : 0
        switch rule.condition {
        case .afterL:
            guard before == UInt8(ascii: "l") else { return }
        case .afterSOrT:
            guard before == UInt8(ascii: "s") || before == UInt8(ascii: "t") else { return }
        case .afterLiLetter:
            guard isLiLetter(before) else { return }
        case .inR2:
            guard stemCount >= r2 else { return }
        default:
            break
        }
        replace(rule)
    }

    /// Step 5.
    private mutating func removeFinalEOrL() {
        guard count > 0 else { return }
        let last = count - 1
        if self[last] == UInt8(ascii: "e") {
            if last >= r2 || (last >= r1 && !endsInShortSyllable(last)) { setCount(last) }
        } else if self[last] == UInt8(ascii: "l"), last >= r2, last > 0, self[last - 1] == UInt8(ascii: "l") {
            setCount(last)
        }
    }

    private mutating func replace(_ rule: SuffixTable.Rule) {
        setCount(count - rule.suffix.count)
        rule.replacement.write(to: &self, at: count)
        setCount(count + rule.replacement.count)
    }

    private func hasVowel(before end: Int) -> Bool {
        for index in 0..<end where isVowel(self[index]) { return true }
        return false
    }

    /// Whether the first `end` letters end in a short syllable: a vowel between two consonants, the
    /// last of which is not w, x or Y; or, as the whole of it, a vowel and a consonant; or "past".
    private func endsInShortSyllable(_ end: Int) -> Bool {
        guard end > 1, !isVowel(self[end - 1]) else { return false }
        if isVowel(self[end - 2]) {
            if end == 2 { return true }
            if !isLong(self[end - 1]), !isVowel(self[end - 3]) { return true }
        }
        return end >= 4 && self[end - 1] == UInt8(ascii: "t") && self[end - 2] == UInt8(ascii: "s")
            && self[end - 3] == UInt8(ascii: "a") && self[end - 4] == UInt8(ascii: "p")
    }
}

private func isVowel(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a"), UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "o"), UInt8(ascii: "u"),
        UInt8(ascii: "y"):
        true
    default: false
    }
}

/// The consonants that a verb doubles before "ed" and "ing".
private func isDoubling(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "b"), UInt8(ascii: "d"), UInt8(ascii: "f"), UInt8(ascii: "g"), UInt8(ascii: "m"),
        UInt8(ascii: "n"), UInt8(ascii: "p"), UInt8(ascii: "r"), UInt8(ascii: "t"):
        true
    default: false
    }
}

/// The letters that may stand before an "li" that is a suffix.
private func isLiLetter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "c"), UInt8(ascii: "d"), UInt8(ascii: "e"), UInt8(ascii: "g"), UInt8(ascii: "h"),
        UInt8(ascii: "k"), UInt8(ascii: "m"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
        true
    default: false
    }
}

/// The consonants behind which no syllable is short.
private func isLong(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "w"), UInt8(ascii: "x"), UInt8(ascii: "Y"): true
    default: false
    }
}
