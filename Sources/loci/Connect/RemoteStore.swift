import MemoryEngine
import Server

/// A store that a server has open.
struct RemoteStore: MemoryStore {
    let client: Client

    /// How many commands are sent without waiting for replies.
    static let pipelineCount = 100

    /// The reply of a command.
    ///
    /// - Throws: `EngineError`: what the server refused, or a connection that ended.
    private func ask(_ command: CommandWords) async throws -> Reply {
        try command.check()
        let reply = try await client.ask(command.words)
        if let refusal = reply.refusal { throw refusal }
        return reply
    }

    private func ask(_ commands: [CommandWords]) async throws -> [Reply] {
        var replies: [Reply] = []
        while replies.count < commands.count {
            let end = min(replies.count + Self.pipelineCount, commands.count)
            replies += try await client.ask(commands[replies.count..<end].map(\.words))
        }
        return replies
    }

    // MARK: Stores

    func homes(under subtree: Namespace?) async throws -> [Namespace] {
        var homes: [Namespace] = []
        for summary in try await summaries(under: subtree?.session == nil ? subtree : subtree?.home)
        where homes.last != summary.namespace.home { homes.append(summary.namespace.home) }
        return homes
    }

    func namespaces(in home: Namespace) async throws -> [NamespaceSummary] {
        try await summaries(under: home)
    }

    private func summaries(under subtree: Namespace?) async throws -> [NamespaceSummary] {
        var command = CommandWords("MEM.NAMESPACES")
        if let subtree { command.add(subtree.description) }
        return try await ask(command).elements.map { try NamespaceSummary(told: $0) }
    }

    func stats(in namespace: Namespace) async throws -> HomeStatistics {
        try HomeStatistics(told: try await ask(CommandWords("MEM.STATS", namespace.home)))
    }

    func spaces(in namespace: Namespace) async throws -> [EmbeddingSpace] {
        try await stats(in: namespace).spaces.map(\.space)
    }

