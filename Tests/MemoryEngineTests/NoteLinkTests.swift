import Testing

@testable import MemoryEngine

@Suite struct `Links of notes` {
    private let atlas = Namespace.project("atlas")

    private func note(
        _ engine: Engine, _ path: String, title: String = "", aliases: [String] = [], links: [String] = []
    ) async throws -> MemoryID {
        var draft = MemoryDraft("Note \(path) \(title) to \(links)")
        draft.kind = .note
        draft.key = "note:" + path
        draft.keywords = aliases
        draft.attributes = ["path": .string(path)]
        if !title.isEmpty { draft.attributes["title"] = .string(title) }
        for link in links { draft.attributes["link:" + link] = true }
        return try await engine.remember(draft, in: atlas).id
    }

    private func linked(_ engine: Engine, _ id: MemoryID) async throws -> Set<MemoryID> {
        Set(try await engine.edges(of: id, in: atlas, direction: .out, kinds: [.refersTo]).map(\.to))
    }

    @Test(
        arguments: [
            "Engines", "engines", "Machines/Engines", "Parts/Machines/Engines", "Difference Engine",
            "Babbagé",
        ], [false, true])
    func `lead to the note that they name, whichever comes first`(
        target: String, comesFirst: Bool
    ) async throws {
        let store = try ScratchStore()
        let engine = store.engine
        func make() async throws -> MemoryID {
            try await note(
                engine, "vault/Parts/Machines/Engines.md", title: "Difference Engine", aliases: ["Babbage"])
        }
        let before = comesFirst ? try await make() : nil
        let citing = try await note(engine, "vault/Ada.md", links: [target])
        let after = comesFirst ? nil : try await make()
        let cited = try #require(before ?? after)
        #expect(try await linked(engine, citing) == [cited])
        let edges = try await engine.edges(of: citing, in: atlas, direction: .out, kinds: [.refersTo])
        #expect(edges.map(\.rule) == ["links to it"])
        try await engine.expectClean(atlas)
        try await engine.rebuild(in: atlas)
        #expect(try await linked(engine, citing) == [cited])
        // What is no longer linked is closed.
        try await engine.update(citing, in: atlas) { $0.attributes["link:" + target] = nil }
        #expect(try await linked(engine, citing).isEmpty)
        try await engine.expectClean(atlas)
    }

    @Test func `lead nowhere where several notes are called so, unless one has that whole path`() async throws
    {
        let store = try ScratchStore()
        let engine = store.engine
        let top = try await note(engine, "vault/Day.md")
        let first = try await note(engine, "vault/a/Log.md")
        let second = try await note(engine, "vault/b/Log.md", aliases: ["Day"])
        let third = try await note(engine, "vault/b/Day.md")
        let citing = try await note(
            engine, "vault/Ada.md", links: ["Log", "b/Log", "Day", "Nothing", "/", "//"])
        #expect(try await linked(engine, citing) == [second, top])
        // The name is told apart by the path, so nothing is lost with the other.
        try await engine.forget(.id(first), under: atlas)
        #expect(try await linked(engine, citing) == [second, top])
        try await engine.forget(.everything, under: atlas.session("none"))
        for id in [top, second, third, citing] { try await engine.forget(.id(id), under: atlas) }
        #expect(
            try await engine.entries(of: atlas).allSatisfy { entry in
                entry.table != "edge"
                    && (entry.table != "shared" || entry.key[0] != Schema.Shared.memoryBySubject.rawValue)
            })
        try await engine.expectClean(atlas)
    }
}
