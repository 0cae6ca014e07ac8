import Store

/// Edges that follow from memories' words, kept in step with their versions, and entries in `shared` that wait for it.
extension Applier {
    /// Derives what has not been derived yet, before something that must find all of it.
    mutating func deriveEdges(in transaction: borrowing WriteTransaction) throws {
        while let batch = try EdgeBatch(state, in: transaction.snapshot) {
            try derive(batch, in: transaction)
        }
    }

    /// - Precondition: the batch begins where the last one ended.
    mutating func derive(_ batch: EdgeBatch, in transaction: borrowing WriteTransaction) throws {
        precondition(batch.passages.lowerBound == state.derivedPassages, "a batch that was overtaken")
        for entry in batch.entries {
            // Forgotten or trimmed since the batch was read.
            guard let head = try HeadRecord.read(entry.row, in: transaction.snapshot),
                let version = try VersionRecord.read(entry.row, entry.version, in: transaction.snapshot)
            else { continue }
            if try Schema.passage.remove(Schema.youngRow(head.id), in: transaction) {
                try putNumber(Schema.rowOfMemory(head.id), entry.row, in: transaction)
            }
            if head.version == entry.version {
                let time = version.fields.happened.lowerBound
                try Schema.shared.put(Schema.memoryByTime(time, entry.row), [], in: transaction)
            }
            try derive(entry, head, in: transaction)
        }
        state.derivedPassages = batch.passages.upperBound
    }

    /// Makes the derived edges of a version, closes those that its words no longer say, and completes edges of others
    /// that cited the memory before it was there.
    private mutating func derive(
        _ entry: EdgeBatch.Entry, _ head: HeadRecord, in transaction: borrowing WriteTransaction
    ) throws {
        let (row, number, recordedFrom) = (entry.row, entry.version, entry.recordedFrom)
        let before = try numberOfVersion(before: number, of: row, in: transaction.snapshot)
        if let before { try removeReferences(of: row, before, in: transaction) }
        var open: [DerivedKey: DerivedEdges.Out] = [:]
        for reference in entry.references {
            let kind = reference.kind.builtInNumber ?? 0
            if let name = References.name(of: reference.target) {
                try Schema.edge.put(
                    References.key(name, row, kind), References.encode(reference, version: number),
                    in: transaction)
            }
            guard let to = try resolve(reference.target, head, recordedFrom, in: transaction), to != row
            else { continue }
            // It is known from when both are there.
            var moment = recordedFrom
            if kind != Self.mentions {
                moment = max(moment, try firstRecorded(of: to, in: transaction.snapshot))
            }
            let out = DerivedEdges.Out(
                span: DerivedEdges.Span(weight: reference.weight, recordedFrom: moment),
                rule: reference.rule, version: number, range: reference.range)
            let key = DerivedKey(kind: kind, to: to)
            if open[key].map({ $0.span.weight < out.span.weight }) ?? true { open[key] = out }
        }
        if before != nil {
            for (kind, to, old) in try DerivedEdges.leadingOut(of: row, in: transaction.snapshot) {
                let key = DerivedKey(kind: kind, to: to)
                if let new = open.removeValue(forKey: key) {
                    var out = new
                    out.span.recordedFrom = old.span.recordedFrom
                    if out != old { try DerivedEdges.put(row, kind, to, out, in: transaction) }
                } else if old.span.recordedUntil == .max {
                    var closed = old
                    closed.span.recordedUntil = max(recordedFrom, old.span.recordedFrom)
                    try DerivedEdges.put(row, kind, to, closed, in: transaction)
                }
            }
        }
        for (key, out) in open.sorted(by: { $0.key < $1.key }) {
            try DerivedEdges.put(row, key.kind, key.to, out, in: transaction)
        }
        for name in entry.names {
            try Schema.shared.put(References.nameKey(name, row), [], in: transaction)
        }
        try completeEdges(to: row, key: head.key, entry.names, recordedFrom, in: transaction)
    }

