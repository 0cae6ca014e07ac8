import CKernels
import Store

/// The addresses of an index's values in one snapshot: segments, slot → passage, and pages of links.
///
/// A look-up in the file costs a descent of its tree, several times what comparing two rows does. So the
/// addresses are collected by one walk over the keys, about 0.05 ms for 100,000 rows, and kept for the snapshots
/// to come.
///
/// The rule by which that is right: a table is kept under the map that it was made from, the space, how many
/// slots are in segments, and the two generations of the index's record. Every commit that writes a segment, a
/// slot column block or a page of links again, or removes one, changes a generation (`HNSWIndex.noteErased` and
/// `commit`); folding adds segments and changes the count. So two snapshots with the same key see the same puts
/// of these values. Each of them fills pages of its own (`ValueAddress.isStable`), so they lie where they were
/// put; and as they are part of every snapshot with the key, LMDB cannot have used their pages again while one
/// is held. A table is made from a read snapshot only: what a write transaction sees has addresses in memory, and
/// generations that are given again if it fails.
///
/// What pages of the system's size do not hold alone (on machines whose pages are larger than 4,096 bytes) is not
/// stable: such a table serves the snapshot it was made in, and is not kept.
struct PointerTable {
    let rows: SegmentAddresses
    let links: LinkAddresses
    /// The codes and how they were made, if there are any.
    let codes: CodeAddresses?
    let book: CodeBook?
    /// A copy of all these codes in memory, if there is one by now.
    let arena: CodeArena?

    /// What a walk needs of it. Valid while the table is kept and the snapshot is held.
    func graph(_ state: IndexState, _ segments: VectorSegments) -> Graph {
        unsafe Graph(
            rows: UnsafePointer(rows.layout), metric: segments.metric, bottom: links.bottom.pages,
            upper: links.upper.pages, bottomDivider: links.bottom.pages.divider,
            upperDivider: links.upper.pages.divider, bottomPages: links.bottom.addresses.base,
            upperPages: links.upper.addresses.base, upperSlots: links.directory.slots,
            upperFirst: links.directory.first, levels: state.levels,
            codes: (arena?.layout ?? codes?.layout).map { unsafe UnsafePointer($0) }, bound: state.linkedSlots
        )
    }
}

/// Addresses of values by their number.
///
/// Safe because the memory belongs to it, and indices are compared with the count.
@safe final class AddressList: @unchecked Sendable {
    let base: UnsafeMutablePointer<UnsafeRawPointer?>
    let capacity: Int
    fileprivate(set) var count = 0
    fileprivate(set) var isStable = true

    init(capacity: Int) {
        self.capacity = capacity
        unsafe base = .allocate(capacity: max(1, capacity))
        unsafe base.initialize(repeating: nil, count: max(1, capacity))
    }

    deinit { unsafe base.deallocate() }

    subscript(index: Int) -> UnsafeRawPointer {
        precondition(index < count)
        return unsafe base[index].unsafelyUnwrapped
    }

    func append(_ address: UnsafeRawPointer) {
        precondition(count < capacity)
        unsafe base[count] = address
        count += 1
    }

    /// The addresses of the values `prefix` + 0, 1, 2, … (`u32`), `count` of them and each of `byteCount` bytes.
    ///
    /// - Throws: `StoreError.corrupted` if one is missing or has another size.
    static func collect(
        _ table: Table, prefix: Key, count: Int, byteCount: Int, what: String,
        in transaction: borrowing ReadTransaction
    ) throws -> AddressList {
        let list = AddressList(capacity: count)
        guard count > 0 else { return list }
        let keyByteCount = prefix.bytes.count + 4
        // Safe because an address is kept by the rule above, and nothing is read.
        unsafe try table.forEachAddress(prefix: prefix, in: transaction) { key, value in
            guard key.byteCount == keyByteCount, key.keyU32(at: keyByteCount - 4) == list.count,
                unsafe value.payload.count == byteCount, let address = unsafe value.payload.baseAddress
            else { throw StoreError(.corrupted, "\(what) \(list.count) is missing or damaged") }
            unsafe list.append(address)
            if unsafe !value.isStable { list.isStable = false }
            return list.count < count
        }
        guard list.count == count else {
            throw StoreError(.corrupted, "\(what) \(list.count) is missing or damaged")
        }
        return list
    }
}

