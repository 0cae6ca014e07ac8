/// From the parts of a date to its days; years, decades and days with a name.
extension TimeParser {
    /// What comes each year, in a year that is given or that the sentence means.
    func period(
        _ yearly: YearlyPeriod, _ granularity: TimeMention.Granularity, year: Int?, first: Int, next: Int,
        _ evidence: Evidence
    ) -> TimeReading? {
        guard let days = year.map({ yearly.days(in: $0) }) ?? days(of: yearly, around: first, evidence) else {
            return nil
        }
        var reading = TimeReading(
            days: days, granularity, year == nil ? .yearless : .absolute, first: first, next: next)
        reading.yearly = yearly
        return reading
    }

    func day(
        _ year: Int, _ month: Int, _ day: Int, _ basis: TimeMention.Basis, first: Int, next: Int
    ) -> TimeReading? {
        guard let number = CalendarDay.number(year, month, day) else { return nil }
        var reading = TimeReading(days: number..<number + 1, .day, basis, first: first, next: next)
        reading.yearly = YearlyPeriod(kind: .day(month: month, day: day))
        return reading
    }

    /// Days of one month.
    func days(
        _ year: Int?, _ month: Int, _ days: ClosedRange<Int>, first: Int, next: Int, _ evidence: Evidence
    ) -> TimeReading? {
        let start = YearlyPeriod(kind: .day(month: month, day: days.lowerBound))
        guard var reading = period(start, .day, year: year, first: first, next: next, evidence) else {
            return nil
        }
        guard days.count > 1 else { return reading }
        let (year, _, _) = CalendarDay.date(reading.days.lowerBound)
        guard let last = CalendarDay.number(year, month, days.upperBound) else { return nil }
        reading.moments = reading.moments.lowerBound..<(last + 1) * CalendarDay.microseconds
        reading.yearly = nil
        return reading
    }

    /// A year behind a date: `2023`, `, 2023`, `of 2023`.
    func yearBehind(_ index: Int) -> (number: Int, next: Int)? {
        let hasComma = token(index).isSign(",") || token(index).time == .of
        guard let year = yearNumber(hasComma ? index + 1 : index), endsYear(year.next),
            !hasComma || (1_900...2_099).contains(year.number)
        else { return nil }
        return year
    }

    /// Four digits from 1000 to 2999, not part of something longer.
    func yearNumber(_ index: Int) -> (number: Int, next: Int)? {
        let token = token(index)
        guard token.digitCount == 4, (1_000...2_999).contains(token.number) else { return nil }
        return (token.number, index + 1)
    }

    func endsYear(_ index: Int) -> Bool {
        endsCleanly(index) || token(index).isSign("-") && token(index + 1).kind != .number
    }

    /// "'22".
    func shortYear(_ index: Int) -> (number: Int, next: Int)? {
        let token = token(index + 1)
        guard self.token(index).isSign("'"), token.isGlued, token.digitCount == 2, endsCleanly(index + 2)
        else { return nil }
        return (token.number + (token.number >= 70 ? 1_900 : 2_000), index + 2)
    }

    /// A bare year, where a preposition says that it is one and no counted thing follows.
    func year(_ index: Int, _ evidence: Evidence) -> TimeReading? {
        let token = token(index)
        guard token.digitCount == 4, (1_900...2_099).contains(token.number), isClean(index),
            endsCleanly(index + 1)
        else { return nil }
        let isAlone =
            self.token(index - 1).kind == .end
            && (self.token(index + 1).kind == .end || self.token(index + 1).endsSentence)
        let isOwner =
            self.token(index + 1).isSign("'") && self.token(index + 2).time == .plural
            && !self.token(index - 1).isSign("#")
        guard evidence.allowsYear || isAlone || isOwner, isOwner || !countsThings(index + 1) else {
            return nil
        }
        return TimeReading(
            days: CalendarDay.days(ofYear: token.number), .year, .absolute, first: index, next: index + 1)
    }

    /// Whether the word is the plural of a thing: "in 2000 files", "by 1920 pixels".
    private func countsThings(_ index: Int) -> Bool {
        let token = token(index)
        guard token.kind == .word, !token.startsLine, token.tag == 0 || token.unit != nil, !token.isCapital
        else { return false }
        if token.isGlued { return true }
        return token.unit != nil || token.endsInS
    }

