import MemoryEngine

/// The commands that write to one home, which may be parts of a transaction.
extension MemoryCommands {
    /// What such a command writes, and where; `nil` of another.
    static func write(
        _ call: ConnectionState.Call
    ) throws -> (write: Engine.Write, namespace: Namespace)? {
        guard let command = CommandTable.find(call.words[0]), command.isOfMemories, command.isForTransactions,
            command.isWrite
        else { return nil }
        var arguments = Arguments(call.words, of: call.name, by: call.user)
        let namespace = try arguments.namespace(.write, ofHome: call.name != "MEM.REMEMBER")
        let write: Engine.Write =
            switch call.name {
            case "MEM.REMEMBER": try remember(&arguments)
            case "MEM.UPDATE": try update(&arguments)
            case "MEM.SUPERSEDE":
                .supersede(
                    try name(&arguments), by: try name(&arguments), at: try moment(&arguments))
            case "MEM.RETRACT": .retract(try name(&arguments), at: try moment(&arguments))
            case "MEM.LINK": try link(&arguments, in: namespace)
            default: .unlink(try edge(&arguments))
            }
        return (write, namespace)
    }

    /// A memory by its id, or by its key.
    private static func name(_ arguments: inout Arguments) throws(CommandError) -> Engine.MemoryName {
        let text = try arguments.text("the memory")
        return MemoryID(text).map { .id($0) } ?? .key(text)
    }

    // MARK: MEM.REMEMBER namespace content [KEY key] [UNLESSREFUSED] [fields]

    private static func remember(_ arguments: inout Arguments) throws -> Engine.Write {
        var draft = MemoryDraft(try arguments.text("the content"))
        var fields = DraftFields()
        var isUnlessRefused = false
        while let option = try arguments.option() {
            if try fields.read(option, &arguments) { continue }
            switch option {
            case "KEY": draft.key = try arguments.text("the key")
            case "UNLESSREFUSED": isUnlessRefused = true
            default: throw arguments.unknown(option)
            }
        }
        try fields.apply(to: &draft)
        return .remember(draft, unlessRefused: isUnlessRefused)
    }

    // MARK: MEM.UPDATE namespace memory [CONTENT text] [EXPECTING version] [UNTAG tag] [UNSET attribute] [fields]

    private static func update(_ arguments: inout Arguments) throws -> Engine.Write {
        let name = try name(&arguments)
        var fields = DraftFields()
        var content: String?
        var expecting: UInt32?
        var (untag, unset): (Set<String>, Set<String>) = ([], [])
        while let option = try arguments.option() {
            if try fields.read(option, &arguments) { continue }
            switch option {
            case "CONTENT": content = try arguments.text("the content")
            case "EXPECTING": expecting = UInt32(try arguments.integer("EXPECTING", in: 1...Int(UInt32.max)))
            case "UNTAG": untag.insert(try arguments.text("the tag"))
            case "UNSET": unset.insert(try arguments.text("the attribute"))
            default: throw arguments.unknown(option)
            }
        }
        // What is wrong whatever the memory says is told now.
        var any = MemoryDraft("")
        try fields.apply(to: &any)
        let (read, said, tags, names) = (fields, content, untag, unset)
        return .update(name, expecting: expecting) { draft in
            if let said { draft.content = said }
            // First, so that what is taken off and put on is there in the end.
            draft.tags.removeAll { tags.contains($0) }
            for name in names { draft.attributes[name] = nil }
            try read.apply(to: &draft)
        }
    }

    // MARK: MEM.SUPERSEDE namespace memory successor [AT time], MEM.RETRACT namespace memory [AT time]

    private static func moment(_ arguments: inout Arguments) throws(CommandError) -> Timestamp? {
        var moment: Timestamp?
        while let option = try arguments.option() {
            guard option == "AT" else { throw arguments.unknown(option) }
            moment = try arguments.time("AT")
        }
        return moment
    }

    // MARK: MEM.LINK namespace from to kind [WEIGHT number] [VALIDFROM time] [VALIDUNTIL time] [EVIDENCE citation]...

    private static func link(_ arguments: inout Arguments, in namespace: Namespace) throws -> Engine.Write {
        let (from, to) = (try name(&arguments), try name(&arguments))
        let kind = try edgeKind(&arguments)
        var weight = 1.0
        var (since, until) = (Timestamp.distantPast, Timestamp.distantFuture)
        var evidence: [Citation] = []
        while let option = try arguments.option() {
            switch option {
            case "WEIGHT": weight = try arguments.weight("the weight", upTo: 1)
            case "VALIDFROM": since = try arguments.time("VALIDFROM")
            case "VALIDUNTIL": until = try arguments.time("VALIDUNTIL")
            case "EVIDENCE":
                let text = try arguments.text("EVIDENCE")
                guard let citation = Citation(text, in: namespace) else {
                    throw CommandError(
                        "ERR \(arguments.command): `\(text.prefix(100))` is no citation; write ID@VERSION#FROM-TO"
                    )
                }
                evidence.append(citation)
            default: throw arguments.unknown(option)
            }
        }
        guard since < until else {
            throw CommandError("ERR \(arguments.command): VALIDUNTIL is not after VALIDFROM")
        }
        return .link(
            from, to: to, as: kind, weight: Float(weight), valid: since..<until, evidence: evidence)
    }

    // MARK: MEM.UNLINK namespace edge

    private static func edge(_ arguments: inout Arguments) throws -> EdgeID {
        let text = try arguments.text("the edge")
        guard let edge = EdgeID(text) else {
            throw CommandError("ERR \(arguments.command): `\(text.prefix(60))` is no id of an edge")
        }
        return edge
    }
}

extension Reply {
    init(_ written: Engine.Written) {
        switch written {
        case .stored(let remembered): self.init(remembered)
        case .refused(let reason): self = .members([("refusals", .array([.text(reason)]))])
        case .linked(let edge): self = .text(edge.description)
        case .done: self = .ok
        }
    }
}
