import Store

/// Putting versions of memories into a home, and closing them.
extension Applier {
    // MARK: Remember

    mutating func remember(
        _ version: Mutation.NewVersion, in transaction: borrowing WriteTransaction
    ) throws -> Outcome {
        if let row = try Lookup.row(of: version.id, in: transaction.snapshot) {
            let head = try self.head(row, in: transaction.snapshot)
            return .stored(head.id, version: head.version, isNew: false)
        }
        if let key = version.key {
            let session = try version.fields.session.flatMap {
                try Names.number(of: $0, .session, in: transaction.snapshot)
            }
            if version.fields.session == nil || session != nil,
                let row = try Lookup.row(ofKey: key, session: session ?? 0, in: transaction.snapshot)
            {
                let head = try self.head(row, in: transaction.snapshot)
                let current = try self.version(row, head.version, in: transaction.snapshot)
                if current.isCurrent, current.fields.expires > time,
                    try current.content(row, head.version, in: transaction.snapshot) == version.content
                {
                    return try rememberAgain(row, head, current, version, in: transaction)
                }
                return try addVersion(row, head, version, .updated, in: transaction)
            }
        }
        return try insert(version, in: transaction)
    }

    private mutating func insert(
        _ version: Mutation.NewVersion, in transaction: borrowing WriteTransaction
    ) throws -> Outcome {
        let row = state.nextRow
        state.nextRow += 1
        state.memoryCount += 1
        let head = try newHead(row, version.id, version.key, version.fields, in: transaction)
        try put(
            version, row, head, number: 1, recorded: time..<Int64.max, closure: .open, in: transaction)
        log.append(LogEntry(kind: .remembered, id: version.id, version: 1))
        return .stored(version.id, version: 1, isNew: true)
    }

    /// Gives a new memory its names: id, key, and its turn in its series.
    mutating func newHead(
        _ row: UInt64, _ id: MemoryID, _ key: String?, _ fields: VersionFields,
        in transaction: borrowing WriteTransaction
    ) throws -> HeadRecord {
        let session = try Names.intern(fields.session, .session, &state, in: transaction)
        let thread = try Names.intern(fields.thread, .thread, &state, in: transaction)
        // A summary of a session is no turn of it.
        let series = fields.isConcluded ? 0 : thread != 0 ? thread : session
        var turn: UInt32 = 0
        if series != 0 {
            try Schema.shared.scanBackwards(
                prefix: Schema.Shared.memoryByTurn.key.u32(series), in: transaction.snapshot
            ) { key, _ in
                turn = key.keyU32(at: 5) + 1
                return false
            }
            try putNumber(Schema.memoryByTurn(series, turn), row, in: transaction)
        }
        if let key { try putNumber(Schema.memoryByKey(session: session, key), row, in: transaction) }
        try putNumber(Schema.youngRow(id), row, of: Schema.passage, in: transaction)
        return HeadRecord(
            id: id, version: 0, firstPassage: 0, passageCount: 0, series: series, turn: turn,
            keySession: session, key: key)
    }

    func putNumber(
        _ key: Key, _ row: UInt64, of table: Table = Schema.shared, in transaction: borrowing WriteTransaction
    ) throws {
        var writer = ByteWriter(capacity: 8)
        writer.u64(row)
        try table.put(key, writer.bytes, in: transaction)
    }

    // MARK: Update

