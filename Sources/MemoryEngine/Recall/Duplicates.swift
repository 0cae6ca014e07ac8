import Store

/// Which memories consolidation found to say the same (`NearDuplicates`), as a recall sees them.
struct Duplicates {
    private let asOf: Int64?
    private let validAt: Int64
    private static let duplicateOf = EdgeKind.duplicateOf.builtInNumber ?? 0

    init(asOf: Timestamp?, validAt: Timestamp) {
        self.asOf = asOf?.microseconds
        self.validAt = validAt.microseconds
    }

    /// The oldest memory that says the same; the memory itself where it is none's duplicate.
    func original(of row: UInt64, in transaction: borrowing ReadTransaction) throws -> UInt64 {
        var original = row
        // An original may have become a duplicate of another; ids grow along the way back, so there are no circles.
        for _ in 0..<8 {
            var next: UInt64?
            let prefix = Key(prefix: Schema.Edge.out).u64(original).u16(Self.duplicateOf)
            try Schema.edge.scan(prefix: prefix, in: transaction) { key, value in
                guard key.byteCount == Edges.directionKeyByteCount else {
                    throw StoreError(.corrupted, "a key of an edge is not one")
                }
                var reader = ByteReader(value)
                let other = key.keyU64(at: 11)
                if other != 0, try EdgeSpan(from: &reader).holds(asOf: asOf, validAt: validAt) {
                    next = other
                }
                return next == nil
            }
            guard let next else { break }
            original = next
        }
        return original
    }
}