    func changes(
        after sequence: UInt64, in namespace: Namespace, upToNow: Bool
    ) -> AsyncThrowingStream<Change, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    var last = sequence
                    while !Task.isCancelled {
                        var command = CommandWords("MEM.CHANGES", namespace)
                        command.add("AFTER", last)
                        if !upToNow { command.add("BLOCK", "60000") }
                        let changes = try await ask(command).elements.map { try Change(told: $0) }
                        for change in changes { continuation.yield(change) }
                        if let newest = changes.last { last = newest.sequence } else if upToNow { break }
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    // MARK: Writing

    private func command(_ draft: MemoryDraft, in namespace: Namespace) throws -> CommandWords {
        var command = CommandWords("MEM.REMEMBER", namespace, draft.content)
        command.add("KEY", draft.key)
        try command.add(
            draft, kind: draft.kind == .note ? nil : draft.kind,
            importance: draft.importance == 0.5 ? nil : draft.importance,
            trust: draft.origin.trust == .known ? nil : draft.origin.trust)
        if draft.isPinned { command.add("PIN") }
        return command
    }

    func remember(_ draft: MemoryDraft, in namespace: Namespace) async throws -> Remembered {
        try remembered(try await ask(try command(draft, in: namespace)), namespace)
    }

    /// What became of a memory; what no vector is made of is said, as an engine of this process says it.
    private func remembered(_ reply: Reply, _ namespace: Namespace) throws -> Remembered {
        let remembered = try Remembered(told: reply)
        for refusal in remembered.refusals {
            Terminal.note("\(namespace.home): what is attached gets no vector: \(refusal)")
        }
        return remembered
    }

    /// As many as are sent at a time are a transaction, as each would else wait for the disk. Where that is refused, each is one
    /// of its own, so that those that can be stored are. With `.atomic` nothing is sent after those with a bad one.
    func remember(
        _ drafts: [MemoryDraft], in namespace: Namespace, onError policy: Engine.BatchPolicy
    ) async throws -> [Result<Remembered, EngineError>] {
        var results: [Result<Remembered, EngineError>] = []
        for first in stride(from: 0, to: drafts.count, by: Self.pipelineCount) {
            let part = drafts[first..<min(first + Self.pipelineCount, drafts.count)]
            let done = try await remember(part, in: namespace)
            results += done
            let isWhole = done.allSatisfy { if case .success = $0 { true } else { false } }
            if policy == .atomic, !isWhole { break }
        }
        return results
    }

    private func remember(
        _ drafts: ArraySlice<MemoryDraft>, in namespace: Namespace
    ) async throws -> [Result<Remembered, EngineError>] {
        let commands = drafts.map { draft -> Result<CommandWords, EngineError> in
            do {
                var words = try command(draft, in: namespace)
                words.add("UNLESSREFUSED")
                try words.check()
                return .success(words)
            } catch {
                return .failure(error as? EngineError ?? EngineError(.invalid, "\(error)"))
            }
        }
        let sent = commands.compactMap { try? $0.get() }
        var replies = try await transaction(of: sent).makeIterator()
        return try commands.map { command in
            if case .failure(let error) = command { return .failure(error) }
            guard let reply = replies.next() else { throw Told.missing }
            if let refusal = reply.refusal { return .failure(refusal) }
            if reply["id"] == nil, let reason = Told.texts(reply, "refusals").first {
                return .failure(EngineError(.invalid, reason))
            }
            return .success(try remembered(reply, namespace))
        }
    }

    /// The replies of commands that are one transaction, or of each by itself where that is refused.
    private func transaction(of commands: [CommandWords]) async throws -> [Reply] {
        if commands.isEmpty { return [] }
        let done = try await client.ask(
            [CommandWords("MULTI").words] + commands.map(\.words) + [CommandWords("EXEC").words])
        // What was to be part of a transaction was each done by itself.
        guard done.first?.refusal == nil else { return Array(done.dropFirst().dropLast()) }
        if case .array(let replies) = done.last, replies.count == commands.count,
            replies.allSatisfy({ $0.refusal == nil })
        {
            return replies
        }
        return try await ask(commands)
    }

    func update(
        _ id: MemoryID, in namespace: Namespace, expecting version: UInt32?, saying change: MemoryChange
    ) async throws -> Remembered {
        var draft = MemoryDraft("")
        try change.options.apply(to: &draft)
        var command = CommandWords("MEM.UPDATE", namespace, id)
        command.add("CONTENT", change.content)
        command.add("EXPECTING", version)
        try command.add(
            draft, kind: change.options.kind.map { MemoryKind(rawValue: $0) },
            importance: change.options.importance.map { Float($0) }, trust: change.options.trust)
        if let isPinned = change.isPinned { command.add(isPinned ? "PIN" : "UNPIN") }
        for tag in change.untag { command.add("UNTAG", tag) }
        for name in change.unset { command.add("UNSET", name) }
        return try remembered(try await ask(command), namespace)
    }

    func supersede(
        _ id: MemoryID, by successor: MemoryID, in namespace: Namespace, at moment: Timestamp?
    ) async throws {
        var command = CommandWords("MEM.SUPERSEDE", namespace, id, successor)
        command.add("AT", time: moment)
        _ = try await ask(command)
    }

    func retract(_ id: MemoryID, in namespace: Namespace, at moment: Timestamp?) async throws {
        var command = CommandWords("MEM.RETRACT", namespace, id)
        command.add("AT", time: moment)
        _ = try await ask(command)
    }

    func promote(_ id: MemoryID, from source: Namespace, to target: Namespace) async throws -> Remembered {
        try Remembered(told: try await ask(CommandWords("MEM.PROMOTE", source, id, target)))
    }

    func forget(_ what: Engine.Selection, under subtree: Namespace) async throws -> Engine.Erasure {
        guard case .id(let id) = what else { throw CommandWords.refusal(of: "--filter, --by or --all") }
        let erasure = Engine.Erasure(
            retold: try Told.integer(try await ask(CommandWords("MEM.FORGET", subtree, id))))
        guard erasure.memories > 0 else {
            throw EngineError(.notFound, "there is no memory \(id) in \(subtree)")
        }
        return erasure
    }

    func record(_ outcome: Outcome, of recall: RecallID, in namespace: Namespace?) async throws {
        guard let namespace else { throw CommandWords.refusal(of: "a recall without its namespace") }
        _ = try await ask(CommandWords("MEM.RECORD", namespace, recall, "\(outcome)"))
    }

    // MARK: Reading

    func get(
        _ id: MemoryID, in namespace: Namespace, version: UInt32?, asOf: Timestamp?, validAt: Timestamp?
    ) async throws -> Memory? {
        var command = CommandWords("MEM.GET", namespace, id)
        command.add("VERSION", version)
        command.add("ASOF", time: asOf)
        command.add("VALIDAT", time: validAt)
        let reply = try await ask(command)
        return reply.isNull ? nil : try Memory(told: reply)
    }

    func id(ofKey key: String, in namespace: Namespace) async throws -> MemoryID? {
        guard MemoryID(key) == nil else { throw CommandWords.refusal(of: "a key that reads like an id") }
        let reply = try await ask(CommandWords("MEM.GET", namespace, key))
        return reply.isNull ? nil : try Memory(told: reply).id
    }

    func known(_ keys: [String], in namespace: Namespace) async throws -> Set<String> {
        let replies = try await ask(keys.map { CommandWords("MEM.GET", namespace, $0) })
        var known: Set<String> = []
        for (key, reply) in zip(keys, replies) {
            if let refusal = reply.refusal { throw refusal }
            if !reply.isNull { known.insert(key) }
        }
        return known
    }

    func memories(_ ids: [MemoryID], in namespace: Namespace) async throws -> [MemoryID: Memory] {
        let replies = try await ask(ids.map { CommandWords("MEM.GET", namespace, $0) })
        var memories: [MemoryID: Memory] = [:]
        for (id, reply) in zip(ids, replies) {
            if let refusal = reply.refusal { throw refusal }
            if !reply.isNull { memories[id] = try Memory(told: reply) }
        }
        return memories
    }

    func versions(of id: MemoryID, in namespace: Namespace) async throws -> [Memory] {
        guard let newest = try await get(id, in: namespace) else { return [] }
        var commands: [CommandWords] = []
        for number in 1...newest.version {
            var command = CommandWords("MEM.GET", namespace, id)
            command.add("VERSION", number)
            commands.append(command)
        }
        return try await ask(commands).compactMap { reply in
            if let refusal = reply.refusal { throw refusal }
            return reply.isNull ? nil : try Memory(told: reply)
        }
    }

    /// A part at a time, of one version, so that an update meanwhile changes nothing.
    func bytes(of attachment: Attachment, of memory: Memory) async throws -> [UInt8] {
        guard attachment.byteCount <= WireLimits().argumentByteCount else { throw Told.missing }
        var bytes: [UInt8] = []
        repeat {
            var command = CommandWords("MEM.GET", memory.namespace, memory.id)
            command.add("VERSION", memory.version)
            command.add("ATTACHMENT", attachment.name)
            command.add("FROM", bytes.count)
            let reply = try await ask(command)
            guard case .bulk(let part) = reply, !part.isEmpty || attachment.byteCount == 0,
                UInt64(bytes.count + part.count) <= attachment.byteCount
            else { throw Told.missing }
            bytes += part
        } while UInt64(bytes.count) < attachment.byteCount
        guard Attachment.data(bytes, name: attachment.name).digest == attachment.digest else {
            throw Told.missing
        }
        return bytes
    }

    func content(of citation: Citation) async throws -> String {
        try citation.words(
            of: await get(
                citation.id, in: citation.namespace, version: citation.version, asOf: nil, validAt: nil))
    }

    func list(
        in namespace: Namespace, filter: Filter?, order: Engine.ListOrder, after cursor: String?, limit: Int,
        includesClosed: Bool
    ) async throws -> Engine.MemoryPage {
        var command = CommandWords("MEM.LIST", namespace)
        command.add("LIMIT", limit)
        command.add("ORDER", order.rawValue)
        command.add("AFTER", cursor)
        if includesClosed { command.add("ALL") }
        try command.add(filter)
        let reply = try await ask(command)
        return Engine.MemoryPage(
            retold: try Told.list(reply, "memories").map { try Memory(told: $0) },
            next: reply["after"]?.string)
    }

    // MARK: Questions

    func recall(_ query: RecallQuery) async throws -> Recall {
        let namespaces = query.namespaces.keys.sorted { $0.description < $1.description }
        guard let first = namespaces.first else {
            throw EngineError(.invalid, "a recall asks 1 to 64 namespaces, not 0")
        }
        var command = CommandWords("MEM.RECALL", first, query.text)
        try command.add(query, to: namespaces)
        command.add("LIMIT", query.limit)
        command.add("ORDER", query.order?.rawValue)
        command.add("PATHS")
        if let shown = query.like { try command.add(like: shown) }
        if query.keepReceipt { command.add("RECEIPT") }
        let start = ContinuousClock.now
        let reply = try await ask(command)
        return try Recall(told: reply, of: query, total: ContinuousClock.now - start)
    }

    func context(for queries: [RecallQuery], tokenBudget: Int) async throws -> ContextPack {
        guard queries.count == 1, let query = queries.first else {
            throw CommandWords.refusal(of: "--also")
        }
        guard query.like == nil else { throw CommandWords.refusal(of: "a context of what is shown") }
        let namespaces = query.namespaces.keys.sorted { $0.description < $1.description }
        guard let first = namespaces.first else {
            throw EngineError(.invalid, "a recall asks 1 to 64 namespaces, not 0")
        }
        var command = CommandWords("MEM.CONTEXT", first, query.text, tokenBudget)
        try command.add(query, to: namespaces)
        return try ContextPack(told: try await ask(command))
    }

    // MARK: Edges

    func link(
        _ from: MemoryID, to: MemoryID, as kind: EdgeKind, in namespace: Namespace, weight: Float,
        valid: Range<Timestamp>, evidence: [Citation]
    ) async throws -> EdgeID {
        var command = CommandWords("MEM.LINK", namespace, from, to, kind.words)
        command.add("WEIGHT", weight)
        command.add("VALIDFROM", time: valid.lowerBound)
        command.add("VALIDUNTIL", time: valid.upperBound)
        for place in evidence { command.add("EVIDENCE", place.description) }
        return try Told.edge(try await ask(command))
    }

    func unlink(_ id: EdgeID, in namespace: Namespace) async throws {
        _ = try await ask(CommandWords("MEM.UNLINK", namespace, id))
    }

    func neighbors(of id: MemoryID, in namespace: Namespace, query: GraphQuery) async throws -> GraphHits {
        var command = CommandWords("MEM.NEIGHBORS", namespace, id)
        command.add("LIMIT", query.limit)
        if query.order == .strongest { command.add("STRONGEST") }
        try command.add(query)
        let reply = try await ask(command)
        return GraphHits(
            retold: try Told.list(reply, "neighbors").map {
                (
                    try Memory(told: try Told.member("memory", of: $0)),
                    try Told.list($0, "path").map { try Edge(told: $0, in: namespace) },
                    try Told.number(try Told.member("strength", of: $0))
                )
            }, isComplete: reply["isComplete"]?.flag ?? true)
    }

    /// The protocol tells the edges of paths only.
    func edges(
        between a: MemoryID, and b: MemoryID, in namespace: Namespace, direction: EdgeDirection,
        kinds: Set<EdgeKind>?, asOf: Timestamp?, validAt: Timestamp?
    ) async throws -> [Edge] { [] }

    func path(
        from: MemoryID, to: MemoryID, in namespace: Namespace, query: GraphQuery
    ) async throws -> [Edge]? {
        var command = CommandWords("MEM.PATH", namespace, from, to)
        try command.add(query)
        let reply = try await ask(command)
        return reply.isNull ? nil : try reply.elements.map { try Edge(told: $0, in: namespace) }
    }

    func causalChain(
        of id: MemoryID, in namespace: Namespace, depth: Int, towards effects: Bool
    ) async throws -> CausalChain {
        var command = CommandWords("MEM.WHY", namespace, id)
        command.add("DEPTH", depth)
        if effects { command.add("EFFECTS") }
        let reply = try await ask(command)
        return CausalChain(
            retold: try Told.list(reply, "links").map { try CausalLink(told: $0, in: namespace) },
            isComplete: reply["isComplete"]?.flag ?? true)
    }
}
