/// What other verbs than "to be" say.
extension FactClause {
    func predicate(_ subject: FactSubject, _ index: Int) -> [StatedFact] {
        let text = word(index)
        if text == "replaced" || text == "replace" { return replacement(subject, index) }
        if FactWords.setting.contains(text), let facts = setting(subject, index) { return facts }
        if text == "left" || text == "quit" || text == "sold" { return leaving(subject, index) }
        if text == "has" || text == "have" {
            guard !isPast, let reading = value(index + 1), case .number = reading.value.sort else {
                return generic(subject, index)
            }
            return [fact(subject.key, ["has"], reading, isFunctional: true)] + generic(subject, index)
        }
        let base = FactWords.base(text)
        let isFinite = FactWords.past[text] != nil || isPerfect
        if FactWords.stem(base) == "us", let facts = use(subject, index) { return facts }
        if let role = FactWords.inverse[base], !subject.isSpeaker, let name = subject.name,
            let thing = noun(tokens[(index + 1)..<end(index + 1)])
        {
            let isLately = tokens[index...].contains { FactWords.fresh.contains($0.text) }
            return [
                fact(
                    "\(thing.key) \(role)", ["is"], Reading(value: name, isLately: isLately),
                    isFunctional: true)
            ]
        }
        for entry in [text, text + "_", base, base + "_"] {
            guard let (prepositions, relation) = FactWords.verbs[entry] else { continue }
            var next = index + 1
            var former: FactValue?
            if word(next) == "from", let to = tokens[next...].firstIndex(where: { $0.text == "to" }) {
                former = FactValue(tokens[(next + 1)..<to])
                next = to
            }
            if prepositions.contains(word(next)) { next += 1 } else if !prepositions.isEmpty { continue }
            guard var reading = value(next) else { break }
            let kind = relation.first ?? " "
            let name = kind == "+" || kind == "!" ? String(relation.dropFirst()) : relation
            if kind == "+" {
                guard isFinite else { break }
                reading.isLately = true
                reading.former = former ?? reading.former
                // "I moved to the next chapter."
                if name == "lives" || name == "employer", !reading.value.isNamed,
                    subject.isPerson || !reading.value.isTimeOrPlace && former == nil
                {
                    break
                }
            } else if kind != "!", isPast || FactWords.past[text] != nil {
                break
            }
            var stated = related(subject, name, reading, isTimeless: kind == "!")
            if name == "lives" || name == "employer" || name == "studies at", kind != "+",
                !reading.value.isNamed
            {
                stated.isFunctional = false
            }
            return [stated] + generic(subject, index)
        }
        return generic(subject, index)
    }

    /// "Uses Git for version control": of what is used for one thing there is one.
    func use(_ subject: FactSubject, _ index: Int) -> [StatedFact]? {
        guard !isPast, let reading = value(index + 1) else { return nil }
        let hasPurpose = reading.context.hasPrefix("for ") || reading.context.hasPrefix("as ")
        return [fact(subject.key, ["uses"], reading, isFunctional: hasPurpose)]
    }

    /// "Replaced GCC with Clang", "has replaced Joan as chair of the committee".
    func replacement(_ subject: FactSubject, _ index: Int) -> [StatedFact] {
        if let place = tokens[index...].firstIndex(where: { $0.text == "with" || $0.text == "by" }),
            place > index + 1, let former = FactValue(tokens[(index + 1)..<place]),
            var reading = value(place + 1)
        {
            reading.former = former
            return [fact(subject.key, ["uses"], reading, isFunctional: false)]
        }
        if let place = tokens[index...].firstIndex(where: { $0.text == "as" }), place > index + 1,
            let name = subject.name, let thing = noun(tokens[(place + 1)..<end(place + 1)])
        {
            return [fact(thing.key, ["is"], Reading(value: name, isLately: true), isFunctional: true)]
        }
        return []
    }

    /// "We raised the limit to 5", "switched from Slack to Zulip".
    func setting(_ subject: FactSubject, _ index: Int) -> [StatedFact]? {
        guard !isDenied,
            let to = tokens[index...].firstIndex(where: { $0.text == "to" }), var reading = value(to + 1)
        else { return nil }
        reading.isLately = true
        let from = tokens[index..<to].firstIndex { $0.text == "from" }
        if let from { reading.former = FactValue(tokens[(from + 1)..<to]) }
        let object = tokens[(index + 1)..<(from ?? to)]
        if object.isEmpty {
            guard from != nil, subject.isSpeaker else { return nil }
            return [fact(subject.key, ["uses"], reading, isFunctional: false)]
        }
        guard subject.isSpeaker, let thing = noun(object) else { return nil }
        let isMove = ["moved", "postponed", "pushed", "rescheduled", "shifted", "relocated"].contains(
            word(index))
        return [
            fact(
                thing.key, isMove ? ["at", "is"] : ["is", "called"], reading,
                isFunctional: !isMove || reading.value.isTimeOrPlace)
        ]
    }

    /// "Left the studio", "quit his job at CERN", "sold the house".
    func leaving(_ subject: FactSubject, _ index: Int) -> [StatedFact] {
        var start = index + 1
        if let at = tokens[index...].firstIndex(where: { $0.text == "at" || $0.text == "with" }),
            word(at - 1) == "job"
        {
            start = at + 1
        }
        guard var reading = value(start), reading.context.isEmpty else { return [] }
        reading.isLately = true
        if word(index) == "sold" {
            guard let name = subject.name, let thing = noun(tokens[start..<end(start)]) else { return [] }
            reading.value = name
            var sold = fact("\(thing.key) owner", ["is"], reading, isFunctional: true)
            sold.isDenied = true
            return [sold]
        }
        var left = fact("\(subject.key) employer", ["is"], reading, isFunctional: true)
        left.isDenied = true
        return [left]
    }

    /// Any verb with all that stands behind it: contradicted by what denies the same.
    func generic(_ subject: FactSubject, _ index: Int) -> [StatedFact] {
        guard !isPast, index < tokens.endIndex else { return [] }
        let verb = FactWords.stem(word(index))
        var end = tokens.endIndex
        while end > index + 1, FactWords.lately.contains(word(end - 1)) { end -= 1 }
        if end - 2 > index, word(end - 2) == "any", ["more", "longer"].contains(word(end - 1)) { end -= 2 }
        let rest = tokens[(index + 1)..<end].map(\.text).filter { !FactWords.articles.contains($0) }
        guard rest.count <= FactValue.maximumCount, !rest.isEmpty || end == index + 1,
            !rest.contains(where: FactWords.notInObject.contains)
        else { return [] }
        let reading = Reading(value: FactValue(sort: .words, words: rest.isEmpty ? ["so"] : rest))
        return [fact(subject.key, ["verb \(verb)"], reading, isFunctional: false)]
    }

    /// A sentence whose verb is in no table: each word that may be it.
    func unknownVerbs(from start: Int) -> [StatedFact] {
        var found: [StatedFact] = []
        for index in start + 1..<max(start + 1, min(tokens.endIndex, start + 5))
        where word(index).hasSuffix("s") && !tokens[index].isName && word(index) != "'s" {
            guard let subject = noun(tokens[start..<index]) else { continue }
            found += generic(subject, index)
        }
        return found
    }
}
