import ArgumentParser
import CLMDB

/// The peer of durable writes: LMDB with nothing around it, one small put in each commit, synced.
///
/// Safe because the environment is used by one thread at a time and outlives its transactions, and LMDB copies
/// keys and values during the put.
@safe final class BareLMDB {
    private var environment: OpaquePointer?
    private var table: MDB_dbi = 0
    private var next: UInt64 = 0

    init(path: String) throws {
        try unsafe Self.check(mdb_env_create(&environment))
        try unsafe Self.check(mdb_env_set_mapsize(environment, 64 << 30))
        let flags = UInt32(MDB_NOSUBDIR) | UInt32(MDB_NOTLS) | UInt32(MDB_NORDAHEAD)
        try unsafe Self.check(mdb_env_open(environment, path, flags, 0o640))
        var transaction: OpaquePointer?
        try unsafe Self.check(mdb_txn_begin(environment, nil, 0, &transaction))
        try unsafe Self.check(mdb_dbi_open(transaction, nil, 0, &table))
        try unsafe Self.check(mdb_txn_commit(transaction))
    }

    deinit { unsafe mdb_env_close(environment) }

    /// Puts values under ascending keys, in one commit.
    func put(_ values: [[UInt8]]) throws {
        var transaction: OpaquePointer?
        try unsafe Self.check(mdb_txn_begin(environment, nil, 0, &transaction))
        for bytes in values {
            next += 1
            let status = unsafe withUnsafeBytes(of: next.bigEndian) { key in
                unsafe bytes.withUnsafeBytes { value in
                    var mdbKey = unsafe MDB_val(
                        mv_size: key.count, mv_data: UnsafeMutableRawPointer(mutating: key.baseAddress))
                    var mdbValue = unsafe MDB_val(
                        mv_size: value.count, mv_data: UnsafeMutableRawPointer(mutating: value.baseAddress))
                    return unsafe mdb_put(transaction, table, &mdbKey, &mdbValue, 0)
                }
            }
            try Self.check(status)
        }
        try unsafe Self.check(mdb_txn_commit(transaction))
    }

    private static func check(_ status: Int32) throws {
        guard status == 0 else {
            throw ValidationError("LMDB: \(unsafe String(cString: mdb_strerror(status)))")
        }
    }
}
