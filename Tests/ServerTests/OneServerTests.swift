import Foundation
import MemoryEngine
import Testing

@testable import Server

@Suite struct `The store of a server` {
    @Test func `has no other server, and who writes to its files is told how to ask it`() async throws {
        let server = try ServedProcess()
        let client = try TestClient(port: server.port)
        _ = try client.ask("MEM.REMEMBER", "project/atlas", "Tea.")
        let loci = try LociProgram(["LOCI_STORE": server.store, "LOCI_MODEL": ""])
        defer { loci.end() }

        let second = try loci("serve", "--port", "0")
        #expect(second.status == 1 && second.output.isEmpty)
        let message = try #require(
            second.errors.firstMatch(
                of: /another server \(process (\d+)\) serves the store (.*): ask it with `--connect (.*)`/))
        #expect(message.2 == server.store, "\(second.errors)")
        #expect(message.3 == "127.0.0.1:\(server.port)")

        let write = try loci("remember", "Milk.")
        #expect(write.status == 1)
        #expect(write.errors.contains("another process writes to project/atlas"), "\(write.errors)")
        #expect(
            write.errors.contains("a server (process \(message.1)) has the store open"), "\(write.errors)")
        let address = try #require(write.errors.firstMatch(of: /--connect ([^`]*)`/)?.1)
        var other = loci
        other.environment["LOCI_STORE"] = nil
        #expect(try other("remember", "Milk.", "--connect", String(address)).status == 0)
        // Another verb is not told of a way that it has not.
        let compact = try loci("compact")
        #expect(
            compact.status == 1 && compact.errors.contains("stop the server first")
                && !compact.errors.contains("--connect"), "\(compact.errors)")
        // Any number may read.
        #expect(try loci("list").output.contains("Tea."))

        // A client has no use of options of the command line.
        let engine = try Engine.open(at: server.store)
        try await engine.remember("Tea.", in: .user("grace"))
        #expect(
            try client.ask("MEM.REMEMBER", "user/grace", "Milk.")
                == .error("LOCKED another process writes to user/grace; try again when it has ended"))
        await engine.close()

        // What a killed server left says nothing.
        try server.kill()
        #expect(Engine.server(ofStore: server.store) == nil)
        #expect(try loci("remember", "Cocoa.").status == 0)
    }

    @Test func `has nobody else who writes to it when the server begins`() async throws {
        let loci = try LociProgram(["LOCI_MODEL": ""])
        defer { loci.end() }
        let store = loci.folder + "/store"
        let engine = try Engine.open(at: store)
        try await engine.remember("Tea.", in: .user("grace"))
        let refused = try loci("serve", "--port", "0", "--store", store)
        #expect(refused.status == 1 && refused.output.isEmpty)
        #expect(
            refused.errors.contains("another process writes to user/grace of the store \(store)"),
            "\(refused.errors)")
        let write = try loci("remember", "Milk.", "-n", "user/grace", "--store", store)
        #expect(write.errors.contains("or wait for that with `--wait SECONDS`"), "\(write.errors)")
        // What this process writes is no reason.
        #expect(try await engine.claimServing() != nil)
        await engine.close()
    }

    @Test func `shows its vector sets among the homes`() throws {
        let server = try ServedProcess()
        let client = try TestClient(port: server.port)
        _ = try client.ask("MEM.REMEMBER", "project/atlas", "Tea.")
        for (name, element) in [("fruit", "apple"), ("fruit", "lime"), ("colors", "red")] {
            _ = try client.ask("VADD", name, "VALUES", "2", "1", "0", element)
        }
        var loci = try LociProgram(["LOCI_STORE": server.store, "LOCI_MODEL": ""])
        defer { loci.end() }
        let lines = try loci.said("homes").split(separator: "\n")
        #expect(lines.count == 2 && lines.first?.hasSuffix("project/atlas") == true, "\(lines)")
        #expect(
            lines.last?.wholeMatch(of: /[ ]+3 elements .*  vectors\/sets  \(2 vector sets\)/) != nil,
            "\(lines)")
        let json = try loci.said("homes", "--json").split(separator: "\n")
        #expect(
            json.first?.hasPrefix(#"{"home":"project/atlas","kind":"memories","memories":1,"bytes":"#)
                == true,
            "\(json)")
        #expect(
            json.last?.hasPrefix(
                #"{"home":"vectors/sets","kind":"vectorSets","elements":3,"sets":2,"bytes":"#) == true,
            "\(json)")
        loci.environment["LOCI_NAMESPACE"] = nil
        #expect(try loci.said("check").contains("vectors/sets"))
    }

    @Test func `has one claim on it, unless it is read only`() async throws {
        let folder = NSTemporaryDirectory() + "server-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let engine = try Engine.open(at: folder)
        try await engine.remember("Tea.", in: .project("atlas"))
        let claim = try #require(try await engine.claimServing())
        #expect(Engine.server(ofStore: folder)?.address == nil)
        claim.tell("localhost:1234")
        let process = Int(ProcessInfo.processInfo.processIdentifier)
        #expect(Engine.server(ofStore: folder)?.process == process)
        let refusal = await #expect(throws: EngineError.self) { try await engine.claimServing() }
        #expect(refusal?.code == .locked)
        #expect(
            refusal?.message
                == "another server (process \(process)) serves the store \(folder): ask it with `--connect localhost:1234`, "
                + "or stop it, or serve another store")
        withExtendedLifetime(claim) {}
        var options = Engine.Options()
        options.isReadOnly = true
        let reader = try Engine.open(at: folder, options: options)
        #expect(try await reader.claimServing() == nil)
        await reader.close()
        await engine.close()
    }

    @Test(arguments: [
        ("127.0.0.1", false, false, "127.0.0.1:7000"), ("0.0.0.0", true, false, "rediss://localhost:7000"),
        ("::1", false, false, "[::1]:7000"), ("::1", false, true, "redis://USER@[::1]:7000"),
        ("127.0.0.1", true, true, "rediss://USER@127.0.0.1:7000"),
    ])
    func `tells who opens its store an address that is read`(
        host: String, isOverTLS: Bool, hasUsers: Bool, wanted: String
    ) throws {
        let addresses = Server.Addresses(host: host, port: 7_000)
        let told = try #require(Server.connectable(addresses, isOverTLS: isOverTLS, hasUsers: hasUsers))
        #expect(told == wanted)
        #expect(try ServerAddress(told).isOverTLS == isOverTLS)
        #expect(try ServerAddress(told).user == (hasUsers ? "USER" : nil))
        // Whoever opens the store may stand in another folder.
        let folder = FileManager.default.currentDirectoryPath
        for (path, wanted) in [("/a b", "/a b"), ("x.sock", folder + "/x.sock")] {
            let told = Server.connectable(
                .init(socketPath: path), isOverTLS: isOverTLS, hasUsers: hasUsers)
            #expect(told == "unix:" + wanted)
        }
    }

    @Test func `is served at a socket of its own`() async throws {
        let path = NSTemporaryDirectory() + "one-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let options = ServedStore.options { $0.socketPath = path }
        try await ServedStore.serveAddresses(options) { addresses in
            var loci = try LociProgram(["LOCI_MODEL": ""])
            defer { loci.end() }
            loci.environment["LOCI_STORE"] = loci.folder + "/other"
            let second = try loci("serve", "--port", "0", "--unix", path)
            #expect(second.status == 1 && second.output.isEmpty)
            #expect(second.errors.contains("cannot listen at \(path): "), "\(second.errors)")
            #expect(second.errors.contains("Address already in use"), "\(second.errors)")
            let third = try loci("serve", "--port", "\(addresses.port ?? 0)")
            #expect(third.status == 1, "\(third.errors)")
            #expect(
                third.errors.contains("cannot listen at 127.0.0.1:\(addresses.port ?? 0): "),
                "\(third.errors)")
            #expect(try loci("serve", "--port", "0", "--bind", "0.0.0.0").status == 1)
            #expect(!FileManager.default.fileExists(atPath: loci.folder + "/other"), "a store was made")
            #expect(try TestClient(path: path).ask("PING") == .simple("PONG"))
        }
        #expect(!FileManager.default.fileExists(atPath: path))
        // What a killed server left is in nobody's way.
        let server = try ServedProcess("--unix", path)
        try server.kill()
        #expect(FileManager.default.fileExists(atPath: path))
        try await ServedStore.serveAddresses(options) { _ in
            let client = try TestClient(path: path)
            #expect(try client.ask("PING") == .simple("PONG"))
        }
    }

    @Test func `leaves a socket that another server has put in the place of its own`() throws {
        let path = NSTemporaryDirectory() + "one-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data("a".utf8).write(to: URL(fileURLWithPath: path))
        let own = SocketFile(path)
        // While the first is there, so that they do not have one number.
        try Data("b".utf8).write(to: URL(fileURLWithPath: path + ".new"))
        rename(path + ".new", path)
        own.remove()
        #expect(FileManager.default.fileExists(atPath: path))
        SocketFile(path).remove()
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
