/// A part of a sentence as it is read from left to right: what opens it, its subject, what the verb says, and the value.
struct FactClause {
    let tokens: ArraySlice<FactToken>
    let speaker: String
    let hasActor: Bool
    /// It belongs to the first sentence of a text.
    let isFirst: Bool
    /// The text has no other.
    let isAlone: Bool
    var isChange = false
    /// It begins with "as of Monday" or the like.
    private(set) var opensWithTime = false
    private(set) var isAdditive = false
    private(set) var context = ""

    // What the words before the main verb say.
    private(set) var isDenied = false
    private(set) var isPast = false
    private(set) var isPerfect = false
    private(set) var isBe = false

    init(_ tokens: ArraySlice<FactToken>, speaker: String, hasActor: Bool, isFirst: Bool, isAlone: Bool) {
        self.isAlone = isAlone
        self.tokens = tokens
        self.isFirst = isFirst
        self.speaker = speaker
        self.hasActor = hasActor
    }

    func word(_ index: Int) -> String { tokens.indices.contains(index) ? tokens[index].text : "" }

    var range: Range<Int> {
        (tokens.first?.range.lowerBound ?? 0)..<(tokens.last?.range.upperBound ?? 0)
    }

    mutating func read() -> [StatedFact] {
        var index = opening()
        guard index < tokens.endIndex else { return [] }
        let first = index
        let subject: FactSubject
        if FactWords.actors.contains(word(index)) {
            subject = FactSubject(speaker: speaker)
            index += 1
        } else {
            guard let verb = verbIndex(from: index), let found = noun(tokens[index..<verb]) else {
                return unknownVerbs(from: first)
            }
            (subject, index) = (found, verb)
        }
        index = auxiliaries(from: index)
        guard index < tokens.endIndex else { return [] }
        var found = isBe ? copula(subject, index) : predicate(subject, index)
        for place in found.indices {
            found[place].isDenied = found[place].isDenied || isDenied
            found[place].isChange = found[place].isChange || isChange
            if !context.isEmpty {
                found[place].context += context
                found[place].isWhole = false
            }
            if isAdditive { found[place].isFunctional = false }
            found[place].isNamed = isNamed(found[place].subject)
        }
        if isPassing { found.removeAll { !$0.isChange } }
        return found
    }

    private func isNamed(_ subject: String) -> Bool {
        let words = subject.split(separator: " ").map(String.init)
        return subject == speaker || subject.hasPrefix(speaker + " ")
            || tokens.contains { $0.isName && words.contains(FactWords.plain($0.text)) }
    }

    /// Whether it is said of a day or a week alone.
    private var isPassing: Bool {
        tokens.indices.contains { index in
            FactWords.passing.contains(word(index))
                || FactWords.passingTimes.contains("\(word(index))_\(word(index + 1))")
        }
    }

    // MARK: The beginning

    /// Reads over what opens a sentence. Returns where its subject begins.
    private mutating func opening() -> Int {
        var index = tokens.startIndex
        while index < tokens.endIndex {
            let text = word(index)
            if text == "as", word(index + 1) == "of" {
                index = time(index + 2)
            } else if text == "since" {
                index = time(index + 1)
            } else if text == "from", word(index + 2) == "on" {
                (isChange, opensWithTime) = (true, true)
                index += 3
            } else if FactWords.openers.contains(text) || FactWords.fresh.contains(text) {
                note(text)
                index += 1
            } else if FactWords.contextual.contains(text) {
                // "On Sundays the museum …"
                let rest = tokens[index...]
                guard
                    let next = rest.firstIndex(where: {
                        $0.text == "the" || FactWords.actors.contains($0.text)
                    }),
                    next > index + 1
                else { return tokens.endIndex }
                context = rest[..<next].map(\.text).joined(separator: " ")
                return next
            } else {
                break
            }
        }
        return index
    }

