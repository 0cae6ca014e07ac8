import Store

/// Which memories consolidation found to say the same (`NearDuplicates`), as a recall sees them.
struct Duplicates {
    private let asOf: Int64?
    private let validAt: Int64
    private static let longestWay = 16
    private static let duplicateOf = EdgeKind.duplicateOf.builtInNumber ?? 0

    init(asOf: Timestamp?, validAt: Timestamp) {
        self.asOf = asOf?.microseconds
        self.validAt = validAt.microseconds
    }

    /// The oldest memory that says the same; the memory itself where it is none's duplicate.
    func original(of row: UInt64, in transaction: borrowing ReadTransaction) throws -> UInt64 {
        var way = [row]
        while way.count < Self.longestWay {
            var next: UInt64?
            let prefix = Key(prefix: Schema.Edge.out).u64(way[way.count - 1]).u16(Self.duplicateOf)
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
            // What was updated may have become the duplicate of its own: all of a circle stand for its first.
            if let start = way.firstIndex(of: next) { return way[start...].min() ?? next }
            way.append(next)
        }
        return way[way.count - 1]
    }
}