    private static let mentions = EdgeKind.mentions.builtInNumber ?? 0

    /// The version before one, as far as it has not been trimmed.
    private func numberOfVersion(
        before number: UInt32, of row: UInt64, in transaction: borrowing ReadTransaction
    ) throws -> UInt32? {
        guard number > 1 else { return nil }
        var found: UInt32?
        try Schema.memory.scanBackwards(
            prefix: Key().u64(row), below: Schema.version(row, number), in: transaction
        ) { key, _ in
            guard key.byteCount == 16 else { throw StoreError(.corrupted, "a key of a memory is not one") }
            if key.keyU32(at: 8) > 0 { found = key.keyU32(at: 8) }
            return false
        }
        return found
    }

    /// When the oldest version that is left of a memory was recorded.
    private func firstRecorded(of row: UInt64, in transaction: borrowing ReadTransaction) throws -> Int64 {
        var moment = Int64.min
        try Schema.memory.scan(prefix: Key().u64(row), from: Schema.version(row, 1), in: transaction) {
            _, value in
            moment = try VersionRecord(decoding: value).recordedFrom
            return false
        }
        return moment
    }

    private struct DerivedKey: Hashable, Comparable {
        var kind: UInt16
        var to: UInt64
        static func < (a: DerivedKey, b: DerivedKey) -> Bool { (a.kind, a.to) < (b.kind, b.to) }
    }

    /// Takes out what a version said by name.
    private func removeReferences(
        of row: UInt64, _ number: UInt32, in transaction: borrowing WriteTransaction
    ) throws {
        guard let old = try VersionRecord.read(row, number, in: transaction.snapshot) else { return }
        let content = try old.content(row, number, in: transaction.snapshot)
        try removeReferences(of: row, content, old.fields, in: transaction)
    }

    /// Takes out what a version said by name, and what others may call it.
    func removeReferences(
        of row: UInt64, _ content: [UInt8], _ fields: VersionFields,
        in transaction: borrowing WriteTransaction
    ) throws {
        for reference in Extraction.references(in: content, fields) {
            guard let name = References.name(of: reference.target) else { continue }
            try Schema.edge.remove(
                References.key(name, row, reference.kind.builtInNumber ?? 0), in: transaction)
        }
        for name in References.names(of: content, fields) {
            try Schema.shared.remove(References.nameKey(name, row), in: transaction)
        }
    }

    // MARK: Resolving

    /// The row that a target means; an entity that is new is made.
    private mutating func resolve(
        _ target: Reference.Target, _ head: HeadRecord, _ moment: Int64,
        in transaction: borrowing WriteTransaction
    ) throws -> UInt64? {
        switch target {
        case .entity(let name): try entity(name, moment, in: transaction)
        case .commit(let hash):
            try Self.row(ofCommit: hash, session: head.keySession, in: transaction.snapshot)
        case .key(let key):
            try Lookup.row(ofKey: key, session: head.keySession, in: transaction.snapshot)
                ?? Lookup.row(ofKey: key, session: 0, in: transaction.snapshot)
        case .subject(let subject): try Self.row(ofSubject: subject, in: transaction.snapshot)
        case .note(let name): try Self.row(ofNote: name, in: transaction.snapshot)
        }
    }

    /// The commit whose hash begins with `hash`; of several the first that was remembered, since an abbreviation
    /// was unambiguous when it was written.
    static func row(
        ofCommit hash: String, session: UInt32, in transaction: borrowing ReadTransaction
    ) throws -> UInt64? {
        var best: UInt64?
        for session in Set([session, 0]) {
            let prefix = Schema.memoryByKey(session: session, References.commitPrefix + hash)
            try Schema.shared.scan(prefix: prefix, in: transaction) { _, value in
                guard value.byteCount == 8 else {
                    throw StoreError(.corrupted, "the row of a key is not one")
                }
                best = min(best ?? .max, value.u64(at: 0))
                return true
            }
        }
        return best
    }

