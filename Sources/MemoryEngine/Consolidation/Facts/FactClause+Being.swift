/// What something is, where it is, and what was done with it: "is", "is hosted on", "was moved to".
extension FactClause {
    func copula(_ subject: FactSubject, _ index: Int) -> [StatedFact] {
        if let facts = participle(subject, index) { return facts }
        // What was is not what is.
        guard !isPast, !isPerfect else { return [] }
        let text = word(index)
        if ["in", "at", "on", "under", "behind", "inside"].contains(text) {
            guard let reading = value(index + 1) else { return [] }
            let isState = FactWords.isState(text) && tokens.endIndex == index + 1
            if !isState {
                return [
                    fact(
                        subject.key, ["at"], reading,
                        isFunctional: reading.value.isTime || !subject.isPerson && reading.value.isTimeOrPlace
                    )
                ]
            }
        }
        var found: [StatedFact] = []
        // "Ada is the lead of the team".
        if ["the", "my", "our"].contains(word(index))
            || tokens[index...].contains(where: { $0.text == "'s" }),
            let thing = noun(tokens[index..<end(index)]), thing.isAttribute || thing.isRole,
            !subject.isAttribute,
            !subject.isRole, let name = subject.name
        {
            var reading = Reading(value: name)
            reading.isLately =
                isChange || tokens[end(index)...].contains { FactWords.fresh.contains($0.text) }
            found.append(fact(thing.key, ["is"], reading, isFunctional: true))
        }
        guard let reading = value(index) else { return found }
        found.append(
            fact(subject.key, ["is"], reading, isFunctional: found.isEmpty && subject.takesOne(reading.value))
        )
        return found
    }

    /// The end of a noun that begins somewhere: before what only says since when.
    func end(_ start: Int) -> Int {
        tokens[start...].firstIndex { FactWords.lately.contains($0.text) } ?? tokens.endIndex
    }

    /// "hosted on", "moved from … to", "called".
    func participle(_ subject: FactSubject, _ index: Int) -> [StatedFact]? {
        let text = word(index)
        for entry in [text, text + "_"] {
            guard let (prepositions, relation) = FactWords.participles[entry] else { continue }
            if let facts = participle(subject, index, prepositions, relation) { return facts }
        }
        return nil
    }

    func participle(
        _ subject: FactSubject, _ index: Int, _ prepositions: Set<String>, _ relation: String
    ) -> [StatedFact]? {
        let text = word(index)
        var next = index + 1
        var former: FactValue?
        if word(next) == "from", let to = tokens[next...].firstIndex(where: { $0.text == "to" }) {
            former = FactValue(tokens[(next + 1)..<to])
            next = to
        }
        let isNaming = relation.hasSuffix("called") || relation == "partner"
        if prepositions.contains(word(next)) {
            next += 1
        } else if !isNaming || former != nil {
            return nil
        }
        let kind = relation.first ?? " "
        // "Was hosted on": it may be so no more.
        guard kind == "+" || kind == "!" || !isPast else { return [] }
        guard var reading = value(next) else { return [] }
        if let former { reading.former = former }
        let name = kind == "+" || kind == "!" ? String(relation.dropFirst()) : relation
        guard name != "replaced" else { return [] }
        if kind == "+" { reading.isLately = true }
        var found = [related(subject, name, reading, isTimeless: kind == "!")]
        if text == "married", !isDenied {
            found.append(
                fact(
                    subject.key, ["is"], Reading(value: FactValue(sort: .state, words: [text])),
                    isFunctional: true))
        }
        return found
    }

    /// The fact of a relation by its name in the tables.
    func related(
        _ subject: FactSubject, _ name: String, _ reading: Reading, isTimeless: Bool = false
    ) -> StatedFact {
        if FactWords.roles.contains(name) || FactWords.attributes.contains(name) {
            return fact("\(subject.key) \(name)", ["is"], reading, isFunctional: true, isTimeless: isTimeless)
        }
        var relations = [name]
        switch name {
        case "at", "lives": relations = ["at", "is", "lives"]
        case "called": relations = ["called", "is"]
        default: break
        }
        if !reading.isLately, name != "is" { relations = [name] }
        if reading.isLately, !subject.isPerson, name == "at" || name == "is" || name == "lives",
            reading.value.isVersioned
        {
            relations.append("runs on")
        }
        return fact(
            subject.key, relations, reading, isFunctional: !subject.isOneOfSeveral, isTimeless: isTimeless)
    }
}
