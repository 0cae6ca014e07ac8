/// Days of the proleptic Gregorian calendar by their number since 1970, in UTC, and the periods made of
/// them. Weeks begin on Monday (ISO 8601). Seasons are those of meteorologists in the north: three months
/// each, and a winter belongs to the year in which it begins.
enum CalendarDay {
    static let microseconds: Int64 = 86_400_000_000

    /// The day on which a moment lies.
    static func number(at microseconds: Int64) -> Int64 {
        Timestamp.floorDivide(microseconds, Self.microseconds)
    }

    /// The number of a day; `nil` if there is none, as the 30th of February.
    static func number(_ year: Int, _ month: Int, _ day: Int) -> Int64? {
        guard (1...12).contains(month), day >= 1, day <= Timestamp.dayCount(Int64(year), Int64(month)) else {
            return nil
        }
        return Timestamp.days(Int64(year), Int64(month), Int64(day))
    }

    static func date(_ day: Int64) -> (year: Int, month: Int, day: Int) {
        let (year, month, day) = Timestamp.civil(day)
        return (Int(year), Int(month), Int(day))
    }

    /// 0 is Monday.
    static func weekday(_ day: Int64) -> Int64 { Timestamp.floorModulo(day + 3, 7) }

    /// The Monday of the day's week.
    static func monday(_ day: Int64) -> Int64 { day - weekday(day) }

    /// Months counted from the year 0, so that they can be added.
    static func monthIndex(_ day: Int64) -> Int64 {
        let (year, month, _) = date(day)
        return Int64(year * 12 + month - 1)
    }

    static func days(ofMonth index: Int64) -> Range<Int64> {
        start(ofMonth: index)..<start(ofMonth: index + 1)
    }

    static func start(ofMonth index: Int64) -> Int64 {
        Timestamp.days(Timestamp.floorDivide(index, 12), Timestamp.floorModulo(index, 12) + 1, 1)
    }

    static func days(ofYear year: Int) -> Range<Int64> {
        Timestamp.days(Int64(year), 1, 1)..<Timestamp.days(Int64(year) + 1, 1, 1)
    }

    /// The Monday of week `week` of the year by ISO 8601; `nil` if it has none.
    static func isoWeek(_ year: Int, _ week: Int) -> Range<Int64>? {
        let first = monday(Timestamp.days(Int64(year), 1, 4))
        let next = monday(Timestamp.days(Int64(year) + 1, 1, 4))
        let start = first + Int64(week - 1) * 7
        return week >= 1 && start < next ? start..<start + 7 : nil
    }
}

/// A date that comes again each year, or the part of one.
struct YearlyPeriod: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
        case day(month: Int, day: Int)
        case month(Int)
        /// 0 is spring.
        case season(Int)
        /// From 1.
        case quarter(Int)
        case half(Int)
        case wholeYear
    }

    var kind: Kind
    var part = PeriodPart.whole

    /// Its days in a year; `nil` if that year has none, as 29 February.
    func days(in year: Int) -> Range<Int64>? {
        let months = Int64(year) * 12
        let whole: Range<Int64>
        switch kind {
        case .day(let month, let day):
            guard let number = CalendarDay.number(year, month, day) else { return nil }
            whole = number..<number + 1
        case .month(let month): whole = CalendarDay.days(ofMonth: months + Int64(month - 1))
        case .season(let season):
            let first = months + Int64(2 + 3 * season)
            whole = CalendarDay.start(ofMonth: first)..<CalendarDay.start(ofMonth: first + 3)
        case .quarter(let quarter):
            let first = months + Int64(3 * (quarter - 1))
            whole = CalendarDay.start(ofMonth: first)..<CalendarDay.start(ofMonth: first + 3)
        case .half(let half):
            let first = months + Int64(6 * (half - 1))
            whole = CalendarDay.start(ofMonth: first)..<CalendarDay.start(ofMonth: first + 6)
        case .wholeYear: whole = CalendarDay.days(ofYear: year)
        }
        return part.days(of: whole)
    }
}

/// A part of a period: "early May", "the first week of August".
enum PeriodPart: Equatable, Sendable {
    case whole
    /// The first, middle or last third.
    case third(Int)
    /// The half, from 0.
    case half(Int)
    /// The week, weekend or day of the week in it, from 1; -1 is the last.
    case week(Int)
    case weekend(Int)
    case weekday(Int64, Int)
    case day(Int)

    func days(of whole: Range<Int64>) -> Range<Int64>? {
        let count = whole.upperBound - whole.lowerBound
        let part: Range<Int64>
        switch self {
        case .whole: return whole
        case .third(let third):
            let size = max(1, count / 3)
            part =
                third == 0
                ? whole.lowerBound..<whole.lowerBound + size
                : third == 1
                    ? whole.lowerBound + size..<max(whole.lowerBound + size + 1, whole.upperBound - size)
                    : whole.upperBound - size..<whole.upperBound
        case .half(let half):
            let middle = whole.lowerBound + count / 2
            part = half == 0 ? whole.lowerBound..<middle : middle..<whole.upperBound
        case .week(let ordinal):
            let start = ordinal < 0 ? whole.upperBound - 7 : whole.lowerBound + Int64(7 * (ordinal - 1))
            part = start..<min(start + 7, whole.upperBound)
        case .weekend(let ordinal): part = Self.nth(5, ordinal, whole, length: 2)
        case .weekday(let weekday, let ordinal): part = Self.nth(weekday, ordinal, whole, length: 1)
        case .day(let ordinal):
            let start = ordinal < 0 ? whole.upperBound - 1 : whole.lowerBound + Int64(ordinal - 1)
            part = start..<start + 1
        }
        return part.lowerBound >= whole.lowerBound && part.lowerBound < whole.upperBound && !part.isEmpty
            ? part : nil
    }

    private static func nth(
        _ weekday: Int64, _ ordinal: Int, _ whole: Range<Int64>, length: Int64
    ) -> Range<
        Int64
    > {
        if ordinal < 0 {
            let last = whole.upperBound - 1
            let start = last - Timestamp.floorModulo(CalendarDay.weekday(last) - weekday, 7)
            return start..<start + length
        }
        let first = whole.lowerBound
        let start = first + Timestamp.floorModulo(weekday - CalendarDay.weekday(first), 7)
        return start + Int64(7 * (ordinal - 1))..<start + Int64(7 * (ordinal - 1)) + length
    }
}
