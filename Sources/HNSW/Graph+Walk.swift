import CKernels

/// The search of one layer (Malkov and Yashunin, 2018, algorithm 2), in two forms.
///
/// Both begin from what is in the queue, whose slots must be marked as visited, and leave the nearest they found
/// in it. A hop reads one list, marks its slots, scores the new ones in one call of a kernel,
/// and then inserts those that are near enough.
///
/// Safe because slots are below the bound (see `Graph`), sets have a bit for each of them, and a batch of the scratch
/// has room for one more list than the limit at which it is scored.
extension Graph {
    /// Hops between two looks at the clock.
    private static let hopsPerLook = 32

    /// Over all nodes. Returns false if it was stopped.
    func walk(
        _ layer: Int, _ target: Target, _ queue: inout CandidateQueue, _ scratch: Scratch,
        shouldStop: () -> Bool
    ) -> Bool {
        // Safe because the bits of visited slots and the room for a hop's slots are as long as the graph has slots and a
        // list has places (`Scratch.prepare`), lists come from the pointer table, and the kernel writes within both.
        let visited = unsafe scratch.visited.words
        var hops = 0
        while let slot = queue.next() {
            hops += 1
            if hops % Self.hopsPerLook == 0, shouldStop() { return false }
            let count: Int
            if layer == 0 {
                unsafe lookAhead(queue, visited)
                unsafe count = kernels_unvisited(
                    bottomList(slot), bottom.listLength, bound, visited, scratch.slots)
            } else {
                guard let list = unsafe upperList(slot, layer) else { continue }
                unsafe count = kernels_unvisited(list, upper.listLength, bound, visited, scratch.slots)
            }
            score(count, target, &queue, scratch, layer: layer)
        }
        return true
    }

    /// Asks for what the next hops read, unless this one finds something nearer.
    @inline(__always)
    private func lookAhead(_ queue: CandidateQueue, _ visited: UnsafeMutablePointer<UInt64>) {
        let (next, second) = queue.ahead()
        if let second { unsafe kernels_prefetch(bottomList(second), bottom.listByteCount) }
        if let next, let codes = unsafe codes {
            unsafe kernels_prefetch_codes(codes, bottomList(next), bottom.listLength, bound, visited)
        }
    }

    /// How a walk among chosen slots ends.
    enum Ending {
        case done
        /// It scored as many rows as it was allowed to.
        case exhausted
        case stopped
    }

    /// Only slots in `matching` are scored and kept; what else a list names is passed through: the
    /// matching slots of *its* list are scored instead (two hops), as in ACORN (Patel et al., 2024). An erased
    /// node is passed through to any depth, as it has no row to be near or far by.
    ///
    /// - Parameters:
    ///   - erased: the erased slots that are still linked.
    ///   - twoHopShare: lists of whose new slots at least this share matches are not passed through.
    ///   - budget: rows that may be scored; what is left is given back.
    func walkMatching(
        _ layer: Int, _ target: Target, _ queue: inout CandidateQueue, _ scratch: Scratch,
        matching: VisitedSet, erased: VisitedSet?, twoHopShare: Float, budget: inout Int,
        shouldStop: () -> Bool
    ) -> Ending {
        let visited = unsafe scratch.visited.words
        let matching = unsafe matching.words
        let limit = Scratch.batchCount - Scratch.longestList
        // Enough new slots for a hop: further lists are not passed through.
        let passedSlots = 2 * bottom.listLength
        var through: [UInt32] = []
        var hops = 0
        while let slot = queue.next() {
            hops += 1
            if hops % Self.hopsPerLook == 0, shouldStop() { return .stopped }
            guard let list = unsafe list(slot, layer) else { continue }
            let length = layer == 0 ? bottom.listLength : upper.listLength
            var otherCount = 0
            var count = unsafe kernels_unvisited_matching(
                list, length, bound, visited, matching, scratch.slots, scratch.others, &otherCount)
            let isDense = Float(count) >= Float(count + otherCount) * twoHopShare
            through.removeAll(keepingCapacity: true)
            for index in 0..<otherCount {
                let other = unsafe scratch.others[index]
                if !isDense || erased?.contains(other) ?? false { through.append(other) }
            }
            var next = 0
            while next < through.count {
                let other = through[next]
                next += 1
                if count >= passedSlots, !(erased?.contains(other) ?? false) { continue }
                if layer == 0, next < through.count {
                    unsafe kernels_prefetch(bottomList(through[next]), bottom.listByteCount)
                }
                guard let list = unsafe self.list(other, layer) else { continue }
                unsafe count += kernels_unvisited_only_matching(
                    list, length, bound, visited, matching, scratch.slots + count)
                if let erased { unsafe passOn(list, length, erased, scratch.visited, &through) }
                if count > limit {
                    budget -= count
                    score(count, target, &queue, scratch, layer: layer)
                    count = 0
                }
            }
            budget -= count
            score(count, target, &queue, scratch, layer: layer)
            if budget < 0 { return .exhausted }
        }
        return .done
    }

