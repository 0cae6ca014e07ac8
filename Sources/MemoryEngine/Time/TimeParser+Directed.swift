/// "Last", "this" and "next" with what they point at.
extension TimeParser {
    private enum Direction: Int {
        case last = 0
        case this, next
    }

    func directed(_ index: Int, behindThe: Bool) -> TimeReading? {
        var at = index
        var direction = Direction(rawValue: token(at).timeValue) ?? .last
        // "Past" alone is a preposition and a noun too.
        var isPast = token(at).timeValue == 3
        if direction == .this, token(at + 1).time == .direction, token(at + 1).timeValue != 1 {
            // "This past weekend", "this coming Friday".
            at += 1
            direction = Direction(rawValue: token(at).timeValue) ?? .last
            isPast = false
        }
        let target = token(at + 1)
        let next = at + 2
        if direction != .this, let window = window(at + 1, isAhead: direction == .next, first: index) {
            return window
        }
        switch target.time {
        case .unit:
            guard !target.has(TimeWord.Flag.isPlural), let unit = target.unit else { return nil }
            if direction == .last, token(next).time == .of { return ordinalOf(-1, at + 1, first: index) }
            if direction == .last, let beside = beside(at + 1) { return beside.from(index) }
            if behindThe {
                // "The last month" ends now; "the next day" is one of a story.
                guard direction == .last, unit >= .week else { return nil }
                return trailing(unit, 1...1, isAhead: false, first: index, next: next)
            }
            return isPast ? nil : near(unit, direction, first: index, next: next)
        case .weekday, .weekdayShort:
            if direction == .last, token(next).time == .of { return ordinalOf(-1, at + 1, first: index) }
            if direction == .last, let beside = beside(at + 1) { return beside.from(index) }
            guard !isPast, !behindThe || at > index else { return nil }
            let weekday = Int64(target.timeValue)
            let day =
                switch direction {
                case .last: Self.last(weekday, before: today)
                case .this: CalendarDay.monday(today) + weekday
                case .next: Self.next(weekday, after: today)
                }
            return TimeReading(days: day..<day + 1, .day, .relative, first: index, next: next)
        case .month, .monthShort:
            return near(
                YearlyPeriod(kind: .month(target.timeValue)), .month, direction, first: index, next: next)
        case .season:
            return near(
                YearlyPeriod(kind: .season(target.timeValue)), .season, direction, first: index, next: next)
        case .namedDay, .new:
            guard let (named, next) = nameOfDay(at + 1) else { return nil }
            return near(named, .day, direction, first: index, next: next)
        case .quarter:
            guard !behindThe else { return nil }
            let quarter =
                Timestamp.floorDivide(CalendarDay.monthIndex(today), 3) + Int64(direction.rawValue) - 1
            let days = CalendarDay.start(ofMonth: quarter * 3)..<CalendarDay.start(ofMonth: quarter * 3 + 3)
            return TimeReading(days: days, .season, .relative, first: index, next: next)
        case .dayPart:
            guard let part = target.dayPart, direction != .next, !behindThe, part != .noon, part != .midnight
            else {
                return nil
            }
            return self.part(part, of: direction == .last ? today - 1 : today, first: index, next: next)
        default: return nil
        }
    }

    /// "Last two weeks", "past few days", "next three months": the time up to the reference, or from it on.
    private func window(_ index: Int, isAhead: Bool, first: Int) -> TimeReading? {
        guard token(index).time != .a, let (counts, next) = count(index), let unit = token(next).unit else {
            return nil
        }
        return trailing(unit, counts, isAhead: isAhead, first: first, next: next + 1)
    }

    func trailing(
        _ unit: TimeUnit, _ counts: ClosedRange<Int64>, isAhead: Bool, first: Int, next: Int
    ) -> TimeReading? {
        guard
            let far = offset(
                unit, counts.upperBound...counts.upperBound, isPast: !isAhead, from: today..<today + 1,
                first: first,
                next: next)
        else { return nil }
        var window = far
        switch unit {
        case .minute, .hour:
            window.moments =
                isAhead ? reference..<far.moments.upperBound : far.moments.lowerBound..<reference
        case .weekend: break
        case .day, .week, .fortnight:
            let size = counts.upperBound * (unit == .day ? 1 : unit == .week ? 7 : 14)
            window = TimeReading(
                days: isAhead ? today..<today + size + 1 : today - size..<today + 1, far.granularity,
                .relative,
                first: first, next: next)
        case .month, .year, .decade:
            // The same day, so many months ago.
            let months = counts.upperBound * (unit == .month ? 1 : unit == .year ? 12 : 120)
            let month = CalendarDay.monthIndex(today) + (isAhead ? months : -months)
            let (_, _, dayOfMonth) = CalendarDay.date(today)
            let days = CalendarDay.days(ofMonth: month)
            let day = min(days.lowerBound + Int64(dayOfMonth - 1), days.upperBound - 1)
            window = TimeReading(
                days: isAhead ? today..<day + 1 : day..<today + 1, far.granularity, .relative, first: first,
                next: next)
        }
        return window.moments.isEmpty ? nil : window
    }

    /// A unit of the calendar: the reference's, the one before it or behind it.
    private func near(_ unit: TimeUnit, _ direction: Direction, first: Int, next: Int) -> TimeReading? {
        let step = Int64(direction.rawValue) - 1
        func reading(_ days: Range<Int64>, _ granularity: TimeMention.Granularity) -> TimeReading {
            TimeReading(days: days, granularity, .relative, first: first, next: next)
        }
        let monday = CalendarDay.monday(today)
        switch unit {
        case .week: return reading(monday + 7 * step..<monday + 7 * step + 7, .week)
        case .weekend:
            // On a Sunday "last weekend" is a week old, and on a Friday too.
            let saturday = monday + 5
            let start = direction == .next && saturday > today ? saturday : saturday + 7 * step
            return reading(start..<start + 2, .weekend)
        case .fortnight:
            return offset(
                .fortnight, 1...1, isPast: step < 0, from: today..<today + 1, first: first, next: next)
        case .month: return reading(CalendarDay.days(ofMonth: CalendarDay.monthIndex(today) + step), .month)
        case .year, .decade:
            let (year, _, _) = CalendarDay.date(today)
            let from = unit == .year ? year + Int(step) : (year / 10 + Int(step)) * 10
            let until = unit == .year ? from : from + 9
            guard from >= 1, until <= 9_999 else { return nil }
            return reading(
                CalendarDay.days(ofYear: from).lowerBound..<CalendarDay.days(ofYear: until).upperBound,
                unit == .year ? .year : .decade)
        case .minute, .hour, .day: return nil
        }
    }

    /// "Last May": the latest that is over; "next May": the first that has not begun; "this May": that of the
    /// reference's year.
    private func near(
        _ yearly: YearlyPeriod, _ granularity: TimeMention.Granularity, _ direction: Direction, first: Int,
        next: Int
    ) -> TimeReading? {
        let (year, _, _) = CalendarDay.date(today)
        var found: Range<Int64>?
        for candidate in (year - 2)...(year + 2) {
            guard let days = yearly.days(in: candidate) else { continue }
            switch direction {
            case .last: if days.upperBound <= today { found = days }
            case .this: if found == nil, days.contains(today) || candidate == year { found = days }
            case .next: if days.lowerBound > today, found == nil { found = days }
            }
        }
        return found.map { TimeReading(days: $0, granularity, .relative, first: first, next: next) }
    }
}

extension TimeUnit: Comparable {
    static func < (a: TimeUnit, b: TimeUnit) -> Bool { a.rawValue < b.rawValue }
}
