import CKernels
import Store

/// A row that a search found.
package struct Neighbor: Sendable, Equatable {
    package let slot: UInt32
    package let passage: UInt32
    /// As `Distance.score`: the larger, the nearer.
    package let score: Float
}

/// The passages that a search may answer with, a bit for each.
package struct PassageFilter: Sendable {
    /// Bit `passage % 64` of word `passage / 64`; passages beyond the last word do not match.
    package let words: [UInt64]

    package init(words: [UInt64]) { self.words = words }

    @inline(__always)
    package func contains(_ passage: UInt32) -> Bool {
        let word = Int(passage >> 6)
        return word < words.count && words[word] >> UInt64(passage & 63) & 1 == 1
    }
}

/// What a search gives.
package struct SearchResult: Sendable {
    /// How the linked rows were searched.
    package enum Way: String, Sendable {
        /// There is no graph: all rows were scanned.
        case scan
        /// Over the graph, all nodes alike.
        case walk
        /// Over the nodes that match, passing through the others.
        case filteredWalk
        /// The rows that match were scored, each of them.
        case matches
    }

    /// The nearest first; of two that are as near, the lower slot.
    package var neighbors: [Neighbor] = []
    package var way = Way.scan
    /// False if it was stopped: then these are the best of what had been looked at.
    package var isComplete = true
}

extension HNSWIndex {
    /// The `k` rows nearest to `query`.
    ///
    /// - Parameters:
    ///   - ef: candidates kept by the walk, at least `k`; the more, the better the recall and the slower. As many as there
    ///     are nodes find all; else 8,192 are the most. Without it, `parameters.efSearch`.
    ///   - filter: answers only with passages in it.
    ///   - isExact: compares all rows, whatever the graph says.
    ///   - shouldStop: asked now and then (every few dozen hops, or 256 KiB of rows); true ends the search early.
    /// - Precondition: `query` has passed `Distance.check`; `k` is from 1 to 4,096.
    /// - Throws: `StoreError.corrupted`.
    /// - Complexity: about O(ef × log n) distances for linked rows; O(rows that are not linked).
    package func search(
        _ query: [Float], k: Int, ef: Int? = nil, filter: PassageFilter? = nil, isExact: Bool = false,
        _ extent: VectorSegments.Extent, in transaction: borrowing ReadTransaction,
        shouldStop: () -> Bool = { false }
    ) throws -> SearchResult {
        precondition(query.count == segments.dimension)
        precondition((1...Self.largestCount).contains(k), "\(k) neighbors")
        var result = SearchResult()
        var nearest = NearestRows(capacity: k)
        let state = try state(in: transaction)
        var scanned: UInt32 = 0
        var ef = max(ef ?? parameters.efSearch, k)
        let nodeCount = Int(state?.nodeCount ?? 0)
        let isForAll = ef >= nodeCount
        ef = min(ef, isForAll ? max(k, nodeCount) : Self.largestEf)
        // A queue has no room for all of so many nodes: then all are compared.
        let isExact = isExact || filter == nil && isForAll && nodeCount > Self.largestEf
        if let state, nodeCount > 0, !state.isDropping, !isExact {
            let table = try pointers.table(state, extent, self, isForSearch: true, in: transaction)
            let scratch = scratches.take()
            defer { scratches.giveBack(scratch) }
            // Safe because the table and the query outlive the call, and the snapshot is held.
            unsafe query.withUnsafeBufferPointer { vector in
                let address = unsafe vector.baseAddress.unsafelyUnwrapped
                let auxiliary = Distance.auxiliary(of: query, metric: segments.metric)
                let target = unsafe Target(
                    vector: address, auxiliary: auxiliary,
                    code: table.book?.target(address, auxiliary: auxiliary, scratch))
                let search = GraphSearch(
                    graph: table.graph(state, segments), rows: table.rows, state: state, scratch: scratch,
                    target: target, ef: ef, parameters: parameters)
                search.run(filter, &nearest, &result, shouldStop)
            }
            withExtendedLifetime(table) {}
            scanned = state.linkedSlots
        } else if !isExact, !transaction.isInsideWrite {
            pointers.dropArena()
        }
        if result.isComplete {
            result.isComplete = try scan(
                query, from: scanned, filter, state, extent, &nearest, in: transaction, shouldStop)
        }
        result.neighbors = nearest.neighbors
        return result
    }

