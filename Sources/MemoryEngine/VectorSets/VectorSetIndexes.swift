import HNSW
import Store

/// What an open home keeps of its vector sets from command to command: the graphs over their spaces, and the projections of
/// the sets that have one.
final class VectorSetIndexes: Sendable {
    private struct State {
        var indexes: [UInt16: HNSWIndex] = [:]
        var projections: [UInt32: RandomProjection] = [:]
    }

    private let parameters: HNSWParameters
    /// Fewer erased slots are no reason to rewrite a space.
    let leastErased: UInt32
    private let state = Mutex(State())

    init(_ indexes: VectorIndexes) {
        parameters = indexes.parameters
        leastErased = indexes.leastErased
    }

    func index(of set: VectorSetRecord) -> HNSWIndex {
        index(of: set.segments(of: set.space), m: set.m)
    }

    /// - Parameter m: the links of a node in each layer; a graph has as many at most as two lists of them fit into a page.
    func index(of segments: VectorSegments, m: Int) -> HNSWIndex {
        state.withLock { state in
            // A number may have belonged to another set before.
            if let index = state.indexes[segments.space], index.segments == segments { return index }
            var parameters = parameters
            parameters.m = min(m, Self.largestM)
            parameters.m0 = parameters.m * 2
            parameters.efConstruction = max(parameters.efConstruction, parameters.m)
            let index = HNSWIndex(table: Schema.link, segments: segments, parameters: parameters)
            state.indexes[segments.space] = index
            return index
        }
    }

    private static let largestM = 252

    /// What is kept of a space whose number is free is of no use to the next one that gets it.
    func forget(_ space: UInt16) { _ = state.withLock { $0.indexes.removeValue(forKey: space) } }

    /// The vector as the set keeps it.
    func projected(_ vector: [Float], for set: VectorSetRecord) -> [Float] {
        guard set.inputDimension > 0 else { return vector }
        let known = state.withLock { $0.projections[set.id] }
        let projection =
            known
            ?? RandomProjection(
                from: set.inputDimension, to: set.dimension, seed: UInt64(set.id))
        if known == nil { state.withLock { $0.projections[set.id] = projection } }
        return projection(vector)
    }
}

/// A random projection to fewer dimensions, which keeps angles about as they are.
///
/// Its matrix has the entries 1 and -1 by chance (Achlioptas, "Database-friendly random projections", 2003), as bits: the
/// same seed gives the same one.
struct RandomProjection: Sendable {
    let inputDimension: Int
    let dimension: Int
    /// A row for each dimension of the output, whole words each.
    private let signs: [UInt64]
    private var wordsPerRow: Int { (inputDimension + 63) / 64 }

    /// - Complexity: O(from × to / 64).
    init(from inputDimension: Int, to dimension: Int, seed: UInt64) {
        self.inputDimension = inputDimension
        self.dimension = dimension
        let count = (inputDimension + 63) / 64 * dimension
        signs = (0..<count).map { SplitMix64.number(UInt64($0), of: seed) }
    }

    /// - Complexity: O(from × to).
    func callAsFunction(_ vector: [Float]) -> [Float] {
        precondition(vector.count == inputDimension)
        let scale = 1 / Float(dimension).squareRoot()
        return (0..<dimension).map { row in
            var sum: Float = 0
            for (place, value) in vector.enumerated() {
                let bit = signs[row * wordsPerRow + place / 64] >> UInt64(place % 64) & 1
                sum += bit == 1 ? value : -value
            }
            return sum * scale
        }
    }
}
