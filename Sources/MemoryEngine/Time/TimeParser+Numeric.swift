/// Dates and times of day in digits.
extension TimeParser {
    func numeric(_ index: Int, _ evidence: Evidence) -> TimeReading? {
        guard isClean(index) else { return nil }
        return isoDate(index) ?? slashDate(index) ?? dayThenMonth(index) ?? decade(index, isNamed: false)
            ?? counted(index) ?? clockAlone(index, evidence) ?? yearSpan(index, evidence)
            ?? year(index, evidence)
    }

    /// "2019–2021", where a year may stand.
    private func yearSpan(_ index: Int, _ evidence: Evidence) -> TimeReading? {
        guard evidence.allowsYear, token(index).digitCount == 4, token(index + 1).isSign("-"),
            token(index + 2).digitCount == 4, (1_900...2_099).contains(token(index).number),
            (token(index).number + 1...2_099).contains(token(index + 2).number), endsCleanly(index + 3)
        else { return nil }
        let days =
            CalendarDay.days(ofYear: token(index).number)
            .lowerBound..<CalendarDay.days(ofYear: token(index + 2).number)
            .upperBound
        return TimeReading(days: days, .year, .absolute, first: index, next: index + 3)
    }

    /// 2023-05-07, 2023/05/07, 2023-05, 2024-W05.
    func isoDate(_ index: Int) -> TimeReading? {
        let year = token(index)
        let sign = token(index + 1)
        guard isClean(index), year.digitCount == 4, year.number >= 1, sign.isGlued,
            sign.isSign("-") || sign.isSign("/"),
            token(index + 2).isGlued
        else { return nil }
        let second = token(index + 2)
        if sign.isSign("-"), second.time == .w, token(index + 3).isGlued, token(index + 3).digitCount == 2,
            endsCleanly(index + 4), let days = CalendarDay.isoWeek(year.number, token(index + 3).number)
        {
            return TimeReading(days: days, .week, .absolute, first: index, next: index + 4)
        }
        guard second.digitCount == 2 || sign.isSign("/") && second.digitCount == 1 else { return nil }
        let again = token(index + 3)
        let day = token(index + 4)
        if again.isGlued, again.sign == sign.sign, again.kind == .sign, day.isGlued, day.kind == .number {
            guard day.digitCount == 2 || sign.isSign("/") && day.digitCount == 1 else { return nil }
            // The T of ISO 8601 stands between the date and the time.
            let isDateTime =
                token(index + 5).time == .t && token(index + 5).isGlued && token(index + 6).kind == .number
            guard isDateTime || endsCleanly(index + 5) else { return nil }
            return self.day(year.number, second.number, day.number, .absolute, first: index, next: index + 5)
        }
        // A year and a month alone are not written with a slash.
        guard sign.isSign("-"), (1_000...2_999).contains(year.number), (1...12).contains(second.number),
            endsCleanly(index + 3)
        else { return nil }
        return period(
            YearlyPeriod(kind: .month(second.number)), .month, year: year.number, first: index,
            next: index + 3, .none)
    }

    /// 03/25/2023, 25.3.2023, 25-03-2023. With points the day stands first.
    func slashDate(_ index: Int) -> TimeReading? {
        let signs = (token(index + 1), token(index + 3))
        let numbers = (token(index), token(index + 2), token(index + 4))
        guard isClean(index), (1...2).contains(numbers.0.digitCount), (1...2).contains(numbers.1.digitCount),
            numbers.2.digitCount == 4, (1_900...2_099).contains(numbers.2.number), signs.0.kind == .sign,
            signs.1.kind == .sign, signs.0.sign == signs.1.sign, endsCleanly(index + 5),
            (index + 1...index + 4).allSatisfy({ token($0).isGlued })
        else { return nil }
        let isDayFirst: Bool
        switch signs.0.sign {
        case UInt8(ascii: "."): isDayFirst = true
        case UInt8(ascii: "/"), UInt8(ascii: "-"):
            isDayFirst = numbers.0.number > 12 || numbers.1.number <= 12 && dialect.isDayFirst
        default: return nil
        }
        let (day, month) =
            isDayFirst ? (numbers.0.number, numbers.1.number) : (numbers.1.number, numbers.0.number)
        return self.day(numbers.2.number, month, day, .absolute, first: index, next: index + 5)
    }

