import MemoryEngine

extension MemoryCommands {
    // MARK: MEM.RECALL namespace question [options]

    func recall(_ arguments: inout Arguments) async throws -> Reply {
        let namespace = try arguments.namespace(.read)
        var query = RecallQuery(try arguments.text("the question"), in: namespace)
        var conditions = Conditions()
        var tellsPaths = false
        while let option = try arguments.option() {
            if try conditions.read(option, &arguments) { continue }
            if try Self.read(option, &arguments, into: &query, ofHome: false) { continue }
            switch option {
            case "ORDER":
                query.order = try arguments.choice("ORDER", of: RecallQuery.Order.allCases) { $0.rawValue }
            case "LIMIT": query.limit = try arguments.integer("LIMIT", in: 1...RecallQuery.maximumLimit)
            case "LIKE":
                query.like = try EmbeddingInput(
                    media: try arguments.bytes("what is shown"), name: "what is shown")
            case "RECEIPT": query.keepReceipt = true
            case "PATHS": tellsPaths = true
            default: throw arguments.unknown(option)
            }
        }
        query.filter = conditions.filter
        if query.keepReceipt {
            guard !isInTransaction else {
                throw CommandError("ERR in a transaction a recall keeps no RECEIPT")
            }
            // It is kept in the first home, and the others note that it may cite them.
            for namespace in query.namespaces.keys { try arguments.user.check(.write, in: namespace.home) }
        }
        let recall = try await engine.recall(query)
        let hits = recall.hits.map { Reply.hit(Reply.Shared($0), withPath: tellsPaths) }
        return .members([
            ("id", .text(recall.id.description)), ("intent", .text(recall.intent.name)),
            ("confidence", recall.confidence.map(Reply.double)), ("hits", .array(hits)),
            ("leftOut", Self.list(recall.leftOut)),
        ])
    }

    // MARK: MEM.CONTEXT namespace question tokens [options]

    func context(_ arguments: inout Arguments) async throws -> Reply {
        let namespace = try arguments.namespace(.read, ofHome: true)
        var query = RecallQuery(try arguments.text("the question"), in: namespace)
        let budget = try arguments.integer("the budget of tokens", in: 1...10_000_000)
        var conditions = Conditions()
        while let option = try arguments.option() {
            if try conditions.read(option, &arguments) { continue }
            guard try Self.read(option, &arguments, into: &query, ofHome: true) else {
                throw arguments.unknown(option)
            }
        }
        query.filter = conditions.filter
        let pack = try await engine.context(for: query, tokenBudget: budget)
        return .members([
            ("text", .text(pack.text)), ("tokenCount", .integer(pack.tokenCount)),
            ("tokenBudget", .integer(pack.tokenBudget)), ("intent", .text(pack.intent.name)),
            ("recall", .text(pack.recall.description)), ("confidence", pack.confidence.map(Reply.double)),
            (
                "citations",
                .array(
                    pack.citations.map { citation in
                        .members([
                            ("namespace", .text(citation.namespace.description)),
                            ("citation", .text(citation.description)),
                        ])
                    })
            ),
            ("leftOut", Self.list(pack.leftOut)),
        ])
    }

    /// Reads an option that every question may have; false if it is none of these.
    private static func read(
        _ option: String, _ arguments: inout Arguments, into query: inout RecallQuery, ofHome isHome: Bool
    ) throws(CommandError) -> Bool {
        switch option {
        case "ALSO":
            let also = try arguments.namespace(.read, "the namespace of ALSO", ofHome: isHome)
            query.namespaces[also] = try arguments.weight("the weight of ALSO", upTo: 1_000)
        case "DEADLINE": query.deadline = .milliseconds(try arguments.integer("DEADLINE", in: 1...3_600_000))
        case "INTENT": query.intent = try arguments.choice("INTENT", of: Intent.allCases, \.name)
        case "ASOF": query.asOf = try arguments.time("ASOF")
        case "VALIDAT": query.validAt = try arguments.time("VALIDAT")
        case "NOW": query.now = try arguments.time("NOW")
        case "ATLEAST": query.atLeast = UInt64(try arguments.integer("ATLEAST", in: 0...Int.max))
        case "SUMMARIES": query.includesSummaries = true
        case "VECTOR": query.embeddings.append(try arguments.embedding())
        default: return false
        }
        return true
    }

    private static func list(_ texts: [String]) -> Reply? {
        texts.isEmpty ? nil : .array(texts.map(Reply.text))
    }
}