    /// Completes what others cited by a name of this memory before it was there.
    private mutating func completeEdges(
        to row: UInt64, key: String?, _ names: [String], _ moment: Int64,
        in transaction: borrowing WriteTransaction
    ) throws {
        for name in References.hashes(key: key, names: names) {
            var waiting: [(from: UInt64, kind: UInt16, value: [UInt8])] = []
            try Schema.edge.scan(
                prefix: Key(prefix: Schema.Edge.reference).u32(name), in: transaction.snapshot
            ) { key, value in
                guard key.byteCount == References.keyByteCount else {
                    throw StoreError(.corrupted, "a key of a reference is not one")
                }
                waiting.append((key.keyU64(at: 5), key.keyU16(at: 13), value.array))
                return true
            }
            for (from, number, value) in waiting where from != row {
                guard let kind = EdgeKind.builtIn.first(where: { $0.number == number })?.kind,
                    let head = try HeadRecord.read(from, in: transaction.snapshot)
                else { throw StoreError(.corrupted, "a reference has no memory; run `loci rebuild`") }
                // Safe because bytes have no padding.
                let (reference, version) = try unsafe References.decode(value.span.bytes, kind: kind)
                guard try resolve(reference.target, head, moment, in: transaction) == row,
                    try DerivedEdges.out(from, number, row, in: transaction.snapshot).map({
                        $0.span.recordedUntil != .max
                    }) ?? true
                else { continue }
                let out = DerivedEdges.Out(
                    span: DerivedEdges.Span(weight: reference.weight, recordedFrom: moment),
                    rule: reference.rule,
                    version: version, range: reference.range)
                try DerivedEdges.put(from, number, row, out, in: transaction)
            }
        }
    }

    // MARK: Entities

    /// The entity of a name, made if it is new: a memory of kind `entity` without passages, so that it is no hit of
    /// a recall and counts for no statistic of words.
    private mutating func entity(
        _ name: EntityName, _ moment: Int64, in transaction: borrowing WriteTransaction
    ) throws -> UInt64 {
        if let row = try Lookup.number(name.aliasKey, in: transaction.snapshot) { return row }
        let row = state.nextRow
        state.nextRow += 1
        state.memoryCount += 1
        state.versionCount += 1
        state.entityCount += 1
        let head = HeadRecord(
            id: name.id, version: 1, firstPassage: 0, passageCount: 0, series: 0, turn: 0, keySession: 0,
            key: nil)
        try head.write(row, in: transaction)
        let content = Array(name.surface.utf8.prefix(VersionRecord.inlineByteCount))
        let record = VersionRecord(
            fields: .entity(name, at: moment), recordedFrom: moment, recordedUntil: .max, closure: .open,
            firstPassage: 0, ranges: [], contentByteCount: UInt32(content.count), inlineContent: content)
        try record.write(row, 1, in: transaction)
        try putNumber(Schema.rowOfMemory(name.id), row, in: transaction)
        try putNumber(name.aliasKey, row, in: transaction)
        return row
    }

    /// Erases an entity that nothing names any more and no given edge touches; merges with other aliases go with it.
    private mutating func eraseIfUnnamed(
        _ row: UInt64, _ counts: inout [String: Int], in transaction: borrowing WriteTransaction
    ) throws {
        guard let head = try HeadRecord.read(row, in: transaction.snapshot), head.passageCount == 0,
            let record = try VersionRecord.read(row, head.version, in: transaction.snapshot),
            let name = record.fields.entityName,
            try DerivedEdges.leadingInto(row, in: transaction.snapshot).isEmpty
        else { return }
        let touching = try Edges.touching(row, in: transaction.snapshot)
        guard touching.allSatisfy({ $0.record.isConclusion }) else { return }
        for (edge, record) in touching {
            try erase(edge, record, in: transaction)
            counts["edges", default: 0] += 1
        }
        try Schema.shared.remove(name.aliasKey, in: transaction)
        try Schema.memory.removeAll(prefix: Key().u64(row), in: transaction)
        try Lookup.remove(head.id, in: transaction)
        state.memoryCount -= 1
        state.versionCount -= 1
        state.entityCount -= 1
        counts["entities", default: 0] += 1
    }

