import MemoryEngine

/// A moment as a person writes it.
///
///     2026-11-23      2026-11-23T08:30      2026-11-23 08:30:00 +01:00      yesterday      2 days ago      in 3 weeks
///
/// A day is its beginning, and days and times without a zone are in UTC, as in all that is printed. `2 days ago` is
/// 48 hours before now. Months and years have no fixed length, and are refused behind a number.
enum TimeArgument {
    /// For messages and help.
    static let accepted =
        "a day (2026-11-23), a day with a time (2026-11-23T08:30, in UTC unless a zone follows, as in "
        + "2026-11-23T08:30+01:00), now, today, yesterday, tomorrow, \"2 days ago\" or \"in 3 weeks\""

    /// `nil` for anything else, and outside of the years 1 to 9999.
    static func parse(_ text: String, now: Timestamp) -> Timestamp? {
        let words = text.lowercased().split(whereSeparator: \.isWhitespace)
        guard let time = relative(words, now) ?? absolute(text), Timestamp.allowed.contains(time) else {
            return nil
        }
        return time
    }

    private static let day = Duration.seconds(86_400)

    private static func relative(_ words: [Substring], _ now: Timestamp) -> Timestamp? {
        switch words {
        case ["now"]: return now
        case ["today"]: return Timestamp(now.day)
        case ["yesterday"]: return Timestamp(now.day)?.advanced(by: .zero - day)
        case ["tomorrow"]: return Timestamp(now.day)?.advanced(by: day)
        default: break
        }
        guard words.count == 3 else { return nil }
        if words[2] == "ago" {
            return duration(words[0], words[1]).map { now.advanced(by: .zero - $0) }
        }
        return words[0] == "in" ? duration(words[1], words[2]).map { now.advanced(by: $0) } : nil
    }

    private static func duration(_ count: Substring, _ unit: Substring) -> Duration? {
        let seconds: [(String, Int64)] = [
            ("second", 1), ("minute", 60), ("hour", 3_600), ("day", 86_400), ("week", 604_800),
        ]
        let number = count == "a" || count == "an" ? 1 : count.allSatisfy(\.isASCII) ? Int32(count) : nil
        guard let number, number >= 0,
            let found = seconds.first(where: { unit == $0.0 || unit == $0.0 + "s" })
        else { return nil }
        return .seconds(Int64(number) * found.1)
    }

    /// As `Timestamp` reads it, also with a space before the zone, which may be `UTC`, as git and date print it.
    static func absolute(_ text: String) -> Timestamp? {
        if let time = Timestamp(text) { return time }
        let words = text.split(separator: " ")
        guard (2...3).contains(words.count), var zone = words.last else { return nil }
        if zone == "UTC" || zone == "GMT" { zone = "Z" }
        return Timestamp(words.dropLast().joined(separator: " ") + zone)
    }
}
