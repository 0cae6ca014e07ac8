import Store

/// The index of one embedding space: a graph over the rows in segments, and the exact scan of what the graph
/// does not hold yet.
///
/// - Its one author works in steps: `prepare` computes over a snapshot, and `commit` writes what it made in one
///   short transaction. Nobody else writes pages of links. Doing a step again is harmless: it begins from the
///   record, and one that does not fit the record any more is refused.
/// - A caller who erases a row calls `noteErased` in the same transaction.
/// - A search is always complete: slots that are not linked are scanned, whatever the author has done so far.
///   Without a graph (small spaces have none) all of them are.
/// - A `HNSWIndex` keeps addresses and scratch memory from search to search, so there should be one for each open
///   home and space. It may be used by many threads.
///
/// After Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using hierarchical
/// navigable small world graphs" (2018).
package final class HNSWIndex: Sendable {
    package let table: Table
    package let segments: VectorSegments
    package let parameters: HNSWParameters
    let pointers = PointerCache()
    let scratches = ScratchPool()

    /// - Parameter table: the table of links.
    /// - Precondition: the parameters are usable: m and m0 from 2 to 504, m0 at least m, efConstruction from m to 8,192.
    package init(table: Table, segments: VectorSegments, parameters: HNSWParameters = HNSWParameters()) {
        precondition(parameters.isValid, "parameters of an index: \(parameters)")
        self.table = table
        self.segments = segments
        self.parameters = parameters
    }

    // MARK: The record

    var stateKey: Key { Key(prefix: LinkPages.Kind.record.rawValue).u16(segments.space) }

    /// The note that a slot was erased. It sorts behind the record, so that both lie in one page as a rule.
    func noteKey(_ slot: UInt32) -> Key { stateKey.u32(slot) }

    /// The record; `nil` if there never was a graph.
    ///
    /// - Throws: `StoreError.corrupted`.
    package func state(in transaction: borrowing ReadTransaction) throws -> IndexState? {
        guard let bytes = try table.get(stateKey, in: transaction) else { return nil }
        return try IndexState(decoding: bytes)
    }

    /// Whether searches walk a graph. Rows that it does not hold are scanned.
    package func hasGraph(in transaction: borrowing ReadTransaction) throws -> Bool {
        guard let state = try state(in: transaction) else { return false }
        return state.nodeCount > 0 && !state.isDropping
    }

    func write(_ state: IndexState, in transaction: borrowing WriteTransaction) throws {
        try table.put(stateKey, state.encode(), in: transaction)
    }

    /// The erased slots that wait for the author, ascending.
    func notes(in transaction: borrowing ReadTransaction) throws -> [UInt32] {
        var slots: [UInt32] = []
        try table.scan(prefix: stateKey, in: transaction) { key, _ in
            if key.byteCount == 3 { return true }
            guard key.byteCount == 7 else { throw StoreError(.corrupted, "a key of an index is not one") }
            slots.append(key.keyU32(at: 3))
            return true
        }
        return slots
    }

    /// The lowest erased slot that waits for the author.
    func firstNote(in transaction: borrowing ReadTransaction) throws -> UInt32? {
        var first: UInt32?
        try table.scan(prefix: stateKey, from: noteKey(0), in: transaction) { key, _ in
            if key.byteCount == 7 { first = key.keyU32(at: 3) }
            return false
        }
        return first
    }

    // MARK: What callers write

    /// Notes that a row was erased (`VectorSegments.erase`), in the same transaction. Costs nothing in a space
    /// without a graph, and else two small values in one page. Of a row of the tail only the generation tells.
    ///
    /// - Parameter extent: as it is in the transaction.
    package func noteErased(
        _ slot: UInt32, _ extent: VectorSegments.Extent, in transaction: borrowing WriteTransaction
    ) throws {
        guard var state = try state(in: transaction.snapshot) else { return }
        guard slot < extent.segmentedSlots else {
            state.tailGeneration = IndexState.next(state.tailGeneration, in: transaction)
            return try write(state, in: transaction)
        }
        // Where nothing is linked there is nothing to mend. Erased twice is erased once.
        if state.linkedSlots > 0, try !table.contains(noteKey(slot), in: transaction.snapshot) {
            try table.put(noteKey(slot), [], in: transaction)
            state.notedCount += 1
        }
        // Of a graph on its way out some pages may be left.
        if state.hasCodes && slot < state.linkedSlots || state.isDropping {
            let page = codePages.divider.quotientAndRemainder(slot).quotient
            if try table.contains(codePages.key(page), in: transaction.snapshot) {
                try codePages.erase(slot, in: transaction)
            }
        }
        // The segment and the block of the slot column were written again, and lie elsewhere now.
        state.segmentGeneration = IndexState.next(state.segmentGeneration, in: transaction)
        try write(state, in: transaction)
    }

    /// Removes everything of the index: when its space goes, and never otherwise, as generations begin anew.
    package func removeAll(in transaction: borrowing WriteTransaction) throws {
        for (table, prefix) in places { try table.removeAll(prefix: prefix, in: transaction) }
        pointers.clear()
    }

    // MARK: Where things are

    /// Where the index lies: the table, and what its keys there begin with.
    package var places: [(Table, Key)] {
        LinkPages.Kind.allCases.map { (table, Key(prefix: $0.rawValue).u16(segments.space)) }
    }

    /// The level that a slot has in a graph, whether there is one or not.
    package func level(of slot: UInt32) -> Int { NodeLevels(seed: parameters.seed, m: parameters.m)(slot) }

    /// The neighbors of a slot in the graph, its highest layer first, without erased ones; `nil` where it is not linked.
    ///
    /// - Throws: `StoreError.corrupted`.
    /// - Complexity: O(log n) for each layer and neighbor, and 2 ns for each slot where it has upper layers.
    package func links(
        of slot: UInt32, _ extent: VectorSegments.Extent, in transaction: borrowing ReadTransaction
    ) throws -> [[UInt32]]? {
        guard let state = try state(in: transaction), state.nodeCount > 0, !state.isDropping,
            slot < state.linkedSlots
        else { return nil }
        var layers = [try list(Int(slot), of: bottomPages(state), in: transaction)]
        let level = state.levels(slot)
        if level > 0 {
            var lists = UpperLists()
            lists.extend(to: slot, state.levels)
            for layer in 0..<level {
                layers.append(try list(lists.listCount + layer, of: upperPages(state), in: transaction))
            }
        }
        return try layers.reversed().map { neighbors in
            try neighbors.filter {
                try segments.row($0, extent, in: transaction).passage != VectorSegments.noPassage
            }
        }
    }

    private func list(
        _ number: Int, of pages: LinkPages, in transaction: borrowing ReadTransaction
    ) throws -> [UInt32] {
        let (page, place) = number.quotientAndRemainder(dividingBy: pages.listsPerPage)
        return try pages.entries(place, of: pages.page(page, in: transaction)).map { $0 & Slot.mask }
    }

    func bottomPages(_ state: IndexState) -> LinkPages {
        LinkPages(table: table, kind: .bottom, space: segments.space, listLength: state.m0)
    }

    func upperPages(_ state: IndexState) -> LinkPages {
        LinkPages(table: table, kind: .upper, space: segments.space, listLength: state.m)
    }

    func collectRows(
        _ state: IndexState, _ extent: VectorSegments.Extent, in transaction: borrowing ReadTransaction
    ) throws -> SegmentAddresses {
        let slots = Int(extent.segmentedSlots)
        let noted = try notes(in: transaction)
        if let last = noted.last, last >= extent.segmentedSlots {
            throw StoreError(
                .corrupted, "slot \(last) of space \(segments.space) was erased and never written")
        }
        return SegmentAddresses(
            segments: try AddressList.collect(
                segments.table, prefix: segments.segmentKeys, count: slots / segments.rowsPerSegment,
                byteCount: segments.segmentPayloadByteCount, what: "segment of space \(segments.space)",
                in: transaction),
            passageBlocks: try AddressList.collect(
                segments.table, prefix: segments.passageKeys,
                count: (slots + VectorSegments.passagesPerBlock - 1) / VectorSegments.passagesPerBlock,
                byteCount: VectorSegments.passagesPerBlock * 4,
                what: "block of the slot column of space \(segments.space)", in: transaction),
            noted: noted, segments)
    }

    func collectLinks(
        _ state: IndexState, directory known: UpperLists?, in transaction: borrowing ReadTransaction
    ) throws -> LinkAddresses {
        // Levels are those of the seed, so what was known of fewer slots is the beginning of it.
        var lists = UpperLists()
        if let known, known.slotCount <= state.linkedSlots, known.levels == state.levels { lists = known }
        lists.extend(to: state.linkedSlots, state.levels)
        return LinkAddresses(
            bottom: try collect(bottomPages(state), Int(state.linkedSlots), in: transaction),
            upper: try collect(upperPages(state), lists.listCount, in: transaction),
            directory: UpperDirectory(lists))
    }

    private func collect(
        _ pages: LinkPages, _ listCount: Int, in transaction: borrowing ReadTransaction
    ) throws -> LinkAddresses.Pages {
        LinkAddresses.Pages(
            pages: pages,
            addresses: try AddressList.collect(
                table, prefix: pages.prefix, count: pages.pageCount(listCount),
                byteCount: pages.pageByteCount,
                what: "page of links of space \(segments.space)", in: transaction))
    }
}
