import CLMDB
import Glibc

/// Throws what LMDB's `status` means, unless it is success.
func check(_ status: Int32, _ doing: @autoclosure () -> String) throws {
    guard status != 0 else { return }
    throw storeError(status, doing())
}

/// LMDB's status in our words.
func storeError(_ status: Int32, _ doing: String, path: String? = nil) -> StoreError {
    // Safe because LMDB's texts are constant, and the string copies them.
    let reason = unsafe String(cString: mdb_strerror(status))
    switch status {
    case MDB_MAP_FULL:
        return StoreError(
            .full, "\(doing): the home's quota is reached; raise it (`--quota`) and open the home again")
    case MDB_READERS_FULL:
        return StoreError(.tooManyReaders, "\(doing): too many snapshots are held at once")
    case MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_BAD_TXN, MDB_BAD_DBI:
        return StoreError(.corrupted, "\(doing): \(reason); run `loci check`, then restore a snapshot")
    case MDB_INVALID, MDB_VERSION_MISMATCH, MDB_INCOMPATIBLE:
        return StoreError(.foreign, "\(doing): the file is not a home of Loci (\(reason))")
    case MDB_BAD_VALSIZE: return StoreError(.invalid, "\(doing): \(reason)")
    case ENOSPC, EDQUOT:
        return StoreError(.diskFull, "\(doing): \(reason); free some space and try again")
    case EFBIG: return StoreError(.diskFull, "\(doing): \(fileLimit)")
    case EIO:
        // LMDB reports a short write, as on a full disk, as an input/output error.
        if let path, isDiskFull(near: path) {
            return StoreError(.diskFull, "\(doing): the disk is full; free some space and try again")
        }
        if let path, isAtSizeLimit(path) {
            return StoreError(.diskFull, "\(doing): \(fileLimit)")
        }
        return StoreError(.io, "\(doing): \(reason)")
    case EACCES, EROFS: return StoreError(.readOnly, "\(doing): \(reason)")
    case ENOENT: return StoreError(.missing, "\(doing): \(reason)")
    default: return StoreError(.io, "\(doing): \(reason)")
    }
}

private let fileLimit = "the limit on the size of a file (`ulimit -f`) is reached; raise it and try again"

/// Whether the file system of `path` has less than a megabyte left.
private func isDiskFull(near path: String) -> Bool {
    var status = statvfs()
    // Safe because the record outlives the call.
    guard unsafe statvfs(path, &status) == 0 else { return false }
    return UInt64(status.f_bavail) * UInt64(status.f_bsize) < 1 << 20
}

/// Whether the file at `path` is as long as this process may make files (`ulimit -f`).
private func isAtSizeLimit(_ path: String) -> Bool {
    var limit = rlimit()
    // Safe because the record outlives the call.
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { return false }
    return limit.rlim_cur != rlim_t.max && UInt64(fileSize(path) ?? 0) + 4_096 > UInt64(limit.rlim_cur)
}
