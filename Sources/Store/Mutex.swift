import Glibc

/// A value that one thread at a time may read or change.
///
/// It has the shape of `Synchronization.Mutex`, but is made of a `pthread_mutex_t`. ThreadSanitizer knows
/// pthread's locks and not that one's futex, so it would take every access under it for a race, and nobody
/// would see the real ones among them. `TidyTests` keeps the other one out.
///
/// State under a mutex is small, and nobody else's code runs while it is held.
@usableFromInline @safe package final class Mutex<Value>: @unchecked Sendable {
    // Safe because the value is touched only between locking and unlocking, and enters and leaves only as
    // `sending` allows: nobody else has a reference into it.
    @usableFromInline nonisolated(unsafe) var value: Value
    @usableFromInline let lock = MutexLock()

    @inlinable package init(_ value: sending Value) { unsafe self.value = value }

    /// Lends the value to `body`, when no other thread has it.
    ///
    /// - Precondition: this thread does not hold it already.
    @inlinable package func withLock<Result, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        lock.lock()
        defer { lock.unlock() }
        return unsafe try body(&value)
    }
}

/// The lock of a `Mutex`.
@usableFromInline @safe final class MutexLock: Sendable {
    // Safe because it is made in `init`, used only through pthread's calls, which any thread may make, and
    // freed in `deinit`, when nobody can hold it. It has memory of its own, because a lock may not move.
    private nonisolated(unsafe) let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    @usableFromInline init() {
        var attributes = pthread_mutexattr_t()
        unsafe pthread_mutexattr_init(&attributes)
        // A thread that locks twice gets an error, where a plain lock would let it wait for itself for ever.
        unsafe pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_ERRORCHECK))
        let status = unsafe pthread_mutex_init(mutex, &attributes)
        precondition(status == 0, "making a mutex gave error \(status)")
        unsafe pthread_mutexattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    @usableFromInline func lock() {
        let status = unsafe pthread_mutex_lock(mutex)
        precondition(status == 0, "locking a mutex gave error \(status); does this thread hold it already?")
    }

    @usableFromInline func unlock() {
        let status = unsafe pthread_mutex_unlock(mutex)
        precondition(status == 0, "unlocking a mutex gave error \(status)")
    }
}
