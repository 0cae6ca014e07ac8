import TestSupport
import Testing

@testable import MemoryEngine
@testable import Store

@Suite(.timeLimit(.minutes(10))) struct `A question that shows an image` {
    let atlas = Namespace.project("atlas")
    let dog = EmbeddingInput.image(MediaFiles.png(SightEmbedder.dog))

    private func draft(_ text: String, _ sign: UInt8, tag: String = "photo") -> MemoryDraft {
        var draft = MemoryDraft(text)
        draft.tags = [tag]
        draft.attachments = [.data(MediaFiles.png(sign), name: "photo.png")]
        return draft
    }

    private func store(_ sight: SightEmbedder = SightEmbedder()) throws -> ScratchStore {
        try ScratchStore(embedder: FlakyEmbedder()) { $0.mediaEmbedders = [sight] }
    }

    private func shown(_ text: String = "", in namespaces: [Namespace: Double]? = nil) -> RecallQuery {
        var query = RecallQuery(text, in: namespaces ?? [atlas: 1])
        query.like = dog
        return query
    }

    private func contents(
        _ store: ScratchStore, _ change: (inout RecallQuery) -> Void
    ) async throws -> [String] {
        var query = shown()
        change(&query)
        return try await store.engine.recall(query).map(\.memory.content)
    }

    @Test func `takes the filter, the clocks, the limit and the session of any other`() async throws {
        let store = try store()
        let one = atlas.session("one")
        for (namespace, tag) in [(atlas, "photo"), (one, "photo"), (atlas, "scan")] {
            for sign in [SightEmbedder.ship, SightEmbedder.dog] {
                try await store.engine.remember(
                    draft("\(namespace) \(tag) \(sign)", sign, tag: tag), in: namespace)
            }
        }
        try await store.engine.remember("A text without an image", in: atlas)
        let early = store.clock.time
        store.clock.advance(by: .seconds(10))
        let last = try await store.engine.remember(draft("The last", SightEmbedder.dog), in: atlas)

        let all = try await contents(store) { _ in }
        #expect(all.count == 7 && !all.contains("A text without an image"))
        #expect(all.prefix(4).allSatisfy { $0.hasSuffix("1") || $0 == "The last" }, "\(all)")
        #expect(try await contents(store) { $0.limit = 2 }.count == 2)
        #expect(
            try await contents(store) { $0.filter = .tag("scan") } == ["\(atlas) scan 1", "\(atlas) scan 2"])
        #expect(
            try await contents(store) { $0.namespaces = [one: 1] } == ["\(one) photo 1", "\(one) photo 2"])
        let before = try await contents(store) { $0.asOf = early }
        #expect(before.count == 6 && !before.contains("The last"))
        try await store.engine.retract(last.id, in: atlas)
        #expect(try await contents(store) { _ in }.count == 6)
    }

    /// Beside texts an image that is nothing like the question says nothing; alone, all of them are told apart.
    @Test func `puts all images in the order of their likeness`() async throws {
        let sight = SightEmbedder()
        let store = try store(sight)
        try await store.engine.remember(draft("0", SightEmbedder.ship), in: atlas)
        for number in 1...8 {
            var next = MemoryDraft("\(number)")
            next.embeddings = [Embedding([Float(number), 4, 0], in: sight.space)]
            try await store.engine.remember(next, in: atlas)
        }
        let found = try await store.engine.recall(shown()).map(\.memory.content)
        #expect(found == (0...8).reversed().map { "\($0)" })
    }

    @Test func `beside words counts with them, in the place of what they say of images`() async throws {
        let sight = SightEmbedder()
        let store = try ScratchStore { $0.mediaEmbedders = [sight] }
        let texts = ["The harbour at night", "A walk in the hills", "The harbour by day", "Soup for lunch"]
        for (text, sign) in zip(texts, [SightEmbedder.ship, SightEmbedder.dog, SightEmbedder.dog, 3]) {
            try await store.engine.remember(draft(text, sign), in: atlas)
        }
        let found = try await store.engine.recall(shown("harbour"))
        #expect(found.first?.memory.content == "The harbour by day")
        #expect(found.prefix(2).contains { $0.memory.content == "The harbour at night" })
        #expect(found.leftOut.isEmpty && sight.texts.isEmpty)
        let parts = try #require(found.first).parts
        #expect(parts.words > 0 && parts.vectors > 0)
        // What is shown alone is asked of nothing else.
        let alone = try await store.engine.recall(shown(" "))
        #expect(alone.allSatisfy { $0.parts.words == 0 && $0.parts.edges == 0 } && alone.leftOut.isEmpty)
    }

    @Test func `asks several homes, and names those that have nothing to compare`() async throws {
        let sight = SightEmbedder()
        let store = try store(sight)
        let (user, plain, gone) = (
            Namespace.user("ada"), Namespace.project("plain"), Namespace.project("gone")
        )
        let here = try await store.engine.remember(draft("here", SightEmbedder.dog), in: atlas).id
        for sign in 3...6 as ClosedRange<UInt8> {
            try await store.engine.remember(draft("\(sign)", sign), in: user)
        }
        let there = try await store.engine.remember(draft("there", SightEmbedder.dog), in: user).id
        try await store.engine.remember("No image", in: plain)
        let all: [Namespace: Double] = [atlas: 1, user: 0.5, plain: 1, gone: 1]
        let recall = try await store.engine.recall(shown(in: all))
        #expect(recall.prefix(2).map(\.memory.id) == [here, there])
        #expect(
            recall.leftOut == [
                "project/plain: no image that is attached there has a vector",
                "project/gone: there is no such home",
            ])
        for namespace in [plain, gone] {
            let refused = await refusal { try await store.engine.recall(shown(in: [namespace: 1])) }
            #expect(refused?.code == .notFound, "\(namespace)")
        }
        await store.engine.close()
        var options = store.options
        options.mediaEmbedders = []
        let blind = try Engine.open(at: store.directory.path, embedder: FlakyEmbedder(), options: options)
        let refused = await refusal { try await blind.recall(shown()) }
        #expect(refused?.code == .invalid && refused?.message.contains("sight/3/cosine") == true)
        #expect(try await blind.space(of: .image, in: atlas) == sight.space)
        #expect(try await blind.space(of: .image, in: plain) == nil)
        await blind.close()
    }

    @Test func `is refused with what cannot go with it, and where it is none`() async throws {
        let store = try store()
        try await store.engine.remember(draft("here", SightEmbedder.dog), in: atlas)
        var damaged = shown()
        damaged.like = .image(Array(MediaFiles.png[..<20]))
        var text = shown()
        text.like = .text("A dog")
        var withVector = shown()
        withVector.embeddings = [Embedding([1, 0, 0], in: SightEmbedder().space)]
        var byWords = shown("dog")
        byWords.channels = [.words]
        for (query, part) in [
            (damaged, "is damaged"), (text, "not shown"), (withVector, "leave out one"),
            (byWords, "compared by vectors"),
        ] {
            let refused = await refusal { try await store.engine.recall(query) }
            #expect(refused?.code == .invalid && refused?.message.contains(part) == true, "\(part)")
        }
    }

    /// How sure a recall is was measured on words and vectors of texts.
    @Test func `says nothing of how sure it is, as do words that an image answers`() async throws {
        let store = try ScratchStore { $0.mediaEmbedders = [SightEmbedder()] }
        for number in 0..<20 {
            try await store.engine.remember(draft("Meeting \(number) about tokens", 3), in: atlas)
        }
        try await store.engine.remember(draft("The first day", SightEmbedder.dog), in: atlas)
        try await store.engine.remember("The kennel had tokens for meeting 7", in: atlas)
        #expect(try await store.engine.recall(shown()).confidence == nil)
        let byWords = try await store.engine.recall("the kennel, its tokens for meeting 7", in: atlas)
        #expect(byWords.first?.memory.content.hasPrefix("The kennel") == true)
        #expect(try #require(byWords.confidence) > 0.5)
        let byImage = try await store.engine.recall("an animal, wild", in: atlas)
        #expect(byImage.first?.memory.content == "The first day" && byImage.confidence == nil)
        let pack = try await store.engine.context(
            for: RecallQuery("an animal, wild", in: atlas), tokenBudget: 100, counter: .estimate)
        #expect(pack.confidence == nil)
        // A question that no image answers is judged as ever.
        let unsure = try await store.engine.recall(
            "Which telescope photographed the comet of tokens?", in: atlas)
        #expect(unsure.first?.memory.content.contains("tokens") == true && unsure.confidence != nil)

        // One that is alone stands out from nothing.
        let user = Namespace.user("ada")
        try await store.engine.remember(draft("The first day", SightEmbedder.dog), in: user)
        #expect(try await store.engine.recall("an animal", in: user).confidence == nil)
        #expect(try await store.engine.recall("the first day", in: user).confidence != nil)
    }

    @Test func `is left out where its vector is not there by the deadline`() async throws {
        let store = try store()
        try await store.engine.remember(draft("here", SightEmbedder.dog), in: atlas)
        await store.engine.close()
        var options = store.options
        options.mediaEmbedders = [SlowSight()]
        let engine = try Engine.open(at: store.directory.path, embedder: FlakyEmbedder(), options: options)
        var query = shown("here")
        query.deadline = .milliseconds(50)
        let recall = try await engine.recall(query)
        #expect(
            recall.leftOut.contains(
                "project/atlas: images in sight/3/cosine: its embedder was not ready by the deadline"))
        await engine.close()
    }
}
