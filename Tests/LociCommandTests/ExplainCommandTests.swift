import Foundation
import FoundationXML
import Testing

@testable import loci

private func json(_ text: String) throws -> JSONValue { try JSONParser.parse(text) }

@Suite struct `The command, asked how it found` {
    /// A conversation in a session.
    private func fill(_ shell: Shell) throws {
        for (number, text) in [
            "Where is the <harbour> office & mill?", "Behind the old mill, to the left.", "Soup again.",
            "We sailed to the island in May 2025.", "The harbour was closed.",
        ].enumerated() {
            try shell.loci(
                "remember", text, "--actor", number % 2 == 0 ? "Ada" : "Zeno", "--thread", "t", "--happened",
                "2025-05-0\(number + 1)", "-n", "project/atlas/session/s")
        }
    }

    @Test(arguments: ["project/atlas", "project/atlas=0.5"])
    func `adds up to the score, channel by channel and edge by edge`(namespace: String) throws {
        try Shell.run { shell in
            try fill(shell)
            let answer = try json(
                shell.loci(
                    "explain", "What did Zeno say of the harbour in May 2025?", "-n", namespace, "--json"
                ).output)
            let home = try #require(answer["homes"]?.array?.first)
            #expect(home["passages"]?.number == 5 && home["eligible"]?.number == 5)
            #expect(home["actors"] == ["Zeno"] && home["times"]?.array?.count == 1)
            #expect(home["words"]?.array?.contains { $0["word"]?.string == "harbour" } ?? false)
            let channels = try #require(home["channels"]?.array)
            #expect(channels.count == 2)
            #expect(channels[0]["name"]?.string == "words")
            let hits = try #require(answer["hits"]?.array)
            #expect(hits.count >= 4)
            for hit in hits {
                let id = try #require(hit["memory"]?["id"]?.string)
                let scores = try #require(home["scores"]?[id]?.array)
                let factor = try #require(home["factors"]?[id]?.number)
                var sum = 0.0
                for (channel, score) in zip(channels, scores) {
                    let (share, normalized) = (channel["share"]?.number, score["normalized"]?.number)
                    sum += try #require(share) * (try #require(normalized)) * factor
                    let (raw, mean, deviation) = (
                        try #require(score["raw"]?.number), try #require(channel["mean"]?.number),
                        try #require(channel["deviation"]?.number)
                    )
                    #expect(abs((raw - mean) / deviation - (normalized ?? 0)) < 1e-3)
                }
                for step in try #require(hit["path"]?.array)
                where !["words", "vectors"].contains(step["by"]?.string) {
                    sum += try #require(step["adds"]?.number)
                }
                let score = try #require(hit["score"]?.number)
                #expect(abs(sum - score) < 1e-3, "\(sum) \(score)")
            }
        }
    }

    @Test func `says it to a person, and draws it`() throws {
        try Shell.run { shell in
            try fill(shell)
            let answer = try shell.loci(
                "explain", "What did Zeno say of the harbour in May 2025?", "--svg", "walk.svg", "--limit",
                "4")
            #expect(answer.status == 0, "\(answer.errors)")
            for text in [
                "5 passages, 5 may be hits", "names      Zeno", "time       2025-05-01…2025-05-31",
                "by words ",
                "weights    reply 0.60", "deviations above the mean", "replies to ", "by Zeno",
            ] { #expect(answer.output.contains(text), "\(text): \(answer.output)") }
            let picture = try String(contentsOfFile: shell.folder + "/walk.svg", encoding: .utf8)
            #expect(picture.hasPrefix("<svg ") && picture.hasSuffix("</svg>\n"))
            #expect(picture.contains("&lt;harbour&gt; office &amp; mill") && picture.contains("reply "))
            let alone = try shell.loci(
                "explain", "What did Zeno say of the harbour in May 2025?", "--svg", "-", "--limit", "4")
            #expect(
                alone.output.trimmingCharacters(in: .newlines) == picture.trimmingCharacters(in: .newlines))
            #expect(try shell.loci("explain", "x", "--svg", "-", "--json").status == ExitStatus.usage)
            let refused = try shell.run(["explain", "x", "--svg", shell.folder + "/no/such/walk.svg"])
            #expect(refused.status != 0 && refused.errors.contains("cannot be written"), "\(refused.errors)")
            // An XML parser reads each picture to its end: of nothing, of what is below the mean alone, of odd signs.
            try shell.remember("odd \u{FFFE}\u{FFFF}\u{1B}[1m ]]> \" ' of the harbour")
            for arguments in [
                ["x", "--kind", "none"], ["???", "--vectors-only"], ["odd \u{FFFF} harbour"],
                ["harbour", "-n", "project/atlas=0.5", "--limit", "100"],
            ] {
                let drawn = try shell.run(["explain"] + arguments + ["--svg", shell.folder + "/odd.svg"])
                #expect(drawn.status == 0, "\(drawn.errors)")
                let data = try Data(contentsOf: URL(fileURLWithPath: shell.folder + "/odd.svg"))
                #expect(XMLParser(data: data).parse(), "\(arguments)")
                #expect(!String(decoding: data, as: UTF8.self).contains("nan"))
            }
        }
    }
}

