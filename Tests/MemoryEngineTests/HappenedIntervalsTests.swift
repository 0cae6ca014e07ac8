import TestSupport
import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `What happened in a time` {
    private static let day: Int64 = 86_400_000_000

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `is found as by looking at each, and beyond a bound only where it is wanted`(
        seed: UInt64
    ) async throws {
        let atlas = Namespace.project("atlas")
        let store = try ScratchStore()
        var random = SeededRandom(seed: seed)
        var times: [Range<Int64>] = []
        // More than two blocks of a column, and a tail.
        for round in 0..<2 {
            let drafts = (0..<(round == 0 ? 1_100 : 40)).map { number in
                // Some blocks lie in a short time, others are spread.
                let from = Int64(random.below(number < 520 ? 4 : 60)) * Self.day
                let until = from + Int64(random.below(3)) * Self.day / 2
                var draft = MemoryDraft("Fact \(round) \(number)")
                draft.happened = Timestamp(microseconds: from)...Timestamp(microseconds: until)
                times.append(from..<until + 1)
                return draft
            }
            _ = try await store.engine.remember(drafts, in: atlas)
            if round == 0 { try await store.engine.fold(atlas) }
        }
        let asked: [[Range<Int64>]] = [
            [0..<5], [0..<4], [0..<60], [3..<4], [58..<70], [70..<80], [2..<3, 9..<11, 30..<31], [-9..<0],
        ].map { $0.map { $0.lowerBound * Self.day..<$0.upperBound * Self.day } }
        var eligible = PassageSet(capacity: times.count)
        var wanted = PassageSet(capacity: times.count)
        for passage in 0..<UInt32(times.count) {
            if random.below(4) > 0 { eligible.insert(passage) }
            if random.below(3) == 0 { wanted.insert(passage) }
        }
        let (set, few) = (eligible, wanted)
        let all = times
        try await store.engine.read(in: atlas) { transaction in
            let view = try HomeView(in: transaction)
            #expect(view.state.foldedPassages == 1_100 && view.tail.count == 40)
            for intervals in asked {
                let inside = set.passages.filter { passage in
                    intervals.contains { $0.overlaps(all[Int(passage)]) }
                }
                let times = HappenedIntervals(intervals)
                #expect(
                    try times.passages(of: set, beyond: 9, only: nil, view, in: transaction) == inside)
                #expect(
                    try times.passages(of: set, beyond: 9_999, only: few, view, in: transaction) == inside)
                let some = try times.passages(of: set, beyond: 30, only: few, view, in: transaction)
                #expect(Array(some.prefix(31)) == Array(inside.prefix(31)))
                let beyond = Set(some.dropFirst(31))
                #expect(beyond.isSubset(of: inside))
                // Of the tail, which is short, all may be given.
                for passage in inside.dropFirst(31 + 64) where few.contains(passage) {
                    #expect(beyond.contains(passage))
                }
                for passage in beyond where !few.contains(passage) && passage < 1_100 {
                    #expect(inside.prefix(31 + 64).contains(passage))
                }
            }
        }
    }
}
