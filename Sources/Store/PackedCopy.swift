import CLMDB
import Glibc

extension Environment {
    /// Copies the file without its free pages, in the order of the tree. The home's last commit is what the copy
    /// holds. Nobody but its owner and their group can read the copy, like any file of a home.
    ///
    /// - Throws: `io` and `diskFull`; also where there is a file at `path`.
    /// - Complexity: O(pages in use).
    package func packedCopy(to path: String) throws {
        // Made here, because LMDB would make it readable for everybody.
        // Safe because the path is a string of Swift's.
        let file = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
        guard file >= 0 else {
            throw StoreError(.io, "cannot make \(path): \(unsafe String(cString: strerror(errno)))")
        }
        defer { Glibc.close(file) }
        try read { transaction in
            // Safe because the environment is open as long as the snapshot is held.
            let status = unsafe mdb_env_copyfd2(
                mdb_txn_env(transaction.handle), file, UInt32(MDB_CP_COMPACT))
            guard status == 0 else { throw storeError(status, "copying to \(path)", path: path) }
        }
        guard fsync(file) == 0 else {
            throw StoreError(.io, "cannot sync \(path): \(unsafe String(cString: strerror(errno)))")
        }
    }
}
