import HNSW
import Store

/// How much a search over vectors does for its answer.
public enum SearchEffort: Hashable, Sendable {
    /// As the index is set.
    case usual
    /// The walk over the graph keeps so many candidates (`ef`), 1 to 8,192.
    case candidates(Int)
    /// As many candidates as brought this share of the nearest, above 0 and below 1, when the index was measured
    /// (`Engine.tuneIndexes`, `loci tune index`); `usual` where it was not.
    case recall(Double)
    /// Every vector is compared.
    case exact
}

/// Questions to the vectors alone: which passages are nearest to each of some vectors.
public struct VectorQuery: Sendable {
    /// Up to 1,024 vectors of the space; with `limit` they ask for 65,536 passages at most.
    public var vectors: [[Float]]
    /// Which vectors of memories they are compared with.
    public var space: EmbeddingSpace
    /// How many passages to answer with for each vector, 1 to 4,096.
    public var limit = 10
    /// Only passages with this score at least: a radius. Of those the nearest `limit`.
    public var minimumScore: Double?
    /// How much is done for the answer.
    public var effort = SearchEffort.usual
    /// Which memories may be the answer.
    public var filter: Filter?
    /// What the store knew then.
    public var asOf: Timestamp?
    /// What was true then; by default now.
    public var validAt: Timestamp?
    /// After this long the answer is what was found until then.
    public var deadline: Duration?

    /// Asks for the ten nearest of each vector.
    public init(_ vectors: [[Float]], in space: EmbeddingSpace) {
        self.vectors = vectors
        self.space = space
    }

    static let maximumCount = 1_024
    static let maximumHits = 65_536
    static let maximumLimit = HNSWIndex.largestCount
}

/// A passage that is near to a vector.
public struct VectorHit: Sendable {
    /// The memory, as it was at the time that was asked for.
    public let memory: Memory
    /// The passage of it whose vector is near.
    public let passage: Hit.Passage
    /// The cosine, the inner product, or the negative squared distance: the larger, the nearer.
    public let score: Double
}

/// What a `VectorQuery` found.
public struct VectorAnswer: Sendable {
    /// For each vector, in their order, the nearest first.
    public var hits: [[VectorHit]] = []
    /// False where the deadline ended the search: then some of the nearest may be missing.
    public var isComplete = true
    /// The commit of the home that was searched.
    public var sequence: UInt64 = 0
    /// How many candidates a walk over the graph kept; `nil` where every vector was compared.
    public var candidates: Int?
}

extension Engine {
    /// The passages of a namespace that are nearest to vectors, over one snapshot.
    ///
    /// - Throws: `EngineError`: `notFound` (no such home, or none of its memories has a vector in the space), `invalid`
    ///   (a query outside of the limits), `invalidVector`, `corrupted`, `io`; `CancellationError`.
    /// - Complexity: about O(`effort` × log vectors) distances for each vector with a graph, O(vectors) without.
    public func nearest(_ query: VectorQuery, in namespace: Namespace) async throws -> VectorAnswer {
        try check(query)
        let (now, deadline) = (options.clock(), query.deadline.map { ContinuousClock.now + $0 })
        return try await cancellable { flag in
            try await nearest(
                NearestSearch(
                    query: query, namespace: namespace, now: now, deadline: deadline, isCancelled: flag))
        }
    }

    @inline(never)
    private func nearest(_ search: NearestSearch) async throws -> VectorAnswer {
        try await withExistingHome(of: search.namespace) { home in
            let (indexes, kept) = (home.indexes, home.kept)
            return try await read(home) { try search.run(indexes, kept: kept, in: $0) }
        }
    }

