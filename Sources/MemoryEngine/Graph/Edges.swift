import Store

/// The label of an edge, in one of the four graphs. The numbers are in files.
package enum EdgeLabel: UInt16, Sendable, CaseIterable {
    case supersedes = 1
    case derivedFrom = 2
}

/// A typed, directed link between two memories of a home. Key: its number.
struct EdgeRecord: Equatable, Sendable {
    var from: UInt64
    var label: UInt16
    var to: UInt64
    var recordedFrom: Int64
    var recordedUntil: Int64 = .max
    var validFrom: Int64 = .min
    var validUntil: Int64 = .max
    var weight: Float = 1
    var origin: Origin

    func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.u64(from)
        writer.u16(label)
        writer.u64(to)
        writer.i64(recordedFrom)
        writer.i64(recordedUntil)
        writer.i64(validFrom)
        writer.i64(validUntil)
        writer.f32(weight)
        origin.encode(into: &writer)
        return writer.bytes
    }

    init(decoding bytes: RawSpan) throws {
        var reader = ByteReader(bytes)
        from = try reader.u64()
        label = try reader.u16()
        to = try reader.u64()
        recordedFrom = try reader.i64()
        recordedUntil = try reader.i64()
        validFrom = try reader.i64()
        validUntil = try reader.i64()
        weight = try reader.f32()
        origin = try Origin(from: &reader)
        try reader.finish()
    }

    init(from: UInt64, label: EdgeLabel, to: UInt64, recordedFrom: Int64, origin: Origin) {
        self.from = from
        self.label = label.rawValue
        self.to = to
        self.recordedFrom = recordedFrom
        self.origin = origin
    }
}

/// Writes edges with their two directions, and takes them out again.
enum Edges {
    static func recordKey(_ edge: UInt64) -> Key { Key(prefix: Schema.Edge.record).u64(edge) }
    static func outKey(_ from: UInt64, _ label: UInt16, _ to: UInt64, _ edge: UInt64) -> Key {
        Key(prefix: Schema.Edge.out).u64(from).u16(label).u64(to).u64(edge)
    }
    static func intoKey(_ to: UInt64, _ label: UInt16, _ from: UInt64, _ edge: UInt64) -> Key {
        Key(prefix: Schema.Edge.into).u64(to).u16(label).u64(from).u64(edge)
    }

    static func add(
        _ record: EdgeRecord, _ state: inout HomeState, in transaction: borrowing WriteTransaction
    ) throws {
        let edge = state.nextEdge
        state.nextEdge += 1
        try Schema.edge.put(recordKey(edge), record.encode(), in: transaction)
        try Schema.edge.put(outKey(record.from, record.label, record.to, edge), [], in: transaction)
        try Schema.edge.put(intoKey(record.to, record.label, record.from, edge), [], in: transaction)
    }

    /// The edges that begin or end at `row`, with their numbers.
    static func touching(
        _ row: UInt64, in transaction: borrowing ReadTransaction
    ) throws -> [(edge: UInt64, record: EdgeRecord)] {
        var numbers = Set<UInt64>()
        for prefix in [Schema.Edge.out, Schema.Edge.into] {
            try Schema.edge.scan(prefix: Key(prefix: prefix).u64(row), in: transaction) { key, _ in
                guard key.byteCount == 27 else { throw StoreError(.corrupted, "a key of an edge is not one") }
                numbers.insert(key.keyU64(at: 19))
                return true
            }
        }
        return try numbers.sorted().map { number in
            guard let value = try Schema.edge.get(recordKey(number), in: transaction) else {
                throw StoreError(.corrupted, "edge \(number) has no record")
            }
            return (number, try EdgeRecord(decoding: value))
        }
    }

    static func remove(
        _ edge: UInt64, _ record: EdgeRecord, in transaction: borrowing WriteTransaction
    ) throws {
        try Schema.edge.remove(recordKey(edge), in: transaction)
        try Schema.edge.remove(outKey(record.from, record.label, record.to, edge), in: transaction)
        try Schema.edge.remove(intoKey(record.to, record.label, record.from, edge), in: transaction)
    }
}
