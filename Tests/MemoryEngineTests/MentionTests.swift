import TestSupport
import Testing

@testable import MemoryEngine

@Suite struct `Mentions in a text` {
    private func found(_ text: String) -> [String] {
        Mentions.find(in: text).map { mention in
            let surface = String(decoding: Array(text.utf8)[mention.range], as: UTF8.self)
            return "\(mention.kind):\(surface)" + (surface == mention.key ? "" : "→\(mention.key)")
                + (mention.isTentative ? "?" : "")
        }
    }

    @Test(arguments: [
        ("I met Ada Lovelace in Paris.", ["name:Ada Lovelace→ada lovelace", "name:Paris→paris"]),
        ("Hey Mel! Good to see you.", ["name:Mel→mel"]),
        ("Ask Ada's friend, José Núñez.", ["name:Ada→ada", "name:José Núñez→jose nunez"]),
        ("It’s Ada’s.", ["name:Ada→ada"]),
        (
            "the Bank of America and the Lord of the Rings",
            ["name:Bank of America→bank of america", "name:Lord of the Rings→lord of the rings"]
        ),
        ("so `run()` it, not `[[a link]]` or ``[[b]]``", ["code:run()→run"]),
        ("he saw Ludwig van Beethoven", ["name:Ludwig van Beethoven→ludwig van beethoven"]),
        (
            "with Dr. Jones and J. K. Rowling",
            ["name:Dr. Jones→dr. jones", "name:J. K. Rowling→j. k. rowling"]
        ),
        ("an LGBTQ+ group at NASA", ["name:LGBTQ→lgbtq+", "name:NASA→nasa"]),
        ("my O'Brien and Jean-Luc", ["name:O'Brien→o'brien", "name:Jean-Luc→jean-luc"]),
        (
            "in \u{201C}Sankt Pölten\u{201D} — Москва",
            ["name:Sankt Pölten→sankt polten", "name:Москва→москва"]
        ),
        // A single word that begins a sentence may be anything; elsewhere it is a name, and so it was one here.
        ("Caroline went home.", ["name:Caroline→caroline?"]),
        ("Caroline went. We like Caroline.", ["name:Caroline→caroline", "name:Caroline→caroline"]),
        (
            "Caroline went. We like Caroline Smith.",
            ["name:Caroline→caroline", "name:Caroline Smith→caroline smith"]
        ),
        ("Painting is nice", ["name:Painting→painting?"]),
        ("Ada Lovelace went.", ["name:Ada Lovelace→ada lovelace"]),
        // A name ends at a comma and at the end of a line.
        ("we saw Ada, Bob\nCarl", ["name:Ada→ada", "name:Bob→bob", "name:Carl→carl?"]),
    ])
    func `are capitalised phrases`(text: String, expected: [String]) {
        // "LGBTQ+" keeps its sign in the key and in the range.
        let expected = expected.map { $0 == "name:LGBTQ→lgbtq+" ? "name:LGBTQ+→lgbtq+" : $0 }
        #expect(found(text) == expected)
    }

    @Test(arguments: [
        ("call parse_http_header now", ["identifier:parse_http_header"]),
        (
            "use camelCase and parseHTTPHeader,",
            ["identifier:camelCase→camelcase", "identifier:parseHTTPHeader→parsehttpheader"]
        ),
        ("std::vector, os.path.join", ["identifier:std::vector", "identifier:os.path.join"]),
        ("gcc-12 on x86_64", ["identifier:gcc-12", "identifier:x86_64"]),
        ("with --force, --no-commit=yes", ["flag:--force", "flag:--no-commit"]),
        ("run `git gc --auto` and `foo()`", ["code:git gc --auto", "code:foo()→foo"]),
        ("GNU's `rm' here", ["name:GNU→gnu", "code:rm"]),
        ("in /usr/lib/x.so:12: and src/main.c:3,", ["path:/usr/lib/x.so", "path:src/main.c"]),
        ("see README.md and ~/.gitconfig", ["path:README.md", "path:~/.gitconfig"]),
        ("https://Example.org/A/b/?q=(1), ok", ["url:https://Example.org/A/b/?q=(1)→example.org/A/b/?q=(1)"]),
        ("(see http://www.example.org/).", ["url:http://www.example.org/→example.org"]),
        ("at example.org today", ["url:example.org"]),
        ("ask @Ada_L.", ["handle:@Ada_L→@ada_l"]),
        ("<Ada.L+x@Example.org>", ["address:Ada.L+x@Example.org→ada.l+x@example.org"]),
        ("see #12 and (#345)", ["issue:#12", "issue:#345"]),
        ("Closes: #123456, #234567", ["issue:#123456", "issue:#234567"]),
        ("Closes:#9, LP: #123", ["issue:#9", "name:LP→lp", "issue:#123"]),
        ("bug 1234 and Issue 56", ["issue:1234→#1234", "issue:56→#56"]),
        ("fixed in owner/repo#12", ["issue:owner/repo#12"]),
        ("CVE-2024-1234 and GH-12", ["issue:CVE-2024-1234→cve-2024-1234", "issue:GH-12→#12"]),
        ("from 1.2.3-4 to v2.0,", ["version:1.2.3-4", "version:v2.0→2.0"]),
        ("version 1.2; 2:1.8~rc1-3", ["version:1.2", "version:2:1.8~rc1-3"]),
        ("since 66ee8f2 and DEADBEEF00.", ["commit:66ee8f2", "commit:DEADBEEF00→deadbeef00"]),
    ])
    func `are what is not prose`(text: String, expected: [String]) {
        #expect(found(text) == expected)
    }

