import Store

extension HNSWIndex {
    /// Takes erased nodes out of the graph: as many as fit into one commit, at least one.
    ///
    /// - Complexity: one pass over all lists (5 ms for 100,000 rows); then some distances for each list that named
    ///   an erased node, about 20 of them for each.
    func prepareRepair(
        _ state: IndexState, _ extent: VectorSegments.Extent, in transaction: borrowing ReadTransaction
    ) throws -> LinkBatch {
        let table = try pointers.table(state, extent, self, in: transaction)
        let scratch = scratches.take()
        defer { scratches.giveBack(scratch) }
        let linker = Linker(
            table, state, segments, end: state.linkedSlots, erased: table.rows.erased, scratch: scratch)
        let repair = Repair(linker, noted: table.rows.noted.filter { $0 < state.linkedSlots })
        try repair.run(pages: parameters.pagesPerCommit)
        return LinkBatch(
            work: .repair, base: state, state: linker.state,
            pages: linker.bottom.changedPages() + linker.upper.changedPages(), notes: repair.dead)
    }
}

/// Takes erased nodes out of a graph in memory.
///
/// Who links to a node is not stored, so all lists are read once for all the nodes of a step. A list that named an
/// erased node chooses anew, among its other neighbors and those that the erased node led to (as the deletion of
/// FreshDiskANN, Singh et al., 2021, algorithm 4). Nodes whose link of the tree came from an erased node get
/// another one, from a node near them that the entry point leads to.
final class Repair {
    private let linker: Linker
    private let noted: [UInt32]
    /// The nodes that this step takes out, ascending.
    private(set) var dead: [UInt32] = []
    private let isDead: VisitedSet
    /// From whom the link of the tree comes, by slot; `Slot.none` = from nobody.
    private var parents: [UInt32]
    /// Lists of layer 0 (their slots) and of the layers above (their numbers) that name one of the dead.
    private var owners: [UInt32] = []
    private var upperOwners: [(slot: UInt32, layer: Int)] = []
    /// What the dead led to, by slot and layer.
    private var led: [UInt64: [UInt32]] = [:]

    /// Nodes taken out in one step at most: while it is computed it holds a snapshot, and the file grows with what is
    /// written meanwhile.
    private static let mostDead = 128

    init(_ linker: Linker, noted: [UInt32]) {
        self.linker = linker
        self.noted = noted
        isDead = VisitedSet(capacity: Int(linker.state.linkedSlots))
        parents = [UInt32](repeating: Slot.none, count: Int(linker.state.linkedSlots))
    }

    /// - Throws: `StoreError.corrupted`.
    func run(pages limit: Int) throws {
        var count = min(noted.count, Self.mostDead)
        choose(count)
        while count > 1, touchedPageCount > limit * 3 / 4 {
            count /= 2
            choose(count)
        }
        let nodes = dead.count { isNode($0) }
        detach()
        let isReplaced = replaceEntry()
        for owner in owners { mend(owner, 0) }
        for owner in upperOwners { mend(owner.slot, owner.layer) }
        if isReplaced { try reroot() }
        try reattach()
        let left = Int(linker.state.nodeCount) - nodes
        guard left >= 0, (left == 0) == (linker.state.entryPoint == IndexState.noEntry) else {
            throw StoreError(.corrupted, "the counts of a vector index are wrong; run `loci rebuild`")
        }
        linker.state.nodeCount = UInt32(left)
        linker.state.removedCount &+= UInt32(nodes)
    }

    // MARK: Who is concerned

    /// Takes the first `count` noted slots to be those of this step, and looks who names them.
    private func choose(_ count: Int) {
        isDead.clear(capacity: Int(linker.state.linkedSlots))
        dead = Array(noted.prefix(count))
        for slot in dead { isDead.insert(slot) }
        owners = []
        let bottom = linker.bottom
        for owner in 0..<linker.state.linkedSlots {
            var isOwner = false
            for place in 0..<bottom.pages.listLength {
                let entry = bottom.entry(Int(owner), place)
                let slot = entry & Slot.mask
                if slot >= linker.state.linkedSlots { break }
                if entry & Slot.treeMark != 0 { parents[Int(slot)] = owner }
                if isDead.contains(slot) { isOwner = true }
            }
            if isOwner, !isDead.contains(owner) { owners.append(owner) }
        }
        upperOwners = []
        for slot in linker.upperSlots where !isDead.contains(slot) {
            for layer in 1...linker.state.levels(slot) {
                let names = linker.entries(slot, layer).contains {
                    $0 & Slot.mask < linker.state.linkedSlots && isDead.contains($0 & Slot.mask)
                }
                if names { upperOwners.append((slot, layer)) }
            }
        }
    }

    /// A slot erased twice was taken out before.
    private func isNode(_ slot: UInt32) -> Bool {
        slot == linker.state.entryPoint || parents[Int(slot)] != Slot.none
    }

