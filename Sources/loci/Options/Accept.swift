import ArgumentParser
import Embedders
import MemoryEngine

/// How the values of options are read. Each says what it takes, with an example, so that the parser's message
/// names the option, the value and the way out:
///
///     The value 'much' is invalid for '--limit <count>': write a whole number from 1 to 1,000, as 20
enum Accept {
    /// - Throws: `ValidationError` for a name without a sign that can be seen.
    static func refuseBlank(_ text: String, of option: String) throws {
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw ValidationError("--\(option) is blank: write something behind it, or leave it out")
        }
    }

    /// Services that take images or videos, with commas between them.
    static func media(_ text: String) throws -> [ServiceSettings.Service] {
        let services = text.split(separator: ",").map { name in
            ServiceSettings.ofMedia.first { $0.rawValue == name }
        }
        guard !services.isEmpty, !services.contains(where: { $0 == nil }) else {
            let names = ServiceSettings.ofMedia.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("write one of \(names), or two with a comma between them")
        }
        return services.compactMap { $0 }
    }

    /// A moment, as of now.
    static func time(_ text: String) throws -> Timestamp {
        guard let time = TimeArgument.parse(text, now: .now) else {
            throw ValidationError("write \(TimeArgument.accepted)")
        }
        return time
    }

    /// `NAME=VALUE`.
    static func attribute(_ text: String) throws -> AttributeArgument {
        guard let attribute = AttributeArgument(text) else {
            throw ValidationError("write NAME=VALUE, as region=eu-1 or tries=3")
        }
        return attribute
    }

    /// A number of bytes.
    static func size(_ text: String) throws -> ByteSize {
        guard let size = ByteSize(text) else {
            throw ValidationError("write a number of bytes, as 64G, 512M or 1048576")
        }
        return size
    }

    /// A whole number.
    static func count<Number: FixedWidthInteger & Sendable>(
        _ range: ClosedRange<Number>, as example: Number
    ) -> @Sendable (String) throws -> Number {
        { text in
            guard let number = Number(text), range.contains(number) else {
                let bounds =
                    range.upperBound == .max
                    ? range.lowerBound == 0 ? "" : " from \(Terminal.grouped(range.lowerBound)) on"
                    : " from \(Terminal.grouped(range.lowerBound)) to \(Terminal.grouped(range.upperBound))"
                throw ValidationError("write a whole number\(bounds), as \(example)")
            }
            return number
        }
    }

    /// A number with or without a fraction.
    static func number(
        _ range: ClosedRange<Double>, as example: String
    ) -> @Sendable (String) throws -> Double {
        { text in
            guard let number = Double(text), range.contains(number) else {
                func plain(_ bound: Double) -> String { AttributeValue.number(bound).description }
                throw ValidationError(
                    "write a number from \(plain(range.lowerBound)) to \(plain(range.upperBound)), as \(example)"
                )
            }
            return number
        }
    }
}

/// `NAME=VALUE`; true, false and numbers are what they look like, and `NAME="5"` is a string.
struct AttributeArgument: Equatable {
    let name: String
    let value: AttributeValue

    init?(_ argument: String) {
        guard let sign = argument.firstIndex(of: "="), sign != argument.startIndex else { return nil }
        name = String(argument[..<sign])
        let text = String(argument[argument.index(after: sign)...])
        let isQuoted = text.count >= 2 && text.hasPrefix("\"") && text.hasSuffix("\"")
        value = isQuoted ? .string(String(text.dropFirst().dropLast())) : AttributeValue(reading: text)
    }
}

/// A number of bytes as a person writes it: `64G`, `512M`, `1048576`.
struct ByteSize: Equatable {
    let byteCount: Int

    init?(_ argument: String) {
        var digits = argument.uppercased()[...]
        for suffix in ["IB", "B"] where digits.hasSuffix(suffix) { digits = digits.dropLast(suffix.count) }
        var scale = 1
        if let unit = digits.last, let power = ["K", "M", "G", "T"].firstIndex(of: String(unit)) {
            scale = 1 << (10 * (power + 1))
            digits = digits.dropLast()
        }
        guard let number = Int(digits), number > 0 else { return nil }
        let (product, hasOverflown) = number.multipliedReportingOverflow(by: scale)
        guard !hasOverflown else { return nil }
        byteCount = product
    }
}
