import MemoryEngine

extension Reply {
    /// A memory, in the names of the command line's JSON; what has no value is left out.
    init(_ memory: Memory) {
        self = .members([
            ("id", .text(memory.id.description)), ("version", .integer(Int(memory.version))),
            ("key", memory.key.map(Reply.text)), ("namespace", .text(memory.namespace.description)),
            ("content", .text(memory.content)), ("kind", .text(memory.kind.rawValue)),
            ("actor", memory.actor.map(Reply.text)), ("thread", memory.thread.map(Reply.text)),
            ("turn", memory.turn.map { .integer(Int($0)) }),
            ("happenedFrom", Self.time(memory.happened.lowerBound)),
            (
                "happenedUntil",
                Self.time(Timestamp(microseconds: memory.happened.upperBound.microseconds - 1))
            ),
            ("validFrom", Self.time(memory.valid.lowerBound)),
            ("validUntil", Self.time(memory.valid.upperBound)),
            ("expiresAt", memory.expires.flatMap(Self.time)),
            ("tags", Self.list(memory.tags)), ("keywords", Self.list(memory.keywords)),
            ("attributes", Self.attributes(memory.attributes)),
            ("importance", .double(Double(memory.importance))),
            ("pinned", memory.isPinned ? .boolean(true) : nil),
            ("principal", .text(memory.origin.principal)), ("agent", memory.origin.agent.map(Reply.text)),
            ("model", memory.origin.model.map(Reply.text)), ("source", memory.origin.source.map(Reply.text)),
            ("sourceDigest", memory.origin.sourceDigest.map(Self.digits)),
            (
                "sourceSpan",
                memory.origin.sourceSpan.map {
                    .array([.integer(Int($0.lowerBound)), .integer(Int($0.upperBound))])
                }
            ),
            ("trust", .text(memory.origin.trust.name)),
            ("mayContribute", memory.origin.mayContribute ? .boolean(true) : nil),
            ("attachments", Self.attachments(memory.attachments)),
            ("recordedAt", Self.time(memory.recorded.lowerBound)),
            ("recordedUntil", Self.time(memory.recorded.upperBound)),
            ("isCurrent", .boolean(memory.isCurrent)),
        ])
    }

    /// What remembering did.
    init(_ remembered: Remembered) {
        self = .members([
            ("id", .text(remembered.id.description)), ("version", .integer(Int(remembered.version))),
            ("isNew", .boolean(remembered.isNew)), ("sequence", .integer(Int(remembered.sequence))),
        ])
    }

    init(_ edge: Edge) {
        self = .members([
            ("id", edge.id.map { .text($0.description) }), ("kind", .text(edge.kind.name)),
            ("graph", .text(edge.kind.graph.name)), ("from", .text(edge.from.description)),
            ("to", .text(edge.to.description)), ("toHome", edge.toHome.map { .text($0.description) }),
            ("weight", .double(Double(edge.weight))), ("validFrom", Self.time(edge.valid.lowerBound)),
            ("validUntil", Self.time(edge.valid.upperBound)),
            ("recordedFrom", Self.time(edge.recorded.lowerBound)),
            ("recordedUntil", Self.time(edge.recorded.upperBound)),
            ("evidence", Self.list(edge.evidence.map(\.description))), ("rule", edge.rule.map(Reply.text)),
        ])
    }

    /// A hit with its parts, its passage and its memory; with its path, if that is asked for.
    init(_ hit: Hit, withPath tellsPath: Bool) {
        self = .members([
            ("score", .double(hit.score)),
            (
                "parts",
                .members(Hit.ScoreParts.names.map { ($0.name, .double(hit.parts[keyPath: $0.path])) })
            ),
            ("path", tellsPath ? .array(hit.path.map(Reply.init)) : nil),
            ("part", tellsPath ? .integer(hit.passage.part) : nil),
            ("citation", .text(hit.citation.description)), ("passage", .text(hit.passage.text)),
            ("memory", Reply(hit.memory)),
        ])
    }

    /// A step of a path: how the memory was found, or what vouched for it, and what that adds to the score.
    private init(_ step: Hit.Step) {
        let reason: [(String, Reply?)] =
            switch step.reason {
            case .words(let rank): [("by", .text("words")), ("rank", rank.map(Reply.integer))]
            case .vectors(let space, let rank):
                [("by", .text("vectors")), ("space", .text(space.name)), ("rank", rank.map(Reply.integer))]
            case .edge(let kind, let direction, let id):
                [
                    ("by", .text("edge")), ("kind", .text(kind.name)), ("graph", .text(kind.graph.name)),
                    ("direction", .text(direction.rawValue)), ("id", .text(id.description)),
                ]
            case .session(let id): [("by", .text("session")), ("id", .text(id.description))]
            case .actor(let name): [("by", .text("actor")), ("name", .text(name))]
            case .calendar(let range):
                [
                    ("by", .text("calendar")), ("from", Self.time(range.lowerBound)),
                    ("until", Self.time(range.upperBound)),
                ]
            case .event(let range):
                [
                    ("by", .text("event")), ("from", Self.time(range.lowerBound)),
                    ("until", Self.time(range.upperBound)),
                ]
            }
        self = .members(reason + [("adds", .double(step.adds))])
    }

    /// None for what has no beginning or no end.
    private static func time(_ time: Timestamp) -> Reply? {
        time == .distantPast || time == .distantFuture ? nil : .text(time.description)
    }

    private static func attachments(_ attachments: [Attachment]) -> Reply? {
        guard !attachments.isEmpty else { return nil }
        return .array(
            attachments.map { attachment in
                .members([
                    ("name", .text(attachment.name)), ("mediaType", .text(attachment.mediaType)),
                    ("digest", digits(attachment.digest)), ("size", .integer(Int(attachment.byteCount))),
                    ("address", attachment.address.map(Reply.text)),
                ])
            })
    }

    /// Bytes as two digits each.
    private static func digits(_ bytes: [UInt8]) -> Reply {
        .text(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    }

    private static func list(_ texts: [String]) -> Reply? {
        texts.isEmpty ? nil : .array(texts.map(Reply.text))
    }

    private static func attributes(_ attributes: [String: AttributeValue]) -> Reply? {
        guard !attributes.isEmpty else { return nil }
        return .members(
            attributes.sorted { $0.key < $1.key }.map { name, value in
                switch value {
                case .string(let text): (name, .text(text))
                case .number(let number): (name, .double(number))
                case .bool(let flag): (name, .boolean(flag))
                }
            })
    }
}
