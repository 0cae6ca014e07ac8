import Store

/// Whole memories from the portable form.
extension Applier {
    mutating func restore(
        _ memory: Mutation.RestoredMemory, in transaction: borrowing WriteTransaction
    ) throws -> Outcome {
        guard let newest = memory.versions.last else {
            throw EngineError(.invalid, "memory \(memory.id) has no version")
        }
        if let row = try Lookup.row(of: memory.id, in: transaction.snapshot) {
            let head = try self.head(row, in: transaction.snapshot)
            if head.version >= newest.number {
                let added = try embed(memory, row, in: transaction)
                return .stored(memory.id, version: head.version, isNew: added > 0)
            }
            try checkKey(of: memory, newest, besides: row, in: transaction.snapshot)
            try replace(row, head, by: memory, newest, in: transaction)
            return .stored(memory.id, version: newest.number, isNew: true)
        }
        try checkKey(of: memory, newest, besides: nil, in: transaction.snapshot)
        let row = state.nextRow
        state.nextRow += 1
        state.memoryCount += 1
        let head = try newHead(row, memory.id, memory.key, newest.version.fields, in: transaction)
        try put(memory.versions, row, head, in: transaction)
        log.append(LogEntry(kind: .restored, id: memory.id, version: newest.number))
        return .stored(memory.id, version: newest.number, isNew: true)
    }

    private func checkKey(
        of memory: Mutation.RestoredMemory, _ newest: Mutation.RestoredVersion, besides row: UInt64?,
        in transaction: borrowing ReadTransaction
    ) throws {
        guard let key = memory.key else { return }
        let session = try newest.version.fields.session.map {
            try Names.number(of: $0, .session, in: transaction)
        }
        // A session without a number is new here, and holds no key.
        guard let number = session ?? 0,
            let other = try Lookup.row(ofKey: key, session: number, in: transaction), other != row
        else { return }
        throw EngineError(
            .conflict, "key `\(key)` belongs to another memory than \(memory.id) here; forget one of them")
    }

    /// Puts the history of the portable form in the place of an older one. The memory keeps its row, and with it its
    /// edges, its place in its thread, and the receipts that cite it; and the vectors that only this home has.
    private mutating func replace(
        _ row: UInt64, _ head: HeadRecord, by memory: Mutation.RestoredMemory,
        _ newest: Mutation.RestoredVersion, in transaction: borrowing WriteTransaction
    ) throws {
        try deriveEdges(in: transaction)
        // An earlier memory of the same import may be this one.
        if !pendingVectors.isEmpty { try flushVectors(in: transaction) }
        var versions = memory.versions
        for index in versions.indices {
            guard
                let old = try VersionRecord.read(row, versions[index].number, in: transaction.snapshot),
                try holds(
                    old, row, versions[index].number, sameAs: versions[index].version,
                    in: transaction.snapshot)
            else { continue }
            versions[index].version.vectors += try vectors(of: old, in: transaction.snapshot).filter { kept in
                !versions[index].version.vectors.contains {
                    $0.space == kept.space && $0.part == kept.part
                }
            }
        }
        let names = try eraseVersions(of: row, head, in: transaction)
        var head = head
        if let key = head.key {
            try Schema.shared.remove(Schema.memoryByKey(session: head.keySession, key), in: transaction)
        }
        head.key = memory.key
        head.keySession = try Names.intern(newest.version.fields.session, .session, &state, in: transaction)
        if let key = head.key {
            try putNumber(Schema.memoryByKey(session: head.keySession, key), row, in: transaction)
        }
        try put(versions, row, head, in: transaction)
        var counts: [String: Int] = [:]
        try eraseNames(names, &counts, in: transaction)
        log.append(LogEntry(kind: .restored, id: memory.id, version: newest.number))
    }

    private mutating func put(
        _ versions: [Mutation.RestoredVersion], _ row: UInt64, _ head: HeadRecord,
        in transaction: borrowing WriteTransaction
    ) throws {
        var head = head
        for restored in versions {
            try put(
                restored.version, row, head, number: restored.number, recorded: restored.recorded,
                closure: restored.closure, in: transaction)
            head = try self.head(row, in: transaction.snapshot)
        }
    }
}
