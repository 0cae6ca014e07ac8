/// What a single page must be: its header, where its nodes lie, and the order of their keys.
extension PageWalker {
    /// Checks that the page is what its place says, and that its nodes lie in it, one beside the other.
    /// Returns their number; `nil` if the page cannot be used.
    mutating func checkLayout(_ page: RawSpan, _ number: UInt64, _ kind: PageLayout.Kind) -> Int? {
        let header = PageHeader(page)
        guard header.number == number else {
            note("page \(number) says that it is page \(header.number)")
            return nil
        }
        guard header.flags == kind.rawValue else {
            note("page \(number) has flags \(header.flags), not those of a \(kind) page")
            return nil
        }
        guard header.lower >= PageLayout.headerByteCount, header.lower & 1 == 0, header.lower <= header.upper,
            header.upper <= pageByteCount, header.upper & 1 == 0
        else {
            note("page \(number) has a gap from \(header.lower) to \(header.upper)")
            return nil
        }
        let count = (header.lower - PageLayout.headerByteCount) / 2
        // LMDB may leave one child in a branch page of the free list while it changes that list.
        let least = kind == .leaf || tree.role == .freeList ? 1 : 2
        guard count >= least else {
            note("page \(number), a \(kind) page, has \(count) nodes")
            return nil
        }
        for word in header.upper / 128..<isOccupied.count { isOccupied[word] = 0 }
        var total = 0
        for index in 0..<count {
            guard let size = checkNode(page, index, kind, header.upper) else {
                note("page \(number), a \(kind) page, has a node \(index) that lies or is built wrong")
                return nil
            }
            total += size
        }
        // Nodes do not overlap and fill what is behind the gap: LMDB moves them on every change.
        guard total == pageByteCount - header.upper else {
            note("page \(number) has \(total) bytes of nodes in \(pageByteCount - header.upper)")
            return nil
        }
        return count
    }

    /// Returns the bytes that the node takes, its padding included; `nil` if it is out of bounds, of a
    /// size that cannot be, or on another.
    mutating func checkNode(
        _ page: RawSpan, _ index: Int, _ kind: PageLayout.Kind, _ upper: Int
    ) -> Int? {
        let start = Int(page.u16(at: PageLayout.headerByteCount + 2 * index))
        guard start & 1 == 0, start >= upper, start <= pageByteCount - PageLayout.nodeHeaderByteCount else {
            return nil
        }
        let keyByteCount = Int(page.u16(at: start + 6))
        guard keyByteCount <= PageLayout.maximumKeyByteCount else { return nil }
        // Only the first key of a branch page may be empty.
        guard keyByteCount > 0 || (kind == .branch && index == 0) else { return nil }
        var size = PageLayout.nodeHeaderByteCount + keyByteCount
        if kind == .leaf {
            let flags = page.u16(at: start + 4)
            let valueByteCount = Int(page.u32(at: start))
            switch flags {
            case 0: size += valueByteCount
            case Self.isBig: size += 8
            case Self.isTree where tree.role == .main && valueByteCount == PageLayout.treeByteCount:
                size += valueByteCount
            default: return nil
            }
            guard size <= maximumNodeByteCount else { return nil }
        }
        size += size & 1
        guard start + size <= pageByteCount, occupy(start / 2, (start + size) / 2) else { return nil }
        return size
    }

    /// Marks pairs of bytes as taken. Returns `false` if one is taken already.
    mutating func occupy(_ start: Int, _ end: Int) -> Bool {
        var position = start
        while position < end {
            let bit = position & 63
            let length = min(64 - bit, end - position)
            let mask = (UInt64.max >> UInt64(64 - length)) << UInt64(bit)
            if isOccupied[position >> 6] & mask != 0 { return false }
            isOccupied[position >> 6] |= mask
            position += length
        }
        return true
    }

    /// The node at `index` of a page whose layout was checked.
    func node(_ page: RawSpan, _ index: Int, _ kind: PageLayout.Kind) -> Node {
        let start = Int(page.u16(at: PageLayout.headerByteCount + 2 * index))
        let word = page.u64(at: start)
        let key = start + PageLayout.nodeHeaderByteCount
        let keyEnd = key + Int(word >> 48)
        let flags = UInt16(truncatingIfNeeded: word >> 32)
        let size = Int(UInt32(truncatingIfNeeded: word))
        let dataByteCount = kind == .branch ? 0 : flags & Self.isBig != 0 ? 8 : size
        return Node(
            start: start, flags: flags, key: key..<keyEnd, valueByteCount: size,
            data: keyEnd..<keyEnd + dataByteCount, child: word & 0xFFFF_FFFF_FFFF)
    }

    // MARK: Keys

    /// Checks that keys grow within the page, and stay in the bounds that the pages above give.
    mutating func checkKeys(
        _ page: RawSpan, _ number: UInt64, _ kind: PageLayout.Kind, _ count: Int, _ lower: RawSpan,
        _ upper: RawSpan
    ) -> Bool {
        let isFreeList = tree.role == .freeList
        // The first key of a branch page is not used.
        let first = kind == .branch ? 1 : 0
        guard first < count else { return true }
        var previous = lower
        for index in first..<count {
            let key = page.extracting(node(page, index, kind).key)
            if isFreeList, key.byteCount != 8 {
                note("page \(number) has a key of \(key.byteCount) bytes, not 8")
                return false
            }
            // The first key may equal the bound from above; it may not in a branch page, whose first
            // child would then be empty.
            let isAllowedEqual = index == first && kind == .leaf
            let order = isFreeList ? Self.compareNumbers(previous, key) : Self.compare(previous, key)
            guard previous.byteCount == 0 || order < 0 || (isAllowedEqual && order == 0) else {
                note("page \(number) has key \(index) out of order")
                return false
            }
            previous = key
        }
        if upper.byteCount > 0 {
            let order = isFreeList ? Self.compareNumbers(previous, upper) : Self.compare(previous, upper)
            guard order < 0 else {
                note("page \(number) has a key that belongs to the page after it")
                return false
            }
        }
        return true
    }

    /// Byte order, as `memcmp`; of two keys of which one begins the other, the shorter is first.
    static func compare(_ left: RawSpan, _ right: RawSpan) -> Int {
        let count = min(left.byteCount, right.byteCount)
        var offset = 0
        while offset + 8 <= count {
            let a = left.u64(at: offset).byteSwapped
            let b = right.u64(at: offset).byteSwapped
            if a != b { return a < b ? -1 : 1 }
            offset += 8
        }
        while offset < count {
            let a = left.u8(at: offset)
            let b = right.u8(at: offset)
            if a != b { return a < b ? -1 : 1 }
            offset += 1
        }
        return left.byteCount - right.byteCount
    }

    /// The order of the free list's keys, transaction numbers; an empty bound is before all.
    static func compareNumbers(_ left: RawSpan, _ right: RawSpan) -> Int {
        guard left.byteCount == 8, right.byteCount == 8 else { return left.byteCount - right.byteCount }
        let a = left.u64(at: 0)
        let b = right.u64(at: 0)
        return a < b ? -1 : a == b ? 0 : 1
    }
}
