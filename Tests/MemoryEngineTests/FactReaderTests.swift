import TestSupport
import Testing

@testable import MemoryEngine

@Suite struct `Facts of a text` {
    private func facts(_ text: String, by actor: String? = nil) -> [StatedFact] {
        FactReader.facts(in: Array(text.utf8).span, actor: actor).facts
    }

    /// A fact in a line: subject, relation, value, what it denies and where.
    private func lines(_ text: String, by actor: String? = nil) -> [String] {
        facts(text, by: actor).filter { !$0.relations[0].hasPrefix("verb") }.map { fact in
            "\(fact.subject) | \(fact.relations[0]) | \(fact.isDenied ? "not " : "")\(fact.value.text)"
                + (fact.context.isEmpty ? "" : " (\(fact.context))")
                + (fact.former.map { " < \($0.text)" } ?? "")
        }
    }

    @Test(arguments: [
        ("The port of the staging server is 8080.", "staging server port | is | 8080"),
        ("The staging server's port is 8080.", "staging server port | is | 8080"),
        ("Ada Lovelace lives in London.", "ada lovelace | lives | london"),
        ("The timeout was raised from 5 seconds to one minute.", "timeout | is | 1 minute < 5 seconds"),
        ("The parser is maintained by Donald Knuth.", "parser maintainer | is | donald knuth"),
        ("Donald Knuth maintains the parser.", "parser maintainer | is | donald knuth"),
        ("Katherine Johnson is the team lead.", "team lead | is | katherine johnson"),
        ("The library was renamed to Borealis.", "library | called | borealis"),
        ("The app no longer runs on Windows.", "app | runs on | not windows"),
        ("In production, the log level is debug.", "log level | is | debug (in production)"),
        ("The timeout is 1,500 ms.", "timeout | is | 1,500 ms"),
        ("The budget is 1,250,000 euros.", "budget | is | 1,250,000 euros"),
        ("The log level is debug in production.", "log level | is | debug (in production)"),
    ])
    func `are subject, relation and value`(text: String, line: String) {
        #expect(lines(text).contains(line), "\(lines(text))")
    }

    @Test func `are those of the actor where a text says I`() {
        #expect(lines("I moved to Cambridge.", by: "Alan Turing") == ["alan turing | at | cambridge"])
        #expect(
            lines("My favourite colour is blue.", by: "Marie Curie") == [
                "marie curie favourite colour | is | blue"
            ])
        #expect(lines("My favourite colour is blue.") == ["i favourite colour | is | blue"])
    }

    @Test(arguments: [
        "Is the port 8080?", "If the port is 8080, it works.", "The port might be 8080.",
        "Grace said the port is 8080.", "\"The port is 8080 and nothing else\", it says.",
        "> The port is 8080.",
        "He lives in Paris.", "Each worker has 4 threads.", "The port was 8080.", "The port is about 8080.",
        "We plan to move the office to Bremen.", "The colours are red, blue and green.", "Der Port ist 8080.",
        "", "?!",
    ])
    func `are not read where nothing is stated`(text: String) {
        #expect(lines(text).isEmpty, "\(lines(text))")
    }

    @Test func `lie where they are said`() throws {
        let text = "Hey! I moved to Köln last week, and it rained."
        let fact = try #require(facts(text, by: "Ada Lovelace").first)
        let bytes = Array(text.utf8)[fact.range]
        #expect(String(decoding: bytes, as: UTF8.self) == "I moved to Köln last week")
        #expect(fact.isChange && !fact.isWhole)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `are read from any bytes`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let words = [
            "the", "is", "from", "to", "no", "longer", "'s", "I", "of", "was", "moved", "as", "since", ".",
            ",", "\"", "(", "has",
            "instead", "replaced", "with", "8080", "ü", "\n", "not", "quit", "used", "any", "more", "\u{FF}",
            "my", "now",
        ]
        for _ in 0..<200 {
            var bytes: [UInt8] = []
            for _ in 0..<Int(random.next() % 14) {
                bytes += Array(words[Int(random.next() % UInt64(words.count))].utf8)
                if random.next() % 4 != 0 { bytes.append(0x20) }
                if random.next() % 16 == 0 { bytes.append(UInt8(truncatingIfNeeded: random.next())) }
            }
            for fact in FactReader.facts(in: bytes.span, actor: nil).facts {
                #expect(!fact.subject.isEmpty && fact.range.upperBound <= bytes.count && !fact.range.isEmpty)
            }
        }
    }

    @Test(arguments: [
        ("60 seconds", "one minute"), ("1 GB", "1024 MB"), ("7 pm", "19:00"), ("Berlin", "Berlin Mitte"),
        ("19 June", "June 19"),
        ("Postgres", "PostgreSQL"), ("NYC", "New York City"), ("12 May", "Friday"), ("4 degrees", "4 euros"),
        ("Spain", "Madrid"),
        ("$20", "20 dollars"), ("version 2", "2"),
    ])
    func `have values that go together`(one: String, other: String) throws {
        let (a, b) = (try value(one), try value(other))
        #expect(!a.excludes(b) && !b.excludes(a))
    }

    @Test(arguments: [
        ("60 seconds", "two minutes"), ("7 pm", "7 am"), ("Berlin", "Bremen"), ("19 June", "20 June"),
        ("Tuesday", "Thursday"),
        ("Spain", "Portugal"), ("locked", "unlocked"), ("8080", "9090"), ("10.0.0.1", "10.0.0.2"),
        ("room 204", "room 310"),
    ])
    func `have values that exclude each other`(one: String, other: String) throws {
        let (a, b) = (try value(one), try value(other))
        #expect(a.excludes(b) && b.excludes(a))
    }

    private func value(_ text: String) throws -> FactValue {
        let tokens = FactText.sentences(of: Array(text.utf8).span).flatMap { $0.words }
        return try #require(FactValue(tokens[...]))
    }
}
