import HNSW
import Store

/// The background author of derived tables: it makes edges from words (`EdgeBatch`), folds the tail into columns and
/// postings, and rows of vectors into segments, in bounded transactions.
///
/// What lies above a watermark is tail, which every recall scans exactly; so no recall waits for the
/// indexer, and doing a step again after a crash is harmless.
enum Indexer {
    /// A tail shorter than this stays: a small home has no columns and no postings at all.
    static let foldThreshold: UInt32 = 1_024
    /// Passages folded in one transaction. Many at a time share the blocks of their common terms.
    static let stepCount: UInt32 = 2_048
    /// From here on the indexer waits for no free core, and its steps go before further callers.
    static let pressureCount: UInt32 = 4_096
    /// Segments made in one transaction.
    static let segmentsPerStep = 8

    /// So many passages without edges are worth a step.
    static let edgeThreshold: UInt32 = 256

    /// What is left to do after a step.
    struct Progress: Sendable {
        var hasMore: Bool
        var isPressed: Bool
    }

    static func hasEdges(_ state: HomeState) -> Bool {
        state.nextPassage - state.derivedPassages >= edgeThreshold
    }

    /// Whether there is enough in the tails to be worth a step.
    static func hasWork(_ state: HomeState, _ spaces: [SpaceRecord]) -> Bool {
        hasEdges(state) || state.nextPassage - state.foldedPassages >= foldThreshold
            || spaces.contains(where: hasWork)
    }

    static func hasWork(_ space: SpaceRecord) -> Bool {
        Int(space.nextSlot - space.segmentedSlots) >= space.segments.rowsPerSegment * 4
    }

    /// One step of folding.
    static func step(in transaction: borrowing WriteTransaction) throws -> Progress {
        var state = try HomeState.read(in: transaction.snapshot)
        let spaces = try SpaceRecord.all(in: transaction.snapshot)
        if state.nextPassage - state.foldedPassages >= foldThreshold {
            try foldPassages(atMost: stepCount, &state, in: transaction)
            try state.write(in: transaction)
        }
        var folded: [SpaceRecord] = []
        for space in spaces where Int(space.nextSlot - space.segmentedSlots) >= space.segments.rowsPerSegment
        {
            var space = space
            var extent = space.extent
            _ = try space.segments.fold(&extent, atMost: segmentsPerStep, in: transaction)
            space.extent = extent
            try space.write(in: transaction)
            folded.append(space)
        }
        return Progress(hasMore: hasWork(state, folded), isPressed: isPressed(state))
    }

    /// Whether so much is waiting that callers must.
    static func isPressed(_ state: HomeState) -> Bool {
        state.nextPassage - min(state.foldedPassages, state.derivedPassages) > pressureCount
    }

    /// Folds everything, for `rebuild` and for tests.
    static func foldAll(_ state: inout HomeState, in transaction: borrowing WriteTransaction) throws {
        while state.foldedPassages < state.nextPassage {
            try foldPassages(atMost: stepCount, &state, in: transaction)
        }
    }

    /// Moves the oldest passages of the tail into columns and postings. A passage that was forgotten while
    /// it was in the tail leaves an erased row.
    static func foldPassages(
        atMost limit: UInt32, _ state: inout HomeState, in transaction: borrowing WriteTransaction
    ) throws {
        let first = state.foldedPassages
        let end = min(first + limit, state.nextPassage)
        guard first < end else { return }
        var rows = [PassageRow](repeating: .erased, count: Int(end - first))
        var slots: [UInt16: [(passage: UInt32, slot: UInt32)]] = [:]
        var terms = TermGroups()
        try TailRecord.forEach(in: transaction.snapshot, from: first, below: end) { passage, front, words in
            rows[Int(passage - first)] = front.row
            for slot in front.slots { slots[slot.space, default: []].append((passage, slot.slot)) }
            front.forEachFilterTerm { term in
                guard !term.isEmpty else { return }
                let name = term.extracting(1...)
                terms.add(term[0], name, hash: TermHash.hash(name), Posting(passage: passage, frequency: 1))
            }
            try TermListView(checking: words).forEach(in: words) { hash, term, frequency in
                let posting = Posting(passage: passage, frequency: frequency)
                terms.add(Postings.wordField, term, hash: hash, posting)
            }
        }
        try Columns.write(rows, from: first, in: transaction)
        for (space, slots) in slots.sorted(by: { $0.key < $1.key }) {
            try Columns.setSlots(space, slots, in: transaction)
        }
        try terms.forEachTerm { term, postings in
            try Postings.append(postings, to: Postings.termKey(term), &state, in: transaction)
        }
        for passage in first..<end { try Schema.passage.remove(Schema.tail(passage), in: transaction) }
        state.foldedPassages = end
    }
}
