import MemoryEngine

/// What came between `MULTI` and `EXEC`: writes of memories of one home, which are one transaction, and reads of it before
/// them or behind them.
extension MemoryCommands {
    /// The home that a command reads which may be part of a transaction.
    static func homeOfRead(_ call: ConnectionState.Call) throws(CommandError) -> Namespace {
        var arguments = Arguments(call.words, of: call.name, by: call.user)
        let isOfSessions = ["MEM.RECALL", "MEM.GET", "MEM.LIST"].contains(call.name)
        let home = try arguments.namespace(.read, ofHome: !isOfSessions).home
        // Behind the question.
        for (option, value) in zip(call.words.dropFirst(3), call.words.dropFirst(4))
        where option.equals("ALSO") {
            let also = try? Namespace(path: String(decoding: value, as: UTF8.self))
            if let also, also.home != home { throw crossing }
        }
        return home
    }

    func execute(_ batch: [ConnectionState.BatchItem]) async throws -> Reply {
        var writes: [(write: Engine.Write, namespace: Namespace)] = []
        var places: Set<Int> = []
        var homes: Set<Namespace> = []
        for (place, item) in batch.enumerated() {
            guard case .call(let call) = item else { continue }
            guard call.isOfMemories else { throw Self.crossing }
            if let write = try Self.write(call) {
                writes.append(write)
                places.insert(place)
                homes.insert(write.namespace.home)
            } else {
                homes.insert(try Self.homeOfRead(call))
            }
        }
        guard homes.count == 1 else { throw Self.crossing }
        var reader = self
        reader.isInTransaction = true
        var written: IndexingIterator<[Engine.Written]>?
        var replies: [Reply] = []
        var byteCount = 0
        for (place, item) in batch.enumerated() {
            guard case .call(let call) = item else {
                replies.append(.null)
                continue
            }
            if places.contains(place) {
                if written == nil { written = try await commit(writes).makeIterator() }
                replies.append(written?.next().map(Reply.init) ?? .null)
            } else {
                // Nobody waits for the replies of who has gone.
                try Task.checkCancellation()
                let reply = byteCount < Self.maximumReadByteCount ? await reader.read(call) : Self.tooLong
                byteCount += reply.footprint
                replies.append(reply)
            }
        }
        return .array(replies)
    }

    private func commit(
        _ writes: [(write: Engine.Write, namespace: Namespace)]
    ) async throws -> [Engine.Written] {
        do {
            return try await engine.write(writes)
        } catch {
            throw CommandError("EXECABORT nothing was changed: " + CommandError(any: error).message)
        }
    }

    /// One that is refused keeps no other from running.
    private func read(_ call: ConnectionState.Call) async -> Reply {
        do { return try await answer(call) } catch { return CommandError(any: error).reply }
    }

    /// Once the replies of a transaction take so much memory, nothing more is read for it.
    static let maximumReadByteCount = 64 << 20

    private static let tooLong = Reply.error(
        "TOOLARGE what a transaction reads takes at most 64 MiB, and one read more; read it outside of it")

    private static let crossing = CommandError(
        "CROSSSLOT a transaction is of memories of one home, or of vector sets")
}
