import HNSW
import Store

/// Forgetting: nothing of a memory stays in any table but its id in the change log.
extension Applier {
    /// How many memories one mutation may forget.
    static let maximumEraseCount = 256

    /// The summaries that hold, or held, sentences of memories, but those among them.
    static func summaries(
        of ids: [MemoryID], in transaction: borrowing ReadTransaction
    ) throws -> [MemoryID] {
        var found = Set<MemoryID>()
        for id in ids {
            guard let row = try Lookup.row(of: id, in: transaction) else { continue }
            for (_, record) in try Edges.touching(row, in: transaction)
            where record.to == row && record.kind == EdgeKind.derivedFrom.builtInNumber
                && Derivation.read(record.origin) != nil
            {
                if let head = try HeadRecord.read(record.from, in: transaction) { found.insert(head.id) }
            }
        }
        return found.subtracting(ids).sorted()
    }

    /// Erases memories with all that only they support, and the summaries that hold words of them. Returns counts per table;
    /// unknown ids count nothing.
    mutating func erase(
        _ ids: [MemoryID], in transaction: borrowing WriteTransaction
    ) throws -> [String: Int] {
        try reopenClosed(by: ids, in: transaction)
        try deriveEdges(in: transaction)
        var counts: [String: Int] = [:]
        var names: [NameClass: Set<UInt32>] = [:]
        let summaries = try Self.summaries(of: ids, in: transaction.snapshot)
        for (place, id) in (ids + summaries).enumerated() {
            guard let row = try Lookup.row(of: id, in: transaction.snapshot) else { continue }
            let head = try self.head(row, in: transaction.snapshot)
            if let name = try version(row, head.version, in: transaction.snapshot).fields.entityName {
                try Schema.shared.remove(name.aliasKey, in: transaction)
                state.entityCount -= 1
            }
            try eraseVersions(of: row, head, &counts, &names, in: transaction)
            // While its id leads to its row: evidence is found by id.
            try eraseEdges(of: row, id, &counts, in: transaction)
            try Schema.memory.remove(Schema.head(row), in: transaction)
            try Lookup.remove(id, in: transaction)
            if let key = head.key {
                let entry = Schema.memoryByKey(session: head.keySession, key)
                if try Lookup.number(entry, in: transaction.snapshot) == row {
                    try Schema.shared.remove(entry, in: transaction)
                }
            }
            if head.series != 0 {
                try relink(successorOf: head, to: PassageRow.none, in: transaction)
                try Schema.shared.remove(Schema.memoryByTurn(head.series, head.turn), in: transaction)
            }
            if head.key != nil { names[.session, default: []].insert(head.keySession) }
            state.memoryCount -= 1
            counts[place < ids.count ? "memories" : "summaries", default: 0] += 1
            log.append(LogEntry(kind: .forgotten, id: id, version: head.version))
        }
        guard !counts.isEmpty else { return counts }
        let erased = Set(ids + summaries)
        try eraseReceipts(&counts, in: transaction) { $0.items.contains { erased.contains($0.id) } }
        try eraseNames(names, &counts, in: transaction)
        return counts
    }

    private mutating func eraseVersions(
        of row: UInt64, _ head: HeadRecord, _ counts: inout [String: Int],
        _ names: inout [NameClass: Set<UInt32>], in transaction: borrowing WriteTransaction
    ) throws {
        var numbers: [UInt32] = []
        try Schema.memory.scan(prefix: Key().u64(row), in: transaction.snapshot) { key, _ in
            if key.keyU32(at: 8) > 0, key.keyU32(at: 12) == 0 { numbers.append(key.keyU32(at: 8)) }
            return true
        }
        for number in numbers {
            try eraseVersion(
                row, number, isNewest: number == head.version, &counts, &names, in: transaction)
        }
    }

