import Store

/// Linking memories, and taking links back.
extension Applier {
    mutating func link(_ edge: NewEdge, in transaction: borrowing WriteTransaction) throws -> Outcome {
        if try Edges.number(of: edge.id, in: transaction.snapshot) != nil { return .known }
        // An end may be an entity that is yet to be made of its name.
        if try Lookup.row(of: edge.from, in: transaction.snapshot) == nil
            || edge.toHome == nil && Lookup.row(of: edge.to, in: transaction.snapshot) == nil
        {
            try deriveEdges(in: transaction)
        }
        let from = try find(edge.from, in: transaction.snapshot).row
        var to: UInt64 = 0
        var foreign: EdgeRecord.Foreign?
        if let home = edge.toHome {
            foreign = EdgeRecord.Foreign(home: home, id: edge.to)
        } else {
            to = try find(edge.to, in: transaction.snapshot).row
        }
        for evidence in edge.evidence where evidence.namespace == nil {
            _ = try find(evidence.id, in: transaction.snapshot)
        }
        var kinds = try EdgeKinds(in: transaction.snapshot)
        let kind = try kinds.intern(edge.kind, in: transaction)
        var span = EdgeSpan(
            weight: edge.weight, recordedFrom: edge.recorded?.lowerBound ?? time, valid: edge.valid)
        if let recorded = edge.recorded { span.recordedUntil = recorded.upperBound }
        if let (number, old) = try alike(edge, from, kind, to, foreign, in: transaction.snapshot) {
            if old.span.weight == edge.weight { return .linked(old.id) }
            // The store holds the new weight to be so from now on, and the old one until now.
            span.recordedFrom = max(time, old.span.recordedFrom + 1)
            try take(number, old, backAt: span.recordedFrom, in: transaction)
        }
        try add(
            EdgeRecord(
                id: edge.id, from: from, kind: kind, to: to, foreign: foreign, span: span,
                origin: edge.origin,
                evidence: edge.evidence), in: transaction)
        log.append(LogEntry(kind: .linked, id: MemoryID(rawValue: edge.id.rawValue), version: 0))
        return .done
    }

    /// The edge that says what one that a caller gives says, from the same origin, and that the store holds to be so: a
    /// statement that is made again is known. One with another validity or evidence, or by somebody else, says something
    /// else.
    ///
    /// - Complexity: O(edges of the kind from the one end to the other).
    private func alike(
        _ edge: NewEdge, _ from: UInt64, _ kind: UInt16, _ to: UInt64, _ foreign: EdgeRecord.Foreign?,
        in transaction: borrowing ReadTransaction
    ) throws -> (number: UInt64, record: EdgeRecord)? {
        guard edge.recorded == nil, edge.origin.principal != VersionFields.entityPrincipal else { return nil }
        for number in try Edges.numbers(from, kind, to, in: transaction) {
            let record = try Edges.record(number, in: transaction)
            if record.span.recordedUntil == .max, record.foreign == foreign, record.origin == edge.origin,
                record.span.validFrom..<record.span.validUntil == edge.valid,
                record.evidence == edge.evidence
            {
                return (number, record)
            }
        }
        return nil
    }

    /// Adds an edge, and notes which memories its evidence cites.
    mutating func add(_ record: EdgeRecord, in transaction: borrowing WriteTransaction) throws {
        let edge = state.nextEdge
        try Edges.add(record, &state, in: transaction)
        for row in try citedRows(record, in: transaction.snapshot) {
            try Schema.edge.put(Edges.evidenceKey(row, edge), [], in: transaction)
        }
        try fileForeign(edge, record, in: transaction)
    }

    /// Files all edges that lead to other homes; programs before graph rules 2 did not.
    func fileForeignEdges(in transaction: borrowing WriteTransaction) throws {
        var edges: [(UInt64, EdgeRecord)] = []
        let prefix = Key(prefix: Schema.Edge.record)
        try Schema.edge.scan(prefix: prefix, in: transaction.snapshot) { key, value in
            let record = try EdgeRecord(decoding: value)
            if !record.foreignHomes.isEmpty { edges.append((key.keyU64(at: 1), record)) }
            return true
        }
        for (edge, record) in edges { try fileForeign(edge, record, in: transaction) }
    }

    /// Files an edge that leads to another home, or cites it.
    private func fileForeign(
        _ edge: UInt64, _ record: EdgeRecord, in transaction: borrowing WriteTransaction
    ) throws {
        let homes = record.foreignHomes
        guard !homes.isEmpty else { return }
        try Schema.edge.put(Edges.evidenceKey(Edges.foreign, edge), [], in: transaction)
        for home in homes.sorted() {
            let key = Schema.Shared.cites.key.raw(home.utf8)
            if try !Schema.shared.contains(key, in: transaction.snapshot) {
                try Schema.shared.put(key, [], in: transaction)
            }
        }
    }

