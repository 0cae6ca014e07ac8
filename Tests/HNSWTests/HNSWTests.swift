import HNSW
import Store
import Testing

@Suite struct `A step of the index's author` {
    @Test func `is refused when the index has changed since it was prepared`() throws {
        let rows = try IndexedRows("stale", seed: 3)
        try rows.append(60)
        try rows.fold()
        let begin = try #require(try rows.prepare())
        #expect(begin.work == .begin)
        #expect(try rows.commit(begin))
        #expect(try !rows.commit(begin))
        let first = try #require(try rows.prepare())
        let second = try #require(try rows.prepare())
        #expect(first.work == .link && first.linkedCount == rows.parameters.rowsPerStep)
        #expect(try rows.commit(first))
        #expect(try !rows.commit(second))
        #expect(try rows.validate() == [])
        #expect(try rows.state()?.linkedSlots == UInt32(first.linkedCount))
    }

    @Test func `takes out nothing that was erased where a copy is to take the place of all`() throws {
        let rows = try IndexedRows("worn", seed: 9)
        try rows.append(100)
        try rows.fold()
        try rows.work()
        try rows.erase([3, 5])
        func due(repairs: Bool) throws -> LinkBatch.Work? {
            try rows.environment.read { try rows.index.dueWork(rows.extent, repairs: repairs, in: $0) }
        }
        #expect(try due(repairs: true) == .repair)
        #expect(try due(repairs: false) == nil)
        try rows.append(100)
        try rows.fold()
        #expect(try due(repairs: true) == .repair)
        #expect(try due(repairs: false) == .link)
        while let batch = try rows.environment.read({
            try rows.index.prepare(rows.extent, repairs: false, in: $0)
        }) {
            #expect(batch.work == .link)
            #expect(try rows.commit(batch))
        }
        #expect(try rows.validate() == [])
        try rows.work()
        #expect(try rows.validate() == [])
    }

    @Test func `that was lost is done again, and gives the same pages`() throws {
        let rows = try IndexedRows("lost", seed: 4)
        let other = try IndexedRows("kept", seed: 4)
        for file in [rows, other] {
            try file.append(100)
            try file.fold()
        }
        while let lost = try rows.prepare() {
            // A crash: the process begins anew, the step was not committed.
            _ = lost.pageCount
            try rows.reopen()
            let batch = try #require(try rows.prepare())
            #expect(try rows.commit(batch))
            let same = try #require(try other.prepare())
            #expect(try other.commit(same))
            #expect(batch.work == same.work && batch.pageCount == same.pageCount)
        }
        #expect(try other.prepare() == nil)
        #expect(try rows.validate() == [])
        #expect(try Self.links(rows) == Self.links(other))
    }

    private static func links(_ rows: IndexedRows) throws -> [[UInt8]] {
        try rows.environment.read { transaction in
            var values: [[UInt8]] = []
            try IndexedRows.links.scan(prefix: Key(), in: transaction) { key, value in
                // The record has generations, which are numbers of commits.
                if key.byteCount > 3 { values.append(value.array) }
                return true
            }
            return values
        }
    }

    @Test func `are counted as linked or to be linked while they live, and not where they need no graph`()
        throws
    {
        let rows = try IndexedRows("counted", seed: 8)
        func counts(_ index: HNSWIndex) throws -> [Int] {
            let counts = try rows.environment.read { try index.linkCounts(rows.extent, in: $0) }
            return [counts.linked, counts.unlinked]
        }
        try rows.append(100)
        try rows.fold()
        let slots = Int(rows.extent.segmentedSlots)
        #expect(try counts(rows.index) == [0, slots])
        var large = IndexedRows.tiny
        large.thresholdByteCount = slots * rows.segments.dimension * 8
        #expect(
            try counts(HNSWIndex(table: IndexedRows.links, segments: rows.segments, parameters: large))
                == [0, 0])
        try rows.work(atMost: 3)
        let linked = Int(try #require(try rows.state()).linkedSlots)
        try rows.erase([0, 1, linked + 1])
        #expect(try counts(rows.index) == [linked - 2, slots - linked - 1])
        try rows.work()
        #expect(try counts(rows.index) == [slots - 3, 0])
    }

