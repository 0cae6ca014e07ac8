import ArgumentParser
import Foundation
import HNSW
import MemoryEngine

/// The real text and its vectors.
struct Corpus {
    /// Paragraphs of Debian's documentation, 40 to 300 words each.
    let paragraphs: [String]

    /// Reads the first `count` paragraphs.
    init(_ options: CommonOptions, count: Int) throws {
        let path = options.data + "/paragraphs.jsonl"
        guard let data = FileManager.default.contents(atPath: path) else { throw Self.missing(path) }
        var paragraphs: [String] = []
        paragraphs.reserveCapacity(count)
        for line in data.split(separator: UInt8(ascii: "\n")) where paragraphs.count < count {
            guard let object = try JSONSerialization.jsonObject(with: line) as? [String: Any],
                let content = object["content"] as? String
            else { throw ValidationError("\(path), line \(paragraphs.count + 1): no \"content\"") }
            paragraphs.append(content)
        }
        guard paragraphs.count == count else {
            throw ValidationError(
                "\(path) has \(paragraphs.count) paragraphs, \(count) are needed; fetch more")
        }
        self.paragraphs = paragraphs
    }

    static func missing(_ path: String) -> ValidationError {
        ValidationError(
            """
            \(path) is not there. Make the text and its vectors once, or name their folder with --data:
                scripts/fetch-corpus .cache/corpus
                scripts/embed-corpus .cache/corpus 101000
            """)
    }
}

/// Vectors of the first paragraphs by all-MiniLM-L6-v2, and more of their kind.
struct CorpusVectors {
    static let space = EmbeddingSpace(model: "all-MiniLM-L6-v2", dimension: 384)
    static let liftedSpace = EmbeddingSpace(model: "all-MiniLM-L6-v2-lifted", dimension: 1_024)

    let dimension = CorpusVectors.space.dimension
    let count: Int
    private let values: [Float]

    /// Reads `vectors.f32.npy`.
    init(_ options: CommonOptions) throws {
        let path = options.data + "/vectors.f32.npy"
        guard FileManager.default.fileExists(atPath: path) else { throw Corpus.missing(path) }
        let file = try NumberFile(path, of: .float32)
        guard file.columnCount == dimension else {
            throw ValidationError("\(path) has rows of \(file.columnCount) floats, not of \(dimension)")
        }
        count = file.rowCount
        values = (0..<file.rowCount).flatMap(file.floats)
    }

    subscript(row: Int) -> [Float] { Array(values[row * dimension..<(row + 1) * dimension]) }

    /// The real rows, and then mixtures of a row and three of its neighbors with a little noise, of length 1.
    func rows(_ wanted: Int, seed: UInt64 = 1) -> [[Float]] {
        var rows = (0..<min(wanted, count)).map { self[$0] }
        rows += mixtures(max(0, wanted - count), seed: seed)
        return rows
    }

    /// Mixtures of a row and three of its nearest neighbors with a little noise, of length 1: questions, and
    /// further rows, that lie where the real ones lie.
    func mixtures(_ wanted: Int, seed: UInt64) -> [[Float]] {
        guard wanted > 0 else { return [] }
        var random = SeededRandom(seed: seed)
        let bases = (0..<wanted).map {
            wanted > count ? $0 % count : Int.random(in: 0..<count, using: &random)
        }
        let neighbors = nearest(Array(Set(bases)).sorted())
        return bases.map { base in
            var mixture = self[base]
            for neighbor in neighbors[base] ?? [] {
                let share = Float.random(in: 0..<1, using: &random)
                for index in 0..<dimension { mixture[index] += share * values[neighbor * dimension + index] }
            }
            for index in 0..<dimension { mixture[index] += Float.random(in: -0.02...0.02, using: &random) }
            return Self.normalized(mixture)
        }
    }

    /// The three nearest neighbors of chosen rows, by BLAS.
    private func nearest(_ chosen: [Int]) -> [Int: [Int]] {
        let blockCount = 64
        var products = [Float](repeating: 0, count: blockCount * count)
        var result: [Int: [Int]] = [:]
        for start in stride(from: 0, to: chosen.count, by: blockCount) {
            let block = chosen[start..<min(start + blockCount, chosen.count)]
            let queries = block.flatMap { self[$0] }
            var target = products.mutableSpan
            // Safe because floats have no padding, and the span lives as long as the call.
            unsafe Distance.dots(
                queries: queries.span, queryCount: block.count, rows: values.span.bytes,
                strideBytes: dimension * 4,
                count: count, into: &target)
            for (place, row) in block.enumerated() {
                var best: [(Float, Int)] = []
                for other in 0..<count where other != row {
                    let product = products[place * count + other]
                    if best.count < 3 || product > best[2].0 {
                        best.append((product, other))
                        best.sort { $0.0 > $1.0 }
                        if best.count > 3 { best.removeLast() }
                    }
                }
                result[row] = best.map(\.1)
            }
        }
        return result
    }

    /// Rows of 384 lifted to 1,024 components by a random matrix that is always the same; angles are kept but
    /// for a few percent.
    static func lifted(_ rows: [[Float]]) -> [[Float]] {
        var random = SeededRandom(seed: 9)
        let target = liftedSpace.dimension
        let source = space.dimension
        let matrix = (0..<target * source).map { _ in Float.random(in: -1...1, using: &random) }
        var lifted: [[Float]] = []
        lifted.reserveCapacity(rows.count)
        for start in stride(from: 0, to: rows.count, by: 256) {
            let block = rows[start..<min(start + 256, rows.count)]
            let queries = block.flatMap { $0 }
            var products = [Float](repeating: 0, count: block.count * target)
            var span = products.mutableSpan
            // Safe because floats have no padding, and the span lives as long as the call.
            unsafe Distance.dots(
                queries: queries.span, queryCount: block.count, rows: matrix.span.bytes,
                strideBytes: source * 4,
                count: target, into: &span)
            for place in 0..<block.count {
                lifted.append(normalized(Array(products[place * target..<(place + 1) * target])))
            }
        }
        return lifted
    }

    private static func normalized(_ vector: [Float]) -> [Float] {
        let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return vector.map { $0 / norm }
    }
}

/// SplitMix64: the same numbers on every machine.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
