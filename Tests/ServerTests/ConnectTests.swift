import Foundation
import MemoryEngine
import TestSupport
import Testing

@testable import Server

/// Runs the program `loci` in a folder of its own.
struct LociProgram: Sendable {
    struct Answer: Equatable {
        let status: Int32
        let output: String
        let errors: String
    }

    let folder: String
    var environment: [String: String]

    init(_ environment: [String: String]) throws {
        folder = NSTemporaryDirectory() + "connect-\(UUID().uuidString)"
        self.environment = [
            "LOCI_NAMESPACE": "project/atlas", "PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no",
        ].merging(environment) { $1 }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    func end() { try? FileManager.default.removeItem(atPath: folder) }

    func run(_ arguments: [String], input: String = "") throws -> Answer {
        let program =
            URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/loci"
        let files = ["input", "output", "errors"].map { "\(folder)/.\($0)-\(UUID().uuidString)" }
        defer { for file in files { try? FileManager.default.removeItem(atPath: file) } }
        try Data(input.utf8).write(to: URL(fileURLWithPath: files[0]))
        // One that does not end, as a server that should have been refused, is a failure and no wait for ever.
        let status = try Spawn.run(
            "/usr/bin/timeout", ["300", program] + arguments, environment: environment, folder: folder,
            files: (files[0], files[1], files[2]))
        func text(_ file: String) -> String {
            String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
        }
        return Answer(status: status, output: text(files[1]), errors: text(files[2]))
    }

    func callAsFunction(_ arguments: String..., input: String = "") throws -> Answer {
        try run(arguments, input: input)
    }

    /// What a verb prints that must succeed, without the end of its line.
    @discardableResult func said(_ arguments: String..., input: String = "") throws -> String {
        let answer = try run(arguments, input: input)
        guard answer.status == 0 else {
            throw TestClient.Failure(description: "\(arguments): \(answer.status) \(answer.errors)")
        }
        return answer.output.trimmingCharacters(in: .newlines)
    }

    /// The id that the output of a verb begins with.
    func id(_ arguments: String...) throws -> String {
        let answer = try run(arguments)
        guard answer.status == 0 else {
            throw TestClient.Failure(description: "\(arguments): \(answer.status) \(answer.errors)")
        }
        return String(answer.output.prefix(36))
    }
}

@Suite struct `A verb with a connection` {
    /// Without what differs from one recall to the next.
    private static func steady(_ text: String) -> String {
        text.replacing(/[0-9.]+ ms( \(embedding.*?\))?/, with: "")
            .replacing(/"milliseconds":\{.*?\}/, with: "").replacing(/"tables":.*/, with: "")
            .replacing(/recall [0-9a-f-]{36}|^\{"id":"[0-9a-f-]{36}"|"recall":"[0-9a-f-]{36}"/, with: "")
            .replacing(
                /[ ]+readers.*?\n|"readers":\d+|"heldSnapshots":\d+|"oldestSnapshotMilliseconds":[\d.]+,/,
                with: ""
            )
            .replacing(/[ ]+snapshots.*?\n|[ ]+table .*?\n/, with: "")
    }

    @Test func `prints what it prints of the store`() async throws {
        try await ServedStore.onThread { try Self.compare() }
    }

    private static func compare() throws {
        let served = try ServedProcess()
        let remote = try LociProgram(["LOCI_URL": "127.0.0.1:\(served.port)"])
        let local = try LociProgram(["LOCI_STORE": served.store])
        defer {
            remote.end()
            local.end()
        }
        let deploy = try remote.id(
            "remember", "The deploy failed: its token had expired.", "--key", "deploy/81", "--tag", "deploy",
            "--actor", "Ada", "--happened", "2026-11-20", "--attribute", "region=eu-1", "--attribute",
            "tries=3", "--attribute", "build=\"7\"", "--importance", "0.8", "--kind", "event", "--thread",
            "ops")
        #expect(
            try remote.said("remember", "The deploy failed: its token had expired.", "--key", "deploy/81")
                == "\(deploy)  known already  project/atlas")
        let rotation = try remote.id(
            "remember", "The rotation of tokens was skipped.", "--key", "rotation", "--thread", "ops",
            "--pin",
            "--valid-from", "2026-11-01", "--trust", "verified", "--source", "log:81")
        let lunch = try remote.id("remember", "Lunch is at noon.", "--vector", "mini@1/3/cosine=[1,0,0]")
        try remote.said("remember", "A note of a session.", "-n", "project/atlas/session/s1")
        #expect(
            try remote.said("update", "rotation", "The rotation of tokens was left out.", "--tag", "token")
                == "\(rotation)  version 2  project/atlas")
        try remote.said("update", "rotation", "--tag", "old", "--attribute", "old=1")
        try remote.said("update", "rotation", "--untag", "old", "--unset", "old")
        let edge = try remote.said(
            "link", "deploy/81", "rotation", "--as", "causedBy", "--weight", "0.5", "--evidence",
            "\(deploy)@1#4-10")
        let told = try local.said("get", "rotation", "--json")
        #expect(!told.contains("old") && told.contains("token"), "\(told)")
        #expect(try local.said("path", "deploy/81", "rotation", "--json").contains("\(deploy)@1#4-10"))

