import MemoryEngine

/// Runs the commands of memories on an engine. The first argument of each is the namespace that it works in.
struct MemoryCommands: Sendable {
    let engine: Engine

    /// The reply of a command; what the engine refuses is a reply too.
    func run(_ call: ConnectionState.Call) async -> Reply {
        do {
            var arguments = Arguments(call.words, of: call.name)
            switch call.name {
            case "MEM.REMEMBER": return try await remember(&arguments)
            case "MEM.RECALL": return try await recall(&arguments)
            case "MEM.GET": return try await get(&arguments)
            case "MEM.FORGET": return try await forget(&arguments)
            case "MEM.NAMESPACES": return try await namespaces(&arguments)
            case "MEM.STATS": return try await stats(&arguments)
            default: return CommandError("ERR \(call.name) is not answered here").reply
            }
        } catch let error as CommandError {
            return error.reply
        } catch let error as EngineError {
            return CommandError(error).reply
        } catch {
            return CommandError("ERR \(error)").reply
        }
    }

    // MARK: MEM.REMEMBER namespace content [options]

    private func remember(_ arguments: inout Arguments) async throws -> Reply {
        let namespace = try arguments.namespace()
        var draft = MemoryDraft(try arguments.text("the content"))
        var valid = (from: Timestamp.distantPast, until: Timestamp.distantFuture)
        while let option = try arguments.option() {
            switch option {
            case "KEY": draft.key = try arguments.text("the key")
            case "KIND": draft.kind = MemoryKind(rawValue: try arguments.text("the kind"))
            case "ACTOR": draft.actor = try arguments.text("the actor")
            case "THREAD": draft.thread = try arguments.text("the thread")
            case "HAPPENED":
                let time = try arguments.time("when it happened")
                draft.happened = time...time
            case "VALIDFROM": valid.from = try arguments.time("since when it is true")
            case "VALIDUNTIL": valid.until = try arguments.time("until when it is true")
            case "EXPIRES": draft.expires = try arguments.time("when it expires")
            case "TAG": draft.tags.append(try arguments.text("the tag"))
            case "KEYWORD": draft.keywords.append(try arguments.text("the keyword"))
            case "ATTRIBUTE":
                let name = try arguments.text("the name of the attribute")
                draft.attributes[name] = Self.attribute(try arguments.text("the value of the attribute"))
            case "IMPORTANCE": draft.importance = Float(try arguments.number("the importance", in: 0...1))
            case "PIN": draft.isPinned = true
            case "SOURCE": draft.origin.source = try arguments.text("the source")
            case "TRUST": draft.origin.trust = try Self.trust(&arguments)
            case "VECTOR": draft.embeddings.append(try arguments.embedding())
            default: throw arguments.unknown(option)
            }
        }
        if valid != (.distantPast, .distantFuture) {
            guard valid.from < valid.until else {
                throw CommandError("ERR \(arguments.command): VALIDUNTIL is not after VALIDFROM")
            }
            draft.valid = valid.from..<valid.until
        }
        let remembered = try await engine.remember(draft, in: namespace)
        return .members([
            ("id", .text(remembered.id.description)), ("version", .integer(Int(remembered.version))),
            ("isNew", .boolean(remembered.isNew)), ("sequence", .integer(Int(remembered.sequence))),
        ])
    }

    /// A number, `true` or `false`, and else a string.
    private static func attribute(_ text: String) -> AttributeValue {
        if text == "true" || text == "false" { return .bool(text == "true") }
        if let number = Double(text), number.isFinite { return .number(number) }
        return .string(text)
    }

    private static func trust(_ arguments: inout Arguments) throws(CommandError) -> Trust {
        let name = try arguments.text("the trust")
        guard let trust = Trust(name: name) else {
            throw CommandError("ERR \(arguments.command): TRUST is untrusted, known or verified")
        }
        return trust
    }

    // MARK: MEM.RECALL namespace question [options]

