import MemoryEngine
import Testing

@testable import loci

@Suite struct `A time on the command line` {
    private let now = Timestamp("2026-11-25T22:15:30.5Z") ?? .distantPast

    @Test(arguments: [
        ("2026-11-23", "2026-11-23T00:00:00Z"), ("2026-11-23T08:30", "2026-11-23T08:30:00Z"),
        ("2026-11-23 08:30:01.25", "2026-11-23T08:30:01.25Z"),
        ("2026-11-23T08:30+01:00", "2026-11-23T07:30:00Z"),
        ("2026-11-23 08:30:00 +0100", "2026-11-23T07:30:00Z"),
        ("2026-11-23 08:30 UTC", "2026-11-23T08:30:00Z"),
        ("2026-11-23T08:30Z", "2026-11-23T08:30:00Z"), ("now", "2026-11-25T22:15:30.5Z"),
        ("today", "2026-11-25T00:00:00Z"), ("yesterday", "2026-11-24T00:00:00Z"),
        ("Tomorrow", "2026-11-26T00:00:00Z"), ("2 days ago", "2026-11-23T22:15:30.5Z"),
        ("a week ago", "2026-11-18T22:15:30.5Z"), ("an hour ago", "2026-11-25T21:15:30.5Z"),
        ("1 day ago", "2026-11-24T22:15:30.5Z"), ("in 3 weeks", "2026-12-16T22:15:30.5Z"),
        ("  90  minutes ago ", "2026-11-25T20:45:30.5Z"), ("0 seconds ago", "2026-11-25T22:15:30.5Z"),
        ("0001-01-01", "0001-01-01T00:00:00Z"), ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    ])
    func `may be a date, a time of a day, or a distance from now`(text: String, expected: String) {
        #expect(TimeArgument.parse(text, now: now)?.description == expected)
    }

    @Test(arguments: [
        "", "next week", "2 months ago", "last year", "days ago", "2 ago", "in days", "-2 days ago",
        "2.5 days ago",
        "١ day ago", "99999999999 days ago", "2000000000 weeks ago", "23.11.2026", "11/23/2026", "2026-13-01",
        "2026-02-30", "0000-01-01", "10000-01-01", "1764000000", "2026-11-23T25:00", "2026-11-23T08:30 CET",
        "yesterday 10:00", "2 days", "in 2 days ago", "9999-12-31T23:59:59-01:00",
    ])
    func `is refused where it could mean two things, or nothing`(text: String) {
        #expect(TimeArgument.parse(text, now: now) == nil)
    }

    @Test func `of a day before the first year is none`() throws {
        let early = try #require(Timestamp("0001-01-01"))
        #expect(TimeArgument.parse("yesterday", now: early) == nil)
        #expect(TimeArgument.parse("1 second ago", now: early) == nil)
    }
}

@Suite struct `A namespace on the command line` {
    @Test(arguments: [
        ("project/a", ["project/a"], [nil]), ("project/a=0.5", ["project/a"], [0.5]),
        (#"project/a\=0.5"#, ["project/a=0.5"], [nil]), (#"project/a\=b=2"#, ["project/a=b"], [2]),
        (#"project/a\,b\\c"#, [#"project/a,b\c"#], [nil]),
        (
            "user/u,project/a=1e-3,@t/agent/x/session/s=3", ["user/u", "project/a", "@t/agent/x/session/s"],
            [nil, 0.001, 3]
        ),
    ])
    func `has a weight behind an equals sign, and commas between several`(
        text: String, paths: [String], weights: [Double?]
    ) throws {
        let arguments = try NamespaceArgument.list(text)
        #expect(arguments.map(\.namespace.description) == paths)
        #expect(arguments.map(\.weight) == weights)
    }

    @Test(arguments: [
        "", "project/a=", "project/a=x", "project/a=0", "project/a=-1", "project/a=nan", "project/a=inf",
        "project/a=1001", "project/a=1=2", #"project/a\"#, #"project/a\b"#, "project/a,", ",project/a",
        "project/a\u{1B}", "project/..\u{0}", "project/",
    ])
    func `is refused where it is none`(text: String) {
        #expect(throws: (any Error).self) { try NamespaceArgument.list(text) }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `is read back as it is written`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for _ in 0..<50 {
            var name = ""
            for _ in 0...random.number(below: 6) {
                name += random.choice(["=", ",", "\\", "a", "é", " ", "\\=", ".."])
            }
            let namespace = try Namespace(path: "project/\(name)")
            #expect(try NamespaceArgument.one(NamespaceArgument.text(of: namespace)) == namespace)
        }
    }
}
