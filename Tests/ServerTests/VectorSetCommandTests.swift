import MemoryEngine
import Testing

@testable import Server

@Suite struct `The commands of vector sets` {
    /// What a server answers to lines, as it is sent.
    private func replies(
        _ lines: [String], version: Int = 2
    ) async throws -> [String] {
        let told = Mutex<[String]>([])
        try await ServedStore.serve { port in
            let client = try TestClient(port: port)
            if version == 3 { _ = try client.ask("HELLO", "3") }
            for line in lines {
                try client.send(line.split(separator: " ").map { $0 == "\"\"" ? "" : String($0) })
                let reply = try client.receive()
                told.withLock { $0.append(Self.shown(reply)) }
            }
        }
        return told.withLock { $0 }
    }

    /// A reply in one line: errors with `!`, simple strings with `+`, text as it is, and the kinds that version 3 has.
    private static func shown(_ value: TestClient.Value) -> String {
        switch value {
        case .simple(let text): "+" + text
        case .error(let text): "!" + text
        case .integer(let number): ":\(number)"
        case .text(let text): text ?? "nil"
        case .double(let text): "," + text
        case .boolean(let flag): "#\(flag)"
        case .list(let elements): "[" + elements.map(shown).joined(separator: " ") + "]"
        case .map(let members):
            "{" + members.map { "\($0.name)=\(shown($0.value))" }.joined(separator: " ") + "}"
        }
    }

    private static let setUp = [
        "VADD s VALUES 2 1 0 a SETATTR {\"n\":1}", "VADD s VALUES 2 0 1 b", "VADD s VALUES 2 -1 0 c",
    ]

    private func check(
        _ exchanges: [(String, String)], version: Int = 2, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let answers = try await replies(Self.setUp + exchanges.map(\.0), version: version)
            .dropFirst(Self.setUp.count)
        for ((line, wanted), answer) in zip(exchanges, answers) {
            #expect(answer == wanted, "\(line)", sourceLocation: sourceLocation)
        }
    }

    @Test func `answer as Redis does in version 2`() async throws {
        try await check([
            ("VADD s VALUES 2 3 4 d", ":1"), ("vadd s VALUES 2 3 4 d", ":0"),
            ("VSIM s ELE a COUNT 2", "[a d]"),
            ("VSIM s VALUES 2 1 0 WITHSCORES COUNT 3 EPSILON 0.9", "[a 1 d 0.800000011920929 b 0.5]"),
            ("VSIM s VALUES 2 1 0 WITHATTRIBS COUNT 2", "[a {\"n\":1} d nil]"),
            ("VSIM s VALUES 2 1 0 WITHATTRIBS WITHSCORES COUNT 1", "[a 1 {\"n\":1}]"),
            ("VSIM s VALUES 2 1 0 FILTER .n==1 TRUTH NOTHREAD", "[a]"),
            ("VSIM none VALUES 2 1 0 WITHSCORES", "[]"), ("VSIM none NONSENSE 1", "[]"),
            ("VCARD s", ":4"), ("VCARD none", ":0"), ("VDIM s", ":2"),
            ("VEMB s d", "[3 4]"), ("VEMB s none", "nil"), ("VEMB none d", "nil"),
            ("VLINKS none a", "nil"), ("VINFO none", "[]"), ("VGETATTR s a", "{\"n\":1}"),
            ("VGETATTR s b", "nil"), ("VSETATTR s a \"\"", ":1"), ("VGETATTR s a", "nil"),
            ("VSETATTR s none {}", ":0"), ("VISMEMBER s a", ":1"), ("VISMEMBER s z", ":0"),
            ("VRANDMEMBER none", "nil"), ("VRANDMEMBER none 2", "[]"), ("VRANDMEMBER s 0", "[]"),
            ("VRANGE s [b (d", "[b c]"), ("VRANGE s - + 2", "[a b]"), ("VRANGE s (b +", "[c d]"),
            ("VRANGE s + -", "[]"), ("VRANGE s - + 0", "[]"), ("VRANGE none - +", "[]"),
            ("VREM s d", ":1"), ("VREM s d", ":0"), ("VREM none d", ":0"),
            (
                "VINFO s",
                "[+quant-type +int8 +hnsw-m :16 +vector-dim :2 +projection-input-dim :0 +size :3 +max-level :0 "
                    + "+attributes-count :0 +vset-uid :1 +hnsw-max-node-uid :5]"
            ),
        ])
    }

