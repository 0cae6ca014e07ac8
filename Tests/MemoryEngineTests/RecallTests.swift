// A test may stop where a value that it made is missing.
// swift-format-ignore-file: NeverForceUnwrap

import Testing

@testable import MemoryEngine
@testable import Store

/// An embedder that answers when it is told to, or never: it waits until it is cancelled.
final class WaitingEmbedder: Embedder {
    let space = EmbeddingSpace(model: "waiting", dimension: 2)
    private let waiting = Mutex<(isCancelled: Bool, continuation: CheckedContinuation<Void, any Error>?)>(
        (false, nil))

    func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        guard purpose == .query else { return inputs.map { _ in [1, 0] } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isCancelled = waiting.withLock { state in
                    if !state.isCancelled { state.continuation = continuation }
                    return state.isCancelled
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            let continuation = waiting.withLock { state in
                state.isCancelled = true
                return state.continuation.take()
            }
            continuation?.resume(throwing: CancellationError())
        }
        return inputs.map { _ in [1, 0] }
    }
}

/// An embedder that gives what a closure makes.
struct ScriptedEmbedder: Embedder {
    var space = EmbeddingSpace(model: "scripted", dimension: 2)
    var limits = EmbedderLimits(maximumBatchCount: 3)
    let script: @Sendable ([EmbeddingInput]) throws -> [[Float]]

    func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        try script(inputs)
    }
}

extension RecallWeights {
    fileprivate static func + (weights: RecallWeights, more: Double) -> RecallWeights {
        var sum = weights
        sum.session += more
        return sum
    }
}

@Suite struct `A recall` {
    let atlas = Namespace.project("atlas")

