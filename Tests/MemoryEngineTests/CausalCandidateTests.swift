import Testing

@testable import MemoryEngine

@Suite struct `Candidates for causes` {
    private let atlas = Namespace.project("atlas")

    private func commit(
        _ engine: Engine, _ content: String, _ files: [String], day: Int
    ) async throws -> MemoryID {
        var draft = MemoryDraft(content)
        draft.kind = .commit
        draft.actor = "Ada Lovelace"
        draft.keywords = files
        let time = try #require(Timestamp("2026-01-\(day < 10 ? "0" : "")\(day)T12:00:00Z"))
        draft.happened = time...time
        return try await engine.remember(draft, in: atlas).id
    }

    private func turn(_ engine: Engine, _ content: String) async throws -> MemoryID {
        var draft = MemoryDraft(content)
        draft.kind = .message
        draft.thread = "letters"
        return try await engine.remember(draft, in: atlas).id
    }

    private func causes(_ engine: Engine, of id: MemoryID) async throws -> [Edge] {
        try await engine.edges(of: id, in: atlas, direction: .out, kinds: [.causedBy])
    }

    @Test(arguments: [true, false])
    func `are the nearest commits that touched what a repair touches, and speak of it`(
        hasFiles: Bool
    ) async throws {
        let store = try ScratchStore()
        let engine = store.engine
        func files(_ names: String...) -> [String] { hasFiles ? names : [] }
        let gear = "Sources/Gear.swift"
        _ = try await commit(engine, "mill: Carry digits by the barrel", files(gear), day: 1)
        let cause = try await commit(
            engine, "mill: Anticipate the carriage of tens", files(gear, "Sources/Mill.swift"), day: 2)
        _ = try await commit(
            engine, "store: Anticipate brass, a carriage apart", files("Sources/Cards.swift"), day: 3)
        _ = try await commit(engine, "mill: Oil the axle", files(gear), day: 4)
        let repair = try await commit(
            engine, "mill: Fix the carriage\n\nTo anticipate is not to forget.", files(gear), day: 5)
        let stated = try await commit(
            engine, "mill: Fix tens\n\nIt fixes #12 for tens.", files(gear), day: 6)
        let added = try await commit(engine, "mill: Add more tens to fix_tens", files(gear), day: 7)
        #expect(try await engine.consolidate(in: atlas, steps: [.causes]).found[.causes] == 1)
        let edge = try #require(try await causes(engine, of: repair).first)
        #expect(edge.to == cause && edge.weight == 0.37)
        let place = hasFiles ? "1 of its files" : "the same part"
        #expect(
            edge.rule == "may repair it: the nearest that changed \(place), with 2 rare words in common")
        #expect(edge.evidence.map(\.id) == [repair, cause])
        #expect(try await causes(engine, of: added).isEmpty)
        #expect(try await causes(engine, of: stated).allSatisfy { $0.id == nil })
        // `causes(of:)` tells it, as sure as it is.
        let walk = try await engine.causes(of: repair, in: atlas, depth: 2)
        #expect(walk.map(\.confidence) == [Double(Float(0.37))])
        #expect(walk.first?.edge.rule == edge.rule)
        // What was taken back is not concluded again, nor another in its place.
        try await engine.unlink(try #require(edge.id), in: atlas)
        _ = try await commit(engine, "mill: Polish the brass", files(gear), day: 8)
        #expect(try await engine.consolidate(in: atlas, steps: [.causes]).found[.causes] ?? 0 == 0)
        try await engine.expectClean(atlas)
    }

    @Test(arguments: ["That's why", "That\u{2019}s why", "Because of that,", "Therefore"])
    func `are the turns that a beginning leads back to`(beginning: String) async throws {
        let store = try ScratchStore()
        let engine = store.engine
        _ = try await turn(engine, "That's why I write.")
        let before = try await turn(engine, "The funding for the engine was stopped.")
        let id = try await turn(engine, beginning + " Babbage sold the drawings.")
        let last = try await turn(engine, "He said that's why. Theremin came later.")
        try await engine.consolidate(in: atlas, steps: [.causes])
        let edge = try #require(try await causes(engine, of: id).first)
        #expect(edge.to == before && edge.weight == 0.3)
        let range = try #require(edge.evidence.first).range
        let words = String(decoding: Array(beginning.utf8)[range], as: UTF8.self)
        #expect(words == (beginning.hasSuffix(",") ? String(beginning.dropLast()) : beginning))
        #expect(try await causes(engine, of: last).isEmpty)
        #expect(try await engine.conclusions(in: atlas, steps: [.causes]).count == 1)
    }
}
