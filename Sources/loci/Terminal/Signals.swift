import Glibc

import struct Synchronization.Atomic

/// What signals do to a run: a crash says what to do next in one line, and the first SIGINT asks a long
/// run to end after what it is writing.
enum Signals {
    /// The exit status after a crash, `EX_SOFTWARE` of sysexits.h.
    static let crashStatus: Int32 = 70
    /// The exit status after SIGINT, as shells give it.
    static let interruptStatus: Int32 = 130

    /// For any verb: a file that is damaged inside can stop LMDB, which believes its pages.
    static func explainCrashes() {
        for number in [SIGSEGV, SIGBUS, SIGABRT] { install(number, crashed) }
    }

    /// A file that may not grow (`ulimit -f`) is an error of the write then, and not the end of the process.
    static func ignoreFileLimit() { _ = signal(SIGXFSZ, SIG_IGN) }

    /// From now on the first SIGINT sets `isInterrupted`, and the second ends the process at once.
    static func noticeInterrupts() {
        interrupted.store(false, ordering: .relaxed)
        install(SIGINT) { _ in
            if interrupted.exchange(true, ordering: .relaxed) { _exit(Signals.interruptStatus) }
        }
    }

    /// Whether SIGINT has come.
    static var isInterrupted: Bool { interrupted.load(ordering: .relaxed) }

    private static func install(_ number: Int32, _ handler: @escaping @convention(c) (Int32) -> Void) {
        // The handlers call only what signal-safety(7) allows.
        _ = signal(number, handler)
    }
}

/// Set by the handler of SIGINT.
private let interrupted = Atomic<Bool>(false)

/// Says in one line what happened, and ends the process. It allocates nothing and takes no lock.
private func crashed(_ number: Int32) {
    let message: StaticString =
        "loci: stopped by a crash; if a file of the store is damaged, `loci check` names it\n"
    // Safe because the bytes are part of the program, and as many as it says; write(2) keeps none of them.
    _ = unsafe write(2, message.utf8Start, message.utf8CodeUnitCount)
    _exit(Signals.crashStatus)
}
