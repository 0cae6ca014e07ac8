import HNSW
import Store

/// Reads what is known of a passage, wherever it stands: in the tail, or in columns.
enum PassageReader {
    static func row(
        _ passage: UInt32, _ state: HomeState, in transaction: borrowing ReadTransaction
    ) throws -> PassageRow {
        guard passage >= state.foldedPassages else { return try Columns.row(passage, in: transaction) }
        guard let value = try Schema.passage.get(Schema.tail(passage), in: transaction),
            value.byteCount >= PassageRow.byteCount
        else { throw StoreError(.corrupted, "passage \(passage) is not in the tail") }
        return PassageRow(value)
    }

    /// The row and the version that a passage belongs to; `nil` if it was forgotten.
    static func version(
        of passage: UInt32, _ state: HomeState, in transaction: borrowing ReadTransaction
    ) throws -> (row: UInt64, version: UInt32)? {
        if passage >= state.foldedPassages {
            guard let value = try Schema.passage.get(Schema.tail(passage), in: transaction) else {
                return nil
            }
            guard value.byteCount >= PassageRow.byteCount else {
                throw StoreError(.corrupted, "a record of the tail has only \(value.byteCount) bytes")
            }
            let row = PassageRow(value)
            return (row.row, row.version)
        }
        guard let row = try Columns.u64(.row, passage, in: transaction),
            let version = try Columns.u32(.version, passage, in: transaction)
        else { throw StoreError(.corrupted, "a column has no block for passage \(passage)") }
        // Rows count from 1, and an erased passage has none.
        return row == 0 ? nil : (row, version)
    }

    /// The slot of a passage in a space; `nil` if it has no vector there.
    static func slot(
        _ passage: UInt32, _ space: UInt16, _ state: HomeState, in transaction: borrowing ReadTransaction
    ) throws -> UInt32? {
        if passage >= state.foldedPassages {
            return try TailRecord.read(passage, in: transaction)?.slots.first { $0.space == space }?.slot
        }
        guard let slot = try Columns.u32(.slot(space), passage, in: transaction), slot != .max else {
            return nil
        }
        return slot
    }

    /// The vectors of consecutive passages in all spaces; parts count from the first.
    static func vectors(
        _ passages: Range<UInt32>, _ state: HomeState, _ spaces: [SpaceRecord],
        in transaction: borrowing ReadTransaction
    ) throws -> [Mutation.NewVector] {
        var vectors: [Mutation.NewVector] = []
        for passage in passages {
            for space in spaces {
                guard let slot = try slot(passage, space.number, state, in: transaction) else { continue }
                let (owner, vector) = try space.segments.row(slot, space.extent, in: transaction)
                guard owner == passage else {
                    throw StoreError(
                        .corrupted, "slot \(slot) of \(space.space.name) belongs to passage \(owner)")
                }
                vectors.append(
                    Mutation.NewVector(
                        space: space.space, part: passage - passages.lowerBound, vector: vector))
            }
        }
        return vectors
    }
}
