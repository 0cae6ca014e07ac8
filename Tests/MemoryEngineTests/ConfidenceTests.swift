import Testing

@testable import MemoryEngine

@Suite struct `The confidence of a recall` {
    private let atlas = Namespace.project("atlas")
    private let texts = [
        "The deploy of build 81 failed because its token had expired.",
        "The token of the deploy is renewed each Monday.",
        "Lunch is at noon on Fridays.",
        "The office plants are watered by a robot.",
        "Build 82 went out without a problem.",
        "The robot needs a new battery.",
    ]

    private func recall(
        _ question: String, _ change: (inout RecallQuery) -> Void = { _ in }
    ) async throws -> Recall {
        let store = try ScratchStore()
        for text in texts { try await store.engine.remember(text, in: atlas) }
        var query = RecallQuery(question, in: atlas)
        change(&query)
        let recall = try await store.engine.recall(query)
        await store.engine.close()
        return recall
    }

    private func confidence(
        _ question: String, _ change: (inout RecallQuery) -> Void = { _ in }
    ) async throws -> Double {
        try #require(try await recall(question, change).confidence)
    }

    private func sign(_ name: String, of recall: Recall) -> Double? {
        recall.signs.features.first { $0.name == name }?.value
    }

    @Test func `is high where one memory has all that was asked, and low where nothing has it`() async throws
    {
        let sure = try await confidence("Why did the deploy of build 81 fail, had its token expired?")
        let partly = try await confidence("Why did the deploy to the moon fail in winter?")
        let unsure = try await confidence("Which telescope photographed the comet beside the robot?")
        #expect(sure > 0.7 && sure <= 1)
        #expect(sure > partly && partly > unsure)
        #expect(unsure < Recall.leastConfidence && unsure > 0)
        #expect(try await confidence("zygote xylophone") { $0.channels = [.words] } == 0)
    }

    @Test func `does not depend on how many hits are asked for, nor on what else is asked`() async throws {
        let question = "When is the token of the deploy renewed?"
        let one = try await confidence(question) { $0.limit = 1 }
        let many = try await confidence(question) { $0.limit = 100 }
        let besides = try await confidence(question) { $0.namespaces[.user("nobody")] = 0.5 }
        #expect(one == many && many == besides)
    }

    @Test func `comes from vectors where the question has no words`() async throws {
        let store = try ScratchStore()
        let space = EmbeddingSpace(model: "test", dimension: 2)
        for index in 0..<20 {
            var draft = MemoryDraft("memory \(index)")
            draft.embeddings = [Embedding(index == 7 ? [1, 0] : [0.1, 1 + Float(index) / 100], in: space)]
            try await store.engine.remember(draft, in: atlas)
        }
        var near = RecallQuery("", in: atlas)
        near.channels = [.vectors]
        near.embeddings = [Embedding([1, 0], in: space)]
        var apart = near
        apart.embeddings = [Embedding([0.1, 1.1], in: space)]
        let sure = try #require(try await store.engine.recall(near).confidence)
        let unsure = try #require(try await store.engine.recall(apart).confidence)
        #expect(sure > 0.7 && unsure < 0.2)
        await store.engine.close()
    }

    @Test func `grows with words beside the best match, and shrinks where that is another actor's`()
        async throws
    {
        let store = try ScratchStore()
        let (together, apart) = (atlas.session("one"), Namespace.project("other"))
        func say(_ text: String, _ actor: String, in namespace: Namespace) async throws {
            var draft = MemoryDraft(text)
            draft.actor = actor
            draft.thread = "thread"
            try await store.engine.remember(draft, in: namespace)
        }
        for text in ["Which engine did you read about?", "The analytical one, in a memoir."] {
            try await say(text, "Ada Lovelace", in: together)
            for _ in 0..<3 { try await say("Nothing new today.", "Grace Hopper", in: together) }
        }
        let byAda = try await store.engine.recall("What did Ada Lovelace say of the memoir?", in: together)
        let byGrace = try await store.engine.recall("What did Grace Hopper say of the memoir?", in: together)
        #expect(sign("isOthers", of: byAda) == 0 && sign("isOthers", of: byGrace) == 1)
        #expect(try #require(byAda.confidence) > #require(byGrace.confidence))
        for text in ["The engine is analytical.", "It is in a memoir."] {
            try await say(text, "Ada Lovelace", in: apart)
        }
        let beside = try await store.engine.recall("analytical engine memoir", in: apart)
        var alone = RecallQuery("analytical engine memoir", in: apart)
        alone.channels = [.words]
        let ofWords = try #require(try await store.engine.recall(alone).confidence)
        #expect(try #require(beside.confidence) > ofWords)
        await store.engine.close()
    }

    @Test func `is higher where something happened at the time that the question names`() async throws {
        let store = try ScratchStore()
        for (text, day) in [("We read a memoir.", "2024-03-02"), ("The engine stood still.", "2024-05-09")] {
            var draft = MemoryDraft(text)
            let time = try #require(Timestamp(day + "T10:00:00Z"))
            draft.happened = time...time
            try await store.engine.remember(draft, in: atlas)
        }
        let asked = [
            "Who read a memoir on 2 March 2024?", "Who read a memoir on 7 April 2019?", "Who read a memoir?",
        ]
        var sure: [Double] = []
        for question in asked {
            sure.append(try #require(try await store.engine.recall(question, in: atlas).confidence))
        }
        let (then, never, undated) = (sure[0], sure[1], sure[2])
        #expect(then > never && undated > never)
        await store.engine.close()
    }

    @Test(arguments: [true, false])
    func `counts what words and vectors agree on where vectors know meanings`(agrees: Bool) async throws {
        let store = try ScratchStore()
        let space = EmbeddingSpace(model: "test", dimension: 2)
        for index in 0..<200 {
            var draft = MemoryDraft(index < 10 ? "the engine, time \(index)" : "memory \(index)")
            let isNear = agrees ? index < 10 : index >= 190
            draft.embeddings = [Embedding(isNear ? [1, 0] : [0.1, 1 + Float(index) / 1_000], in: space)]
            try await store.engine.remember(draft, in: atlas)
        }
        var query = RecallQuery("engine", in: atlas)
        query.embeddings = [Embedding([1, 0], in: space)]
        #expect(try await store.engine.recall(query).signs.agreement == (agrees ? 1 : 0))
        query.channels = [.words]
        #expect(try await store.engine.recall(query).signs.agreement == nil)
        await store.engine.close()
    }
}
