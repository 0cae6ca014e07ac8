/// A person, as far as a home can tell: all identities that merges connect.
public struct Person: Sendable {
    /// The full name that is found most often, else the name that is, else the address.
    public let name: String
    /// The identities, the most frequent first.
    public let identities: [Identity]
    /// The entities of the names and addresses that are this person's alone: what leads to one of them leads to the
    /// person.
    public let aliases: [MemoryID]
    /// Why they are one: edges between aliases, each with its rule and its evidence, and each to be taken back alone
    /// (`Engine.unlink`).
    public let merges: [Edge]

    init(identities: [Identity], aliases: [PersonAlias], merges: [Edge]) {
        self.identities = identities.sorted {
            $0.count != $1.count ? $0.count > $1.count : ($0.name, $0.address) < ($1.name, $1.address)
        }
        self.aliases = aliases.sorted().map(\.entity.id)
        self.merges = merges
        var counts: [String: Int] = [:]
        for identity in identities where !identity.name.isEmpty {
            counts[identity.name, default: 0] += identity.count
        }
        let best = counts.max { a, b in
            let (one, other) = (PersonName(a.key).isFull, PersonName(b.key).isFull)
            return one != other ? other : a.value != b.value ? a.value < b.value : a.key > b.key
        }
        name = best?.key ?? identities.first?.address ?? ""
    }

    /// In how many memories the person is found.
    public var count: Int { identities.reduce(0) { $0 + $1.count } }

    /// The order of a list: who is found most often first.
    static func isBefore(_ a: Person, _ b: Person) -> Bool {
        a.count != b.count ? a.count > b.count : a.name < b.name
    }
}

/// What came of a resolution.
public struct PeopleResolution: Sendable, Equatable {
    /// Names with their addresses.
    public let identityCount: Int
    public let personCount: Int
    /// Merges that were made now.
    public let mergeCount: Int
}