    /// "1990s", "the 90s", "'80s".
    func decade(_ index: Int, isNamed: Bool) -> TimeReading? {
        var at = index
        if token(at).isSign("'") { at += 1 }
        let number = token(at)
        guard isClean(index), number.kind == .number, number.number % 10 == 0,
            number.digitCount == 4 && (1_800...2_090).contains(number.number)
                || number.digitCount == 2 && (isNamed || at > index) && number.number >= 20
        else { return nil }
        var next = at + 1
        if token(next).isSign("'"), token(next).isGlued { next += 1 }
        guard token(next).time == .plural, token(next).isGlued, endsCleanly(next + 1) else { return nil }
        let year =
            number.digitCount == 4 ? number.number : number.number + (number.number >= 30 ? 1_900 : 2_000)
        let days = CalendarDay.days(ofYear: year).lowerBound..<CalendarDay.days(ofYear: year + 9).upperBound
        return TimeReading(days: days, .decade, .absolute, first: index, next: next + 1)
    }

    /// Christmas and its like, with a preposition or a year.
    func namedDay(_ index: Int, _ evidence: Evidence) -> TimeReading? {
        guard token(index).isCapital, let (yearly, next) = nameOfDay(index) else { return nil }
        if let year = yearBehind(next) {
            return period(yearly, .day, year: year.number, first: index, next: year.next, evidence)
        }
        let behind = token(next)
        // "For Christmas presents" and "on Easter eggs" name things.
        guard evidence.isPlaced, behind.kind != .word || behind.startsLine || behind.tag != 0 else {
            return nil
        }
        return period(yearly, .day, year: nil, first: index, next: next, evidence)
    }

    func nameOfDay(_ index: Int) -> (YearlyPeriod, next: Int)? {
        func day(_ month: Int, _ day: Int) -> YearlyPeriod {
            YearlyPeriod(kind: .day(month: month, day: day))
        }
        /// Behind "Valentine's" and "New Year's".
        func behindPossessive(_ index: Int) -> Int {
            token(index).isSign("'") && token(index + 1).time == .plural ? index + 2 : index
        }
        let name = token(index)
        let isDay = { (next: Int) in self.token(next).unit == .day && self.token(next).isCapital }
        if name.time == .new {
            guard name.isCapital, token(index + 1).unit == .year, token(index + 1).isCapital else {
                return nil
            }
            let next = behindPossessive(index + 2)
            if token(next).time == .eve { return (day(12, 31), next + 1) }
            return (day(1, 1), isDay(next) ? next + 1 : next)
        }
        guard name.time == .namedDay else { return nil }
        let next = index + 1
        switch name.timeValue {
        case 0:
            if token(next).time == .eve { return (day(12, 24), next + 1) }
            return (day(12, 25), isDay(next) ? next + 1 : next)
        case 1: return (day(10, 31), next)
        case 2:
            let behind = behindPossessive(next)
            return isDay(behind) ? (day(2, 14), behind + 1) : nil
        case 3:
            // The fourth Thursday of November.
            return (
                YearlyPeriod(kind: .month(11), part: .weekday(3, 4)), isDay(next) ? next + 1 : next
            )
        default: return nil
        }
    }

    /// Whether nothing is glued to the front of a token that makes it part of a name or a number.
    func isClean(_ index: Int) -> Bool {
        guard token(index).isGlued else { return true }
        let before = token(index - 1)
        guard before.kind == .sign else { return false }
        switch before.sign {
        case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "\""), UInt8(ascii: "'"),
            UInt8(ascii: "="), UInt8(ascii: ";"), UInt8(ascii: ">"), UInt8(ascii: "<"), UInt8(ascii: "|"),
            UInt8(ascii: "~"), UInt8(ascii: "*"), UInt8(ascii: "`"), 0:
            return true
        case UInt8(ascii: ","), UInt8(ascii: ":"): return token(index - 2).kind != .number
        case UInt8(ascii: "-"): return token(index - 2).time == .third || !before.isGlued
        case UInt8(ascii: "."): return token(index - 2).kind == .word
        default: return false
        }
    }

    /// Whether what was read ends before the token at `index`: a longer number, name or path does not.
    func endsCleanly(_ index: Int) -> Bool {
        let behind = token(index)
        guard behind.isGlued else { return true }
        guard behind.kind == .sign else { return false }
        let further = token(index + 1)
        switch behind.sign {
        case UInt8(ascii: ","): return !further.isGlued || further.kind != .number
        case UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: ":"):
            return !further.isGlued || further.kind == .sign
        case UInt8(ascii: "_"), UInt8(ascii: "%"), UInt8(ascii: "$"), UInt8(ascii: "@"), UInt8(ascii: "#"),
            UInt8(ascii: "+"), UInt8(ascii: "~"):
            return false
        default: return true
        }
    }
}
