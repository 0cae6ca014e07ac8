import Testing

@testable import Server

@Suite struct `A connection` {
    private var state = ConnectionState(id: 7, facts: ConnectionState.Facts())

    /// What the state does with a line.
    private mutating func step(_ line: String) -> ConnectionState.Step {
        state.receive(Array((line + "\r\n").utf8))
        return state.next()
    }

    /// The reply to a line; an error where there is another step.
    private mutating func reply(_ line: String) -> Reply {
        guard case .reply(let reply) = step(line) else { return .error("no reply to \(line)") }
        return reply
    }

    /// A member of a reply that is a map.
    private func member(_ name: String, of reply: Reply) -> Reply? {
        guard case .map(let entries) = reply else { return nil }
        return entries.first { $0.key == .text(name) }?.value
    }

    @Test mutating func `answers in order, and waits for what is not whole`() {
        state.receive(Array("PING\r\nECHO a\r\nPIN".utf8))
        #expect(state.next() == .reply(.simple("PONG")))
        #expect(state.next() == .reply(.bulk([0x61])))
        #expect(state.next() == .wait)
        #expect(step("G hello") == .reply(.bulk(Array("hello".utf8))))
    }

    @Test mutating func `speaks version 2 until version 3 is asked for`() {
        #expect(state.version == .two)
        let greeting = reply("HELLO 3 SETNAME painter")
        #expect(state.version == .three)
        #expect(member("proto", of: greeting) == .integer(3))
        #expect(member("id", of: greeting) == .integer(7))
        #expect(member("role", of: greeting) == .text("master"))
        #expect(reply("CLIENT GETNAME") == .text("painter"))
        #expect(member("proto", of: reply("HELLO")) == .integer(3))
        #expect(reply("HELLO 4") == .error("NOPROTO unsupported protocol version"))
        #expect(reply("HELLO x") == .error("ERR Protocol version is not an integer or out of range"))
        #expect(reply("HELLO 2 SETNAME") == .error("ERR Syntax error in HELLO option 'setname'"))
        #expect(state.version == .three)
        #expect(reply("RESET") == .simple("RESET"))
        #expect(state.version == .two)
        #expect(reply("CLIENT GETNAME") == .null)
    }

