import Store

/// Pages of links as a step of the author sees them: those of the snapshot, and copies of what it has changed.
///
/// Safe because a page is copied whole before it is written, the copies belong to the overlay, and numbers of
/// lists are compared with what there is.
@safe final class PageOverlay {
    let pages: LinkPages
    private let divider: Divider
    /// Addresses of all pages, of the snapshot or of copies.
    let base: UnsafeMutablePointer<UnsafeRawPointer?>
    private let capacity: Int
    private(set) var pageCount: Int
    private var copies: [UnsafeMutableRawPointer?]
    private(set) var changed: [Int] = []

    /// Entries from here on are damage, and end a list.
    private let slotBound: UInt32

    /// - Parameters:
    ///   - listCount: how many lists there will be at most.
    ///   - slotBound: slots below it have rows.
    init(_ snapshot: LinkAddresses.Pages, listCount: Int, slotBound: UInt32) {
        self.slotBound = slotBound
        pages = snapshot.pages
        divider = snapshot.pages.divider
        pageCount = snapshot.addresses.count
        capacity = max(pageCount, pages.pageCount(listCount))
        unsafe base = .allocate(capacity: max(1, capacity))
        unsafe base.initialize(repeating: nil, count: max(1, capacity))
        for page in 0..<pageCount { unsafe base[page] = unsafe snapshot.addresses[page] }
        unsafe copies = [UnsafeMutableRawPointer?](repeating: nil, count: capacity)
    }

    deinit {
        for page in changed { unsafe copies[page]?.deallocate() }
        unsafe base.deallocate()
    }

    /// Adds empty pages until there are `listCount` lists.
    func grow(to listCount: Int) {
        precondition(pages.pageCount(listCount) <= capacity)
        while pageCount < pages.pageCount(listCount) {
            let copy = UnsafeMutableRawPointer.allocate(byteCount: pages.pageByteCount, alignment: 64)
            unsafe copy.copyMemory(from: pages.empty(pageCount), byteCount: pages.pageByteCount)
            unsafe keep(copy, pageCount)
            pageCount += 1
        }
    }

    private func keep(_ copy: UnsafeMutableRawPointer, _ page: Int) {
        unsafe copies[page] = unsafe copy
        unsafe base[page] = UnsafeRawPointer(copy)
        changed.append(page)
    }

    /// A list to be written.
    func writable(_ list: Int) -> UnsafeMutableRawPointer {
        let (page, place) = divider.quotientAndRemainder(UInt32(list))
        precondition(page < pageCount)
        let offset = LinkPages.headerByteCount + place * pages.listByteCount
        if let copy = unsafe copies[page] { return unsafe copy + offset }
        let copy = UnsafeMutableRawPointer.allocate(byteCount: pages.pageByteCount, alignment: 64)
        unsafe copy.copyMemory(from: base[page].unsafelyUnwrapped, byteCount: pages.pageByteCount)
        unsafe keep(copy, page)
        return unsafe copy + offset
    }

    /// The entry at `place` of a list, `Slot.none` behind its end.
    func entry(_ list: Int, _ place: Int) -> UInt32 {
        let (page, index) = divider.quotientAndRemainder(UInt32(list))
        precondition(page < pageCount && place < pages.listLength)
        let offset = LinkPages.headerByteCount + index * pages.listByteCount + place * 4
        return unsafe base[page].unsafelyUnwrapped.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
    }

    /// How many entries a list has: those before the first that is no slot.
    func count(_ list: Int) -> Int {
        for place in 0..<pages.listLength where entry(list, place) & Slot.mask >= slotBound { return place }
        return pages.listLength
    }

    func entries(_ list: Int) -> [UInt32] { (0..<count(list)).map { entry(list, $0) } }

    func set(_ entry: UInt32, _ list: Int, _ place: Int) {
        precondition(place < pages.listLength)
        unsafe writable(list).storeBytes(of: entry, toByteOffset: place * 4, as: UInt32.self)
    }

    /// Makes a list the first `count` of `entries`.
    func replace(_ list: Int, _ entries: UnsafePointer<UInt32>, _ count: Int) {
        precondition(count <= pages.listLength)
        let target = unsafe writable(list)
        unsafe target.copyMemory(from: entries, byteCount: count * 4)
        for place in count..<pages.listLength {
            unsafe target.storeBytes(of: Slot.none, toByteOffset: place * 4, as: UInt32.self)
        }
    }

    func replace(_ list: Int, _ entries: [UInt32]) {
        unsafe entries.withUnsafeBufferPointer { entries in
            // An empty array may have no memory.
            unsafe replace(
                list, entries.baseAddress ?? UnsafePointer(bitPattern: 8).unsafelyUnwrapped, entries.count)
        }
    }

    /// The changed pages, in the order of their keys.
    func changedPages() -> [LinkBatch.Page] {
        changed.sorted().map { page in
            let bytes = unsafe UnsafeRawBufferPointer(
                start: base[page].unsafelyUnwrapped, count: pages.pageByteCount)
            return unsafe LinkBatch.Page(key: pages.key(page), payload: [UInt8](bytes))
        }
    }
}
