import MemoryEngine
import Testing

@Suite struct `The tokenizer` {
    // MARK: English

    @Test func `stems words, folds case and leaves stop words out`() {
        #expect(
            terms("The quick brown foxes were jumping over the lazy dogs.") == [
                "quick", "brown", "fox", "jump", "lazi", "dog",
            ])
    }

    @Test func `knows 126 stop words`() {
        #expect(StopWords.contains(Array("yourselves".utf8)))
        #expect(StopWords.contains(Array("a".utf8)))
        #expect(!StopWords.contains(Array("ourselve".utf8)))
        #expect(!StopWords.contains([]))
        let all = """
            a an the this that these those i me my myself we our ours ourselves you your yours
            yourself yourselves he him his himself she her hers herself it its itself they them
            their theirs themselves what which who whom when where why how am is are was were be
            been being have has had having do does did doing can will should and but if or because
            as until while nor of at by for with about against between into through during before
            after above below to from up down in out on off over under again further then once here
            there all any both each few more most other some such no not only own same so than too
            very just now s t
            """.split(whereSeparator: \.isWhitespace)
        #expect(all.count == 126)
        #expect(all.allSatisfy { StopWords.contains(Array($0.utf8)) })
        #expect(terms(all.joined(separator: " ") + " end") == ["end"])
    }

    @Test func `keeps the stop words of a text that has nothing else`() {
        #expect(terms("To be, or not to be") == ["to", "be", "or", "not", "to", "be"])
        #expect(terms("Isn't it?") == ["isn't", "it"])
        #expect(terms("to be an engineer") == ["engin"])
    }

    @Test func `drops the endings behind apostrophes`() {
        #expect(
            terms("John's dogs' libfoo-dev's HTTP's") == [
                "john", "dog", "libfoo-dev", "libfoo", "dev", "http",
            ])
        #expect(terms("JOHN\u{2019}S token I'm we've they'll") == ["john", "token"])
        #expect(terms("tokens don't won't can't expire") == ["token", "expir"])
        #expect(terms("rock 'quoted' words") == ["rock", "quot", "word"])
        #expect(terms("O'Brien") == ["o'brien", "o", "brien"])
    }

    @Test func `leaves words as they are without a language`() {
        let tokenizer = Tokenizer(language: .none)
        #expect(terms("The foxes are JUMPING", tokenizer) == ["the", "foxes", "are", "jumping"])
        #expect(terms("l'homme d'État", tokenizer) == ["l'homme", "l", "homme", "d'etat", "d", "etat"])
    }

    // MARK: Identifiers

    @Test(arguments: [
        ("parseHTTPHeader", ["parsehttphead", "pars", "http", "header"]),
        ("snake_case_name", ["snake_case_name", "snake", "case", "name"]),
        ("libfoo-dev", ["libfoo-dev", "libfoo", "dev"]),
        ("v1.2.3", ["v1.2.3", "v", "1", "2", "3"]),
        ("CVE-2024-1234", ["cve-2024-1234", "cve", "2024", "1234"]),
        ("foo::bar", ["foo::bar", "foo", "bar"]),
        ("/usr/lib/x.so", ["/usr/lib/x.so", "x.so", "usr", "lib", "x"]),
        ("#12345", ["#12345", "12345"]),
        (
            "jane.doe@example.org",
            ["jane.doe@example.org", "jane.doe", "example.org", "jane", "doe", "exampl", "org"]
        ),
        ("deadbeef42c0ffee", ["deadbeef42c0ffee"]),
        ("7ece7ee60796", ["7ece7ee60796"]),
        ("1:2.3+dfsg~rc1-4", ["1:2.3+dfsg~rc1-4", "1", "2", "3", "dfsg", "rc", "1", "4"]),
        (
            "std::parse_header.c",
            [
                "std::parse_header.c", "parse_header.c", "parse_header", "std", "pars", "header", "c",
            ]
        ),
        ("x86_64", ["x86_64", "x", "86", "64"]),
        ("well-known", ["well-known", "well", "known"]),
        ("__init__", ["__init__", "init"]),
        ("https://example.org/a", ["https", "example.org/a", "example.org", "exampl", "org"]),
    ])
    func `keeps identifiers whole, and gives their parts`(text: String, expected: [String]) {
        #expect(terms(text) == expected)
        #expect(terms("(\(text)), see.") == expected + ["see"])
    }

    @Test func `counts a plain word once`() {
        for text in ["Deploy", "deploy", "DEPLOY", "deploy.", "(deploy)", "deploy-", "'deploy'", "deploy's"] {
            #expect(terms(text) == ["deploy"])
        }
        #expect(terms("URLs IDs HTTP") == ["url", "id", "http"])
    }

    @Test func `finds a name with inner capitals in lower case`() {
        #expect(terms("YouTube iPhones").contains(terms("youtube")[0]))
        #expect(terms("YouTube iPhones").contains(terms("iphone")[0]))
    }

    @Test func `ends a piece at doubled punctuation and at the end of a sentence`() {
        #expect(terms("token--expired...deployed.") == ["token", "expir", "deploy"])
        #expect(terms("one,two;three:four") == ["one", "two", "three", "four"])
        #expect(terms("path/ /tmp / x") == ["path", "/tmp", "tmp", "x"])
    }

    @Test func `keeps numbers`() {
        #expect(terms("1,000 1,000,000 1,2 12345,678") == ["1000", "1000000", "1", "2", "12345", "678"])
        #expect(terms("3.14") == ["3.14", "3", "14"])
        #expect(terms("٣٤ ３４ x₂") == ["34", "34", "x2", "x", "2"])
        #expect(terms("1990s 2nd") == ["1990s", "1990", "2nd", "2", "nd"])
    }

    // MARK: Folding

    @Test(arguments: [
        ("Crème", "creme"), ("cre\u{300}me", "creme"), ("STRASSE", "straße"), ("STRAẞE", "strasse"),
        ("ﬁle", "file"), ("ｆｉｌｅ", "file"), ("Ω", "ω"), ("ΣΟΦΟΣ", "σοφός"), ("σοφο\u{301}ς", "σοφος"),
        ("Ёлка", "елка"),
        ("Е\u{308}лка", "елка"), ("Łódź", "lodz"), ("Tiếng", "tieng"), ("ñandú", "nandu"),
        ("İstanbul", "istanbul"),
        ("soft\u{AD}ware", "software"), ("col·lecció", "colleccio"), ("كِتَاب", "كتاب"), ("أحمد", "احمد"),
        ("שָׁלוֹם", "שלום"), ("ज़", "ज"), ("Å", "a"), ("ӣ", "и"),
    ])
    func `folds letters and marks`(text: String, folded: String) {
        let tokenizer = Tokenizer(language: .none)
        #expect(terms(text, tokenizer) == terms(folded, tokenizer))
        #expect(terms(text, tokenizer).count == 1)
    }

    @Test func `keeps the vowel signs of Indic scripts`() {
        #expect(terms("हिन्दी भाषा") == ["हिन्दी", "भाषा"])
    }

    // MARK: Scripts without spaces

    @Test func `cuts unspaced scripts into pairs`() {
        #expect(terms("東京都") == ["東京", "京都"])
        #expect(terms("年") == ["年"])
        #expect(terms("ひらがな") == ["ひら", "らが", "がな"])
        #expect(terms("한국어") == ["한국", "국어"])
        #expect(terms("ไทย") == ["ไท", "ทย"])
        #expect(terms("ที่นี่") == ["ที่นี่"])
        #expect(terms("phone手机2024年、東京。") == ["phone", "手机", "2024", "年", "東京"])
    }

    @Test func `composes Hangul and Kana`() {
        #expect(terms("\u{1112}\u{1161}\u{11AB}\u{1100}\u{116E}\u{11A8}") == ["한국"])
        #expect(terms("か\u{3099}き\u{3099}") == ["がぎ"])
        #expect(terms("ｶﾞｷﾞ") == ["ガギ"])
    }

    // MARK: Edges

    @Test(arguments: [
        "", " ", "\n\t", "...", "!?—–“”", "👩‍👩‍👧‍👦", "🇩🇪🏳️‍🌈", "\u{301}\u{302}", "\u{200D}\u{FEFF}", "_____",
        "$€%&=<>|", "#", "/", "//", "'", "''",
        "-", "*", "**", "\u{0}", "\u{7F}", "、。「」",
    ])
    func `gives nothing for what holds no word`(text: String) {
        #expect(terms(text) == [])
        #expect(Tokenizer().terms(in: text) == TermList())
        #expect(Tokenizer().query(text).prefixes == [])
    }

    @Test func `keeps words apart that emoji separate`() {
        #expect(terms("rocket🚀launch 👍🏽 done 1️⃣") == ["rocket", "launch", "done", "1"])
    }

    @Test func `reads text from right to left and of mixed scripts`() {
        #expect(terms("\u{202B}שלום\u{202C} world العربية") == ["שלום", "world", "العربية"])
        #expect(terms("Москва-Berlin") == ["москва-berlin", "москва", "berlin"])
    }

    @Test func `cuts a term at 64 bytes, between scalars`() {
        #expect(terms(String(repeating: "x", count: 64)) == [String(repeating: "x", count: 64)])
        #expect(terms(String(repeating: "x", count: 1_000)) == [String(repeating: "x", count: 64)])
        #expect(terms(String(repeating: "ы", count: 33)) == [String(repeating: "ы", count: 32)])
        #expect(terms("x" + String(repeating: "ы", count: 40)) == ["x" + String(repeating: "ы", count: 31)])
        let identifier = String(repeating: "ab_", count: 30) + "c"
        #expect(terms(identifier).first == String(identifier.prefix(64)))
        #expect(terms(identifier).count == 32)
        #expect(
            terms("ก" + String(repeating: "\u{0E34}", count: 100)) == [
                "ก" + String(repeating: "\u{0E34}", count: 20)
            ])
    }

    @Test func `separates words at bytes that are not UTF-8`() {
        let cases: [([UInt8], [String])] = [
            ([0x61, 0x62, 0xFF, 0x63, 0x64], ["ab", "cd"]),
            ([0x61, 0x62, 0xC3], ["ab"]),
            ([0xC3, 0x61, 0x62], ["ab"]),
            ([0x61, 0x62, 0xC0, 0xAF, 0x63, 0x64], ["ab", "cd"]),
            ([0xED, 0xA0, 0x80, 0x63, 0x64], ["cd"]),
            ([0xF4, 0x90, 0x80, 0x80, 0x63, 0x64], ["cd"]),
            ([0xE6, 0x9D, 0x61, 0x62], ["ab"]),
            ([0x80, 0x80, 0x80], []),
        ]
        for (bytes, expected) in cases { #expect(terms(bytes) == expected) }
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `takes any bytes, and gives terms of 1 to 64 bytes of UTF-8`(seed: UInt64) {
        var random = Random(state: seed)
        for language in [Tokenizer.Language.english, .none] {
            let bytes = (0..<random.next(below: 2_000)).map { _ in random.nextByte() }
            let tokenizer = Tokenizer(language: language)
            var count: UInt32 = 0
            tokenizer.forEachTerm(in: bytes.span) { term in
                let array = term.indices.map { term[$0] }
                #expect((1...64).contains(array.count))
                #expect(String(validating: array, as: UTF8.self) != nil)
                count += 1
            }
            #expect(tokenizer.terms(in: bytes.span).length == count)
        }
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `gives the same terms for a text and for a question without a star`(seed: UInt64) {
        var random = Random(state: seed)
        let snippets = [
            "Deploys", "HTTPServer", "don't", "it's", " ", " ", "-", ".", "::", "/", "'", "\u{2019}s", "東京",
            "é", "e\u{301}", "1,000",
            "42", "_", "the", "ไทย", "#7", "\n", "🚀", "ß", "URLs", "a1b2c3d", "@",
        ]
        let text = (0..<40).map { _ in snippets[random.next(below: snippets.count)] }.joined()
        #expect(Tokenizer().query(text).terms == Tokenizer().terms(in: text))
    }

    // MARK: Questions

    @Test func `takes a word with a star as a prefix, and for nothing else`() {
        let query = Tokenizer().query("Deploying* of parse_H* tokens")
        #expect(query.terms == Tokenizer().terms(in: "tokens"))
        #expect(query.prefixes.map { String(decoding: $0.bytes, as: UTF8.self) } == ["deploying", "parse_h"])
        #expect(query.prefixes.map { String(decoding: $0.term, as: UTF8.self) } == ["deploy", "parse_h"])
        #expect(Tokenizer().query("foo* (foo*)").prefixes.count == 1)
    }

    @Test func `takes a star elsewhere as punctuation`() {
        #expect(Tokenizer().query("a*b *deploy* 2 * 3").prefixes.map(\.bytes) == [Array("deploy".utf8)])
        #expect(Tokenizer().query("* x").prefixes == [])
        #expect(terms("deploy*") == ["deploy"])
    }

    @Test func `takes a star behind one sign of an unspaced script as a prefix`() {
        #expect(Tokenizer().query("東*").prefixes.map(\.bytes) == [Array("東".utf8)])
        let pair = Tokenizer().query("東京*")
        #expect(pair.prefixes == [])
        #expect(pair.terms == Tokenizer().terms(in: "東京"))
    }

    @Test func `cuts a prefix at 64 bytes`() {
        let query = Tokenizer().query(String(repeating: "x", count: 100) + "*")
        #expect(query.prefixes.map(\.bytes.count) == [64])
    }

    private func terms(_ text: String, _ tokenizer: Tokenizer = Tokenizer()) -> [String] {
        terms(Array(text.utf8), tokenizer)
    }

    private func terms(_ bytes: [UInt8], _ tokenizer: Tokenizer = Tokenizer()) -> [String] {
        var terms: [String] = []
        tokenizer.forEachTerm(in: bytes.span) { term in
            terms.append(String(decoding: term.indices.map { term[$0] }, as: UTF8.self))
        }
        return terms
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

    /// A byte of anything, more often than not one that means something to the tokenizer.
    mutating func nextByte() -> UInt8 {
        let likely =
            Array("aZ09 _-.:/'@#*,".utf8) + [
                0xC3, 0xA9, 0xE6, 0x9D, 0xB1, 0xCC, 0x81, 0xE0, 0xB8, 0x81, 0xF0, 0x9F,
            ]
        return next(below: 4) == 0 ? UInt8(next(below: 256)) : likely[next(below: likely.count)]
    }
}
