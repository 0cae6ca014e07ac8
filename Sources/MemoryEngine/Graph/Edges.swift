import Store

/// Edges that were given: a record each, and an entry for either direction.
enum Edges {
    static func recordKey(_ edge: UInt64) -> Key { Key(prefix: Schema.Edge.record).u64(edge) }
    static func outKey(_ from: UInt64, _ kind: UInt16, _ to: UInt64, _ edge: UInt64) -> Key {
        Key(prefix: Schema.Edge.out).u64(from).u16(kind).u64(to).u64(edge)
    }
    static func intoKey(_ to: UInt64, _ kind: UInt16, _ from: UInt64, _ edge: UInt64) -> Key {
        Key(prefix: Schema.Edge.into).u64(to).u16(kind).u64(from).u64(edge)
    }
    static func numberKey(_ id: EdgeID) -> Key { Key(prefix: Schema.Edge.numberOfID).u128(id.rawValue) }

    /// The row under which edges are found that lead to another home, or whose evidence does. It is no memory's.
    static let foreign: UInt64 = 0

    static func evidenceKey(_ row: UInt64, _ edge: UInt64) -> Key {
        Key(prefix: Schema.Edge.evidence).u64(row).u64(edge)
    }

    /// Bytes of a key of a direction, and where its parts begin.
    static let directionKeyByteCount = 27

    static func add(
        _ record: EdgeRecord, _ state: inout HomeState, in transaction: borrowing WriteTransaction
    ) throws {
        let edge = state.nextEdge
        state.nextEdge += 1
        var writer = ByteWriter(capacity: 8)
        writer.u64(edge)
        try Schema.edge.put(numberKey(record.id), writer.bytes, in: transaction)
        try write(edge, record, in: transaction)
    }

    /// Whether an edge of a kind leads from one row to another.
    static func contains(
        _ from: UInt64, _ kind: EdgeKind, _ to: UInt64, in transaction: borrowing ReadTransaction
    ) throws -> Bool {
        var isThere = false
        let prefix = Key(prefix: Schema.Edge.out).u64(from).u16(kind.builtInNumber ?? 0).u64(to)
        try Schema.edge.scan(prefix: prefix, in: transaction) { _, _ in
            isThere = true
            return false
        }
        return isThere
    }

    /// The edges of a kind that lead from one row to another.
    static func numbers(
        _ from: UInt64, _ kind: UInt16, _ to: UInt64, in transaction: borrowing ReadTransaction
    ) throws -> [UInt64] {
        var numbers: [UInt64] = []
        let prefix = Key(prefix: Schema.Edge.out).u64(from).u16(kind).u64(to)
        try Schema.edge.scan(prefix: prefix, in: transaction) { key, _ in
            guard key.byteCount == directionKeyByteCount else {
                throw StoreError(.corrupted, "a key of an edge is not one")
            }
            numbers.append(key.keyU64(at: 19))
            return true
        }
        return numbers
    }

    /// Writes a record and its directions, whether they are there or not.
    static func write(
        _ edge: UInt64, _ record: EdgeRecord, in transaction: borrowing WriteTransaction
    ) throws {
        try Schema.edge.put(recordKey(edge), record.encode(), in: transaction)
        let span = record.span.encode()
        try Schema.edge.put(outKey(record.from, record.kind, record.to, edge), span, in: transaction)
        // An edge to another home is not walked from there.
        guard record.foreign == nil else { return }
        try Schema.edge.put(intoKey(record.to, record.kind, record.from, edge), span, in: transaction)
    }

    static func remove(
        _ edge: UInt64, _ record: EdgeRecord, in transaction: borrowing WriteTransaction
    ) throws {
        try Schema.edge.remove(recordKey(edge), in: transaction)
        try Schema.edge.remove(numberKey(record.id), in: transaction)
        try Schema.edge.remove(outKey(record.from, record.kind, record.to, edge), in: transaction)
        if record.foreign == nil {
            try Schema.edge.remove(intoKey(record.to, record.kind, record.from, edge), in: transaction)
        }
    }

    static func number(of id: EdgeID, in transaction: borrowing ReadTransaction) throws -> UInt64? {
        guard let value = try Schema.edge.get(numberKey(id), in: transaction) else { return nil }
        guard value.byteCount == 8 else { throw StoreError(.corrupted, "the number of an edge is not one") }
        return value.u64(at: 0)
    }

    static func record(_ edge: UInt64, in transaction: borrowing ReadTransaction) throws -> EdgeRecord {
        guard let value = try Schema.edge.get(recordKey(edge), in: transaction) else {
            throw StoreError(.corrupted, "edge \(edge) has no record")
        }
        return try EdgeRecord(decoding: value)
    }

