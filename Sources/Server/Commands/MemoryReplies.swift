import MemoryEngine

extension Reply {
    /// A memory, in the names of the command line's JSON; what has no value is left out.
    init(_ memory: Memory) {
        self = .members([
            ("id", .text(memory.id.description)), ("version", .integer(Int(memory.version))),
            ("key", memory.key.map(Reply.text)), ("namespace", .text(memory.namespace.description)),
            ("content", .text(memory.content)), ("kind", .text(memory.kind.rawValue)),
            ("actor", memory.actor.map(Reply.text)), ("thread", memory.thread.map(Reply.text)),
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
            ("principal", .text(memory.origin.principal)), ("source", memory.origin.source.map(Reply.text)),
            ("trust", .text(memory.origin.trust.name)), ("recordedAt", Self.time(memory.recorded.lowerBound)),
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
            ("evidence", Self.list(edge.evidence.map(\.description))), ("rule", edge.rule.map(Reply.text)),
        ])
    }

    /// A hit with its parts, its passage and its memory.
    init(_ hit: Hit) {
        self = .members([
            ("score", .double(hit.score)),
            (
                "parts",
                .members(Hit.ScoreParts.names.map { ($0.name, .double(hit.parts[keyPath: $0.path])) })
            ),
            ("citation", .text(hit.citation.description)), ("passage", .text(hit.passage.text)),
            ("memory", Reply(hit.memory)),
        ])
    }

    /// None for what has no beginning or no end.
    private static func time(_ time: Timestamp) -> Reply? {
        time == .distantPast || time == .distantFuture ? nil : .text(time.description)
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
