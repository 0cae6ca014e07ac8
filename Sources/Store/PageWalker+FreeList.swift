/// The free list: records of page numbers under the number of the transaction that freed them.
extension PageWalker {
    /// A record's pages are read in parts of this size; 8 bytes divide it.
    private static let partByteCount = 1 << 16

    mutating func checkFreePages(_ list: RawSpan) {
        var remaining: UInt64 = 0
        guard beginFreeRecord(list.byteCount, count: list.byteCount < 8 ? 0 : list.u64(at: 0), &remaining)
        else { return }
        var previous = UInt64.max
        _ = markFree(list.extracting(8...), &previous, &remaining)
    }

    mutating func checkFreeRun(at start: UInt64, byteCount: Int) {
        var buffer = PageBuffer()
        var offset = Int(start) * pageByteCount + PageLayout.headerByteCount
        let end = offset + byteCount
        guard byteCount >= 8, read(&buffer, count: 8, at: offset, page: start) else { return }
        var remaining: UInt64 = 0
        guard beginFreeRecord(byteCount, count: buffer.bytes.u64(at: 0), &remaining) else { return }
        offset += 8
        var previous = UInt64.max
        while remaining > 0, offset < end {
            let count = min(Self.partByteCount, end - offset)
            guard read(&buffer, count: count, at: offset, page: start),
                markFree(buffer.bytes, &previous, &remaining)
            else { return }
            offset += count
        }
    }

    /// A record is a count and so many page numbers; it may be longer, when fewer were left than LMDB had
    /// made room for.
    mutating func beginFreeRecord(_ byteCount: Int, count: UInt64, _ remaining: inout UInt64) -> Bool {
        guard byteCount >= 8, byteCount & 7 == 0, count <= UInt64(byteCount / 8 - 1) else {
            note("a record of \(byteCount) bytes says that it has \(count) pages")
            return false
        }
        remaining = count
        return true
    }

    mutating func markFree(_ list: RawSpan, _ previous: inout UInt64, _ remaining: inout UInt64) -> Bool {
        var offset = 0
        while remaining > 0, offset + 8 <= list.byteCount {
            let number = list.u64(at: offset)
            guard number >= 2, number <= meta.lastPage else {
                note("it names page \(number), of 2 to \(meta.lastPage)")
                return false
            }
            guard number < previous else {
                note("it names page \(number) behind page \(previous)")
                return false
            }
            guard !isReached.contains(number) else {
                note("it names page \(number), which is in use")
                return false
            }
            guard isFree.insert(number) else {
                note("it names page \(number) twice")
                return false
            }
            report.free += 1
            previous = number
            remaining -= 1
            offset += 8
        }
        return true
    }

    // MARK: Its end

    /// Every commit after the first frees at least the root of the tree of tables, and notes so under its
    /// own number. A meta page whose number was damaged is caught here, before the one commit that it
    /// hides is written over.
    mutating func checkLastFreeRecord() {
        guard hasPrevious, lastFreeTransaction != meta.transaction else { return }
        let last = lastFreeTransaction.map { "its last record is of transaction \($0)" } ?? "it is empty"
        note("\(last), and the meta page's transaction is \(meta.transaction)")
    }
}

/// A set of page numbers, one bit each.
struct PageSet {
    private var words: [UInt64]

    init(lastPage: UInt64) { words = [UInt64](repeating: 0, count: Int(lastPage / 64) + 1) }

    func contains(_ number: UInt64) -> Bool { words[Int(number >> 6)] & (1 << (number & 63)) != 0 }

    /// Returns `false` if it is in already.
    mutating func insert(_ number: UInt64) -> Bool {
        let bit: UInt64 = 1 << (number & 63)
        if words[Int(number >> 6)] & bit != 0 { return false }
        words[Int(number >> 6)] |= bit
        return true
    }
}
