import Store

extension Vouching {
    /// The most candidates whose words are read for times, the best first, and the most bytes of each and of all.
    static let eventCount = 300
    static let eventByteCount = 2_048
    static let eventByteCountOfAll = 65_536
    /// A time that is longer says little of when.
    private static let longMicroseconds: Int64 = 31 * 86_400_000_000

    /// What happened at a time that the question names counts more.
    mutating func vouchByCalendar(in transaction: borrowing ReadTransaction) throws {
        guard !intervals.isEmpty, weights.calendar != 0 else { return }
        let times = HappenedIntervals(intervals)
        let (from, until) = try happened(candidates.map(\.passage), in: transaction)
        for index in candidates.indices {
            guard let interval = times.first(meeting: from[index]..<max(from[index], until[index])) else {
                continue
            }
            candidates[index].interval = interval
            candidates[index].parts.calendar = weights.calendar
        }
    }

    /// What speaks of a time that the question names counts more, and of any time where that is asked for. Words count
    /// from when they were said.
    ///
    /// - Parameter limit: How many memories will be given. What cannot be among them whatever it speaks of is not read.
    mutating func vouchByEvents(
        for limit: Int, in transaction: borrowing ReadTransaction
    ) throws {
        guard weights.dated != 0 || weights.event != 0 && !intervals.isEmpty else { return }
        let times = HappenedIntervals(intervals)
        let best = try contenders(for: limit, in: transaction)
        let passages = best.map { candidates[$0].passage }
        let (from, _) = try happened(passages, in: transaction)
        let places = try PassagePlaces(of: passages, view, in: transaction)
        var byteCount = 0
        for (place, index) in best.enumerated() where byteCount < Self.eventByteCountOfAll {
            let text = try places.text(place, atMost: Self.eventByteCount, in: transaction)
            byteCount += text.count
            let mentions = TimeExpressions.find(
                in: text.span, relativeTo: Timestamp(microseconds: from[place]), limit: 64)
            for mention in mentions {
                let event =
                    mention.interval.lowerBound.microseconds..<mention.interval.upperBound.microseconds
                let length = event.upperBound.subtractingReportingOverflow(event.lowerBound)
                let isLong = length.overflow || length.partialValue > Self.longMicroseconds
                var part = weights.dated
                if times.first(meeting: event) != nil { part += isLong ? weights.event / 2 : weights.event }
                if part == 0 { continue }
                guard candidates[index].event == nil || abs(part) > abs(candidates[index].parts.event) else {
                    continue
                }
                candidates[index].event = event
                candidates[index].parts.event = part
            }
        }
    }

    /// The best candidates, the best first, down to those that an event cannot bring among the first `limit` memories.
    private func contenders(
        for limit: Int, in transaction: borrowing ReadTransaction
    ) throws -> [Int] {
        let order = ranked
        let rows = try view.values(.row, of: order.map { candidates[$0].passage }, in: transaction) { $0.row }
        var memories: Set<UInt64> = []
        var least = -Double.infinity
        for (place, index) in order.enumerated() {
            memories.insert(rows[place])
            if memories.count == limit {
                least = candidates[index].score - abs(weights.event) - abs(weights.dated)
                break
            }
        }
        return Array(order.prefix(Self.eventCount).prefix { candidates[$0].score >= least })
    }

    private func happened(
        _ passages: [UInt32], in transaction: borrowing ReadTransaction
    ) throws -> (from: [Int64], until: [Int64]) {
        let from = try view.values(.happenedFrom, of: passages, in: transaction) {
            UInt64(bitPattern: $0.happenedFrom)
        }
        let until = try view.values(.happenedUntil, of: passages, in: transaction) {
            UInt64(bitPattern: $0.happenedUntil)
        }
        return (from.map { Int64(bitPattern: $0) }, until.map { Int64(bitPattern: $0) })
    }
}

/// Where the words of some passages stand.
struct PassagePlaces {
    private let rows: [UInt64]
    private let versions: [UInt64]
    private let starts: [UInt64]
    private let byteCounts: [UInt64]

    init(of passages: [UInt32], _ view: HomeView, in transaction: borrowing ReadTransaction) throws {
        rows = try view.values(.row, of: passages, in: transaction) { $0.row }
        versions = try view.values(.version, of: passages, in: transaction) { UInt64($0.version) }
        starts = try view.values(.byteFrom, of: passages, in: transaction) { UInt64($0.byteFrom) }
        byteCounts = try view.values(.byteCount, of: passages, in: transaction) { UInt64($0.byteCount) }
    }

    func version(_ place: Int) -> UInt32 { UInt32(truncatingIfNeeded: versions[place]) }

