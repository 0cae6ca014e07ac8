/// Who is who among the identities of a history. Nothing is put together without evidence: each merge joins two
/// aliases, with the rule and the value that agreed, and a person is what merges connect.
///
/// What must stay true: the same identities give the same merges, whatever their order. Rules go from the surest
/// to the least sure; one that is not sure joins nobody whose full names have no word in common. A name that
/// several persons have (a first name alone, a common full name at unlike addresses) joins nobody, nor does an
/// address by which several write. What was taken back is not put together again, also not by another way.
struct PersonResolver {
    /// In the order in which they were found; none joins what others have joined.
    private(set) var merges: [PersonMerge] = []
    var clusters: AliasClusters

    /// Names first, then addresses.
    let aliases: [PersonAlias]
    let names: [PersonName]
    /// By alias; `nil` for a name, and for what can be no mailbox.
    let addresses: [MailAddress?]
    /// The aliases that stand beside each.
    private(set) var beside: [[Int]]
    /// Addresses of one person, as far as can be told.
    private(set) var isPersonal: [Bool]
    /// When an address was in use.
    private var spans: [ClosedRange<Timestamp>?]
    private let indexOfAlias: [PersonAlias: Int]

    /// The most of one value that are compared with each other.
    static let bucketLimit = 64
    /// An address by which so many unlike full names write is a role's.
    private static let unlikeNameLimit = 3

    /// - Parameters:
    ///   - known: merges that are there already.
    ///   - apart: merges that were taken back.
    /// - Complexity: O(n log n) in the identities, times the merges that were taken back.
    init(
        _ identities: [Identity], known: [(PersonAlias, PersonAlias)] = [],
        apart: [(PersonAlias, PersonAlias)] = []
    ) {
        var found = Set<PersonAlias>()
        for identity in identities {
            if let name = PersonAlias(name: identity.name) { found.insert(name) }
            if let address = PersonAlias(address: identity.address) { found.insert(address) }
        }
        let aliases = found.sorted()
        let indexOfAlias = Dictionary(uniqueKeysWithValues: zip(aliases, aliases.indices))
        self.aliases = aliases
        self.indexOfAlias = indexOfAlias
        names = aliases.map { PersonName($0.isAddress ? "" : $0.key) }
        addresses = aliases.map { $0.isAddress ? MailAddress($0.key) : nil }
        let pairs = { (pairs: [(PersonAlias, PersonAlias)]) in
            pairs.compactMap { a, b in indexOfAlias[a].flatMap { a in indexOfAlias[b].map { (a, $0) } } }
        }
        clusters = AliasClusters(
            wordsOfNames: names.map(\.fullWords), apart: pairs(apart))
        beside = aliases.map { _ in [] }
        spans = aliases.map { _ in nil }
        isPersonal = addresses.map { $0.map { !$0.isRole } ?? false }
        read(identities)
        for index in aliases.indices where isPersonal[index] && isShared(index) { isPersonal[index] = false }
        for (a, b) in pairs(known) { _ = clusters.join(a, b) }
    }

    /// Finds what else is one person's.
    mutating func resolve() {
        matchMailboxes()
        matchFullNames()
        matchNameForms()
        matchSpelledNames()
        matchLocalParts()
        matchNicknames()
        matchShortNames()
    }

    private mutating func read(_ identities: [Identity]) {
        for identity in identities {
            guard let address = PersonAlias(address: identity.address).flatMap({ indexOfAlias[$0] }) else {
                continue
            }
            let span = min(identity.first, identity.last)...max(identity.first, identity.last)
            spans[address] =
                spans[address].map {
                    min($0.lowerBound, span.lowerBound)...max($0.upperBound, span.upperBound)
                } ?? span
            guard let name = PersonAlias(name: identity.name).flatMap({ indexOfAlias[$0] }) else { continue }
            beside[name].append(address)
            beside[address].append(name)
        }
        for index in beside.indices { beside[index] = Set(beside[index]).sorted() }
    }

    /// Whether persons with unlike names write by an address.
    private func isShared(_ address: Int) -> Bool {
        if beside[address].contains(where: { names[$0].isPassedOn }) { return true }
        var unlike: [Set<String>] = []
        for name in beside[address] where names[name].isFull {
            let words = Set(names[name].long)
            if unlike.allSatisfy({ $0.isDisjoint(with: words) }) { unlike.append(words) }
            // No further: a list has thousands.
            if unlike.count >= Self.unlikeNameLimit { return true }
        }
        return false
    }

