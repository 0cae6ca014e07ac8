/// Where the title of a memory stands in its content.
enum Title {
    /// A longer line is a paragraph.
    static let maximumByteCount = 200

    /// The first line of a commit; of anything else, if it is a heading of Markdown, or an empty line sets it off from what
    /// follows. What somebody says has no title, however many lines it has. `nil` if there is none.
    static func range(in content: [UInt8], kind: MemoryKind) -> Range<Int>? {
        let newline = UInt8(ascii: "\n")
        guard kind != .message, let start = content.firstIndex(where: { !isSpace($0) }) else { return nil }
        // No further than a title reaches: content may be megabytes without an end of line.
        let reach = min(content.count, start + maximumByteCount + 1)
        let end = content[start..<reach].firstIndex(of: newline) ?? reach
        guard end - start <= maximumByteCount else { return nil }
        if kind == .commit || isHeading(content[start..<end]) { return start..<end }
        guard end < content.count,
            let next = content[(end + 1)...].firstIndex(where: { !isSpace($0) }),
            content[(end + 1)..<next].contains(newline)
        else { return nil }
        return start..<end
    }

    /// One to six number signs, and something behind a space.
    private static func isHeading(_ line: ArraySlice<UInt8>) -> Bool {
        let rest = line.drop { $0 == UInt8(ascii: "#") }
        return (1...6).contains(line.count - rest.count) && rest.first == UInt8(ascii: " ") && rest.count > 1
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
}
