// A test may stop where a value that it made is missing.
// swift-format-ignore-file: NeverForceUnwrap

import TestSupport
import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `The portable form` {
    let atlas = Namespace.project("atlas")

    /// Memories without their place in a thread, which is given anew where they arrive.
    private func plain(_ memories: [ExportedMemory]) -> [ExportedMemory] {
        memories.map { memory in
            var memory = memory
            for index in memory.versions.indices {
                let old = memory.versions[index].memory
                memory.versions[index].memory = Memory(
                    id: old.id, version: old.version, namespace: old.namespace, content: old.content,
                    kind: old.kind,
                    actor: old.actor, thread: old.thread, turn: nil, key: old.key, recorded: old.recorded,
                    valid: old.valid, happened: old.happened, expires: old.expires, isPinned: old.isPinned,
                    importance: old.importance, tags: old.tags, keywords: old.keywords,
                    attributes: old.attributes,
                    origin: old.origin, attachments: old.attachments, isCurrent: old.isCurrent)
            }
            return memory
        }.sorted { $0.id < $1.id }
    }

    /// A home with all that a memory can have.
    private func fill(_ store: ScratchStore) async throws {
        var random = SeededRandom(seed: 9)
        try await `Scores of words`.fill(store, &random, in: atlas, steps: 60)
        for session in ["s", "t"] {
            let id = try await store.engine.remember(
                Forgetting.marked(session, random.vector(1_024)), in: atlas.session(session)
            ).id
            store.clock.advance()
            try await store.engine.update(id, in: atlas) {
                $0.content = "another text"
                $0.happened = Timestamp.allowed.lowerBound...Timestamp.allowed.upperBound
                $0.valid = Timestamp("2020-01-01")!..<Timestamp.distantFuture
            }
            store.clock.advance()
            if session == "t" { try await store.engine.promote(id, from: atlas.session("t"), to: atlas) }
            try await store.engine.retract(id, in: atlas, at: Timestamp("2020-01-01")!)
        }
        // The same key in the home and in a session.
        var draft: MemoryDraft = "home"
        draft.key = "same"
        try await store.engine.remember(draft, in: atlas)
        draft.content = "session"
        try await store.engine.remember(draft, in: atlas.session("u"))
    }

    @Test func `restores exactly into an empty store, and changes nothing the second time`() async throws {
        let store = try ScratchStore { $0.passageByteCount = 128 }
        try await fill(store)
        let memories = try await store.engine.exported(atlas)
        let copy = try ScratchStore { $0.principal = "importer" }
        #expect(try await copy.engine.importMemories(memories) == memories.count)
        #expect(plain(try await copy.engine.exported(atlas)) == plain(memories))
        #expect(try await copy.engine.importMemories(memories) == 0)
        #expect(plain(try await copy.engine.exported(atlas)) == plain(memories))
        #expect(try await copy.engine.get(key: "same", in: atlas.session("u"))?.content == "session")
        try await copy.engine.expectClean(atlas)
        try await copy.engine.fold(atlas)
        try await copy.engine.rebuild(in: atlas)
        try await copy.engine.expectClean(atlas)
        let questions = ["word3 word9", "token deploy", "another text"]
        for question in questions {
            var query = RecallQuery(question, in: atlas)
            query.channels = [.words]
            query.validAt = store.clock.time
            let (a, b) = (try await store.engine.recall(query), try await copy.engine.recall(query))
            #expect(a.count == b.count)
            for (x, y) in zip(a, b) { #expect(abs(x.score - y.score) < 1e-4) }
        }
    }

    @Test func `restores into a store that is not empty, and brings older copies up to date`() async throws {
        let store = try ScratchStore { $0.passageByteCount = 128 }
        try await fill(store)
        let copy = try ScratchStore()
        try await copy.engine.remember("was here before", in: atlas.session("s"))
        try await copy.engine.remember("was here before, too", in: atlas)
        let early = try await store.engine.exported(atlas)
        try await copy.engine.importMemories(Array(early.prefix(early.count / 2)))
        store.clock.advance()
        for memory in early.prefix(10) where memory.versions.last!.memory.isCurrent {
            try await store.engine.update(memory.id, in: atlas) { $0.content += " and more" }
        }
        let late = try await store.engine.exported(atlas)
        try await copy.engine.fold(atlas)
        try await copy.engine.importMemories(late)
        let ids = Set(late.map(\.id))
        #expect(plain(try await copy.engine.exported(atlas)).filter { ids.contains($0.id) } == plain(late))
        #expect(try await copy.engine.stats(in: atlas).memories == UInt64(late.count + 2))
        try await copy.engine.expectClean(atlas)
    }

    @Test func `takes the place of an older copy, which keeps its edges, receipts, turn and vectors`()
        async throws
    {
        let store = try ScratchStore()
        let copy = try ScratchStore()
        let thread = "standup"
        var ids: [MemoryID] = []
        for text in ["Is port 80 open?", "Port 80 is open", "Then it is"] {
            var draft = MemoryDraft(text)
            draft.thread = thread
            draft.key = text
            ids.append(try await store.engine.remember(draft, in: atlas.session("s")).id)
        }
        try await copy.engine.importMemories(try await store.engine.exported(atlas))
        let engine = copy.engine
        let successor = try await engine.remember("Port 443 is open", in: atlas).id
        try await engine.supersede(successor, by: ids[1], in: atlas)
        let space = EmbeddingSpace(model: "own", dimension: 2)
        try await engine.addEmbeddings([Embedding([1, 2], in: space)], to: ids[1], in: atlas)
        var query = RecallQuery("port", in: atlas)
        query.keepReceipt = true
        let recall = try await engine.recall(query)
        #expect(recall.hits.contains { $0.memory.id == ids[1] })
        let turns = try await engine.list(in: atlas, includesClosed: true).memories.map(\.turn)
        let edges = try await engine.entries(of: atlas).filter { $0.table == "edge" }.map(\.key)
        #expect(edges.count == 4)

        store.clock.advance()
        try await store.engine.update(ids[1], in: atlas) { $0.tags = ["port"] }
        store.clock.advance()
        try await store.engine.promote(ids[1], from: atlas.session("s"), to: atlas)
        let late = try await store.engine.exported(atlas)
        for isFolded in [false, true] {
            if isFolded {
                try await engine.fold(atlas)
                try await store.engine.update(ids[1], in: atlas) { $0.content += " to all" }
            }
            try await engine.importMemories(isFolded ? try await store.engine.exported(atlas) : late)
            try await engine.expectClean(atlas)
        }
        #expect(try await engine.get(key: "Port 80 is open", in: atlas)?.id == ids[1])
        #expect(try await engine.get(key: "Port 80 is open", in: atlas.session("s")) == nil)
        #expect(try await engine.entries(of: atlas).filter { $0.table == "edge" }.map(\.key) == edges)
        #expect(try await engine.list(in: atlas, includesClosed: true).memories.map(\.turn) == turns)
        #expect(try await engine.stats(in: atlas).receipts == 1)
        for version in 1...3 as ClosedRange<UInt32> {
            let vectors = try await engine.embeddings(of: ids[1], version: version, in: atlas).map(\.vector)
            #expect(vectors == (version == 1 ? [[1, 2]] : []))
        }
        // What follows in the thread follows the newest version.
        var follower = RecallQuery("Then it is", in: atlas)
        follower.limit = 1
        #expect(try await engine.recall(follower).first?.parts.context != 0)
        try await engine.forget(.id(ids[1]), under: atlas)
        #expect(try await engine.stats(in: atlas).tables["edge"]?.entries == 0)
        try await engine.expectClean(atlas)
    }

    @Test func `is read no further ahead than some megabytes`() async throws {
        let store = try ScratchStore()
        var ids: [MemoryID] = []
        for letter in ["a", "b", "c", "d"] {
            ids.append(
                try await store.engine.remember(
                    MemoryDraft(String(repeating: letter, count: 5_000_000)), in: atlas
                ).id)
        }
        var found: [MemoryID] = []
        let engine = store.engine
        for _ in 0..<2 {
            found = []
            try await engine.export(in: atlas) { memory in
                found.append(memory.id)
                // What is forgotten before it is read is not exported.
                if found.count == 1, ids.count == 4 {
                    try await engine.forget(.id(ids.removeLast()), under: atlas)
                }
            }
            #expect(found == ids)
        }
    }

    @Test func `of a session holds its memories alone, and goes into another home`() async throws {
        let store = try ScratchStore()
        try await store.engine.remember("home", in: atlas)
        try await store.engine.remember("session", in: atlas.session("s"))
        let memories = try await store.engine.exported(atlas.session("s"))
        #expect(memories.map { $0.versions[0].memory.content } == ["session"])
        try await store.engine.importMemories(memories, in: .user("u"))
        #expect(
            try await store.engine.list(in: Namespace.user("u").session("s")).memories.map(\.content) == [
                "session"
            ])
    }

    @Test func `is refused when it contradicts itself`() async throws {
        let store = try ScratchStore { $0.passageByteCount = 128 }
        try await fill(store)
        let good = try #require(
            try await store.engine.exported(atlas).first { !$0.versions[0].attachments.isEmpty })
        var bad: [ExportedMemory] = []
        var memory = good
        memory.versions = []
        bad.append(memory)
        memory = good
        memory.versions.reverse()
        bad.append(memory)
        memory = good
        memory.id = MemoryID(rawValue: 5)
        bad.append(memory)
        memory = good
        memory.versions[0].attachments = [:]
        bad.append(memory)
        memory = good
        memory.versions[0].passages = [0..<10_000_000]
        bad.append(memory)
        memory = good
        memory.versions[0].passages = [5..<10, 0..<5]
        bad.append(memory)
        memory = good
        memory.versions[0].embeddings = [
            Embedding([1], in: EmbeddingSpace(model: "m", dimension: 1), part: 999)
        ]
        bad.append(memory)
        memory = good
        memory.versions[0].embeddings += memory.versions[0].embeddings
        bad.append(memory)
        memory = good
        memory.versions.removeLast()
        bad.append(memory)
        let copy = try ScratchStore()
        for memory in bad {
            let error = await refusal { try await copy.engine.importMemories([memory], in: atlas) }
            #expect(error != nil)
        }
        #expect(try await copy.engine.list(in: atlas, includesClosed: true).memories.isEmpty)
        #expect(try await copy.engine.importMemories([good], in: atlas) == 1)
        try await copy.engine.expectClean(atlas)
    }
}
