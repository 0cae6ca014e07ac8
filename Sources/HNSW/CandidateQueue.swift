/// The nearest candidates of a search so far, the nearest first, at most `capacity` of them.
///
/// A candidate is one number: the distance in the upper half, the slot in the lower, and the highest bit of the
/// lower half tells that its neighbors were looked at. One sorted array serves both as the paper's queue of
/// candidates and as its list of results: a candidate farther than the worst of `capacity` results would not be
/// expanded anyway. Insertion is a binary search and a move of a few hundred bytes, which beats two heaps.
///
/// Rows that are equal have equal keys whatever they are compared with, and a thousand of them would fill the queue
/// and hide what lies behind; so at most `equalLimit` candidates of one key are kept.
///
/// Safe because the buffer has room for one more than the largest capacity, which `begin` compares, and every
/// index is below `count`.
@safe struct CandidateQueue {
    private static let expandedMark: UInt64 = 0x8000_0000
    /// A key that every distance is better than.
    static let farthest = UInt32.max - 1

    private let entries: UnsafeMutablePointer<UInt64>
    private let room: Int
    private(set) var capacity = 1
    private(set) var count = 0
    var equalLimit = Int.max
    /// Everything before it is expanded.
    private var cursor = 0

    init(_ entries: UnsafeMutablePointer<UInt64>, room: Int) {
        unsafe self.entries = unsafe entries
        self.room = room
    }

    /// Empties it. The limit of equal ones stays.
    mutating func begin(capacity: Int) {
        precondition(capacity > 0 && capacity < room)
        self.capacity = capacity
        count = 0
        cursor = 0
    }

    /// Keeps the nearest `capacity` candidates as beginnings of another search: none is expanded.
    mutating func resume(capacity: Int) {
        precondition(capacity > 0 && capacity < room)
        self.capacity = capacity
        count = min(count, capacity)
        cursor = 0
        for index in 0..<count { unsafe entries[index] &= ~Self.expandedMark }
    }

    /// Keys from here on are refused.
    @inline(__always)
    var bound: UInt32 {
        count < capacity ? UInt32.max : UInt32(truncatingIfNeeded: unsafe entries[count - 1] >> 32)
    }

    /// Scores below it are refused; minus infinity while there is room, or something that has no score has a place.
    @inline(__always)
    var worst: Float { bound >= Self.farthest ? -.infinity : ScoreKey.score(bound) }

    /// Takes a candidate whose key is below `bound`. Returns whether it is the next to be expanded.
    @inline(__always)
    mutating func insert(_ key: UInt32, _ slot: UInt32) -> Bool {
        var low = 0
        var length = count
        while length > 0 {
            let half = length >> 1
            let isBehind = UInt32(truncatingIfNeeded: unsafe entries[low + half] >> 32) <= key
            low = isBehind ? low + half + 1 : low
            length = isBehind ? length - half - 1 : half
        }
        if low >= capacity { return false }
        if low >= equalLimit, UInt32(truncatingIfNeeded: unsafe entries[low - equalLimit] >> 32) == key {
            return false
        }
        let end = count < capacity ? count : capacity - 1
        unsafe (entries + low + 1).update(from: entries + low, count: end - low)
        unsafe entries[low] = UInt64(key) << 32 | UInt64(slot)
        count = end + 1
        if low <= cursor {
            cursor = low
            return true
        }
        return false
    }

    /// The nearest candidate that was not expanded; it counts as expanded from now on.
    @inline(__always)
    mutating func next() -> UInt32? {
        while cursor < count {
            let entry = unsafe entries[cursor]
            if entry & Self.expandedMark == 0 {
                unsafe entries[cursor] = entry | Self.expandedMark
                cursor += 1
                return UInt32(truncatingIfNeeded: entry) & Slot.mask
            }
            cursor += 1
        }
        return nil
    }

    /// The two that would be next, as far as there are two within the next few.
    @inline(__always)
    func ahead() -> (UInt32?, UInt32?) {
        var first: UInt32?
        for index in cursor..<min(cursor + 8, count) {
            let entry = unsafe entries[index]
            if entry & Self.expandedMark != 0 { continue }
            let slot = UInt32(truncatingIfNeeded: entry) & Slot.mask
            if let first { return (first, slot) }
            first = slot
        }
        return (first, nil)
    }

    func slot(_ index: Int) -> UInt32 {
        precondition(index < count)
        return UInt32(truncatingIfNeeded: unsafe entries[index]) & Slot.mask
    }

    func key(_ index: Int) -> UInt32 {
        precondition(index < count)
        return UInt32(truncatingIfNeeded: unsafe entries[index] >> 32)
    }
}

/// Scores as numbers that sort: the better the score, the smaller the key.
enum ScoreKey {
    /// The key of a score. One that is not a number is worse than all others.
    @inline(__always)
    static func of(_ score: Float) -> UInt32 {
        let bits = (-score).bitPattern
        let key = bits ^ (UInt32(bitPattern: Int32(bitPattern: bits) >> 31) | 0x8000_0000)
        return score == score ? key : CandidateQueue.farthest
    }

    /// The score of a key.
    static func score(_ key: UInt32) -> Float {
        let bits = key & 0x8000_0000 != 0 ? key ^ 0x8000_0000 : ~key
        return -Float(bitPattern: bits)
    }
}
