import Glibc
import HNSW
import Store
import Testing

import struct Synchronization.Atomic

/// SplitMix64, so that a failure repeats.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &self) }
}

/// A file with the vectors of a space and their index, and what should be in it.
///
/// Segments are values of 256 KiB, so rows are made long, and only their first components are used: then a segment
/// has few rows, and a few dozen rows make several.
final class IndexedRows {
    static let vectors = Table(name: "vector", index: 0)
    static let links = Table(name: "link", index: 1)
    private static let fileCount = Atomic<Int>(0)

    let path: String
    let segments: VectorSegments
    let parameters: HNSWParameters
    private(set) var index: HNSWIndex
    private(set) var environment: Environment
    private(set) var extent = VectorSegments.Extent(nextSlot: 0, segmentedSlots: 0)
    /// By slot; `nil` where it was erased.
    private(set) var model: [(passage: UInt32, vector: [Float])?] = []
    var random: SplitMix
    let usedComponents: Int

    /// Parameters that make small graphs deep and lists full.
    static var tiny: HNSWParameters {
        var parameters = HNSWParameters()
        parameters.m = 3
        parameters.m0 = 6
        parameters.efConstruction = 12
        parameters.efSearch = 24
        parameters.thresholdByteCount = 1
        parameters.rowsPerStep = 16
        parameters.pagesPerCommit = 40
        return parameters
    }

    init(
        _ name: String, dimension: Int = 4_096, usedComponents: Int = 8, metric: Metric = .cosine,
        seed: UInt64,
        parameters: HNSWParameters = IndexedRows.tiny
    ) throws {
        // Tests run side by side, the same one with several arguments too.
        let number = Self.fileCount.add(1, ordering: .relaxed).newValue
        path = "/tmp/indexed-rows-\(getpid())-\(name)-\(number)"
        unlink(path)
        segments = VectorSegments(table: Self.vectors, space: 5, dimension: dimension, metric: metric)
        self.parameters = parameters
        self.usedComponents = usedComponents
        environment = try Self.open(path)
        index = HNSWIndex(table: Self.links, segments: segments, parameters: parameters)
        random = SplitMix(seed: seed)
    }

    deinit {
        environment.close()
        unlink(path)
        unlink(path + "-lock")
    }

    private static func open(_ path: String) throws -> Environment {
        var options = Environment.Options()
        options.durability = .none
        return try Environment.open(path: path, tables: [vectors, links], options: options)
    }

    func reopen() throws {
        environment.close()
        environment = try Self.open(path)
        // A process that goes on has its index still; a new one has not.
        if Bool.random(using: &random) {
            index = HNSWIndex(table: Self.links, segments: segments, parameters: parameters)
        }
    }

    var liveSlots: [Int] { model.indices.filter { model[$0] != nil } }

    func randomVector() -> [Float] {
        var vector = [Float](repeating: 0, count: segments.dimension)
        for place in 0..<usedComponents { vector[place] = Float.random(in: -1...1, using: &random) }
        vector[random.number(0..<usedComponents)] += 0.5
        return vector
    }

    func append(_ rows: [[Float]]) throws {
        let rows = rows.enumerated().map { (passage: UInt32(model.count + $0) * 3 + 1, vector: $1) }
        extent = try environment.write { transaction in
            var extent = self.extent
            try segments.append(rows, &extent, in: transaction)
            return extent
        }
        model += rows
    }

    func append(_ count: Int) throws { try append((0..<count).map { _ in randomVector() }) }

    func fold(atMost limit: Int = .max) throws {
        extent = try environment.write { transaction in
            var extent = self.extent
            _ = try segments.fold(&extent, atMost: limit, in: transaction)
            return extent
        }
    }

    func erase(_ slots: [Int]) throws {
        try environment.write { transaction in
            for slot in slots {
                try segments.erase(UInt32(slot), extent, in: transaction)
                try index.noteErased(UInt32(slot), extent, in: transaction)
            }
        }
        for slot in slots { model[slot] = nil }
    }

    func prepare() throws -> LinkBatch? { try environment.read { try index.prepare(extent, in: $0) } }

    func commit(_ batch: LinkBatch) throws -> Bool {
        try environment.write { try index.commit(batch, in: $0) }
    }

    /// Lets the author work until nothing is due, at most `limit` steps. Returns how many were done.
    @discardableResult
    func work(atMost limit: Int = .max) throws -> Int {
        var steps = 0
        while steps < limit, let batch = try prepare() {
            #expect(try commit(batch))
            steps += 1
            #expect(steps < 10_000, "the author never ends")
            if steps >= 10_000 { break }
        }
        return steps
    }

    /// Codes are compared now and then only, or always: these rows are long, and the kernels of a debug build slow.
    func validate(withCodes: Bool? = nil) throws -> [String] {
        let withCodes = withCodes ?? (random.number(0..<8) == 0)
        return try environment.read { try index.validate(extent, withCodes: withCodes, in: $0) }
    }

    func state() throws -> IndexState? { try environment.read { try index.state(in: $0) } }

    func search(
        _ query: [Float], k: Int = 10, ef: Int? = nil, filter: PassageFilter? = nil
    ) throws -> SearchResult {
        try environment.read { try index.search(query, k: k, ef: ef, filter: filter, extent, in: $0) }
    }

    /// Scores of the `k` best rows, by scanning all.
    func bestScores(_ query: [Float], k: Int, filter: PassageFilter? = nil) throws -> [Float] {
        var scores: [Float] = []
        try environment.read { transaction in
            try segments.scan(query, extent, in: transaction) { block in
                for (place, passage) in block.passages.enumerated() where passage != VectorSegments.noPassage
                {
                    if let filter, !filter.holds(passage) { continue }
                    scores.append(block.scores[place])
                }
            }
        }
        return Array(scores.sorted(by: >).prefix(k))
    }

    /// A filter of passages by slot.
    func filter(_ slots: [Int]) -> PassageFilter {
        var words = [UInt64](repeating: 0, count: (model.count * 3 + 64) / 64 + 1)
        for slot in slots {
            let passage = slot * 3 + 1
            words[passage >> 6] |= 1 << UInt64(passage & 63)
        }
        return PassageFilter(words: words)
    }

    /// Expects a search whose `ef` covers the whole graph to be as good as the scan, and its rows to be real ones.
    func expectComplete(k: Int = 10, filter: PassageFilter? = nil, _ comment: Comment? = nil) throws {
        let query = randomVector()
        let result = try search(query, k: k, ef: 4_000, filter: filter)
        let best = try bestScores(query, k: k, filter: filter)
        #expect(result.isComplete)
        #expect(result.neighbors.map(\.score) == best, comment)
        for neighbor in result.neighbors {
            #expect(model[Int(neighbor.slot)]?.passage == neighbor.passage, comment)
        }
        #expect(Set(result.neighbors.map(\.slot)).count == result.neighbors.count, comment)
    }
}

extension PassageFilter {
    func holds(_ passage: UInt32) -> Bool {
        let word = Int(passage >> 6)
        return word < words.count && words[word] >> UInt64(passage & 63) & 1 == 1
    }
}
