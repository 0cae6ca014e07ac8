import CKernels
import Glibc

/// One search over the linked rows, by the way that its filter asks for:
///
/// - no filter, or one that many of the rows near the question match: a walk over all nodes, and what does not match
///   is left out;
/// - few rows match: each of them is scored, by codes first if there are any;
/// - else a walk over the matching nodes, passing through the others, with a budget: where it takes more work
///   than to score all that match (the filter and the question point apart, say), those are scored after all.
///
/// Safe because who makes one keeps the query, the pointer table and the snapshot for its time.
@safe struct GraphSearch {
    let graph: Graph
    let rows: SegmentAddresses
    let state: IndexState
    let scratch: Scratch
    let target: Target
    let ef: Int
    let parameters: HNSWParameters

    /// Where at least this share of the nodes nearest to the question matches, the walk goes over all nodes.
    static let plainShare = 0.4
    /// Where the share among them is this many times smaller than the share of all, the filter and the question
    /// point apart: what matches lies around the question on all sides, and a walk must be wider to find it.
    static let opposedFactor = 4.0
    static let widerFactor = 4
    /// How many of the nearest nodes are looked at to tell.
    static let probeCount = 48
    /// So many of them would have to match on the average, to tell that fewer is no accident.
    static let leastExpected = 4.0
    /// A list of whose new slots at least this share matches is not passed through.
    static let twoHopShare: Float = 0.35
    /// Matching slots at even distances from which a walk begins too, in case the filter's rows lie elsewhere
    /// than the question.
    static let seedCount = 32

    func run(
        _ filter: PassageFilter?, _ nearest: inout NearestRows, _ result: inout SearchResult,
        _ shouldStop: () -> Bool
    ) {
        var queue = scratch.queue(capacity: 1)
        queue.equalLimit = ef >= state.nodeCount ? .max : max(nearest.capacity, state.m / 2)
        if rows.erased != nil { graph.markLive(rows.noted, scratch) }
        guard let filter else {
            result.way = .walk
            result.isComplete = descend(&queue, shouldStop) && walk(ef, &queue, shouldStop)
            return collect(queue, nil, &nearest)
        }
        let matchCount = markMatching(filter)
        if matchCount > (estimates ? parameters.estimatedAnyway / 8 : parameters.scoredPerCandidate * ef),
            walkFiltered(matchCount, &queue, &nearest, &result, shouldStop)
        {
            return
        }
        result.way = .matches
        nearest = NearestRows(capacity: nearest.capacity)
        result.isComplete = scoreMatching(matchCount, &nearest, shouldStop)
    }

    /// Looks at the nodes nearest to the target, and walks as they advise. Returns false where all that matches should
    /// be scored instead.
    private func walkFiltered(
        _ matchCount: Int, _ queue: inout CandidateQueue, _ nearest: inout NearestRows,
        _ result: inout SearchResult, _ shouldStop: () -> Bool
    ) -> Bool {
        result.way = .filteredWalk
        guard descend(&queue, shouldStop), walk(Self.probeCount, &queue, shouldStop) else {
            result.isComplete = false
            collect(queue, scratch.matching, &nearest)
            return true
        }
        let expected = min(nearest.capacity, matchCount)
        let share = Double(matchCount) / Double(max(1, state.nodeCount))
        let local = Double(matches(queue)) / Double(max(1, queue.count))
        let isTelling = share * Double(queue.count) >= Self.leastExpected
        if local >= Self.plainShare {
            result.way = .walk
            let wider = min(HNSWIndex.largestEf, Int((Double(ef) / local).rounded(.up)))
            result.isComplete = walk(wider, &queue, shouldStop)
            collect(queue, scratch.matching, &nearest)
            if !result.isComplete || nearest.neighbors.count >= expected { return true }
            nearest = NearestRows(capacity: nearest.capacity)
            result.way = .filteredWalk
        }
        let isOpposed = isTelling && local * Self.opposedFactor < share
        let width = min(HNSWIndex.largestEf, isOpposed ? ef * Self.widerFactor : ef)
        guard matchCount > scoredCount(width) else { return false }
        // What does not match keeps its place in the queue, as it is near: all that is asked for needs room beside it.
        let passedCount = queue.count - matches(queue)
        let room = min(HNSWIndex.largestEf, max(width, passedCount + 1 + expected + expected / 4))
        let ending = walkMatching(room, matchCount, &queue, shouldStop)
        result.isComplete = ending != .stopped
        guard ending != .exhausted else { return false }
        collect(queue, scratch.matching, &nearest)
        return !result.isComplete || nearest.neighbors.count >= expected
    }

