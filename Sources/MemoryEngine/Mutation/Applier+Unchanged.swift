import Store

/// What says nothing new makes no version.
extension Applier {
    /// Remembers the same words under a key again. What the draft says besides them, and the memory does not, makes a new
    /// version; what it leaves at its default stays.
    mutating func rememberAgain(
        _ row: UInt64, _ head: HeadRecord, _ current: VersionRecord, _ version: Mutation.NewVersion,
        in transaction: borrowing WriteTransaction
    ) throws -> Outcome {
        var merged = version
        merged.fields = version.fields.over(current.fields, saysHappened: version.saysHappened)
        guard !merged.fields.differsOnlyInPrincipal(from: current.fields) else {
            // An embedder need not make the same vector twice: the one that is there stays.
            return try keep(row, head, current, addingVectorsOf: version, in: transaction)
        }
        if merged.fields.actor != version.fields.actor {
            // They were made without the one who said it: those that are there stay.
            if !pendingVectors.isEmpty { try flushVectors(in: transaction) }
            let there = try vectors(of: current, in: transaction.snapshot)
            merged.vectors.removeAll { new in
                version.spacesOfActor.contains(new.space)
                    && there.contains { $0.space == new.space && $0.part == new.part }
            }
        }
        merged.terms = []
        merged.prepare(Analyzer())
        return try addVersion(row, head, merged, .updated, in: transaction)
    }

    /// Leaves a version as it is, but for vectors in spaces in which it has none.
    mutating func keep(
        _ row: UInt64, _ head: HeadRecord, _ current: VersionRecord,
        addingVectorsOf version: Mutation.NewVersion, in transaction: borrowing WriteTransaction
    ) throws -> Outcome {
        if !version.vectors.isEmpty, current.ranges == version.passages {
            _ = try embed(head.id, version: head.version, version.vectors, in: transaction)
        }
        return .stored(head.id, version: head.version, isNew: false)
    }

    /// Whether a version brings a vector where another one is.
    mutating func bringsOtherVectors(
        _ version: Mutation.NewVersion, than old: VersionRecord, in transaction: borrowing WriteTransaction
    ) throws -> Bool {
        guard !version.vectors.isEmpty else { return false }
        if !pendingVectors.isEmpty { try flushVectors(in: transaction) }
        return try vectors(of: old, in: transaction.snapshot).contains { there in
            version.vectors.contains {
                $0.space == there.space && $0.part == there.part
                    && $0.vector.map(\.bitPattern) != there.vector.map(\.bitPattern)
            }
        }
    }
}

extension VersionFields {
    /// Whether the same is said, whoever says it.
    func differsOnlyInPrincipal(from other: VersionFields) -> Bool {
        var other = other
        other.origin.principal = origin.principal
        return says(sameAs: other)
    }

    /// These fields, and those of an earlier version where a draft is silent: where it has the default.
    func over(_ earlier: VersionFields, saysHappened: Bool) -> VersionFields {
        let silent = MemoryDraft("")
        var fields = earlier
        fields.session = session
        fields.origin.principal = origin.principal
        if kind != silent.kind.rawValue { fields.kind = kind }
        fields.actor = actor ?? earlier.actor
        fields.thread = thread ?? earlier.thread
        if saysHappened { fields.happened = happened }
        if valid != Int64.min..<Int64.max { fields.valid = valid }
        if expires != .max { fields.expires = expires }
        if isPinned { fields.isPinned = true }
        if importance != silent.importance { fields.importance = importance }
        if !tags.isEmpty { fields.tags = tags }
        if !keywords.isEmpty { fields.keywords = keywords }
        if !attributes.isEmpty { fields.attributes = attributes }
        if !attachments.isEmpty { fields.attachments = attachments }
        fields.origin.agent = origin.agent ?? earlier.origin.agent
        fields.origin.model = origin.model ?? earlier.origin.model
        if origin.source != nil || origin.sourceDigest != nil || origin.sourceSpan != nil {
            fields.origin.source = origin.source
            fields.origin.sourceDigest = origin.sourceDigest
            fields.origin.sourceSpan = origin.sourceSpan
        }
        if origin.trust != silent.origin.trust { fields.origin.trust = origin.trust }
        if origin.mayContribute { fields.origin.mayContribute = true }
        return fields
    }
}
