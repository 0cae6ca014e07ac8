import Store

extension EntityMerges.Known {
    /// What edges `sameAs` say, of whomever they are: those that hold, and those that were taken back.
    ///
    /// - Complexity: O(edges that were given or concluded), at the speed of a scan.
    init(in transaction: borrowing ReadTransaction) throws {
        var rows: [UInt64: MemoryID] = [:]
        var pairs: [(from: UInt64, to: UInt64, holds: Bool)] = []
        try Schema.edge.scan(prefix: Key(prefix: Schema.Edge.out), in: transaction) { key, value in
            guard key.byteCount == Edges.directionKeyByteCount else {
                throw StoreError(.corrupted, "a key of an edge is not one")
            }
            guard key.keyU16(at: 9) == EdgeKind.sameAs.builtInNumber, key.keyU64(at: 11) != 0 else {
                return true
            }
            var reader = ByteReader(value)
            let holds = try EdgeSpan(from: &reader).recordedUntil == .max
            pairs.append((key.keyU64(at: 1), key.keyU64(at: 11), holds))
            return true
        }
        for row in Set(pairs.flatMap { [$0.from, $0.to] }) {
            rows[row] = try HeadRecord.read(row, in: transaction)?.id
        }
        for (from, to, holds) in pairs {
            guard let from = rows[from], let to = rows[to] else { continue }
            if holds {
                joined.append(Pair(from: from, to: to))
            } else {
                apart.append(Pair(from: from, to: to))
            }
        }
    }
}
