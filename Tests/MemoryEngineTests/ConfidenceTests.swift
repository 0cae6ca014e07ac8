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

    @Test func `is high where one memory has all that was asked, and low where nothing has it`() async throws
    {
        let sure = try await recall("Why did the deploy of build 81 fail, had its token expired?").confidence
        let partly = try await recall("Why did the deploy to the moon fail in winter?").confidence
        let unsure = try await recall("Which telescope photographed the comet beside the robot?").confidence
        #expect(sure > 0.7 && sure <= 1)
        #expect(sure > partly && partly > unsure)
        #expect(unsure < Recall.leastConfidence && unsure > 0)
        #expect(try await recall("zygote xylophone") { $0.channels = [.words] }.confidence == 0)
    }

    @Test func `does not depend on how many hits are asked for, nor on what else is asked`() async throws {
        let question = "When is the token of the deploy renewed?"
        let one = try await recall(question) { $0.limit = 1 }.confidence
        let many = try await recall(question) { $0.limit = 100 }.confidence
        let besides = try await recall(question) { $0.namespaces[.user("nobody")] = 0.5 }.confidence
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
        let (sure, unsure) = (
            try await store.engine.recall(near).confidence, try await store.engine.recall(apart).confidence
        )
        #expect(sure > 0.7 && unsure < 0.2)
        await store.engine.close()
    }
}
