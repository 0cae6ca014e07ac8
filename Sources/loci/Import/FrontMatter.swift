/// The settings at the head of a note, between two lines `---`: the part of YAML (1.2.2, 2021) that people write
/// there.
///
///     ---
///     title: "Deploy: how we do it"
///     created: 2024-05-06          # a comment
///     tags: [deploy, ci]
///     aliases:
///       - releasing
///     ---
///
/// Names with a scalar or a list of scalars are read. Maps inside of maps, anchors and tags of types are passed
/// over: a note is not refused for its settings. What begins as a list or a quotation and does not end is passed over
/// too, and named.
struct FrontMatter: Equatable {
    enum Value: Equatable {
        /// - Parameter isQuoted: whether it is a string whatever it looks like.
        case scalar(String, isQuoted: Bool)
        case list([String])

        /// The scalar, or the elements of the list.
        var strings: [String] {
            switch self {
            case .scalar(let text, _): [text]
            case .list(let texts): texts
            }
        }
    }

    struct Field: Equatable {
        let name: String
        let value: Value
    }

    /// In their order.
    private(set) var fields: [Field] = []
    /// The fields whose value cannot be read, with the index of their first line.
    private(set) var unreadable: [(name: String, line: Int)] = []

    static func == (a: FrontMatter, b: FrontMatter) -> Bool { a.fields == b.fields }

    private static let maximumFieldCount = 256

    /// Whether a file that begins with these bytes has settings at its head.
    static func begins(_ head: ArraySlice<UInt8>) -> Bool {
        var head = head
        if head.starts(with: [0xEF, 0xBB, 0xBF]) { head = head.dropFirst(3) }
        // The last line may be cut.
        let lines = head.split(
            separator: UInt8(ascii: "\n"), maxSplits: 200, omittingEmptySubsequences: false
        )
        .map { String(decoding: $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0, as: UTF8.self) }
        guard lines.first == "---" else { return false }
        let body = lines.dropFirst().prefix { !isEnd($0) }
        return body.contains { Self.field($0[...]) != nil }
    }

    /// Whether the line ends the settings.
    static func isEnd(_ line: some StringProtocol) -> Bool { line == "---" || line == "..." }

    /// - Parameter lines: those between the two marks.
    /// - Complexity: O(bytes)
    init(_ lines: [String]) {
        var rest = lines[...]
        while let line = rest.popFirst(), fields.count < Self.maximumFieldCount {
            guard let (name, text) = Self.field(line[...]) else { continue }
            let place = rest.startIndex - lines.startIndex - 1
            let inner = Self.innerLines(&rest)
            if let value = Self.value(text, inner) {
                fields.append(Field(name: name, value: value))
            } else if let first = text.trimmingSpace.first, "[\"'".contains(first) {
                unreadable.append((name, place))
            }
        }
    }

    /// The values under any of these names, whatever their case; of the first that is there.
    subscript(names: String...) -> [String]? {
        for name in names {
            if let field = fields.first(where: { $0.name.lowercased() == name }) {
                return field.value.strings
            }
        }
        return nil
    }

    // MARK: Lines

