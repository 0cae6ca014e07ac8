/// What of a Swift file is code: comments and what stands in string literals are turned to spaces,
/// so that a word found in the rest is a word of the program.
///
/// It knows nested comments, multi-line and raw strings and interpolation (which counts as string),
/// and no regular expression literals: a quote in one hides the rest of its line.
func swiftCode(of text: String) -> String {
    var scanner = SwiftScanner(text)
    return scanner.codeOnly()
}

/// The same, by lines; line `n` of the file is element `n - 1`.
func codeLines(of file: SourceFile) -> [Substring] {
    swiftCode(of: file.text).split(separator: "\n", omittingEmptySubsequences: false)
}

/// Goes through the bytes of a Swift file once, and keeps newlines where they are.
private struct SwiftScanner {
    private let bytes: [UInt8]
    private var position = 0
    private var output: [UInt8] = []

    init(_ text: String) {
        bytes = Array(text.utf8)
        output.reserveCapacity(bytes.count)
    }

    mutating func codeOnly() -> String {
        while position < bytes.count {
            if starts("//") {
                while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { blank(1) }
            } else if starts("/*") {
                skipBlockComment()
            } else if let hashes = hashesBeforeQuote() {
                skipString(hashes: hashes)
            } else if bytes[position] == UInt8(ascii: "`") {
                keepQuotedIdentifier()
            } else {
                keep(1)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private func starts(_ word: String, at offset: Int = 0) -> Bool {
        bytes[min(position + offset, bytes.count)...].starts(with: word.utf8)
    }

    private mutating func keep(_ count: Int) {
        let end = min(position + count, bytes.count)
        output += bytes[position..<end]
        position = end
    }

    private mutating func blank(_ count: Int) {
        let end = min(position + count, bytes.count)
        let newline = UInt8(ascii: "\n")
        output += bytes[position..<end].map { $0 == newline ? newline : UInt8(ascii: " ") }
        position = end
    }

    private mutating func skipBlockComment() {
        var depth = 0
        repeat {
            if starts("/*") {
                depth += 1
                blank(2)
            } else if starts("*/") {
                depth -= 1
                blank(2)
            } else {
                blank(1)
            }
        } while depth > 0 && position < bytes.count
    }

    /// A name in backticks is code, and a quote in it begins no string.
    private mutating func keepQuotedIdentifier() {
        repeat { keep(1) } while position < bytes.count && !starts("`") && !starts("\n")
        keep(1)
    }

    /// How many `#` stand here before a quote; nil where no string begins.
    private func hashesBeforeQuote() -> Int? {
        let hashes = bytes[position...].prefix { $0 == UInt8(ascii: "#") }.count
        return starts("\"", at: hashes) ? hashes : nil
    }

    private mutating func skipString(hashes: Int) {
        let isMultiline = starts("\"\"\"", at: hashes)
        let fence = String(repeating: "#", count: hashes)
        let quote = (isMultiline ? "\"\"\"" : "\"") + fence
        blank(hashes + (isMultiline ? 3 : 1))
        while position < bytes.count {
            if starts(quote) { return blank(quote.utf8.count) }
            // An unfinished string ends with its line, as the compiler too would have it.
            if !isMultiline, bytes[position] == UInt8(ascii: "\n") { return }
            if starts("\\" + fence + "(") {
                blank(hashes + 2)
                skipInterpolation()
            } else if starts("\\" + fence) {
                blank(hashes + 2)
            } else {
                blank(1)
            }
        }
    }

    /// Goes behind the parenthesis that closes an interpolation; there may be strings inside.
    private mutating func skipInterpolation() {
        var depth = 1
        while position < bytes.count, depth > 0 {
            if let hashes = hashesBeforeQuote() {
                skipString(hashes: hashes)
                continue
            }
            if bytes[position] == UInt8(ascii: "(") { depth += 1 }
            if bytes[position] == UInt8(ascii: ")") { depth -= 1 }
            blank(1)
        }
    }
}
