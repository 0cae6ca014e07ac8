import MemoryEngine

/// Writes a map's members as they come; those that have no value are left out.
struct Members {
    let version: ProtocolVersion
    private var bytes: [UInt8] = []
    private var count = 0

    /// Appends the members that `tell` adds, behind how many they are.
    static func write(
        _ version: ProtocolVersion, into bytes: inout [UInt8], _ tell: (inout Members) -> Void
    ) {
        var members = Members(version: version)
        let start = bytes.count
        swap(&members.bytes, &bytes)
        tell(&members)
        swap(&members.bytes, &bytes)
        var head: [UInt8] = []
        Reply.map(members.count, version, &head)
        bytes.insert(contentsOf: head, at: start)
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

    /// None where the time is that of no beginning or no end.
    mutating func add(_ name: String, _ time: Timestamp) {
        guard time != .distantPast, time != .distantFuture else { return }
        add(name, time.description)
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

    mutating func add(_ name: String, _ tell: (inout Members) -> Void) {
        self.name(name)
        Members.write(version, into: &bytes, tell)
    }
}
