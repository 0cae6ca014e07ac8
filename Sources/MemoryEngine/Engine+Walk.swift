import Store

extension Engine {
    /// The memories around one, by the edges of its home. Kinds that are computed (`EdgeKind.similarTo`,
    /// `.nearDuplicate`, `.sameSession`) are followed where `kinds` or `graphs` of the query name them; these cost a
    /// search for each memory that is looked at. The walk ends when the query's `limit` is given.
    ///
    /// - Throws: `EngineError`: `notFound`, `invalid` (a bound outside of its limits).
    /// - Complexity: O(edges of the memories looked at), over one snapshot.
    public func neighbors(
        of id: MemoryID, in namespace: Namespace, query: GraphQuery = GraphQuery()
    ) async throws -> GraphHits {
        try check(query)
        let (deadline, now) = (query.deadline.map { ContinuousClock.now + $0 }, options.clock())
        return try await graph(in: namespace) { indexes, transaction in
            try Self.neighbors(of: id, namespace, query, now, deadline, indexes, in: transaction)
        }
    }

    private static func neighbors(
        of id: MemoryID, _ namespace: Namespace, _ query: GraphQuery, _ now: Timestamp,
        _ deadline: ContinuousClock.Instant?, _ indexes: VectorIndexes,
        in transaction: borrowing ReadTransaction
    ) throws -> GraphHits {
        let view = try GraphView(home: namespace.home, in: transaction)
        let start = try view.row(of: id, in: transaction)
        var walk = GraphWalk(
            try view.reader(query, now, indexes, in: transaction),
            GraphWalk.Bounds(depth: query.depth, count: 0, deadline: deadline))
        walk.begin(at: start, query.order)
        var hits: [GraphHit] = []
        var place = 1
        // The walk goes on, twice as far each time, until there are enough.
        var count = max(256, 2 * query.limit)
        var isInTime = true
        while isInTime {
            let hasMore = try walk.goOn(
                query.order, to: min(count, query.visitLimit), view.state, in: transaction)
            while place < walk.steps.count, hits.count < query.limit {
                if place.isMultiple(of: 64), let deadline, ContinuousClock.now >= deadline {
                    isInTime = false
                    break
                }
                let step = walk.steps[place]
                if let memory = try given(step.row, view, namespace, query, now, in: transaction) {
                    hits.append(
                        GraphHit(
                            memory: memory,
                            path: try view.edges(along: walk.path(to: place), in: transaction),
                            strength: step.strength))
                }
                place += 1
            }
            if !hasMore || count >= query.visitLimit || hits.count == query.limit { break }
            count *= 2
        }
        return GraphHits(
            hits: hits, visitedCount: walk.steps.count,
            isComplete: isInTime && walk.isComplete || hits.count == query.limit)
    }

    /// A memory that a walk reached, if it may be given.
    private static func given(
        _ row: UInt64, _ view: GraphView, _ namespace: Namespace, _ query: GraphQuery, _ now: Timestamp,
        in transaction: borrowing ReadTransaction
    ) throws -> Memory? {
        guard let memory = try view.memory(row, asOf: query.asOf?.microseconds, in: transaction),
            namespace.contains(memory.namespace), memory.expires.map({ $0 > now }) ?? true
        else { return nil }
        if let asked = query.happened {
            let start = memory.happened.lowerBound
            let happened =
                memory.happened.isEmpty
                ? start..<start.advanced(by: .microseconds(1)) : memory.happened
            guard asked.overlaps(happened) else { return nil }
        }
        if let asked = query.speaksOf, !memory.times.contains(where: { $0.interval.overlaps(asked) }) {
            return nil
        }
        return memory
    }

    /// A shortest path between two memories of a home; of those with as few edges one is given.
    ///
    /// - Parameter query: its depth is the most edges of the path.
    /// - Returns: `nil` if there is none within the bounds. An empty path leads from a memory to itself.
    /// - Throws: `EngineError`: `notFound`, `invalid`; `deadline` when the bound of time or of memories ended it
    ///   before a path was found.
    public func path(
        from: MemoryID, to: MemoryID, in namespace: Namespace, query: GraphQuery = GraphQuery()
    ) async throws -> [Edge]? {
        try check(query)
        let (deadline, now) = (query.deadline.map { ContinuousClock.now + $0 }, options.clock())
        return try await graph(in: namespace) { indexes, transaction in
            try Self.path(from, to, namespace, query, now, deadline, indexes, in: transaction)
        }
    }

    private static func path(
        _ from: MemoryID, _ to: MemoryID, _ namespace: Namespace, _ query: GraphQuery, _ now: Timestamp,
        _ deadline: ContinuousClock.Instant?, _ indexes: VectorIndexes,
        in transaction: borrowing ReadTransaction
    ) throws -> [Edge]? {
        let view = try GraphView(home: namespace.home, in: transaction)
        let start = try view.row(of: from, in: transaction)
        let end = try view.row(of: to, in: transaction)
        let reader = try view.reader(query, now, indexes, in: transaction)
        let bounds = GraphWalk.Bounds(depth: query.depth, count: query.visitLimit, deadline: deadline)
        // Computed neighbors are found from one side only.
        if query.order == .breadthFirst, reader.near == nil {
            let search = try PathSearch(
                from: start, to: end, reader, bounds, view.state, in: transaction)
            guard let links = search.links else {
                return try noPath(search.isComplete, search.visitedCount)
            }
            var edges: [Edge] = []
            for link in links { edges.append(try view.edge(link.row, link.edge, in: transaction)) }
            return edges
        }
        var walk = GraphWalk(reader, bounds)
        switch query.order {
        case .breadthFirst:
            try walk.breadthFirst(from: [start], view.state, in: transaction) { $0 == end }
        case .strongest: try walk.bestFirst(from: [start], view.state, in: transaction) { $0 == end }
        }
        guard let index = walk.index(of: end) else {
            return try noPath(walk.isComplete, walk.steps.count)
        }
        return try view.edges(along: walk.path(to: index), in: transaction)
    }

