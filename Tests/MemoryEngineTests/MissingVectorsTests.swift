import Testing

@testable import MemoryEngine
@testable import Store

/// Two numbers of a text, from an embedder that can be out of order.
final class FlakyEmbedder: Embedder {
    let space = EmbeddingSpace(model: "flaky", dimension: 3, metric: .innerProduct)
    let limits = EmbedderLimits(maximumBatchCount: 7)
    private let state = Mutex<(callsUntilFailure: Int?, asked: [String])>((nil, []))

    struct OutOfOrder: Error {}

    /// `nil` = never.
    func fail(after calls: Int?) { state.withLock { $0.callsUntilFailure = calls } }
    /// The texts that were asked for.
    var asked: [String] { state.withLock { $0.asked } }

    static func vector(_ text: String) -> [Float] {
        [1, Float(text.utf8.count), Float(text.utf8.reduce(0) { $0 &+ Int($1) })]
    }

    func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        try state.withLock { state in
            if let calls = state.callsUntilFailure {
                guard calls > 0 else { throw OutOfOrder() }
                state.callsUntilFailure = calls - 1
            }
            for case .text(let text) in inputs { state.asked.append(text) }
        }
        return inputs.map {
            guard case .text(let text) = $0 else { return [] }
            return Self.vector(text)
        }
    }
}

/// Refuses whole calls with a text that is too long for it.
final class PickyEmbedder: Embedder {
    let space: EmbeddingSpace
    let limits: EmbedderLimits
    private let code: EngineError.Code
    private let isTransient: Bool
    private let state = Mutex<(off: Range<Int>, calls: [[String]])>((0..<0, []))

    init(
        _ code: EngineError.Code, atMost count: Int = 256, model: String = "picky", isTransient: Bool = false
    ) {
        (self.code, self.isTransient) = (code, isTransient)
        space = EmbeddingSpace(model: model, dimension: 3, metric: .innerProduct)
        limits = EmbedderLimits(maximumBatchCount: count)
    }

    var callCount: Int { calls.count }
    /// The texts of each call.
    var calls: [[String]] { state.withLock { $0.calls } }
    /// It fails at these calls, from now on by default.
    func turnOff(during calls: Range<Int>? = nil) {
        state.withLock { $0.off = calls ?? $0.calls.count..<Int.max }
    }

    func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        let texts = inputs.map { if case .text(let text) = $0 { text } else { "" } }
        let isOff = state.withLock { state in
            state.calls.append(texts)
            return state.off.contains(state.calls.count - 1)
        }
        if isOff { throw EngineError(.embedder, "it is off") }
        if texts.contains(where: { $0.contains("long") }) {
            throw EngineError(code, "more tokens than there may be", isTransient: isTransient)
        }
        return texts.map { FlakyEmbedder.vector($0) }
    }
}

@Suite struct `Vectors that come later` {
    let atlas = Namespace.project("atlas")

