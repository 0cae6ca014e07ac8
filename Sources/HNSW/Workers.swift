import Dispatch

import struct Synchronization.Atomic

/// Threads that share a loop out among them, each with a scratch of its own.
struct Workers {
    let scratches: [Scratch]

    /// Calls `body` once for each index below `count`, on as many threads as there are scratches, in any order. What it
    /// writes for different indices must lie apart.
    ///
    /// Safe because `body` is called in here only, and has a scratch of its own in each thread.
    func forEach(_ count: Int, _ body: (Int, Scratch) -> Void) {
        guard scratches.count > 1, count > 1 else {
            for index in 0..<count { body(index, scratches[0]) }
            return
        }
        let next = Atomic<Int>(0)
        withoutActuallyEscaping(body) { body in
            nonisolated(unsafe) let body = body
            DispatchQueue.concurrentPerform(iterations: min(scratches.count, count)) { worker in
                while true {
                    let index = next.add(1, ordering: .relaxed).oldValue
                    guard index < count else { return }
                    unsafe body(index, scratches[worker])
                }
            }
        }
    }
}
