import TestSupport
import Testing

@testable import MemoryEngine

@Suite struct `What is no time` {
    @Test(arguments: [
        "You may be right", "I may 7 times over", "may 10 people come", "May I come in?", "They march on",
        "a march of 5 miles",
        "Wait a second", "the second of them", "the second week", "a split second", "The cat sat on it",
        "The sun was warm",
        "Sun and sea", "I sat with 3 of them", "We wed in church", "June called", "April said no",
        "an august body",
        "Cyberpunk 2077 is great", "2,023 of them", "1999", "chapter 2022 of it", "in 2000 files",
        "in 1920 pixels",
        "by 2000 lines", "over 2000 people", "error 2023", "port 2049", "$2022", "#2022", "2022px in 2022px",
        "CVE-2024-1234", "v2023.05.07", "1.2.2023.4", "lib-2023-05-07.tar.gz", "foo-2023-05",
        "/2023/05/07/index",
        "2023-05-07-1", "2023-05-071", "2023-13-01", "2023-02-30", "2023-00-01", "12023-05-07", "31/02/2023",
        "13/13/2023",
        "0.5.2023", "12:30:45:99", "main.c:10:30", "a ratio of 10:30", "5:3", "25:00", "at 10:75", "10:300",
        "every Friday", "each week", "once a week", "twice a year", "on Fridays", "per month", "any day",
        "for two weeks", "two weeks long", "read it in two days", "a few days", "five years", "7 years old",
        "one day",
        "a day off", "that week", "weeks passed", "these days", "some day", "all night", "the night sky",
        "a summer job",
        "the spring framework", "spring cleaning", "in spring boot", "a fall of snow", "They fall down",
        "in the fall line", "winter tires",
        "in the 4th and last place", "the 2nd place", "on the 2nd floor", "the 5th element", "90s timeout",
        "wait 30s",
        "last of all", "at last", "next to it", "this is it", "the last day", "the next day",
        "the next morning", "past the house",
        "a week", "the week", "the weekend", "weekend plans", "month after month", "before the war",
        "after 3 years", "since then",
        "until now", "by hand", "from here to there", "between you and me", "Q5 2024", "Q", "H1",
        "q3 of the data", "Dec 10e", "dec 10 hex",
        "mar 5 lines", "Jan went home", "sep 3 fields", "Mon ami", "Sat down", "fri ends", "10 may fail",
        "the 5 may be wrong", "early riser",
        "end of file", "the end of the line", "the middle of nowhere", "start of the array", "mid-sentence",
        "New York", "new year", "an eve",
        "May", "March", "(may)", "T", "ago", "the", "", "a", "in", "in in in", "the the the", "1", "31",
        "1st", "2 of 3", "1-2-3", "9999-99-99",
        "1000000000000 days ago", "2000 weeks ago", "99999999999999999999", "in 0 days", "0 days ago",
        "Christmas tree",
        "for Christmas presents", "Easter eggs", "Valentine was here", "１２ May", "second-hand", "Maybe",
        "Mayor Marches", "augustus 3",
    ])
    func `is not taken for one`(text: String) throws {
        let found = try times(in: text)
        // A bare year is a year where nothing else is said.
        if text == "1999" { return #expect(found.count == 1) }
        #expect(found.isEmpty, "\(found)")
    }

    @Test(arguments: [
        ("since May 2023", TimeMention.Bound.since, "2023-05-01T00:00:00Z", "2024-05-15T10:00:00Z"),
        ("before 2022", .before, "always", "2022-01-01T00:00:00Z"),
        ("until 7 May 2023", .until, "always", "2023-05-08T00:00:00Z"),
        ("by 7 November, 2022", .until, "always", "2022-11-08T00:00:00Z"),
        ("after May 2023", .after, "2023-06-01T00:00:00Z", "open"),
        ("in May 2023", .none, "2023-05-01T00:00:00Z", "2023-06-01T00:00:00Z"),
        ("as of 7 May 2023", .none, "2023-05-07T00:00:00Z", "2023-05-08T00:00:00Z"),
        // What began later than now has no end before it began.
        ("since May 2030", .since, "2030-05-01T00:00:00Z", "2030-06-01T00:00:00Z"),
    ])
    func `A preposition bounds the interval`(
        text: String, bound: TimeMention.Bound, from: String, until: String
    ) throws {
        let mention = try #require(try times(in: text).first)
        #expect(mention.bound == bound)
        #expect(mention.interval.lowerBound.description == from)
        #expect(mention.interval.upperBound.description == until)
    }

    @Test func `In every year, a month is one of each`() throws {
        let since = try #require(Timestamp("2021-11-20"))
        let every = TimeExpressions.Dialect(yearless: .every(since: since))
        let found = try times(in: "What happened in December?", every)
        #expect(found.map { $0.named.lowerBound.day } == ["2023-12-01", "2022-12-01", "2021-12-01"])
        #expect(Set(found.map(\.range)).count == 1)
        let dated = try times(in: "What happened in December 2022, and last week?", every)
        #expect(dated.map { $0.named.lowerBound.day } == ["2022-12-01", "2024-05-06"])
        let early = try times(in: "in early May", every)
        #expect(early.map { $0.named.upperBound.day } == ["2024-05-11", "2023-05-11", "2022-05-11"])
        // However far back it begins, there are at most 32.
        let long = TimeExpressions.Dialect(yearless: .every(since: .distantPast))
        #expect(try times(in: "in December", long).count == 32)
    }

    @Test func `The order of day and month is the dialect's`() throws {
        let found = try times(in: "03/04/2023", TimeExpressions.Dialect(isDayFirst: true))
        #expect(found.map { $0.named.lowerBound.day } == ["2023-04-03"])
    }

    @Test func `Several stand in one text, in its order and without overlap`() throws {
        let text =
            "Yesterday I read it — since May 2023 I’d wanted to; by next Friday “it’s” done. In 2021 or 2022? 7 May."
        let found = try times(in: text)
        let bytes = Array(text.utf8)
        #expect(
            found.map { String(decoding: bytes[$0.range], as: UTF8.self) } == [
                "Yesterday", "since May 2023", "by next Friday", "2021", "7 May",
            ])
    }

