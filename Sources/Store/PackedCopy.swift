import CLMDB
import Glibc

extension Environment {
    /// Copies the file without its free pages, in the order of the tree. The home's last commit is what the copy
    /// holds.
    ///
    /// - Throws: `io` and `diskFull`; also where there is a file at `path`.
    /// - Complexity: O(pages in use).
    package func packedCopy(to path: String) throws {
        try read { transaction in
            // Safe because the environment is open as long as the snapshot is held, and LMDB copies the path.
            let status = unsafe mdb_env_copy2(mdb_txn_env(transaction.handle), path, UInt32(MDB_CP_COMPACT))
            guard status == 0 else { throw storeError(status, "copying to \(path)", path: path) }
        }
        // Safe because the path is a string of Swift's.
        let file = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw StoreError(.io, "cannot open \(path)") }
        defer { Glibc.close(file) }
        guard fsync(file) == 0 else {
            throw StoreError(.io, "cannot sync \(path): \(unsafe String(cString: strerror(errno)))")
        }
    }
}
