import Store

/// The rows of a tail in memory: verified once, and then compared by every search.
///
/// It holds for all snapshots of one map in which as many slots are in segments and the record of the index has the same
/// `tailGeneration`: what is erased changes that (`HNSWIndex.noteErased`), and else rows are appended only. So what
/// was kept is extended by the rows that are new, and a snapshot with fewer reads the beginning.
struct TailRows: Sendable {
    /// Rows as the stream has them: passage, auxiliary number, components.
    struct Part: Sendable {
        let slots: Range<UInt32>
        let stream: [UInt8]
    }

    private(set) var parts: [Part] = []
    /// The rows from its beginning on that are here.
    private(set) var slots: Range<UInt32>
    private var byteCount = 0

    /// Bytes that are kept at most. Rows behind them are read where they lie.
    static let largestByteCount = 16 << 20
    /// A part of fewer bytes is put together with what comes next.
    static let smallestPart = 64 << 10

    init(from first: UInt32) { slots = first..<first }

    /// Reads the rows up to `end`, or as many as may be kept.
    ///
    /// - Throws: `StoreError.corrupted`.
    mutating func extend(
        to end: UInt32, _ segments: VectorSegments, in transaction: borrowing ReadTransaction
    ) throws {
        let rowByteCount = segments.tailRowByteCount
        while slots.upperBound < end {
            let room = (Self.largestByteCount - byteCount) / rowByteCount
            let count = min(Int(end - slots.upperBound), room, segments.rowsPerSegment)
            guard count > 0 else { return }
            let first = Int(slots.upperBound)
            var stream = try segments.readTail(
                first * rowByteCount..<(first + count) * rowByteCount, in: transaction)
            byteCount += stream.count
            var begin = slots.upperBound
            if let last = parts.last, last.stream.count < Self.smallestPart {
                begin = last.slots.lowerBound
                stream = last.stream + stream
                parts.removeLast()
            }
            slots = slots.lowerBound..<slots.upperBound + UInt32(count)
            parts.append(Part(slots: begin..<slots.upperBound, stream: stream))
        }
    }
}

extension VectorSegments {
    /// Scores rows of the tail from `start` on, as far as the snapshot has them. Returns the slot behind the last.
    func scan(
        _ query: [Float], from start: UInt32, _ rows: TailRows, _ extent: Extent,
        _ body: (Block) throws -> Void
    ) rethrows -> UInt32 {
        var next = max(start, rows.slots.lowerBound)
        let end = min(rows.slots.upperBound, extent.nextSlot)
        for part in rows.parts where part.slots.upperBound > next && next < end {
            let until = min(part.slots.upperBound, end)
            let offset = Int(next - part.slots.lowerBound) * tailRowByteCount
            try body(scored(query, part.stream, from: offset, slots: next..<until))
            next = until
        }
        return next
    }

    /// Scores of rows as the stream has them, of which the first begins at `offset`.
    func scored(_ query: [Float], _ stream: [UInt8], from offset: Int, slots: Range<UInt32>) -> Block {
        // Safe because bytes have no padding.
        let bytes = unsafe stream.span.bytes
        let queryAuxiliary = Distance.auxiliary(of: query, metric: metric)
        var scores = [Float](repeating: 0, count: slots.count)
        var target = scores.mutableSpan
        Distance.dots(
            query: query.span, rows: bytes.extracting((offset + 8)...), strideBytes: tailRowByteCount,
            count: slots.count, into: &target)
        var passages: [UInt32] = []
        passages.reserveCapacity(slots.count)
        for index in 0..<slots.count {
            let row = offset + index * tailRowByteCount
            passages.append(bytes.u32(at: row))
            scores[index] = Distance.score(
                dot: scores[index], auxiliary: bytes.f32(at: row + 4), queryAuxiliary: queryAuxiliary,
                metric: metric)
        }
        return Block(firstSlot: slots.lowerBound, passages: passages[...], scores: scores)
    }
}
