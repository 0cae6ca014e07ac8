import Store

/// Compares a query with rows one by one: the path of small homes, and the oracle of the index.
extension VectorSegments {
    /// Scores of the rows in consecutive slots, and their passages. A row that was erased has
    /// `noPassage`.
    package struct Block {
        package let firstSlot: UInt32
        package let passages: ArraySlice<UInt32>
        /// As `Distance.score`: the larger the nearer.
        package let scores: [Float]
    }

    /// Scores every row of the space against `query`, and lends the results in the order of slots.
    ///
    /// - Parameter start: the first slot to score.
    /// - Precondition: `query` has the space's dimension and is valid for its metric.
    /// - Complexity: O(rows × dimension), at the speed of memory.
    package func scan(
        _ query: [Float], from start: UInt32 = 0, _ extent: Extent, in transaction: borrowing ReadTransaction,
        _ body: (Block) throws -> Void
    ) throws {
        precondition(query.count == dimension)
        let queryAuxiliary = Distance.auxiliary(of: query, metric: metric)
        let rows = rowsPerSegment
        var scores = [Float](repeating: 0, count: rows)
        var first = Int(start)
        while first < Int(extent.segmentedSlots) {
            let (segment, row) = first.quotientAndRemainder(dividingBy: rows)
            let count = rows - row
            let passages = try passages(of: first..<first + count, in: transaction)
            let value = try segmentValue(segment, in: transaction)
            let auxiliaries = Self.headerByteCount + rows * strideBytes
            var target = scores.mutableSpan
            Distance.dots(
                query: query.span,
                rows: value.extracting(Self.headerByteCount + row * strideBytes..<auxiliaries),
                strideBytes: strideBytes, count: count, into: &target)
            for index in 0..<count {
                scores[index] = Distance.score(
                    dot: scores[index], auxiliary: value.f32(at: auxiliaries + (row + index) * 4),
                    queryAuxiliary: queryAuxiliary, metric: metric)
            }
            try body(Block(firstSlot: UInt32(first), passages: passages[...], scores: scores))
            first += count
        }
        // The tail, a bounded number of rows at a time.
        var slot = max(Int(start), Int(extent.segmentedSlots))
        while slot < Int(extent.nextSlot) {
            let count = min(rows, Int(extent.nextSlot) - slot)
            let stream = try readTail(
                slot * tailRowByteCount..<(slot + count) * tailRowByteCount, in: transaction)
            try body(scored(query, stream, from: 0, slots: UInt32(slot)..<UInt32(slot + count)))
            slot += count
        }
    }

    /// Scores chosen slots only, ascending; for filters that leave few rows, and for samples.
    ///
    /// - Complexity: O(`slots.count` × dimension).
    package func scores(
        of slots: [UInt32], _ query: [Float], _ extent: Extent, in transaction: borrowing ReadTransaction
    ) throws -> [Float] {
        precondition(query.count == dimension)
        let queryAuxiliary = Distance.auxiliary(of: query, metric: metric)
        var scores: [Float] = []
        scores.reserveCapacity(slots.count)
        var dots = [Float](repeating: 0, count: rowsPerSegment)
        var index = 0
        while index < slots.count, slots[index] < extent.segmentedSlots {
            let segment = Int(slots[index]) / rowsPerSegment
            let value = try segmentValue(segment, in: transaction)
            var rows: [UInt32] = []
            while index < slots.count, Int(slots[index]) / rowsPerSegment == segment {
                rows.append(slots[index] % UInt32(rowsPerSegment))
                index += 1
            }
            let auxiliaries = Self.headerByteCount + rowsPerSegment * strideBytes
            var start = 0
            while start < rows.count {
                let part = Array(rows[start..<min(start + rowsPerSegment, rows.count)])
                var target = dots.mutableSpan
                Distance.dots(
                    query: query.span, rows: value.extracting(Self.headerByteCount..<auxiliaries),
                    strideBytes: strideBytes, indices: part.span, into: &target)
                for (place, row) in part.enumerated() {
                    scores.append(
                        Distance.score(
                            dot: dots[place], auxiliary: value.f32(at: auxiliaries + Int(row) * 4),
                            queryAuxiliary: queryAuxiliary, metric: metric))
                }
                start += part.count
            }
        }
        for slot in slots[index...] {
            let start = Int(slot) * tailRowByteCount
            let stream = try readTail(start..<start + tailRowByteCount, in: transaction)
            // Safe because bytes have no padding.
            let bytes = unsafe stream.span.bytes
            scores.append(
                Distance.score(
                    dot: Distance.dot(query.span, bytes.extracting(8...)), auxiliary: bytes.f32(at: 4),
                    queryAuxiliary: queryAuxiliary, metric: metric))
        }
        return scores
    }
}
