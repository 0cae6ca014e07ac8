import Testing

@testable import MemoryEngine
@testable import Store

/// Tells of each text whether it has a letter; each model of other letters.
private final class LetterEmbedder: Embedder {
    let space: EmbeddingSpace
    private let letters: [Character]
    private let state = Mutex<(isFailing: Bool, asked: [String])>((false, []))

    init(_ model: String, _ letters: String) {
        self.letters = Array(letters)
        space = EmbeddingSpace(model: model, dimension: letters.count + 1)
    }

    struct OutOfOrder: Error {}

    var asked: [String] { state.withLock { $0.asked } }
    func fail(_ isFailing: Bool) { state.withLock { $0.isFailing = isFailing } }

    func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        try inputs.map { input in
            guard case .text(let text) = input else { return [] }
            try state.withLock { state in
                if state.isFailing { throw OutOfOrder() }
                state.asked.append(text)
            }
            return [0.1] + letters.map { text.contains($0) ? 1 : 0 }
        }
    }
}

@Suite struct `Several embedding spaces of a home` {
    private let atlas = Namespace.project("atlas")
    private let old = LetterEmbedder("old", "abc")
    private let new = LetterEmbedder("new", "xyz")

    private let directory = ScratchDirectory()

    private func options(_ others: [any Embedder] = []) -> Engine.Options {
        var options = Engine.Options()
        options.quotaBytes = 1 << 30
        options.durability = .none
        options.otherEmbedders = others
        return options
    }

    private func open(_ embedder: any Embedder, _ others: [any Embedder] = []) throws -> Engine {
        try Engine.open(at: directory.path, embedder: embedder, options: options(others))
    }

    /// A store whose home has vectors of the old embedder, opened with the new one beside it.
    private func store(_ texts: [String] = ["a x", "b y", "c z"]) async throws -> Engine {
        let engine = try open(old)
        for text in texts { try await engine.remember(MemoryDraft(text), in: atlas) }
        await engine.close()
        return try open(new, [old])
    }

    private func best(_ text: String, _ engine: Engine) async throws -> String? {
        var query = RecallQuery(text, in: atlas)
        query.channels = [.vectors]
        query.limit = 1
        return try await engine.recall(query).first?.memory.content
    }

    private func counts(_ engine: Engine) async throws -> [String: UInt64] {
        try await Dictionary(
            uniqueKeysWithValues: engine.stats(in: atlas).spaces.map { ($0.space.model, $0.vectors) })
    }

    @Test func `goes on with the embedder of its vectors, until it is brought to another`() async throws {
        let engine = try await store()
        #expect(try await engine.space(of: atlas) == old.space)
        #expect(try await best("b", engine) == "b y")
        #expect(try await best("y", engine) != nil && new.asked.isEmpty)
        // A new home begins with the engine's own.
        try await engine.remember("z", in: .user("ada"))
        #expect(try await engine.space(of: .user("ada")) == new.space)
        let done = try await engine.reembed(in: atlas, into: new.space, batchCount: 2)
        #expect(done.added == 3 && done.next == nil)
        #expect(try await engine.space(of: atlas) == new.space)
        #expect(try await best("y", engine) == "b y")
        #expect(try await counts(engine) == ["old": 3, "new": 3])
        // Both can be asked by who brings vectors.
        let answer = try await engine.nearest(VectorQuery([[0, 0, 1, 0]], in: old.space), in: atlas)
        #expect(answer.hits.first?.first?.memory.content == "b y")
        // What comes now has a vector in the new one alone.
        try await engine.remember("x y z", in: atlas)
        #expect(try await counts(engine) == ["old": 3, "new": 4])
        #expect(await refusal { try await engine.dropSpace(new.space, in: atlas) }?.code == .conflict)
        #expect(try await engine.dropSpace(old.space, in: atlas) == 3)
        #expect(await refusal { try await engine.dropSpace(old.space, in: atlas) }?.code == .notFound)
        try await engine.finishIndexing(in: atlas)
        #expect(try await counts(engine) == ["new": 4])
        try await engine.expectClean(atlas)
        await engine.close()
    }

