import Foundation
import MemoryEngine
import Testing

@testable import Server

@Suite struct `A server` {
    @Test func `remembers, recalls, reads and forgets`() async throws {
        try await ServedStore.serve { port in
            let client = try TestClient(port: port)
            #expect(try client.ask("HELLO", "3")["proto"] == .integer(3))
            let atlas = "project/atlas"
            let remembered = try client.ask(
                "MEM.REMEMBER", atlas, "The deploy failed: its token had expired.", "KEY", "deploy/81", "TAG",
                "deploy", "HAPPENED", "2026-11-20", "ATTRIBUTE", "region", "eu", "IMPORTANCE", "0.75")
            #expect(remembered["isNew"] == .boolean(true))
            let id = try #require(remembered["id"]?.string)
            #expect(
                try client.ask("MEM.REMEMBER", atlas, "Lunch is at noon.", "KIND", "fact")["version"]
                    == .integer(1))

            let recall = try client.ask("MEM.RECALL", atlas, "Why did the deploy fail?", "LIMIT", "1")
            #expect(recall["intent"]?.string == "why")
            let hit = try #require(recall["hits"]?.elements.first)
            #expect(hit["memory"]?["id"]?.string == id)
            #expect(hit["passage"]?.string == "The deploy failed: its token had expired.")
            let facts = try client.ask("MEM.RECALL", atlas, "the deploy at noon", "KIND", "fact")
            #expect(facts["hits"]?.elements.map { $0["memory"]?["kind"]?.string } == ["fact"])

            let memory = try client.ask("MEM.GET", atlas, "deploy/81")
            #expect(memory["id"]?.string == id)
            #expect(memory["tags"] == .list([.text("deploy")]))
            #expect(memory["attributes"]?["region"]?.string == "eu")
            #expect(memory["happenedFrom"]?.string == "2026-11-20T00:00:00Z")
            #expect(memory["importance"] == .double("0.75"))
            #expect(
                try client.ask("MEM.NAMESPACES")
                    == .list([
                        .map([
                            .init(name: "namespace", value: .text(atlas)),
                            .init(name: "memories", value: .integer(2)),
                        ])
                    ]))
            #expect(try client.ask("MEM.STATS", atlas)["memories"] == .integer(2))

