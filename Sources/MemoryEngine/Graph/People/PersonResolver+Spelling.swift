/// Addresses that spell names, or are alike.
extension PersonResolver {
    /// The full name of one in the address of another who has no other full name.
    mutating func matchSpelledNames() {
        var spelled: [String: [Int]] = [:]
        var abbreviated: [String: [Int]] = [:]
        for name in aliases.indices where names[name].isFull {
            guard let first = names[name].long.first, let last = names[name].long.last else { continue }
            let middle = names[name].long.joined()
            for text in Set([first + last, last + first, middle]) { spelled[text, default: []].append(name) }
            for text in Set([
                String(first.prefix(1)) + last, first + String(last.prefix(1)),
                last + String(first.prefix(1)),
            ]) where text.count >= 5 {
                abbreviated[text, default: []].append(name)
            }
        }
        for address in aliases.indices where isPersonal[address] {
            guard let letters = addresses[address]?.words.joined() else { continue }
            if let name = onlyOne(spelled[letters] ?? []), isCompatible(address, name) {
                merge(address, name, .spellsName, letters)
            } else if let name = onlyOne(abbreviated[letters] ?? []), isCompatible(address, name),
                isSupported(address, name)
            {
                merge(address, name, .abbreviatesName, letters)
            }
        }
    }

    /// The first of several names, if they are one person's and no common one.
    private mutating func onlyOne(_ found: [Int]) -> Int? {
        guard let first = found.first, found.count <= Self.bucketLimit, !names[first].isCommon else {
            return nil
        }
        let root = clusters.root(first)
        return found.allSatisfy { clusters.root($0) == root } ? first : nil
    }

    /// Whether the names that stand with an address do not speak against another, full one: each is a part of it, or
    /// what the address spells itself.
    private mutating func isCompatible(_ address: Int, _ full: Int) -> Bool {
        if clusters.contradict(address, full) { return false }
        let local = addresses[address]?.words.joined() ?? ""
        return beside[address].allSatisfy { other in
            let name = names[other]
            guard let word = name.long.first else { return true }
            return !Set(name.long).isDisjoint(with: names[full].long)
                || !name.isFull && (local.contains(word) || name.long.joined() == local)
        }
    }

    /// Whether something besides an abbreviation speaks for it: a house of both, or one first name.
    private func isSupported(_ address: Int, _ full: Int) -> Bool {
        guard let own = addresses[address] else { return false }
        let isOneHouse = beside[full].contains { other in
            addresses[other].map { $0.house == own.house && !$0.isPublic } ?? false
        }
        let hasOneFirstName = beside[address].contains { names[$0].long.first == names[full].long.first }
        return isOneHouse || hasOneFirstName
    }

    /// One local part at two domains, and a word of the names in common that is not the local part itself.
    mutating func matchLocalParts() {
        for (local, members) in groups({ index in
            guard isPersonal[index], let local = addresses[index]?.local, local.count >= 3 else { return nil }
            return local
        }) {
            for (place, member) in members.enumerated() {
                for other in members[..<place].suffix(Self.bucketLimit)
                where clusters.root(other) != clusters.root(member)
                    && addresses[other]?.domain != addresses[member]?.domain
                    && agree(other, member, on: local)
                {
                    merge(other, member, .sameLocalPart, local)
                }
            }
        }
    }

    private mutating func agree(_ a: Int, _ b: Int, on local: String) -> Bool {
        if clusters.contradict(a, b) { return false }
        guard let one = addresses[a], let other = addresses[b] else { return false }
        let common = words(a).intersection(words(b))
        // A word that the local part says is no second evidence, unless it is a nickname that few would choose, or the
        // addresses are of two machines of a house.
        return common.contains {
            !local.contains($0) || $0 == local && Self.isNickname(local)
                || one.house == other.house && !one.isPublic
        }
    }

    private static func isNickname(_ word: String) -> Bool {
        word.count >= 6 && !PersonName.isCommonFirst(word)
    }

    /// The words of all names that stand with an address, and of the full names of its person.
    private mutating func words(_ address: Int) -> Set<String> {
        beside[address].reduce(into: clusters.words(address)) { words, name in
            if !names[name].isRole { words.formUnion(names[name].long) }
        }
    }

    /// A nickname that is the login of one of its addresses, and a word of nobody's name, belongs to all of them.
    mutating func matchNicknames() {
        let words = names.reduce(into: Set<String>()) { if $1.isFull { $0.formUnion($1.long) } }
        for name in aliases.indices {
            guard names[name].words.count == 1, let word = names[name].words.first, Self.isNickname(word),
                !words.contains(word), !names[name].isRole
            else { continue }
            let own = beside[name].filter { isPersonal[$0] }
            guard let login = own.first(where: { addresses[$0]?.local == word }) else { continue }
            let numbers = Set(own.compactMap { addresses[$0]?.accountNumber })
            guard numbers.count < 2 else { continue }
            for address in own where !clusters.contradict(login, address) {
                merge(name, address, .together, aliases[address].key)
            }
        }
    }
}
