import TestSupport
import Testing

@testable import MemoryEngine

@Suite struct `A list of the best` {
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `is the beginning of all in order, the lower passage first of equals`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let capacity = Int.random(in: 0...40, using: &random)
        // Few different scores, so that many are equal.
        let items = (0..<Int.random(in: 0...200, using: &random)).map { passage in
            (score: Float(Int.random(in: -9...9, using: &random)), passage: UInt32(passage))
        }
        var list = TopList(capacity: capacity)
        for item in items.shuffled(using: &random) { list.insert(item.score, item.passage) }
        let sorted = items.sorted { $0.score != $1.score ? $0.score > $1.score : $0.passage < $1.passage }
        #expect(list.ranked == sorted.prefix(capacity).map(\.passage))
    }
}
