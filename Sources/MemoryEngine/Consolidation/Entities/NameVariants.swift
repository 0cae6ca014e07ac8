extension NamedThings {
    /// Names that differ in their form alone: hyphens and points, a plural of two words or of capitals, the form of a company,
    /// a title, the initials between two names.
    var variants: [NamePair] {
        var pairs: [NamePair] = []
        var plain: [String: [Int]] = [:]
        var withoutInitials: [String: [Int]] = [:]
        for (index, thing) in all.enumerated() where thing.name.sort == .name || thing.name.sort == .code {
            let key = thing.name.key
            pairs += spaced(index)
            guard thing.name.sort == .name else { continue }
            let bare = Self.withoutSigns(key)
            if bare.contains(" ") { plain[bare, default: []].append(index) }
            for base in [Self.singular(thing), Self.withoutForm(key), Self.withoutTitle(key)] {
                if let base, let other = self.index(.name, base), Self.mayBe(all[other], baseOf: thing) {
                    pairs.append(pair(index, other, .variant, says: nil))
                }
            }
            if let base = Self.withoutInitials(key) { withoutInitials[base, default: []].append(index) }
        }
        for group in plain.values {
            for (a, b) in zip(group, group.dropFirst()) { pairs.append(pair(a, b, .variant, says: nil)) }
        }
        for (base, group) in withoutInitials where group.count == 1 {
            guard let other = index(.name, base) else { continue }
            pairs.append(pair(group[0], other, .variant, says: nil))
        }
        return pairs.sorted { ($0.first, $0.second) < ($1.first, $1.second) }
    }

    /// "LibreOffice" and "Libre Office".
    private func spaced(_ index: Int) -> [NamePair] {
        all[index].surfaces.compactMap { surface in
            guard let first = surface.first, first.isUppercase, !surface.contains(" "),
                let spelling = NameSpelling(surface, isFlag: false), !spelling.isAllCapitals,
                let other = self.index(.name, spelling.key.replacing("_", with: " ")),
                !areStrangers(index, other)
            else { return nil }
            return pair(index, other, .variant, says: nil)
        }
    }

    /// With spaces in the place of hyphens, without points.
    private static func withoutSigns(_ key: String) -> String {
        key.replacing("-", with: " ").filter { $0 != "." }
    }

    /// Of two words or more the singular of the last; of capitals (`APIs`) those.
    private static func singular(_ thing: NamedThing) -> String? {
        let key = thing.name.key
        guard key.hasSuffix("s") else { return nil }
        let words = thing.words
        if words.count >= 2 {
            let isPlural =
                !["ss", "us", "is"].contains(String(key.suffix(2))) && (words.last?.count ?? 0) >= 5
            return isPlural ? String(key.dropLast()) : nil
        }
        let isCapitals = thing.surfaces.allSatisfy {
            $0.hasSuffix("s") && $0.count >= 3
                && $0.dropLast().utf8.allSatisfy { $0 &- UInt8(ascii: "A") < 26 || isASCIIDigit($0) }
        }
        return isCapitals ? String(key.dropLast()) : nil
    }

    private static func mayBe(_ base: NamedThing, baseOf thing: NamedThing) -> Bool {
        guard thing.words.count == 1 else { return true }
        return base.surfaces.allSatisfy { $0.allSatisfy { $0.isUppercase || $0.isNumber } }
    }

    /// Without what a company is by law.
    private static func withoutForm(_ key: String) -> String? {
        guard let space = key.lastIndex(of: " "),
            ["inc", "ltd", "llc", "gmbh", "corp", "corporation", "plc", "limited"].contains(
                key[key.index(after: space)...].filter { $0 != "." })
        else { return nil }
        return String(key[..<space])
    }

    /// Two words or more behind a title.
    private static func withoutTitle(_ key: String) -> String? {
        let words = key.split(separator: " ")
        guard words.count >= 3, let title = words.first,
            ["dr", "prof", "professor", "mr", "mrs", "ms", "sir", "dame"].contains(title.filter { $0 != "." })
        else { return nil }
        return words.dropFirst().joined(separator: " ")
    }

    /// Without single letters between the first word and the last, if there are any.
    private static func withoutInitials(_ key: String) -> String? {
        let words = key.split(separator: " ")
        guard words.count >= 3 else { return nil }
        let kept = words.enumerated().filter { index, word in
            index == 0 || index == words.count - 1 || word.filter { $0 != "." }.count > 1
        }.map(\.element)
        guard kept.count < words.count, kept.allSatisfy({ $0.count > 1 }) else { return nil }
        return kept.joined(separator: " ")
    }
}

extension EntityMerges {
    /// A first or last name alone and the one full name of the home that has it, where both stand in one text or thread: who
    /// acts, or whose first name is a given name. Any other name with that word, of a person or not, makes it say nothing.
    var shortNames: [NamePair] {
        /// By each word, the names of two words or more that have it.
        var holders: [Substring: [Int]] = [:]
        for (index, thing) in things.all.enumerated()
        where thing.name.sort == .name || thing.name.sort == .actor {
            let words = thing.words
            guard words.count > 1 else { continue }
            for word in Set(words + words.flatMap { $0.split(separator: "-") }) {
                holders[word, default: []].append(index)
            }
        }
        var pairs: [NamePair] = []
        for (index, thing) in things.all.enumerated() where thing.name.sort == .name {
            guard thing.words.count == 1, thing.name.key.utf8.count >= 3, !things.hasArticle(index),
                let full = holders[thing.words[0]], Set(full.map(clusters.root)).count == 1
            else { continue }
            let isActor = clusters.members(index).contains { things.all[$0].name.sort == .actor }
            let fullActs = full.contains {
                clusters.members($0).contains { things.all[$0].name.sort == .actor }
            }
            guard !isActor,
                let best = full.first(where: {
                    isPerson($0, fullActs, of: thing.words[0]) && things.meet(index, $0)
                })
            else { continue }
            pairs.append(things.pair(index, best, .shortName, says: nil))
        }
        return pairs
    }

    private func isPerson(_ index: Int, _ acts: Bool, of word: Substring) -> Bool {
        let words = things.all[index].words
        guard words.count <= 4, word == words.first || word == words.last, let first = words.first else {
            return false
        }
        return acts || GivenNames.contains(first)
    }
}

extension NamedThings {
    /// Whether "the" or "a" stands before a name somewhere, as before no person's.
    fileprivate func hasArticle(_ index: Int) -> Bool {
        all[index].places.contains { place in
            let text = study.memories[place.memory].content
            let before = text[max(0, place.range.lowerBound - 5)..<place.range.lowerBound]
            let last = String(decoding: before, as: UTF8.self).lowercased().split(separator: " ").last
            return last == "the" || last == "a" || last == "an"
        }
    }
}
