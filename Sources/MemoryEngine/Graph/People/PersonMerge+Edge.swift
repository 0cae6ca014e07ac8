import Store

/// A merge as it stands in a file: an edge `sameAs` between the entities of two aliases, by the engine itself, with
/// the rule and what agreed as its source. It is taken back as any edge; what was taken back stays, closed, and tells
/// that it is not to be made again.
extension PersonMerge {
    /// Between the rule and what agreed.
    private static let separator = ": "

    var source: String { rule.rawValue + Self.separator + value }

    /// The ends of its edge: from the smaller alias to the greater one.
    var ends: (from: MemoryID, to: MemoryID) {
        let (first, second) = (min(first, second), max(first, second))
        return (first.entity.id, second.entity.id)
    }

    /// The id of its edge: made of both ends, so that one merge is one edge, whoever finds it (UUID version 8, of a
    /// SHA-256).
    var edgeID: EdgeID {
        let ends = ends
        let key = Key(prefix: 0x53).u128(ends.from.rawValue).u128(ends.to.rawValue)
        return EdgeID(rawValue: MemoryID(digestOf: key.bytes).rawValue)
    }

    /// The edge, as evidence of `citations`.
    func edge(_ evidence: [Evidence]) -> NewEdge {
        var origin = Origin(agent: VersionFields.entityPrincipal, source: source, trust: .known)
        origin.principal = VersionFields.entityPrincipal
        let ends = ends
        return NewEdge(
            id: edgeID, kind: .sameAs, from: ends.from, to: ends.to, weight: weight, origin: origin,
            evidence: evidence)
    }

    static func isMerge(_ record: EdgeRecord) -> Bool {
        record.kind == EdgeKind.sameAs.builtInNumber
            && record.origin.principal == VersionFields.entityPrincipal
    }

    /// What the edge of a merge says for a person; `nil` for any other edge.
    static func words(of record: EdgeRecord) -> String? {
        guard isMerge(record), let source = record.origin.source,
            let end = source.firstRange(of: separator),
            let rule = Rule(rawValue: String(source[..<end.lowerBound]))
        else { return nil }
        return "\(rule.words) (\(source[end.upperBound...]))"
    }
}

extension PersonMerge.Rule {
    /// As what one alias does to the other.
    fileprivate var words: String {
        switch self {
        case .together: "stands beside it"
        case .sameMailbox: "is the same mailbox"
        case .sameName: "is the same full name"
        case .spellsName: "is spelled by the address"
        case .abbreviatesName: "is abbreviated by the address"
        case .sameLocalPart: "has the same login and a word of the name"
        }
    }
}