    /// The bytes of the content that the passage at `place` is.
    func range(_ place: Int) -> Range<Int> {
        let start = Int(starts[place])
        return start..<start + Int(byteCounts[place])
    }

    /// The beginning of the words of the passage at `place`.
    func text(
        _ place: Int, atMost byteCount: Int, in transaction: borrowing ReadTransaction
    ) throws -> [UInt8] {
        let (row, number) = (rows[place], version(place))
        guard let record = try VersionRecord.read(row, number, in: transaction) else {
            throw StoreError(.corrupted, "a passage belongs to row \(row), which is not there")
        }
        return try record.content(
            row, number, range(place).prefix(byteCount), in: transaction)
    }
}

/// Times that a question names, ascending and apart.
struct HappenedIntervals {
    private let intervals: [Range<Int64>]

    init(_ intervals: [Range<Int64>]) { self.intervals = intervals }

    /// The first interval that shares a moment with a time; a time without length is a moment.
    func first(meeting time: Range<Int64>) -> Range<Int64>? {
        intervals.first {
            $0.lowerBound < max(time.upperBound, time.lowerBound &+ 1) && time.lowerBound < $0.upperBound
        }
    }

    /// The passages of a set that happened within one of the intervals: all, where there are at most `limit`; beyond the first
    /// of so many only those that are in another set too.
    ///
    /// - Complexity: O(passages of the home), at the speed of a scan of a column.
    func passages(
        of set: PassageSet, beyond limit: Int, only wanted: PassageSet?, _ view: HomeView,
        in transaction: borrowing ReadTransaction
    ) throws -> [UInt32] {
        guard let start = intervals.first?.lowerBound, let end = intervals.last?.upperBound else { return [] }
        let isOne = intervals.count == 1
        var passages: [UInt32] = []
        let folded = Int(view.state.foldedPassages)
        let rowsPerBlock = Column.happenedFrom.rowsPerBlock
        let bounds = try Self.bounds(view, in: transaction)
        for block in 0..<(folded + rowsPerBlock - 1) / rowsPerBlock {
            if bounds[block].areOutside(of: start..<end) { continue }
            let first = block * rowsPerBlock
            let count = min(rowsPerBlock, folded - first)
            let isWhole = isOne && bounds[block].areInside(of: start..<end)
            let from = try view.presentBlock(.happenedFrom, block, in: transaction)
            let until = try view.presentBlock(.happenedUntil, block, in: transaction)
            for index in first / 64...(first + count - 1) / 64 {
                var bits = set.words[index]
                // A word may belong to two blocks.
                if index * 64 < first { bits &= .max << UInt64(first & 63) }
                if passages.count > limit, let wanted { bits &= wanted.words[index] }
                while bits != 0 {
                    let place = index * 64 + bits.trailingZeroBitCount - first
                    bits &= bits - 1
                    guard place < count else { break }
                    if isWhole {
                        passages.append(UInt32(first + place))
                        continue
                    }
                    let begin = from.i64(at: place * 8)
                    // Most lie before or behind them all.
                    if begin >= end { continue }
                    if isOne, begin >= start {
                        passages.append(UInt32(first + place))
                        continue
                    }
                    let over = until.i64(at: place * 8)
                    if over >= start, self.first(meeting: begin..<max(begin, over)) != nil {
                        passages.append(UInt32(first + place))
                    }
                }
            }
        }
        for entry in view.tail where set.contains(entry.passage) {
            let (from, until) = (entry.front.row.happenedFrom, entry.front.row.happenedUntil)
            if first(meeting: from..<max(from, until)) != nil { passages.append(entry.passage) }
        }
        return passages
    }

    /// When the passages of each block happened.
    private static func bounds(
        _ view: HomeView, in transaction: borrowing ReadTransaction
    ) throws -> [TimeBounds] {
        let snapshot = KeptSets.Snapshot(transaction)
        if let snapshot, let bounds = view.kept?.happened(in: snapshot) { return bounds }
        let folded = Int(view.state.foldedPassages)
        let rowsPerBlock = Column.happenedFrom.rowsPerBlock
        let bounds = try (0..<(folded + rowsPerBlock - 1) / rowsPerBlock).map { block in
            let from = try view.presentBlock(.happenedFrom, block, in: transaction)
            let until = try view.presentBlock(.happenedUntil, block, in: transaction)
            var bounds = TimeBounds()
            for index in 0..<min(rowsPerBlock, folded - block * rowsPerBlock) {
                bounds.add(from.i64(at: index * 8), until.i64(at: index * 8))
            }
            return bounds
        }
        if let snapshot { view.kept?.keep(happened: bounds, of: snapshot) }
        return bounds
    }
}
