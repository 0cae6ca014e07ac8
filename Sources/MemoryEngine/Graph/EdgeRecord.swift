import Store

/// An edge that was given (by a caller, an import, a resolution), as it stands in the file. Key: its number.
struct EdgeRecord: Equatable, Sendable {
    var id: EdgeID
    var from: UInt64
    var kind: UInt16
    /// The row of the other end; 0 where it lies in another home.
    var to: UInt64
    var foreign: Foreign?
    var span: EdgeSpan
    var origin: Origin
    var evidence: [Evidence]

    /// A memory of another home.
    struct Foreign: Equatable, Sendable {
        var home: String
        var id: MemoryID
    }

    /// The homes that it leads to, or that its evidence cites, by path.
    var foreignHomes: Set<String> {
        Set(evidence.compactMap(\.namespace).map(Namespace.homePath)).union(foreign.map { [$0.home] } ?? [])
    }

    func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.u128(id.rawValue)
        writer.u64(from)
        writer.u16(kind)
        writer.u64(to)
        writer.optional(foreign) {
            $0.string($1.home)
            $0.u128($1.id.rawValue)
        }
        span.encode(into: &writer)
        origin.encode(into: &writer)
        writer.list(evidence) { $1.encode(into: &$0) }
        return writer.bytes
    }

    init(decoding bytes: RawSpan) throws {
        var reader = ByteReader(bytes)
        id = EdgeID(rawValue: try reader.u128())
        from = try reader.u64()
        kind = try reader.u16()
        to = try reader.u64()
        foreign = try reader.optional {
            Foreign(home: try $0.string(), id: MemoryID(rawValue: try $0.u128()))
        }
        span = try EdgeSpan(from: &reader)
        origin = try Origin(from: &reader)
        evidence = try reader.list { try Evidence(from: &$0) }
        try reader.finish()
        guard (to == 0) == (foreign != nil) else {
            throw StoreError(.corrupted, "an edge leads to this home and to another one")
        }
    }

    init(
        id: EdgeID, from: UInt64, kind: UInt16, to: UInt64, foreign: Foreign? = nil, span: EdgeSpan,
        origin: Origin, evidence: [Evidence] = []
    ) {
        self.id = id
        self.from = from
        self.kind = kind
        self.to = to
        self.foreign = foreign
        self.span = span
        self.origin = origin
        self.evidence = evidence
    }
}

/// What a walk asks of an edge: its weight and its two clocks. It stands beside both directions, so that a walk
/// reads no records.
struct EdgeSpan: Equatable, Sendable {
    static let byteCount = 36

    var weight: Float
    var recordedFrom: Int64
    var recordedUntil: Int64 = .max
    var validFrom: Int64 = .min
    var validUntil: Int64 = .max

    func encode(into writer: inout ByteWriter) {
        writer.f32(weight)
        writer.i64(recordedFrom)
        writer.i64(recordedUntil)
        writer.i64(validFrom)
        writer.i64(validUntil)
    }

    func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: Self.byteCount)
        encode(into: &writer)
        return writer.bytes
    }

    init(from reader: inout ByteReader) throws {
        weight = try reader.f32()
        recordedFrom = try reader.i64()
        recordedUntil = try reader.i64()
        validFrom = try reader.i64()
        validUntil = try reader.i64()
        guard weight > 0, weight <= 1, recordedFrom <= recordedUntil, validFrom <= validUntil else {
            throw StoreError(.corrupted, "an edge has a weight outside of 0 to 1, or ends before it begins")
        }
    }

    init(weight: Float, recordedFrom: Int64, valid: Range<Int64> = Int64.min..<Int64.max) {
        self.weight = weight
        self.recordedFrom = recordedFrom
        validFrom = valid.lowerBound
        validUntil = valid.upperBound
    }

    /// Whether the store knew it at `asOf` (`nil` = knows it now), and it was true at `validAt`.
    func holds(asOf: Int64?, validAt: Int64) -> Bool {
        let isKnown = asOf.map { recordedFrom <= $0 && $0 < recordedUntil } ?? (recordedUntil == .max)
        return isKnown && validFrom <= validAt && (validAt < validUntil || validUntil == .max)
    }
}
