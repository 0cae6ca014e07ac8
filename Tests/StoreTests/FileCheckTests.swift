import Store
import Testing

/// Ways a file may have come to be.
private enum Shape: String, CaseIterable, CustomTestStringConvertible {
    case untouched
    case oneKey
    case manyKeys
    case longKeys
    case bigValues
    case deletions
    case emptied
    case longFreeList

    var testDescription: String { rawValue }

    func make(_ file: CheckedHome.File) throws -> Environment {
        var numbers = CheckedHome.Numbers(state: 1)
        switch self {
        case .untouched: return try CheckedHome.make(file, steps: [])
        case .oneKey: return try CheckedHome.make(file, steps: [CheckedHome.putting(0..<1, [1, 2])])
        case .manyKeys:
            let value = numbers.bytes(30)
            return try CheckedHome.make(file, steps: [CheckedHome.putting(0..<50_000, value)])
        case .longKeys:
            let keys = (0..<900).map { _ in
                Key(bytes: numbers.bytes(Int.random(in: 1...511, using: &numbers)))
            }
            return try CheckedHome.make(
                file,
                steps: [
                    { transaction in
                        for key in keys { try CheckedHome.tables[1].put(key, [1], in: transaction) }
                    }
                ])
        case .bigValues:
            // With the checksum of four bytes: one page exactly, two pages, and runs of all lengths.
            let sizes = [4_076, 4_077, 8_172, 8_173, 200_000, 2_018, 2_019, 0]
            let steps = sizes.enumerated().map { index, size in
                CheckedHome.putting(index * 7..<index * 7 + 10, numbers.bytes(size), into: 2)
            }
            return try CheckedHome.make(file, steps: steps)
        case .deletions, .emptied:
            var steps = [
                CheckedHome.putting(0..<4_000, numbers.bytes(200)),
                CheckedHome.putting(0..<9, numbers.bytes(9_000), into: 1),
            ]
            for _ in 0..<(self == .emptied ? 1 : 20) {
                let all = Array(0..<4_000)
                let keys =
                    self == .emptied ? all : (0..<120).map { _ in Int.random(in: 0..<4_000, using: &numbers) }
                steps.append { transaction in
                    for key in keys {
                        try CheckedHome.tables[0].remove(Key().u64(UInt64(key)), in: transaction)
                    }
                }
            }
            if self == .emptied { steps.append { try CheckedHome.tables[1].clear(in: $0) } }
            return try CheckedHome.make(file, steps: steps)
        case .longFreeList:
            _ = try CheckedHome.makeLongFreeList(file)
            return try CheckedHome.make(file, steps: [CheckedHome.putting(0..<5, [3])])
        }
    }
}

@Suite struct `A look over a file` {
    @Test(arguments: Shape.allCases)
    private func `finds a clean one clean, and counts as LMDB does`(shape: Shape) throws {
        let file = CheckedHome.File()
        let environment = try shape.make(file)
        defer { environment.close() }
        #expect(try FileCheck.quick(path: file.path) == [])
        let report = try FileCheck.full(path: file.path)
        #expect(report.problems == [])
        let information = try environment.information()
        #expect(report.pageByteCount == information.pageByteCount)
        #expect(report.pageCount == information.lastPage + 1)
        #expect(report.lastTransaction == information.lastCommit)
        #expect(report.free == information.freePageCount)
        #expect(report.lost == 0)
        #expect(report.reachable + report.free + 2 == report.pageCount)
        #expect(report.main.entries == CheckedHome.tables.count)
        #expect(report.tables.count == CheckedHome.tables.count)
        var pageCount = report.main.pageCount + report.freeList.pageCount
        for table in CheckedHome.tables {
            let size = try environment.read { try table.size(in: $0) }
            let expected = FileCheck.TableCounts(
                entries: size.entryCount, branchPages: size.branchPageCount, leafPages: size.leafPageCount,
                overflowPages: size.overflowPageCount, depth: size.depth)
            #expect(report.tables[table.name] == expected)
            pageCount += size.pageCount
        }
        #expect(report.reachable == pageCount)
    }

    @Test func `finds it clean after each of many commits`() throws {
        let file = CheckedHome.File()
        let environment = try CheckedHome.make(file, steps: [])
        defer { environment.close() }
        var numbers = CheckedHome.Numbers(state: 5)
        for _ in 0..<60 {
            try environment.write { transaction in
                for _ in 0..<Int.random(in: 1...60, using: &numbers) {
                    let table = CheckedHome.tables[Int.random(in: 0..<3, using: &numbers)]
                    let key = Key().u64(UInt64.random(in: 0..<900, using: &numbers))
                    let isBig = Int.random(in: 0..<9, using: &numbers) == 0
                    let size = Int.random(in: 0...(isBig ? 9_000 : 400), using: &numbers)
                    if Bool.random(using: &numbers) {
                        try table.remove(key, in: transaction)
                    } else {
                        try table.put(key, [UInt8](repeating: 7, count: size), in: transaction)
                    }
                }
            }
            #expect(try FileCheck.quick(path: file.path) == [])
            #expect(try FileCheck.full(path: file.path).problems == [])
        }
    }