    private func list(_ slot: UInt32, _ layer: Int) -> UnsafeRawPointer? {
        unsafe layer == 0 ? bottomList(slot) : upperList(slot, layer)
    }

    /// Adds the erased slots of a list that were not visited.
    private func passOn(
        _ list: UnsafeRawPointer, _ length: Int, _ erased: VisitedSet, _ visited: VisitedSet,
        _ through: inout [UInt32]
    ) {
        for index in 0..<length {
            let slot = unsafe list.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self) & Slot.mask
            if slot >= bound { return }
            if erased.contains(slot), !visited.contains(slot) {
                visited.insert(slot)
                through.append(slot)
            }
        }
    }
}

/// From the entry point to the layer that is asked for.
extension Graph {
    /// Puts the entry point into an empty queue.
    func begin(
        _ entry: UInt32, _ topLevel: Int, _ target: Target, _ queue: inout CandidateQueue, _ scratch: Scratch,
        erased: VisitedSet?
    ) {
        queue.begin(capacity: 1)
        scratch.visited.clear(capacity: Int(bound))
        add(entry, target, &queue, scratch, layer: topLevel, erased: erased)
    }

    /// Puts a slot into the queue, unless it was visited.
    func add(
        _ slot: UInt32, _ target: Target, _ queue: inout CandidateQueue, _ scratch: Scratch, layer: Int,
        erased: VisitedSet?
    ) {
        guard !scratch.visited.contains(slot) else { return }
        scratch.visited.insert(slot)
        if erased?.contains(slot) ?? false {
            // It has no row; whatever comes takes its place.
            if queue.bound > CandidateQueue.farthest { _ = queue.insert(CandidateQueue.farthest, slot) }
        } else {
            unsafe scratch.slots[0] = slot
            score(1, target, &queue, scratch, layer: layer)
        }
    }

    /// Goes down the layers from `top` to the one above `floor`, in each to the node nearest to the target, and
    /// leaves that in the queue. Returns false if it was stopped.
    func descend(
        from top: Int, above floor: Int, _ target: Target, _ queue: inout CandidateQueue, _ scratch: Scratch,
        erased: VisitedSet?, shouldStop: () -> Bool
    ) -> Bool {
        for layer in stride(from: top, to: floor, by: -1) {
            guard search(layer, target, &queue, scratch, erased: erased, shouldStop: shouldStop) else {
                return false
            }
            if erased == nil {
                // What was visited was farther than what was kept, and is so in the next layer.
                queue.resume(capacity: 1)
            } else {
                restart(&queue, capacity: 1, scratch)
            }
        }
        return true
    }

    /// Makes what the queue holds the beginning of a search with another capacity.
    func restart(_ queue: inout CandidateQueue, capacity: Int, _ scratch: Scratch) {
        queue.resume(capacity: capacity)
        scratch.visited.clear(capacity: Int(bound))
        for index in 0..<queue.count { scratch.visited.insert(queue.slot(index)) }
    }

    /// Searches a layer; if some slots are erased, past them, for which `markLive` was called before. Returns false
    /// if it was stopped.
    func search(
        _ layer: Int, _ target: Target, _ queue: inout CandidateQueue, _ scratch: Scratch,
        erased: VisitedSet?, shouldStop: () -> Bool
    ) -> Bool {
        guard let erased else { return walk(layer, target, &queue, scratch, shouldStop: shouldStop) }
        var budget = Int.max
        let ending = walkMatching(
            layer, target, &queue, scratch, matching: scratch.live, erased: erased, twoHopShare: 0,
            budget: &budget, shouldStop: shouldStop)
        return ending != .stopped
    }

    /// `scratch.live` becomes all slots below the bound that are not in `erased`.
    func markLive(_ erased: [UInt32], _ scratch: Scratch) {
        scratch.live.fill(Int(bound))
        for slot in erased where slot < bound { scratch.live.remove(slot) }
    }
}
