import Store

/// The column blocks of a snapshot: where they lie is found once for each column that is asked for.
///
/// Belongs to the one read that made it. Inside a write, where values move, every block is looked up.
final class ColumnBlocks {
    private let foldedPassages: Int
    private var directories: [ValueDirectory?] = []

    init(_ state: HomeState) { foldedPassages = Int(state.foldedPassages) }

    /// A block of a column; `nil` where it has no values yet.
    @_lifetime(borrow transaction)
    func block(
        _ column: Column, _ block: Int, in transaction: borrowing ReadTransaction
    ) throws -> RawSpan? {
        if transaction.isInsideWrite { return try Columns.block(column, block, in: transaction) }
        guard let bytes = try directory(column, in: transaction).value(block, in: transaction) else {
            return nil
        }
        return try Columns.checked(bytes, column)
    }

    /// Lends the blocks of a column one after another: the first passage of each, and its bytes.
    func forEachBlock(
        _ column: Column, in transaction: borrowing ReadTransaction, _ body: (Int, RawSpan) throws -> Void
    ) throws {
        guard !transaction.isInsideWrite else {
            return try Columns.forEachBlock(column, below: UInt32(foldedPassages), in: transaction, body)
        }
        let directory = try directory(column, in: transaction)
        for block in 0..<directory.endNumber {
            try transaction.checkAge()
            guard let bytes = try directory.value(block, in: transaction) else { continue }
            try body(block * column.rowsPerBlock, try Columns.checked(bytes, column))
        }
    }

    private func directory(
        _ column: Column, in transaction: borrowing ReadTransaction
    ) throws -> ValueDirectory {
        let place = Int(column.number)
        if place < directories.count, let directory = directories[place] {
            try transaction.checkAge()
            return directory
        }
        if directories.isEmpty { directories = [ValueDirectory?](repeating: nil, count: 256) }
        let count = (foldedPassages + column.rowsPerBlock - 1) / column.rowsPerBlock
        let directory = try ValueDirectory(
            Schema.passage, prefix: Key(prefix: Schema.Passage.column).u8(column.number), below: count,
            in: transaction)
        directories[place] = directory
        return directory
    }
}