    @Test func `where a row was erased meanwhile is kept, and repaired by the next`() throws {
        let rows = try IndexedRows("meanwhile", seed: 5)
        try rows.append(100)
        try rows.fold()
        try rows.work(atMost: 3)
        let batch = try #require(try rows.prepare())
        #expect(batch.work == .link)
        let linked = Int(try #require(try rows.state()).linkedSlots)
        try rows.erase([0, linked + 1, linked + 3])
        #expect(try rows.commit(batch))
        #expect(try rows.validate() == [])
        #expect(try rows.state()?.notedCount == 3)
        try rows.expectComplete()
        #expect(try rows.prepare()?.work == .repair)
        try rows.work(atMost: 1)
        #expect(try rows.state()?.notedCount == 0)
        #expect(try rows.validate() == [])
        try rows.expectComplete()
    }

    @Test func `that would be the first is refused when a row was erased meanwhile`() throws {
        let rows = try IndexedRows("first", seed: 6)
        try rows.append(40)
        try rows.fold()
        try rows.work(atMost: 1)
        let batch = try #require(try rows.prepare())
        #expect(batch.work == .link)
        try rows.erase([2])
        #expect(try !rows.commit(batch))
        try rows.work()
        let problems = try rows.validate()
        #expect(problems == [])
        try rows.expectComplete()
    }

    @Test func `makes the same graph and codes with any number of threads`() throws {
        var tables: [[[UInt8]]] = []
        for threads in [1, 2, 5] {
            var parameters = IndexedRows.tiny
            parameters.m = 4
            parameters.m0 = 8
            parameters.rowsPerStep = 512
            parameters.pagesPerCommit = 4_000
            parameters.threads = threads
            let rows = try IndexedRows("threads", seed: 12, parameters: parameters)
            try rows.append(400)
            try rows.erase([3, 60, 61, 200])
            try rows.fold()
            try rows.work()
            #expect(try rows.validate() == [])
            try rows.expectComplete()
            var table: [[UInt8]] = []
            try rows.environment.read { transaction in
                try IndexedRows.links.scan(prefix: Key(), in: transaction) { key, value in
                    table.append(key.array + value.array)
                    return true
                }
            }
            tables.append(table)
        }
        #expect(tables[0].count > 10)
        #expect(tables[0] == tables[1])
        #expect(tables[0] == tables[2])
    }

    @Test func `writes no more pages than a commit may`() throws {
        var parameters = IndexedRows.tiny
        parameters.pagesPerCommit = 3
        parameters.m = 2
        parameters.m0 = 500
        let rows = try IndexedRows("bounded", seed: 7, parameters: parameters)
        try rows.append(150)
        try rows.fold()
        while let batch = try rows.prepare() {
            #expect(batch.pageCount <= max(3, rows.parameters.m + 3), "\(batch.work)")
            #expect(try rows.commit(batch))
        }
        #expect(try rows.validate() == [])
    }

    @Test func `gives the graph up when few rows are left, and makes one anew when there are more`() throws {
        var parameters = IndexedRows.tiny
        parameters.thresholdByteCount = 60 * 4_096 * 4
        let rows = try IndexedRows("threshold", seed: 8, parameters: parameters)
        try rows.append(59)
        try rows.fold()
        #expect(try rows.work() == 0)
        #expect(try rows.state() == nil)
        try rows.append(40)
        try rows.fold()
        try rows.work()
        #expect(try rows.state()?.linkedSlots == rows.extent.segmentedSlots)
        #expect(try rows.search(rows.randomVector()).way == .walk)
        // Between half the threshold and all of it, it stays as it is.
        try rows.erase(Array(rows.liveSlots.prefix(50)))
        try rows.work()
        #expect(try rows.search(rows.randomVector()).way == .walk)
        try rows.erase(Array(rows.liveSlots.prefix(25)))
        try rows.work()
        #expect(try rows.state()?.linkedSlots == 0)
        #expect(try rows.search(rows.randomVector()).way == .scan)
        #expect(try rows.validate() == [])
        try rows.expectComplete()
        try rows.append(60)
        try rows.fold()
        try rows.work()
        #expect(try rows.search(rows.randomVector()).way == .walk)
        #expect(try rows.validate() == [])
        try rows.expectComplete()
    }

    @Test func `that drops a graph leaves no note of what was erased meanwhile`() throws {
        let rows = try IndexedRows("erased-meanwhile", seed: 10)
        try rows.append(120)
        try rows.fold()
        try rows.work()
        try rows.environment.write { try rows.index.drop(in: $0) }
        var slot = 0
        while let batch = try rows.prepare(), batch.work == .drop {
            try rows.erase([slot])
            slot += 1
            #expect(try rows.commit(batch))
            #expect(try rows.validate() == [])
        }
        #expect(slot > 0)
        #expect(try rows.environment.read { try IndexedRows.links.count(in: $0) } == 1)
        try rows.work()
        #expect(try rows.validate() == [])
        try rows.expectComplete()
    }

    @Test func `of a graph that was dropped leaves no page behind`() throws {
        var parameters = IndexedRows.tiny
        parameters.pagesPerCommit = 8
        let rows = try IndexedRows("dropped", seed: 9, parameters: parameters)
        try rows.append(400)
        try rows.fold()
        try rows.work()
        try rows.environment.write { try rows.index.drop(in: $0) }
        #expect(try rows.validate() == [])
        #expect(try rows.search(rows.randomVector()).way == .scan)
        try rows.expectComplete()
        while let batch = try rows.prepare(), batch.work == .drop {
            #expect(try rows.commit(batch))
            #expect(try rows.validate() == [])
            try rows.expectComplete()
        }
        let entries = try rows.environment.read { try IndexedRows.links.count(in: $0) }
        #expect(entries == 1)
        try rows.work()
        #expect(try rows.validate() == [])
        #expect(try rows.search(rows.randomVector()).way == .walk)
    }
}

@Suite struct `The graph of an index` {
    @Test func `finds nearly all of the ten nearest among clusters`() throws {
        var parameters = HNSWParameters()
        parameters.thresholdByteCount = 1
        let rows = try IndexedRows(
            "clusters", dimension: 256, usedComponents: 32, seed: 11, parameters: parameters)
        let centers = (0..<40).map { _ in rows.randomVector() }
        func near(_ center: [Float]) -> [Float] {
            zip(center, rows.randomVector()).map { $0 + 0.15 * $1 }
        }
        let vectors = (0..<2_000).map { near(centers[$0 % 40]) }
        try rows.append(vectors)
        try rows.fold()
        try rows.work()
        #expect(try rows.validate() == [])
        var found = 0
        for index in 0..<100 {
            let query = near(centers[index % 40])
            let best = try rows.bestScores(query, k: 10)
            let result = try rows.search(query)
            #expect(result.way == .walk)
            found += result.neighbors.count { $0.score >= best[9] }
        }
        #expect(found >= 980, "\(found) of 1,000")
    }

