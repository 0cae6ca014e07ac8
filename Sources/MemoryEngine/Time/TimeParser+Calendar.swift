/// Dates of the calendar in words: days, months, seasons, quarters, and parts of them.
extension TimeParser {
    /// "May 7th, 2023", "May 3–5", "May 2022", "May to July 2023", "Aug 23 10:15:00 2024", "May".
    func monthFirst(_ index: Int, _ evidence: Evidence) -> TimeReading? {
        guard isClean(index) else { return nil }
        let name = token(index)
        let month = name.timeValue
        var next = index + 1
        if name.time == .monthShort, token(next).isSign("."), token(next).isGlued { next += 1 }
        if let day = dayNumber(next) {
            // In lower case "may 7" is no date, and neither is "dec 10".
            let isWritten = name.isCapital || name.time == .month && !name.has(TimeWord.Flag.isVerb)
            var end = day.next
            var last = day.number
            if token(end).isSign("-") || token(end).preposition == .to || token(end).preposition == .until,
                let second = dayNumber(end + 1), second.number > day.number
            {
                (last, end) = (second.number, second.next)
            }
            if last == day.number, var clock = clock(end), let year = yearNumber(clock.next) {
                // As C prints it: the year stands behind the time, and the zone behind the year.
                clock.next = year.next
                if let zone = zone(year.next) { (clock.offset, clock.next) = (zone.microseconds, zone.next) }
                return self.day(year.number, month, day.number, .absolute, first: index, next: end)
                    .map { at(clock, $0, next: clock.next) }
            }
            let year = yearBehind(end)
            if year != nil || isWritten || day.isOrdinal || evidence.isPlaced {
                let reading = days(
                    year?.number, month, day.number...last, first: index, next: year?.next ?? end, evidence)
                if let reading { return reading }
            }
        }
        if let year = yearBehind(next) ?? shortYear(next) {
            guard name.isCapital || !name.has(TimeWord.Flag.isVerb) || evidence.isPlaced else { return nil }
            return period(
                YearlyPeriod(kind: .month(month)), .month, year: year.number, first: index, next: year.next,
                evidence)
        }
        if let range = monthRange(index, evidence) { return range }
        // "In May", "since march"; "June" is a name too, and "may" a verb.
        guard name.time == .month, evidence.isPlaced || name.isCapital && !name.has(TimeWord.Flag.isName)
        else {
            return nil
        }
        guard !name.has(TimeWord.Flag.isVerb) || name.isCapital || token(index - 1).preposition == .in else {
            return nil
        }
        return period(
            YearlyPeriod(kind: .month(month)), .month, year: nil, first: index, next: index + 1, evidence)
    }

    /// "May to July 2023", "May–July".
    private func monthRange(_ index: Int, _ evidence: Evidence) -> TimeReading? {
        let joint = token(index + 1)
        let other = token(index + 2)
        guard joint.isSign("-") || joint.preposition == .to || joint.preposition == .until,
            other.time == .month || other.time == .monthShort, other.isCapital, token(index).isCapital
        else { return nil }
        guard let right = monthFirst(index + 2, .placed),
            var left = period(
                YearlyPeriod(kind: .month(token(index).timeValue)), .month, year: nil, first: index,
                next: index + 1,
                evidence)
        else { return nil }
        left.basis = .yearless
        return join(left, right, first: index)
    }

    /// "7 May 2023", "7th of May", "3–9 June", "07-May-2023".
    func dayThenMonth(_ index: Int) -> TimeReading? {
        guard isClean(index), let day = dayNumber(index) else { return nil }
        var next = day.next
        var last = day.number
        if token(next).isSign("-") || token(next).preposition == .to, let second = dayNumber(next + 1),
            second.number > day.number
        {
            (last, next) = (second.number, second.next)
        }
        if token(next).time == .of { next += 1 }
        // As log files have it: 07-May-2023, 07/May/2023.
        let isJoined = token(next).isGlued && (token(next).isSign("-") || token(next).isSign("/"))
        if isJoined { next += 1 }
        let name = token(next)
        guard name.time == .month || name.time == .monthShort, !name.isGlued || isJoined else { return nil }
        next += 1
        if name.time == .monthShort, token(next).isSign("."), token(next).isGlued, !token(next + 1).isGlued {
            next += 1
        }
        var year: (number: Int, next: Int)?
        if isJoined {
            guard token(next).isSign("-") || token(next).isSign("/"), let number = yearNumber(next + 1) else {
                return nil
            }
            year = number
        } else {
            year = yearBehind(next)
        }
        guard
            year != nil || name.isCapital || day.isOrdinal
                || name.time == .month && !name.has(TimeWord.Flag.isVerb)
        else { return nil }
        if year == nil, name.time == .month, name.isCapital, name.has(TimeWord.Flag.isVerb),
            token(next).kind == .word,
            token(next).time == .neutral
        {
            return nil
        }
        return days(
            year?.number, name.timeValue, day.number...last, first: index, next: year?.next ?? next, .none)
    }

