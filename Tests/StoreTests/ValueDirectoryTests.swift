import CChecksum
import Testing

@testable import Store

@Suite struct `A directory of values` {
    private static let prefix = Key(prefix: 7)

    private func directory(
        below count: Int = 1_000, in transaction: borrowing ReadTransaction
    ) throws -> ValueDirectory {
        try ValueDirectory(StoreModel.first, prefix: Self.prefix, below: count, in: transaction)
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `agrees with a dictionary after every commit`(seed: UInt64) throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file)
        defer { environment.close() }
        var numbers = CheckedHome.Numbers(state: seed)
        var model: [UInt32: [UInt8]] = [:]
        for _ in 0..<12 {
            try environment.write { transaction in
                // Neighbors of the prefix are none of it.
                try StoreModel.first.put(Key(prefix: 6).u32(1), [1], in: transaction)
                try StoreModel.first.put(Key(prefix: 8).u32(1), [2], in: transaction)
                for _ in 0..<15 {
                    let number = UInt32.random(in: 0..<40, using: &numbers)
                    if model[number] != nil, Bool.random(using: &numbers) {
                        try StoreModel.first.remove(Self.prefix.u32(number), in: transaction)
                        model[number] = nil
                    } else {
                        let bytes = numbers.bytes(
                            [0, 5, 900, 4_032, 9_000].randomElement(using: &numbers) ?? 0)
                        try StoreModel.first.put(Self.prefix.u32(number), bytes, in: transaction)
                        model[number] = bytes
                    }
                }
            }
            let end = Int.random(in: 1...45, using: &numbers)
            try environment.read { transaction in
                let directory = try directory(below: end, in: transaction)
                // Twice, as the first time verifies.
                for number in [Int](0..<50) + [Int](0..<50) {
                    let bytes = try directory.value(number, in: transaction)?.array
                    #expect(bytes == (number < end ? model[UInt32(number)] : nil))
                }
                let last = model.keys.filter { $0 < end }.max()
                #expect(directory.endNumber == last.map { Int($0) + 1 } ?? 0)
            }
        }
    }

    @Test func `does not believe bytes under another key because they were right under their own`() throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file)
        defer { environment.close() }
        let (own, other) = (Self.prefix.u32(1), Self.prefix.u32(2))
        try environment.write { try StoreModel.first.put(own, [UInt8](repeating: 9, count: 4_000), in: $0) }
        try environment.read { transaction in
            guard let payload = try StoreModel.first.get(own, in: transaction) else {
                Issue.record("the value is not there")
                return
            }
            var refused: [Bool] = []
            // As when a damaged page leads from the other key to the same place.
            for key in [own, own, other, other, own] {
                do {
                    try payload.withUnsafeBytes { bytes in
                        let value = UnsafeRawBufferPointer(
                            start: bytes.baseAddress.map { $0 - Table.checksumByteCount },
                            count: bytes.count + Table.checksumByteCount)
                        try StoreModel.first.verifyOnce(
                            key.bytes.span.bytes, RawSpan(_unsafeBytes: value), map: transaction.map)
                    }
                    refused.append(false)
                } catch let error as StoreError {
                    refused.append(error.code == .corrupted)
                }
            }
            #expect(refused == [false, false, true, true, false])
        }
    }

    @Test func `finds damage when a value is read first, in each opening of the file`() throws {
        let file = CheckedHome.File()
        var environment = try StoreModel.open(file)
        try environment.write { transaction in
            for number in 0..<9 as Range<UInt32> {
                try StoreModel.first.put(
                    Self.prefix.u32(number), [UInt8](repeating: UInt8(number) + 100, count: 4_000),
                    in: transaction)
            }
        }
        // All are known to be right in this opening.
        try environment.read { transaction in
            let directory = try directory(in: transaction)
            for number in 0..<9 { #expect(try directory.value(number, in: transaction) != nil) }
        }
        environment.close()
        var bytes = file.bytes
        let run = [UInt8](repeating: 104, count: 400)
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: run) })
        bytes[place + 300] ^= 1
        file.bytes = bytes
        environment = try StoreModel.open(file)
        defer { environment.close() }
        try environment.read { transaction in
            let directory = try directory(in: transaction)
            for number in 0..<9 where number != 4 {
                #expect(try directory.value(number, in: transaction) != nil)
            }
            for _ in 0..<2 {
                var code: StoreError.Code?
                do { _ = try directory.value(4, in: transaction) } catch let error as StoreError {
                    code = error.code
                }
                #expect(code == .corrupted)
            }
        }
    }

    @Test func `takes a value for known by its place, its map and its checksum`() {
        let bytes: [UInt8] = [1, 2, 3]
        bytes.withUnsafeBytes { place in
            let map: UInt64 = 0xffff_ffff_0000_0001
            #expect(checksum_is_known(map, place.baseAddress, 5) == 0)
            checksum_note_known(map, place.baseAddress, 5)
            #expect(checksum_is_known(map, place.baseAddress, 5) == 1)
            #expect(checksum_is_known(map, place.baseAddress, 6) == 0)
            #expect(checksum_is_known(map + 1, place.baseAddress, 5) == 0)
            #expect(checksum_is_known(map, place.baseAddress.map { $0 + 1 }, 5) == 0)
        }
    }
}
