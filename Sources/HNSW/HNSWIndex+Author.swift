import Store

/// The steps of the index's one author.
///
/// ```swift
/// while let batch = try environment.read({ try index.prepare(extent(in: $0), in: $0) }) {
///     try await environment.submit(isBackground: true) { try index.commit(batch, in: $0) }
/// }
/// ```
///
/// The first half of a step computes over a snapshot, while callers read and write; the second puts the pages it
/// made, in a transaction that a caller's commit waits for a few milliseconds at most. Between the two nothing is
/// held but memory, and a step that is lost is done again.
extension HNSWIndex {
    /// What is to be done next; `nil` if nothing.
    ///
    /// - Parameter repairs: whether erased nodes are taken out; a graph that is to be replaced soon can do without.
    /// - Complexity: O(1), but for a space without a graph that might need one: O(slots).
    package func dueWork(
        _ extent: VectorSegments.Extent, repairs: Bool = true, in transaction: borrowing ReadTransaction
    ) throws -> LinkBatch.Work? {
        let state = try state(in: transaction)
        return try dueWork(state, extent, repairs: repairs, in: transaction)
    }

    private func dueWork(
        _ state: IndexState?, _ extent: VectorSegments.Extent, repairs: Bool = true,
        in transaction: borrowing ReadTransaction
    ) throws -> LinkBatch.Work? {
        if state?.isDropping ?? false { return .drop }
        guard let state, state.linkedSlots > 0 else {
            let isLarge = byteCount(Int(extent.segmentedSlots)) >= parameters.thresholdByteCount
            guard isLarge, segments.rowsPerSegment > 1, extent.segmentedSlots <= Slot.maximumCount else {
                return nil
            }
            // Erased rows are skipped by scans, and are no reason for a graph.
            let passages = try segments.segmentedPassages(extent, in: transaction)
            var live = 0
            for passage in passages where passage != VectorSegments.noPassage { live += 1 }
            guard byteCount(live) >= parameters.thresholdByteCount else { return nil }
            return state == nil ? .begin : .link
        }
        let unlinked = Int(extent.segmentedSlots) - Int(state.linkedSlots)
        let live = Int(state.nodeCount) - Int(state.notedCount) + unlinked
        if live <= 0 || byteCount(live) < parameters.thresholdByteCount / 2 { return .drop }
        // Notes of slots that are not linked yet are dealt with when it is their turn.
        if repairs, state.notedCount > 0, try firstNote(in: transaction) ?? .max < state.linkedSlots {
            return .repair
        }
        return unlinked > 0 && extent.segmentedSlots <= Slot.maximumCount ? .link : nil
    }

    /// Whether so little is not linked that searches may scan it: then a copy may take the place of what it is copied from.
    package func isNearlyLinked(
        _ extent: VectorSegments.Extent, in transaction: borrowing ReadTransaction
    ) throws -> Bool {
        switch try dueWork(extent, in: transaction) {
        case nil: return true
        case .link:
            let linked = try state(in: transaction)?.linkedSlots ?? 0
            return linked > 0 && Int(extent.segmentedSlots - linked) <= parameters.rowsPerStep
        default: return false
        }
    }

    /// How many rows in segments the graph holds, and how many it is still to take in, without erased ones; none where so
    /// few need no graph.
    ///
    /// - Complexity: O(slots).
    package func linkCounts(
        _ extent: VectorSegments.Extent, in transaction: borrowing ReadTransaction
    ) throws -> (linked: Int, unlinked: Int) {
        let state = try state(in: transaction)
        let isKept = try state?.isDropping == false && dueWork(state, extent, in: transaction) != .drop
        let linkedSlots = isKept ? Int(state?.linkedSlots ?? 0) : 0
        let passages = try segments.segmentedPassages(extent, in: transaction)
        let linked = passages.prefix(linkedSlots).count { $0 != VectorSegments.noPassage }
        let unlinked = passages.dropFirst(linkedSlots).count { $0 != VectorSegments.noPassage }
        let isLarge = linkedSlots > 0 || byteCount(unlinked) >= parameters.thresholdByteCount
        return isLarge ? (linked, unlinked) : (0, 0)
    }

