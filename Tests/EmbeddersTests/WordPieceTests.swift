import MemoryEngine
import TestSupport
import Testing

@testable import Embedders

@Suite struct `The tokenizer of words and pieces` {
    private let vocabulary = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "deploy", "##ed", "##ing", "fail", "the", "!", "a", "##b", "東",
        "京", "uber", "##s", "-", "<", "k", "i", "σ",
    ]

    private func pieces(_ text: String, limit: Int = 128, isLowercase: Bool = true) throws -> [String] {
        let bytes = Array((vocabulary.joined(separator: "\n") + "\n").utf8)
        let tokenizer = try WordPiece(vocabulary: bytes, isLowercase: isLowercase)
        return tokenizer.tokens(of: text, atMost: limit).map { vocabulary[Int($0)] }
    }

    private func inner(_ text: String) throws -> [String] { try Array(pieces(text).dropFirst().dropLast()) }

    @Test func `puts words together from the longest pieces`() throws {
        #expect(
            try pieces("The deployed deploys") == [
                "[CLS]", "the", "deploy", "##ed", "deploy", "##s", "[SEP]",
            ])
        #expect(try inner("deployx") == ["[UNK]"])
        #expect(try inner("") == [])
    }

    @Test func `takes accents, cases, spaces and control characters off`() throws {
        #expect(try inner("ÜBER u\u{308}ber \u{212A} İ Σ ς") == ["uber", "uber", "k", "i", "σ", "[UNK]"])
        #expect(try inner("de\u{0}pl\u{200D}oy\u{FEFF}\u{E000}\u{FFFD}") == ["deploy"])
        #expect(try inner("the\u{A0}the\u{3000}the\tthe\r\nthe\u{85}") == Array(repeating: "the", count: 5))
    }

    @Test func `makes words of punctuation and of each ideograph`() throws {
        #expect(try inner("the!the-") == ["the", "!", "the", "-"])
        #expect(try inner("東京the") == ["東", "京", "the"])
        // A sign that is decomposed into a sign and a mark.
        #expect(try inner("the≮the") == ["the", "<", "the"])
    }

    @Test func `takes the mark that ends a text for signs, where a text holds it`() throws {
        #expect(try inner("[SEP]") == ["[UNK]", "[UNK]", "[UNK]"])
    }

    @Test func `knows no word of over a hundred characters`() throws {
        let long = String(repeating: "b", count: 99)
        #expect(try inner("a" + long).count == 100)
        #expect(try inner("ab" + long) == ["[UNK]"])
        #expect(try inner("a" + String(repeating: "b\u{301}", count: 99)).count == 100)
    }

    @Test func `gives no more tokens than asked for, and what it gives is a beginning`() throws {
        let text = "the deployed, deploying fails! " + String(repeating: "ab", count: 20)
        let all = try pieces(text)
        for limit in 2..<all.count {
            #expect(try pieces(text, limit: limit) == all.prefix(limit - 1) + ["[SEP]"])
        }
    }

    @Test func `keeps case and accents where the model wants them`() throws {
        #expect(
            try pieces("The the über", isLowercase: false) == ["[CLS]", "[UNK]", "the", "[UNK]", "[SEP]"])
    }

    @Test func `is refused without the marks that it needs`() {
        #expect(throws: EngineError.self) {
            try WordPiece(vocabulary: Array("a\nb\n".utf8), isLowercase: true)
        }
    }
}