    mutating func update(
        _ id: MemoryID, expecting: UInt32?, _ version: Mutation.NewVersion,
        in transaction: borrowing WriteTransaction
    ) throws -> Outcome {
        let (row, head) = try find(id, in: transaction.snapshot)
        if let expecting, expecting != head.version {
            throw EngineError(
                .conflict,
                "memory \(id) is at version \(head.version), not \(expecting); read it again and repeat the change",
                isStale: true)
        }
        let old = try self.version(row, head.version, in: transaction.snapshot)
        guard old.fields.session != version.fields.session else {
            if old.closure == .open, version.fields.differsOnlyInPrincipal(from: old.fields),
                try holds(old, row, head.version, sameAs: version, in: transaction.snapshot),
                try !bringsOtherVectors(version, than: old, in: transaction)
            {
                return try keep(row, head, old, addingVectorsOf: version, in: transaction)
            }
            return try addVersion(row, head, version, .updated, in: transaction)
        }
        let moved = try moveKey(row, head, to: version.fields.session, in: transaction)
        return try addVersion(row, moved, version, .promoted, in: transaction)
    }

    /// Makes the key of a memory unique in another session of the home, or in the home itself.
    private mutating func moveKey(
        _ row: UInt64, _ head: HeadRecord, to session: String?, in transaction: borrowing WriteTransaction
    ) throws -> HeadRecord {
        guard let key = head.key else { return head }
        let known = try session.flatMap { try Names.number(of: $0, .session, in: transaction.snapshot) }
        if session == nil || known != nil,
            try Lookup.row(ofKey: key, session: known ?? 0, in: transaction.snapshot) != nil
        {
            throw EngineError(
                .conflict,
                "key `\(key)` belongs to another memory where \(head.id) is to go; forget one of them")
        }
        var head = head
        try Schema.shared.remove(Schema.memoryByKey(session: head.keySession, key), in: transaction)
        head.keySession = try Names.intern(session, .session, &state, in: transaction)
        try putNumber(Schema.memoryByKey(session: head.keySession, key), row, in: transaction)
        return head
    }

    mutating func addVersion(
        _ row: UInt64, _ head: HeadRecord, _ version: Mutation.NewVersion, _ kind: Change.Kind,
        closure: Closure = .open, in transaction: borrowing WriteTransaction
    ) throws -> Outcome {
        var version = try carryingVectors(version, from: head, row, in: transaction)
        try eraseStaleConclusions(of: row, head, &version, in: transaction)
        let recorded = try closeNewest(row, head, in: transaction)
        let number = head.version + 1
        try put(
            version, row, head, number: number, recorded: recorded..<Int64.max, closure: closure,
            in: transaction)
        log.append(LogEntry(kind: kind, id: head.id, version: number))
        return .stored(head.id, version: number, isNew: true)
    }

    /// Ends what the store held to be so of a memory. Returns the moment, which is after the beginning.
    private mutating func closeNewest(
        _ row: UInt64, _ head: HeadRecord, in transaction: borrowing WriteTransaction
    ) throws -> Int64 {
        var old = try version(row, head.version, in: transaction.snapshot)
        let moment = max(time, old.recordedFrom + 1)
        old.recordedUntil = moment
        try old.write(row, head.version, in: transaction)
        try Schema.shared.remove(Schema.memoryByTime(old.fields.happened.lowerBound, row), in: transaction)
        if old.fields.expires != .max {
            try Schema.shared.remove(Schema.memoryByExpiry(old.fields.expires, row), in: transaction)
        }
        for passage in old.firstPassage..<old.firstPassage + old.passageCount {
            try change(passage, in: transaction) { columns in
                columns.recordedUntil = moment
                columns.flags.remove(.currentOwn)
                if columns.flags.contains(.current) {
                    columns.flags.remove(.current)
                    return true
                }
                return false
            }
        }
        return moment
    }

