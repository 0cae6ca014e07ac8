import Store

/// Something that a consolidation concludes: an edge by the engine itself, with the step, what it rests on, and where that is
/// said. It is taken back as any edge; what was taken back stays, closed, and tells that it is not to be concluded again.
struct Derivation: Sendable, Equatable {
    var step: ConsolidationStep
    var kind: EdgeKind
    var from: MemoryID
    var to: MemoryID
    /// Above 0 and up to 1.
    var weight: Float
    /// What it rests on, in a few words.
    var says: String
    var evidence: [Evidence]
    /// From when on it holds; `nil` = always.
    var since: Int64?
    /// The version of `to` whose validity ends then, if it is still the newest.
    var closes: UInt32?

    /// Before the step, and between it and what a derivation rests on.
    private static let prefix = "consolidation/"
    private static let separator = ": "

    static func source(_ step: ConsolidationStep) -> String { prefix + step.rawValue }

    static func source(_ step: ConsolidationStep, says: String) -> String {
        source(step) + separator + says
    }

    /// The id of its edge: made of the step and both ends, so that one conclusion is one edge, whenever it is drawn (UUID
    /// version 8, of a SHA-256).
    var edgeID: EdgeID {
        let key = Key(prefix: 0x54).raw(step.rawValue.utf8).u8(0).raw(kind.name.utf8).u8(0)
            .u128(from.rawValue).u128(to.rawValue)
        return EdgeID(rawValue: MemoryID(digestOf: key.bytes).rawValue)
    }

    var edge: NewEdge {
        var origin = Origin(
            agent: VersionFields.entityPrincipal, source: Self.source(step, says: says), trust: .known)
        origin.principal = VersionFields.entityPrincipal
        return NewEdge(
            id: edgeID, kind: kind, from: from, to: to, weight: weight,
            valid: (since ?? .min)..<Int64.max, origin: origin,
            evidence: Array(evidence.prefix(NewEdge.maximumEvidenceCount)))
    }

    /// What stores it.
    var change: Mutation.Change { closes.map { .conclude(edge, closing: $0) } ?? .link(edge) }

    /// The step that an origin tells of, and what it rests on; `nil` for what no consolidation made.
    static func read(_ origin: Origin) -> (step: ConsolidationStep, says: String)? {
        guard origin.principal == VersionFields.entityPrincipal, let source = origin.source,
            source.hasPrefix(prefix)
        else { return nil }
        let rest = source.dropFirst(prefix.count)
        let end = rest.firstRange(of: separator)
        guard let step = ConsolidationStep(rawValue: String(rest[..<(end?.lowerBound ?? rest.endIndex)]))
        else { return nil }
        return (step, end.map { String(rest[$0.upperBound...]) } ?? "")
    }
}

extension EdgeRecord {
    /// What an edge of the engine's own says for a person; `nil` for one that was given.
    var ownRule: String? { PersonMerge.words(of: self) ?? Derivation.read(origin)?.says }

    /// Whether the engine concluded it, so that it has to be known that it was taken back.
    var isConclusion: Bool { PersonMerge.isMerge(self) || Derivation.read(origin) != nil }
}
