import Store

extension Engine {
    /// The changes of a home above a commit, in their order. The stream waits for new ones, unless `upToNow`.
    ///
    /// Nothing is read ahead of who iterates but the rest of a page of about 1,000 changes, so a slow follower costs
    /// no memory; one that falls behind what the home keeps is told `gap`. The stream can be taken up again after any
    /// change with its `sequence`; changes of one commit share it, so after a break begin with the last whole
    /// commit.
    ///
    /// - Throws (while iterating): `EngineError`: `gap` once changes that were asked for have been trimmed.
    public func changes(
        after sequence: UInt64 = 0, in namespace: Namespace, upToNow: Bool = false
    ) -> AsyncThrowingStream<Change, any Error> {
        let feed = ChangeFeed(self, namespace, after: sequence, isUpToNow: upToNow)
        return AsyncThrowingStream { try await feed.next() }
    }
}

/// A place in the log of changes, and the page that is being given.
private actor ChangeFeed {
    private static let pageCount = 1_000

    private let engine: Engine
    private let namespace: Namespace
    private let isUpToNow: Bool
    private var position: ChangeLog.Position
    private var page: [Change] = []
    private var given = 0

    init(_ engine: Engine, _ namespace: Namespace, after sequence: UInt64, isUpToNow: Bool) {
        self.engine = engine
        self.namespace = namespace
        self.isUpToNow = isUpToNow
        position = ChangeLog.Position(sequence: sequence)
    }

    /// The next change; `nil` at the end, and once the task is cancelled.
    func next() async throws -> Change? {
        var pause = Duration.milliseconds(5)
        while given == page.count {
            do {
                try Task.checkCancellation()
                let from = position
                let part = try await engine.read(in: namespace) { transaction in
                    try ChangeLog.read(after: from, limit: Self.pageCount, in: transaction)
                }
                guard let part else {
                    throw EngineError(.notFound, "there is no home \(namespace.home)")
                }
                position = part.last
                page = part.changes
                given = 0
                guard page.isEmpty, part.last == from else { continue }
                if isUpToNow { return nil }
                // Another process may write too, so the file itself is asked, ever more patiently.
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .milliseconds(200))
            } catch is CancellationError {
                return nil
            }
        }
        given += 1
        return page[given - 1]
    }
}
