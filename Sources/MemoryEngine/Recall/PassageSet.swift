/// A set of passages of a home, a bit for each.
struct PassageSet: Sendable, Equatable {
    private(set) var words: [UInt64]
    let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        words = [UInt64](repeating: 0, count: (capacity + 63) / 64)
    }

    /// All passages below `capacity`.
    static func full(capacity: Int) -> PassageSet {
        var set = PassageSet(capacity: capacity)
        set.invert()
        return set
    }

    /// The passages in ascending order.
    var passages: [UInt32] {
        var passages: [UInt32] = []
        forEachPassage { passages.append($0) }
        return passages
    }

    var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    func contains(_ passage: UInt32) -> Bool {
        let index = Int(passage)
        return index < capacity && words[index >> 6] >> UInt64(index & 63) & 1 == 1
    }

    /// The passages of a range that are not in the set; `nil` where there are more than so many.
    ///
    /// - Precondition: the range ends below `capacity`.
    func missing(_ range: ClosedRange<UInt32>, atMost count: Int) -> [UInt32]? {
        var missing: [UInt32] = []
        for index in Int(range.lowerBound) >> 6...Int(range.upperBound) >> 6 where words[index] != .max {
            var word = ~words[index]
            while word != 0 {
                let passage = UInt32(index * 64 + word.trailingZeroBitCount)
                if range.contains(passage) { missing.append(passage) }
                word &= word - 1
            }
            if missing.count > count { return nil }
        }
        return missing
    }

    mutating func insert(_ passage: UInt32) {
        precondition(passage < capacity)
        words[Int(passage) >> 6] |= 1 << UInt64(passage & 63)
    }

    mutating func remove(_ passage: UInt32) {
        precondition(passage < capacity)
        words[Int(passage) >> 6] &= ~(1 << UInt64(passage & 63))
    }

    /// Adds the passages from `index` × 64 on whose bits are set. They lie below `capacity`.
    mutating func formUnion(_ word: UInt64, at index: Int) { words[index] |= word }

    mutating func formUnion(_ other: PassageSet) { combine(other) { $0 | $1 } }
    mutating func formIntersection(_ other: PassageSet) { combine(other) { $0 & $1 } }
    mutating func formDifference(_ other: PassageSet) { combine(other) { $0 & ~$1 } }

    mutating func invert() {
        for index in words.indices { words[index] = ~words[index] }
        let rest = capacity & 63
        if rest != 0, let last = words.indices.last { words[last] &= (1 << UInt64(rest)) - 1 }
    }

    private mutating func combine(_ other: PassageSet, _ operation: (UInt64, UInt64) -> UInt64) {
        precondition(capacity == other.capacity)
        for index in words.indices { words[index] = operation(words[index], other.words[index]) }
    }

    /// The passages from `first` on in ascending order, until `body` returns `false`.
    func forEachPassage(from first: UInt32, _ body: (UInt32) throws -> Bool) rethrows {
        for index in words.indices.dropFirst(Int(first) / 64) {
            var word = words[index]
            if index == Int(first) / 64 { word &= .max << UInt64(first & 63) }
            while word != 0 {
                guard try body(UInt32(index * 64 + word.trailingZeroBitCount)) else { return }
                word &= word - 1
            }
        }
    }

    /// The passages in ascending order.
    func forEachPassage(_ body: (UInt32) throws -> Void) rethrows {
        for index in words.indices {
            var word = words[index]
            while word != 0 {
                try body(UInt32(index * 64 + word.trailingZeroBitCount))
                word &= word - 1
            }
        }
    }
}
