import CLMDB
import Glibc

extension Environment {
    /// Writes zeros behind the last page where few are left there, so that the commits to come grow into blocks that
    /// the file system has given already.
    ///
    /// A sync of a file that has grown waits for the file system's own records besides its pages: with a page more in
    /// each commit it took 1.4 times as long (docs/decisions/0013-what-a-commit-writes.md). The room is an
    /// eighth of the file, from 16 KiB to 1 MiB, and is filled up when half of it is used. LMDB never reads behind its
    /// last page, so what lies there means nothing, and a copy of the file leaves it out.
    ///
    /// A failure is no error: the commit that finds no room says so itself. Call it from the writer's queue, when
    /// nobody waits for it.
    ///
    /// - Complexity: O(1); O(room) when it is filled up.
    func reserveRoom() {
        guard options.durability == .commit, let env = try? environmentForWriting().0 else { return }
        var information = unsafe MDB_envinfo()
        var pages = MDB_stat()
        var file: Int32 = -1
        var status = stat()
        // Safe because the environment is open while the writer's queue runs, and all outlive the calls.
        guard unsafe mdb_env_info(env.pointer, &information) == 0,
            unsafe mdb_env_stat(env.pointer, &pages) == 0,
            unsafe mdb_env_get_fd(env.pointer, &file) == 0, unsafe fstat(file, &status) == 0
        else { return }
        let pageByteCount = Int(pages.ms_psize)
        let used = unsafe (information.me_last_pgno + 1) * pageByteCount
        let room = min(max(used / 8, 16 << 10), 1 << 20) / pageByteCount * pageByteCount
        let end = unsafe min(used + room, information.me_mapsize)
        let size = max(Int(status.st_size), used)
        guard size - used < room / 2, size < end else { return }
        let zeros = [UInt8](repeating: 0, count: end - size)
        // Safe because the bytes outlive the call.
        _ = unsafe zeros.withUnsafeBytes { unsafe pwrite(file, $0.baseAddress, $0.count, off_t(size)) }
    }
}
