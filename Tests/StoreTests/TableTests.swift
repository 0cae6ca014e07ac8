import Store
import Testing

/// One step of a random life of a table.
private enum Change: Sendable {
    case put([UInt8], [UInt8])
    case remove([UInt8])
    case removePrefix([UInt8])
    case clear

    static func random(_ numbers: inout CheckedHome.Numbers) -> Change {
        let key = (0..<Int.random(in: 1...4, using: &numbers)).map { _ in
            UInt8.random(in: 0...9, using: &numbers) * 28
        }
        switch Int.random(in: 0..<200, using: &numbers) {
        case 0: return .clear
        case 1...4: return .removePrefix(Array(key.prefix(2)))
        case 5...60: return .remove(key)
        default:
            let longest = Int.random(in: 0..<20, using: &numbers) == 0 ? 20_000 : 200
            return .put(key, numbers.bytes(Int.random(in: 0...longest, using: &numbers)))
        }
    }

    /// Returns how many entries went, as the table counts them.
    func apply(to model: inout [[UInt8]: [UInt8]]) -> Int {
        let before = model.count
        switch self {
        case .put(let key, let value):
            model[key] = value
            return 0
        case .remove(let key): model[key] = nil
        case .removePrefix(let prefix): model = model.filter { !$0.key.starts(with: prefix) }
        case .clear:
            model = [:]
            return 0
        }
        return before - model.count
    }

    func apply(to table: Table, in transaction: borrowing WriteTransaction) throws -> Int {
        switch self {
        case .put(let key, let value): try table.put(Key(bytes: key), value, in: transaction)
        case .remove(let key): return try table.remove(Key(bytes: key), in: transaction) ? 1 : 0
        case .removePrefix(let prefix):
            return try table.removeAll(prefix: Key(bytes: prefix), in: transaction)
        case .clear: try table.clear(in: transaction)
        }
        return 0
    }
}

private struct Unwanted: Error {}

@Suite struct `A table` {
    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `agrees with a dictionary after every commit, and after reopening`(seed: UInt64) throws {
        var numbers = CheckedHome.Numbers(state: seed)
        let file = CheckedHome.File()
        var environment = try StoreModel.open(file)
        var models: [[[UInt8]: [UInt8]]] = [[:], [:]]
        for round in 0..<40 {
            let changes = (0..<Int.random(in: 1...40, using: &numbers)).map { _ in
                (Int.random(in: 0...1, using: &numbers), Change.random(&numbers))
            }
            let isAborted = round % 7 == 3
            var expected = models
            let counts = changes.map { $1.apply(to: &expected[$0]) }
            do {
                let removed = try environment.write { transaction in
                    var removed: [Int] = []
                    for (table, change) in changes {
                        removed.append(try change.apply(to: StoreModel.tables[table], in: transaction))
                    }
                    if isAborted { throw Unwanted() }
                    return removed
                }
                #expect(removed == counts)
                models = expected
            } catch is Unwanted {
                #expect(isAborted)
            }
            if round % 10 == 9 {
                environment.close()
                environment = try StoreModel.open(file)
            }
            for (table, model) in zip(StoreModel.tables, models) {
                #expect(try StoreModel.entries(table, in: environment) == model.entries, "round \(round)")
                #expect(try environment.read { try table.count(in: $0) } == model.count)
            }
        }
        environment.close()
        #expect(try FileCheck.full(path: file.path).problems == [])
    }