@Suite struct `The command, asked to fit its weights` {
    /// What answers stands in the text, and what does not in eleven titles, which the defaults take for more.
    @Test func `keeps what is better for questions that were not fitted, and takes it back`() throws {
        try Shell.run { shell in
            var memories = ""
            var questions = ""
            for number in 0..<10 {
                memories +=
                    #"{"key":"a\#(number)","content":"word\#(number) length length word\#(number)"}"# + "\n"
                for other in 0..<11 {
                    let content = #"Word\#(number) at length\n\nIt is told elsewhere, by \#(other) others."#
                    memories += #"{"content":"\#(content)"}"# + "\n"
                }
                questions +=
                    #"{"text":"word\#(number) length","evidence":["a\#(number)"],"asked_at":"2026-01-01"}"#
                    + "\n"
            }
            try shell.write(memories, to: "memories.jsonl")
            try shell.write(questions, to: "questions.jsonl")
            #expect(try shell.loci("import", "memories.jsonl", "--embedder", "none").status == 0)
            let first = ["recall", "word7 length", "--embedder", "none", "--limit", "1"]
            #expect(try shell.run(first).output.contains("Word7 at length"))
            #expect(
                try shell.loci("tune", "recall").output.hasPrefix(
                    "project/atlas: the defaults\n  reply      0.6\n"))

            let fitted = try shell.loci(
                "tune", "recall", "questions.jsonl", "--apply", "--embedder", "none", "--json")
            #expect(fitted.status == 0, "\(fitted.errors)")
            let result = try json(fitted.output)
            #expect(result["questions"]?.number == 10 && result["isBetter"]?.bool == true)
            #expect(result["isKept"]?.bool == true)
            #expect(result["before"]?["recall"]?.number == 0 && result["heldOut"]?["recall"]?.number == 1)
            #expect(try shell.loci("tune", "recall").output.hasPrefix("project/atlas: weights of its own\n"))
            #expect(try shell.run(first).output.contains("word7 length length"))
            // A weight that is named counts in the place of the home's, and of no other.
            let named = try json(
                shell.run(["explain"] + first.dropFirst() + ["--weight", "reply=0.25", "--json"]).output)
            let weights = try #require(named["homes"]?.array?.first?["weights"])
            #expect(weights["reply"]?.number == 0.25)
            #expect(weights["titles"] == result["weights"]?["titles"])
            #expect(
                try shell.loci("tune", "recall", "--reset").output.hasPrefix("project/atlas: the defaults\n"))
            #expect(try shell.run(first).output.contains("Word7 at length"))
        }
    }

    @Test(arguments: [
        ("x", "no JSON"), (#"{"text":"x"}"#, "evidence"), (#"{"text":"x","evidence":[]}"#, "evidence"),
        (#"{"text":"x","evidence":[7]}"#, "a number"), (#"{"text":"x","evidence":["nobody"]}"#, "nobody"),
        (#"{"text":"x","evidence":["k"],"asked_at":"soon"}"#, "asked_at"),
        (#"{"text":"x","evidence":["k"],"askedAt":"2026-01-01"}"#, "askedAt"),
        (#"{"text":"x","evidence":["k"],"until":"2001-01-01"}"#, "until"),
        (#"{"text":"x","evidence":["k"]}"#, "1 questions"),
    ])
    func `says which line of the questions is wrong`(_ line: String, _ message: String) throws {
        try Shell.run { shell in
            try shell.loci("remember", "text", "--key", "k")
            try shell.write("\n" + line + "\n", to: "questions.jsonl")
            let answer = try shell.run(["tune", "recall", shell.folder + "/questions.jsonl"])
            #expect(answer.status != 0 && answer.errors.contains(message), "\(answer.errors)")
            #expect(answer.errors.contains("questions.jsonl"))
            if !message.hasSuffix("questions") {
                #expect(answer.errors.contains("line 2"), "\(answer.errors)")
            }
        }
    }

    @Test func `refuses flags that do not go together`() throws {
        try Shell.run { shell in
            for wrong in [["--apply"], ["x", "--reset"]] {
                let answer = try shell.run(["tune", "recall"] + wrong)
                #expect(answer.status == 64)
            }
        }
    }
}
