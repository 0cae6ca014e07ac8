import CKernels

/// A rotation at random, the same for the same seed: rounds of changing signs and a Hadamard transform (Ailon and
/// Chazelle, "The fast Johnson-Lindenstrauss transform", 2009), as `kernels_rotate_f32` has it.
///
/// What a vector says is spread evenly over all components, which are near a normal distribution then, whatever they
/// were before; so a few bits for each say the most.
struct Rotation: Sendable {
    /// Components of what is rotated, a multiple of 64; vectors are filled up with zeros.
    let dimension: Int
    private let rounds: Int
    private let signs: [Float]

    init(dimension: Int, seed: UInt64) {
        precondition(dimension > 0 && dimension.isMultiple(of: 64), "\(dimension) components")
        self.dimension = dimension
        // A transform of all components mixes well in two rounds; of a part at a time, in four.
        rounds = dimension.nonzeroBitCount == 1 ? 2 : 4
        signs = (0..<UInt64(rounds * dimension)).map { SplitMix64.number($0, of: seed) & 1 == 0 ? 1 : -1 }
    }

    /// Rotates `dimension` floats.
    ///
    /// Safe because there is a sign for each of them in each round, and their number is a multiple of 64.
    func apply(_ x: UnsafeMutablePointer<Float>) {
        unsafe signs.withUnsafeBufferPointer { signs in
            unsafe kernels_rotate_f32(x, dimension, signs.baseAddress, rounds)
        }
    }
}
