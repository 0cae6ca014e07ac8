/// Concludes which names are one thing's: abbreviations that a text defines, names that a text says to be one, spellings of one
/// identifier, the end of a path, a first or last name alone. Rules only, from the surest to the least sure; each conclusion is
/// an edge `sameAs` between the entities of two names. What a text says to differ stays apart, with all that was joined to it.
struct EntityMerges {
    /// The version of these rules.
    static let rules = 1

    /// What holds already between entities, and what was taken back.
    struct Known: Sendable {
        var joined: [EdgeEnds] = []
        var apart: [EdgeEnds] = []
    }

    enum Rule: Sendable, CaseIterable {
        case defined, stated, alike, spelling, path, variant, shortName, calledSo

        /// How sure it is.
        var weight: Float {
            switch self {
            case .defined, .stated, .alike: 0.95
            case .spelling, .path, .variant: 0.9
            case .shortName, .calledSo: 0.85
            }
        }

        var words: String {
            switch self {
            case .defined: "one is defined as short for the other"
            case .stated: "a text says that they are one"
            case .alike: "one name, found in two ways"
            case .spelling: "the same words, written in another way"
            case .path: "the end of this path, and of no other"
            case .variant: "one name but for its form"
            case .shortName: "the first or last name of the only one here of that name"
            case .calledSo: "is called so by the other of two who talk"
            }
        }
    }

    let things: NamedThings
    private(set) var clusters: NameClusters
    private(set) var found: [Derivation] = []

    /// - Complexity: O(n) in the bytes of the memories, and O(n log n) in the distinct names.
    static func find(in study: HomeStudy, _ known: Known = Known()) -> [Derivation] {
        var merges = EntityMerges(NamedThings(study), known)
        let stated = StatedNames(merges.things)
        for pair in stated.apart { merges.clusters.keepApart(pair.first, pair.second) }
        merges.join(stated.defined)
        merges.join(stated.joined)
        merges.join(merges.things.alike)
        merges.join(merges.things.spellings)
        merges.join(merges.things.pathEndings)
        merges.join(merges.things.variants)
        merges.join(merges.shortNames)
        merges.join(stated.calledSo)
        return merges.found
    }

    private init(_ things: NamedThings, _ known: Known) {
        self.things = things
        clusters = NameClusters(count: things.all.count)
        guard !(known.joined.isEmpty && known.apart.isEmpty) else { return }
        let indexOfID = Dictionary(
            uniqueKeysWithValues: things.all.indices.map { (things.all[$0].name.id, $0) })
        func index(_ pair: EdgeEnds) -> (Int, Int)? {
            guard let from = indexOfID[pair.from], let to = indexOfID[pair.to] else { return nil }
            return (from, to)
        }
        for pair in known.joined { index(pair).map { _ = clusters.join($0, $1) } }
        for pair in known.apart { index(pair).map { clusters.keepApart($0, $1) } }
    }

    private mutating func join(_ pairs: [NamePair]) {
        for pair in pairs where clusters.root(pair.first) != clusters.root(pair.second) {
            guard clusters.mayJoin(pair.first, pair.second), !contradict(pair) else { continue }
            clusters.join(pair.first, pair.second)
            let ids = [things.all[pair.first].name.id, things.all[pair.second].name.id].sorted()
            found.append(
                Derivation(
                    step: .entities, kind: .sameAs, from: ids[0], to: ids[1], weight: pair.rule.weight,
                    says: pair.says.map { "\(pair.rule.words) (\($0))" } ?? pair.rule.words,
                    evidence: pair.places.map(things.evidence)))
        }
    }

    /// Whether two are of one sort of which one thing has a single name: those who act, whom the resolution of people keeps
    /// apart, and whole paths.
    private func contradict(_ pair: NamePair) -> Bool {
        let (first, second) = (clusters.members(pair.first), clusters.members(pair.second))
        func both(_ is: (NamedThing) -> Bool) -> Bool {
            first.contains { `is`(things.all[$0]) } && second.contains { `is`(things.all[$0]) }
        }
        return both { $0.isWhole } || both { $0.name.sort == .actor }
    }
}

/// Two names that may be one thing's, and why.
struct NamePair: Sendable {
    var first: Int
    var second: Int
    var rule: EntityMerges.Rule
    /// The words that say so.
    var says: String?
    var places: [NamedThing.Place]
}