    @Test func `of an earlier time scores as it did then, though nothing current is like it`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        var drafts = (0..<40).map { MemoryDraft("The menu of day \($0) has soup and bread") }
        drafts.append(MemoryDraft("The zulu valve burst at the plant"))
        let ids = try await engine.remember(drafts, in: atlas).map { try $0.get().id }
        var query = RecallQuery("Did the zulu valve burst?", in: atlas)
        query.limit = 1
        let before = try #require(try await engine.recall(query).first)
        #expect(before.memory.id == ids[40])
        let then = store.clock.time
        store.clock.advance(by: .seconds(60))
        let new = try await engine.remember("Nothing happened.", in: atlas).id
        try await engine.supersede(ids[40], by: new, in: atlas)
        for isValidity in [false, true] {
            query.asOf = isValidity ? nil : then
            query.validAt = isValidity ? then : nil
            let recall = try await engine.recall(query)
            let after = try #require(recall.first)
            #expect(after.memory.id == ids[40] && recall.isRankedWithTodaysStatistics)
            #expect(abs(after.score - before.score) < 0.3 * before.score, "\(before.score), \(after.score)")
        }
    }

    @Test func `of many words scores what is not folded as what is`() async throws {
        let store = try ScratchStore()
        let words = (0..<60).map { "word\($0)" }
        for start in stride(from: 0, to: 60, by: 4) {
            try await store.engine.remember(
                words[start..<start + 4].joined(separator: " ") + " " + words[0], in: atlas)
        }
        var query = RecallQuery(words.joined(separator: " "), in: atlas)
        query.channels = [.words]
        query.limit = 20
        let before = try await store.engine.recall(query).hits
        try await store.engine.fold(atlas)
        let after = try await store.engine.recall(query).hits
        #expect(before.count == 15 && before.map(\.memory.id) == after.map(\.memory.id))
        for (a, b) in zip(before, after) { #expect(abs(a.score - b.score) < 1e-6) }
    }

    @Test func `fuses by ranks where that is asked for`() async throws {
        let store = try ScratchStore()
        let space = EmbeddingSpace(model: "test", dimension: 2)
        // By words: one, two; by vectors: three, one.
        for (content, vector) in [
            ("pump pump broke", [0.8, 0.6]), ("the pump of plant four was new", [-1, 0]), ("silent", [1, 0]),
            ("other", [-0.9, 0.4]),
        ] as [(String, [Float])] {
            var draft = MemoryDraft(content)
            draft.embeddings = [Embedding(vector, in: space)]
            try await store.engine.remember(draft, in: atlas)
        }
        var query = RecallQuery("pump", in: atlas)
        query.embeddings = [Embedding([1, 0], in: space)]
        query.fusion = .ranks
        query.lexicalWeight = 0.5
        query.channels = [.words, .vectors]
        let hits = try await store.engine.recall(query).hits
        #expect(
            hits.map(\.memory.content).prefix(2) == ["pump pump broke", "the pump of plant four was new"])
        #expect(hits.first?.parts.words == 0.5)
        #expect(hits.first?.parts.vectors == 0.5 * 61 / 62)
        for hit in hits { #expect(abs(hit.parts.sum - hit.score) < 1e-9) }
        query.channels = [.vectors]
        #expect(
            try await store.engine.recall(query).hits.map(\.score) == [
                61.0 / 61, 61.0 / 62, 61.0 / 63, 61.0 / 64,
            ])
    }

    @Test func `asks several namespaces, each with its weight`() async throws {
        let store = try ScratchStore()
        let user = Namespace.user("u")
        for home in [atlas, user] {
            for filler in ["alpha", "beta", "gamma", "delta"] {
                try await store.engine.remember("\(filler) report", in: home)
            }
            try await store.engine.remember("zeppelin report of \(home)", in: home)
        }
        try await store.engine.remember("zeppelin in a session", in: atlas.session("s"))
        func contents(_ weights: [Namespace: Double]) async throws -> [String] {
            try await store.engine.recall(RecallQuery("zeppelin", in: weights)).filter { $0.score > 0 }.map(
                \.memory.content)
        }
        #expect(try await contents([atlas: 1, user: 0.1]).first != "zeppelin report of user/u")
        #expect(try await contents([atlas: 0.1, user: 1]).first == "zeppelin report of user/u")
        #expect(try await contents([atlas.session("s"): 1]) == ["zeppelin in a session"])
        #expect(try await contents([atlas.session("s"): 1, atlas: 0.01]).first == "zeppelin in a session")
        #expect(try await contents([atlas.session("t"): 1]) == [])
        let recall = try await store.engine.recall(
            RecallQuery("zeppelin", in: [atlas: 1, .project("none"): 1]))
        #expect(recall.leftOut == ["project/none: there is no such home"])
        #expect(recall.sequences.keys.map(\.description) == ["project/atlas"])
    }

    @Test func `refuses what is out of its limits`() async throws {
        let store = try ScratchStore()
        try await store.engine.remember("one", in: atlas)
        let changes: [@Sendable (inout RecallQuery) -> Void] = [
            { $0.limit = 0 }, { $0.limit = 1_001 }, { $0.namespaces = [:] }, { $0.k1 = -1 }, { $0.b = 1.5 },
            { $0.b = .nan },
            { $0.lexicalWeight = 2 }, { $0.namespaces = [.project("atlas"): .infinity] },
            { $0.namespaces = [.project("atlas"): 0] }, { $0.weights = RecallWeights() + 101 },
            { $0.weights = RecallWeights() + .nan }, { $0.text = String(repeating: "a", count: 70_000) },
            { $0.atLeast = 99 },
            { query in
                query.namespaces = Dictionary(uniqueKeysWithValues: (0..<65).map { (.project("p\($0)"), 1) })
            },
        ]
        for change in changes {
            var query = RecallQuery("one", in: atlas)
            change(&query)
            let asked = query
            let code = await refusal { try await store.engine.recall(asked) }?.code
            #expect(code == .invalid || code == .tooLarge)
        }
        for text in ["", "?", "*", "the", "🙂", String(repeating: "(", count: 60_000), "a\u{0}b"] {
            _ = try await store.engine.recall(text, in: atlas)
        }
    }

    @Test func `leaves vectors out when the embedder is not ready by the deadline`() async throws {
        let store = try ScratchStore(embedder: WaitingEmbedder())
        try await store.engine.remember("the harbour is closed", in: atlas)
        var query = RecallQuery("harbour", in: atlas)
        query.deadline = .milliseconds(1)
        let recall = try await store.engine.recall(query)
        #expect(recall.count == 1)
        #expect(recall.leftOut == ["vectors: the embedder was not ready by the deadline"])
    }

    @Test func `embeds passages in batches, and questions`() async throws {
        let sizes = Mutex<[Int]>([])
        let store = try ScratchStore(
            embedder: ScriptedEmbedder { inputs in
                sizes.withLock { $0.append(inputs.count) }
                return inputs.map { input in
                    guard case .text(let text) = input else { return [0, 1] }
                    return text.contains("sea") ? [1, 0] : [0, 1]
                }
            })
        let results = try await store.engine.remember(
            ["the sea", "a hill", "sea salt", "a field"], in: atlas)
        #expect(sizes.withLock { $0 } == [3, 1])
        let id = try results[0].get().id
        #expect(try await store.engine.embeddings(of: id, in: atlas).map(\.vector) == [[1, 0]])
        #expect(
            try await store.engine.recall("sea", in: atlas).prefix(2).allSatisfy {
                $0.memory.content.contains("sea")
            })
        // Other content gets another vector, other tags do not.
        try await store.engine.update(id, in: atlas) { $0.tags = ["t"] }
        #expect(sizes.withLock { $0.count } == 3)
        try await store.engine.update(id, in: atlas) { $0.content = "dry land" }
        #expect(try await store.engine.embeddings(of: id, in: atlas).map(\.vector) == [[0, 1]])
    }

    @Test(arguments: [[[Float]](), [[1, 0], [1, 0]], [[1]], [[.nan, 1]], [[0, 0]]])
    func `stores nothing when the embedder gives what is no vector for each input`(
        answer: [[Float]]
    ) async throws {
        let store = try ScratchStore(embedder: ScriptedEmbedder { _ in answer })
        let code = await refusal { try await store.engine.remember("text", in: atlas) }?.code
        #expect(code == .embedder || code == .invalidVector)
        #expect(try await store.engine.list(in: atlas).memories.isEmpty)
    }

    @Test func `is not possible with an embedder whose space has a name of another one`() async throws {
        let space = EmbeddingSpace(model: "model@latest", dimension: 2)
        let error = await refusal {
            try ScratchStore(embedder: ScriptedEmbedder(space: space) { _ in [] }).engine
        }
        #expect(error?.code == .invalid)
    }

    @Test func `keeps a receipt when asked to, and an outcome against it`() async throws {
        let store = try ScratchStore()
        let id = try await store.engine.remember("the answer is 42", in: atlas).id
        var query = RecallQuery("answer", in: [atlas: 1, .user("none"): 0.5])
        let silent = try await store.engine.recall(query)
        #expect(
            await refusal { try await store.engine.record(.success, of: silent.id, in: atlas) }?.code
                == .notFound)
        query.keepReceipt = true
        let recall = try await store.engine.recall(query)
        try await store.engine.record(.success, of: recall.id, in: atlas)
        let receipt = try #require(
            try await store.engine.read(in: atlas) { try Lookup.receipt(recall.id, in: $0) } ?? nil)
        #expect(receipt.outcome == .success && receipt.query == "answer" && receipt.principal == "tester")
        #expect(receipt.items.map(\.id) == [id] && receipt.items[0].namespace == "project/atlas")
        #expect(try await store.engine.stats(in: atlas).receipts == 1)
        try await store.engine.expectClean(atlas)
        try await store.engine.forget(.id(id), under: atlas)
        #expect(
            await refusal { try await store.engine.record(.failure, of: recall.id, in: atlas) }?.code
                == .notFound)
        #expect(try await store.engine.stats(in: atlas).receipts == 0)
    }

    @Test func `cites the words that it gives, and they stay after an update`() async throws {
        let store = try ScratchStore { $0.passageByteCount = 64 }
        let text = "The first paragraph is about ships.\n\nThe second one is about a zeppelin over the bay."
        let id = try await store.engine.remember(text, in: atlas).id
        let hit = try #require(try await store.engine.recall("zeppelin", in: atlas).first)
        #expect(
            hit.passage.part == 1 && hit.passage.text == "The second one is about a zeppelin over the bay.")
        try await store.engine.update(id, in: atlas) { $0.content = "Nothing of it." }
        #expect(try await store.engine.content(of: hit.citation) == hit.passage.text)
        try await store.engine.forget(.id(id), under: atlas)
        #expect(await refusal { try await store.engine.content(of: hit.citation) }?.code == .notFound)
    }
}
