/// Writes JSON: on one line, members in the order in which they are given, numbers with the fewest digits
/// that read back to the same bits.
///
/// Beginnings and ends are the caller's to match; commas and colons are put by the writer.
///
///     var json = JSONWriter()
///     json.beginObject()
///     json.name("committed")
///     json.write(1_000)
///     json.endObject()
///     print(json.text)        // {"committed":1000}
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false

    init() {}

    /// What was written.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// One value as text.
    static func text(of value: JSONValue) -> String {
        var writer = JSONWriter()
        writer.write(value)
        return writer.text
    }

    /// Forgets what was written, and keeps the room.
    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        needsComma = false
    }

    mutating func beginObject() { begin("{") }
    mutating func endObject() { end("}") }
    mutating func beginArray() { begin("[") }
    mutating func endArray() { end("]") }

    /// The name of the member whose value comes next.
    mutating func name(_ name: String) {
        comma()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    mutating func write(_ value: String) {
        comma()
        quote(value)
    }

    mutating func write(_ value: Bool) { put(value ? "true" : "false") }
    mutating func write(_ value: some FixedWidthInteger) { put(String(value)) }
    mutating func writeNull() { put("null") }

    /// JSON has no infinity and no NaN: they become `null`.
    mutating func write(_ value: Double) { put(value.isFinite ? Self.shortened(value.description) : "null") }

    /// The digits of the `Float`, which are half of those of its `Double`.
    mutating func write(_ value: Float) {
        guard value.isFinite else { return writeNull() }
        let text = Self.shortened(value.description)
        // A reader goes by way of a `Double`. Where rounding twice would give another `Float` (for a
        // handful of all that there are), the digits of the `Double` are written.
        if let double = Double(text), Float(double) == value { put(text) } else { write(Double(value)) }
    }

    mutating func write(_ value: JSONValue) {
        switch value {
        case .null: writeNull()
        case .bool(let value): write(value)
        case .number(let value): write(value)
        case .string(let value): write(value)
        case .array(let elements):
            beginArray()
            for element in elements { write(element) }
            endArray()
        case .object(let object):
            beginObject()
            for member in object.members {
                name(member.name)
                write(member.value)
            }
            endObject()
        }
    }

    mutating func write(_ vector: [Float]) {
        beginArray()
        for component in vector { write(component) }
        endArray()
    }

    // MARK: Bytes

    private mutating func begin(_ bracket: Unicode.Scalar) {
        comma()
        bytes.append(UInt8(ascii: bracket))
        needsComma = false
    }

    private mutating func end(_ bracket: Unicode.Scalar) {
        bytes.append(UInt8(ascii: bracket))
        needsComma = true
    }

    private mutating func comma() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func put(_ text: String) {
        comma()
        bytes.append(contentsOf: text.utf8)
    }

    /// `5.0` is written as `5`.
    private static func shortened(_ description: String) -> Substring.SubSequence {
        description.hasSuffix(".0") ? description.dropLast(2) : description[...]
    }

    private mutating func put(_ text: Substring) {
        comma()
        bytes.append(contentsOf: text.utf8)
    }

    /// Escapes what JSON asks for, and what a terminal or a script would take for a command: DEL, the
    /// controls of 0x80 to 0x9F, the two separators of Unicode that end a line, and what turns the direction of
    /// writing.
    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        // Most strings hold nothing to escape: bytes below 0x20, quotes, backslashes, DEL, and the lead
        // bytes of U+0080...U+00BF and U+2000...U+2FFF.
        let needsCare = text.utf8.contains {
            $0 < 0x20 || $0 == 0x22 || $0 == 0x5C || $0 == 0x7F || $0 == 0xC2 || $0 == 0xE2
        }
        if needsCare {
            for scalar in text.unicodeScalars { quote(scalar) }
        } else {
            bytes.append(contentsOf: text.utf8)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func quote(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": bytes.append(contentsOf: "\\\"".utf8)
        case "\\": bytes.append(contentsOf: "\\\\".utf8)
        case "\n": bytes.append(contentsOf: "\\n".utf8)
        case "\r": bytes.append(contentsOf: "\\r".utf8)
        case "\t": bytes.append(contentsOf: "\\t".utf8)
        case "\u{0}"..<"\u{20}", "\u{7F}"..<"\u{A0}", "\u{2028}"..."\u{202E}", "\u{2066}"..."\u{2069}":
            let digits = String(scalar.value, radix: 16)
            bytes.append(contentsOf: ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8)
        default: bytes.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
        }
    }
}
