import CKernels
import Store

extension HNSWIndex {
    /// Scores chosen rows, as `VectorSegments.scores` does; where the space has a graph, those in segments are found by
    /// the addresses that searches keep, and prefetched.
    ///
    /// - Parameter slots: ascending, each below `extent.nextSlot`.
    /// - Precondition: `query` has passed `Distance.check`.
    /// - Throws: `StoreError.corrupted`.
    /// - Complexity: O(`slots.count` × dimension).
    package func scores(
        of slots: [UInt32], _ query: [Float], _ extent: VectorSegments.Extent,
        in transaction: borrowing ReadTransaction
    ) throws -> [Float] {
        precondition(query.count == segments.dimension)
        precondition(slots.last.map { $0 < extent.nextSlot } ?? true, "a slot that is not there")
        guard let state = try state(in: transaction), state.nodeCount > 0, !state.isDropping else {
            return try segments.scores(of: slots, query, extent, in: transaction)
        }
        let rows = try pointers.rows(state, extent, self, in: transaction)
        let inSegments = slots.prefix { Int($0) < rows.slotCount }
        var scores = scores(of: inSegments, query, rows)
        if inSegments.count < slots.count {
            scores += try segments.scores(
                of: Array(slots[inSegments.endIndex...]), query, extent, in: transaction)
        }
        return scores
    }

    private func scores(
        of slots: ArraySlice<UInt32>, _ query: [Float], _ rows: SegmentAddresses
    ) -> [Float] {
        let queryAuxiliary = Distance.auxiliary(of: query, metric: segments.metric)
        var dots = [Float](repeating: 0, count: slots.count)
        var auxiliaries = dots
        // Safe because every slot has an address (they ascend, and the last is below the count), the snapshot and
        // the addresses outlive the call, and there is room for a product and an auxiliary number of each.
        unsafe slots.withUnsafeBufferPointer { slots in
            unsafe query.withUnsafeBufferPointer { query in
                unsafe dots.withUnsafeMutableBufferPointer { dots in
                    unsafe auxiliaries.withUnsafeMutableBufferPointer { auxiliaries in
                        unsafe kernels_dots_f32_slots(
                            rows.layout, query.baseAddress, slots.baseAddress, slots.count, dots.baseAddress,
                            auxiliaries.baseAddress)
                    }
                }
            }
        }
        withExtendedLifetime(rows) {}
        for index in dots.indices {
            dots[index] = Distance.score(
                dot: dots[index], auxiliary: auxiliaries[index], queryAuxiliary: queryAuxiliary,
                metric: segments.metric)
        }
        return dots
    }
}
