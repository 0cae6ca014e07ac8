/// Why bytes are no JSON, and at which of them, counted from 0.
struct JSONError: Error, Equatable, CustomStringConvertible {
    let offset: Int
    let message: String

    var description: String { "at byte \(offset + 1): \(message)" }
}

/// Reads one JSON text (RFC 8259, 2017), and nothing that is not one: no comments, no trailing commas, no
/// lone surrogates, no name twice in an object, no number beyond a `Double`.
///
/// Bounded, whatever the bytes are: nesting by `maximumDepth`, the values of a text by `maximumValueCount`
/// (24 bytes each). Numbers are the nearest `Double`, ties to even.
///
/// It stands here because Foundation's parser takes 13 times as long for a line with a vector of 384 numbers.
struct JSONParser {
    static let maximumDepth = 32
    static let maximumValueCount = 8_000_000

    let bytes: [UInt8]
    var position = 0
    private var depth = 0
    private var valueCount = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The value of a whole text.
    ///
    /// - Throws: `JSONError`.
    /// - Complexity: O(bytes)
    static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes)
        parser.skipSpace()
        let value = try parser.value()
        parser.skipSpace()
        guard parser.position == bytes.count else { throw parser.error("\(parser.here) after the end") }
        return value
    }

    /// The value of a whole text.
    static func parse(_ text: String) throws(JSONError) -> JSONValue { try parse(Array(text.utf8)) }

    // MARK: Values

    private mutating func value() throws(JSONError) -> JSONValue {
        valueCount += 1
        guard valueCount <= Self.maximumValueCount else {
            throw error("more than \(Self.maximumValueCount) values")
        }
        guard position < bytes.count else { throw error("it ends where a value should be") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: throw error("\(here) where a value should be")
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        let expected = Array(word.description.utf8)
        guard bytes[position...].starts(with: expected) else {
            throw error("\(here) where a value should be")
        }
        position += expected.count
        return value
    }

    private mutating func array() throws(JSONError) -> JSONValue {
        try enter()
        var elements: [JSONValue] = []
        if !skip(UInt8(ascii: "]")) {
            repeat {
                skipSpace()
                elements.append(try value())
                skipSpace()
            } while skip(UInt8(ascii: ","))
            guard skip(UInt8(ascii: "]")) else { throw error("\(here) where `,` or `]` should be") }
        }
        depth -= 1
        return .array(elements)
    }

    private mutating func object() throws(JSONError) -> JSONValue {
        try enter()
        var members: [JSONObject.Member] = []
        var names: Set<String> = []
        if !skip(UInt8(ascii: "}")) {
            repeat {
                skipSpace()
                guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
                    throw error("\(here) where a name should be")
                }
                let begin = position
                let name = try string()
                skipSpace()
                guard skip(UInt8(ascii: ":")) else { throw error("\(here) where `:` should be") }
                skipSpace()
                let value = try value()
                // Small objects, nearly all, need no set.
                if members.count == 16 { names = Set(members.map(\.name)) }
                let isKnown =
                    members.count < 16
                    ? members.contains { $0.name == name } : !names.insert(name).inserted
                guard !isKnown else {
                    throw JSONError(offset: begin, message: "`\(name.prefix(40))` stands twice in one object")
                }
                members.append(JSONObject.Member(name: name, value: value))
                skipSpace()
            } while skip(UInt8(ascii: ","))
            guard skip(UInt8(ascii: "}")) else { throw error("\(here) where `,` or `}` should be") }
        }
        depth -= 1
        return .object(JSONObject(members))
    }

    /// Steps behind a bracket that opens, and the space after it.
    private mutating func enter() throws(JSONError) {
        guard depth < Self.maximumDepth else { throw error("nested more than \(Self.maximumDepth) deep") }
        depth += 1
        position += 1
        skipSpace()
    }

    // MARK: Strings

    private mutating func string() throws(JSONError) -> String {
        position += 1
        let begin = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let text = try text(bytes[begin..<position], at: begin)
                position += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(from: begin) }
            if byte < 0x20 { throw error("a control character in a string; write it as `\\u\(hex(byte))`") }
            position += 1
        }
        throw JSONError(offset: begin - 1, message: "a string without an end")
    }

    /// The rest of a string in which there is a backslash.
    private mutating func escapedString(from begin: Int) throws(JSONError) -> String {
        var buffer = Array(bytes[begin..<position])
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let text = try text(buffer[...], at: begin)
                position += 1
                return text
            }
            if byte < 0x20 { throw error("a control character in a string; write it as `\\u\(hex(byte))`") }
            position += 1
            if byte == UInt8(ascii: "\\") {
                buffer.append(contentsOf: try escaped())
            } else {
                buffer.append(byte)
            }
        }
        throw JSONError(offset: begin - 1, message: "a string without an end")
    }

    /// The character that stands behind a backslash, in UTF-8.
    private mutating func escaped() throws(JSONError) -> [UInt8] {
        guard position < bytes.count else { throw error("it ends within a string") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): break
        default:
            position -= 1
            throw error("no such escape in a string: a backslash and \(here)")
        }
        let begin = position - 2
        var code = try fourDigits()
        if (0xD800..<0xDC00).contains(code), bytes[position...].starts(with: [0x5C, 0x75]) {
            position += 2
            let low = try fourDigits()
            guard (0xDC00..<0xE000).contains(low) else {
                throw JSONError(offset: begin, message: "half of a pair of surrogates")
            }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else {
            throw JSONError(offset: begin, message: "half of a pair of surrogates")
        }
        return Array(UTF8.encode(scalar).map(Array.init) ?? [])
    }

    private mutating func fourDigits() throws(JSONError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count, let digit = hexDigit(bytes[position]) else {
                throw error("four hexadecimal digits follow `\\u`")
            }
            code = code << 4 | digit
            position += 1
        }
        return code
    }

    private func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    private func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// Escapes decode to whole characters, so that only bytes as they stand can be wrong.
    private func text(_ utf8: ArraySlice<UInt8>, at offset: Int) throws(JSONError) -> String {
        guard let text = String(validating: utf8, as: UTF8.self) else {
            throw JSONError(offset: offset, message: "a string that is not UTF-8")
        }
        return text
    }

    // MARK: Bytes

    mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func skip(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    func error(_ message: String) -> JSONError { JSONError(offset: position, message: message) }

    /// What stands at the position, for a message.
    var here: String {
        guard position < bytes.count else { return "the end" }
        let byte = bytes[position]
        return (0x21...0x7E).contains(byte) ? "`\(Character(Unicode.Scalar(byte)))`" : "byte \(byte)"
    }
}
