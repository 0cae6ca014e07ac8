import Store

/// From when on memories hold that were said, or found by consolidation, to supersede others, as a recall of another time sees
/// them. It follows from the edge, so that it goes where that is taken back.
struct Beginnings {
    private let asOf: Int64?
    private let validAt: Int64
    private static let supersedes = EdgeKind.supersedes.builtInNumber

    init(asOf: Timestamp?, validAt: Timestamp) {
        self.asOf = asOf?.microseconds
        self.validAt = validAt.microseconds
    }

    /// Whether a memory says only what began to hold later, and nobody gave it a validity.
    ///
    /// - Complexity: O(edges of the memory).
    func isLater(
        _ row: UInt64, version: UInt32, in transaction: borrowing ReadTransaction
    ) throws -> Bool {
        guard let head = try HeadRecord.read(row, in: transaction),
            let record = try VersionRecord.read(row, version, in: transaction),
            record.fields.valid.lowerBound == .min
        else { return false }
        let whole = 0..<min(UInt64(record.contentByteCount), UInt64(StudiedMemory.maximumByteCount))
        return try Edges.touching(row, in: transaction).contains { _, edge in
            edge.from == row && edge.kind == Self.supersedes && edge.span.validFrom > validAt
                && edge.span.holds(asOf: asOf, validAt: edge.span.validFrom)
                // What was found speaks of a part at times; who says it speaks of the memory.
                && (Derivation.read(edge.origin)?.step != .contradictions
                    || edge.evidence.contains { $0.id == head.id && $0.range == whole })
        }
    }
}