    @Test func `answer as Redis does in version 3`() async throws {
        try await check(
            [
                ("VADD s VALUES 2 3 4 d", "#true"), ("VADD s VALUES 2 3 4 d", "#false"),
                ("VSIM s VALUES 2 1 0 WITHSCORES COUNT 1", "{a=,1}"),
                ("VSIM s VALUES 2 1 0 WITHATTRIBS COUNT 2", "{a={\"n\":1} d=nil}"),
                ("VSIM s VALUES 2 1 0 WITHATTRIBS WITHSCORES COUNT 1", "{a=[,1 {\"n\":1}]}"),
                ("VSIM none VALUES 2 1 0 WITHSCORES", "[]"), ("VEMB s d", "[,3 ,4]"),
                (
                    "VLINKS s d WITHSCORES",
                    "[{b=,0.9000000059604645 a=,0.800000011920929 c=,0.19999998807907104}]"
                ),
                ("VINFO none", "nil"), ("VISMEMBER s a", "#true"), ("VREM s d", "#true"),
            ], version: 3)
    }

    @Test func `refuse what Redis refuses, in its words`() async throws {
        let vector = "!ERR invalid vector specification"
        try await check([
            ("VADD s VALUES 3 1 2 a", vector), ("VADD s VALUES x 1 a", vector), ("VADD s FP32 abc a", vector),
            ("VADD s VALUES 2 1 nan a", vector), ("VADD s REDUCE 3 VALUES 2 1 2 a", vector),
            ("VADD s VALUES 2 1 inf a", vector + ": component 1 is inf"),
            ("VADD s VALUES 3 1 2 3 a", "!ERR Vector dimension mismatch - got 3 but set has 2"),
            ("VADD s VALUES 2 1 2 a NOQUANT", "!ERR asked quantization mismatch with existing vector set"),
            ("VADD s VALUES 2 1 2 a M 8", "!ERR asked M value mismatch with existing vector set"),
            ("VADD s VALUES 2 1 2 a M 3", "!ERR invalid M"),
            ("VADD s VALUES 2 1 2 a EF 0", "!ERR invalid EF"),
            ("VADD s VALUES 2 1 2 a FOO", "!ERR invalid option after element"),
            ("VADD s VALUES 2 1 2", "!ERR wrong number of arguments for 'VADD' command"),
            ("VADD s", "!ERR wrong number of arguments for 'VADD' command"),
            ("VSIM s ELE nobody", "!ERR element not found in set"),
            ("VSIM s VALUES 2 1 0 COUNT 0", "!ERR invalid COUNT"),
            ("VSIM s VALUES 2 1 0 EF 1000001", "!ERR invalid EF"),
            ("VSIM s VALUES 2 1 0 EPSILON 0", "!ERR invalid EPSILON"),
            ("VSIM s VALUES 2 1 0 FILTER-EF 0", "!ERR invalid FILTER-EF"),
            ("VSIM s VALUES 2 1 0 FOO", "!ERR syntax error in VSIM command"),
            ("VSIM s VALUES 2 1 0 COUNT", "!ERR syntax error in VSIM command"),
            ("VSIM s VALUES 2 1 0 FILTER .a.b", "!ERR syntax error in FILTER expression near: .b"),
            ("VSIM s ELE nobody COUNT 0", "!ERR element not found in set"),
            ("VSIM s VALUES 1 1 COUNT 0", "!ERR Vector dimension mismatch - got 1 but set has 2"),
            ("VSIM s VALUES 02 1 1", "!ERR invalid vector specification"),
            ("VSIM s VALUES 2 1 0 COUNT +1", "!ERR invalid COUNT"),
            ("VDIM none", "!ERR key does not exist"), ("VEMB s a FOO", "!ERR invalid option"),
            ("VRANDMEMBER s x", "!ERR COUNT value is not an integer"),
            (
                "VRANDMEMBER s 9223372036854775807 x",
                "!ERR wrong number of arguments for 'VRANDMEMBER' command"
            ),
            ("VRANDMEMBER none -9223372036854775808", "!ERR COUNT is out of range: it is at least -1000000"),
            ("VRANGE s a +", "!ERR invalid start range format"),
            ("VRANGE s - [", "!ERR invalid end range format"),
            (
                "MEM.GET vectors/sets a",
                "!WRONGTYPE `vectors/sets` holds vector sets, and no memories; name a project, a user or an agent"
            ),
        ])
    }