    /// A number from 1 to 31 with its ending, if it has one.
    func dayNumber(_ index: Int) -> (number: Int, isOrdinal: Bool, next: Int)? {
        let token = token(index)
        guard token.kind == .number, token.digitCount <= 2, (1...31).contains(token.number) else {
            return nil
        }
        let next = self.token(index + 1)
        guard next.isGlued else { return (token.number, false, index + 1) }
        if next.time == .suffix { return (token.number, true, index + 2) }
        // A time of day, a decimal, a share; but a point may end the sentence.
        let isPart = self.token(index + 2).isGlued && self.token(index + 2).kind != .sign
        if next.kind == .word || next.isSign("%") || (next.isSign(":") || next.isSign(".")) && isPart {
            return nil
        }
        return (token.number, false, index + 1)
    }

    /// "The 5th", "on the 15th": where what follows is no name of a thing.
    func dayOfMonth(_ index: Int, _ evidence: Evidence) -> TimeReading? {
        guard evidence.isPlaced, isClean(index), let day = dayNumber(index), day.isOrdinal else { return nil }
        let before = token(index - 2).preposition
        guard [.on, .by, .until, .since, .before, .after, .from].contains(before) else { return nil }
        let behind = token(day.next)
        switch behind.time {
        case .function, .preposition, .and, .between, .the, .past, .future, .day, .tonight: break
        default: if behind.kind == .word || behind.kind == .number { return nil }
        }
        // The nearest month with such a day.
        let month = CalendarDay.monthIndex(today)
        let tense = evidence.isAhead ? .future : tense(around: index)
        let steps: [Int64] = tense == .future ? [0, 1, 2] : [0, -1, -2]
        for step in steps {
            let days = CalendarDay.days(ofMonth: month + step)
            let number = days.lowerBound + Int64(day.number - 1)
            guard days.contains(number), tense == .future ? number >= today : number <= today else {
                continue
            }
            return TimeReading(days: number..<number + 1, .day, .relative, first: index, next: day.next)
        }
        return nil
    }

    /// "Friday", "Fri, 23 Aug 2024", "Sunday, May 7".
    func weekday(_ index: Int, _ evidence: Evidence) -> TimeReading? {
        guard isClean(index) else { return nil }
        let name = token(index)
        var next = index + 1
        if name.time == .weekdayShort, token(next).isSign("."), token(next).isGlued { next += 1 }
        let dated = token(next).isSign(",") ? next + 1 : next
        if let date = date(dated), date.granularity <= .day { return date.from(index) }
        if let beside = beside(index) { return beside }
        guard name.isCapital || name.time == .weekday,
            name.time == .weekday || evidence.isPlaced && name.isCapital
        else { return nil }
        let weekday = Int64(name.timeValue)
        let isAhead = evidence.isAhead || tense(around: index) == .future
        let day = isAhead ? Self.next(weekday, after: today) : Self.last(weekday, before: today + 1)
        return TimeReading(days: day..<day + 1, .day, .relative, first: index, next: next)
    }

    /// A date behind a weekday.
    private func date(_ index: Int) -> TimeReading? {
        if token(index).kind == .number { return isoDate(index) ?? dayThenMonth(index) ?? slashDate(index) }
        guard token(index).time == .month || token(index).time == .monthShort else { return nil }
        return monthFirst(index, .placed)
    }

    /// "Summer of 2021", "winter 2022", "the summer", "in the fall".
    func season(_ index: Int, _ evidence: Evidence) -> TimeReading? {
        guard isClean(index) else { return nil }
        let name = token(index)
        let period = YearlyPeriod(kind: .season(name.timeValue))
        let behind = token(index + 1).time == .of ? index + 2 : index + 1
        if let year = yearNumber(behind), endsYear(year.next) {
            return self.period(period, .season, year: year.number, first: index, next: year.next, evidence)
        }
        if token(index + 1).time == .of, let year = directed(index + 2, behindThe: false),
            year.granularity == .year
        {
            let days = period.days(in: CalendarDay.date(year.days.lowerBound).year)
            return days.map { TimeReading(days: $0, .season, .relative, first: index, next: year.next) }
        }
        guard evidence.isPlaced, token(index - 1).time == .the || !name.has(TimeWord.Flag.isVerb) else {
            return nil
        }
        // "In the summer job", "in the spring framework": a thing is named for it.
        let next = token(index + 1)
        if next.kind == .word, !next.startsLine, next.tag == 0 || next.time == .neutral { return nil }
        return self.period(period, .season, year: nil, first: index, next: index + 1, evidence)
    }