/// Where segments and the slot column are, and which erased slots still have links to them.
///
/// Safe because the layout points into address lists that it keeps, and belongs to it.
@safe final class SegmentAddresses: @unchecked Sendable {
    let segments: AddressList
    let passageBlocks: AddressList
    /// Erased slots that wait for their repair, those that are not linked included.
    let noted: [UInt32]
    /// The same as bits, if there are any.
    let erased: VisitedSet?
    let layout: UnsafeMutablePointer<kernels_segments>
    let slotCount: Int
    private let knownRuns = Mutex<[UInt32?]?>(nil)
    private static let passageDivider = Divider(by: VectorSegments.passagesPerBlock)

    init(segments: AddressList, passageBlocks: AddressList, noted: [UInt32], _ vectors: VectorSegments) {
        self.segments = segments
        self.passageBlocks = passageBlocks
        self.noted = noted
        slotCount = segments.count * vectors.rowsPerSegment
        if noted.isEmpty {
            erased = nil
        } else {
            let set = VisitedSet(capacity: slotCount)
            for slot in noted { set.insert(slot) }
            erased = set
        }
        unsafe layout = .allocate(capacity: 1)
        unsafe layout.initialize(to: vectors.layout(segments))
    }

    deinit { unsafe layout.deallocate() }

    var isStable: Bool { segments.isStable && passageBlocks.isStable }

    /// Of each block of the slot column its first passage, where the others follow one another; found when it is first
    /// asked for.
    var runs: [UInt32?] {
        knownRuns.withLock { known in
            if let known { return known }
            let found = (0..<passageBlocks.count).map { block -> UInt32? in
                let first = block * VectorSegments.passagesPerBlock
                let count = min(VectorSegments.passagesPerBlock, slotCount - first)
                // Safe because a block has room for as many.
                guard count > 0, unsafe kernels_is_run(passageBlocks[block], count) == 1 else { return nil }
                return passage(UInt32(first))
            }
            known = found
            return found
        }
    }

    /// The passage of a slot, unverified; `VectorSegments.noPassage` if it was erased.
    func passage(_ slot: UInt32) -> UInt32 {
        precondition(slot < slotCount)
        let (block, place) = Self.passageDivider.quotientAndRemainder(slot)
        // Safe because blocks have room for 1,008 passages each, and there is one for every slot.
        return unsafe passageBlocks[block].loadUnaligned(fromByteOffset: place * 4, as: UInt32.self)
    }
}

extension VectorSegments {
    /// The layout of its segments as kernels read it.
    func layout(_ segments: AddressList) -> kernels_segments {
        let divider = Divider(by: rowsPerSegment)
        // Safe because the list keeps the memory, and whoever uses the layout keeps the list.
        return unsafe kernels_segments(
            segments: UnsafePointer(segments.base), rows_per_segment: divider.divisor,
            reciprocal: divider.reciprocal, first_row: Self.headerByteCount, stride: strideBytes,
            first_auxiliary: Self.headerByteCount + rowsPerSegment * strideBytes, dimension: dimension)
    }
}

/// Where the pages of links are.
struct LinkAddresses: Sendable {
    struct Pages: Sendable {
        let pages: LinkPages
        let addresses: AddressList
    }
    let bottom: Pages
    let upper: Pages
    let directory: UpperDirectory
    var isStable: Bool { bottom.addresses.isStable && upper.addresses.isStable }
}

/// `UpperLists` in memory that does not move.
///
/// Safe because the buffers belong to it and are not written after `init`.
@safe final class UpperDirectory: @unchecked Sendable {
    let lists: UpperLists
    let slots: UnsafeBufferPointer<UInt32>
    let first: UnsafeBufferPointer<UInt32>

