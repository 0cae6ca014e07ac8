import CKernels

/// Which of many candidates become the neighbors of a node.
extension Graph {
    /// Picks up to `m` of the first `count` candidates in `scratch.sorted` to be neighbors of a node. The slots go
    /// to `scratch.picked`, the entries (slots with their marks) to `scratch.entries`; returns how many.
    ///
    /// A candidate that lies nearer to one already picked than to the node is passed over: the picked one leads
    /// there. What remains points in different directions, so that a search can leave a cluster (Malkov and
    /// Yashunin, 2018, algorithm 4). Then the nearest of those passed over are taken after all, up to `fill`.
    /// Links of the tree are always picked. Of candidates that are as near as each other, as equal rows are, no more
    /// than a quarter of `m` is picked at first, so that equal rows lead to others too.
    ///
    /// - Precondition: candidates are sorted, the nearest first, without the node itself; at most `m` of them are
    ///   marked as links of the tree.
    /// - Complexity: at most `count` × `m` distances; a few for each candidate as a rule.
    func selectNeighbors(_ count: Int, atMost m: Int, fill: Int, _ scratch: Scratch) -> Int {
        // Safe because `count` and `m` are at most the room of the scratch, which its owner compared.
        var treeCount = 0
        for index in 0..<count where Self.isTree(unsafe scratch.sorted[index]) { treeCount += 1 }
        var picked = 0
        let equalLimit = max(1, m / 4)
        for index in 0..<count {
            let candidate = unsafe scratch.sorted[index]
            let isTree = Self.isTree(candidate)
            guard isTree || picked + treeCount < m else { continue }
            let slot = UInt32(truncatingIfNeeded: candidate) & Slot.mask
            if isTree {
                treeCount -= 1
            } else if index >= equalLimit,
                unsafe scratch.sorted[index - equalLimit] >> 32 == candidate >> 32
            {
                continue
            } else if !isDiverse(slot, key: UInt32(truncatingIfNeeded: candidate >> 32), picked, scratch) {
                continue
            }
            unsafe scratch.picked[picked] = slot
            unsafe scratch.entries[picked] = UInt32(truncatingIfNeeded: candidate)
            picked += 1
            if picked == m { return picked }
        }
        let diverse = picked
        var index = 0
        while picked < min(fill, m), index < count {
            let candidate = unsafe scratch.sorted[index]
            let slot = UInt32(truncatingIfNeeded: candidate) & Slot.mask
            index += 1
            var isPicked = false
            for place in 0..<diverse where unsafe scratch.picked[place] == slot { isPicked = true }
            if isPicked { continue }
            unsafe scratch.picked[picked] = slot
            unsafe scratch.entries[picked] = UInt32(truncatingIfNeeded: candidate)
            picked += 1
        }
        return picked
    }

    /// Whether a candidate is no nearer to one of the first `count` picked than `key` says it is to the node.
    @inline(__always)
    private func isDiverse(_ slot: UInt32, key: UInt32, _ count: Int, _ scratch: Scratch) -> Bool {
        let target = unsafe Target(vector: row(slot), auxiliary: auxiliary(slot))
        var start = 0
        while start < count {
            let part = min(Self.pickedPerCall, count - start)
            unsafe dots(target, scratch.picked + start, part, scratch)
            for index in 0..<part where self.key(index, target, scratch, metric) < key { return false }
            start += part
        }
        return true
    }

    /// Distances computed before the first is looked at: most candidates are passed over by one of the first.
    private static let pickedPerCall = 4

    @inline(__always)
    static func isTree(_ candidate: UInt64) -> Bool {
        UInt32(truncatingIfNeeded: candidate) & Slot.treeMark != 0
    }
}
