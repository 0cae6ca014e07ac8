import Store
import Testing

/// One thing made wrong by hand in a good file, and what the look over it must say.
private struct Wrong: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let message: String
    var hasLongFreeList = false
    let make: @Sendable (inout [UInt8], FileAnatomy) -> Void

    static func swap(_ bytes: inout [UInt8], _ first: Int, _ second: Int, count: Int) {
        for index in 0..<count { bytes.swapAt(first + index, second + index) }
    }

    static func copy(_ bytes: inout [UInt8], to target: Int, from source: Int, count: Int) {
        for index in 0..<count { bytes[target + index] = bytes[source + index] }
    }

    static func set(_ bytes: inout [UInt8], _ offset: Int, _ value: Int) {
        for index in 0..<8 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
    }

    static let all: [Wrong] = [
        Wrong(testDescription: "two nodes in each other's place", message: "out of order") { bytes, file in
            let leaf = file.leaves(of: "memory")[1]
            swap(&bytes, leaf.start + 16, leaf.start + 18, count: 2)
        },
        Wrong(testDescription: "a node twice", message: "lies or is built wrong") { bytes, file in
            let leaf = file.leaves(of: "memory")[1]
            copy(&bytes, to: leaf.start + 16, from: leaf.start + 18, count: 2)
        },
        Wrong(testDescription: "a node of most of a page", message: "lies or is built wrong") { bytes, file in
            let page = file.leaves(of: "memory")[1].start
            let upper = file.number(page + 14, 2)
            bytes[page + 12] = 18
            bytes[page + 13] = 0
            copy(&bytes, to: page + 16, from: page + 14, count: 2)
            // Eight bytes of header and eight of key; the value takes what is left.
            set(&bytes, page + upper, (CheckedHome.pageByteCount - upper - 16) | 8 << 48)
        },
        Wrong(testDescription: "bytes that no node has", message: "bytes of nodes in") { bytes, file in
            let leaf = file.leaves(of: "memory")[1]
            set(&bytes, leaf.start + 8, file.number(leaf.start + 8) - 2 << 48)
        },
        Wrong(testDescription: "two children in each other's place", message: "belongs to the page after it")
        {
            bytes, file in
            let branch = file.branches(of: "memory")[0]
            swap(&bytes, branch.nodes[0], branch.nodes[1], count: 6)
        },
        Wrong(
            testDescription: "a last key behind the next page's first",
            message: "belongs to the page after it"
        ) {
            bytes, file in bytes[file.leaves(of: "memory")[0].lastNode + 8] = 0xFF
        },
        Wrong(testDescription: "a first key before what leads to it", message: "out of order") {
            bytes, file in
            for index in 0..<8 { bytes[file.leaves(of: "memory")[1].nodes[0] + 8 + index] = 0 }
        },
        Wrong(testDescription: "one run for two values", message: "is used twice") { bytes, file in
            let nodes = file.leaves(of: "vectorSegment")[0].nodes.filter(file.isBig)
            copy(&bytes, to: file.data(of: nodes[1]), from: file.data(of: nodes[0]), count: 8)
        },
        Wrong(testDescription: "one tree for two tables", message: "is used twice") { bytes, file in
            copy(&bytes, to: file.record(of: "vectorSegment"), from: file.record(of: "memory"), count: 48)
        },
        Wrong(testDescription: "an entry too many in a table's record", message: "its record says") {
            bytes, file in
            bytes[file.record(of: "memory") + 32] ^= 1
        },
        Wrong(testDescription: "a flag in a table's record", message: "no table of ours has") { bytes, file in
            bytes[file.record(of: "memory") + 4] = 4
        },
        Wrong(testDescription: "a value longer than its run", message: "its value needs") { bytes, file in
            bytes[file.leaves(of: "vectorSegment")[0].nodes.filter(file.isBig)[0] + 2] = 1
        },
        Wrong(testDescription: "free pages in a wrong order", message: "behind page") { bytes, file in
            let node = file.leaves(of: nil)[0].nodes.filter { file.number(file.data(of: $0)) >= 2 }[0]
            swap(&bytes, file.data(of: node) + 8, file.data(of: node) + 16, count: 8)
        },
        Wrong(testDescription: "a page in use among the free", message: "which is in use") { bytes, file in
            let node = file.leaves(of: nil)[0].nodes[0]
            set(&bytes, file.data(of: node), 1)
            set(
                &bytes, file.data(of: node) + 8,
                file.leaves(of: "memory")[0].start / CheckedHome.pageByteCount)
        },
        Wrong(testDescription: "a page free twice", message: "twice", hasLongFreeList: true) { bytes, file in
            let nodes = file.leaves(of: nil)[0].nodes
            copy(&bytes, to: file.data(of: nodes[1]), from: file.data(of: nodes[0]), count: 16)
            set(&bytes, file.data(of: nodes[1]), 1)
        },
        Wrong(
            testDescription: "a page of the free list among the free", message: "the free list names it",
            hasLongFreeList: true
        ) { bytes, file in
            let leaves = file.leaves(of: nil)
            set(&bytes, file.data(of: leaves[0].nodes[0]), 1)
            set(&bytes, file.data(of: leaves[0].nodes[0]) + 8, leaves[1].start / CheckedHome.pageByteCount)
        },
        Wrong(testDescription: "more free pages than the record holds", message: "says that it has") {
            bytes, file in
            let node = file.leaves(of: nil)[0].nodes[0]
            set(&bytes, file.data(of: node), file.number(node, 4) / 8)
        },
        Wrong(testDescription: "a free list of the future", message: "it has a record of transaction") {
            bytes, file in
            bytes[file.leaves(of: nil)[0].lastNode + 8] += 1
        },
        Wrong(
            testDescription: "the older meta page as the newest", message: "its last record is of transaction"
        ) {
            bytes, file in
            set(&bytes, file.olderMeta + 144, file.number(file.newestMeta + 144) + 1)
        },
        Wrong(testDescription: "meta pages with each other's number", message: "belongs to the other") {
            bytes, file in swap(&bytes, 144, CheckedHome.pageByteCount + 144, count: 8)
        },
        Wrong(testDescription: "meta pages of commits far apart", message: "not of two that follow") {
            bytes, file in
            set(&bytes, file.newestMeta + 144, file.number(file.newestMeta + 144) + 2)
        },
    ]
}

