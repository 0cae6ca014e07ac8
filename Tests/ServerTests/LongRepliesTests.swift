import MemoryEngine
import Testing

@testable import Server

@Suite struct `Long replies` {
    @Test func `take no more memory than they may, over all connections`() async throws {
        var options = Server.Options()
        options.longReplyByteCount = 1 << 20
        options.patience = .seconds(3_600)
        try await ServedStore.serve(options) { port in
            let client = try TestClient(port: port)
            let text = String(repeating: "A long story. ", count: 15_000)
            for number in 0..<100 {
                _ = try client.ask("VADD", "s", "VALUES", "2", "1", "0", "\(number)", "SETATTR", text)
            }
            let search = ["VSIM", "s", "ELE", "0", "WITHATTRIBS", "COUNT", "100"]
            // 20 MiB, which no buffer of the system holds.
            let idle = try TestClient(port: port)
            try idle.send(search)
            try idle.waitForAnswer()
            try client.send(search)
            guard case .error(let message) = try client.receive() else {
                Issue.record("there is room for another")
                return
            }
            #expect(message.hasPrefix("TOOLARGE the server holds as many long replies as it may"))
            #expect(try client.ask("VCARD", "s") == .integer(100))
            // Once it is taken there is room again, and so once who left it has gone.
            #expect(try idle.receive().elements.count == 200)
            try idle.send(search)
            try idle.waitForAnswer()
            idle.close()
            while try client.ask("INFO", "clients").string?.contains("connected_clients:1\r") != true {}
            try client.send(search)
            #expect(try client.receive().elements.count == 200)
        }
    }

    @Test func `give their room back, and one alone may be of any size`() {
        let replies = LongReplies(limit: 10)
        #expect(replies.take(20))
        #expect(!replies.take(1))
        replies.giveBack(20)
        #expect(replies.take(6) && replies.take(4) && !replies.take(1))
    }

    @Test func `are read by a few at a time`() async throws {
        let turns = Turns(2)
        let counts = Mutex((now: 0, most: 0))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    try await turns.take {
                        counts.withLock {
                            $0.now += 1
                            $0.most = max($0.most, $0.now)
                        }
                        await Task.yield()
                        counts.withLock { $0.now -= 1 }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(counts.withLock { $0.most } == 2)
    }

    @Test func `are not read for one who has gone`() async throws {
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            _ = try await Turns(1).take { Issue.record("it was read") }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
