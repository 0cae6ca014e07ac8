import Foundation
import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `Homes that are opened` {
    let atlas = Namespace.project("atlas")
    let user = Namespace.user("u")

    /// Another process's lock on a home, as far as this one can tell.
    private func lock(_ home: Namespace, _ engine: Engine) throws -> FileHandle {
        let lock = WriterLock(
            path: engine.path + "/" + Engine.markerName, offset: engine.lockOffset(of: home), home: "it",
            wait: .zero)
        return FileHandle(fileDescriptor: try lock.take(), closeOnDealloc: true)
    }

    private func giveBack(_ lock: inout FileHandle?) {
        // A process that a test beside this one begins has a copy of it for a moment.
        if let file = lock.take() { FileLock.release(file.fileDescriptor) }
    }

    @Test func `one slowly hold up nobody who wants another, and are opened once for all who wait`()
        async throws
    {
        let store = try ScratchStore { $0.writerWait = .seconds(86_400) }
        let engine = store.engine
        let (atlas, user) = (atlas, user)
        var held: FileHandle? = try lock(atlas, engine)
        #expect(held != nil)
        let done = Tally()
        try await withThrowingTaskGroup(of: MemoryID.self) { group in
            for number in 0..<10 {
                group.addTask {
                    defer { done.add() }
                    return try await engine.remember("slow \(number)", in: atlas).id
                }
            }
            for number in 0..<10 { try await engine.remember("quick \(number)", in: user) }
            #expect(try await engine.recall("quick", in: user).count == 10)
            #expect(done.count == 0)
            // One who gives up is told at once, and the others do not notice.
            let impatient = Task { await refusal { try await engine.remember("never", in: atlas) } }
            impatient.cancel()
            #expect(await impatient.value?.code == .deadline)
            #expect(done.count == 0)
            giveBack(&held)
            var ids = Set<MemoryID>()
            for try await id in group { ids.insert(id) }
            #expect(ids.count == 10)
        }
        #expect(try await engine.list(in: atlas).memories.count == 10)
        let homes = try await [
            engine.withExistingHome(of: atlas) { $0 }, engine.withExistingHome(of: atlas) { $0 },
        ]
        #expect(homes[0] === homes[1])
        await engine.close()
    }

    @Test func `in vain say so to all who wait, and can be opened later`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let atlas = atlas
        var held: FileHandle? = try lock(atlas, engine)
        #expect(held != nil)
        let errors = await withTaskGroup(of: EngineError?.self) { group in
            for _ in 0..<10 {
                group.addTask { await refusal { try await engine.remember("text", in: atlas) } }
            }
            var errors: [EngineError?] = []
            for await error in group { errors.append(error) }
            return errors
        }
        #expect(errors.count == 10 && errors.allSatisfy { $0?.code == .locked })
        giveBack(&held)
        try await engine.remember("text", in: atlas)
        // A damaged file is refused, and so is the next who asks.
        await engine.close()
        let again = try store.reopened()
        let path = again.filePath(of: user)
        try FileManager.default.createDirectory(
            atPath: Engine.directory(of: path), withIntermediateDirectories: true)
        try Data(repeating: 7, count: 20_000).write(to: URL(fileURLWithPath: path))
        for _ in 0..<2 {
            #expect(await refusal { try await again.remember("text", in: user) }?.code == .corrupted)
        }
        try FileManager.default.removeItem(atPath: path)
        try await again.remember("text", in: user)
        await again.close()
    }

    @Test func `by one who only looks are made for one who writes`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        for round in 0..<20 {
            let home = Namespace.project("p\(round)")
            async let found = engine.list(in: home).memories.count
            async let written = engine.remember("text", in: home)
            async let known = engine.get(MemoryID(rawValue: 1), in: home)
            let (count, remembered, memory) = try await (found, written, known)
            #expect((0...1).contains(count) && remembered.isNew && memory == nil)
            #expect(try await engine.list(in: home).memories.count == 1)
        }
    }

    @Test func `are no more than allowed once they are given back, and closed before the engine is`()
        async throws
    {
        let store = try ScratchStore { $0.maximumOpenHomes = 2 }
        let engine = store.engine
        let homes = (0..<6).map { Namespace.project("p\($0)") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for home in homes {
                group.addTask {
                    try await engine.withWritableHome(of: home) { _ in
                        // All are in use at once.
                        for other in homes where other != home {
                            _ = try await engine.withWritableHome(of: other) { $0.namespace }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        // What is held is closed first, also where it is being closed already.
        for home in homes {
            try await engine.hold(home)
            #expect(!Environment.isOpen(path: engine.filePath(of: home)))
            engine.release(home)
        }
        for home in homes { try await engine.remember("text", in: home) }
        for home in homes.prefix(4) { try await engine.compact(in: home) }
        #expect(homes.filter { Environment.isOpen(path: engine.filePath(of: $0)) }.count <= 2)
        await engine.close()
        #expect(!homes.contains { Environment.isOpen(path: engine.filePath(of: $0)) })
        #expect(await refusal { try await engine.list(in: homes[0]) }?.code == .invalid)
    }

    @Test func `while the engine is closed are closed with it`() async throws {
        let store = try ScratchStore { $0.writerWait = .seconds(86_400) }
        let engine = store.engine
        let atlas = atlas
        var held: FileHandle? = try lock(atlas, engine)
        #expect(held != nil)
        let writing = Task { await refusal { try await engine.remember("text", in: atlas) } }
        while !Environment.isOpen(path: engine.filePath(of: atlas)) { await Task.yield() }
        let closing = Task { await engine.close() }
        while await refusal({ try await engine.list(in: user) }) == nil { await Task.yield() }
        giveBack(&held)
        await closing.value
        #expect(await writing.value?.code == .invalid)
        #expect(!Environment.isOpen(path: engine.filePath(of: atlas)))
    }
}

/// How many have come.
private final class Tally: Sendable {
    private let sum = Mutex(0)
    var count: Int { sum.withLock { $0 } }
    func add() { sum.withLock { $0 += 1 } }
}
