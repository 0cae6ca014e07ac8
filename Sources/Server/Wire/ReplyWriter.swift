/// Writes a reply piece by piece, so that of one with thousands of members no more is kept as bytes than was asked for.
struct ReplyWriter {
    private enum Part {
        case whole(Reply)
        case list(IndexingIterator<[Reply]>)
        case entries(IndexingIterator<[Reply.Entry]>)
    }

    private let version: ProtocolVersion
    /// What is left to write, the next on top.
    private var parts: [Part]

    init(_ reply: Reply, _ version: ProtocolVersion) {
        self.version = version
        parts = [.whole(reply)]
    }

    /// Appends what comes next.
    ///
    /// - Parameter limit: no member is begun behind so many bytes.
    /// - Returns: whether that was the last of it.
    mutating func write(into bytes: inout [UInt8], upTo limit: Int) -> Bool {
        while bytes.count < limit, let part = parts.popLast() {
            switch part {
            case .whole(.array(let replies)):
                Reply.list(replies.count, &bytes)
                parts.append(.list(replies.makeIterator()))
            case .whole(.map(let entries)):
                Reply.map(entries.count, version, &bytes)
                parts.append(.entries(entries.makeIterator()))
            case .whole(let reply): reply.encode(version, into: &bytes)
            case .list(var rest):
                guard let next = rest.next() else { continue }
                parts.append(.list(rest))
                push(next, into: &bytes)
            case .entries(var rest):
                guard let next = rest.next() else { continue }
                parts.append(.entries(rest))
                next.key.encode(version, into: &bytes)
                push(next.value, into: &bytes)
            }
        }
        return parts.isEmpty
    }

    private mutating func push(_ reply: Reply, into bytes: inout [UInt8]) {
        if reply.isWide { parts.append(.whole(reply)) } else { reply.encode(version, into: &bytes) }
    }
}

extension Reply {
    /// Whether it, or a member of it, has many members.
    var isWide: Bool {
        switch self {
        case .array(let replies): replies.count > Self.narrowCount || replies.contains(where: \.isWide)
        case .map(let entries), .flattened(let entries):
            entries.count > Self.narrowCount || entries.contains { $0.value.isWide }
        default: false
        }
    }

    private static let narrowCount = 64
}