    private func recall(_ arguments: inout Arguments) async throws -> Reply {
        let namespace = try arguments.namespace()
        var query = RecallQuery(try arguments.text("the question"), in: namespace)
        var filters: [Filter] = []
        while let option = try arguments.option() {
            switch option {
            case "ALSO":
                let also = try arguments.namespace("the namespace of ALSO")
                query.namespaces[also] = try arguments.number("the weight of ALSO", in: 0...1_000)
            case "LIMIT": query.limit = try arguments.integer("LIMIT", in: 1...RecallQuery.maximumLimit)
            case "DEADLINE":
                query.deadline = .milliseconds(try arguments.integer("DEADLINE", in: 1...3_600_000))
            case "INTENT":
                let name = try arguments.text("the intent")
                guard let intent = Intent(name: name) else {
                    throw CommandError(
                        "ERR \(arguments.command): INTENT is "
                            + Intent.allCases.map(\.name).joined(separator: ", "))
                }
                query.intent = intent
            case "ASOF": query.asOf = try arguments.time("ASOF")
            case "VALIDAT": query.validAt = try arguments.time("VALIDAT")
            case "NOW": query.now = try arguments.time("NOW")
            case "KIND": filters.append(.kind(MemoryKind(rawValue: try arguments.text("the kind"))))
            case "ACTOR": filters.append(.actor(try arguments.text("the actor")))
            case "THREAD": filters.append(.thread(try arguments.text("the thread")))
            case "TAG": filters.append(.tag(try arguments.text("the tag")))
            case "ATTRIBUTE":
                let name = try arguments.text("the name of the attribute")
                filters.append(
                    .attribute(name, Self.attribute(try arguments.text("the value of the attribute"))))
            case "TRUST": filters.append(.trust(atLeast: try Self.trust(&arguments)))
            case "VECTOR": query.embeddings.append(try arguments.embedding())
            case "RECEIPT": query.keepReceipt = true
            default: throw arguments.unknown(option)
            }
        }
        if !filters.isEmpty { query.filter = .all(filters) }
        let recall = try await engine.recall(query)
        return .members([
            ("id", .text(recall.id.description)), ("intent", .text(recall.intent.name)),
            ("confidence", .double(recall.confidence)), ("hits", .array(recall.hits.map(Reply.init))),
            ("leftOut", recall.leftOut.isEmpty ? nil : .array(recall.leftOut.map(Reply.text))),
        ])
    }

    // MARK: MEM.GET namespace (id [VERSION n] | KEY key)

    private func get(_ arguments: inout Arguments) async throws -> Reply {
        let namespace = try arguments.namespace()
        let first = try arguments.text("the id, or KEY")
        let memory: Memory?
        if first.uppercased() == "KEY", !arguments.isEmpty {
            memory = try await engine.get(key: try arguments.text("the key"), in: namespace)
        } else {
            guard let id = MemoryID(first) else {
                throw CommandError("ERR \(arguments.command): `\(first.prefix(60))` is no id of a memory")
            }
            var version: UInt32?
            while let option = try arguments.option() {
                guard option == "VERSION" else { throw arguments.unknown(option) }
                version = UInt32(try arguments.integer("VERSION", in: 1...Int(UInt32.max)))
            }
            memory = try await engine.get(id, in: namespace, version: version)
        }
        if let option = try arguments.option() { throw arguments.unknown(option) }
        return memory.map(Reply.init) ?? .null
    }

    // MARK: MEM.FORGET namespace id [id ...]

    /// Forgets what is there of the memories named, and tells how many were.
    private func forget(_ arguments: inout Arguments) async throws -> Reply {
        let namespace = try arguments.namespace()
        var ids: [MemoryID] = []
        repeat { ids.append(try arguments.memoryID()) } while !arguments.isEmpty
        var count = 0
        for id in ids {
            do {
                count += try await engine.forget(.id(id), under: namespace).memories
            } catch let error as EngineError where error.code == .notFound {
                continue
            }
        }
        return .integer(count)
    }

    // MARK: MEM.NAMESPACES [subtree]

    /// Homes and their sessions, each with how many memories it holds.
    private func namespaces(_ arguments: inout Arguments) async throws -> Reply {
        let subtree = arguments.isEmpty ? nil : try arguments.namespace("the subtree")
        var summaries: [Reply] = []
        for home in try engine.homes(under: subtree) {
            for summary in try await engine.namespaces(in: home)
            where subtree?.contains(summary.namespace) ?? true {
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
        let statistics = try await engine.stats(in: try arguments.namespace())
        return .members([
            ("namespace", .text(statistics.namespace.description)),
            ("memories", .integer(Int(statistics.memories))),
            ("versions", .integer(Int(statistics.versions))),
            ("passages", .integer(Int(statistics.passages))),
            ("sequence", .integer(Int(statistics.sequence))),
            ("fileBytes", .integer(statistics.fileBytes)),
            (
                "spaces",
                .array(
                    statistics.spaces.map { space in
                        .members([
                            ("space", .text(space.space.name)), ("vectors", .integer(Int(space.vectors))),
                            ("linked", .integer(Int(space.linkedVectors))),
                        ])
                    })
            ),
        ])
    }
}