    /// Reads over the time behind "as of" and "since".
    private mutating func time(_ index: Int) -> Int {
        (isChange, opensWithTime) = (true, true)
        var end = index + 1
        while end < tokens.endIndex, end < index + 4, Int(word(end)) != nil || word(end) == "on" { end += 1 }
        return end
    }

    private mutating func note(_ text: String) {
        if FactWords.fresh.contains(text) { isChange = true }
        if FactWords.additive.contains(text) { isAdditive = true }
    }

    // MARK: The subject

    /// The longest subject in words.
    private static let maximumSubjectCount = 9

    /// The first word that is a verb, or belongs to one.
    private func verbIndex(from start: Int) -> Int? {
        for index in start + 1..<max(start + 1, min(tokens.endIndex, start + 1 + Self.maximumSubjectCount)) {
            let text = word(index)
            if text == "'s" { continue }
            let isSure =
                FactWords.be.contains(text) || ["has", "have", "does", "do", "did"].contains(text)
                || FactWords.denying.contains(text) || text == "no" && word(index + 1) == "longer"
            if isSure { return index }
            let next = word(index + 1)
            // "The costs are": a noun.
            if FactWords.be.contains(next) || next == "has" || next == "does" { continue }
            if FactWords.past[text] != nil || FactWords.stopping.contains(text) || text == "sold"
                || text == "replaced" || text == "used" && next == "to"
            {
                return index
            }
            if FactWords.fresh.contains(text) || ["still", "also"].contains(text) { return index }
            if text.hasSuffix("s"), FactWords.isVerb(text), index + 1 < tokens.endIndex { return index }
            // "Lunch breaks": of several, in the plural.
            if FactWords.plain(word(index - 1)) != word(index - 1), FactWords.isVerb(text),
                index + 1 < tokens.endIndex
            {
                return index
            }
        }
        return nil
    }

    /// A subject of some words; `nil` where it is not clear whom they mean.
    func noun(_ tokens: ArraySlice<FactToken>) -> FactSubject? {
        let subject = FactSubject(tokens, speaker: speaker, hasActor: hasActor)
        guard let subject, isAlone || subject.isClear || isFirst && !subject.isBare else { return nil }
        return subject
    }

    // MARK: The verb

    /// Reads what stands before the main verb. Returns where that is.
    private mutating func auxiliaries(from start: Int) -> Int {
        var index = start
        while index < tokens.endIndex {
            let text = word(index)
            let next = word(index + 1)
            if text == "no", next == "longer" {
                (isDenied, isChange) = (true, true)
                index += 2
            } else if FactWords.denying.contains(text) {
                isDenied = true
                index += 1
            } else if FactWords.openers.contains(text) || FactWords.fresh.contains(text) {
                note(text)
                index += 1
            } else if FactWords.be.contains(text) {
                isBe = true
                if text == "was" || text == "were" { isPast = true }
                if text == "being" { return tokens.endIndex }
                index += 1
            } else if ["has", "have", "had"].contains(text), isParticiple(index + 1) {
                isPerfect = true
                index += 1
            } else if ["do", "does", "did"].contains(text) {
                if text == "did" { isPast = true }
                index += 1
            } else if text == "used", next == "to" {
                (isDenied, isChange) = (true, true)
                index += 2
                if word(index) == "be" { isBe = true }
            } else if FactWords.stopping.contains(text), word(index + 1).hasSuffix("ing") || next == "up" {
                (isDenied, isChange) = (true, true)
                index += next == "up" ? 2 : 1
            } else {
                break
            }
        }
        return index
    }

    private func isParticiple(_ index: Int) -> Bool {
        let text = word(index)
        if FactWords.openers.contains(text) || FactWords.fresh.contains(text) {
            return isParticiple(index + 1)
        }
        return text == "been" || text.hasSuffix("ed") || FactWords.past[text] != nil
            || FactWords.participles[text] != nil || text == "not"
    }
}
