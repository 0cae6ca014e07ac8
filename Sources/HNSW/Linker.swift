import Store

/// Links rows into a graph in memory, over copies of the pages that change (Malkov and Yashunin, 2018,
/// algorithm 1).
///
/// **The tree.** Links are directed, and a list that is full gives up links; so nothing in the algorithm itself
/// keeps a node from losing its last link from others, and then no search finds it. Therefore each node but the
/// entry point has one link to it that is never given up, and these links form a tree whose root is the entry
/// point: every node can be reached, always. The mark is the highest bit of the entry. A new node's link of the
/// tree is the one from its nearest neighbor, which the algorithm would nearly always make and keep anyway; half
/// of a list at most are such links, so that it keeps pointing in different directions. A new entry point gets a
/// link of the tree to the old one instead.
///
/// Safe because it keeps what its graph points into, and slots are below the bound.
@safe final class Linker {
    var graph: Graph
    var state: IndexState
    let rows: SegmentAddresses
    let bottom: PageOverlay
    let upper: PageOverlay
    let directory: UpperDirectory
    private let links: LinkAddresses
    let scratch: Scratch
    /// Notes that need no repair: their slots were never linked.
    var skippedNotes: [UInt32] = []

    /// Codes that new rows get, and by which they find their neighbors.
    let codes: CodeOverlay?
    /// Erased nodes that are in the graph still.
    private let erased: VisitedSet?

    /// - Parameters:
    ///   - end: slots below it may be linked.
    ///   - erased: the erased slots, if some of them are in the graph; none where slots are linked.
    init(
        _ table: PointerTable, _ state: IndexState, _ segments: VectorSegments, end: UInt32,
        erased: VisitedSet?, codes: CodeOverlay? = nil, scratch: Scratch
    ) {
        self.erased = erased
        self.codes = codes
        self.state = state
        rows = table.rows
        links = table.links
        var lists = table.links.directory.lists
        lists.extend(to: end, state.levels)
        directory = UpperDirectory(lists)
        bottom = PageOverlay(table.links.bottom, listCount: Int(end), slotBound: end)
        upper = PageOverlay(table.links.upper, listCount: lists.listCount, slotBound: end)
        graph = unsafe Graph(
            rows: UnsafePointer(table.rows.layout), metric: segments.metric, bottom: bottom.pages,
            upper: upper.pages, bottomDivider: bottom.pages.divider, upperDivider: upper.pages.divider,
            bottomPages: UnsafePointer(bottom.base), upperPages: UnsafePointer(upper.base),
            upperSlots: directory.slots, upperFirst: directory.first, levels: state.levels,
            codes: unsafe codes?.layout,
            bound: state.linkedSlots)
        self.scratch = scratch
        if erased != nil {
            scratch.live.fill(Int(end))
            for slot in rows.noted where slot < end { scratch.live.remove(slot) }
        }
    }

    /// Pages that a commit of what was done would write.
    var changedPageCount: Int { bottom.changed.count + upper.changed.count }

    /// How many pages linking a slot may change.
    func pageCount(toLink slot: UInt32) -> Int { (state.m + 2) * (state.levels(slot) + 1) + 1 }

    /// Neighbors with a link of the tree to `root` among them.
    func withTreeLink(to root: UInt32, _ neighbors: [UInt32]) -> [UInt32] {
        var entries = neighbors
        if let place = entries.firstIndex(of: root) {
            entries[place] |= Slot.treeMark
        } else {
            if entries.count == state.m0 { entries.removeLast() }
            entries.append(root | Slot.treeMark)
        }
        return entries
    }

    // MARK: Links

    /// Links of the tree that a list has at most.
    var treeLimit: Int { max(1, state.m0 / 2) }

    /// Adds a link to a list, choosing anew among its links if it is full. Returns whether it is there then; a link
    /// of the tree is, unless the list has as many as it may; one that is there already is marked.
    func addLink(from owner: UInt32, to slot: UInt32, _ layer: Int, isTree: Bool) -> Bool {
        guard let list = list(owner, layer) else { return false }
        let overlay = overlay(layer)
        if isTree {
            let entries = overlay.entries(list)
            guard entries.count(where: { $0 & Slot.treeMark != 0 }) < treeLimit else { return false }
            if let place = entries.firstIndex(of: slot) {
                overlay.set(slot | Slot.treeMark, list, place)
                return true
            }
        }
        addLinks(from: owner, to: [isTree ? slot | Slot.treeMark : slot], layer, scratch)
        return overlay.entries(list).contains { $0 & Slot.mask == slot }
    }

    /// Adds links to one list, choosing anew among all if there is no room for them.
    func addLinks(from owner: UInt32, to entries: [UInt32], _ layer: Int, _ scratch: Scratch) {
        guard let list = list(owner, layer) else { return }
        let overlay = overlay(layer)
        let count = overlay.count(list)
        let total = count + entries.count
        if total <= overlay.pages.listLength {
            for (index, entry) in entries.enumerated() { overlay.set(entry, list, count + index) }
            return
        }
        for place in 0..<count { unsafe scratch.entries[place] = overlay.entry(list, place) }
        for (index, entry) in entries.enumerated() { unsafe scratch.entries[count + index] = entry }
        sortEntries(of: owner, total, scratch)
        let length = overlay.pages.listLength
        let picked = graph.selectNeighbors(total, atMost: length, fill: length / 2, scratch)
        unsafe overlay.replace(list, scratch.entries, picked)
    }

