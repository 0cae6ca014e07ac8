import Store

/// What recalls ask for again and again, kept from one to the next: the passages of current versions, those that may be
/// given when no filter is asked for, and when those of each block happened.
///
/// They change with a commit. What may be given changes with time too: when a version begins to hold, holds no longer, or
/// expires. So all is of one commit, the newest that was asked for, and each of what may be given is kept with the
/// times for which it is right.
final class KeptSets: Sendable {
    /// Names a snapshot, in this process.
    struct Snapshot: Equatable, Sendable {
        let map: UInt64
        let commit: UInt64
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
        var happened: [TimeBounds]?
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

    /// When the passages of each block of the columns of times happened.
    func happened(in snapshot: Snapshot) -> [TimeBounds]? {
        sets.withLock { $0?.snapshot == snapshot ? $0?.happened : nil }
    }

    func keep(happened bounds: [TimeBounds], of snapshot: Snapshot) {
        change(snapshot) { $0.happened = bounds }
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

extension KeptSets.Snapshot {
    /// `nil` inside a write, which changes what it sees.
    init?(_ transaction: borrowing ReadTransaction) {
        if transaction.isInsideWrite { return nil }
        self.init(map: transaction.map, commit: transaction.commit)
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

/// When some passages began to happen and ended, at the earliest and at the latest.
struct TimeBounds: Equatable, Sendable {
    private var firstStart = Int64.max
    private var lastStart = Int64.min
    private var firstEnd = Int64.max
    private var lastEnd = Int64.min

    init() {}

    /// Adds a passage. One without length is a moment.
    @inline(__always)
    mutating func add(_ from: Int64, _ until: Int64) {
        let end = max(until, from &+ 1)
        firstStart = min(firstStart, from)
        lastStart = max(lastStart, from)
        firstEnd = min(firstEnd, end)
        lastEnd = max(lastEnd, end)
    }

    /// Whether none of them shares a moment with a time.
    func areOutside(of time: Range<Int64>) -> Bool {
        firstStart >= time.upperBound || lastEnd <= time.lowerBound
    }

    /// Whether each of them shares a moment with a time.
    func areInside(of time: Range<Int64>) -> Bool {
        lastStart < time.upperBound && firstEnd > time.lowerBound
    }
}