    /// A time of day: microseconds after midnight, and the offset from UTC if it is told.
    struct Clock {
        var microseconds: Int64
        var offset: Int64?
        var next: Int
    }

    /// 10:30, 10:15:00.5, 3pm, 3:45 p.m., 08:30Z, 10:15:00 +0200.
    func clock(_ index: Int) -> Clock? {
        let hour = token(index)
        guard (1...2).contains(hour.digitCount), hour.number < 24 else { return nil }
        var seconds = Int64(hour.number) * 3_600
        var fraction: Int64 = 0
        var next = index + 1
        var isTime = false
        if token(next).isSign(":"), token(next).isGlued, token(next + 1).isGlued,
            token(next + 1).digitCount == 2,
            token(next + 1).number < 60
        {
            isTime = true
            seconds += Int64(token(next + 1).number) * 60
            next += 2
            if token(next).isSign(":"), token(next).isGlued, token(next + 1).isGlued,
                token(next + 1).digitCount == 2,
                token(next + 1).number < 60
            {
                seconds += Int64(token(next + 1).number)
                next += 2
                if token(next).isSign("."), token(next).isGlued, token(next + 1).isGlued,
                    (1...10).contains(token(next + 1).digitCount)
                {
                    fraction = Int64(token(next + 1).number)
                    for _ in 0..<max(0, 6 - token(next + 1).digitCount) { fraction *= 10 }
                    for _ in 0..<max(0, token(next + 1).digitCount - 6) { fraction /= 10 }
                    next += 2
                }
            }
        }
        if let (hours, end) = meridiem(next), (1...12).contains(hour.number) {
            isTime = true
            seconds += Int64(hours - (hour.number == 12 ? 12 : 0)) * 3_600
            next = end
        }
        guard isTime else { return nil }
        var clock = Clock(microseconds: seconds * 1_000_000 + fraction, offset: nil, next: next)
        if let (offset, end) = zone(next) { (clock.offset, clock.next) = (offset, end) }
        let behind = token(clock.next)
        return behind.isGlued && behind.kind != .sign ? nil : clock
    }

    /// "am", "p.m.".
    private func meridiem(_ index: Int) -> (hours: Int, next: Int)? {
        if token(index).time == .meridiem { return (token(index).timeValue, index + 1) }
        let letter = token(index)
        guard letter.kind == .word, letter.end - letter.start == 1,
            letter.key == Self.a || letter.key == Self.p,
            token(index + 1).isSign("."), token(index + 1).isGlued, token(index + 2).isGlued,
            token(index + 2).key == Self.m
        else { return nil }
        let hasPoint = token(index + 3).isSign(".") && token(index + 3).isGlued
        return (letter.key == Self.p ? 12 : 0, hasPoint ? index + 4 : index + 3)
    }

    private static let a = WordKey("a")
    private static let p = WordKey("p")
    private static let m = WordKey("m")

    /// "UTC", "+0200", "-01:30".
    func zone(_ index: Int) -> (microseconds: Int64, next: Int)? {
        let sign = token(index)
        if sign.time == .zone { return (Int64(sign.timeValue - 12) * 3_600_000_000, index + 1) }
        guard sign.isSign("+") || sign.isSign("-"), token(index + 1).isGlued else { return nil }
        let number = token(index + 1)
        var minutes: Int
        var next = index + 2
        if number.digitCount == 4 {
            minutes = number.number / 100 * 60 + number.number % 100
        } else if number.digitCount == 2, token(next).isSign(":"), token(next).isGlued,
            token(next + 1).digitCount == 2,
            token(next + 1).isGlued
        {
            minutes = number.number * 60 + token(next + 1).number
            next += 2
        } else {
            return nil
        }
        guard minutes < 24 * 60 else { return nil }
        if sign.isSign("-") { minutes = -minutes }
        return (Int64(minutes) * 60_000_000, next)
    }

