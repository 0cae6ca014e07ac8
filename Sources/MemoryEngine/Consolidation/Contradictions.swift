/// Finds memories of which one takes back what another says: facts of the same subject and relation, with values that exclude
/// each other, at times that overlap (`FactReader`). The younger by its `happened` supersedes the older; where neither is
/// younger and neither tells of a change, or where the fact cannot change at all, they contradict each other.
///
/// It goes over all facts in the order of their times. A fact is superseded once, by the first that excludes it.
enum Contradictions {
    /// The version of these rules: with another number, all is looked at again.
    static let rules = 2
    /// As many facts of one subject and relation are compared with a new one.
    static let maximumOpenCount = 64

    /// A fact, with the memory that states it.
    private struct Stated {
        var fact: StatedFact
        var place: Int
        /// The memory says nothing else.
        var isAll: Bool
    }

    /// - Parameter mark: of each pair, one memory has a passage from here on.
    /// - Complexity: O(bytes of all memories).
    static func find(in study: HomeStudy, from mark: UInt32) -> [Derivation] {
        guard let last = study.memories.last, last.passage >= mark else { return [] }
        let order = study.memories.indices.sorted { a, b in
            let (a, b) = (study.memories[a], study.memories[b])
            return (a.happened.lowerBound, a.id) < (b.happened.lowerBound, b.id)
        }
        let stated = order.flatMap { facts(of: study.memories[$0], $0) }
        // Of what only a denial contradicts, there is much, and few denials.
        var deniedKeys: Set<String> = []
        for entry in stated where entry.fact.isDenied { deniedKeys.formUnion(keys(entry.fact)) }
        for entry in stated {
            if let former = entry.fact.former { deniedKeys.insert(key(entry.fact, former)) }
        }
        var open: [String: [Stated]] = [:]
        var found: [Derivation] = []
        var pairs: Set<[Int]> = []
        for entry in stated {
            let keys = keys(entry.fact) + (entry.fact.former.map { [key(entry.fact, $0)] } ?? [])
            for key in keys {
                var rest: [Stated] = []
                for older in open[key] ?? [] {
                    let isApart = older.place == entry.place
                    guard !isApart, excludes(entry.fact, older.fact) else {
                        rest.append(older)
                        continue
                    }
                    let (a, b) = (study.memories[older.place], study.memories[entry.place])
                    let isNamed = entry.fact.isNamed || older.fact.isNamed
                    guard overlap(a, b), isSameThing(a, b), isNamed || isSamePlace(a, b) else {
                        rest.append(older)
                        continue
                    }
                    guard a.passage >= mark || b.passage >= mark,
                        pairs.insert([older.place, entry.place]).inserted
                    else { continue }
                    found.append(derivation(older, entry, a, b))
                }
                if open[key] != nil { open[key] = rest }
            }
            for key in self.keys(entry.fact)
            where entry.fact.isFunctional && !key.hasSuffix("\u{1}") || deniedKeys.contains(key) {
                var list = open[key] ?? []
                if list.count == maximumOpenCount { list.removeFirst() }
                list.append(entry)
                open[key] = list
            }
        }
        return found
    }

    private static func facts(of memory: StudiedMemory, _ place: Int) -> [Stated] {
        if memory.kind == .fact, let given = given(memory) {
            return [Stated(fact: given, place: place, isAll: true)]
        }
        let (facts, sentences) = FactReader.facts(in: memory.content.span, actor: memory.actor)
        let isAll = sentences == 1 && Set(facts.map(\.range)).count == 1
        return facts.map { Stated(fact: $0, place: place, isAll: isAll && $0.isWhole) }
    }

    /// A fact that the caller gives by attributes.
    private static func given(_ memory: StudiedMemory) -> StatedFact? {
        guard case .string(let subject)? = memory.attributes["subject"],
            case .string(let relation)? = memory.attributes["relation"],
            case .string(let text)? = memory.attributes["value"], let value = FactValue(given: text)
        else { return nil }
        let (key, name) = FactReader.key(of: subject, relation)
        return StatedFact(
            subject: key, relations: [name], value: value, isFunctional: true, isNamed: true, isWhole: true,
            range: memory.content.indices)
    }

    // MARK: Comparing

    /// Under what a fact is found: its relation, where one value holds; and its relation with its value, which ends in a mark.
    private static func keys(_ fact: StatedFact) -> [String] {
        fact.relations.flatMap { relation in
            let key = "\(fact.subject)\u{0}\(relation)\u{0}\(fact.context)\u{0}"
            return ["\(key)", "\(key)\(fact.value.text)\u{1}"]
        } + [key(fact, fact.value)]
    }

