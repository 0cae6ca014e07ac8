import Store

/// What a walk writes into while it runs. Taken from a pool, so that a search allocates nothing.
///
/// Safe because the buffers belong to it alone and have the room that is stated, one thread has it at a time,
/// and they go with it.
@safe final class Scratch: @unchecked Sendable {
    /// Slots that are scored together: those of a list, and of the lists behind it while they are few.
    static let batchCount = 2_048
    /// A list has at most so many entries, so a batch that has room for it is not full.
    static let longestList = 504
    /// The largest `ef`.
    static let largestQueue = 8_192

    let visited = VisitedSet(capacity: 0)
    /// The slots that a filter lets through.
    let matching = VisitedSet(capacity: 0)
    /// The slots that are not erased.
    let live = VisitedSet(capacity: 0)
    let slots: UnsafeMutablePointer<UInt32>
    let others: UnsafeMutablePointer<UInt32>
    let dots: UnsafeMutablePointer<Float>
    let auxiliaries: UnsafeMutablePointer<Float>
    private let candidates: UnsafeMutablePointer<UInt64>
    /// A rotated vector, and a query in 8 bits; as long as was asked last.
    private let vector = GrowingBuffer<Float>()
    private let query = GrowingBuffer<Int8>()
    /// Of `selectNeighbors`: candidates in the order of their keys (key in the upper half, entry in the lower), the
    /// slots picked, and their entries.
    let picked: UnsafeMutablePointer<UInt32>
    let entries: UnsafeMutablePointer<UInt32>
    let sorted: UnsafeMutablePointer<UInt64>

    init() {
        unsafe slots = .allocate(capacity: Self.batchCount)
        unsafe others = .allocate(capacity: Self.longestList)
        unsafe dots = .allocate(capacity: Self.batchCount)
        unsafe auxiliaries = .allocate(capacity: Self.batchCount)
        unsafe candidates = .allocate(capacity: Self.largestQueue + 2)
        unsafe entries = .allocate(capacity: Self.batchCount)
        unsafe picked = .allocate(capacity: Self.batchCount)
        unsafe sorted = .allocate(capacity: Self.largestQueue + Self.batchCount)
    }

    deinit {
        unsafe slots.deallocate()
        unsafe others.deallocate()
        unsafe dots.deallocate()
        unsafe auxiliaries.deallocate()
        unsafe candidates.deallocate()
        unsafe entries.deallocate()
        unsafe picked.deallocate()
        unsafe sorted.deallocate()
    }

    /// Room for `count` floats, until it is asked for again.
    func floats(_ count: Int) -> UnsafeMutablePointer<Float> { unsafe vector.room(count) }

    /// Room for `count` components of a query, until it is asked for again.
    func bytes(_ count: Int) -> UnsafeMutablePointer<Int8> { unsafe query.room(count) }

    /// An empty queue over this scratch's memory; one at a time.
    func queue(capacity: Int) -> CandidateQueue {
        var queue = unsafe CandidateQueue(candidates, room: Self.largestQueue + 2)
        queue.begin(capacity: capacity)
        return queue
    }
}

/// Memory that is as long as was asked for at most.
///
/// Safe because it belongs to this alone, and goes with it.
@safe private final class GrowingBuffer<Element> {
    private var base: UnsafeMutablePointer<Element>
    private var capacity = 1

    init() { unsafe base = .allocate(capacity: 1) }

    deinit { unsafe base.deallocate() }

    /// Room for `count` elements, whose values are anything; what was given before is gone if that was less.
    func room(_ count: Int) -> UnsafeMutablePointer<Element> {
        if count > capacity {
            unsafe base.deallocate()
            unsafe base = .allocate(capacity: count)
            capacity = count
        }
        return unsafe base
    }
}

/// Scratches that are not in use.
final class ScratchPool: Sendable {
    private let idle = Mutex<[Scratch]>([])

    func take() -> Scratch { idle.withLock { $0.popLast() } ?? Scratch() }

    func giveBack(_ scratch: Scratch) {
        idle.withLock { idle in
            if idle.count < 16 { idle.append(scratch) }
        }
    }
}
