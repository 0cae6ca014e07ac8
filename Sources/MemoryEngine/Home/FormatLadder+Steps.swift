import Store

extension FormatLadder {
    /// Format 2: operation ids in blocks, edges with ids and evidence and their spans beside each direction, and derived
    /// edges with their entities.
    static let toFormat2 = Step(from: 1) { transaction in
        guard let bytes = try Schema.shared.get(oldStateKey, in: transaction.snapshot) else { return }
        var writer = ByteWriter()
        writer.raw(bytes.array)
        // What the format adds stands at the end: the version of the graph's rules, and the entities.
        writer.u16(0)
        writer.u64(0)
        let encoded = writer.bytes
        try Schema.shared.put(oldStateKey, encoded, in: transaction)
        // Where the ids of operations are read from.
        try moveChanges(in: transaction)
        // Safe because bytes have no padding.
        let state = try unsafe stateOfFormat2(encoded.span.bytes)
        try gatherOperations(state, in: transaction)
        try rewriteEdges(in: transaction)
    }

    /// Format 3: the counters behind the tail of passages, and how far edges have been derived. The rebuild on opening
    /// derives them (the state says that none were).
    static let toFormat3 = Step(from: 2) { transaction in
        guard let bytes = try Schema.shared.get(oldStateKey, in: transaction.snapshot) else { return }
        var state = try stateOfFormat2(bytes)
        state.graphVersion = 0
        try Schema.shared.remove(oldStateKey, in: transaction)
        try state.write(in: transaction)
    }

    /// Format 4: spaces beside the counters, and these behind the ids that the indexer has not moved to `shared` yet.
    /// What stands there already stays.
    static let toFormat4 = Step(from: 3) { transaction in
        if let bytes = try Schema.passage.get(stateKeyOfFormat3, in: transaction.snapshot) {
            try Schema.passage.put(Schema.state, bytes.array, in: transaction)
            try Schema.passage.remove(stateKeyOfFormat3, in: transaction)
        }
        var records: [(number: UInt16, value: [UInt8])] = []
        try Schema.shared.scan(prefix: oldSpaces, in: transaction.snapshot) { key, value in
            guard key.byteCount == 3 else { throw StoreError(.corrupted, "a key of a space is not one") }
            records.append((key.keyU16(at: 1), value.array))
            return true
        }
        for (number, value) in records {
            try Schema.passage.put(Schema.space(number), value, in: transaction)
        }
        try Schema.shared.removeAll(prefix: oldSpaces, in: transaction)
    }

    /// Format 5: the change log and the tails of vectors behind the counters, and versions that say only what is not
    /// usual.
    static let toFormat5 = Step(from: 4) { transaction in
        // In the order of their new keys, so that pages fill up.
        try move(from: Schema.vector, prefix: Key(prefix: 0x01), in: transaction) { key in
            Key(prefix: Schema.Passage.vectorTail).raw(key.copy(1..<key.byteCount))
        }
        try moveChanges(in: transaction)
        var next: Key? = Key()
        while let start = next {
            next = nil
            var versions: [(key: Key, record: VersionRecord)] = []
            try Schema.memory.scan(prefix: Key(), from: start, in: transaction.snapshot) { key, value in
                guard key.byteCount == 16 else {
                    throw StoreError(.corrupted, "a key of a memory is not one")
                }
                if versions.count == movedAtOnce {
                    next = Key(bytes: key.array)
                    return false
                }
                if key.keyU32(at: 8) > 0, key.keyU32(at: 12) == 0 {
                    versions.append((Key(bytes: key.array), try VersionRecord(decodingFormat4: value)))
                }
                return true
            }
            for (key, record) in versions {
                try Schema.memory.put(key, record.encode(), in: transaction)
            }
        }
    }

    /// Format 7: `word` may hold vectors and synonyms of words, which forgetting must know of. None are there yet.
    static let toFormat7 = Step(from: 6) { _ in }

    /// Format 6: records of spaces tell how many slots were erased, and may be copies.
    static let toFormat6 = Step(from: 5) { transaction in
        var records: [SpaceRecord] = []
        try Schema.passage.scan(
            prefix: Schema.state, from: Schema.space(0), in: transaction.snapshot
        ) { key, value in
            guard key.byteCount == 3 else { throw StoreError(.corrupted, "a key of a space is not one") }
            var reader = ByteReader(value)
            records.append(try SpaceRecord(number: key.keyU16(at: 1), formatFive: &reader))
            try reader.finish()
            return true
        }
        for var record in records {
            var live: UInt32 = 0
            do {
                try record.segments.forEachPassage(record.extent, in: transaction.snapshot) { _, _ in
                    live += 1
                }
                record.erasedSlots = record.nextSlot - live
            } catch let error as StoreError where error.code == .corrupted {
                // What is damaged is told by a check, and keeps nobody from the rest.
            }
            try record.write(in: transaction)
        }
    }