    /// The pages of a layer's lists.
    func overlay(_ layer: Int) -> PageOverlay { layer == 0 ? bottom : upper }

    /// The number of a node's list in a layer; `nil` if its level is lower.
    func list(_ owner: UInt32, _ layer: Int) -> Int? {
        layer == 0 ? Int(owner) : graph.upperNumber(owner, layer)
    }

    /// Makes `scratch.sorted` the first `count` of `scratch.entries`, in the order of their distance to a node.
    func sortEntries(of owner: UInt32, _ count: Int, _ scratch: Scratch) {
        for index in 0..<count {
            unsafe scratch.slots[index] = unsafe scratch.entries[index] & Slot.mask
        }
        let target = unsafe Target(vector: graph.row(owner), auxiliary: graph.auxiliary(owner))
        unsafe graph.dots(target, scratch.slots, count, scratch)
        for index in 0..<count {
            let key = graph.key(index, target, scratch, graph.metric)
            let candidate = unsafe UInt64(key) << 32 | UInt64(scratch.entries[index])
            // The key and the slot decide, not the mark.
            var place = index
            while place > 0, unsafe Self.isBehind(scratch.sorted[place - 1], candidate) {
                unsafe scratch.sorted[place] = unsafe scratch.sorted[place - 1]
                place -= 1
            }
            unsafe scratch.sorted[place] = candidate
        }
    }

    private static func isBehind(_ a: UInt64, _ b: UInt64) -> Bool {
        a & ~UInt64(Slot.treeMark) > b & ~UInt64(Slot.treeMark)
    }

    /// Gives a node its link of the tree from the first node that has room for it, searching down the tree from
    /// `start`. There is one, as a tree has leaves.
    ///
    /// - Throws: `StoreError.corrupted` if there is none, because the links that were read are no tree.
    func attach(_ slot: UInt32, below start: UInt32) throws {
        var waiting = [start]
        var next = 0
        while next < waiting.count, next <= state.linkedSlots {
            let owner = waiting[next]
            next += 1
            if owner != slot, addLink(from: owner, to: slot, 0, isTree: true) { return }
            for entry in bottom.entries(Int(owner)) where entry & Slot.treeMark != 0 {
                waiting.append(entry & Slot.mask)
            }
        }
        throw StoreError(.corrupted, "the links of a vector index are damaged; run `loci rebuild`")
    }
}

/// What repairs need of it.
extension Linker {
    /// The slots with a level above 0.
    var upperSlots: [UInt32] { directory.lists.slots }

    /// The entries of a node's list.
    func entries(_ slot: UInt32, _ layer: Int) -> [UInt32] {
        list(slot, layer).map { overlay(layer).entries($0) } ?? []
    }

    func replace(_ slot: UInt32, _ layer: Int, _ entries: [UInt32]) {
        if let list = list(slot, layer) { overlay(layer).replace(list, entries) }
    }

    /// Makes a link of the tree a link like others.
    func unmark(_ owner: UInt32, _ slot: UInt32) {
        for (place, entry) in bottom.entries(Int(owner)).enumerated() where entry == slot | Slot.treeMark {
            bottom.set(slot, Int(owner), place)
        }
    }

    /// Chooses a node's neighbors in a layer among `candidates` (entries with their marks, those of the tree are
    /// kept), as many as before or half of the list.
    func choose(_ owner: UInt32, _ layer: Int, _ candidates: [UInt32]) {
        let length = layer == 0 ? state.m0 : state.m
        precondition(candidates.count < Scratch.batchCount)
        for (index, entry) in candidates.enumerated() { unsafe scratch.entries[index] = entry }
        sortEntries(of: owner, candidates.count, scratch)
        let picked = graph.selectNeighbors(candidates.count, atMost: length, fill: length / 2, scratch)
        replace(owner, layer, (0..<picked).map { unsafe scratch.entries[$0] })
    }

    /// The living nodes nearest to one in layer 0, itself left out, at most `ef` of them.
    func nearest(_ slot: UInt32, _ ef: Int) -> [UInt32] {
        guard state.entryPoint != IndexState.noEntry else { return [] }
        let target = unsafe Target(vector: graph.row(slot), auxiliary: graph.auxiliary(slot))
        var queue = scratch.queue(capacity: 1)
        graph.begin(state.entryPoint, state.topLevel, target, &queue, scratch, erased: erased)
        _ = graph.descend(
            from: state.topLevel, above: 0, target, &queue, scratch, erased: erased,
            shouldStop: { false })
        graph.restart(&queue, capacity: ef, scratch)
        graph.add(state.entryPoint, target, &queue, scratch, layer: 0, erased: erased)
        _ = graph.search(0, target, &queue, scratch, erased: erased, shouldStop: { false })
        var slots: [UInt32] = []
        for index in 0..<queue.count {
            let found = queue.slot(index)
            if found != slot, !(erased?.contains(found) ?? false) { slots.append(found) }
        }
        return slots
    }
}