    @Test(arguments: [false, true])
    func `keeps the space of its first texts, with whichever embedders it is opened later`(
        isFailing: Bool
    ) async throws {
        var policy = options()
        policy.embedding = .whenAvailable
        let engine = try Engine.open(at: directory.path, embedder: old, options: policy)
        old.fail(isFailing)
        let first = try await engine.remember(MemoryDraft("a x"), in: atlas)
        #expect(first.missingSpaces == (isFailing ? [old.space] : []))
        #expect(first.sequence == 1)
        await engine.close()
        // Another one does not step in for it.
        let other = try open(new)
        #expect(try await other.space(of: atlas) == old.space)
        let second = try await other.remember(MemoryDraft("b y"), in: atlas)
        #expect(second.missingSpaces == [old.space] && new.asked.isEmpty)
        let recall = try await other.recall("y", in: atlas)
        #expect(recall.first?.memory.id == second.id)
        #expect(recall.leftOut.count == 1 && recall.leftOut[0].contains("no embedder of it"))
        await other.close()
        // Its own makes up for it.
        let again = try open(new, [old])
        old.fail(false)
        #expect(try await again.embed(in: atlas).added == (isFailing ? 2 : 1))
        #expect(try await best("b", again) == "b y")
        #expect(try await counts(again) == ["old": 2])
        await again.close()
    }

    @Test func `fills both while it is brought over, and asks the old one until the switch`() async throws {
        let engine = try await store(["a x", "b y", "c z", "ab", "bc"])
        var batches = 0
        try await engine.reembed(in: atlas, into: new.space, dropsOld: true, batchCount: 2) { _ in
            batches += 1
            // Without the new vectors of what comes meanwhile it would have no end.
            try #require(batches < 20)
            #expect(try await engine.space(of: atlas) == old.space)
            let stored = try await engine.remember(MemoryDraft("c while \(batches)"), in: atlas)
            #expect(stored.missingSpaces.isEmpty)
            #expect(try await best("a", engine)?.contains("a") == true)
        }
        #expect(batches >= 3)
        #expect(try await engine.space(of: atlas) == new.space)
        try await engine.finishIndexing(in: atlas)
        #expect(try await counts(engine) == ["new": UInt64(5 + batches)])
        // Each text was asked for once.
        #expect(Set(new.asked.filter { $0.contains("while") }).count == batches)
        try await engine.expectClean(atlas)
        await engine.close()
    }

    @Test func `goes on after a failure, and embeds what could not be meanwhile`() async throws {
        let engine = try await store()
        new.fail(true)
        #expect(await refusal { try await engine.reembed(in: atlas, into: new.space) }?.code == .embedder)
        #expect(try await engine.space(of: atlas) == old.space)
        // The other embedder is no reason to refuse what the home's own can embed.
        #expect(try await engine.remember("b b", in: atlas).missingSpaces.isEmpty)
        #expect(try await counts(engine) == ["old": 4])
        #expect(await refusal { try await engine.useSpace(new.space, in: atlas) }?.code == .conflict)
        new.fail(false)
        #expect(try await engine.reembed(in: atlas, into: new.space).added == 4)
        #expect(try await counts(engine) == ["old": 4, "new": 4])
        // And back again, where nothing is missing but what came since.
        try await engine.remember("y", in: atlas)
        #expect(try await engine.reembed(in: atlas, into: old.space).added == 1)
        #expect(try await engine.space(of: atlas) == old.space)
        await engine.close()
    }

    @Test func `says which vectors only a caller can give`() async throws {
        let engine = try await store()
        var picture = MemoryDraft("")
        picture.attachments = [.data([1, 2, 3], name: "deploy.png")]
        picture.embeddings = [Embedding([0, 1, 0, 0], in: old.space)]
        let stored = try await engine.remember(picture, in: atlas)
        let error = await refusal { try await engine.reembed(in: atlas, into: new.space) }
        #expect(error?.code == .conflict && error?.message.contains("no text") == true)
        #expect(try await engine.space(of: atlas) == old.space)
        try await engine.addEmbeddings([Embedding([0, 1, 0, 0], in: new.space)], to: stored.id, in: atlas)
        try await engine.reembed(in: atlas, into: new.space)
        #expect(try await engine.space(of: atlas) == new.space)
        await engine.close()
    }

