// A test may stop where a value that it made is missing.
// swift-format-ignore-file: NeverForceUnwrap

import Store
import TestSupport
import Testing

@testable import MemoryEngine

@Suite struct `Edges that words imply` {
    private let atlas = Namespace.project("atlas")

    private func commit(_ hash: String, _ text: String) -> MemoryDraft {
        var draft = MemoryDraft(text)
        draft.kind = .commit
        draft.key = "git:" + hash
        return draft
    }

    private let first = "1234567890abcdef1234567890abcdef12345678"
    private let second = "abcdef1234567890abcdef1234567890abcdef12"

    /// What the edge table says of derived edges: rows are those of ids.
    private func derived(_ engine: Engine) async throws -> Set<String> {
        var found = Set<String>()
        for entry in try await engine.entries(of: atlas)
        where entry.table == "edge" && [Schema.Edge.derivedOut, Schema.Edge.reference].contains(entry.key[0])
        {
            found.insert("\(entry.key) \(entry.value)")
        }
        return found
    }

    @Test func `name entities, which are memories found by their id and no hits of a recall`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        var draft = MemoryDraft("We moved the build to `make check` after talking with Grace Hopper.")
        draft.actor = "Ada"
        let id = try await engine.remember(draft, in: atlas).id
        let other = try await engine.remember("It was settled by Grace Hopper.", in: atlas).id
        let edges = try await engine.edges(of: id, in: atlas, direction: .out, kinds: [.mentions])
        var names: [String] = []
        for edge in edges {
            let entity = try #require(try await engine.get(edge.to, in: atlas))
            #expect(entity.kind == .entity)
            names.append(entity.content)
        }
        #expect(Set(names).isSuperset(of: ["Ada", "Grace Hopper"]))
        let grace = EntityName(sort: .name, key: "grace hopper", surface: "").id
        #expect(
            Set(try await engine.edges(of: grace, in: atlas, direction: .into).map(\.from)) == [id, other])
        #expect(try await engine.recall("Grace Hopper", in: atlas).allSatisfy { $0.memory.kind != .entity })
        #expect(try await engine.list(in: atlas).memories.map(\.id) == [id, other])
        #expect(try await engine.stats(in: atlas).memories == 2)
        try await engine.expectClean(atlas)
        try await engine.forget(.id(id), under: atlas)
        #expect(try await engine.get(grace, in: atlas) != nil)
        try await engine.forget(.id(other), under: atlas)
        #expect(try await engine.get(grace, in: atlas) == nil)
        #expect(try await engine.entries(of: atlas).allSatisfy { $0.table != "edge" && $0.table != "memory" })
        try await engine.expectClean(atlas)
    }

    @Test(arguments: [false, true])
    func `lead to a commit that is cited, whichever comes first`(citedFirst: Bool) async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let cited = commit(first, "Send mail in the background")
        let citing = commit(second, "Wait for the queue\n\nIt was broken by 1234567890ab, as the log shows.")
        var ids: [MemoryID] = []
        for draft in citedFirst ? [cited, citing] : [citing, cited] {
            ids.append(try await engine.remember(draft, in: atlas).id)
        }
        if !citedFirst { ids.reverse() }
        let edges = try await engine.edges(of: ids[1], in: atlas, direction: .out, kinds: [.refersTo])
        #expect(edges.map(\.to) == [ids[0]])
        #expect(try await engine.content(of: edges[0].evidence[0]) == "1234567890ab")
        try await engine.expectClean(atlas)
        // Forgotten and remembered again, it is found again.
        try await engine.forget(.id(ids[0]), under: atlas)
        #expect(try await engine.edges(of: ids[1], in: atlas, direction: .out, kinds: [.refersTo]).isEmpty)
        let again = try await engine.remember(cited, in: atlas).id
        #expect(
            try await engine.edges(of: ids[1], in: atlas, direction: .out, kinds: [.refersTo]).map(\.to) == [
                again
            ])
        try await engine.expectClean(atlas)
    }

    @Test func `lead from a commit to its files, which a text may name`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        var draft = commit(first, "Wait for the queue")
        draft.keywords = [String(first.prefix(7)), "Sources/Mail/Queue.swift", "README.md"]
        let id = try await engine.remember(draft, in: atlas).id
        let note = try await engine.remember("See Sources/Mail/Queue.swift for the details.", in: atlas).id
        var query = GraphQuery()
        query.kinds = [.mentions]
        query.direction = .out
        let files = try await engine.neighbors(of: id, in: atlas, query: query)
        #expect(Set(files.map(\.memory.content)).isSuperset(of: ["Sources/Mail/Queue.swift", "README.md"]))
        #expect(!files.contains { $0.memory.content == String(first.prefix(7)) })
        query.direction = .both
        let path = try #require(
            try await engine.path(
                from: note, to: id, in: atlas,
                query: {
                    query.depth = 2
                    return query
                }()))
        #expect(path.map(\.rule) == ["names it", "changes it"])
        try await engine.expectClean(atlas)
    }

    @Test func `follow the newest words, and as of an earlier time those of then`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let id = try await engine.remember("Ask Grace Hopper about it.", in: atlas).id
        let before = store.clock.time
        store.clock.advance(by: .seconds(60))
        try await engine.update(id, in: atlas) { $0.content = "Ask Alan Turing about it." }
        func names(_ asOf: Timestamp?) async throws -> [String] {
            var names: [String] = []
            for edge in try await engine.edges(
                of: id, in: atlas, direction: .out, kinds: [.mentions], asOf: asOf)
            {
                names.append(try #require(try await engine.get(edge.to, in: atlas)).content)
            }
            return names
        }
        #expect(try await names(nil) == ["Alan Turing"])
        #expect(try await names(before) == ["Grace Hopper"])
        try await engine.expectClean(atlas)
    }

    @Test(arguments: 1...3 as ClosedRange<UInt64>)
    func `are the same after a rebuild`(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let store = try ScratchStore { $0.passageByteCount = 64 }
        let engine = store.engine
        let people = ["Grace Hopper", "Alan Turing", "Ada Lovelace", "Edsger Dijkstra"]
        var hashes: [String] = []
        var ids: [MemoryID] = []
        for step in 0..<60 {
            store.clock.advance()
            let hash = (0..<40).map { _ in String(random.below(16), radix: 16) }.joined()
            var text = "Step \(step) with \(random.pick(people)) and `call\(step % 5)()`"
            if let cited = hashes.randomElement(using: &random) { text += "; see \(cited.prefix(12))" }
            ids.append(try await engine.remember(commit(hash, text), in: atlas).id)
            hashes.append(hash)
            if random.chance(0.2) {
                let id = random.pick(ids)
                try await engine.forget(.id(id), under: atlas)
                ids.removeAll { $0 == id }
            }
        }
        try await engine.withExistingHome(of: atlas) { try await $0.finishEdges(on: engine.readers) }
        try await engine.expectClean(atlas)
        let before = try await derived(engine)
        let entities = try await engine.check(in: atlas).entities
        #expect(before.count > 100 && entities >= 9)
        try await engine.rebuild(in: atlas)
        #expect(try await derived(engine) == before)
        #expect(try await engine.check(in: atlas).entities == entities)
        try await engine.expectClean(atlas)
    }
}

