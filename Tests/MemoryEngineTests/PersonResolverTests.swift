import Testing

@testable import MemoryEngine

@Suite struct `Resolving people` {
    /// Identities from "Name <address> first-last", with times in seconds.
    private func identities(_ texts: [String]) -> [Identity] {
        texts.map { text in
            let parts = text.split(separator: "<", omittingEmptySubsequences: false)
            let rest =
                parts.count > 1 ? parts[1].split(separator: ">", omittingEmptySubsequences: false) : [""]
            let times = (rest.count > 1 ? rest[1] : "").split(separator: "-").map {
                Timestamp(microseconds: (Int64($0.filter(\.isNumber)) ?? 0) * 1_000_000)
            }
            let start = Timestamp(microseconds: 0)
            return Identity(
                name: parts[0].split(separator: " ").joined(separator: " "), address: String(rest[0]),
                first: times.first ?? start, last: times.last ?? start)
        }
    }

    private func resolver(_ texts: [String]) -> PersonResolver {
        var resolver = PersonResolver(identities(texts))
        resolver.resolve()
        return resolver
    }

    private func persons(_ texts: [String]) -> [Int] {
        var resolver = resolver(texts)
        var numbers: [Int: Int] = [:]
        return resolver.assignments(identities(texts)).map { person in
            let number = numbers[person] ?? numbers.count
            numbers[person] = number
            return number
        }
    }

    @Test(
        arguments: [
            (["Ada Lovelace <ada@x.org>", "ada <ADA@x.org>"], "together: ada@x.org"),
            (["Ada Lovelace <ada@x.org>", "Ada Lovelace <al@y.org>"], "together: al@y.org"),
            (["Ada Lovelace <ada@x.org>", "Ada Lovelace"], "together: ada@x.org"),
            (["José Núñez <j@x.org>", "Jose Nunez <n@y.org>"], "sameName: jose nunez"),
            (["Lovelace, Ada <a@x.org>", "Ada Lovelace <b@y.org>"], "sameName: ada lovelace"),
            (["Lovelace Ada <a@x.org>", "Ada Lovelace <b@y.org>"], "sameName: ada lovelace"),
            (["Ada B. Lovelace <a@x.org>", "Ada Lovelace <b@y.org>"], "sameName: ada lovelace"),
            (
                ["Ada \"Countess\" Lovelace (she/her) <a@x.org>", "Ada Lovelace <b@y.org>"],
                "sameName: ada lovelace"
            ),
            (["Ada Lovelace <c@x.org>", "ada <ada.lovelace@y.org>"], "spellsName: adalovelace"),
            (["Ada Lovelace <c@x.org>", "<lovelace_ada@y.org>"], "spellsName: lovelaceada"),
            (
                ["Ada Lovelace <c@house.org>", "alovelace <alovelace@mail.house.org>"],
                "abbreviatesName: alovelace"
            ),
            (["Ada Lovelace <c@x.org>", "Ada <alovelace@y.org>"], "abbreviatesName: alovelace"),
            (["adal <ada.l+git@x.org>", "Ada L <ada.l@x.org>"], "sameMailbox: ada.l@x.org"),
            (["adal <ad.al@gmail.com>", "Ada L <adal@googlemail.com>"], "sameMailbox: adal@gmail.com"),
            (
                ["adal <1234+adal@users.noreply.github.com>", "Ada L <adal@users.noreply.github.com>"],
                "sameMailbox: adal@users.noreply.github.com"
            ),
            (["Ada Lovelace <lovelac1@x.org>", "Lovelace <lovelac1@y.org>"], "sameLocalPart: lovelac1"),
            (["ada <ada@one.house.org>", "ada <ada@two.house.org>"], "sameLocalPart: ada"),
            (["kangzhiq <kangzhiq@x.org>", "kangzhiq <709563092@qq.com>"], "together: 709563092@qq.com"),
            (["John Smith <john@acme.com>", "John Smith <john@other.org>"], "together: john@other.org"),
            (["John Smith <a@acme.com> 1-5", "John Smith <b@other.org> 7-9"], "together: b@other.org"),
            (
                ["Ada Lovelace <ada@x.org>", "Ada Lovelace via Patches <patches@x.org>"],
                "sameName: ada lovelace"
            ),
        ] as [([String], String)])
    func `puts together with evidence`(texts: [String], evidence: String) {
        #expect(persons(texts) == [0, 0])
        let merges = resolver(texts).merges
        #expect(merges.contains { $0.source == evidence }, "\(merges.map(\.source))")
        // The order of the identities tells nothing.
        #expect(Set(resolver(texts.reversed()).merges) == Set(merges))
    }

