import Foundation
import Testing

@testable import loci

@Suite struct `Text for a terminal` {
    @Test(arguments: [
        ("plain é 中 👍🏽", "plain é 中 👍🏽"), ("a\nb\tc", "a\nb\tc"), ("a\r\nb", "a\nb"), ("a\rb", "a␍b"),
        ("\u{1B}[31mred", "␛[31mred"), ("\u{0}\u{7}\u{8}", "␀␇␈"), ("\u{7F}", "␡"),
        ("\u{9B}31m", "\u{FFFD}31m"),
        ("a\u{202E}b\u{2066}c", "a\u{FFFD}b\u{FFFD}c"), ("\u{2028}", "\u{FFFD}"),
        ("e\u{301}\u{200D}\u{200F}", "e\u{301}\u{200D}\u{200F}"),
    ])
    func `shows controls as signs`(text: String, shown: String) {
        #expect(Visible.text(text).unicodeScalars.elementsEqual(shown.unicodeScalars))
    }

    @Test(arguments: [
        ("a\nb\r\n\tc", #"a\nb\r\n\tc"#), ("\u{1B}]0;x\u{7}", #"\u{1B}]0;x\u{7}"#),
        ("\u{9B}\u{202E}", #"\u{9B}\u{202E}"#),
    ])
    func `is one line where one is wanted`(text: String, shown: String) {
        #expect(Visible.line(text) == shown)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `has no control whatever it was`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<100 {
            let text =
                random.text() + random.choice(["\u{1B}", "\r", "\u{85}", "\n", "\u{2029}", ""])
                + random.text()
            #expect(!Visible.line(text).unicodeScalars.contains { $0.properties.generalCategory == .control })
            #expect(
                !Visible.text(text).unicodeScalars.contains {
                    $0.properties.generalCategory == .control && $0 != "\n" && $0 != "\t"
                })
        }
    }

    @Test func `is what every verb writes, whatever lies in the store`() throws {
        try Shell.run { shell in
            let evil = "\u{1B}[31mx\u{7}\u{9B}\r\u{202E}y"
            let file = try shell.write("x", to: "a\u{1B}b.txt")
            let remembered = try shell.loci(
                "remember", evil + "\n\n" + evil, "--actor", evil, "--kind", evil, "--thread", evil, "--key",
                evil, "--tag", evil,
                "--keyword", evil, "--attribute", "\(evil)=\(evil)", "--source", evil, "--principal", evil,
                "--attach",
                file, "--vector", "\(evil)/3=[1,2,3]", "--json")
            #expect(remembered.status == 0, "\(remembered.errors)")
            let id = try #require(JSONParser.parse(remembered.output)["id"]?.string)
            let bad = try shell.write(
                "{\"content\":\"x\",\"\u{9B}31m\":1}\n{\"\\u001b[31m\":1}\n", to: "c\u{1B}d.jsonl")
            let answers = try [
                shell.loci("get", id), shell.loci("get", id, "--versions"), shell.loci("list"),
                shell.loci("recall", "x"),
                shell.loci("recall", "x y", "--compare"), shell.loci("dump"), shell.loci("stats"),
                shell.loci("check"),
                shell.loci("changes"), shell.loci("homes"), shell.loci("get", id, "--attachment", evil),
                shell.loci("get", "--key", "none" + evil), shell.loci("import", bad, "--on-error", "skip"),
                shell.loci("import", bad), shell.loci("import", evil), shell.loci("snapshot", "s\u{1B}.loci"),
                shell.loci("list", "--filter", evil), shell.loci("list", "--limit", evil),
                shell.loci("remember", "x", "-n", "project/\(evil)"), shell.loci(evil),
                shell.loci("restore", "s\u{1B}.loci", "--replace"), shell.loci("export"),
                shell.loci("get", id, "--json"),
                shell.loci("get", "--key", evil, "--attachment", evil, "--json"),
            ]
            for answer in answers {
                let written = answer.output + answer.errors
                #expect(
                    !written.unicodeScalars.contains {
                        $0.properties.generalCategory == .control && $0 != "\n" || $0 == "\u{202E}"
                    }, "\(written)")
            }
            #expect(answers[0].output.contains("␛[31mx"))
            #expect(answers[5].output.contains(#"\u{1B}[31mx"#))
        }
    }
}

@Suite struct `A line of progress` {
    @Test(
        arguments: [
            (0, nil, 3.2, "importing  4 s"), (500, nil, 2, "importing  2 s  500 rows  250/s"),
            (250, 1_000, 2, "importing  25 %  6 s left  250 of 1,000 rows  125/s"),
            (1, 1_000_000, 2, "importing  0 %  555 h 33 min left  1 of 1,000,000 rows  0/s"),
            (10, 1_000, 10, "importing  1 %  16 min 30 s left  10 of 1,000 rows  1/s"),
            (1_000, 1_000, 65, "importing  100 %  finishing, 1 min 5 s  1,000 rows"),
            (0, 1_000, 0, "importing  0 s"),
            (2_000, 1_000, 10, "importing  100 %  finishing, 10 s  1,000 rows"),
        ] as [(Int, Int?, Double, String)])
    func `says how far, how quickly and how long`(done: Int, total: Int?, elapsed: Double, line: String) {
        let progress = Progress("importing", unit: "rows")
        #expect(progress.line(done, total, elapsed: elapsed, hasBar: false) == line)
    }

    @Test func `has a bar on a terminal, and counts bytes in their units`() {
        let progress = Progress("reading a\u{1B}b", isBytes: true)
        #expect(
            progress.line(1 << 20, 2 << 20, elapsed: 1, hasBar: true)
                == "reading a\\u{1B}b  ████████████░░░░░░░░░░░░ 50 %  1 s left  1.0 MiB of 2.0 MiB  1.0 MiB/s"
        )
    }

    @Test(arguments: [
        ("", 0), ("Ada", 3), ("Zoë", 3), ("Zoe\u{308}", 3), ("山田太郎", 8), ("한글", 4), ("ｶﾅ", 2), ("👍🏽", 2),
        ("a—b", 3),
    ])
    func `takes as many columns as a terminal gives it`(text: String, count: Int) {
        #expect(Terminal.columns(text) == count)
        #expect(Terminal.padded(text, to: 10).hasSuffix(String(repeating: " ", count: 10 - count)))
    }
}
