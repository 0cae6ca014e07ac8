import MemoryEngine
import Testing

@Suite struct `A list of terms` {
    @Test func `holds distinct terms, their frequencies and the length`() {
        let list = Tokenizer().terms(
            in: "Deploy failed: the deploy of atlas failed, and the token of deploys expired.")
        #expect(list.length == 8)
        #expect(list.count == 5)
        #expect(list.frequency(of: Array("deploy".utf8)) == 3)
        #expect(list.frequency(of: Array("fail".utf8)) == 2)
        #expect(list.frequency(of: Array("token".utf8)) == 1)
        #expect(list.frequency(of: Array("the".utf8)) == 0)
        #expect(list.frequency(of: []) == 0)
    }

    @Test func `has hashes that never change`() {
        #expect(TermHash.hash(Array("".utf8)) == 0xab3e_7c0b)
        #expect(TermHash.hash(Array("a".utf8)) == 0x1a80_b1b3)
        #expect(TermHash.hash(Array("deploy".utf8)) == 0xdb4b_d2e0)
        #expect(TermHash.hash(Array("東京".utf8)) == 0x50b7_e2e7)
    }

    @Test func `is written in the layout that is documented`() {
        let list = Tokenizer().terms(in: "deploy deploy")
        var bytes: [UInt8] = [0xFF]
        list.encode(into: &bytes)
        #expect(bytes == [0xFF, 1, 0, 2, 0, 0, 0, 0xe0, 0xd2, 0x4b, 0xdb, 2, 6] + Array("deploy".utf8))
        #expect(TermList().encoded == [0, 0, 0, 0, 0, 0])
        #expect(Tokenizer().terms(in: "") == TermList())
    }

    @Test func `counts up to 255`() {
        let list = Tokenizer().terms(in: String(repeating: "deploy ", count: 300) + "token")
        #expect(list.frequency(of: Array("deploy".utf8)) == 255)
        #expect(list.length == 301)
        #expect(throws: Never.self) { try TermList(decoding: list.encoded.span) }
    }

    @Test func `keeps 65,535 terms at most`() throws {
        var builder = TermListBuilder(expectedByteCount: 400_000)
        for number in 0..<70_000 { builder.append(Array(String(number).utf8).span) }
        let list = builder.finish()
        #expect(list.count == 65_535)
        #expect(list.length == 70_000)
        #expect(try TermList(decoding: list.encoded.span) == list)
    }

    @Test func `tells terms with the same hash apart`() throws {
        let (first, second) = (Array("bayarea".utf8), Array("enamelled".utf8))
        #expect(TermHash.hash(first) == TermHash.hash(second))
        var builder = TermListBuilder(expectedByteCount: 100)
        for term in [second, first, second, Array("other".utf8), first, second] { builder.append(term.span) }
        let list = builder.finish()
        #expect(list.count == 3)
        #expect(list.frequency(of: first) == 2)
        #expect(list.frequency(of: second) == 3)
        #expect(try TermList(decoding: list.encoded.span) == list)
    }

    @Test(arguments: 1...30 as ClosedRange<UInt64>)
    func `agrees with a dictionary, and comes back from its bytes`(seed: UInt64) throws {
        var random = Random(state: seed)
        var model: [[UInt8]: Int] = [:]
        var builder = TermListBuilder(expectedByteCount: 0)
        let count = random.next(below: 600)
        for _ in 0..<count {
            let term = (0...random.next(below: 3)).map { _ in UInt8(random.next(below: 6)) }
            model[term, default: 0] += 1
            builder.append(term.span)
        }
        let list = builder.finish()
        #expect(list.length == UInt32(count))
        #expect(
            Dictionary(uniqueKeysWithValues: list.terms.map { ($0.term, Int($0.frequency)) })
                == model.mapValues { min($0, 255) })
        for (term, frequency) in model { #expect(list.frequency(of: term) == UInt8(min(frequency, 255))) }
        #expect(try TermList(decoding: list.encoded.span) == list)
        let keys = list.terms.map { (TermHash.hash($0.term), $0.term) }
        #expect(
            zip(keys, keys.dropFirst()).allSatisfy { a, b in
                a.0 < b.0 || (a.0 == b.0 && a.1.lexicographicallyPrecedes(b.1))
            })
    }

    @Test(arguments: 1...30 as ClosedRange<UInt64>)
    func `takes any bytes as a list or an error`(seed: UInt64) {
        var random = Random(state: seed)
        let list = Tokenizer().terms(
            in: "The deploy of project atlas failed, for its token had expired at 12:30.")
        for _ in 0..<300 {
            var bytes = list.encoded
            for _ in 0...random.next(below: 3) {
                switch random.next(below: 4) {
                case 0: bytes[random.next(below: bytes.count)] ^= 1 << UInt8(random.next(below: 8))
                case 1: bytes.removeLast(random.next(below: bytes.count))
                case 2: bytes.append(UInt8(random.next(below: 256)))
                default: bytes[random.next(below: min(bytes.count, 8))] = UInt8(random.next(below: 256))
                }
                if bytes.isEmpty { bytes = [0] }
            }
            if let decoded = try? TermList(decoding: bytes.span) {
                #expect(decoded.encoded == bytes)
                #expect(decoded.terms.count == decoded.count)
            }
            // A view of damaged bytes gives anything, but never leaves them.
            if let view = try? TermListView(checking: bytes.span) {
                view.forEach(in: bytes.span) { _, term, _ in #expect(term.count <= 255) }
                let term = Array("deploy".utf8)
                _ = view.frequency(ofHash: TermHash.hash(term), bytes: term.span, in: bytes.span)
            }
        }
    }

    @Test func `refuses every change of one bit`() {
        let bytes = Tokenizer().terms(in: "deploy of atlas, deploy of token").encoded
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: TermListError.self, "bit \(bit)") { try TermList(decoding: damaged.span) }
        }
    }
}

/// A small generator with a seed (xorshift64*), so that a failure repeats.
private struct Random {
    var state: UInt64

    mutating func next(below bound: Int) -> Int {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return Int((state &* 0x2545_F491_4F6C_DD1D) >> 33) % bound
    }
}
