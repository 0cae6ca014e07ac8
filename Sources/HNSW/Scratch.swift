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
    private var vector: UnsafeMutablePointer<Float>
    private var query: UnsafeMutablePointer<Int8>
    private var vectorCapacity = 0
    private var queryCapacity = 0
    /// Of `selectNeighbors`: candidates in the order of their keys (key in the upper half, entry in the lower), the
    /// slots picked, and their entries.
    let picked: UnsafeMutablePointer<UInt32>
    let entries: UnsafeMutablePointer<UInt32>
    let sorted: UnsafeMutablePointer<UInt64>

    init() {
        unsafe vector = .allocate(capacity: 1)
        unsafe query = .allocate(capacity: 1)
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
        unsafe vector.deallocate()
        unsafe query.deallocate()
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
    func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
        if count > vectorCapacity {
            unsafe vector.deallocate()
            unsafe vector = .allocate(capacity: count)
            vectorCapacity = count
        }
        return unsafe vector
    }

    /// Room for `count` components of a query, until it is asked for again.
    func bytes(_ count: Int) -> UnsafeMutablePointer<Int8> {
        if count > queryCapacity {
            unsafe query.deallocate()
            unsafe query = .allocate(capacity: count)
            queryCapacity = count
        }
        return unsafe query
    }

    /// An empty queue over this scratch's memory; one at a time.
    func queue(capacity: Int) -> CandidateQueue {
        var queue = unsafe CandidateQueue(candidates, room: Self.largestQueue + 2)
        queue.begin(capacity: capacity)
        return queue
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
