import HNSW
import Store

/// A vector index of a home: the graph over the vectors of one embedding space, and what it does not hold yet.
public struct IndexReport: Sendable {
    /// Whose vectors these are.
    public let space: EmbeddingSpace
    /// Vectors that the graph holds, those that wait for their repair included; 0 = there is no graph, and all vectors
    /// are compared.
    public var nodes = 0
    /// Neighbors that a new node chose, and the most that one has in layer 0.
    public var neighbors = (chosen: 0, most: 0)
    /// Candidates kept while neighbors are searched for.
    public var candidatesWhileLinking = 0
    /// Whether walks read short codes in the place of rows.
    public var hasCodes = false
    /// Forgotten vectors that the graph still passes through, and nodes that were taken out since it was begun.
    public var waiting = 0
    public var removed = 0
    /// Vectors that every search compares: in segments and not linked yet, and in the tail.
    public var unlinked = 0
    public var tail = 0
    /// Nodes whose highest layer it is, by layer.
    public var levels: [Int] = []
    /// Nodes with so many neighbors in layer 0, by their number.
    public var degrees: [Int] = []
    /// Neighbors of a node in layer 0, on the average.
    public var meanDegree: Double {
        let sum = degrees.enumerated().reduce(0) { $0 + $1.offset * $1.element }
        return Double(sum) / Double(max(1, degrees.reduce(0, +)))
    }
    /// The share of the ten nearest that a search finds as the index is set, on a sample.
    public var recall: Double?
    /// What `tuneIndexes` measured last.
    public var curve: Curve?

    /// How many candidates bring how much recall.
    public struct Curve: Sendable {
        /// By ascending candidates; recall is the share of the nearest that were found.
        public var points: [(candidates: Int, recall: Double)]
        /// How many nearest were asked for, and how many questions.
        public var neighborCount: Int
        public var sampleCount: Int
        /// How many vectors there were when it was measured.
        public var nodes: Int
    }

    init(_ record: SpaceRecord, _ index: HNSWIndex, in transaction: borrowing ReadTransaction) throws {
        space = record.space
        tail = Int(record.nextSlot - record.segmentedSlots)
        unlinked = Int(record.segmentedSlots)
        guard let shape = try index.shape(in: transaction), let state = try index.state(in: transaction)
        else { return }
        unlinked -= Int(state.linkedSlots)
        nodes = Int(state.nodeCount)
        neighbors = (state.m, state.m0)
        candidatesWhileLinking = state.efConstruction
        hasCodes = state.hasCodes
        waiting = Int(state.notedCount)
        removed = Int(state.removedCount)
        levels = shape.levels
        degrees = shape.degrees
        curve = try index.curve(in: transaction).map { curve in
            Curve(
                points: curve.points.map { ($0.ef, Double($0.recall)) }, neighborCount: curve.neighborCount,
                sampleCount: curve.sampleCount, nodes: Int(curve.linkedSlots))
        }
    }
}

extension Engine {
    /// What the vector indexes of a home look like, one for each embedding space.
    ///
    /// - Parameter sampleCount: how many questions tell the recall, up to 10,000; 0 = none are asked.
    /// - Throws: `EngineError`: `notFound`, `invalid`, `corrupted`; `CancellationError`.
    /// - Complexity: O(vectors), and O(vectors × dimension) for each question.
    public func indexes(
        in namespace: Namespace, sampleCount: Int = 0, progress: (@Sendable (Int, Int) -> Void)? = nil
    ) async throws -> [IndexReport] {
        guard (0...10_000).contains(sampleCount) else {
            throw EngineError(.invalid, "recall is told by 0 to 10,000 questions, not \(sampleCount)")
        }
        return try await cancellable { flag in
            try await withExistingHome(of: namespace) { home in
                let indexes = home.indexes
                return try await read(home, isBounded: false) {
                    try Self.reports(indexes, sampleCount, progress, flag, in: $0)
                }
            }
        }
    }

    /// Has the indexer work off all that waits for it: the tail, edges, and rows that no graph holds. Nobody needs to
    /// call it; a program that loads much and ends then leaves readers a store that answers fast. Where others write
    /// meanwhile, it ends when the vectors are linked that were there at the call.
    ///
    /// - Parameters:
    ///   - namespace: a home; `nil` = those that are open.
    ///   - limit: no step, which takes half a second at most, begins later than so long after the call.
    ///   - progress: told now and then how many rows of vectors the graphs hold, of how many.
    /// - Returns: whether nothing is left.
    /// - Throws: `EngineError`: `notFound`, `readOnly`, `io`; `CancellationError`, and then the steps before stay done.
    @discardableResult
    public func finishIndexing(
        in namespace: Namespace? = nil, within limit: Duration? = nil,
        progress: (@Sendable (Int, Int) -> Void)? = nil
    ) async throws -> Bool {
        let end = limit.map { ContinuousClock.now + $0 }
        var isDone = true
        for home in namespace.map({ [$0] }) ?? openHomeNames {
            let isHomeDone = try await finishIndexing(
                in: home, until: { end.map { ContinuousClock.now >= $0 } ?? false }, progress)
            isDone = isDone && isHomeDone
        }
        return isDone
    }

    private func finishIndexing(
        in home: Namespace, until shouldEnd: @escaping @Sendable () -> Bool,
        _ progress: (@Sendable (Int, Int) -> Void)?
    ) async throws -> Bool {
        try checkMaintainable(home)
        return try await withExistingHome(of: home) {
            try await $0.finishIndexing(on: readers, until: shouldEnd, progress)
        }
    }

