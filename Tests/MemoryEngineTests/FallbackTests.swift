import Testing

@testable import MemoryEngine
@testable import Store

/// Pauses that end when a test says so.
private final class Pauses: Sendable {
    private struct State {
        var failures: [Int] = []
        var sleeper: CheckedContinuation<Void, any Error>?
        var observer: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// The failures in a row of each pause so far.
    var failures: [Int] { state.withLock { $0.failures } }

    @Sendable func pause(_ failures: Int) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let observer = state.withLock { state in
                    state.failures.append(failures)
                    state.sleeper = continuation
                    return state.observer.take()
                }
                observer?.resume()
                if Task.isCancelled { end(throwing: CancellationError()) }
            }
        } onCancel: {
            end(throwing: CancellationError())
        }
    }

    private func end(throwing error: (any Error)? = nil) {
        let sleeper = state.withLock { $0.sleeper.take() }
        if let error { sleeper?.resume(throwing: error) } else { sleeper?.resume() }
    }

    /// Waits until somebody pauses.
    func begins() async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                guard state.sleeper == nil else { return true }
                state.observer = continuation
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    func end() { end(throwing: nil) }
}

@Suite(.timeLimit(.minutes(10))) struct `An embedder that does not answer` {
    let atlas = Namespace.project("atlas")
    private let second = ScriptedEmbedder(space: EmbeddingSpace(model: "second", dimension: 2)) { inputs in
        inputs.map { input in
            guard case .text(let text) = input else { return [] }
            return [1, Float(text.utf8.count)]
        }
    }

    @Test func `fails a question, unless words may answer it`() async throws {
        let embedder = FlakyEmbedder()
        let store = try ScratchStore(embedder: embedder)
        let id = try await store.engine.remember("The deploy failed", in: atlas).id
        embedder.fail(after: 0)
        #expect(await refusal { try await store.engine.recall("deploy", in: atlas) }?.code == .embedder)
        await store.engine.close()
        var options = store.options
        options.questionFallback = .words
        let engine = try Engine.open(at: store.directory.path, embedder: embedder, options: options)
        let recall = try await engine.recall(RecallQuery("deploy", in: atlas))
        #expect(recall.map(\.memory.id) == [id])
        #expect(recall.leftOut.count == 1)
        #expect(recall.leftOut[0].hasPrefix("project/atlas: vectors in \(embedder.space.name): the embedder"))
        await engine.close()
    }

    @Test(arguments: [EngineError.Code.corrupted, .notFound, .io])
    func `since its model is damaged or gone is as good as none for questions, and stops what needs it`(
        code: EngineError.Code
    ) async throws {
        let isGone = Mutex(false)
        let embedder = ScriptedEmbedder(space: EmbeddingSpace(model: "m", dimension: 2)) { inputs in
            if isGone.withLock({ $0 }) { throw EngineError(code, "the weights are damaged") }
            return inputs.map { _ in [1, 0] }
        }
        let store = try ScratchStore(embedder: embedder)
        let id = try await store.engine.remember("The deploy failed", in: atlas).id
        isGone.withLock { $0 = true }
        let recall = try await store.engine.recall(RecallQuery("deploy", in: atlas))
        #expect(recall.map(\.memory.id) == [id])
        #expect(recall.leftOut == ["project/atlas: vectors in m/2/cosine: the weights are damaged"])
        #expect(await refusal { try await store.engine.remember("It was renewed", in: atlas) }?.code == code)
        await store.engine.close()
        // A server tells its own log, and not those who ask.
        let told = Mutex<[String]>([])
        var options = store.options
        options.warnsOfAbsence = true
        options.warn = { line in told.withLock { $0.append(line) } }
        let engine = try Engine.open(at: store.directory.path, embedder: embedder, options: options)
        for _ in 1...2 {
            let asked = try await engine.recall(RecallQuery("deploy", in: atlas))
            #expect(asked.leftOut == ["project/atlas: vectors in m/2/cosine: its embedder cannot be used"])
        }
        // What is remembered there waits, as is told.
        let stored = try await engine.remember("It was renewed", in: atlas)
        #expect(stored.missingSpaces == [embedder.space])
        #expect(stored.failures == ["its embedder cannot be used"], "\(stored.failures)")
        #expect(told.withLock { $0 }.count { $0.contains("the weights are damaged") } == 1)
        await engine.close()
        // So it does where no vectors are insisted on.
        options.warnsOfAbsence = false
        options.embedding = .whenAvailable
        let lenient = try Engine.open(at: store.directory.path, embedder: embedder, options: options)
        #expect(try await lenient.remember("It failed", in: atlas).missingSpaces == [embedder.space])
        await lenient.close()
    }

    @Test(arguments: [false, true])
    func `that is meant and cannot be used stops homes that would be made with it, and no others`(
        isServed: Bool
    ) async throws {
        let store = try ScratchStore(embedder: second)
        let gone = EmbeddingSpace(model: "gone", revision: "1", dimension: 2)
        let lost = Namespace.project("lost")
        var draft = MemoryDraft("With its vector")
        draft.embeddings = [Embedding([1, 0], in: gone)]
        try await store.engine.remember("The deploy failed", in: atlas)
        try await store.engine.remember(draft, in: lost)
        try await store.engine.useSpace(gone, in: lost)
        await store.engine.close()
        var options = store.options
        options.otherEmbedders = [second]
        options.warnsOfAbsence = isServed
        options.fault = { space in
            space == nil || space == gone ? EngineError(.notFound, "nothing in /secret") : nil
        }
        let engine = try Engine.open(at: store.directory.path, options: options)
        #expect(try await engine.remember("It was renewed", in: atlas).missingSpaces.isEmpty)
        let other = Namespace.project("other")
        let error = await refusal { try await engine.remember("A text", in: other) }
        #expect(error?.code == (isServed ? .embedder : .notFound))
        #expect(error?.message.contains("/secret") == !isServed, "\(error?.message ?? "")")
        #expect(try engine.homes() == [atlas, lost])
        // Of a home that has its vectors from it, those that are brought are taken, and others are not made.
        #expect(try await engine.remember(draft, in: lost).missingSpaces.isEmpty)
        if isServed {
            #expect(try await engine.remember("Without", in: lost).missingSpaces == [gone])
        } else {
            #expect(await refusal { try await engine.remember("Without", in: lost) }?.code == error?.code)
        }
        await engine.close()
        options.embedding = .whenAvailable
        let lenient = try Engine.open(at: store.directory.path, options: options)
        #expect(try await lenient.remember("Without", in: lost).missingSpaces == [gone])
        #expect(await refusal { try await lenient.remember("A text", in: other) } != nil)
        await lenient.close()
    }

    @Test func `is stood in for by the space of another, which is never mixed with its own`() async throws {
        let embedder = FlakyEmbedder()
        let store = try ScratchStore(embedder: embedder) {
            $0.fallbackEmbedder = second
            $0.questionFallback = .secondSpace
            $0.embedding = .whenAvailable
        }
        let engine = store.engine
        let ids = try await engine.remember(["aaaa", "bbbbbbbb"], in: atlas).map { try $0.get().id }
        var query = RecallQuery("zzzzzzzz", in: atlas)
        query.channels = [.vectors]
        let whole = try await engine.recall(query)
        #expect(whole.leftOut.isEmpty && Set(whole.map(\.memory.id)) == Set(ids))
        #expect(try await engine.space(of: atlas) == embedder.space)

        embedder.fail(after: 0)
        let recall = try await engine.recall(query)
        #expect(recall.first?.memory.id == ids[1])
        #expect(
            recall.leftOut.count == 1 && recall.leftOut[0].hasPrefix("project/atlas: vectors in flaky/3/")
                && recall.leftOut[0].hasSuffix("; asked in second/2/cosine"), "\(recall.leftOut)")
        // What comes meanwhile has a vector in the second space alone, and the home stays with the first.
        for text in ["cc", "dd", "ee", "ff"] { _ = try await engine.remember(MemoryDraft(text), in: atlas) }
        #expect(try await engine.missingSpaces(in: atlas) == [embedder.space: 4])
        #expect(try await engine.space(of: atlas) == embedder.space)
        embedder.fail(after: nil)
        let early = try await engine.recall(query)
        #expect(
            early.leftOut == [
                "project/atlas: vectors in \(embedder.space.name): 2 of 6 so far; asked in second/2/cosine"
            ])
        try await engine.embed(in: atlas)
        #expect(try await engine.recall(query).leftOut.isEmpty)
        await engine.close()
    }

    @Test func `that is too slow is stood in for before the time is up`() async throws {
        let store = try ScratchStore(embedder: WaitingEmbedder()) {
            $0.fallbackEmbedder = second
            $0.questionFallback = .secondSpace
            $0.questionPatience = .milliseconds(1)
        }
        let id = try await store.engine.remember("The deploy failed", in: atlas).id
        let recall = try await store.engine.recall(RecallQuery("deploy", in: atlas))
        #expect(recall.first?.memory.id == id)
        #expect(
            recall.leftOut == [
                "project/atlas: vectors in waiting/2/cosine: its embedder was not ready in time; asked in second/2/cosine"
            ])
        await store.engine.close()
    }

    @Test func `is asked again in the background, after a pause, until all has a vector`() async throws {
        let embedder = FlakyEmbedder()
        let pauses = Pauses()
        let store = try ScratchStore(embedder: embedder) {
            $0.embedding = .whenAvailable
            $0.embedsBacklog = true
            $0.backlogPause = pauses.pause
        }
        embedder.fail(after: 0)
        for number in 1...3 {
            _ = try await store.engine.remember(MemoryDraft("Fact \(number)"), in: atlas)
        }
        await pauses.begins()
        #expect(try await store.engine.missingSpaces(in: atlas) == [embedder.space: 3])
        pauses.end()
        await pauses.begins()
        #expect(pauses.failures.prefix(2) == [1, 2])
        embedder.fail(after: nil)
        pauses.end()
        while try await store.engine.missingSpaces(in: atlas) != [:] { await Task.yield() }
        // Each once.
        #expect(embedder.asked.sorted() == ["Fact 1", "Fact 2", "Fact 3"])
        await store.engine.close()
    }

    @Test func `leaves to the next process what it has not embedded`() async throws {
        let embedder = FlakyEmbedder()
        let pauses = Pauses()
        let store = try ScratchStore(embedder: embedder) {
            $0.embedding = .whenAvailable
            $0.embedsBacklog = true
            $0.backlogPause = pauses.pause
        }
        embedder.fail(after: 0)
        _ = try await store.engine.remember("A fact", in: atlas)
        await pauses.begins()
        // Closing does not wait for the pause.
        await store.engine.close()
        #expect(embedder.asked.isEmpty)
        embedder.fail(after: nil)
        let engine = try Engine.open(at: store.directory.path, embedder: embedder, options: store.options)
        _ = try await engine.stats(in: atlas)
        while try await engine.missingSpaces(in: atlas) != [:] { await Task.yield() }
        #expect(embedder.asked == ["A fact"])
        await engine.close()
    }

    @Test(arguments: [EngineError.Code.embedder, .tooLarge])
    func `is not asked about a text again that it refused, by one process`(
        code: EngineError.Code
    )
        async throws
    {
        let embedder = PickyEmbedder(code)
        let told = Mutex<[String]>([])
        let pauses = Mutex(0)
        let store = try ScratchStore(embedder: embedder) {
            $0.embedding = .later
            $0.embedsBacklog = true
            $0.backlogPause = { _ in pauses.withLock { $0 += 1 } }
            $0.warn = { text in told.withLock { $0.append(text) } }
        }
        let id = try await store.engine.remember("a long one", in: atlas).id
        while told.withLock({ $0.isEmpty }) { await Task.yield() }
        for number in 1...4 {
            try await store.engine.remember("Fact \(number)", in: atlas)
            while try await store.engine.missingSpaces(in: atlas) != [embedder.space: 1] {
                await Task.yield()
            }
        }
        // Itself, twice between texts that show that it answers, and the facts.
        let search = [["a long one"], ["text"], ["a long one"], ["text"]]
        #expect(embedder.calls == search + (1...4).map { ["Fact \($0)"] })
        // Other words are another text.
        try await store.engine.update(id, in: atlas) { $0.content = "another long one" }
        while told.withLock({ $0.count < 2 }) { await Task.yield() }
        #expect(embedder.calls.filter { $0 == ["another long one"] }.count == 2)
        await store.engine.close()
        #expect(pauses.withLock { $0 } == 0 && told.withLock { $0.count } == 2)

        // The next one asks once, and tells it once, whatever it does with the home.
        let other = Mutex<[String]>([])
        var options = store.options
        options.embedsBacklog = false
        options.embedding = .required
        options.otherEmbedders = [PickyEmbedder(code, model: "other")]
        options.warn = { text in other.withLock { $0.append(text) } }
        let engine = try Engine.open(at: store.directory.path, embedder: embedder, options: options)
        #expect(try await engine.embed(in: atlas).skipped == 1)
        #expect(other.withLock { $0.count } == 1)
        let before = embedder.callCount
        let space = options.otherEmbedders[0].space
        #expect(try await engine.reembed(in: atlas, into: space, dropsOld: true).added == 4)
        #expect(other.withLock { $0.count } == 3, "\(other.withLock { $0 })")
        #expect(embedder.callCount == before)
        await engine.close()
    }
}
