import MemoryEngine
import NIOCore

/// Runs a task on the thread of an event loop. What goes on at once is run at once, with no look at the sockets between.
final class LoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop
    private let state = Mutex(State())

    private struct State {
        /// Most often none or one.
        var jobs: [UnownedJob] = []
        /// Somebody is running jobs, or will be.
        var isRunning = false
    }

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isRunning = state.withLock { state in
            state.jobs.append(job)
            defer { state.isRunning = true }
            return state.isRunning
        }
        if !isRunning { eventLoop.execute { self.run() } }
    }

    private func run() {
        while let job = next() {
            // Safe because a job that was enqueued is run once, and here is where.
            unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }

    private func next() -> UnownedJob? {
        state.withLock { state in
            if state.jobs.isEmpty {
                state.isRunning = false
                return nil
            }
            return state.jobs.removeFirst()
        }
    }
}