    @Test func `refuses what cannot be`() async throws {
        let engine = try await store()
        let unknown = EmbeddingSpace(model: "unknown", dimension: 3)
        #expect(await refusal { try await engine.reembed(in: atlas, into: unknown) }?.code == .invalid)
        let session = Namespace.project("atlas").session("s")
        #expect(
            await refusal { try await engine.reembed(in: session, into: new.space) }?.code
                == .invalidNamespace)
        #expect(
            await refusal { try await engine.reembed(in: .project("none"), into: new.space) }?.code
                == .notFound)
        let error = #expect(throws: EngineError.self) { try open(old, [old]) }
        #expect(error?.code == .invalid)
        await engine.close()
        // Where the home's space has no embedder, words do the work, and the recall says so, once to who looks after it.
        let told = Mutex<[String]>([])
        var reasons = options()
        reasons.absence = { "set KEY for \($0.model)" }
        reasons.warn = { words in told.withLock { $0.append(words) } }
        let advised = try Engine.open(at: directory.path, embedder: new, options: reasons)
        try await advised.useSpace(old.space, in: atlas)
        let advice = try await advised.recall(RecallQuery("b", in: atlas)).leftOut
        #expect(advice == ["project/atlas: vectors in \(old.space.name): set KEY for old"])
        #expect(
            await refusal { try await advised.embed(in: atlas) }?.message.contains("set KEY for old") == true)
        await advised.close()
        #expect(told.withLock { $0.isEmpty })
        // A server's settings are no matter of those who ask it.
        reasons.warnsOfAbsence = true
        let watched = try Engine.open(at: directory.path, embedder: new, options: reasons)
        for _ in 0..<2 {
            let leftOut = try await watched.recall(RecallQuery("b", in: atlas)).leftOut
            #expect(
                leftOut == ["project/atlas: vectors in \(old.space.name): the engine has no embedder of it"])
        }
        #expect(told.withLock { $0.filter { $0.contains("set KEY for old; words answer") }.count } == 1)
        await watched.close()
        let other = try open(new)
        try await other.useSpace(old.space, in: atlas)
        let recall = try await other.recall(RecallQuery("b", in: atlas))
        #expect(
            recall.leftOut.contains { $0.contains("no embedder of it") }
                && recall.first?.memory.content == "b y")
        #expect(try await other.remember("b z", in: atlas).missingSpaces == [old.space])
        for space in [
            EmbeddingSpace(model: "m", dimension: 0), EmbeddingSpace(model: "a@b", dimension: 2),
            EmbeddingSpace(model: "", dimension: 2),
        ] {
            #expect(await refusal { try await other.useSpace(space, in: atlas) }?.code == .invalid)
        }
        #expect(try await other.space(of: atlas) == old.space)
        #expect(new.asked.isEmpty)
        await other.close()
    }

    @Test func `are the same where the mutations are replayed`() async throws {
        let engine = try await store()
        let copy = try ScratchStore(embedder: old)
        for text in ["a x", "b y", "c z"] { try await copy.engine.remember(MemoryDraft(text), in: atlas) }
        let log = RecordedMutations()
        try await engine.observeMutations(of: atlas) { log.append($0) }
        // Ids differ, so what is replayed is remembered here too.
        try await engine.forget(.filter(.session(nil)), under: atlas)
        try await copy.engine.forget(.filter(.session(nil)), under: atlas)
        try await engine.useSpace(old.space, in: atlas)
        for text in ["a x", "b y"] { try await engine.remember(MemoryDraft(text), in: atlas) }
        try await engine.reembed(in: atlas, into: new.space, dropsOld: true)
        for bytes in log.all.dropFirst() {
            var mutation = try Mutation(decoding: bytes.span.bytes)
            #expect(mutation.encode() == bytes)
            mutation.prepare(Analyzer())
            let ready = mutation
            try await copy.engine.withExistingHome(of: atlas) { _ = try await $0.apply(ready) }
        }
        #expect(try await copy.engine.exported(atlas) == engine.exported(atlas))
        #expect(try await copy.engine.space(of: atlas) == new.space)
        try await copy.engine.finishIndexing(in: atlas)
        let left = try await counts(copy.engine)
        #expect(left == ["new": 2], "\(left)")
        try await copy.engine.expectClean(atlas)
        await engine.close()
        await copy.engine.close()
    }
}