        for arguments in [
            ["get", "deploy/81"], ["get", "deploy/81", "--json"], ["get", rotation, "--json"],
            ["get", rotation, "--versions", "--json"], ["get", "\(rotation)@1", "--json"],
            ["get", "\(deploy)@1#4-10"], ["get", "nothing"], ["get", rotation, "--version", "7"],
            ["get", lunch, "--json"], ["list"], ["list", "--json"], ["list", "--limit", "1"],
            ["list", "--tag", "deploy", "--since", "2026-11-01"], ["list", "--filter", "tries=3", "--json"],
            ["list", "--filter", "build=7"], ["list", "--filter", "build=\"7\""],
            ["list", "-n", "project/nothing"],
            ["recall", "Why did the deploy fail?"], ["recall", "Why did the deploy fail?", "--json"],
            ["recall", "tokens", "-n", "project/atlas=0.5", "-n", "project/atlas/session/s1", "--json"],
            ["recall", "tokens", "-n", "project/nothing"],
            ["recall", "note", "--order", "time", "--limit", "1"],
            ["recall", "tokens", "-n", "project/nothing", "-n", "project/atlas"],
            ["recall", "tokens", "--as-of", "2020-01-01"],
            ["context", "Why did the deploy fail?", "--tokens", "200"],
            ["neighbors", "deploy/81", "--graph", "causal"],
            ["path", "deploy/81", "rotation"], ["path", "deploy/81", "rotation", "--json"],
            ["path", lunch, deploy, "--graph", "causal"],
            ["why", "--memory", "deploy/81"], ["why", "--memory", "deploy/81", "--json"],
            ["why", "--memory", "rotation", "--effects"], ["why", "the", "deploy", "failed"],
            ["namespaces"], ["namespaces", "-n", "project/atlas", "--json"],
            ["namespaces", "-n", "project/nothing"], ["homes"], ["stats"], ["stats", "--json"],
            ["changes"], ["changes", "--after", "2", "--json"],
        ] {
            let (there, here) = (try remote.run(arguments), try local.run(arguments))
            #expect(there.status == here.status, "\(arguments)\n\(there.errors)\n\(here.errors)")
            #expect(steady(there.output) == steady(here.output), "\(arguments) \(there.errors)")
            #expect(steady(there.errors) == steady(here.errors), "\(arguments)")
        }

