import Glibc

/// A file with a text, locked for as long as this is kept or the process lives: the text says who holds it.
package final class HeldFile: Sendable {
    private let file: Int32

    private init(file: Int32) { self.file = file }

    /// Takes the file at a path, which is made if it is not there; `nil` while another holds it.
    ///
    /// - Throws: `io`.
    package static func take(_ path: String) throws -> HeldFile? {
        // Safe because the path is a string of Swift's, and texts of errors are copied at once.
        let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard file >= 0 else {
            throw StoreError(.io, "cannot open \(path): \(unsafe String(cString: strerror(errno)))")
        }
        if FileLock.take(F_WRLCK, file, at: 0) { return HeldFile(file: file) }
        let reason = errno
        close(file)
        guard FileLock.isRefusal(reason) else {
            throw StoreError(.io, "cannot lock \(path): \(unsafe String(cString: strerror(reason)))")
        }
        return nil
    }

    /// The text of the file at a path, if somebody holds it.
    package static func text(ofHeld path: String) -> String? {
        // Safe because the path is a string of Swift's, and the buffer outlives the call that fills it.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        guard FileLock.conflict(file, at: 0) != F_UNLCK else { return nil }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe pread(file, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    /// Replaces the text. It is for people, so one that cannot be written is left out.
    package func write(_ text: String) {
        let bytes = Array(text.utf8)
        // Safe because the bytes outlive the call.
        if unsafe pwrite(file, bytes, bytes.count, 0) == bytes.count {
            _ = ftruncate(file, off_t(bytes.count))
        }
    }

    deinit {
        // The file stays, so that all agree on one.
        _ = ftruncate(file, 0)
        FileLock.release(file)
        close(file)
    }
}

/// Locks on bytes of files (`F_OFD_SETLK`): one belongs to its descriptor alone, so closing another one on the file does not
/// drop it.
enum FileLock {
    private static let get: Int32 = 36
    private static let set: Int32 = 37

    /// Takes the lock on a byte of an open file; false with `errno` where that fails.
    static func take(_ type: Int32, _ file: Int32, at offset: Int64) -> Bool {
        var request = request(type, offset)
        // Safe because the request outlives the call.
        return unsafe fcntl(file, set, &request) == 0
    }

    /// Gives back all locks of an open file. Closing does that only when no copy of the descriptor is left, as a process that is
    /// just being begun has.
    static func release(_ file: Int32) {
        var request = request(F_UNLCK, 0)
        request.l_len = 0
        // Safe because the request outlives the call.
        _ = unsafe fcntl(file, set, &request)
    }

    /// The lock of others that would refuse one to write; `F_UNLCK` = none.
    static func conflict(_ file: Int32, at offset: Int64) -> Int32 {
        var request = request(F_WRLCK, offset)
        // Safe because the request outlives the call.
        guard unsafe fcntl(file, get, &request) == 0 else { return F_UNLCK }
        return Int32(request.l_type)
    }

    private static func request(_ type: Int32, _ offset: Int64) -> flock {
        var request = flock()
        request.l_type = Int16(type)
        request.l_whence = Int16(SEEK_SET)
        request.l_start = off_t(offset)
        request.l_len = 1
        return request
    }

    /// Whether an error of `take` says that another has the lock.
    static func isRefusal(_ reason: Int32) -> Bool { reason == EAGAIN || reason == EACCES || reason == EINTR }
}