    /// "Early May", "mid-August 2023", "the end of summer", "late 2022", "the early 90s".
    func third(_ index: Int) -> TimeReading? {
        guard isClean(index) else { return nil }
        let name = token(index)
        var next = index + 1
        if name.has(TimeWord.Flag.isNoun) {
            guard token(next).time == .of else { return nil }
            next += 1
        } else if token(next).isSign("-"), token(next).isGlued {
            next += 1
        }
        if token(next).time == .the, token(next + 1).unit != nil, name.has(TimeWord.Flag.isNoun) {
            // "The end of the month": of the reference's.
            guard let unit = token(next + 1).unit, unit >= .week,
                !token(next + 1).has(TimeWord.Flag.isPlural),
                let whole = directedThis(unit, first: index, next: next + 2)
            else { return nil }
            return part(.third(name.timeValue), of: whole, first: index)
        }
        let whole = decade(next, isNamed: true) ?? anchor(next, .placedYear)
        guard let whole, whole.granularity >= .week else { return nil }
        return part(.third(name.timeValue), of: whole, first: index)
    }

    private func directedThis(_ unit: TimeUnit, first: Int, next: Int) -> TimeReading? {
        let days: Range<Int64>
        let monday = CalendarDay.monday(today)
        switch unit {
        case .week: days = monday..<monday + 7
        case .month: days = CalendarDay.days(ofMonth: CalendarDay.monthIndex(today))
        case .year: days = CalendarDay.days(ofYear: CalendarDay.date(today).year)
        default: return nil
        }
        return TimeReading(
            days: days, unit == .week ? .week : unit == .month ? .month : .year, .relative, first: first,
            next: next)
    }

    /// A part of what was read; where the year was chosen, of every year's.
    private func part(_ part: PeriodPart, of whole: TimeReading, first: Int) -> TimeReading? {
        guard let days = part.days(of: whole.days) else { return nil }
        var reading = TimeReading(days: days, whole.granularity, whole.basis, first: first, next: whole.next)
        if var yearly = whole.yearly, yearly.part == .whole {
            yearly.part = part
            reading.yearly = yearly
        }
        return reading
    }

    /// "First week of August", "second Monday of May", "third quarter of 2024", "first half of 2023".
    func ordinal(_ index: Int) -> TimeReading? {
        ordinalOf(token(index).timeValue, index + 1, first: index)
    }

    /// The rest of such a phrase, from the thing counted on; -1 is the last.
    func ordinalOf(_ ordinal: Int, _ index: Int, first: Int) -> TimeReading? {
        let thing = token(index)
        if thing.time == .quarter || thing.time == .half {
            let kind: YearlyPeriod.Kind = thing.time == .quarter ? .quarter(ordinal) : .half(ordinal)
            guard (1...(thing.time == .quarter ? 4 : 2)).contains(ordinal), token(index + 1).time == .of
            else { return nil }
            if let year = yearNumber(index + 2) {
                return period(
                    YearlyPeriod(kind: kind), .season, year: year.number, first: first, next: year.next,
                    .placed)
            }
            guard thing.time == .half, let whole = anchor(index + 2, .placedYear), whole.granularity >= .month
            else { return nil }
            return part(.half(ordinal - 1), of: whole, first: first)
        }
        guard token(index + 1).time == .of, let whole = anchor(index + 2, .placedYear),
            whole.granularity >= .month
        else { return nil }
        let part: PeriodPart
        var granularity = TimeMention.Granularity.day
        switch (thing.time, thing.unit) {
        case (.weekday, _), (.weekdayShort, _): part = .weekday(Int64(thing.timeValue), ordinal)
        case (_, .week): (part, granularity) = (.week(ordinal), .week)
        case (_, .weekend): (part, granularity) = (.weekend(ordinal), .weekend)
        case (_, .day): part = .day(ordinal)
        default: return nil
        }
        guard !thing.has(TimeWord.Flag.isPlural), var reading = self.part(part, of: whole, first: first)
        else { return nil }
        reading.granularity = granularity
        return reading
    }

    /// "Q3 2024", "H1", "Q3 of 2024".
    func quarterByNumber(_ index: Int) -> TimeReading? {
        let number = token(index + 1)
        let isQuarter = token(index).time == .q
        guard isClean(index), token(index).isCapital, number.kind == .number, number.isGlued,
            number.digitCount == 1,
            (1...(isQuarter ? 4 : 2)).contains(number.number), endsCleanly(index + 2)
        else { return nil }
        let period = YearlyPeriod(kind: isQuarter ? .quarter(number.number) : .half(number.number))
        let behind = token(index + 2).time == .of || token(index + 2).isSign("'") ? index + 3 : index + 2
        let year = yearNumber(behind) ?? shortYear(index + 2)
        // H1 alone is a heading.
        guard isQuarter || year != nil else { return nil }
        return self.period(
            period, .season, year: year?.number, first: index, next: year?.next ?? index + 2, .none)
    }
}
