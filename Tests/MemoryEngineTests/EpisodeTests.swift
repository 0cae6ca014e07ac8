import Embedders
import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `Summaries of episodes` {
    private let atlas = Namespace.project("atlas")
    private var talk: Namespace { atlas.session("talk") }

    /// A conversation about engines; each line is a memory, and one of its sentences tells much.
    private static let lines = [
        ("Ada", "Hello Charles! How are you?"),
        (
            "Charles",
            "Hi Ada, very well. The mill of the Analytical Engine multiplies numbers of fifty digits."
        ),
        ("Ada", "That is good. I wrote a table of operations for the Bernoulli numbers last night."),
        ("Charles", "Oh, did you? The store holds a thousand columns of brass wheels by now."),
        ("Ada", "Yes. Menabrea described the punched cards of the Jacquard loom in Geneva."),
        ("Charles", "It is so. Clement, the toolmaker, wants eleven hundred pounds for the drawings."),
        ("Ada", "I see. Let us talk about that in London."),
        ("Charles", "Let us do that. Thank you!"),
        ("Ada", "The minister refused to pay for the engine again, and that is a pity."),
        ("Charles", "Goodbye then, and thank you for the letter."),
    ]

    private func remember(
        _ lines: [(String, String)], in namespace: Namespace, _ store: ScratchStore,
        _ change: (inout MemoryDraft) -> Void = { _ in }
    ) async throws -> [MemoryID] {
        let drafts = lines.enumerated().map { place, line in
            var draft = MemoryDraft(line.1)
            draft.kind = .message
            draft.actor = line.0
            let time = store.clock.time.advanced(by: .seconds(place - 86_400))
            draft.happened = time...time
            change(&draft)
            return draft
        }
        return try await store.engine.remember(drafts, in: namespace).map { try $0.get().id }
    }

    private func summaries(_ engine: Engine) async throws -> [Memory] {
        try await engine.summaries(in: atlas)
    }

    @discardableResult
    private func consolidate(_ store: ScratchStore) async throws -> Int {
        try await store.engine.consolidate(in: atlas, steps: [.episodes]).found[.episodes] ?? 0
    }

    @Test func `are sentences of a session, word for word, with who said them and where`() async throws {
        let store = try ScratchStore(embedder: HashEmbedder())
        let engine = store.engine
        let ids = try await remember(Self.lines, in: talk, store)
        #expect(try await consolidate(store) == 1)
        let summary = try #require(try await summaries(engine).first)
        #expect(summary.kind == .summary && summary.namespace == talk && summary.key == "loci/episode/talk")
        #expect(
            summary.origin.principal == "loci"
                && summary.origin.source?.hasPrefix("consolidation/episodes") == true)
        #expect(summary.thread == nil && summary.turn == nil && summary.attributes["memories"] == 10)
        #expect(summary.happened.lowerBound == store.clock.time.advanced(by: .seconds(-86_400)))
        let words = summary.content.split(whereSeparator: \.isWhitespace).count
        #expect((20...50).contains(words), "\(summary.content)")
        #expect(!summary.content.contains("?") && !summary.content.contains("Hello"))
        let edges = try await engine.edges(of: summary.id, in: atlas, direction: .out, kinds: [.derivedFrom])
        var parts: [(place: Int, line: String)] = []
        for edge in edges {
            let place = try #require(ids.firstIndex(of: edge.to))
            var said: [String] = []
            for citation in edge.evidence { said.append(try await engine.content(of: citation)) }
            #expect(said.allSatisfy { Self.lines[place].1.contains($0) && $0.last == "." })
            parts.append((place, "\(Self.lines[place].0): \(said.joined(separator: " "))"))
        }
        parts.sort { $0.place < $1.place }
        #expect(parts.map(\.line).joined(separator: "\n") == summary.content && parts.count > 1)
        #expect(try await engine.embeddings(of: summary.id, in: atlas).count == 1)
        try await engine.expectClean(atlas)
        // Nothing is new, so nothing is done.
        #expect(try await consolidate(store) == 0)
        #expect(try await summaries(engine).first?.version == 1)
        try await engine.rebuild(in: atlas)
        try await engine.expectClean(atlas)
        #expect(try await summaries(engine).map(\.id) == [summary.id])
    }

    @Test func `are renewed when the session has grown, once it is at rest`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        _ = try await remember(Self.lines, in: talk, store)
        try await consolidate(store)
        let before = try #require(try await summaries(engine).first)
        let last = try await remember(
            [("Ada", "Wheatstone sells telegraphs, clocks, magnets, bells, batteries, concertinas.")],
            in: talk, store
        ) { $0.happened = store.clock.time...store.clock.time }
        #expect(try await consolidate(store) == 0)
        store.clock.advance(by: .seconds(3_601))
        #expect(try await consolidate(store) == 1)
        let after = try #require(try await summaries(engine).first)
        #expect(after.id == before.id && after.version == 2 && after.attributes["memories"] == 11)
        #expect(after.content.contains("Wheatstone"))
        let edges = try await engine.edges(of: after.id, in: atlas, direction: .out, kinds: [.derivedFrom])
        #expect(edges.contains { $0.to == last[0] } && edges.count == Set(edges.map(\.to)).count)
        for edge in edges {
            for citation in edge.evidence {
                let said = try await engine.content(of: citation)
                #expect(after.content.contains(said))
            }
        }
        try await engine.expectClean(atlas)
        // A turn that follows stands behind the last one, not behind the summary.
        let next = try await remember([("Ada", "Good night.")], in: talk, store)
        #expect(try await engine.get(next[0], in: atlas)?.turn == 11)
    }

    @Test(arguments: [false, true])
    func `go with any memory that they hold or held words of`(isFolded: Bool) async throws {
        let store = try ScratchStore(embedder: HashEmbedder())
        let engine = store.engine
        let ids = try await remember(Self.lines, in: talk, store)
        try await consolidate(store)
        let first = try #require(try await summaries(engine).first)
        let cited = try await engine.edges(of: first.id, in: atlas, direction: .out, kinds: [.derivedFrom])
        let secret = try #require(
            cited.first { Self.lines[ids.firstIndex(of: $0.to) ?? 0].1.contains("Menabrea") })
        // The next version is of other words: the one before still holds these.
        try await engine.update(secret.to, in: atlas) { $0.content = "Yes." }
        try await consolidate(store)
        #expect(try await summaries(engine).first?.content.contains("Menabrea") == false)
        let versions = try await engine.versions(of: first.id, in: atlas)
        #expect(versions.count == 2 && versions[0].content.contains("Menabrea"))
        if isFolded { try await engine.fold(atlas) }
        let erasure = try await engine.forget(.id(secret.to), under: atlas)
        #expect(erasure.memories == 1 && erasure.counts["summaries"] == 1)
        #expect(try await engine.get(first.id, in: atlas) == nil)
        #expect(try await summaries(engine).isEmpty)
        for entry in try await engine.entries(of: atlas) {
            #expect(!entry.value.contains("Menabrea") && !entry.key.contains("menabrea"), "\(entry.table)")
        }
        try await engine.expectClean(atlas)
        // Made anew, of what is left.
        #expect(try await consolidate(store) == 1)
        let second = try #require(try await summaries(engine).first)
        #expect(second.id != first.id && second.attributes["memories"] == 9)
        try await engine.expectClean(atlas)
    }

    @Test func `go with what expires, with a session, and with what a principal wrote`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        _ = try await remember(Self.lines, in: talk, store) {
            if $0.content.contains("Menabrea") { $0.expires = store.clock.time.advanced(by: .seconds(7_200)) }
        }
        try await consolidate(store)
        #expect(try await summaries(engine).first?.content.contains("Menabrea") == true)
        store.clock.advance(by: .seconds(7_201))
        #expect(try await summaries(engine).isEmpty)
        _ = try await engine.vacuum(in: atlas)
        #expect(try await engine.entries(of: atlas).allSatisfy { !$0.value.contains("Menabrea") })
        #expect(try await consolidate(store) == 1)
        try await engine.forget(.principal("tester"), under: atlas)
        #expect(try await engine.entries(of: atlas).allSatisfy { !$0.value.contains("Bernoulli") })
        _ = try await remember(Self.lines, in: talk, store)
        #expect(try await consolidate(store) == 1)
        try await engine.forget(.everything, under: talk)
        #expect(try await summaries(engine).isEmpty)
        try await engine.expectClean(atlas)
    }

    @Test func `that were taken back stay so, and one that somebody changed is theirs`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let ids = try await remember(Self.lines, in: talk, store)
        _ = try await remember(Self.lines, in: atlas.session("other"), store)
        try await consolidate(store)
        #expect(try await engine.conclusions(in: atlas).isEmpty)
        let changed = try #require(
            try await engine.get(key: "loci/episode/other", in: atlas.session("other")))
        try await engine.update(changed.id, in: atlas.session("other")) {
            $0.content = "They spoke of engines."
        }
        #expect(try await engine.takeBackConclusions(of: [.episodes], in: atlas) == 1)
        #expect(try await summaries(engine).isEmpty)
        #expect(try await engine.summaries(in: atlas, includesTakenBack: true).count == 1)
        #expect(try await consolidate(store) == 0)
        #expect(try await engine.recall("They spoke of engines", in: atlas).first?.memory.id == changed.id)
        // But what was theirs of the words is forgotten with them.
        let edges = try await engine.edges(of: changed.id, in: atlas, direction: .out, kinds: [.derivedFrom])
        try await engine.forget(.id(try #require(edges.first).to), under: atlas)
        #expect(try await engine.get(changed.id, in: atlas) == nil)
        // With other words under it there is something new to say, but nobody wants it.
        try await engine.forget(.id(ids[7]), under: atlas)
        try await consolidate(store)
        #expect(try await engine.summaries(in: talk).isEmpty)
        try await engine.expectClean(atlas)
    }

    @Test func `are dropped where too little is left, and made of what was said and noted only`() async throws
    {
        let store = try ScratchStore()
        let engine = store.engine
        let ids = try await remember(Self.lines, in: talk, store)
        // A thread without a session is an episode; commits and documents are none, nor is a short one.
        _ = try await remember(Self.lines, in: atlas, store) { $0.thread = "letters" }
        _ = try await remember(Self.lines, in: atlas, store) { ($0.thread, $0.kind) = ("log", .commit) }
        _ = try await remember(Self.lines, in: atlas.session("book"), store) { $0.kind = .document }
        _ = try await remember(Array(Self.lines.prefix(7)), in: atlas.session("short"), store)
        _ = try await remember(Self.lines, in: atlas, store)
        #expect(try await consolidate(store) == 2)
        #expect(try await summaries(engine).map(\.key) == ["loci/episode/letters", "loci/episode/talk"])
        for id in ids.prefix(4) { try await engine.retract(id, in: talk) }
        #expect(try await consolidate(store) == 0)
        #expect(try await summaries(engine).map(\.key) == ["loci/episode/letters"])
        try await engine.expectClean(atlas)
    }

    @Test(arguments: [false, true])
    func `are not found unless they are asked for`(isFolded: Bool) async throws {
        let store = try ScratchStore(embedder: HashEmbedder())
        let engine = store.engine
        let other = try ScratchStore(embedder: HashEmbedder())
        let ids = try await remember(Self.lines, in: talk, store)
        _ = try await remember(Self.lines, in: talk, other)
        try await consolidate(store)
        let summary = try #require(try await summaries(engine).first)
        for engine in isFolded ? [engine, other.engine] : [] { try await engine.fold(atlas) }
        for question in ["the Bernoulli numbers", "What did Menabrea describe?", "engine"] {
            for (namespace, needsValidity) in [(atlas, false), (talk, false), (atlas, true)] {
                if needsValidity {
                    for store in [store, other] {
                        var draft = MemoryDraft("The weather was fine.")
                        draft.valid = store.clock.time.advanced(by: .seconds(-60))..<(.distantFuture)
                        draft.key = "weather"
                        try await store.engine.remember(draft, in: atlas)
                    }
                }
                let query = RecallQuery(question, in: namespace)
                let found = try await engine.recall(query)
                let expected = try await other.engine.recall(query)
                // What is measured of a home is not changed by its summaries.
                #expect(found.map(\.score) == expected.map(\.score) && !found.isEmpty)
                #expect(!found.contains { $0.memory.id == summary.id })
                var wider = query
                wider.includesSummaries = true
                #expect(try await engine.recall(wider).contains { $0.memory.id == summary.id })
                var only = query
                only.filter = .kind(.summary) && .isCurrent
                #expect(try await engine.recall(only).map(\.memory.id) == [summary.id])
                var then = query
                then.asOf = store.clock.time
                #expect(try await !engine.recall(then).contains { $0.memory.id == summary.id })
            }
        }
        #expect(try await engine.list(in: talk).memories.map(\.id) == ids)
        #expect(try await engine.list(in: talk, filter: .kind(.summary)).memories.map(\.id) == [summary.id])
        let counts = try await engine.stats(in: atlas)
        #expect(counts.memories == 11 && counts.summaries == 1)
        // It names what they name: it is no witness of its own.
        #expect(
            try await engine.edges(of: summary.id, in: atlas, direction: .out, kinds: [.mentions]).isEmpty)
    }

    @Test func `survive an export and an import`() async throws {
        let store = try ScratchStore()
        _ = try await remember(Self.lines, in: talk, store)
        try await consolidate(store)
        let copy = try ScratchStore()
        try await copy.engine.importMemories(try await store.engine.exported(atlas))
        let summary = try #require(try await summaries(copy.engine).first)
        #expect(try await summaries(store.engine).map(\.content) == [summary.content])
        try await copy.engine.expectClean(atlas)
        // What came without edges gets them, once.
        #expect(try await consolidate(copy) == 1)
        #expect(try await consolidate(copy) == 0)
        let edges = try await copy.engine.edges(
            of: summary.id, in: atlas, direction: .out, kinds: [.derivedFrom])
        #expect(edges.count > 1)
    }

    /// The summary of a session of so many messages.
    private func summary(ofLog count: Int, _ text: (Int) -> String) throws -> EpisodeSummary {
        var study = HomeStudy()
        for place in 0..<count {
            study.memories.append(
                StudiedMemory(
                    id: MemoryID(rawValue: UInt128(place + 1)), version: 1, passage: UInt32(place),
                    kind: .message, session: "log", happened: Int64(place)..<Int64(place + 1),
                    content: Array(text(place).utf8)))
        }
        let episode = try #require(Episode.all(in: study, at: Timestamp(microseconds: 1 << 50)).first)
        return try #require(EpisodeSummary(episode, TermRarity(study)))
    }

    @Test func `say nothing twice, and keep to their length`() throws {
        let summary = try summary(ofLog: 400) { place in
            place % 2 == 0
                ? "The crew of the ship met the pilot at the harbour of Lisbon. It was so."
                : "Entry \(place) of the log of the ship was blank. What now?"
        }
        let words = Episode.wordCount(summary.content.utf8.span)
        #expect((120...150).contains(words))
        #expect(summary.content.components(of: "Lisbon") == 1 && !summary.content.contains("What now?"))
        #expect(!summary.content.contains(":"))
    }

    @Test func `ask nothing`() throws {
        let summary = try summary(ofLog: 12) { place in
            place == 0
                ? "Which toolmaker wants eleven hundred pounds for drawings of brass wheels?"
                : "Entry number \(place) of the log was blank."
        }
        #expect(summary.content.contains("Entry") && !summary.content.contains("?"))
    }

    @Test func `are cut where sentences end`() {
        func sentences(_ text: String) -> [String] {
            let bytes = Array(text.utf8)
            return PassageSplitter.sentences(of: bytes.span).map {
                String(decoding: bytes[$0], as: UTF8.self)
            }
        }
        #expect(
            sentences("One, e.g. this.  Two! \"Three?\" Four") == [
                "One, e.g. this.", "Two!", "\"Three?\"", "Four",
            ])
        #expect(
            sentences("A list\n- of this\nand that\n\nThe end") == [
                "A list", "- of this\nand that", "The end",
            ])
        #expect(sentences(" \n ").isEmpty && sentences("").isEmpty)
    }
}

extension String {
    fileprivate func components(of part: String) -> Int {
        var (count, rest) = (0, self[...])
        while let range = rest.firstRange(of: part) { (count, rest) = (count + 1, rest[range.upperBound...]) }
        return count
    }
}

extension [UInt8] {
    fileprivate func contains(_ text: String) -> Bool { firstRange(of: Array(text.utf8)) != nil }
}
