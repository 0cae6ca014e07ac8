import MemoryEngine
import Server

/// Reads the parts of a reply.
enum Told {
    static let missing = EngineError(
        .io, "the server's reply is none of this command: is it of another version?")

    static func member(_ name: String, of reply: Reply) throws -> Reply {
        guard let value = reply[name] else { throw missing }
        return value
    }

    static func list(_ reply: Reply, _ name: String) throws -> [Reply] {
        guard case .array(let elements)? = reply[name] else { throw missing }
        return elements
    }

    static func text(_ reply: Reply, _ name: String) throws -> String {
        guard let text = reply[name]?.string else { throw missing }
        return text
    }

    static func texts(_ reply: Reply, _ name: String) -> [String] {
        reply[name]?.elements.compactMap(\.string) ?? []
    }

    static func integer(_ reply: Reply) throws -> Int {
        guard let number = reply.whole, number >= 0 else { throw missing }
        return number
    }

    static func integer(_ reply: Reply, _ name: String) throws -> Int {
        try integer(try member(name, of: reply))
    }

    static func number(_ reply: Reply) throws -> Double {
        guard let number = reply.number else { throw missing }
        return number
    }

    static func time(_ reply: Reply, _ name: String) -> Timestamp? {
        reply[name]?.string.flatMap { Timestamp($0) }
    }

    /// Without a beginning or an end where none is told.
    static func range(_ reply: Reply, _ from: String, _ until: String) throws -> Range<Timestamp> {
        let (lower, upper) = (
            time(reply, from) ?? .distantPast, time(reply, until) ?? .distantFuture
        )
        guard lower <= upper else { throw missing }
        return lower..<upper
    }

    static func namespace(_ reply: Reply, _ name: String) throws -> Namespace {
        try Namespace(path: try text(reply, name))
    }

    static func id(_ reply: Reply, _ name: String) throws -> MemoryID {
        guard let id = MemoryID(try text(reply, name)) else { throw missing }
        return id
    }

    static func edge(_ reply: Reply) throws -> EdgeID {
        guard let id = reply.string.flatMap({ EdgeID($0) }) else { throw missing }
        return id
    }

    static func citation(_ text: String?, in namespace: Namespace) throws -> Citation {
        guard let citation = text.flatMap({ Citation($0, in: namespace) }) else { throw missing }
        return citation
    }

    static func kind(_ reply: Reply) throws -> EdgeKind {
        let name = try text(reply, "kind")
        if let known = EdgeKind.all.first(where: { $0.name == name }) { return known }
        guard let graph = reply["graph"]?.string.flatMap({ MemoryGraph(name: $0) }) else { throw missing }
        return try EdgeKind(name, in: graph)
    }

    static func version(_ reply: Reply) throws -> UInt32 {
        guard let version = UInt32(exactly: try integer(reply, "version")) else { throw missing }
        return version
    }

    static func attributes(_ reply: Reply?) -> [String: AttributeValue] {
        var attributes: [String: AttributeValue] = [:]
        for entry in reply?.entries ?? [] {
            guard let name = entry.key.string else { continue }
            switch entry.value {
            case .double(let number): attributes[name] = .number(number)
            case .integer(let number): attributes[name] = .number(Double(number))
            case .boolean(let flag): attributes[name] = .bool(flag)
            default: attributes[name] = entry.value.string.map { .string($0) }
            }
        }
        return attributes
    }
}