@Suite struct `Causes that words state` {
    private let atlas = Namespace.project("atlas")

    private func commit(_ hash: String, _ text: String) -> MemoryDraft {
        var draft = MemoryDraft(text)
        draft.kind = .commit
        draft.key = "git:" + hash
        return draft
    }

    private let first = "1234567890abcdef1234567890abcdef12345678"
    private let second = "abcdef1234567890abcdef1234567890abcdef12"
    private let third = "fedcba9876543210fedcba9876543210fedcba98"

    @Test func `lead from a revert and a fix to their commits, and make a chain with evidence`() async throws
    {
        let store = try ScratchStore()
        let engine = store.engine
        let ids = try await engine.remember(
            [
                commit(first, "Send mail in the background"),
                commit(second, "Revert \"Send mail in the background\"\n\nThis reverts commit \(first).\n"),
                commit(
                    third, "Send mail in the background again\n\nFixes: \(second.prefix(12)) (\"Revert\")\n"),
            ], in: atlas
        ).map { try $0.get().id }
        let chain = try await engine.causes(of: ids[2], in: atlas)
        #expect(chain.map(\.cause.id) == [ids[1], ids[0]])
        #expect(chain.map(\.edge.kind) == [.fixes, .reverts])
        #expect(chain.allSatisfy { !$0.edge.evidence.isEmpty && $0.edge.rule != nil })
        let said = try await engine.content(of: chain[1].edge.evidence[0])
        #expect(said.contains("Send mail in the background") || said.contains(first))
        try await engine.expectClean(atlas)
    }

    @Test func `lead to the issues that a text says it fixes, and from there to all that fix them`()
        async throws
    {
        let store = try ScratchStore()
        let engine = store.engine
        let texts = [
            "Parse the header again.\n\nCloses: #1234", "Speak of #1234.", "Read it twice, because of #1234.",
        ]
        let ids = try await engine.remember(texts.map { MemoryDraft($0) }, in: atlas).map { try $0.get().id }
        let chain = try await engine.causes(of: ids[0], in: atlas)
        let link = try #require(chain.first)
        #expect(chain.count == 1 && link.edge.kind == .fixes && link.cause.kind == .entity)
        #expect(link.cause.content == "#1234")
        #expect(try await engine.content(of: link.edge.evidence[0]).contains("#1234"))
        // A number that is only named is no cause.
        #expect(try await engine.causes(of: ids[1], in: atlas).isEmpty)
        let effects = try await engine.effects(of: link.cause.id, in: atlas)
        #expect(Set(effects.map(\.effect.id)) == [ids[0], ids[2]])
        try await engine.expectClean(atlas)
        for id in ids { try await engine.forget(.id(id), under: atlas) }
        #expect(try await engine.get(link.cause.id, in: atlas) == nil)
        try await engine.expectClean(atlas)
    }

    @Test func `are not claimed of what only stands beside, or does not resolve`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        for text in [
            "The deploy failed because the token had expired.", "It was slow, so we waited.",
            "This reverts commit \(third).",
        ] {
            var draft = MemoryDraft(text)
            draft.thread = "t"
            let id = try await engine.remember(draft, in: atlas).id
            #expect(try await engine.causes(of: id, in: atlas).isEmpty)
            #expect(try await engine.effects(of: id, in: atlas).isEmpty)
        }
    }
}
