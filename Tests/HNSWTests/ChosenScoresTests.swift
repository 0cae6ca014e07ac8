import HNSW
import Store
import Testing

@Suite struct `Scores of chosen rows` {
    /// Chosen rows have the scores of the scan to the last bit, whether they are linked, in segments or in the tail.
    private func expectScores(_ rows: IndexedRows, _ comment: Comment) throws {
        let query = rows.randomVector()
        var all: [UInt32: Float] = [:]
        try rows.environment.read { transaction in
            try rows.segments.scan(query, rows.extent, in: transaction) { block in
                for (place, score) in block.scores.prefix(block.passages.count).enumerated() {
                    all[block.firstSlot + UInt32(place)] = score
                }
            }
        }
        for share in [0.0, 0.1, 0.7, 1] {
            let chosen = rows.liveSlots.filter { _ in Double.random(in: 0..<1, using: &rows.random) < share }
                .map { UInt32($0) }
            let scores = try rows.environment.read {
                try rows.index.scores(of: chosen, query, rows.extent, in: $0)
            }
            #expect(scores == chosen.map { all[$0] ?? .nan }, comment)
        }
    }

    @Test(arguments: [Metric.cosine, .innerProduct, .l2])
    func `are those of the scan, with a graph and without`(metric: Metric) throws {
        let rows = try IndexedRows("chosen", dimension: 1_024, usedComponents: 32, metric: metric, seed: 31)
        try rows.append(150)
        try expectScores(rows, "tail")
        try rows.fold()
        try expectScores(rows, "segments")
        try rows.work()
        try expectScores(rows, "linked")
        try rows.append(90)
        try expectScores(rows, "linked, and a tail")
        try rows.fold()
        try rows.erase([0, 3, 77, 200])
        try expectScores(rows, "with erased rows")
    }
}
