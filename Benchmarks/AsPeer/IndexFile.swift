import ArgumentParser
import Foundation
import HNSW
import Store

/// A file with the vectors of one space, its index, and numbers to filter by: what a harness compares with other
/// libraries.
final class IndexFile {
    static let vectors = Table(name: "vector", index: 0)
    static let links = Table(name: "link", index: 1)
    static let about = Table(name: "about", index: 2)
    /// Which field (u8) and value (u16) → the passages that have it, ascending.
    static let numbers = Table(name: "number", index: 3)
    private static let tables = [vectors, links, about, numbers]

    let environment: Environment
    let index: HNSWIndex
    let metric: Metric
    private(set) var extent: VectorSegments.Extent

    var count: Int { Int(extent.nextSlot) }
    var dimension: Int { index.segments.dimension }

    /// A number of each row that a filter can ask for.
    enum Field: UInt8 {
        case payload = 0x75
        case group = 0x67

        var name: String { self == .payload ? "payload" : "groups" }
    }

    /// What a build is to make, so that one that was interrupted goes on with the same rows and settings, and no search
    /// takes a part for the whole.
    struct Plan: Equatable {
        let rowCount: Int
        /// Of the settings and the rows: all that must be as it was.
        let digest: [UInt8]
    }

    /// The key of what the file holds, and of what it is to hold.
    private static let (extentKey, planKey) = (Key(prefix: 0), Key(prefix: 1))

    private init(
        _ environment: Environment, _ metric: Metric, _ dimension: Int, _ extent: VectorSegments.Extent,
        _ parameters: HNSWParameters
    ) {
        self.environment = environment
        self.metric = metric
        self.extent = extent
        let segments = VectorSegments(table: Self.vectors, space: 1, dimension: dimension, metric: metric)
        index = HNSWIndex(table: Self.links, segments: segments, parameters: parameters)
    }

    /// Makes a file.
    static func create(
        at path: String, dimension: Int, metric: Metric, parameters: HNSWParameters
    ) throws -> IndexFile {
        let environment = try Environment.open(path: path, tables: Self.tables)
        return IndexFile(
            environment, metric, dimension, VectorSegments.Extent(nextSlot: 0, segmentedSlots: 0), parameters)
    }