@Suite struct `A look over a damaged file` {
    @Test(arguments: Wrong.all)
    private func `says what is wrong`(wrong: Wrong) throws {
        let file = CheckedHome.File()
        var bytes =
            try wrong.hasLongFreeList ? CheckedHome.makeLongFreeList(file) : CheckedHome.makeDamageable(file)
        wrong.make(&bytes, FileAnatomy(bytes))
        file.bytes = bytes
        let problems = try FileCheck.full(path: file.path).problems
        #expect(problems.contains { $0.contains(wrong.message) }, "\(problems)")
    }

    @Test(arguments: [1, 2, 3, 4])
    func `reports every damage to what LMDB believes`(seed: UInt64) throws {
        let file = CheckedHome.File()
        let original = try CheckedHome.makeDamageable(file)
        let anatomy = FileAnatomy(original)
        let neededByteCount = (anatomy.lastReachedPage + 1) * CheckedHome.pageByteCount
        var numbers = CheckedHome.Numbers(state: seed)
        var reportedCount = 0
        for round in 0..<500 {
            let (damaged, touched) = damage(original, round, &numbers)
            file.replace(damaged[touched], at: touched.lowerBound, endingAt: damaged.count)
            let quick = try FileCheck.quick(path: file.path)
            let report = try FileCheck.full(path: file.path)
            let isReported = !report.problems.isEmpty || report.lost > 0
            let isCut = damaged.count < neededByteCount
            let isDamaged = touched.contains { anatomy.isStructure[$0] && damaged[$0] != original[$0] }
            #expect(
                isReported || !(isCut || isDamaged), "round \(round), bytes \(touched) of \(damaged.count)")
            #expect(!isCut || !quick.isEmpty, "round \(round)")
            // Opening refuses nothing that a whole walk finds clean.
            #expect(quick.isEmpty || !report.problems.isEmpty, "round \(round): \(quick)")
            reportedCount += isReported ? 1 : 0
            let repaired = touched.isEmpty ? damaged.count..<original.count : touched
            file.replace(original[repaired], at: repaired.lowerBound, endingAt: original.count)
        }
        #expect(reportedCount > 150 && reportedCount < 500)
        #expect(try FileCheck.full(path: file.path).problems == [])
    }

    @Test func `refuses each flipped bit of a meta page before LMDB opens the file`() throws {
        let file = CheckedHome.File()
        let original = try CheckedHome.makeDamageable(file)
        let newest = FileAnatomy(original).newestMeta
        // Number, flags, magic number, version, page size and transaction of both pages; depth and root of
        // the newest one's trees.
        let both = [0..<8, 10..<12, 16..<24, 40..<44, 144..<152].joined()
            .flatMap { [$0, $0 + CheckedHome.pageByteCount] }
        let roots = [46..<48, 80..<88, 94..<96, 128..<136].joined().map { $0 + newest }
        for offset in both + roots {
            for bit in 0..<8 {
                let damaged = original[offset] ^ (1 << UInt8(bit))
                file.replace([damaged], at: offset, endingAt: original.count)
                #expect(try !FileCheck.quick(path: file.path).isEmpty, "bit \(bit) of byte \(offset)")
            }
            file.replace(original[offset...offset], at: offset, endingAt: original.count)
        }
        #expect(try FileCheck.quick(path: file.path) == [])
    }

    @Test(arguments: [1, 2, 3])
    func `reports random bytes, behind good meta pages too`(seed: UInt64) throws {
        let file = CheckedHome.File()
        let original = try CheckedHome.makeDamageable(file)
        var numbers = CheckedHome.Numbers(state: seed)
        for round in 0..<60 {
            var bytes = numbers.bytes(Int.random(in: 1...20_000, using: &numbers))
            if round % 2 == 1 { bytes = Array(original[..<(2 * CheckedHome.pageByteCount)]) + bytes }
            file.bytes = bytes
            #expect(try !FileCheck.quick(path: file.path).isEmpty)
            #expect(try !FileCheck.full(path: file.path).problems.isEmpty)
        }
    }

    /// One of five kinds of damage, by `round`; with the bytes that may have changed.
    private func damage(
        _ original: [UInt8], _ round: Int, _ numbers: inout CheckedHome.Numbers
    ) -> ([UInt8], Range<Int>) {
        let size = CheckedHome.pageByteCount
        var damaged = original
        switch round % 5 {
        case 0:
            damaged.removeLast(Int.random(in: 1...original.count, using: &numbers))
            return (damaged, 0..<0)
        case 1, 2:
            // One bit anywhere, or at the beginning of a page.
            var offset = Int.random(in: 0..<original.count, using: &numbers)
            if round % 5 == 2 { offset = offset / size * size + offset % 64 }
            damaged[offset] ^= 1 << UInt8.random(in: 0..<8, using: &numbers)
            return (damaged, offset..<offset + 1)
        case 3:
            let start = Int.random(in: 0...original.count - 64, using: &numbers)
            damaged.replaceSubrange(start..<start + 64, with: numbers.bytes(64))
            return (damaged, start..<start + 64)
        default:
            // One page over another.
            let page = Int.random(in: 0..<original.count / size, using: &numbers) * size
            let other = Int.random(in: 0..<original.count / size, using: &numbers) * size
            damaged.replaceSubrange(page..<page + size, with: original[other..<other + size])
            return (damaged, page..<page + size)
        }
    }
}
