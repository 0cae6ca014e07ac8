import Dispatch
import Glibc
import Store
import Testing

@Suite struct `An environment` {
    @Test func `lends a snapshot that later commits do not change`() throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file)
        defer { environment.close() }
        try environment.write { try StoreModel.put([1], at: 1, in: $0) }
        try environment.read { transaction in
            let commit = transaction.commit
            try environment.write { transaction in
                try StoreModel.put([2], at: 1, in: transaction)
                try StoreModel.put([3], at: 2, in: transaction)
            }
            #expect(try StoreModel.value(1, in: environment) == [2])
            #expect(try StoreModel.value(1, in: transaction) == [1])
            #expect(try StoreModel.value(2, in: transaction) == nil)
            #expect(transaction.commit == commit)
            #expect(try environment.read { $0.commit } == commit + 1)
        }
        #expect(try environment.read { try StoreModel.value(2, in: $0) } == [3])
    }

    @Test func `has its file of locks on the disk, as one that is mapped cannot be refused room`() throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file)
        defer { environment.close() }
        var status = stat()
        #expect(stat(file.path + "-lock", &status) == 0)
        #expect(status.st_size > 0 && status.st_blocks * 512 >= status.st_size, "\(status.st_blocks)")
    }

    @Test func `serves many readers while it is written to, each one commit whole`() throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file)
        defer { environment.close() }
        let failures = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 8) { worker in
            do {
                for round in 0..<150 as Range<UInt64> {
                    if worker == 0 {
                        try environment.write { transaction in
                            for key in 0..<20 as Range<UInt64> {
                                try StoreModel.put([UInt8(round)], at: key, in: transaction)
                            }
                        }
                        continue
                    }
                    let values = try environment.read { try StoreModel.entries(StoreModel.first, in: $0) }
                    if Set(values.map(\.value)).count > 1 { failures.withLock { $0.append("\(values)") } }
                }
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
        }
        #expect(failures.withLock { $0 } == [])
        #expect(try environment.information().readerCount <= 64)
    }

    @Test func `says when too many snapshots are held, and goes on afterwards`() throws {
        let file = CheckedHome.File()
        var options = Environment.Options()
        options.maximumReaders = 4
        options.durability = .none
        let environment = try Environment.open(path: file.path, tables: StoreModel.tables, options: options)
        defer { environment.close() }
        func nest(_ depth: Int) throws -> Int {
            depth == 0 ? 0 : try environment.read { _ in try nest(depth - 1) + 1 }
        }
        #expect(StoreModel.code { _ = try nest(200) } == .tooManyReaders)
        #expect(try nest(3) == 3)
    }

    @Test func `is shared by all who open its file, and closed by the last`() throws {
        let file = CheckedHome.File()
        let first = try StoreModel.open(file)
        let second = try Environment.open(path: "/tmp/../" + file.path, tables: StoreModel.tables)
        #expect(first === second)
        try first.write { try StoreModel.put([1], at: 1, in: $0) }
        first.close()
        #expect(Environment.isOpen(path: file.path))
        #expect(try StoreModel.value(1, in: second) == [1])
        second.close()
        #expect(!Environment.isOpen(path: file.path))
        #expect(StoreModel.code { _ = try StoreModel.value(1, in: second) } == .io)
        #expect(StoreModel.code { try second.write { try StoreModel.put([1], at: 1, in: $0) } } == .io)
    }

    @Test func `that reads only refuses to write, and finds no file where there is none`() throws {
        let file = CheckedHome.File()
        #expect(StoreModel.code { _ = try StoreModel.open(file, isReadOnly: true) } == .missing)
        #expect(fileSize(file.path) == nil)
        try StoreModel.open(file).close()
        let environment = try StoreModel.open(file, isReadOnly: true)
        defer { environment.close() }
        #expect(
            StoreModel.code { try environment.write { try StoreModel.put([1], at: 1, in: $0) } } == .readOnly)
        // Whoever would write cannot share it.
        #expect(StoreModel.code { _ = try StoreModel.open(file) } == .readOnly)
    }

    @Test func `refuses what is no file of ours`() throws {
        let file = CheckedHome.File()
        file.bytes = Array("These are the words of a person, and no pages.\n".utf8)
        #expect(StoreModel.code { _ = try StoreModel.open(file) } == .corrupted)
        file.bytes = [UInt8](repeating: 0, count: 1 << 16)
        #expect(StoreModel.code { _ = try StoreModel.open(file) } == .corrupted)
        #expect(file.bytes.elementsEqual(repeatElement(0, count: 1 << 16)))
    }

    @Test func `refuses a file that lacks a table, by its name`() throws {
        let file = CheckedHome.File()
        try Environment.open(path: file.path, tables: [StoreModel.second]).close()
        let error = #expect(throws: StoreError.self) { _ = try StoreModel.open(file) }
        #expect(error?.code == .corrupted)
        #expect(error?.message.contains("`first`") == true)
    }

    @Test func `leaves a file of another program as it is`() throws {
        let file = CheckedHome.File()
        let theirs = [Table(name: "theirs", index: 0)]
        let environment = try Environment.open(path: file.path, tables: theirs)
        try environment.write { try theirs[0].put(Key().u8(1), [1], in: $0) }
        environment.close()
        let bytes = file.bytes
        #expect(StoreModel.code { _ = try StoreModel.open(file, isReadOnly: true) } == .foreign)
        #expect(StoreModel.code { _ = try StoreModel.open(file) } == .foreign)
        #expect(file.bytes.elementsEqual(bytes))
    }

    @Test func `refuses a file that is shorter than its pages`() throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file)
        try environment.write { transaction in
            for key in 0..<200 as Range<UInt64> {
                try StoreModel.put([UInt8](repeating: 1, count: 3_000), at: key, in: transaction)
            }
        }
        environment.close()
        let bytes = file.bytes
        file.bytes = Array(bytes.dropLast(300_000))
        #expect(StoreModel.code { _ = try StoreModel.open(file) } == .corrupted)
        file.bytes = bytes
        try StoreModel.open(file).close()
    }

    @Test(arguments: Durability.allCases)
    func `keeps what was committed, however it is synced`(durability: Durability) throws {
        let file = CheckedHome.File()
        for round in 1...3 as ClosedRange<UInt64> {
            let environment = try StoreModel.open(file, durability: durability)
            try environment.write { try StoreModel.put([UInt8(round)], at: round, in: $0) }
            try environment.sync()
            environment.close()
        }
        let environment = try StoreModel.open(file)
        defer { environment.close() }
        for round in 1...3 as ClosedRange<UInt64> {
            #expect(try StoreModel.value(round, in: environment) == [UInt8(round)])
        }
    }

    @Test func `says that the quota is reached, and stays usable`() throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file, quota: 1 << 20)
        var stored: UInt64 = 0
        let code = StoreModel.code {
            while stored < 10_000 {
                let first = stored
                try environment.write { transaction in
                    for key in first..<first + 20 {
                        try StoreModel.put([UInt8](repeating: 5, count: 3_000), at: key, in: transaction)
                    }
                }
                stored += 20
            }
        }
        #expect(code == .full)
        #expect(stored > 100)
        #expect(try StoreModel.entries(StoreModel.first, in: environment).count == Int(stored))
        // A small write finds room, and so does a large one where others were removed.
        try environment.write { try StoreModel.put([1], at: 0, in: $0) }
        try environment.write { transaction in
            for key in 1...40 as ClosedRange<UInt64> {
                try StoreModel.first.remove(Key().u64(key), in: transaction)
            }
        }
        try environment.write { try StoreModel.put([1], at: 1, in: $0) }
        try environment.write { transaction in
            for key in 20_000..<20_020 as Range<UInt64> {
                try StoreModel.put([UInt8](repeating: 6, count: 3_000), at: key, in: transaction)
            }
        }
        environment.close()
        #expect(try FileCheck.full(path: file.path).problems == [])
        let larger = try StoreModel.open(file, quota: 1 << 24)
        defer { larger.close() }
        try larger.write { transaction in
            for key in 30_000..<30_500 as Range<UInt64> {
                try StoreModel.put([UInt8](repeating: 7, count: 3_000), at: key, in: transaction)
            }
        }
        #expect(try StoreModel.entries(StoreModel.first, in: larger).count == Int(stored) - 39 + 520)
    }

    @Test func `opens itself again when the meta page could not be written`() throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file, durability: .commit)
        try environment.write { try StoreModel.put([1], at: 1, in: $0) }
        for round in 1...3 {
            // From now on the descriptor that LMDB writes the meta page with takes no writes.
            let metaFile = try #require(descriptorOfMetaPages(file.path))
            let readOnly = Glibc.open(file.path, O_RDONLY)
            #expect(dup2(readOnly, metaFile) == metaFile)
            Glibc.close(readOnly)
            let code = StoreModel.code { try environment.write { try StoreModel.put([9], at: 9, in: $0) } }
            #expect(code == .io, "round \(round)")
            #expect(try StoreModel.value(1, in: environment) == [UInt8(round)])
            #expect(try StoreModel.value(9, in: environment) == nil)
            try environment.write { try StoreModel.put([UInt8(round + 1)], at: 1, in: $0) }
            #expect(try StoreModel.value(1, in: environment) == [UInt8(round + 1)])
        }
        environment.close()
        #expect(try FileCheck.full(path: file.path).problems == [])
        let again = try StoreModel.open(file)
        defer { again.close() }
        #expect(try StoreModel.value(1, in: again) == [4])
        #expect(try StoreModel.value(9, in: again) == nil)
    }

    /// LMDB opens the data file twice; the descriptor for meta pages is the one whose writes are synced.
    private func descriptorOfMetaPages(_ path: String) -> Int32? {
        for descriptor in 3..<4_096 as Range<Int32> {
            var target = [CChar](repeating: 0, count: 4_096)
            let count = readlink("/proc/self/fd/\(descriptor)", &target, 4_096)
            guard count > 0, target[..<count].elementsEqual(path.utf8.map(CChar.init(bitPattern:))) else {
                continue
            }
            if fcntl(descriptor, F_GETFL) & O_DSYNC != 0 { return descriptor }
        }
        return nil
    }

    @Test func `counts its free pages and its commits`() throws {
        let file = CheckedHome.File()
        let environment = try StoreModel.open(file)
        defer { environment.close() }
        try environment.write { transaction in
            for key in 0..<100 as Range<UInt64> {
                try StoreModel.put([UInt8](repeating: 1, count: 3_000), at: key, in: transaction)
            }
        }
        let before = try environment.information()
        try environment.write { try StoreModel.first.clear(in: $0) }
        let after = try environment.information()
        #expect(after.lastCommit == before.lastCommit + 1)
        #expect(after.freePageCount >= before.freePageCount + 100)
        #expect(after.pageByteCount == 4_096)
        #expect(after.mapSizeBytes == 1 << 30)
    }
}