extension Memory {
    init(told reply: Reply) throws {
        var draft = MemoryDraft(try Told.text(reply, "content"))
        draft.kind = MemoryKind(rawValue: try Told.text(reply, "kind"))
        draft.actor = reply["actor"]?.string
        draft.thread = reply["thread"]?.string
        draft.key = reply["key"]?.string
        if let from = Told.time(reply, "happenedFrom"), let until = Told.time(reply, "happenedUntil"),
            from <= until
        {
            draft.happened = from...until
        }
        draft.valid = try Told.range(reply, "validFrom", "validUntil")
        draft.expires = Told.time(reply, "expiresAt")
        draft.isPinned = reply["pinned"]?.flag ?? false
        draft.importance = Float(try Told.number(try Told.member("importance", of: reply)))
        draft.tags = Told.texts(reply, "tags")
        draft.keywords = Told.texts(reply, "keywords")
        draft.attributes = Told.attributes(reply["attributes"])
        guard let trust = Trust(name: try Told.text(reply, "trust")) else { throw Told.missing }
        draft.origin = Origin(
            agent: reply["agent"]?.string, model: reply["model"]?.string, source: reply["source"]?.string,
            trust: trust, mayContribute: reply["mayContribute"]?.flag ?? false)
        draft.origin.sourceDigest = reply["sourceDigest"]?.string.flatMap(bytes(hexadecimal:))
        if let span = reply["sourceSpan"]?.elements, span.count == 2 {
            let (from, until) = (try Told.integer(span[0]), try Told.integer(span[1]))
            guard from <= until else { throw Told.missing }
            draft.origin.sourceSpan = UInt64(from)..<UInt64(until)
        }
        draft.attachments = try (reply["attachments"]?.elements ?? []).map { part in
            guard let digest = bytes(hexadecimal: try Told.text(part, "digest")) else { throw Told.missing }
            return Attachment(
                name: try Told.text(part, "name"), mediaType: try Told.text(part, "mediaType"),
                digest: digest, byteCount: UInt64(try Told.integer(part, "size")),
                address: part["address"]?.string)
        }
        self.init(
            retold: draft, id: try Told.id(reply, "id"), version: try Told.version(reply),
            namespace: try Told.namespace(reply, "namespace"),
            turn: reply["turn"]?.whole.flatMap { UInt32(exactly: $0) },
            principal: try Told.text(reply, "principal"),
            recorded: try Told.range(reply, "recordedAt", "recordedUntil"),
            isCurrent: reply["isCurrent"]?.flag ?? true)
    }
}

extension Remembered {
    init(told reply: Reply) throws {
        self.init(
            retold: try Told.id(reply, "id"), version: try Told.version(reply),
            isNew: reply["isNew"]?.flag ?? true, sequence: UInt64(try Told.integer(reply, "sequence")),
            missingSpaces: Told.texts(reply, "missingSpaces").compactMap { EmbeddingSpace(name: $0) },
            refusals: Told.texts(reply, "refusals"), failures: Told.texts(reply, "failures"))
    }
}

extension Edge {
    init(told reply: Reply, in namespace: Namespace) throws {
        self.init(
            retold: try reply["id"].map { try Told.edge($0) }, kind: try Told.kind(reply),
            from: try Told.id(reply, "from"), to: try Told.id(reply, "to"),
            toHome: try reply["toHome"]?.string.map { try Namespace(path: $0) },
            weight: Float(try Told.number(try Told.member("weight", of: reply))),
            valid: try Told.range(reply, "validFrom", "validUntil"),
            recorded: try Told.range(reply, "recordedFrom", "recordedUntil"),
            evidence: try Told.texts(reply, "evidence").map {
                try Told.citation($0, in: namespace.home)
            }, rule: reply["rule"]?.string)
    }
}

extension CausalLink {
    init(told reply: Reply, in namespace: Namespace) throws {
        self.init(
            retold: try Edge(told: try Told.member("edge", of: reply), in: namespace),
            effect: try Memory(told: try Told.member("effect", of: reply)),
            cause: try Memory(told: try Told.member("cause", of: reply)),
            depth: try Told.integer(reply, "depth"),
            confidence: try Told.number(try Told.member("confidence", of: reply)))
    }
}

extension Recall {
    init(told reply: Reply, of query: RecallQuery, total: Duration) throws {
        let leftOut = Told.texts(reply, "leftOut")
        var sequences: [Namespace: UInt64] = [:]
        for home in query.namespaces.keys.map(\.home)
        where !leftOut.contains("\(home): there is no such home") { sequences[home] = 0 }
        guard let id = RecallID(try Told.text(reply, "id")),
            let intent = Intent(name: try Told.text(reply, "intent"))
        else { throw Told.missing }
        self.init(
            retold: id, hits: try Told.list(reply, "hits").map { try Hit(told: $0) }, intent: intent,
            confidence: try reply["confidence"].map(Told.number), leftOut: leftOut,
            isRankedWithTodaysStatistics: query.asOf != nil || query.validAt != nil, sequences: sequences,
            total: total)
    }
}