    mutating func merge(_ a: Int, _ b: Int, _ rule: PersonMerge.Rule, _ value: String) {
        guard clusters.join(a, b) else { return }
        merges.append(
            PersonMerge(first: aliases[min(a, b)], second: aliases[max(a, b)], rule: rule, value: value))
    }

    /// The aliases that have one value, the values in their order.
    func groups(_ value: (Int) -> String?) -> [(value: String, members: [Int])] {
        var groups: [String: [Int]] = [:]
        for index in aliases.indices {
            if let value = value(index), !value.isEmpty { groups[value, default: []].append(index) }
        }
        return groups.filter { $0.value.count > 1 }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    // MARK: Addresses and names

    private mutating func matchMailboxes() {
        for (value, members) in groups({ isPersonal[$0] ? addresses[$0]?.canonical : nil }) {
            let numbers = Set(members.compactMap { addresses[$0]?.accountNumber })
            guard numbers.count < 2 else { continue }
            for member in members.dropFirst() { merge(members[0], member, .sameMailbox, value) }
        }
    }

    /// A full name belongs to all its addresses, unless it is a common one and they have nothing to do with each other.
    private mutating func matchFullNames() {
        for name in aliases.indices where names[name].isFull {
            let own = beside[name].filter { isPersonal[$0] }
            if names[name].isCommon, !areOnePersons(own) { continue }
            for address in own { merge(name, address, .together, aliases[address].key) }
        }
    }

    /// Whether the addresses of one common name may be those of one person: each has the domain or the local part of
    /// another, or was taken up when the others had been left.
    private func areOnePersons(_ own: [Int]) -> Bool {
        var rest = own
        guard var reached = rest.popLast().map({ [$0] }) else { return true }
        var place = 0
        while place < reached.count {
            let one = reached[place]
            place += 1
            let near = rest.filter { areOfOne(one, $0) }
            rest.removeAll { near.contains($0) }
            reached += near
        }
        return rest.isEmpty
    }

    private func areOfOne(_ a: Int, _ b: Int) -> Bool {
        guard let one = addresses[a], let other = addresses[b] else { return false }
        if one.local == other.local || (one.house == other.house && !one.isPublic) { return true }
        guard let first = spans[a], let second = spans[b] else { return false }
        return first.upperBound < second.lowerBound || second.upperBound < first.lowerBound
    }

    /// One name in several forms: with other marks, initials, titles, or another order of its words.
    private mutating func matchNameForms() {
        let known = (0..<aliases.count).map { names[$0].isFull ? $0 : nil }
        for (value, members) in groups({ known[$0].map { names[$0].sortedKey } }) {
            // "Ada B. King" and "Ada C. King" are two, and then "Ada King" is neither.
            let initials = Set(members.map { names[$0].initials }.filter { !$0.isEmpty })
            guard initials.count < 2 else { continue }
            if names[members[0]].isCommon {
                let own = Set(members.flatMap { beside[$0] }).filter { isPersonal[$0] }
                guard areOnePersons(own.sorted()) else { continue }
            }
            for member in members.dropFirst() { merge(members[0], member, .sameName, value) }
        }
    }

    /// A name of one word, or a role's, belongs to its addresses if they are one person's already.
    private mutating func matchShortNames() {
        for name in aliases.indices where !aliases[name].isAddress && !names[name].isFull {
            let own = beside[name].filter { isPersonal[$0] }
            guard let first = own.first, !names[name].isRole else { continue }
            let root = clusters.root(first)
            guard own.allSatisfy({ clusters.root($0) == root }) else { continue }
            merge(name, first, .together, aliases[first].key)
        }
    }
}

extension PersonResolver {
    /// The aliases that are one person's with each alias of an identity, by the number that `assignments` gives.
    mutating func aliasesByPerson() -> [Int: [PersonAlias]] {
        var found: [Int: [PersonAlias]] = [:]
        for index in aliases.indices { found[clusters.root(index), default: []].append(aliases[index]) }
        return found
    }

    /// The number of an alias's person.
    mutating func person(of alias: PersonAlias) -> Int? { indexOfAlias[alias].map { clusters.root($0) } }

    /// Which identities are one person's: a number for each identity, the same for those of one person.
    ///
    /// An identity is whose its address is; where several write by that, or none, whose its full name is; else nobody's
    /// but its own.
    mutating func assignments(_ identities: [Identity]) -> [Int] {
        identities.enumerated().map { place, identity in
            let address = PersonAlias(address: identity.address).flatMap { indexOfAlias[$0] }
            let name = PersonAlias(name: identity.name).flatMap { indexOfAlias[$0] }
            if let address, isPersonal[address] { return clusters.root(address) }
            if let name, names[name].isFull { return clusters.root(name) }
            return aliases.count + place
        }
    }
}
