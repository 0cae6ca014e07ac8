/// Reads fields of the top level out of the JSON text of an attribute, in one pass and without a tree.
///
/// The text is read, and checked, no further than to the last field that is asked for, as Redis does: what
/// stands behind it may be wrong. Without any field, all of it is checked. Of objects and arrays that are
/// skipped, only strings and the number of brackets are.
///
/// Readable are numbers, strings, `true` as 1 and `false` as 0, `null`, and arrays of these, of up to
/// `maximumListCount` values. Any other value counts as missing, and of a name that stands twice the first
/// value counts. Zeros before a number are let pass, and so are control characters and bytes that are no
/// UTF-8 in a string; half a pair of surrogates is read as U+FFFD.
struct AttributeObject {
    /// The most values of a list, since each takes twenty times the memory of its shortest text.
    static let maximumListCount = 65_536

    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Puts the value of each field into `values`, at the index of its name. Returns whether all are there.
    ///
    /// - Precondition: `names` are sorted byte by byte, and `values` begins with as many of `absent`.
    /// - Complexity: O(bytes), times the logarithm of the number of names for the names in the text.
    mutating func read(_ names: [[UInt8]], into values: inout MutableSpan<FilterValue>) -> Bool {
        skipSpace()
        guard skip(UInt8(ascii: "{")) else { return false }
        var missing = names.count
        skipSpace()
        if !skip(UInt8(ascii: "}")) {
            repeat {
                skipSpace()
                guard let name = string() else { return false }
                skipSpace()
                guard skip(UInt8(ascii: ":")) else { return false }
                skipSpace()
                if let index = Self.index(of: name, in: names), case .absent = values[index] {
                    guard let value = value() else { return false }
                    values[index] = value
                    missing -= 1
                    if missing == 0 { return true }
                } else {
                    guard skipValue() else { return false }
                }
                skipSpace()
            } while skip(UInt8(ascii: ","))
            guard skip(UInt8(ascii: "}")) else { return false }
        }
        skipSpace()
        return missing == 0 && position == bytes.count
    }