    /// What is answered where no path was found.
    private static func noPath(_ isComplete: Bool, _ count: Int) throws -> [Edge]? {
        if isComplete { return nil }
        throw EngineError(
            .deadline, "no path was found among the \(count) memories that the bounds allow; raise them")
    }

    /// Why a memory came to be: the causal graph followed from effects to causes, with evidence for each link.
    ///
    /// - Parameter depth: the most links from the memory to a cause, 1 to 64.
    /// - Throws: `EngineError`: `notFound`, `invalid`.
    public func causes(
        of id: MemoryID, in namespace: Namespace, depth: Int = 4, limit: Int = 100, asOf: Timestamp? = nil,
        validAt: Timestamp? = nil, deadline: Duration? = nil
    ) async throws -> CausalChain {
        try await chain(
            of: id, namespace, .out, depth: depth, limit: limit, asOf: asOf, validAt: validAt,
            deadline: deadline)
    }

    /// What came of a memory: the causal graph followed from causes to effects.
    ///
    /// - Throws: as `causes(of:in:depth:limit:asOf:validAt:deadline:)`.
    public func effects(
        of id: MemoryID, in namespace: Namespace, depth: Int = 4, limit: Int = 100, asOf: Timestamp? = nil,
        validAt: Timestamp? = nil, deadline: Duration? = nil
    ) async throws -> CausalChain {
        try await chain(
            of: id, namespace, .into, depth: depth, limit: limit, asOf: asOf, validAt: validAt,
            deadline: deadline)
    }

    private func chain(
        of id: MemoryID, _ namespace: Namespace, _ direction: EdgeDirection, depth: Int, limit: Int,
        asOf: Timestamp?, validAt: Timestamp?, deadline: Duration?
    ) async throws -> CausalChain {
        var query = GraphQuery()
        query.graphs = [.causal]
        query.direction = direction
        query.depth = depth
        query.limit = limit
        query.asOf = asOf
        query.validAt = validAt
        try check(query)
        let (end, now, ready) = (deadline.map { ContinuousClock.now + $0 }, options.clock(), query)
        return try await graph(in: namespace) { transaction in
            try Self.chain(of: id, namespace, ready, now, end, in: transaction)
        }
    }

    private static func chain(
        of id: MemoryID, _ namespace: Namespace, _ query: GraphQuery, _ now: Timestamp,
        _ deadline: ContinuousClock.Instant?, in transaction: borrowing ReadTransaction
    ) throws -> CausalChain {
        let view = try GraphView(home: namespace.home, in: transaction)
        let start = try view.row(of: id, in: transaction)
        let walk = try CausalWalk(
            from: start, view.reader(query, now),
            GraphWalk.Bounds(depth: query.depth, count: query.limit, deadline: deadline), view.state,
            in: transaction)
        var links: [CausalLink] = []
        for link in walk.links {
            // What was not known then, or lies in another session, is no part of the answer.
            guard let effect = try view.memory(link.effect, asOf: query.asOf?.microseconds, in: transaction),
                let cause = try view.memory(link.cause, asOf: query.asOf?.microseconds, in: transaction)
            else { continue }
            let near = link.edge.isOut ? link.effect : link.cause
            links.append(
                CausalLink(
                    effect: effect, cause: cause, edge: try view.edge(near, link.edge, in: transaction),
                    depth: link.depth, confidence: link.confidence))
        }
        return CausalChain(links: links, isComplete: walk.isComplete)
    }

    private func check(_ query: GraphQuery) throws {
        guard (1...64).contains(query.depth) else {
            throw EngineError(.invalid, "a walk has a depth of 1 to 64, not \(query.depth)")
        }
        guard (1...10_000).contains(query.limit) else {
            throw EngineError(.invalid, "a walk gives 1 to 10,000 memories, not \(query.limit)")
        }
        guard (1...1_000_000).contains(query.visitLimit) else {
            throw EngineError(.invalid, "a walk looks at 1 to 1,000,000 memories, not \(query.visitLimit)")
        }
    }
}

extension GraphView {
    /// What a query asks of edges.
    func reader(_ query: GraphQuery, _ now: Timestamp) -> GraphReader {
        var followed = numbers(of: query.kinds)
        if followed == nil, let graphs = query.graphs {
            followed = graphs.reduce(into: []) { $0.formUnion(kinds.numbers(of: $1)) }
        }
        return GraphReader(
            kinds: followed, direction: query.direction, asOf: query.asOf?.microseconds,
            validAt: (query.validAt ?? now).microseconds)
    }

    /// The same, with what is computed because the query asks for it.
    func reader(
        _ query: GraphQuery, _ now: Timestamp, _ indexes: VectorIndexes,
        in transaction: borrowing ReadTransaction
    ) throws -> GraphReader {
        var reader = reader(query, now)
        reader.near = try reader.kinds.flatMap {
            try NearMemories($0, query, now, indexes, in: transaction)
        }
        return reader
    }

    /// The edges of a path.
    func edges(along path: [GraphWalk.Step], in transaction: borrowing ReadTransaction) throws -> [Edge] {
        var edges: [Edge] = []
        for (step, next) in zip(path, path.dropFirst()) {
            guard let neighbor = next.edge else { continue }
            edges.append(try edge(step.row, neighbor, in: transaction))
        }
        return edges
    }
}
