import Foundation
import TestSupport
import Testing

@testable import MemoryEngine
@testable import loci

private func json(_ text: String) throws -> JSONValue { try JSONParser.parse(text) }

@Suite struct `The command` {
    @Test func `remembers and recalls`() throws {
        try Shell.run { shell in
            let remembered = try shell.loci("remember", "The deploy failed: its token had expired.", "--json")
            #expect(remembered.status == 0)
            let id = try #require(json(remembered.output)["id"]?.string)
            try shell.loci(
                "remember", "-", "--tag", "style", input: Array("Ada likes short messages.\n".utf8))

            let recall = try json(shell.loci("recall", "Why did the deploy fail?", "--json").output)
            let hits = try #require(recall["hits"]?.array)
            #expect(hits.first?["memory"]?["id"]?.string == id)
            for hit in hits {
                let parts = try #require(hit["parts"])
                let score = hit["score"]?.number ?? .nan
                let sum = Hit.ScoreParts.names.reduce(0) { $0 + (parts[$1.name]?.number ?? .nan) }
                #expect(abs(sum - score) < 1e-6)
                let steps = try #require(hit["path"]?.array)
                #expect(abs(steps.reduce(0) { $0 + ($1["adds"]?.number ?? .nan) } - score) < 1e-6)
            }
            let filtered = try json(
                shell.loci("recall", "messages", "--filter", "tag:style && !kind:event", "--json").output)
            #expect(filtered["hits"]?.array?.count == 1)
            #expect(try shell.loci("recall", "deploy", "--words-only").output.contains("token had expired"))
        }
    }

    @Test func `tells the path of a hit in words, and takes intent, order and weights`() throws {
        try Shell.run { shell in
            @discardableResult func say(_ text: String, _ actor: String, _ time: String) throws -> String {
                let said = try shell.loci(
                    "remember", text, "--actor", actor, "--thread", "t", "--happened", time, "--json")
                return try #require(json(said.output)["id"]?.string)
            }
            let question = try say("Where is the harbour office?", "Ada", "2025-05-07")
            try say("Behind the old mill, to the left.", "Zeno", "2025-05-07")
            for number in 0..<8 {
                try say("Lunch number \(number) was soup.", "Zeno", "2025-06-0\(number + 1)")
            }
            let asked = "What did Zeno say of the harbour in May 2025?"
            let output = try shell.loci("recall", asked).output
            #expect(output.contains("words #"), "\(output)")
            #expect(output.contains("replies to \(question) +"), "\(output)")
            #expect(output.contains("by Zeno +0."), "\(output)")
            #expect(output.contains("happened in 2025-05-01…2025-05-31 +1."), "\(output)")

            let plain = try json(
                shell.loci(
                    "recall", asked, "--weight", "calendar=0.5", "--weight", "reply=0", "--intent", "who",
                    "--order", "time", "--json"
                ).output)
            #expect(plain["intent"]?.string == "who")
            let hits = try #require(plain["hits"]?.array)
            let calendars = hits.compactMap { $0["parts"]?["calendar"]?.number }
            // Half a deviation as a home of 600 passages has it.
            #expect(try #require(calendars.max()) > 0.2 && calendars.max() ?? 0 < 0.5)
            let steps = hits.flatMap { $0["path"]?.array ?? [] }
            #expect(!steps.contains { $0["kind"]?.string == "repliesTo" })
            let times = hits.compactMap { $0["memory"]?["happenedAt"]?.string }
            #expect(times.count == hits.count)
            #expect(times == times.sorted())
            for wrong in [
                ["--weight", "reply"], ["--weight", "x=1"], ["--intent", "x"], ["--order", "x"],
            ] {
                #expect(try shell.run(["recall", asked] + wrong).status == 64)
            }
        }
    }

    @Test func `keeps versions under a key, and refuses a change of an old one`() throws {
        try Shell.run { shell in
            let first = try json(shell.loci("remember", "100 a minute", "--key", "limit", "--json").output)
            let id = try #require(first["id"]?.string)
            try shell.loci("remember", "200 a minute", "--key", "limit")
            #expect(try shell.loci("get", "--key", "limit").output.contains("200 a minute"))
            #expect(try shell.loci("get", id, "--version", "1").output.contains("100 a minute"))
            let conflict = try shell.loci("update", id, "300", "--expecting", "1", "--json")
            #expect(conflict.status == 1)
            #expect(try json(conflict.errors)["error"]?["code"]?.string == "conflict")
            #expect(try shell.loci("get", id, "--versions", "--json").lines.count == 2)
        }
    }

