import CLMDB

import struct Synchronization.Atomic

/// Where the payload of a value lies in the map of the file.
///
/// It may be read while a snapshot is held that has the value there, and no longer. Which snapshots do,
/// depends on `isStable`:
///
/// - A *stable* value has pages of its own (LMDB's overflow pages: a value of more than about half a page).
///   LMDB writes it anew, elsewhere, when its key is put or removed, and never moves it otherwise. So every
///   snapshot that sees the same put of the key sees it at the same address, and as LMDB uses a page again
///   only when no snapshot needs it, the bytes are there as long as any of them is held.
/// - Another value lies in a leaf among others, and moves whenever one of them is changed: its address holds
///   for the snapshot that gave it alone.
@unsafe package struct ValueAddress {
    package let payload: UnsafeRawBufferPointer
    package let isStable: Bool
}

extension Table {
    /// Lends the address of every value whose key begins with `prefix`, from `start` on (or from the first),
    /// in the order of keys, until `body` returns false. Payloads are not verified, and not read.
    ///
    /// - Complexity: O(log n) plus the entries visited, some 20 ns each.
    package func forEachAddress(
        prefix: Key, from start: Key? = nil, in transaction: borrowing ReadTransaction,
        _ body: (RawSpan, ValueAddress) throws -> Bool
    ) throws {
        let page = try pageByteCount(in: transaction)
        try withCursor(in: transaction) { cursor in
            var isThere = try cursor.seek(start ?? prefix)
            while isThere {
                guard cursor.key.hasPrefix(prefix.bytes) else { return }
                // Safe because the caller reads it no longer than `ValueAddress` allows.
                let address = unsafe cursor.address(pageByteCount: page)
                guard unsafe try body(cursor.key, address) else { return }
                isThere = try cursor.next()
            }
        }
    }

    private func pageByteCount(in transaction: borrowing ReadTransaction) throws -> Int {
        var stat = MDB_stat()
        // Safe because both outlive the call.
        try unsafe check(
            mdb_stat(transaction.handle, transaction.tables[index], &stat), "measuring table `\(name)`")
        return Int(stat.ms_psize)
    }
}

extension Cursor {
    /// The place of the payload that the cursor is on.
    fileprivate borrowing func address(pageByteCount: Int) -> ValueAddress {
        // Safe because the pointer is only handed on, with the rule that `ValueAddress` states.
        unsafe unverifiedValue.withUnsafeBytes { payload in
            let start = Int(bitPattern: payload.baseAddress) - Table.checksumByteCount
            // An overflow value begins right behind the header of its first page. In a leaf that is where the
            // offsets of its nodes are, so no value begins there.
            let isStable = start & (pageByteCount - 1) == 16
            return unsafe ValueAddress(payload: payload, isStable: isStable)
        }
    }
}

/// Numbers of the maps that this process has opened.
enum MapNumber {
    private static let last = Atomic<UInt64>(0)

    /// One that was not given before.
    static func next() -> UInt64 { last.add(1, ordering: .relaxed).newValue }
}
