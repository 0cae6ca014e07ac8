import HNSW
import Store

/// What a read knows of a home before it looks for anything: counters, spaces, and the tail, decoded once.
struct HomeView {
    /// What outlives the snapshot.
    let known: Known
    /// Sets that others may have made of the same snapshot.
    let kept: KeptSets?
    private let columns: ColumnBlocks

    var state: HomeState { known.state }
    var spaces: [SpaceRecord] { known.spaces }
    var tail: [TailEntry] { known.tail }
    /// For each term asked for, its frequency in each entry of the tail.
    var tailFrequencies: [[UInt8]] { known.tailFrequencies }

    struct Known: Sendable {
        fileprivate(set) var state: HomeState
        fileprivate(set) var spaces: [SpaceRecord]
        fileprivate(set) var tail: [TailEntry] = []
        fileprivate(set) var tailFrequencies: [[UInt8]] = []
    }

    struct TailEntry: Sendable {
        let passage: UInt32
        let front: TailRecord.Front
    }

    /// More terms are not looked up one by one in each entry of the tail, but its terms among them.
    private static let fewTerms = 24

    /// Terms by their hash, with bits that tell most others apart at once.
    private struct ManyTerms {
        var indices: [UInt32: [Int]] = [:]
        private var bits = [UInt64](repeating: 0, count: 64)

        init(_ hashes: [UInt32]) {
            for (index, hash) in hashes.enumerated() {
                indices[hash, default: []].append(index)
                bits[Int(hash >> 6 & 63)] |= 1 << UInt64(hash & 63)
            }
        }

        func mayHold(_ hash: UInt32) -> Bool { bits[Int(hash >> 6 & 63)] >> UInt64(hash & 63) & 1 == 1 }
    }

    /// - Parameter words: terms of words whose frequencies in the tail are wanted.
    init(
        words: [[UInt8]] = [], prefixes: [[UInt8]] = [], kept: KeptSets? = nil,
        in transaction: borrowing ReadTransaction
    ) throws {
        self.kept = kept
        let state = try HomeState.read(in: transaction)
        columns = ColumnBlocks(state)
        var known = Known(state: state, spaces: try SpaceRecord.open(in: transaction))
        let hashes = words.map { TermHash.hash($0) }
        let many = words.count > Self.fewTerms ? ManyTerms(hashes) : nil
        var frequencies = [[UInt8]](repeating: [], count: words.count + prefixes.count)
        var entries: [TailEntry] = []
        try TailRecord.forEach(in: transaction, from: state.foldedPassages) { passage, front, bytes in
            entries.append(TailEntry(passage: passage, front: front))
            if words.isEmpty, prefixes.isEmpty { return }
            let view = try TermListView(checking: bytes)
            if let many {
                for index in words.indices { frequencies[index].append(0) }
                let place = entries.count - 1
                view.forEach(in: bytes) { hash, term, frequency in
                    guard many.mayHold(hash) else { return }
                    for index in many.indices[hash] ?? [] where term.isEqual(to: words[index]) {
                        frequencies[index][place] = frequency
                    }
                }
            } else {
                for index in words.indices {
                    frequencies[index].append(
                        view.frequency(ofHash: hashes[index], bytes: words[index], in: bytes))
                }
            }
            guard !prefixes.isEmpty else { return }
            var best = [UInt8](repeating: 0, count: prefixes.count)
            view.forEach(in: bytes) { _, term, frequency in
                for (index, prefix) in prefixes.enumerated() where term.begins(with: prefix) {
                    best[index] = max(best[index], frequency)
                }
            }
            for index in prefixes.indices { frequencies[words.count + index].append(best[index]) }
        }
        known.tail = entries
        known.tailFrequencies = frequencies
        self.known = known
    }

    /// With what the tail has of the words of a question.
    init(
        _ words: WordQuery, kept: KeptSets? = nil, in transaction: borrowing ReadTransaction
    ) throws {
        try self.init(
            words: words.words.map(\.term), prefixes: words.prefixes, kept: kept, in: transaction)
    }

    /// The home in a later snapshot; `nil` where it has changed since.
    init?(
        unchanged known: Known, kept: KeptSets? = nil, in transaction: borrowing ReadTransaction
    ) throws {
        guard try HomeState.read(in: transaction) == known.state,
            try SpaceRecord.open(in: transaction) == known.spaces
        else { return nil }
        self.known = known
        self.kept = kept
        columns = ColumnBlocks(known.state)
    }

    /// How many passages there are, forgotten ones included.
    var capacity: Int { Int(state.nextPassage) }

    /// Whether some passages are not of current versions.
    var hasClosed: Bool { state.currentPassages != UInt64(capacity) }

    /// The row of a passage; from the decoded tail where it is there.
    func row(_ passage: UInt32, in transaction: borrowing ReadTransaction) throws -> PassageRow {
        if passage < state.foldedPassages { return try foldedRow(passage, in: transaction) }
        guard let entry = tailEntry(passage) else { return .erased }
        return entry.front.row
    }

    private func foldedRow(
        _ passage: UInt32, in transaction: borrowing ReadTransaction
    ) throws -> PassageRow {
        var bytes = [UInt8](repeating: 0, count: PassageRow.byteCount)
        for column in Column.all {
            let (block, index) = Int(passage).quotientAndRemainder(dividingBy: column.rowsPerBlock)
            let values = try presentBlock(column, block, in: transaction)
            for byte in 0..<column.width {
                bytes[column.offset + byte] = values.u8(at: index * column.width + byte)
            }
        }
        // Safe because bytes have no padding.
        return unsafe PassageRow(bytes.span.bytes)
    }

