import TestSupport

@testable import MemoryEngine

/// The identities of made-up people as a long history shows them, and who is who.
///
/// Noise, by share of people, as `.mailmap` files of some histories have it (git, systemd, sympy, mesa, DPDK): one in
/// fifty has a common name that others share (at other domains, at the same time); identities are written with accents
/// dropped (.1), a middle initial (.06), the last name first (.05), a login for a name (.08), the first name alone (.04),
/// an account of a forge (.12), another domain with the full name in the address (.2), with the initial and last name
/// (.08), with a login (.15), or after a change of the employer (.15). One in two hundred has a typo in the name. Besides
/// there are robots, a list with three writers, `root` on several hosts, and what a robot passes on.
struct SyntheticHistory {
    private(set) var identities: [Identity] = []
    private var owners: [Int] = []

    init(seed: UInt64, people: Int) {
        var random = SeededRandom(seed: seed)
        let firsts = Self.syllables(&random, 90) + ["José", "Zoë", "Łukasz", "Jürgen", "Anaïs", "Søren"]
        let lasts =
            Set(Self.syllables(&random, 1_500)).sorted().shuffled(using: &random) + [
                "Núñez", "Müller-Lüdenscheidt", "Sørensen", "Ångström", "O'Hara",
            ]
        let domains = (0..<60).map { "house\($0).org" }
        let free = ["gmail.com", "gmx.de", "debian.org"]
        for person in 0..<people {
            var (first, last) = (random.pick(firsts), lasts[person % lasts.count])
            if random.chance(1.0 / 50) {
                (first, last) = random.pick([("John", "Smith"), ("Wei", "Wang"), ("Mike", "Miller")])
            }
            let plain = (FoldedKey.fold(first), FoldedKey.fold(last).filter(\.isLetter))
            let login = String(plain.0.prefix(2)) + String(plain.1.prefix(3)) + "\(person % 97)"
            let home = random.pick(domains)
            var names = ["\(first) \(last)"]
            if random.chance(0.1) {
                names.append("\(plain.0.capitalized) \(FoldedKey.fold(last).capitalized)")
            }
            if random.chance(0.06) { names.append("\(first) Q. \(last)") }
            if random.chance(0.05) { names.append("\(last), \(first)") }
            if random.chance(0.005) { names.append("\(first) \(last.dropLast())") }
            var addresses = ["\(login)@\(home)"]
            if random.chance(0.2) { addresses.append("\(plain.0).\(plain.1)@\(random.pick(domains + free))") }
            if random.chance(0.08) { addresses.append("\(plain.0.prefix(1))\(plain.1)@\(home)") }
            if random.chance(0.15) { addresses.append("\(login)@\(random.pick(free))") }
            if random.chance(0.15) { addresses.append("\(plain.0)@\(random.pick(domains))") }
            func add(_ name: String, _ address: String) { self.add(name, address, person) }
            for name in names { add(name, random.pick(addresses)) }
            for address in addresses { add(random.pick(names), address) }
            if random.chance(0.08) { add(login, random.pick(addresses)) }
            if random.chance(0.04) { add(first, random.pick(addresses)) }
            if random.chance(0.12) {
                add(
                    random.chance(0.4) ? login : names[0],
                    "\(1_000 + person)+\(login)@users.noreply.github.com")
            }
        }
        for (index, name) in ["Build Robot", "root", "Debian Maintainers", "CI", "Ubuntu Archive Robot"]
            .enumerated()
        {
            for host in 0..<3 {
                add(
                    name, index == 1 ? "root@machine\(host)" : "robot@house\(host).org",
                    people + index * 3 + host)
            }
        }
        for writer in 0..<3 {
            add("\(firsts[writer]) Listwriter\(writer)", "pkg-team@lists.example.org", people + 100 + writer)
            add("\(lasts[writer]) Sender\(writer) via Patches", "patches@house1.org", people + 200 + writer)
        }
    }

    private mutating func add(_ name: String, _ address: String, _ owner: Int) {
        let time = Timestamp(microseconds: 0)
        identities.append(Identity(name: name, address: address, first: time, last: time))
        owners.append(owner)
    }

    /// The share of the pairs that were put together that belong together, and the share of those that do that were. Two
    /// people of one uncommon name cannot be told apart and count as any others.
    func score(_ persons: [Int]) -> (precision: Double, recall: Double) {
        var (right, wrong, missed) = (0, 0, 0)
        for a in owners.indices {
            for b in 0..<a {
                switch (owners[a] == owners[b], persons[a] == persons[b]) {
                case (true, true): right += 1
                case (true, false): missed += 1
                case (false, true): wrong += 1
                case (false, false): break
                }
            }
        }
        return (Double(right) / Double(max(1, right + wrong)), Double(right) / Double(max(1, right + missed)))
    }

    private static func syllables(_ random: inout SeededRandom, _ count: Int) -> [String] {
        let parts = [
            "ka", "lo", "mi", "ren", "sto", "vel", "dra", "bin", "tor", "sha", "gul", "pe", "ny", "fal",
            "hur", "wex",
        ]
        return (0..<count).map { _ in
            (0..<(2 + random.below(2))).map { _ in random.pick(parts) }.joined().capitalized
        }
    }
}

extension String {
    fileprivate var capitalized: String { prefix(1).uppercased() + dropFirst() }
}