    /// The rows whose score is `score` at least, `limit` of them at most: as `search`, with more and more neighbors until
    /// one is farther.
    package func search(
        _ query: [Float], within score: Float, atMost limit: Int, ef: Int? = nil,
        filter: PassageFilter? = nil, isExact: Bool = false, _ extent: VectorSegments.Extent,
        in transaction: borrowing ReadTransaction, shouldStop: () -> Bool = { false }
    ) throws -> SearchResult {
        var k = min(limit, Self.firstWithin)
        var before: SearchResult?
        while true {
            var result = try search(
                query, k: k, ef: ef, filter: filter, isExact: isExact, extent, in: transaction,
                shouldStop: shouldStop)
            let isFull = result.neighbors.count == k && (result.neighbors.last?.score ?? score) >= score
            result.neighbors.removeAll { $0.score < score }
            if !result.isComplete, let before, before.neighbors.count > result.neighbors.count {
                result.neighbors = before.neighbors
            }
            if !isFull || k == limit || !result.isComplete { return result }
            before = result
            k = min(limit, k * 4)
        }
    }

    /// Neighbors that a search within a score asks for at first.
    private static let firstWithin = 64
    package static let largestCount = 4_096
    static let largestEf = Scratch.largestQueue

    /// Scans slots from `start` on. Returns false if it was stopped.
    private func scan(
        _ query: [Float], from start: UInt32, _ filter: PassageFilter?, _ state: IndexState?,
        _ extent: VectorSegments.Extent, _ nearest: inout NearestRows,
        in transaction: borrowing ReadTransaction, _ shouldStop: () -> Bool
    ) throws -> Bool {
        func take(_ block: VectorSegments.Block) throws {
            nearest.insert(block, filter)
            if shouldStop() { throw Stopped() }
        }
        do {
            var next = start
            if next < extent.segmentedSlots {
                let segmented = VectorSegments.Extent(
                    nextSlot: extent.segmentedSlots, segmentedSlots: extent.segmentedSlots)
                try segments.scan(query, from: next, segmented, in: transaction, take)
                next = extent.segmentedSlots
            }
            if let state {
                let tail = try pointers.tail(state, extent, self, in: transaction)
                next = try segments.scan(query, from: next, tail, extent, take)
            }
            if next < extent.nextSlot {
                try segments.scan(query, from: next, extent, in: transaction, take)
            }
            return true
        } catch is Stopped {
            return false
        }
    }

    private struct Stopped: Error {}
}

/// The best rows so far, the best first.
struct NearestRows {
    private(set) var neighbors: [Neighbor] = []
    let capacity: Int
    /// A row with a lower score has no place any more.
    private(set) var worst = -Float.infinity

    init(capacity: Int) {
        self.capacity = capacity
        neighbors.reserveCapacity(capacity + 1)
    }

    private static func isBetter(_ a: Neighbor, _ b: Neighbor) -> Bool {
        a.score != b.score ? a.score > b.score : a.slot < b.slot
    }

    mutating func insert(_ block: VectorSegments.Block, _ filter: PassageFilter?) {
        for (index, passage) in block.passages.enumerated() {
            let score = block.scores[index]
            guard score >= worst, passage != VectorSegments.noPassage, filter?.contains(passage) ?? true
            else { continue }
            insert(Neighbor(slot: block.firstSlot + UInt32(index), passage: passage, score: score))
        }
    }

    mutating func insert(_ neighbor: Neighbor) {
        if neighbors.count == capacity {
            guard let last = neighbors.last, Self.isBetter(neighbor, last) else { return }
            neighbors.removeLast()
        }
        var low = 0
        var high = neighbors.count
        while low < high {
            let middle = (low + high) / 2
            if Self.isBetter(neighbors[middle], neighbor) { low = middle + 1 } else { high = middle }
        }
        neighbors.insert(neighbor, at: low)
        if neighbors.count == capacity { worst = neighbors[capacity - 1].score }
    }
}
