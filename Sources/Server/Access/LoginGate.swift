import MemoryEngine

/// How often a password may be wrong: so many times at once, then one in a while, for a name from an address and for an
/// address. A try that comes sooner is refused unseen.
///
/// A wrong password moves the time at which the debt is paid by one interval (the generic cell rate algorithm), so each
/// name and address is one time, and is forgotten when that has passed.
struct LoginGate {
    struct Rule {
        let tries: Int
        let interval: Duration

        /// The debt with which there is no further try.
        var limit: Duration { interval * tries }
    }

    static let ofName = Rule(tries: 5, interval: .seconds(30))
    /// Many clients may stand behind one address.
    static let ofAddress = Rule(tries: 50, interval: .seconds(2))
    /// More than so many names and addresses are not kept; the debts that end first go.
    static let maximumCount = 10_000

    private(set) var debts: [String: ContinuousClock.Instant] = [:]

    private static func keys(_ name: String, _ address: String) -> [(String, Rule)] {
        // A name that is longer is nobody's. Addresses have no spaces.
        [("\(address) \(name.prefix(128))", ofName), (address, ofAddress)]
    }

    /// How long until the next try; `nil` = now.
    func wait(for name: String, from address: String, at now: ContinuousClock.Instant) -> Duration? {
        let waits = Self.keys(name, address).compactMap { key, rule in
            debts[key].map { now.duration(to: $0) - rule.limit + rule.interval }
        }
        return waits.max().flatMap { $0 > .zero ? $0 : nil }
    }

    mutating func noteWrong(_ name: String, from address: String, at now: ContinuousClock.Instant) {
        if debts.count >= Self.maximumCount {
            debts = debts.filter { $0.value > now }
            let extra = debts.count - Self.maximumCount + Self.maximumCount / 10
            if extra > 0 {
                for (key, _) in debts.sorted(by: { $0.value < $1.value }).prefix(extra) { debts[key] = nil }
            }
        }
        for (key, rule) in Self.keys(name, address) {
            debts[key] = max(debts[key] ?? now, now) + rule.interval
        }
    }

    /// What counts as one address: of IPv6 the first 64 bits, as whoever has one has all that begin so.
    static func address(_ text: String) -> String {
        guard text.contains(":"), !text.contains(".") else { return text }
        let halves = text.split(separator: "::", omittingEmptySubsequences: false)
        let groups = halves.map { $0.split(separator: ":").map(String.init) }
        let known = groups.reduce(0) { $0 + $1.count }
        var all = groups[0]
        if groups.count > 1 {
            all += [String](repeating: "0", count: max(0, 8 - known)) + groups[1]
        }
        return all.prefix(4).joined(separator: ":")
    }
}
