import Foundation
import MemoryEngine
import Testing

@testable import Server

@Suite struct `Users of a server` {
    private static func user(_ name: String, _ grants: String...) throws -> User {
        try User(name: name, password: Array("password of \(name)".utf8), grants: grants.map(Grant.init))
    }

    @Test func `may do what was granted, and nothing beside it`() throws {
        let ada = try Self.user("ada", "write:user/ada", "read:@acme", "read:project/atlas/session/s1")
        func may(_ right: Right, _ path: String) throws -> Bool {
            try ada.may(right, in: Namespace(path: path))
        }
        #expect(try may(.write, "user/ada") && may(.read, "user/ada/session/s"))
        #expect(try !may(.admin, "user/ada"))
        #expect(try may(.read, "@acme/project/x") && may(.read, "@acme"))
        #expect(try !may(.write, "@acme/project/x"))
        #expect(try may(.read, "project/atlas/session/s1"))
        #expect(try !may(.read, "project/atlas") && !may(.read, "project/atlas/session/s2"))
        #expect(try !may(.read, "user/adam"))
        let ops = try Self.user("ops", "admin:*")
        #expect(try ops.may(.admin, in: Namespace(path: "@acme/user/x")))
        #expect(try !Self.user("guest").may(.read, in: Namespace(path: "user/guest")))
    }