    /// How many of a queue's candidates match.
    private func matches(_ queue: CandidateQueue) -> Int {
        (0..<queue.count).count { scratch.matching.contains(queue.slot($0)) }
    }

    // MARK: Walks

    /// Goes down to layer 0, and leaves the node to begin there in the queue.
    private func descend(_ queue: inout CandidateQueue, _ shouldStop: () -> Bool) -> Bool {
        graph.begin(state.entryPoint, state.topLevel, target, &queue, scratch, erased: rows.erased)
        return graph.descend(
            from: state.topLevel, above: 0, target, &queue, scratch, erased: rows.erased,
            shouldStop: shouldStop)
    }

    /// Makes what was found so far, and the entry point, the beginning of a search of layer 0. Links of the tree
    /// lead from the entry point to all nodes, so that with an `ef` of as many as there are, all are found.
    private func enter(_ ef: Int, _ queue: inout CandidateQueue) {
        graph.restart(&queue, capacity: ef, scratch)
        graph.add(state.entryPoint, target, &queue, scratch, layer: 0, erased: rows.erased)
    }

    /// Over all nodes that are not erased, from those in the queue on. Returns false if it was stopped.
    private func walk(_ ef: Int, _ queue: inout CandidateQueue, _ shouldStop: () -> Bool) -> Bool {
        enter(ef, &queue)
        return graph.search(0, target, &queue, scratch, erased: rows.erased, shouldStop: shouldStop)
    }

    /// Over the nodes that match, from those in the queue on and from seeds.
    private func walkMatching(
        _ ef: Int, _ matchCount: Int, _ queue: inout CandidateQueue, _ shouldStop: () -> Bool
    ) -> Graph.Ending {
        enter(ef, &queue)
        seed(&queue)
        var budget = matchCount
        return graph.walkMatching(
            0, target, &queue, scratch, matching: scratch.matching, erased: rows.erased,
            twoHopShare: Self.twoHopShare, budget: &budget, shouldStop: shouldStop)
    }

    /// Puts matching slots from all over into the queue.
    private func seed(_ queue: inout CandidateQueue) {
        let wordCount = (Int(graph.bound) + 63) / 64
        var count = 0
        for part in 0..<Self.seedCount {
            var word = part * wordCount / Self.seedCount
            let end = (part + 1) * wordCount / Self.seedCount
            while word < end, unsafe scratch.matching.words[word] == 0 { word += 1 }
            guard word < end else { continue }
            let bit = unsafe scratch.matching.words[word].trailingZeroBitCount
            let slot = UInt32(word * 64 + bit)
            if scratch.visited.contains(slot) { continue }
            scratch.visited.insert(slot)
            unsafe scratch.slots[count] = slot
            count += 1
        }
        graph.score(count, target, &queue, scratch, layer: 0)
    }

    // MARK: Sets of slots

    /// `scratch.matching` becomes the linked slots that the filter lets through. Returns how many there are.
    ///
    /// - Complexity: O(slots); 64 of them at once where consecutive slots have consecutive passages, else some 1 ns each.
    private func markMatching(_ filter: PassageFilter) -> Int {
        let end = Int(graph.bound)
        scratch.matching.clear(capacity: end)
        let runs = rows.runs
        var count = 0
        // Safe because a block has 1,008 passages, a multiple of 16, and the set has room for `end` slots.
        unsafe filter.words.withUnsafeBufferPointer { words in
            guard let base = words.baseAddress else { return }
            for block in 0..<(end + VectorSegments.passagesPerBlock - 1) / VectorSegments.passagesPerBlock {
                let first = block * VectorSegments.passagesPerBlock
                let length = min(VectorSegments.passagesPerBlock, end - first)
                let out = unsafe scratch.matching.words + (first >> 6)
                if let passage = runs[block] {
                    unsafe count += kernels_match_run(passage, length, base, words.count, out, first & 63)
                } else {
                    unsafe count += kernels_match(
                        rows.passageBlocks[block], length, base, words.count, out, first & 63)
                }
            }
        }
        return count
    }

    // MARK: Answers

    /// Takes what the queue holds as answers, unless it was only passed through.
    private func collect(_ queue: CandidateQueue, _ matching: VisitedSet?, _ nearest: inout NearestRows) {
        if target.code != nil { return rank(queue, matching, &nearest) }
        for index in 0..<queue.count {
            let slot = queue.slot(index)
            guard matching?.contains(slot) ?? true else { continue }
            let passage = rows.passage(slot)
            guard passage != VectorSegments.noPassage else { continue }
            nearest.insert(
                Neighbor(slot: slot, passage: passage, score: ScoreKey.score(queue.key(index))))
        }
    }

