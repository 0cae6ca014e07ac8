import Store

/// New nodes, some of them together: first each searches the graph as it was, and may choose the others of its batch too,
/// as they are compared one by one; then all lists of the new ones are written, and then the links back to them, list by
/// list. What is done at once touches different lists, so any number of threads makes the same graph.
///
/// Safe because slots of a batch have rows, a list is made writable before threads write to it, each list by one of
/// them, and results lie in places of their own.
extension Linker {
    /// New nodes that are linked together at most, and one for how many nodes of the graph at most: what they miss is
    /// the links that the others of their batch brought into the graph.
    private static let mostTogether = 64
    private static let nodesForEach = 16

    /// The neighbors that a new node chose, by layer; empty for a slot without a row.
    struct Choice {
        var isNode = false
        var neighbors: [[UInt32]] = []
    }

    /// A link back to a new node.
    private struct BackLink {
        let layer: Int
        let owner: UInt32
        let entry: UInt32
    }

    /// The next slots that can be linked together, below `end`, as long as no more pages change than `pages`; `isNeeded`
    /// asks for one at least.
    func nextBatch(below end: UInt32, pages: Int, isNeeded: Bool) -> Range<UInt32> {
        let first = state.linkedSlots
        var limit = max(1, min(Self.mostTogether, Int(state.nodeCount) / Self.nodesForEach))
        var left = pages
        var next = first
        while next < end, limit > 0 {
            left -= pageCount(toLink: next)
            // One that becomes the entry point is linked alone.
            let isHigher = state.entryPoint == IndexState.noEntry || state.levels(next) > state.topLevel
            if left < 0, next > first || !isNeeded { break }
            if isHigher, next > first { break }
            next += 1
            if isHigher { break }
            limit -= 1
        }
        return first..<next
    }

    /// Links slots from `state.linkedSlots` on.
    ///
    /// - Throws: `StoreError.corrupted`.
    func link(_ slots: Range<UInt32>, _ workers: Workers) throws {
        guard let last = slots.last else { return }
        bottom.grow(to: Int(last) + 1)
        for slot in slots where state.levels(slot) > 0 {
            if let first = graph.upperNumber(slot, 1) { upper.grow(to: first + state.levels(slot)) }
        }
        var choices = [Choice](repeating: Choice(), count: slots.count)
        unsafe choices.withUnsafeMutableBufferPointer { choices in
            let choices = unsafe choices
            workers.forEach(slots.count) { index, scratch in
                unsafe choices[index] = choose(slots.lowerBound + UInt32(index), from: slots, scratch)
            }
        }
        state.linkedSlots = slots.upperBound
        var isEntry = false
        var backLinks: [BackLink] = []
        var unattached: [UInt32] = []
        for (slot, choice) in zip(slots, choices) {
            if rows.erased?.contains(slot) ?? false { skippedNotes.append(slot) }
            guard choice.isNode else { continue }
            state.nodeCount += 1
            guard state.entryPoint != IndexState.noEntry else {
                state.entryPoint = slot
                state.topLevel = state.levels(slot)
                continue
            }
            isEntry = state.levels(slot) > state.topLevel
            write(slot, choice, isEntry: isEntry)
            var isAttached = isEntry
            for (layer, neighbors) in choice.neighbors.enumerated() {
                for neighbor in neighbors {
                    let isTree = layer == 0 && !isAttached && hasRoomForTreeLink(neighbor, backLinks)
                    if isTree { isAttached = true }
                    backLinks.append(
                        BackLink(layer: layer, owner: neighbor, entry: isTree ? slot | Slot.treeMark : slot))
                }
            }
            if !isAttached { unattached.append(slot) }
        }
        addLinks(backLinks, workers)
        graph.bound = slots.upperBound
        for slot in unattached {
            try attach(
                slot, below: choices[Int(slot - slots.lowerBound)].neighbors[0].first ?? state.entryPoint)
        }
        if isEntry {
            state.entryPoint = slots.lowerBound
            state.topLevel = state.levels(slots.lowerBound)
        }
    }

    // MARK: Choosing

