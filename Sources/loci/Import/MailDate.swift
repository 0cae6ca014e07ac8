import MemoryEngine

/// Dates as mail has them (RFC 5322, 2008, section 3.3): `Thu, 11 May 2023 03:15:00 +0200`.
///
/// Changelogs are older than the care for them, so also without the day of the week or the seconds, with the
/// month's whole name, a year of two digits, and zones by name.
enum MailDate {
    /// `nil` for anything else, and for days that no month has.
    static func parse(_ text: Substring) -> Timestamp? {
        // Comments as `(CEST)` say nothing new.
        let bare = text.split(separator: "(", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        var words = bare.split { $0 == " " || $0 == "\t" || $0 == "," }
        if let first = words.first, first.first?.isLetter == true { words.removeFirst() }
        guard (4...5).contains(words.count), let day = Int(words[0]), let month = month(words[1]),
            let year = year(words[2])
        else { return nil }
        let clock = words[3].split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(clock.count), clock.allSatisfy({ (1...2).contains($0.utf8.count) }),
            let zone = words.count == 5 ? zone(words[4]) : "Z"
        else { return nil }
        let numbers = clock.compactMap { UInt8($0) }
        guard numbers.count == clock.count else { return nil }
        let time = (numbers + [0]).prefix(3).map { two(Int($0)) }.joined(separator: ":")
        return Timestamp("\(two(year / 100))\(two(year % 100))-\(two(month))-\(two(day))T\(time)\(zone)")
    }

    private static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

    private static func month(_ word: Substring) -> Int? {
        let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        guard word.utf8.count >= 3 else { return nil }
        return names.firstIndex(of: String(word.prefix(3)).lowercased()).map { $0 + 1 }
    }

    private static func year(_ word: Substring) -> Int? {
        guard let year = UInt16(word), year <= 9_999 else { return nil }
        switch word.utf8.count {
        case 2: return year < 70 ? 2_000 + Int(year) : 1_900 + Int(year)
        case 4: return Int(year)
        default: return nil
        }
    }

    /// As `Timestamp` reads it: `Z` or `+01:00`.
    private static func zone(_ word: Substring) -> String? {
        if word.first == "+" || word.first == "-" {
            let digits = word.dropFirst()
            guard digits.utf8.count == 4, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
            return "\(word.prefix(3)):\(word.suffix(2))"
        }
        let hours = [
            "GMT": 0, "UTC": 0, "UT": 0, "Z": 0, "WET": 0, "BST": 1, "CET": 1, "MET": 1, "CEST": 2, "MEST": 2,
            "EET": 2,
            "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
        ]
        guard let hour = hours[word.uppercased()] else { return nil }
        return hour == 0 ? "Z" : "\(hour < 0 ? "-" : "+")\(two(abs(hour))):00"
    }
}