    @Test func `A reference at the ends of time is moved into what is allowed`() throws {
        for reference in [Timestamp.distantPast, .distantFuture, Timestamp(microseconds: 0)] {
            let text =
                "yesterday, tomorrow, last year, next year, 1000 years ago, in May, last winter, the last decade"
            for mention in TimeExpressions.find(in: text, relativeTo: reference) {
                #expect(Timestamp.allowed.contains(mention.named.lowerBound))
                #expect(mention.named.lowerBound < mention.named.upperBound)
            }
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `Any text gives ranges on the bounds of its scalars`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let pieces =
            "the last next this May may 7 2023 - / : . , of before after week Friday ago two a few in since from to between and 1st 's '22 \u{2019} é 語 🙂 \n e\u{301} Q3 at 10:30 pm +0200 90s early summer T Z every Christmas"
            .split(separator: " ").map(String.init)
        for _ in 0..<400 {
            var text = ""
            for _ in 0..<random.below(30) {
                text += random.pick(pieces)
                if random.chance(0.7) { text += " " }
            }
            var end = 0
            for mention in try times(in: text) {
                #expect(mention.range.lowerBound >= end && !mention.range.isEmpty)
                end = mention.range.upperBound
                #expect(end <= text.utf8.count)
                #expect(
                    String(decoding: Array(text.utf8)[mention.range], as: UTF8.self).unicodeScalars.allSatisfy
                    { $0 != "\u{fffd}" })
                #expect(mention.named.lowerBound < mention.named.upperBound)
                #expect(mention.interval.lowerBound < mention.interval.upperBound)
            }
        }
    }

    @Test func `A text of megabytes is read once, whatever it is made of`() throws {
        let reference = try #require(Timestamp("2024-05-15"))
        for unit in [
            "a", "1 ", "the ", "(", "May ", "a few ", "about ", "from 3 to ", "\u{301}", "2023-05-07", "é",
            "…",
        ] {
            let text = String(repeating: unit, count: 400_000 / unit.utf8.count)
            // Quadratic work would take minutes.
            #expect(TimeExpressions.find(in: text, relativeTo: reference).count <= 1_024)
        }
    }
}
