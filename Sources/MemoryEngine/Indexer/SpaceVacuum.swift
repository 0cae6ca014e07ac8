import HNSW
import Store

/// Rewrites the vectors of a space without the slots that were erased, and with a graph of its own, while the space is
/// searched and written to.
///
/// Slots are never used twice, so a space that is changed often fills up with erased rows, and repairs make its graph a
/// little worse each time. So from a fifth of erased slots on, the indexer copies the rows that are left to another
/// number, in the order of slots and some at a time, and links them there. Callers add rows to the open one only, and
/// erase in both. When the copy has caught up it takes the other's place, in one transaction that also takes the rows
/// of the other away; the pages of the other's graph go in the steps after. Until then searches see nothing of it, and a
/// crash loses no more than one step.
///
/// It needs as much room in the file as the rows that are left take, and gives up where there is none; `compact` gives
/// back what is free afterwards.
enum SpaceVacuum {
    /// Bytes of rows copied in one transaction.
    static let stepByteCount = 4 << 20
    private static let mostRows = 8_192

    /// Whether there is anything to do.
    static func isDue(_ spaces: [SpaceRecord], leastErased: UInt32) -> Bool {
        spaces.contains { $0.stage != .open || isWorn($0, leastErased) }
    }

    /// Whether a copy is to take its place.
    static func isWorn(_ space: SpaceRecord, _ leastErased: UInt32) -> Bool {
        space.stage == .open && space.erasedSlots >= leastErased
            && Int(space.erasedSlots) * 5 >= Int(space.nextSlot)
    }

    /// Takes copies away. Returns whether there was one.
    static func giveUp(in transaction: borrowing WriteTransaction) throws -> Bool {
        let state = try HomeState.read(in: transaction.snapshot)
        var isAny = false
        for var copy in try SpaceRecord.all(in: transaction.snapshot) where copy.stage == .copy {
            try copy.leave(state, in: transaction)
            isAny = true
        }
        return isAny
    }

    /// Does a part of what is to be done, after everything that can be linked has been. Returns whether there was
    /// anything.
    static func step(_ indexes: VectorIndexes, in transaction: borrowing WriteTransaction) throws -> Bool {
        var state = try HomeState.read(in: transaction.snapshot)
        let spaces = try SpaceRecord.all(in: transaction.snapshot)
        if let leaving = spaces.first(where: { $0.stage == .leaving }) {
            let index = indexes.index(of: leaving)
            if try index.state(in: transaction.snapshot)?.isDropping != true {
                try index.removeAll(in: transaction)
                try Schema.passage.remove(Schema.space(leaving.number), in: transaction)
                indexes.forget(leaving)
            }
            return true
        }
        if var copy = spaces.first(where: { $0.stage == .copy }) {
            guard var source = spaces.first(where: { $0.stage == .open && $0.space == copy.space }),
                copy.copiedSlots <= source.nextSlot
            else {
                try copy.leave(state, in: transaction)
                return true
            }
            try advance(&copy, from: source, state, in: transaction)
            if copy.copiedSlots == source.nextSlot,
                try indexes.index(of: copy).isNearlyLinked(copy.extent, in: transaction.snapshot)
            {
                // The same rows, linked by the same rules.
                if let curve = try indexes.index(of: source).curve(in: transaction.snapshot) {
                    let linked = try indexes.index(of: copy).state(in: transaction.snapshot)?.linkedSlots ?? 0
                    _ = try indexes.index(of: copy).keep(
                        RecallCurve(
                            points: curve.points, neighborCount: curve.neighborCount,
                            sampleCount: curve.sampleCount, linkedSlots: linked), in: transaction)
                }
                try source.leave(state, in: transaction)
                copy.stage = .open
                copy.copiedSlots = 0
            }
            try copy.write(in: transaction)
            return true
        }
        guard let worn = spaces.first(where: { isWorn($0, indexes.leastErased) }),
            let number = SpaceRecord.freeNumber(from: state.nextSpace, beside: Set(spaces.map(\.number)))
        else { return false }
        var copy = SpaceRecord(number: number, space: worn.space)
        copy.stage = .copy
        try copy.write(in: transaction)
        state.nextSpace = number + 1
        try state.write(in: transaction)
        return true
    }

    /// Copies some rows.
    private static func advance(
        _ copy: inout SpaceRecord, from source: SpaceRecord, _ state: HomeState,
        in transaction: borrowing WriteTransaction
    ) throws {
        let count = max(
            copy.segments.rowsPerSegment, min(mostRows, stepByteCount / (4 * copy.space.dimension)))
        let end = UInt32(min(Int(source.nextSlot), Int(copy.copiedSlots) + count))
        var rows: [(passage: UInt32, vector: [Float])] = []
        try source.segments.forEachRow(
            in: copy.copiedSlots..<end, source.extent, in: transaction.snapshot
        ) { _, passage, vector in rows.append((passage, vector)) }
        var folded: [(passage: UInt32, slot: UInt32)] = []
        for (index, row) in rows.enumerated() {
            let slot = copy.nextSlot + UInt32(index)
            if row.passage < state.foldedPassages {
                folded.append((row.passage, slot))
            } else {
                let number = copy.number
                try TailRecord.change(row.passage, in: transaction) {
                    $0.slots.append(TailRecord.Slot(space: number, slot: slot))
                }
            }
        }
        try Columns.setSlots(copy.number, folded, in: transaction)
        var extent = copy.extent
        try copy.segments.append(rows, &extent, in: transaction)
        _ = try copy.segments.fold(&extent, atMost: .max, in: transaction)
        copy.extent = extent
        copy.copiedSlots = end
    }
}
