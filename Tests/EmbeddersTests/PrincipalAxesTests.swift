import TestSupport
import Testing

@testable import Embedders

@Suite struct `Principal axes` {
    /// A covariance of rank `rank`.
    private func covariance(width: Int, rank: Int, seed: UInt64) -> [Double] {
        var random = SeededRandom(seed: seed)
        let rows = (0..<rank).map { row in
            (0..<width).map { _ in Double.random(in: -1...1, using: &random) * Double(row + 1) }
        }
        return (0..<width * width).map { place in
            rows.reduce(0) { $0 + $1[place / width] * $1[place % width] }
        }
    }

    @Test(arguments: [(1, 1), (2, 2), (7, 7), (8, 8), (9, 3), (33, 33), (40, 12)])
    func `are eigenvectors, the largest first, of length 1 and at right angles`(width: Int, rank: Int) throws
    {
        let matrix = covariance(width: width, rank: rank, seed: UInt64(width))
        let main = try PrincipalAxes(ofCovariance: matrix, width: width)
        #expect(main.values == main.values.sorted(by: >))
        for (value, axis) in zip(main.values, main.axes).prefix(rank) {
            for row in 0..<width {
                let turned = (0..<width).reduce(0.0) { $0 + matrix[row * width + $1] * axis[$1] }
                #expect(abs(turned - value * axis[row]) < 1e-8 * main.values[0])
            }
            #expect(try #require(axis.max { abs($0) < abs($1) }) > 0)
        }
        for (first, axis) in main.axes.prefix(rank).enumerated() {
            for (second, other) in main.axes.prefix(rank).enumerated() {
                let product = zip(axis, other).reduce(0) { $0 + $1.0 * $1.1 }
                #expect(abs(product - (first == second ? 1 : 0)) < 1e-9)
            }
        }
        #expect(main.axes.dropFirst(rank).allSatisfy { $0.allSatisfy { $0 == 0 } })
    }

    @Test func `of nothing are zeros`() throws {
        let main = try PrincipalAxes(ofCovariance: [Double](repeating: 0, count: 9), width: 3)
        #expect(main.values == [0, 0, 0] && main.axes.allSatisfy { $0 == [0, 0, 0] })
    }
}
