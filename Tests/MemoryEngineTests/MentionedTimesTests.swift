import Testing

@testable import MemoryEngine

@Suite struct `The times of a memory` {
    private let atlas = Namespace.project("atlas")

    @Test func `are those that its words name, counted from when it happened`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        var draft = MemoryDraft(
            "We met last Friday in Bérgen, and in May 2024; it stays so until 7 November 2026.")
        let time = try #require(Timestamp("2026-02-24T10:00:00Z"))
        draft.happened = time...time
        let id = try await engine.remember(draft, in: atlas).id
        let times = try await engine.times(of: id, in: atlas)
        try #require(times.count == 3)
        #expect(times.map(\.text) == ["last Friday", "May 2024", "until 7 November 2026"])
        #expect(times.map(\.granularity) == [.day, .month, .day])
        #expect(times.map(\.isRelative) == [true, false, false])
        #expect(times[0].named.lowerBound.description == "2026-02-20T00:00:00Z")
        #expect(times[1].interval.upperBound.description == "2024-06-01T00:00:00Z")
        #expect(times[2].interval.lowerBound == .distantPast)
        for time in times {
            let bytes = Array(draft.content.utf8)[time.range]
            #expect(String(decoding: bytes, as: UTF8.self) == time.text)
        }
        await #expect(throws: EngineError.self) {
            try await engine.times(of: MemoryID(rawValue: 1), in: atlas)
        }
    }

    @Test func `can be asked of a walk`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let start = try await engine.remember("Ask Grace Hopper.", in: atlas).id
        let fitting = try await engine.remember("Grace Hopper comes on 5 May 2026.", in: atlas).id
        try await engine.remember("Grace Hopper came on 5 May 2025.", in: atlas)
        try await engine.remember("Grace Hopper knows it.", in: atlas)
        var query = GraphQuery()
        query.kinds = [.mentions]
        query.depth = 2
        query.speaksOf =
            try #require(Timestamp("2026-05-01T00:00:00Z"))..<#require(Timestamp("2026-06-01T00:00:00Z"))
        #expect(try await engine.neighbors(of: start, in: atlas, query: query).map(\.memory.id) == [fitting])
    }
}
