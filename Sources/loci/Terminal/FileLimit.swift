import Glibc

/// How many files a process may have open; connections are files too.
enum FileLimit {
    /// Raises it as far as is asked for and allowed, and gives what it is then.
    static func raise(to count: Int) -> Int {
        var limit = rlimit()
        // Safe because both calls read or write the value while they last, and keep nothing.
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return count }
        var raised = limit
        raised.rlim_cur = min(rlim_t(count), limit.rlim_max)
        guard raised.rlim_cur > limit.rlim_cur,
            unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0
        else { return Int(clamping: limit.rlim_cur) }
        return Int(clamping: raised.rlim_cur)
    }
}
