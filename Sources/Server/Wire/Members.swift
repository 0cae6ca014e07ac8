import MemoryEngine

/// Writes a map's members as they come; those that have no value are left out.
struct Members {
    let version: ProtocolVersion
    private var bytes: [UInt8] = []
    private var count = 0

    /// Appends the members that `tell` adds, behind how many they are.
    ///
    /// - Parameter expected: about how many. What is written need not be moved where the true number has as many digits.
    static func write(
        _ version: ProtocolVersion, into bytes: inout [UInt8], expecting expected: Int,
        _ tell: (inout Members) -> Void
    ) {
        var members = Members(version: version)
        let start = bytes.count
        Reply.map(expected, version, &bytes)
        let head = start..<bytes.count
        swap(&members.bytes, &bytes)
        tell(&members)
        swap(&members.bytes, &bytes)
        guard members.count != expected else { return }
        var trueHead: [UInt8] = []
        Reply.map(members.count, version, &trueHead)
        bytes.replaceSubrange(head, with: trueHead)
    }

    private init(version: ProtocolVersion) { self.version = version }

    private mutating func name(_ name: String) {
        Reply.text(name, &bytes)
        count += 1
    }

    mutating func add(_ name: String, _ text: String?) {
        guard let text else { return }
        self.name(name)
        Reply.text(text, &bytes)
    }

    mutating func add(_ name: String, _ number: Int?) {
        guard let number else { return }
        self.name(name)
        Reply.integer(number, &bytes)
    }

    mutating func add(_ name: String, _ number: Double) {
        self.name(name)
        Reply.double(number, version, &bytes)
    }

    mutating func add(_ name: String, _ flag: Bool) {
        self.name(name)
        Reply.boolean(flag, version, &bytes)
    }

    mutating func add(_ name: String, _ id: MemoryID) { add(name, writing: { id.write(into: &$0) }) }

    mutating func add(_ name: String, _ citation: Citation) {
        add(name, writing: { citation.write(into: &$0) })
    }

    /// None where the time is that of no beginning or no end.
    mutating func add(_ name: String, _ time: Timestamp) {
        guard time != .distantPast, time != .distantFuture else { return }
        add(name, writing: { time.write(into: &$0) })
    }

    /// A text that is written where it stands in the reply.
    private mutating func add(_ name: String, writing write: (inout [UInt8]) -> Void) {
        self.name(name)
        let start = bytes.count
        // Most have two digits of bytes.
        bytes += "$00\r\n".utf8
        write(&bytes)
        let count = bytes.count - start - 5
        if 10...99 ~= count {
            bytes[start + 1] += UInt8(count / 10)
            bytes[start + 2] += UInt8(count % 10)
        } else {
            bytes.replaceSubrange(start + 1..<start + 3, with: String(count).utf8)
        }
        bytes += "\r\n".utf8
    }

    /// None where there are none.
    mutating func add(_ name: String, _ texts: [String]) {
        guard !texts.isEmpty else { return }
        self.name(name)
        Reply.list(texts.count, &bytes)
        for text in texts { Reply.text(text, &bytes) }
    }

    mutating func add(_ name: String, _ reply: Reply?) {
        guard let reply else { return }
        self.name(name)
        reply.encode(version, into: &bytes)
    }

    mutating func add(_ name: String, expecting expected: Int, _ tell: (inout Members) -> Void) {
        self.name(name)
        Members.write(version, into: &bytes, expecting: expected, tell)
    }
}
