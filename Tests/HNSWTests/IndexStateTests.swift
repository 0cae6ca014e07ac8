import Store
import Testing

@testable import HNSW

@Suite struct `The record of an index` {
    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func `reads back as it was written`(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var parameters = HNSWParameters()
        parameters.m = random.number(2..<100)
        parameters.m0 = parameters.m + random.number(0..<200)
        parameters.efConstruction = parameters.m + random.number(0..<5_000)
        parameters.seed = random.next()
        var state = IndexState(parameters, generation: random.next())
        state.linkedSlots = UInt32(random.number(1..<1 << 31))
        state.entryPoint = UInt32(random.number(0..<Int(state.linkedSlots)))
        state.nodeCount = UInt32(random.number(1..<Int(state.linkedSlots) + 1))
        state.topLevel = random.number(0..<25)
        state.removedCount = UInt32(truncatingIfNeeded: random.next())
        state.notedCount = UInt32(truncatingIfNeeded: random.next())
        state.linkGeneration = random.next()
        state.isDropping = Bool.random(using: &random)
        state.hasCodes = Bool.random(using: &random)
        state.codeGeneration = random.next()
        let bytes = state.encode()
        #expect(try IndexState(decoding: bytes.span.bytes) == state)
        // Cut short, or changed anywhere: an error or a record that reads back.
        let end = random.number(0..<bytes.count)
        #expect(throws: StoreError.self) { try IndexState(decoding: Array(bytes[..<end]).span.bytes) }
        var damaged = bytes
        damaged[random.number(0..<bytes.count)] ^= UInt8(1 << random.number(0..<8))
        if let other = try? IndexState(decoding: damaged.span.bytes) { #expect(other.encode() == damaged) }
    }

    @Test func `divides as division does`() {
        var random = SplitMix(seed: 1)
        for divisor in Array(1...70) + [170, 255, 256, 1_008, 4_095, 65_536, 1 << 30] {
            let divider = Divider(by: divisor)
            let numbers: [UInt32] =
                [0, 1, .max, .max - 1, 0x7fff_ffff]
                + (0..<200).map { _ in UInt32(truncatingIfNeeded: random.next()) }
                + (1..<50).flatMap {
                    [UInt32(truncatingIfNeeded: $0 * divisor), UInt32(truncatingIfNeeded: $0 * divisor - 1)]
                }
            for number in numbers {
                let (quotient, remainder) = divider.quotientAndRemainder(number)
                #expect(quotient == Int(number) / divisor && remainder == Int(number) % divisor)
            }
        }
    }

    @Test func `gives one in m of the slots each further level`() {
        for m in [2, 4, 16] {
            let levels = NodeLevels(seed: 99, m: m)
            var counts = [Int](repeating: 0, count: NodeLevels.maximum + 1)
            let total = 40_000
            for slot in 0..<UInt32(total) { for level in 0...levels(slot) { counts[level] += 1 } }
            for level in 1...2 {
                let expected = Double(total) / Double.pow(Double(m), level)
                #expect(abs(Double(counts[level]) - expected) < 5 * expected.squareRoot() + 5)
            }
        }
    }

    @Test func `sorts scores by keys, and gives them back`() {
        var random = SplitMix(seed: 7)
        let scores: [Float] =
            [0, -0.0, 1, -1, .infinity, -.infinity, .leastNonzeroMagnitude, -.leastNonzeroMagnitude]
            + (0..<500).map { _ in Float.random(in: -1e6...1e6, using: &random) }
        for a in scores {
            #expect(ScoreKey.score(ScoreKey.of(a)) == a)
            for b in scores where a > b { #expect(ScoreKey.of(a) < ScoreKey.of(b)) }
        }
        #expect(ScoreKey.of(.nan) > ScoreKey.of(-.infinity) && ScoreKey.of(-.nan) > ScoreKey.of(-.infinity))
    }
}

extension Double {
    fileprivate static func pow(_ base: Double, _ exponent: Int) -> Double {
        (0..<exponent).reduce(1) { product, _ in product * base }
    }
}