    private func byteCount(_ rows: Int) -> Int { rows * segments.strideBytes }

    /// Computes the next step; `nil` if there is nothing to do.
    ///
    /// - Parameter shouldStop: asked now and then (64 rows or fewer); true ends a step of linking early, with what is linked.
    /// - Precondition: a read snapshot, not what a write transaction sees.
    /// - Throws: `StoreError.corrupted`.
    /// - Complexity: at most `parameters.rowsPerStep` rows, each as a search with `efConstruction`; and for a
    ///   repair one pass over all lists.
    package func prepare(
        _ extent: VectorSegments.Extent, repairs: Bool = true, in transaction: borrowing ReadTransaction,
        shouldStop: () -> Bool = { false }
    ) throws -> LinkBatch? {
        precondition(!transaction.isInsideWrite, "a step is prepared over a snapshot")
        let state = try state(in: transaction)
        switch try dueWork(state, extent, repairs: repairs, in: transaction) {
        case nil: return nil
        case .begin:
            return LinkBatch(work: .begin, base: nil, state: IndexState(parameters, generation: 0))
        case .drop: return try state.map { try prepareDrop($0, in: transaction) }
        case .link: return try state.map { try prepareLinks($0, extent, in: transaction, shouldStop) }
        case .repair: return try state.map { try prepareRepair($0, extent, in: transaction) }
        }
    }

    /// Writes what a step made. Returns false, and writes nothing, if the record is no longer what it began from.
    ///
    /// - Complexity: O(`batch.pageCount`), at most `parameters.pagesPerCommit`; about 2 µs a page.
    package func commit(_ batch: LinkBatch, in transaction: borrowing WriteTransaction) throws -> Bool {
        let current = try state(in: transaction.snapshot)
        guard let current else {
            guard batch.work == .begin else { return false }
            try write(
                IndexState(parameters, generation: IndexState.next(0, in: transaction)), in: transaction)
            return true
        }
        // Callers may have erased rows meanwhile: their notes say so, and wait for a repair. Where nothing was
        // linked there are no notes, so there the segments must be the same; what removes pages reads none.
        guard let base = batch.base, base.linkGeneration == current.linkGeneration,
            base.linkedSlots > 0 || batch.work == .drop || base.segmentGeneration == current.segmentGeneration
        else { return false }
        for page in batch.pages { try table.put(page.key, page.payload, in: transaction) }
        for key in batch.removed { try table.remove(key, in: transaction) }
        var state = batch.state
        state.segmentGeneration = current.segmentGeneration
        state.tailGeneration = current.tailGeneration
        state.linkGeneration = IndexState.next(current.linkGeneration, in: transaction)
        state.notedCount = current.notedCount
        if batch.work == .link, base.linkedSlots == 0, state.hasCodes {
            state.codeGeneration = state.linkGeneration
        }
        // Where nothing is linked any more there is nothing to mend, whatever was erased since the step was prepared.
        let isGone = batch.work == .drop && !batch.state.isDropping
        for slot in isGone ? try notes(in: transaction.snapshot) : batch.notes
        where try table.remove(noteKey(slot), in: transaction) {
            state.notedCount = state.notedCount > 0 ? state.notedCount - 1 : 0
        }
        // Rows that were erased since the step was prepared have no codes either; its first page holds some of before.
        if batch.work == .link, state.hasCodes {
            let perPage = UInt32(codePages.codesPerPage)
            let first = base.linkedSlots / perPage * perPage
            for slot in try notes(in: transaction.snapshot) where slot >= first && slot < state.linkedSlots {
                try codePages.erase(slot, in: transaction)
            }
        }
        if isGone || !batch.notes.isEmpty {
            // Kept tables know the notes.
            state.segmentGeneration = IndexState.next(state.segmentGeneration, in: transaction)
        }
        try write(state, in: transaction)
        return true
    }

