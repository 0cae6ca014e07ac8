import TestSupport
import Testing

@testable import MemoryEngine

/// Does something once, before it embeds what comes first.
private final class InterruptingEmbedder: Embedder {
    let space = EmbeddingSpace(model: "interrupting", dimension: 2)
    private let interruption = Mutex<(@Sendable () async throws -> Void)?>(nil)

    func interrupt(with action: @escaping @Sendable () async throws -> Void) {
        interruption.withLock { $0 = action }
    }

    func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        try await interruption.withLock { $0.take() }?()
        return inputs.map { _ in [1, 0] }
    }
}

@Suite struct `A transaction of writes` {
    let atlas = Namespace.project("atlas")

    private func draft(_ text: String, key: String? = nil) -> MemoryDraft {
        var draft = MemoryDraft(text)
        draft.key = key
        return draft
    }

    @Test func `does all of them, and knows the keys that it remembers`() async throws {
        let store = try ScratchStore()
        let old = try await store.engine.remember(
            draft("The token expires in March.", key: "token"), in: atlas)
        let stale = try await store.engine.remember("The deploy is green.", in: atlas)
        store.clock.advance()
        let written = try await store.engine.write(
            [
                .remember(draft("The deploy failed.", key: "deploy")),
                .remember(draft("The rotation was skipped.", key: "rotation")),
                .link(.key("deploy"), to: .key("rotation"), as: .causedBy, weight: 0.5),
                .update(.key("token")) { $0.content = "The token expires in May." },
                .supersede(.id(stale.id), by: .key("deploy")), .retract(.key("rotation")),
            ], in: atlas)
        guard case .stored(let deploy) = written[0], case .stored(let rotation) = written[1],
            case .linked(let edge) = written[2], case .stored(let token) = written[3]
        else {
            Issue.record("\(written)")
            return
        }
        #expect(written[4...] == [.done, .done])
        // One commit.
        #expect(Set([deploy, rotation, token].map(\.sequence)).count == 1)
        #expect(token.id == old.id && token.version == 2)
        let edges = try await store.engine.edges(of: deploy.id, in: atlas, kinds: [.causedBy, .supersedes])
        #expect(edges.contains { $0.id == edge && $0.to == rotation.id && $0.weight == 0.5 })
        #expect(edges.contains { $0.kind == .supersedes && $0.to == stale.id })
        let current = try await store.engine.list(in: atlas).memories.map(\.content)
        #expect(current == ["The token expires in May.", "The deploy failed."])
        #expect(try await store.engine.check(in: atlas).problems == [])
        #expect(try await store.engine.write([.unlink(edge)], in: atlas) == [.done])
    }

