import HNSW
import Store

/// Which space a home's texts are embedded in, and spaces that go.
extension Applier {
    mutating func use(_ space: EmbeddingSpace, in transaction: borrowing WriteTransaction) throws -> Outcome {
        let roles = try SpaceRoles.read(in: transaction.snapshot)
        if let old = roles.current, old != space {
            let evaluation = FilterEvaluation(view: try HomeView(in: transaction.snapshot))
            var there = try evaluation.embedded(in: space, in: transaction.snapshot)
            there.invert()
            there.formIntersection(try evaluation.embedded(in: old, in: transaction.snapshot))
            guard there.count == 0 else { return .obsolete }
        }
        try SpaceRoles(current: space).write(in: transaction)
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
        if roles.next == space {
            roles.next = nil
            try roles.write(in: transaction)
        }
        guard spaces.contains(where: { $0.space == space }) else { return .known }
        try flushVectors(in: transaction)
        var count = 0
        for index in spaces.indices where spaces[index].space == space {
            if spaces[index].stage == .open {
                count = Int(spaces[index].nextSlot - spaces[index].erasedSlots)
            }
            try spaces[index].leave(state, in: transaction)
        }
        spaces.removeAll { $0.stage == .leaving }
        return .erased(["vectors": count])
    }
}
