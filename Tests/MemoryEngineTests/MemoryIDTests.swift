import TestSupport
import Testing

@testable import MemoryEngine

@Suite struct `A memory's id` {
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func `reads back from its text, with and without hyphens`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<200 {
            let id = MemoryID(rawValue: random.next128())
            #expect(MemoryID(id.description) == id)
            #expect(MemoryID(id.description.uppercased().replacing("-", with: "")) == id)
        }
        #expect(MemoryID(MemoryID(rawValue: 0).description) == MemoryID(rawValue: 0))
    }

    @Test func `is a UUID of version 7 that sorts by time`() {
        var random = SeededRandom(seed: 1)
        var last = MemoryID(rawValue: 0)
        for milliseconds in stride(from: Int64(0), to: 5_000_000_000_000, by: 250_000_000_000) {
            let id = MemoryID(at: Timestamp(microseconds: milliseconds * 1_000), using: &random)
            #expect(id > last)
            #expect(id.rawValue >> 76 & 15 == 7 && id.rawValue >> 62 & 3 == 2)
            last = id
        }
    }

    @Test(arguments: [
        "", "x", "01890a5d-ac96-774b-bcce-b302099a805", "+1890a5dac96774bbcceb302099a8057", "é",
    ])
    func `is nothing else`(text: String) {
        #expect(MemoryID(text) == nil)
    }
}
