import Foundation
import HNSW
import Store
import Testing

import struct Synchronization.Atomic

@Suite struct `An index` {
    @Test(arguments: 1...6 as ClosedRange<UInt64>, Metric.allCases)
    func `is whole after every change, and finds what the scan finds`(seed: UInt64, metric: Metric) throws {
        var parameters = IndexedRows.tiny
        var random = SplitMix(seed: seed &* 77)
        parameters.m = random.number(2..<5)
        parameters.m0 = parameters.m * random.number(1..<3)
        parameters.rowsPerStep = random.number(1..<40)
        parameters.pagesPerCommit = random.number(1..<30)
        parameters.seed = random.next()
        let rows = try IndexedRows("model", metric: metric, seed: seed, parameters: parameters)
        try rows.append(40)
        try rows.fold()
        var pending: LinkBatch?
        for step in 0..<80 {
            let what = random.number(0..<100)
            switch what {
            case ..<15: try rows.append(random.number(1..<30))
            case ..<30: try rows.fold(atMost: random.number(1..<4))
            case ..<60: try rows.work(atMost: random.number(1..<4))
            case ..<75:
                let live = rows.liveSlots
                guard live.count > 12 else { continue }
                // One row, a few, or a whole region of the file.
                let count =
                    random.number(1..<4) == 1 ? random.number(1..<live.count / 2) : random.number(1..<4)
                let start = random.number(0..<live.count - count + 1)
                try rows.erase(
                    Bool.random(using: &random)
                        ? Array(live[start..<start + count])
                        : Array(live.shuffled(using: &random).prefix(count)))
            case ..<80: try rows.reopen()
            case ..<90:
                // A step whose commit comes later, after other changes.
                if let batch = pending { _ = try rows.commit(batch) }
                pending = try rows.prepare()
            default: try rows.expectComplete(k: random.number(1..<20), "step \(step)")
            }
            let problems = try rows.validate()
            #expect(problems == [], "step \(step), what \(what)")
            if !problems.isEmpty { return }
            try rows.expectComplete("step \(step), what \(what)")
        }
        try rows.work()
        #expect(try rows.validate() == [])
        let state = try #require(try rows.state())
        #expect(state.linkedSlots == rows.extent.segmentedSlots)
        #expect(state.notedCount == 0)
        let live = rows.liveSlots.count { $0 < Int(state.linkedSlots) }
        #expect(Int(state.nodeCount) == live)
        try rows.expectComplete()
    }

    private final class Counts: Sendable {
        let searches = Atomic<Int>(0)
        let failures = Atomic<Int>(0)
        let isDone = Atomic<Bool>(false)
    }

    @Test func `is searched while its author works and rows are erased`() throws {
        let rows = try IndexedRows("together", seed: 51)
        try rows.append(400)
        try rows.fold()
        let (index, environment, extent) = (rows.index, rows.environment, rows.extent)
        let segments = rows.segments
        let queries = (0..<8).map { _ in rows.randomVector() }
        let counts = Counts()
        // The first works and erases, the others search until it is done. Threads of their own, as a busy pool may run
        // one after the other.
        let threads = DispatchGroup()
        @Sendable func run(_ thread: Int) {
            defer { threads.leave() }
            do {
                if thread == 0 {
                    defer { counts.isDone.store(true, ordering: .releasing) }
                    for round in 0..<120 as Range<UInt32> {
                        if let batch = try environment.read({ try index.prepare(extent, in: $0) }) {
                            _ = try environment.write { try index.commit(batch, in: $0) }
                        }
                        guard round % 2 == 0 else { continue }
                        try environment.write { transaction in
                            try segments.erase(round * 3, extent, in: transaction)
                            try index.noteErased(round * 3, extent, in: transaction)
                        }
                    }
                    return
                }
                repeat {
                    for query in queries {
                        let isRight = try environment.read { transaction in
                            let found = try index.search(query, k: 10, ef: 1_000, extent, in: transaction)
                            var scores: [Float] = []
                            try segments.scan(query, extent, in: transaction) { block in
                                for (place, passage) in block.passages.enumerated()
                                where passage != VectorSegments.noPassage {
                                    scores.append(block.scores[place])
                                }
                            }
                            let best = Array(scores.sorted(by: >).prefix(10))
                            return found.neighbors.map(\.score) == best
                        }
                        counts.searches.add(1, ordering: .relaxed)
                        if !isRight { counts.failures.add(1, ordering: .relaxed) }
                    }
                } while !counts.isDone.load(ordering: .acquiring)
            } catch {
                counts.failures.add(1, ordering: .relaxed)
            }
        }
        for thread in 0..<4 {
            threads.enter()
            Thread.detachNewThread { run(thread) }
        }
        threads.wait()
        #expect(counts.searches.load(ordering: .relaxed) > 0)
        #expect(counts.failures.load(ordering: .relaxed) == 0)
        #expect(try rows.validate() == [])
    }
}
