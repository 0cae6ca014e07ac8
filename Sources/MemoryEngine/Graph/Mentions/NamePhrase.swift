/// A capitalised phrase while it is read.
struct NamePhrase {
    struct Closed {
        var range: Range<Int>
        var isTentative: Bool
    }

    private(set) var isOpen = false
    private(set) var words = 0
    /// Where the last word ends, particles included.
    private(set) var end = 0
    private var range = 0..<0
    private var particles = 0
    private var isTentative = false
    private var closed: Closed?
    /// A single word that has grown out of a title only is no name.
    private var isTitleOnly = false

    /// Adds a capitalised word, or begins with it.
    mutating func add(_ utf8: Span<UInt8>, _ word: Range<Int>, startsSentence: Bool, isSpaced: Bool) {
        let stem = MentionForms.withoutPossessive(utf8, word)
        let kind = MentionForms.wordKind(utf8, stem)
        let isPossessive = stem.upperBound < word.upperBound
        if isOpen, !isSpaced { finish() }
        if kind == .date || kind == .plain || kind == .issue || kind == .version
            || (kind == .particle && !isOpen)
        {
            // "The" and "Monday" end a phrase and begin none; but "Bank Of America" goes on.
            if isOpen { finish() }
            return
        }
        if isOpen, kind == .particle { return hold(word) }
        if isOpen {
            range = range.lowerBound..<stem.upperBound
            words += 1
            isTitleOnly = false
            isTentative = false
        } else {
            isOpen = true
            range = stem
            words = 1
            isTitleOnly = kind == .title
            isTentative = startsSentence && !MentionForms.isAcronym(utf8, stem)
        }
        particles = 0
        end = word.upperBound
        if isPossessive { finish() }
    }

    /// A particle belongs to the name only if another word of it follows.
    mutating func hold(_ particle: Range<Int>) {
        particles += 1
        end = particle.upperBound
        if particles > 2 { finish() }
    }

    mutating func close() -> Closed? {
        if isOpen { finish() }
        return takeClosed()
    }

    mutating func takeClosed() -> Closed? {
        defer { closed = nil }
        return closed
    }

    private mutating func finish() {
        isOpen = false
        particles = 0
        let isWord = range.count > 1
        closed = isWord && words <= 6 && !isTitleOnly ? Closed(range: range, isTentative: isTentative) : nil
    }

    /// Whether the last word is an initial or a title, behind which a point ends nothing.
    func isAbbreviation(_ utf8: Span<UInt8>, _ word: Range<Int>) -> Bool {
        word.count == 1 || MentionForms.wordKind(utf8, word) == .title
    }
}
