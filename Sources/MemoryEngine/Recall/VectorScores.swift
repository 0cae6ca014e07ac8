import HNSW
import Store

/// Scores of the passages of a home in one embedding space.
struct VectorScores {
    /// The score of each passage, where all rows were compared; NaN = it has no vector in the space.
    private var scores: [Float] = []
    /// The scores of those that were looked at, where not all rows were compared.
    private var chosen = ScoreTable()
    /// Mean and standard deviation over the passages that are compared: all of them, or a sample.
    private(set) var mean = 0.0
    private(set) var deviation = 0.0
    private(set) var rowCount = 0
    /// How many current passages mean and deviation are of.
    private(set) var sampleCount = 0
    /// The scores of the passages that are compared; each of a sample stands for those around it too.
    private(set) var moments = Moments()
    /// The passages with a score, in no order, where not all rows were compared.
    private(set) var compared: [UInt32] = []
    private let index: HNSWIndex
    private let metric: EmbeddingMetric
    private let query: [Float]
    private let record: SpaceRecord
    /// All rows were compared: what has no score has no vector.
    private(set) var isComplete = false
    /// It was stopped before the nearest were found.
    private(set) var isCut = false

    /// How many rows a sample has when only chosen rows are scored.
    static let sampleCount = 256
    /// Chosen rows are scored alone when they are fewer than one in this many; below, the scan of all is faster.
    static let selectionFactor = 6

    /// Where the space has a graph, the nearest `limit` of the eligible are searched, and a sample tells mean and
    /// deviation; elsewhere rows are scanned.
    ///
    /// - Parameters:
    ///   - current: the passages that mean and deviation are of, those of current versions as a rule; `nil` = all.
    ///   - shouldStop: asked now and then while a graph is searched.
    init(
        _ query: [Float], _ space: SpaceRecord, _ view: HomeView, eligible: PassageSet, eligibleCount: Int,
        current: PassageSet?, _ index: HNSWIndex, limit: Int, in transaction: borrowing ReadTransaction,
        shouldStop: () -> Bool
    ) throws {
        self.index = index
        metric = space.space.metric
        self.query = query
        record = space
        var sampled = Moments()
        var distance = 1
        if try index.hasGraph(in: transaction) {
            let filter = eligibleCount == view.capacity ? nil : PassageFilter(words: eligible.words)
            let result = try index.search(
                query, k: min(limit, HNSWIndex.largestCount), filter: filter, space.extent, in: transaction,
                shouldStop: shouldStop)
            isCut = !result.isComplete
            chosen = ScoreTable(for: 4 * result.neighbors.count + Self.sampleCount)
            for neighbor in result.neighbors {
                guard neighbor.passage < view.capacity else {
                    throw StoreError(
                        .corrupted, "a vector belongs to passage \(neighbor.passage), which is not there")
                }
                set(neighbor.score, neighbor.passage)
            }
            distance = max(1, view.capacity / Self.sampleCount)
            let sample = try sample(current, at: distance, view, in: transaction)
            for (passage, value) in sample {
                set(value, passage)
                sampled.add(Double(value))
            }
            rowCount = result.neighbors.count + sample.count
        } else if eligibleCount * Self.selectionFactor < Int(space.nextSlot) {
            let slots = try Self.slots(of: space, view, in: transaction)
            // The sample: slots at even distances, the same ones for every question.
            let step = max(1, space.nextSlot / UInt32(Self.sampleCount))
            distance = Int(step)
            var choices: [(slot: UInt32, passage: Int, isSample: Bool)] = []
            for passage in slots.indices where slots[passage] != .max {
                let isSample = slots[passage] % step == 0 && current?.contains(UInt32(passage)) ?? true
                if isSample || eligible.contains(UInt32(passage)) {
                    choices.append((slots[passage], passage, isSample))
                }
            }
            choices.sort { $0.slot < $1.slot }
            let values = try space.segments.scores(
                of: choices.map(\.slot), query, space.extent, in: transaction)
            rowCount = values.count
            chosen = ScoreTable(for: values.count)
            for (choice, value) in zip(choices, values) {
                set(value, UInt32(choice.passage))
                if choice.isSample { sampled.add(Double(value)) }
            }
        } else {
            isComplete = true
            scores = [Float](repeating: .nan, count: view.capacity)
            try space.segments.scan(query, space.extent, in: transaction) { block in
                rowCount += block.passages.count
                for (index, passage) in block.passages.enumerated() where passage != VectorSegments.noPassage
                {
                    guard passage < view.capacity else {
                        throw StoreError(
                            .corrupted, "a vector belongs to passage \(passage), which is not there")
                    }
                    let value = block.scores[index]
                    scores[Int(passage)] = value
                    if let current, !current.contains(passage) { continue }
                    sampled.add(Double(value))
                }
            }
        }
        sampleCount = Int(sampled.count)
        moments = sampled.standing(for: distance)
        compare(with: sampled)
    }

    /// What is much, and what little.
    mutating func compare(with moments: Moments) {
        mean = moments.mean
        deviation = moments.deviation
    }

    var space: EmbeddingSpace { record.space }

    private mutating func set(_ score: Float, _ passage: UInt32) {
        if chosen.set(score, passage) { compared.append(passage) }
    }

    /// The score of a passage; NaN = it has no vector in the space, or was not looked at.
    func score(_ passage: UInt32) -> Float { isComplete ? scores[Int(passage)] : chosen[passage] }

    /// The best of a set, the best first.
    func best(_ count: Int, of eligible: PassageSet) -> [UInt32] {
        var top = TopList(capacity: count)
        if isComplete {
            eligible.forEachPassage { passage in
                let score = scores[Int(passage)]
                if !score.isNaN { top.insert(score, passage) }
            }
        } else {
            for passage in compared where eligible.contains(passage) {
                top.insert(score(passage), passage)
            }
        }
        return top.ranked
    }

