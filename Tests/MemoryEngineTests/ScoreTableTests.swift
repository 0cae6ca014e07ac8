import TestSupport
import Testing

@testable import MemoryEngine

@Suite struct `A table of scores` {
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `agrees with a dictionary`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var table = ScoreTable(for: random.below(40))
        var model: [UInt32: Float] = [:]
        for _ in 0..<400 {
            // Some lie close together, and some are set again.
            let passage = random.chance(0.5) ? UInt32(random.below(100)) : UInt32(random.below(1 << 30))
            let score = Float.random(in: -1...1, using: &random)
            #expect(table.set(score, passage) == (model[passage] == nil))
            model[passage] = score
        }
        #expect(table.count == model.count)
        for (passage, score) in model { #expect(table[passage] == score) }
        for passage in 0..<UInt32(200) where model[passage] == nil { #expect(table[passage].isNaN) }
    }
}
