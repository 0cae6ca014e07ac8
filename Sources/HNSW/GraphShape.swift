import Store

/// How the nodes of a graph are spread over its layers, and linked.
package struct GraphShape: Sendable {
    /// Nodes whose highest layer it is, by layer.
    package var levels: [Int]
    /// Nodes with so many neighbors in layer 0, by their number.
    package var degrees: [Int]
}

extension HNSWIndex {
    /// The shape of the graph, without erased nodes; `nil` if there is none.
    ///
    /// - Throws: `StoreError.corrupted`.
    /// - Complexity: O(rows): all lists of layer 0 are read.
    package func shape(in transaction: borrowing ReadTransaction) throws -> GraphShape? {
        guard let state = try state(in: transaction), state.nodeCount > 0, !state.isDropping else {
            return nil
        }
        var shape = GraphShape(
            levels: [Int](repeating: 0, count: state.topLevel + 1),
            degrees: [Int](repeating: 0, count: state.m0 + 1))
        let passages = try segments.passages(of: 0..<Int(state.linkedSlots), in: transaction)
        let pages = bottomPages(state)
        for page in 0..<pages.pageCount(passages.count) {
            let payload = try pages.page(page, in: transaction)
            for place in 0..<pages.listsPerPage {
                let slot = page * pages.listsPerPage + place
                guard slot < passages.count, passages[slot] != VectorSegments.noPassage else { continue }
                shape.levels[min(state.topLevel, state.levels(UInt32(slot)))] += 1
                shape.degrees[pages.entries(place, of: payload).count] += 1
            }
        }
        return shape
    }
}
