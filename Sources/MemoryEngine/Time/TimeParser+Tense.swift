/// Which way a sentence looks, and what year that gives a date without one.
extension TimeParser {
    enum Tense {
        case past, future, unknown
    }

    /// The tense of the nearest verb before the token in its sentence, else of the first one behind it.
    func tense(around index: Int) -> Tense {
        var position = index - 1
        while position >= 0, index - position <= 24, !endsSentence(position) {
            if let tense = tense(at: position) { return tense }
            position -= 1
        }
        position = index
        while position < tokens.count, position - index <= 16, !endsSentence(position) {
            if let tense = tense(at: position) { return tense }
            position += 1
        }
        return .unknown
    }

    private func endsSentence(_ index: Int) -> Bool {
        // A point within a number or a name ends nothing.
        tokens[index].endsSentence && !token(index + 1).isGlued
    }

    private func tense(at index: Int) -> Tense? {
        let token = tokens[index]
        switch token.time {
        case .future: return .future
        // Only "won't" is a past tense with a t behind it.
        case .past:
            return self.token(index + 1).isSign("'") && self.token(index + 2).time == .t ? .future : .past
        case .other: return token.endsInEd ? .past : nil
        default: return nil
        }
    }

    /// The days of what comes each year, in the year that the sentence means; `nil` where no year near has any.
    func days(of yearly: YearlyPeriod, around index: Int, _ evidence: Evidence) -> Range<Int64>? {
        let (year, _, _) = CalendarDay.date(today)
        var last: Range<Int64>?
        var next: Range<Int64>?
        // Eight years are the farthest between two days of February.
        for candidate in (year - 8)...(year + 8) {
            guard let days = yearly.days(in: candidate) else { continue }
            if days.lowerBound <= today { last = days }
            if days.upperBound > today, next == nil { next = days }
        }
        guard let last, let next, last != next else { return last ?? next }
        if evidence.isAhead { return next }
        switch tense(around: index) {
        case .past: return last
        case .future: return next
        case .unknown:
            let past = today - last.upperBound
            let ahead = next.lowerBound - today
            return ahead * 3 < past ? next : last
        }
    }
}
