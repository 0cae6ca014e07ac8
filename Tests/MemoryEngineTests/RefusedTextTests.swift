import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `A text that its embedder refuses` {
    let atlas = Namespace.project("atlas")

    private func draft(_ text: String, key: String? = nil) -> MemoryDraft {
        var draft = MemoryDraft(text)
        draft.key = key
        return draft
    }

    @Test(arguments: [EmbeddingPolicy.required, .whenAvailable])
    func `is taken out of a transaction, where that is asked for, and the rest is done`(
        policy: EmbeddingPolicy
    ) async throws {
        let (embedder, other) = (PickyEmbedder(.invalid), PickyEmbedder(.invalid, model: "second"))
        let store = try ScratchStore(embedder: embedder) {
            $0.embedding = policy
            $0.fallbackEmbedder = other
        }
        let writes: [Engine.Write] = [
            .remember(draft("a long one", key: "a"), unlessRefused: true),
            .remember(draft("two", key: "b"), unlessRefused: true),
            .remember(draft("another long one"), unlessRefused: true),
            .remember(draft("four", key: "d")),
            .link(.key("b"), to: .key("d"), as: .causedBy),
        ]
        // In a home that is not there yet, and in one that is.
        for round in 0..<2 {
            let written = try await store.engine.write(writes, in: atlas)
            #expect(written.count == writes.count)
            for place in [0, 2] {
                guard case .refused(let reason) = written[place] else {
                    Issue.record("\(place): \(written[place])")
                    continue
                }
                #expect(reason == "picky/3/innerProduct refuses the text: more tokens than there may be")
            }
            #expect(try written[1].remembered.isNew == (round == 0))
            #expect(try written[3].remembered.missingSpaces.isEmpty)
            guard case .linked = written[4] else {
                Issue.record("\(written[4])")
                continue
            }
        }
        let kept = try await store.engine.list(in: atlas).memories.map(\.content)
        #expect(kept.sorted() == ["four", "two"])
        #expect(try await store.engine.missingSpaces(in: atlas).isEmpty)
        #expect(!other.calls.flatMap { $0 }.contains { $0.contains("long") })
        #expect(other.calls.first == ["two", "four"])
        // What names one that was taken out finds none, and nothing is changed.
        let error = await refusal {
            try await store.engine.write(
                [
                    .remember(draft("a long one", key: "a"), unlessRefused: true),
                    .link(.key("a"), to: .key("b"), as: .causedBy),
                ], in: atlas)
        }
        #expect(error?.message.hasPrefix("write 2: ") == true, "\(error as Any)")
        #expect(try await store.engine.stats(in: atlas).memories == 2)
    }

    @Test func `ends a transaction where it must have its vector, and nobody asked to leave it out`()
        async throws
    {
        let store = try ScratchStore(embedder: PickyEmbedder(.invalid))
        let error = await refusal {
            try await store.engine.write(
                [
                    .remember(draft("one"), unlessRefused: true), .remember(draft("a long one")),
                    .remember(draft("another long one"), unlessRefused: true),
                ], in: atlas)
        }
        #expect(
            error?.message.hasPrefix("write 2: picky/3/innerProduct refuses the text") == true,
            "\(error as Any)")
        #expect(try store.engine.homes().isEmpty)
    }

    @Test func `is stored without it where that can wait, and so is all while the embedder is off`()
        async throws
    {
        let embedder = PickyEmbedder(.invalid)
        let store = try ScratchStore(embedder: embedder) { $0.embedding = .whenAvailable }
        let mixed = try await store.engine.write(
            [.remember(draft("a long one")), .remember(draft("more, a long one"), unlessRefused: true)],
            in: atlas)
        #expect(try mixed[0].remembered.missingSpaces == [embedder.space])
        guard case .refused = mixed[1] else { throw EngineError(.invalid, "\(mixed[1])") }
        embedder.turnOff()
        let off = try await store.engine.write(
            [.remember(draft("the longest"), unlessRefused: true), .remember(draft("short"))], in: atlas)
        #expect(try off.allSatisfy { try $0.remembered.missingSpaces == [embedder.space] })
        #expect(try await store.engine.stats(in: atlas).memories == 3)
    }

    @Test func `makes no home, and neither does a draft that is none`() async throws {
        let store = try ScratchStore(embedder: PickyEmbedder(.invalid))
        let long = draft("a long one")
        var bad = draft("one")
        bad.importance = 7
        for one in [long, bad] {
            #expect(await refusal { try await store.engine.remember(one, in: atlas) } != nil)
            #expect(await refusal { try await store.engine.write([.remember(one)], in: atlas) } != nil)
            #expect(try await store.engine.remember([one], in: atlas, onError: .skip).count == 1)
        }
        _ = try await store.engine.write([.remember(long, unlessRefused: true)], in: atlas)
        #expect(try store.engine.homes().isEmpty)
        #expect(
            await refusal { try await store.engine.write([.retract(.key("a"))], in: atlas) }?.code
                == .notFound)
        #expect(try store.engine.homes().isEmpty)
        #expect(try await store.engine.remember("one", in: atlas).isNew)
        #expect(try store.engine.homes() == [atlas])
    }
}
