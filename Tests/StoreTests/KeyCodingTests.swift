import Store
import Testing

@Suite struct `A key` {
    /// Numbers at the ends of their range and around each power of two, and random ones.
    private func interesting<Number: FixedWidthInteger>(_ seed: UInt64) -> [Number] {
        var numbers = CheckedHome.Numbers(state: seed)
        var values: [Number] = [.min, .max, 0, 1]
        for bit in 0..<Number.bitWidth {
            let power: Number = 1 << bit
            values += [power, power &- 1, power &+ 1, 0 &- power]
        }
        for _ in 0..<200 {
            var value: Number = 0
            for _ in 0..<(Number.bitWidth + 63) / 64 {
                value = (Number.bitWidth > 64 ? value << 64 : 0) | Number(truncatingIfNeeded: numbers.next())
            }
            values.append(value)
        }
        return values
    }

    private func expectOrder<Number: FixedWidthInteger>(
        _ values: [Number], _ encode: (Number) -> Key
    ) {
        let sorted = values.sorted()
        let keys = sorted.map { encode($0).bytes }
        for index in keys.indices.dropFirst() {
            let isBelow = keys[index - 1].lexicographicallyPrecedes(keys[index])
            #expect(isBelow == (sorted[index - 1] < sorted[index]))
        }
    }

    @Test func `sorts as the numbers in it do`() {
        expectOrder(interesting(1) as [UInt8]) { Key().u8($0) }
        expectOrder(interesting(2) as [UInt16]) { Key().u16($0) }
        expectOrder(interesting(3) as [UInt32]) { Key().u32($0) }
        expectOrder(interesting(4) as [UInt64]) { Key().u64($0) }
        expectOrder(interesting(5) as [Int64]) { Key().i64($0) }
        expectOrder(interesting(6) as [UInt128]) { Key().u128($0) }
    }

    @Test func `gives back the numbers that were put into it`() {
        for value in interesting(1) as [UInt16] {
            #expect(read(Key().u16(value)) { $0.keyU16(at: 0) } == value)
        }
        for value in interesting(2) as [UInt32] {
            #expect(read(Key().u32(value)) { $0.keyU32(at: 0) } == value)
        }
        for value in interesting(3) as [UInt64] {
            #expect(read(Key().u64(value)) { $0.keyU64(at: 0) } == value)
        }
        for value in interesting(4) as [Int64] {
            #expect(read(Key().i64(value)) { $0.keyI64(at: 0) } == value)
        }
        for value in interesting(5) as [UInt128] {
            #expect(read(Key(prefix: 9).u128(value)) { $0.keyU128(at: 1) } == value)
        }
    }

    private func read<Value>(_ key: Key, _ body: (RawSpan) -> Value) -> Value { body(key.bytes.span.bytes) }

    @Test func `sorts by its first part, then by the next`() {
        var numbers = CheckedHome.Numbers(state: 3)
        let rows = (0..<300).map { _ in
            (
                UInt32.random(in: 0...5, using: &numbers), Int64.random(in: -5...5, using: &numbers),
                numbers.bytes(Int.random(in: 0...3, using: &numbers))
            )
        }
        let byValue = rows.sorted {
            if $0.0 != $1.0 { return $0.0 < $1.0 }
            if $0.1 != $1.1 { return $0.1 < $1.1 }
            return $0.2.lexicographicallyPrecedes($1.2)
        }
        let keys = byValue.map { Key(prefix: 1).u32($0.0).i64($0.1).raw($0.2).bytes }
        #expect(keys == keys.sorted { $0.lexicographicallyPrecedes($1) })
        #expect(keys.allSatisfy { $0.first == 1 })
    }
}