    @Test func `sees in a write what the same write has put`() throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file)
        defer { environment.close() }
        try environment.write { transaction in
            try StoreModel.put([1], at: 1, in: transaction)
            #expect(try StoreModel.value(1, in: transaction.snapshot) == [1])
            try StoreModel.put([2, 3], at: 1, in: transaction)
            #expect(try StoreModel.value(1, in: transaction.snapshot) == [2, 3])
            #expect(try StoreModel.first.remove(Key().u64(1), in: transaction))
            #expect(try StoreModel.value(1, in: transaction.snapshot) == nil)
            #expect(try !StoreModel.first.remove(Key().u64(1), in: transaction))
        }
    }

    @Test func `refuses keys that are empty or too long, and takes the longest`() throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file)
        defer { environment.close() }
        let longest = [UInt8](repeating: 7, count: Key.maximumByteCount)
        for key in [[], longest + [7]] {
            #expect(
                StoreModel.code {
                    try environment.write { try StoreModel.first.put(Key(bytes: key), [1], in: $0) }
                } == .invalid)
        }
        try environment.write { try StoreModel.first.put(Key(bytes: longest), [1], in: $0) }
        #expect(try environment.read { try StoreModel.first.get(Key(bytes: longest), in: $0)?.array } == [1])
    }

    @Test func `finds nothing under a key that is too long, and refuses to look for an empty one`() throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file)
        defer { environment.close() }
        let long = Key(bytes: [UInt8](repeating: 7, count: Key.maximumByteCount + 1))
        #expect(try environment.read { try StoreModel.first.get(long, in: $0)?.array } == nil)
        #expect(try environment.write { try StoreModel.first.remove(long, in: $0) } == false)
        #expect(
            StoreModel.code {
                _ = try environment.read { try StoreModel.first.get(Key(), in: $0)?.array }
            } == .invalid)
    }

    @Test(arguments: [0, 1, 2_000, 4_075, Table.pagePayloadByteCount, 4_077, 70_000])
    func `keeps a value of any length`(byteCount: Int) throws {
        let file = CheckedHome.File()
        var numbers = CheckedHome.Numbers(state: UInt64(byteCount))
        let bytes = numbers.bytes(byteCount)
        let environment = try StoreModel.open(file)
        defer { environment.close() }
        try environment.write { try StoreModel.put(bytes, at: 1, in: $0) }
        #expect(try StoreModel.value(1, in: environment) == bytes)
        let size = try environment.read { try StoreModel.first.size(in: $0) }
        #expect(size.overflowPageCount <= max(0, (byteCount + 4 + 16 + 4_095) / 4_096))
        #expect(byteCount > Table.pagePayloadByteCount || size.overflowPageCount <= 1)
    }

    @Test func `refuses a value whose bytes were changed in the file, by table and key`() throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file)
        try environment.write { transaction in
            for key in 0..<20 as Range<UInt64> {
                try StoreModel.put([UInt8](repeating: UInt8(key), count: 100), at: key, in: transaction)
            }
        }
        environment.close()
        var bytes = file.bytes
        let place = try #require(
            bytes.indices.first { bytes[$0...].starts(with: [UInt8](repeating: 9, count: 100)) })
        bytes[place + 50] ^= 4
        file.bytes = bytes
        #expect(try FileCheck.full(path: file.path).problems == [])

        let damaged = try StoreModel.open(file)
        defer { damaged.close() }
        let error = #expect(throws: StoreError.self) { _ = try StoreModel.value(9, in: damaged) }
        #expect(error?.code == .corrupted)
        #expect(error?.message.contains("`first`") == true)
        #expect(error?.message.contains("0000000000000009") == true)
        #expect(StoreModel.code { _ = try StoreModel.entries(StoreModel.first, in: damaged) } == .corrupted)
        #expect(try StoreModel.value(8, in: damaged) == [UInt8](repeating: 8, count: 100))
    }

    @Test func `refuses a good value that lies under another key`() throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file)
        try environment.write { transaction in
            try StoreModel.put([1, 1, 1, 1], at: 0x0101_0101, in: transaction)
        }
        environment.close()
        var bytes = file.bytes
        let key: [UInt8] = [0, 0, 0, 0, 1, 1, 1, 1]
        let places = bytes.indices.filter { bytes[$0...].starts(with: key) }
        #expect(!places.isEmpty)
        for place in places { bytes[place + 7] = 2 }
        file.bytes = bytes
        let damaged = try StoreModel.open(file)
        defer { damaged.close() }
        #expect(StoreModel.code { _ = try StoreModel.value(0x0101_0102, in: damaged) } == .corrupted)
    }

    @Test(arguments: [1, 2] as [UInt64])
    func `is copied whole into another file`(seed: UInt64) throws {
        var numbers = CheckedHome.Numbers(state: seed)
        let source = CheckedHome.File()
        let target = CheckedHome.File()
        let environment = try StoreModel.open(source)
        defer { environment.close() }
        for _ in 0..<3 {
            let values = (0..<200).map { _ in numbers.bytes(Int.random(in: 0...9_000, using: &numbers)) }
            try environment.write { transaction in
                for value in values { try StoreModel.put(value, at: numbers.next() % 1_000, in: transaction) }
            }
        }
        // More than a copy writes in one transaction.
        let huge = numbers.bytes(9 << 20)
        try environment.write { transaction in
            for key in 2_000..<2_003 as Range<UInt64> { try StoreModel.put(huge, at: key, in: transaction) }
        }
        let copy = try StoreModel.open(target)
        defer { copy.close() }
        let count = try environment.read {
            try StoreModel.first.copyAll(from: $0, to: copy, done: 5) { _ in }
        }
        let entries = try StoreModel.entries(StoreModel.first, in: environment)
        #expect(count == 5 + entries.count)
        #expect(try StoreModel.entries(StoreModel.first, in: copy) == entries)
    }
}
