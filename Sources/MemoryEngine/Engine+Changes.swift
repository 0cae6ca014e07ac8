import Store

extension Engine {
    /// The changes of a home above a commit, in their order. The stream waits for new ones, unless `upToNow`.
    ///
    /// It can be taken up again after any change with its `sequence`; changes of one commit share it, so
    /// after a break begin with the last whole commit.
    ///
    /// - Throws (while iterating): `EngineError`: `gap` once changes that were asked for have been trimmed.
    public func changes(
        after sequence: UInt64 = 0, in namespace: Namespace, upToNow: Bool = false
    ) -> AsyncThrowingStream<Change, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    var last = sequence
                    var pause = Duration.milliseconds(5)
                    while true {
                        try Task.checkCancellation()
                        let from = last
                        let part = try await self.read(in: namespace) { transaction in
                            try ChangeLog.read(after: from, limit: 1_000, in: transaction)
                        }
                        guard let part else {
                            throw EngineError(.notFound, "there is no home \(namespace.home)")
                        }
                        for change in part.changes { continuation.yield(change) }
                        if part.last > last {
                            last = part.last
                            pause = .milliseconds(5)
                        } else if upToNow {
                            break
                        } else {
                            // Another process may write too, so the file itself is asked, ever more patiently.
                            try await Task.sleep(for: pause)
                            pause = min(pause * 2, .milliseconds(200))
                        }
                    }
                    continuation.finish()
                } catch is CancellationError {
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }
}
