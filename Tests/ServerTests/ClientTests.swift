import Foundation
import TestSupport
import Testing

/// Programs and libraries that others wrote for Redis, as `scripts/fetch-clients` brings them.
enum Clients {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../..").standardized.path
    static let folder = root + "/.cache/clients"
    static let python = folder + "/python/bin/python"

    static var redisCLI: String? { program("redis-cli") }
    static var node: String? { program("node") }
    static var hasPython: Bool { FileManager.default.isExecutableFile(atPath: python) }
    static var hasNode: Bool {
        node != nil && FileManager.default.fileExists(atPath: folder + "/node_modules/redis/package.json")
    }

    private static func program(_ name: String) -> String? {
        ["/usr/local/bin/", "/usr/bin/"].map { $0 + name }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Runs a program in a folder that is given the libraries, and gives what it printed.
    static func run(
        _ program: String, _ arguments: [String], input: String = "", script: String = ""
    ) throws -> String {
        let place = NSTemporaryDirectory() + "client-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: place) }
        try? FileManager.default.createSymbolicLink(
            atPath: place + "/node_modules", withDestinationPath: folder + "/node_modules")
        try Data(input.utf8).write(to: URL(fileURLWithPath: place + "/input"))
        if !script.isEmpty { try Data(script.utf8).write(to: URL(fileURLWithPath: place + "/script.mjs")) }
        let status = try Spawn.run(
            program, arguments, environment: ["PATH": "/usr/bin:/bin"], folder: place,
            files: (place + "/input", place + "/output", place + "/errors"))
        func text(_ name: String) -> String {
            String(
                decoding: FileManager.default.contents(atPath: place + "/" + name) ?? Data(), as: UTF8.self)
        }
        guard status == 0 else {
            throw TestClient.Failure(description: "\(program): \(status) \(text("output")) \(text("errors"))")
        }
        return text("output")
    }

    /// The code of a page of the documentation, for a server at a port.
    static func code(of page: String, in language: String, port: Int) throws -> String {
        let text = try String(contentsOfFile: "\(root)/docs/\(page).md", encoding: .utf8)
        var code = ""
        var isInside = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                isInside = line == "```\(language)"
            } else if isInside {
                // Libraries wait 5 s for a reply, which is little for a build that is not for release among others.
                code +=
                    line.replacing("port=6399", with: "socket_timeout=900, port=6399")
                    .replacing("6399", with: "\(port)") + "\n"
            }
        }
        return code
    }
}

@Suite struct `Clients for Redis` {
    @Test(
        .enabled(if: Clients.redisCLI != nil, "there is no redis-cli: scripts/fetch-clients"),
        arguments: [2, 3])
    func `redis-cli connects and works`(version: Int) async throws {
        try await ServedStore.serve { port in
            let lines = """
                PING
                MEM.REMEMBER project/atlas "The deploy failed: its token had expired." KEY deploy/81
                MEM.RECALL project/atlas "Why did the deploy fail?" LIMIT 1
                VADD fruit VALUES 2 1 0 apple
                VSIM fruit VALUES 2 1 0 WITHSCORES
                INFO server
                COMMAND COUNT
                MULTI
                VCARD fruit
                EXEC
                """
            let told = try Clients.run(
                Clients.redisCLI ?? "", ["-p", "\(port)", "-\(version)"], input: lines + "\n")
            for wanted in [
                "PONG", "The deploy failed: its token had expired.", "apple", "redis_version:", "QUEUED",
            ] { #expect(told.contains(wanted), "\(told)") }
            #expect(!told.contains("ERR"), "\(told)")
        }
    }

    /// Handshakes, replies and errors, blocking and with asyncio.
    private static let script = """
        import asyncio, sys, redis, redis.asyncio
        port, version = int(sys.argv[1]), int(sys.argv[2])
        words = lambda reply: reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2]))
        loci = redis.Redis(port=port, protocol=version, decode_responses=True, client_name="painter", socket_timeout=900)
        assert loci.ping() and loci.client_getname() == "painter"
        stored = words(loci.execute_command("MEM.REMEMBER", "project/atlas", "The deploy failed.", "KEY", "deploy"))
        recall = words(loci.execute_command("MEM.RECALL", "project/atlas", "deploy"))
        assert words(words(recall["hits"][0])["memory"])["id"] == stored["id"]
        assert loci.vset().vadd("fruit", [1, 0], "apple", attributes={"color": "red"}) == 1
        assert loci.vset().vsim("fruit", [1, 0], with_scores=True) == {"apple": 1.0}
        assert loci.vset().vgetattr("fruit", "apple") == {"color": "red"}
        assert loci.dbsize() == 1 and loci.exists("fruit") == 1 and loci.type("fruit") == "vectorset"
        assert list(loci.scan_iter("fr*")) == ["fruit"] and loci.info()["redis_mode"] == "standalone"
        with loci.pipeline() as writes:
            writes.execute_command("MEM.REMEMBER", "project/atlas", "The rotation was skipped.", "KEY", "rotation")
            writes.execute_command("MEM.LINK", "project/atlas", "deploy", "rotation", "causedBy")
            assert len(writes.execute()) == 2
        try:
            loci.execute_command("MEM.STATS", "project/nothing")
            assert False
        except redis.ResponseError as error:
            assert str(error).startswith("NOTFOUND"), error

        async def same():
            loci = redis.asyncio.Redis(port=port, protocol=version, decode_responses=True, socket_timeout=900)
            why = words(await loci.execute_command("MEM.WHY", "project/atlas", "deploy"))
            assert len(why["links"]) == 1
            assert await loci.vset().vsim("fruit", "apple") == ["apple"]
            assert len(await asyncio.gather(*(loci.vset().vcard("fruit") for _ in range(20)))) == 20
            assert await loci.delete("fruit") == 1
            await loci.aclose()
        asyncio.run(same())
        print("all good")
        """

    @Test(.enabled(if: Clients.hasPython, "there is no redis-py: scripts/fetch-clients"), arguments: [2, 3])
    func `redis-py connects and works, blocking and with asyncio`(version: Int) async throws {
        try await ServedStore.serve { port in
            let told = try Clients.run(Clients.python, ["-", "\(port)", "\(version)"], input: Self.script)
            #expect(told == "all good\n")
        }
    }

    @Test(.enabled(if: Clients.hasPython, "there is no redis-py: scripts/fetch-clients"))
    func `the page for Python does what it says`() async throws {
        try await ServedStore.serve { port in
            let code = try Clients.code(of: "from-python", in: "python", port: port)
            let told = try Clients.run(Clients.python, ["-"], input: code).split(separator: "\n")
            #expect(told.contains("NOTFOUND there is no home project/nothing"), "\(told)")
            #expect(
                told.contains("Tea, please.") && told.last?.hasPrefix("{'apple': 0.99") == true, "\(told)")
        }
    }

    @Test(.enabled(if: Clients.hasNode, "there is no node-redis: scripts/fetch-clients"))
    func `the page for TypeScript does what it says`() async throws {
        try await ServedStore.serve { port in
            let code = try Clients.code(of: "from-typescript", in: "ts", port: port)
            let told = try Clients.run(Clients.node ?? "", ["script.mjs"], script: code).split(
                separator: "\n")
            #expect(told.contains("NOTFOUND there is no home project/nothing"), "\(told)")
            #expect(told.contains("Tea, please.") && told.last == "[ 'apple' ]", "\(told)")
        }
    }
}
