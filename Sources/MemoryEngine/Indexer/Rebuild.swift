import HNSW
import Store

/// Makes all derived passages anew from ground state.
enum Rebuild {
    static func run(
        _ progress: (@Sendable (Int, Int) -> Void)?, in transaction: borrowing WriteTransaction
    ) throws {
        var state = try HomeState.read(in: transaction.snapshot)
        // A vacuum begins anew: copies would be told by passages too.
        for var copy in try SpaceRecord.all(in: transaction.snapshot) where copy.stage == .copy {
            try copy.removeRows(in: transaction)
        }
        var spaces = try SpaceRecord.open(in: transaction.snapshot)
        // Slots are told by the vectors themselves: each row names its passage.
        var slots: [UInt32: [TailRecord.Slot]] = [:]
        for index in spaces.indices {
            let space = spaces[index]
            var live: UInt32 = 0
            try space.segments.forEachPassage(space.extent, in: transaction.snapshot) { slot, passage in
                slots[passage, default: []].append(TailRecord.Slot(space: space.number, slot: slot))
                live += 1
            }
            spaces[index].erasedSlots = space.nextSlot - live
            try spaces[index].write(in: transaction)
        }
        let records = try ground(in: transaction.snapshot)
        // What else stands in the same table is no derived state.
        for prefix in [Schema.Passage.column, Schema.Passage.tail] {
            try Schema.passage.removeAll(prefix: Key(prefix: prefix), in: transaction)
        }
        try Schema.word.clear(in: transaction)
        state.foldedPassages = 0
        state.nextTerm = 1
        state.currentPassages = 0
        state.currentLength = 0
        state.wordsVersion = Schema.wordsVersion
        let analyzer = Analyzer()
        for (index, entry) in records.enumerated() {
            try write(entry, analyzer, slots, &state, in: transaction)
            if index % 1_000 == 999 { progress?(index + 1, records.count) }
        }
        state = try edges(state, in: transaction)
        if state.nextPassage >= Indexer.foldThreshold {
            // As far as the indexer itself would have folded.
            while state.nextPassage - state.foldedPassages >= Indexer.foldThreshold {
                try Indexer.foldPassages(atMost: Indexer.stepCount, &state, in: transaction)
            }
        }
        try state.write(in: transaction)
        // The indexer's next steps take it down and link all anew.
        for space in spaces {
            try HNSWIndex(table: Schema.link, segments: space.segments).drop(in: transaction)
        }
        progress?(records.count, records.count)
    }

    /// Derived edges and entities, from all versions in the order of their passages.
    private static func edges(
        _ state: HomeState, in transaction: borrowing WriteTransaction
    ) throws -> HomeState {
        for prefix in [Schema.Edge.derivedOut, Schema.Edge.derivedInto, Schema.Edge.reference] {
            try Schema.edge.removeAll(prefix: Key(prefix: prefix), in: transaction)
        }
        try Schema.shared.removeAll(prefix: Schema.Shared.memoryBySubject.key, in: transaction)
        var applier = Applier(deriving: state)
        applier.state.derivedPassages = 0
        try applier.deriveEdges(in: transaction)
        try applier.eraseUnnamedEntities(in: transaction)
        try applier.fileForeignEdges(in: transaction)
        applier.state.graphVersion = Schema.graphVersion
        return applier.state
    }

    private struct Entry {
        var row: UInt64
        var version: UInt32
        var firstPassage: UInt32
    }

    /// All versions, in the order of their passages.
    private static func ground(in transaction: borrowing ReadTransaction) throws -> [Entry] {
        var entries: [Entry] = []
        try Schema.memory.scan(prefix: Key(), in: transaction) { key, value in
            guard key.byteCount == 16 else { throw StoreError(.corrupted, "a key of a memory is not one") }
            let version = key.keyU32(at: 8)
            guard version > 0, key.keyU32(at: 12) == 0 else { return true }
            let record = try VersionRecord(decoding: value)
            // An entity that the engine made has no passage, and is made of what names it.
            if record.ranges.isEmpty { return true }
            entries.append(Entry(row: key.keyU64(at: 0), version: version, firstPassage: record.firstPassage))
            return true
        }
        return entries.sorted { $0.firstPassage < $1.firstPassage }
    }

    private static func write(
        _ entry: Entry, _ analyzer: Analyzer, _ slots: [UInt32: [TailRecord.Slot]], _ state: inout HomeState,
        in transaction: borrowing WriteTransaction
    ) throws {
        guard let head = try HeadRecord.read(entry.row, in: transaction.snapshot),
            let record = try VersionRecord.read(entry.row, entry.version, in: transaction.snapshot)
        else { throw StoreError(.corrupted, "row \(entry.row) has no head") }
        let content = try record.content(entry.row, entry.version, in: transaction.snapshot)
        guard record.ranges.count == record.passageCount else {
            throw StoreError(.corrupted, "a version of memory \(head.id) does not tell its passages")
        }
        var columns = PassageRow(
            entry.row, entry.version, record, turn: head.turn,
            session: try Names.number(of: record.fields.session, .session, in: transaction.snapshot),
            actor: try Names.number(of: record.fields.actor, .actor, in: transaction.snapshot),
            thread: try Names.number(of: record.fields.thread, .thread, in: transaction.snapshot),
            principal: try Names.number(
                of: record.fields.origin.principal, .principal, in: transaction.snapshot),
            kind: try Names.number(of: record.fields.kind, .kind, in: transaction.snapshot))
        if head.series != 0, head.turn > 0,
            let before = try Lookup.number(
                Schema.memoryByTurn(head.series, head.turn - 1), in: transaction.snapshot),
            let previous = try HeadRecord.read(before, in: transaction.snapshot)
        {
            columns.previous = previous.firstPassage + previous.passageCount - 1
        }
        let filterTerms = FilterTerm.all(of: record.fields)
        for (part, range) in record.ranges.enumerated() {
            let terms = analyzer.terms(of: content, range, part: part, fields: record.fields)
            columns.describe(part, range, content, terms, isCurrent: record.isCurrent, record.fields)
            let passage = record.firstPassage + UInt32(part)
            if columns.flags.contains(.current) {
                state.currentPassages += 1
                state.currentLength += UInt64(columns.length)
            }
            var tail = TailRecord(row: columns, words: terms, filterTerms: filterTerms)
            if part == 0 { tail.filterTerms += analyzer.titleTerms(of: content, record.fields) }
            tail.slots = slots[passage] ?? []
            try tail.write(passage, in: transaction)
            columns.previous = passage
        }
    }
}
