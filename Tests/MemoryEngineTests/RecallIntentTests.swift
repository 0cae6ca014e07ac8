import Testing

@testable import MemoryEngine

@Suite struct `What a question wants to know` {
    let atlas = Namespace.project("atlas")

    /// A failure and its cause, which share no word, a later failure, and what has nothing to do with them.
    private func failures(_ store: ScratchStore) async throws -> (failure: MemoryID, cause: MemoryID) {
        func remember(_ text: String, _ day: String) async throws -> MemoryID {
            var draft = MemoryDraft(text)
            draft.happened = Timestamp(day).map { $0...$0 }
            return try await store.engine.remember(draft, in: atlas).id
        }
        for number in 0..<8 { _ = try await remember("Lunch \(number) was soup.", "2025-01-0\(number + 1)") }
        let cause = try await remember("A credential had expired.", "2025-05-03")
        let failure = try await remember("The deploy failed at noon, deploy 81.", "2025-05-04")
        _ = try await remember("A deploy was planned.", "2025-02-05")
        try await store.engine.link(failure, to: cause, as: .causedBy, in: atlas)
        return (failure, cause)
    }

    @Test func `is read from it, and brings causes behind what they caused`() async throws {
        let store = try ScratchStore()
        let (failure, cause) = try await failures(store)
        let why = try await store.engine.recall("Why did the deploy fail?", in: atlas)
        #expect(why.intent == .why)
        #expect(why.prefix(2).map(\.memory.id) == [failure, cause])
        let path = try #require(why.first { $0.memory.id == cause }?.path)
        #expect(path.contains { $0.reason == .edge(.causedBy, .into, failure) && $0.adds > 0 })
        // The cause scores less than the other deploy, and yet stands with what it caused.
        #expect(why.count == 3 && why[1].score < why[2].score)

        var query = RecallQuery("Why did the deploy fail?", in: atlas)
        query.order = .score
        #expect(try await store.engine.recall(query).map(\.memory.id).last == cause)
        query.intent = .what
        #expect(try await store.engine.recall(query).count == 2)
        query.order = .time
        query.weights = RecallWeights(for: .why)
        let times = try await store.engine.recall(query).map(\.memory.happened.lowerBound)
        #expect(times.count == 3 && times == times.sorted())
    }

    @Test func `goes on behind a chain of causes`() async throws {
        let store = try ScratchStore()
        let (failure, cause) = try await failures(store)
        let rotation = try await store.engine.remember("Nobody was told to rotate the deploy key.", in: atlas)
            .id
        try await store.engine.link(failure, to: rotation, as: .causedBy, in: atlas, weight: 0.25)
        let hits = try await store.engine.recall("Why did the deploy fail?", in: atlas)
        let others = Set(hits.dropFirst().prefix(2).map(\.memory.id))
        #expect(hits.first?.memory.id == failure && others == [cause, rotation])
    }

    @Test func `lets what names a time count more where it asks when`() async throws {
        let store = try ScratchStore()
        for text in ["We sailed to the island.", "We sailed to the island last week.", "Soup again."] {
            store.clock.advance()
            try await store.engine.remember(MemoryDraft(text), in: atlas)
        }
        let when = try await store.engine.recall("When did we sail to the island?", in: atlas)
        #expect(when.count == 2)
        for hit in when {
            let event = hit.path.first { if case .event = $0.reason { true } else { false } }
            let isDated = hit.memory.content.hasSuffix("last week.")
            #expect(isDated == (hit.parts.event > 0))
            // Said on 1 March 2026, a Sunday: the week before the one of that day.
            #expect(event?.reason.description == (isDated ? "speaks of 2026-02-16…2026-02-22" : nil))
        }
        let what = try await store.engine.recall("What island did we sail to?", in: atlas)
        #expect(what.allSatisfy { $0.parts.event == 0 })
    }

    @Test func `names those who have said something that is seen, be they one or several`() async throws {
        let store = try ScratchStore()
        func say(_ actor: String, _ text: String) async throws -> MemoryID {
            store.clock.advance()
            var draft = MemoryDraft(text)
            draft.actor = actor
            return try await store.engine.remember(draft, in: atlas).id
        }
        _ = try await say("Ada", "The harbour is closed.")
        let other = try await say("Zeno", "The harbour is open.")
        _ = try await say("Cleo", "The harbour is deep.")
        func boosted() async throws -> Set<String?> {
            let hits = try await store.engine.recall("What did Ada tell Zeno of the harbour?", in: atlas)
            for hit in hits where hit.parts.actor != 0 {
                #expect(hit.path.contains { $0.reason == .actor(hit.memory.actor ?? "") })
            }
            return Set(hits.filter { $0.parts.actor > 0 }.map(\.memory.actor))
        }
        #expect(try await boosted() == ["Ada", "Zeno"])
        try await store.engine.retract(other, in: atlas)
        #expect(try await boosted() == ["Ada"])
    }

    @Test func `does not let turns of another session vouch, but those that were taken out of one`()
        async throws
    {
        let store = try ScratchStore()
        func say(_ text: String, _ session: String) async throws -> MemoryID {
            var draft = MemoryDraft(text)
            draft.thread = "t"
            return try await store.engine.remember(draft, in: atlas.session(session)).id
        }
        let question = try await say("Which harbour is it?", "a")
        _ = try await say("The northern one.", "b")
        for number in 0..<6 { try await store.engine.remember("Soup \(number).", in: atlas) }
        func isAnswered() async throws -> Bool {
            try await store.engine.recall("Which harbour?", in: atlas).contains {
                $0.memory.content == "The northern one."
            }
        }
        #expect(try await !isAnswered())
        try await store.engine.promote(question, from: atlas.session("a"), to: atlas)
        #expect(try await isAnswered())
    }

    @Test func `lets a turn vouch by its vector, though a filter leaves it and most others out`() async throws
    {
        let store = try ScratchStore()
        let space = EmbeddingSpace(model: "m", dimension: 3)
        let drafts = (0..<600).map { number in
            var draft = MemoryDraft("Turn \(number).")
            draft.embeddings = [Embedding([1, Float(number % 7), Float(number % 11)], in: space)]
            // Only each second vector is compared beside those that the filter lets through; this is none of them.
            if number == 301 {
                draft.thread = "t"
                draft.content = "Which harbour?"
                draft.embeddings = [Embedding([-1, 0, 0], in: space)]
            }
            if number == 302 {
                draft.thread = "t"
                draft.tags = ["answer"]
            }
            return draft
        }
        for result in try await store.engine.remember(drafts, in: atlas) { _ = try result.get() }
        var query = RecallQuery("", in: atlas)
        query.embeddings = [Embedding([-1, 0, 0], in: space)]
        query.filter = .tag("answer")
        let hits = try await store.engine.recall(query)
        #expect(hits.count == 1)
        #expect((hits.first?.parts.context ?? 0) > 1)
    }
}
