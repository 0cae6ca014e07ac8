import MemoryEngine
import Testing

@testable import crashchild

@Suite struct `A store that two processes use` {
    /// Waits for the next line of a child.
    private func next(_ lines: inout AsyncStream<String>.Iterator) async throws -> String {
        try #require(await lines.next())
    }

    private func put(
        _ key: String, by child: Child, _ lines: inout AsyncStream<String>.Iterator
    ) async throws -> String {
        try child.say("put \(key) 1")
        return try await next(&lines)
    }

    @Test func `is written by one of them, and read by both`() async throws {
        let folder = try ScratchFolder()
        let store = folder.path + "/store"
        let child = try Child(["serve", store])
        var lines = child.lines.makeAsyncIterator()
        #expect(try await next(&lines) == "ready")
        #expect(try await put("first", by: child, &lines) == "done first")

        let engine = try Engine.open(at: store)
        let content = Workload.draft("first", version: 1).content
        #expect(try await engine.get(key: "first", in: Workload.home)?.content == content)
        let error = await #expect(throws: EngineError.self) {
            try await engine.remember(Workload.draft("second", version: 1), in: Workload.home)
        }
        #expect(error?.code == .locked)
        #expect(error?.message.contains("project/crash") == true)

        // What is committed there is seen here at once, and its other homes are free.
        #expect(try await put("third", by: child, &lines) == "done third")
        #expect(try await engine.get(key: "third", in: Workload.home) != nil)
        #expect(try await engine.recall("third", in: Workload.home).first?.memory.key == "third")
        try await engine.remember("Elsewhere.", in: .user("u"))

        try child.say("quit")
        #expect(try await next(&lines) == "closed")
        #expect(child.end() == (0, false))
        try await engine.remember(Workload.draft("second", version: 1), in: Workload.home)
        #expect(try await engine.check(in: Workload.home).problems == [])
        await engine.close()
    }

    @Test func `lets the second writer wait for the first, if it is told to`() async throws {
        let folder = try ScratchFolder()
        let store = folder.path + "/store"
        let child = try Child(["serve", store])
        var lines = child.lines.makeAsyncIterator()
        #expect(try await next(&lines) == "ready")
        #expect(try await put("first", by: child, &lines) == "done first")

        var options = Engine.Options()
        options.writerWait = .seconds(120)
        let engine = try Engine.open(at: store, options: options)
        let writing = Task {
            try await engine.remember(Workload.draft("second", version: 1), in: Workload.home)
        }
        #expect(try await put("third", by: child, &lines) == "done third")
        try child.say("quit")
        #expect(try await next(&lines) == "closed")
        #expect(try await writing.value.isNew)
        #expect(try await engine.list(in: Workload.home).memories.count == 3)

        // And the other way round.
        let late = try Child(["serve", store])
        var answers = late.lines.makeAsyncIterator()
        #expect(try await next(&answers) == "ready")
        #expect(try await put("fourth", by: late, &answers).hasPrefix("error locked"))
        await engine.close()
        #expect(try await put("fourth", by: late, &answers) == "done fourth")
        try late.say("quit")
        #expect(try await next(&answers) == "closed")
    }
}
