import Foundation
import MemoryEngine
import TestSupport
import Testing

@testable import Server

@Suite struct `What a server withstands` {
    /// Runs what waits for sockets on threads of their own, side by side.
    private static func sideBySide(
        _ count: Int, _ body: @escaping @Sendable (Int) throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count { group.addTask { try await ServedStore.onThread { try body(number) } } }
            try await group.waitForAll()
        }
    }

    /// Whether a process may have so many files open.
    private static func mayOpen(_ count: UInt) -> Bool {
        var limit = rlimit()
        return getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 && limit.rlim_max >= count
    }

    private static let fileCount: UInt = 2_048

    @Test(.enabled(if: mayOpen(fileCount), "needs the right to open 2,048 files"))
    func `are 1,000 connections that do nothing, beside those that work`() async throws {
        // What it may have, it takes itself.
        let server = try ServedProcess(after: "ulimit -S -n 256 && ulimit -H -n \(Self.fileCount)")
        let reader = try LineReader(server.folder + "/idle")
        let idle = """
            ulimit -n \(Self.fileCount) && for number in {1..1000}; do
                exec {connection}<>/dev/tcp/127.0.0.1/\(server.port)
                printf 'PING\\r\\n' >&$connection
                read -r reply <&$connection
                [[ $reply == +PONG* ]] || exit 1
            done
            echo ready
            kill -STOP $$
            """
        let connections = try Spawn(
            "bash", ["-c", idle], environment: ["PATH": "/usr/bin:/bin"], folder: server.folder,
            files: ("/dev/null", reader.path, "/dev/null"))
        defer {
            connections.signal(SIGKILL)
            _ = try? connections.wait()
        }
        #expect(reader.line() == "ready")
        let port = server.port
        try await Self.sideBySide(4) { number in
            let client = try TestClient(port: port)
            for round in 0..<25 {
                let reply = try client.ask("MEM.REMEMBER", "user/ada", "Note \(number) of round \(round).")
                #expect(reply.elements.count == 8)
            }
            #expect(try client.ask("MEM.RECALL", "user/ada", "round 7").elements.count > 4)
            let told = try client.ask("INFO", "clients").string ?? ""
            let open = told.firstMatch(of: /connected_clients:(\d+)/).flatMap { Int($0.1) } ?? 0
            #expect(open > 1_000)
        }
    }

    @Test func `is that it may open few files: connections leave some to the store`() throws {
        let server = try ServedProcess(after: "ulimit -n 700")
        let told = try TestClient(port: server.port).ask("INFO", "clients")
        #expect(told.string?.contains("maxclients:100\r\n") == true, "\(told)")
    }

    @Test func `are frames that come byte by byte`() async throws {
        try await ServedStore.serve { port in
            let (slow, quick) = (try TestClient(port: port), try TestClient(port: port))
            let text = "Tea, please. \u{1F375}"
            let frame =
                "*5\r\n$12\r\nMEM.REMEMBER\r\n$8\r\nuser/ada\r\n$\(text.utf8.count)\r\n\(text)\r\n$3\r\nKEY\r\n$3\r\ntea\r\n"
            for byte in frame.utf8 {
                try slow.send([byte])
                #expect(try quick.ask("PING") == .simple("PONG"))
            }
            #expect(try slow.receive().elements.count == 8)
            #expect(try quick.ask("MEM.GET", "user/ada", "tea").elements.contains(.text(text)))
        }
    }

    @Test func `is being killed: what it acknowledged is there`() async throws {
        let server = try ServedProcess()
        let acknowledged = Mutex<[String]>([])
        let port = server.port
        async let writers: Void = Self.sideBySide(8) { number in
            let client = try TestClient(port: port)
            for count in 0..<100_000 {
                let key = "\(number).\(count)"
                // Until the server is gone.
                guard
                    let reply = try? client.ask("MEM.REMEMBER", "user/ada", "What \(key) says.", "KEY", key),
                    reply.elements.count == 8
                else { return }
                acknowledged.withLock { $0.append(key) }
            }
        }
        let watcher = try TestClient(port: port)
        while acknowledged.withLock({ $0.count }) < 200 { _ = try watcher.ask("PING") }
        try server.kill()
        try await writers
        let engine = try Engine.open(at: server.store)
        let keys = acknowledged.withLock { $0 }
        #expect(keys.count >= 200)
        for key in keys {
            let memory = try await engine.get(key: key, in: .user("ada"))
            #expect(memory?.content == "What \(key) says.")
        }
        #expect(try await engine.check(in: .user("ada")).problems == [])
        await engine.close()
    }

    @Test func `is a full disk: writers are told, and readers are served`() async throws {
        // A file beyond the limit is as a disk that is full.
        let server = try ServedProcess(after: "trap '' XFSZ && ulimit -f 3000")
        let client = try TestClient(port: server.port)
        var keys: [String] = []
        var refusals: [String] = []
        let text = String(repeating: "All work and no play. ", count: 2_000)
        for number in 0..<1_000 where refusals.count < 3 {
            let reply = try client.ask("MEM.REMEMBER", "user/ada", text + "\(number)", "KEY", "k\(number)")
            if case .error(let message) = reply {
                refusals.append(message)
            } else {
                keys.append("k\(number)")
            }
        }
        #expect(refusals.count == 3)
        for message in refusals { #expect(message.hasPrefix("FULL "), "\(message)") }
        #expect(keys.count > 5)
        for key in keys {
            let content = try client.ask("MEM.GET", "user/ada", key).elements.compactMap(\.string)
            #expect(content.contains { $0.hasPrefix("All work") })
        }
        #expect(try client.ask("PING") == .simple("PONG"))
        try server.kill()
        let engine = try Engine.open(at: server.store)
        for key in keys {
            let memory = try await engine.get(key: key, in: .user("ada"))
            #expect(memory?.content.hasPrefix("All work") == true)
        }
        await engine.close()
    }

    @Test func `is a user who asks for what others have: it is refused as what is not there`() async throws {
        var options = Server.Options()
        options.users = try Users(
            [("ada", "write:user/ada"), ("ops", "admin:*")].map { name, grant in
                try User(name: name, password: Array("password of \(name)".utf8), grants: [Grant(grant)])
            })
        try await ServedStore.serve(options) { port in
            let (ada, ops) = (try TestClient(port: port), try TestClient(port: port))
            _ = try ops.ask("AUTH", "ops", "password of ops")
            _ = try ada.ask("AUTH", "ada", "password of ada")
            let id = try #require(
                try ops.ask("MEM.REMEMBER", "project/there", "The plan.", "KEY", "plan").elements[1].string)
            var count = 0
            for entry in CommandTable.entries where entry.name.hasPrefix("MEM.") {
                // Whatever stands behind the namespace: it is not looked at.
                let rest = [id, "plan", "1", "2"].prefix(max(0, entry.arity.least - 2))
                let replies = try ["project/there", "project/nothing"].map { namespace in
                    try ada.send([entry.name, namespace] + rest)
                    return try ada.receive()
                }
                guard case .error(let there) = replies[0], case .error(let nothing) = replies[1] else {
                    Issue.record("\(entry.name) was answered")
                    continue
                }
                #expect(there.hasPrefix("NOPERM "), "\(entry.name): \(there)")
                #expect(there.replacing("project/there", with: "project/nothing") == nothing)
                count += 1
            }
            #expect(count >= 19)
        }
    }
}
