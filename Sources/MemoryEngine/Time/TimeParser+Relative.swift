/// Times that are counted from the reference, or from another time that the text names.
extension TimeParser {
    /// Yesterday, today, tomorrow; "the day" before or behind one of them is `unitBeside`.
    func nearDay(_ index: Int) -> TimeReading {
        let day = today + Int64(tokens[index].timeValue) - 1
        return TimeReading(days: day..<day + 1, .day, .relative, first: index, next: index + 1)
    }

    /// What stands behind "the".
    func definite(_ index: Int, _ evidence: Evidence) -> TimeReading? {
        let second = token(index + 1)
        var reading: TimeReading?
        switch second.time {
        case .direction: reading = directed(index + 1, behindThe: true)
        case .unit: reading = unitBeside(index + 1) ?? recentWeekend(index + 1, evidence)
        case .weekday, .weekdayShort: reading = beside(index + 1)
        case .season: reading = season(index + 1, evidence)
        case .third: reading = third(index + 1)
        case .ordinal: reading = ordinal(index + 1)
        case .dayPart: reading = partOfNamedDay(index + 1)
        case .different:
            // "The other day": some day of the last week.
            guard token(index + 2).unit == .day, !token(index + 2).has(TimeWord.Flag.isPlural) else {
                return nil
            }
            return TimeReading(days: today - 7..<today, .day, .relative, first: index, next: index + 3)
        default:
            if second.kind == .number || second.isSign("'") {
                reading =
                    decade(index + 1, isNamed: true) ?? dayThenMonth(index + 1)
                    ?? dayOfMonth(index + 1, evidence)
            }
        }
        return reading?.from(index)
    }

    /// "Over the weekend": the last one that has begun, or the next.
    private func recentWeekend(_ index: Int, _ evidence: Evidence) -> TimeReading? {
        guard evidence.isPlaced, token(index).unit == .weekend, !token(index).has(TimeWord.Flag.isPlural)
        else { return nil }
        let saturday = CalendarDay.monday(today) + 5
        var start = saturday <= today ? saturday : saturday - 7
        if evidence.isAhead || tense(around: index) == .future { start = saturday }
        return TimeReading(days: start..<start + 2, .weekend, .relative, first: index, next: index + 1)
    }

    /// "Two", "a few", "a couple of", "2-3": how many at least and at most, and where it ends.
    func count(_ index: Int) -> (counts: ClosedRange<Int64>, next: Int)? {
        var index = index
        while token(index).time == .nearly { index += 1 }
        if token(index).time == .a, token(index + 1).time == .vague { index += 1 }
        let first = token(index)
        if first.time == .vague {
            let next = token(index + 1).time == .of ? index + 2 : index + 1
            return (first.timeValue == 2 ? 2...2 : first.timeValue == 3 ? 2...6 : 3...7, next)
        }
        guard let low = oneCount(index) else { return nil }
        let joint = token(index + 1)
        if joint.isSign("-") || joint.time == .or || joint.preposition == .to, let high = oneCount(index + 2),
            low < high
        {
            return (low...high, index + 3)
        }
        return (low...low, index + 1)
    }

    private func oneCount(_ index: Int) -> Int64? {
        let token = token(index)
        if token.time == .count { return Int64(token.timeValue) }
        if token.time == .a { return 1 }
        // More than a thousand of anything is no date.
        guard token.kind == .number, (1...1_000).contains(token.number) else { return nil }
        return Int64(token.number)
    }

    /// "Three days ago", "a week after 3 July", "two weeks from Friday".
    func counted(_ index: Int) -> TimeReading? {
        guard let (counts, next) = count(index), let unit = token(next).unit else { return nil }
        let joint = token(next + 1)
        if joint.time == .ago {
            return offset(unit, counts, isPast: true, from: today..<today + 1, first: index, next: next + 2)
        }
        if joint.time == .now, joint.timeValue == 1 {
            // "For four months now": what began then still holds.
            return trailing(unit, counts, isAhead: false, first: index, next: next + 2)
        }
        guard let preposition = joint.preposition, [.before, .after, .from].contains(preposition) else {
            return nil
        }
        if preposition == .from, token(next + 2).time == .now {
            return offset(unit, counts, isPast: false, from: today..<today + 1, first: index, next: next + 3)
        }
        guard let base = anchor(next + 2, .placed), base.granularity >= .day else { return nil }
        var reading = offset(
            unit, counts, isPast: preposition == .before, from: base.days, first: index, next: base.next)
        reading?.basis = base.basis
        return reading
    }

