import Foundation
import TestSupport
import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `Forgetting` {
    let atlas = Namespace.project("atlas")
    static let space = EmbeddingSpace(model: "m", dimension: 1_024)

    /// A memory that says its mark in every field that a caller can fill.
    static func marked(_ mark: String, _ vector: [Float]) -> MemoryDraft {
        var draft = MemoryDraft(
            "\(mark)title of it\n\nFirst \(mark)content, then more. "
                + String(repeating: "Long \(mark)tail of it. ", count: 400))
        draft.kind = MemoryKind(rawValue: mark + "kind")
        draft.actor = mark + "Actor"
        draft.thread = mark + "thread"
        draft.key = mark + "key"
        draft.tags = [mark + "tag", mark + String(repeating: "longtag", count: 30)]
        draft.keywords = [mark + "Keyword"]
        draft.attributes = [
            mark + "name": .string(mark + "value"),
            "long": .string(mark + String(repeating: "v", count: 400)),
        ]
        draft.origin = Origin(agent: mark + "agent", model: mark + "model", source: mark + "source")
        draft.embeddings = [Embedding(vector, in: space, part: 0)]
        let bytes = Array((mark + "attachment").utf8)
        draft.attachments = [
            MemoryEngine.Attachment(
                name: mark + "file", mediaType: "text/plain", digest: SHA256.digest(of: bytes),
                byteCount: UInt64(bytes.count), address: nil, data: bytes)
        ]
        return draft
    }

    /// Places where `needle` stands in the entries of a home, whatever the case of its letters.
    static func traces(
        of needle: String, in entries: [(table: String, key: [UInt8], value: [UInt8])]
    ) -> [String] {
        let data = Data(needle.lowercased().utf8)
        return entries.compactMap { entry in
            for bytes in [entry.key, entry.value] {
                let lowered = Data(bytes.map { $0 >= 65 && $0 <= 90 ? $0 + 32 : $0 })
                if lowered.range(of: data) != nil { return "\(entry.table) \(entry.key)" }
            }
            return nil
        }
    }

    static func traces(
        of vector: [Float], in entries: [(table: String, key: [UInt8], value: [UInt8])]
    ) -> [String] {
        let data = vector[3..<7].withUnsafeBytes { Data($0) }
        return entries.filter { Data($0.value).range(of: data) != nil }.map { "\($0.table) \($0.key)" }
    }

    @Test(arguments: [0, 1, 2, 3], [false, true])
    func `leaves no trace in any table, nor in the file once it is compacted`(
        way: Int, isFolded: Bool
    ) async throws {
        var random = SeededRandom(seed: UInt64(way))
        let principal = "zorbaprincipal"
        let store = try ScratchStore { $0.principal = way == 3 ? principal : "tester" }
        let mark = "zorba"
        let (first, second) = (random.vector(1_024), random.vector(1_024))
        let session = atlas.session(mark + "session")
        // Others stay, and share words and vectors' segments with it.
        var others: [MemoryDraft] = (0..<70).map { place in
            var draft = MemoryDraft("Another content, long tail \(place)")
            draft.embeddings = [Embedding(random.vector(1_024), in: Self.space)]
            return draft
        }
        others[3].key = "other"
        let kept: Engine
        if way == 3 {
            kept = try store.reopened { $0.principal = "somebody" }
        } else {
            kept = store.engine
        }
        _ = try await kept.remember(Array(others[..<35]), in: atlas)
        if way == 3 { await kept.close() }
        let engine = store.engine
        let id = try await engine.remember(Self.marked(mark, first), in: session).id
        store.clock.advance()
        if way != 3 { _ = try await engine.remember(Array(others[35...]), in: atlas) }
        if way == 3 {
            // What others wrote, and the principal linked.
            let ids = try await engine.list(in: atlas, limit: 3).memories.map(\.id).filter { $0 != id }
            let edge = try await engine.link(ids[0], to: ids[1], as: .refersTo, in: atlas)
            try await engine.link(ids[1], to: ids[0], as: .causedBy, in: atlas)
            try await engine.unlink(edge, in: atlas)
        }
        if isFolded { try await engine.fold(atlas) }
        var draft = Self.marked(mark + "two", second)
        draft.key = mark + "key"
        let changed = draft
        try await engine.update(id, in: atlas) { $0 = changed }
        try await engine.retract(id, in: atlas)
        if isFolded { try await engine.fold(atlas) }
        var query = RecallQuery("zorbatwocontent", in: atlas)
        query.keepReceipt = true
        query.asOf = store.clock.time
        query.validAt = store.clock.time.advanced(by: .seconds(-1))
        _ = try await engine.recall(query)
        var before = try await engine.entries(of: atlas)
        #expect(!Self.traces(of: mark, in: before).isEmpty && !Self.traces(of: first, in: before).isEmpty)

        let erasure: Engine.Erasure
        switch way {
        case 0: erasure = try await engine.forget(.id(id), under: atlas)
        case 1: erasure = try await engine.forget(.filter(.tag(mark + "tag")), under: atlas)
        case 2: erasure = try await engine.forget(.everything, under: session)
        default: erasure = try await engine.forget(.principal(principal), under: atlas)
        }
        #expect(erasure.memories == 1 && erasure.homes == 0)
        #expect(
            erasure.counts["versions"] == 3 && erasure.counts["vectors"] == 3
                && erasure.counts["attachments"] == 2)
        before = try await engine.entries(of: atlas)
        #expect(Self.traces(of: mark, in: before) == [])
        #expect(Self.traces(of: first, in: before) == [] && Self.traces(of: second, in: before) == [])
        try await engine.expectClean(atlas)
        #expect(try await engine.list(in: atlas, limit: 1_000).memories.count == (way == 3 ? 35 : 70))

        try await engine.compact(in: atlas)
        let file = Data(try #require(FileManager.default.contents(atPath: engine.filePath(of: atlas))))
        let lowered = Data(file.map { $0 >= 65 && $0 <= 90 ? $0 + 32 : $0 })
        #expect(lowered.range(of: Data(mark.utf8)) == nil)
        for vector in [first, second] {
            #expect(file.range(of: vector[3..<7].withUnsafeBytes { Data($0) }) == nil)
        }
        // Only its id is left, in the log of changes.
        var changes: [Change] = []
        for try await change in engine.changes(in: atlas, upToNow: true) where change.id == id {
            changes.append(change)
        }
        #expect(changes.map(\.kind) == [.remembered, .updated, .retracted, .forgotten])
        try await engine.expectClean(atlas)
    }

    @Test func `removes files of homes, of one or of a whole tenant`() async throws {
        let store = try ScratchStore()
        let names: [Namespace] = [
            atlas, .project("a", tenant: "acme"), .user("u", tenant: "acme"), .project("a", tenant: "other"),
        ]
        for name in names { try await store.engine.remember("text", in: name) }
        let erasure = try await store.engine.forget(.everything, under: .tenant("acme"))
        #expect(erasure.homes == 2 && erasure.memories == 2)
        #expect(try store.engine.homes() == [.project("a", tenant: "other"), atlas])
        try await store.engine.forget(.everything, under: atlas)
        #expect(!FileManager.default.fileExists(atPath: store.engine.filePath(of: atlas)))
        #expect(try await store.engine.remember("anew", in: atlas).sequence == 1)
    }

    @Test func `takes hundreds in several commits, and refuses an unknown id`() async throws {
        let store = try ScratchStore()
        _ = try await store.engine.remember(
            (0..<600).map { place in
                var draft = MemoryDraft("item \(place)")
                draft.tags = place < 550 ? ["old"] : []
                return draft
            }, in: atlas)
        let erasure = try await store.engine.forget(.filter(.tag("old")), under: atlas)
        #expect(erasure.memories == 550)
        #expect(try await store.engine.stats(in: atlas).memories == 50)
        #expect(
            await refusal { try await store.engine.forget(.id(MemoryID(rawValue: 4)), under: atlas) }?.code
                == .notFound)
        #expect(try await store.engine.forget(.filter(.tag("old")), under: atlas).memories == 0)
        try await store.engine.expectClean(atlas)
    }

    @Test func `of a session leaves its home and its other sessions`() async throws {
        let store = try ScratchStore()
        for namespace in [atlas, atlas.session("a"), atlas.session("b")] {
            try await store.engine.remember("text of \(namespace)", in: namespace)
        }
        try await store.engine.forget(.everything, under: atlas.session("a"))
        #expect(
            try await store.engine.list(in: atlas).memories.map(\.namespace) == [atlas, atlas.session("b")])
        let id = try await store.engine.list(in: atlas).memories[0].id
        #expect(
            await refusal { try await store.engine.forget(.id(id), under: atlas.session("b")) }?.code
                == .notFound)
        try await store.engine.expectClean(atlas)
    }
}
