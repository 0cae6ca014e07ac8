import HNSW
import Store
import Testing

@Suite struct `A damaged index` {
    /// Replaces payloads of pages of links; the table puts checksums that agree.
    private func damage(
        _ rows: IndexedRows, _ random: inout SplitMix, _ change: (inout [UInt8], inout SplitMix) -> Void
    ) throws {
        var pages: [(Key, [UInt8])] = []
        try rows.environment.read { transaction in
            try IndexedRows.links.scan(prefix: Key(), in: transaction) { key, value in
                if key.byteCount == 7, key.u8(at: 0) > 1 {
                    pages.append((Key(bytes: key.array), value.array))
                }
                return true
            }
        }
        for index in pages.indices { change(&pages[index].1, &random) }
        try rows.environment.write { transaction in
            for (key, payload) in pages { try IndexedRows.links.put(key, payload, in: transaction) }
        }
        // Whoever else had the file open would see another generation; here the file is opened anew.
        try rows.reopen()
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `is reported, and ends no search`(seed: UInt64) throws {
        let rows = try IndexedRows("damaged", seed: seed)
        try rows.append(150)
        try rows.fold()
        try rows.work()
        #expect(try rows.validate() == [])
        var random = SplitMix(seed: seed)
        try damage(rows, &random) { bytes, random in
            for _ in 0..<random.number(1..<40) {
                // Lists begin 44 bytes into a page.
                let place = 44 + 4 * random.number(0..<(bytes.count - 44) / 4)
                let entry: UInt32 =
                    switch random.number(0..<4) {
                    case 0: UInt32.max
                    case 1: UInt32(random.number(0..<200))
                    case 2: UInt32(random.number(0..<200)) | 0x8000_0000
                    default: UInt32(truncatingIfNeeded: random.next())
                    }
                for byte in 0..<4 {
                    bytes[place + byte] = UInt8(truncatingIfNeeded: entry >> (8 * UInt32(byte)))
                }
            }
        }
        #expect(try !rows.validate().isEmpty)
        for ef in [1, 10, 400] {
            let result = try rows.search(rows.randomVector(), ef: ef)
            for neighbor in result.neighbors { #expect(Int(neighbor.slot) < rows.model.count) }
            _ = try rows.search(rows.randomVector(), ef: ef, filter: rows.filter(Array(0..<120)))
        }
        // The author meets the damage too: it goes on or gives up with an error.
        try rows.erase([3, 40, 77])
        try rows.append(60)
        try rows.fold()
        for _ in 0..<20 {
            do {
                guard let batch = try rows.prepare() else { break }
                _ = try rows.commit(batch)
            } catch let error as StoreError {
                #expect(error.code == .corrupted)
                break
            }
        }
        // Dropping it and linking anew heals it.
        try rows.environment.write { try rows.index.drop(in: $0) }
        try rows.work()
        #expect(try rows.validate() == [])
        try rows.expectComplete()
    }

    @Test func `without one of its pages is reported, by searches too`() throws {
        let rows = try IndexedRows("missing", seed: 31)
        try rows.append(150)
        try rows.fold()
        try rows.work()
        try rows.environment.write { transaction in
            _ = try IndexedRows.links.remove(Key(prefix: 2).u16(5).u32(0), in: transaction)
        }
        try rows.reopen()
        #expect(try !rows.validate().isEmpty)
        #expect(throws: StoreError.self) { try rows.search(rows.randomVector()) }
    }

    @Test func `whose record is none is reported`() throws {
        let rows = try IndexedRows("record", seed: 32)
        try rows.append(60)
        try rows.fold()
        try rows.work()
        try rows.environment.write { transaction in
            try IndexedRows.links.put(Key(prefix: 1).u16(5), [1, 2, 3], in: transaction)
        }
        #expect(try !rows.validate().isEmpty)
        #expect(throws: StoreError.self) { try rows.search(rows.randomVector()) }
        try rows.environment.write { transaction in
            _ = try IndexedRows.links.remove(Key(prefix: 1).u16(5), in: transaction)
        }
        #expect(try !rows.validate().isEmpty)
    }

    @Test func `whose counts are wrong is reported`() throws {
        let rows = try IndexedRows("counts", seed: 33)
        try rows.append(60)
        try rows.fold()
        try rows.work()
        let right = try #require(try rows.state())
        for change in [
            { (state: inout IndexState) in state.nodeCount -= 1 }, { $0.topLevel += 1 },
            { $0.notedCount = 1 },
            { $0.entryPoint = ($0.entryPoint + 1) % $0.linkedSlots }, { $0.linkedSlots -= 1 },
            { $0.linkedSlots += 64 },
        ] {
            var wrong = right
            change(&wrong)
            try rows.environment.write {
                try IndexedRows.links.put(Key(prefix: 1).u16(5), wrong.encode(), in: $0)
            }
            #expect(try !rows.validate().isEmpty, "\(wrong)")
        }
    }
}