    /// The edges whose evidence cites a memory.
    static func citing(_ row: UInt64, in transaction: borrowing ReadTransaction) throws -> [UInt64] {
        var edges: [UInt64] = []
        try Schema.edge.scan(prefix: Key(prefix: Schema.Edge.evidence).u64(row), in: transaction) { key, _ in
            guard key.byteCount == 17 else { throw StoreError(.corrupted, "a key of evidence is not one") }
            edges.append(key.keyU64(at: 9))
            return true
        }
        return edges
    }

    /// The edges that begin or end at `row`, with their numbers.
    ///
    /// - Complexity: O(edges of the row).
    static func touching(
        _ row: UInt64, in transaction: borrowing ReadTransaction
    ) throws -> [(edge: UInt64, record: EdgeRecord)] {
        var numbers = Set<UInt64>()
        for prefix in [Schema.Edge.out, Schema.Edge.into] {
            try Schema.edge.scan(prefix: Key(prefix: prefix).u64(row), in: transaction) { key, _ in
                guard key.byteCount == directionKeyByteCount else {
                    throw StoreError(.corrupted, "a key of an edge is not one")
                }
                numbers.insert(key.keyU64(at: 19))
                return true
            }
        }
        return try numbers.sorted().map { ($0, try record($0, in: transaction)) }
    }
}

/// Kinds of edges by number: the engine's own, and those that callers added to a home.
struct EdgeKinds: Sendable {
    static let firstAdded: UInt16 = 1_000
    static let maximumAddedCount = 1_000

    private var kindOfNumber: [UInt16: EdgeKind]
    private var numberOfKind: [EdgeKind: UInt16]
    private var addedCount = 0

    static func key(_ number: UInt16) -> Key { Schema.Shared.edgeKind.key.u16(number) }

    init(in transaction: borrowing ReadTransaction) throws {
        var kinds: [UInt16: EdgeKind] = [:]
        for (number, kind) in EdgeKind.builtIn { kinds[number] = kind }
        var added = 0
        try Schema.shared.scan(prefix: Schema.Shared.edgeKind.key, in: transaction) { key, value in
            guard key.byteCount == 3 else {
                throw StoreError(.corrupted, "a key of a kind of edge is not one")
            }
            kinds[key.keyU16(at: 1)] = try Self.decode(value)
            added += 1
            return true
        }
        kindOfNumber = kinds
        addedCount = added
        numberOfKind = [:]
        // The engine's own number is the one for new edges of a kind that a caller had added before.
        for (number, kind) in kinds.sorted(by: { $0.key > $1.key }) { numberOfKind[kind] = number }
    }

    static func decode(_ value: RawSpan) throws -> EdgeKind {
        var reader = ByteReader(value)
        guard let graph = MemoryGraph(rawValue: try reader.u8()) else {
            throw StoreError(.corrupted, "a kind of edge is of no graph")
        }
        let name = try reader.string()
        try reader.finish()
        do {
            // A name that a caller gave in another graph before it was one of the engine's own.
            let isTaken = EdgeKind.builtIn.contains { $0.kind.name == name && $0.kind.graph != graph }
            return try EdgeKind(isTaken ? "\(name.prefix(50))-\(graph.name)" : name, in: graph)
        } catch {
            throw StoreError(.corrupted, error.message)
        }
    }

    static func encode(_ kind: EdgeKind) -> [UInt8] {
        var writer = ByteWriter()
        writer.u8(kind.graph.rawValue)
        writer.string(kind.name)
        return writer.bytes
    }

    func kind(_ number: UInt16) throws -> EdgeKind {
        guard let kind = kindOfNumber[number] else {
            throw StoreError(.corrupted, "there is no kind of edge with the number \(number)")
        }
        return kind
    }

    func number(of kind: EdgeKind) -> UInt16? { numberOfKind[kind] }

    /// All numbers of a kind: a caller may have added it before it became one of the engine's own.
    func numbers(of kind: EdgeKind) -> [UInt16] {
        kindOfNumber.filter { $0.value == kind }.keys.sorted()
    }

    /// The numbers of all kinds, ascending.
    var numbers: [UInt16] { kindOfNumber.keys.sorted() }

    /// The numbers of all kinds of a graph.
    func numbers(of graph: MemoryGraph) -> Set<UInt16> {
        Set(kindOfNumber.filter { $0.value.graph == graph }.keys)
    }

    /// The number of a kind, given to it now if it has none.
    mutating func intern(_ kind: EdgeKind, in transaction: borrowing WriteTransaction) throws -> UInt16 {
        if let number = numberOfKind[kind] { return number }
        guard addedCount < Self.maximumAddedCount else {
            throw EngineError(
                .tooLarge,
                "a home has at most \(Self.maximumAddedCount) kinds of edges of its own; `\(kind)` would be one more"
            )
        }
        let number = Self.firstAdded + UInt16(addedCount)
        try Schema.shared.put(Self.key(number), Self.encode(kind), in: transaction)
        addedCount += 1
        kindOfNumber[number] = kind
        numberOfKind[kind] = number
        return number
    }
}
