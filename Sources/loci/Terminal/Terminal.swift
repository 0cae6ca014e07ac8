import Foundation
import Glibc
import MemoryEngine
import Server

/// What is written for a person: colors only where standard output is a terminal and NO_COLOR is not set.
enum Terminal {
    static let isOutputTerminal = isatty(STDOUT_FILENO) == 1
    static let isErrorTerminal = isatty(STDERR_FILENO) == 1
    static let isInputTerminal = isatty(STDIN_FILENO) == 1

    private static let hasColors =
        isOutputTerminal && ProcessInfo.processInfo.environment["NO_COLOR", default: ""].isEmpty
        && ProcessInfo.processInfo.environment["TERM"] != "dumb"

    enum Style: String {
        case bold = "1"
        case dim = "2"
        case green = "32"
        case red = "31"
        case cyan = "36"
    }

    static func styled(_ text: String, _ style: Style) -> String {
        hasColors && !text.isEmpty ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// Writes a line to standard output at once, so that who reads it sees what is done.
    static func print(_ line: String) {
        write(Data((line + "\n").utf8))
    }

    /// Writes bytes to standard output. A full disk behind it ends the verb: what it did is done, and who asked
    /// must not take a part of the answer for the whole.
    static func write(_ bytes: Data) {
        do {
            try FileHandle.standardOutput.write(contentsOf: bytes)
        } catch {
            Failure("io", "standard output cannot be written: \(SystemReason.text(error))")
                .report(asJSON: asksJSON)
            exit(ExitStatus.failure)
        }
    }

    /// Writes a JSON object on a line to standard output.
    static func printObject(_ members: (inout JSONWriter) -> Void) {
        var json = JSONWriter()
        json.beginObject()
        members(&json)
        json.endObject()
        print(json.text)
    }

    /// Whether standard error is read by a program.
    static let asksJSON = CommandLine.arguments.contains("--json")

    /// Says something beside the answer, on standard error: a line or, with `--json`, an object `{"note":…}`.
    ///
    /// - Parameter members: what else a program can use of it.
    static func note(_ line: String, _ members: (inout JSONWriter) -> Void = { _ in }) {
        guard asksJSON else { return error(line) }
        var json = JSONWriter()
        json.beginObject()
        json.member("note", line)
        members(&json)
        json.endObject()
        error(json.text)
    }

    private static let notes = Mutex<Set<String>>([])

    /// The same, unless this process has said it already.
    static func noteOnce(_ line: String) {
        if notes.withLock({ $0.insert(line).inserted }) { note(line) }
    }

    /// Writes a line to standard error, whatever it quotes.
    static func error(_ line: String) {
        // Where standard error is closed there is nobody to tell.
        try? FileHandle.standardError.write(contentsOf: Data((Visible.line(line) + "\n").utf8))
    }

    /// The first line of a text that says something, without what a terminal would take for a command.
    static func firstLine(_ text: String, atMost width: Int = 110) -> String {
        let line = text.split(whereSeparator: \.isNewline).first { !$0.allSatisfy(\.isWhitespace) } ?? ""
        let rest = text.trimmingCharacters(in: .whitespacesAndNewlines)
        let shown = Visible.line(String(line).trimmingCharacters(in: .whitespaces))
        if shown.count > width { return String(shown.prefix(width - 1)) + "…" }
        return rest.count > line.count && shown.count < width ? shown + " …" : shown
    }

    /// A number of things: `1 vector`, `1,200 vectors`.
    static func counted(_ number: some BinaryInteger, _ thing: String) -> String {
        "\(grouped(number)) \(thing)\(number == 1 ? "" : "s")"
    }

    /// `12345` as `12,345`.
    static func grouped(_ number: some BinaryInteger) -> String {
        var digits = String(number)
        var index = digits.count - 3
        while index > (number < 0 ? 1 : 0) {
            digits.insert(",", at: digits.index(digits.startIndex, offsetBy: index))
            index -= 3
        }
        return digits
    }

    /// A number of bytes with three digits or so: `12.3 MiB`.
    static func bytes(_ count: some BinaryInteger) -> String {
        var value = Double(count)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1_024 { return unit == "B" ? "\(Int(value)) B" : "\(decimals(value, 1)) \(unit)" }
            value /= 1_024
        }
        return "\(decimals(value, 1)) TiB"
    }

    /// With so many digits behind the point.
    static func decimals(_ value: Double, _ count: Int) -> String { String(format: "%.\(count)f", value) }

    /// How many columns of a terminal a text takes, by Unicode's East Asian Width (UAX #11): two for a wide character.
    /// (Swift's Glibc has no `wcwidth`.)
    static func columns(_ text: String) -> Int {
        text.reduce(0) { sum, character in
            guard let scalar = character.unicodeScalars.first, scalar.value >= 0x1100 else { return sum + 1 }
            let isWide: Bool =
                switch scalar.value {
                case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3,
                    0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F,
                    0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
                    true
                default: scalar.properties.isEmojiPresentation
                }
            return sum + (isWide ? 2 : 1)
        }
    }

    /// Fills up with spaces; on the left where `isRight`.
    static func padded(_ text: String, to width: Int, isRight: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - columns(text)))
        return isRight ? space + text : text + space
    }
}

extension Duration {
    /// In milliseconds.
    var milliseconds: Double {
        Double(components.seconds) * 1e3 + Double(components.attoseconds) / 1e15
    }

    /// In seconds.
    var inSeconds: Double { milliseconds / 1e3 }
}
