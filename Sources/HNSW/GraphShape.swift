import Store

/// What an index looks like, for a person.
package struct IndexPicture: Sendable {
    package var m = 0
    package var m0 = 0
    package var efConstruction = 0
    package var hasCodes = false
    /// Rows that the graph holds, those that wait for their repair included.
    package var nodes = 0
    /// Erased rows that the graph still passes through.
    package var waiting = 0
    /// Nodes that were taken out since the graph was begun.
    package var removed = 0
    /// Rows in segments that are not linked yet, and rows of the tail: each search scans them.
    package var unlinked = 0
    package var tail = 0
    /// Nodes whose highest layer it is, by layer.
    package var levels: [Int] = []
    /// Nodes with so many neighbors in layer 0, by their number.
    package var degrees: [Int] = []
    package var curve: RecallCurve?

    package var meanDegree: Double {
        let sum = degrees.enumerated().reduce(0) { $0 + $1.offset * $1.element }
        return Double(sum) / Double(max(1, degrees.reduce(0, +)))
    }
}

extension HNSWIndex {
    /// What the index looks like in a snapshot. Without a graph only the rows are counted.
    ///
    /// - Throws: `StoreError.corrupted`.
    /// - Complexity: O(rows): all lists of layer 0 are read.
    package func picture(
        _ extent: VectorSegments.Extent, in transaction: borrowing ReadTransaction
    ) throws -> IndexPicture {
        var picture = IndexPicture()
        picture.tail = Int(extent.nextSlot - extent.segmentedSlots)
        guard let state = try state(in: transaction), state.nodeCount > 0, !state.isDropping else {
            picture.unlinked = Int(extent.segmentedSlots)
            return picture
        }
        picture.m = state.m
        picture.m0 = state.m0
        picture.efConstruction = state.efConstruction
        picture.hasCodes = state.hasCodes
        picture.nodes = Int(state.nodeCount)
        picture.waiting = Int(state.notedCount)
        picture.removed = Int(state.removedCount)
        picture.unlinked = Int(extent.segmentedSlots) - Int(min(state.linkedSlots, extent.segmentedSlots))
        picture.curve = try curve(in: transaction)
        picture.levels = [Int](repeating: 0, count: state.topLevel + 1)
        picture.degrees = [Int](repeating: 0, count: state.m0 + 1)
        let passages = try segments.passages(of: 0..<Int(state.linkedSlots), in: transaction)
        let pages = bottomPages(state)
        for page in 0..<pages.pageCount(Int(state.linkedSlots)) {
            guard let payload = try table.get(pages.key(page), in: transaction), pages.isPage(page, payload)
            else {
                throw StoreError(
                    .corrupted, "page \(page) of links of space \(segments.space) is missing or damaged")
            }
            for place in 0..<pages.listsPerPage {
                let slot = page * pages.listsPerPage + place
                guard slot < passages.count, passages[slot] != VectorSegments.noPassage else { continue }
                picture.levels[min(state.topLevel, state.levels(UInt32(slot)))] += 1
                picture.degrees[pages.entries(place, of: payload).count] += 1
            }
        }
        return picture
    }
}
