import Store

/// The ends of edges that were given or concluded, as a step has to know them.
struct EdgeEnds: Sendable {
    var from: MemoryID
    var to: MemoryID
    /// Whether it has not been taken back.
    var holds: Bool

    /// All of some kinds, within the home.
    ///
    /// - Complexity: O(edges that were given or concluded), at the speed of a scan.
    static func all(
        of kinds: [EdgeKind], in transaction: borrowing ReadTransaction
    ) throws -> [EdgeEnds] {
        let numbers = Set(kinds.compactMap(\.builtInNumber))
        var pairs: [(from: UInt64, to: UInt64, holds: Bool)] = []
        try Schema.edge.scan(prefix: Key(prefix: Schema.Edge.out), in: transaction) { key, value in
            guard key.byteCount == Edges.directionKeyByteCount else {
                throw StoreError(.corrupted, "a key of an edge is not one")
            }
            guard numbers.contains(key.keyU16(at: 9)), key.keyU64(at: 11) != 0 else { return true }
            var reader = ByteReader(value)
            let holds = try EdgeSpan(from: &reader).recordedUntil == .max
            pairs.append((key.keyU64(at: 1), key.keyU64(at: 11), holds))
            return true
        }
        var ids: [UInt64: MemoryID] = [:]
        for row in Set(pairs.flatMap { [$0.from, $0.to] }) {
            ids[row] = try HeadRecord.read(row, in: transaction)?.id
        }
        return pairs.compactMap { pair in
            guard let from = ids[pair.from], let to = ids[pair.to] else { return nil }
            return EdgeEnds(from: from, to: to, holds: pair.holds)
        }
    }
}

extension EntityMerges.Known {
    /// What edges `sameAs` say, of whomever they are: those that hold, and those that were taken back.
    init(in transaction: borrowing ReadTransaction) throws {
        let ends = try EdgeEnds.all(of: [.sameAs], in: transaction)
        joined = ends.filter(\.holds)
        apart = ends.filter { !$0.holds }
    }
}

extension CausalCandidates {
    /// What has an edge to its cause, or had one that was taken back.
    static func caused(in transaction: borrowing ReadTransaction) throws -> Set<MemoryID> {
        Set(try EdgeEnds.all(of: [.causedBy, .fixes, .reverts], in: transaction).map(\.from))
    }
}