    @Test func `quantize what they tell, and reduce what they are given`() async throws {
        let answers = try await replies([
            "VADD f VALUES 2 3 4 a NOQUANT", "VEMB f a RAW", "VADD i VALUES 2 3 4 a", "VEMB i a RAW",
            "VADD b VALUES 3 3 0 -4 a BIN", "VEMB b a RAW", "VEMB b a",
            "VADD r REDUCE 2 VALUES 3 1 2 3 a", "VDIM r", "VADD r REDUCE 2 VALUES 4 1 2 3 4 b",
            "VSIM r VALUES 4 1 2 3 4", "VSIM r VALUES 3 1 2 3", "VADD r VALUES 3 1 2 3 b",
        ])
        #expect(answers[1].hasPrefix("[+f32 ") && answers[1].hasSuffix(" 5]"))
        #expect(answers[3].hasPrefix("[+int8 ") && answers[3].hasSuffix(" 5 0.800000011920929]"))
        #expect(answers[5] == "[+bin \u{1}\0\0\0\0\0\0\0 5]")
        #expect(answers[6] == "[1 -1 -1]")
        #expect(answers[8] == ":2")
        let input = "!ERR Input dimension mismatch for projection - got 4 but projection expects 3"
        #expect(answers[9] == input && answers[10] == input)
        #expect(answers[11] == "[a]")
        #expect(answers[12] == "!ERR Vector dimension mismatch - got 3 but set has 2")
    }

    @Test func `work on names of sets`() async throws {
        try await check([
            ("VADD t:1 VALUES 1 1 a", ":1"), ("DBSIZE", ":2"), ("EXISTS s s none t:1", ":3"),
            ("TYPE s", "+vectorset"), ("TYPE none", "+none"), ("KEYS *", "[s t:1]"),
            ("KEYS t:[0-9]", "[t:1]"),
            ("SCAN 0 COUNT 1", "[2 [s]]"), ("SCAN 2 COUNT 1", "[0 [t:1]]"), ("SCAN 0 MATCH t*", "[0 [t:1]]"),
            ("SCAN 0 TYPE string", "[0 []]"), ("SCAN x", "!ERR invalid cursor"),
            ("MEMORY USAGE none", "nil"), ("MEMORY USAGE t:1", ":325"),
            ("DEBUG DIGEST-VALUE none", "[+0000000000000000000000000000000000000000]"),
            ("DEBUG RELOAD", "+OK"), ("UNLINK s none", ":1"), ("EXISTS s", ":0"), ("FLUSHDB", "+OK"),
            ("DBSIZE", ":0"),
        ])
    }

    /// (1, 1) / √2 has no 32-bit form, and its square is not 1.
    @Test func `tell that a vector is as itself, exactly but where they are kept as floats`() async throws {
        try await check([
            ("VADD q VALUES 2 1 1 a", ":1"), ("VADD q VALUES 2 -1 -1 b", ":1"),
            ("VSIM q VALUES 2 1 1 WITHSCORES", "[a 1 b 0]"), ("VADD f VALUES 2 1 1 a NOQUANT", ":1"),
            ("VSIM f VALUES 2 1 1 WITHSCORES", "[a 0.9999999701976776]"),
        ])
    }

    @Test func `are one transaction between MULTI and EXEC`() async throws {
        let answers = try await replies([
            "MULTI", "VADD s VALUES 2 1 0 a", "PING hello", "VSIM s ELE none", "VSIM s ELE a", "EXEC",
            "EXEC", "MULTI", "MULTI", "FLY", "EXEC", "MULTI", "VADD s VALUES 2 1 0 b", "DISCARD", "VCARD s",
            "MULTI", "MEM.FORGET project/a k", "EXEC", "MULTI", "EXEC", "DISCARD", "MULTI", "VCARD",
            "VCARD s",
            "EXEC",
        ])
        #expect(
            answers == [
                "+OK", "+QUEUED", "+QUEUED", "+QUEUED", "+QUEUED",
                "[:1 hello !ERR element not found in set [a]]", "!ERR EXEC without MULTI", "+OK",
                "!ERR MULTI calls can not be nested",
                "!ERR unknown command 'FLY', with args beginning with: ",
                "!EXECABORT Transaction discarded because of previous errors.", "+OK", "+QUEUED", "+OK", ":1",
                "+OK", "!ERR MEM.FORGET cannot be part of a transaction",
                "!EXECABORT Transaction discarded because of previous errors.", "+OK", "[]",
                "!ERR DISCARD without MULTI", "+OK", "+QUEUED", "+QUEUED",
                "[!ERR wrong number of arguments for 'VCARD' command :1]",
            ])
    }

    @Test(arguments: [
        ("h?llo", "hello", true), ("h?llo", "hllo", false), ("h*llo", "heeeello", true), ("*", "", true),
        ("h[ae]llo", "hallo", true), ("h[^e]llo", "hello", false), ("h[a-c]llo", "hbllo", true),
        ("a\\*b", "a*b", true), ("a\\*b", "axb", false), ("*a*b*c", "xxaxxbxxc", true), ("a*b", "a", false),
        ("[", "[", false),
    ])
    func `match patterns of names`(pattern: String, name: String, isMatch: Bool) {
        #expect(GlobPattern.matches(Array(pattern.utf8), Array(name.utf8)) == isMatch)
    }
}
