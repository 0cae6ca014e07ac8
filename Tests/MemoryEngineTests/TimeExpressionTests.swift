import Testing

@testable import MemoryEngine

/// An expression in a sentence, and the days or moments that it stands for.
struct TimeCase: Sendable, CustomStringConvertible {
    var text: String
    var expression: String
    var from: String
    var until: String

    init(_ text: String, _ expression: String, _ from: String, _ until: String) {
        self.text = text
        self.expression = expression
        self.from = from
        self.until = until
    }

    var description: String { text }
}

/// A Wednesday.
private let wednesday = "2024-05-15T10:00:00Z"

func times(
    in text: String, at reference: String = wednesday, _ dialect: TimeExpressions.Dialect = .init()
) throws -> [TimeMention] {
    TimeExpressions.find(in: text, relativeTo: try #require(Timestamp(reference)), dialect: dialect)
}

private func expression(_ mention: TimeMention, in text: String) -> String {
    String(decoding: Array(text.utf8)[mention.range], as: UTF8.self)
}

/// A day where it is the start of one, else the moment.
private func short(_ time: Timestamp) -> String {
    time.description.hasSuffix("T00:00:00Z") ? time.day : time.description
}

@Suite struct `Time expressions` {
    private func expectOne(_ sample: TimeCase, at reference: String = wednesday) throws {
        let found = try times(in: sample.text, at: reference)
        #expect(found.map { expression($0, in: sample.text) } == [sample.expression])
        #expect(found.map { short($0.named.lowerBound) } == [sample.from])
        #expect(found.map { short($0.named.upperBound) } == [sample.until])
    }

    @Test(arguments: [
        TimeCase("It shipped on 2023-05-07.", "2023-05-07", "2023-05-07", "2023-05-08"),
        TimeCase("(2023-05-07)", "2023-05-07", "2023-05-07", "2023-05-08"),
        TimeCase("Date:2023/5/7", "2023/5/7", "2023-05-07", "2023-05-08"),
        TimeCase("built 2023-05 anew", "2023-05", "2023-05-01", "2023-06-01"),
        TimeCase("planned for 2024-W05", "2024-W05", "2024-01-29", "2024-02-05"),
        TimeCase("7 May 2023", "7 May 2023", "2023-05-07", "2023-05-08"),
        TimeCase("on the 7th of May 2023,", "the 7th of May 2023", "2023-05-07", "2023-05-08"),
        TimeCase("May 7th, 2023", "May 7th, 2023", "2023-05-07", "2023-05-08"),
        TimeCase("may 7, 2023", "may 7, 2023", "2023-05-07", "2023-05-08"),
        TimeCase("8th December, 2023", "8th December, 2023", "2023-12-08", "2023-12-09"),
        TimeCase("December 1,2023 taken", "December 1,2023", "2023-12-01", "2023-12-02"),
        TimeCase("Sept. 3rd 2021", "Sept. 3rd 2021", "2021-09-03", "2021-09-04"),
        TimeCase("Sunday, May 7, 2023", "Sunday, May 7, 2023", "2023-05-07", "2023-05-08"),
        TimeCase("on 25.3.2023 they", "25.3.2023", "2023-03-25", "2023-03-26"),
        TimeCase("on 03/25/2023 they", "03/25/2023", "2023-03-25", "2023-03-26"),
        TimeCase("on 25/03/2023 they", "25/03/2023", "2023-03-25", "2023-03-26"),
        TimeCase("on 03/04/2023 they", "03/04/2023", "2023-03-04", "2023-03-05"),
        TimeCase("May 2022 was wet", "May 2022", "2022-05-01", "2022-06-01"),
        TimeCase("of May, 2022", "May, 2022", "2022-05-01", "2022-06-01"),
        TimeCase("back in May '22 we", "May '22", "2022-05-01", "2022-06-01"),
        TimeCase("in 2022", "2022", "2022-01-01", "2023-01-01"),
        TimeCase("2022", "2022", "2022-01-01", "2023-01-01"),
        TimeCase("the year 1999", "the year 1999", "1999-01-01", "2000-01-01"),
        TimeCase("2021's best", "2021", "2021-01-01", "2022-01-01"),
        TimeCase("in the summer of 2021", "the summer of 2021", "2021-06-01", "2021-09-01"),
        TimeCase("winter 2022 was", "winter 2022", "2022-12-01", "2023-03-01"),
        TimeCase("Q3 2024 numbers", "Q3 2024", "2024-07-01", "2024-10-01"),
        TimeCase("H1 2024", "H1 2024", "2024-01-01", "2024-07-01"),
        TimeCase("the third quarter of 2023", "the third quarter of 2023", "2023-07-01", "2023-10-01"),
        TimeCase("in the early 90s", "the early 90s", "1990-01-01", "1993-05-02"),
        TimeCase("music of the 1980s.", "the 1980s", "1980-01-01", "1990-01-01"),
        TimeCase("mid-August 2023", "mid-August 2023", "2023-08-11", "2023-08-22"),
        TimeCase("the end of summer 2023", "the end of summer 2023", "2023-08-02", "2023-09-01"),
        TimeCase("late 2022 saw", "late 2022", "2022-09-02", "2023-01-01"),
        TimeCase(
            "the first week of August 2023", "the first week of August 2023", "2023-08-01", "2023-08-08"),
        TimeCase("the last week of August 2023", "the last week of August 2023", "2023-08-25", "2023-09-01"),
        TimeCase(
            "the second Monday of May 2024", "the second Monday of May 2024", "2024-05-13", "2024-05-14"),
        TimeCase("the last Friday of May 2023", "the last Friday of May 2023", "2023-05-26", "2023-05-27"),
        TimeCase("the first half of 2023", "the first half of 2023", "2023-01-01", "2023-07-01"),
        TimeCase("New Year's Eve 2022", "New Year's Eve 2022", "2022-12-31", "2023-01-01"),
    ])
    func `that say their year stand for its days`(sample: TimeCase) throws {
        try expectOne(sample)
        #expect(try times(in: sample.text).map(\.basis) == [.absolute])
        // The reference changes nothing.
        try expectOne(sample, at: "2031-01-01T00:00:00Z")
    }

    @Test(arguments: [
        TimeCase("I went yesterday.", "yesterday", "2024-05-14", "2024-05-15"),
        TimeCase("Today I rest", "Today", "2024-05-15", "2024-05-16"),
        TimeCase("see you tomorrow", "tomorrow", "2024-05-16", "2024-05-17"),
        TimeCase("the day before yesterday", "the day before yesterday", "2024-05-13", "2024-05-14"),
        TimeCase("the day after tomorrow", "the day after tomorrow", "2024-05-17", "2024-05-18"),
        TimeCase("dinner tonight", "tonight", "2024-05-15T18:00:00Z", "2024-05-16T06:00:00Z"),
        TimeCase("last night", "last night", "2024-05-14T18:00:00Z", "2024-05-15T06:00:00Z"),
        TimeCase("this morning", "this morning", "2024-05-15T05:00:00Z", "2024-05-15T12:00:00Z"),
        TimeCase("yesterday evening", "yesterday evening", "2024-05-14T17:00:00Z", "2024-05-15"),
        TimeCase("last Friday", "last Friday", "2024-05-10", "2024-05-11"),
        TimeCase("last Wednesday", "last Wednesday", "2024-05-08", "2024-05-09"),
        TimeCase("Last Fri I", "Last Fri", "2024-05-10", "2024-05-11"),
        TimeCase("last Tues.", "last Tues", "2024-05-14", "2024-05-15"),
        TimeCase("this Friday", "this Friday", "2024-05-17", "2024-05-18"),
        TimeCase("this Tuesday", "this Tuesday", "2024-05-14", "2024-05-15"),
        TimeCase("this past Friday", "this past Friday", "2024-05-10", "2024-05-11"),
        TimeCase("next Friday", "next Friday", "2024-05-17", "2024-05-18"),
        TimeCase("next Wednesday", "next Wednesday", "2024-05-22", "2024-05-23"),
        TimeCase("We met on Friday", "Friday", "2024-05-10", "2024-05-11"),
        TimeCase("On Friday we went home", "Friday", "2024-05-10", "2024-05-11"),
        TimeCase("We will meet on Friday", "Friday", "2024-05-17", "2024-05-18"),
        TimeCase("Let's meet Friday", "Friday", "2024-05-17", "2024-05-18"),
        TimeCase("last week", "last week", "2024-05-06", "2024-05-13"),
        TimeCase("this week", "this week", "2024-05-13", "2024-05-20"),
        TimeCase("next week", "next week", "2024-05-20", "2024-05-27"),
        TimeCase("last month", "last month", "2024-04-01", "2024-05-01"),
        TimeCase("next month", "next month", "2024-06-01", "2024-07-01"),
        TimeCase("last year", "last year", "2023-01-01", "2024-01-01"),
        TimeCase("this year", "this year", "2024-01-01", "2025-01-01"),
        TimeCase("last weekend", "last weekend", "2024-05-11", "2024-05-13"),
        TimeCase("over the weekend", "the weekend", "2024-05-11", "2024-05-13"),
        TimeCase("this weekend", "this weekend", "2024-05-18", "2024-05-20"),
        TimeCase("two weekends ago", "two weekends ago", "2024-05-04", "2024-05-06"),
        TimeCase("two weeks ago", "two weeks ago", "2024-04-28", "2024-05-05"),
        TimeCase("three days ago", "three days ago", "2024-05-12", "2024-05-13"),
        TimeCase("10 days ago", "10 days ago", "2024-05-05", "2024-05-06"),
        TimeCase("a few days ago", "a few days ago", "2024-05-09", "2024-05-14"),
        TimeCase("a couple of days ago", "a couple of days ago", "2024-05-13", "2024-05-14"),
        TimeCase("2-3 days ago", "2-3 days ago", "2024-05-12", "2024-05-14"),
        TimeCase("two months ago", "two months ago", "2024-03-01", "2024-04-01"),
        TimeCase("about five years ago", "about five years ago", "2019-01-01", "2020-01-01"),
        TimeCase("a few years back", "a few years back", "2018-01-01", "2023-01-01"),
        TimeCase("an hour ago", "an hour ago", "2024-05-15T08:30:00Z", "2024-05-15T09:30:00Z"),
        TimeCase("the other day", "the other day", "2024-05-08", "2024-05-15"),
        TimeCase("in the past two weeks", "the past two weeks", "2024-05-01", "2024-05-16"),
        TimeCase("the last month", "the last month", "2024-04-15", "2024-05-16"),
        TimeCase("playing for four months now", "four months now", "2024-01-15", "2024-05-16"),
        TimeCase("We will ship in two weeks", "two weeks", "2024-05-26", "2024-06-02"),
        TimeCase("three days from now", "three days from now", "2024-05-18", "2024-05-19"),
        TimeCase("last May", "last May", "2023-05-01", "2023-06-01"),
        TimeCase("next May", "next May", "2025-05-01", "2025-06-01"),
        TimeCase("last summer", "last summer", "2023-06-01", "2023-09-01"),
        TimeCase("this summer", "this summer", "2024-06-01", "2024-09-01"),
        TimeCase("last Christmas", "last Christmas", "2023-12-25", "2023-12-26"),
        TimeCase("the end of the month", "the end of the month", "2024-05-22", "2024-06-01"),
        TimeCase("early next week", "early next week", "2024-05-20", "2024-05-22"),
        TimeCase("summer of last year", "summer of last year", "2023-06-01", "2023-09-01"),
        TimeCase("a week from Friday", "a week from Friday", "2024-05-14", "2024-05-21"),
        TimeCase("on the 5th we met", "the 5th", "2024-05-05", "2024-05-06"),
        TimeCase("paid on the 31st.", "the 31st", "2024-03-31", "2024-04-01"),
        TimeCase("due on the 20th", "the 20th", "2024-05-20", "2024-05-21"),
        TimeCase("tomorrow at 3pm", "tomorrow at 3pm", "2024-05-16T15:00:00Z", "2024-05-16T15:01:00Z"),
        TimeCase("at 10:30", "10:30", "2024-05-15T10:30:00Z", "2024-05-15T10:31:00Z"),
        TimeCase("at 12 a.m. on Friday", "12 a.m. on Friday", "2024-05-10", "2024-05-10T00:01:00Z"),
    ])
    func `count from the reference`(sample: TimeCase) throws {
        try expectOne(sample)
        #expect(try times(in: sample.text).map(\.basis) == [.relative])
    }

    @Test(arguments: [
        TimeCase("We met in March", "March", "2024-03-01", "2024-04-01"),
        TimeCase("in May", "May", "2024-05-01", "2024-06-01"),
        TimeCase("in june we met", "june", "2023-06-01", "2023-07-01"),
        TimeCase("in June we will meet", "June", "2024-06-01", "2024-07-01"),
        // Twenty days ahead, and ten months back.
        TimeCase("The fair is on June 4.", "June 4", "2024-06-04", "2024-06-05"),
        TimeCase("The fair is in December", "December", "2023-12-01", "2024-01-01"),
        TimeCase("October 20", "October 20", "2023-10-20", "2023-10-21"),
        TimeCase("I plan to return on July 20, and", "July 20", "2024-07-20", "2024-07-21"),
        TimeCase("due by December", "by December", "2024-12-01", "2025-01-01"),
        TimeCase("She was born on February 29.", "February 29", "2024-02-29", "2024-03-01"),
        TimeCase("early May was cold", "early May", "2024-05-01", "2024-05-11"),
        TimeCase(
            "the second week of November was", "the second week of November", "2023-11-08", "2023-11-15"),
        TimeCase("It rained in the summer.", "the summer", "2023-06-01", "2023-09-01"),
        TimeCase("We closed Q1.", "Q1", "2024-01-01", "2024-04-01"),
        TimeCase("from 3 to 9 June we were", "from 3 to 9 June", "2023-06-03", "2023-06-10"),
        TimeCase("between March and May it was", "between March and May", "2024-03-01", "2024-06-01"),
        TimeCase(
            "between November and January it was", "between November and January", "2023-11-01", "2024-02-01"),
        TimeCase("We ate at Thanksgiving.", "Thanksgiving", "2023-11-23", "2023-11-24"),
        TimeCase("June 4 at noon she left", "June 4 at noon", "2023-06-04T12:00:00Z", "2023-06-04T12:01:00Z"),
        TimeCase("He won't come on June 4", "June 4", "2024-06-04", "2024-06-05"),
    ])
    func `without a year take the one that the sentence means`(sample: TimeCase) throws {
        try expectOne(sample)
        #expect(try times(in: sample.text).map(\.basis) == [.yearless])
    }

    @Test(arguments: [
        TimeCase("the week before 9 June 2023", "the week before 9 June 2023", "2023-06-02", "2023-06-09"),
        TimeCase(
            "the Friday before May 20, 2023", "the Friday before May 20, 2023", "2023-05-19", "2023-05-20"),
        TimeCase(
            "the Friday after May 19, 2023", "the Friday after May 19, 2023", "2023-05-26", "2023-05-27"),
        TimeCase("a week after 3 July 2023", "a week after 3 July 2023", "2023-07-07", "2023-07-14"),
        TimeCase(
            "two weeks before August 11, 2023", "two weeks before August 11, 2023", "2023-07-25", "2023-08-01"
        ),
        TimeCase("two days after May 3, 2023", "two days after May 3, 2023", "2023-05-05", "2023-05-06"),
        TimeCase(
            "the weekend before May 15, 2023", "the weekend before May 15, 2023", "2023-05-13", "2023-05-15"),
        TimeCase(
            "the weekend before May 14, 2023", "the weekend before May 14, 2023", "2023-05-06", "2023-05-08"),
        TimeCase(
            "last weekend before April 10, 2023", "last weekend before April 10, 2023", "2023-04-08",
            "2023-04-10"),
        TimeCase("the week of June 5, 2023", "the week of June 5, 2023", "2023-06-05", "2023-06-12"),
        TimeCase("the month before May 2023", "the month before May 2023", "2023-04-01", "2023-05-01"),
        TimeCase("the year after 2020", "the year after 2020", "2021-01-01", "2022-01-01"),
        TimeCase("May 3–5, 2023", "May 3–5, 2023", "2023-05-03", "2023-05-06"),
        TimeCase("3-9 June 2023", "3-9 June 2023", "2023-06-03", "2023-06-10"),
        TimeCase("May to July 2023", "May to July 2023", "2023-05-01", "2023-08-01"),
        TimeCase("between May and July 2023", "between May and July 2023", "2023-05-01", "2023-08-01"),
        TimeCase(
            "between November and January 2023", "between November and January 2023", "2022-11-01",
            "2023-02-01"),
        TimeCase(
            "between August 11 and August 15 2023", "between August 11 and August 15 2023", "2023-08-11",
            "2023-08-16"),
        TimeCase("from 2019 to 2021", "from 2019 to 2021", "2019-01-01", "2022-01-01"),
        TimeCase("in 2019–2021", "2019–2021", "2019-01-01", "2022-01-01"),
        TimeCase(
            "the evening of 7 July, 2023", "the evening of 7 July, 2023", "2023-07-07T17:00:00Z", "2023-07-08"
        ),
        TimeCase(
            "at 2023-05-07T08:30:00Z it", "2023-05-07T08:30:00Z", "2023-05-07T08:30:00Z",
            "2023-05-07T08:31:00Z"),
        TimeCase(
            "2023-05-07 08:30:15.25+02:00", "2023-05-07 08:30:15.25+02:00", "2023-05-07T06:30:15.25Z",
            "2023-05-07T06:31:15.25Z"),
        TimeCase(
            "Fri, 23 Aug 2024 10:15:00 +0200", "Fri, 23 Aug 2024 10:15:00 +0200", "2024-08-23T08:15:00Z",
            "2024-08-23T08:16:00Z"),
        TimeCase(
            "Fri Aug 23 10:15:00 2024 -0130", "Fri Aug 23 10:15:00 2024 -0130", "2024-08-23T11:45:00Z",
            "2024-08-23T11:46:00Z"),
        TimeCase(
            "3:45 p.m. on May 7, 2023", "3:45 p.m. on May 7, 2023", "2023-05-07T15:45:00Z",
            "2023-05-07T15:46:00Z"),
    ])
    func `are ranges, and counted from other times`(sample: TimeCase) throws {
        try expectOne(sample)
    }
}
