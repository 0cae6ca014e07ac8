/// What a text says of causes, as far as it names the other end: "This reverts commit …", "Fixes: …", "because of
/// <hash>". A cause that is told in words alone names no memory, and makes no edge; it is there to be read.
enum Citations {
    /// The causal references of a text, in its order.
    ///
    /// - Complexity: O(n) in the bytes.
    static func find(in text: Span<UInt8>) -> [Reference] {
        var found: [Reference] = []
        for cue in CausalCues.find(in: text) {
            guard let (kind, rule, weight) = edge(of: cue.rule) else { continue }
            for reference in cue.references where reference.isInCause {
                guard let target = target(reference) else { continue }
                found.append(
                    Reference(
                        target: target, kind: kind, weight: weight, rule: rule,
                        range: UInt32(reference.range.lowerBound)..<UInt32(reference.range.upperBound)))
            }
        }
        return found
    }

    /// The edge from the memory that speaks to what it names as the cause. What it names as an effect is not its own
    /// doing by these words alone.
    private static func edge(
        of rule: CausalCue.Rule
    ) -> (kind: EdgeKind, rule: DerivationRule, weight: Float)? {
        switch rule {
        case .reverts: (.reverts, .revertsCommit, 1)
        case .fixes: (.fixes, .fixesTrailer, 1)
        case .introduced: (.causedBy, .statedCause, 0.9)
        case .because, .dueTo, .causedBy, .thanksTo, .since, .inResponseTo, .reason:
            (.causedBy, .statedCause, 0.7)
        case .ledTo, .therefore, .asAResult, .soThat, .so, .inOrderTo, .thatIsWhy, .causes: nil
        }
    }

    /// What can be looked up, or is made of its name: the number of an issue is an entity. A version is too little to be a
    /// cause: it is found as a mention.
    private static func target(_ reference: CausalReference) -> Reference.Target? {
        switch reference.kind {
        case .commit: .commit(reference.key)
        case .subject: .subject(reference.key)
        case .issue: .entity(EntityName(sort: .issue, key: reference.key, surface: reference.key))
        case .version: nil
        }
    }
}