    /// About how many pages the step will change: those of the owners and the dead, and one for each new link of
    /// the tree.
    private var touchedPageCount: Int {
        let bottom = Set((owners + dead).map { Int($0) / linker.bottom.pages.listsPerPage })
        let children = dead.reduce(0) { $0 + linker.entries($1, 0).count { $0 & Slot.treeMark != 0 } }
        return bottom.count + children + upperOwners.count + dead.count { linker.state.levels($0) > 0 }
    }

    // MARK: Steps

    /// Remembers where the dead led to, and empties their lists.
    private func detach() {
        for slot in dead {
            for layer in 0...linker.state.levels(slot) {
                let entries = linker.entries(slot, layer)
                led[Self.key(slot, layer)] = entries.map { $0 & Slot.mask }
                linker.replace(slot, layer, [])
            }
        }
    }

    private static func key(_ slot: UInt32, _ layer: Int) -> UInt64 { UInt64(slot) << 8 | UInt64(layer) }

    /// Makes another node the entry point if it died: of the highest level there is. Returns whether it did.
    private func replaceEntry() -> Bool {
        let old = linker.state.entryPoint
        guard old < linker.state.linkedSlots, isDead.contains(old) else { return false }
        let upper = linker.upperSlots.filter { isHere($0) }
        // Level by level among those above layer 0; else any; one that waits for its repair only if nothing lives.
        var best = upper.max { linker.state.levels($0) < linker.state.levels($1) }
        if best == nil { best = (0..<linker.state.linkedSlots).first { isHere($0) } }
        if best == nil { best = noted.first { !isDead.contains($0) && isNode($0) } }
        linker.state.entryPoint = best ?? IndexState.noEntry
        linker.state.topLevel = best.map { linker.state.levels($0) } ?? 0
        return best != nil
    }

    /// Hangs the tree from a new entry point: nothing leads to it, and it leads to what led to it.
    private func reroot() throws {
        let entry = linker.state.entryPoint
        var root = entry
        var steps = 0
        while let parent = parent(of: root), steps < parents.count {
            root = parent
            steps += 1
        }
        let parent = parent(of: entry)
        parents[Int(entry)] = Slot.none
        guard let parent, root != entry else { return }
        linker.unmark(parent, entry)
        if !linker.addLink(from: entry, to: root, 0, isTree: true) {
            try linker.attach(root, below: entry)
        }
        parents[Int(root)] = entry
    }

    /// Whether a slot is a node that lives.
    private func isHere(_ slot: UInt32) -> Bool {
        isNode(slot) && !isDead.contains(slot) && !(linker.rows.erased?.contains(slot) ?? false)
    }

    /// The node from which a slot's link of the tree comes, if it is not dead.
    private func parent(of slot: UInt32) -> UInt32? {
        let parent = parents[Int(slot)]
        return parent == Slot.none || isDead.contains(parent) ? nil : parent
    }

    /// Chooses the neighbors of a node anew, without the dead.
    private func mend(_ owner: UInt32, _ layer: Int) {
        let entries = linker.entries(owner, layer)
        var candidates = entries.filter { !isDead.contains($0 & Slot.mask) }
        guard isHere(owner) else {
            // It waits for its own repair.
            return linker.replace(owner, layer, candidates)
        }
        var known = Set(candidates.map { $0 & Slot.mask })
        known.insert(owner)
        var waiting = entries.map { $0 & Slot.mask }.filter { isDead.contains($0) }
        var passed = Set(waiting)
        while let slot = waiting.popLast(), candidates.count < Self.mostCandidates {
            for next in led[Self.key(slot, layer)] ?? [] where next < linker.state.linkedSlots {
                if isDead.contains(next) {
                    // The dead led to dead ones: what those led to is near too.
                    if passed.insert(next).inserted { waiting.append(next) }
                } else if isHere(next), candidates.count < Self.mostCandidates, known.insert(next).inserted {
                    candidates.append(next)
                }
            }
        }
        if layer == 0, candidates.count < linker.state.m {
            for slot in linker.nearest(owner, linker.state.m) where known.insert(slot).inserted {
                candidates.append(slot)
            }
        }
        linker.choose(owner, layer, candidates)
    }

    private static let mostCandidates = 1_024

    /// Gives nodes whose link of the tree came from a dead one another.
    private func reattach() throws {
        guard linker.state.entryPoint != IndexState.noEntry else { return }
        for slot in dead {
            for child in led[Self.key(slot, 0)] ?? [] where child < linker.state.linkedSlots {
                guard parents[Int(child)] == slot, !isDead.contains(child), child != linker.state.entryPoint
                else { continue }
                let near = isHere(child) ? linker.nearest(child, linker.state.efConstruction) : []
                let owner = near.first {
                    isAttached($0) && linker.addLink(from: $0, to: child, 0, isTree: true)
                }
                if owner == nil { try linker.attach(child, below: linker.state.entryPoint) }
                parents[Int(child)] = owner ?? linker.state.entryPoint
            }
        }
    }

    /// Whether the entry point leads to a node by links of the tree.
    private func isAttached(_ slot: UInt32) -> Bool {
        var slot = slot
        for _ in 0..<parents.count {
            if slot == linker.state.entryPoint { return true }
            guard let parent = parent(of: slot) else { return false }
            slot = parent
        }
        return false
    }
}
