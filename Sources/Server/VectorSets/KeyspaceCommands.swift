import MemoryEngine

extension VectorSetCommands {
    /// The commands on names of sets, whatever they hold.
    static func keyspace(_ call: ConnectionState.Call) throws(CommandError) -> Plan {
        let words = call.words
        switch call.name {
        case "DBSIZE":
            return Plan(.names) { answer in
                if case .names(let names) = answer { return .integer(names.count) }
                return .integer(0)
            }
        case "EXISTS": return Plan(.count(Array(words.dropFirst()))) { $0.number }
        case "DEL", "UNLINK": return Plan(.delete(Array(words.dropFirst()))) { $0.number }
        case "TYPE":
            return Plan(.count([words[1]])) { answer in
                if case .number(0) = answer { return .simple("none") }
                return .simple("vectorset")
            }
        case "KEYS":
            let pattern = words[1]
            return Plan(.names) { answer in
                guard case .names(let names) = answer else { return .array([]) }
                return .array(names.filter { GlobPattern.matches(pattern, $0) }.map(Reply.bulk))
            }
        case "SCAN": return try scan(words)
        case "FLUSHDB", "FLUSHALL":
            if words.count == 2, !words[1].equals("SYNC"), !words[1].equals("ASYNC") {
                throw CommandError("ERR syntax error")
            }
            var plan = Plan(.deleteAll) { _ in .ok }
            plan.right = .admin
            return plan
        case "MEMORY":
            guard words.count >= 3, words[1].equals("USAGE"),
                words.count == 3 || words.count == 5 && words[3].equals("SAMPLES") && words[4].integer != nil
            else { throw CommandError("ERR syntax error; write MEMORY USAGE key [SAMPLES count]") }
            return Plan(.describe(set: words[2])) { answer in
                answer.description.map { .integer($0.byteCount) } ?? .null
            }
        case "DEBUG":
            guard words[1].equals("DIGEST-VALUE") else {
                throw CommandError("ERR DEBUG knows DIGEST-VALUE key [key ...] and RELOAD")
            }
            return Plan(words.dropFirst(2).map { .digest(set: $0) }) { answers in
                .array(
                    answers.map { answer in
                        guard case .success(.bytes(let digest?)) = answer else {
                            return .simple(String(repeating: "0", count: 40))
                        }
                        return .simple(digest.prefix(20).map(Self.hexadecimal).joined())
                    })
            }
        default: throw CommandError("ERR \(call.name) is not answered here")
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }

    /// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`. A cursor is the id of the next set, so that a set that is
    /// there all the time is told once.
    private static func scan(_ words: [[UInt8]]) throws(CommandError) -> Plan {
        guard let cursor = words[1].integer, cursor >= 0 else { throw CommandError("ERR invalid cursor") }
        var pattern: [UInt8]?
        var count = 10
        var isOfSets = true
        var rest = words.dropFirst(2)
        while let option = rest.popFirst() {
            guard let value = rest.popFirst() else { throw CommandError("ERR syntax error") }
            if option.equals("MATCH") {
                pattern = value
            } else if option.equals("COUNT") {
                guard let number = value.integer else {
                    throw CommandError("ERR value is not an integer or out of range")
                }
                guard number > 0 else { throw CommandError("ERR syntax error") }
                count = number
            } else if option.equals("TYPE") {
                isOfSets = value.equals("VECTORSET")
            } else {
                throw CommandError("ERR syntax error")
            }
        }
        let wanted = pattern
        let isAny = isOfSets
        return Plan(.page(from: cursor, limit: min(count, 10_000))) { answer in
            guard case .page(let names, let next) = answer else { return .array([.text("0"), .array([])]) }
            let told = names.filter { name in isAny && wanted.map { GlobPattern.matches($0, name) } ?? true }
            return .array([.text(String(next)), .array(told.map(Reply.bulk))])
        }
    }
}

/// Patterns of names: `*`, `?`, `[a-z]`, `[^a]`, and a backslash before a sign that stands for itself.
enum GlobPattern {
    /// - Complexity: O(pattern × text): a star is tried again only behind the last one.
    static func matches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
        var (place, position) = (0, 0)
        var star: (place: Int, position: Int)?
        while position < text.count {
            if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
                place += 1
                star = (place, position)
            } else if let next = step(pattern, place, text[position]) {
                place = next
                position += 1
            } else if let last = star {
                place = last.place
                position = last.position + 1
                star = (last.place, position)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// The place behind what matches one byte; `nil` where it does not.
    private static func step(_ pattern: [UInt8], _ place: Int, _ byte: UInt8) -> Int? {
        guard place < pattern.count else { return nil }
        switch pattern[place] {
        case UInt8(ascii: "?"): return place + 1
        case UInt8(ascii: "\\") where place + 1 < pattern.count:
            return pattern[place + 1] == byte ? place + 2 : nil
        case UInt8(ascii: "["): return stepSet(pattern, place + 1, byte)
        default: return pattern[place] == byte ? place + 1 : nil
        }
    }

    private static func stepSet(_ pattern: [UInt8], _ start: Int, _ byte: UInt8) -> Int? {
        var place = start
        let isNegated = place < pattern.count && pattern[place] == UInt8(ascii: "^")
        if isNegated { place += 1 }
        var isIn = false
        while place < pattern.count, pattern[place] != UInt8(ascii: "]") {
            if pattern[place] == UInt8(ascii: "\\"), place + 1 < pattern.count { place += 1 }
            let low = pattern[place]
            if place + 2 < pattern.count, pattern[place + 1] == UInt8(ascii: "-") {
                let high = pattern[place + 2]
                if (min(low, high)...max(low, high)).contains(byte) { isIn = true }
                place += 3
            } else {
                if low == byte { isIn = true }
                place += 1
            }
        }
        return isIn != isNegated ? min(place + 1, pattern.count) : nil
    }
}
