/// Finds the times that a text names, by rules of English and of the numeric forms of all languages.
///
/// A time counts from the reference, which is when the text was said, or when a question is asked. All is in
/// UTC. Weeks begin on Monday; seasons are the north's.
///
/// What is a date and what is not: a word that has another meaning ("may", "march", "second", "fall", "sun",
/// "sat", a bare number) is one only where a neighbor says so: a day or year beside it, a preposition of
/// time, "last", "this" or "next". What comes again ("every Friday", "on Fridays") and lengths of time ("for two
/// weeks") name no time.
///
/// Which year, and which week:
/// - A date without a year is the last one that began by the reference, or the next one. A verb of its sentence
///   decides (the nearest one before it, else the first behind it): past tenses take the last, and
///   "will", "going", "plan" and their like the next. Without any, the last one, unless the next one is more
///   than three times nearer.
/// - A bare weekday is the last one (today's included) or, where the sentence speaks of the future or
///   "until" or "by" stand before it, the next. "Last Friday" and "next Friday" are the nearest before and after
///   today; "this Friday" is that of the reference's week.
/// - "Last week", "this month" and "next year" are those of the calendar, "the last week" and "the past two
///   months" the time up to the reference, "a few" is 2 to 6, "several" 3 to 7, "two weeks ago" the
///   seven days around that day.
/// - "The week before 9 June" is the seven days before, "the Friday before" the nearest one.
///
/// What must stay true: the mentions depend on the text, the reference and the dialect alone. They are stored;
/// a change of the rules is a new `version`.
package enum TimeExpressions {
    /// Of these rules.
    package static let version: UInt16 = 1

    /// The times of a text, in its order, without overlap.
    ///
    /// - Parameters:
    ///   - utf8: Any bytes. Ranges lie on the bounds of scalars if it is UTF-8.
    ///   - reference: When it was said; moved into `Timestamp.allowed`.
    ///   - limit: Where the reading stops.
    /// - Complexity: O(n) in the bytes: each is read once, and at each word at most 48 tokens are looked at.
    package static func find(
        in utf8: Span<UInt8>, relativeTo reference: Timestamp, dialect: Dialect = Dialect(),
        limit: Int = 1_024
    ) -> [TimeMention] {
        var parser = TimeParser(reference: reference, dialect: dialect)
        var reader = TokenReader(TimeWord.lexicon)
        var mentions: [TimeMention] = []
        var index = 0
        while true {
            let hasEnded = reader.fill(&parser.tokens, upTo: 1_024, from: utf8)
            let end = parser.tokens.count - (hasEnded ? 0 : TimeParser.lookahead)
            while index < end, mentions.count < limit {
                index = parser.readMention(at: index, into: &mentions)
            }
            if hasEnded || mentions.count >= limit { return mentions }
            let done = max(0, index - TimeParser.lookback)
            parser.tokens.removeFirst(done)
            index -= done
        }
    }

    /// The times of a text, in its order, without overlap.
    package static func find(
        in text: String, relativeTo reference: Timestamp, dialect: Dialect = Dialect(), limit: Int = 1_024
    ) -> [TimeMention] {
        find(in: text.utf8.span, relativeTo: reference, dialect: dialect, limit: limit)
    }
}

/// A time as it was read, before it is a mention.
struct TimeReading {
    /// Microseconds since 1970.
    var moments: Range<Int64>
    var granularity: TimeMention.Granularity
    var basis: TimeMention.Basis
    /// The tokens from the first one of the expression to the one behind it.
    var first: Int
    var next: Int
    var bound = TimeMention.Bound.none
    /// What comes again each year, where that was said.
    var yearly: YearlyPeriod?

    init(
        days: Range<Int64>, _ granularity: TimeMention.Granularity, _ basis: TimeMention.Basis, first: Int,
        next: Int
    ) {
        moments =
            days.lowerBound * CalendarDay.microseconds..<max(days.lowerBound + 1, days.upperBound)
            * CalendarDay.microseconds
        self.granularity = granularity
        self.basis = basis
        self.first = first
        self.next = next
    }

    var days: Range<Int64> {
        let first = CalendarDay.number(at: moments.lowerBound)
        return first..<max(first + 1, CalendarDay.number(at: moments.upperBound - 1) + 1)
    }

    func from(_ first: Int) -> TimeReading {
        var copy = self
        copy.first = first
        return copy
    }
}

/// Reads expressions of time out of a window of tokens.
struct TimeParser {
    /// No expression is longer, in tokens; and what is looked at before one.
    static let lookahead = 48
    static let lookback = 32

    var tokens: [TextToken] = []
    let reference: Int64
    let today: Int64
    let dialect: TimeExpressions.Dialect

    init(reference: Timestamp, dialect: TimeExpressions.Dialect) {
        let allowed = Timestamp.allowed
        self.reference = min(max(reference, allowed.lowerBound), allowed.upperBound).microseconds
        today = CalendarDay.number(at: self.reference)
        self.dialect = dialect
        tokens.reserveCapacity(1_024)
    }

    /// A token; one of kind `end` outside of the window.
    @inline(__always)
    func token(_ index: Int) -> TextToken {
        index >= 0 && index < tokens.count ? tokens[index] : TextToken()
    }

    /// Reads what begins at `index`, if anything does. Returns where to read on.
    mutating func readMention(at index: Int, into mentions: inout [TimeMention]) -> Int {
        let first = tokens[index]
        guard first.tag != 0 || first.kind == .number else { return index + 1 }
        guard let reading = reading(at: index) else { return index + 1 }
        let range = tokens[reading.first].start..<tokens[reading.next - 1].end
        for moments in allMoments(of: reading) {
            let allowed = Timestamp.allowed
            let from = max(moments.lowerBound, allowed.lowerBound.microseconds)
            let until = min(moments.upperBound, allowed.upperBound.microseconds)
            guard from < until else { continue }
            mentions.append(
                TimeMention(
                    range: range,
                    named: Timestamp(microseconds: from)..<Timestamp(microseconds: until),
                    granularity: reading.granularity, basis: reading.basis, bound: reading.bound,
                    reference: Timestamp(microseconds: reference)))
        }
        return max(reading.next, index + 1)
    }

    /// The moments of a reading: its own and, where the dialect wants every year, those of the other years.
    private func allMoments(of reading: TimeReading) -> [Range<Int64>] {
        guard case .every(let since) = dialect.yearless, reading.basis == .yearless,
            let yearly = reading.yearly,
            // A time of day is not moved to other years.
            reading.granularity >= .day
        else { return [reading.moments] }
        let first = max(since, Timestamp.allowed.lowerBound).microseconds
        let newest = max(reading.moments.lowerBound, reference)
        var all: [Range<Int64>] = []
        var year = CalendarDay.date(CalendarDay.number(at: newest)).year
        while all.count < 32, year >= 1 {
            if let days = yearly.days(in: year) {
                let moments =
                    days.lowerBound * CalendarDay.microseconds..<days.upperBound * CalendarDay.microseconds
                if moments.upperBound <= first { break }
                if moments.lowerBound <= newest { all.append(moments) }
            }
            year -= 1
        }
        return all.isEmpty ? [reading.moments] : all
    }
}