    /// Scores what was found by codes, the best first, until what follows would have to be estimated too low by far to be
    /// an answer.
    private func rank(_ queue: CandidateQueue, _ matching: VisitedSet?, _ nearest: inout NearestRows) {
        let errorsAbove = errorsAbove
        var errors = Spread()
        var latest = Spread()
        var count = 0
        for index in 0..<queue.count {
            let slot = queue.slot(index)
            guard matching?.contains(slot) ?? true, queue.key(index) != CandidateQueue.farthest else {
                continue
            }
            if count == Self.rankedTogether {
                take(count, &nearest)
                for index in 0..<count {
                    let error = unsafe scratch.dots[index] - ScoreKey.score(scratch.entries[index])
                    errors.add(error)
                    latest.add(error)
                }
                count = 0
                // The best estimates are those that are too high: what comes later is less so, and more so where all are
                // nearly as far, as in a cluster.
                let mean = max(errors.mean, latest.mean)
                let most = ScoreKey.score(queue.key(index)) + errorsAbove * errors.deviation + mean
                latest = Spread()
                if estimates, most < nearest.worst { return }
            }
            unsafe scratch.slots[count] = slot
            unsafe scratch.entries[count] = queue.key(index)
            count += 1
        }
        take(count, &nearest)
    }

    /// Candidates that are scored by their rows before it is looked whether that is enough.
    static let rankedTogether = 16
    /// How many standard deviations of the errors that were seen an estimate may be too low: 2.5, and one more for each time
    /// that the candidates are twice as many as 128, so that more of them bring more recall to the end.
    private var errorsAbove: Float { 2.5 + max(0, log2f(Float(ef) / 128)) }

    /// Mean and deviation of numbers (Welford, 1962).
    private struct Spread {
        private var count: Float = 0
        private(set) var mean: Float = 0
        private var squares: Float = 0

        var deviation: Float { (squares / max(1, count - 1)).squareRoot() }

        mutating func add(_ value: Float) {
            guard value.isFinite else { return }
            count += 1
            let difference = value - mean
            mean += difference / count
            squares += difference * (value - mean)
        }
    }

    /// Whether the scores that decide are estimates; with as many candidates as there are nodes a search is exact.
    private var estimates: Bool { target.code != nil && ef < state.nodeCount }

    /// Up to so many matching rows, all of them are scored rather than walked among with so many candidates.
    private func scoredCount(_ candidates: Int) -> Int {
        estimates
            ? max(parameters.estimatedAnyway, parameters.estimatedPerCandidate * candidates)
            : parameters.scoredPerCandidate * candidates
    }

    /// As many matching rows are scored without a look at their codes, which would save nothing.
    private static let scoredByRows = 256

    /// Scores every matching slot, in the order of slots: many of them by codes first, if there are any. Returns false if
    /// it was stopped.
    private func scoreMatching(
        _ matchCount: Int, _ nearest: inout NearestRows, _ shouldStop: () -> Bool
    ) -> Bool {
        let estimates = estimates && matchCount > Self.scoredByRows
        var queue = scratch.queue(capacity: min(HNSWIndex.largestEf, max(ef, nearest.capacity)))
        let isComplete = forEachMatching { count in
            if estimates {
                // Not layer 0, as nothing is looked up in lists.
                graph.score(count, target, &queue, scratch, layer: 1)
            } else {
                take(count, &nearest)
            }
            return !shouldStop()
        }
        if estimates { rank(queue, nil, &nearest) }
        return isComplete
    }

    /// Puts the matching slots into the scratch, some of them at a time. Returns false if `body` did.
    private func forEachMatching(_ body: (Int) -> Bool) -> Bool {
        var count = 0
        for index in 0..<(Int(graph.bound) + 63) / 64 {
            var word = unsafe scratch.matching.words[index]
            while word != 0 {
                unsafe scratch.slots[count] = UInt32(index * 64 + word.trailingZeroBitCount)
                count += 1
                word &= word - 1
            }
            guard count > Scratch.batchCount - 64 else { continue }
            if !body(count) { return false }
            count = 0
        }
        _ = body(count)
        return true
    }

    /// Scores the first slots of the scratch, and takes them as answers. Their scores lie in the place of the inner
    /// products afterwards.
    private func take(_ count: Int, _ nearest: inout NearestRows) {
        unsafe graph.dots(target, scratch.slots, count, scratch)
        for index in 0..<count {
            let score = ScoreKey.score(graph.key(index, target, scratch, graph.metric))
            unsafe scratch.dots[index] = score
            guard score >= nearest.worst else { continue }
            let slot = unsafe scratch.slots[index]
            let passage = rows.passage(slot)
            guard passage != VectorSegments.noPassage else { continue }
            nearest.insert(Neighbor(slot: slot, passage: passage, score: score))
        }
    }
}
