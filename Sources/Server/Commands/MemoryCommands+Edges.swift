import MemoryEngine

extension MemoryCommands {
    /// One of the engine's, or `GRAPH/NAME` for one of the caller's.
    static func edgeKind(_ arguments: inout Arguments) throws -> EdgeKind {
        let text = try arguments.text("the kind of the edge")
        if let known = EdgeKind.all.first(where: { $0.name == text }) { return known }
        let parts = text.split(separator: "/", maxSplits: 1)
        guard parts.count == 2, let graph = MemoryGraph(name: String(parts[0])) else {
            throw CommandError(
                "ERR \(arguments.command): `\(text.prefix(80))` is no kind of edge; give one of "
                    + EdgeKind.all.map(\.name).joined(separator: ", ")
                    + ", or GRAPH/NAME with one of your own in the semantic, temporal, causal or entity graph"
            )
        }
        return try EdgeKind(String(parts[1]), in: graph)
    }

    // MARK: MEM.NEIGHBORS namespace memory [LIMIT count] [STRONGEST] [walk]

    func neighbors(_ arguments: inout Arguments) async throws -> Reply {
        let namespace = try arguments.namespace(.read, ofHome: true)
        let id = try await memory(&arguments, in: namespace)
        var query = GraphQuery()
        while let option = try arguments.option() {
            if try Self.read(option, &arguments, into: &query) { continue }
            switch option {
            case "LIMIT": query.limit = try arguments.integer("LIMIT", in: 1...10_000)
            case "STRONGEST": query.order = .strongest
            default: throw arguments.unknown(option)
            }
        }
        let hits = try await engine.neighbors(of: id, in: namespace, query: query)
        return .members([
            (
                "neighbors",
                .array(
                    hits.map { hit in
                        .members([
                            ("strength", .double(hit.strength)), ("path", .array(hit.path.map(Reply.init))),
                            ("memory", Reply.memory(hit.memory)),
                        ])
                    })
            ), ("isComplete", .boolean(hits.isComplete)),
        ])
    }

    // MARK: MEM.PATH namespace from to [walk]

    /// The edges of a path with as few as can be; nil if there is none.
    func path(_ arguments: inout Arguments) async throws -> Reply {
        let namespace = try arguments.namespace(.read, ofHome: true)
        let from = try await memory(&arguments, in: namespace)
        let to = try await memory(&arguments, in: namespace)
        var query = GraphQuery()
        query.depth = 6
        while let option = try arguments.option() {
            guard try Self.read(option, &arguments, into: &query) else { throw arguments.unknown(option) }
        }
        let path = try await engine.path(from: from, to: to, in: namespace, query: query)
        return path.map { .array($0.map(Reply.init)) } ?? .nullArray
    }

    /// Reads an option that every walk may have; false if it is none of these.
    private static func read(
        _ option: String, _ arguments: inout Arguments, into query: inout GraphQuery
    ) throws -> Bool {
        switch option {
        case "KIND": query.kinds = (query.kinds ?? []).union([try edgeKind(&arguments)])
        case "GRAPH":
            let graph = try arguments.choice("GRAPH", of: MemoryGraph.allCases, \.name)
            query.graphs = (query.graphs ?? []).union([graph])
        case "DIRECTION":
            query.direction = try arguments.choice("DIRECTION", of: EdgeDirection.allCases) { $0.rawValue }
        case "DEPTH": query.depth = try arguments.integer("DEPTH", in: 1...64)
        case "DEADLINE": query.deadline = .milliseconds(try arguments.integer("DEADLINE", in: 1...3_600_000))
        case "ASOF": query.asOf = try arguments.time("ASOF")
        case "VALIDAT": query.validAt = try arguments.time("VALIDAT")
        default: return false
        }
        return true
    }

    // MARK: MEM.WHY namespace memory [EFFECTS] [DEPTH count] [ASOF time] [VALIDAT time]

    /// The causal chain of a memory, the nearest links first; empty if no cause is known.
    func why(_ arguments: inout Arguments) async throws -> Reply {
        let namespace = try arguments.namespace(.read, ofHome: true)
        let id = try await memory(&arguments, in: namespace)
        var (depth, asksEffects) = (4, false)
        var (asOf, validAt) = (Timestamp?.none, Timestamp?.none)
        while let option = try arguments.option() {
            switch option {
            case "EFFECTS": asksEffects = true
            case "DEPTH": depth = try arguments.integer("DEPTH", in: 1...64)
            case "ASOF": asOf = try arguments.time("ASOF")
            case "VALIDAT": validAt = try arguments.time("VALIDAT")
            default: throw arguments.unknown(option)
            }
        }
        let chain =
            asksEffects
            ? try await engine.effects(of: id, in: namespace, depth: depth, asOf: asOf, validAt: validAt)
            : try await engine.causes(of: id, in: namespace, depth: depth, asOf: asOf, validAt: validAt)
        return .members([
            (
                "links",
                .array(
                    chain.map { link in
                        .members([
                            ("depth", .integer(link.depth)), ("confidence", .double(link.confidence)),
                            ("edge", Reply(link.edge)), ("effect", .memory(link.effect)),
                            ("cause", .memory(link.cause)),
                        ])
                    })
            ), ("isComplete", .boolean(chain.isComplete)),
        ])
    }
}
