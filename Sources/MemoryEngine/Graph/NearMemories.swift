import HNSW
import Store

/// Neighbors that are stored nowhere: what is like a memory by its vectors or words, and what is of its session. They
/// are computed for each memory that a walk looks at, over its snapshot, and only where it asks for them; so nothing
/// has to be kept in step when memories come and go. Each memory has a bounded number of them.
struct NearMemories {
    let view: HomeView
    let indexes: VectorIndexes
    /// The passages of versions that hold for the walk.
    let eligible: PassageSet
    /// The least likeness that counts, by number of the space.
    let thresholds: [UInt16: Float]
    private let kinds: Set<UInt16>

    /// A neighbor, by row.
    struct Near: Equatable {
        var row: UInt64
        var weight: Float
    }

    private static let similarTo = EdgeKind.similarTo.builtInNumber ?? 0
    private static let nearDuplicate = EdgeKind.nearDuplicate.builtInNumber ?? 0
    private static let sameSession = EdgeKind.sameSession.builtInNumber ?? 0

    /// - Parameter followed: the kinds of the walk, by number. `nil` if none of them is computed.
    /// - Complexity: O(passages) for those that hold; for likeness by vectors, some milliseconds for each space.
    init?(
        _ followed: Set<UInt16>, _ query: GraphQuery, _ now: Timestamp, _ indexes: VectorIndexes,
        in transaction: borrowing ReadTransaction
    ) throws {
        kinds = followed.intersection(EdgeKind.asked.compactMap(\.builtInNumber))
        if kinds.isEmpty { return nil }
        let view = try HomeView(in: transaction)
        self.view = view
        self.indexes = indexes
        eligible = try FilterEvaluation(view: view).eligible(
            asOf: query.asOf, validAt: query.validAt ?? now, now: now, sessions: nil, filter: nil,
            in: transaction)
        var thresholds: [UInt16: Float] = [:]
        if kinds.contains(Self.similarTo) {
            for space in view.spaces where space.nextSlot > 0 {
                thresholds[space.number] = try Likeness.threshold(of: space, in: transaction)
            }
        }
        self.thresholds = thresholds
    }

    /// Likeness by the vectors of one space, among what is current.
    init(
        likeIn space: SpaceRecord, least: Float, notExpiredAt now: Timestamp, _ view: HomeView,
        _ indexes: VectorIndexes, in transaction: borrowing ReadTransaction
    ) throws {
        kinds = [Self.similarTo]
        self.view = view
        self.indexes = indexes
        let evaluation = FilterEvaluation(view: view)
        var eligible = try evaluation.newest(notExpiredAt: now, in: transaction)
        eligible.formIntersection(try evaluation.flagged(.current, in: transaction))
        self.eligible = eligible
        thresholds = [space.number: least]
    }

    /// Lends the computed neighbors of a row: the most alike first, then those of its session in the order of time.
    func forEachNeighbor(
        of row: UInt64, isOut: Bool, in transaction: borrowing ReadTransaction,
        _ body: (GraphNeighbor) throws -> Bool
    ) throws {
        for kind in kinds.sorted() {
            let found =
                switch kind {
                case Self.similarTo: try similar(to: row, in: transaction)
                case Self.nearDuplicate: try duplicates(of: row, in: transaction)
                default: try session(of: row, in: transaction)
                }
            for near in found {
                guard
                    try body(
                        GraphNeighbor(
                            row: near.row, kind: kind, weight: near.weight, isOut: isOut, source: .computed))
                else { return }
            }
        }
    }

    /// What an edge of a computed kind says.
    static func rule(of kind: UInt16) -> String? {
        switch kind {
        case similarTo: "is like it by a vector"
        case nearDuplicate: "has nearly the same words"
        case sameSession: "is of its session"
        default: nil
        }
    }

    /// The version of a memory that holds for the walk; the newest where none does. `nil` for what has no passages.
    func version(
        of row: UInt64, in transaction: borrowing ReadTransaction
    ) throws -> (number: UInt32, record: VersionRecord)? {
        guard let head = try HeadRecord.read(row, in: transaction) else { return nil }
        var newest: (UInt32, VersionRecord)?
        for number in (1...max(1, head.version)).reversed() {
            guard let record = try VersionRecord.read(row, number, in: transaction), record.passageCount > 0
            else { continue }
            if eligible.contains(record.firstPassage) { return (number, record) }
            if newest == nil { newest = (number, record) }
        }
        return newest
    }

    // MARK: Sessions

    /// The most of a session, the nearest in time.
    static let sessionCount = 64

    private func session(
        of row: UInt64, in transaction: borrowing ReadTransaction
    ) throws -> [Near] {
        guard let version = try version(of: row, in: transaction)?.record else { return [] }
        let own = try PassageReader.row(version.firstPassage, view.state, in: transaction)
        let (column, number) = own.session != 0 ? (Column.session, own.session) : (Column.thread, own.thread)
        guard number != 0 else { return [] }
        var passages: [UInt32] = []
        let folded = Int(view.state.foldedPassages)
        try view.forEachBlock(column, in: transaction) { first, bytes in
            for index in 0..<min(column.rowsPerBlock, folded - first)
            where bytes.u32(at: index * 4) == number && eligible.contains(UInt32(first + index)) {
                passages.append(UInt32(first + index))
            }
        }
        for entry in view.tail where eligible.contains(entry.passage) {
            let found = column == .session ? entry.front.row.session : entry.front.row.thread
            if found == number { passages.append(entry.passage) }
        }
        let rows = try view.values(.row, of: passages, in: transaction) { $0.row }
        let times = try view.values(.happenedFrom, of: passages, in: transaction) {
            UInt64(bitPattern: $0.happenedFrom)
        }
        var timeOfRow: [UInt64: Int64] = [:]
        for (other, time) in zip(rows, times) where other != row {
            timeOfRow[other] = Int64(bitPattern: time)
        }
        let nearest = timeOfRow.sorted { a, b in
            let (one, other) = (
                a.value.distanceInTime(to: own.happenedFrom), b.value.distanceInTime(to: own.happenedFrom)
            )
            return one != other ? one < other : a.key < b.key
        }.prefix(Self.sessionCount)
        return nearest.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map { Near(row: $0.key, weight: 1) }
    }
}

extension Int64 {
    /// How far two moments lie from each other; what is too far is as far as can be.
    fileprivate func distanceInTime(to other: Int64) -> UInt64 {
        self > other
            ? UInt64(bitPattern: self) &- UInt64(bitPattern: other)
            : UInt64(bitPattern: other) &- UInt64(bitPattern: self)
    }
}