    /// The last work of a program before it closes: the same for the homes that are open, until another process waits to
    /// write to one of them. That one is let in when the engine is closed.
    ///
    /// - Parameter shouldEnd: asked now and then; true ends it after what is begun.
    /// - Returns: the homes that have something left.
    package func finishIndexingLast(
        until shouldEnd: @escaping @Sendable () -> Bool, progress: (@Sendable (Int, Int) -> Void)? = nil
    ) async throws -> [Namespace] {
        let names = openHomeNames
        for name in names { try await withExistingHome(of: name) { $0.environment.giveWay() } }
        var left: [Namespace] = []
        for name in names {
            let isDone = try await finishIndexing(
                in: name, until: { shouldEnd() || self.isWanted }, progress)
            if !isDone { left.append(name) }
        }
        return left
    }

    /// How many vectors of a home its graphs hold, and how many they are still to take in; those that need no graph are in
    /// neither. `nil` where nothing is left to do.
    ///
    /// - Complexity: O(vectors), some 1 ns each.
    package func unfinishedIndexes(in namespace: Namespace) async throws -> (linked: Int, unlinked: Int)? {
        try await withExistingHome(of: namespace) { home in
            try await read(home) { transaction in
                guard try home.isLinkingDue(in: transaction) else { return nil }
                return try SpaceRecord.open(in: transaction).reduce((0, 0)) { sum, space in
                    let counts = try home.indexes.index(of: space).linkCounts(space.extent, in: transaction)
                    return (sum.0 + counts.linked, sum.1 + counts.unlinked)
                }
            }
        }
    }

    /// Measures how many candidates bring how much recall, on questions between the home's own vectors, and keeps the
    /// curve in the index: `SearchEffort.recall` goes by it from then on. A home without a graph has none. What waits for
    /// the indexer is worked off first, as a curve of half an index says nothing of the whole; what comes meanwhile is not
    /// waited for.
    ///
    /// - Parameters:
    ///   - neighborCount: how many nearest are asked for, 1 to 1,000.
    ///   - sampleCount: how many questions are asked, 10 to 10,000.
    /// - Throws: `EngineError`: `notFound`, `invalid`, `readOnly`, `corrupted`; `CancellationError`, and then nothing is kept.
    /// - Complexity: O(`sampleCount` × vectors × dimension), beside what is left to link.
    public func tuneIndexes(
        in namespace: Namespace, neighborCount: Int = 10, sampleCount: Int = 200,
        progress: (@Sendable (Int, Int) -> Void)? = nil
    ) async throws -> [IndexReport] {
        guard (1...1_000).contains(neighborCount), (10...10_000).contains(sampleCount) else {
            throw EngineError(
                .invalid,
                "recall is measured of 1 to 1,000 neighbors on 10 to 10,000 questions, not \(neighborCount) and \(sampleCount)"
            )
        }
        guard !options.isReadOnly else {
            throw EngineError(.readOnly, "the store is open for reading only: a curve cannot be kept")
        }
        return try await cancellable { flag in
            try await withExistingHome(of: namespace) { home in
                try await home.finishIndexing(on: readers)
                let indexes = home.indexes
                let measured = try await read(home, isBounded: false) {
                    try Self.curves(indexes, neighborCount, sampleCount, progress, flag, in: $0)
                }
                try Task.checkCancellation()
                for (index, curve) in measured {
                    _ = try await home.environment.submit { try index.keep(curve, in: $0) }
                }
                return try await read(home) { try Self.reports(indexes, 0, nil, flag, in: $0) }
            }
        }
    }

    @inline(never)
    private static func reports(
        _ indexes: VectorIndexes, _ sampleCount: Int, _ progress: (@Sendable (Int, Int) -> Void)?,
        _ flag: CancellationFlag, in transaction: borrowing ReadTransaction
    ) throws -> [IndexReport] {
        var reports: [IndexReport] = []
        for space in try SpaceRecord.open(in: transaction) {
            let index = indexes.index(of: space)
            var report = try IndexReport(space, index, in: transaction)
            if sampleCount > 0, report.nodes > 0 {
                let curve = try index.measureRecall(
                    sampleCount: sampleCount, tried: [indexes.parameters.efSearch], space.extent,
                    in: transaction, progress: { progress?($0, $1) }, shouldStop: { flag.isSet })
                report.recall = curve?.points.last.map { Double($0.recall) }
            }
            reports.append(report)
        }
        return reports
    }

    @inline(never)
    private static func curves(
        _ indexes: VectorIndexes, _ neighborCount: Int, _ sampleCount: Int,
        _ progress: (@Sendable (Int, Int) -> Void)?, _ flag: CancellationFlag,
        in transaction: borrowing ReadTransaction
    ) throws -> [(HNSWIndex, RecallCurve)] {
        var curves: [(HNSWIndex, RecallCurve)] = []
        for space in try SpaceRecord.open(in: transaction) {
            let index = indexes.index(of: space)
            let curve = try index.measureRecall(
                k: neighborCount, sampleCount: sampleCount, space.extent, in: transaction,
                progress: { progress?($0, $1) }, shouldStop: { flag.isSet })
            if let curve { curves.append((index, curve)) }
        }
        return curves
    }
}
