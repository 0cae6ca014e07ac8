import MemoryEngine

/// What the server answers. A value has one form in each version of the protocol: where the second has no type for it, it
/// is told in those that there are.
package enum Reply: Sendable, Equatable {
    case simple(String)
    /// Begins with a word in capitals that programs go by.
    case error(String)
    case integer(Int)
    case bulk([UInt8])
    /// A bulk string too: what is read of a client comes as `bulk`.
    case text(String)
    /// Nothing there: in version 2 a bulk string without a length.
    case null
    /// The same where an array is expected.
    case nullArray
    case array([Reply])
    /// In version 2 an array of keys and values by turns.
    case map([Entry])
    /// The same, where values are arrays whose elements in version 2 stand between the keys.
    case flattened([Entry])
    /// In version 2 a bulk string.
    case double(Double)
    /// In version 2 the integers 1 and 0.
    case boolean(Bool)
    /// Text for a person; in version 2 a bulk string.
    case verbatim(String)
    /// A map. Hundreds of values stand in a reply with some hits: they are written as they come, and none is made before.
    case memory(Memory)
    case hit(Shared<Hit>, withPath: Bool)

    /// A value of many fields, of which a reply has one reference.
    package final class Shared<Value: Sendable & Equatable>: Sendable, Equatable {
        let value: Value
        init(_ value: Value) { self.value = value }

        package static func == (a: Shared, b: Shared) -> Bool { a.value == b.value }
    }

    package struct Entry: Sendable, Equatable {
        package let key: Reply
        package let value: Reply
    }

    static let ok = Reply.simple("OK")

    /// The members that there is something to tell of.
    static func members(_ members: [(String, Reply?)]) -> Reply {
        var entries: [Entry] = []
        entries.reserveCapacity(members.count)
        for (name, value) in members {
            if let value { entries.append(Entry(key: .text(name), value: value)) }
        }
        return .map(entries)
    }
}

/// The versions of the protocol: 2, which a connection begins with, and 3.
enum ProtocolVersion: Int, Sendable {
    case two = 2
    case three = 3
}

extension Reply {
    /// Appends the reply as it is sent.
    func encode(_ version: ProtocolVersion, into bytes: inout [UInt8]) {
        switch self {
        case .simple(let text): Self.line("+", Self.onOneLine(text), &bytes)
        case .error(let text): Self.line("-", Self.onOneLine(text), &bytes)
        case .integer(let number): Self.integer(number, &bytes)
        case .bulk(let value): Self.bulk("$", value, &bytes)
        case .text(let text): Self.text(text, &bytes)
        case .null: bytes += version == .three ? "_\r\n".utf8 : "$-1\r\n".utf8
        case .nullArray: bytes += version == .three ? "_\r\n".utf8 : "*-1\r\n".utf8
        case .array(let replies):
            Self.list(replies.count, &bytes)
            for reply in replies { reply.encode(version, into: &bytes) }
        case .map(let entries):
            Self.map(entries.count, version, &bytes)
            for entry in entries {
                entry.key.encode(version, into: &bytes)
                entry.value.encode(version, into: &bytes)
            }
        case .flattened(let entries):
            guard version == .two else { return Reply.map(entries).encode(version, into: &bytes) }
            var replies: [Reply] = []
            for entry in entries {
                replies.append(entry.key)
                if case .array(let values) = entry.value { replies += values }
            }
            Reply.array(replies).encode(version, into: &bytes)
        case .double(let number): Self.double(number, version, &bytes)
        case .boolean(let flag): Self.boolean(flag, version, &bytes)
        case .memory(let memory): Members.write(version, into: &bytes, expecting: 15) { memory.tell(&$0) }
        case .hit(let hit, let withPath):
            Members.write(version, into: &bytes, expecting: withPath ? 7 : 5) {
                hit.value.tell(&$0, withPath: withPath)
            }
        case .verbatim(let text):
            if version == .three {
                Self.bulk("=", Array("txt:".utf8) + Array(text.utf8), &bytes)
            } else {
                Self.text(text, &bytes)
            }
        }
    }

    private static func line(_ kind: Unicode.Scalar, _ text: String, _ bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: kind))
        append(text, &bytes)
        end(&bytes)
    }

    /// What stands before so many members.
    static func list(_ count: Int, _ bytes: inout [UInt8]) { Self.count("*", count, &bytes) }

    /// What stands before so many keys with their values.
    static func map(_ count: Int, _ version: ProtocolVersion, _ bytes: inout [UInt8]) {
        if version == .three {
            Self.count("%", count, &bytes)
        } else {
            Self.count("*", count * 2, &bytes)
        }
    }

    // A reply has hundreds of the following: their steps are as plain as can be.

    static func integer(_ number: Int, _ bytes: inout [UInt8]) {
        if number >= 0 { return count(":", number, &bytes) }
        line(":", String(number), &bytes)
    }

    static func double(_ number: Double, _ version: ProtocolVersion, _ bytes: inout [UInt8]) {
        let text = digits(number)
        guard version == .three else { return Self.text(text, &bytes) }
        bytes.append(UInt8(ascii: ","))
        append(text, &bytes)
        end(&bytes)
    }

    static func boolean(_ flag: Bool, _ version: ProtocolVersion, _ bytes: inout [UInt8]) {
        if version == .three { line("#", flag ? "t" : "f", &bytes) } else { count(":", flag ? 1 : 0, &bytes) }
    }

    /// A line with a count.
    private static func count(_ kind: Unicode.Scalar, _ count: Int, _ bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: kind))
        if count < 10 {
            bytes.append(UInt8(ascii: "0") + UInt8(count))
        } else if count < 100 {
            bytes.append(UInt8(ascii: "0") + UInt8(count / 10))
            bytes.append(UInt8(ascii: "0") + UInt8(count % 10))
        } else {
            append(String(count), &bytes)
        }
        end(&bytes)
    }

    private static func bulk(_ kind: Unicode.Scalar, _ value: [UInt8], _ bytes: inout [UInt8]) {
        count(kind, value.count, &bytes)
        bytes += value
        end(&bytes)
    }

    static func text(_ text: String, _ bytes: inout [UInt8]) {
        count("$", text.utf8.count, &bytes)
        append(text, &bytes)
        end(&bytes)
    }

    private static func append(_ text: String, _ bytes: inout [UInt8]) {
        let isWhole: Void? = text.utf8.withContiguousStorageIfAvailable { bytes.append(contentsOf: $0) }
        if isWhole == nil { bytes += text.utf8 }
    }

    private static func end(_ bytes: inout [UInt8]) {
        bytes.append(0x0d)
        bytes.append(0x0a)
    }

    /// A line ends at the first line break, so a message has none.
    private static func onOneLine(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x0a || $0 == 0x0d }) else { return text }
        return String(text.map { $0.isNewline ? " " : $0 })
    }

    private static func digits(_ number: Double) -> String {
        // Most parts of a score are it.
        if number.bitPattern == 0 { return "0" }
        if number.isNaN { return "nan" }
        if number.isInfinite { return number < 0 ? "-inf" : "inf" }
        // The fewest digits that are read as the same number, and the fastest to make.
        let text = number.description
        return text.utf8.suffix(2).elementsEqual(".0".utf8) ? String(text.utf8.dropLast(2)) ?? text : text
    }
}
