import Store

/// Ending the validity of what a conclusion supersedes, and opening it again where the conclusion goes.
extension Applier {
    mutating func conclude(
        _ edge: NewEdge, closing version: UInt32, in transaction: borrowing WriteTransaction
    ) throws -> Outcome {
        // One that is known may have been taken back.
        guard case .done = try link(edge, in: transaction) else { return .known }
        let (row, head) = try find(edge.to, in: transaction.snapshot)
        let old = try self.version(row, head.version, in: transaction.snapshot)
        let (successor, newHead) = try find(edge.from, in: transaction.snapshot)
        let new = try self.version(successor, newHead.version, in: transaction.snapshot)
        let moment = edge.valid.lowerBound
        if head.version == version, old.closure == .open, !old.fields.isPinned, new.closure == .open,
            moment <= time, moment >= old.fields.valid.lowerBound, moment < old.fields.valid.upperBound
        {
            _ = try close(edge.to, at: moment, .superseded, successor: edge.from, in: transaction)
        }
        return .done
    }

    /// Opens what a conclusion closed, as it was, unless somebody has changed it since.
    mutating func reopen(_ record: EdgeRecord, in transaction: borrowing WriteTransaction) throws {
        guard let head = try HeadRecord.read(record.to, in: transaction.snapshot),
            let (number, before, closed) = try closing(by: record, head, in: transaction.snapshot),
            head.version == number + 1
        else { return }
        var copy = Mutation.NewVersion(
            id: head.id, key: head.key,
            content: try before.content(record.to, number, in: transaction.snapshot),
            passages: before.ranges, vectors: try vectors(of: closed, in: transaction.snapshot),
            fields: before.fields, terms: [])
        copy.prepare(Analyzer())
        _ = try addVersion(record.to, head, copy, .updated, in: transaction)
    }

    /// The version that a conclusion closed, with its number, and the closed one behind it; `nil` where it closed none, or one
    /// of them is not there any more.
    private func closing(
        by record: EdgeRecord, _ head: HeadRecord, in transaction: borrowing ReadTransaction
    ) throws -> (number: UInt32, before: VersionRecord, closed: VersionRecord)? {
        guard record.kind == EdgeKind.supersedes.builtInNumber, record.foreign == nil,
            Derivation.read(record.origin)?.step == .contradictions,
            let number = record.evidence.first(where: { $0.id == head.id })?.version,
            head.version > number,
            let before = try VersionRecord.read(record.to, number, in: transaction),
            let closed = try VersionRecord.read(record.to, number + 1, in: transaction)
        else { return nil }
        var fields = before.fields
        fields.valid = fields.valid.lowerBound..<min(record.span.validFrom, fields.valid.upperBound)
        // It was closed by the mutation that made the edge.
        guard closed.closure == .superseded, closed.fields.says(sameAs: fields),
            closed.recordedFrom == max(record.span.recordedFrom, before.recordedFrom + 1)
        else { return nil }
        return (number, before, closed)
    }

    /// Erases what was concluded of the words of a memory that is about to get others, and opens what that closed. With its new
    /// words it may be concluded again, and has not the end that was concluded of the old ones. What is made of its words stays,
    /// so that it is known where it is from.
    mutating func eraseStaleConclusions(
        of row: UInt64, _ head: HeadRecord, _ new: inout Mutation.NewVersion,
        in transaction: borrowing WriteTransaction
    ) throws {
        let stale = try Edges.touching(row, in: transaction.snapshot).filter { _, record in
            record.span.recordedUntil == .max && record.kind != EdgeKind.derivedFrom.builtInNumber
                && Derivation.read(record.origin) != nil
        }
        guard !stale.isEmpty else { return }
        let old = try version(row, head.version, in: transaction.snapshot)
        guard try old.content(row, head.version, in: transaction.snapshot) != new.content else { return }
        for (edge, record) in stale {
            if record.to == row, old.closure != .retracted,
                let (_, before, closed) = try closing(by: record, head, in: transaction.snapshot),
                new.fields.valid == closed.fields.valid
            {
                new.fields.valid = before.fields.valid
            }
            try erase(edge, record, in: transaction)
            log.append(LogEntry(kind: .unlinked, id: MemoryID(rawValue: record.id.rawValue), version: 0))
            if record.from == row { try reopen(record, in: transaction) }
        }
    }

    /// Erases what a memory was concluded to supersede from a moment on at which, as is known now, it was not true any more; and
    /// opens what that closed.
    mutating func reopenNeverSuperseded(
        by row: UInt64, from moment: Int64, in transaction: borrowing WriteTransaction
    ) throws {
        for (edge, record) in try Edges.touching(row, in: transaction.snapshot)
        where record.from == row && record.span.recordedUntil == .max && record.span.validFrom >= moment
            && Derivation.read(record.origin)?.step == .contradictions
        {
            try erase(edge, record, in: transaction)
            log.append(LogEntry(kind: .unlinked, id: MemoryID(rawValue: record.id.rawValue), version: 0))
            try reopen(record, in: transaction)
        }
    }

    /// Opens what some memories, which are about to go, were concluded to supersede.
    mutating func reopenClosed(by ids: [MemoryID], in transaction: borrowing WriteTransaction) throws {
        let rows = try Set(ids.compactMap { try Lookup.row(of: $0, in: transaction.snapshot) })
        for row in rows.sorted() {
            for (_, record) in try Edges.touching(row, in: transaction.snapshot)
            where record.from == row && !rows.contains(record.to) && record.span.recordedUntil == .max {
                try reopen(record, in: transaction)
            }
        }
    }
}
