import Store

/// Vectors that come later than the version that they belong to, or stay when a version follows.
extension Applier {
    /// Adds vectors to a version that was stored without them. Nothing is to be done for one that has been forgotten
    /// since the vectors were made, and a passage that has a vector in the space keeps it.
    mutating func embed(
        _ id: MemoryID, version number: UInt32, _ vectors: [Mutation.NewVector],
        in transaction: borrowing WriteTransaction
    ) throws -> Outcome {
        guard let row = try Lookup.row(of: id, in: transaction.snapshot),
            let version = try VersionRecord.read(row, number, in: transaction.snapshot)
        else { return .embedded(0) }
        let added = try add(vectors, to: version, in: transaction)
        if added > 0 { log.append(LogEntry(kind: .embedded, id: id, version: number)) }
        return .embedded(added)
    }

    /// Adds what a memory of the portable form has of vectors to the versions that say the same here.
    mutating func embed(
        _ memory: Mutation.RestoredMemory, _ row: UInt64, in transaction: borrowing WriteTransaction
    ) throws -> Int {
        var sum = 0
        for restored in memory.versions where !restored.version.vectors.isEmpty {
            guard
                let version = try VersionRecord.read(row, restored.number, in: transaction.snapshot),
                try holds(version, row, restored.number, sameAs: restored.version, in: transaction.snapshot)
            else { continue }
            let added = try add(restored.version.vectors, to: version, in: transaction)
            if added > 0 { log.append(LogEntry(kind: .embedded, id: memory.id, version: restored.number)) }
            sum += added
        }
        return sum
    }

    /// Gives the vectors to passages that have none in their space. Returns to how many.
    private mutating func add(
        _ vectors: [Mutation.NewVector], to version: VersionRecord, in transaction: borrowing WriteTransaction
    ) throws -> Int {
        var count = 0
        for vector in vectors where vector.part < version.passageCount {
            let passage = version.firstPassage + vector.part
            let index = try spaceIndex(of: vector.space)
            let there = try PassageReader.slot(passage, spaces[index].number, state, in: transaction.snapshot)
            guard there == nil else { continue }
            count += 1
            let slot = try place(vector, passage)
            if passage >= state.foldedPassages {
                try TailRecord.change(passage, in: transaction) { $0.slots.append(slot) }
            } else {
                try Columns.setSlots(slot.space, [(passage, slot.slot)], in: transaction)
            }
        }
        return count
    }

    /// A version that follows another with the same words, or the same image, keeps the vectors that it does not bring: one
    /// may have come after the caller looked.
    mutating func carryingVectors(
        _ version: Mutation.NewVersion, from head: HeadRecord, _ row: UInt64,
        in transaction: borrowing WriteTransaction
    ) throws -> Mutation.NewVersion {
        guard !spaces.isEmpty else { return version }
        let old = try self.version(row, head.version, in: transaction.snapshot)
        let isSameContent = try holds(old, row, head.version, sameAs: version, in: transaction.snapshot)
        let hasAttachments = !old.fields.attachments.isEmpty || !version.fields.attachments.isEmpty
        let roles = hasAttachments ? try SpaceRoles.read(in: transaction.snapshot) : SpaceRoles()
        guard isSameContent || roles.images != nil || roles.videos != nil else { return version }
        // Those of the same mutation must be there to be read.
        if !pendingVectors.isEmpty { try flushVectors(in: transaction) }
        var version = version
        let attachments = version.fields.attachments
        var renewed = old.fields.actor == version.fields.actor ? [] : version.spacesOfActor
        // Nobody says an image.
        renewed.subtract([roles.images, roles.videos].compactMap { $0 })
        version.vectors += try vectors(of: old, in: transaction.snapshot).filter { kept in
            !renewed.contains(kept.space)
                && !version.vectors.contains { $0.space == kept.space && $0.part == kept.part }
                && roles.keeps(
                    kept.space, part: kept.part, isSameContent: isSameContent, from: old.fields.attachments,
                    to: attachments)
        }
        return version
    }

    /// Whether a version has the same passages of the same words.
    func holds(
        _ old: VersionRecord, _ row: UInt64, _ number: UInt32, sameAs version: Mutation.NewVersion,
        in transaction: borrowing ReadTransaction
    ) throws -> Bool {
        try old.ranges == version.passages && old.contentByteCount == version.content.count
            && old.content(row, number, in: transaction) == version.content
    }
}
