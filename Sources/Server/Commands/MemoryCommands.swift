import MemoryEngine

/// Runs the commands of memories on an engine. The first argument of each is the namespace that it works in, and a memory
/// is named by its id or its key.
struct MemoryCommands: Sendable {
    let engine: Engine
    /// The same, reading on the thread of whoever asks.
    func readingOnCallersThread() -> MemoryCommands {
        MemoryCommands(engine: engine.readingOnCallersThread(), turns: turns)
    }

    /// What runs is part of a transaction, and writes nothing beside it.
    var isInTransaction = false
    /// Of those who read much.
    private let turns: Turns

    init(engine: Engine) { self.init(engine: engine, turns: Turns(4)) }

    private init(engine: Engine, turns: Turns) {
        self.engine = engine
        self.turns = turns
    }

    /// The reply of a command; what the engine refuses is a reply too. What a user writes is theirs.
    func run(_ call: ConnectionState.Call) async -> Reply {
        if !call.isOfMemories { return await VectorSetCommands(engine: engine).run(call) }
        do {
            let commands = try call.user.map {
                MemoryCommands(engine: try engine.acting(as: $0.name), turns: turns)
            }
            return try await (commands ?? self).answer(call)
        } catch {
            return CommandError(any: error).reply
        }
    }

    /// The reply of a command that takes so little time that it may keep others on the thread waiting; `nil` of another.
    func answerNow(_ call: ConnectionState.Call) -> Reply? {
        VectorSetCommands.short.contains(call.name) ? VectorSetCommands(engine: engine).answerNow(call) : nil
    }

    func answer(_ call: ConnectionState.Call) async throws -> Reply {
        if let batch = call.batch { return try await execute(batch) }
        if let (write, namespace) = try Self.write(call) {
            return Reply(try await engine.write([(write, namespace)])[0])
        }
        var arguments = Arguments(call.words, of: call.name, by: call.user)
        switch call.name {
        case "MEM.RECALL": return try await recall(&arguments)
        case "MEM.CONTEXT": return try await context(&arguments)
        case "MEM.GET": return try await get(&arguments)
        case "MEM.LIST": return try await turns.take { try await list(&arguments) }
        case "MEM.PROMOTE": return try await promote(&arguments)
        case "MEM.FORGET": return try await forget(&arguments)
        case "MEM.RECORD": return try await record(&arguments)
        case "MEM.NEIGHBORS": return try await neighbors(&arguments)
        case "MEM.PATH": return try await path(&arguments)
        case "MEM.WHY": return try await why(&arguments)
        case "MEM.CHANGES": return try await changes(&arguments)
        case "MEM.NAMESPACES": return try await namespaces(&arguments)
        case "MEM.STATS": return try await stats(&arguments)
        default: throw CommandError("ERR \(call.name) is not answered here")
        }
    }

    /// The id of a memory that is named by it, or by its key.
    ///
    /// - Throws: `notFound` for a key that no memory of the namespace has.
    func memory(_ arguments: inout Arguments, in namespace: Namespace) async throws -> MemoryID {
        let text = try arguments.text("the memory")
        guard let id = try await id(of: text, in: namespace) else {
            throw EngineError(
                .notFound, "`\(text.prefix(200))` is no id, and no key of a memory in \(namespace)")
        }
        return id
    }

    private func id(of text: String, in namespace: Namespace) async throws -> MemoryID? {
        if let id = MemoryID(text) { return id }
        return try await engine.id(ofKey: text, in: namespace)
    }

    // MARK: MEM.GET namespace memory [VERSION number] [ASOF time] [VALIDAT time] [ATTACHMENT name [FROM byte]]

    private func get(_ arguments: inout Arguments) async throws -> Reply {
        let namespace = try arguments.namespace(.read)
        let text = try arguments.text("the memory")
        var version: UInt32?
        var (asOf, validAt) = (Timestamp?.none, Timestamp?.none)
        var (attachment, start) = (String?.none, Int?.none)
        while let option = try arguments.option() {
            switch option {
            case "ATTACHMENT": attachment = try arguments.text("the name of the attachment")
            case "FROM": start = try arguments.integer("FROM", in: 0...Int(UInt32.max))
            case "VERSION": version = UInt32(try arguments.integer("VERSION", in: 1...Int(UInt32.max)))
            case "ASOF": asOf = try arguments.time("ASOF")
            case "VALIDAT": validAt = try arguments.time("VALIDAT")
            default: throw arguments.unknown(option)
            }
        }
        guard attachment != nil || start == nil else {
            throw CommandError("ERR MEM.GET: FROM is without ATTACHMENT")
        }
        guard let id = try await id(of: text, in: namespace),
            let memory = try await engine.get(
                id, in: namespace, version: version, asOf: asOf, validAt: validAt)
        else { return .null }
        guard let attachment else { return .memory(memory) }
        return try await part(of: attachment, from: UInt64(start ?? 0), of: memory)
    }

    /// The most bytes of an attachment in a reply, so that few clients that are slow to take theirs do not fill the memory.
    static let attachmentPartByteCount: UInt64 = 8 << 20

