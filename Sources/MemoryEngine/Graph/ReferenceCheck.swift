import Store

extension HomeCheck {
    /// Every reference belongs to a memory. Returns how many there are, and entries of evidence are counted with
    /// their edges.
    static func references(
        _ found: inout [String], in transaction: borrowing ReadTransaction
    ) throws -> Int {
        var count = 0
        var problem: String?
        try Schema.edge.scan(prefix: Key(prefix: Schema.Edge.reference), in: transaction) { key, value in
            count += 1
            guard key.byteCount == References.keyByteCount,
                let kind = EdgeKind.builtIn.first(where: { $0.number == key.keyU16(at: 13) })?.kind
            else { throw StoreError(.corrupted, "a key of a reference is not one") }
            _ = try References.decode(value, kind: kind)
            if try HeadRecord.read(key.keyU64(at: 5), in: transaction) == nil {
                problem =
                    "a reference belongs to row \(key.keyU64(at: 5)), which is not there; run `loci rebuild`"
            }
            return problem == nil
        }
        if let problem { found.append(problem) }
        return count
    }
}
