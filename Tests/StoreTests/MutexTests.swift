import Dispatch
import Store
import Testing

@Suite struct `A mutex` {
    @Test func `loses no change of any thread`() {
        let counts = Mutex<[Int: Int]>([:])
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for round in 0..<2_000 { counts.withLock { $0[round % 10, default: 0] += 1 } }
        }
        #expect(counts.withLock { $0.count } == 10)
        #expect(counts.withLock { $0.values.allSatisfy { $0 == 1_600 } })
    }

    private struct Refusal: Error {}

    @Test func `is free again after an error, and keeps what was changed before it`() {
        let value = Mutex(1)
        #expect(throws: Refusal.self) {
            try value.withLock { value throws(Refusal) in
                value = 2
                throw Refusal()
            }
        }
        #expect(value.withLock { $0 } == 2)
    }

    @Test func `stops the program when a thread locks it twice, rather than waiting for ever`() async {
        await #expect(processExitsWith: .failure) {
            let value = Mutex(1)
            value.withLock { _ in value.withLock { $0 = 2 } }
        }
    }

    @Test func `frees its value when it goes`() {
        final class Witness: Sendable {}
        weak var witness: Witness?
        do {
            let value = Mutex<Witness?>(Witness())
            witness = value.withLock { $0 }
            #expect(witness != nil)
        }
        #expect(witness == nil)
    }
}