    /// A block of a column that all folded passages have.
    @_lifetime(borrow transaction)
    func presentBlock(
        _ column: Column, _ block: Int, in transaction: borrowing ReadTransaction
    ) throws -> RawSpan {
        guard let bytes = try columns.block(column, block, in: transaction) else {
            throw StoreError(.corrupted, "column \(column.number) has no block \(block)")
        }
        return bytes
    }

    /// A block of a column; `nil` where it has no values yet.
    @_lifetime(borrow transaction)
    func block(
        _ column: Column, _ block: Int, in transaction: borrowing ReadTransaction
    ) throws -> RawSpan? { try columns.block(column, block, in: transaction) }

    /// Lends the blocks of a column one after another: the first passage of each, and its bytes.
    func forEachBlock(
        _ column: Column, in transaction: borrowing ReadTransaction, _ body: (Int, RawSpan) throws -> Void
    ) throws {
        try columns.forEachBlock(column, in: transaction, body)
    }

    /// One column of several passages. A block is read once for passages that follow each other in it.
    ///
    /// - Parameters:
    ///   - passages: best in ascending order; each is below `capacity`.
    ///   - tail: gives the column of a passage that is not folded yet.
    func values(
        _ column: Column, of passages: [UInt32], in transaction: borrowing ReadTransaction,
        tail: (PassageRow) -> UInt64
    ) throws -> [UInt64] {
        var values: [UInt64] = []
        values.reserveCapacity(passages.count)
        while values.count < passages.count {
            let passage = passages[values.count]
            guard passage < state.foldedPassages else {
                values.append(tail(tailEntry(passage)?.front.row ?? .erased))
                continue
            }
            let block = Int(passage) / column.rowsPerBlock
            let bytes = try presentBlock(column, block, in: transaction)
            while values.count < passages.count {
                let passage = passages[values.count]
                let (place, index) = Int(passage).quotientAndRemainder(dividingBy: column.rowsPerBlock)
                guard passage < state.foldedPassages, place == block else { break }
                switch column.width {
                case 1: values.append(UInt64(bytes.u8(at: index)))
                case 4: values.append(UInt64(bytes.u32(at: index * 4)))
                default: values.append(bytes.u64(at: index * 8))
                }
            }
        }
        return values
    }

    /// The slots of passages in a space; `max` = none. A block is read once for passages that follow each other in it.
    func slots(
        _ space: UInt16, of passages: [UInt32], in transaction: borrowing ReadTransaction
    ) throws -> [UInt32] {
        var slots: [UInt32] = []
        slots.reserveCapacity(passages.count)
        let column = Column.slot(space)
        while slots.count < passages.count {
            let passage = passages[slots.count]
            guard passage < state.foldedPassages else {
                slots.append(tailEntry(passage)?.front.slots.first { $0.space == space }?.slot ?? .max)
                continue
            }
            let block = Int(passage) / column.rowsPerBlock
            guard let bytes = try columns.block(column, block, in: transaction) else {
                // No passage of the block has a vector.
                slots.append(.max)
                continue
            }
            while slots.count < passages.count {
                let (place, index) = Int(passages[slots.count]).quotientAndRemainder(
                    dividingBy: column.rowsPerBlock)
                guard passages[slots.count] < state.foldedPassages, place == block else { break }
                slots.append(bytes.u32(at: index * 4))
            }
        }
        return slots
    }

    /// A four-byte column or the flags of a passage, without the rest of its row.
    func flags(_ passage: UInt32, in transaction: borrowing ReadTransaction) throws -> PassageRow.Flags {
        if passage >= state.foldedPassages { return tailEntry(passage)?.front.row.flags ?? .erased }
        let column = Column.flags
        let (block, index) = Int(passage).quotientAndRemainder(dividingBy: column.rowsPerBlock)
        let bytes = try presentBlock(column, block, in: transaction)
        return PassageRow.Flags(rawValue: bytes.u8(at: index))
    }

    func previous(_ passage: UInt32, in transaction: borrowing ReadTransaction) throws -> UInt32 {
        if passage >= state.foldedPassages {
            return tailEntry(passage)?.front.row.previous ?? PassageRow.none
        }
        let column = Column.previous
        let (block, index) = Int(passage).quotientAndRemainder(dividingBy: column.rowsPerBlock)
        return try presentBlock(column, block, in: transaction).u32(at: index * 4)
    }

    private func tailEntry(_ passage: UInt32) -> TailEntry? {
        let tail = known.tail
        var low = 0
        var high = tail.count
        while low < high {
            let middle = (low + high) / 2
            if tail[middle].passage < passage { low = middle + 1 } else { high = middle }
        }
        return low < tail.count && tail[low].passage == passage ? tail[low] : nil
    }
}

extension Span<UInt8> {
    /// A copy of the bytes.
    var array: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for index in indices { bytes.append(self[index]) }
        return bytes
    }

    func isEqual(to other: [UInt8]) -> Bool { count == other.count && begins(with: other) }

    func begins(with prefix: [UInt8]) -> Bool {
        guard count >= prefix.count else { return false }
        for index in prefix.indices where self[index] != prefix[index] { return false }
        return true
    }
}
