import Testing

@testable import HNSW

@Suite struct `Codes in memory` {
    /// Searches by the index, which copies codes while it is asked, and by one that was never asked before.
    private func expectSame(_ rows: IndexedRows, _ count: Int) throws {
        for _ in 0..<count {
            let query = rows.randomVector()
            let fresh = HNSWIndex(
                table: IndexedRows.links, segments: rows.segments, parameters: rows.parameters)
            let expected = try rows.environment.read { try fresh.search(query, k: 5, rows.extent, in: $0) }
            #expect(try rows.search(query, k: 5).neighbors == expected.neighbors)
        }
    }

    @Test func `are found as in the file, while they are copied, added to and erased`() throws {
        let rows = try IndexedRows("arena", seed: 12)
        try rows.append(300)
        try rows.fold()
        try rows.work()
        try expectSame(rows, CodeArena.searchesBefore)
        #expect(!rows.index.pointers.hasArena)
        // Rows of 4,096 take a kibibyte each: one search copies some sixty.
        try expectSame(rows, 20)
        #expect(rows.index.pointers.hasArena)

        // Linked ones come behind; beyond the room there is, another copy is made.
        for count in [40, 50, 200] {
            try rows.append(count)
            try rows.fold()
            try rows.work()
            try expectSame(rows, 10)
            #expect(rows.index.pointers.hasArena == (count < 200))
        }
        try expectSame(rows, CodeArena.searchesBefore + 20)
        #expect(rows.index.pointers.hasArena)

        // What was erased is in memory no longer.
        try rows.erase([3, 77, 210])
        try expectSame(rows, 2)
        #expect(!rows.index.pointers.hasArena)
        try rows.work()
        try expectSame(rows, CodeArena.searchesBefore + 20)
        #expect(rows.index.pointers.hasArena)
        try rows.expectComplete()
    }

    @Test func `are copied once, whoever asks meanwhile`() async throws {
        let rows = try IndexedRows("arenas", seed: 13)
        try rows.append(200)
        try rows.fold()
        try rows.work()
        let queries = (0..<40).map { _ in rows.randomVector() }
        let expected = try queries.map { try rows.search($0, k: 5).neighbors }
        let (index, environment, extent) = (rows.index, rows.environment, rows.extent)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try zip(queries, expected).allSatisfy { query, neighbors in
                        try environment.read { try index.search(query, k: 5, extent, in: $0) }.neighbors
                            == neighbors
                    }
                }
            }
            for try await isSame in group { #expect(isSame) }
        }
        #expect(index.pointers.hasArena)
    }
}