    @Test func `takes a key wherever it takes an id`() throws {
        try Shell.run { shell in
            for key in ["old", "new", "wrong", "draft"] {
                try shell.loci("remember", "what \(key) says", "--key", key, "-n", "project/atlas/session/s1")
            }
            let place = ["-n", "project/atlas/session/s1"]
            #expect(try shell.run(["get", "old"] + place).output.contains("what old says"))
            #expect(try shell.run(["update", "old", "--tag", "seen"] + place).output.contains("version 2"))
            #expect(try shell.run(["supersede", "old", "new"] + place).output.contains("superseded"))
            #expect(try shell.run(["retract", "wrong"] + place).output.contains("retracted"))
            #expect(try shell.run(["promote", "new", "--to", "project/atlas"] + place).status == 0)
            #expect(try shell.loci("get", "new", "-n", "project/atlas").output.contains("what new says"))
            // One of them is not there, so none is forgotten.
            #expect(try shell.run(["forget", "draft", "no-such-key"] + place).status == 2)
            #expect(try shell.run(["get", "draft"] + place).status == 0)
            #expect(try shell.run(["forget", "draft"] + place).output.contains("forgot 1 memory"))
            #expect(try shell.run(["get", "draft"] + place).status == 2)
        }
    }

    @Test func `tells a script what went wrong by its exit status`() throws {
        try Shell.run { shell in
            #expect(try shell.loci("list").status == 2, "there is no store")
            try shell.loci("remember", "something")
            #expect(try shell.loci("get", "019ab3f2-6c1e-7d30-9a0b-2f4be1c07d55").status == 2)
            #expect(try shell.loci("get", "no-such-key").status == 2)
            #expect(try shell.loci("get").status == 64)
            #expect(try shell.loci("list", environment: ["LOCI_STORE": ""]).status == 64)
            #expect(try shell.loci("forget", "--all").status == 64)
            #expect(try shell.loci("--help").status == 0)
            let refused = try shell.loci("remember", " ")
            #expect(refused.status == 1)
            #expect(refused.errors.hasPrefix("loci: ") && refused.errors.filter(\.isNewline).count == 1)
        }
    }

    @Test(arguments: [
        "project/../etc", "project//x", "/etc/passwd", "nowhere/x", "project/a/b",
        "project/" + String(repeating: "x", count: 129), "project/a=0.5", "project/a,project/b",
        "project/a\\b",
    ])
    func `refuses a namespace that is none`(path: String) throws {
        try Shell.run { (shell: Shell) throws in
            let answer = try shell.loci("remember", "text", "--namespace", path)
            #expect(answer.status == 64)
            #expect(answer.errors.contains("`"))
            let variable = try shell.loci("remember", "text", environment: ["LOCI_NAMESPACE": path])
            #expect(variable.status == 64)
        }
    }

    @Test func `lets nobody write to the collective`() throws {
        try Shell.run { shell in
            let answer = try shell.loci("remember", "text", "-n", "collective")
            #expect(answer.status == 1)
        }
    }