    init(_ lists: UpperLists) {
        self.lists = lists
        unsafe slots = unsafe Self.copy(lists.slots)
        unsafe first = unsafe Self.copy(lists.first)
    }

    deinit {
        unsafe slots.deallocate()
        unsafe first.deallocate()
    }

    private static func copy(_ numbers: [UInt32]) -> UnsafeBufferPointer<UInt32> {
        let buffer = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: numbers.count)
        _ = unsafe buffer.initialize(from: numbers)
        return UnsafeBufferPointer(buffer)
    }
}

/// The newest table of an index, for the snapshots to come.
final class PointerCache: Sendable {
    /// What a part of a table was made from; generations and slots are those that the part depends on.
    private struct Key: Equatable {
        let map: UInt64
        var segmentGeneration: UInt64 = 0
        var tailGeneration: UInt64 = 0
        var linkGeneration: UInt64 = 0
        var slots: UInt32 = 0
    }
    /// A part of the newest table.
    private struct Newest<Value> {
        private var entry: (key: Key, commit: UInt64, value: Value)?

        var value: Value? { entry?.value }

        subscript(_ key: Key) -> Value? {
            guard let entry, entry.key == key else { return nil }
            return entry.value
        }

        /// Keeps it, unless it is older than what is kept.
        mutating func keep(_ value: Value, _ key: Key, commit: UInt64) {
            if let entry, entry.key.map == key.map, entry.commit > commit { return }
            entry = (key, commit, value)
        }
    }
    /// Kept apart, so that erasing a row leaves the addresses of the links, and linking those of the rows.
    private struct Kept {
        var rows = Newest<SegmentAddresses>()
        var links = Newest<LinkAddresses>()
        var codes = Newest<CodeAddresses>()
        var book = Newest<CodeBook>()
        var tail = Newest<TailRows>()
        var arena: CodeArena?
        /// What the latest searches read codes of, and how many they were.
        var searched: (generations: CodeArena.Generations, count: Int)?
    }
    private let kept = Mutex(Kept())

    /// The table of a snapshot: a kept one, or one made now.
    ///
    /// - Parameter isForSearch: whether a walk reads codes by it, for which a copy in memory pays.
    /// - Throws: `StoreError.corrupted` where a value is missing.
    func table(
        _ state: IndexState, _ extent: VectorSegments.Extent, _ index: HNSWIndex, isForSearch: Bool = false,
        in transaction: borrowing ReadTransaction
    ) throws -> PointerTable {
        guard state.linkedSlots <= extent.segmentedSlots else {
            throw StoreError(.corrupted, "the index of space \(index.segments.space) links slots it has not")
        }
        let hasCodes = state.hasCodes && state.linkedSlots > 0
        let linkKey = Key(
            map: transaction.map, linkGeneration: state.linkGeneration, slots: state.linkedSlots)
        var codeKey = linkKey
        codeKey.segmentGeneration = state.segmentGeneration
        let bookKey = Key(map: transaction.map, linkGeneration: state.codeGeneration)
        let known = transaction.isInsideWrite ? Kept() : kept.withLock { $0 }
        let rows = try rows(state, extent, index, known, in: transaction)
        let links =
            try known.links[linkKey]
            ?? index.collectLinks(state, directory: known.links.value?.directory.lists, in: transaction)
        let codes = hasCodes ? try known.codes[codeKey] ?? index.collectCodes(state, in: transaction) : nil
        let book = hasCodes ? try known.book[bookKey] ?? index.readBook(state, in: transaction) : nil
        let isKept =
            known.links[linkKey] != nil
            && (!hasCodes || known.codes[codeKey] != nil && known.book[bookKey] != nil)
        if !isKept, !transaction.isInsideWrite {
            let commit = transaction.commit
            kept.withLock { kept in
                if links.isStable { kept.links.keep(links, linkKey, commit: commit) }
                if let codes, codes.isStable { kept.codes.keep(codes, codeKey, commit: commit) }
                if let book { kept.book.keep(book, bookKey, commit: commit) }
            }
        }
        return PointerTable(
            rows: rows, links: links, codes: codes, book: book,
            arena: isForSearch && !transaction.isInsideWrite
                ? codes.flatMap { arena($0, state, index, bookKey.map) } : nil)
    }

