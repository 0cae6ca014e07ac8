/// A set of slots, a bit for each.
///
/// A search needs an empty one each time. Emptying it whole costs some 0.3 µs for 100,000 slots, less than to
/// remember what was set; and as bits, unlike the epochs that other implementations keep, all of it stays in
/// the fastest cache.
///
/// Safe because the words belong to the set alone, and every slot is compared with `capacity` (or was, by who
/// calls `unchecked`).
@safe final class VisitedSet {
    private(set) var words: UnsafeMutablePointer<UInt64>
    private var wordCount: Int

    var capacity: Int { wordCount * 64 }

    init(capacity: Int) {
        wordCount = (capacity + 63) / 64
        unsafe words = .allocate(capacity: max(1, wordCount))
        unsafe words.initialize(repeating: 0, count: max(1, wordCount))
    }

    deinit { unsafe words.deallocate() }

    /// Empties it, and makes room for `capacity` slots.
    func clear(capacity: Int) {
        let needed = (capacity + 63) / 64
        if needed > wordCount {
            unsafe words.deallocate()
            wordCount = needed + needed / 4
            unsafe words = .allocate(capacity: wordCount)
        }
        unsafe words.update(repeating: 0, count: max(1, needed))
    }

    /// Puts all slots below `end` into it, and no others.
    func fill(_ end: Int) {
        clear(capacity: end)
        unsafe words.update(repeating: .max, count: end / 64)
        if end & 63 != 0 { unsafe words[end / 64] = (1 << UInt64(end & 63)) - 1 }
    }

    func insert(_ slot: UInt32) {
        precondition(slot < capacity)
        unsafe words[Int(slot >> 6)] |= 1 << UInt64(slot & 63)
    }

    func remove(_ slot: UInt32) {
        precondition(slot < capacity)
        unsafe words[Int(slot >> 6)] &= ~(1 << UInt64(slot & 63))
    }

    func contains(_ slot: UInt32) -> Bool {
        precondition(slot < capacity)
        return unsafe words[Int(slot >> 6)] >> UInt64(slot & 63) & 1 == 1
    }

    /// How many slots below `end` are in it.
    func count(below end: Int) -> Int {
        precondition(end <= capacity)
        var count = 0
        for index in 0..<(end + 63) / 64 {
            var word = unsafe words[index]
            if index == end >> 6 { word &= (1 << UInt64(end & 63)) - 1 }
            count += word.nonzeroBitCount
        }
        return count
    }
}