    private static func index(of name: ArraySlice<UInt8>, in names: [[UInt8]]) -> Int? {
        var low = 0
        var high = names.count
        while low < high {
            let middle = (low + high) / 2
            if name.elementsEqual(names[middle]) { return middle }
            if names[middle].lexicographicallyPrecedes(name) { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    // MARK: Values

    private mutating func value() -> FilterValue? {
        guard skip(UInt8(ascii: "[")) else { return scalar() }
        skipSpace()
        if skip(UInt8(ascii: "]")) { return .list([]) }
        var values: [FilterValue] = []
        repeat {
            skipSpace()
            guard values.count < Self.maximumListCount, let value = scalar() else { return nil }
            values.append(value)
            skipSpace()
        } while skip(UInt8(ascii: ","))
        return skip(UInt8(ascii: "]")) ? .list(values) : nil
    }

    private mutating func scalar() -> FilterValue? {
        switch byte() {
        case UInt8(ascii: "\""): string().map(FilterValue.string)
        case UInt8(ascii: "t"): skip("true") ? .number(1) : nil
        case UInt8(ascii: "f"): skip("false") ? .number(0) : nil
        case UInt8(ascii: "n"): skip("null") ? .null : nil
        case UInt8(ascii: "-"):
            skip(UInt8(ascii: "-")) ? readDecimal(bytes, at: &position).map { .number(-$0) } : nil
        default: readDecimal(bytes, at: &position).map(FilterValue.number)
        }
    }

    /// Steps over a value, however deep it is nested.
    private mutating func skipValue() -> Bool {
        guard let first = byte() else { return false }
        guard first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else {
            return first == UInt8(ascii: "\"") ? skipString() : scalar() != nil
        }
        var depth = 0
        while let byte = byte() {
            switch byte {
            case UInt8(ascii: "\""):
                guard skipString() else { return false }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            position += 1
            if depth == 0 { return true }
        }
        return false
    }

    // MARK: Strings

    /// Steps over a string without looking at its escapes.
    private mutating func skipString() -> Bool {
        position += 1
        while let byte = byte() {
            position += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\"") { return true }
        }
        return false
    }

    private mutating func string() -> ArraySlice<UInt8>? {
        guard skip(UInt8(ascii: "\"")) else { return nil }
        let begin = position
        while let byte = byte() {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return bytes[begin..<(position - 1)]
            case UInt8(ascii: "\\"):
                return escapedString(from: begin)
            default: position += 1
            }
        }
        return nil
    }

    /// The rest of a string in which there is a backslash.
    private mutating func escapedString(from begin: Int) -> ArraySlice<UInt8>? {
        var unescaped = Array(bytes[begin..<position])
        while let byte = byte() {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return unescaped[...]
            case UInt8(ascii: "\\"): guard appendEscaped(to: &unescaped) else { return nil }
            default: unescaped.append(byte)
            }
        }
        return nil
    }

    /// Appends what the characters behind a backslash stand for. Returns `false` if they are no escape.
    private mutating func appendEscaped(to unescaped: inout [UInt8]) -> Bool {
        guard let byte = byte() else { return false }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(byte)
        case UInt8(ascii: "b"): unescaped.append(0x08)
        case UInt8(ascii: "f"): unescaped.append(0x0C)
        case UInt8(ascii: "n"): unescaped.append(0x0A)
        case UInt8(ascii: "r"): unescaped.append(0x0D)
        case UInt8(ascii: "t"): unescaped.append(0x09)
        case UInt8(ascii: "u"):
            guard var code = fourDigits() else { return false }
            if (0xD800..<0xDC00).contains(code) {
                let behind = position
                if skip("\\u"), let low = fourDigits(), (0xDC00..<0xE000).contains(low) {
                    code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
                } else {
                    // What follows is another character, or no escape; it is read as such.
                    position = behind
                }
            }
            unescaped.append(contentsOf: String(Unicode.Scalar(code) ?? "\u{FFFD}").utf8)
        default: return false
        }
        return true
    }

    private mutating func fourDigits() -> UInt32? {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = byte(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                return nil
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }

    // MARK: Bytes

    private func byte() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skip(_ byte: UInt8) -> Bool {
        guard self.byte() == byte else { return false }
        position += 1
        return true
    }

    private mutating func skip(_ word: String) -> Bool {
        guard bytes[position...].starts(with: word.utf8) else { return false }
        position += word.utf8.count
        return true
    }

    private mutating func skipSpace() {
        while let byte = byte() {
            switch byte {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }
}

/// The number without a sign that begins at `position`, with its fraction and its exponent; `nil` where no
/// digit stands. Steps behind it.
func readDecimal(_ bytes: [UInt8], at position: inout Int) -> Double? {
    let begin = position
    var digits: UInt64 = 0
    /// Steps over digits. Returns how many they are.
    func readDigits() -> Int {
        let first = position
        while position < bytes.count {
            let digit = bytes[position] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            digits = digits &* 10 &+ UInt64(digit)
            position += 1
        }
        return position - first
    }

    let wholeCount = readDigits()
    guard wholeCount > 0 else { return nil }
    var fractionCount = 0
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
        position += 1
        fractionCount = readDigits()
        if fractionCount == 0 { position -= 1 }
    }
    var isPlain = wholeCount + fractionCount <= 15
    let mantissa = digits
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
        let mark = position
        position += 1
        if position < bytes.count,
            bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-")
        {
            position += 1
        }
        if readDigits() == 0 { position = mark } else { isPlain = false }
    }
    // Up to 15 digits and their power of ten are exact in a `Double`, so the one division rounds correctly
    // (Clinger, "How to Read Floating Point Numbers Accurately", 1990).
    if isPlain { return Double(mantissa) / powersOfTen[fractionCount] }
    return Double(String(decoding: bytes[begin..<position], as: UTF8.self))
}

private let powersOfTen: [Double] = (0...15).map { count in (0..<count).reduce(1) { power, _ in power * 10 } }
