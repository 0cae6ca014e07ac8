import Testing

@testable import MemoryEngine
@testable import Store

/// Says what a test wrote down for it, by the words of a memory.
private final class ScriptedReasoner: Reasoner {
    let model: String
    private let script: @Sendable (ReasonerMemory, [ReasonerMemory]) throws -> ReasonerNote
    private let told: String?
    private let asked = Mutex<[String]>([])

    init(
        _ model: String = "script-1", told: String? = nil,
        _ script: @escaping @Sendable (ReasonerMemory, [ReasonerMemory]) throws -> ReasonerNote = { _, _ in
            ReasonerNote()
        }
    ) {
        self.model = model
        self.told = told
        self.script = script
    }

    func note(on memory: ReasonerMemory, beside others: [ReasonerMemory]) async throws -> ReasonerNote {
        asked.withLock { $0.append(memory.content) }
        return try script(memory, others)
    }

    func summary(of episode: [ReasonerMemory], wordCount: Int) async throws -> String? { told }

    /// What it was asked about since the last call.
    func takeAsked() -> [String] {
        asked.withLock { asked in
            defer { asked = [] }
            return asked
        }
    }
}

@Suite struct `A reasoner` {
    private let atlas = Namespace.project("atlas")
    private static let old = "The staging server runs on Debian 11."
    private static let new = "The staging server was reinstalled with Debian 12 by Ada."

    private func store() async throws -> (ScratchStore, [MemoryID]) {
        let store = try ScratchStore()
        var ids: [MemoryID] = []
        for text in [Self.old, "Lunch is at twelve.", Self.new] {
            store.clock.advance()
            ids.append(try await store.engine.remember(MemoryDraft(text), in: atlas).id)
        }
        return (store, ids)
    }

    /// Notes the newer memory of the server.
    private static func note(_ memory: ReasonerMemory, _ others: [ReasonerMemory]) -> ReasonerNote {
        var note = ReasonerNote()
        guard memory.content == new, let old = others.first(where: { $0.content == old }) else { return note }
        note.keywords = ["upgrade", " bookworm ", "upgrade"]
        note.tags = ["operations"]
        note.links = [.init(to: old.id, .supersedes, confidence: 0.9, quote: "reinstalled with Debian 12")]
        note.facts = [
            .init(
                subject: "staging server", relation: "runs on", value: "Debian 12",
                quote: "reinstalled with Debian 12")
        ]
        note.refinements = [.init(of: old.id, keywords: ["bullseye"])]
        return note
    }

    @Test func `is asked again about what it added nothing to, where that is said`() async throws {
        let (store, ids) = try await store()
        let silent = ScriptedReasoner()
        try await store.engine.consolidate(in: atlas, steps: [.notes], reasoner: silent)
        #expect(silent.takeAsked().count == 3)
        let able = ScriptedReasoner { memory, _ in
            var note = ReasonerNote()
            if memory.content != Self.old { note.keywords = ["noted"] }
            return note
        }
        for (asksAgain, asked) in [(false, 0), (true, 3), (false, 0), (true, 1)] {
            try await store.engine.consolidate(
                in: atlas, steps: [.notes], reasoner: able, asksAgain: asksAgain)
            #expect(able.takeAsked().count == asked)
        }
        // What was taken back stays so.
        try await store.engine.takeBackConclusions(of: [.notes], in: atlas)
        try await store.engine.consolidate(in: atlas, steps: [.notes], reasoner: able, asksAgain: true)
        #expect(able.takeAsked() == [Self.old])
        #expect(try await store.engine.get(ids[2], in: atlas)?.keywords == [])
    }