    /// Erases all versions of a memory that will get others. Returns the names that they had.
    mutating func eraseVersions(
        of row: UInt64, _ head: HeadRecord, in transaction: borrowing WriteTransaction
    ) throws -> [NameClass: Set<UInt32>] {
        var counts: [String: Int] = [:]
        var names: [NameClass: Set<UInt32>] = [:]
        try eraseVersions(of: row, head, &counts, &names, in: transaction)
        try eraseDerivedEdges(outOf: row, &counts, in: transaction)
        return names
    }

    /// Removes closed versions of a memory that stays.
    mutating func trim(
        _ id: MemoryID, _ versions: [UInt32], in transaction: borrowing WriteTransaction
    ) throws -> [String: Int] {
        let (row, head) = try find(id, in: transaction.snapshot)
        try deriveEdges(in: transaction)
        var counts: [String: Int] = [:]
        var names: [NameClass: Set<UInt32>] = [:]
        for number in versions where number != head.version {
            guard try VersionRecord.read(row, number, in: transaction.snapshot) != nil else { continue }
            try trimDerivedEdges(of: row, number, &counts, in: transaction)
            try eraseVersion(row, number, isNewest: false, &counts, &names, in: transaction)
        }
        if !counts.isEmpty {
            log.append(LogEntry(kind: .trimmed, id: id, version: head.version))
            try eraseNames(names, &counts, in: transaction)
        }
        return counts
    }

    private mutating func eraseVersion(
        _ row: UInt64, _ number: UInt32, isNewest: Bool, _ counts: inout [String: Int],
        _ names: inout [NameClass: Set<UInt32>], in transaction: borrowing WriteTransaction
    ) throws {
        let version = try self.version(row, number, in: transaction.snapshot)
        let content = try version.content(row, number, in: transaction.snapshot)
        for passage in version.firstPassage..<version.firstPassage + version.passageCount {
            let columns = try PassageReader.row(passage, state, in: transaction.snapshot)
            if columns.flags.contains(.current) { uncount(columns) }
            names[.session, default: []].insert(columns.session)
            names[.actor, default: []].insert(columns.actor)
            names[.thread, default: []].insert(columns.thread)
            names[.principal, default: []].insert(columns.principal)
            names[.kind, default: []].insert(columns.kind)
            for index in spaces.indices {
                guard
                    let slot = try PassageReader.slot(
                        passage, spaces[index].number, state, in: transaction.snapshot)
                else { continue }
                if slot >= spaces[index].nextSlot { try flushVectors(in: transaction) }
                try spaces[index].segments.erase(slot, spaces[index].extent, in: transaction)
                spaces[index].erasedSlots += 1
                try HNSWIndex(table: Schema.link, segments: spaces[index].segments).noteErased(
                    slot, spaces[index].extent, in: transaction)
                if passage < state.foldedPassages {
                    try Columns.setSlots(spaces[index].number, [(passage, .max)], in: transaction)
                }
                if spaces[index].stage == .open { counts["vectors", default: 0] += 1 }
            }
            let isFolded = passage < state.foldedPassages
            let knowsWords = try knowsWords(in: transaction.snapshot)
            let range = columns.byteFrom..<columns.byteFrom + columns.byteCount
            let terms =
                isFolded || knowsWords
                ? Analyzer().terms(of: content, range, part: Int(columns.part), fields: version.fields) : nil
            if knowsWords, let terms { erasedWords.formUnion(terms.terms.map(\.term)) }
            if !isFolded {
                try Schema.passage.remove(Schema.tail(passage), in: transaction)
            } else if let terms {
                var keys: [Key] = []
                for (term, _) in terms.terms { keys.append(Postings.wordKey(term)) }
                var filterTerms = FilterTerm.all(of: version.fields)
                if columns.part == 0 { filterTerms += Analyzer().titleTerms(of: content, version.fields) }
                keys += filterTerms.map(Postings.termKey)
                for key in keys { try Postings.remove(passage, from: key, in: transaction) }
                counts["postings", default: 0] += keys.count
                try Columns.replace(passage, by: .erased, in: transaction)
            }
            counts["passages", default: 0] += 1
        }
        if isNewest {
            try removeReferences(of: row, content, version.fields, in: transaction)
            try Schema.shared.remove(
                Schema.memoryByTime(version.fields.happened.lowerBound, row), in: transaction)
            if version.fields.expires != .max {
                try Schema.shared.remove(Schema.memoryByExpiry(version.fields.expires, row), in: transaction)
            }
        }
        for attachment in version.fields.attachments where attachment.address == nil {
            try release(attachment, &counts, in: transaction)
        }
        counts["pages", default: 0] += try Schema.memory.removeAll(
            prefix: Key().u64(row).u32(number), in: transaction)
        counts["versions", default: 0] += 1
        state.versionCount -= 1
    }

