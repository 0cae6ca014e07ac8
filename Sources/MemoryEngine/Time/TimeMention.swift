/// A time that a text names, and the moments that it stands for.
package struct TimeMention: Equatable, Sendable {
    /// How finely the text says it; the interval may be longer ("a few days ago" is of days).
    package enum Granularity: UInt8, Comparable, Sendable {
        case minute = 0
        case hour, dayPart, day, weekend, week, month, season, year, decade

        package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    }

    /// What the interval rests on besides the text.
    package enum Basis: UInt8, Sendable {
        /// Nothing: the text says the year.
        case absolute = 0
        /// The reference gave the year of a date that comes each year.
        case yearless
        /// The reference is where it is counted from ("last week").
        case relative
    }

    /// What the text says beside the named time.
    package enum Bound: UInt8, Sendable {
        /// At the named time.
        case none = 0
        /// From its start until the reference ("since May").
        case since
        /// From its end on ("after May").
        case after
        /// Up to its start ("before 2022").
        case before
        /// Up to its end ("until Friday", "by 7 November").
        case until
    }

    /// The bytes of the text, without the preposition unless that gives the bound.
    package var range: Range<Int>
    /// The time that is named, in UTC, half-open and never empty.
    package var named: Range<Timestamp>
    package var granularity: Granularity
    package var basis: Basis
    package var bound: Bound
    /// The reference of the reading, for `interval`.
    package var reference: Timestamp

    /// What the text speaks of: `named`, or what `bound` makes of it. Reaches to `Timestamp.distantPast` or
    /// `.distantFuture` where nothing else bounds it.
    package var interval: Range<Timestamp> {
        switch bound {
        case .none: named
        case .since: named.lowerBound..<max(named.upperBound, reference)
        case .after: named.upperBound..<max(named.upperBound.advanced(by: .microseconds(1)), .distantFuture)
        case .before: .distantPast..<named.lowerBound
        case .until: .distantPast..<named.upperBound
        }
    }
}

extension TimeExpressions {
    /// How a text is read.
    package struct Dialect: Sendable {
        /// What becomes of a date without a year.
        package enum Yearless: Sendable {
            /// One year is chosen, by the rule that is told at `TimeExpressions`.
            case nearest
            /// Every year from that moment to the reference, and the one after it that `nearest` may choose: a
            /// mention for each, the newest first, at most 32. For a question like "what happens in May?" over
            /// memories of several years.
            case every(since: Timestamp)
        }

        package var yearless: Yearless
        /// Whether `03/04/2023` is the 3rd of April. Where one of the numbers is over 12, it is no question.
        package var isDayFirst: Bool

        package init(yearless: Yearless = .nearest, isDayFirst: Bool = false) {
            self.yearless = yearless
            self.isDayFirst = isDayFirst
        }
    }
}
