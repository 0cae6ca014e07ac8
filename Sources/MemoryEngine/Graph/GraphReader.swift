import Store

/// What lies at the other end of an edge, as a walk sees it.
struct GraphNeighbor: Equatable, Sendable {
    var row: UInt64
    var kind: UInt16
    var weight: Float
    /// The edge leads there; otherwise it comes from there.
    var isOut: Bool
    var source: Source

    enum Source: Equatable, Sendable {
        /// An edge with a record, by number.
        case given(UInt64)
        case derived
        /// Follows from a thread.
        case thread
        /// Computed because it was asked for (`EdgeKind.asked`).
        case computed
    }
}

/// Reads the neighbors of memories over one snapshot: given and derived edges, and those that follow from threads.
struct GraphReader {
    /// Which kinds are followed, by number; `nil` = all that are stored, and those of threads.
    var kinds: Set<UInt16>?
    var direction: EdgeDirection
    /// What the store knew then; `nil` = knows now.
    var asOf: Int64?
    /// What was true then.
    var validAt: Int64
    /// Finds neighbors that are computed; `nil` where none are asked for.
    var near: NearMemories?

    private static let next = EdgeKind.next.builtInNumber ?? 0
    private static let repliesTo = EdgeKind.repliesTo.builtInNumber ?? 0

    /// Lends the neighbors of a row one after another, until `body` returns false.
    ///
    /// - Complexity: O(edges of the row), at the speed of a scan.
    func forEachNeighbor(
        of row: UInt64, _ state: HomeState, in transaction: borrowing ReadTransaction,
        _ body: (GraphNeighbor) throws -> Bool
    ) throws {
        if direction != .into {
            guard try scan(Schema.Edge.out, row, isOut: true, in: transaction, body),
                try scanDerived(Schema.Edge.derivedOut, row, isOut: true, in: transaction, body)
            else { return }
        }
        if direction != .out {
            guard try scan(Schema.Edge.into, row, isOut: false, in: transaction, body),
                try scanDerived(Schema.Edge.derivedInto, row, isOut: false, in: transaction, body)
            else { return }
        }
        guard try forEachOfThread(row, state, in: transaction, body) else { return }
        try near?.forEachNeighbor(of: row, isOut: direction != .into, in: transaction, body)
    }

    private func scan(
        _ prefix: UInt8, _ row: UInt64, isOut: Bool, in transaction: borrowing ReadTransaction,
        _ body: (GraphNeighbor) throws -> Bool
    ) throws -> Bool {
        var goesOn = true
        for start in starts(prefix, row) where goesOn {
            try Schema.edge.scan(prefix: start, in: transaction) { key, value in
                guard key.byteCount == Edges.directionKeyByteCount else {
                    throw StoreError(.corrupted, "a key of an edge is not one")
                }
                var reader = ByteReader(value)
                let span = try EdgeSpan(from: &reader)
                let other = key.keyU64(at: 11)
                // An edge to another home leads out of this snapshot.
                guard other != 0, span.holds(asOf: asOf, validAt: validAt) else { return true }
                goesOn = try body(
                    GraphNeighbor(
                        row: other, kind: key.keyU16(at: 9), weight: span.weight, isOut: isOut,
                        source: .given(key.keyU64(at: 19))))
                return goesOn
            }
        }
        return goesOn
    }

    private func scanDerived(
        _ prefix: UInt8, _ row: UInt64, isOut: Bool, in transaction: borrowing ReadTransaction,
        _ body: (GraphNeighbor) throws -> Bool
    ) throws -> Bool {
        var goesOn = true
        for start in starts(prefix, row) where goesOn {
            try Schema.edge.scan(prefix: start, in: transaction) { key, value in
                guard key.byteCount == DerivedEdges.keyByteCount else {
                    throw StoreError(.corrupted, "a key of an edge is not one")
                }
                var reader = ByteReader(value)
                let span = try DerivedEdges.Span(from: &reader)
                guard span.holds(asOf: asOf) else { return true }
                goesOn = try body(
                    GraphNeighbor(
                        row: key.keyU64(at: 11), kind: key.keyU16(at: 9), weight: span.weight, isOut: isOut,
                        source: .derived))
                return goesOn
            }
        }
        return goesOn
    }

