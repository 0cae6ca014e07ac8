import Store

/// What is needed to show a home's graph: its counters, its kinds of edges, and how rows become memories.
struct GraphView: Sendable {
    let home: Namespace
    let state: HomeState
    let kinds: EdgeKinds

    init(home: Namespace, in transaction: borrowing ReadTransaction) throws {
        self.home = home
        state = try HomeState.read(in: transaction)
        kinds = try EdgeKinds(in: transaction)
    }

    func row(of id: MemoryID, in transaction: borrowing ReadTransaction) throws -> UInt64 {
        guard let row = try Lookup.row(of: id, in: transaction) else {
            throw EngineError(.notFound, "there is no memory \(id) in \(home)")
        }
        return row
    }

    func id(of row: UInt64, in transaction: borrowing ReadTransaction) throws -> MemoryID {
        guard let head = try HeadRecord.read(row, in: transaction) else {
            throw StoreError(.corrupted, "an edge leads to row \(row), which is not there")
        }
        return head.id
    }

    /// The numbers of kinds; a kind that the home has never seen has none, and no edge.
    func numbers(of given: Set<EdgeKind>?) -> Set<UInt16>? {
        given.map { Set($0.flatMap { kinds.numbers(of: $0) }) }
    }

    /// The newest version of a memory, or that of `asOf`; `nil` where there was none then.
    func memory(
        _ row: UInt64, asOf: Int64?, in transaction: borrowing ReadTransaction
    ) throws -> Memory? {
        try Engine.memory(
            row, home, version: nil, asOf: asOf.map { Timestamp(microseconds: $0) }, validAt: nil,
            in: transaction)
    }

    // MARK: Edges

    /// The edge between `row` and a neighbor of it, as callers see it.
    func edge(
        _ row: UInt64, _ neighbor: GraphNeighbor, in transaction: borrowing ReadTransaction
    ) throws -> Edge {
        let (from, to) = neighbor.isOut ? (row, neighbor.row) : (neighbor.row, row)
        switch neighbor.source {
        case .given(let number):
            return try edge(try Edges.record(number, in: transaction), in: transaction)
        case .derived:
            guard let out = try DerivedEdges.out(from, neighbor.kind, to, in: transaction) else {
                throw StoreError(.corrupted, "a derived edge of row \(from) has one direction only")
            }
            return try edge(from, neighbor.kind, to, out, in: transaction)
        case .thread:
            return try computedEdge(
                from, neighbor.kind, to, weight: 1, rule: "follows in its thread", in: transaction)
        case .computed:
            return try computedEdge(
                from, neighbor.kind, to, weight: neighbor.weight, rule: NearMemories.rule(of: neighbor.kind),
                in: transaction)
        }
    }

    func edge(_ record: EdgeRecord, in transaction: borrowing ReadTransaction) throws -> Edge {
        Edge(
            id: record.id, kind: try kinds.kind(record.kind), from: try id(of: record.from, in: transaction),
            to: try record.foreign?.id ?? id(of: record.to, in: transaction),
            toHome: try record.foreign.map { try Namespace(path: $0.home) }, weight: record.span.weight,
            valid: Timestamp(
                microseconds: record.span.validFrom)..<Timestamp(microseconds: record.span.validUntil),
            recorded: Timestamp(
                microseconds: record.span.recordedFrom)..<Timestamp(microseconds: record.span.recordedUntil),
            origin: record.origin, evidence: try record.evidence.map { try $0.citation(home: home) },
            rule: record.ownRule)
    }

    private func edge(
        _ from: UInt64, _ kind: UInt16, _ to: UInt64, _ out: DerivedEdges.Out,
        in transaction: borrowing ReadTransaction
    ) throws -> Edge {
        let id = try id(of: from, in: transaction)
        guard let version = try VersionRecord.read(from, out.version, in: transaction) else {
            throw StoreError(
                .corrupted, "a derived edge cites version \(out.version) of \(id), which is not there")
        }
        return Edge(
            id: nil, kind: try kinds.kind(kind), from: id, to: try self.id(of: to, in: transaction),
            toHome: nil,
            weight: out.span.weight, valid: Timestamp.distantPast..<Timestamp.distantFuture,
            recorded: Timestamp(
                microseconds: out.span.recordedFrom)..<Timestamp(microseconds: out.span.recordedUntil),
            origin: version.fields.origin,
            evidence: [
                Citation(
                    namespace: home, id: id, version: out.version,
                    range: Int(out.range.lowerBound)..<Int(out.range.upperBound))
            ], rule: out.rule.name)
    }

    /// An edge that is stored nowhere.
    private func computedEdge(
        _ from: UInt64, _ kind: UInt16, _ to: UInt64, weight: Float, rule: String?,
        in transaction: borrowing ReadTransaction
    ) throws -> Edge {
        guard let head = try HeadRecord.read(from, in: transaction),
            let version = try VersionRecord.read(from, head.version, in: transaction)
        else { throw StoreError(.corrupted, "row \(from) of a thread is not there") }
        return Edge(
            id: nil, kind: try kinds.kind(kind), from: head.id, to: try id(of: to, in: transaction),
            toHome: nil,
            weight: weight, valid: Timestamp.distantPast..<Timestamp.distantFuture,
            recorded: Timestamp(microseconds: version.recordedFrom)..<Timestamp.distantFuture,
            origin: version.fields.origin, evidence: [], rule: rule)
    }

    /// The edges of a memory.
    func edges(
        of row: UInt64, _ direction: EdgeDirection, _ given: Set<EdgeKind>?, asOf: Int64?, validAt: Int64,
        _ includesClosed: Bool, _ limit: Int, in transaction: borrowing ReadTransaction
    ) throws -> [Edge] {
        let reader = GraphReader(
            kinds: numbers(of: given), direction: direction, asOf: asOf, validAt: validAt)
        var neighbors: [GraphNeighbor] = []
        try reader.forEachNeighbor(of: row, state, in: transaction) {
            neighbors.append($0)
            return neighbors.count < limit
        }
        var edges = try neighbors.map { try edge(row, $0, in: transaction) }
        // What the reader passes over: edges to other homes and, if asked for, those that are closed.
        guard edges.count < limit else { return edges }
        var known = Set(edges.compactMap(\.id))
        for (_, record) in try Edges.touching(row, in: transaction) where edges.count < limit {
            let kind = try kinds.kind(record.kind)
            let isAsked = given?.contains(kind) ?? true
            let isOut = record.from == row
            guard isAsked, direction == .both || (direction == .out) == isOut,
                includesClosed || (record.foreign != nil && record.span.holds(asOf: asOf, validAt: validAt)),
                known.insert(record.id).inserted
            else { continue }
            edges.append(try edge(record, in: transaction))
        }
        return edges
    }
}
