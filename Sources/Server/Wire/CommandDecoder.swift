/// Makes commands of the bytes that a client sends: arrays of bulk strings, as all libraries send them, or a line of words,
/// as a person types it (the Redis serialization protocol, "Sending commands to a Redis server" and "Inline commands").
///
/// It takes bytes as they come, in pieces of any size, and looks at each of them a bounded number of times. What is not
/// complete yet takes no more memory than was sent.
package struct CommandDecoder {
    package let limits: WireLimits
    /// A stranger may send little.
    package var isKnown = true

    private var buffer: [UInt8] = []
    /// Where what is not read yet begins.
    private var start = 0
    /// Up to here there is no end of a line.
    private var scanned = 0
    /// Arguments that the command still lacks; `nil` between two commands.
    private var lacking: Int?
    /// The length of the argument that comes.
    private var length: Int?
    private var arguments: [[UInt8]] = []
    private var byteCount = 0

    package init(limits: WireLimits) { self.limits = limits }

    /// Whether there are bytes of a command that is not whole.
    var isInsideCommand: Bool { lacking != nil || start < buffer.count }

    package mutating func append(_ bytes: some Collection<UInt8>) {
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: buffer.capacity <= 1 << 20)
            start = 0
            scanned = 0
        } else if start > 64 << 10, start > buffer.count / 2 {
            buffer.removeSubrange(..<start)
            scanned -= start
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next command, with its name first; `nil` until there is more. Empty ones are passed over.
    ///
    /// - Throws: `ProtocolError`, with the words that Redis has for it. Nothing can be read after it.
    package mutating func next() throws(ProtocolError) -> [[UInt8]]? {
        while true {
            if lacking == nil {
                guard start < buffer.count else { return nil }
                guard buffer[start] == UInt8(ascii: "*") else {
                    guard let line = try line(orRefuse: "too big inline request") else { return nil }
                    let words = try Self.words(line)
                    guard !words.isEmpty else { continue }
                    try checkCount(words.count)
                    if !isKnown, words.contains(where: { $0.count > limits.strangerArgumentByteCount }) {
                        throw ProtocolError("unauthenticated bulk length")
                    }
                    return words
                }
                guard let line = try line(orRefuse: "too big mbulk count string") else { return nil }
                guard let count = Self.number(line.dropFirst()), count <= limits.argumentCount else {
                    throw ProtocolError("invalid multibulk length")
                }
                guard count > 0 else { continue }
                try checkCount(count)
                lacking = count
                byteCount = 0
            }
            guard try readArguments() else { return nil }
            lacking = nil
            defer { arguments = [] }
            return arguments
        }
    }

    private func checkCount(_ count: Int) throws(ProtocolError) {
        if !isKnown, count > limits.strangerArgumentCount {
            throw ProtocolError("unauthenticated multibulk length")
        }
    }

    /// Reads what is there of the command's arguments; true when it has all.
    private mutating func readArguments() throws(ProtocolError) -> Bool {
        while let count = lacking, count > 0 {
            if length == nil {
                guard start < buffer.count else { return false }
                guard buffer[start] == UInt8(ascii: "$") else {
                    let found = buffer[start]
                    let shown = (0x20..<0x7f).contains(found) ? String(UnicodeScalar(found)) : "?"
                    throw ProtocolError("expected '$', got '\(shown)'")
                }
                guard let line = try line(orRefuse: "too big bulk count string") else { return false }
                guard let count = Self.number(line.dropFirst()),
                    (0...limits.argumentByteCount).contains(count)
                else { throw ProtocolError("invalid bulk length") }
                if !isKnown, count > limits.strangerArgumentByteCount {
                    throw ProtocolError("unauthenticated bulk length")
                }
                byteCount += count
                guard byteCount <= limits.commandByteCount else {
                    throw ProtocolError("a command has at most \(limits.commandByteCount) bytes")
                }
                length = count
            }
            guard let length, buffer.count - start >= length + 2 else { return false }
            let end = start + length
            guard buffer[end] == 0x0d, buffer[end + 1] == 0x0a else {
                throw ProtocolError("an argument of \(length) bytes does not end there")
            }
            arguments.append(Array(buffer[start..<end]))
            start = end + 2
            scanned = start
            self.length = nil
            lacking = count - 1
        }
        return true
    }

    /// A line without its end, which is LF or CR LF; `nil` until there is one.
    private mutating func line(orRefuse message: String) throws(ProtocolError) -> ArraySlice<UInt8>? {
        let from = max(scanned, start)
        guard let end = buffer[from...].firstIndex(of: 0x0a) else {
            scanned = buffer.count
            guard buffer.count - start <= limits.lineByteCount else { throw ProtocolError(message) }
            return nil
        }
        guard end - start <= limits.lineByteCount else { throw ProtocolError(message) }
        var line = buffer[start..<end]
        if line.last == 0x0d { line.removeLast() }
        start = end + 1
        scanned = start
        return line
    }

    /// A number in decimal digits, a minus before it where it is negative.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        var rest = digits
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest.removeFirst() }
        guard (1...18).contains(rest.count) else { return nil }
        var number = 0
        for digit in rest {
            guard (0x30...0x39).contains(digit) else { return nil }
            number = number * 10 + Int(digit - 0x30)
        }
        return isNegative ? -number : number
    }

    /// The words of a line. In double quotes `\n`, `\r`, `\t`, `\b`, `\a`, `\\`, `\"` and `\xHH` stand for bytes; in single
    /// ones `\'` does.
    private static func words(_ line: ArraySlice<UInt8>) throws(ProtocolError) -> [[UInt8]] {
        let unbalanced = ProtocolError("unbalanced quotes in request")
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) || byte == 0 }
        var words: [[UInt8]] = []
        var rest = line
        while true {
            rest = rest.drop(while: isSpace)
            guard !rest.isEmpty else { return words }
            var word: [UInt8] = []
            while let byte = rest.popFirst(), !isSpace(byte) {
                guard byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") else {
                    word.append(byte)
                    continue
                }
                while true {
                    guard let inner = rest.popFirst() else { throw unbalanced }
                    if inner == byte { break }
                    guard inner == UInt8(ascii: "\\"), let next = rest.first else {
                        word.append(inner)
                        continue
                    }
                    if byte == UInt8(ascii: "'") {
                        if next == byte { rest.removeFirst() }
                        word.append(next == byte ? next : inner)
                    } else {
                        rest.removeFirst()
                        word.append(unescaped(next, &rest))
                    }
                }
                // A closing quote ends the word.
                if let next = rest.first, !isSpace(next) { throw unbalanced }
            }
            words.append(word)
        }
    }

    private static func unescaped(_ byte: UInt8, _ rest: inout ArraySlice<UInt8>) -> UInt8 {
        switch byte {
        case UInt8(ascii: "n"): return 0x0a
        case UInt8(ascii: "r"): return 0x0d
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "a"): return 0x07
        case UInt8(ascii: "x"):
            let digits = rest.prefix(2).compactMap { Character(UnicodeScalar($0)).hexDigitValue }
            guard digits.count == 2 else { return byte }
            rest = rest.dropFirst(2)
            return UInt8(digits[0] << 4 | digits[1])
        default: return byte
        }
    }
}