    @Test func `says nothing of bytes that are not in use`() throws {
        let file = CheckedHome.File()
        let original = try CheckedHome.makeDamageable(file)
        let size = CheckedHome.pageByteCount
        var damaged = original
        var numbers = CheckedHome.Numbers(state: 3)
        let freePages = Set(2..<original.count / size).subtracting(FileAnatomy(original).reachedPages)
        #expect(!freePages.isEmpty)
        for page in freePages {
            damaged.replaceSubrange(page * size..<(page + 1) * size, with: numbers.bytes(size))
        }
        file.bytes = damaged + numbers.bytes(5_000)
        #expect(try FileCheck.full(path: file.path).problems == [])
        #expect(try FileCheck.quick(path: file.path) == [])
    }

    @Test func `lets a file end before free pages, and not before others`() throws {
        let file = CheckedHome.File()
        let big = CheckedHome.putting(0..<20, [UInt8](repeating: 1, count: 30_000), into: 2)
        // The commits after it use the first of the pages that it frees, not the last.
        let small = CheckedHome.putting(0..<1, [1])
        let steps: [CheckedHome.Step] = [
            big, { try CheckedHome.tables[2].clear(in: $0) }, small, small, small, small,
        ]
        try CheckedHome.make(file, steps: steps).close()
        let original = file.bytes
        let neededByteCount = (FileAnatomy(original).lastReachedPage + 1) * CheckedHome.pageByteCount
        #expect(neededByteCount < original.count)
        file.bytes = Array(original[..<neededByteCount])
        #expect(try FileCheck.quick(path: file.path) == [])
        let report = try FileCheck.full(path: file.path)
        #expect(report.problems == [])
        #expect(report.pageCount > report.fileByteCount / report.pageByteCount)
        file.bytes = Array(original[..<(neededByteCount - 1)])
        #expect(try !FileCheck.quick(path: file.path).isEmpty)
        #expect(try !FileCheck.full(path: file.path).problems.isEmpty)
    }

    @Test func `misses the end of a long value that the file was cut before`() throws {
        let file = CheckedHome.File()
        let small = CheckedHome.putting(0..<1, [1])
        let big = CheckedHome.putting(0..<1, [UInt8](repeating: 1, count: 30_000), into: 2)
        try CheckedHome.make(file, steps: [small, small, small, small, big]).close()
        let original = file.bytes
        let anatomy = FileAnatomy(original)
        #expect(anatomy.leaves(of: "vectorSegment")[0].start < original.count - 8 * CheckedHome.pageByteCount)
        file.bytes = Array(original.dropLast(CheckedHome.pageByteCount))
        #expect(
            try FileCheck.full(path: file.path).problems.contains {
                $0.contains("beyond the end of the file")
            })
        #expect(try FileCheck.quick(path: file.path).contains { $0.contains("beyond the end of the file") })
    }

    @Test func `tells pages that nobody uses from damage`() throws {
        let file = CheckedHome.File()
        var bytes = try CheckedHome.makeDamageable(file)
        #expect(try FileCheck.full(path: file.path).lost == 0)
        // One more page at the end, of which neither a tree nor the free list knows.
        bytes[FileAnatomy(bytes).newestMeta + 136] += 1
        bytes += [UInt8](repeating: 0, count: CheckedHome.pageByteCount)
        file.bytes = bytes
        let report = try FileCheck.full(path: file.path)
        #expect(report.problems == [] && report.lost == 1)
        #expect(try FileCheck.quick(path: file.path) == [])
    }

    @Test func `stops at the number of problems that the caller wants, and tells its progress`() throws {
        let file = CheckedHome.File()
        let original = try CheckedHome.makeDamageable(file)
        let pageCount = original.count / CheckedHome.pageByteCount
        var calls: [(Int, Int)] = []
        _ = try FileCheck.full(path: file.path) { calls.append(($0, $1)) }
        #expect(calls.last?.0 == pageCount)
        #expect(calls.allSatisfy { $0.0 <= $0.1 && $0.1 == pageCount })
        var damaged = original
        for leaf in FileAnatomy(original).leaves(of: "memory") { damaged[leaf.start] ^= 1 }
        file.bytes = damaged
        let all = try FileCheck.full(path: file.path).problems
        #expect(all.count > 3)
        #expect(try FileCheck.full(path: file.path, maximumProblems: 3).problems == Array(all.prefix(3)))
    }

    @Test func `tells a missing file, an empty one and what is not a file apart`() throws {
        let file = CheckedHome.File()
        #expect { try FileCheck.quick(path: file.path) } throws: { ($0 as? StoreError)?.code == .missing }
        #expect { try FileCheck.full(path: file.path) } throws: { ($0 as? StoreError)?.code == .missing }
        #expect { try FileCheck.quick(path: "/tmp") } throws: { ($0 as? StoreError)?.code == .foreign }
        file.bytes = []
        #expect(try FileCheck.quick(path: file.path) == ["the file is empty"])
        #expect(try FileCheck.full(path: file.path).problems == ["the file is empty"])
    }
}
