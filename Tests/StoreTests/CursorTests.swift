import Store
import Testing

@Suite struct `A cursor` {
    /// A table of random keys, and the same keys sorted.
    private func make(_ seed: UInt64, _ file: CheckedHome.File) throws -> (Environment, [[UInt8]]) {
        var numbers = CheckedHome.Numbers(state: seed)
        var keys = Set<[UInt8]>()
        for _ in 0..<Int.random(in: 0...600, using: &numbers) { keys.insert(Self.key(&numbers)) }
        let sorted = keys.sorted { $0.lexicographicallyPrecedes($1) }
        let environment = try StoreModel.open(file)
        try environment.write { transaction in
            for key in keys { try StoreModel.first.put(Key(bytes: key), key + [1], in: transaction) }
        }
        return (environment, sorted)
    }

    /// Keys with many prefixes in common, with bytes at both ends of the range among them.
    private static func key(_ numbers: inout CheckedHome.Numbers) -> [UInt8] {
        let bytes: [UInt8] = [0, 1, 127, 254, 255]
        return (0..<Int.random(in: 1...6, using: &numbers)).map { _ in
            bytes[Int.random(in: bytes.indices, using: &numbers)]
        }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `walks forwards and backwards in the order of keys`(seed: UInt64) throws {
        let file = CheckedHome.File()
        let (environment, keys) = try make(seed, file)
        defer { environment.close() }
        let (forwards, backwards) = try environment.read { transaction in
            try StoreModel.first.withCursor(in: transaction) { cursor in
                var forwards: [[UInt8]] = []
                var isThere = try cursor.seek(Key())
                while isThere {
                    try cursor.verify()
                    #expect(cursor.unverifiedValue.array == cursor.key.array + [1])
                    forwards.append(cursor.key.array)
                    isThere = try cursor.next()
                }
                var backwards: [[UInt8]] = []
                isThere = try cursor.last()
                while isThere {
                    backwards.append(cursor.key.array)
                    isThere = try cursor.previous()
                }
                return (forwards, backwards)
            }
        }
        #expect(forwards == keys)
        #expect(backwards == keys.reversed())
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `finds the first key that is not below another`(seed: UInt64) throws {
        let file = CheckedHome.File()
        let (environment, keys) = try make(seed, file)
        defer { environment.close() }
        var numbers = CheckedHome.Numbers(state: seed &+ 99)
        for _ in 0..<200 {
            let sought = Self.key(&numbers)
            let found = try environment.read { transaction in
                try StoreModel.first.withCursor(in: transaction) { cursor in
                    try cursor.seek(Key(bytes: sought)) ? cursor.key.array : nil
                }
            }
            #expect(found == keys.first { !$0.lexicographicallyPrecedes(sought) })
        }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `lends what begins with a prefix, from either end and from any key on`(seed: UInt64) throws {
        let file = CheckedHome.File()
        let (environment, keys) = try make(seed, file)
        defer { environment.close() }
        var numbers = CheckedHome.Numbers(state: seed &+ 7)
        for round in 0..<100 {
            let prefix =
                round < 4 ? [UInt8](repeating: 255, count: round) : Self.key(&numbers).prefix(3).map { $0 }
            let bound = prefix + Self.key(&numbers)
            let limit = Int.random(in: 1...40, using: &numbers)
            let group = keys.filter { $0.starts(with: prefix) }
            let below = group.filter { $0.lexicographicallyPrecedes(bound) }
            #expect(try scan(prefix, nil, .max, in: environment) == group)
            #expect(try scan(prefix, nil, limit, in: environment) == Array(group.prefix(limit)))
            #expect(try scan(prefix, bound, .max, in: environment) == Array(group.dropFirst(below.count)))
            #expect(try scanBackwards(prefix, nil, .max, in: environment) == group.reversed())
            #expect(try scanBackwards(prefix, bound, .max, in: environment) == below.reversed())
            #expect(
                try scanBackwards(prefix, bound, limit, in: environment)
                    == below.reversed().prefix(limit).map { $0 })
        }
    }

    private func scan(
        _ prefix: [UInt8], _ start: [UInt8]?, _ limit: Int, in environment: Environment
    ) throws -> [[UInt8]] {
        try environment.read { transaction in
            var found: [[UInt8]] = []
            try StoreModel.first.scan(
                prefix: Key(bytes: prefix), from: start.map { Key(bytes: $0) }, in: transaction
            ) { key, _ in
                found.append(key.array)
                return found.count < limit
            }
            return found
        }
    }

    private func scanBackwards(
        _ prefix: [UInt8], _ end: [UInt8]?, _ limit: Int, in environment: Environment
    ) throws -> [[UInt8]] {
        try environment.read { transaction in
            var found: [[UInt8]] = []
            try StoreModel.first.scanBackwards(
                prefix: Key(bytes: prefix), below: end.map { Key(bytes: $0) }, in: transaction
            ) { key, _ in
                found.append(key.array)
                return found.count < limit
            }
            return found
        }
    }

    @Test func `knows the least key above all that begin alike`() {
        #expect(Key(bytes: [1, 2]).successor?.bytes == [1, 3])
        #expect(Key(bytes: [1, 255, 255]).successor?.bytes == [2])
        #expect(Key(bytes: [255, 255]).successor == nil)
        #expect(Key().successor == nil)
    }
}
