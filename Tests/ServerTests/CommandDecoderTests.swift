import TestSupport
import Testing

@testable import Server

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// All commands of `input`, given in pieces that end at `cuts`, and the error that ends them.
private func decode(
    _ input: [UInt8], cutAt cuts: [Int] = [], limits: WireLimits = WireLimits(), isKnown: Bool = true
) -> (commands: [[[UInt8]]], error: String?) {
    var decoder = CommandDecoder(limits: limits)
    decoder.isKnown = isKnown
    var commands: [[[UInt8]]] = []
    var begin = 0
    for end in cuts + [input.count] {
        decoder.append(input[begin..<end])
        begin = end
        do {
            while let command = try decoder.next() { commands.append(command) }
        } catch {
            return (commands, error.message)
        }
    }
    return (commands, nil)
}

/// A command as libraries send it.
private func encoded(_ command: [[UInt8]]) -> [UInt8] {
    command.reduce(into: bytes("*\(command.count)\r\n")) { all, argument in
        all += bytes("$\(argument.count)\r\n") + argument + bytes("\r\n")
    }
}

@Suite struct `The decoder of commands` {
    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `gives back what was sent, however it was cut`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let sent = (0..<Int.random(in: 1...8, using: &random)).map { _ in
            (0..<Int.random(in: 1...6, using: &random)).map { _ in
                (0..<Int.random(in: 0...40, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
            }
        }
        let input = sent.flatMap(encoded)
        let cuts = (0..<Int.random(in: 0...30, using: &random)).map { _ in
            Int.random(in: 0...input.count, using: &random)
        }.sorted()
        let decoded = decode(input, cutAt: cuts)
        #expect(decoded.commands == sent)
        #expect(decoded.error == nil)
        #expect(decode(input, cutAt: Array(0..<input.count)).commands == sent)
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func `takes any bytes for commands or an error, and the same ones however they are cut`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let signs = bytes("*$-0123456789\r\n\r\n ping\"'\\x")
        var input = encoded([bytes("PING"), bytes("a")])
        for _ in 0..<Int.random(in: 1...60, using: &random) {
            input.insert(
                signs.randomElement(using: &random) ?? 0, at: Int.random(in: 0...input.count, using: &random))
        }
        let whole = decode(input)
        let cut = decode(input, cutAt: Array(0..<input.count))
        #expect(cut.commands == whole.commands)
        #expect(cut.error == whole.error)
    }

    @Test func `reads lines of words`() {
        let line = #"  SET "a b\n\x41\"" 'it\'s' x'y z'"# + "\r\nPING\n\n"
        #expect(
            decode(bytes(line)).commands == [
                [bytes("SET"), bytes("a b\nA\""), bytes("it's"), bytes("xy z")], [bytes("PING")],
            ])
        for refused in ["GET \"a\n", "GET 'a\n", "GET \"a\"b\n", #"GET "a\"# + "\n"] {
            #expect(decode(bytes(refused)).error == "unbalanced quotes in request", "\(refused)")
        }
    }

    @Test func `passes over empty commands`() {
        #expect(decode(bytes("*0\r\n*-1\r\n\r\n*1\r\n$4\r\nPING\r\n")).commands == [[bytes("PING")]])
    }

    @Test func `names what is wrong`() {
        var limits = WireLimits()
        limits.lineByteCount = 20
        limits.argumentByteCount = 30
        limits.argumentCount = 4
        limits.commandByteCount = 50
        for (input, message) in [
            ("*x\r\n", "invalid multibulk length"), ("*5\r\n", "invalid multibulk length"),
            ("*1\r\nx", "expected '$', got 'x'"), ("*1\r\n\u{1}", "expected '$', got '?'"),
            ("*1\r\n$-1\r\n", "invalid bulk length"), ("*1\r\n$31\r\n", "invalid bulk length"),
            ("*1\r\n$99999999999999999\r\n", "invalid bulk length"),
            ("*1\r\n$1\r\nabc", "an argument of 1 bytes does not end there"),
            (
                "*2\r\n$30\r\n" + String(repeating: "a", count: 30) + "\r\n$21\r\n",
                "a command has at most 50 bytes"
            ),
            ("*" + String(repeating: "1", count: 30), "too big mbulk count string"),
            ("*1\r\n$" + String(repeating: "1", count: 30), "too big bulk count string"),
            (String(repeating: "a", count: 30), "too big inline request"),
            (String(repeating: "a", count: 30) + "\n", "too big inline request"),
        ] {
            #expect(decode(bytes(input), limits: limits).error == message, "\(input.debugDescription)")
        }
    }

    @Test func `takes little from a stranger`() {
        func error(_ input: String) -> String? { decode(bytes(input), isKnown: false).error }
        #expect(error("*10\r\n") == nil)
        #expect(error("*11\r\n") == "unauthenticated multibulk length")
        #expect(error("*1\r\n$16384\r\n") == nil)
        #expect(error("*1\r\n$16385\r\n") == "unauthenticated bulk length")
        #expect(error("a b c d e f g h i j k\n") == "unauthenticated multibulk length")
    }
}
