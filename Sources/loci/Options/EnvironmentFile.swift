import Foundation
import MemoryEngine

/// A `.env` file: settings as lines `NAME=VALUE`, among comments and empty lines.
///
/// A value stands bare, to the end of the line or to a `#` behind a blank, or in quotes: between `'` as it is, between `"` with
/// `\n`, `\r`, `\t`, `\"` and `\\`. `export` may stand before a name. Nothing is put in the place of `$NAME`. Of a name that stands
/// there twice the last one counts. Whatever is written into it leaves every other line as it was, byte by byte.
struct EnvironmentFile: Sendable {
    private enum Content: Sendable {
        case nothing
        /// Where the value stands in the line, with its quotes.
        case setting(name: String, value: String, place: Range<Int>)
        case bad
    }

    private struct Line: Sendable {
        /// Without what ends it: nothing, `\n` or `\r\n`.
        var text: [UInt8]
        var ending: [UInt8]

        var content: Content {
            var scanner = LineScanner(text: text)
            return scanner.content()
        }
    }

    static let maximumByteCount = 64 << 10
    static let maximumValueByteCount = 4_096

    private var lines: [Line] = []

    /// - Throws: `EngineError`: `tooLarge`.
    init(_ bytes: [UInt8] = []) throws {
        try Self.check(bytes.count)
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n"))
            var text = bytes[start..<(end ?? bytes.count)]
            var ending: [UInt8] = end == nil ? [] : [UInt8(ascii: "\n")]
            if end != nil, text.last == UInt8(ascii: "\r") {
                text.removeLast()
                ending.insert(UInt8(ascii: "\r"), at: 0)
            }
            lines.append(Line(text: Array(text), ending: ending))
            start = (end ?? bytes.count) + 1
        }
    }

    private static func check(_ byteCount: Int) throws {
        guard byteCount <= maximumByteCount else {
            throw EngineError(
                .tooLarge, "a file of settings has at most \(Terminal.bytes(maximumByteCount))")
        }
    }

    /// What it sets.
    var values: [String: String] {
        var values: [String: String] = [:]
        for line in lines {
            if case .setting(let name, let value, _) = line.content { values[name] = value }
        }
        return values
    }

    /// The numbers, from 1, of lines that are none of the above.
    var badLines: [Int] {
        lines.indices.filter { if case .bad = lines[$0].content { true } else { false } }.map { $0 + 1 }
    }

    var bytes: [UInt8] { lines.flatMap { $0.text + $0.ending } }

    /// Puts a value in the place of the one that counts, or into a new line at the end.
    ///
    /// - Throws: `EngineError`: `invalid` for a value that no line can hold or a shell would read otherwise, `tooLarge`. The
    ///   value is not in it.
    mutating func set(_ name: String, to value: String) throws {
        let written = try Self.written(value, for: name)
        for index in lines.indices.reversed() {
            guard case .setting(name, _, let place) = lines[index].content else { continue }
            lines[index].text.replaceSubrange(place, with: written)
            return try Self.check(bytes.count)
        }
        let ending = lines.first.flatMap { $0.ending.isEmpty ? nil : $0.ending } ?? [UInt8(ascii: "\n")]
        if let last = lines.indices.last, lines[last].ending.isEmpty { lines[last].ending = ending }
        lines.append(Line(text: Array("\(name)=".utf8) + written, ending: ending))
        try Self.check(bytes.count)
    }

    private static func written(_ value: String, for name: String) throws -> [UInt8] {
        let bytes = Array(value.utf8)
        guard (1...maximumValueByteCount).contains(bytes.count),
            bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "'") })
        else {
            throw EngineError(
                .invalid,
                "what \(name) is set to has 1 to \(Terminal.grouped(maximumValueByteCount)) bytes, no control characters and no `'`"
            )
        }
        let isBare = bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "_./:@%+=,-".utf8.contains(byte)
            }
        }
        return isBare ? bytes : [UInt8(ascii: "'")] + bytes + [UInt8(ascii: "'")]
    }
}

extension EnvironmentFile {
    /// Reads one line.
    private struct LineScanner {
        let text: [UInt8]
        private var index = 0

        init(text: [UInt8]) {
            self.text = text
            // Some editors begin a file with the mark of UTF-8.
            if text.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
        }

        private var byte: UInt8? { index < text.count ? text[index] : nil }

        private static func isBlank(_ byte: UInt8) -> Bool {
            byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
        }

        private mutating func skipBlanks() {
            while let byte, Self.isBlank(byte) { index += 1 }
        }

        mutating func content() -> Content {
            skipBlanks()
            guard let first = byte, first != UInt8(ascii: "#") else { return .nothing }
            let export = Array("export".utf8)
            if text[index...].starts(with: export), index + export.count < text.count,
                Self.isBlank(text[index + export.count])
            {
                index += export.count
                skipBlanks()
            }
            guard let name = name() else { return .bad }
            skipBlanks()
            guard byte == UInt8(ascii: "=") else { return .bad }
            index += 1
            let start = index
            skipBlanks()
            let quote = byte
            if quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") {
                let start = index
                guard let value = quoted(isRaw: quote == UInt8(ascii: "'")) else { return .bad }
                let end = index
                skipBlanks()
                guard byte == nil || byte == UInt8(ascii: "#") && index > end else { return .bad }
                return setting(name, value, start..<end)
            }
            let place = bare()
            return setting(name, Array(text[place]), place.isEmpty ? start..<start : place)
        }

        private mutating func name() -> String? {
            let start = index
            while let byte {
                let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                guard isLetter || byte == UInt8(ascii: "_") || isDigit && index > start else { break }
                index += 1
            }
            return start == index ? nil : String(decoding: text[start..<index], as: UTF8.self)
        }

        private mutating func quoted(isRaw: Bool) -> [UInt8]? {
            let quote = text[index]
            var value: [UInt8] = []
            index += 1
            while let byte {
                index += 1
                if byte == quote { return value }
                guard !isRaw, byte == UInt8(ascii: "\\"), let next = self.byte else {
                    value.append(byte)
                    continue
                }
                index += 1
                switch next {
                case UInt8(ascii: "n"): value.append(UInt8(ascii: "\n"))
                case UInt8(ascii: "r"): value.append(UInt8(ascii: "\r"))
                case UInt8(ascii: "t"): value.append(UInt8(ascii: "\t"))
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): value.append(next)
                default: value += [byte, next]
                }
            }
            return nil
        }

        private func bare() -> Range<Int> {
            var end = index
            while end < text.count, !(text[end] == UInt8(ascii: "#") && Self.isBlank(text[end - 1])) {
                end += 1
            }
            while end > index, Self.isBlank(text[end - 1]) { end -= 1 }
            return index..<end
        }

        private func setting(_ name: String, _ value: [UInt8], _ place: Range<Int>) -> Content {
            guard !value.contains(0), let text = String(validating: value, as: UTF8.self) else { return .bad }
            return .setting(name: name, value: text, place: place)
        }
    }
}
