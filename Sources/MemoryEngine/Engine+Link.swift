import Store

extension Engine {
    /// Links two memories. What was said before is known: where an edge of the same kind, validity, evidence and origin
    /// joins them, no other is made, and with another weight it takes that one's place from now on.
    ///
    /// - Parameters:
    ///   - from: a memory of `namespace`; the edge is kept in its home.
    ///   - toHome: where `to` lies, if in another home. Such an edge is shown, and not walked.
    ///   - kind: what it says. The kinds that follow from threads or vectors cannot be given.
    ///   - weight: above 0 and up to 1; of a causal edge, how sure.
    ///   - valid: when it is true; by default always.
    ///   - evidence: where it is said, at most 32 places, each within a version that is there.
    /// - Returns: the edge's id, with which it can be taken back; of one that was there, that one's.
    /// - Throws: `EngineError`: `notFound` (an end, or a cited version), `invalid`, `tooLarge` (too many kinds).
    @discardableResult
    public func link(
        _ from: MemoryID, to: MemoryID, as kind: EdgeKind, in namespace: Namespace,
        toHome: Namespace? = nil, weight: Float = 1,
        valid: Range<Timestamp> = Timestamp.distantPast..<Timestamp.distantFuture,
        evidence: [Citation] = [], origin: Origin = Origin()
    ) async throws -> EdgeID {
        try checkWritable(namespace)
        var other: Namespace?
        if let toHome, toHome.home != namespace.home {
            try checkHome(toHome)
            guard try await get(to, in: toHome.home) != nil else {
                throw EngineError(.notFound, "there is no memory \(to) in \(toHome.home)")
            }
            other = toHome.home
        }
        let now = options.clock()
        let edge = try await newEdge(
            from, to: to, as: kind, in: namespace, toHome: other, weight: weight, valid: valid,
            evidence: evidence,
            origin: origin, at: now)
        let mutation = Mutation(at: now, changes: [.link(edge)])
        let foreign = try await tellCited(by: [edge], in: namespace.home)
        let applied = try await withExistingHome(of: namespace) { try await $0.apply(mutation) }
        try await eraseForgotten(foreign, in: namespace.home)
        if case .linked(let id) = applied.outcomes[0] { return id }
        return edge.id
    }

    /// An edge that somebody gives, checked but for its ends.
    func newEdge(
        _ from: MemoryID, to: MemoryID, as kind: EdgeKind, in namespace: Namespace, toHome: Namespace? = nil,
        weight: Float, valid: Range<Timestamp>, evidence: [Citation], origin: Origin = Origin(),
        at now: Timestamp
    ) async throws -> NewEdge {
        guard weight > 0, weight <= 1 else {
            throw EngineError(.invalid, "the weight of an edge lies above 0 and up to 1; \(weight) does not")
        }
        guard !EdgeKind.computed.contains(kind) else {
            throw EngineError(
                .invalid,
                "`\(kind)` follows from \(Self.source(of: kind)), and cannot be given")
        }
        guard evidence.count <= NewEdge.maximumEvidenceCount else {
            throw EngineError(
                .tooLarge,
                "an edge has at most \(NewEdge.maximumEvidenceCount) places of evidence, not \(evidence.count)"
            )
        }
        for place in evidence {
            // An id is one of the whole home.
            _ = try await content(
                of: Citation(
                    namespace: place.namespace.home, id: place.id, version: place.version, range: place.range)
            )
        }
        for bound in [valid.lowerBound, valid.upperBound]
        where bound != .distantPast && bound != .distantFuture && !Timestamp.allowed.contains(bound) {
            throw EngineError(.invalid, "the edge's validity lies outside of the years 1 to 9999")
        }
        var origin = origin
        origin.principal = options.principal
        return NewEdge(
            id: EdgeID(rawValue: MemoryID(at: now).rawValue), kind: kind, from: from, to: to,
            toHome: toHome?.description, weight: weight,
            valid: valid.lowerBound.microseconds..<valid.upperBound.microseconds, origin: origin,
            evidence: evidence.map { Evidence($0, home: namespace.home) })
    }

