import Testing

@testable import Server

@Suite struct `A reply` {
    private func sent(_ reply: Reply, _ version: ProtocolVersion) -> String {
        var bytes: [UInt8] = []
        reply.encode(version, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [
        (Reply.simple("OK"), "+OK\r\n", "+OK\r\n"),
        (.error("ERR a\r\nb\nc"), "-ERR a b c\r\n", "-ERR a b c\r\n"),
        (.integer(-7), ":-7\r\n", ":-7\r\n"),
        (.bulk([0x61, 0x0a]), "$2\r\na\n\r\n", "$2\r\na\n\r\n"),
        (.bulk([]), "$0\r\n\r\n", "$0\r\n\r\n"),
        (.text("ä"), "$2\r\nä\r\n", "$2\r\nä\r\n"),
        (
            .text(String(repeating: "a", count: 105)), "$105\r\n\(String(repeating: "a", count: 105))\r\n",
            "$105\r\n\(String(repeating: "a", count: 105))\r\n"
        ),
        (
            .array(Array(repeating: .null, count: 42)), "*42\r\n" + String(repeating: "$-1\r\n", count: 42),
            "*42\r\n" + String(repeating: "_\r\n", count: 42)
        ),
        (.null, "$-1\r\n", "_\r\n"),
        (.nullArray, "*-1\r\n", "_\r\n"),
        (.array([.integer(1), .array([])]), "*2\r\n:1\r\n*0\r\n", "*2\r\n:1\r\n*0\r\n"),
        (
            .members([("a", .integer(1)), ("b", nil), ("c", .null)]),
            "*4\r\n$1\r\na\r\n:1\r\n$1\r\nc\r\n$-1\r\n", "%2\r\n$1\r\na\r\n:1\r\n$1\r\nc\r\n_\r\n"
        ),
        (.double(0.1), "$3\r\n0.1\r\n", ",0.1\r\n"),
        (.double(3), "$1\r\n3\r\n", ",3\r\n"),
        (.double(-.infinity), "$4\r\n-inf\r\n", ",-inf\r\n"),
        (.boolean(true), ":1\r\n", "#t\r\n"),
        (.boolean(false), ":0\r\n", "#f\r\n"),
        (.verbatim(""), "$0\r\n\r\n", "=4\r\ntxt:\r\n"),
    ])
    func `has one form in each version of the protocol`(reply: Reply, two: String, three: String) {
        #expect(sent(reply, .two) == two)
        #expect(sent(reply, .three) == three)
    }

    @Test(arguments: [ProtocolVersion.two, .three], [1, 10, 100, 100_000])
    func `is the same when it is written piece by piece`(version: ProtocolVersion, limit: Int) {
        let long = Reply.array(
            (0..<300).map { number in
                .members([
                    ("n", .integer(number)), ("words", .array((0..<number).map { .text("word \($0)") })),
                    ("score", .double(0.5)),
                ])
            })
        let replies: [Reply] = [
            long, .members([("all", long), ("next", .null)]), .array([]), .integer(1),
            .map((0..<100).map { .init(key: .integer($0), value: .boolean(true)) }),
        ]
        for reply in replies {
            var writer = ReplyWriter(reply, version)
            var whole: [UInt8] = []
            var isDone = false
            while !isDone {
                var piece: [UInt8] = []
                isDone = writer.write(into: &piece, upTo: limit)
                // A member that is not wide is written whole.
                #expect(piece.count < limit + 2_000)
                whole += piece
            }
            #expect(String(decoding: whole, as: UTF8.self) == sent(reply, version))
        }
    }
}
