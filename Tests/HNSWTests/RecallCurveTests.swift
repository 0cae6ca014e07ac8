import Store
import Testing

@testable import HNSW

@Suite struct `A recall curve` {
    private let curve = RecallCurve(
        points: [
            .init(ef: 10, recall: 0.5), .init(ef: 20, recall: 0.9), .init(ef: 40, recall: 0.88),
            .init(ef: 80, recall: 1),
        ],
        neighborCount: 10, sampleCount: 200, linkedSlots: 1_000)

    @Test func `tells the fewest candidates for a recall, between two points too`() {
        #expect(curve.ef(for: 0.3) == 10)
        #expect(curve.ef(for: 0.5) == 10)
        #expect(curve.ef(for: 0.7) == 15)
        #expect(curve.ef(for: 0.9) == 20)
        #expect(curve.ef(for: 0.95) == 60)
        #expect(curve.ef(for: 1) == 80)
        let low = RecallCurve(
            points: [.init(ef: 10, recall: 0.5)], neighborCount: 10, sampleCount: 20, linkedSlots: 5)
        #expect(low.ef(for: 0.9) == 20)
        // What was measured worse by chance is no worse.
        #expect(curve.points.map(\.recall) == [0.5, 0.9, 0.9, 1])
    }

    private func decode(_ bytes: [UInt8]) throws -> RecallCurve {
        // Safe because bytes have no padding.
        try RecallCurve(decoding: unsafe bytes.span.bytes)
    }

    @Test func `reads back as it was written, and is refused when it is damaged`() throws {
        let bytes = curve.encode()
        #expect(try decode(bytes) == curve)
        for end in 0..<bytes.count {
            #expect(throws: StoreError.self) { try decode(Array(bytes[..<end])) }
        }
        var later = bytes
        later[0] = 2
        #expect(throws: StoreError.self) { try decode(later) }
        // A recall above 1, and candidates that do not ascend.
        var wrong = bytes
        wrong[bytes.count - 1] = 0x7f
        #expect(throws: StoreError.self) { try decode(wrong) }
        var unsorted = bytes
        unsorted[12] = 200
        #expect(throws: StoreError.self) { try decode(unsorted) }
    }

    @Test func `is measured by an index on itself, kept, and gone with the graph`() throws {
        var parameters = IndexedRows.tiny
        parameters.m = 4
        parameters.m0 = 8
        parameters.pagesPerCommit = 4_000
        parameters.rowsPerStep = 512
        let rows = try IndexedRows("curve", seed: 31, parameters: parameters)
        try rows.append(300)
        try rows.fold()
        #expect(
            try rows.environment.read { try rows.index.measureRecall(k: 3, rows.extent, in: $0) } == nil,
            "without a graph there is nothing to measure")
        try rows.work()
        let measured = try #require(
            try rows.environment.read {
                try rows.index.measureRecall(k: 3, sampleCount: 60, rows.extent, in: $0)
            })
        #expect(measured.sampleCount == 60)
        #expect(measured.linkedSlots == rows.extent.segmentedSlots)
        #expect(measured.points[0].ef == 8)
        #expect(try #require(measured.points.last).recall >= 0.9995)
        #expect(try rows.environment.write { try rows.index.keep(measured, in: $0) })
        #expect(try rows.environment.read { try rows.index.curve(in: $0) } == measured)
        let ef = try rows.environment.read { try rows.index.ef(for: 0.99, in: $0) }
        #expect(ef == measured.ef(for: 0.99))
        #expect(try rows.validate() == [])
        try rows.environment.write { try rows.index.drop(in: $0) }
        try rows.work(atMost: 1)
        #expect(try rows.environment.read { try rows.index.curve(in: $0) } == nil)
        #expect(
            try rows.environment.read { try rows.index.ef(for: 0.99, in: $0) } == parameters.efSearch)
    }
}

@Suite struct `A search` {
    private func rows(_ count: Int, seed: UInt64) throws -> IndexedRows {
        var parameters = IndexedRows.tiny
        parameters.pagesPerCommit = 4_000
        let rows = try IndexedRows("search", seed: seed, parameters: parameters)
        try rows.append(count)
        try rows.fold()
        try rows.work()
        return rows
    }

    @Test func `within a score gives all rows as near, up to its limit`() throws {
        let rows = try rows(260, seed: 32)
        for _ in 0..<10 {
            let query = rows.randomVector()
            let scores = try rows.bestScores(query, k: 260)
            for count in [0, 1, 70, 200] {
                let least = (scores[count] + scores[count + 1]) / 2
                let result = try rows.environment.read {
                    try rows.index.search(query, within: least, atMost: 4_096, ef: 4_000, rows.extent, in: $0)
                }
                #expect(result.neighbors.map(\.score) == Array(scores[...count]))
                let limited = try rows.environment.read {
                    try rows.index.search(query, within: least, atMost: 50, ef: 4_000, rows.extent, in: $0)
                }
                #expect(limited.neighbors.map(\.score) == Array(scores[...count].prefix(50)))
            }
        }
    }

    @Test func `that is exact compares all rows, whatever the graph says`() throws {
        let rows = try rows(200, seed: 33)
        for _ in 0..<5 {
            let query = rows.randomVector()
            let result = try rows.environment.read {
                try rows.index.search(query, k: 10, ef: 1, isExact: true, rows.extent, in: $0)
            }
            #expect(result.way == .scan)
            #expect(result.neighbors.map(\.score) == (try rows.bestScores(query, k: 10)))
        }
    }

    @Test func `finds what was appended since the last one, and nothing that was erased in the tail`() throws
    {
        let rows = try rows(200, seed: 34)
        let query = rows.randomVector()
        func best() throws -> [UInt32] { try rows.search(query, k: 3).neighbors.map(\.slot) }
        _ = try best()
        try rows.append([query])
        let first = UInt32(rows.model.count - 1)
        #expect(first >= rows.extent.segmentedSlots)
        #expect(try best().first == first)
        try rows.append([query])
        #expect(try best().prefix(2) == [first, first + 1])
        try rows.erase([Int(first)])
        #expect(try best().first == first + 1)
        #expect(try !best().contains(first))
        try rows.erase([Int(first) + 1])
        #expect(try best().allSatisfy { $0 < first })
        try rows.append(60)
        try rows.fold()
        try rows.expectComplete()
    }

    @Test func `knows the shape of its graph`() throws {
        let rows = try rows(200, seed: 35)
        try rows.append(1)
        try rows.erase([4])
        let shape = try #require(try rows.environment.read { try rows.index.shape(in: $0) })
        let state = try #require(try rows.state())
        // The erased node is not counted.
        #expect(shape.levels.reduce(0, +) == Int(state.nodeCount) - 1)
        #expect(shape.degrees.reduce(0, +) == Int(state.nodeCount) - 1)
        #expect(shape.levels.count == state.topLevel + 1)
        #expect(shape.levels[0] > shape.levels.dropFirst().reduce(0, +))
        #expect(shape.degrees.count == 7 && shape.degrees[0] == 0)
    }
}