    @Test(arguments: [EngineError.Code.embedder, .tooLarge, .invalid])
    func `come to all others where a text is refused, which is told`(code: EngineError.Code) async throws {
        let embedder = PickyEmbedder(code)
        let told = Mutex<[String]>([])
        let store = try ScratchStore(embedder: embedder) {
            $0.embedding = .later
            $0.warn = { text in told.withLock { $0.append(text) } }
        }
        var refused: [MemoryID] = []
        for number in 0..<40 {
            let isLong = number == 13 || number == 38
            let id = try await store.engine.remember(
                "Text \(number)\(isLong ? ", a long one" : "")", in: atlas
            ).id
            if isLong { refused.append(id) }
        }
        let done = try await store.engine.embed(in: atlas)
        #expect(done.added == 38 && done.skipped == 2)
        #expect(try await store.engine.missingSpaces(in: atlas) == [embedder.space: 2])
        let lines = told.withLock { $0 }
        #expect(
            lines.count == 2
                && zip(lines, refused).allSatisfy { $0.contains("\($1)") && $0.contains("tokens") })
        // All at once, halves of halves around two, and one that it takes before them and behind each.
        #expect(embedder.callCount <= 1 + 2 * 12 + 3, "\(embedder.callCount)")
        // Alone they are refused as well, and where it takes nothing they are not to blame.
        #expect(try await store.engine.embed(in: atlas).skipped == 2)
        embedder.turnOff()
        let error = await refusal { try await store.engine.embed(in: atlas) }
        #expect(error?.code == .embedder && error?.message.contains("it is off") == true)
        #expect(told.withLock { $0.count } == 4)
    }

    private static let withLongOnes = ["one", "two", "a long one", "four", "five", "another long one"]

    @Test(arguments: [EngineError.Code.embedder, .tooLarge, .invalid], [2, 256])
    func `are wanted now where a text is refused: it is left out, or names itself and nothing is stored`(
        code: EngineError.Code, batchCount: Int
    ) async throws {
        let embedder = PickyEmbedder(code, atMost: batchCount)
        let store = try ScratchStore(embedder: embedder)
        let drafts = Self.withLongOnes.map { MemoryDraft($0) }
        let error = await refusal { try await store.engine.remember(drafts, in: atlas) }
        #expect(error?.code == (code == .embedder ? .invalid : code))
        #expect(error?.message.hasPrefix("draft 3: picky/3/innerProduct refuses the text: more") == true)
        #expect(error?.draft?.place == 2)
        #expect(try await store.engine.list(in: atlas).memories.isEmpty)
        let results = try await store.engine.remember(drafts, in: atlas, onError: .skip)
        #expect(
            results.map { if case .success = $0 { true } else { false } } == [
                true, true, false, true, true, false,
            ])
        #expect(try await store.engine.list(in: atlas).memories.count == 4)
        #expect(try await store.engine.missingSpaces(in: atlas).isEmpty)
        // One alone is no other case, and where nothing is left nothing is written.
        let alone = await refusal { try await store.engine.remember("long", in: atlas) }
        #expect(alone?.message.hasPrefix("picky/3/innerProduct refuses") == true)
        #expect(try await store.engine.remember([drafts[2]], in: atlas, onError: .skip).count == 1)
        #expect(try await store.engine.stats(in: atlas).memories == 4)
    }

    @Test func `are no refusal where the failure may pass, as one of a quota of a minute`() async throws {
        let embedder = PickyEmbedder(.embedder, isTransient: true)
        let store = try ScratchStore(embedder: embedder)
        let drafts = Self.withLongOnes.map { MemoryDraft($0) }
        let error = await refusal {
            try await store.engine.remember(drafts, in: atlas, onError: .skip)
        }
        #expect(error?.code == .embedder && error?.isTransient == true && embedder.callCount == 1)
        #expect(try await store.engine.list(in: atlas).memories.isEmpty)
    }

    @Test func `are asked of other embedders only for what is stored`() async throws {
        let (embedder, other) = (PickyEmbedder(.invalid), PickyEmbedder(.invalid, model: "second"))
        let store = try ScratchStore(embedder: embedder) { $0.fallbackEmbedder = other }
        let drafts = Self.withLongOnes.map { MemoryDraft($0) }
        _ = await refusal { try await store.engine.remember(drafts, in: atlas) }
        #expect(other.callCount == 0)
        _ = try await store.engine.remember(drafts, in: atlas, onError: .skip)
        #expect(other.calls == [["one", "two", "four", "five"]])
        #expect(try await store.engine.missingSpaces(in: atlas).isEmpty)
    }

    @Test func `are no refusal where the embedder fails amid the search for what it refuses`() async throws {
        let drafts = Self.withLongOnes.map { MemoryDraft($0) }
        let whole = PickyEmbedder(.embedder)
        let done = try ScratchStore(embedder: whole)
        _ = try await done.engine.remember(drafts, in: atlas, onError: .skip)
        #expect(whole.callCount > 6)
        for calls in 0..<whole.callCount {
            let embedder = PickyEmbedder(.embedder)
            let store = try ScratchStore(embedder: embedder)
            embedder.turnOff(during: calls..<Int.max)
            let error = await refusal {
                try await store.engine.remember(drafts, in: atlas, onError: .skip)
            }
            #expect(error?.code == .embedder, "\(calls)")
            #expect(try await store.engine.list(in: atlas).memories.isEmpty)
            // What was begun belongs to no embedder: the next one has it for its own.
            await store.engine.close()
            let other = FlakyEmbedder()
            let engine = try Engine.open(at: store.directory.path, embedder: other, options: store.options)
            _ = try await engine.remember(drafts, in: atlas)
            #expect(try await engine.space(of: atlas) == other.space)
            #expect(try await engine.missingSpaces(in: atlas).isEmpty)
            await engine.close()
        }
    }

    @Test(arguments: 1...12, [withLongOnes, ["short"], ["long"]])
    func `are no refusal where the embedder comes back amid the search for what it refuses`(
        calls: Int, texts: [String]
    ) async throws {
        let embedder = PickyEmbedder(.embedder)
        let store = try ScratchStore(embedder: embedder)
        embedder.turnOff(during: 0..<calls)
        let drafts = texts.map { MemoryDraft($0) }
        do {
            let results = try await store.engine.remember(drafts, in: atlas, onError: .skip)
            for (text, result) in zip(texts, results) {
                if case .failure = result {
                    #expect(text.contains("long"))
                } else {
                    #expect(!text.contains("long"))
                }
            }
            #expect(calls == 1)
        } catch let error as EngineError {
            #expect(error.code == .embedder && calls > 1)
        }
    }

    /// All passages that lack a vector, in pages of three.
    private func lacking(
        _ space: EmbeddingSpace, _ engine: Engine, in namespace: Namespace, includesClosed: Bool = false,
        filter: Filter? = nil
    ) async throws -> [UnembeddedPassage] {
        var passages: [UnembeddedPassage] = []
        var cursor: String?
        repeat {
            let page = try await engine.passages(
                lacking: space, in: namespace, filter: filter, includesClosed: includesClosed, after: cursor,
                limit: 3)
            #expect(page.passages.count == 3 || page.next == nil)
            passages += page.passages
            cursor = page.next
        } while cursor != nil
        return passages
    }

    @Test(arguments: EmbeddingPolicy.allCases)
    func `are told as missing where the policy lets them be`(policy: EmbeddingPolicy) async throws {
        let embedder = FlakyEmbedder()
        let store = try ScratchStore(embedder: embedder) { $0.embedding = policy }
        var draft: MemoryDraft = "The deploy failed"
        draft.key = "k"
        let keyed = draft
        let first = try await store.engine.remember(draft, in: atlas)
        #expect(first.missingSpaces == (policy == .later ? [embedder.space] : []))
        embedder.fail(after: 0)
        // What is known already is looked up.
        if policy != .required {
            #expect(try await store.engine.remember(keyed, in: atlas).missingSpaces == first.missingSpaces)
            let second = try await store.engine.remember("The cache is stale", in: atlas)
            #expect(second.missingSpaces == [embedder.space])
            let changed = try await store.engine.update(first.id, in: atlas) { $0.content += "." }
            #expect(changed.version == 2 && changed.missingSpaces == [embedder.space])
            #expect(try await store.engine.recall("cache", in: atlas, wordsOnly: true) == [second.id])
        } else {
            #expect(
                await refusal { try await store.engine.remember("The cache is stale", in: atlas) }?.code
                    == .embedder)
        }
        embedder.fail(after: nil)
        let done = try await store.engine.embed(in: atlas)
        #expect(done.added == (policy == .required ? 0 : 2) && done.obsolete == 0 && done.next == nil)
        #expect(try await store.engine.missingSpaces(in: atlas).isEmpty)
        #expect(
            try await store.engine.remember(keyed.with("The deploy failed."), in: atlas).missingSpaces == [])
        try await store.engine.expectClean(atlas)
    }

    @Test(arguments: [false, true])
    func `are listed passage by passage, and added in bounded batches that can be taken up again`(
        isFolded: Bool
    ) async throws {
        let store = try ScratchStore { $0.passageByteCount = 64 }
        var drafts = (0..<20).map { MemoryDraft("number \($0)") }
        drafts.append(MemoryDraft(String(repeating: "A sentence of a long text. ", count: 12)))
        drafts[3].expires = store.clock.time.advanced(by: .seconds(5))
        drafts[4].tags = ["few"]
        var ids: [MemoryID] = []
        for result in try await store.engine.remember(drafts, in: atlas) { ids.append(try result.get().id) }
        let inSession = try await store.engine.remember("in a session", in: atlas.session("s")).id
        try await store.engine.update(ids[5], in: atlas) { $0.content = "changed" }
        try await store.engine.forget(.id(ids[6]), under: atlas)
        if isFolded { try await store.engine.fold(atlas) }
        store.clock.advance(by: .seconds(5))
        await store.engine.close()

        let embedder = FlakyEmbedder()
        let engine = try Engine.open(at: store.directory.path, embedder: embedder, options: store.options)
        let space = embedder.space
        let all = try await lacking(space, engine, in: atlas)
        let texts = all.map(\.text)
        #expect(!texts.contains("number 3") && !texts.contains("number 5") && !texts.contains("number 6"))
        #expect(texts.filter { $0.hasPrefix("number") }.count == 17 && texts.contains("changed"))
        #expect(
            all.filter { $0.id == ids[20] }.map(\.part) == Array(0..<all.filter { $0.id == ids[20] }.count))
        #expect(try await lacking(space, engine, in: atlas.session("s")).map(\.id) == [inSession])
        #expect(try await lacking(space, engine, in: atlas, filter: .tag("few")).map(\.id) == [ids[4]])
        let closed = try await lacking(space, engine, in: atlas, includesClosed: true)
        #expect(closed.contains { $0.text == "number 5" } && closed.contains { $0.text == "number 3" })
        #expect(try await engine.missingSpaces(in: atlas) == [space: all.count])

        // The second batch fails: the first is stored, and only the rest is asked for again.
        embedder.fail(after: 2)
        let error = await refusal { try await engine.embed(in: atlas, batchCount: 10) }
        #expect(error?.code == .embedder)
        #expect(try await engine.missingSpaces(in: atlas) == [space: all.count - 10])
        embedder.fail(after: nil)
        let progress = Mutex<[Int]>([])
        let done = try await engine.embed(in: atlas, batchCount: 10) { step in
            progress.withLock { $0.append(step.added) }
        }
        #expect(done.added == all.count - 10 && done.next == nil && done.skipped == 0)
        let steps = progress.withLock { $0 }
        #expect(steps.first == 10 && steps.last == all.count - 10)
        #expect(embedder.asked.sorted() == texts.sorted())
        #expect(try await lacking(space, engine, in: atlas).isEmpty)
        for passage in all {
            let embeddings = try await engine.embeddings(of: passage.id, in: atlas)
            #expect(
                embeddings.first { $0.part == passage.part }?.vector == FlakyEmbedder.vector(passage.text))
        }
        // Closed versions come on request.
        #expect(try await engine.embed(in: atlas, includesClosed: true).added == 2)
        try await engine.expectClean(atlas)
        try await engine.fold(atlas)
        try await engine.rebuild(in: atlas)
        try await engine.expectClean(atlas)
        #expect(try await engine.missingSpaces(in: atlas).isEmpty)
        await engine.close()
    }

    @Test func `are added by callers with a model of their own, and checked`() async throws {
        let store = try ScratchStore { $0.passageByteCount = 64 }
        let engine = store.engine
        let space = EmbeddingSpace(model: "own", dimension: 2)
        let long = String(repeating: "A sentence of a long text. ", count: 12)
        let id = try await engine.remember(MemoryDraft(long), in: atlas).id
        let parts = try await engine.passages(lacking: space, in: atlas).passages
        #expect(parts.count > 2)
        let done = try await engine.addEmbeddings(
            parts.map { AddedEmbeddings([1, Float($0.part)], in: space, to: $0) }, in: atlas)
        #expect(done.added == parts.count)
        #expect(
            try await engine.embeddings(of: id, in: atlas).map(\.vector) == parts.map { [1, Float($0.part)] })
        // The first one stays.
        #expect(
            try await engine.addEmbeddings([Embedding([5, 5], in: space, part: 0)], to: id, in: atlas) == 0)
        #expect(try await engine.embeddings(of: id, in: atlas)[0].vector == [1, 0])
        // All of it is one change, and one commit.
        var changes: [Change] = []
        for try await change in engine.changes(in: atlas, upToNow: true) { changes.append(change) }
        #expect(changes.map(\.kind) == [.remembered, .embedded] && changes[1].version == 1)

        let wrong: [(Embedding, EngineError.Code)] = [
            (Embedding([1], in: space, part: 0), .invalidVector),
            (Embedding([1, .nan], in: space, part: 0), .invalidVector),
            (Embedding([1, 2], in: space), .invalidVector),
            (Embedding([1, 2], in: space, part: 99), .invalidVector),
            (Embedding([0, 0], in: space, part: 1), .invalidVector),
        ]
        for (embedding, code) in wrong {
            let error = await refusal { try await engine.addEmbeddings([embedding], to: id, in: atlas) }
            #expect(error?.code == code)
        }
        #expect(
            await refusal {
                try await engine.addEmbeddings(
                    [Embedding([1, 2], in: space)], to: MemoryID(rawValue: 1), in: atlas)
            }?.code == .notFound)
        #expect(await refusal { try await engine.embed(in: atlas) }?.code == .invalid)
        #expect(
            await refusal { try await engine.passages(lacking: space, in: atlas, after: "x.1") }?.code
                == .invalid)
        #expect(
            await refusal { try await engine.passages(lacking: space, in: atlas, limit: 0) }?.code == .invalid
        )
        try await engine.expectClean(atlas)
    }

    @Test func `give way to what was forgotten, moved or replaced meanwhile`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let space = EmbeddingSpace(model: "own", dimension: 2)
        for text in ["forgotten", "changed", "retagged", "stays", "moved"] {
            try await engine.remember(MemoryDraft(text), in: text == "moved" ? atlas.session("s") : atlas)
        }
        let passages = try await engine.passages(lacking: space, in: atlas).passages
        try await engine.forget(.id(passages[0].id), under: atlas)
        try await engine.update(passages[1].id, in: atlas) { $0.content = "other words" }
        try await engine.update(passages[2].id, in: atlas) { $0.tags = ["new"] }
        let done = try await engine.addEmbeddings(
            passages.map { AddedEmbeddings([1, 2], in: space, to: $0) }, in: atlas)
        #expect(done.added == 4 && done.obsolete == 1)
        // What follows a version lacks its vector, and is found by the next look.
        let left = try await engine.passages(lacking: space, in: atlas).passages
        #expect(Set(left.map(\.text)) == ["other words", "retagged"] && left.allSatisfy { $0.version == 2 })
        #expect(
            try await engine.addEmbeddings(
                left.map { AddedEmbeddings([3, 4], in: space, to: $0) }, in: atlas
            )
            .added == 2)
        #expect(
            try await engine.addEmbeddings(
                [AddedEmbeddings([1, 2], in: space, to: passages[4])], in: atlas.session("other")
            ).obsolete == 1)
        try await engine.expectClean(atlas)
        let erasure = try await engine.forget(.filter(.session(nil)), under: atlas)
        #expect(erasure.counts["vectors"] == 5)
        try await engine.expectClean(atlas)
    }

    @Test func `stay when a version follows that was begun before they came`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let space = EmbeddingSpace(model: "own", dimension: 2)
        let id = try await engine.remember("the same words", in: atlas).id
        // The change is made between the look at the memory and the write.
        let atlas = atlas
        let home = try #require(try await engine.withHome(of: atlas, creating: false) { $0 })
        let preparation = engine.preparation(for: home)
        var version = try preparation.prepare(MemoryDraft("the same words"), id: id, in: atlas)
        version.fields.tags = ["later"]
        version.prepare(Analyzer())
        try await engine.addEmbeddings([Embedding([1, 2], in: space)], to: id, in: atlas)
        _ = try await home.apply(
            Mutation(
                operation: 7, time: store.clock.time.microseconds,
                changes: [
                    .update(id, expecting: 1, version)
                ]))
        #expect(try await engine.get(id, in: atlas)?.tags == ["later"])
        #expect(try await engine.embeddings(of: id, in: atlas).map(\.vector) == [[1, 2]])
        try await engine.expectClean(atlas)
    }

    @Test func `are the same after a replay, and come with an export to a memory that is there`() async throws
    {
        let store = try ScratchStore { $0.passageByteCount = 64 }
        let engine = store.engine
        try await engine.remember("first", in: atlas)
        let log = RecordedMutations()
        let early = try ScratchStore()
        let copy = try ScratchStore { $0.passageByteCount = 64 }
        for target in [early, copy] {
            try await target.engine.importMemories(try await engine.exported(atlas))
        }
        try await engine.observeMutations(of: atlas) { log.append($0) }
        let long = String(repeating: "A sentence of a long text. ", count: 12)
        _ = try await engine.remember([MemoryDraft(long), "second", "third"], in: atlas)
        try await early.engine.importMemories(try await engine.exported(atlas))
        let spaces = ["z", "a"].map { EmbeddingSpace(model: $0, dimension: 2) }
        for space in spaces {
            let passages = try await engine.passages(lacking: space, in: atlas).passages
            for start in stride(from: 0, to: passages.count, by: 2) {
                try await engine.addEmbeddings(
                    passages[start..<min(start + 2, passages.count)].map {
                        AddedEmbeddings([1, Float($0.part)], in: space, to: $0)
                    }, in: atlas)
            }
            try await engine.fold(atlas)
        }
        for bytes in log.all {
            var mutation = try Mutation(decoding: bytes.span.bytes)
            mutation.prepare(Analyzer())
            let ready = mutation
            _ = try await copy.engine.withExistingHome(of: atlas) { try await $0.apply(ready) }
        }
        let exported = try await engine.exported(atlas)
        #expect(exported.last?.versions[0].embeddings.count == 2)
        #expect(try await copy.engine.exported(atlas) == exported)
        // An import brings the vectors, once.
        #expect(try await early.engine.importMemories(exported) == 4)
        #expect(try await early.engine.exported(atlas) == exported)
        #expect(try await early.engine.importMemories(exported) == 0)
        for target in [early, copy] { try await target.engine.expectClean(atlas) }
    }
}

extension Engine {
    /// The memories that words alone find.
    fileprivate func recall(
        _ text: String, in namespace: Namespace, wordsOnly: Bool
    ) async throws -> [MemoryID] {
        var query = RecallQuery(text, in: namespace)
        query.channels = [.words]
        return try await recall(query).map(\.memory.id)
    }
}

extension MemoryDraft {
    fileprivate func with(_ content: String) -> MemoryDraft {
        var draft = self
        draft.content = content
        return draft
    }
}
