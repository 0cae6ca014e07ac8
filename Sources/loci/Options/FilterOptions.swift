import ArgumentParser
import MemoryEngine

/// Which memories take part; all conditions must hold.
struct FilterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Of this kind; given again: of any of them.", valueName: "kind"))
    var kind: [String] = []
    @Option(help: ArgumentHelp("With this tag; given again: with all of them.", valueName: "tag"))
    var tag: [String] = []
    @Option(help: ArgumentHelp("By this actor; given again: by any of them.", valueName: "actor"))
    var actor: [String] = []
    @Option(help: ArgumentHelp("Of this thread.", valueName: "thread"))
    var thread: String?
    @Option(
        help: ArgumentHelp("With this attribute; given again: with all.", valueName: "name=value"),
        transform: Accept.attribute)
    var attribute: [AttributeArgument] = []
    @Option(
        help: ArgumentHelp(
            "Happened then or later: 2026-11-23, yesterday, \"2 days ago\".", valueName: "time"),
        transform: Accept.time)
    var since: Timestamp?
    @Option(help: ArgumentHelp("Happened before then.", valueName: "time"), transform: Accept.time)
    var until: Timestamp?
    @Option(help: ArgumentHelp("Believed at least so far: untrusted, known, verified.", valueName: "trust"))
    var trust: Trust?
    @Option(
        help: ArgumentHelp(
            "Any condition: kind:, tag:, actor:, thread:, session:, by: (principal), has: (attribute), "
                + "attribute names with =, trust:, importance:, since:, before:, pinned, joined by && || ! and "
                + "parentheses.",
            valueName: "expression"))
    var filter: String?

    /// `nil` where nothing was said.
    func condition() throws -> Filter? {
        var parts: [Filter] = []
        if !kind.isEmpty { parts.append(Self.any(kind.map { .kind(MemoryKind(rawValue: $0)) })) }
        parts += tag.map { .tag($0) }
        if !actor.isEmpty { parts.append(Self.any(actor.map { .actor($0) })) }
        if let thread { parts.append(.thread(thread)) }
        parts += attribute.map { .attribute($0.name, $0.value) }
        if since != nil || until != nil {
            let from = since ?? .distantPast
            let until = until ?? .distantFuture
            guard from < until else {
                throw ValidationError("--until, \(until), is not after --since, \(from)")
            }
            parts.append(.happened(from..<until))
        }
        if let trust { parts.append(.trust(atLeast: trust)) }
        if let filter { parts.append(try FilterExpression.parse(filter)) }
        return parts.isEmpty ? nil : parts.count == 1 ? parts[0] : .all(parts)
    }

    private static func any(_ parts: [Filter]) -> Filter { parts.count == 1 ? parts[0] : .any(parts) }
}

/// Reads a filter as a person writes it: `kind:fact && (tag:deploy || !actor:"Ada Lovelace") && size=3`.
///
///     or    = and { "||" and }
///     and   = not { "&&" not }
///     not   = "!" not | "(" or ")" | condition
struct FilterExpression {
    private var tokens: [String]
    private var position = 0
    private var depth = 0
    private let now: Timestamp

    /// - Parameter now: what `since:yesterday` counts from.
    /// - Throws: `ValidationError`, which says what was expected where.
    static func parse(_ text: String, now: Timestamp = .now) throws -> Filter {
        var parser = FilterExpression(tokens: try tokens(of: text), now: now)
        let filter = try parser.or()
        guard parser.position == parser.tokens.count else { throw parser.error("`&&`, `||` or the end") }
        return filter
    }

    private mutating func or() throws -> Filter {
        var parts = [try and()]
        while skip("||") { parts.append(try and()) }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func and() throws -> Filter {
        var parts = [try not()]
        while skip("&&") { parts.append(try not()) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func not() throws -> Filter {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Filter.maximumDepth else { throw ValidationError("the filter is nested too deep") }
        if skip("!") { return .not(try not()) }
        if skip("(") {
            let inner = try or()
            guard skip(")") else { throw error("`)`") }
            return inner
        }
        guard position < tokens.count, !["&&", "||", ")"].contains(tokens[position]) else {
            throw error("a condition")
        }
        position += 1
        return try Self.condition(tokens[position - 1], now: now)
    }

    private mutating func skip(_ token: String) -> Bool {
        guard position < tokens.count, tokens[position] == token else { return false }
        position += 1
        return true
    }

    private func error(_ expected: String) -> ValidationError {
        let found = position < tokens.count ? "`\(tokens[position])`" : "the end"
        return ValidationError("in the filter \(expected) should stand where \(found) is")
    }

    private static func condition(_ text: String, now: Timestamp) throws -> Filter {
        if text == "pinned" { return .isPinned }
        if let colon = text.firstIndex(of: ":"), !text[..<colon].contains("=") {
            let value = String(text[text.index(after: colon)...])
            func refuse(_ accepted: String) -> ValidationError {
                ValidationError("in the filter `\(text)` is no condition; write \(accepted)")
            }
            switch text[..<colon] {
            case "kind": return .kind(MemoryKind(rawValue: value))
            case "tag": return .tag(value)
            case "actor": return .actor(value)
            case "thread": return .thread(value)
            case "session": return .session(value.isEmpty ? nil : value)
            case "by": return .principal(value)
            case "has": return .hasAttribute(value)
            case "trust":
                guard let trust = Trust(name: value) else {
                    throw refuse("trust:untrusted, trust:known or trust:verified")
                }
                return .trust(atLeast: trust)
            case "importance":
                guard let number = Float(value), (0...1).contains(number) else {
                    throw refuse("importance: and a number from 0 to 1, as importance:0.8")
                }
                return .importance(atLeast: number)
            case "since":
                guard let time = TimeArgument.parse(value, now: now) else {
                    throw refuse("since: and \(TimeArgument.accepted)")
                }
                return .happened(time..<Timestamp.distantFuture)
            case "before":
                guard let time = TimeArgument.parse(value, now: now) else {
                    throw refuse("before: and \(TimeArgument.accepted)")
                }
                return .happened(Timestamp.distantPast..<time)
            default: break
            }
        } else if let attribute = AttributeArgument(text) {
            return .attribute(attribute.name, attribute.value)
        }
        throw ValidationError(
            "`\(text)` is no condition; write kind:, tag:, actor:, thread:, session:, by:, has:, trust:, "
                + "importance:, since:, before:, name=value or pinned")
    }

    /// Words and signs; what stands between double quotes is one piece of a word.
    private static func tokens(of text: String) throws -> [String] {
        var tokens: [String] = []
        var word = ""
        var isQuoted = false
        var rest = text[...]
        func end() {
            if !word.isEmpty { tokens.append(word) }
            word = ""
        }
        while let character = rest.first {
            if isQuoted || character == "\"" {
                if character == "\"" { isQuoted.toggle() } else { word.append(character) }
                rest = rest.dropFirst()
            } else if character.isWhitespace {
                end()
                rest = rest.dropFirst()
            } else if let sign = ["&&", "||", "(", ")"].first(where: { rest.hasPrefix($0) }) {
                end()
                tokens.append(sign)
                rest = rest.dropFirst(sign.count)
            } else if character == "!", word.isEmpty {
                tokens.append("!")
                rest = rest.dropFirst()
            } else {
                word.append(character)
                rest = rest.dropFirst()
            }
        }
        guard !isQuoted else { throw ValidationError("a quotation in the filter has no end") }
        end()
        guard tokens.count <= 1_000 else { throw ValidationError("the filter has more than 1,000 parts") }
        return tokens
    }
}
