import Dispatch
import Foundation
import Glibc
import Store

/// The one thread of a process on which indexers read and compute, niced, so that callers go before it. Their writes
/// go through the writer of the home.
final class BackgroundThread: Sendable {
    static let shared = BackgroundThread()

    private let jobs = Mutex<[@Sendable () -> Void]>([])
    private let isWaiting = DispatchSemaphore(value: 0)

    /// How nice it is: a caller's thread gets about nine times its share of a core.
    private static let niceness: Int32 = 10

    private init() {
        let thread = Thread { [isWaiting, jobs] in
            // 0 is the calling thread, on Linux. If it is refused, the thread is as nice as others.
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness)
            while true {
                isWaiting.wait()
                let job = jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                job?()
            }
        }
        thread.name = "loci.indexer"
        thread.start()
    }

    /// Runs `body` after what was handed in before.
    func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            jobs.withLock { jobs in
                jobs.append { continuation.resume(with: Swift.Result { try body() }) }
            }
            isWaiting.signal()
        }
    }
}
