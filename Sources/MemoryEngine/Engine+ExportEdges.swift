import Store

extension Engine {
    /// Lends every edge that was given between memories of a namespace, also those that were taken back, in the order in
    /// which they were given. What follows from words and threads is made anew where the memories are.
    ///
    /// - Throws: `EngineError`: `notFound`; what `body` throws.
    public func exportEdges(in namespace: Namespace, _ body: (Edge) async throws -> Void) async throws {
        var last: UInt64 = 0
        while true {
            let after = last
            let batch = try await read(in: namespace) {
                try Self.edgeBatch(namespace, after: after, in: $0)
            }
            guard let batch else { throw EngineError(.notFound, "there is no home \(namespace.home)") }
            for edge in batch.edges { try await body(edge) }
            guard let next = batch.last else { return }
            last = next
        }
    }

    private static func edgeBatch(
        _ namespace: Namespace, after number: UInt64, in transaction: borrowing ReadTransaction
    ) throws -> (edges: [Edge], last: UInt64?) {
        let view = try GraphView(home: namespace.home, in: transaction)
        var numbers: [UInt64] = []
        try Schema.edge.scan(
            prefix: Key(prefix: Schema.Edge.record), from: Edges.recordKey(number + 1), in: transaction
        ) { key, _ in
            guard key.byteCount == 9 else { throw StoreError(.corrupted, "a key of an edge is not one") }
            numbers.append(key.keyU64(at: 1))
            return numbers.count < 1_000
        }
        var edges: [Edge] = []
        for number in numbers {
            let record = try Edges.record(number, in: transaction)
            let ends = record.foreign == nil ? [record.from, record.to] : [record.from]
            let isInside =
                try namespace.session == nil
                || ends.allSatisfy { row in
                    guard let head = try HeadRecord.read(row, in: transaction),
                        let version = try VersionRecord.read(row, head.version, in: transaction)
                    else { return false }
                    return version.fields.session == namespace.session
                }
            if isInside { edges.append(try view.edge(record, in: transaction)) }
        }
        return (edges, numbers.last)
    }

    /// Puts edges of the portable form into a home, with their ids, clocks and origin. One that is there already stays as
    /// it is. Evidence in memories that are not there is left out.
    ///
    /// - Returns: how many were new.
    /// - Throws: `EngineError`: `notFound` (an end is not there), `invalid`; nothing of the call is stored then.
    @discardableResult
    public func importEdges(_ edges: [Edge], in namespace: Namespace) async throws -> Int {
        try checkWritable(namespace)
        let home = namespace.home
        let cited = Set(edges.flatMap(\.evidence).filter { $0.namespace.home == home }.map(\.id))
        let known = try await read(in: home) { transaction in
            try cited.filter { try Lookup.row(of: $0, in: transaction) != nil }
        }
        guard let known else { throw EngineError(.notFound, "there is no home \(home)") }
        var changes: [Mutation.Change] = []
        for edge in edges {
            let evidence = edge.evidence.filter { $0.namespace.home != home || known.contains($0.id) }
            changes.append(.link(try Self.restored(edge, evidence, home)))
        }
        _ = try await tellCited(
            by: changes.compactMap { if case .link(let edge) = $0 { edge } else { nil } }, in: home)
        let mutation = Mutation(at: options.clock(), changes: changes)
        let applied = try await withExistingHome(of: namespace) { try await $0.apply(mutation) }
        return applied.outcomes.count { $0 == .done }
    }

    /// Checks an edge of the portable form as if it came from an enemy.
    static func restored(
        _ edge: Edge, _ evidence: [Citation], _ home: Namespace
    ) throws(EngineError) -> NewEdge {
        guard let id = edge.id, !EdgeKind.computed.contains(edge.kind) else {
            throw EngineError(.invalid, "an edge that was derived is made anew, and not imported")
        }
        guard edge.weight > 0, edge.weight <= 1, evidence.count <= NewEdge.maximumEvidenceCount,
            Timestamp.allowed.contains(edge.recorded.lowerBound),
            evidence.allSatisfy({ $0.range.lowerBound >= 0 }),
            (1...Names.maximumByteCount).contains(edge.origin.principal.utf8.count)
        else {
            throw EngineError(
                .invalid, "edge \(id) has a weight, a time, an origin or evidence outside of the limits")
        }
        return NewEdge(
            id: id, kind: edge.kind, from: edge.from, to: edge.to,
            toHome: edge.toHome.flatMap { $0.home == home ? nil : $0.home.description }, weight: edge.weight,
            valid: edge.valid.lowerBound.microseconds..<edge.valid.upperBound.microseconds,
            recorded: edge.recorded.lowerBound.microseconds..<edge.recorded.upperBound.microseconds,
            origin: edge.origin, evidence: evidence.map { Evidence($0, home: home) })
    }
}