    /// Changes the columns of a passage, in the tail or in the blocks. `body` tells whether the passage
    /// ceases to be current.
    private mutating func change(
        _ passage: UInt32, in transaction: borrowing WriteTransaction, _ body: (inout PassageRow) -> Bool
    ) throws {
        if passage >= state.foldedPassages {
            guard var record = try TailRecord.read(passage, in: transaction.snapshot) else {
                throw StoreError(.corrupted, "passage \(passage) is not in the tail")
            }
            if body(&record.row) { uncount(record.row) }
            try record.write(passage, in: transaction)
        } else {
            let before = try Columns.row(passage, in: transaction.snapshot)
            var after = before
            if body(&after) { uncount(after) }
            if before.recordedUntil != after.recordedUntil {
                try Columns.set(
                    .recordedUntil, [(passage, UInt64(bitPattern: after.recordedUntil))], in: transaction)
            }
            if before.flags != after.flags {
                try Columns.set(.flags, [(passage, UInt64(after.flags.rawValue))], in: transaction)
            }
            if before.previous != after.previous {
                try Columns.set(.previous, [(passage, UInt64(after.previous))], in: transaction)
            }
        }
    }

    mutating func uncount(_ row: PassageRow) {
        state.currentPassages -= 1
        state.currentLength -= UInt64(row.length)
    }

    // MARK: Close

    mutating func close(
        _ id: MemoryID, at moment: Int64, _ closure: Closure, successor: MemoryID?,
        in transaction: borrowing WriteTransaction
    ) throws -> Outcome {
        // Those of the same mutation must be there to be read.
        if !pendingVectors.isEmpty { try flushVectors(in: transaction) }
        let (row, head) = try find(id, in: transaction.snapshot)
        let successorHead = try successor.map { try find($0, in: transaction.snapshot) }
        let successorRow = successorHead?.row
        guard successorRow != row else {
            throw EngineError(.invalid, "memory \(id) cannot supersede itself")
        }
        let old = try version(row, head.version, in: transaction.snapshot)
        guard old.closure == .open else {
            let how = old.closure == .retracted ? "retracted" : "superseded"
            throw EngineError(.conflict, "memory \(id) is \(how) already")
        }
        // Else two that supersede each other would leave nothing that is true.
        if let successor, let (row, head) = successorHead,
            try version(row, head.version, in: transaction.snapshot).closure != .open
        {
            throw EngineError(
                .conflict,
                "memory \(successor) is superseded or retracted itself, and cannot take the place of another")
        }
        guard moment >= old.fields.valid.lowerBound else {
            throw EngineError(
                .invalid,
                "memory \(id) is valid from \(Timestamp(microseconds: old.fields.valid.lowerBound)), which is after "
                    + "\(Timestamp(microseconds: moment))")
        }
        // What will end is true until then: it stays current, and the end can still be moved.
        let isPlanned = moment > time
        guard !isPlanned || moment < old.fields.valid.upperBound else {
            throw EngineError(
                .conflict,
                "memory \(id) is valid until \(Timestamp(microseconds: old.fields.valid.upperBound)) only; `update` "
                    + "moves that")
        }
        var fields = old.fields
        fields.valid = fields.valid.lowerBound..<min(moment, fields.valid.upperBound)
        let content = try old.content(row, head.version, in: transaction.snapshot)
        var copy = Mutation.NewVersion(
            id: id, key: head.key, content: content,
            passages: old.ranges, vectors: [], fields: fields, terms: [])
        copy.vectors = try vectors(of: old, in: transaction.snapshot)
        copy.prepare(Analyzer())
        let kind: Change.Kind =
            isPlanned ? .updated : closure == .retracted ? .retracted : .superseded
        let outcome = try addVersion(
            row, head, copy, kind, closure: isPlanned ? .open : closure, in: transaction)
        if closure == .retracted { try reopenNeverSuperseded(by: row, from: moment, in: transaction) }
        let supersedes = EdgeKind.supersedes.builtInNumber ?? 0
        let edges = try successorRow.map {
            try Edges.numbers($0, supersedes, row, in: transaction.snapshot)
        }
        for edge in edges ?? [] {
            // A planned end was moved.
            var record = try Edges.record(edge, in: transaction.snapshot)
            guard !record.isConclusion, record.span.recordedUntil == .max,
                ![.min, moment].contains(record.span.validFrom)
            else { continue }
            record.span.validFrom = moment
            try Edges.write(edge, record, in: transaction)
        }
        if let successorRow, edges?.isEmpty ?? true {
            // Before then the older one is not superseded yet, and the newer one not yet true.
            var span = EdgeSpan(weight: 1, recordedFrom: time)
            span.validFrom = moment
            try add(
                EdgeRecord(
                    id: impliedEdgeID(), from: successorRow, kind: supersedes, to: row,
                    span: span, origin: fields.origin), in: transaction)
        }
        return outcome
    }

