import Store

/// How an edge was derived. The numbers are in files.
enum DerivationRule: UInt8, Sendable, CaseIterable {
    case mention = 1
    case citedHash = 2
    case citedKey = 3
    case link = 4
    case revertsCommit = 5
    case fixesTrailer = 6
    case statedCause = 7
    case actor = 8
    case file = 9
    case address = 10

    var name: String {
        switch self {
        case .mention: "names it"
        case .citedHash: "cites its hash"
        case .citedKey: "cites its key"
        case .link: "links to it"
        case .revertsCommit: "says that it reverts it"
        case .fixesTrailer: "says that it fixes it"
        case .statedCause: "says that it is the cause"
        case .actor: "is by it"
        case .file: "changes it"
        case .address: "is from it"
        }
    }
}

/// Edges that follow from the words of a memory's current version: one for each (from, kind, to), in both
/// directions, with the place where it is said. They are derived state: `rebuild` makes them anew.
///
/// When a memory is updated, what its new words no longer say is closed, not removed, so that a walk as of an
/// earlier time still finds it; forgetting removes all.
enum DerivedEdges {
    static func outKey(_ from: UInt64, _ kind: UInt16, _ to: UInt64) -> Key {
        Key(prefix: Schema.Edge.derivedOut).u64(from).u16(kind).u64(to)
    }
    static func intoKey(_ to: UInt64, _ kind: UInt16, _ from: UInt64) -> Key {
        Key(prefix: Schema.Edge.derivedInto).u64(to).u16(kind).u64(from)
    }

    static let keyByteCount = 19

    /// The value beside an outgoing direction.
    struct Out: Equatable, Sendable {
        static let byteCount = 33

        var span: Span
        var rule: DerivationRule
        /// The version of `from`, and the bytes of its content, where it is said.
        var version: UInt32
        var range: Range<UInt32>

        func encode() -> [UInt8] {
            var writer = ByteWriter(capacity: Self.byteCount)
            span.encode(into: &writer)
            writer.u8(rule.rawValue)
            writer.u32(version)
            writer.u32(range.lowerBound)
            writer.u32(range.upperBound)
            return writer.bytes
        }

        init(decoding bytes: RawSpan) throws {
            var reader = ByteReader(bytes)
            span = try Span(from: &reader)
            guard let rule = DerivationRule(rawValue: try reader.u8()) else {
                throw StoreError(.corrupted, "an edge was derived by an unknown rule; run `loci rebuild`")
            }
            self.rule = rule
            version = try reader.u32()
            let from = try reader.u32()
            let until = try reader.u32()
            guard from <= until else { throw StoreError(.corrupted, "a citation ends before it begins") }
            range = from..<until
            try reader.finish()
        }

        init(span: Span, rule: DerivationRule, version: UInt32, range: Range<UInt32>) {
            self.span = span
            self.rule = rule
            self.version = version
            self.range = range
        }
    }

    /// What a walk asks of it; beside both directions.
    struct Span: Equatable, Sendable {
        static let byteCount = 20

        var weight: Float
        var recordedFrom: Int64
        var recordedUntil: Int64 = .max

        func encode(into writer: inout ByteWriter) {
            writer.f32(weight)
            writer.i64(recordedFrom)
            writer.i64(recordedUntil)
        }

        init(weight: Float, recordedFrom: Int64) {
            self.weight = weight
            self.recordedFrom = recordedFrom
        }

        init(from reader: inout ByteReader) throws {
            weight = try reader.f32()
            recordedFrom = try reader.i64()
            recordedUntil = try reader.i64()
            guard weight > 0, weight <= 1, recordedFrom <= recordedUntil else {
                throw StoreError(
                    .corrupted, "an edge has a weight outside of 0 to 1, or ends before it begins")
            }
        }

        /// Whether the store knew it at `asOf`; `nil` = knows it now.
        func holds(asOf: Int64?) -> Bool {
            asOf.map { recordedFrom <= $0 && $0 < recordedUntil } ?? (recordedUntil == .max)
        }
    }

    static func put(
        _ from: UInt64, _ kind: UInt16, _ to: UInt64, _ out: Out, in transaction: borrowing WriteTransaction
    ) throws {
        try Schema.edge.put(outKey(from, kind, to), out.encode(), in: transaction)
        var writer = ByteWriter(capacity: Span.byteCount)
        out.span.encode(into: &writer)
        try Schema.edge.put(intoKey(to, kind, from), writer.bytes, in: transaction)
    }

    static func out(
        _ from: UInt64, _ kind: UInt16, _ to: UInt64, in transaction: borrowing ReadTransaction
    ) throws -> Out? {
        guard let value = try Schema.edge.get(outKey(from, kind, to), in: transaction) else { return nil }
        return try Out(decoding: value)
    }

    /// All that lead out of a row: kind, other end, value.
    static func leadingOut(
        of row: UInt64, in transaction: borrowing ReadTransaction
    ) throws -> [(kind: UInt16, to: UInt64, out: Out)] {
        var found: [(UInt16, UInt64, Out)] = []
        try Schema.edge.scan(prefix: Key(prefix: Schema.Edge.derivedOut).u64(row), in: transaction) {
            key, value in
            guard key.byteCount == keyByteCount else {
                throw StoreError(.corrupted, "a key of an edge is not one")
            }
            found.append((key.keyU16(at: 9), key.keyU64(at: 11), try Out(decoding: value)))
            return true
        }
        return found
    }

    /// All that lead into a row: kind and other end.
    static func leadingInto(
        _ row: UInt64, in transaction: borrowing ReadTransaction
    ) throws -> [(kind: UInt16, from: UInt64)] {
        var found: [(UInt16, UInt64)] = []
        try Schema.edge.scan(prefix: Key(prefix: Schema.Edge.derivedInto).u64(row), in: transaction) {
            key, _ in
            guard key.byteCount == keyByteCount else {
                throw StoreError(.corrupted, "a key of an edge is not one")
            }
            found.append((key.keyU16(at: 9), key.keyU64(at: 11)))
            return true
        }
        return found
    }

    static func remove(
        _ from: UInt64, _ kind: UInt16, _ to: UInt64, in transaction: borrowing WriteTransaction
    ) throws {
        try Schema.edge.remove(outKey(from, kind, to), in: transaction)
        try Schema.edge.remove(intoKey(to, kind, from), in: transaction)
    }
}
