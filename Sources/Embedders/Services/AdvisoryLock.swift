import Glibc
import MemoryEngine

/// A lock (`flock`) on a file or a folder, for changes that take milliseconds; programs that do not ask for it are not kept out.
package enum AdvisoryLock {
    private static let pause: UInt32 = 5_000

    /// Runs `body` while nobody else has the lock. The thread waits.
    ///
    /// - Parameter flags: of `open`.
    /// - Throws: `EngineError`: `locked` where others have it for longer than `patience`, `io`; what `body` throws.
    package static func hold<Result>(
        _ path: String, _ flags: Int32, within patience: Duration, _ body: () throws -> Result
    ) throws -> Result {
        // Safe because the path is a string of Swift's.
        let descriptor = unsafe open(path, flags | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failed(path, "opened") }
        defer {
            // A process that is just being begun has a copy of the descriptor, so that closing alone gives nothing back.
            _ = flock(descriptor, LOCK_UN)
            close(descriptor)
        }
        let end = ContinuousClock.now + patience
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EINTR || errno == EWOULDBLOCK else { throw failed(path, "locked") }
            guard ContinuousClock.now < end else {
                throw EngineError(
                    .locked, "another process holds a lock on \(path) for long: end it, and try again")
            }
            usleep(pause)
        }
        return try body()
    }

    private static func failed(_ path: String, _ what: String) -> EngineError {
        // Safe because the text is copied at once.
        EngineError(.io, "\(path) cannot be \(what): \(unsafe String(cString: strerror(errno)))")
    }
}
