import Foundation

/// The bounds of what a server may answer. What is beyond one of them ends the connection.
package struct ReplyLimits: Sendable {
    /// How deep replies may lie in each other.
    package var depth = 16
    package var lineByteCount = 1 << 20
    package var bulkByteCount = 128 << 20
    /// All values of a reply.
    package var valueCount = 16 << 20
    /// All bytes of a reply.
    package var replyByteCount = 1 << 30

    package init() {}
}

/// Makes replies of the bytes that a server sends, in version 2 or 3 of the protocol. Each byte is looked at a bounded
/// number of times, however they come in pieces. What a server sends unasked is passed over.
package struct ReplyDecoder {
    /// An array or a map that lacks elements.
    private struct Frame {
        let kind: UInt8
        var lacking: Int
        var values: [Reply] = []
    }

    private let limits: ReplyLimits
    private var buffer: [UInt8] = []
    private var start = 0
    /// Up to here there is no end of a line.
    private var scanned = 0
    private var frames: [Frame] = []
    /// The bulk string that comes.
    private var bulk: (kind: UInt8, byteCount: Int)?
    private var (byteCount, valueCount) = (0, 0)

    package init(limits: ReplyLimits = ReplyLimits()) { self.limits = limits }

    package mutating func append(_ bytes: some Collection<UInt8>) {
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: buffer.capacity <= 1 << 20)
            (start, scanned) = (0, 0)
        } else if start > 64 << 10, start > buffer.count / 2 {
            buffer.removeSubrange(..<start)
            scanned -= start
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next reply; `nil` until there is more.
    ///
    /// - Throws: `ProtocolError`. Nothing can be read after it.
    package mutating func next() throws(ProtocolError) -> Reply? {
        while let value = try value() {
            guard let reply = try add(value) else { continue }
            (byteCount, valueCount) = (0, 0)
            return reply
        }
        return nil
    }

    /// Puts a value where it belongs; a reply once that is whole.
    private mutating func add(_ value: Reply) throws(ProtocolError) -> Reply? {
        var value = value
        while var frame = frames.popLast() {
            frame.values.append(value)
            frame.lacking -= 1
            guard frame.lacking == 0 else {
                frames.append(frame)
                return nil
            }
            // What comes unasked stands between replies.
            if frame.kind == UInt8(ascii: ">"), frames.isEmpty { return nil }
            value = Self.whole(frame.kind, frame.values)
        }
        return value
    }

    private static func whole(_ kind: UInt8, _ values: [Reply]) -> Reply {
        guard kind == UInt8(ascii: "%") else { return .array(values) }
        return .map(
            stride(from: 0, to: values.count - 1, by: 2).map {
                Reply.Entry(key: values[$0], value: values[$0 + 1])
            })
    }

    /// The next value that holds no others; `nil` until there is more.
    private mutating func value() throws(ProtocolError) -> Reply? {
        while true {
            if let bulk {
                guard buffer.count - start >= bulk.byteCount + 2 else { return nil }
                let end = start + bulk.byteCount
                guard buffer[end] == 0x0d, buffer[end + 1] == 0x0a else {
                    throw ProtocolError("a string of \(bulk.byteCount) bytes does not end there")
                }
                let bytes = Array(buffer[start..<end])
                start = end + 2
                scanned = start
                self.bulk = nil
                switch bulk.kind {
                case UInt8(ascii: "!"): return .error(String(decoding: bytes, as: UTF8.self))
                case UInt8(ascii: "="): return .verbatim(String(decoding: bytes.dropFirst(4), as: UTF8.self))
                default: return .bulk(bytes)
                }
            }
            guard let line = try line() else { return nil }
            guard let kind = line.first else { throw ProtocolError("an empty line") }
            valueCount += 1
            guard valueCount <= limits.valueCount else { throw ProtocolError("too many values") }
            if let value = try begin(kind, line.dropFirst()) { return value }
        }
    }

    /// The value of a line; `nil` where more belongs to it.
    private mutating func begin(_ kind: UInt8, _ rest: ArraySlice<UInt8>) throws(ProtocolError) -> Reply? {
        let text = String(decoding: rest, as: UTF8.self)
        switch Character(Unicode.Scalar(kind)) {
        case "+", "(": return .simple(text)
        case "-": return .error(text)
        case "_": return .null
        case "#":
            guard text == "t" || text == "f" else { throw ProtocolError("`\(text.prefix(20))` is no truth") }
            return .boolean(text == "t")
        case ":":
            guard let number = Int(text) else { throw ProtocolError("`\(text.prefix(20))` is no number") }
            return .integer(number)
        case ",":
            guard let number = Double(text) else { throw ProtocolError("`\(text.prefix(20))` is no number") }
            return .double(number)
        case "$", "=", "!":
            if text == "-1" { return .null }
            guard let count = Int(text), (0...limits.bulkByteCount).contains(count) else {
                throw ProtocolError("a string of `\(text.prefix(20))` bytes")
            }
            byteCount += count
            guard byteCount <= limits.replyByteCount else { throw ProtocolError("a reply is too long") }
            bulk = (kind, count)
            return nil
        case "*", "~", "%", ">":
            if text == "-1" { return .nullArray }
            let isMap = kind == UInt8(ascii: "%")
            guard let count = Int(text), (0...limits.valueCount).contains(count) else {
                throw ProtocolError("a list of `\(text.prefix(20))` values")
            }
            if count == 0 { return isMap ? .map([]) : .array([]) }
            guard frames.count < limits.depth else {
                throw ProtocolError("replies lie too deep in each other")
            }
            frames.append(Frame(kind: kind, lacking: isMap ? count * 2 : count))
            return nil
        default: throw ProtocolError("a reply begins with a byte that none begins with")
        }
    }

    /// Whether what comes next begins with a byte.
    func begins(with byte: UInt8) -> Bool { start < buffer.count && buffer[start] == byte }

    /// A line without its end; `nil` until there is one.
    private mutating func line() throws(ProtocolError) -> ArraySlice<UInt8>? {
        // What is no reply is not waited for to its end.
        if start < buffer.count, !"+-:$*_#,(!=%~>".utf8.contains(buffer[start]) {
            throw ProtocolError("a reply begins with a byte that none begins with")
        }
        guard let end = buffer[max(scanned, start)...].firstIndex(of: 0x0a) else {
            scanned = buffer.count
            guard buffer.count - start <= limits.lineByteCount else {
                throw ProtocolError("a line is too long")
            }
            return nil
        }
        var line = buffer[start..<end]
        if line.last == 0x0d { line.removeLast() }
        byteCount += line.count
        start = end + 1
        scanned = start
        return line
    }
}
