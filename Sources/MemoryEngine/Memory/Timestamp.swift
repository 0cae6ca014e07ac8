import Foundation

/// A moment: microseconds since 1970 in UTC.
public struct Timestamp: Hashable, Sendable, Comparable {
    public let microseconds: Int64
    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// The start of what has no start.
    public static let distantPast = Timestamp(microseconds: .min)
    /// The end of what has no end.
    public static let distantFuture = Timestamp(microseconds: .max)
    /// The moments that a caller may give: the years 1 to 9999.
    public static let allowed =
        Timestamp(microseconds: -62_135_596_800_000_000)...Timestamp(microseconds: 253_402_300_799_999_999)

    /// What the clock of this machine shows.
    public static var now: Timestamp {
        Timestamp(microseconds: Int64((Date().timeIntervalSince1970 * 1_000_000).rounded()))
    }

    public init(_ date: Date) {
        let value = (date.timeIntervalSince1970 * 1_000_000).rounded()
        microseconds = value >= 9.2e18 ? .max : value <= -9.2e18 ? .min : Int64(value)
    }

    public var date: Date { Date(timeIntervalSince1970: Double(microseconds) / 1_000_000) }

    /// The moment that lies `duration` after this one; the end or the start of time where that overflows.
    public func advanced(by duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        let (product, hasOverflown) = seconds.multipliedReportingOverflow(by: 1_000_000)
        if hasOverflown { return seconds < 0 ? .distantPast : .distantFuture }
        let (whole, first) = microseconds.addingReportingOverflow(product)
        let (sum, second) = whole.addingReportingOverflow(attoseconds / 1_000_000_000_000)
        if first || second { return seconds < 0 ? .distantPast : .distantFuture }
        return Timestamp(microseconds: sum)
    }

    public static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }
}

extension Timestamp: CustomStringConvertible {
    /// `2026-11-23T08:30:00Z`, with a fraction where there is one.
    public var description: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(27)
        write(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the description. A recall tells dozens of times, so it is written byte by byte.
    package func write(into bytes: inout [UInt8]) {
        if self == .distantFuture {
            bytes += "open".utf8
            return
        }
        if self == .distantPast {
            bytes += "always".utf8
            return
        }
        let days = Self.floorDivide(microseconds, 86_400_000_000)
        // By the remainder, because the start of the first day of all lies before the first moment.
        let remainder = microseconds % 86_400_000_000
        let rest = remainder < 0 ? remainder + 86_400_000_000 : remainder
        let (year, month, day) = Self.civil(days)
        let seconds = rest / 1_000_000
        func write(_ value: Int64, _ end: UInt8) {
            Self.appendTwo(value, to: &bytes)
            bytes.append(end)
        }
        if 0...9_999 ~= year {
            Self.appendTwo(year / 100, to: &bytes)
            Self.appendTwo(year % 100, to: &bytes)
        } else {
            let digits = String(abs(year))
            if year < 0 { bytes.append(UInt8(ascii: "-")) }
            bytes += repeatElement(UInt8(ascii: "0"), count: max(0, 4 - digits.utf8.count))
            bytes += digits.utf8
        }
        bytes.append(UInt8(ascii: "-"))
        write(month, UInt8(ascii: "-"))
        write(day, UInt8(ascii: "T"))
        write(seconds / 3_600, UInt8(ascii: ":"))
        write(seconds / 60 % 60, UInt8(ascii: ":"))
        Self.appendTwo(seconds % 60, to: &bytes)
        let fraction = rest % 1_000_000
        if fraction != 0 {
            bytes.append(UInt8(ascii: "."))
            Self.appendTwo(fraction / 10_000, to: &bytes)
            Self.appendTwo(fraction / 100 % 100, to: &bytes)
            Self.appendTwo(fraction % 100, to: &bytes)
            while bytes.last == UInt8(ascii: "0") { bytes.removeLast() }
        }
        bytes.append(UInt8(ascii: "Z"))
    }

    /// The day alone, `2026-11-23`.
    public var day: String { String(description.prefix(10)) }

    /// The minute, `2026-11-23 08:30` in UTC, or the day alone where it is its first moment.
    var minute: String {
        let text = description
        guard self != .distantFuture, self != .distantPast, microseconds % 86_400_000_000 != 0 else {
            return String(text.prefix(10))
        }
        return text.prefix(10) + " " + text.dropFirst(11).prefix(5)
    }

    /// Reads RFC 3339 (`2026-11-23T08:30:00.25+01:00`), also with a space for the `T`, without seconds,
    /// or a day alone (its start in UTC). `nil` for anything else, and outside of `allowed`.
    public init?(_ text: String) {
        var rest = Substring(text)
        func number(_ digits: Int) -> Int64? {
            let part = rest.prefix(digits)
            guard part.utf8.count == digits, part.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else {
                return nil
            }
            rest = rest.dropFirst(digits)
            return Int64(part)
        }
        func skip(_ characters: String) -> Bool {
            guard let first = rest.first, characters.contains(first) else { return false }
            rest = rest.dropFirst()
            return true
        }
        guard let year = number(4), skip("-"), let month = number(2), skip("-"), let day = number(2),
            (1...12).contains(month), day >= 1, day <= Self.dayCount(year, month)
        else { return nil }
        var value = Self.days(year, month, day) * 86_400_000_000
        if !rest.isEmpty {
            guard skip("Tt "), let hour = number(2), skip(":"), let minute = number(2), hour < 24, minute < 60
            else { return nil }
            value += (hour * 3_600 + minute * 60) * 1_000_000
            if skip(":") {
                guard let second = number(2), second <= 60 else { return nil }
                value += second * 1_000_000
                if skip(".") {
                    let digits = rest.prefix { $0.isASCII && $0.isNumber }
                    guard !digits.isEmpty, digits.count <= 18 else { return nil }
                    rest = rest.dropFirst(digits.count)
                    guard let microseconds = Int64((digits + "000000").prefix(6)) else { return nil }
                    value += microseconds
                }
            }
            if !skip("Zz"), !rest.isEmpty {
                let isWest = rest.first == "-"
                guard skip("+-"), let hour = number(2), hour < 24 else { return nil }
                _ = skip(":")
                guard let minute = number(2), minute < 60 else { return nil }
                let offset = (hour * 3_600 + minute * 60) * 1_000_000
                value += isWest ? offset : -offset
            }
            guard rest.isEmpty else { return nil }
        }
        microseconds = value
        guard Self.allowed.contains(self) else { return nil }
    }

    // Days from a civil date and back (Howard Hinnant, "chrono-compatible low-level date algorithms", 2013).
    static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = floorDivide(year, 400)
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func civil(_ days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let part = (5 * dayOfYear + 2) / 153
        let month = part < 10 ? part + 3 : part - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * part + 2) / 5 + 1)
    }

    static func dayCount(_ year: Int64, _ month: Int64) -> Int64 {
        month == 12 ? 31 : days(year, month + 1, 1) - days(year, month, 1)
    }

    static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
        let quotient = a / b
        return a % b < 0 ? quotient - 1 : quotient
    }

    static func floorModulo(_ a: Int64, _ b: Int64) -> Int64 { a - floorDivide(a, b) * b }

    /// Appends a number below 100 with two digits.
    private static func appendTwo(_ value: Int64, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 10))
        bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10))
    }
}
