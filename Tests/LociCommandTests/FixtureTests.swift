import Foundation
import Testing

@testable import MemoryEngine
@testable import loci

@Suite struct `A store of an older version or format` {
    /// `Tests/Fixtures`: a folder for each released version, and for formats between them, with its store and what its `loci export` said of it.
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures").path

    static var versions: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: fixtures)) ?? []
        return names.filter { FileManager.default.fileExists(atPath: "\(fixtures)/\($0)/store") }.sorted()
    }

    private func lines(_ engine: Engine) async throws -> [String] {
        var lines: [String] = []
        for home in try engine.homes() {
            try await engine.export(in: home) { lines += ExportLine.lines(of: $0) }
        }
        return lines
    }

    @Test func `is kept for each`() {
        #expect(Self.versions == ["0.1.0", "format-3", "format-4", "format-5", "format-6"])
    }

    @Test(arguments: versions, [true, false])
    func `opens, is clean, and holds what it held`(version: String, isReadOnly: Bool) async throws {
        let folder = NSTemporaryDirectory() + "loci-fixture-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.copyItem(atPath: "\(Self.fixtures)/\(version)/store", toPath: folder)
        let expected = try String(contentsOfFile: "\(Self.fixtures)/\(version)/export.jsonl", encoding: .utf8)
            .split(separator: "\n").map(String.init)
        var options = Engine.Options()
        options.quotaBytes = 1 << 30
        options.isReadOnly = isReadOnly
        options.clock = { Timestamp(microseconds: 1_780_000_000_000_000) }
        let engine = try Engine.open(at: folder, options: options)
        #expect(try engine.homes().count > 1 && expected.count > 5)
        if isReadOnly {
            // Its format is brought to the newest by one who may write.
            let error = await #expect(throws: EngineError.self) { try await lines(engine) }
            #expect(error?.code == .foreign && error?.message.contains("for writing") == true)
            await engine.close()
            return
        }
        #expect(try await lines(engine) == expected)
        for home in try engine.homes() { #expect(try await engine.check(in: home).problems == []) }
        var query = RecallQuery("Why did the deploy fail?", in: .project("atlas"))
        query.channels = [.words]
        query.filter = .keyword("rollback")
        #expect(try await engine.recall(query).first?.memory.content.contains("token") == true)
        // Each is found by its id and in the order of time, whoever made these entries.
        var listed: [Memory] = []
        for home in try engine.homes() {
            listed += try await engine.list(in: home, includesClosed: true).memories
        }
        for memory in listed {
            #expect(try await engine.get(memory.id, in: memory.namespace.home) == memory)
        }
        #expect(listed.count == expected.count { $0.contains(#""versions":"#) })
        try await engine.remember("goes on", in: .project("atlas"))
        try await engine.rebuild(in: .project("atlas"))
        #expect(try await engine.check(in: .project("atlas")).problems == [])
        #expect(try await lines(engine).count == expected.count + 1)
        await engine.close()
    }

    @Test(arguments: versions)
    func `is restored from a snapshot that was taken then`(version: String) async throws {
        let folder = NSTemporaryDirectory() + "loci-fixture-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let snapshot = folder + "/then.loci"
        try FileManager.default.copyItem(
            atPath: "\(Self.fixtures)/\(version)/store/project/atlas.loci", toPath: snapshot)
        let bytes = try #require(FileManager.default.contents(atPath: snapshot)).count
        let manifest = """
            {"home":"project/atlas","format":1,"program":"0.1.0","sequence":1,"memories":1,"versions":1,\
            "taken":"2026-11-26T00:00:00Z","bytes":\(bytes),"sha256":"\(try Engine.digest(ofFile: snapshot))"}
            """
        try manifest.write(toFile: snapshot + ".manifest.json", atomically: true, encoding: .utf8)
        var options = Engine.Options()
        options.quotaBytes = 1 << 30
        options.clock = { Timestamp(microseconds: 1_780_000_000_000_000) }
        let restorer = try Engine.open(at: folder + "/store", options: options)
        try await restorer.restore(from: snapshot, as: .project("then"))
        await restorer.close()
        // It is of the newest format: one who only reads needs nobody to write first.
        options.isReadOnly = true
        let reader = try Engine.open(at: folder + "/store", options: options)
        #expect(try await reader.stats(in: .project("then")).versions > 0)
        await reader.close()
        options.isReadOnly = false
        let engine = try Engine.open(at: folder + "/store", options: options)
        #expect(try await engine.check(in: .project("then")).problems == [])
        var restored: [String] = []
        try await engine.export(in: .project("then")) { restored += ExportLine.lines(of: $0) }
        restored.removeAll { !$0.contains(#""versions":"#) }
        let expected = try String(
            contentsOfFile: "\(Self.fixtures)/\(version)/export.jsonl", encoding: .utf8
        ).split(separator: "\n").map(String.init).filter { $0.contains(#""versions":"#) }
        let atlas = expected.filter { $0.contains(#""namespace":"project/atlas"#) }
        #expect(!atlas.isEmpty && restored.count == atlas.count)
        let there = try FileManager.default.contentsOfDirectory(atPath: folder + "/store/project")
        #expect(Set(there) == ["then.loci", "then.loci-lock"])
        await engine.close()
    }
}