    private static let movedAtOnce = 4_096

    private static func moveChanges(in transaction: borrowing WriteTransaction) throws {
        try move(from: Schema.change, prefix: Key(), in: transaction) { key in
            Schema.changes.raw(key.array)
        }
    }

    /// Moves entries to the end of `passage`, some at a time.
    private static func move(
        from table: Table, prefix: Key, in transaction: borrowing WriteTransaction,
        to newKey: (RawSpan) -> Key
    ) throws {
        while true {
            var entries: [(old: Key, new: Key, value: [UInt8])] = []
            try table.scan(prefix: prefix, in: transaction.snapshot) { key, value in
                entries.append((Key(bytes: key.array), newKey(key), value.array))
                return entries.count < movedAtOnce
            }
            if entries.isEmpty { return }
            for (old, new, value) in entries {
                try Schema.passage.put(new, value, in: transaction, isAppend: true)
                try table.remove(old, in: transaction)
            }
        }
    }

    private static let stateKeyOfFormat3 = Key(prefix: 0x03)

    /// Where the spaces were up to format 3.
    private static let oldSpaces = Key(prefix: 0x04)

    /// Where the counters were up to format 2.
    private static let oldStateKey = Key(prefix: 0x02)

    private static func stateOfFormat2(_ bytes: RawSpan) throws -> HomeState {
        var writer = ByteWriter()
        writer.raw(bytes.array)
        writer.u32(0)
        let encoded = writer.bytes
        // Safe because bytes have no padding.
        return try unsafe HomeState(decoding: encoded.span.bytes)
    }

    /// Ids had a key each; the change log has them too.
    private static func gatherOperations(
        _ state: HomeState, in transaction: borrowing WriteTransaction
    ) throws {
        try Schema.shared.removeAll(prefix: Schema.Shared.operation.key, in: transaction)
        let last = state.sequence / Operations.idsPerBlock
        guard last > 0 else { return }
        let first = last > Operations.blockCount ? last - Operations.blockCount + 1 : 1
        for block in first...last {
            try Operations.append(block * Operations.idsPerBlock, in: transaction)
        }
    }

    private static func rewriteEdges(in transaction: borrowing WriteTransaction) throws {
        var old: [(number: UInt64, value: [UInt8])] = []
        try Schema.edge.scan(prefix: Key(prefix: Schema.Edge.record), in: transaction.snapshot) {
            key, value in
            guard key.byteCount == 9 else { throw StoreError(.corrupted, "a key of an edge is not one") }
            old.append((key.keyU64(at: 1), value.array))
            return true
        }
        for (number, value) in old {
            // Safe because bytes have no padding.
            let record = try unsafe edgeOfFormat1(value.span.bytes, number)
            var writer = ByteWriter(capacity: 8)
            writer.u64(number)
            try Schema.edge.put(Edges.numberKey(record.id), writer.bytes, in: transaction)
            try Edges.write(number, record, in: transaction)
        }
    }

    private static func edgeOfFormat1(_ bytes: RawSpan, _ number: UInt64) throws -> EdgeRecord {
        var reader = ByteReader(bytes)
        let from = try reader.u64()
        let kind = try reader.u16()
        let to = try reader.u64()
        let recordedFrom = try reader.i64()
        let recordedUntil = try reader.i64()
        let validFrom = try reader.i64()
        let validUntil = try reader.i64()
        let weight = try reader.f32()
        let origin = try Origin(from: &reader)
        try reader.finish()
        guard recordedFrom <= recordedUntil, validFrom <= validUntil, weight > 0, weight <= 1 else {
            throw StoreError(
                .corrupted, "edge \(number) ends before it begins, or has a weight outside of 0 to 1")
        }
        var span = EdgeSpan(weight: weight, recordedFrom: recordedFrom, valid: validFrom..<validUntil)
        span.recordedUntil = recordedUntil
        // Of the form of the ids made since, with the number in the place of random bits: the same in every copy.
        let milliseconds = UInt128(max(0, recordedFrom / 1_000)) & 0xffff_ffff_ffff
        let id = milliseconds << 80 | 7 << 76 | 2 << 62 | UInt128(number & 0x3fff_ffff_ffff_ffff)
        return EdgeRecord(
            id: EdgeID(rawValue: id), from: from, kind: kind, to: to, span: span, origin: origin)
    }
}
