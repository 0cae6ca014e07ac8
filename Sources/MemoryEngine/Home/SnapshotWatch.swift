import Store

/// Tells of snapshots that are held for long while a home is written: its file grows then, as no page that they may need
/// is used again.
final class SnapshotWatch: Sendable {
    private let bound: Duration
    private let warn: @Sendable (String) -> Void
    private let lastTold = Mutex<UInt64>(0)

    init(bound: Duration, warn: @escaping @Sendable (String) -> Void) {
        self.bound = bound
        self.warn = warn
    }

    /// Looks after a commit; each snapshot is told of once.
    func look(at environment: Environment, of home: Namespace) {
        guard let oldest = environment.heldSnapshots().oldest, oldest.age >= bound else { return }
        let isNew = lastTold.withLock { last in
            defer { last = max(last, oldest.number) }
            return oldest.number > last
        }
        guard isNew else { return }
        warn(
            "a read of \(home) has held its snapshot for \(oldest.age.components.seconds) seconds; the home's file "
                + "grows with what is written meanwhile")
    }
}
