import Foundation
import TestSupport
import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `A home's upkeep` {
    let atlas = Namespace.project("atlas")

    private func filled() async throws -> ScratchStore {
        let store = try ScratchStore { $0.passageByteCount = 128 }
        var random = SeededRandom(seed: 2)
        try await `Scores of words`.fill(store, &random, in: atlas, steps: 80)
        return store
    }

    @Test func `keeps content through snapshot, restore, compact, vacuum and rebuild`() async throws {
        let store = try await filled()
        let engine = store.engine
        let before = try await engine.exported(atlas)
        let path = store.directory.path + "-snapshot"
        defer {
            for suffix in ["", ".manifest.json"] {
                try? FileManager.default.removeItem(atPath: path + suffix)
            }
        }
        let manifest = try await engine.snapshot(of: atlas, to: path)
        #expect(try SnapshotManifest(contentsOf: path + ".manifest.json") == manifest)
        #expect(manifest.memories == UInt64(before.count) && manifest.home == atlas)
        #expect(await refusal { try await engine.snapshot(of: atlas, to: path) }?.code == .invalid)

        try await engine.compact(in: atlas)
        try await engine.expectClean(atlas)
        _ = try await engine.vacuum(in: atlas)
        try await engine.rebuild(in: atlas)
        try await engine.expectClean(atlas)
        #expect(try await engine.exported(atlas) == before)

        try await engine.remember("after the snapshot", in: atlas)
        #expect(await refusal { try await engine.restore(from: path) }?.code == .conflict)
        #expect(try await engine.restore(from: path, as: .user("copy")) == .user("copy"))
        #expect(try await engine.exported(.user("copy")).count == before.count)
        try await engine.expectClean(.user("copy"))
        #expect(try await engine.remember("goes on", in: .user("copy")).isNew)
        try await engine.restore(from: path, replacing: true)
        #expect(try await engine.exported(atlas) == before)
        try await engine.expectClean(atlas)
    }

    @Test func `refuses a snapshot that is damaged, cut short or without its manifest`() async throws {
        let store = try await filled()
        let path = store.directory.path + "-snapshot"
        let manifest = path + ".manifest.json"
        defer { for file in [path, manifest] { try? FileManager.default.removeItem(atPath: file) } }
        _ = try await store.engine.snapshot(of: atlas, to: path)
        let bytes = try #require(FileManager.default.contents(atPath: path))
        let words = try #require(FileManager.default.contents(atPath: manifest))
        var damaged = bytes
        damaged[bytes.count / 2] ^= 1
        for content in [damaged, bytes.prefix(bytes.count - 4_096), Data()] {
            try content.write(to: URL(fileURLWithPath: path))
            #expect(
                await refusal { try await store.engine.restore(from: path, as: .user("u")) }?.code
                    == .corrupted)
        }
        try bytes.write(to: URL(fileURLWithPath: path))
        for content in [Data(), Data("{}".utf8), words.prefix(words.count / 2)] {
            try content.write(to: URL(fileURLWithPath: manifest))
            #expect(
                await refusal { try await store.engine.restore(from: path, as: .user("u")) }?.code
                    == .corrupted)
        }
        try FileManager.default.removeItem(atPath: manifest)
        #expect(
            await refusal { try await store.engine.restore(from: path, as: .user("u")) }?.code == .notFound)
        #expect(try store.engine.homes() == [atlas])
    }

    @Test func `says how a snapshot differs from its manifest, and leaves nothing beside it`() async throws {
        let store = try await filled()
        let engine = store.engine
        let folder = store.directory.path + "-copies"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/atlas.loci"
        let manifest = path + ".manifest.json"
        _ = try await engine.snapshot(of: atlas, to: path)
        func names() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        }
        #expect(try await Engine.check(fileAt: path).problems == [])
        try await engine.restore(from: path, as: .user("u"))
        #expect(try names() == ["atlas.loci", "atlas.loci.manifest.json"])
        let session = await refusal {
            try await engine.restore(from: path, as: Namespace.user("v").session("s"))
        }
        #expect(session?.code == .invalidNamespace && session?.message.contains("user/v") == true)
        #expect(try engine.homes() == [atlas, .user("u")])

        let bytes = try #require(FileManager.default.contents(atPath: path))
        let words = String(
            decoding: try #require(FileManager.default.contents(atPath: manifest)), as: UTF8.self)
        func differs(_ part: String) async throws {
            let problems = try await Engine.check(fileAt: path).problems
            #expect(
                problems.contains { $0.contains(part) && $0.contains("manifest") }, "\(part): \(problems)")
        }
        // A byte that no page check sees: the oldest free gap of a page.
        var damaged = bytes
        damaged[bytes.count - 1] ^= 1
        try damaged.write(to: URL(fileURLWithPath: path))
        try await differs("SHA-256")
        var error = await refusal { try await engine.restore(from: path, as: .user("v")) }
        #expect(error?.code == .corrupted && error?.message.contains("SHA-256") == true)
        try (bytes + Data(count: 4_096)).write(to: URL(fileURLWithPath: path))
        try await differs("bytes")
        error = await refusal { try await engine.restore(from: path, as: .user("v")) }
        #expect(error?.code == .corrupted && error?.message.contains("\(bytes.count) ") != nil)
        #expect(error?.message.contains("has \(bytes.count + 4_096) bytes") == true)
        try bytes.write(to: URL(fileURLWithPath: path))
        for (from, to) in [("\"project\\/atlas\"", "\"user\\/x\""), ("\"memories\" : ", "\"memories\" : 1")] {
            #expect(words.contains(from))
            try words.replacing(from, with: to).write(toFile: manifest, atomically: true, encoding: .utf8)
            try await differs(from.hasPrefix("\"mem") ? "memories" : "home")
        }
        try "{}".write(toFile: manifest, atomically: true, encoding: .utf8)
        try await differs("not a manifest")
        #expect(try names() == ["atlas.loci", "atlas.loci.manifest.json"])
    }

    @Test func `counts what is there, not what was forgotten`() async throws {
        let store = try ScratchStore()
        let space = EmbeddingSpace(model: "own", dimension: 100)
        var ids: [MemoryID] = []
        for number in 0..<900 {
            var draft = MemoryDraft("number \(number)")
            draft.embeddings = [Embedding([Float](repeating: 1, count: 99) + [Float(number)], in: space)]
            ids.append(try await store.engine.remember(draft, in: atlas).id)
            if number == 700 { try await store.engine.fold(atlas) }
        }
        for id in ids[690..<720] { try await store.engine.forget(.id(id), under: atlas) }
        let statistics = try await store.engine.stats(in: atlas)
        #expect(statistics.passages == 870 && statistics.currentPassages == 870 && statistics.memories == 870)
        #expect(statistics.tailPassages == 180)
        let vectors = try #require(statistics.spaces.first)
        #expect(vectors.vectors == 870 && vectors.tailVectors < 870 && vectors.tailVectors >= 180)
    }

    @Test func `lets closed versions go by their number`() async throws {
        let store = try ScratchStore()
        let id = try await store.engine.remember("v1 alpha", in: atlas).id
        for number in 2...6 {
            store.clock.advance(by: .seconds(100))
            try await store.engine.update(id, in: atlas) {
                $0.content = "v\(number) beta"
                $0.thread = "t\(number)"
            }
        }
        try await store.engine.fold(atlas)
        try await store.engine.setRetention(Retention(age: nil, count: 2), in: atlas)
        let report = try await store.engine.vacuum(in: atlas)
        #expect(report.versions == 3)
        #expect(try await store.engine.versions(of: id, in: atlas).map(\.version) == [4, 5, 6])
        #expect(try await store.engine.get(id, in: atlas)?.content == "v6 beta")
        try await store.engine.expectClean(atlas)
        try await store.engine.rebuild(in: atlas)
        try await store.engine.expectClean(atlas)
        #expect(Forgetting.traces(of: "alpha", in: try await store.engine.entries(of: atlas)) == [])
    }

    @Test func `removes at a vacuum only what has expired when it is removed`() async throws {
        let store = try ScratchStore()
        var draft: MemoryDraft = "short-lived"
        draft.expires = store.clock.time.advanced(by: .seconds(1))
        var ids: [MemoryID] = []
        for text in ["goes", "is prolonged", "is pinned"] {
            draft.content = text
            ids.append(try await store.engine.remember(draft, in: atlas).id)
        }
        store.clock.advance(by: .seconds(2))
        let later = store.clock.time.advanced(by: .seconds(100))
        let engine = store.engine
        let atlas = atlas
        // Somebody looked what had expired; then two of them changed; then it is removed.
        let seen = ids
        try await engine.update(ids[1], in: atlas) { $0.expires = later }
        try await engine.update(ids[2], in: atlas) { $0.isPinned = true }
        let applied = try await engine.withExistingHome(of: atlas) {
            try await engine.apply(.expire(seen), $0)
        }
        guard case .erased(let counts) = applied.outcomes[0] else { throw EngineError(.invalid, "no report") }
        #expect(counts["memories"] == 1)
        #expect(try await engine.get(ids[1], in: atlas)?.content == "is prolonged")
        #expect(try await engine.versions(of: ids[0], in: atlas).isEmpty)

        // It is that change which a vacuum makes.
        let log = RecordedMutations()
        try await engine.update(ids[2], in: atlas) { $0.isPinned = false }
        try await engine.observeMutations(of: atlas) { log.append($0) }
        #expect(try await engine.vacuum(in: atlas).expired == 1)
        let changes = try log.all.flatMap { try Mutation(decoding: $0.span.bytes).changes }
        #expect(changes == [.expire([ids[2]])])
        #expect(try await engine.versions(of: ids[2], in: atlas).isEmpty)
        try await engine.expectClean(atlas)
    }

    @Test func `is folded by the indexer in the background once its tail is long`() async throws {
        let store = try ScratchStore()
        _ = try await store.engine.remember(
            (0..<2_500).map { MemoryDraft("number \($0) of many") }, in: atlas)
        try await store.engine.withExistingHome(of: atlas) {
            try await $0.finishIndexing(on: store.engine.readers)
        }
        let statistics = try await store.engine.stats(in: atlas)
        #expect(statistics.tailPassages < UInt64(Indexer.foldThreshold) && statistics.passages == 2_500)
        #expect(
            try await store.engine.recall("1234", in: atlas).first?.memory.content == "number 1234 of many")
        try await store.engine.expectClean(atlas)
    }

    @Test func `goes on in many homes when only two are kept open`() async throws {
        let store = try ScratchStore { $0.maximumOpenHomes = 2 }
        let homes = (0..<10).map { Namespace.project("p\($0)") }
        let engine = store.engine
        try await withThrowingTaskGroup(of: Void.self) { group in
            for home in homes {
                group.addTask {
                    for step in 0..<5 {
                        try await engine.remember("step \(step) in \(home)", in: home)
                        _ = try await engine.recall("step", in: home)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try engine.homes() == homes)
        for home in homes {
            #expect(try await engine.list(in: home).memories.count == 5)
            try await engine.expectClean(home)
        }
    }

    @Test func `is not possible for one who only reads`() async throws {
        let store = try await filled()
        let before = try await store.engine.exported(atlas)
        await store.engine.close()
        let reader = try store.reopened { $0.isReadOnly = true }
        #expect(try await reader.exported(atlas) == before)
        #expect(try await !reader.recall("word3", in: atlas).isEmpty)
        try await reader.expectClean(atlas)
        let id = before[0].id
        let atlas = atlas
        let calls: [@Sendable () async throws -> Void] = [
            { _ = try await reader.remember("x", in: atlas) },
            { _ = try await reader.remember("x", in: .project("new")) },
            { _ = try await reader.update(id, in: atlas) { $0.content = "x" } },
            { try await reader.retract(id, in: atlas) },
            { _ = try await reader.forget(.id(id), under: atlas) },
            { _ = try await reader.forget(.everything, under: atlas) },
            { _ = try await reader.compact(in: atlas) }, { try await reader.rebuild(in: atlas) },
            { _ = try await reader.vacuum(in: atlas) }, { _ = try await reader.importMemories(before) },
            { _ = try await reader.restore(from: "/nowhere") },
        ]
        for call in calls { #expect(await refusal { try await call() }?.code == .readOnly) }
        #expect(try reader.homes() == [atlas])
        await reader.close()
        #expect(await refusal { try await reader.get(id, in: atlas) }?.code == .invalid)
    }

    @Test func `opens a store only where there is one, or room for one`() async throws {
        let store = try ScratchStore()
        let path = store.directory.path
        #expect(await refusal { try Engine.open(at: path + "/none", options: readOnly()) }?.code == .notFound)
        try FileManager.default.createDirectory(atPath: path + "/full", withIntermediateDirectories: true)
        try Data("x".utf8).write(to: URL(fileURLWithPath: path + "/full/file"))
        #expect(await refusal { try Engine.open(at: path + "/full") }?.code == .foreign)
        try Data("loci store 9\n".utf8).write(to: URL(fileURLWithPath: path + "/loci.store"))
        #expect(await refusal { try Engine.open(at: path) }?.code == .foreign)
        var options = Engine.Options()
        options.maximumOpenHomes = 0
        let none = options
        #expect(await refusal { try Engine.open(at: path + "/a", options: none) }?.code == .invalid)
    }

    private func readOnly() -> Engine.Options {
        var options = Engine.Options()
        options.isReadOnly = true
        return options
    }
}