        #expect(try remote.said("unlink", edge) == "\(edge)  unlinked")
        #expect(try remote("why", "--memory", "deploy/81").status == 2)
        #expect(try remote.said("supersede", lunch, deploy) == "\(lunch)  superseded")
        #expect(try remote.said("retract", "deploy/81") == "\(deploy)  retracted")
        let recall = try remote.said("recall", "rotation", "--receipt")
        #expect(
            try remote.said("record", String(recall.suffix(36)), "success")
                == "\(recall.suffix(36))  recorded")
        #expect(
            try remote.said("promote", "rotation", "--to", "user/ada") == "\(rotation)  remembered  user/ada")
        #expect(try remote.said("forget", "rotation", lunch) == "forgot 2 memories")
        #expect(try remote("forget", rotation).status == 2)
        #expect(try local("get", rotation).status == 2)
    }

    @Test func `imports and exports`() async throws {
        try await ServedStore.onThread { try Self.importAndExport() }
    }

    private static func importAndExport() throws {
        let served = try ServedProcess()
        let remote = try LociProgram(["LOCI_URL": "127.0.0.1:\(served.port)"])
        let local = try LociProgram([
            "LOCI_STORE": NSTemporaryDirectory() + "connect-store-\(UUID().uuidString)"
        ])
        defer {
            try? FileManager.default.removeItem(atPath: local.environment["LOCI_STORE"] ?? "")
            remote.end()
            local.end()
        }
        let lines = (1...250).map { number in
            #"{"content":"Fact \#(number).","tags":["t\#(number % 7)"],"attributes":{"number":"\#(number)","n":\#(number)},"#
                + #""happenedAt":{"from":"2026-11-01","until":"2026-11-02"}}"#
        }.joined(separator: "\n")
        #expect(try remote.said("import", "-", input: lines).hasPrefix("250 new, 0 known already"))
        let again =
            lines + "\n" + #"{"content":"One more.","key":"more","origin":{"source":"log:1","agent":"bot"}}"#
        #expect(try remote.said("import", "-", input: again).hasPrefix("1 new, 250 known already"))

        let exported = try remote("export")
        #expect(exported.status == 0 && exported.errors.contains("newest version"), "\(exported.errors)")
        #expect(exported.output.split(separator: "\n").count == 251)
        #expect(try local.said("import", "-", input: exported.output).hasPrefix("251 new"))
        func contents(_ loci: LociProgram) throws -> [String] {
            try loci.said("list", "--json", "--limit", "1000").split(separator: "\n").map { line in
                String(line).replacing(/"id":"[^"]*",/, with: "").replacing(/"key":"[^"]*",/, with: "")
                    .replacing(/"recordedAt":"[^"]*"/, with: "").replacing(/"source":"[^"]*",?/, with: "")
                    .replacing(/"principal":"[^"]*",/, with: "")
            }.sorted()
        }
        #expect(try contents(local) == contents(remote))

        let bad = "{\"content\":\"Good.\"}\n{\"content\":\"Bad.\",\"importance\":7}\n{\"content\":\"Fine.\"}"
        let refused = try remote("import", "-", input: bad)
        #expect(refused.status == 1 && refused.errors.contains("line 2"), "\(refused.errors)")
        #expect(
            try remote.said("import", "-", "--on-error", "skip", input: bad).contains("1 left out"))
        // What the server alone refuses names its line too.
        let long = "{\"content\":\"Good too.\"}\n{\"content\":\"\",\"vectors\":{\"m@1/2/cosine\":[0,0]}}"
        let far = try remote("import", "-", input: long)
        #expect(far.status == 1 && far.errors.contains("line 2"), "\(far.errors)")
        let whole = try local("export").output
        let told = try remote("import", "-", input: whole)
        #expect(told.status == 1 && told.errors.contains("loci export"), "\(told.errors)")
    }

    @Test func `brings nothing twice of what it exported itself`() async throws {
        try await ServedStore.onThread { try Self.exportAndImportAgain() }
    }

    private static func exportAndImportAgain() throws {
        let served = try ServedProcess()
        let remote = try LociProgram(["LOCI_URL": "127.0.0.1:\(served.port)"])
        defer { remote.end() }
        let deploy = try remote.id("remember", "The deploy failed.", "--importance", "0.3")
        _ = try remote.said("remember", "The key was rotated.", "--key", "rotation", "--tag", "ops")
        let wrong = try remote.id("remember", "The cable was cut.")
        _ = try remote.said("retract", wrong)
        _ = try remote.said("remember", "In a session.", "-n", "project/atlas/session/s1")
        let before = try remote.said("export")
        #expect(before.split(separator: "\n").count == 4)
        #expect(try remote.said("import", "-", input: before).hasPrefix("0 new, 4 known already"))
        #expect(try remote.said("export") == before)

        // Of one without a key what is there stays; a line of one with a key may say something new.
        _ = try remote.said("update", deploy, "The deploy failed twice.")
        let edited = before.replacing("was rotated", with: "was rotated again")
        #expect(try remote.said("import", "-", input: edited).hasPrefix("1 new, 3 known already"))
        #expect(try remote.said("get", deploy).contains("failed twice"))
        #expect(try remote.said("get", "rotation").contains("rotated again"))
        #expect(try remote.said("export").split(separator: "\n").count == 4)
    }

    @Test func `says which option or verb is for the store itself`() async throws {
        try await ServedStore.onThread { try Self.refuse() }
    }

    private static func refuse() throws {
        let served = try ServedProcess()
        let remote = try LociProgram(["LOCI_URL": "127.0.0.1:\(served.port)"])
        defer { remote.end() }
        try Data("x".utf8).write(to: URL(fileURLWithPath: remote.folder + "/log.txt"))
        let id = try remote.id("remember", "The deploy failed.", "--attach", "log.txt")
        for (arguments, option) in [
            (["recall", "x", "--words-only"], "--words-only"), (["recall", "x", "--compare"], "--compare"),
            (["recall", "x", "--word-weight", "0.5"], "--word-weight"),
            (["recall", "x", "--weight", "reply=0.1"], "--weight"),
            (["list", "--filter", "!tag:a"], "--filter"), (["list", "--kind", "a", "--kind", "b"], "--kind"),
            (["context", "x", "--also", "y"], "--also"),
            (["forget", "--all", "--yes"], "--all"),
            (["neighbors", id, "--speaks-of-from", "2026-01-01"], "--speaks-of-from"),
            (["list", "--principal", "ada"], "--principal"), (["list", "--quota", "1G"], "--quota"),
            (["list", "--connect", "host", "--store", "x"], "--store"),
            (["compact", "--connect", "127.0.0.1:\(served.port)"], "--connect"),
        ] {
            let answer = try remote.run(arguments)
            #expect(answer.status == 1 || answer.status == 64, "\(arguments) \(answer)")
            #expect(answer.errors.contains(option), "\(arguments) \(answer.errors)")
        }
        // The environment names a server, and the verb is for files: the store is what it wants.
        #expect(try remote("compact").errors.contains("LOCI_STORE"))
    }

    @Test func `says that a server is not there, or is none`() async throws {
        let remote = try LociProgram([:])
        defer { remote.end() }
        @Sendable func errors(_ address: String) throws -> String {
            let answer = try remote("list", "--connect", address)
            #expect(answer.status == 1, "\(answer)")
            return answer.errors
        }
        #expect(try errors("127.0.0.1:1").contains("no server answers at 127.0.0.1:1: "))
        #expect(try errors("unix:none").contains("no server answers at none: "))
        #expect(try errors("host.invalid").contains("no such host"))
        let wrong = try remote("list", "--connect", "redis://ada:secret@host:x")
        #expect(wrong.status == 64 && !wrong.errors.contains("secret"), "\(wrong)")

        // The port of metrics speaks HTTP.
        var options = Server.Options()
        options.metricsPort = 0
        options.maximumConnections = 1
        try await ServedStore.serveAddresses(options) { addresses in
            let (port, metricsPort) = (try #require(addresses.port), try #require(addresses.metricsPort))
            #expect(try errors("127.0.0.1:\(metricsPort)").contains("127.0.0.1:\(metricsPort)"))
            let only = try TestClient(port: port)
            #expect(try only.ask("PING") == .simple("PONG"))
            let full = try errors("127.0.0.1:\(port)")
            #expect(full.contains("max number of clients"), "\(full)")
        }
    }

    @Test func `logs in, and tells nobody the password`() async throws {
        var options = Server.Options()
        options.users = try Users([
            User(name: "ada", password: Array("swordfish".utf8), grants: [Grant("write:project/atlas")])
        ])
        options.socketPath = NSTemporaryDirectory() + "connect-\(UUID().uuidString)"
        try await ServedStore.serveAddresses(options) { addresses in
            let (port, path) = (try #require(addresses.port), try #require(addresses.socketPath))
            for (address, password, status) in [
                ("redis://ada:swordfish@127.0.0.1:\(port)", "", 0),
                ("redis://ada@127.0.0.1:\(port)", "swordfish", 0),
                ("redis://ada@127.0.0.1:\(port)", "goldfish", 1), ("redis://ada@127.0.0.1:\(port)", "", 64),
                ("127.0.0.1:\(port)", "", 1), ("unix:\(path)", "", 1),
            ] as [(String, String, Int32)] {
                let loci = try LociProgram(["LOCI_URL": address, "LOCI_PASSWORD": password])
                defer { loci.end() }
                let answer = try loci("remember", "The deploy failed.", "--key", "deploy")
                #expect(answer.status == status, "\(address) \(answer)")
                #expect(!(answer.errors + answer.output).contains("fish"), "\(answer)")
                guard status == 0 else { continue }
                #expect(try loci.said("get", "deploy", "--json").contains(#""principal":"ada""#))
                let other = try loci("get", "deploy", "-n", "project/other")
                #expect(other.status == 1 && other.errors.contains("may not read"), "\(other)")
            }
        }
    }

    @Test func `goes over TLS, with certificates that it is told of`() async throws {
        let certificates = try Certificates()
        var options = Server.Options()
        options.tls = try certificates.identity()
        try await ServedStore.serve(options) { port in
            let address = "rediss://127.0.0.1:\(port)"
            let known = try LociProgram(["LOCI_URL": address, "LOCI_CA": certificates.path("ca.pem")])
            let unknown = try LociProgram(["LOCI_URL": address])
            let other = try LociProgram(["LOCI_URL": address, "LOCI_CA": certificates.path("other.pem")])
            let plain = try LociProgram(["LOCI_URL": "127.0.0.1:\(port)"])
            defer { for loci in [known, unknown, other, plain] { loci.end() } }
            #expect(try known("remember", "The deploy failed.").status == 0)
            for loci in [unknown, other] {
                let answer = try loci("list")
                #expect(answer.status == 1 && answer.errors.contains("trusted"), "\(answer)")
            }
            #expect(try plain("list").status == 1)
            let none = try LociProgram(["LOCI_URL": address, "LOCI_CA": certificates.path("none.pem")])
            defer { none.end() }
            #expect(try none("list").status == 2)
        }
    }
}
