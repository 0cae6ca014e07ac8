import CLMDB

extension Environment {
    package struct Information: Sendable {
        package let mapSizeBytes: Int
        package let pageByteCount: Int
        package let lastPage: Int
        package let lastCommit: UInt64
        package let readerCount: Int
        package let freePageCount: Int
    }

    /// Size, readers and free pages.
    ///
    /// - Complexity: O(entries of the free list).
    package func information() throws -> Information {
        try read { transaction in
            let env = unsafe mdb_txn_env(transaction.handle)
            var info = unsafe MDB_envinfo()
            var stat = MDB_stat()
            try unsafe check(mdb_env_info(env, &info), "measuring \(path)")
            try unsafe check(mdb_env_stat(env, &stat), "measuring \(path)")
            return unsafe Information(
                mapSizeBytes: info.me_mapsize, pageByteCount: Int(stat.ms_psize), lastPage: info.me_last_pgno,
                lastCommit: UInt64(info.me_last_txnid), readerCount: Int(info.me_numreaders),
                freePageCount: try freePageCount(transaction))
        }
    }

    private func freePageCount(_ transaction: borrowing ReadTransaction) throws -> Int {
        // LMDB keeps its free list in table 0: transaction → count and page numbers.
        var cursor: OpaquePointer?
        try unsafe check(mdb_cursor_open(transaction.handle, 0, &cursor), "reading the free list")
        defer { unsafe mdb_cursor_close(cursor) }
        var key = unsafe MDB_val()
        var value = unsafe MDB_val()
        var count = 0
        while unsafe mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0 {
            // Safe because a record of the free list begins with its count.
            count += unsafe value.mv_data.loadUnaligned(as: Int.self)
        }
        return count
    }
}
