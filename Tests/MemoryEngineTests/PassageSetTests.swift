import TestSupport
import Testing

@testable import MemoryEngine

@Suite struct `A set of passages` {
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `tells which of a range it lacks, unless they are many`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let capacity = 1 + random.below(400)
        var set = PassageSet.full(capacity: capacity)
        for _ in 0..<random.below(30) { set.remove(UInt32(random.below(capacity))) }
        for _ in 0..<20 {
            let (a, b) = (UInt32(random.below(capacity)), UInt32(random.below(capacity)))
            let range = min(a, b)...max(a, b)
            let missing = range.filter { !set.contains($0) }
            #expect(set.missing(range, atMost: missing.count) == missing)
            if !missing.isEmpty { #expect(set.missing(range, atMost: missing.count - 1) == nil) }
        }
    }
}