    @Test(arguments: Metric.allCases)
    func `leads into and out of a thousand equal rows`(metric: Metric) throws {
        var parameters = HNSWParameters()
        parameters.thresholdByteCount = 1
        let rows = try IndexedRows(
            "equal", dimension: 256, usedComponents: 32, metric: metric, seed: 12, parameters: parameters)
        try rows.append(400)
        let equal = rows.randomVector()
        try rows.append([[Float]](repeating: equal, count: 1_000))
        try rows.append(500)
        try rows.fold()
        try rows.work()
        #expect(try rows.validate() == [])
        var found = 0
        for _ in 0..<60 {
            let query = rows.randomVector()
            let best = try rows.bestScores(query, k: 10)
            found += try rows.search(query).neighbors.count { $0.score >= best[9] }
        }
        #expect(found >= 570, "\(found) of 600")
        let result = try rows.search(equal)
        let best = try rows.bestScores(equal, k: 10)
        #expect(result.neighbors.map(\.score) == best)
    }

    @Test func `has levels that depend on seed and slot alone, one in m of each above the last`() throws {
        let rows = try IndexedRows("levels", seed: 13)
        try rows.append(30)
        try rows.fold()
        try rows.work()
        let state = try #require(try rows.state())
        // The entry point of two graphs of other rows is the same slot.
        let others = try IndexedRows("levels", metric: .l2, seed: 14)
        try others.append(30)
        try others.fold()
        try others.work()
        #expect(try others.state()?.entryPoint == state.entryPoint)
        #expect(try others.state()?.topLevel == state.topLevel)
    }
}

@Suite struct `A search that keeps as many candidates as there are nodes` {
    /// More than a queue has room for.
    @Test func `is exact, however many there are`() throws {
        var parameters = IndexedRows.tiny
        parameters.rowsPerStep = 2_048
        parameters.pagesPerCommit = 4_000
        let rows = try IndexedRows("all", dimension: 24, usedComponents: 24, seed: 9, parameters: parameters)
        let perSegment = rows.segments.rowsPerSegment
        try rows.append((9_000 / perSegment + 1) * perSegment)
        try rows.fold()
        try rows.work()
        let count = Int(try #require(try rows.state()).nodeCount)
        #expect(count > 9_000)
        let even = rows.filter(Array(stride(from: 0, to: rows.model.count, by: 2)))
        for _ in 0..<20 {
            let query = rows.randomVector()
            for filter in [nil, even] {
                let found = try rows.search(query, ef: count, filter: filter).neighbors.map(\.score)
                #expect(try found == rows.bestScores(query, k: 10, filter: filter))
            }
        }
    }
}