    /// The vectors of a version, in all spaces.
    func vectors(
        of version: VersionRecord, in transaction: borrowing ReadTransaction
    ) throws -> [Mutation.NewVector] {
        try PassageReader.vectors(
            version.firstPassage..<version.firstPassage + version.passageCount, state,
            spaces.filter { $0.stage == .open }, in: transaction
        )
    }

    // MARK: Putting a version

    /// Writes a version with its content, passages, vectors and attachments, and makes it the newest.
    mutating func put(
        _ version: Mutation.NewVersion, _ row: UInt64, _ head: HeadRecord, number: UInt32,
        recorded: Range<Int64>, closure: Closure, in transaction: borrowing WriteTransaction
    ) throws {
        precondition(version.terms.count == version.passages.count, "a version that was not prepared")
        let (sum, overflow) = state.nextPassage.addingReportingOverflow(UInt32(version.passages.count))
        guard !overflow, sum < PassageRow.none else {
            throw EngineError(.full, "a home has at most 4,294,967,294 passages")
        }
        let fields = version.fields
        let isNewest = recorded.upperBound == .max
        let isCurrent = isNewest && closure == .open
        let first = state.nextPassage

        let record = VersionRecord(
            fields: fields, recordedFrom: recorded.lowerBound, recordedUntil: recorded.upperBound,
            closure: closure, firstPassage: first, ranges: version.passages,
            contentByteCount: UInt32(version.content.count),
            inlineContent: version.content.count <= VersionRecord.inlineByteCount ? version.content : [])
        var columns = PassageRow(
            row, number, record, turn: head.turn,
            session: try Names.intern(fields.session, .session, &state, in: transaction),
            actor: try Names.intern(fields.actor, .actor, &state, in: transaction),
            thread: try Names.intern(fields.thread, .thread, &state, in: transaction),
            principal: try Names.intern(fields.origin.principal, .principal, &state, in: transaction),
            kind: try Names.intern(fields.kind, .kind, &state, in: transaction))
        columns.previous = try lastPassage(ofTurnBefore: head, in: transaction.snapshot)
        if fields.expires != .max { state.hasExpiry = true }
        if fields.valid != Int64.min..<Int64.max { state.hasValidity = true }

        let filterTerms = FilterTerm.all(of: fields)
        for (part, range) in version.passages.enumerated() {
            columns.describe(
                part, range, version.content, version.terms[part], isCurrent: isCurrent, fields)
            let passage = state.nextPassage
            state.nextPassage += 1
            if columns.flags.contains(.current) {
                state.currentPassages += 1
                state.currentLength += UInt64(columns.length)
            }
            var record = TailRecord(row: columns, words: version.terms[part], filterTerms: filterTerms)
            if part == 0 { record.filterTerms += version.titleTerms }
            for vector in version.vectors where vector.part == UInt32(part) {
                record.slots.append(try place(vector, passage))
            }
            try record.write(passage, in: transaction)
            columns.previous = passage
        }

        // In the order of keys, so that pages fill up.
        var head = head
        head.version = number
        head.firstPassage = first
        head.passageCount = record.passageCount
        try head.write(row, in: transaction)
        try record.write(row, number, in: transaction)
        if version.content.count > VersionRecord.inlineByteCount {
            try putContent(version.content, row, number, in: transaction)
        }
        for attachment in fields.attachments { try put(attachment, in: transaction) }
        state.versionCount += 1
        guard isNewest else { return }
        if fields.expires != .max {
            try Schema.shared.put(Schema.memoryByExpiry(fields.expires, row), [], in: transaction)
        }
        if number > 1 { try relink(successorOf: head, to: state.nextPassage - 1, in: transaction) }
    }

