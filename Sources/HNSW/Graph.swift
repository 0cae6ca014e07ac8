import CKernels

/// Rows and lists of neighbors as a walk reads them: by slot, through arrays of page addresses.
///
/// Whoever makes one keeps what it points into: a `PointerTable` over a snapshot, or a `Linker` over pages of
/// its own.
///
/// Safe because every slot is below `bound`, up to which rows and lists have addresses, before it is looked up:
/// slots come from lists through the kernels, which compare them, or were compared by the caller. Numbers in a
/// damaged page can lead to a wrong slot, and nowhere else.
@safe struct Graph {
    /// Where the rows are. The dimension is in it too.
    let rows: UnsafePointer<kernels_segments>
    let metric: Metric
    let bottom: LinkPages
    let upper: LinkPages
    let bottomDivider: Divider
    let upperDivider: Divider
    let bottomPages: UnsafePointer<UnsafeRawPointer?>
    let upperPages: UnsafePointer<UnsafeRawPointer?>
    let upperSlots: UnsafeBufferPointer<UInt32>
    let upperFirst: UnsafeBufferPointer<UInt32>
    let levels: NodeLevels
    /// Where the codes are, if there are any.
    let codes: UnsafePointer<kernels_codes>?
    /// Slots from it on are not in the graph.
    var bound: UInt32

    /// The address of a slot's row.
    @inline(__always)
    func row(_ slot: UInt32) -> UnsafePointer<Float> {
        let (segment, index) = unsafe Self.place(slot, unsafe rows.pointee)
        let base = unsafe rows.pointee.segments[segment].unsafelyUnwrapped
        return unsafe (base + rows.pointee.first_row + index * rows.pointee.stride)
            .assumingMemoryBound(to: Float.self)
    }

    /// The number that the metric needs of a slot's row.
    @inline(__always)
    func auxiliary(_ slot: UInt32) -> Float {
        let (segment, index) = unsafe Self.place(slot, unsafe rows.pointee)
        let base = unsafe rows.pointee.segments[segment].unsafelyUnwrapped
        return unsafe base.loadUnaligned(
            fromByteOffset: rows.pointee.first_auxiliary + index * 4, as: Float.self)
    }

    @inline(__always)
    private static func place(
        _ slot: UInt32, _ rows: kernels_segments
    ) -> (quotient: Int, remainder: Int) {
        unsafe Divider(by: rows.rows_per_segment, rows.reciprocal).quotientAndRemainder(slot)
    }

    /// The neighbors of a slot in layer 0.
    @inline(__always)
    func bottomList(_ slot: UInt32) -> UnsafeRawPointer {
        let (page, place) = bottomDivider.quotientAndRemainder(slot)
        let base = unsafe bottomPages[page].unsafelyUnwrapped
        return unsafe base + LinkPages.headerByteCount + place &* bottom.listByteCount
    }

    /// The neighbors of a slot in a layer above 0; `nil` if its level is lower, as damaged lists have it.
    func upperList(_ slot: UInt32, _ layer: Int) -> UnsafeRawPointer? {
        guard let number = upperNumber(slot, layer) else { return nil }
        let (page, place) = upperDivider.quotientAndRemainder(UInt32(number))
        let base = unsafe upperPages[page].unsafelyUnwrapped
        return unsafe base + LinkPages.headerByteCount + place * upper.listByteCount
    }

    /// The number of a slot's list in a layer above 0.
    func upperNumber(_ slot: UInt32, _ layer: Int) -> Int? {
        var low = 0
        var high = unsafe upperSlots.count
        while low < high {
            let middle = (low + high) >> 1
            if unsafe upperSlots[middle] < slot { low = middle + 1 } else { high = middle }
        }
        guard unsafe low < upperSlots.count, unsafe upperSlots[low] == slot, layer <= levels(slot) else {
            return nil
        }
        return unsafe Int(upperFirst[low]) + layer - 1
    }
}

extension Divider {
    /// As C has it: a reciprocal that `init(by:)` computed.
    init(by divisor: UInt32, _ reciprocal: UInt64) {
        self.divisor = divisor
        self.reciprocal = reciprocal
    }
}

/// A vector to compare rows with.
///
/// Safe because whoever makes one keeps the vector's memory while it is in use.
@safe struct Target {
    let vector: UnsafePointer<Float>
    let auxiliary: Float
    /// What a walk compares with the codes of rows in the place of rows.
    var code: CodeTarget?
}

extension Graph {
    /// Inner products with the rows of `slots`, and their auxiliary numbers, into the scratch.
    @inline(__always)
    func dots(_ target: Target, _ slots: UnsafePointer<UInt32>, _ count: Int, _ scratch: Scratch) {
        // Safe because slots are below `bound`, and the scratch has room for a batch.
        unsafe kernels_dots_f32_slots(
            rows, target.vector, slots, count, scratch.dots, scratch.auxiliaries)
    }

    @inline(__always)
    func key(_ index: Int, _ target: Target, _ scratch: Scratch, _ metric: Metric) -> UInt32 {
        unsafe ScoreKey.of(
            Distance.score(
                dot: scratch.dots[index], auxiliary: scratch.auxiliaries[index],
                queryAuxiliary: target.auxiliary, metric: metric))
    }

    /// Scores the first `count` slots of the scratch, and puts those that are near enough into the queue.
    @inline(__always)
    func score(_ count: Int, _ target: Target, _ queue: inout CandidateQueue, _ scratch: Scratch, layer: Int)
    {
        if let code = target.code, let codes = unsafe codes {
            unsafe kernels_estimates(
                codes, code.query, code.scale, code.offset, scratch.slots, count, scratch.dots)
            var worst = queue.worst
            for index in 0..<count {
                let estimate = unsafe scratch.dots[index]
                if estimate < worst { continue }
                insert(index, ScoreKey.of(estimate), &queue, scratch, layer)
                worst = queue.worst
            }
            return
        }
        unsafe dots(target, scratch.slots, count, scratch)
        switch metric {
        case .cosine: insert(count, target, &queue, scratch, layer, .cosine)
        case .innerProduct: insert(count, target, &queue, scratch, layer, .innerProduct)
        case .l2: insert(count, target, &queue, scratch, layer, .l2)
        }
    }

    @inline(__always)
    private func insert(
        _ count: Int, _ target: Target, _ queue: inout CandidateQueue, _ scratch: Scratch, _ layer: Int,
        _ metric: Metric
    ) {
        for index in 0..<count {
            insert(index, key(index, target, scratch, metric), &queue, scratch, layer)
        }
    }

    @inline(__always)
    private func insert(
        _ index: Int, _ key: UInt32, _ queue: inout CandidateQueue, _ scratch: Scratch, _ layer: Int
    ) {
        guard key < queue.bound else { return }
        let slot = unsafe scratch.slots[index]
        if queue.insert(key, slot), layer == 0 {
            unsafe kernels_prefetch(bottomList(slot), bottom.listByteCount)
        }
    }
}
