import Store

/// Names one edge that a caller or an import made, in its home.
public struct EdgeID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt128
    public init(rawValue: UInt128) { self.rawValue = rawValue }

    /// Reads what `description` gives.
    public init?(_ text: String) {
        guard let id = MemoryID(text) else { return nil }
        rawValue = id.rawValue
    }

    public var description: String { MemoryID(rawValue: rawValue).description }
}

/// A typed, weighted, directed link between two memories.
public struct Edge: Sendable, Equatable {
    /// `nil` for an edge that the engine derived from a memory's words or from its thread: it comes and goes with
    /// what it was derived from, and cannot be taken back.
    public let id: EdgeID?
    public let kind: EdgeKind
    public let from: MemoryID
    public let to: MemoryID
    /// The home of `to` where it is another one than that of `from`.
    public let toHome: Namespace?
    /// How strong it is, above 0 and up to 1; of a causal edge, how sure.
    public let weight: Float
    /// When it was true, half-open.
    public let valid: Range<Timestamp>
    /// When the store knew it, half-open.
    public let recorded: Range<Timestamp>
    public let origin: Origin
    /// Where it is said.
    public let evidence: [Citation]
    /// The rule that derived it, or that found two aliases of one person; `nil` for one that was given.
    public let rule: String?
}

extension Edge {
    /// An edge from the portable form.
    public init(
        id: EdgeID, kind: EdgeKind, from: MemoryID, to: MemoryID, toHome: Namespace?, weight: Float,
        valid: Range<Timestamp>, recorded: Range<Timestamp>, origin: Origin, principal: String,
        evidence: [Citation]
    ) {
        var origin = origin
        origin.principal = principal
        self.init(
            id: id, kind: kind, from: from, to: to, toHome: toHome, weight: weight, valid: valid,
            recorded: recorded, origin: origin, evidence: evidence, rule: nil)
    }
}

/// Which way edges are followed.
public enum EdgeDirection: String, Sendable, CaseIterable {
    case out, into, both
}

/// An edge on its way into the store.
struct NewEdge: Equatable, Sendable {
    /// The most citations of an edge.
    static let maximumEvidenceCount = 32

    var id: EdgeID
    var kind: EdgeKind
    var from: MemoryID
    var to: MemoryID
    /// The home of `to`, where it is another one.
    var toHome: String?
    var weight: Float
    var valid: Range<Int64>
    /// When the store knew it; `nil` = from this mutation on.
    var recorded: Range<Int64>?
    var origin: Origin
    var evidence: [Evidence]

    func encode(into writer: inout ByteWriter) {
        writer.u128(id.rawValue)
        writer.blob(EdgeKinds.encode(kind))
        writer.u128(from.rawValue)
        writer.u128(to.rawValue)
        writer.optional(toHome) { $0.string($1) }
        writer.f32(weight)
        writer.i64(valid.lowerBound)
        writer.i64(valid.upperBound)
        writer.optional(recorded) {
            $0.i64($1.lowerBound)
            $0.i64($1.upperBound)
        }
        origin.encode(into: &writer)
        writer.list(evidence) { $1.encode(into: &$0) }
    }

    init(from reader: inout ByteReader) throws {
        id = EdgeID(rawValue: try reader.u128())
        let encodedKind = try reader.blob()
        // Safe because bytes have no padding, and the span ends with this line.
        kind = try unsafe EdgeKinds.decode(encodedKind.span.bytes)
        from = MemoryID(rawValue: try reader.u128())
        to = MemoryID(rawValue: try reader.u128())
        toHome = try reader.optional { try $0.string() }
        weight = try reader.f32()
        valid = try Self.interval(from: &reader)
        recorded = try reader.optional { try Self.interval(from: &$0) }
        origin = try Origin(from: &reader)
        evidence = try reader.list { try Evidence(from: &$0) }
        guard weight > 0, weight <= 1, evidence.count <= Self.maximumEvidenceCount,
            !EdgeKind.computed.contains(kind)
        else { throw StoreError(.corrupted, "an edge of a mutation is not one") }
    }

    private static func interval(from reader: inout ByteReader) throws -> Range<Int64> {
        let from = try reader.i64()
        let until = try reader.i64()
        guard from <= until else { throw StoreError(.corrupted, "an interval ends before it begins") }
        return from..<until
    }

    init(
        id: EdgeID, kind: EdgeKind, from: MemoryID, to: MemoryID, toHome: String? = nil, weight: Float = 1,
        valid: Range<Int64> = Int64.min..<Int64.max, recorded: Range<Int64>? = nil, origin: Origin,
        evidence: [Evidence] = []
    ) {
        self.id = id
        self.kind = kind
        self.from = from
        self.to = to
        self.toHome = toHome
        self.weight = weight
        self.valid = valid
        self.recorded = recorded
        self.origin = origin
        self.evidence = evidence
    }
}

/// A citation as it stands in a file: of this home, unless it names another.
struct Evidence: Equatable, Sendable {
    var namespace: String?
    var id: MemoryID
    var version: UInt32
    var range: Range<UInt64>

    func encode(into writer: inout ByteWriter) {
        writer.optional(namespace) { $0.string($1) }
        writer.u128(id.rawValue)
        writer.u32(version)
        writer.u64(range.lowerBound)
        writer.u64(range.upperBound)
    }

    init(namespace: String? = nil, id: MemoryID, version: UInt32, range: Range<UInt64>) {
        self.namespace = namespace
        self.id = id
        self.version = version
        self.range = range
    }

    init(from reader: inout ByteReader) throws {
        namespace = try reader.optional { try $0.string() }
        id = MemoryID(rawValue: try reader.u128())
        version = try reader.u32()
        let from = try reader.u64()
        let until = try reader.u64()
        guard from <= until, until <= UInt64(Int.max) else {
            throw StoreError(.corrupted, "a citation ends before it begins")
        }
        range = from..<until
    }

    init(_ citation: Citation, home: Namespace) {
        namespace = citation.namespace.home == home ? nil : citation.namespace.description
        id = citation.id
        version = citation.version
        range = UInt64(citation.range.lowerBound)..<UInt64(citation.range.upperBound)
    }

    func citation(home: Namespace) throws -> Citation {
        Citation(
            namespace: try namespace.map { try Namespace(path: $0) } ?? home, id: id, version: version,
            range: Int(range.lowerBound)..<Int(range.upperBound))
    }
}