    @Test func `tells a name with an equals sign from a weight`() throws {
        try Shell.run { shell in
            try shell.loci("remember", "in the one", "-n", #"project/a\=0.5"#)
            try shell.loci("remember", "in the other", "-n", "project/a")
            #expect(try shell.loci("homes").output.contains(#"project/a\=0.5"#))
            #expect(try shell.loci("list", "-n", #"project/a\=0.5"#).output.contains("in the one"))
            #expect(try shell.loci("recall", "other", "-n", "project/a=0.5").output.contains("in the other"))
            let both = try shell.loci("recall", "in", "-n", #"project/a\=0.5=2"#, "-n", "project/a", "--json")
            #expect(try JSONParser.parse(both.output)["hits"]?.array?.count == 2)
        }
    }

    @Test func `refuses a namespace that is said twice`() throws {
        try Shell.run { shell in
            let twice = try shell.loci("remember", "text", "-n", "project/a", "-n", "project/b")
            #expect(twice.status == 64)
            #expect(twice.errors.contains("project/a") && twice.errors.contains("project/b"))
            #expect(try shell.loci("recall", "x", "-n", "project/a", "-n", "project/a=2").status == 64)
        }
    }

    @Test func `refuses text that is not UTF-8, and too much of it`() throws {
        try Shell.run { shell in
            let bytes = try shell.loci("remember", "-", input: [0x61, 0xFF])
            #expect(bytes.status == 1 && bytes.errors.contains("UTF-8"))
            let large = try shell.loci("remember", "-", input: [UInt8](repeating: 0x61, count: 17_000_000))
            #expect(large.status == 1 && large.errors.contains("16000000"))
        }
    }

    @Test func `colors nothing that is not a terminal`() throws {
        try Shell.run { shell in
            try shell.loci("remember", "plain\u{1B}[31m words")
            #expect(try !shell.loci("recall", "plain").output.contains("\u{1B}"))
            #expect(try !shell.loci("list").output.contains("\u{1B}"))
        }
    }

    @Test func `gives help with examples for every verb`() throws {
        for group in LociCommand.configuration.groupedSubcommands {
            for verb in group.subcommands {
                let name = verb.configuration.commandName ?? ""
                #expect(
                    !verb.configuration.abstract.isEmpty
                        && verb.configuration.discussion.contains("loci \(name)"))
            }
        }
    }
}

@Suite struct `An import` {
    @Test func `commits batch by batch, and again brings nothing twice`() throws {
        try Shell.run { shell in
            let lines = (1...25).map { "{\"content\":\"line \($0)\"}\n" }.joined()
            let path = try shell.write(lines, to: "lines.jsonl")
            let first = try shell.loci("import", path, "--json", "--batch", "10")
            #expect(try first.lines.map { try json($0)["committed"]?.integer } == [10, 20, 25])
            let second = try json(shell.loci("import", path, "--json").output)
            #expect(second["new"]?.integer == 0 && second["known"]?.integer == 25)
            #expect(try shell.loci("list", "--json").lines.count == 25)
        }
    }

    @Test func `keeps what was updated since`() throws {
        try Shell.run { shell in
            let path = try shell.write("{\"content\":\"as it came\"}\n", to: "one.jsonl")
            try shell.loci("import", path)
            let id = try #require(json(try shell.loci("list", "--json").output)["id"]?.string)
            try shell.loci("update", id, "as it was corrected")
            try shell.loci("import", path)
            #expect(try shell.loci("get", id).output.contains("as it was corrected"))
        }
    }

    @Test func `goes to the namespace of the line, and uses its vectors`() throws {
        try Shell.run { shell in
            let path = try shell.write(
                #"{"content":"a","namespace":"user/ada","vectors":{"tiny/3":[1,0,0]}}"#, to: "one.jsonl")
            try shell.loci("import", path, "--embedder", "none")
            let stats = try json(shell.loci("stats", "-n", "user/ada", "--json").output)
            #expect(stats["spaces"]?.array?.map { $0["space"]?.string } == ["tiny/3/cosine"])
        }
    }

    @Test(arguments: [
        "{\"content\":", "{\"content\":1}", "[]", "{\"content\":\" \"}",
        "{\"content\":\"x\",\"happenedAt\":\"0000\"}",
        "{\"content\":\"x\",\"vectors\":{\"s/2\":[0,0]}}", String(repeating: "[", count: 100),
        "{\"content\":\"x\",\"namespace\":\"@acme\"}", "{\"content\":\"x\",\"namespace\":\"collective\"}",
        "{\"content\":\"x\",\"importance\":NaN}", "{\"content\":\"x\",\"importance\":1e39}",
        "{\"content\":\"x\",\"attributes\":{\"n\":1e400}}", "{\"content\":\"x\",\"content\":\"y\"}",
        "{\"content\":\"\\ud800\"}",
        "{\"content\":\"x\",\"happenedAt\":\"10000-01-01\"}", "{\"content\":\"x\",\"happenedAt\":1e18}",
    ])
    func `refuses the whole for a bad line that it names, or leaves it out`(bad: String) throws {
        try Shell.run { shell in
            let path = try shell.write(
                "{\"content\":\"good\"}\n\(bad)\n{\"content\":\"too\"}\n", to: "bad.jsonl")
            let stopped = try shell.loci("import", path)
            #expect(stopped.status == 1 && stopped.errors.contains("line 2"), "\(stopped.errors)")
            #expect(stopped.errors.contains("--on-error skip leaves it out"), "\(stopped.errors)")
            #expect(try shell.loci("list", "--json").lines.isEmpty)
            let skipped = try shell.loci("import", path, "--on-error", "skip")
            #expect(skipped.status == 0 && skipped.errors.contains("line 2"))
            #expect(try shell.loci("list", "--json").lines.count == 2)
        }
    }

    @Test func `refuses a changelog or a note with the way out`() throws {
        try Shell.run { shell in
            try shell.write("atlas (1.0) unstable; urgency=low\n\n  * A.\n", to: "changelog")
            try shell.write("---\na: b\n---\nText.\n", to: "note.md")
            _ = try shell.bash("printf '\\377\\n' >> note.md")
            for name in ["changelog", "note.md"] {
                let stopped = try shell.loci("import", name)
                #expect(
                    stopped.status == 1 && stopped.errors.contains("--on-error skip leaves it out"),
                    "\(stopped.errors)")
                #expect(try shell.loci("import", name, "--on-error", "skip").status == 0)
            }
        }
    }