    private func check(_ query: VectorQuery) throws {
        guard (1...VectorQuery.maximumCount).contains(query.vectors.count),
            (1...VectorQuery.maximumLimit).contains(query.limit)
        else {
            throw EngineError(
                .invalid,
                "a search takes 1 to \(VectorQuery.maximumCount) vectors and gives 1 to \(VectorQuery.maximumLimit) "
                    + "passages for each, not \(query.vectors.count) and \(query.limit)")
        }
        guard query.vectors.count * query.limit <= VectorQuery.maximumHits else {
            throw EngineError(
                .tooLarge,
                "\(query.vectors.count) vectors with \(query.limit) passages each are more than "
                    + "\(VectorQuery.maximumHits); ask in parts")
        }
        switch query.effort {
        case .candidates(let count) where !(1...8_192).contains(count):
            throw EngineError(.invalid, "a search keeps 1 to 8,192 candidates, not \(count)")
        case .recall(let recall) where !(recall > 0 && recall < 1):
            throw EngineError(.invalid, "a recall lies between 0 and 1, and is not \(recall)")
        default: break
        }
        if let score = query.minimumScore, !score.isFinite {
            throw EngineError(.invalid, "the least score is \(score)")
        }
        try check(query.filter)
        for vector in query.vectors {
            try Mutation.NewVector.check(Mutation.NewVector(space: query.space, part: 0, vector: vector))
        }
    }
}

/// A search of one home, over one snapshot.
struct NearestSearch: Sendable {
    let query: VectorQuery
    let namespace: Namespace
    let now: Timestamp
    let deadline: ContinuousClock.Instant?
    let isCancelled: CancellationFlag

    private var isOver: Bool { isCancelled.isSet || deadline.map { ContinuousClock.now >= $0 } ?? false }

    func run(
        _ indexes: VectorIndexes, kept: KeptSets?, in transaction: borrowing ReadTransaction
    ) throws -> VectorAnswer {
        let view = try HomeView(kept: kept, in: transaction)
        guard let space = view.spaces.first(where: { $0.space == query.space }), space.nextSlot > 0 else {
            throw EngineError(
                .notFound, "no memory of \(namespace.home) has a vector in \(query.space.name)")
        }
        let eligible = try FilterEvaluation(view: view).eligible(
            asOf: query.asOf, validAt: query.validAt ?? now, now: now,
            sessions: namespace.session.map { [$0] }, filter: query.filter, in: transaction)
        let filter = eligible.count == view.capacity ? nil : PassageFilter(words: eligible.words)
        let index = indexes.index(of: space)
        let ef: Int? =
            switch query.effort {
            case .usual, .exact: nil
            case .candidates(let count): count
            case .recall(let recall): try index.ef(for: recall, in: transaction)
            }
        var answer = VectorAnswer()
        answer.sequence = view.state.sequence
        if query.effort != .exact, try index.hasGraph(in: transaction) {
            answer.candidates = max(ef ?? index.parameters.efSearch, query.limit)
        }
        for vector in query.vectors {
            let result: SearchResult
            if isOver {
                answer.isComplete = false
                answer.hits.append([])
                continue
            } else if let least = query.minimumScore {
                result = try index.search(
                    vector, within: Float(least), atMost: query.limit, ef: ef, filter: filter,
                    isExact: query.effort == .exact, space.extent, in: transaction, shouldStop: { isOver })
            } else {
                result = try index.search(
                    vector, k: query.limit, ef: ef, filter: filter, isExact: query.effort == .exact,
                    space.extent, in: transaction, shouldStop: { isOver })
            }
            if !result.isComplete { answer.isComplete = false }
            answer.hits.append(try decode(result.neighbors, view, in: transaction))
        }
        return answer
    }

    private func decode(
        _ neighbors: [Neighbor], _ view: HomeView, in transaction: borrowing ReadTransaction
    ) throws -> [VectorHit] {
        for neighbor in neighbors where neighbor.passage >= view.capacity {
            throw StoreError(
                .corrupted, "a vector belongs to passage \(neighbor.passage), which is not there")
        }
        let passages = neighbors.map(\.passage)
        let places = try PassagePlaces(of: passages, view, in: transaction)
        let rows = try view.values(.row, of: passages, in: transaction) { $0.row }
        let parts = try view.values(.part, of: passages, in: transaction) { UInt64($0.part) }
        let reader = MemoryReader(home: namespace.home)
        var hits: [VectorHit] = []
        for (place, neighbor) in neighbors.enumerated() {
            let (memory, passage) = try reader.hit(
                rows[place], places.version(place), part: parts[place], places.range(place), in: transaction)
            hits.append(VectorHit(memory: memory, passage: passage, score: Double(neighbor.score)))
        }
        return hits
    }
}
