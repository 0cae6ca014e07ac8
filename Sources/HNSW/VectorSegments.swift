import Store

/// The vectors of one embedding space of a home, by slot.
///
/// A slot is a dense number of the space, given in the order of appending and never used twice. New rows
/// go to the tail, a stream of bytes in one-page values, so that a caller's commit writes few pages; it may
/// lie in a table that such a commit writes anyway. The indexer folds them into segments: contiguous rows,
/// 64-byte aligned in the file, of about 256 KiB.
/// Beside each row stands the passage that it belongs to, and a number that the metric needs
/// (`Distance.auxiliary`). Rows are kept as they were given, bit by bit.
package struct VectorSegments: Sendable, Equatable {
    package let table: Table
    package let space: UInt16
    package let dimension: Int
    package let metric: Metric
    /// Where the tail is, and what its keys begin with.
    private let tailTable: Table
    private let tailPrefix: UInt8

    /// How far the rows of the space go. The engine keeps it in the record of the space.
    package struct Extent: Sendable, Equatable {
        package var nextSlot: UInt32
        /// Slots below it are in segments, the others in the tail.
        package var segmentedSlots: UInt32
        package init(nextSlot: UInt32, segmentedSlots: UInt32) {
            self.nextSlot = nextSlot
            self.segmentedSlots = segmentedSlots
        }
    }

    /// The passage of a slot whose row was erased.
    package static let noPassage = UInt32.max

    /// Of the tail, where it lies in the table of the segments.
    private static let ownTailPrefix: UInt8 = 0x01
    static let segmentPrefix: UInt8 = 0x02
    static let passagePrefix: UInt8 = 0x03
    /// Bytes of the stream in a page of the tail.
    static let tailPageByteCount = 4_064
    /// Passages in a block of the slot column.
    static let passagesPerBlock = 1_008
    /// Payload bytes before the rows of a segment. LMDB starts a long value 16 bytes into its page, our
    /// checksum takes four, so rows begin at byte 64 of the page.
    static let headerByteCount = 44
    /// A segment is at most 64 pages.
    static let segmentByteCount = 64 * 4_096 - 20

    /// - Parameter tail: the table of the tail, and what its keys begin with; by default the same table.
    package init(
        table: Table, tail: (table: Table, prefix: UInt8)? = nil, space: UInt16, dimension: Int,
        metric: Metric
    ) {
        precondition(dimension > 0)
        self.table = table
        tailTable = tail?.table ?? table
        tailPrefix = tail?.prefix ?? Self.ownTailPrefix
        self.space = space
        self.dimension = dimension
        self.metric = metric
    }

    /// Bytes from one row of a segment to the next.
    var strideBytes: Int { (dimension * 4 + 63) / 64 * 64 }
    /// Rows of a segment.
    package var rowsPerSegment: Int {
        max(1, (Self.segmentByteCount - Self.headerByteCount) / (strideBytes + 4))
    }
    /// Bytes of a row in the tail: passage, auxiliary number, components.
    var tailRowByteCount: Int { 8 + dimension * 4 }

    /// Bytes of a segment's payload.
    var segmentPayloadByteCount: Int { Self.headerByteCount + rowsPerSegment * (strideBytes + 4) }
    /// What the keys of its segments, and those of its slot column, begin with.
    var segmentKeys: Key { Key(prefix: Self.segmentPrefix).u16(space) }
    var passageKeys: Key { Key(prefix: Self.passagePrefix).u16(space) }

    private func tailKey(_ page: Int) -> Key { Key(prefix: tailPrefix).u16(space).u32(UInt32(page)) }
    private func segmentKey(_ segment: Int) -> Key {
        Key(prefix: Self.segmentPrefix).u16(space).u32(UInt32(segment))
    }
    private func passageKey(_ block: Int) -> Key {
        Key(prefix: Self.passagePrefix).u16(space).u32(UInt32(block))
    }

    // MARK: Writing

    /// Appends rows to the tail; the first gets slot `extent.nextSlot`.
    ///
    /// - Precondition: each vector has been checked (`Distance.check`).
    package func append(
        _ rows: [(passage: UInt32, vector: [Float])], _ extent: inout Extent,
        in transaction: borrowing WriteTransaction
    ) throws {
        guard !rows.isEmpty else { return }
        var writer = ByteWriter(capacity: rows.count * tailRowByteCount)
        for (passage, vector) in rows {
            precondition(vector.count == dimension, "a vector of \(vector.count) in a space of \(dimension)")
            writer.u32(passage)
            writer.f32(Distance.auxiliary(of: vector, metric: metric))
            writer.raw(bytes(of: vector))
        }
        try writeTail(writer.bytes, at: Int(extent.nextSlot) * tailRowByteCount, in: transaction)
        extent.nextSlot += UInt32(rows.count)
    }

    // Safe because floats have no padding, and the bytes are copied.
    private func bytes(of vector: [Float]) -> [UInt8] { unsafe vector.span.bytes.array }

    /// Writes `bytes` into the stream at `offset`.
    private func writeTail(
        _ bytes: [UInt8], at offset: Int, in transaction: borrowing WriteTransaction
    ) throws {
        var done = 0
        while done < bytes.count {
            let (page, start) = (offset + done).quotientAndRemainder(dividingBy: Self.tailPageByteCount)
            let count = min(bytes.count - done, Self.tailPageByteCount - start)
            var value = try tailTable.get(tailKey(page), in: transaction.snapshot)?.array ?? []
            if value.count < start + count {
                value += [UInt8](repeating: 0, count: start + count - value.count)
            }
            value.replaceSubrange(start..<start + count, with: bytes[done..<done + count])
            try tailTable.put(tailKey(page), value, in: transaction)
            done += count
        }
    }

    /// Moves whole segments' worth of rows from the tail into at most `limit` segments. Returns how many
    /// were made.
    package func fold(
        _ extent: inout Extent, atMost limit: Int, in transaction: borrowing WriteTransaction
    ) throws -> Int {
        var made = 0
        while made < limit, Int(extent.nextSlot - extent.segmentedSlots) >= rowsPerSegment {
            let first = Int(extent.segmentedSlots)
            let stream = try readTail(
                first * tailRowByteCount..<(first + rowsPerSegment) * tailRowByteCount,
                in: transaction.snapshot)
            var passages: [UInt32] = []
            var value = [UInt8](
                repeating: 0, count: Self.headerByteCount + rowsPerSegment * (strideBytes + 4))
            var header = ByteWriter()
            header.u32(UInt32(first))
            header.u32(UInt32(rowsPerSegment))
            header.u32(UInt32(dimension))
            value.replaceSubrange(0..<header.count, with: header.bytes)
            for index in 0..<rowsPerSegment {
                let start = index * tailRowByteCount
                // Safe because bytes have no padding.
                let row = unsafe stream.span.bytes.extracting(start..<start + tailRowByteCount)
                passages.append(row.u32(at: 0))
                let target = Self.headerByteCount + index * strideBytes
                value.replaceSubrange(
                    target..<target + dimension * 4, with: stream[start + 8..<start + tailRowByteCount])
                let auxiliary = Self.headerByteCount + rowsPerSegment * strideBytes + index * 4
                value.replaceSubrange(auxiliary..<auxiliary + 4, with: stream[start + 4..<start + 8])
            }
            try table.put(segmentKey(first / rowsPerSegment), value, in: transaction)
            try writePassages(passages, from: first, in: transaction)
            extent.segmentedSlots += UInt32(rowsPerSegment)
            // Pages of the tail that hold nothing above the watermark any more.
            let (lastPage, rest) = (Int(extent.segmentedSlots) * tailRowByteCount)
                .quotientAndRemainder(dividingBy: Self.tailPageByteCount)
            for page in first * tailRowByteCount / Self.tailPageByteCount..<lastPage {
                try tailTable.remove(tailKey(page), in: transaction)
            }
            // The first page that stays may begin with folded rows: erasing one later would not reach them.
            let zeros = [UInt8](repeating: 0, count: rest)
            try writeTail(zeros, at: lastPage * Self.tailPageByteCount, in: transaction)
            made += 1
        }
        return made
    }

    private func writePassages(
        _ passages: [UInt32], from first: Int, in transaction: borrowing WriteTransaction
    ) throws {
        var done = 0
        while done < passages.count {
            let (block, start) = (first + done).quotientAndRemainder(dividingBy: Self.passagesPerBlock)
            let count = min(passages.count - done, Self.passagesPerBlock - start)
            var value =
                try table.get(passageKey(block), in: transaction.snapshot)?.array
                ?? [UInt8](repeating: 0xff, count: Self.passagesPerBlock * 4)
            var writer = ByteWriter()
            for passage in passages[done..<done + count] { writer.u32(passage) }
            value.replaceSubrange(start * 4..<(start + count) * 4, with: writer.bytes)
            try table.put(passageKey(block), value, in: transaction)
            done += count
        }
    }

    /// Overwrites a row with zeros and takes its passage from it. The slot stays, and is never found again.
    package func erase(_ slot: UInt32, _ extent: Extent, in transaction: borrowing WriteTransaction) throws {
        precondition(slot < extent.nextSlot)
        if slot >= extent.segmentedSlots {
            var writer = ByteWriter()
            writer.u32(Self.noPassage)
            writer.raw([UInt8](repeating: 0, count: tailRowByteCount - 4))
            try writeTail(writer.bytes, at: Int(slot) * tailRowByteCount, in: transaction)
            return
        }
        let (segment, index) = Int(slot).quotientAndRemainder(dividingBy: rowsPerSegment)
        // Verified, because it is written anew, with a checksum of its own.
        guard var value = try table.get(segmentKey(segment), in: transaction.snapshot)?.array,
            value.count == Self.headerByteCount + rowsPerSegment * (strideBytes + 4)
        else { throw StoreError(.corrupted, "segment \(segment) of space \(space) is missing or damaged") }
        let start = Self.headerByteCount + index * strideBytes
        for byte in start..<start + strideBytes { value[byte] = 0 }
        let auxiliary = Self.headerByteCount + rowsPerSegment * strideBytes + index * 4
        for byte in auxiliary..<auxiliary + 4 { value[byte] = 0 }
        try table.put(segmentKey(segment), value, in: transaction)
        try writePassages([Self.noPassage], from: Int(slot), in: transaction)
    }

    /// Where its rows lie: tables, and what the keys there begin with.
    package var places: [(Table, Key)] {
        [
            (tailTable, Key(prefix: tailPrefix).u16(space)), (table, segmentKeys), (table, passageKeys),
        ]
    }

    /// Removes all rows.
    package func removeAll(in transaction: borrowing WriteTransaction) throws {
        for (table, prefix) in places { try table.removeAll(prefix: prefix, in: transaction) }
    }

    // MARK: Reading

    /// Bytes `range` of the tail's stream.
    func readTail(_ range: Range<Int>, in transaction: borrowing ReadTransaction) throws -> [UInt8] {
        guard !range.isEmpty else { return [] }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        for page in range.lowerBound / Self.tailPageByteCount...(range.upperBound - 1)
            / Self.tailPageByteCount
        {
            let start = page * Self.tailPageByteCount
            let from = max(range.lowerBound, start) - start
            let until = min(range.upperBound, start + Self.tailPageByteCount) - start
            guard let value = try tailTable.get(tailKey(page), in: transaction), value.byteCount >= until
            else {
                throw StoreError(.corrupted, "page \(page) of the vector tail of space \(space) is missing")
            }
            bytes += value.copy(from..<until)
        }
        return bytes
    }

    /// The payload of a segment, its size checked, its bytes not.
    @_lifetime(borrow transaction)
    func segmentValue(_ segment: Int, in transaction: borrowing ReadTransaction) throws -> RawSpan {
        guard let value = try table.unverified(segmentKey(segment), in: transaction),
            value.byteCount == Self.headerByteCount + rowsPerSegment * (strideBytes + 4)
        else { throw StoreError(.corrupted, "segment \(segment) of space \(space) is missing or damaged") }
        return value
    }

    /// The passages of all slots in segments.
    package func segmentedPassages(
        _ extent: Extent, in transaction: borrowing ReadTransaction
    ) throws -> [UInt32] {
        try passages(of: 0..<Int(extent.segmentedSlots), in: transaction)
    }

    /// The passages of consecutive slots in segments.
    func passages(of slots: Range<Int>, in transaction: borrowing ReadTransaction) throws -> [UInt32] {
        var passages: [UInt32] = []
        passages.reserveCapacity(slots.count)
        while passages.count < slots.count {
            let (block, first) = (slots.lowerBound + passages.count)
                .quotientAndRemainder(dividingBy: Self.passagesPerBlock)
            guard let value = try table.get(passageKey(block), in: transaction),
                value.byteCount == Self.passagesPerBlock * 4
            else { throw StoreError(.corrupted, "the slot column of space \(space) has a gap") }
            let end = min(Self.passagesPerBlock, first + slots.count - passages.count)
            for index in first..<end { passages.append(value.u32(at: index * 4)) }
        }
        return passages
    }

    /// The vector of a slot, bit by bit as it was appended, and its passage.
    package func row(
        _ slot: UInt32, _ extent: Extent, in transaction: borrowing ReadTransaction
    ) throws -> (passage: UInt32, vector: [Float]) {
        guard slot < extent.nextSlot else {
            throw StoreError(.corrupted, "slot \(slot) of space \(space) does not exist")
        }
        if slot >= extent.segmentedSlots {
            let start = Int(slot) * tailRowByteCount
            let bytes = try readTail(start..<start + tailRowByteCount, in: transaction)
            // Safe because bytes have no padding.
            let span = unsafe bytes.span.bytes
            return (span.u32(at: 0), span.floats(at: 8, count: dimension))
        }
        let (segment, index) = Int(slot).quotientAndRemainder(dividingBy: rowsPerSegment)
        let (block, place) = Int(slot).quotientAndRemainder(dividingBy: Self.passagesPerBlock)
        guard let passages = try table.get(passageKey(block), in: transaction),
            passages.byteCount > place * 4 + 3
        else { throw StoreError(.corrupted, "the slot column of space \(space) has a gap") }
        // One vector is read to be shown or copied, so its segment is verified whole.
        guard let value = try table.get(segmentKey(segment), in: transaction),
            value.byteCount == Self.headerByteCount + rowsPerSegment * (strideBytes + 4)
        else { throw StoreError(.corrupted, "segment \(segment) of space \(space) is missing or damaged") }
        return (
            passages.u32(at: place * 4),
            value.floats(at: Self.headerByteCount + index * strideBytes, count: dimension)
        )
    }
}

