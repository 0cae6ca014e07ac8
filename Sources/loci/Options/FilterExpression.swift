import ArgumentParser
import MemoryEngine

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

    /// Words and signs; what stands between double quotes is one piece of a word. Of the value of an attribute the quotes
    /// stay, as they tell a text from a number.
    private static func tokens(of text: String) throws -> [String] {
        var tokens: [String] = []
        var word = ""
        var isQuoted = false
        var keepsQuotes = false
        var rest = text[...]
        func end() {
            if !word.isEmpty { tokens.append(word) }
            word = ""
        }
        while let character = rest.first {
            if isQuoted || character == "\"" {
                if character == "\"" {
                    if !isQuoted {
                        keepsQuotes =
                            word.last == "=" && !word.dropLast().contains(where: { ":=<>^".contains($0) })
                    }
                    isQuoted.toggle()
                }
                if character != "\"" || keepsQuotes { word.append(character) }
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
