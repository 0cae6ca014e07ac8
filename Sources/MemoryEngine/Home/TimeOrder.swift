import Store

/// The rows of a home in the order of when their memories began to happen: those of the index, and between them those
/// whose entries the indexer has still to make (`Applier.derive`).
struct TimeOrder {
    /// A row and its time; places order rows as the index does.
    struct Place: Comparable {
        var time: Int64
        var row: UInt64

        static func < (a: Place, b: Place) -> Bool { (a.time, a.row) < (b.time, b.row) }
    }

    /// Rows that have no entry yet, ascending. Some may have one all the same.
    private var pending: [Place] = []

    /// - Complexity: O(p log p) for p passages that the indexer has still to read; it keeps them to some thousands.
    init(_ state: HomeState, in transaction: borrowing ReadTransaction) throws {
        var passage = state.derivedPassages
        while passage < state.nextPassage {
            defer { passage += 1 }
            guard let (row, version) = try PassageReader.version(of: passage, state, in: transaction),
                pending.last?.row != row,
                try HeadRecord.read(row, in: transaction)?.version == version
            else { continue }
            let columns = try PassageReader.row(passage, state, in: transaction)
            pending.append(Place(time: columns.happenedFrom, row: row))
        }
        pending.sort()
    }

    /// Lends the places behind `start`, which is left out, until `body` returns false.
    func forEach(
        after start: Place?, isDescending: Bool, in transaction: borrowing ReadTransaction,
        _ body: (Place) throws -> Bool
    ) throws {
        let isBefore: (Place, Place) -> Bool = isDescending ? { $0 > $1 } : { $0 < $1 }
        var waiting = (isDescending ? pending.reversed() : pending)[...]
        if let start { waiting = waiting.drop { !isBefore(start, $0) } }
        var isWanted = true
        func visit(_ key: RawSpan) throws -> Bool {
            guard key.byteCount == 17 else {
                throw StoreError(.corrupted, "a key of the order of time is not one")
            }
            let place = Place(time: key.keyI64(at: 1), row: key.keyU64(at: 9))
            while isWanted, let next = waiting.first, isBefore(next, place) {
                waiting.removeFirst()
                isWanted = try body(next)
            }
            if waiting.first == place { waiting.removeFirst() }
            if isWanted { isWanted = try body(place) }
            return isWanted
        }
        let prefix = Schema.Shared.memoryByTime.key
        if isDescending {
            let end = start.map { Schema.memoryByTime($0.time, $0.row) }
            try Schema.shared.scanBackwards(prefix: prefix, below: end, in: transaction) { key, _ in
                try visit(key)
            }
        } else {
            let first = start.map { Schema.memoryByTime($0.time, $0.row + 1) }
            try Schema.shared.scan(prefix: prefix, from: first, in: transaction) { key, _ in try visit(key) }
        }
        while isWanted, let next = waiting.popFirst() { isWanted = try body(next) }
    }

    /// When the first memory began to happen; `nil` in a home without memories.
    func earliest(in transaction: borrowing ReadTransaction) throws -> Int64? {
        var earliest: Int64?
        try forEach(after: nil, isDescending: false, in: transaction) { place in
            earliest = place.time
            return false
        }
        return earliest
    }
}