    /// The time that lies so many units before or behind some days.
    func offset(
        _ unit: TimeUnit, _ counts: ClosedRange<Int64>, isPast: Bool, from base: Range<Int64>, first: Int,
        next: Int
    ) -> TimeReading? {
        let near = isPast ? -counts.lowerBound : counts.lowerBound
        let far = isPast ? -counts.upperBound : counts.upperBound
        let (low, high) = (min(near, far), max(near, far))
        let day = isPast ? base.lowerBound : base.upperBound - 1
        func reading(_ days: Range<Int64>, _ granularity: TimeMention.Granularity) -> TimeReading {
            TimeReading(days: days, granularity, .relative, first: first, next: next)
        }
        switch unit {
        case .minute, .hour:
            guard base.contains(today) else { return nil }
            let size: Int64 = unit == .minute ? 60_000_000 : 3_600_000_000
            var moment = reading(today..<today + 1, unit == .minute ? .minute : .hour)
            moment.moments = reference + low * size - size / 2..<reference + high * size + size / 2
            return moment
        case .day: return reading(day + low..<day + high + 1, .day)
        case .week, .fortnight:
            let size: Int64 = unit == .week ? 7 : 14
            return reading(day + low * size - size / 2..<day + high * size + (size + 1) / 2, .week)
        case .weekend:
            let saturday = CalendarDay.monday(day) + 5
            // The last weekend is one ago, and the next is one ahead.
            let one = isPast ? saturday - 7 : saturday
            return reading(
                one + (low + (isPast ? 1 : -1)) * 7..<one + (high + (isPast ? 1 : -1)) * 7 + 2, .weekend)
        case .month:
            let month = CalendarDay.monthIndex(day)
            return reading(
                CalendarDay.start(ofMonth: month + low)..<CalendarDay.start(ofMonth: month + high + 1), .month
            )
        case .year, .decade:
            let size: Int64 = unit == .year ? 1 : 10
            let (year, _, _) = CalendarDay.date(day)
            let from = Int64(year) + low * size
            let until = Int64(year) + high * size
            guard from >= 1, until <= 9_999 else { return nil }
            return reading(
                CalendarDay.days(ofYear: Int(from))
                    .lowerBound..<CalendarDay.days(ofYear: Int(until)).upperBound,
                unit == .year ? .year : .decade)
        }
    }

    /// "Week before 9 June", "day after tomorrow", "week of 5 June", "year 2022".
    func unitBeside(_ index: Int) -> TimeReading? {
        guard let unit = token(index).unit, !token(index).has(TimeWord.Flag.isPlural) else { return nil }
        if unit == .year, token(index + 1).kind == .number {
            return year(index + 1, .placedYear)?.from(index)
        }
        if token(index + 1).time == .of, let base = anchor(index + 2, .placed) {
            switch (unit, base.granularity) {
            case (.month, .month): return base.from(index)
            case (.week, .day):
                let monday = CalendarDay.monday(base.days.lowerBound)
                return TimeReading(
                    days: monday..<monday + 7, .week, base.basis, first: index, next: base.next)
            case (.weekend, .day):
                let saturday = CalendarDay.monday(base.days.lowerBound) + 5
                return TimeReading(
                    days: saturday..<saturday + 2, .weekend, base.basis, first: index, next: base.next)
            default: return nil
            }
        }
        return beside(index)
    }

    /// "X before Y" and "X after Y", where X is a unit of time or a weekday: the one that touches Y.
    func beside(_ index: Int) -> TimeReading? {
        let preposition = token(index + 1).preposition
        guard preposition == .before || preposition == .after,
            let base = anchor(index + 2, .placedYear), base.granularity >= .day
        else { return nil }
        let isBefore = preposition == .before
        let (start, end) = (base.days.lowerBound, base.days.upperBound)
        func reading(_ days: Range<Int64>, _ granularity: TimeMention.Granularity) -> TimeReading {
            TimeReading(days: days, granularity, base.basis, first: index, next: base.next)
        }
        if token(index).time == .weekday || token(index).time == .weekdayShort {
            let weekday = Int64(token(index).timeValue)
            let day = isBefore ? Self.last(weekday, before: start) : Self.next(weekday, after: end - 1)
            return reading(day..<day + 1, .day)
        }
        switch token(index).unit {
        case .day: return reading(isBefore ? start - 1..<start : end..<end + 1, .day)
        case .week: return reading(isBefore ? start - 7..<start : end..<end + 7, .week)
        case .fortnight: return reading(isBefore ? start - 14..<start : end..<end + 14, .week)
        case .weekend:
            let saturday = isBefore ? Self.last(5, before: start) : Self.next(5, after: end - 1)
            // Not the weekend that the day itself lies in.
            let moved = isBefore && saturday + 1 == start ? saturday - 7 : saturday
            return reading(moved..<moved + 2, .weekend)
        case .month:
            if base.granularity >= .month {
                let month = isBefore ? CalendarDay.monthIndex(start) - 1 : CalendarDay.monthIndex(end - 1) + 1
                return reading(CalendarDay.days(ofMonth: month), .month)
            }
            return reading(isBefore ? start - 30..<start : end..<end + 30, .month)
        case .year:
            if base.granularity >= .year {
                let year = CalendarDay.date(isBefore ? start - 1 : end).year
                return year >= 1 && year <= 9_999 ? reading(CalendarDay.days(ofYear: year), .year) : nil
            }
            return reading(isBefore ? start - 365..<start : end..<end + 365, .year)
        default: return nil
        }
    }

    static func last(_ weekday: Int64, before day: Int64) -> Int64 {
        day - 1 - Timestamp.floorModulo(CalendarDay.weekday(day - 1) - weekday, 7)
    }

    static func next(_ weekday: Int64, after day: Int64) -> Int64 {
        day + 1 + Timestamp.floorModulo(weekday - CalendarDay.weekday(day + 1), 7)
    }
}
