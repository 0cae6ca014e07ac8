import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `A title` {
    let atlas = Namespace.project("atlas")

    @Test(arguments: [
        ("fetch: keep the lock\n\nIt was lost.", MemoryKind.note, "fetch: keep the lock"),
        ("  \n fetch\r\n\r\nIt was lost.", .document, "fetch\r"),
        ("# Locks\nThey are kept.", .note, "# Locks"),
        ("###### Locks", .note, "###### Locks"),
        ("fetch: keep the lock", .commit, "fetch: keep the lock"),
        ("fetch: keep the lock\nIt was lost.", .commit, "fetch: keep the lock"),
    ])
    func `is the first line of a commit, or what an empty line sets off, or a heading`(
        _ content: String, _ kind: MemoryKind, _ title: String
    ) throws {
        let bytes = Array(content.utf8)
        let range = try #require(Title.range(in: bytes, kind: kind))
        #expect(String(decoding: bytes[range], as: UTF8.self) == title)
    }

    @Test(arguments: [
        ("", MemoryKind.commit), (" \n\n ", .commit), ("one line", .note), ("one\ntwo", .note),
        ("one\n", .note), ("one\n\n \n", .note), ("one\n\ntwo", .message), ("#", .note), ("# ", .note),
        ("#tag", .note), ("# Locks", .message), ("####### seven", .note),
        (String(repeating: "a", count: 201) + "\n\nb", .note),
    ])
    func `is no line of a text without one, and nothing that somebody says`(
        _ content: String, _ kind: MemoryKind
    ) {
        #expect(Title.range(in: Array(content.utf8), kind: kind) == nil)
    }

    @Test(arguments: [false, true])
    func `puts its memory first where its words are asked for`(isFolded: Bool) async throws {
        let store = try ScratchStore()
        for text in [
            "The pack reader waits for the lock\n\nNothing else is known.",
            "Lock the pack reader\n\nNothing else is known of the lock that is held there.",
            "Nothing more\n\nThe pack reader waits for the lock of the pack, for the pack is read under a lock.",
        ] {
            try await store.engine.remember(text, in: atlas)
        }
        for index in 0..<20 { try await store.engine.remember("filler \(index)\n\nlock of it", in: atlas) }
        if isFolded { try await store.engine.fold(atlas) }
        var query = RecallQuery("Which pack is read under a lock of the pack?", in: atlas)
        query.channels = [.words]
        query.limit = 100
        let byTitle = try await store.engine.recall(query)
        #expect(!byTitle[0].memory.content.hasPrefix("Nothing more"))
        query.weights = RecallWeights()
        query.weights?.titles = 0
        let byText = try await store.engine.recall(query)
        #expect(byText[0].memory.content.hasPrefix("Nothing more"))
        for hit in byTitle { #expect(abs(hit.parts.sum - hit.score) < 1e-6) }
        // It goes with its memory.
        try await store.engine.forget(.id(byTitle[0].memory.id), under: atlas)
        try await store.engine.expectClean(atlas)
        #expect(try await store.engine.recall(query).count == 22)
    }
}
