import HNSW
import Store
import Testing

@Suite struct `A filtered search` {
    /// How the matching rows are compared.
    enum Comparison: CaseIterable {
        /// By rows, or a walk over rows.
        case rows
        /// By codes while they are few, or a walk over codes.
        case fewByCodes
        /// By codes.
        case codes
    }

    private func make(
        _ name: String, seed: UInt64, count: Int = 1_600, _ comparison: Comparison = .fewByCodes
    ) throws -> IndexedRows {
        var parameters = HNSWParameters()
        parameters.hasCodes = comparison != .rows
        if comparison == .fewByCodes {
            parameters.estimatedPerCandidate = 20
            parameters.estimatedAnyway = 64
        }
        parameters.thresholdByteCount = 1
        parameters.m = 8
        parameters.m0 = 16
        parameters.efConstruction = 80
        parameters.efSearch = 40
        let rows = try IndexedRows(
            name, dimension: 256, usedComponents: 16, seed: seed, parameters: parameters)
        try rows.append(count)
        try rows.fold()
        try rows.work()
        return rows
    }

    /// How many of the ten best that match are found, on the average, and in which ways.
    private func recall(
        _ rows: IndexedRows, _ slots: [Int], _ queries: [[Float]]
    ) throws -> (share: Double, ways: Set<SearchResult.Way>) {
        let filter = rows.filter(slots)
        let chosen = Set(slots)
        var found = 0
        var expected = 0
        var ways: Set<SearchResult.Way> = []
        for query in queries {
            let best = try rows.bestScores(query, k: 10, filter: filter)
            let result = try rows.search(query, filter: filter)
            ways.insert(result.way)
            for neighbor in result.neighbors { #expect(chosen.contains(Int(neighbor.slot))) }
            expected += best.count
            guard let last = best.last else { continue }
            found += result.neighbors.count { $0.score >= last }
        }
        return (Double(found) / Double(max(1, expected)), ways)
    }

    @Test(arguments: Comparison.allCases)
    func `finds what matches at random`(comparison: Comparison) throws {
        let rows = try make("random", seed: 21, comparison)
        for share in [0.002, 0.03, 0.2, 0.5, 0.8, 0.95] {
            let size = Int(Double(rows.model.count) * share)
            let slots = Array(rows.model.indices.shuffled(using: &rows.random).prefix(size))
            let (recall, ways) = try recall(rows, slots, (0..<40).map { _ in rows.randomVector() })
            #expect(recall >= 0.95, "\(share): \(recall), \(ways)")
            #expect(share >= 0.03 || ways == [.matches], "\(ways)")
        }
    }

    @Test(arguments: Comparison.allCases)
    func `finds what matches near the question, or far from it`(comparison: Comparison) throws {
        let rows = try make("sided", seed: 22, comparison)
        for share in [0.05, 0.25, 0.6] {
            for isNear in [true, false] {
                let shares = try recallOfSide(rows, share, isNear: isNear)
                #expect(shares.reduce(0, +) / 5 >= 0.95, "\(share), \(isNear): \(shares)")
            }
        }
    }

    /// Around several points, as questions around one share what they miss.
    private func recallOfSide(_ rows: IndexedRows, _ share: Double, isNear: Bool) throws -> [Double] {
        var shares: [Double] = []
        for _ in 0..<5 {
            let center = rows.randomVector()
            let nearness = rows.model.map { row in
                zip(row?.vector.prefix(rows.usedComponents) ?? [], center).reduce(0) { $0 + $1.0 * $1.1 }
            }
            let order = rows.model.indices.sorted { nearness[$0] > nearness[$1] }
            let size = Int(Double(rows.model.count) * share)
            let slots = Array(isNear ? order.prefix(size) : order.suffix(size))
            let queries = (0..<16).map { _ in zip(center, rows.randomVector()).map { 2 * $0 + 0.5 * $1 } }
            shares.append(try recall(rows, slots, queries).share)
        }
        return shares
    }

    @Test func `finds what matches by the walk, in a larger set`() throws {
        let rows = try make("walk", seed: 23, count: 3_500)
        let slots = rows.model.indices.filter { $0 % 4 == 1 }
        let (recall, ways) = try recall(rows, slots, (0..<30).map { _ in rows.randomVector() })
        #expect(ways.contains(.filteredWalk))
        #expect(recall >= 0.95, "\(recall), \(ways)")
    }

    @Test func `finds as many as are asked for by the walk, though what does not match is nearer`() throws {
        let rows = try make("many", seed: 26, count: 3_500)
        let slots = rows.model.indices.filter { $0 % 4 == 1 }
        let filter = rows.filter(slots)
        var ways: Set<SearchResult.Way> = []
        for _ in 0..<30 {
            let result = try rows.search(rows.randomVector(), k: 38, filter: filter)
            #expect(result.neighbors.count == 38)
            ways.insert(result.way)
        }
        #expect(ways.contains(.filteredWalk))
    }

    /// An erased node has no score, and keeps the last place of the queue.
    @Test(arguments: Comparison.allCases)
    func `without a filter finds the nearest though the entry point was erased`(comparison: Comparison) throws
    {
        let rows = try make("entry", seed: 27, comparison)
        try rows.erase([Int(try #require(try rows.state()).entryPoint)])
        var found = 0
        for _ in 0..<40 {
            let query = rows.randomVector()
            let best = try rows.bestScores(query, k: 10)
            let result = try rows.search(query)
            #expect(result.way == .walk)
            found += result.neighbors.count { $0.score >= best[9] }
        }
        #expect(found >= 360, "\(found) of 400")
    }

    @Test func `of nothing finds nothing`() throws {
        let rows = try make("nothing", seed: 24, count: 1_100)
        #expect(try rows.search(rows.randomVector(), filter: PassageFilter(words: [])).neighbors == [])
        let one = try rows.search(rows.randomVector(), filter: rows.filter([1_050]))
        #expect(one.neighbors.map(\.slot) == [1_050])
    }

    @Test func `leaves out rows that were erased, before their repair and after it`() throws {
        let rows = try make("erased", seed: 25, count: 1_200)
        let query = rows.randomVector()
        let slots = rows.model.indices.filter { $0 % 2 == 0 }
        let before = try rows.search(query, k: 20, ef: 4_000, filter: rows.filter(slots))
        try rows.erase(before.neighbors.prefix(10).map { Int($0.slot) })
        for _ in 0..<2 {
            try rows.expectComplete(k: 20, filter: rows.filter(slots))
            let after = try rows.search(query, k: 10, ef: 4_000, filter: rows.filter(slots))
            #expect(after.neighbors == Array(before.neighbors.suffix(10)))
            try rows.work()
        }
    }

    @Test func `that is stopped says so`() throws {
        let rows = try make("stopped", seed: 26, count: 1_100)
        let query = rows.randomVector()
        let result = try rows.environment.read {
            try rows.index.search(query, k: 10, ef: 2_000, rows.extent, in: $0, shouldStop: { true })
        }
        #expect(!result.isComplete)
    }
}