    /// The copy of the codes in memory, if it is complete by now.
    private func arena(
        _ codes: CodeAddresses, _ state: IndexState, _ index: HNSWIndex, _ map: UInt64
    ) -> CodeArena? {
        let generations = CodeArena.Generations(
            map: map, segments: state.segmentGeneration, codes: state.codeGeneration)
        // One that goes is given back outside of the lock.
        let (arena, _) = kept.withLock { kept -> (CodeArena?, CodeArena?) in
            var old: CodeArena?
            // What was erased since is not kept in memory either, nor what has no room for more.
            if let arena = kept.arena,
                arena.generations.isBefore(generations)
                    || arena.generations == generations && state.linkedSlots > arena.capacity
            {
                old = kept.arena
                kept.arena = nil
            }
            if let arena = kept.arena, arena.generations == generations { return (arena, old) }
            if let searched = kept.searched, searched.generations == generations {
                kept.searched?.count += 1
                guard searched.count >= CodeArena.searchesBefore else { return (nil, old) }
                kept.searched = nil
                kept.arena = CodeArena(generations, index.codePages, slots: state.linkedSlots)
                return (kept.arena, old)
            }
            kept.searched = (generations, 1)
            return (nil, old)
        }
        guard let arena, arena.isReady(below: state.linkedSlots, from: codes) else { return nil }
        return arena
    }

    /// The part of `table` that is about rows.
    func rows(
        _ state: IndexState, _ extent: VectorSegments.Extent, _ index: HNSWIndex,
        in transaction: borrowing ReadTransaction
    ) throws -> SegmentAddresses {
        let known = transaction.isInsideWrite ? Kept() : kept.withLock { $0 }
        return try rows(state, extent, index, known, in: transaction)
    }

    private func rows(
        _ state: IndexState, _ extent: VectorSegments.Extent, _ index: HNSWIndex, _ known: Kept,
        in transaction: borrowing ReadTransaction
    ) throws -> SegmentAddresses {
        let key = Key(
            map: transaction.map, segmentGeneration: state.segmentGeneration, slots: extent.segmentedSlots)
        if let rows = known.rows[key] { return rows }
        let made = try index.collectRows(state, extent, in: transaction)
        if made.isStable, !transaction.isInsideWrite {
            let commit = transaction.commit
            kept.withLock { $0.rows.keep(made, key, commit: commit) }
        }
        return made
    }

    /// The rows of the tail: what is kept, and what came since.
    ///
    /// - Throws: `StoreError.corrupted`.
    func tail(
        _ state: IndexState, _ extent: VectorSegments.Extent, _ index: HNSWIndex,
        in transaction: borrowing ReadTransaction
    ) throws -> TailRows {
        let first = extent.segmentedSlots
        guard first < extent.nextSlot, !transaction.isInsideWrite else { return TailRows(from: first) }
        let key = Key(map: transaction.map, tailGeneration: state.tailGeneration, slots: first)
        let known = kept.withLock { $0.tail[key] }
        var rows = known ?? TailRows(from: first)
        let count = rows.slots.count
        try rows.extend(to: extent.nextSlot, index.segments, in: transaction)
        if rows.slots.count > count {
            let (made, commit) = (rows, transaction.commit)
            kept.withLock { $0.tail.keep(made, key, commit: commit) }
        }
        return rows
    }

    /// Whether searches of the newest snapshot read codes from memory.
    var hasArena: Bool { kept.withLock { $0.arena?.isComplete ?? false } }

    /// Gives codes in memory back, where there is no graph any more.
    func dropArena() {
        _ = kept.withLock { kept in
            defer { kept.arena = nil }
            return kept.arena
        }
    }

    /// Forgets what is kept.
    func clear() { kept.withLock { $0 = Kept() } }
}
