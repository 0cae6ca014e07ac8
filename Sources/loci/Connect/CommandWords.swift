import MemoryEngine
import Server

/// The words of a command, as the server reads them. What the protocol has no form for is refused, by the name of its option.
struct CommandWords {
    private(set) var words: [[UInt8]]

    init(_ name: String, _ words: any CustomStringConvertible...) {
        self.words = [Array(name.utf8)] + words.map { Array("\($0)".utf8) }
    }

    mutating func add(_ texts: String...) { words += texts.map { Array($0.utf8) } }

    mutating func add(_ name: String, _ value: (some CustomStringConvertible)?) {
        if let value { add(name, "\(value)") }
    }

    /// A time that is one.
    mutating func add(_ name: String, time: Timestamp?) {
        guard let time, Timestamp.allowed.contains(time) else { return }
        add(name, time.description)
    }

    static func refusal(of option: String) -> EngineError {
        EngineError(.invalid, "\(option) has no form in the protocol: leave it out, or use the store itself")
    }

    /// A server ends the connection of a client that sends more.
    ///
    /// - Throws: `EngineError.tooLarge`.
    func check() throws {
        let limits = WireLimits()
        let byteCount = words.reduce(0) { $0 + $1.count }
        guard byteCount <= limits.commandByteCount, words.allSatisfy({ $0.count <= limits.argumentByteCount })
        else {
            throw EngineError(
                .tooLarge,
                "that is \(Terminal.grouped(byteCount)) bytes, and a server takes by default \(Terminal.grouped(limits.commandByteCount)) at a "
                    + "time and \(Terminal.grouped(limits.argumentByteCount)) of a file: attach less, with `loci update` the rest"
            )
        }
    }

    // MARK: Drafts

    /// What is said of a memory beside its words.
    ///
    /// - Parameters:
    ///   - kind: with the two below, what of the draft is said and is not its default.
    mutating func add(_ draft: MemoryDraft, kind: MemoryKind?, importance: Float?, trust: Trust?) throws {
        guard draft.origin.sourceDigest == nil, draft.origin.sourceSpan == nil, !draft.origin.mayContribute
        else { throw Self.refusal(of: "`sourceDigest`, `sourceSpan` or `mayContribute` of an origin") }
        add("KIND", kind?.rawValue)
        add("ACTOR", draft.actor)
        add("THREAD", draft.thread)
        add("HAPPENED", time: draft.happened?.lowerBound)
        if let happened = draft.happened, happened.lowerBound != happened.upperBound {
            add("HAPPENEDUNTIL", time: happened.upperBound)
        }
        add("VALIDFROM", time: draft.valid?.lowerBound)
        add("VALIDUNTIL", time: draft.valid?.upperBound)
        add("EXPIRES", time: draft.expires)
        for tag in draft.tags { add("TAG", tag) }
        for keyword in draft.keywords { add("KEYWORD", keyword) }
        for (name, value) in draft.attributes.sorted(by: { $0.key < $1.key }) { addAttribute(name, value) }
        add("IMPORTANCE", importance)
        add("SOURCE", draft.origin.source)
        add("AGENT", draft.origin.agent)
        add("MODEL", draft.origin.model)
        add("TRUST", trust?.name)
        for attachment in draft.attachments { try add(attachment) }
        for embedding in draft.embeddings { try add(embedding) }
    }

    /// A string that reads like something else says that it is one.
    private mutating func addAttribute(_ name: String, _ value: AttributeValue) {
        switch value {
        case .bool(let flag): add("ATTRIBUTE", name, "\(flag)")
        case .number(let number): add("ATTRIBUTE", name, "\(number)")
        case .string(let text):
            add(AttributeValue(reading: text) == value ? "ATTRIBUTE" : "ATTRIBUTETEXT", name, text)
        }
    }