    @Test func `leaves out lines that are too deep or too long`() throws {
        try Shell.run { shell in
            let lines = [
                String(repeating: "[", count: 100_000),
                "{\"content\":\"\(String(repeating: "x", count: 16_000_001))\"}",
                "{\"content\":\"good\"}",
            ]
            let path = try shell.write(lines.joined(separator: "\n"), to: "large.jsonl")
            let answer = try shell.loci("import", path, "--on-error", "skip")
            #expect(answer.status == 0 && answer.output.hasPrefix("1 new, 0 known already, 2 left out"))
            #expect(answer.errors.contains("line 1: ") && answer.errors.contains("line 2: "))
        }
    }

    @Test func `brings an export back to the byte, also into a store that is not empty`() throws {
        try Shell.run { shell in
            let file = try shell.write("bytes of a file", to: "file.txt")
            try shell.loci(
                "remember", "first\nline", "--key", "k", "--attach", file, "--attribute", "n=0.1", "--actor",
                "ada",
                "--happened", "2026-11-23T09:30:00.123456Z", "--valid-from", "2026-01-01", "--tag", "t")
            try shell.loci("remember", "second", "--key", "k", "--principal", "bob")
            try shell.loci("remember", "in a session", "--namespace", "project/atlas/session/s1")
            let third = try json(shell.loci("remember", "wrong", "--json").output)
            try shell.loci("retract", third["id"]?.string ?? "")
            let export = try shell.loci("export").output
            let path = try shell.write(export, to: "export.jsonl")
            let other = ["LOCI_STORE": shell.folder + "/other"]
            #expect(try shell.loci("import", path, environment: other).status == 0)
            #expect(try shell.loci("export", environment: other).output == export)
            #expect(try shell.loci("import", path, environment: other).output.hasPrefix("0 new"))
            #expect(try shell.loci("export", environment: other).output == export)
            #expect(try shell.loci("check", environment: other).status == 0)
        }
    }
}

@Suite struct `The command, of versions` {
    @Test func `names those that there are, and says what will be retracted`() throws {
        try Shell.run { shell in
            let id = try #require(json(shell.loci("remember", "one", "--json").output)["id"]?.string)
            var answer = try shell.loci("get", id, "--version", "99")
            #expect(answer.status == 2 && answer.errors.contains("only version 1"))
            #expect(try shell.loci("update", id, "--tag", "a").output.contains("version 2"))
            #expect(try shell.loci("update", id, "--tag", "a").output.contains("known already"))
            answer = try shell.loci("get", id, "--version", "99")
            #expect(answer.status == 2 && answer.errors.contains("1, 2"))
            #expect(try shell.loci("retract", id, "--at", "2199-01-01").output.contains("valid until 2199"))
            #expect(try !shell.loci("get", id).output.contains("not current"))
            #expect(try shell.loci("retract", id).output.contains("retracted"))
            #expect(try shell.loci("get", id).output.contains("not current"))
        }
    }