    @Test func `changes nothing where one of them is refused, and makes no home`() async throws {
        let store = try ScratchStore()
        let known = try await store.engine.remember(
            draft("The token expires in March.", key: "token"), in: atlas)
        let before = try await store.engine.stats(in: atlas).sequence
        let unknown = MemoryID(at: store.clock.time)
        func refusal(_ writes: [Engine.Write], in namespace: Namespace? = nil) async -> EngineError? {
            do {
                try await store.engine.write([.remember(draft("A text."))] + writes, in: namespace ?? atlas)
                return nil
            } catch { return error as? EngineError }
        }
        let unnamed = await refusal([.retract(.key("nothing"))])
        #expect(unnamed?.code == .notFound && unnamed?.message.hasPrefix("write 2: ") == true)
        #expect(await refusal([.retract(.id(unknown))])?.code == .notFound)
        #expect(await refusal([.link(.key("token"), to: .id(unknown), as: .causedBy)])?.code == .notFound)
        #expect(
            await refusal([.link(.key("token"), to: .key("token"), as: .causedBy, weight: 2)])?.code
                == .invalid)
        #expect(
            await refusal([.update(.key("token"), expecting: 7) { $0.isPinned = true }])?.code == .conflict)
        #expect(await refusal([.update(.key("token")) { $0.key = "other" }])?.code == .invalid)
        // A version is made of what is stored.
        #expect(
            await refusal([
                .update(.key("token")) { $0.isPinned = true }, .update(.id(known.id)) { $0.isPinned = false },
            ])?.code == .invalid)
        #expect(
            await refusal([.remember(draft("One.", key: "k")), .remember(draft("Two.", key: "k"))])?.code
                == .invalid)
        #expect(await refusal([.retract(.key("token")), .retract(.key("token"))])?.code == .conflict)
        #expect(
            await refusal([.retract(.key("token")), .update(.key("token")) { $0.isPinned = true }])?.code
                == .invalid)
        #expect(await refusal([.unlink(EdgeID(rawValue: 1))])?.code == .notFound)
        #expect(try await store.engine.stats(in: atlas).sequence == before)
        #expect(await refusal([], in: try Namespace(path: "collective"))?.code == .forbidden)
        do {
            try await store.engine.write([.retract(.key("token"))], in: .user("ada"))
            Issue.record("a home that is not there was written to")
        } catch let error as EngineError { #expect(error.code == .notFound) }
        do {
            _ = try await store.engine.write([
                (.remember(draft("A text.")), atlas), (.remember(draft("A text.")), .user("ada")),
            ])
            Issue.record("a transaction wrote to two homes")
        } catch let error as EngineError { #expect(error.code == .invalid) }
        #expect(try store.engine.homes() == [atlas])
    }

    @Test func `gives a known key its next version, or knows it already`() async throws {
        let store = try ScratchStore()
        func remember(_ text: String) async throws -> Remembered? {
            let written = try await store.engine.write([.remember(draft(text, key: "token"))], in: atlas)
            guard case .stored(let remembered) = written[0] else { return nil }
            return remembered
        }
        let first = try #require(try await remember("It expires in March."))
        store.clock.advance()
        let second = try #require(try await remember("It expires in May."))
        #expect(second.id == first.id && second.version == 2)
        #expect(try await remember("It expires in May.")?.version == 2)
        #expect(try await store.engine.get(key: "token", in: atlas)?.content == "It expires in May.")
    }

    @Test func `writes to the sessions of a home`() async throws {
        let store = try ScratchStore()
        let (one, two) = (
            try Namespace(path: "project/atlas/session/1"), try Namespace(path: "project/atlas/session/2")
        )
        _ = try await store.engine.write([
            (.remember(draft("One.", key: "k")), one), (.remember(draft("Two.", key: "k")), two),
            (.retract(.key("k")), two),
        ])
        #expect(try await store.engine.list(in: atlas).memories.map(\.content) == ["One."])
    }

    /// It finds no memory with the key, and another write makes one before it does.
    @Test func `links what a key leads to, whoever remembered it`() async throws {
        let embedder = InterruptingEmbedder()
        let store = try ScratchStore(embedder: embedder)
        let cause = try await store.engine.remember("The cause.", in: atlas).id
        embedder.interrupt { [atlas, engine = store.engine] in
            var draft = MemoryDraft("The effect, told by another.")
            draft.key = "effect"
            try await engine.remember(draft, in: atlas)
        }
        let written = try await store.engine.write(
            [
                .remember(draft("The effect.", key: "effect")),
                .link(.key("effect"), to: .id(cause), as: .causedBy),
            ], in: atlas)
        let effect = try #require(try await store.engine.get(key: "effect", in: atlas))
        #expect(effect.version == 2 && effect.content == "The effect.")
        #expect(try written[0].remembered.id == effect.id)
        let edges = try await store.engine.edges(of: effect.id, in: atlas, kinds: [.causedBy])
        #expect(edges.map(\.to) == [cause])
    }

    /// The vectors of the first are read for the version that ends it.
    @Test func `ends what it remembers, in a space that it begins`() async throws {
        let store = try ScratchStore(embedder: InterruptingEmbedder())
        try await store.engine.write(
            [
                .remember(draft("The cache is cold.", key: "cold")),
                .remember(draft("The cache is warm.", key: "warm")),
                .supersede(.key("cold"), by: .key("warm")), .retract(.key("warm")),
            ], in: atlas)
        #expect(try await store.engine.list(in: atlas).memories.isEmpty)
        #expect(try await store.engine.check(in: atlas).problems == [])
    }

    /// Two that read the same version cannot both write the next one.
    @Test func `repeats what it makes of a version that was replaced meanwhile`() async throws {
        let store = try ScratchStore()
        try await store.engine.remember(draft("0", key: "count"), in: atlas)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { [atlas, engine = store.engine] in
                    try await engine.write(
                        [.update(.key("count")) { $0.content = "\((Int($0.content) ?? -10) + 1)" }], in: atlas
                    )
                }
            }
            try await group.waitForAll()
        }
        #expect(try await store.engine.get(key: "count", in: atlas)?.content == "4")
    }
}
