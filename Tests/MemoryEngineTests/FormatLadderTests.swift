import Foundation
import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `A file of an older format` {
    let atlas = Namespace.project("atlas")
    let base = Schema.formatVersion

    /// A ladder that ends above the format of today, as a later version would have it. Each step notes that it ran.
    private func ladder(_ froms: [UInt16], newest: UInt16, failingAt failure: UInt16? = nil) -> FormatLadder {
        FormatLadder(
            newest: newest,
            steps: froms.map { from in
                FormatLadder.Step(from: from) { transaction in
                    let key = Schema.Shared.setting.key.raw("steps".utf8)
                    let before = try Schema.shared.get(key, in: transaction.snapshot)?.array ?? []
                    try Schema.shared.put(key, before + [UInt8(from)], in: transaction)
                    if from == failure { throw StoreError(.full, "no room for step \(from)") }
                }
            })
    }

    private func steps(_ home: Home) throws -> [UInt8] {
        try home.environment.read {
            try Schema.shared.get(Schema.Shared.setting.key.raw("steps".utf8), in: $0)?.array ?? []
        }
    }

    /// A closed home of today's format, and where it lies.
    private func closedHome() async throws -> (store: ScratchStore, path: String) {
        let store = try ScratchStore()
        try await store.engine.remember("The token expired", in: atlas)
        let path = store.engine.filePath(of: atlas)
        await store.engine.close()
        return (store, path)
    }

    private func open(_ path: String, _ ladder: FormatLadder, isReadOnly: Bool = false) throws -> Home {
        var options = Environment.Options()
        options.mapSizeBytes = 1 << 30
        options.isReadOnly = isReadOnly
        return try Home.open(atlas, at: path, options: options, ladder: ladder, creating: nil)
    }

    @Test func `climbs step by step to the newest, once, and keeps what it holds`() async throws {
        let (store, path) = try await closedHome()
        let newer = ladder([base + 1, base], newest: base + 2)
        for round in 0..<2 {
            let home = try open(path, newer)
            #expect(
                try home.header.formatVersion == base + 2 && steps(home) == [UInt8(base), UInt8(base) + 1],
                "round \(round)")
            #expect(try home.environment.read { try HomeState.read(in: $0) }.memoryCount == 1)
            home.close()
        }
        let home = try open(path, newer, isReadOnly: true)
        #expect(home.header.namespace == "project/atlas")
        home.close()
        // The program of today refuses it, and says what to do.
        let engine = try store.reopened()
        let error = await refusal { try await engine.list(in: atlas) }
        #expect(error?.code == .foreign && error?.message.contains("use a newer one") == true)
        #expect(try await engine.check(in: atlas).problems.count == 1)
        await engine.close()
    }

    @Test func `stays as it was when a step fails`() async throws {
        let (store, path) = try await closedHome()
        let error = #expect(throws: StoreError.self) {
            try open(path, ladder([base, base + 1], newest: base + 2, failingAt: base + 1))
        }
        #expect(error?.code == .full)
        let engine = try store.reopened()
        #expect(try await engine.recall("token", in: atlas).count == 1)
        #expect(try await engine.withExistingHome(of: atlas) { try steps($0) } == [])
        try await engine.expectClean(atlas)
        await engine.close()
    }

    @Test func `is not changed by one who only reads, nor without a way`() async throws {
        let (store, path) = try await closedHome()
        let before = FileManager.default.contents(atPath: path)
        var error = #expect(throws: StoreError.self) {
            try open(path, ladder([base, base + 1], newest: base + 2), isReadOnly: true)
        }
        #expect(error?.code == .foreign && error?.message.contains("for writing") == true)
        error = #expect(throws: StoreError.self) { try open(path, ladder([base + 1], newest: base + 2)) }
        #expect(error?.code == .foreign && error?.message.contains("older") == true)
        #expect(FileManager.default.contents(atPath: path) == before)
        #expect(store.directory.path.isEmpty == false)
    }
}
