import Glibc
import HNSW
import Store
import Testing

/// SplitMix64, so that a failure repeats.
private struct Noise: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func vector(_ count: Int) -> [Float] {
        var vector = (0..<count).map { _ in Float.random(in: -1...1, using: &self) }
        vector[Int.random(in: 0..<count, using: &self)] = 0.5
        return vector
    }
}

/// A file of one table, and what its vectors should be.
private final class Space {
    static let table = Table(name: "vector", index: 0)

    let path: String
    let segments: VectorSegments
    private(set) var environment: Environment
    private(set) var extent = VectorSegments.Extent(nextSlot: 0, segmentedSlots: 0)
    /// By slot; `nil` where it was erased.
    private(set) var model: [(passage: UInt32, vector: [Float])?] = []
    private var noise: Noise

    init(dimension: Int, metric: Metric, seed: UInt64, number: UInt16 = 7) throws {
        path = "/tmp/vector-segments-\(getpid())-\(dimension)-\(metric)-\(seed)-\(number)"
        unlink(path)
        environment = try Self.open(path)
        segments = VectorSegments(table: Self.table, space: number, dimension: dimension, metric: metric)
        noise = Noise(state: seed)
    }

    deinit {
        environment.close()
        unlink(path)
        unlink(path + "-lock")
    }

    private static func open(_ path: String) throws -> Environment {
        var options = Environment.Options()
        options.durability = .none
        return try Environment.open(path: path, tables: [table], options: options)
    }

    func reopen() throws {
        environment.close()
        environment = try Self.open(path)
    }

    func append(_ count: Int) throws {
        let rows = (0..<count).map { index in
            (passage: UInt32(model.count + index) * 3 + 1, vector: noise.vector(segments.dimension))
        }
        extent = try environment.write { transaction in
            var extent = self.extent
            try segments.append(rows, &extent, in: transaction)
            return extent
        }
        model += rows
    }

    func fold(atMost limit: Int) throws -> Int {
        let (made, extent) = try environment.write { transaction in
            var extent = self.extent
            let made = try segments.fold(&extent, atMost: limit, in: transaction)
            return (made, extent)
        }
        self.extent = extent
        return made
    }

    func erase(_ slot: Int) throws {
        try environment.write { try segments.erase(UInt32(slot), extent, in: $0) }
        model[slot] = nil
    }

    func removeAll() throws {
        try environment.write { try segments.removeAll(in: $0) }
    }

    func randomVector() -> [Float] { noise.vector(segments.dimension) }
    func random(_ range: Range<Int>) -> Int { Int.random(in: range, using: &noise) }

    /// Compares all rows, read one by one and lent as passages, with the model.
    func expectRows() throws {
        try environment.read { transaction in
            var passages: [UInt32: UInt32] = [:]
            try segments.forEachPassage(extent, in: transaction) { passages[$0] = $1 }
            for (slot, expected) in model.enumerated() {
                let row = try segments.row(UInt32(slot), extent, in: transaction)
                #expect(passages[UInt32(slot)] == expected?.passage)
                #expect(row.passage == expected?.passage ?? VectorSegments.noPassage)
                let bits = (expected?.vector ?? [Float](repeating: 0, count: segments.dimension)).map(
                    \.bitPattern)
                #expect(row.vector.map(\.bitPattern) == bits, "slot \(slot)")
            }
            #expect(passages.count == model.filter { $0 != nil }.count)
        }
    }

    /// Compares the scores of a scan, and those of chosen slots, with sums in 64-bit floats.
    func expectScores(of query: [Float]) throws {
        try environment.read { transaction in
            var scores: [Float] = []
            try segments.scan(query, extent, in: transaction) { block in
                #expect(Int(block.firstSlot) == scores.count)
                for (place, passage) in block.passages.enumerated() {
                    let slot = Int(block.firstSlot) + place
                    #expect(passage == model[slot]?.passage ?? VectorSegments.noPassage)
                    scores.append(block.scores[place])
                }
            }
            #expect(scores.count == model.count)
            for (slot, row) in model.enumerated() {
                guard let row else { continue }
                let exact = Self.exactScore(query, row.vector, segments.metric)
                #expect(abs(Double(scores[slot]) - exact.value) <= exact.tolerance, "slot \(slot)")
            }
            let chosen = model.indices.filter { $0 % 3 != 1 && model[$0] != nil }.map { UInt32($0) }
            let some = try segments.scores(of: chosen, query, extent, in: transaction)
            #expect(some.count == chosen.count)
            for (slot, score) in zip(chosen, some) {
                let exact = Self.exactScore(query, model[Int(slot)]?.vector ?? [], segments.metric)
                #expect(abs(Double(score) - exact.value) <= exact.tolerance, "slot \(slot)")
            }
        }
    }

