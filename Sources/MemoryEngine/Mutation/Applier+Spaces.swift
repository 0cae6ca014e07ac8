import HNSW
import Store

/// Which space a home's texts are embedded in, and spaces that go.
extension Applier {
    /// - Parameter old: the space that was used until then, if nobody chose one.
    /// - Throws: `EngineError`: `invalid`, `conflict` (another space is in use than `old`).
    mutating func use(
        _ space: EmbeddingSpace, from old: EmbeddingSpace?, in transaction: borrowing WriteTransaction
    ) throws -> Outcome {
        // It judges what is stored.
        guard log.isEmpty, pendingVectors.isEmpty, space.isStorable else {
            throw EngineError(
                .invalid,
                "a switch to \(space.name.prefix(100)) stands alone, and names a space that reads back")
        }
        var roles = try SpaceRoles.read(in: transaction.snapshot)
        if let current = roles.current, let old, current != old, current != space {
            throw EngineError(
                .conflict, "the home uses \(current.name) meanwhile, not \(old.name); look, and try again")
        }
        if let old = roles.current ?? old, old != space {
            let evaluation = FilterEvaluation(view: try HomeView(in: transaction.snapshot))
            var lost = try evaluation.embedded(in: space, in: transaction.snapshot)
            lost.invert()
            lost.formIntersection(try evaluation.embedded(in: old, in: transaction.snapshot))
            guard lost.count == 0 else { return .obsolete }
        }
        (roles.current, roles.next) = (space, nil)
        try roles.write(in: transaction)
        return .done
    }

    /// - Throws: `EngineError.conflict` for the space in use.
    mutating func drop(_ space: EmbeddingSpace, in transaction: borrowing WriteTransaction) throws -> Outcome
    {
        var roles = try SpaceRoles.read(in: transaction.snapshot)
        guard roles.current != space else {
            throw EngineError(
                .conflict, "\(space.name) is in use; switch the home to another space before this one goes")
        }
        if roles.next == space || roles.modality(of: space) != nil {
            if roles.next == space { roles.next = nil }
            if let modality = roles.modality(of: space) { roles[modality] = nil }
            try roles.write(in: transaction)
        }
        try SynonymLists.remove(space, in: transaction)
        guard spaces.contains(where: { $0.space == space }) else { return .known }
        try flushVectors(in: transaction)
        var count = 0
        for index in spaces.indices where spaces[index].space == space {
            if spaces[index].stage == .open {
                count = Int(spaces[index].nextSlot - spaces[index].erasedSlots)
            }
            try spaces[index].leave(state, in: transaction)
        }
        leaving += spaces.filter { $0.stage == .leaving }
        spaces.removeAll { $0.stage == .leaving }
        return .erased(["vectors": count])
    }
}