    @Test func `are kept in a file that only its owner can read`() throws {
        let path = NSTemporaryDirectory() + "users-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let users = [try Self.user("ada", "write:user/ada"), try Self.user("ops", "admin:*", "read:@acme")]
        try ("# who may what\n\n" + users.map(\.line).joined(separator: "\n")).write(
            toFile: path, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        #expect(throws: EngineError.self) { try Users.read(path) }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        #expect(try Users.read(path) == users)
        #expect(throws: EngineError.self) { try Users(users + users) }
        for line in ["ada", "ada x", "ada plain read:user/ada", users[0].line + " fly:user/ada"] {
            #expect(throws: EngineError.self, "\(line)") { try User(line: line) }
        }
        for name in ["", "a b", "#a", "a\n"] {
            #expect(throws: EngineError.self, "\(name)") { try Self.user(name) }
        }
    }

    @Test func `log in with their own passwords`() async throws {
        let ada = try Self.user("ada")
        let users = try Users([ada, Self.user("ops")])
        func verify(_ name: String, _ password: String) async throws -> Users.Login {
            try await users.verify(name, Array(password.utf8), from: "here")
        }
        // The second time it is known.
        for _ in 0..<2 {
            #expect(try await verify("ada", "password of ada") == .user(ada))
            #expect(try await verify("ada", "password of ops") == .wrong)
        }
        #expect(try await verify("nobody", "password of ada") == .wrong)
        #expect(try await verify("ada", String(repeating: "a", count: 10_000)) == .wrong)
    }

    @Test func `are who wrote what they wrote, and see nothing of others`() async throws {
        var options = Server.Options()
        options.users = try Users([
            Self.user("ada", "write:user/ada", "read:project/atlas"), Self.user("ops", "admin:*"),
            Self.user("guest", "write:project/atlas/session/s1"),
        ])
        try await ServedStore.serve(options) { port in
            let (ada, ops) = (try TestClient(port: port), try TestClient(port: port))
            #expect(try ada.ask("PING") == .error("NOAUTH Authentication required."))
            #expect(try ada.ask("MEM.STATS", "user/ada") == .error("NOAUTH Authentication required."))
            guard case .error(let refusal) = try ada.ask("HELLO", "3") else {
                Issue.record("a stranger was greeted")
                return
            }
            #expect(refusal.hasPrefix("NOAUTH HELLO must be called"))
            let wrong = "WRONGPASS invalid username-password pair or user is disabled."
            #expect(try ada.ask("HELLO", "3", "AUTH", "ada", "wrong") == .error(wrong))
            #expect(
                try ada.ask("HELLO", "3", "AUTH", "ada", "password of ada", "SETNAME", "x")["proto"]
                    == .integer(3))
            #expect(try ops.ask("AUTH", "ops", "password of ops") == .simple("OK"))

            #expect(
                try ada.ask("MEM.REMEMBER", "user/ada", "Tea, please.", "KEY", "tea")["isNew"]
                    == .boolean(true))
            #expect(try ada.ask("MEM.GET", "user/ada", "tea")["principal"]?.string == "ada")
            _ = try ops.ask("MEM.REMEMBER", "project/atlas", "The plan.", "KEY", "plan")
            _ = try ops.ask("MEM.REMEMBER", "project/secret", "The other plan.")
            #expect(try ada.ask("MEM.GET", "project/atlas", "plan")["principal"]?.string == "ops")
            for command in [
                ["MEM.REMEMBER", "project/atlas", "x"], ["MEM.FORGET", "project/atlas", "plan"],
                ["MEM.RETRACT", "project/atlas", "plan"],
                ["MEM.LINK", "project/atlas", "plan", "plan", "refersTo"],
                ["MEM.PROMOTE", "user/ada", "tea", "project/atlas"],
                ["MEM.UPDATE", "project/atlas", "plan", "PIN"],
                ["MEM.RECALL", "project/atlas", "plan", "RECEIPT"],
                ["MEM.RECALL", "user/ada", "plan", "ALSO", "project/atlas", "1", "RECEIPT"],
            ] {
                try ada.send(command)
                #expect(
                    try ada.receive() == .error("NOPERM user `ada` may not write project/atlas"), "\(command)"
                )
            }
            for command in [
                ["MEM.RECALL", "project/secret", "plan"],
                ["MEM.RECALL", "user/ada", "plan", "ALSO", "project/secret", "1"],
                ["MEM.STATS", "project/secret"], ["MEM.CHANGES", "project/secret"],
                ["MEM.NAMESPACES", "project/secret"],
                ["MEM.LIST", "project/secret"], ["MEM.CONTEXT", "project/secret", "plan", "100"],
            ] {
                try ada.send(command)
                #expect(
                    try ada.receive() == .error("NOPERM user `ada` may not read project/secret"), "\(command)"
                )
            }
            // What is not there is refused in the same words.
            #expect(
                try ada.ask("MEM.STATS", "project/nothing")
                    == .error("NOPERM user `ada` may not read project/nothing"))
            let names = try ada.ask("MEM.NAMESPACES").elements.map { $0["namespace"]?.string }
            #expect(names == ["project/atlas", "user/ada"])

            let guest = try TestClient(port: port)
            _ = try guest.ask("HELLO", "3", "AUTH", "guest", "password of guest")
            let session = "project/atlas/session/s1"
            let plan = try #require(try ops.ask("MEM.GET", "project/atlas", "plan").elements[1].string)
            #expect(try guest.ask("MEM.REMEMBER", session, "A guest's plan.")["isNew"] == .boolean(true))
            let hits = try guest.ask("MEM.RECALL", session, "plan")["hits"]?.elements ?? []
            #expect(hits.map { $0["passage"]?.string } == ["A guest's plan."])
            let seen = try guest.ask("MEM.NAMESPACES").elements.map { $0["namespace"]?.string }
            #expect(seen == [session])
            #expect(try guest.ask("MEM.LIST", session)["memories"]?.elements.count == 1)
            #expect(try guest.ask("MEM.GET", session, plan) == .text(nil))
            for (right, command) in [
                ("read", ["MEM.CHANGES", session]), ("read", ["MEM.STATS", session]),
                ("read", ["MEM.NEIGHBORS", session, plan]), ("read", ["MEM.WHY", session, plan]),
                ("read", ["MEM.CONTEXT", session, "plan", "100"]), ("write", ["MEM.FORGET", session, plan]),
                ("write", ["MEM.UPDATE", session, plan, "PIN"]), ("write", ["MEM.RETRACT", session, plan]),
            ] {
                try guest.send(command)
                #expect(
                    try guest.receive() == .error("NOPERM user `guest` may not \(right) project/atlas"),
                    "\(command)")
            }

            // In a transaction it is told at once, and spoils it.
            for command in [
                ["VADD", "s", "VALUES", "1", "1", "a"], ["VCARD", "s"], ["MEM.GET", "user/ada", plan],
            ] {
                #expect(try guest.ask("MULTI") == .simple("OK"))
                try guest.send(command)
                guard case .error(let message) = try guest.receive() else {
                    Issue.record("\(command) was queued")
                    return
                }
                #expect(message.hasPrefix("NOPERM "), "\(message)")
                guard case .error(let refusal) = try guest.ask("EXEC") else {
                    Issue.record("\(command) spoils nothing")
                    return
                }
                #expect(refusal.hasPrefix("EXECABORT "), "\(refusal)")
            }

            #expect(try ada.ask("RESET") == .simple("RESET"))
            #expect(try ada.ask("MEM.GET", "user/ada", "tea") == .error("NOAUTH Authentication required."))
        }
    }

    @Test func `have so many tries, and strangers may send little`() async throws {
        var options = Server.Options()
        // The clock stands, however long the hashes of passwords take.
        let now = ContinuousClock.now
        options.users = try Users([Self.user("ada"), Self.user("ops")]) { now }
        try await ServedStore.serve(options) { port in
            let client = try TestClient(port: port)
            for number in 0..<ConnectionState.maximumFailedLogins {
                guard case .error(let message) = try client.ask("AUTH", "ada", "x") else {
                    Issue.record("a wrong password was taken")
                    return
                }
                let isLookedAt = number < LoginGate.ofName.tries
                #expect(message.hasPrefix("WRONGPASS " + (isLookedAt ? "invalid" : "too many")), "\(message)")
            }
            #expect(try client.isAtEnd())
            let other = try TestClient(port: port)
            guard case .error(let message) = try other.ask("AUTH", "ada", "password of ada") else {
                Issue.record("a password was looked at that came too soon")
                return
            }
            #expect(message.hasPrefix("WRONGPASS too many passwords were wrong; try again in "))
            // Others may, from the same address.
            #expect(try TestClient(port: port).ask("AUTH", "ops", "password of ops") == .simple("OK"))
            try other.send(Array("*11\r\n".utf8))
            #expect(try other.receive() == .error("ERR Protocol error: unauthenticated multibulk length"))
        }
    }
}