    private func release(
        _ attachment: Attachment, _ counts: inout [String: Int], in transaction: borrowing WriteTransaction
    ) throws {
        let key = Schema.Shared.attachment.key.raw(attachment.digest)
        guard let value = try Schema.shared.get(key, in: transaction.snapshot) else {
            throw StoreError(.corrupted, "an attachment of a memory is missing")
        }
        var reader = ByteReader(value)
        let byteCount = try reader.u64()
        let count = try reader.u64()
        if count > 1 {
            var writer = ByteWriter(capacity: 16)
            writer.u64(byteCount)
            writer.u64(count - 1)
            try Schema.shared.put(key, writer.bytes, in: transaction)
        } else {
            try Schema.shared.remove(key, in: transaction)
            try Schema.attachment.removeAll(prefix: Key().raw(attachment.digest), in: transaction)
            counts["attachments", default: 0] += 1
        }
    }

    /// Receipts that mention a forgotten memory: its query may tell what it held.
    mutating func eraseReceipts(
        _ counts: inout [String: Int], in transaction: borrowing WriteTransaction,
        where isErased: (Receipt) -> Bool
    ) throws {
        guard state.receiptCount > 0 else { return }
        var keys: [Key] = []
        try Schema.shared.scan(prefix: Schema.Shared.receipt.key, in: transaction.snapshot) { key, value in
            var reader = ByteReader(value)
            if isErased(try Receipt(from: &reader)) { keys.append(Key(bytes: key.array)) }
            return true
        }
        for key in keys { try Schema.shared.remove(key, in: transaction) }
        state.receiptCount -= UInt64(keys.count)
        if !keys.isEmpty { counts["receipts", default: 0] += keys.count }
    }

    /// Names that no passage has any more.
    func eraseNames(
        _ candidates: [NameClass: Set<UInt32>], _ counts: inout [String: Int],
        in transaction: borrowing WriteTransaction
    ) throws {
        let columns: [NameClass: Column] = [
            .session: .session, .actor: .actor, .thread: .thread, .principal: .principal, .kind: .kind,
        ]
        var unused = candidates.mapValues { $0.subtracting([0]) }
        for (nameClass, column) in columns where !(unused[nameClass] ?? []).isEmpty {
            try Columns.forEachBlock(column, below: state.foldedPassages, in: transaction.snapshot) {
                _, bytes in
                for index in 0..<column.rowsPerBlock { unused[nameClass]?.remove(bytes.u32(at: index * 4)) }
            }
        }
        try TailRecord.forEach(in: transaction.snapshot) { _, front, _ in
            unused[.session]?.remove(front.row.session)
            unused[.actor]?.remove(front.row.actor)
            unused[.thread]?.remove(front.row.thread)
            unused[.principal]?.remove(front.row.principal)
            unused[.kind]?.remove(front.row.kind)
        }
        for nameClass in NameClass.allCases {
            for number in (unused[nameClass] ?? []).sorted() {
                // An earlier trim may have removed the name with its last passage.
                let key = Schema.Shared.nameOfNumber.key.u32(number)
                guard try Schema.shared.contains(key, in: transaction.snapshot),
                    let name = try Names.name(of: number, nameClass, in: transaction.snapshot)
                else { continue }
                try Names.remove(name, nameClass, number, in: transaction)
                counts["names", default: 0] += 1
            }
        }
    }
}
