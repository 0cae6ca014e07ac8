import MemoryEngine

/// The directions in which rows differ most: eigenvectors of a covariance, those of the largest eigenvalues first.
///
/// By rotations of pairs of rows until all are orthogonal (Hestenes, "Inversion of Matrices by Biorthogonalization and
/// Related Results", 1958): of a symmetric matrix without negative eigenvalues the rows are then the eigenvectors, each as long
/// as its eigenvalue. Only sums, products, quotients and roots in a fixed order take part, so every machine gets the same bits.
struct PrincipalAxes {
    let values: [Double]
    /// Of length 1, and of the largest component positive; zeros where the eigenvalue is nothing beside the largest.
    let axes: [[Double]]

    private typealias Lanes = SIMD8<Double>

    /// - Parameter matrix: symmetric, `width` rows of as many numbers, all finite.
    /// - Throws: `CancellationError`.
    /// - Complexity: some ten times `width`³ multiplications.
    init(ofCovariance matrix: [Double], width: Int) throws {
        precondition(matrix.count == width * width)
        // Rows in lanes, filled up with zeros.
        let laneCount = (width + Lanes.scalarCount - 1) / Lanes.scalarCount
        var rows = (0..<width).map { row in
            (0..<laneCount).map { lane in
                var lanes = Lanes()
                for place in 0..<min(Lanes.scalarCount, width - lane * Lanes.scalarCount) {
                    lanes[place] = matrix[row * width + lane * Lanes.scalarCount + place]
                }
                return lanes
            }
        }
        var isDone = false
        for _ in 0..<Self.maximumSweepCount where !isDone {
            isDone = true
            for first in 0..<width {
                try Task.checkCancellation()
                for second in first + 1..<width where Self.rotate(&rows, first, second) { isDone = false }
            }
        }
        let lengths = rows.map { Self.product($0, $0).squareRoot() }
        let order = lengths.indices.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
        let smallest = (lengths.max() ?? 0) * 1e-9
        values = order.map { lengths[$0] }
        axes = order.map { row in
            guard lengths[row] > smallest else { return [Double](repeating: 0, count: width) }
            let axis = (0..<width).map {
                rows[row][$0 / Lanes.scalarCount][$0 % Lanes.scalarCount] / lengths[row]
            }
            let largest = axis.max { abs($0) < abs($1) } ?? 0
            return largest < 0 ? axis.map { -$0 } : axis
        }
    }

    /// Some ten are enough for any matrix; what is left then is far below what eight bits hold.
    private static let maximumSweepCount = 30

    /// Turns two rows until they are orthogonal, the longer one first; `false` = they were.
    private static func rotate(_ rows: inout [[Lanes]], _ first: Int, _ second: Int) -> Bool {
        let (a, b) = (product(rows[first], rows[first]), product(rows[second], rows[second]))
        let c = product(rows[first], rows[second])
        guard abs(c) > 1e-12 * (a * b).squareRoot() else { return false }
        let slope = (b - a) / (2 * c)
        let tangent = (slope < 0 ? -1 : 1) / (abs(slope) + (1 + slope * slope).squareRoot())
        let cosine = 1 / (1 + tangent * tangent).squareRoot()
        let sine = cosine * tangent
        for lane in rows[first].indices {
            let (x, y) = (rows[first][lane], rows[second][lane])
            rows[first][lane] = x * cosine - y * sine
            rows[second][lane] = x * sine + y * cosine
        }
        return true
    }

    private static func product(_ a: [Lanes], _ b: [Lanes]) -> Double {
        var sum = Lanes()
        for lane in a.indices { sum += a[lane] * b[lane] }
        // Pairwise, in one order.
        let four = sum.lowHalf + sum.highHalf
        let two = four.lowHalf + four.highHalf
        return two.x + two.y
    }
}