    /// `name: value`, at the beginning of a line.
    private static func field(_ line: Substring) -> (name: String, value: Substring)? {
        guard let first = line.first, !first.isWhitespace, !"#-[]{}&*!|>%@`?,".contains(first) else {
            return nil
        }
        if first == "\"" || first == "'" {
            guard let (name, rest) = quoted(line), rest.first == ":" else { return nil }
            return name.isEmpty ? nil : (name, rest.dropFirst())
        }
        // A colon inside of a word, as in an address, is none.
        var search = line[...]
        while let colon = search.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...]
            if value.first?.isWhitespace ?? true {
                let name = line[..<colon].trimmingSpace
                return name.isEmpty ? nil : (name, value)
            }
            search = search[search.index(after: colon)...]
        }
        return nil
    }

    /// The lines that belong to the field above: those further in, items of a list, the end of a bracket, and empty
    /// ones between.
    private static func innerLines(_ rest: inout ArraySlice<String>) -> [Substring] {
        var inner: [Substring] = []
        while let line = rest.first {
            let isBlank = line.allSatisfy(\.isWhitespace)
            guard
                isBlank || line.first?.isWhitespace == true || line == "-" || line.hasPrefix("- ")
                    || line.hasPrefix("]")
            else { break }
            inner.append(line[...])
            rest.removeFirst()
        }
        while let last = inner.last, last.allSatisfy(\.isWhitespace) { inner.removeLast() }
        return inner
    }

    // MARK: Values

    /// `nil` for no value, and for one that is passed over.
    private static func value(_ text: Substring, _ inner: [Substring]) -> Value? {
        let text = text.trimmingSpace[...]
        switch text.first {
        case "|", ">": return block(inner, isFolded: text.first == ">")
        case "[":
            return flowList(([text] + inner.map { $0[...] }).joined(separator: " ")).map { .list($0) }
        case "{", "&", "*", "!": return nil
        case nil, "#":
            let items = inner.filter { !$0.allSatisfy(\.isWhitespace) }
            guard !items.isEmpty, items.first.map({ $0.trimmingSpace.hasPrefix("-") }) ?? false else {
                return nil
            }
            return .list(self.items(items))
        default:
            // A plain or quoted scalar may go on in the lines below.
            let whole = ([text.trimmingSpace] + inner.map(\.trimmingSpace)).filter { !$0.isEmpty }
                .joined(separator: " ")
            return scalar(whole[...]).map { .scalar($0.text, isQuoted: $0.isQuoted) }
        }
    }

    /// The items of a list that are scalars.
    private static func items(_ lines: [Substring]) -> [String] {
        let indentation = lines.first?.prefix { $0 == " " }.count ?? 0
        return lines.compactMap { line in
            // What is further in belongs to an item that is no scalar.
            guard line.prefix(while: { $0 == " " }).count == indentation else { return nil }
            let text = line.trimmingSpace
            guard text.hasPrefix("- ") else { return nil }
            let item = text.dropFirst(2).trimmingSpace[...]
            guard let first = item.first, !"{&*!|>".contains(first), first == "\"" || field(item) == nil
            else {
                return nil
            }
            return scalar(item)?.text
        }
    }

    /// Lines as they are, without what all are indented by; folded: a paragraph is one line.
    private static func block(_ lines: [Substring], isFolded: Bool) -> Value? {
        let indentation =
            lines.filter { !$0.allSatisfy(\.isWhitespace) }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
        let plain = lines.map { String($0.dropFirst(min(indentation, $0.count))) }
        let text =
            isFolded
            ? plain.split(whereSeparator: { $0.allSatisfy(\.isWhitespace) })
                .map { $0.joined(separator: " ") }.joined(separator: "\n")
            : plain.joined(separator: "\n")
        return text.isEmpty ? nil : .scalar(text, isQuoted: true)
    }

    /// `nil` for nothing, `null` and `~`.
    private static func scalar(_ text: Substring) -> (text: String, isQuoted: Bool)? {
        if text.first == "\"" || text.first == "'" {
            guard let (string, rest) = quoted(text) else { return nil }
            let comment = rest.trimmingSpace
            return comment.isEmpty || comment.hasPrefix("#") ? (string, true) : nil
        }
        var plain = text
        if let comment = plain.firstRange(of: " #") { plain = plain[..<comment.lowerBound] }
        let word = plain.trimmingSpace
        return word.isEmpty || word == "~" || word.lowercased() == "null" ? nil : (word, false)
    }

    /// `[a, "b, c"]`, without lists inside of it; `nil` where it has no end.
    private static func flowList(_ text: String) -> [String]? {
        var items: [String] = []
        var rest = text.dropFirst()
        while true {
            rest = rest.drop { $0.isWhitespace || $0 == "," }
            guard let first = rest.first else { return nil }
            if first == "]" { return items }
            guard first != "[", first != "{" else { return nil }
            if first == "\"" || first == "'" {
                guard let (item, after) = quoted(rest) else { return nil }
                items.append(item)
                rest = after
            } else {
                let item = rest.prefix { $0 != "," && $0 != "]" }
                if let (text, _) = scalar(item) { items.append(text) }
                rest = rest.dropFirst(item.count)
            }
        }
    }

    /// What stands between quotation marks, and what follows them; `nil` where there is no second one.
    private static func quoted(_ text: Substring) -> (text: String, rest: Substring)? {
        guard let mark = text.first else { return nil }
        var string = ""
        var rest = text.dropFirst()
        while let character = rest.popFirst() {
            if character == mark {
                // Two single ones are one.
                guard mark == "'", rest.first == mark else { return (string, rest) }
                rest.removeFirst()
                string.append(mark)
            } else if character == "\\", mark == "\"" {
                guard let escaped = escaped(&rest) else { return nil }
                string.append(escaped)
            } else {
                string.append(character)
            }
        }
        return nil
    }

    private static func escaped(_ rest: inout Substring) -> Character? {
        guard let sign = rest.popFirst() else { return nil }
        switch sign {
        case "n": return "\n"
        case "t": return "\t"
        case "\"", "\\", "/", " ": return sign
        case "x", "u", "U":
            let count = sign == "x" ? 2 : sign == "u" ? 4 : 8
            let digits = rest.prefix(count)
            guard digits.count == count, let value = UInt32(digits, radix: 16),
                let scalar = Unicode.Scalar(value)
            else { return nil }
            rest = rest.dropFirst(count)
            return Character(scalar)
        default: return nil
        }
    }
}