extension VectorSegments {
    /// Lends slot, passage and vector, bit by bit as it was appended, of the rows of consecutive slots that were not erased.
    /// Each segment is verified once.
    package func forEachRow(
        in slots: Range<UInt32>, _ extent: Extent, in transaction: borrowing ReadTransaction,
        _ body: (UInt32, UInt32, [Float]) throws -> Void
    ) throws {
        precondition(slots.upperBound <= extent.nextSlot)
        var slot = slots.lowerBound
        while slot < min(slots.upperBound, extent.segmentedSlots) {
            let (segment, first) = Int(slot).quotientAndRemainder(dividingBy: rowsPerSegment)
            let end = min(Int(slots.upperBound) - segment * rowsPerSegment, rowsPerSegment)
            let passages = try passages(
                of: Int(slot)..<segment * rowsPerSegment + end, in: transaction)
            guard let value = try table.get(segmentKey(segment), in: transaction),
                value.byteCount == segmentPayloadByteCount
            else {
                throw StoreError(.corrupted, "segment \(segment) of space \(space) is missing or damaged")
            }
            for index in first..<end where passages[index - first] != Self.noPassage {
                try body(
                    UInt32(segment * rowsPerSegment + index), passages[index - first],
                    value.floats(at: Self.headerByteCount + index * strideBytes, count: dimension))
            }
            slot = UInt32(segment * rowsPerSegment + end)
        }
        while slot < slots.upperBound {
            let (passage, vector) = try row(slot, extent, in: transaction)
            if passage != Self.noPassage { try body(slot, passage, vector) }
            slot += 1
        }
    }

    /// Lends slot and passage of every row that was not erased, in the order of slots.
    package func forEachPassage(
        _ extent: Extent, in transaction: borrowing ReadTransaction, _ body: (UInt32, UInt32) throws -> Void
    ) throws {
        for (slot, passage) in try segmentedPassages(extent, in: transaction).enumerated()
        where passage != Self.noPassage {
            try body(UInt32(slot), passage)
        }
        for slot in extent.segmentedSlots..<extent.nextSlot {
            let start = Int(slot) * tailRowByteCount
            let bytes = try readTail(start..<start + 4, in: transaction)
            // Safe because bytes have no padding.
            let passage = unsafe bytes.span.bytes.u32(at: 0)
            if passage != Self.noPassage { try body(slot, passage) }
        }
    }
}