            #expect(try client.ask("MEM.FORGET", atlas, id) == .integer(1))
            #expect(try client.ask("MEM.FORGET", atlas, id) == .integer(0))
            #expect(try client.ask("MEM.GET", atlas, id) == .text(nil))
        }
    }

    @Test func `does the writes between MULTI and EXEC as one transaction`() async throws {
        try await ServedStore.serve { port in
            let client = try TestClient(port: port)
            _ = try client.ask("HELLO", "3")
            func transaction(_ lines: [String]...) throws -> TestClient.Value {
                #expect(try client.ask("MULTI") == .simple("OK"))
                for line in lines {
                    try client.send(line)
                    #expect(try client.receive() == .simple("QUEUED"))
                }
                return try client.ask("EXEC")
            }
            let atlas = "project/atlas"
            let told = try transaction(
                [
                    "MEM.REMEMBER", atlas, "The deploy failed.", "KEY", "deploy", "TAG", "a", "ATTRIBUTE",
                    "n", "1",
                ],
                ["PING"], ["MEM.REMEMBER", atlas, "The rotation was skipped.", "KEY", "rotation"],
                ["MEM.LINK", atlas, "deploy", "rotation", "causedBy"])
            #expect(told.elements.count == 4)
            #expect(told.elements[0]["isNew"] == .boolean(true) && told.elements[1] == .simple("PONG"))
            let edge = try #require(told.elements[3].string)
            let why = try client.ask("MEM.WHY", atlas, "deploy")
            #expect(why["links"]?.elements.first?["edge"]?["id"]?.string == edge)

            let refused = try transaction(
                ["MEM.UPDATE", atlas, "deploy", "CONTENT", "All is well."], ["MEM.UNLINK", atlas, edge],
                ["MEM.RETRACT", atlas, "nothing"])
            guard case .error(let message) = refused else {
                Issue.record("\(refused)")
                return
            }
            #expect(message.hasPrefix("EXECABORT nothing was changed: NOTFOUND write 3: `nothing` is no id"))
            #expect(try client.ask("MEM.GET", atlas, "deploy")["version"] == .integer(1))
            for other in [["MEM.REMEMBER", "user/ada", "A text."], ["VCARD", "s"]] {
                let crossed = try transaction(["MEM.RETRACT", atlas, "rotation"], other)
                #expect(
                    crossed == .error("CROSSSLOT a transaction is of memories of one home, or of vector sets")
                )
            }
            // With vectors, which others of the transaction read.
            let ended = try transaction(
                ["MEM.REMEMBER", atlas, "The cache is cold.", "KEY", "cold"],
                ["MEM.REMEMBER", atlas, "The cache is warm.", "KEY", "warm"],
                ["MEM.SUPERSEDE", atlas, "cold", "warm"], ["MEM.UPDATE", atlas, "rotation", "TAG", "x"],
                ["MEM.RETRACT", atlas, "rotation"])
            #expect(ended.elements.count == 5, "\(ended)")
            #expect(try client.ask("MULTI") == .simple("OK"))
            #expect(
                try client.ask("MEM.REMEMBER", atlas, "A text.", "COLOR", "red")
                    == .error("ERR MEM.REMEMBER has no option `COLOR`"))
            #expect(
                try client.ask(
                    "MEM.UPDATE", atlas, "deploy", "VALIDFROM", "2026-02-01", "VALIDUNTIL", "2026-01-01"
                )
                    == .error(
                        "ERR VALIDUNTIL, 2026-01-01T00:00:00Z, is not after VALIDFROM, 2026-02-01T00:00:00Z"))
            #expect(
                try client.ask("EXEC")
                    == .error("EXECABORT Transaction discarded because of previous errors."))
            // Homes of vector sets are none of memories.
            #expect(try client.ask("VADD", "s", "VALUES", "2", "1", "0", "a") == .boolean(true))
            #expect(try client.ask("MEM.NAMESPACES").elements.count == 1)
            _ = try client.ask(
                "MEM.UPDATE", atlas, "deploy", "UNTAG", "a", "TAG", "a", "UNSET", "n", "ATTRIBUTE", "n", "2")
            #expect(try client.ask("MEM.GET", atlas, "deploy")["attributes"]?["n"] == .double("2"))

            let id = try #require(told.elements[0]["id"]?.string)
            #expect(
                try transaction(
                    ["MEM.UPDATE", atlas, "deploy", "UNTAG", "a", "UNSET", "n"],
                    ["MEM.LINK", atlas, "rotation", "deploy", "refersTo", "EVIDENCE", "\(id)@1#0-10"],
                    ["MEM.UNLINK", atlas, edge]
                ).elements.count == 3)
            let memory = try client.ask("MEM.GET", atlas, "deploy")
            #expect(memory["tags"] == nil && memory["attributes"] == nil && memory["version"] == .integer(3))
            let near = try client.ask("MEM.NEIGHBORS", atlas, "rotation", "KIND", "refersTo")
            let path = near["neighbors"]?.elements.first?["path"]?.elements.first
            #expect(path?["evidence"] == .list([.text("\(id)@1#0-10")]))
            #expect(
                try client.ask("MEM.LINK", atlas, "rotation", "deploy", "refersTo", "EVIDENCE", "there")
                    == .error("ERR MEM.LINK: `there` is no citation; write ID@VERSION#FROM-TO"))
        }
    }

    @Test func `takes vectors as floats, and finds by them`() async throws {
        try await ServedStore.serve { port in
            let client = try TestClient(port: port)
            func command(_ words: [[UInt8]]) -> [UInt8] {
                words.reduce(into: Array("*\(words.count)\r\n".utf8)) {
                    $0 += Array("$\($1.count)\r\n".utf8) + $1 + [13, 10]
                }
            }
            func words(_ text: String) -> [[UInt8]] { text.split(separator: " ").map { Array($0.utf8) } }
            func floats(_ values: [Float]) -> [UInt8] {
                values.flatMap { value in
                    (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> ($0 * 8)) }
                }
            }
            try client.send(Array("HELLO 3\r\n".utf8))
            _ = try client.receive()
            for (name, vector) in [("east", [Float](arrayLiteral: 1, 0)), ("north", [0, 1])] {
                try client.send(
                    command(words("MEM.REMEMBER user/ada \(name) VECTOR map/2") + [floats(vector)]))
                #expect(try client.receive()["isNew"] == .boolean(true))
            }
            try client.send(command(words("MEM.RECALL user/ada where VECTOR map/2") + [floats([0.1, 0.9])]))
            #expect(try client.receive()["hits"]?.elements.first?["passage"]?.string == "north")
            try client.send(command(words("MEM.RECALL user/ada where VECTOR map/2") + [floats([1])]))
            #expect(
                try client.receive()
                    == .error(
                        "VECTOR MEM.RECALL: the vector in map/2 has 4 bytes; 2 floats of 32 bits have 8"))
        }
    }

    @Test func `updates, lists, links, and walks along edges`() async throws {
        try await ServedStore.serve { port in
            let client = try TestClient(port: port)
            _ = try client.ask("HELLO", "3")
            let atlas = "project/atlas"
            for (key, text) in [
                ("a", "The token expired."), ("b", "The deploy failed."), ("c", "It was late."),
            ] {
                #expect(try client.ask("MEM.REMEMBER", atlas, text, "KEY", key)["isNew"] == .boolean(true))
            }
            #expect(
                try client.ask("MEM.UPDATE", atlas, "b", "CONTENT", "The deploy failed at noon.", "TAG", "x")[
                    "version"] == .integer(2))
            let page = try client.ask("MEM.LIST", atlas, "LIMIT", "2", "ORDER", "recorded")
            #expect(page["memories"]?.elements.map { $0["key"]?.string } == ["a", "b"])
            let cursor = try #require(page["after"]?.string)
            let rest = try client.ask(
                "MEM.LIST", atlas, "LIMIT", "2", "ORDER", "recorded", "AFTER", cursor)
            #expect(rest["memories"]?.elements.map { $0["key"]?.string } == ["c"])
            #expect(rest["after"] == nil)

            let edge = try #require(try client.ask("MEM.LINK", atlas, "b", "a", "causedBy").string)
            _ = try client.ask("MEM.LINK", atlas, "c", "b", "causedBy", "WEIGHT", "0.5")
            let links = try client.ask("MEM.WHY", atlas, "c")["links"]?.elements ?? []
            #expect(links.map { $0["cause"]?["key"]?.string } == ["b", "a"])
            #expect(links.map { $0["confidence"] } == [.double("0.5"), .double("0.5")])
            let effects =
                try client.ask("MEM.WHY", atlas, "a", "EFFECTS", "DEPTH", "1")["links"]?.elements ?? []
            #expect(effects.map { $0["effect"]?["key"]?.string } == ["b"])
            #expect(try client.ask("MEM.PATH", atlas, "c", "a", "KIND", "causedBy").elements.count == 2)
            #expect(
                try client.ask("MEM.NEIGHBORS", atlas, "b", "KIND", "causedBy")["neighbors"]?.elements.count
                    == 2)
            #expect(try client.ask("MEM.UNLINK", atlas, edge) == .simple("OK"))
            #expect(try client.ask("MEM.PATH", atlas, "c", "a", "KIND", "causedBy") == .text(nil))
        }
    }

    @Test func `waits for a change, and records what came of a recall`() async throws {
        try await ServedStore.serve { port in
            let (client, writer) = (try TestClient(port: port), try TestClient(port: port))
            _ = try client.ask("HELLO", "3")
            _ = try writer.ask("HELLO", "3")
            _ = try writer.ask("MEM.REMEMBER", "user/ada", "First.", "KEY", "first")
            try client.send(["MEM.CHANGES", "user/ada", "AFTER", "1", "BLOCK", "0"])
            // One that did not wait would have answered by now.
            for _ in 0..<300 { _ = try writer.ask("MEM.GET", "user/ada", "first") }
            let id = try writer.ask("MEM.REMEMBER", "user/ada", "Second.")["id"]
            let changes = try client.receive().elements
            #expect(changes.map { $0["id"] } == [id])
            #expect(changes.map { $0["sequence"] } == [.integer(2)])

            let recall = try #require(
                try writer.ask("MEM.RECALL", "user/ada", "first", "RECEIPT")["id"]?.string)
            #expect(try writer.ask("MEM.RECORD", "user/ada", recall, "success") == .simple("OK"))
            let kinds = try client.ask("MEM.CHANGES", "user/ada", "AFTER", "2").elements.map {
                $0["kind"]?.string
            }
            #expect(kinds == ["receipt", "outcome"])
            let pack = try client.ask("MEM.CONTEXT", "user/ada", "first", "500")
            #expect(pack["text"]?.string?.contains("First.") == true)

            #expect(try writer.ask("MEM.SUPERSEDE", "user/ada", "first", id?.string ?? "") == .simple("OK"))
            #expect(try client.ask("MEM.GET", "user/ada", "first")["isCurrent"] == .boolean(false))
        }
    }

    @Test func `tells the changes of a commit together`() async throws {
        let folder = NSTemporaryDirectory() + "server-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let engine = try Engine.open(at: folder)
        for _ in 0..<2 { _ = try await engine.remember(["One.", "Two.", "Three."], in: .user("ada")) }
        func count(_ line: String) async -> Int? {
            let words = line.split(separator: " ").map { Array($0.utf8) }
            let call = ConnectionState.Call(name: "MEM.CHANGES", words: words, user: nil)
            guard case .array(let changes) = await MemoryCommands(engine: engine).run(call) else {
                return nil
            }
            return changes.count
        }
        #expect(await count("MEM.CHANGES user/ada COUNT 1") == 3)
        #expect(await count("MEM.CHANGES user/ada COUNT 4") == 6)
        #expect(await count("MEM.CHANGES user/ada AFTER 1 COUNT 2") == 3)
        await engine.close()
    }

    @Test func `lets nobody wait for changes when it ends`() async throws {
        let kept = Mutex<TestClient?>(nil)
        try await ServedStore.serve { port in
            let client = try TestClient(port: port)
            _ = try client.ask("MEM.REMEMBER", "user/ada", "First.")
            try client.send(Array("PING\r\nMEM.CHANGES user/ada AFTER 1 BLOCK 0\r\n".utf8))
            #expect(try client.receive() == .simple("PONG"))
            kept.withLock { $0 = client }
        }
        let client = try #require(kept.withLock { $0 })
        #expect(try client.receive() == .list([]))
        #expect(try client.isAtEnd())
    }

    @Test func `says what is wrong, and goes on`() async throws {
        try await ServedStore.serve { port in
            let client = try TestClient(port: port)
            for (command, begin) in [
                (
                    ["MEM.REMEMBER", "atlas", "x"],
                    "NAMESPACE `atlas` is not a namespace: it lacks a name; write"
                ),
                (["MEM.REMEMBER", "collective", "x"], "NOPERM "),
                (
                    ["MEM.REMEMBER", "project/a", "x", "COLOUR", "red"],
                    "ERR MEM.REMEMBER has no option `COLOUR`"
                ),
                (
                    ["MEM.REMEMBER", "project/a", "x", "KIND"],
                    "ERR MEM.REMEMBER: the kind is missing at the end"
                ),
                (
                    ["MEM.REMEMBER", "project/a", "x", "HAPPENED", "soon"],
                    "ERR MEM.REMEMBER: when it happened is `soon`; give a day"
                ),
                (
                    [
                        "MEM.REMEMBER", "project/a", "x", "VALIDFROM", "2026-11-02", "VALIDUNTIL",
                        "2026-11-01",
                    ],
                    "ERR VALIDUNTIL, 2026-11-01T00:00:00Z, is not after VALIDFROM"
                ),
                (
                    ["MEM.RECALL", "project/a", "x", "LIMIT", "0"],
                    "ERR MEM.RECALL: LIMIT is `0`; give a whole"
                ),
                (["MEM.GET", "project/a", "x", "VERSION", "x"], "ERR MEM.GET: VERSION is `x`; give a whole"),
                (
                    ["MEM.RECALL", "project/a", "x", "ALSO", "user/b", "0"],
                    "ERR MEM.RECALL: the weight of ALSO is `0`; give a number over 0"
                ),
                (
                    ["MEM.LINK", "project/a", "x", "y", "causedBy", "WEIGHT", "0"],
                    "ERR MEM.LINK: the weight is `0`; give a number over 0"
                ),
                (
                    ["MEM.LIST", "project/a", "TRUST", "x"],
                    "ERR MEM.LIST: TRUST is `x`; give one of untrusted"
                ),
                (["MEM.RECORD", "project/a", "x", "success"], "ERR MEM.RECORD: `x` is no id of a recall"),
                (["MEM.STATS", "project/a"], "NOTFOUND "),
            ] {
                try client.send(command)
                guard case .error(let message) = try client.receive() else {
                    Issue.record("\(command) was taken")
                    continue
                }
                #expect(message.hasPrefix(begin), "\(command): \(message)")
            }
            #expect(try client.ask("PING") == .simple("PONG"))
        }
    }

    @Test func `answers a pipeline of 10,000 in order, with memories between`() async throws {
        try await ServedStore.serve { port in
            let client = try TestClient(port: port)
            var bytes: [UInt8] = []
            for number in 0..<10_000 {
                bytes += Array(
                    (number % 2_500 == 0 ? "MEM.REMEMBER project/a \(number)\r\n" : "ECHO \(number)\r\n").utf8
                )
            }
            try client.send(bytes)
            for number in 0..<10_000 {
                let reply = try client.receive()
                if number % 2_500 == 0 {
                    #expect(reply.elements.count == 8)
                } else {
                    #expect(reply == .text("\(number)"))
                }
            }
        }
    }

    @Test func `closes behind bytes that are no command, and serves others`() async throws {
        try await ServedStore.serve { port in
            let (good, bad) = (try TestClient(port: port), try TestClient(port: port))
            try bad.send(Array("*1\r\n!\r\n".utf8))
            #expect(try bad.receive() == .error("ERR Protocol error: expected '$', got '!'"))
            #expect(try bad.isAtEnd())
            #expect(try good.ask("PING") == .simple("PONG"))
        }
    }

    @Test func `answers a client that has stopped sending`() async throws {
        try await ServedStore.serve { port in
            let client = try TestClient(port: port)
            try client.send(["MEM.REMEMBER", "project/a", "The last word."])
            client.endSending()
            #expect(try client.receive().elements.count == 8)
            #expect(try client.isAtEnd())
        }
    }

    @Test func `keeps nobody waiting for changes who has stopped sending`() async throws {
        try await ServedStore.serve { port in
            let client = try TestClient(port: port)
            _ = try client.ask("MEM.REMEMBER", "user/ada", "First.")
            try client.send(["MEM.CHANGES", "user/ada", "AFTER", "1", "BLOCK", "3600000"])
            client.endSending()
            #expect(try client.receive() == .list([]))
            #expect(try client.isAtEnd())
        }
    }

    @Test func `says where it cannot listen, and why`() async throws {
        let error = await #expect(throws: EngineError.self) {
            try await ServedStore.serve(ServedStore.options { $0.socketPath = "/nowhere/socket" }) { _ in }
        }
        let message = error?.message ?? ""
        #expect(message.hasPrefix("cannot listen at /nowhere/socket: "), "\(message)")
        #expect(message.hasSuffix("No such file or directory"), "\(message)")
    }

    @Test func `refuses connections beyond its bound`() async throws {
        try await ServedStore.serve(ServedStore.options { $0.maximumConnections = 2 }) { port in
            let (first, second) = (try TestClient(port: port), try TestClient(port: port))
            #expect(try first.ask("PING") == .simple("PONG"))
            #expect(try second.ask("PING") == .simple("PONG"))
            let third = try TestClient(port: port)
            #expect(try third.receive() == .error("ERR max number of clients reached"))
            #expect(try third.isAtEnd())
        }
    }

    @Test func `keeps little for a client that reads nothing, and ends it`() async throws {
        try await ServedStore.serve(ServedStore.options { $0.patience = .milliseconds(50) }) { port in
            let client = try TestClient(port: port)
            // More than the buffers of both sides hold: the server reads no further, and loses patience.
            let line = Array(("ECHO " + String(repeating: "x", count: 60_000) + "\r\n").utf8)
            #expect(throws: (any Error).self) {
                for _ in 0..<2_000 { try client.send(line) }
            }
            let other = try TestClient(port: port)
            #expect(try other.ask("PING") == .simple("PONG"))
        }
    }

    @Test func `begins nothing more for a client that has taken nothing`() async throws {
        // As long as it may take: what is looked at is what is begun, not when the client is ended.
        try await ServedStore.serve(ServedStore.options { $0.patience = .seconds(3600) }) { port in
            let (client, other) = (try TestClient(port: port), try TestClient(port: port))
            let text = String(repeating: "All work and no play. ", count: 50_000)
            _ = try client.ask("MEM.REMEMBER", "project/a", text, "KEY", "long")
            // More than the buffers of both sides hold, asked for in few bytes.
            let count = 16
            let asked = String(repeating: "MEM.GET project/a long\r\n", count: count)
            try client.send(Array((asked + "MEM.REMEMBER project/a last KEY last\r\n").utf8))
            for _ in 0..<count {
                #expect(try !other.ask("MEM.GET", "project/a", "long").elements.isEmpty)
            }
            let early = try other.ask("MEM.GET", "project/a", "last")
            #expect(early == .text(nil), "\(early)")
            for _ in 0..<count { #expect(try !client.receive().elements.isEmpty) }
            let remembered = try client.receive()
            #expect(remembered.elements.count == 8, "\(remembered)")
            #expect(try !other.ask("MEM.GET", "project/a", "last").elements.isEmpty)
        }
    }

    @Test func `finishes what is in flight when it ends`() async throws {
        let kept = Mutex<TestClient?>(nil)
        try await ServedStore.serve(ServedStore.options { $0.drainTime = .seconds(600) }) { port in
            let connected = try TestClient(port: port)
            // What comes with the first command has been read when that is answered.
            try connected.send(Array("PING\r\nMEM.REMEMBER project/a flying\r\n".utf8))
            #expect(try connected.receive() == .simple("PONG"))
            kept.withLock { $0 = connected }
        }
        let ended = try #require(kept.withLock { $0 })
        #expect(try ended.receive().elements.count == 8)
        #expect(try ended.isAtEnd())
    }

    @Test func `listens where only this machine reaches it`() async throws {
        #expect(Server.isLoopback("127.0.0.1") && Server.isLoopback("127.9.9.9") && Server.isLoopback("::1"))
        for host in ["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example.org", "127.0.0"] {
            #expect(!Server.isLoopback(host), "\(host)")
        }
        let error = await #expect(throws: EngineError.self) {
            try await ServedStore.serve(ServedStore.options { $0.host = "0.0.0.0" }) { _ in }
        }
        #expect(error?.code == .forbidden)
    }
}