    /// Gives up the graph, in a rebuild say: searches scan from this commit on, and the author's next steps remove
    /// its pages and link everything anew.
    package func drop(in transaction: borrowing WriteTransaction) throws {
        guard var state = try state(in: transaction.snapshot) else { return }
        state.isDropping = true
        state.linkGeneration = IndexState.next(state.linkGeneration, in: transaction)
        try write(state, in: transaction)
    }

    /// The same where the rows go too: what codes tell of them goes at once.
    ///
    /// - Complexity: O(rows / 31).
    package func dropWithCodes(in transaction: borrowing WriteTransaction) throws {
        try drop(in: transaction)
        for kind in [LinkPages.Kind.code, .center] {
            try table.removeAll(prefix: Key(prefix: kind.rawValue).u16(segments.space), in: transaction)
        }
    }

    private func prepareLinks(
        _ state: IndexState, _ extent: VectorSegments.Extent, in transaction: borrowing ReadTransaction,
        _ shouldStop: () -> Bool
    ) throws -> LinkBatch {
        var begun = state
        if state.linkedSlots == 0 {
            // An empty graph takes the parameters of today.
            begun = IndexState(parameters, generation: state.linkGeneration)
            begun.segmentGeneration = state.segmentGeneration
            begun.notedCount = state.notedCount
            begun.hasCodes = parameters.hasCodes && CodePages.canCode(dimension: segments.dimension)
        }
        let table = try pointers.table(begun, extent, self, in: transaction)
        let end = min(extent.segmentedSlots, state.linkedSlots + UInt32(parameters.rowsPerStep))
        var pages: [LinkBatch.Page] = []
        var book = table.book
        if begun.hasCodes, book == nil {
            let center = segments.center(
                table.rows, table.graph(begun, segments), Int(extent.segmentedSlots))
            book = CodeBook(codePages, segments.metric, center: center, seed: begun.seed)
            var bytes = ByteWriter()
            for component in center { bytes.f32(component) }
            pages.append(LinkBatch.Page(key: codePages.centerKey, payload: bytes.bytes))
        }
        let codes = book.map { CodeOverlay($0, table.codes, linked: state.linkedSlots, end: end) }
        let workers = Workers(scratches: (0..<parameters.threads).map { _ in scratches.take() })
        defer { for scratch in workers.scratches { scratches.giveBack(scratch) } }
        // Erased slots that are linked were repaired before, or a copy is about to take the place of all.
        let linker = Linker(
            table, begun, segments, end: end, erased: nil, codes: codes, scratch: workers.scratches[0])
        while linker.state.linkedSlots < end {
            let slot = linker.state.linkedSlots
            // Codes of the slots lie in pages side by side; the center of the first takes one more.
            let codePageCount = Int(slot - state.linkedSlots) / max(1, codePages.codesPerPage) + 6
            let room = parameters.pagesPerCommit - linker.changedPageCount - codePageCount
            let isFirst = slot == state.linkedSlots
            let batch = linker.nextBatch(below: end, pages: room, isNeeded: isFirst)
            if !isFirst, batch.isEmpty || shouldStop() { break }
            try linker.link(batch, workers)
        }
        pages += linker.bottom.changedPages() + linker.upper.changedPages()
        if let codes { pages += codes.changedPages(to: linker.state.linkedSlots) }
        return LinkBatch(
            work: .link, base: state, state: linker.state, pages: pages, notes: linker.skippedNotes)
    }

    private func prepareDrop(
        _ state: IndexState, in transaction: borrowing ReadTransaction
    ) throws -> LinkBatch {
        var keys: [Key] = []
        for kind in LinkPages.Kind.allCases where kind != .record {
            let prefix = Key(prefix: kind.rawValue).u16(segments.space)
            try table.scan(prefix: prefix, in: transaction, isVerified: false) { key, _ in
                if keys.count < parameters.pagesPerCommit { keys.append(Key(bytes: key.array)) }
                return keys.count < parameters.pagesPerCommit
            }
        }
        var next = IndexState(parameters, generation: 0)
        // What is dropped is not searched; the last step leaves an empty graph.
        next.isDropping = keys.count == parameters.pagesPerCommit
        return LinkBatch(work: .drop, base: state, state: next, removed: keys)
    }
}