    /// The score in 64-bit floats, and how far 32-bit sums may lie from it.
    private static func exactScore(
        _ query: [Float], _ row: [Float], _ metric: Metric
    ) -> (value: Double, tolerance: Double) {
        var dot = 0.0
        var magnitude = 0.0
        var norms = (0.0, 0.0)
        for (x, y) in zip(query, row) {
            dot += Double(x) * Double(y)
            magnitude += abs(Double(x) * Double(y))
            norms.0 += Double(x) * Double(x)
            norms.1 += Double(y) * Double(y)
        }
        let rounding = Double(query.count + 4) * 0x1p-23
        switch metric {
        case .innerProduct: return (dot, rounding * magnitude)
        case .cosine: return (dot / (norms.0 * norms.1).squareRoot(), rounding)
        case .l2: return (2 * dot - norms.0 - norms.1, 2 * rounding * (norms.0 + norms.1))
        }
    }
}

@Suite struct `The vectors of a space` {
    @Test(arguments: [1, 3, 17, 384, 1_024, 1_152], Metric.allCases)
    func `agree with an array while they are appended, folded and erased`(
        dimension: Int, metric: Metric
    ) throws {
        let space = try Space(dimension: dimension, metric: metric, seed: UInt64(dimension) + 1)
        let perSegment = space.segments.rowsPerSegment
        // Small rows fill a segment late: there, one segment is enough.
        let isLong = perSegment > 1_000
        try space.append(1)
        try space.append(min(perSegment / 3, 300))
        #expect(try space.fold(atMost: 8) == 0)
        try space.erase(0)
        try space.expectScores(of: space.randomVector())
        try space.append(isLong ? perSegment : perSegment * 3)
        let due = Int(space.extent.nextSlot) / perSegment
        #expect(try space.fold(atMost: 1) == 1)
        try space.expectScores(of: space.randomVector())
        #expect(try space.fold(atMost: 8) == due - 1)
        #expect(try space.fold(atMost: 8) == 0)
        #expect(Int(space.extent.segmentedSlots) == due * perSegment)
        for _ in 0..<6 {
            let slot = space.random(0..<Int(space.extent.segmentedSlots))
            if space.model[slot] != nil { try space.erase(slot) }
        }
        try space.append(2)
        try space.erase(space.model.count - 1)
        try space.reopen()
        if !isLong { try space.expectRows() }
        for _ in 0..<2 { try space.expectScores(of: space.randomVector()) }
    }

    @Test(arguments: [(3, 1), (17, 2), (1_152, 3)] as [(Int, UInt64)])
    func `give every row back bit by bit, from tail and segment`(dimension: Int, seed: UInt64) throws {
        let space = try Space(dimension: dimension, metric: .l2, seed: seed)
        let count = min(space.segments.rowsPerSegment + 5, 700)
        try space.append(count)
        _ = try space.fold(atMost: 4)
        try space.erase(3)
        try space.erase(count - 2)
        try space.append(4)
        try space.expectRows()
    }

    @Test func `of two spaces keep apart`() throws {
        let first = try Space(dimension: 5, metric: .cosine, seed: 1)
        let second = VectorSegments(table: Space.table, space: 8, dimension: 9, metric: .innerProduct)
        try first.append(20)
        var extent = VectorSegments.Extent(nextSlot: 0, segmentedSlots: 0)
        let vector = [Float](repeating: 2, count: 9)
        try first.environment.write { transaction in
            var next = extent
            try second.append([(passage: 4, vector: vector)], &next, in: transaction)
            extent = next
        }
        try first.expectRows()
        try first.removeAll()
        let entries = try first.environment.read { transaction in
            #expect(try second.row(0, extent, in: transaction).vector == vector)
            return try Space.table.count(in: transaction)
        }
        #expect(entries == 1)
    }

    @Test func `are refused where the file lacks them`() throws {
        let space = try Space(dimension: 1_152, metric: .cosine, seed: 4)
        try space.append(space.segments.rowsPerSegment + 3)
        _ = try space.fold(atMost: 1)
        let wrong = VectorSegments.Extent(
            nextSlot: space.extent.nextSlot + 40, segmentedSlots: space.extent.segmentedSlots)
        try space.environment.read { transaction in
            #expect(throws: StoreError.self) {
                try space.segments.row(wrong.nextSlot, wrong, in: transaction)
            }
            #expect(throws: StoreError.self) {
                try space.segments.row(wrong.nextSlot - 1, wrong, in: transaction)
            }
            #expect(throws: StoreError.self) {
                try space.segments.scan(space.randomVector(), wrong, in: transaction) { _ in }
            }
            #expect(throws: StoreError.self) {
                try space.segments.forEachPassage(wrong, in: transaction) { _, _ in }
            }
        }
        try space.removeAll()
        try space.environment.read { transaction in
            #expect(throws: StoreError.self) { try space.segments.row(0, space.extent, in: transaction) }
            #expect(throws: StoreError.self) {
                try space.segments.scan(space.randomVector(), space.extent, in: transaction) { _ in }
            }
        }
    }
}
