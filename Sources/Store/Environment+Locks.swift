import Glibc

extension Environment {
    /// Makes room on the disk for the file of locks, which LMDB maps: where there is none, the first write to it would end the
    /// process.
    ///
    /// - Throws: `StoreError`: `diskFull`.
    static func reserveLocks(_ path: String, readers: Int) throws {
        var status = stat()
        // Safe because the record outlives the call.
        let size = unsafe stat(path, &status) == 0 ? Int(status.st_size) : 0
        // LMDB's records of 64 bytes: one for each reader, and a head of two.
        let wanted = max(size, (readers + 2) * 64)
        // Opened only if need be: closing a file gives up the locks that this process has on it.
        if Int(status.st_blocks) * 512 >= wanted { return }
        // Safe because the path is a string of Swift's.
        let file = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        // LMDB says why it cannot be opened.
        guard file >= 0 else { return }
        defer { Glibc.close(file) }
        // Where the file system does not know that, LMDB makes the file as it would.
        let failure = posix_fallocate(file, 0, off_t(wanted))
        if failure == ENOSPC || failure == EDQUOT {
            throw storeError(failure, "making the locks of \(path)")
        }
    }
}