    /// The slot of each passage; `max` = none.
    private static func slots(
        of space: SpaceRecord, _ view: HomeView, in transaction: borrowing ReadTransaction
    ) throws -> [UInt32] {
        var slots = [UInt32](repeating: .max, count: view.capacity)
        let column = Column.slot(space.number)
        try view.forEachBlock(column, in: transaction) { first, bytes in
            for index in 0..<min(column.rowsPerBlock, Int(view.state.foldedPassages) - first) {
                slots[first + index] = bytes.u32(at: index * 4)
            }
        }
        for entry in view.tail {
            for slot in entry.front.slots where slot.space == space.number {
                slots[Int(entry.passage)] = slot.slot
            }
        }
        for slot in slots where slot != .max && slot >= space.nextSlot {
            throw StoreError(
                .corrupted, "a passage has slot \(slot) of \(space.space.name), which is not there")
        }
        return slots
    }

    /// Scores of current passages at even distances, the same ones for every question.
    private func sample(
        _ current: PassageSet?, at distance: Int, _ view: HomeView, in transaction: borrowing ReadTransaction
    ) throws -> [(passage: UInt32, score: Float)] {
        let passages = stride(from: 0, to: view.capacity, by: distance).map { UInt32($0) }.filter {
            current?.contains($0) ?? true
        }
        return try scores(of: passages, view, in: transaction)
    }

    /// The scores of those of the passages that have a vector.
    ///
    /// - Parameter passages: in ascending order.
    private func scores(
        of passages: [UInt32], _ view: HomeView, in transaction: borrowing ReadTransaction
    ) throws -> [(passage: UInt32, score: Float)] {
        var chosen: [(slot: UInt32, passage: UInt32)] = []
        for (passage, slot) in zip(passages, try view.slots(record.number, of: passages, in: transaction))
        where slot != .max {
            guard slot < record.nextSlot else {
                throw StoreError(
                    .corrupted, "a passage has slot \(slot) of \(space.name), which is not there")
            }
            chosen.append((slot, passage))
        }
        chosen.sort { $0.slot < $1.slot }
        let values = try index.scores(of: chosen.map(\.slot), query, record.extent, in: transaction)
        return zip(chosen, values).map { ($0.passage, $1) }
    }

    /// Compares the vectors of passages that were not chosen at first: neighbors of those that were.
    ///
    /// - Parameter passages: in ascending order.
    mutating func complete(
        _ passages: [UInt32], _ view: HomeView, in transaction: borrowing ReadTransaction
    ) throws {
        if isComplete { return }
        let missing = passages.filter { score($0).isNaN }
        if missing.isEmpty { return }
        for (passage, value) in try scores(of: missing, view, in: transaction) { set(value, passage) }
    }

    /// The score of a passage above the mean, in standard deviations. Where all are alike, as the only one of a home
    /// is, its likeness to the question. 0 for one without a vector.
    func normalized(_ passage: UInt32) -> Double {
        let score = Double(score(passage))
        guard !score.isNaN else { return 0 }
        return deviation == 0 ? likeness(score) : (score - mean) / deviation
    }

    /// Whether a passage has anything to do with the question, as far as the space can tell: where all are alike, it
    /// must be like it.
    func matches(_ passage: UInt32) -> Bool {
        let score = Double(score(passage))
        return !score.isNaN && (deviation > 0 || likeness(score) > 0)
    }

    /// How like two vectors with this score are, 0 to 1. Cosines below a twentieth are the noise of any model.
    private func likeness(_ score: Double) -> Double {
        switch metric {
        case .cosine: score < 0.05 ? 0 : min(1, score)
        case .innerProduct: score > 0 ? score / (1 + score) : 0
        case .l2: 1 / (1 - min(0, score))
        }
    }
}

/// The best of many, kept in a heap with the worst on top.
struct TopList {
    private let capacity: Int
    private(set) var items: [(score: Float, passage: UInt32)] = []
    /// The worst score, once the list is full. A higher passage with it comes too late.
    private(set) var bar = -Float.infinity

    init(capacity: Int) {
        self.capacity = capacity
        items.reserveCapacity(capacity + 1)
    }

    /// Equal scores prefer the lower passage, so that the result does not depend on the order of arrival.
    private static func isWorse(
        _ a: (score: Float, passage: UInt32), _ b: (score: Float, passage: UInt32)
    ) -> Bool {
        a.score != b.score ? a.score < b.score : a.passage > b.passage
    }

    /// The passages, the best first.
    var ranked: [UInt32] { items.sorted { Self.isWorse($1, $0) }.map(\.passage) }

    @inline(__always)
    mutating func insert(_ score: Float, _ passage: UInt32) {
        // Most that come are worse than all there are.
        if score < bar { return }
        place(score, passage)
    }

    private mutating func place(_ score: Float, _ passage: UInt32) {
        let item = (score, passage)
        defer { if items.count == capacity, let worst = items.first { bar = worst.score } }
        if items.count < capacity {
            items.append(item)
            var child = items.count - 1
            while child > 0, Self.isWorse(items[child], items[(child - 1) / 2]) {
                items.swapAt(child, (child - 1) / 2)
                child = (child - 1) / 2
            }
        } else if capacity > 0, Self.isWorse(items[0], item) {
            items[0] = item
            var parent = 0
            while true {
                var worst = parent
                for child in [2 * parent + 1, 2 * parent + 2] where child < items.count {
                    if Self.isWorse(items[child], items[worst]) { worst = child }
                }
                if worst == parent { break }
                items.swapAt(parent, worst)
                parent = worst
            }
        }
    }
}
