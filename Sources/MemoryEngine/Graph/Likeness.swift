import Glibc
import HNSW
import Store

/// When two vectors of a space are alike.
///
/// Each model spreads its vectors in its own way: cosines of memories that have nothing to do with each other are around
/// 0.1 for one and 0.8 for another. So the least likeness that counts is measured in the home itself: two memories taken
/// at random reach it in less than one of a thousand pairs. It is the higher of that share of a sample's pairs, and of
/// 3.09 standard deviations above their mean, which is the same share of a normal distribution. Where many memories say the
/// same, those pairs are among the sample; so it is no more than what most of the pairs allow.
enum Likeness {
    /// The most rows of the sample, at even distances.
    static let sampleCount = 96
    /// With fewer rows than that, the sample says nothing.
    private static let leastCount = 32
    private static let presumed: Float = 0.8
    /// For models of which it is known: what 2 of a thousand pairs of unlike requests reach (`bench intents`).
    private static let presumedOfModel: [String: Float] = [
        "all-MiniLM-L6-v2": 0.51, "all-MiniLM-L6-v2-tokens": 0.46, "loci-hash": 0.38,
    ]
    /// So many times the distance of the ninth decile from the median lies above the median what is alike at most; in a normal
    /// distribution that is 3.84 standard deviations.
    private static let deciles: Double = 3
    private static let allowed: ClosedRange<Float> = 0.3...0.95

    /// The least cosine of two memories that are alike.
    ///
    /// - Parameter isBest: of a memory and the one of all that is most like it; by chance alone that is about √(2 ln n)
    ///   deviations above the mean, for n memories.
    /// - Complexity: O(sample² × dimension).
    static func threshold(
        of space: SpaceRecord, isBest: Bool = false, in transaction: borrowing ReadTransaction
    ) throws -> Float {
        let step = max(1, (Int(space.nextSlot) + sampleCount - 1) / sampleCount)
        var sample: [[Float]] = []
        for slot in stride(from: 0, to: Int(space.nextSlot), by: step) {
            let (passage, vector) = try space.segments.row(UInt32(slot), space.extent, in: transaction)
            if passage != VectorSegments.noPassage { sample.append(normalized(vector)) }
        }
        guard sample.count >= leastCount else {
            return presumedOfModel[space.space.model] ?? presumed
        }
        var cosines: [Float] = []
        cosines.reserveCapacity(sample.count * (sample.count - 1) / 2)
        for first in sample.indices {
            for second in 0..<first { cosines.append(dot(sample[first], sample[second])) }
        }
        return threshold(of: cosines, among: isBest ? Int(space.nextSlot) : 0)
    }

    /// - Parameter size: the memories among which a best one is sought; 0 = any two are compared.
    /// - Precondition: there are cosines.
    static func threshold(of cosines: [Float], among size: Int = 0) -> Float {
        let count = Double(cosines.count)
        let mean = cosines.reduce(0.0) { $0 + Double($1) } / count
        let variance = cosines.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count
        let sorted = cosines.sorted(by: >)
        let deviations = max(3.09, (2 * log(Double(max(1, size)))).squareRoot())
        let least = max(sorted[sorted.count / 1_000], Float(mean + deviations * variance.squareRoot()))
        let (median, ninth) = (Double(sorted[sorted.count / 2]), Double(sorted[sorted.count / 10]))
        let most = Float(median + deciles * deviations / 3.09 * (ninth - median))
        return min(max(min(least, most), allowed.lowerBound), allowed.upperBound)
    }

    /// The cosine of two vectors; 0 where one has no length.
    static func cosine(_ a: [Float], _ b: [Float]) -> Float { dot(normalized(a), normalized(b)) }

    private static func normalized(_ vector: [Float]) -> [Float] {
        let square = vector.reduce(0.0) { $0 + Double($1) * Double($1) }
        guard square > 0, square.isFinite else { return vector.map { _ in 0 } }
        let factor = 1 / square.squareRoot()
        return vector.map { Float(Double($0) * factor) }
    }

    private static func dot(_ a: [Float], _ b: [Float]) -> Float {
        // Safe because floats have no padding.
        unsafe Distance.dot(a.span, b.span.bytes)
    }
}

extension NearMemories {
    /// The most that are like one memory.
    static let likeCount = 16
    /// The rows of vectors that are looked at for each passage, and the passages of a memory.
    private static let searchCount = 48
    private static let passageCount: UInt32 = 8

    /// The memories whose vectors are alike, by the nearest pair of passages, the most alike first.
    func similar(to row: UInt64, in transaction: borrowing ReadTransaction) throws -> [Near] {
        guard let version = try version(of: row, in: transaction)?.record else { return [] }
        var best: [UInt32: Float] = [:]
        let first = version.firstPassage
        for passage in first..<first + min(version.passageCount, Self.passageCount) {
            for space in view.spaces {
                guard let least = thresholds[space.number],
                    let slot = try PassageReader.slot(passage, space.number, view.state, in: transaction)
                else { continue }
                let vector = try space.segments.row(slot, space.extent, in: transaction).vector
                for (other, likeness) in try nearest(vector, space, in: transaction) where likeness >= least {
                    best[other] = max(best[other] ?? 0, likeness)
                }
            }
        }
        let passages = best.keys.sorted()
        let rows = try view.values(.row, of: passages, in: transaction) { $0.row }
        var likenessOfRow: [UInt64: Float] = [:]
        for (other, passage) in zip(rows, passages) where other != row {
            likenessOfRow[other] = max(likenessOfRow[other] ?? 0, best[passage] ?? 0)
        }
        return Self.mostAlike(likenessOfRow)
    }

    /// The most alike first; of equals the older memory.
    static func mostAlike(_ likenessOfRow: [UInt64: Float]) -> [Near] {
        likenessOfRow.map { Near(row: $0.key, weight: min(1, $0.value)) }.sorted {
            $0.weight != $1.weight ? $0.weight > $1.weight : $0.row < $1.row
        }.prefix(likeCount).map { $0 }
    }

    private func nearest(
        _ vector: [Float], _ space: SpaceRecord, in transaction: borrowing ReadTransaction
    ) throws -> [(passage: UInt32, likeness: Float)] {
        let found = try indexes.index(of: space).search(
            vector, k: Self.searchCount, filter: PassageFilter(words: eligible.words), space.extent,
            in: transaction)
        return try found.neighbors.map { neighbor in
            guard neighbor.passage < view.capacity else {
                throw StoreError(
                    .corrupted, "a vector belongs to passage \(neighbor.passage), which is not there")
            }
            if space.space.metric == .cosine { return (neighbor.passage, neighbor.score) }
            let other = try space.segments.row(neighbor.slot, space.extent, in: transaction).vector
            return (neighbor.passage, Likeness.cosine(vector, other))
        }
    }
}