    @Test func `embeds what has no vectors yet`() throws {
        try Shell.run { shell in
            try shell.loci("remember", "The deploy failed", "--embedder", "none")
            let done = try json(shell.loci("reembed", "--json").output)
            #expect(done["added"]?.number == 1)
            #expect(try json(shell.loci("reembed", "--json").output)["added"]?.number == 0)
            #expect(try shell.loci("stats").output.contains("vectors"))
            #expect(try shell.loci("reembed", "--embedder", "none").status == 64)

            // To another space, with the work told before it is done.
            let model = shell.folder + "/model"
            try TinyModel(seed: 1).write(to: model)
            let environment = ["LOCI_MODEL": model]
            let space = try #require(
                shell.loci("embed", "x", "--json", environment: environment).errors.isEmpty
                    ? shell.loci("spaces", "-n", "project/atlas", environment: environment).output : nil)
            #expect(space.contains("loci-hash"))
            try shell.loci("remember", "x", "-n", "project/other", environment: environment)
            let name = try #require(
                json(shell.loci("spaces", "--json", "-n", "project/other", environment: environment).output)[
                    "space"]?.string)
            let estimate = try json(
                shell.loci("reembed", "--into", name, "--estimate", "--json", environment: environment).output
            )
            #expect(estimate["passages"]?.number == 1 && estimate["bytes"]?.number == 17)
            #expect(estimate["dollars"]?.number == 0 && estimate["space"]?.string == name)
            let whole = try shell.loci("reembed", "--into", name, "--drop-old", environment: environment)
            #expect(
                whole.status == 0 && whole.output == "project/atlas: 1 vector added\n"
                    && whole.errors.contains("1 passage of 17 B to be embedded in \(name), in this process"),
                "\(whole)")
            let spaces = try shell.loci("spaces", environment: environment).output
            #expect(spaces.contains("\(name)  used") && !spaces.contains("loci-hash"), "\(spaces)")
            #expect(try shell.loci("reembed", "--drop-old").status == 64)
        }
    }
}

@Suite struct `Keeping a store well` {
    @Test func `is checked, compacted, copied and restored`() throws {
        try Shell.run { shell in
            try shell.loci("remember", "to be kept")
            let copy = shell.folder + "/copy.loci"
            for arguments in [["rebuild"], ["compact"], ["vacuum"], ["check"], ["dump"], ["homes"]] {
                #expect(try shell.loci(arguments[0]).status == 0, "\(arguments)")
            }
            #expect(try shell.loci("snapshot", copy).status == 0)
            let there = try shell.loci("restore", copy)
            #expect(there.status == 1 && there.errors.contains("--replace"), "\(there.errors)")
            #expect(try shell.loci("forget", "--all", "--yes").status == 0)
            #expect(try shell.loci("restore", copy).status == 0)
            #expect(try shell.loci("list").output.contains("to be kept"))
            #expect(try shell.loci("check", "--file", copy).status == 0)

            var bytes = try #require(FileManager.default.contents(atPath: copy))
            for index in 8_192..<bytes.count { bytes[index] ^= 0x5A }
            try bytes.write(to: URL(fileURLWithPath: copy))
            let check = try shell.loci("check", "--file", copy)
            #expect(check.status == 1 && check.output.contains("manifest"))
            let restore = try shell.loci("restore", copy, "--replace")
            #expect(restore.status == 1 && restore.errors.contains("SHA-256"))
            #expect(try shell.loci("restore", copy, "--as", "project/x/session/s").errors.contains("session"))
            #expect(!FileManager.default.fileExists(atPath: copy + "-lock"))
        }
    }
}

@Suite struct `Beside an answer in JSON` {
    @Test func `all that is said on standard error is JSON, an object a line`() throws {
        try Shell.run { shell in
            try shell.loci("remember", "one")
            try shell.loci("remember", "two")
            let page = try shell.loci("list", "--limit", "1", "--json")
            let note = try json(page.errors)
            #expect(note["note"]?.string?.hasPrefix("more: --after ") == true)
            let after = try #require(note["after"]?.string)
            #expect(try shell.loci("list", "--after", after, "--json").lines.count == 1)
            let path = try shell.write("{\"content\":1}\n{\"content\":\"x\"}\n", to: "bad.jsonl")
            let skipped = try shell.loci("import", path, "--on-error", "skip", "--json")
            #expect(try json(skipped.errors)["note"]?.string?.contains("line 1: ") == true)
        }
    }
}

@Suite struct `A filter expression` {
    @Test(arguments: [
        ("kind:fact", "kind:fact"), ("tag:a && tag:b || !actor:c", "(tag:a && tag:b) || (!(actor:c))"),
        ("!(pinned)", "! pinned"), ("tag:\"two words\"", "\"tag:two words\""), ("n=3", "(n=3)"),
    ])
    func `binds as it is written`(text: String, same: String) throws {
        #expect(try FilterExpression.parse(text) == FilterExpression.parse(same))
    }