    /// Notes in other homes that edges of this one lead to them or cite them, so that forgetting there knows whom to
    /// ask. Returns what is cited, by home.
    func tellCited(by edges: [NewEdge], in home: Namespace) async throws -> [Namespace: Set<MemoryID>] {
        var cited: [Namespace: Set<MemoryID>] = [:]
        for edge in edges {
            if let path = edge.toHome { cited[try Namespace(path: path).home, default: []].insert(edge.to) }
            for evidence in edge.evidence {
                guard let path = evidence.namespace else { continue }
                cited[try Namespace(path: path).home, default: []].insert(evidence.id)
            }
        }
        for other in cited.keys.sorted(by: { $0.description < $1.description }) where other != home {
            try await tell(other, citedBy: home, true)
        }
        return cited
    }

    /// Takes back what was forgotten in other homes while an edge to it was made.
    func eraseForgotten(_ cited: [Namespace: Set<MemoryID>], in home: Namespace) async throws {
        for (other, ids) in cited where other != home {
            let gone: [MemoryID]? = try await read(in: other) { transaction in
                try ids.filter { try Lookup.row(of: $0, in: transaction) == nil }
            }
            // A home that is not there yet may come by an import.
            if let gone, !gone.isEmpty { _ = try await eraseCitations(of: gone, in: other, by: [home]) }
        }
    }

    private static func source(of kind: EdgeKind) -> String {
        switch kind {
        case .similarTo: "vectors"
        case .nearDuplicate: "words"
        default: "threads and sessions"
        }
    }

    /// Links two memories from a moment on; see `link(_:to:as:in:toHome:weight:valid:evidence:origin:)`.
    @discardableResult
    public func link(
        _ from: MemoryID, to: MemoryID, as kind: EdgeKind, in namespace: Namespace,
        toHome: Namespace? = nil, weight: Float = 1, valid: PartialRangeFrom<Timestamp>,
        evidence: [Citation] = [], origin: Origin = Origin()
    ) async throws -> EdgeID {
        try await link(
            from, to: to, as: kind, in: namespace, toHome: toHome, weight: weight,
            valid: valid.lowerBound..<max(valid.lowerBound, .distantFuture), evidence: evidence,
            origin: origin)
    }

    /// Takes an edge back: the store knows it no more, and `asOf` an earlier time still shows it.
    ///
    /// - Throws: `EngineError`: `notFound`, `conflict` (it was taken back before).
    public func unlink(_ id: EdgeID, in namespace: Namespace) async throws {
        try await write([.unlink(id)], in: namespace)
    }

    /// The edges of a memory, of whatever origin: given, derived from words, and following from its thread.
    ///
    /// - Parameters:
    ///   - kinds: `nil` = all.
    ///   - includesClosed: also given edges that were taken back or are not true now.
    ///   - limit: at most so many, 1 to 100,000.
    /// - Throws: `EngineError`: `notFound`, `invalid`.
    /// - Complexity: O(edges of the memory).
    public func edges(
        of id: MemoryID, in namespace: Namespace, direction: EdgeDirection = .both,
        kinds: Set<EdgeKind>? = nil, asOf: Timestamp? = nil, validAt: Timestamp? = nil,
        includesClosed: Bool = false, limit: Int = 1_000
    ) async throws -> [Edge] {
        guard (1...100_000).contains(limit) else {
            throw EngineError(.invalid, "a list of edges has 1 to 100,000, not \(limit)")
        }
        let moment = (validAt ?? options.clock()).microseconds
        return try await graph(in: namespace) { transaction in
            let view = try GraphView(home: namespace.home, in: transaction)
            let row = try view.row(of: id, in: transaction)
            return try view.edges(
                of: row, direction, kinds, asOf: asOf?.microseconds, validAt: moment, includesClosed, limit,
                in: transaction)
        }
    }

    /// Reads a home's graph over one snapshot, after the edges of all that was remembered before have been made; a
    /// store that is open for reading only shows those that the writing process has made.
    func graph<Result: Sendable>(
        in namespace: Namespace, _ body: @escaping @Sendable (borrowing ReadTransaction) throws -> Result
    ) async throws -> Result {
        try await graph(in: namespace) { _, transaction in try body(transaction) }
    }

    /// The same, with the graphs of its vectors.
    func graph<Result: Sendable>(
        in namespace: Namespace,
        _ body: @escaping @Sendable (VectorIndexes, borrowing ReadTransaction) throws -> Result
    ) async throws -> Result {
        try checkHome(namespace)
        let result: Result? = try await withHome(of: namespace, creating: false) { home in
            if !options.isReadOnly { try await home.finishEdges(on: readers) }
            let indexes = home.indexes
            return try await read(home) { try body(indexes, $0) }
        }
        guard let result else {
            throw EngineError(.notFound, "there is no home \(namespace.home)")
        }
        return result
    }
}
