import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `Remembering` {
    let atlas = Namespace.project("atlas")

    @Test func `many drafts batch by batch, each when it is asked for`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let atlas = Namespace.project("atlas")
        let drafts = (0..<25).map { MemoryDraft($0 == 13 ? "" : "Draft number \($0).") }
        var counts: [Int] = []
        var failures = 0
        for try await stored in engine.remember(contentsOf: drafts, in: atlas, onError: .skip, batchCount: 10)
        {
            counts.append(stored.count)
            failures += stored.results.count { (try? $0.get()) == nil }
            // What was given is stored, and no more.
            #expect(try await engine.stats(in: atlas).memories == UInt64(stored.count - failures))
        }
        #expect(counts == [10, 20, 25] && failures == 1)
        // With the other policy the bad batch ends it, and those before stay.
        let other = Namespace.project("other")
        await #expect(throws: EngineError.self) {
            for try await _ in engine.remember(contentsOf: drafts, in: other, batchCount: 10) {}
        }
        #expect(try await engine.stats(in: other).memories == 10)
    }

    @Test func `keeps all that a draft says`() async throws {
        let store = try ScratchStore()
        var draft = MemoryDraft("Deploy 81 failed: its token had expired.")
        draft.kind = .event
        draft.actor = "ci"
        draft.thread = "deploys"
        draft.key = "deploy/81"
        draft.happened = Timestamp("2026-02-02")!...Timestamp("2026-02-03")!
        draft.valid = Timestamp("2026-02-02")!..<Timestamp("2027-01-01")!
        draft.expires = Timestamp("2026-12-01")!
        draft.isPinned = true
        draft.importance = 0.75
        draft.tags = ["deploy", "deploy", "Fehler"]
        draft.keywords = ["rotation"]
        draft.attributes = ["region": "eu-1", "attempt": 3, "is flaky": true]
        draft.origin = Origin(
            agent: "ci-bot", model: "m", source: "log:81", trust: .verified, mayContribute: true)
        draft.origin.sourceDigest = SHA256.digest(of: [1])
        draft.origin.sourceSpan = 3..<9
        let result = try await store.engine.remember(draft, in: atlas.session("s1"))
        #expect(result.version == 1 && result.isNew && result.sequence == 1)

        let memory = try #require(try await store.engine.get(result.id, in: atlas))
        #expect(
            memory.namespace == atlas.session("s1") && memory.content == draft.content
                && memory.kind == .event)
        #expect(
            memory.actor == "ci" && memory.thread == "deploys" && memory.turn == 0
                && memory.key == "deploy/81")
        #expect(memory.happened.lowerBound == draft.happened?.lowerBound)
        #expect(memory.happened.contains(draft.happened!.upperBound) && memory.valid == draft.valid)
        #expect(memory.expires == draft.expires && memory.isPinned && memory.importance == 0.75)
        #expect(memory.tags == ["deploy", "Fehler"] && memory.keywords == ["rotation"])
        #expect(memory.attributes == draft.attributes && memory.isCurrent)
        #expect(memory.recorded == store.clock.time..<Timestamp.distantFuture)
        var origin = draft.origin
        origin.principal = "tester"
        #expect(memory.origin == origin)
        #expect(try await store.engine.get(key: "deploy/81", in: atlas.session("s1")) == memory)
        #expect(try await store.engine.get(key: "deploy/81", in: atlas) == nil)
        try await store.engine.expectClean(atlas)
    }

    @Test func `finds nothing where nothing is`() async throws {
        let store = try ScratchStore()
        let nobody = Namespace.project("nobody")
        #expect(try await store.engine.get(MemoryID(rawValue: 1), in: nobody) == nil)
        #expect(try await store.engine.list(in: nobody).memories == [])
        #expect(
            try await store.engine.recall("anything", in: nobody).leftOut.contains {
                $0.contains("no such home")
            })
        #expect(await refusal { try await store.engine.stats(in: nobody) }?.code == .notFound)
        #expect(
            await refusal { try await store.engine.update(MemoryID(rawValue: 1), in: nobody) { _ in } }?.code
                == .notFound)
        #expect(try store.engine.homes() == [])
    }

    @Test func `returns what stands under a key already, and updates it with other content`() async throws {
        let store = try ScratchStore()
        var draft = MemoryDraft("The build is green.")
        draft.key = "build"
        let first = try await store.engine.remember(draft, in: atlas)
        store.clock.advance()
        let again = try await store.engine.remember(draft, in: atlas)
        #expect(
            again.id == first.id && again.version == 1 && !again.isNew && again.sequence == first.sequence)
        draft.content = "The build is red."
        let other = try await store.engine.remember(draft, in: atlas)
        #expect(other.id == first.id && other.version == 2 && other.isNew)
        let elsewhere = try await store.engine.remember(draft, in: atlas.session("s"))
        #expect(elsewhere.id != first.id && elsewhere.isNew)
        #expect(try await store.engine.versions(of: first.id, in: atlas).map(\.content).count == 2)
        try await store.engine.expectClean(atlas)
    }

    @Test func `stores a batch whole or not at all, or without its bad drafts`() async throws {
        let store = try ScratchStore()
        let drafts: [MemoryDraft] = ["one", "", "three"]
        let error = await refusal { try await store.engine.remember(drafts, in: atlas) }
        #expect(error?.code == .invalid && error?.message.hasPrefix("draft 2") == true)
        #expect(try await store.engine.list(in: atlas).memories.isEmpty)
        let results = try await store.engine.remember(drafts, in: atlas, onError: .skip)
        #expect(results.map { (try? $0.get()) != nil } == [true, false, true])
        #expect(Set(try results.compactMap { try? $0.get().sequence }).count == 1)
        #expect(try await store.engine.list(in: atlas).memories.map(\.content) == ["one", "three"])
        let many = [MemoryDraft](repeating: "x", count: Engine.maximumBatchCount + 1)
        #expect(await refusal { try await store.engine.remember(many, in: atlas) }?.code == .tooLarge)
    }

    @Test func `takes a long sequence in batches and tells how far it is`() async throws {
        let store = try ScratchStore()
        let drafts = (0..<2_300).map { MemoryDraft($0 == 1_500 ? "" : "Item number \($0)") }
        var counts: [Int] = []
        var failures: [Int] = []
        for try await progress in store.engine.remember(contentsOf: drafts, in: atlas, onError: .skip) {
            counts.append(progress.count)
            failures += progress.failures.map(\.index)
        }
        #expect(counts == [1_000, 2_000, 2_300] && failures == [1_500])
        #expect(try await store.engine.stats(in: atlas).memories == 2_299)
    }

    @Test(arguments: ["", " \n\t", "\u{2003}"])
    func `refuses an empty text that has nothing else`(text: String) async throws {
        let store = try ScratchStore()
        #expect(await refusal { try await store.engine.remember(text, in: atlas) }?.code == .invalid)
        var draft = MemoryDraft(text)
        draft.embeddings = [Embedding([1, 0], in: EmbeddingSpace(model: "m", dimension: 2))]
        #expect(try await store.engine.remember(draft, in: atlas).isNew)
        try await store.engine.expectClean(atlas)
    }

    @Test func `refuses what is over a limit, by name`() async throws {
        let store = try ScratchStore()
        let long = String(repeating: "n", count: 257)
        func draft(_ change: (inout MemoryDraft) -> Void) -> MemoryDraft {
            var draft: MemoryDraft = "text"
            change(&draft)
            return draft
        }
        let cases: [(String, EngineError.Code, MemoryDraft)] = [
            ("key", .tooLarge, draft { $0.key = long }), ("actor", .tooLarge, draft { $0.actor = long }),
            ("thread", .tooLarge, draft { $0.thread = long }), ("kind", .invalid, draft { $0.kind = "" }),
            ("tag", .tooLarge, draft { $0.tags = [long] }),
            ("keyword", .invalid, draft { $0.keywords = [""] }),
            ("tags", .tooLarge, draft { $0.tags = (0...256).map { "t\($0)" } }),
            (
                "attribute", .tooLarge,
                draft { $0.attributes = ["a": .string(String(repeating: "v", count: 4_097))] }
            ),
            ("attribute", .invalid, draft { $0.attributes = ["a": .number(.nan)] }),
            ("importance", .invalid, draft { $0.importance = 1.5 }),
            ("importance", .invalid, draft { $0.importance = .nan }),
            ("happened", .invalid, draft { $0.happened = .distantPast ... .distantFuture }),
            ("expires", .invalid, draft { $0.expires = Timestamp(microseconds: .max - 1) }),
            ("zero", .invalid, draft { $0.actor = "a\u{0}b" }),
            ("source", .tooLarge, draft { $0.origin.source = String(repeating: "s", count: 4_097) }),
            ("content", .tooLarge, draft { $0.content = String(repeating: "a", count: 17_000_000) }),
        ]
        for (name, code, draft) in cases {
            let error = await refusal { try await store.engine.remember(draft, in: atlas) }
            #expect(error?.code == code, "\(name)")
            #expect(error?.message.contains(name) == true, "\(name): \(error?.message ?? "taken")")
        }
        #expect(try await store.engine.list(in: atlas).memories.isEmpty)
    }

    @Test func `refuses direct writes to the collective and to a tenant`() async throws {
        let store = try ScratchStore()
        #expect(await refusal { try await store.engine.remember("x", in: .collective) }?.code == .forbidden)
        #expect(
            await refusal { try await store.engine.remember("x", in: .tenant("acme")) }?.code
                == .invalidNamespace)
        #expect(
            await refusal { try await store.engine.recall("x", in: .tenant("acme")) }?.code
                == .invalidNamespace)
        #expect(try store.engine.homes() == [])
    }

    @Test func `finds a text of ten megabytes by its last sentence`() async throws {
        let store = try ScratchStore()
        var text = ""
        text.reserveCapacity(10_100_000)
        var line = 0
        // Few different words keep the test short; the sentence to be found has its own.
        while text.utf8.count < 10_000_000 {
            text +=
                "Harbour log \(line % 50): calm sea and slow tide, no ship came in, and none went out again before dusk.\n\n"
            line += 1
        }
        text += "At last the zeppelin landed beside the observatory."
        let id = try await store.engine.remember(text, in: atlas).id
        let recall = try await store.engine.recall("Where did the zeppelin land? observatory", in: atlas)
        let hit = try #require(recall.first)
        #expect(
            hit.memory.id == id
                && hit.passage.text.hasSuffix("At last the zeppelin landed beside the observatory."))
        #expect(try await store.engine.content(of: hit.citation) == hit.passage.text)
        #expect(hit.memory.content.utf8.count == text.utf8.count)
    }

    @Test func `hides at once what has expired, and sweeps it later unless it is pinned`() async throws {
        let store = try ScratchStore()
        let limit = store.clock.time.advanced(by: .seconds(10))
        for isPinned in [false, true] {
            var draft = MemoryDraft("A gate code \(isPinned)")
            draft.expires = limit
            draft.isPinned = isPinned
            draft.key = "\(isPinned)"
            try await store.engine.remember(draft, in: atlas)
        }
        try await store.engine.remember("A gate without end", in: atlas)
        store.clock.advance(by: .seconds(9))
        #expect(try await store.engine.recall("gate", in: atlas).count == 3)
        store.clock.advance(by: .seconds(1))
        #expect(try await store.engine.recall("gate", in: atlas).count == 1)
        #expect(try await store.engine.list(in: atlas).memories.count == 1)
        #expect(try await store.engine.get(key: "false", in: atlas) == nil)
        #expect(try await store.engine.list(in: atlas, includesClosed: true).memories.count == 3)
        // What is said again after it expired is news.
        var draft = MemoryDraft("A gate code true")
        draft.key = "true"
        #expect(try await store.engine.remember(draft, in: atlas).isNew)
        #expect(try await store.engine.recall("gate", in: atlas).count == 2)
        #expect(try await store.engine.vacuum(in: atlas).expired == 1)
        #expect(try await store.engine.stats(in: atlas).memories == 2)
        try await store.engine.expectClean(atlas)
    }
}