    /// A time of day with the day behind it ("at 3pm on Friday"), or of the reference's day.
    private func clockAlone(_ index: Int, _ evidence: Evidence) -> TimeReading? {
        guard let clock = clock(index) else { return nil }
        let next =
            token(clock.next).isSign(",") || token(clock.next).preposition == .on
            ? clock.next + 1 : clock.next
        if let day = bareAnchor(dayAt: next), day.granularity == .day {
            return at(clock, day, next: day.next).from(index)
        }
        let before = token(index - 1).preposition
        guard evidence.isPlaced, [.at, .by, .until, .around, .before, .after, .since, .from].contains(before)
        else { return nil }
        let day = TimeReading(days: today..<today + 1, .day, .relative, first: index, next: clock.next)
        return at(clock, day, next: clock.next)
    }

    private func bareAnchor(dayAt index: Int) -> TimeReading? {
        switch token(index).time {
        case .day: return nearDay(index)
        case .weekday, .weekdayShort: return weekday(index, .placed)
        case .month, .monthShort: return monthFirst(index, .placed)
        default:
            return token(index).kind == .number
                ? isoDate(index) ?? dayThenMonth(index) ?? slashDate(index) : nil
        }
    }

    /// A minute of the day that was read.
    func at(_ clock: Clock, _ day: TimeReading, next: Int) -> TimeReading {
        var reading = day
        let start = day.moments.lowerBound + clock.microseconds - (clock.offset ?? 0)
        reading.moments = start..<start + 60_000_000
        reading.granularity = .minute
        reading.yearly = nil
        reading.next = next
        return reading
    }

    /// The same day with its time or its part, if one stands behind it: "tomorrow at 3pm", "Friday night".
    func withTimeOfDay(_ day: TimeReading) -> TimeReading {
        guard day.granularity == .day, day.days.count == 1, day.bound == .none else { return day }
        var index = day.next
        let behind = token(index)
        if behind.time == .t && behind.isGlued { index += 1 }
        if behind.isSign(","), !behind.startsLine { index += 1 }
        if let part = token(index).dayPart, index == day.next, part != .noon, part != .midnight,
            !token(index).isGlued
        {
            return self.part(
                part, of: day.days.lowerBound, basis: day.basis, first: day.first, next: index + 1)
        }
        if token(index).preposition == .at || token(index).preposition == .around { index += 1 }
        if let part = token(index).dayPart, index > day.next, part == .noon || part == .midnight {
            return self.part(
                part, of: day.days.lowerBound, basis: day.basis, first: day.first, next: index + 1)
        }
        guard let clock = clock(index) else { return day }
        return at(clock, day, next: clock.next)
    }

    /// The morning, evening or night of a day.
    func part(
        _ part: DayPart, of day: Int64, basis: TimeMention.Basis = .relative, first: Int, next: Int
    ) -> TimeReading {
        var reading = TimeReading(days: day..<day + 1, .dayPart, basis, first: first, next: next)
        let start = day * CalendarDay.microseconds
        reading.moments =
            start + part.minutes.lowerBound * 60_000_000..<start + part.minutes.upperBound * 60_000_000
        if part == .noon || part == .midnight { reading.granularity = .minute }
        return reading
    }

    /// "Evening of 7 July".
    func partOfNamedDay(_ index: Int) -> TimeReading? {
        guard let part = token(index).dayPart, token(index + 1).time == .of,
            let day = anchor(index + 2, .placed),
            day.granularity == .day
        else { return nil }
        return self.part(part, of: day.days.lowerBound, basis: day.basis, first: index, next: day.next)
    }
}