    /// Erases the entities that nothing names.
    mutating func eraseUnnamedEntities(in transaction: borrowing WriteTransaction) throws {
        var rows: [UInt64] = []
        try Schema.shared.scan(prefix: Schema.Shared.entityAlias.key, in: transaction.snapshot) { _, value in
            guard value.byteCount == 8 else {
                throw StoreError(.corrupted, "the row of an entity is not one")
            }
            rows.append(value.u64(at: 0))
            return true
        }
        var counts: [String: Int] = [:]
        for row in rows { try eraseIfUnnamed(row, &counts, in: transaction) }
    }

    // MARK: Erasing

    /// Erases derived edges that were closed and cite a version which is trimmed.
    mutating func trimDerivedEdges(
        of row: UInt64, _ number: UInt32, _ counts: inout [String: Int],
        in transaction: borrowing WriteTransaction
    ) throws {
        for (kind, to, out) in try DerivedEdges.leadingOut(of: row, in: transaction.snapshot)
        where out.version == number {
            try DerivedEdges.remove(row, kind, to, in: transaction)
            counts["edges", default: 0] += 1
            try eraseIfUnnamed(to, &counts, in: transaction)
        }
    }

    /// Erases the derived edges of a memory that is forgotten, and the entities that only it named.
    mutating func eraseDerivedEdges(
        of row: UInt64, _ counts: inout [String: Int], in transaction: borrowing WriteTransaction
    ) throws {
        for (kind, from) in try DerivedEdges.leadingInto(row, in: transaction.snapshot) {
            try DerivedEdges.remove(from, kind, row, in: transaction)
            counts["edges", default: 0] += 1
        }
        try eraseDerivedEdges(outOf: row, &counts, in: transaction)
    }

    /// Erases the derived edges that lead out of a memory, and the entities that only it named.
    mutating func eraseDerivedEdges(
        outOf row: UInt64, _ counts: inout [String: Int], in transaction: borrowing WriteTransaction
    ) throws {
        let out = try DerivedEdges.leadingOut(of: row, in: transaction.snapshot)
        for (kind, to, _) in out {
            try DerivedEdges.remove(row, kind, to, in: transaction)
            counts["edges", default: 0] += 1
        }
        for to in Set(out.map(\.to)).sorted() { try eraseIfUnnamed(to, &counts, in: transaction) }
    }
}

extension VersionFields {
    /// Where the engine's own entities are from.
    static let entityPrincipal = "loci"

    /// What an entity is that the engine made of a name.
    static func entity(_ name: EntityName, at time: Int64) -> VersionFields {
        var origin = Origin(agent: entityPrincipal, trust: .known)
        origin.principal = entityPrincipal
        return VersionFields(
            kind: MemoryKind.entity.rawValue, session: nil, actor: nil, thread: nil,
            happened: time..<time + 1,
            valid: Int64.min..<Int64.max, expires: .max, isPinned: false, importance: 0.5, tags: [],
            keywords: [], attributes: ["sort": .string(name.sort.name), "name": .string(name.key)],
            origin: origin, attachments: [])
    }

    /// What an entity that the engine made is found by; `nil` for any other memory.
    var entityName: EntityName? {
        guard kind == MemoryKind.entity.rawValue, origin.principal == Self.entityPrincipal,
            case .string(let sort) = attributes["sort"], let sort = EntitySort(name: sort),
            case .string(let key) = attributes["name"]
        else { return nil }
        return EntityName(sort: sort, key: key, surface: key)
    }
}