    /// Opens a file that was begun before; `nil` if nothing was.
    static func find(at path: String, parameters: HNSWParameters = HNSWParameters()) throws -> IndexFile? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let environment = try Environment.open(path: path, tables: Self.tables)
        let about = try environment.read { transaction -> (Metric, Int, VectorSegments.Extent)? in
            guard let value = try Self.about.get(Self.extentKey, in: transaction), value.byteCount == 13,
                let metric = Metric(rawValue: value.u8(at: 0))
            else { return nil }
            return (
                metric, Int(value.u32(at: 1)),
                VectorSegments.Extent(nextSlot: value.u32(at: 5), segmentedSlots: value.u32(at: 9))
            )
        }
        guard let (metric, dimension, extent) = about else {
            environment.close()
            return nil
        }
        return IndexFile(environment, metric, dimension, extent, parameters)
    }

    /// Opens a file that was made to its end.
    static func open(at path: String) throws -> IndexFile {
        guard let file = try find(at: path) else {
            throw ValidationError("there is no index at \(path); make it with `bench build`")
        }
        let planned = try file.plan()?.rowCount ?? 0
        guard file.count == planned, try file.isLinked() else {
            throw ValidationError(
                "\(path) has \(file.count) of \(planned) rows, and not all are linked: `bench build` with the same files and "
                    + "options goes on")
        }
        return file
    }

    /// Keeps what is to be made, and the numbers of all rows, in one commit.
    func begin(_ plan: Plan, _ numbers: [(field: Field, values: [UInt16])]) throws {
        var writer = ByteWriter()
        writer.u32(UInt32(plan.rowCount))
        writer.raw(plan.digest)
        let bytes = writer.bytes
        try environment.write { transaction in
            try Self.about.put(Self.planKey, bytes, in: transaction)
            try Self.about.put(Self.extentKey, self.about(self.extent), in: transaction)
            for (field, values) in numbers { try Self.put(values, of: field, in: transaction) }
        }
    }

    func plan() throws -> Plan? {
        try environment.read { transaction in
            guard let value = try Self.about.get(Self.planKey, in: transaction), value.byteCount > 4 else {
                return nil
            }
            return Plan(
                rowCount: Int(value.u32(at: 0)), digest: (4..<value.byteCount).map { value.u8(at: $0) })
        }
    }

    /// Whether nothing is left to link.
    func isLinked() throws -> Bool {
        let extent = extent
        return try environment.read { try index.dueWork(extent, in: $0) == nil }
    }

    /// How many rows the graph holds.
    func linkedCount() throws -> Int {
        try environment.read { transaction in
            guard try index.hasGraph(in: transaction) else { return 0 }
            return Int(try index.state(in: transaction)?.linkedSlots ?? 0)
        }
    }

    /// Whether rows have a number of this field.
    func has(_ field: Field) throws -> Bool {
        try environment.read { transaction in
            var isThere = false
            try Self.numbers.scan(
                prefix: Key(prefix: field.rawValue), in: transaction, isVerified: false
            ) { _, _ in
                isThere = true
                return false
            }
            return isThere
        }
    }

    /// Appends rows in one durable commit, and folds them as far as they fill segments. A row's passage is its number.
    func append(_ rows: [[Float]]) throws {
        let first = extent.nextSlot
        let batch = rows.enumerated().map { (passage: first + UInt32($0.offset), vector: $0.element) }
        let segments = index.segments
        extent = try environment.write { transaction in
            var extent = self.extent
            try segments.append(batch, &extent, in: transaction)
            _ = try segments.fold(&extent, atMost: Int.max, in: transaction)
            try Self.about.put(Self.extentKey, self.about(extent), in: transaction)
            return extent
        }
    }

    private func about(_ extent: VectorSegments.Extent) -> [UInt8] {
        var about = ByteWriter()
        about.u8(metric.rawValue)
        about.u32(UInt32(dimension))
        about.u32(extent.nextSlot)
        about.u32(extent.segmentedSlots)
        return about.bytes
    }

    /// Lets the author do one step. Returns how many rows it linked; `nil` if nothing was left to do.
    func linkStep(_ computing: inout Samples, _ committing: inout Samples) throws -> LinkBatch? {
        guard
            let batch = try computing.timeNow({ try environment.read { try index.prepare(extent, in: $0) } })
        else { return nil }
        let isDone = try committing.timeNow { try environment.write { try index.commit(batch, in: $0) } }
        guard isDone else { throw ValidationError("a step was refused") }
        return batch
    }

    private static func put(
        _ numbers: [UInt16], of field: Field, in transaction: borrowing WriteTransaction
    ) throws {
        var passages: [UInt16: ByteWriter] = [:]
        for (passage, number) in numbers.enumerated() {
            passages[number, default: ByteWriter()].u32(UInt32(passage))
        }
        for (number, list) in passages.sorted(by: { $0.key < $1.key }) {
            try Self.numbers.put(Key(prefix: field.rawValue).u16(number), list.bytes, in: transaction)
        }
    }

    /// - Throws: `ValidationError` for a row that cannot be compared, by its number.
    static func check(_ vector: [Float], dimension: Int, metric: Metric, _ name: String) throws {
        do { try Distance.check(vector, dimension: dimension, metric: metric) } catch {
            throw ValidationError("\(name): \(error)")
        }
    }

    /// The rows whose number is in one of the ranges.
    func filter(
        _ field: Field, _ ranges: [ClosedRange<UInt16>], in transaction: borrowing ReadTransaction
    ) throws -> PassageFilter {
        var words = [UInt64](repeating: 0, count: (count + 63) / 64)
        // Safe because a place is compared with the count before its bit is set.
        try unsafe words.withUnsafeMutableBufferPointer { words in
            for range in ranges {
                try Self.numbers.scan(
                    prefix: Key(prefix: field.rawValue),
                    from: Key(prefix: field.rawValue).u16(range.lowerBound), in: transaction,
                    isVerifiedOnce: true
                ) { key, value in
                    guard key.keyU16(at: 1) <= range.upperBound else { return false }
                    for place in 0..<value.byteCount / 4 {
                        let passage = Int(value.u32(at: place * 4))
                        if passage < count { unsafe words[passage >> 6] |= 1 << UInt64(passage & 63) }
                    }
                    return true
                }
            }
        }
        return PassageFilter(words: words)
    }
}