    @Test(arguments: [
        ("actor:", Filter.actor(nil)), ("key:k", .key("k")), ("key^:k/", .keyHasPrefix("k/")),
        ("tag^:deploy/", .tagHasPrefix("deploy/")), ("keyword:token", .keyword("token")),
        ("source:log:81", .source("log:81")), ("source^:https://a", .sourceHasPrefix("https://a")),
        ("region^=eu-", .attributeHasPrefix("region", "eu-")),
        ("url=https://a", .attribute("url", "https://a")),
        ("size=5", .attribute("size", 5)), ("size=\"5\"", .attribute("size", "5")),
        ("done=\"true\"", .attribute("done", "true")), ("a=\"b c\"", .attribute("a", "b c")),
        ("a=\"\"", .attribute("a", "")), ("a^=\"b c\"", .attributeHasPrefix("a", "b c")),
        ("thread:a=\"b c\"", .thread("a=b c")), ("size>=\"5\"", .attributeBetween("size", 5 ... .infinity)),
        ("size>5", .attributeBetween("size", (5.0).nextUp ... .infinity)),
        ("size>=-5", .attributeBetween("size", -5 ... .infinity)),
        ("size<=1e3", .attributeBetween("size", -.infinity...1_000)),
        ("size<0.5", .attributeBetween("size", -.infinity...(0.5).nextDown)),
        ("media:image/", .mediaType("image/")), ("modality:video", .modality(.video)),
        ("attached", .hasAttachment),
        ("current", .isCurrent), ("expiring", .expires(.distantPast ..< .distantFuture)),
        ("since:2026-01-02", .happened(Timestamp("2026-01-02")! ..< .distantFuture)),
        ("valid-before:2026-01-02", .valid(.distantPast..<Timestamp("2026-01-02")!)),
        ("recorded-since:2026-01-02", .recorded(Timestamp("2026-01-02")! ..< .distantFuture)),
        (
            "vector:org/m@1/3/l2",
            .hasVector(EmbeddingSpace(model: "org/m", revision: "1", dimension: 3, metric: .l2))
        ),
    ])
    func `has a condition for everything that a filter can say`(text: String, filter: Filter) throws {
        #expect(try FilterExpression.parse(text) == filter)
    }

    @Test func `tells a text from a number by its quotes`() throws {
        try Shell.run { shell in
            try shell.write(
                #"{"content":"text","attributes":{"g":"5"}}"# + "\n"
                    + #"{"content":"number","attributes":{"g":5}}"# + "\n", to: "g.jsonl")
            #expect(try shell.loci("import", "g.jsonl").status == 0)
            for option in ["--filter", "--attribute"] {
                let text = try shell.loci("list", "--json", option, "g=\"5\"").output
                #expect(text.contains("\"text\"") && !text.contains("\"number\""))
                let number = try shell.loci("list", "--json", option, "g=5").output
                #expect(number.contains("\"number\"") && !number.contains("\"text\""))
            }
        }
    }

    @Test func `is taught by the help`() throws {
        try Shell.run { shell in
            let help = try shell.loci("list", "--help").output
            for word in ["since:", "expires-", "key^:", "modality:", "attached", "NAME>=5"] {
                #expect(help.contains(word), "\(word)")
            }
        }
    }

    @Test(arguments: [
        "", "(", "id:x", "size>", "size>x", "a^b", ">5", "=5", "^=x", "until-since:2026", "since:soon",
        "modality:smell", "kind^:a", "tag:a &&", "nonsense", "tag:a tag:b", "\"open", "trust:much", "!",
        "kind:", "tag:", "tag^:", "by:", "has:", "region^=", "kind:\" \"", "id:",
    ])
    func `is refused where it is none`(text: String) {
        #expect(throws: (any Error).self) { try FilterExpression.parse(text) }
    }
}

@Suite struct `A vector in an export` {
    @Test func `comes back to the bit`() {
        let vector: [Float] = [0, -0.0, 1, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 0.1]
        let back = ExportLine.vector(base64: ExportLine.base64(vector))
        #expect(back?.map(\.bitPattern) == vector.map(\.bitPattern))
        #expect(ExportLine.vector(base64: "AAA=") == nil)
    }
}