    @Test(arguments: [
        ["ada <ada@x.org>", "ada <ada@y.org>"], ["Ada <a@x.org>", "Ada <b@x.org>"], ["", ""], ["<>", "<>"],
        ["Ada Lovelace <a@x.org>", "Ada King <b@x.org>"],
        ["root <root@a.org>", "root <root@b.org>"],
        ["Debian Maintainers <a@x.org>", "Debian Maintainers <b@x.org>"],
        ["Ada Lovelace <pkg-x@lists.y.org>", "Bob Ross <pkg-x@lists.y.org>"],
        ["Ada Lovelace <root@localhost>", "Bob Ross <root@localhost>"],
        ["Ada Lovelace <noreply@github.com>", "Bob Ross <noreply@github.com>"],
        ["Ada Lovelace <info@x.org>", "Ada King <info@x.org>"],
        ["Ada Lovelace <dev@x.org>", "Bob Ross <dev@x.org>", "Carl Sagan <dev@x.org>"],
        ["Ada Lovelace via List <p@x.org>", "Bob Ross via List <p@x.org>"],
        ["John Smith <john@acme.com> 1-5", "John Smith <smith@other.org> 2-9"],
        ["Wei Hu (Xavier) <xavier@a.com>", "Wei Hu <weh@b.com>"],
        ["John A. Smithson <a@x.org>", "John B. Smithson <b@y.org>"],
        ["Ada Lovelace <c@x.org>", "alovelace <alovelace@y.org>"],
        ["Ada Lovelace <c@gmail.com>", "bob <alovelace@gmail.com>"],
        ["Ada Lovelace <c@x.org>", "Bob Ross <ada.lovelace@y.org>"],
        ["Fabian Pedregosa <fabian@x.org>", "Fabian Froehlich <fabian@y.org>"],
        ["Vinay Singh <vinay.kumar@x.org>", "Vinay Kumar <vk@y.org>"],
        ["chris <chris@x.org>", "Chris Webb <chris@y.org>"],
        ["a <1+a@users.noreply.github.com>", "a <2+b@users.noreply.github.com>"],
        ["kangzhiq <1+kangzhiq@users.noreply.github.com>", "kangzhiq <2+kangzhiq@users.noreply.github.com>"],
        ["Hurhur Torren <htorren@x.org>", "Hurstolo Torren <htorren@y.org>"],
        ["Your Name <you@example.com>", "Your Name <me@x.org>"],
        ["Ada Lovelace <a@b@c.org>", "Bob Ross <a@b@c.org>"], ["Jr Jr", "Jr Jr"], ["( ) ( )", "( ) ( )"],
    ])
    func `puts nothing together without`(texts: [String]) {
        #expect(persons(texts) == Array(texts.indices))
    }

    @Test func `does not put together again what was taken back, by any way`() throws {
        let texts = ["Ada Lovelace <ada@x.org>", "Ada Lovelace <ada.lovelace@y.org>"]
        let taken = (
            try #require(PersonAlias(name: "Ada Lovelace")),
            try #require(PersonAlias(address: "ada.lovelace@y.org"))
        )
        var resolver = PersonResolver(identities(texts), apart: [taken])
        resolver.resolve()
        #expect(resolver.merges.map(\.source) == ["together: ada@x.org"])
        #expect(Set(resolver.assignments(identities(texts))).count == 2)
    }

    @Test func `builds on what somebody has put together`() throws {
        let texts = ["Countess <c@x.org>", "Ada Lovelace <ada@y.org>"]
        let given = (
            try #require(PersonAlias(address: "c@x.org")), try #require(PersonAlias(address: "ada@y.org"))
        )
        var resolver = PersonResolver(identities(texts), known: [given])
        resolver.resolve()
        #expect(Set(resolver.assignments(identities(texts))).count == 1)
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func `is right where it puts together, and finds most, in a history with noise`(seed: UInt64) {
        let history = SyntheticHistory(seed: seed, people: 600)
        var resolver = PersonResolver(history.identities)
        resolver.resolve()
        let (precision, recall) = history.score(resolver.assignments(history.identities))
        #expect(precision >= 0.98, "precision \(precision)")
        #expect(recall >= 0.8, "recall \(recall)")
    }

    @Test func `withstands names and addresses of an enemy`() {
        let odd = ["(", "@", "\"", ",", "\u{202E}", "via ", " via ", "\0", "ﬃ", "a\u{300}"].map {
            String(repeating: $0, count: 2_000)
        }
        let time = Timestamp(microseconds: 0)
        let identities =
            odd.flatMap { name in
                odd.map { Identity(name: name, address: $0 + "@" + name, first: time, last: time) }
            } + odd.map { Identity(name: $0, address: "x@y.org", first: time, last: time) }
        var resolver = PersonResolver(identities)
        resolver.resolve()
        #expect(resolver.assignments(identities).count == identities.count)
        // One name, one login, and no end of hosts.
        let many = (0..<5_000).map {
            Identity(name: "Ada Lovelace", address: "ada.lovelace@host\($0).org", first: time, last: time)
        }
        resolver = PersonResolver(many)
        resolver.resolve()
        #expect(Set(resolver.assignments(many)).count == 1)
    }
}
