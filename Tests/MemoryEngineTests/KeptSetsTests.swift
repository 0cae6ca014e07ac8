import TestSupport
import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `What recalls keep from one to the next` {
    let atlas = Namespace.project("atlas")

    /// When something is asked of a home, and of which time.
    struct Asked: Sendable {
        var asOf: Timestamp?
        var validAt: Timestamp
        var now: Timestamp
        var includesOwn: Bool

        func eligible(
            _ kept: KeptSets?, in transaction: borrowing ReadTransaction
        ) throws -> PassageSet {
            try FilterEvaluation(view: HomeView(kept: kept, in: transaction)).eligible(
                asOf: asOf, validAt: validAt, now: now, sessions: nil, filter: nil, includesOwn: includesOwn,
                in: transaction)
        }
    }

    private func draft(_ random: inout SeededRandom, at time: Timestamp) -> MemoryDraft {
        func soon() -> Timestamp { time.advanced(by: .seconds(random.below(40) - 10)) }
        var draft = MemoryDraft(`Scores of words`.text(&random))
        let (a, b) = (soon(), soon())
        switch random.below(4) {
        case 0 where a < b: draft.valid = a..<b
        case 1: draft.valid = a..<Timestamp.distantFuture
        default: break
        }
        if random.chance(0.3) { draft.expires = time.advanced(by: .seconds(1 + random.below(30))) }
        return draft
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `is what would be found anew, after every commit and of every time`(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let store = try ScratchStore()
        let kept = KeptSets()
        var ids: [MemoryID] = []
        for step in 0..<60 {
            let time = store.clock.advance(by: .seconds(random.below(3)))
            switch ids.isEmpty ? 0 : random.below(12) {
            case 0...4: ids.append(try await store.engine.remember(draft(&random, at: time), in: atlas).id)
            case 5:
                let content = `Scores of words`.text(&random)
                _ = try? await store.engine.update(random.pick(ids), in: atlas) { $0.content = content }
            case 6: _ = try? await store.engine.retract(random.pick(ids), in: atlas)
            case 7: try await store.engine.fold(atlas)
            default: break
            }
            for _ in 0..<6 {
                func near() -> Timestamp { time.advanced(by: .seconds(random.below(30) - 15)) }
                let asked = Asked(
                    asOf: random.chance(0.2) ? near() : nil, validAt: random.chance(0.5) ? near() : time,
                    now: random.chance(0.3) ? near() : time, includesOwn: random.chance(0.3))
                let sets = try #require(
                    try await store.engine.read(in: atlas) {
                        [try asked.eligible(kept, in: $0), try asked.eligible(nil, in: $0)]
                    })
                #expect(sets[0] == sets[1], "step \(step): \(asked)")
            }
        }
    }

    private func found(_ store: ScratchStore) async throws -> [String] {
        try await store.engine.recall("When does the telescope of Caroline Herschel open?", in: atlas)
            .hits.map(\.memory.content).sorted()
    }

    private func isKept(at time: Timestamp, _ store: ScratchStore) async throws -> Bool {
        try await store.engine.withExistingHome(of: atlas) { home in
            let kept = home.kept
            return try await store.engine.read(home) { transaction in
                guard let snapshot = KeptSets.Snapshot(transaction) else { return false }
                return kept.visible(validAt: time, now: time, includesOwn: false, in: snapshot) != nil
            }
        }
    }

    @Test func `is right when a memory begins to hold, ends or expires, and nothing is written`() async throws
    {
        let store = try ScratchStore()
        let start = store.clock.time
        func after(_ seconds: Int) -> Timestamp { start.advanced(by: .seconds(seconds)) }
        var later = MemoryDraft("The telescope opens in spring.")
        later.valid = after(100)..<after(300)
        var short = MemoryDraft("The telescope opens in autumn.")
        short.expires = after(200)
        let always = "The telescope opens at night."
        for draft in [later, short, MemoryDraft(always)] {
            try await store.engine.remember(draft, in: atlas)
        }
        try await store.engine.finishIndexing(in: atlas)
        #expect(try await isKept(at: start, store) == false)
        let expected = [
            (0, [short.content, always]), (99, [short.content, always]),
            (100, [short.content, always, later.content]), (199, [short.content, always, later.content]),
            (200, [always, later.content]), (300, [always]),
        ]
        for (seconds, contents) in expected {
            store.clock.advance(
                by: .seconds(seconds - Int((store.clock.time.microseconds - start.microseconds) / 1_000_000)))
            #expect(try await found(store) == contents.sorted(), "after \(seconds) s")
        }
        // The last of them is good for ever.
        #expect(try await isKept(at: after(300), store))
        #expect(try await isKept(at: after(90_000), store))
        try await store.engine.remember("The telescope opens by appointment.", in: atlas)
        #expect(try await isKept(at: after(300), store) == false)
        #expect(try await found(store).count == 2)
    }

    @Test func `is not of an older commit than the newest that was asked for`() {
        let kept = KeptSets()
        let (old, new) = (KeptSets.Snapshot(map: 1, commit: 4), KeptSets.Snapshot(map: 1, commit: 5))
        kept.keep(current: .full(capacity: 3), of: new)
        kept.keep(current: .full(capacity: 2), of: old)
        #expect(kept.current(in: new)?.count == 3 && kept.current(in: old) == nil)
        // The file was opened anew.
        let other = KeptSets.Snapshot(map: 2, commit: 1)
        #expect(kept.current(in: other) == nil)
        kept.keep(current: .full(capacity: 1), of: other)
        #expect(kept.current(in: other)?.count == 1 && kept.current(in: new) == nil)
    }

    @Test func `holds from the last bound up to the next`() {
        var interlude = Interlude(around: 10)
        #expect(interlude.holds(at: .min) && interlude.holds(at: 10))
        for bound in [Int64.min, 3, 7, 10, 15, 12, .max] { interlude.note(bound) }
        #expect([9, 10, 11, 12].map { interlude.holds(at: $0) } == [false, true, true, false])
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `tells blocks of which nothing, or all, happened in a time`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<50 {
            var bounds = TimeBounds()
            let times = (0..<1 + random.below(4)).map { _ in
                let from = Int64(random.below(20))
                return from..<from + Int64(random.below(4))
            }
            for time in times { bounds.add(time.lowerBound, time.upperBound) }
            let start = Int64(random.below(20))
            let asked = start..<start + 1 + Int64(random.below(12))
            let areMet = times.map { HappenedIntervals([asked]).first(meeting: $0) != nil }
            if bounds.areOutside(of: asked) { #expect(!areMet.contains(true)) }
            if bounds.areInside(of: asked) { #expect(!areMet.contains(false)) }
            if times.count == 1 {
                #expect(bounds.areInside(of: asked) == areMet[0])
                #expect(bounds.areOutside(of: asked) != areMet[0])
            }
        }
    }
}
