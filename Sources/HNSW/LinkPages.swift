import Store

/// Lists of neighbors of one length, as many in a value as one page of the file holds.
///
/// A list is `listLength` slots of four bytes; the first that is no slot ends it, and the rest is filled with
/// `Slot.none`. Lists lie by number: those of layer 0 by slot, those of the layers above one after the other
/// (`UpperLists`). Every page has all its lists, used or not, so that it always fills a page of its own, which
/// gives it a stable address (`ValueAddress`) and begins its lists at a multiple of 64 bytes.
package struct LinkPages: Sendable, Equatable {
    /// The prefix of a key in the table of links.
    package enum Kind: UInt8, CaseIterable {
        case record = 0x01
        case bottom = 0x02
        case upper = 0x03
        /// Pages of codes (`CodePages`).
        case code = 0x04
        /// The mean of rows that codes are relative to.
        case center = 0x05
        /// What recall was measured (`RecallCurve`).
        case curve = 0x06
    }

    /// Bytes of a payload before its lists. LMDB starts a long value 16 bytes into its page, our checksum takes
    /// four.
    static let headerByteCount = 44

    let table: Table
    package let kind: Kind
    let space: UInt16
    package let listLength: Int

    package init(table: Table, kind: Kind, space: UInt16, listLength: Int) {
        self.table = table
        self.kind = kind
        self.space = space
        self.listLength = listLength
    }

    var listByteCount: Int { listLength * 4 }
    package var listsPerPage: Int { (Table.pagePayloadByteCount - Self.headerByteCount) / listByteCount }
    var pageByteCount: Int { Self.headerByteCount + listsPerPage * listByteCount }
    var divider: Divider { Divider(by: listsPerPage) }

    var prefix: Key { Key(prefix: kind.rawValue).u16(space) }
    func key(_ page: Int) -> Key { prefix.u32(UInt32(page)) }

    /// Pages that hold `lists` lists.
    func pageCount(_ lists: Int) -> Int { (lists + listsPerPage - 1) / listsPerPage }

    /// A page of empty lists.
    package func empty(_ page: Int) -> [UInt8] {
        var writer = ByteWriter(capacity: pageByteCount)
        writer.u32(UInt32(page * listsPerPage))
        writer.u32(UInt32(listsPerPage))
        writer.u32(UInt32(listLength))
        writer.raw(repeatElement(0, count: Self.headerByteCount - 12))
        writer.raw(repeatElement(0xff, count: listsPerPage * listByteCount))
        return writer.bytes
    }

    /// Whether a payload is page `page` of these lists, by its size and header.
    package func isPage(_ page: Int, _ payload: RawSpan) -> Bool {
        payload.byteCount == pageByteCount && payload.u32(at: 0) == UInt32(page * listsPerPage)
            && payload.u32(at: 4) == UInt32(listsPerPage) && payload.u32(at: 8) == UInt32(listLength)
    }

    /// A page as it is, verified.
    ///
    /// - Throws: `StoreError.corrupted`.
    @_lifetime(borrow transaction)
    func page(_ page: Int, in transaction: borrowing ReadTransaction) throws -> RawSpan {
        guard let payload = try table.get(key(page), in: transaction), isPage(page, payload) else {
            throw StoreError(.corrupted, "page \(page) of links of space \(space) is missing or damaged")
        }
        return payload
    }

    /// The entries of the list at `place` of a page, up to its end.
    package func entries(_ place: Int, of payload: RawSpan) -> [UInt32] {
        var entries: [UInt32] = []
        for index in 0..<listLength {
            let entry = payload.u32(at: Self.headerByteCount + place * listByteCount + index * 4)
            if entry == Slot.none { break }
            entries.append(entry)
        }
        return entries
    }
}

/// Division of 32-bit numbers by one that stays the same, as a multiplication.
struct Divider: Sendable, Equatable {
    let divisor: UInt32
    /// 2^64 / divisor, rounded up; 0 for the divisor 1.
    let reciprocal: UInt64

    init(by divisor: Int) {
        precondition((1...Int(UInt32.max)).contains(divisor))
        self.divisor = UInt32(divisor)
        reciprocal = divisor == 1 ? 0 : UInt64.max / UInt64(divisor) + 1
    }

    /// Exact: the reciprocal is less than one too large, so the product is less than number / 2^64 too large,
    /// while the next whole number is at least 1 / divisor away.
    @inline(__always)
    func quotientAndRemainder(_ number: UInt32) -> (quotient: Int, remainder: Int) {
        let quotient =
            reciprocal == 0
            ? number : UInt32(truncatingIfNeeded: UInt64(number).multipliedFullWidth(by: reciprocal).high)
        return (Int(quotient), Int(number &- quotient &* divisor))
    }
}

/// Which list of the upper layers is whose.
///
/// A node of level l has l lists, for the layers 1 to l, one after the other; nodes come in the order of their
/// slots, erased ones included. As levels are a function of the slot, nothing of this is stored.
struct UpperLists: Sendable, Equatable {
    /// The slots that have a level above 0, ascending.
    private(set) var slots: [UInt32] = []
    /// The number of the first list of each.
    private(set) var first: [UInt32] = []
    private(set) var listCount = 0
    private(set) var slotCount: UInt32 = 0
    private(set) var levels: NodeLevels?

    /// Adds the slots from those it knows up to `end`.
    ///
    /// - Complexity: O(number of slots added), about 2 ns each.
    mutating func extend(to end: UInt32, _ levels: NodeLevels) {
        precondition(self.levels == nil || self.levels == levels, "lists of other levels")
        self.levels = levels
        guard end > slotCount else { return }
        for slot in slotCount..<end {
            let level = levels(slot)
            guard level > 0 else { continue }
            slots.append(slot)
            first.append(UInt32(listCount))
            listCount += level
        }
        slotCount = end
    }

    /// The slot and layer of each list.
    func owners(_ levels: NodeLevels) -> [(slot: UInt32, layer: Int)] {
        slots.flatMap { slot in (1...levels(slot)).map { (slot, $0) } }
    }
}