    private mutating func add(_ attachment: Attachment) throws {
        guard attachment.address == nil, attachment.data.count == attachment.byteCount else {
            throw Self.refusal(of: "an attachment that is kept outside")
        }
        // The server reads it from the bytes and the name.
        guard Attachment.data(attachment.data, name: attachment.name).mediaType == attachment.mediaType else {
            throw Self.refusal(of: "the media type of attachment `\(attachment.name)`")
        }
        add("ATTACH", attachment.name)
        words.append(attachment.data)
    }

    private mutating func add(_ embedding: Embedding) throws {
        guard embedding.part ?? 0 == 0 else { throw Self.refusal(of: "a vector for each passage") }
        add("VECTOR", embedding.space.name)
        words.append(
            embedding.vector.flatMap { number in
                (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * UInt32($0))) }
            })
    }

    /// An image or a video that is shown.
    mutating func add(like shown: EmbeddingInput) throws {
        switch shown {
        case .image(let bytes), .video(let bytes): words += [Array("LIKE".utf8), bytes]
        case .frames, .text: throw Self.refusal(of: "a video that comes as frames")
        }
    }

    // MARK: Conditions

    mutating func add(_ filter: Filter?) throws {
        guard let filter else { return }
        var hasTime = false
        try add(filter, &hasTime)
    }

    private mutating func add(_ filter: Filter, _ hasTime: inout Bool) throws {
        switch filter {
        case .all(let parts): for part in parts { try add(part, &hasTime) }
        case .kind(let kind): add("KIND", kind.rawValue)
        case .actor(let actor?): add("ACTOR", actor)
        case .thread(let thread?): add("THREAD", thread)
        case .tag(let tag): add("TAG", tag)
        case .keyword(let word): add("KEYWORD", word)
        case .keyHasPrefix(let beginning): add("KEYPREFIX", beginning)
        case .attribute(let name, let value): addAttribute(name, value)
        case .trust(let least): add("TRUST", least.name)
        case .happened(let range) where !hasTime:
            hasTime = true
            add("SINCE", time: range.lowerBound)
            add("UNTIL", time: range.upperBound)
        default:
            throw EngineError(
                .invalid,
                "the protocol has no form for that filter: over a connection all conditions must hold, so --kind and --actor "
                    + "are given once, and --filter joins kind:, actor:, thread:, tag:, keyword:, key^:, NAME=value, trust:, "
                    + "since: and before: by && only")
        }
    }

    // MARK: Questions

    /// What recalls and contexts have in common.
    mutating func add(_ query: RecallQuery, to namespaces: [Namespace]) throws {
        guard query.channels == Set(RecallQuery.Channel.allCases) else {
            throw Self.refusal(of: "--words-only, --vectors-only or --compare")
        }
        guard query.lexicalWeight == nil else { throw Self.refusal(of: "--word-weight") }
        guard query.weightOverrides.isEmpty else { throw Self.refusal(of: "--weight") }
        for (place, namespace) in namespaces.enumerated() {
            let weight = query.namespaces[namespace] ?? 1
            // What the command names first counts 1, unless it is named again.
            if place > 0 || weight != 1 { add("ALSO", namespace.description, "\(weight)") }
        }
        add("INTENT", query.intent?.name)
        add("ASOF", time: query.asOf)
        add("VALIDAT", time: query.validAt)
        if let deadline = query.deadline { add("DEADLINE", Int(deadline.milliseconds)) }
        for embedding in query.embeddings { try add(embedding) }
        try add(query.filter)
    }

    mutating func add(_ query: GraphQuery) throws {
        guard query.speaksOf == nil else {
            throw Self.refusal(of: "--speaks-of-from or --speaks-of-until")
        }
        for kind in query.kinds ?? [] { add("KIND", kind.words) }
        for graph in query.graphs ?? [] { add("GRAPH", graph.name) }
        add("DIRECTION", query.direction.rawValue)
        add("DEPTH", query.depth)
        add("ASOF", time: query.asOf)
        add("VALIDAT", time: query.validAt)
    }
}

extension EdgeKind {
    /// As the command line and the protocol write it.
    var words: String { Self.all.contains(self) ? name : "\(graph.name)/\(name)" }
}