    /// Codes a new row, and chooses its neighbors among those of the graph and those of its batch before it.
    private func choose(_ slot: UInt32, from batch: Range<UInt32>, _ scratch: Scratch) -> Choice {
        guard isRow(slot) else { return Choice() }
        let (row, auxiliary) = unsafe (graph.row(slot), graph.auxiliary(slot))
        var target = unsafe Target(vector: row, auxiliary: auxiliary)
        if let codes {
            unsafe codes.book.encode(row, auxiliary: auxiliary, scratch: scratch, into: codes.room(slot))
            target.code = unsafe codes.book.target(row, auxiliary: auxiliary, scratch)
        }
        var choice = Choice(isNode: true)
        guard state.entryPoint != IndexState.noEntry else { return choice }
        let start = min(state.levels(slot), state.topLevel)
        var queue = scratch.queue(capacity: 1)
        queue.equalLimit = max(1, state.m / 2)
        graph.begin(state.entryPoint, state.topLevel, target, &queue, scratch, erased: nil)
        _ = graph.descend(
            from: state.topLevel, above: start, target, &queue, scratch, erased: nil, shouldStop: { false })
        choice.neighbors = Array(repeating: [], count: start + 1)
        for layer in stride(from: start, through: 0, by: -1) {
            graph.restart(&queue, capacity: state.efConstruction, scratch)
            _ = graph.search(layer, target, &queue, scratch, erased: nil, shouldStop: { false })
            let mates = (batch.lowerBound..<slot).filter { state.levels($0) >= layer && isRow($0) }
            let count = sort(queue, mates, target, scratch)
            let picked = graph.selectNeighbors(count, atMost: state.m, fill: state.m / 2, scratch)
            choice.neighbors[layer] = (0..<picked).map { unsafe scratch.picked[$0] }
        }
        return choice
    }

    private func isRow(_ slot: UInt32) -> Bool {
        !(rows.erased?.contains(slot) ?? false) && rows.passage(slot) != VectorSegments.noPassage
    }

    /// Makes `scratch.sorted` what a queue holds and others, in the order of their distance to a new row. Returns how many
    /// there are.
    private func sort(
        _ queue: CandidateQueue, _ others: [UInt32], _ target: Target, _ scratch: Scratch
    ) -> Int {
        // Without codes what the queue holds has its distances.
        let found = queue.count
        let known = target.code == nil ? found : 0
        for index in 0..<known {
            unsafe scratch.sorted[index] = UInt64(queue.key(index)) << 32 | UInt64(queue.slot(index))
        }
        let total = found + others.count
        var done = known
        while done < total {
            let part = min(total - done, Scratch.batchCount)
            for index in 0..<part {
                let place = done + index
                unsafe scratch.slots[index] =
                    place < found ? queue.slot(place) : others[place - found]
            }
            unsafe graph.dots(target, scratch.slots, part, scratch)
            for index in 0..<part {
                let key = graph.key(index, target, scratch, graph.metric)
                unsafe scratch.sorted[done + index] = unsafe UInt64(key) << 32 | UInt64(scratch.slots[index])
            }
            done += part
        }
        if known < total {
            var sorted = unsafe UnsafeMutableBufferPointer(start: scratch.sorted, count: total)
            unsafe sorted.sort()
        }
        return total
    }

    // MARK: Writing

    /// Writes the lists of a new node.
    private func write(_ slot: UInt32, _ choice: Choice, isEntry: Bool) {
        for (layer, neighbors) in choice.neighbors.enumerated() {
            let isRoot = isEntry && layer == 0
            replace(slot, layer, isRoot ? withTreeLink(to: state.entryPoint, neighbors) : neighbors)
        }
    }

    /// Whether a list may have one more link of the tree, beside those that `waiting` adds.
    private func hasRoomForTreeLink(_ owner: UInt32, _ waiting: [BackLink]) -> Bool {
        var count = waiting.count { $0.layer == 0 && $0.owner == owner && $0.entry & Slot.treeMark != 0 }
        for place in 0..<bottom.count(Int(owner)) where bottom.entry(Int(owner), place) & Slot.treeMark != 0 {
            count += 1
        }
        return count < treeLimit
    }

    /// Adds links to many lists.
    private func addLinks(_ links: [BackLink], _ workers: Workers) {
        let sorted = links.enumerated().sorted {
            ($0.element.layer, $0.element.owner, $0.offset) < ($1.element.layer, $1.element.owner, $1.offset)
        }.map(\.element)
        var groups: [Range<Int>] = []
        for index in sorted.indices {
            let isNext =
                index == 0 || sorted[index].owner != sorted[index - 1].owner
                || sorted[index].layer != sorted[index - 1].layer
            if isNext {
                groups.append(index..<index + 1)
                if let list = list(sorted[index].owner, sorted[index].layer) {
                    _ = unsafe overlay(sorted[index].layer).writable(list)
                }
            } else {
                groups[groups.count - 1] = groups[groups.count - 1].lowerBound..<index + 1
            }
        }
        workers.forEach(groups.count) { index, scratch in
            let group = sorted[groups[index]]
            guard let first = group.first else { return }
            addLinks(from: first.owner, to: group.map(\.entry), first.layer, scratch)
        }
    }
}