extension Hit {
    init(told reply: Reply) throws {
        let memory = try Memory(told: try Told.member("memory", of: reply))
        self.init(
            retold: memory, score: try Told.number(try Told.member("score", of: reply)),
            parts: ScoreParts(retold: { reply["parts"]?[$0]?.number }),
            path: try (reply["path"]?.elements ?? []).map { try Step(told: $0) },
            part: reply["part"]?.whole ?? 0, text: try Told.text(reply, "passage"),
            citation: try Told.citation(reply["citation"]?.string, in: memory.namespace))
    }
}

extension Hit.Step {
    fileprivate init(told reply: Reply) throws {
        let reason: Hit.Reason
        let rank = reply["rank"]?.whole
        switch reply["by"]?.string {
        case "words": reason = .words(rank: rank)
        case "vectors":
            guard let space = EmbeddingSpace(name: try Told.text(reply, "space")) else { throw Told.missing }
            reason = .vectors(space, rank: rank)
        case "edge":
            guard let direction = EdgeDirection(rawValue: try Told.text(reply, "direction")) else {
                throw Told.missing
            }
            reason = .edge(try Told.kind(reply), direction, try Told.id(reply, "id"))
        case "session": reason = .session(try Told.id(reply, "id"))
        case "actor": reason = .actor(try Told.text(reply, "name"))
        case "calendar": reason = .calendar(try Told.range(reply, "from", "until"))
        case "event": reason = .event(try Told.range(reply, "from", "until"))
        default: throw Told.missing
        }
        self.init(retold: reason, adds: try Told.number(try Told.member("adds", of: reply)))
    }
}

extension ContextPack {
    init(told reply: Reply) throws {
        guard let intent = Intent(name: try Told.text(reply, "intent")),
            let recall = RecallID(try Told.text(reply, "recall"))
        else { throw Told.missing }
        self.init(
            retold: try Told.text(reply, "text"),
            citations: try Told.list(reply, "citations").map {
                try Told.citation($0["citation"]?.string, in: try Told.namespace($0, "namespace"))
            }, tokenCount: try Told.integer(reply, "tokenCount"),
            tokenBudget: try Told.integer(reply, "tokenBudget"), intent: intent, recall: recall,
            confidence: try reply["confidence"].map(Told.number), leftOut: Told.texts(reply, "leftOut"))
    }
}

extension Change {
    init(told reply: Reply) throws {
        let name = try Told.text(reply, "kind")
        guard let kind = Kind.allCases.first(where: { $0.name == name }),
            let time = Told.time(reply, "time")
        else { throw Told.missing }
        self.init(
            retold: kind, id: try Told.id(reply, "id"), version: try Told.version(reply),
            sequence: UInt64(try Told.integer(reply, "sequence")), time: time)
    }
}

extension NamespaceSummary {
    init(told reply: Reply) throws {
        self.init(
            retold: try Told.namespace(reply, "namespace"), memories: try Told.integer(reply, "memories"))
    }
}

extension HomeStatistics {
    init(told reply: Reply) throws {
        func count(_ name: String) throws -> UInt64 { UInt64(try Told.integer(reply, name)) }
        self.init(retold: try Told.namespace(reply, "namespace"))
        memories = try count("memories")
        versions = try count("versions")
        passages = try count("passages")
        currentPassages = try count("currentPassages")
        tailPassages = try count("tailPassages")
        receipts = try count("receipts")
        sequence = try count("sequence")
        fileBytes = try Told.integer(reply, "fileBytes")
        freePages = try Told.integer(reply, "freePages")
        readers = try Told.integer(reply, "readers")
        created = Told.time(reply, "created") ?? .distantPast
        spaces = try Told.list(reply, "spaces").map { part in
            guard let space = EmbeddingSpace(name: try Told.text(part, "space")) else { throw Told.missing }
            return Space(
                retold: space, vectors: UInt64(try Told.integer(part, "vectors")),
                tailVectors: UInt64(try Told.integer(part, "tail")),
                linkedVectors: UInt64(try Told.integer(part, "linked")))
        }
    }
}