    private func part(of name: String, from start: UInt64, of memory: Memory) async throws -> Reply {
        guard let attachment = memory.attachments.first(where: { $0.name == name }) else {
            throw EngineError(.notFound, "the memory has no attachment `\(name.prefix(200))`")
        }
        if let address = attachment.address {
            throw EngineError(.invalid, "`\(name)` is kept outside: \(address)")
        }
        guard start < attachment.byteCount else { return .bulk([]) }
        let end = min(attachment.byteCount, start + Self.attachmentPartByteCount)
        return try await turns.take {
            .bulk(try await engine.attachment(attachment.digest, in: memory.namespace, range: start..<end))
        }
    }

    // MARK: MEM.LIST namespace [LIMIT count] [AFTER cursor] [ORDER order] [ALL] [conditions]

    private func list(_ arguments: inout Arguments) async throws -> Reply {
        let namespace = try arguments.namespace(.read)
        var conditions = Conditions()
        var (limit, cursor, order, isAll) = (50, String?.none, Engine.ListOrder.recordedDescending, false)
        while let option = try arguments.option() {
            if try conditions.read(option, &arguments) { continue }
            switch option {
            case "LIMIT": limit = try arguments.integer("LIMIT", in: 1...10_000)
            case "AFTER": cursor = try arguments.text("the cursor")
            case "ORDER": order = try arguments.choice("ORDER", of: Engine.ListOrder.allCases) { $0.rawValue }
            case "ALL": isAll = true
            default: throw arguments.unknown(option)
            }
        }
        let page = try await engine.list(
            in: namespace, filter: conditions.filter, order: order, after: cursor, limit: limit,
            includesClosed: isAll)
        return .members([
            ("memories", .array(page.memories.map(Reply.memory))), ("after", page.next.map(Reply.text)),
        ])
    }

    // MARK: MEM.PROMOTE namespace memory target

    private func promote(_ arguments: inout Arguments) async throws -> Reply {
        let namespace = try arguments.namespace(.read, ofHome: true)
        let id = try await memory(&arguments, in: namespace)
        let target = try arguments.namespace(.write, "the target")
        return Reply(try await engine.promote(id, from: namespace, to: target))
    }

    // MARK: MEM.FORGET namespace memory [memory ...]

    /// Forgets what is there of the memories named, and tells how many were.
    private func forget(_ arguments: inout Arguments) async throws -> Reply {
        let namespace = try arguments.namespace(.write, ofHome: true)
        var count = 0
        repeat {
            count += try await forget(arguments.text("the memory"), in: namespace)
        } while !arguments.isEmpty
        return .integer(count)
    }

    private func forget(_ memory: String, in namespace: Namespace) async throws -> Int {
        guard let id = try await id(of: memory, in: namespace) else { return 0 }
        do {
            return try await engine.forget(.id(id), under: namespace).memories
        } catch let error as EngineError where error.code == .notFound {
            return 0
        }
    }

    // MARK: MEM.RECORD namespace recall outcome

    private func record(_ arguments: inout Arguments) async throws -> Reply {
        let namespace = try arguments.namespace(.write, ofHome: true)
        let text = try arguments.text("the recall")
        guard let recall = RecallID(text) else {
            throw CommandError("ERR \(arguments.command): `\(text.prefix(60))` is no id of a recall")
        }
        let outcome = try arguments.choice("the outcome", of: Outcome.allCases) { "\($0)" }
        try await engine.record(outcome, of: recall, in: namespace)
        return .ok
    }

    // MARK: MEM.NAMESPACES [subtree]

    /// Homes and their sessions, each with how many memories it holds.
    private func namespaces(_ arguments: inout Arguments) async throws -> Reply {
        let subtree = arguments.isEmpty ? nil : try arguments.namespace(.read, "the subtree")
        var summaries: [Reply] = []
        for home in try engine.homes(under: subtree) where arguments.user?.mayReadSome(of: home) ?? true {
            for summary in try await engine.namespaces(in: home)
            where subtree?.contains(summary.namespace) ?? true
                && arguments.user?.may(.read, in: summary.namespace) ?? true
            {
                summaries.append(
                    .members([
                        ("namespace", .text(summary.namespace.description)),
                        ("memories", .integer(summary.memories)),
                    ]))
            }
        }
        return .array(summaries)
    }

    // MARK: MEM.STATS namespace

    private func stats(_ arguments: inout Arguments) async throws -> Reply {
        let statistics = try await engine.stats(in: try arguments.namespace(.read, ofHome: true))
        return .members([
            ("namespace", .text(statistics.namespace.description)),
            ("memories", .integer(Int(statistics.memories))),
            ("versions", .integer(Int(statistics.versions))),
            ("passages", .integer(Int(statistics.passages))),
            ("currentPassages", .integer(Int(statistics.currentPassages))),
            ("tailPassages", .integer(Int(statistics.tailPassages))),
            ("receipts", .integer(Int(statistics.receipts))),
            ("sequence", .integer(Int(statistics.sequence))),
            ("fileBytes", .integer(statistics.fileBytes)), ("freePages", .integer(statistics.freePages)),
            ("readers", .integer(statistics.readers)), ("created", .text(statistics.created.description)),
            (
                "spaces",
                .array(
                    statistics.spaces.map { space in
                        .members([
                            ("space", .text(space.space.name)), ("vectors", .integer(Int(space.vectors))),
                            ("tail", .integer(Int(space.tailVectors))),
                            ("linked", .integer(Int(space.linkedVectors))),
                        ])
                    })
            ),
        ])
    }
}
