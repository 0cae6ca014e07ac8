import Store

/// Sets of passages that recalls ask for again and again, kept from one to the next: those of current versions, and
/// those that may be given when no filter is asked for.
///
/// They change with a commit. What may be given changes with time too: when a version begins to hold, holds no longer, or
/// expires. So all sets are of one commit, the newest that was asked for, and each of what may be given is kept with the
/// times for which it is right.
final class KeptSets: Sendable {
    /// Names a snapshot, in this process.
    struct Snapshot: Equatable, Sendable {
        let map: UInt64
        let commit: UInt64

        /// `nil` inside a write, which changes what it sees.
        init?(_ transaction: borrowing ReadTransaction) {
            if transaction.isInsideWrite { return nil }
            (map, commit) = (transaction.map, transaction.commit)
        }
    }

    /// What may be given at times in which nothing begins to hold, ends or expires.
    struct Visible: Sendable {
        let passages: PassageSet
        let includesOwn: Bool
        let validity: Interlude
        let expiry: Interlude
    }

    private struct Sets: Sendable {
        let snapshot: Snapshot
        var current: PassageSet?
        var visible: [Visible] = []
    }

    private let sets = Mutex<Sets?>(nil)

    /// With the engine's summaries and without, and for the times of two callers.
    private static let visibleCount = 4

    func current(in snapshot: Snapshot) -> PassageSet? {
        sets.withLock { $0?.snapshot == snapshot ? $0?.current : nil }
    }

    func visible(
        validAt: Timestamp, now: Timestamp, includesOwn: Bool, in snapshot: Snapshot
    ) -> PassageSet? {
        sets.withLock { sets in
            guard let sets, sets.snapshot == snapshot else { return nil }
            return sets.visible.first {
                $0.includesOwn == includesOwn && $0.validity.holds(at: validAt.microseconds)
                    && $0.expiry.holds(at: now.microseconds)
            }?.passages
        }
    }

    func keep(current passages: PassageSet, of snapshot: Snapshot) {
        change(snapshot) { $0.current = passages }
    }

    func keep(_ visible: Visible, of snapshot: Snapshot) {
        change(snapshot) { sets in
            if sets.visible.count == Self.visibleCount { sets.visible.removeFirst() }
            sets.visible.append(visible)
        }
    }

    private func change(_ snapshot: Snapshot, _ body: (inout Sets) -> Void) {
        sets.withLock { sets in
            if let kept = sets?.snapshot, kept.map == snapshot.map, kept.commit > snapshot.commit { return }
            var changed = sets.flatMap { $0.snapshot == snapshot ? $0 : nil } ?? Sets(snapshot: snapshot)
            body(&changed)
            sets = changed
        }
    }
}

/// The time around a moment, from the last of some bounds that lie before it or on it to the first behind it.
struct Interlude: Equatable, Sendable {
    let moment: Int64
    private var from = Int64.min
    private var until = Int64.max

    init(around moment: Int64) { self.moment = moment }

    /// Ends the time at a bound.
    @inline(__always)
    mutating func note(_ bound: Int64) {
        if bound > moment { until = min(until, bound) } else { from = max(from, bound) }
    }

    func holds(at moment: Int64) -> Bool { from <= moment && moment < until }
}
