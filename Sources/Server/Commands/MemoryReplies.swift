import MemoryEngine

extension Memory {
    /// Its members, in the names of the command line's JSON; what has no value is left out.
    func tell(_ members: inout Members) {
        members.add("id", id)
        members.add("version", Int(version))
        members.add("key", key)
        members.add("namespace", namespace.description)
        members.add("content", content)
        members.add("kind", kind.rawValue)
        members.add("actor", actor)
        members.add("thread", thread)
        members.add("turn", turn.map { Int($0) })
        members.add("happenedFrom", happened.lowerBound)
        members.add("happenedUntil", Timestamp(microseconds: happened.upperBound.microseconds - 1))
        members.add("validFrom", valid.lowerBound)
        members.add("validUntil", valid.upperBound)
        if let expires { members.add("expiresAt", expires) }
        members.add("tags", tags)
        members.add("keywords", keywords)
        members.add("attributes", Reply.attributes(attributes))
        members.add("importance", Double(importance))
        if isPinned { members.add("pinned", true) }
        members.add("principal", origin.principal)
        members.add("agent", origin.agent)
        members.add("model", origin.model)
        members.add("source", origin.source)
        members.add("sourceDigest", origin.sourceDigest.map(Reply.digits))
        if let span = origin.sourceSpan {
            members.add(
                "sourceSpan", .array([.integer(Int(span.lowerBound)), .integer(Int(span.upperBound))]))
        }
        members.add("trust", origin.trust.name)
        if origin.mayContribute { members.add("mayContribute", true) }
        members.add("attachments", Reply.attachments(attachments))
        members.add("recordedAt", recorded.lowerBound)
        members.add("recordedUntil", recorded.upperBound)
        members.add("isCurrent", isCurrent)
    }
}

extension Hit {
    /// Its parts, its passage and its memory; its path, if that is asked for.
    func tell(_ members: inout Members, withPath tellsPath: Bool) {
        members.add("score", score)
        // Without the key paths of `ScoreParts.names`, which take their time.
        members.add("parts", expecting: 8) { names in
            names.add("words", parts.words)
            names.add("vectors", parts.vectors)
            names.add("context", parts.context)
            names.add("session", parts.session)
            names.add("actor", parts.actor)
            names.add("calendar", parts.calendar)
            names.add("event", parts.event)
            names.add("causes", parts.causes)
        }
        if tellsPath {
            members.add("path", .array(path.map(Reply.init)))
            members.add("part", passage.part)
        }
        members.add("citation", citation)
        members.add("passage", passage.text)
        members.add("memory", expecting: 15) { memory.tell(&$0) }
    }
}

extension Reply {
    /// What remembering did.
    init(_ remembered: Remembered) {
        self = .members([
            ("id", .text(remembered.id.description)), ("version", .integer(Int(remembered.version))),
            ("isNew", .boolean(remembered.isNew)), ("sequence", .integer(Int(remembered.sequence))),
            ("missingSpaces", Self.list(remembered.missingSpaces.map(\.name))),
            ("refusals", Self.list(remembered.refusals)),
            ("failures", remembered.failures.isEmpty ? nil : Self.list(remembered.failures)),
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

    /// A step of a path: how the memory was found, or what vouched for it, and what that adds to the score.
    fileprivate init(_ step: Hit.Step) {
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

    fileprivate static func attachments(_ attachments: [Attachment]) -> Reply? {
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
    fileprivate static func digits(_ bytes: [UInt8]) -> Reply {
        .text(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    }

    private static func list(_ texts: [String]) -> Reply? {
        texts.isEmpty ? nil : .array(texts.map(Reply.text))
    }

    fileprivate static func attributes(_ attributes: [String: AttributeValue]) -> Reply? {
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
