import Store
import Testing

@Suite struct `The address of a value` {
    /// What the bytes at each address are, read while the snapshot is held.
    private func addresses(
        _ transaction: borrowing ReadTransaction
    ) throws -> [(key: [UInt8], address: UInt, bytes: [UInt8], isStable: Bool)] {
        var found: [(key: [UInt8], address: UInt, bytes: [UInt8], isStable: Bool)] = []
        try StoreModel.first.forEachAddress(prefix: Key(prefix: 7), in: transaction) { key, value in
            found.append(
                (
                    key.array, UInt(bitPattern: value.payload.baseAddress), [UInt8](value.payload),
                    value.isStable
                ))
            return true
        }
        return found
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `that is stable stays while other keys change, and leads to the payload`(seed: UInt64) throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file)
        defer { environment.close() }
        var numbers = CheckedHome.Numbers(state: seed)
        try environment.write { transaction in
            for number in 0..<60 as Range<UInt32> {
                let size = [5, 200, 3_000, 4_012, 9_000][Int(number) % 5]
                try StoreModel.first.put(
                    Key(prefix: 7).u32(number), [UInt8](repeating: UInt8(number), count: size),
                    in: transaction)
            }
        }
        let before = try environment.read { try addresses($0) }
        #expect(before.count == 60)
        for (number, entry) in before.enumerated() {
            #expect(entry.key == Key(prefix: 7).u32(UInt32(number)).bytes)
            #expect(entry.bytes.allSatisfy { $0 == UInt8(number) })
            #expect(entry.isStable == (entry.bytes.count >= 3_000))
        }
        // Other keys come and go, and some of these are put again.
        var changed: Set<Int> = []
        for _ in 0..<30 {
            try environment.write { transaction in
                for _ in 0..<20 {
                    let key = Key(prefix: UInt8.random(in: 5...9, using: &numbers) | 8)
                        .u32(UInt32.random(in: 0..<500, using: &numbers))
                    try StoreModel.first.put(
                        key, [UInt8](repeating: 1, count: Int.random(in: 0..<5_000, using: &numbers)),
                        in: transaction)
                }
                let number = Int.random(in: 0..<60, using: &numbers)
                changed.insert(number)
                try StoreModel.first.put(
                    Key(prefix: 7).u32(UInt32(number)), before[number].bytes, in: transaction)
            }
        }
        let after = try environment.read { try addresses($0) }
        for (number, (old, new)) in zip(before, after).enumerated() {
            #expect(new.bytes == old.bytes)
            if old.isStable, !changed.contains(number) { #expect(new.address == old.address) }
        }
    }

    @Test func `belongs to a map that is another one when the file was opened anew`() throws {
        let file = CheckedHome.File()
        var environment = try StoreModel.open(file)
        let first = try environment.read { $0.map }
        let second = try environment.read { $0.map }
        #expect(second == first)
        try environment.write { transaction in
            let (map, isInsideWrite) = (transaction.snapshot.map, transaction.snapshot.isInsideWrite)
            #expect(map == first)
            #expect(isInsideWrite)
        }
        let isInsideWrite = try environment.read { $0.isInsideWrite }
        #expect(!isInsideWrite)
        environment.close()
        environment = try StoreModel.open(file)
        let later = try environment.read { $0.map }
        #expect(later != first)
        environment.close()
    }
}
