import CLMDB

/// A snapshot of one home, lent to the closure of `Environment.read`, or seen from inside a write.
///
/// It is valid on the thread and for the time of that closure only; bytes that tables lend from it live
/// as long as it does.
@safe package struct ReadTransaction: ~Copyable {
    let handle: OpaquePointer
    let tables: TableHandles
    /// Whether this is what a write transaction sees: such bytes may lie outside the file's map, and move with
    /// the next put.
    package let isInsideWrite: Bool

    /// Names the map that the snapshot lies in, in this process: another one after the file was opened anew.
    package var map: UInt64 { tables.map }

    /// From then on it refuses to go on; `nil` = never.
    let deadline: ContinuousClock.Instant?

    /// - Throws: `snapshotTooOld` once the snapshot has been held too long.
    package func checkAge() throws {
        guard let deadline, ContinuousClock.now >= deadline else { return }
        throw StoreError(
            .snapshotTooOld,
            "a read has held its snapshot longer than the store's options allow; ask for less at once")
    }

    /// The number of the commit that this snapshot shows.
    package var commit: UInt64 {
        // Safe because the handle is valid for as long as this value is lent.
        unsafe UInt64(mdb_txn_id(handle))
    }
}

/// The one write transaction of a home, lent to a closure by `Environment.write` or by the writer.
@safe package struct WriteTransaction: ~Copyable {
    /// What the transaction sees: the last commit, and its own writes.
    package let snapshot: ReadTransaction
    let effects: Effects

    /// What has been done in a transaction so far. A class, because the transaction is lent out borrowed.
    final class Effects {
        var putCount = 0
        var byteCount = 0
    }

    /// How many puts and deletions were made so far; the writer drops a job that failed before its first.
    package var changeCount: Int { effects.putCount }
}
