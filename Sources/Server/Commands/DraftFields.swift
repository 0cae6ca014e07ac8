import MemoryEngine

/// What is said of a memory beside its words; the same options for `MEM.REMEMBER` and `MEM.UPDATE`.
struct DraftFields: Sendable {
    private var kind: String?
    private var actor: String?
    private var thread: String?
    private var happened: Timestamp?
    private var happenedUntil: Timestamp?
    private var validFrom: Timestamp?
    private var validUntil: Timestamp?
    private var expires: Timestamp?
    private var tags: [String] = []
    private var keywords: [String] = []
    private var attributes: [String: AttributeValue] = [:]
    private var importance: Float?
    private var isPinned: Bool?
    private var source: String?
    private var agent: String?
    private var model: String?
    private var trust: Trust?
    private var attachments: [Attachment] = []
    private var embeddings: [Embedding] = []

    /// Reads an option; false if it is none of these.
    mutating func read(_ option: String, _ arguments: inout Arguments) throws(CommandError) -> Bool {
        switch option {
        case "KIND": kind = try arguments.text("the kind")
        case "ACTOR": actor = try arguments.text("the actor")
        case "THREAD": thread = try arguments.text("the thread")
        case "HAPPENED": happened = try arguments.time("when it happened")
        case "HAPPENEDUNTIL": happenedUntil = try arguments.time("until when it happened")
        case "VALIDFROM": validFrom = try arguments.time("since when it is true")
        case "VALIDUNTIL": validUntil = try arguments.time("until when it is true")
        case "EXPIRES": expires = try arguments.time("when it expires")
        case "TAG": tags.append(try arguments.text("the tag"))
        case "KEYWORD": keywords.append(try arguments.text("the keyword"))
        case "ATTRIBUTE":
            let (name, value) = try arguments.attribute()
            attributes[name] = value
        case "ATTRIBUTETEXT":
            let name = try arguments.text("the name of the attribute")
            attributes[name] = .string(try arguments.text("the value of the attribute"))
        case "IMPORTANCE": importance = Float(try arguments.number("the importance", in: 0...1))
        case "PIN": isPinned = true
        case "UNPIN": isPinned = false
        case "SOURCE": source = try arguments.text("the source")
        case "AGENT": agent = try arguments.text("the agent")
        case "MODEL": model = try arguments.text("the model")
        case "TRUST": trust = try arguments.choice("TRUST", of: Trust.allCases, \.name)
        case "ATTACH":
            let name = try arguments.text("the name of the attachment")
            attachments.append(.data(try arguments.bytes("the bytes of attachment `\(name)`"), name: name))
        case "VECTOR": embeddings.append(try arguments.embedding())
        default: return false
        }
        return true
    }

    /// Puts what was said into a draft, and leaves the rest as it is. Lists are added to.
    func apply(to draft: inout MemoryDraft) throws {
        if let kind { draft.kind = MemoryKind(rawValue: kind) }
        if let actor { draft.actor = actor }
        if let thread { draft.thread = thread }
        if happened != nil || happenedUntil != nil {
            guard let happened, happened <= happenedUntil ?? happened else {
                throw CommandError("ERR HAPPENEDUNTIL is before HAPPENED, or without it")
            }
            draft.happened = happened...(happenedUntil ?? happened)
        }
        if validFrom != nil || validUntil != nil {
            let from = validFrom ?? draft.valid?.lowerBound ?? .distantPast
            let until = validUntil ?? draft.valid?.upperBound ?? .distantFuture
            guard from < until else {
                throw CommandError("ERR VALIDUNTIL, \(until), is not after VALIDFROM, \(from)")
            }
            draft.valid = from..<until
        }
        if let expires { draft.expires = expires }
        draft.tags += tags.filter { !draft.tags.contains($0) }
        draft.keywords += keywords.filter { !draft.keywords.contains($0) }
        draft.attributes.merge(attributes) { $1 }
        if let importance { draft.importance = importance }
        if let isPinned { draft.isPinned = isPinned }
        if let source { draft.origin.source = source }
        if let agent { draft.origin.agent = agent }
        if let model { draft.origin.model = model }
        if let trust { draft.origin.trust = trust }
        draft.attachments += attachments
        draft.embeddings += embeddings
    }
}

/// Which memories may be found or listed: all that is said must hold.
struct Conditions {
    private var filters: [Filter] = []
    private var (since, until) = (Timestamp.distantPast, Timestamp.distantFuture)

    var filter: Filter? {
        var all = filters
        if since < until, since != .distantPast || until != .distantFuture {
            all.append(.happened(since..<until))
        }
        return all.isEmpty ? nil : .all(all)
    }

    /// Reads an option; false if it is none of these.
    mutating func read(_ option: String, _ arguments: inout Arguments) throws(CommandError) -> Bool {
        switch option {
        case "KIND": filters.append(.kind(MemoryKind(rawValue: try arguments.text("the kind"))))
        case "ACTOR": filters.append(.actor(try arguments.text("the actor")))
        case "THREAD": filters.append(.thread(try arguments.text("the thread")))
        case "TAG": filters.append(.tag(try arguments.text("the tag")))
        case "KEYWORD": filters.append(.keyword(try arguments.text("the keyword")))
        case "KEYPREFIX": filters.append(.keyHasPrefix(try arguments.text("the beginning of the key")))
        case "ATTRIBUTE":
            let (name, value) = try arguments.attribute()
            filters.append(.attribute(name, value))
        case "ATTRIBUTETEXT":
            let name = try arguments.text("the name of the attribute")
            filters.append(.attribute(name, .string(try arguments.text("the value of the attribute"))))
        case "TRUST":
            filters.append(.trust(atLeast: try arguments.choice("TRUST", of: Trust.allCases, \.name)))
        case "SINCE": since = try arguments.time("SINCE")
        case "UNTIL":
            until = try arguments.time("UNTIL")
            guard since < until else {
                throw CommandError("ERR \(arguments.command): UNTIL is not after SINCE")
            }
        default: return false
        }
        return true
    }
}
