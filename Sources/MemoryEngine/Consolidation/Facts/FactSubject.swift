/// Whom or what a fact is about.
struct FactSubject {
    let key: String
    /// The noun that it is, without what it belongs to.
    private let head: String
    private let hasOwner: Bool
    let isSpeaker: Bool
    /// As a value of something else: "Ada is the lead".
    let name: FactValue?
    let isPerson: Bool
    /// It is called by its name, or belongs to what is: whatever stands before it.
    let isClear: Bool
    /// It is "the default" or the like, and does not say of what.
    let isBare: Bool

    init(speaker: String) {
        (key, head, hasOwner, isSpeaker, isPerson, isClear, isBare) = (
            speaker, "", false, true, true, true, false
        )
        name = FactValue(sort: .name, words: speaker.split(separator: " ").map(String.init))
    }

    /// - Returns: `nil` where it is not clear whom or what some words mean.
    init?(_ tokens: ArraySlice<FactToken>, speaker: String, hasActor: Bool) {
        var tokens = tokens
        while let last = tokens.last,
            FactWords.openers.contains(last.text) || FactWords.lately.contains(last.text)
        { tokens.removeLast() }
        guard let first = tokens.first, first.text != "a", first.text != "an",
            !tokens.contains(where: {
                FactWords.unclear.contains($0.text) || FactWords.notInSubject.contains($0.text)
                    || ["and", "or", "&"].contains($0.text) || FactWords.actors.contains($0.text)
            })
        else { return nil }
        var owner: [String] = []
        if first.text == "my" || first.text == "our" {
            tokens.removeFirst()
            if hasActor || first.text == "my" { owner = [speaker] }
        }
        guard !tokens.isEmpty, !tokens.contains(where: { ["my", "our"].contains($0.text) }) else {
            return nil
        }
        let parts = tokens.split(maxSplits: 1) { $0.text == "of" || $0.text == "for" }
        let sides = parts.map { part in
            part.map(\.text).filter { !FactWords.articles.contains($0) && $0 != "'s" }.map(FactWords.plain)
        }
        guard let left = sides.first, let last = left.last, sides.allSatisfy({ !$0.isEmpty }) else {
            return nil
        }
        key = (owner + (sides.count > 1 ? sides[1] : []) + left).joined(separator: " ")
        // Of "the server in Oslo" the noun is before the preposition.
        let preposition = left.firstIndex { ["in", "on", "at", "from"].contains($0) }
        head = preposition.map { $0 > 0 ? left[$0 - 1] : last } ?? last
        hasOwner = !owner.isEmpty || sides.count > 1 || tokens.contains { $0.text == "'s" }
        isSpeaker = false
        let isName = tokens.allSatisfy(\.isName)
        let hasDigit = tokens.contains { $0.text.contains(where: \.isNumber) }
        name = isName || hasDigit ? FactValue(tokens) : nil
        // The first word of a sentence has a capital whatever it is.
        isClear =
            owner == [speaker] || tokens.dropFirst().contains { $0.isName } || isName && tokens.count > 1
        isBare = !hasOwner && left.allSatisfy { FactWords.attributes.contains($0) || $0 == "value" }
        isPerson = isName && !hasDigit && tokens.count > 0 && first.text.count > 1
    }

    var isAttribute: Bool { FactWords.attributes.contains(head) }
    /// "My sister": there may be another.
    var isOneOfSeveral: Bool { hasOwner && FactWords.plural.contains(head) }
    var isRole: Bool { FactWords.roles.contains(head) }

    /// Whether of values such as this it has one.
    func takesOne(_ value: FactValue) -> Bool {
        if FactWords.plural.contains(head) { return value.sort == .state }
        switch value.sort {
        case .number, .clock, .weekday, .date, .state: return true
        case .name, .country: return isAttribute || isRole || hasOwner
        case .words:
            return isAttribute && value.words.count <= 3 && !FactWords.judging.contains(value.words[0])
                && !value.words[0].hasSuffix("ed")
        case .place: return false
        }
    }
}

extension FactValue {
    /// A name, of a place or of an employer.
    var isNamed: Bool { sort == .name || sort == .country }

    /// "Debian 12".
    var isVersioned: Bool {
        words.count == 2 && words[1].first?.isNumber == true && words[0].first?.isLetter == true
    }

    var isTime: Bool { sort == .clock || sort == .weekday || sort == .date }

    var isTimeOrPlace: Bool {
        switch sort {
        case .clock, .weekday, .date, .place, .name, .country: true
        case .number, .state, .words: false
        }
    }
}
