import Foundation
import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `A home that was begun and never written` {
    private let begun = Namespace.project("begun")

    /// Leaves the file as a crash between the commits that make a home leaves it.
    private func begin(_ store: ScratchStore, hasTables: Bool) throws {
        let path = store.engine.filePath(of: begun)
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        var options = Environment.Options()
        options.mapSizeBytes = 1 << 30
        let tables = hasTables ? Schema.all : []
        try Environment.open(path: path, tables: tables, options: options).close()
    }

    @Test(arguments: [false, true], [false, true])
    func `holds nothing, hides no other, and is completed by the next writer`(
        hasTables: Bool, isReadOnly: Bool
    ) async throws {
        let store = try ScratchStore()
        try await store.engine.remember("Something.", in: .project("atlas"))
        try begin(store, hasTables: hasTables)
        await store.engine.close()
        let engine = try store.reopened { $0.isReadOnly = isReadOnly }
        #expect(try engine.homes() == [.project("atlas"), begun])
        #expect(try await engine.get(key: "none", in: begun) == nil)
        let recall = try await engine.recall(RecallQuery("Something", in: [begun: 1, .project("atlas"): 1]))
        #expect(recall.count == 1 && recall.leftOut == ["project/begun: there is no such home"])
        await #expect(throws: EngineError.self) { try await engine.stats(in: begun) }
        #expect(try await engine.check(in: begun).problems == [])
        await engine.close()
        let writer = try store.reopened()
        try await writer.remember("At last.", in: begun)
        #expect(try await writer.recall("last", in: begun).count == 1)
        #expect(try await writer.check(in: begun).problems == [])
        await writer.close()
    }
}