    @Test(arguments: [
        "The house is on the hill.", "I think I'm OK. It's Monday, in May.", "Yes! Thanks, hey. What's up?",
        "don’t, You’ve, We're",
        "a well-known e-mail of a 20-year-old", "and/or, his/her, 24/7, 1/2",
        "e.g. this, i.e. that, U. s. a.", "done.the rest", "Wait...what",
        "1,000.50 and 3.14 and 10:30", "7th, 3rd, 10am, 90s", "12e4567 and 0x1234567", "1234567", "abcdefabc",
        "deadbeef", "facaded",
        "the #1 reason", "#fff, #, #a1, #0", "bug 7", "bug report", "version two", "-v - -- --x ---",
        "@ @a @1 a@b x@y. @@",
        "_emphasis_ __ _", "``", "`", "` `", "`\n`", "://", "x:// http://", "a.b", "x.", ".", "...", "//",
        "/", "/1", "~", "~/", "()", "[[[", "''",
        "",
        "This Is Not It If It Is All That", "Mr. and mrs.", "Tuesday Wednesday", "of the de von",
        "I I I",
    ])
    func `are not found in`(text: String) {
        #expect(found(text).filter { !$0.hasSuffix("?") } == [])
    }

    @Test func `have bounds`() {
        let text = String(repeating: "We met Ada Byron. ", count: 1_000)
        #expect(Mentions.find(in: text).count == 256)
        #expect(Mentions.find(in: text, limit: 3).count == 3)
        let long = String(repeating: "Abcdefghij ", count: 5)
        #expect(found("x " + long + "y").count == 1)
        #expect(found("x " + long + long + "y") == [])
        #expect(found("x " + String(repeating: "Abc", count: 50)) == [])
        #expect(found("a_" + String(repeating: "x", count: 200)) == [])
        #expect(found("http://a.b/" + String(repeating: "x", count: 2_000)) == [])
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `stand in order on the bounds of scalars, whatever the text`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let pieces =
            "Ada of the Dr . , ' \u{2019} ’s ` `x` / :// http:// @ # #12 -- --x _ a_b aB 1.2.3 v1 - é É 語 🙂 \u{301} \u{AD} ( ) [ ] ~/ :: 66ee8f2 bug 1234 \n \u{A0} … “ ” CVE-2024-1 x@y.org"
            .split(separator: " ").map(String.init)
        for _ in 0..<400 {
            var text = ""
            for _ in 0..<random.below(25) {
                text += random.pick(pieces)
                if random.chance(0.5) { text += " " }
            }
            let bytes = Array(text.utf8)
            var end = 0
            for mention in Mentions.find(in: text) {
                #expect(mention.range.lowerBound >= end && !mention.range.isEmpty, "\(text)")
                end = mention.range.upperBound
                #expect(end <= bytes.count && !mention.key.isEmpty)
                #expect(
                    mention.range.count
                        <= (mention.kind == .url ? Mentions.maximumURLByteCount : Mentions.maximumByteCount))
                let surface = String(decoding: bytes[mention.range], as: UTF8.self)
                #expect(surface.unicodeScalars.allSatisfy { $0 != "\u{fffd}" }, "\(text)")
            }
        }
    }

    @Test func `are found in linear time`() {
        for unit in [
            "a", "A", "Ab ", "(", "`", "@", "#", "/", "-", ".", "a@", "://", "a:", "a.b", "_", "'", "’",
            "\u{301}", "http://a(", "of A ", "1.", "Aé",
        ] {
            let text = String(repeating: unit, count: 200_000 / unit.utf8.count)
            // Quadratic work would take minutes.
            _ = Mentions.find(in: text, limit: .max)
        }
    }
}