    /// Erases edges that lead to memories of another home which are forgotten, and evidence that cites them; an edge
    /// goes with its last evidence.
    ///
    /// - Parameter ids: `nil` = all of that home.
    /// - Complexity: O(edges that lead to other homes, or cite them).
    mutating func eraseForeign(
        _ home: String, _ ids: Set<MemoryID>?, _ counts: inout [String: Int],
        in transaction: borrowing WriteTransaction
    ) throws {
        for edge in try Edges.citing(Edges.foreign, in: transaction.snapshot) {
            var record = try Edges.record(edge, in: transaction.snapshot)
            if let end = record.foreign, end.home == home, ids?.contains(end.id) ?? true {
                try erase(edge, record, in: transaction)
                counts["edges", default: 0] += 1
                continue
            }
            let count = record.evidence.count
            record.evidence.removeAll { evidence in
                (ids?.contains(evidence.id) ?? true)
                    && evidence.namespace.map { Namespace.homePath($0) == home } ?? false
            }
            guard record.evidence.count < count else { continue }
            if record.evidence.isEmpty {
                try erase(edge, record, in: transaction)
                counts["edges", default: 0] += 1
                continue
            }
            try Edges.write(edge, record, in: transaction)
            counts["evidence", default: 0] += 1
            if record.foreignHomes.isEmpty {
                try Schema.edge.remove(Edges.evidenceKey(Edges.foreign, edge), in: transaction)
            }
        }
    }

    /// The memories of this home that the evidence of an edge cites.
    private func citedRows(
        _ record: EdgeRecord, in transaction: borrowing ReadTransaction
    ) throws -> Set<UInt64> {
        var rows = Set<UInt64>()
        for evidence in record.evidence where evidence.namespace == nil {
            if let row = try Lookup.row(of: evidence.id, in: transaction) { rows.insert(row) }
        }
        return rows
    }

    /// Ends what the store held to be so of an edge; as of an earlier time it is still there.
    mutating func unlink(_ id: EdgeID, in transaction: borrowing WriteTransaction) throws -> Outcome {
        guard let edge = try Edges.number(of: id, in: transaction.snapshot) else {
            throw EngineError(.notFound, "there is no edge \(id) here")
        }
        let record = try Edges.record(edge, in: transaction.snapshot)
        guard record.span.recordedUntil == .max else {
            throw EngineError(.conflict, "edge \(id) has been taken back already")
        }
        try take(edge, record, backAt: max(time, record.span.recordedFrom + 1), in: transaction)
        try reopen(record, in: transaction)
        return .done
    }

    private mutating func take(
        _ edge: UInt64, _ record: EdgeRecord, backAt time: Int64, in transaction: borrowing WriteTransaction
    ) throws {
        var record = record
        record.span.recordedUntil = time
        try Edges.write(edge, record, in: transaction)
        log.append(LogEntry(kind: .unlinked, id: MemoryID(rawValue: record.id.rawValue), version: 0))
    }

    /// Erases the edges of a memory that is forgotten, and what only it is evidence of.
    mutating func eraseEdges(
        of row: UInt64, _ id: MemoryID, _ counts: inout [String: Int],
        in transaction: borrowing WriteTransaction
    ) throws {
        for (edge, record) in try Edges.touching(row, in: transaction.snapshot) {
            try erase(edge, record, in: transaction)
            counts["edges", default: 0] += 1
        }
        for edge in try Edges.citing(row, in: transaction.snapshot) {
            var record = try Edges.record(edge, in: transaction.snapshot)
            try Schema.edge.remove(Edges.evidenceKey(row, edge), in: transaction)
            record.evidence.removeAll { $0.namespace == nil && $0.id == id }
            // That somebody took a conclusion back is remembered as long as both ends are.
            let isRefusal = record.isConclusion && record.span.recordedUntil != .max
            if record.evidence.isEmpty, !isRefusal {
                try erase(edge, record, in: transaction)
                counts["edges", default: 0] += 1
            } else {
                try Edges.write(edge, record, in: transaction)
                counts["evidence", default: 0] += 1
            }
        }
        try eraseDerivedEdges(of: row, &counts, in: transaction)
    }

    func erase(
        _ edge: UInt64, _ record: EdgeRecord, in transaction: borrowing WriteTransaction
    ) throws {
        for row in try citedRows(record, in: transaction.snapshot) {
            try Schema.edge.remove(Edges.evidenceKey(row, edge), in: transaction)
        }
        try Schema.edge.remove(Edges.evidenceKey(Edges.foreign, edge), in: transaction)
        try Edges.remove(edge, record, in: transaction)
    }

    /// Erases edges that a principal gave, those that were taken back too, at most `maximumEraseCount`.
    ///
    /// - Complexity: O(edges).
    mutating func eraseEdges(
        givenBy principal: String, _ counts: inout [String: Int], in transaction: borrowing WriteTransaction
    ) throws {
        var edges: [(UInt64, EdgeRecord)] = []
        let prefix = Key(prefix: Schema.Edge.record)
        try Schema.edge.scan(prefix: prefix, in: transaction.snapshot) { key, value in
            let record = try EdgeRecord(decoding: value)
            if record.origin.principal == principal { edges.append((key.keyU64(at: 1), record)) }
            return edges.count < Self.maximumEraseCount
        }
        for (edge, record) in edges { try erase(edge, record, in: transaction) }
        if !edges.isEmpty { counts["edges", default: 0] += edges.count }
    }

    /// An id for an edge that a mutation implies; the same when the mutation is replayed.
    mutating func impliedEdgeID() -> EdgeID {
        impliedEdgeCount += 1
        return EdgeID(rawValue: operation &+ impliedEdgeCount)
    }
}
