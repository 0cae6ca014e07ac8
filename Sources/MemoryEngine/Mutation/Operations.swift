import Store

/// Which operations a home has applied lately: at least the last `Applier.operationCount` of them.
///
/// Ids are random, so that an index by id would have every commit write a page of its own somewhere in the file.
/// The change log has each commit's id already. Once it holds a block's worth, they are gathered into one page,
/// sorted; looking for an id reads the pages and what is younger than the last of them.
enum Operations {
    /// Ids in a block: what fits into one page.
    static let idsPerBlock: UInt64 = 254
    /// Blocks that are kept; with the ids of the block under way they are never fewer than `operationCount`.
    static let blockCount = (Applier.operationCount + idsPerBlock - 1) / idsPerBlock

    static func key(ofBlock block: UInt64) -> Key { Schema.Shared.operation.key.u64(block) }

    /// Whether the operation has been applied.
    ///
    /// - Complexity: O(`idsPerBlock` + `blockCount` log `idsPerBlock`), some 100 µs when all blocks are there.
    static func contains(
        _ operation: UInt128, before sequence: UInt64, in transaction: borrowing ReadTransaction
    ) throws -> Bool {
        let young = sequence / idsPerBlock * idsPerBlock
        if try ChangeLog.operations(after: young, upTo: sequence, in: transaction).contains(operation) {
            return true
        }
        var isThere = false
        try Schema.shared.scan(prefix: Schema.Shared.operation.key, in: transaction) { key, value in
            guard key.byteCount == 9, value.byteCount.isMultiple(of: 16) else {
                throw StoreError(.corrupted, "a block of operation ids is not one")
            }
            isThere = Self.contains(operation, value)
            return !isThere
        }
        return isThere
    }

    /// To be called when the change log has the commit: writes a block if it completes one, and removes the one
    /// that has grown too old.
    static func append(_ sequence: UInt64, in transaction: borrowing WriteTransaction) throws {
        guard sequence.isMultiple(of: idsPerBlock) else { return }
        let block = sequence / idsPerBlock
        let ids = try ChangeLog.operations(
            after: sequence - idsPerBlock, upTo: sequence, in: transaction.snapshot)
        var writer = ByteWriter(capacity: ids.count * 16)
        for id in ids.sorted() { writer.u128(id) }
        try Schema.shared.put(key(ofBlock: block), writer.bytes, in: transaction)
        if block > blockCount {
            try Schema.shared.remove(key(ofBlock: block - blockCount), in: transaction)
        }
    }

    /// Whether a sorted block has the id.
    private static func contains(_ operation: UInt128, _ block: RawSpan) -> Bool {
        var low = 0
        var high = block.byteCount / 16
        while low < high {
            let middle = (low + high) / 2
            let id = UInt128(block.u64(at: middle * 16 + 8)) << 64 | UInt128(block.u64(at: middle * 16))
            if id == operation { return true }
            if id < operation { low = middle + 1 } else { high = middle }
        }
        return false
    }
}