    @Test func `that fails while it is asked again has been asked about all`() async throws {
        let (store, _) = try await store()
        try await store.engine.consolidate(in: atlas, steps: [.notes], reasoner: ScriptedReasoner())
        let failing = ScriptedReasoner { memory, _ in
            if memory.content != Self.old { throw EngineError(.embedder, "the quota is used up") }
            return ReasonerNote()
        }
        await #expect(throws: EngineError.self) {
            try await store.engine.consolidate(
                in: atlas, steps: [.notes], reasoner: failing, asksAgain: true)
        }
        #expect(failing.takeAsked().count == 2)
        try await store.engine.consolidate(in: atlas, steps: [.notes], reasoner: failing)
        #expect(failing.takeAsked().isEmpty)
    }

    @Test func `links, states facts and adds words, once, under its name`() async throws {
        let (store, ids) = try await store()
        let reasoner = ScriptedReasoner { Self.note($0, $1) }
        let report = try await store.engine.consolidate(in: atlas, steps: [.notes], reasoner: reasoner)
        #expect(report.found[.notes] == 4)
        #expect(reasoner.takeAsked().count == 3)

        let link = try #require(
            try await store.engine.edges(of: ids[2], in: atlas, kinds: [.supersedes]).first)
        #expect(link.to == ids[0] && link.weight == 0.9 && link.rule == "says script-1")
        let place = try #require(link.evidence.first)
        #expect(try await store.engine.content(of: place) == "reinstalled with Debian 12")

        var query = RecallQuery("staging server runs on", in: atlas)
        query.filter = .kind(.fact)
        let fact = try #require(try await store.engine.recall(query).hits.first?.memory)
        #expect(fact.content == "staging server runs on Debian 12" && fact.origin.model == "script-1")
        #expect(fact.attributes["value"] == .string("Debian 12"))
        // It does not compete with the memory that states it.
        query.filter = nil
        #expect(try await store.engine.recall(query).hits.allSatisfy { $0.memory.kind != .fact })

        let refined = try #require(try await store.engine.get(ids[2], in: atlas))
        #expect(
            refined.version == 2 && refined.keywords == ["upgrade", "bookworm"]
                && refined.tags == ["operations"])
        #expect(try await store.engine.recall("bullseye", in: atlas).first?.memory.id == ids[0])
        // The version before is what the store knew before.
        #expect(try await store.engine.get(ids[2], in: atlas, version: 1)?.keywords == [])

        // What became newer by that is not noted again.
        #expect(
            try await store.engine.consolidate(in: atlas, steps: [.notes], reasoner: reasoner).found[.notes]
                ?? 0 == 0)
        #expect(reasoner.takeAsked() == [])
        // Another model notes all of it.
        let other = ScriptedReasoner("script-2")
        try await store.engine.consolidate(in: atlas, steps: [.notes], reasoner: other)
        #expect(other.takeAsked().count == 3)
        try await store.engine.expectClean(atlas)
    }

    @Test func `is taken back with all that it added`() async throws {
        let (store, ids) = try await store()
        let reasoner = ScriptedReasoner { Self.note($0, $1) }
        try await store.engine.consolidate(in: atlas, steps: [.notes], reasoner: reasoner)
        _ = reasoner.takeAsked()
        store.clock.advance()
        #expect(try await store.engine.takeBackConclusions(of: [.notes], in: atlas) >= 4)
        for id in [ids[0], ids[2]] {
            let memory = try #require(try await store.engine.get(id, in: atlas))
            #expect(memory.keywords == [] && memory.tags == [])
        }
        #expect(try await store.engine.edges(of: ids[2], in: atlas, kinds: [.supersedes]) == [])
        var query = RecallQuery("staging server runs on", in: atlas)
        query.filter = .kind(.fact)
        #expect(try await store.engine.recall(query).hits.isEmpty)
        try await store.engine.consolidate(in: atlas, steps: [.notes], reasoner: reasoner)
        #expect(reasoner.takeAsked() == [])
        #expect(try await store.engine.conclusions(in: atlas) == [])
        try await store.engine.expectClean(atlas)
    }

    @Test func `loses the facts of a memory that is forgotten`() async throws {
        let (store, ids) = try await store()
        try await store.engine.consolidate(
            in: atlas, steps: [.notes], reasoner: ScriptedReasoner { Self.note($0, $1) })
        try await store.engine.forget(.id(ids[2]), under: atlas)
        let left = try await store.engine.list(in: atlas, includesClosed: true).memories
        #expect(!left.contains { $0.content.contains("Debian 12") })
        try await store.engine.expectClean(atlas)
    }

    @Test func `is not believed where it speaks of what it was not shown`() async throws {
        let (store, ids) = try await store()
        let reasoner = ScriptedReasoner { memory, others in
            var note = ReasonerNote()
            note.keywords = [String(repeating: "x", count: 300), "", "  "]
            note.links = [
                .init(to: MemoryID(rawValue: 7), .relatesTo, confidence: 1),
                .init(to: memory.id, .relatesTo, confidence: 1),
            ]
            for other in others {
                note.links += [
                    .init(to: other.id, .relatesTo, confidence: 2),
                    .init(to: other.id, .causedBy, confidence: .nan),
                    .init(to: other.id, .contradicts, confidence: 1, quote: "words that are not there"),
                ]
            }
            note.facts = [
                .init(subject: "server", relation: "is", value: "gone", quote: "the server is gone")
            ]
            note.refinements = [.init(of: MemoryID(rawValue: 7), keywords: ["seven"])]
            return note
        }
        let report = try await store.engine.consolidate(in: atlas, steps: [.notes], reasoner: reasoner)
        #expect(report.found[.notes] ?? 0 == 0)
        #expect(try await store.engine.conclusions(in: atlas) == [])
        for id in ids { #expect(try await store.engine.get(id, in: atlas)?.version == 1) }
    }

    @Test func `that fails is asked again from there on`() async throws {
        let (store, _) = try await store()
        struct Busy: Error {}
        let failing = ScriptedReasoner { memory, others in
            if memory.content == Self.new { throw Busy() }
            return Self.note(memory, others)
        }
        await #expect(throws: Busy.self) {
            try await store.engine.consolidate(in: atlas, steps: [.notes], reasoner: failing)
        }
        let reasoner = ScriptedReasoner { Self.note($0, $1) }
        try await store.engine.consolidate(in: atlas, steps: [.notes], reasoner: reasoner)
        #expect(reasoner.takeAsked() == [Self.new])
        #expect(
            try await store.engine.consolidate(in: atlas, steps: [.notes]).leftOut[.notes] == "no reasoner")
    }

    @Test func `tells an episode in its own words`() async throws {
        let store = try ScratchStore()
        let session = atlas.session("monday")
        for place in 0..<12 {
            store.clock.advance()
            var draft = MemoryDraft(
                "Step \(place) of the plan is to move the index of words to another file and test it well.")
            draft.kind = .message
            try await store.engine.remember(draft, in: session)
        }
        store.clock.advance(by: .seconds(86_400))
        let reasoner = ScriptedReasoner(told: "A plan of twelve steps was made.")
        try await store.engine.consolidate(in: atlas, steps: [.episodes], reasoner: reasoner)
        let summary = try #require(try await store.engine.summaries(in: atlas).first)
        #expect(summary.content == "A plan of twelve steps was made." && summary.origin.model == "script-1")
        #expect(try await store.engine.edges(of: summary.id, in: atlas, kinds: [.derivedFrom]).count == 12)
        // By another way it is told anew, and where the reasoner says nothing the engine's sentences stand.
        try await store.engine.consolidate(
            in: atlas, steps: [.episodes], reasoner: ScriptedReasoner("silent"))
        let again = try #require(try await store.engine.summaries(in: atlas).first)
        #expect(again.id == summary.id && again.content.contains("of the plan"))
        // It is asked again where that is said, and what it has told stays.
        let able = ScriptedReasoner("silent", told: "Ada planned.")
        for (asksAgain, count) in [(false, 0), (true, 1), (true, 0)] {
            let report = try await store.engine.consolidate(
                in: atlas, steps: [.episodes], reasoner: able, asksAgain: asksAgain)
            #expect(report.found[.episodes] ?? 0 == count)
        }
        let told = try #require(try await store.engine.summaries(in: atlas).first)
        #expect(told.id == summary.id && told.content == "Ada planned." && told.origin.model == "silent")
        // One that still says nothing changes nothing.
        let mute = ScriptedReasoner("mute")
        try await store.engine.consolidate(in: atlas, steps: [.episodes], reasoner: mute)
        let version = try await store.engine.summaries(in: atlas).first?.version
        try await store.engine.consolidate(in: atlas, steps: [.episodes], reasoner: mute, asksAgain: true)
        #expect(try await store.engine.summaries(in: atlas).first?.version == version)
        try await store.engine.expectClean(atlas)
    }
}