    /// Whatever the relation.
    private static func key(_ fact: StatedFact, _ value: FactValue) -> String {
        "\(fact.subject)\u{0}\u{0}\(value.text)\u{1}"
    }

    private static func excludes(_ fact: StatedFact, _ older: StatedFact) -> Bool {
        if let former = fact.former, !older.isDenied, former.equals(older.value), !fact.isDenied {
            return true
        }
        let shared = Set(fact.relations).intersection(older.relations)
        guard !shared.isEmpty else { return false }
        // "Moved to Debian 12" and "runs on Debian 11", but not "moved to Rack 12".
        if shared == ["runs on"], fact.relations != older.relations, !isNextVersion(fact, older) {
            return false
        }
        // What no longer is at all is not so in any context.
        guard fact.context == older.context || fact.isDenied && fact.isChange && fact.context.isEmpty else {
            return false
        }
        switch (fact.isDenied, older.isDenied) {
        case (false, false):
            guard
                fact.isChange || FactWords.loose.isDisjoint(with: fact.relations)
                    || isNextVersion(fact, older)
            else { return false }
            return fact.isFunctional && older.isFunctional && fact.value.excludes(older.value)
        case (true, false), (false, true): return fact.value.equals(older.value)
        case (true, true): return false
        }
    }

    /// Whether both name one thing, in other versions.
    private static func isNextVersion(_ fact: StatedFact, _ older: StatedFact) -> Bool {
        fact.value.words.count == 2 && older.value.words.count == 2
            && fact.value.words[0] == older.value.words[0]
    }

    /// What two people in a conversation call "the dog" need not be one.
    private static func isSameThing(_ a: StudiedMemory, _ b: StudiedMemory) -> Bool {
        a.kind != .message || b.kind != .message || a.actor == b.actor
    }

    /// "The budget" of one conversation need not be that of another.
    private static func isSamePlace(_ a: StudiedMemory, _ b: StudiedMemory) -> Bool {
        (a.thread ?? a.session) == nil || (b.thread ?? b.session) == nil
            || a.thread != nil && a.thread == b.thread || a.session != nil && a.session == b.session
    }

    /// From when on the younger memory is true, as far as is known.
    private static func beginning(_ memory: StudiedMemory) -> Int64 {
        memory.valid.lowerBound == .min ? memory.happened.lowerBound : memory.valid.lowerBound
    }

    /// Whether the older memory is still true when the younger begins to be.
    private static func overlap(_ a: StudiedMemory, _ b: StudiedMemory) -> Bool {
        a.valid.upperBound > beginning(b) && b.valid.upperBound > a.valid.lowerBound
    }

    private static func derivation(
        _ older: Stated, _ younger: Stated, _ a: StudiedMemory, _ b: StudiedMemory
    ) -> Derivation {
        let isLater = b.happened.lowerBound > a.happened.lowerBound
        // What is believed less does not take the place of what is believed more.
        let isChange =
            !younger.fact.isTimeless && (isLater || younger.fact.isChange) && b.trust >= a.trust
        let moment = beginning(b)
        let isClosed =
            isChange && older.isAll && (a.kind == .fact || a.kind == .note) && !a.isPinned
            && b.valid.upperBound == .max && a.valid.lowerBound <= moment
        // All of it is cited where all of it holds from then on (`Beginnings`).
        let isFrom = isChange && younger.isAll && (b.kind == .fact || b.kind == .note) && !b.isPinned
        let relation =
            younger.fact.relations.first { older.fact.relations.contains($0) } ?? older.fact.relations[0]
        let verb = relation.hasPrefix("verb ") ? "" : " \(relation)"
        let values =
            younger.fact.isDenied
            ? "no longer \(older.fact.value.text)"
            : "\(younger.fact.value.text), \(older.fact.isDenied ? "which was denied" : "not \(older.fact.value.text)")"
        return Derivation(
            step: .contradictions, kind: isChange ? .supersedes : .contradicts, from: b.id, to: a.id,
            weight: younger.fact.isChange ? 0.9 : 0.8,
            says: "\(younger.fact.subject)\(verb): \(values)",
            evidence: [
                isFrom ? b.evidence : b.evidence(younger.fact.range), a.evidence(older.fact.range),
            ],
            since: isChange ? moment : nil, closes: isClosed ? a.version : nil)
    }
}
