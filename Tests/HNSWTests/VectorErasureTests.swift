import Foundation
import Store
import Testing

@testable import HNSW

@Suite struct `An erased vector` {
    private let table = Table(name: "vector", index: 0)

    /// Appends `count` rows whose components all are `marker`, folds what can be folded, and erases `slots`.
    private func bytesLeft(count: Int, dimension: Int, erasing slots: Range<UInt32>) throws -> [[UInt8]] {
        let path = NSTemporaryDirectory() + "erased-vector-\(UUID().uuidString)"
        defer {
            for suffix in ["", "-lock"] { try? FileManager.default.removeItem(atPath: path + suffix) }
        }
        let environment = try Environment.open(path: path, tables: [table])
        defer { environment.close() }
        let segments = VectorSegments(table: table, space: 1, dimension: dimension, metric: .cosine)
        return try environment.write { transaction in
            var extent = VectorSegments.Extent(nextSlot: 0, segmentedSlots: 0)
            let vector = [Float](repeating: Self.marker, count: dimension)
            let rows = (0..<count).map { (passage: UInt32($0), vector: vector) }
            try segments.append(rows, &extent, in: transaction)
            _ = try segments.fold(&extent, atMost: 8, in: transaction)
            #expect(extent.segmentedSlots > 0)
            for slot in slots { try segments.erase(slot, extent, in: transaction) }
            var values: [[UInt8]] = []
            try table.scan(prefix: Key(), in: transaction.snapshot) { _, value in
                values.append(value.array)
                return true
            }
            return values
        }
    }

    private static let marker: Float = 1234.5
    private static let pattern = withUnsafeBytes(of: marker.bitPattern.littleEndian) { Array($0) }

    @Test(arguments: [96, 384, 1_000])
    func `leaves no byte in any page, in segments and in the tail`(dimension: Int) throws {
        let segments = VectorSegments(table: table, space: 1, dimension: dimension, metric: .cosine)
        let count = segments.rowsPerSegment + 3
        let values = try bytesLeft(count: count, dimension: dimension, erasing: 0..<UInt32(count))
        let left = values.filter { value in
            guard value.count >= 8 else { return false }
            let pair = Self.pattern + Self.pattern
            return (0...value.count - 8).contains { value[$0..<$0 + 8].elementsEqual(pair) }
        }
        #expect(left.count == 0, "of \(values.count) values")
    }
}
