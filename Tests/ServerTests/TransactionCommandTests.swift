import MemoryEngine
import Testing

@testable import Server

@Suite struct `A transaction of memories` {
    @Test func `reads memories before and behind the writes of a transaction`() async throws {
        try await ServedStore.serve { port in
            let client = try TestClient(port: port)
            _ = try client.ask("HELLO", "3")
            let atlas = "project/atlas"
            func transaction(_ lines: [String]...) throws -> [TestClient.Value] {
                _ = try client.ask("MULTI")
                for line in lines { try client.send(line) }
                for line in lines { #expect(try client.receive() == .simple("QUEUED"), "\(line)") }
                return try client.ask("EXEC").elements
            }
            let told = try transaction(
                ["MEM.GET", atlas, "tea"], ["MEM.LIST", atlas],
                ["MEM.REMEMBER", atlas, "Tea.", "KEY", "tea"],
                ["PING"], ["MEM.REMEMBER", atlas, "Milk.", "KEY", "milk"], ["MEM.GET", atlas, "tea"],
                ["MEM.LIST", atlas], ["MEM.WHY", atlas, "nothing"], ["MEM.STATS", atlas])
            try #require(told.count == 9)
            #expect(told[0] == .text(nil))
            #expect(told[5]["content"]?.string == "Tea." && told[3] == .simple("PONG"))
            #expect(told[6]["memories"]?.elements.count == 2)
            // One read that is refused keeps no other from running.
            guard case .error(let refusal) = told[7] else {
                Issue.record("\(told[7])")
                return
            }
            #expect(refusal.hasPrefix("NOTFOUND") && told[8]["memories"] == .integer(2))
            let found = try transaction(
                ["MEM.RECALL", atlas, "What is to drink?"], ["MEM.GET", atlas, "milk"])
            #expect(found.first?["hits"]?.elements.isEmpty == false && found.count == 2)

            // Between two writes it would have to see half of a transaction.
            _ = try client.ask("MULTI")
            _ = try client.ask("MEM.RETRACT", atlas, "tea")
            #expect(try client.ask("MEM.GET", atlas, "tea") == .simple("QUEUED"))
            #expect(
                try client.ask("MEM.RETRACT", atlas, "milk")
                    == .error(
                        "ERR MEM.GET stands between writes: in a transaction, what reads memories comes before all that "
                            + "writes them, or behind"))
            #expect(
                try client.ask("EXEC")
                    == .error("EXECABORT Transaction discarded because of previous errors."))
            #expect(try client.ask("MEM.GET", atlas, "tea")["isCurrent"] == .boolean(true))

            for other in [["MEM.GET", "user/ada", "k"], ["VCARD", "s"]] {
                _ = try client.ask("MULTI")
                _ = try client.ask("MEM.RETRACT", atlas, "tea")
                try client.send(other)
                #expect(try client.receive() == .simple("QUEUED"))
                #expect(
                    try client.ask("EXEC")
                        == .error("CROSSSLOT a transaction is of memories of one home, or of vector sets"))
            }
            _ = try client.ask("MULTI")
            #expect(
                try client.ask("MEM.RECALL", atlas, "tea", "ALSO", "project/atlas/session/s", "1")
                    == .simple("QUEUED"))
            #expect(
                try client.ask("MEM.CONTEXT", atlas, "tea", "100", "ALSO", "user/ada", "1")
                    == .error("CROSSSLOT a transaction is of memories of one home, or of vector sets"))
            _ = try client.ask("DISCARD")
            let receipt = try transaction(["MEM.RECALL", atlas, "tea", "RECEIPT"])
            #expect(receipt == [.error("ERR in a transaction a recall keeps no RECEIPT")])
        }
    }

    @Test func `does of a transaction what concerns the connection only where EXEC does it`() async throws {
        try await ServedStore.serve { port in
            let client = try TestClient(port: port)
            func queue(_ lines: [String]...) throws {
                _ = try client.ask("MULTI")
                for line in lines {
                    try client.send(line)
                    #expect(try client.receive() == .simple("QUEUED"))
                }
            }
            let setting = "vset-force-single-threaded-execution"
            for refused in [["MEM.RETRACT", "project/atlas", "nothing"], ["MEM.GET", "user/ada", "x"]] {
                try queue(
                    ["CLIENT", "SETNAME", "painter"], ["CONFIG", "SET", setting, "yes"],
                    ["MEM.RETRACT", "project/atlas", "nothing"], refused)
                guard case .error = try client.ask("EXEC") else {
                    Issue.record("\(refused) is done")
                    return
                }
                #expect(try client.ask("CLIENT", "GETNAME") == .text(nil))
                #expect(try client.ask("CONFIG", "GET", setting).elements.last == .text("no"))
            }
            try queue(
                ["CLIENT", "SETNAME", "painter"], ["VCARD", "s"], ["CLIENT", "GETNAME"],
                ["CLIENT", "SETNAME", "two words"])
            let told = try client.ask("EXEC").elements
            #expect(told.prefix(3) == [.simple("OK"), .integer(0), .text("painter")])
            #expect(
                told.last
                    == .error("ERR Client names cannot contain spaces, newlines or special characters."))
        }
    }
}
