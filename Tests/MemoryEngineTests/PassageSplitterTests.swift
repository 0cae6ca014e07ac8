import MemoryEngine
import Testing

@Suite struct `The passage splitter` {
    @Test func `makes one passage of a text that fits`() {
        #expect(pieces("One. Two.\n\nThree.", 100) == ["One. Two.\n\nThree."])
        #expect(pieces("  \n One.\t", 4) == ["One."])
        #expect(pieces(String(repeating: "x", count: 1_200)).count == 1)
        #expect(pieces(String(repeating: "x", count: 1_201)).count == 2)
    }

    @Test(arguments: ["", " ", "\n\n\n", "\u{3000}\u{A0}\r\n\u{2029}"])
    func `makes none of white space`(text: String) {
        #expect(pieces(text) == [])
    }

    @Test func `puts paragraphs together while they fit`() {
        let text = "First one.\n\nSecond one.\n \t\nThird one.\r\n\r\nFourth."
        #expect(pieces(text, 24) == ["First one.\n\nSecond one.", "Third one.\r\n\r\nFourth."])
        #expect(pieces(text, 12) == ["First one.", "Second one.", "Third one.", "Fourth."])
    }

    @Test func `cuts a long paragraph at the ends of sentences`() {
        let text = "The deploy failed! Why did it? Its token (of May.) had expired."
        #expect(pieces(text, 40) == ["The deploy failed! Why did it?", "Its token (of May.) had expired."])
        #expect(
            pieces(text, 20) == ["The deploy failed!", "Why did it?", "Its token (of May.)", "had expired."])
        #expect(
            pieces("He said \u{201C}No.\u{201D} Then he left.", 20) == [
                "He said \u{201C}No.\u{201D}", "Then he left.",
            ])
    }

    @Test func `does not cut at initials, abbreviations and numbers`() {
        #expect(pieces("See e.g. J. Smith. Or not.", 20) == ["See e.g. J. Smith.", "Or not."])
        #expect(pieces("Ask Dr. Jones. Or Mrs. Doe.", 20) == ["Ask Dr. Jones.", "Or Mrs. Doe."])
        #expect(pieces("It is 3.14 or v1.2. Take it.", 20) == ["It is 3.14 or v1.2.", "Take it."])
        #expect(pieces("The pedr. It ends.", 15) == ["The pedr.", "It ends."])
    }

    @Test func `cuts Chinese and Japanese at their own marks`() {
        #expect(pieces("東京です。京都？「はい。」終", 18) == ["東京です。", "京都？", "「はい。」終"])
    }

    @Test func `cuts a long sentence at line ends, then at spaces, then between scalars`() {
        #expect(pieces("one two\nthree four\nfive six", 12) == ["one two", "three four", "five six"])
        #expect(pieces("one two three four", 9) == ["one two", "three", "four"])
        #expect(pieces("abcdefghij", 4) == ["abcd", "efgh", "ij"])
        #expect(pieces("abcdefghij k", 4) == ["abcd", "efgh", "ij k"])
        #expect(pieces("ééé", 5) == ["éé", "é"])
        #expect(pieces("🚀🚀🚀", 7) == ["🚀", "🚀", "🚀"])
    }

    @Test func `lets the rest of what was cut go on with what follows`() {
        #expect(pieces("aaaa bbbb cc.\n\ndd.", 9) == ["aaaa bbbb", "cc.\n\ndd."])
    }

    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func `covers all that is not white space, in order, within the maximum, and cuts no scalar`(seed: UInt64)
    {
        var random = Random(state: seed)
        let snippets = [
            "word", "e.g.", ".", "! ", "? ", "\n", "\n\n", "\r\n", " ", "\u{3000}", "\u{2029}", "東京。", "é",
            "🚀", "A. B.", "\t", "x",
            String(repeating: "y", count: 30), "\u{A0}", "”", ")", "...",
        ]
        for _ in 0..<20 {
            let text = (0..<random.next(below: 80)).map { _ in snippets[random.next(below: snippets.count)] }
                .joined()
            let maximum = 4 + random.next(below: 60)
            let ranges = PassageSplitter(maximumByteCount: maximum).split(text)
            checkOrder(ranges, maximum: maximum, byteCount: text.utf8.count)
            let utf8 = Array(text.utf8)
            var covered = [Bool](repeating: false, count: utf8.count)
            for range in ranges {
                for index in range { covered[index] = true }
                let passage = String(validating: utf8[range], as: UTF8.self)
                #expect(passage != nil)
                #expect(passage?.unicodeScalars.first?.properties.isWhitespace == false)
                #expect(passage?.unicodeScalars.last?.properties.isWhitespace == false)
            }
            var offset = 0
            for scalar in text.unicodeScalars {
                if !scalar.properties.isWhitespace { #expect(covered[offset], "\(scalar) at \(offset)") }
                offset += String(scalar).utf8.count
            }
        }
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `takes any bytes`(seed: UInt64) {
        var random = Random(state: seed)
        for _ in 0..<20 {
            let bytes = (0..<random.next(below: 300)).map { _ in
                random.next(below: 3) == 0
                    ? UInt8(random.next(below: 256))
                    : [0x80, 0x20, 0x0A, 0x2E, 0xE3, 0xC2, 0x61][random.next(below: 7)]
            }
            let maximum = 4 + random.next(below: 30)
            let ranges = PassageSplitter(maximumByteCount: maximum).split(bytes.span)
            checkOrder(ranges, maximum: maximum, byteCount: bytes.count)
            var covered = [Bool](repeating: false, count: bytes.count)
            for range in ranges { for index in range { covered[index] = true } }
            for (index, byte) in bytes.enumerated() where byte > 0x20 && byte < 0x80 {
                #expect(covered[index])
            }
        }
    }

    @Test(arguments: [
        "x", "x ", " ", "\n", "\n x", "\n  ", ".", ". ", "e. ", "x\n", "x\r\n", "東", "。", "\u{3000}", "\"",
        ".\"", "a\n\n", "Mr. ",
    ])
    func `takes steps in proportion to the bytes`(unit: String) {
        var counts: [Int] = []
        for byteCount in [20_000, 80_000] {
            let text = String(repeating: unit, count: byteCount / unit.utf8.count)
            var steps = 0
            let ranges = PassageSplitter().split(text.utf8.span, countingSteps: &steps)
            checkOrder(ranges, maximum: 1_200, byteCount: text.utf8.count)
            counts.append(steps)
        }
        #expect(counts[1] <= 12 * 80_000)
        #expect(counts[1] <= 5 * max(counts[0], 1))
    }

    private func checkOrder(_ ranges: [Range<Int>], maximum: Int, byteCount: Int) {
        #expect(ranges.allSatisfy { !$0.isEmpty && $0.count <= maximum })
        #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound })
        #expect((ranges.last?.upperBound ?? 0) <= byteCount)
    }

    private func pieces(_ text: String, _ maximum: Int = 1_200) -> [String] {
        let utf8 = Array(text.utf8)
        return PassageSplitter(maximumByteCount: maximum).split(text).map {
            String(decoding: utf8[$0], as: UTF8.self)
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
