import TestSupport
import Testing

@testable import Server

@Suite struct `A decoder of replies` {
    /// What came of bytes that came in pieces.
    private static func decode(
        _ bytes: [UInt8], _ random: inout SeededRandom, limits: ReplyLimits = ReplyLimits()
    ) throws(ProtocolError) -> [Reply] {
        var decoder = ReplyDecoder(limits: limits)
        var replies: [Reply] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = min(rest.count, 1 + random.below(9))
            decoder.append(rest.prefix(count))
            rest = rest.dropFirst(count)
            while let reply = try decoder.next() { replies.append(reply) }
        }
        return replies
    }

    private static func reply(_ random: inout SeededRandom, depth: Int = 0) -> Reply {
        switch random.below(depth < 4 ? 10 : 7) {
        case 0: .simple("OK \(random.below(100))")
        case 1: .error("ERR \(random.below(100))")
        case 2: .integer(random.below(1_000) - 500)
        case 3: .bulk(random.bytes(random.below(20)))
        case 4: .double(Double.random(in: -1...1, using: &random))
        case 5: .boolean(random.chance(0.5))
        case 6: .null
        case 7: .verbatim("a\r\nb")
        case 8: .array((0..<random.below(4)).map { _ in reply(&random, depth: depth + 1) })
        default:
            .map(
                (0..<random.below(4)).map {
                    Reply.Entry(key: .bulk(Array("k\($0)".utf8)), value: reply(&random, depth: depth + 1))
                })
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `gives what was sent, however it comes in pieces`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let replies = (0..<20).map { _ in Self.reply(&random) }
        var bytes: [UInt8] = []
        for reply in replies { reply.encode(.three, into: &bytes) }
        let decoded = try Self.decode(bytes, &random)
        #expect(decoded == replies)
    }

    @Test func `reads what the second version has for nothing, and passes over what comes unasked`() throws {
        var random = SeededRandom(seed: 1)
        let bytes = Array("$-1\r\n>2\r\n+a\r\n*1\r\n:1\r\n*-1\r\n!5\r\nERR x\r\n~1\r\n#f\r\n".utf8)
        let decoded = try Self.decode(bytes, &random)
        #expect(decoded == [.null, .nullArray, .error("ERR x"), .array([.boolean(false)])])
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func `gives replies or an error for any bytes at all`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var bytes: [UInt8] = []
        for _ in 0..<5 { Self.reply(&random).encode(.three, into: &bytes) }
        for _ in 0..<3 where !bytes.isEmpty {
            bytes[random.below(bytes.count)] = random.pick(random.bytes(8))
        }
        _ = try? Self.decode(bytes, &random)
        #expect(throws: ProtocolError.self) { try Self.decode([UInt8(ascii: "H")] + bytes, &random) }
    }

    @Test(arguments: [
        "$101\r\n", "*11\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n", "*9999999999999999999\r\n", "$-2\r\n", "#x\r\n",
        ":1.5\r\n", ",x\r\n", "$1\r\nab\r\n", "\r\n",
        "%6\r\n+1\r\n+1\r\n+1\r\n+1\r\n+1\r\n+1\r\n+1\r\n+1\r\n+1\r\n+1\r\n",
        "+" + String(repeating: "x", count: 60), "HTTP/1.1 400 Bad Request\r\n",
        "*3\r\n$60\r\n" + String(repeating: "x", count: 60) + "\r\n$60\r\n",
    ])
    func `refuses what is beyond its limits`(text: String) {
        var limits = ReplyLimits()
        (limits.depth, limits.lineByteCount, limits.bulkByteCount) = (3, 50, 100)
        (limits.valueCount, limits.replyByteCount) = (10, 110)
        var random = SeededRandom(seed: 1)
        #expect(throws: ProtocolError.self) { try Self.decode(Array(text.utf8), &random, limits: limits) }
    }
}
