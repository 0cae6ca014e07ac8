/// The scores of some of a home's passages: a table of keys and values, open to the next place where one is taken.
///
/// For a few hundred of a million passages it is much less to make than a score for each.
struct ScoreTable: Sendable {
    /// `none` = free.
    private var passages: [UInt32]
    private var scores: [Float]
    private(set) var count = 0

    /// Is no passage: a home has fewer.
    private static let none = UInt32.max

    /// - Parameter count: how many are likely to come.
    init(for count: Int = 0) {
        var capacity = 16
        while capacity < 2 * count { capacity *= 2 }
        passages = [UInt32](repeating: Self.none, count: capacity)
        scores = [Float](repeating: .nan, count: capacity)
    }

    /// The score of a passage; NaN = it has none.
    subscript(passage: UInt32) -> Float { scores[place(of: passage)] }

    /// Sets the score of a passage. Returns whether it had none.
    ///
    /// - Precondition: the passage is not `UInt32.max`.
    @discardableResult
    mutating func set(_ score: Float, _ passage: UInt32) -> Bool {
        precondition(passage != Self.none)
        var place = place(of: passage)
        let isNew = passages[place] == Self.none
        if isNew {
            if 2 * (count + 1) > passages.count {
                grow()
                place = self.place(of: passage)
            }
            passages[place] = passage
            count += 1
        }
        scores[place] = score
        return isNew
    }

    /// Where a passage stands, or the free place for it. Half of the places are free.
    private func place(of passage: UInt32) -> Int {
        let mask = passages.count - 1
        var place = Int(truncatingIfNeeded: UInt64(passage) &* 0x9e37_79b9_7f4a_7c15 >> 32) & mask
        while passages[place] != passage, passages[place] != Self.none { place = (place + 1) & mask }
        return place
    }

    private mutating func grow() {
        var larger = ScoreTable(for: passages.count)
        for (passage, score) in zip(passages, scores) where passage != Self.none {
            larger.set(score, passage)
        }
        self = larger
    }
}