    /// Where the scans of a row begin: one for each kind, or one for all.
    private func starts(_ prefix: UInt8, _ row: UInt64) -> [Key] {
        guard let kinds else { return [Key(prefix: prefix).u64(row)] }
        return kinds.sorted().map { Key(prefix: prefix).u64(row).u16($0) }
    }

    // MARK: Threads

    /// Returns whether the walk goes on.
    private func forEachOfThread(
        _ row: UInt64, _ state: HomeState, in transaction: borrowing ReadTransaction,
        _ body: (GraphNeighbor) throws -> Bool
    ) throws -> Bool {
        let hasNext = kinds?.contains(Self.next) ?? true
        let hasReply = kinds?.contains(Self.repliesTo) ?? true
        guard hasNext || hasReply, let head = try HeadRecord.read(row, in: transaction), head.series != 0
        else { return true }
        if let before = try Self.turn(before: head, in: transaction) {
            if hasNext, direction != .out {
                guard try body(Self.neighbor(before, Self.next, isOut: false)) else { return false }
            }
            if hasReply, direction != .into, try Self.asks(before, state, in: transaction) {
                guard try body(Self.neighbor(before, Self.repliesTo, isOut: true)) else { return false }
            }
        }
        if let after = try Self.turn(after: head, in: transaction) {
            if hasNext, direction != .into {
                guard try body(Self.neighbor(after, Self.next, isOut: true)) else { return false }
            }
            if hasReply, direction != .out, try Self.asks(row, state, in: transaction) {
                return try body(Self.neighbor(after, Self.repliesTo, isOut: false))
            }
        }
        return true
    }

    private static func neighbor(_ row: UInt64, _ kind: UInt16, isOut: Bool) -> GraphNeighbor {
        GraphNeighbor(row: row, kind: kind, weight: 1, isOut: isOut, source: .thread)
    }

    /// The memory before one in its thread; forgotten turns are passed over.
    static func turn(
        before head: HeadRecord, in transaction: borrowing ReadTransaction
    ) throws -> UInt64? {
        guard head.turn > 0 else { return nil }
        var found: UInt64?
        try Schema.shared.scanBackwards(
            prefix: Schema.Shared.memoryByTurn.key.u32(head.series),
            below: Schema.memoryByTurn(head.series, head.turn), in: transaction
        ) { _, value in
            guard value.byteCount == 8 else { throw StoreError(.corrupted, "the row of a turn is not one") }
            found = value.u64(at: 0)
            return false
        }
        return found
    }

    /// The memory after one in its thread; forgotten turns are passed over.
    static func turn(
        after head: HeadRecord, in transaction: borrowing ReadTransaction
    ) throws -> UInt64? {
        guard head.turn < .max else { return nil }
        var found: UInt64?
        try Schema.shared.scan(
            prefix: Schema.Shared.memoryByTurn.key.u32(head.series),
            from: Schema.memoryByTurn(head.series, head.turn + 1), in: transaction
        ) { _, value in
            guard value.byteCount == 8 else { throw StoreError(.corrupted, "the row of a turn is not one") }
            found = value.u64(at: 0)
            return false
        }
        return found
    }

    /// Whether a memory asks something, in the last passage of its newest version.
    private static func asks(
        _ row: UInt64, _ state: HomeState, in transaction: borrowing ReadTransaction
    ) throws -> Bool {
        guard let head = try HeadRecord.read(row, in: transaction), head.passageCount > 0 else {
            return false
        }
        let last = head.firstPassage + head.passageCount - 1
        return try PassageReader.row(last, state, in: transaction).flags.contains(.question)
    }
}