    @Test(arguments: ["POST / HTTP/1.1", "Host: localhost:6399", "host:", "post /"])
    mutating func `ends at a line of HTTP, before what a page has sent behind it`(line: String) {
        state.receive(Array("\(line)\r\nFLUSHALL\r\n".utf8))
        guard case .close(.error(let text)) = state.next() else { return #expect(Bool(false), "it goes on") }
        #expect(text.hasPrefix("ERR this is no server of HTTP"))
        #expect(state.next() == .wait)
    }

    @Test mutating func `takes what libraries send on connecting`() {
        #expect(reply("CLIENT SETINFO LIB-NAME redis-py") == .ok)
        #expect(reply("CLIENT SETINFO LIB-VER 7.1.0") == .ok)
        #expect(state.library.name == "redis-py")
        #expect(
            reply("CLIENT SETINFO LIB-VER \"a b\"")
                == .error(
                    "ERR Client names cannot contain spaces, newlines or special characters."))
        #expect(reply("SELECT 0") == .ok)
        #expect(reply("SELECT 1") == .error("ERR DB index is out of range"))
        #expect(reply("SELECT x") == .error("ERR invalid DB index"))
        #expect(reply("CLIENT ID") == .integer(7))
        for command in ["NO-EVICT on", "NO-TOUCH OFF"] { #expect(reply("CLIENT \(command)") == .ok) }
        for command in [
            "NO-EVICT perhaps", "LIST ID x", "LIST TYPE none", "LIST BOTH 1", "LIST TYPE normal 7",
        ] {
            guard case .error = reply("CLIENT \(command)") else {
                Issue.record("CLIENT \(command) is answered")
                return
            }
        }
        for command in ["LIST", "LIST ID 3 7", "LIST TYPE Normal"] {
            guard case .verbatim(let line) = reply("CLIENT \(command)") else { continue }
            #expect(line.hasPrefix("id=7 "), "\(command)")
        }
        for command in ["LIST ID 3 8", "LIST TYPE pubsub"] {
            #expect(reply("CLIENT \(command)") == .verbatim(""))
        }
        guard case .array(let help) = reply("CLIENT HELP") else { return }
        #expect(!help.isEmpty)
        guard case .error = reply("CLIENT MAINT_NOTIFICATIONS ON") else {
            Issue.record("an unknown subcommand was taken")
            return
        }
        #expect(member("appendonly", of: reply("CONFIG GET appendonly")) == .text("yes"))
        guard case .error(let refusal) = reply("AUTH secret") else {
            Issue.record("a password was taken where there is none")
            return
        }
        #expect(refusal.hasPrefix("ERR AUTH <password> called without any password configured"))
    }

    @Test mutating func `tells of the server and its commands`() {
        guard case .verbatim(let text) = reply("INFO"), case .verbatim(let part) = reply("INFO replication")
        else {
            Issue.record("INFO is no text")
            return
        }
        #expect(text.contains("redis_version:8.4.0\r\n"))
        #expect(part == "# Replication\r\nrole:master\r\nconnected_slaves:0\r\n")
        #expect(reply("INFO nothing") == .verbatim(""))
        #expect(reply("COMMAND COUNT") == .integer(CommandTable.entries.count))
        guard case .array(let details) = reply("COMMAND INFO ping nothing") else {
            Issue.record("COMMAND INFO is no list")
            return
        }
        #expect(details.count == 2 && details[1] == .null)
        #expect(member("mem.recall", of: reply("COMMAND DOCS MEM.RECALL")) != nil)
    }

    @Test mutating func `tells who is logged in, and which commands read and write`() {
        #expect(reply("ACL WHOAMI") == .text("default"))
        func commands(_ reply: Reply) -> Set<String> {
            guard case .array(let names) = reply else { return [] }
            return Set(names.compactMap(\.string))
        }
        let sets = commands(reply("ACL CAT VectorSet"))
        #expect(sets.count == 13)
        let writes = commands(reply("ACL CAT write"))
        #expect(writes.intersection(sets) == ["VADD", "VREM", "VSETATTR"])
        #expect(writes.isSuperset(of: ["mem.remember", "mem.link", "del"]))
        let reads = commands(reply("ACL CAT read"))
        #expect(reads.isDisjoint(with: writes) && reads.isSuperset(of: ["VSIM", "mem.recall", "scan"]))
        #expect(commands(reply("ACL CAT")).contains("vectorset"))
        #expect(reply("ACL CAT nothing") == .error("ERR Unknown category 'nothing'"))
        guard case .error = reply("ACL SETUSER ada") else {
            Issue.record("ACL SETUSER is not refused")
            return
        }
    }

    @Test mutating func `refuses what it does not know, and goes on`() {
        #expect(
            reply("FLY me 'to the'")
                == .error("ERR unknown command 'FLY', with args beginning with: 'me' 'to the' "))
        #expect(reply("PING a b") == .error("ERR wrong number of arguments for 'ping' command"))
        #expect(reply("ECHO") == .error("ERR wrong number of arguments for 'echo' command"))
        #expect(reply("PING") == .simple("PONG"))
    }

    @Test mutating func `hands out what the engine is to answer`() {
        let words = ["mem.get", "project/atlas", "x"].map { Array($0.utf8) }
        #expect(step("mem.get project/atlas x") == .run(.init(name: "MEM.GET", words: words, user: nil)))
    }

    @Test mutating func `ends behind QUIT and behind bytes that are no command`() {
        #expect(step("QUIT\r\nPING") == .close(.ok))
        #expect(state.next() == .wait)
        #expect(step("PING") == .wait)
        var other = ConnectionState(id: 8, facts: ConnectionState.Facts())
        other.receive(Array("*1\r\nPING\r\n".utf8))
        #expect(other.next() == .close(.error("ERR Protocol error: expected '$', got 'P'")))
        #expect(other.next() == .wait)
    }
}
