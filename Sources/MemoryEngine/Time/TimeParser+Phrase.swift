/// What stands before a date, and ranges from one to another.
extension TimeParser {
    /// How much says that a time stands here.
    struct Evidence {
        /// A preposition of time stands before it, or "last", "early", "of" and their like.
        var isPlaced = false
        /// What stands there may come before a bare year.
        var allowsYear = false
        /// The time is one that the sentence looks forward to.
        var isAhead = false

        static let none = Evidence()
        static let placed = Evidence(isPlaced: true)
        static let placedYear = Evidence(isPlaced: true, allowsYear: true)
    }

    /// The expression that begins at `index`, with its preposition.
    func reading(at index: Int) -> TimeReading? {
        let first = tokens[index]
        switch first.time {
        case .preposition:
            guard let preposition = first.preposition else { return nil }
            return reading(behind: preposition, at: index)
        case .between: return span(from: index + 1, first: index) { $0.time == .and }
        case .suffix, .plural, .meridiem, .zone, .other:
            return first.kind == .number ? anchor(index, .none) : nil
        default: return anchor(index, .none)
        }
    }

    private func reading(behind preposition: Preposition, at index: Int) -> TimeReading? {
        switch preposition {
        case .in: return ahead(index + 1) ?? anchor(index + 1, .placedYear)
        case .during, .around, .within, .for: return anchor(index + 1, .placedYear)
        case .on, .at, .over: return anchor(index + 1, .placed)
        case .to: return nil
        case .asOf:
            guard token(index + 1).time == .of else { return nil }
            return anchor(index + 2, .placedYear)
        case .from:
            let span = span(from: index + 1, first: index) {
                $0.preposition == .to || $0.preposition == .until || $0.isSign("-")
            }
            return span ?? anchor(index + 1, .placedYear)
        case .since: return bounded(index, .since, .placedYear)
        case .before: return bounded(index, .before, .placedYear)
        case .after: return bounded(index, .after, .placedYear)
        case .until, .by:
            return bounded(index, .until, Evidence(isPlaced: true, allowsYear: true, isAhead: true))
        }
    }

    private func bounded(_ index: Int, _ bound: TimeMention.Bound, _ evidence: Evidence) -> TimeReading? {
        var start = index + 1
        // "by the end of", "since about", "by around".
        if token(start).preposition == .around || token(start).time == .nearly { start += 1 }
        guard var reading = anchor(start, evidence) else { return nil }
        reading.bound = bound
        return reading.from(index)
    }

    /// "Between A and B", "from A to B": the time from the start of A to the end of B.
    private func span(from start: Int, first: Int, isJoint: (TextToken) -> Bool) -> TimeReading? {
        let left = anchor(start, .placedYear)
        if let left, isJoint(token(left.next)), let right = anchor(left.next + 1, .placedYear) {
            return join(left, right, first: first)
        }
        if let left, left.next - start >= 3, (start..<left.next).contains(where: { isJoint(token($0)) }) {
            // "From May to July" was read as one already.
            return left.from(first)
        }
        // "From 3 to 9 June": the month stands only once.
        let day = token(start)
        var next = start + 1
        if token(next).time == .suffix, token(next).isGlued { next += 1 }
        guard day.kind == .number, (1...31).contains(day.number), isClean(start), isJoint(token(next)),
            let right = anchor(next + 1, .placed), case .day(let month, let last) = right.yearly?.kind,
            day.number < last
        else { return nil }
        var left2 = right
        let (year, _, _) = CalendarDay.date(right.days.lowerBound)
        guard let number = CalendarDay.number(year, month, day.number) else { return nil }
        left2.moments = number * CalendarDay.microseconds..<(number + 1) * CalendarDay.microseconds
        return join(left2, right, first: first)
    }

    func join(_ left: TimeReading, _ right: TimeReading, first: Int) -> TimeReading? {
        var start = left.moments
        if left.basis == .yearless, let yearly = left.yearly, right.yearly != nil || right.basis == .absolute
        {
            // The year of the end is the year of the beginning too, or the one after it.
            let (year, _, _) = CalendarDay.date(right.days.lowerBound)
            for candidate in [year, year - 1] {
                guard let days = yearly.days(in: candidate) else { continue }
                start =
                    days.lowerBound * CalendarDay.microseconds..<days.upperBound * CalendarDay.microseconds
                if start.lowerBound <= right.moments.lowerBound { break }
            }
        }
        guard start.lowerBound < right.moments.upperBound else { return nil }
        var joined = right
        joined.moments = start.lowerBound..<right.moments.upperBound
        joined.granularity = min(left.granularity, right.granularity)
        joined.basis = right.basis == .absolute && left.basis == .relative ? .relative : right.basis
        joined.yearly = nil
        joined.first = first
        return joined
    }

    /// "In two weeks", where the sentence speaks of the future.
    private func ahead(_ index: Int) -> TimeReading? {
        guard let (counts, next) = count(index), let unit = token(next).unit, tense(around: index) == .future
        else { return nil }
        return offset(unit, counts, isPast: false, from: today..<today + 1, first: index, next: next + 1)
    }

    /// A time, without a preposition before it.
    func anchor(_ index: Int, _ evidence: Evidence) -> TimeReading? {
        if token(index - 1).time == .every { return nil }
        guard let bare = bareAnchor(index, evidence) else { return nil }
        return withTimeOfDay(bare)
    }

    private func bareAnchor(_ index: Int, _ evidence: Evidence) -> TimeReading? {
        let first = token(index)
        if first.kind == .number { return numeric(index, evidence) }
        switch first.time {
        case .the: return definite(index, evidence)
        case .a, .count, .vague, .nearly: return counted(index)
        case .day: return nearDay(index)
        case .tonight: return part(.night, of: today, first: index, next: index + 1)
        case .dayPart: return partOfNamedDay(index)
        case .direction: return directed(index, behindThe: false)
        case .month, .monthShort: return monthFirst(index, evidence)
        case .weekday, .weekdayShort: return weekday(index, evidence)
        case .season: return season(index, evidence)
        case .third: return third(index)
        case .ordinal: return ordinal(index)
        case .q, .h: return quarterByNumber(index)
        case .unit: return unitBeside(index)
        case .namedDay, .new: return namedDay(index, evidence)
        default: return nil
        }
    }
}
