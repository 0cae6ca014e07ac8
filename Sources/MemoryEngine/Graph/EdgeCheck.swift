import Store

/// Looks over the edges of a home.
extension HomeCheck {
    /// Every edge has its directions, its ends are there, and no direction stands alone.
    mutating func edges(in transaction: borrowing ReadTransaction) throws {
        let kinds = try EdgeKinds(in: transaction)
        var found: [String] = []
        var expected = 0
        try Schema.edge.scan(prefix: Key(prefix: Schema.Edge.record), in: transaction) { key, value in
            let edge = key.keyU64(at: 1)
            let record = try EdgeRecord(decoding: value)
            _ = try kinds.kind(record.kind)
            expected += record.foreign == nil ? 4 : 3
            var cited = Set<MemoryID>()
            for evidence in record.evidence where evidence.namespace == nil { cited.insert(evidence.id) }
            expected += cited.count
            if try Schema.edge.contains(Edges.evidenceKey(Edges.foreign, edge), in: transaction) {
                expected += 1
            } else if !record.foreignHomes.isEmpty {
                found.append("edge \(edge) leads to another home, and is not found by it")
            }
            if try !Self.isWhole(edge, record, cited, in: transaction) {
                found.append("edge \(edge) dangles")
            }
            return found.count < Self.maximumProblems
        }
        try Schema.edge.scan(prefix: Key(prefix: Schema.Edge.derivedOut), in: transaction) { key, value in
            guard key.byteCount == DerivedEdges.keyByteCount else {
                throw StoreError(.corrupted, "a key of an edge is not one")
            }
            expected += 2
            let out = try DerivedEdges.Out(decoding: value)
            let (from, kind, to) = (key.keyU64(at: 1), key.keyU16(at: 9), key.keyU64(at: 11))
            _ = try kinds.kind(kind)
            if try !Self.isWhole(from, kind, to, out, in: transaction) {
                found.append("a derived edge from row \(from) to row \(to) dangles; run `loci rebuild`")
            }
            return found.count < Self.maximumProblems
        }
        expected += try Self.references(&found, in: transaction)
        if found.isEmpty, try Schema.edge.count(in: transaction) != expected {
            found.append("an edge has a direction but no record")
        }
        for problem in found { note(problem) }
    }

    private static func isWhole(
        _ edge: UInt64, _ record: EdgeRecord, _ cited: Set<MemoryID>,
        in transaction: borrowing ReadTransaction
    ) throws -> Bool {
        let span = record.span.encode()
        guard try Edges.number(of: record.id, in: transaction) == edge,
            try HeadRecord.read(record.from, in: transaction) != nil,
            try Schema.edge.get(
                Edges.outKey(record.from, record.kind, record.to, edge), in: transaction)?.array == span
        else { return false }
        for id in cited {
            guard let row = try Lookup.row(of: id, in: transaction),
                try Schema.edge.contains(Edges.evidenceKey(row, edge), in: transaction)
            else { return false }
        }
        if record.foreign != nil { return true }
        return try HeadRecord.read(record.to, in: transaction) != nil
            && Schema.edge.get(
                Edges.intoKey(record.to, record.kind, record.from, edge), in: transaction)?.array == span
    }

    private static func isWhole(
        _ from: UInt64, _ kind: UInt16, _ to: UInt64, _ out: DerivedEdges.Out,
        in transaction: borrowing ReadTransaction
    ) throws -> Bool {
        guard try HeadRecord.read(to, in: transaction) != nil,
            let version = try VersionRecord.read(from, out.version, in: transaction),
            out.range.upperBound <= version.contentByteCount,
            let value = try Schema.edge.get(DerivedEdges.intoKey(to, kind, from), in: transaction)
        else { return false }
        var reader = ByteReader(value)
        return try DerivedEdges.Span(from: &reader) == out.span
    }
}
