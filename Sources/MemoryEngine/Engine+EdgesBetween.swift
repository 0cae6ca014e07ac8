import Store

extension Engine {
    /// The edges between two memories of a home, of whatever origin: given, derived from words, and following from
    /// their thread. Of a memory and itself: its edges that lead back to it.
    ///
    /// - Parameters:
    ///   - direction: of `a`: edges out of it, into it, or both.
    ///   - kinds: `nil` = all. Kinds that are computed (`EdgeKind.similarTo`, `.nearDuplicate`, `.sameSession`) are not
    ///     looked for.
    /// - Throws: `EngineError`: `notFound`.
    /// - Complexity: O(kinds of the home + edges between the two), however many edges either has.
    public func edges(
        between a: MemoryID, and b: MemoryID, in namespace: Namespace, direction: EdgeDirection = .both,
        kinds: Set<EdgeKind>? = nil, asOf: Timestamp? = nil, validAt: Timestamp? = nil
    ) async throws -> [Edge] {
        let moment = (validAt ?? options.clock()).microseconds
        return try await graph(in: namespace) { transaction in
            let view = try GraphView(home: namespace.home, in: transaction)
            let reader = GraphReader(
                kinds: view.numbers(of: kinds), direction: direction, asOf: asOf?.microseconds,
                validAt: moment)
            return try view.edges(
                between: try view.row(of: a, in: transaction), and: try view.row(of: b, in: transaction),
                reader, in: transaction)
        }
    }
}

extension GraphView {
    fileprivate func edges(
        between row: UInt64, and other: UInt64, _ reader: GraphReader,
        in transaction: borrowing ReadTransaction
    ) throws -> [Edge] {
        var neighbors: [GraphNeighbor] = []
        for kind in reader.kinds?.sorted() ?? kinds.numbers {
            for isOut in [true, false] where reader.direction != (isOut ? .into : .out) {
                // An edge of a memory with itself has both directions, and is one edge.
                if row == other, !isOut, reader.direction == .both { continue }
                try Schema.edge.scan(
                    prefix: Key(prefix: isOut ? Schema.Edge.out : Schema.Edge.into).u64(row).u16(kind)
                        .u64(other), in: transaction
                ) { key, value in
                    guard key.byteCount == Edges.directionKeyByteCount else {
                        throw StoreError(.corrupted, "a key of an edge is not one")
                    }
                    var bytes = ByteReader(value)
                    let span = try EdgeSpan(from: &bytes)
                    if span.holds(asOf: reader.asOf, validAt: reader.validAt) {
                        neighbors.append(
                            GraphNeighbor(
                                row: other, kind: kind, weight: span.weight, isOut: isOut,
                                source: .given(key.keyU64(at: 19))))
                    }
                    return true
                }
                let (from, to) = isOut ? (row, other) : (other, row)
                if let out = try DerivedEdges.out(from, kind, to, in: transaction),
                    out.span.holds(asOf: reader.asOf)
                {
                    neighbors.append(
                        GraphNeighbor(
                            row: other, kind: kind, weight: out.span.weight, isOut: isOut, source: .derived))
                }
            }
        }
        // What follows from a thread is two memories at most.
        var threads = reader
        let inThreads = numbers(of: [.next, .repliesTo]) ?? []
        threads.kinds = reader.kinds?.intersection(inThreads) ?? inThreads
        try threads.forEachNeighbor(of: row, state, in: transaction) { neighbor in
            if neighbor.row == other { neighbors.append(neighbor) }
            return true
        }
        return try neighbors.map { try edge(row, $0, in: transaction) }
    }
}
