import Glibc

/// Lets a thread wait for something that another one brings about, without spinning.
@safe final class Condition: @unchecked Sendable {
    // Safe because both are made in `init`, used only through pthread's calls, and freed in `deinit`.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Returns when `isMet` does; it is asked again after each `signal`.
    func wait(until isMet: () -> Bool) {
        if isMet() { return }
        unsafe pthread_mutex_lock(mutex)
        while !isMet() { unsafe pthread_cond_wait(condition, mutex) }
        unsafe pthread_mutex_unlock(mutex)
    }

    func signal() {
        unsafe pthread_mutex_lock(mutex)
        unsafe pthread_cond_broadcast(condition)
        unsafe pthread_mutex_unlock(mutex)
    }
}