    private func putContent(
        _ content: [UInt8], _ row: UInt64, _ number: UInt32, in transaction: borrowing WriteTransaction
    ) throws {
        var start = 0
        var page: UInt32 = 1
        while start < content.count {
            let end = min(start + Table.pagePayloadByteCount, content.count)
            try Schema.memory.put(
                Schema.content(row, number, page: page), Array(content[start..<end]), in: transaction)
            start = end
            page += 1
        }
    }

    private func lastPassage(
        ofTurnBefore head: HeadRecord, in transaction: borrowing ReadTransaction
    ) throws -> UInt32 {
        guard head.series != 0, head.turn > 0,
            let row = try Lookup.number(Schema.memoryByTurn(head.series, head.turn - 1), in: transaction),
            let before = try HeadRecord.read(row, in: transaction)
        else { return PassageRow.none }
        return before.firstPassage + before.passageCount - 1
    }

    /// Points the first passage of the next memory of the series to `passage`.
    mutating func relink(
        successorOf head: HeadRecord, to passage: UInt32, in transaction: borrowing WriteTransaction
    ) throws {
        guard head.series != 0, head.turn < .max,
            let row = try Lookup.number(
                Schema.memoryByTurn(head.series, head.turn + 1), in: transaction.snapshot),
            let next = try HeadRecord.read(row, in: transaction.snapshot)
        else { return }
        try change(next.firstPassage, in: transaction) { columns in
            columns.previous = passage
            return false
        }
    }

    // MARK: Attachments

    private func put(_ attachment: Attachment, in transaction: borrowing WriteTransaction) throws {
        guard attachment.address == nil else { return }
        let key = Schema.Shared.attachment.key.raw(attachment.digest)
        var count: UInt64 = 0
        if let value = try Schema.shared.get(key, in: transaction.snapshot) {
            var reader = ByteReader(value)
            _ = try reader.u64()
            count = try reader.u64()
        } else {
            guard attachment.data.count == attachment.byteCount else {
                throw EngineError(.invalid, "the bytes of attachment `\(attachment.name)` are missing")
            }
            var start = 0
            var chunk: UInt32 = 0
            while start < attachment.data.count {
                let end = min(start + Table.pagePayloadByteCount, attachment.data.count)
                try Schema.attachment.put(
                    Key().raw(attachment.digest).u32(chunk), Array(attachment.data[start..<end]),
                    in: transaction)
                start = end
                chunk += 1
            }
        }
        var writer = ByteWriter(capacity: 16)
        writer.u64(attachment.byteCount)
        writer.u64(count + 1)
        try Schema.shared.put(key, writer.bytes, in: transaction)
    }

    // MARK: Reading

    func find(
        _ id: MemoryID, in transaction: borrowing ReadTransaction
    ) throws -> (row: UInt64, head: HeadRecord) {
        guard let row = try Lookup.row(of: id, in: transaction) else {
            throw EngineError(.notFound, "there is no memory \(id) here")
        }
        return (row, try head(row, in: transaction))
    }

    func head(_ row: UInt64, in transaction: borrowing ReadTransaction) throws -> HeadRecord {
        guard let head = try HeadRecord.read(row, in: transaction) else {
            throw StoreError(.corrupted, "row \(row) has no head")
        }
        return head
    }

    func version(
        _ row: UInt64, _ number: UInt32, in transaction: borrowing ReadTransaction
    ) throws -> VersionRecord {
        guard let version = try VersionRecord.read(row, number, in: transaction) else {
            throw EngineError(.notFound, "there is no version \(number) of that memory")
        }
        return version
    }
}
