import Testing

@testable import MemoryEngine
@testable import loci

private func json(_ text: String) throws -> JSONValue { try JSONParser.parse(text) }

@Suite struct `The command, along edges` {
    @Test func `links, shows what is linked, and takes it back`() throws {
        try Shell.run { shell in
            let failure = try shell.remember("Deploy 81 failed.")
            let token = try shell.remember("The token had expired.")
            try shell.loci("remember", "The clock was wrong.", "--key", "clock")
            let linked = try shell.loci(
                "link", failure, token, "--as", "causedBy", "--weight", "0.5", "--evidence",
                "\(failure)@1#0-9",
                "--json")
            #expect(linked.status == 0, "\(linked.errors)")
            let edge = try #require(json(linked.output)["id"]?.string)
            #expect(try shell.loci("link", token, "clock", "--as", "causal/blamedOn").status == 0)

            let neighbors = try shell.loci("neighbors", failure, "--graph", "causal", "--depth", "2").output
            #expect(
                neighbors.contains("The token had expired.") && neighbors.contains("The clock was wrong."))
            #expect(neighbors.contains("—causedBy→ 0.50"), "\(neighbors)")
            let path = try json(shell.loci("path", failure, "clock", "--json").output)
            #expect(path.array?.map { $0["kind"]?.string } == ["causedBy", "blamedOn"])

            let why = try shell.loci("why", "Deploy 81 failed")
            #expect(
                why.status == 0 && why.output.contains("because of (causedBy, given, confidence 0.50)"),
                "\(why.output)")
            #expect(why.output.contains("“Deploy 81”"))
            let effects = try json(shell.loci("why", "--memory", "clock", "--effects", "--json").output)
            #expect(effects["links"]?.array?.count == 2)

            #expect(try shell.loci("unlink", edge).status == 0)
            #expect(try shell.loci("why", "--memory", failure).status == ExitStatus.notFound)
            #expect(try shell.loci("unlink", edge).status == ExitStatus.failure)
            #expect(
                try shell.loci("path", failure, "clock", "--graph", "causal").status == ExitStatus.notFound)
        }
    }

    @Test func `shows each cause under its own effect, and once with its own causes`() throws {
        try Shell.run { shell in
            for key in ["outage", "disk", "alarm", "logs", "cron"] {
                try shell.loci("remember", "Of \(key).", "--key", key)
            }
            for (effect, cause) in [
                ("outage", "disk"), ("outage", "alarm"), ("disk", "logs"), ("alarm", "logs"),
                ("logs", "cron"),
            ] { try shell.loci("link", effect, cause, "--as", "causedBy") }
            let lines = try shell.loci("why", "--memory", "outage").lines.filter {
                !$0.contains("because of")
            }
            let tree = lines.map { line in
                String(repeating: ">", count: line.prefix { $0 == " " }.count / 2)
                    + (line.split(separator: " ").last ?? "")
            }
            #expect(
                tree == [
                    "outage.", ">disk.", ">>logs.", ">>>cron.", ">alarm.", ">>logs.", ">>>above",
                ], "\(lines)")
        }
    }

    @Test func `shows edges that follow from words, with the rule`() throws {
        try Shell.run { shell in
            try shell.loci("remember", "Parse it again. Closes: #1234", "--key", "fix", "--actor", "Ada")
            let output = try shell.loci("neighbors", "fix").output
            #expect(output.contains("#1234") && output.contains("(says that it fixes it)"), "\(output)")
            let why = try shell.loci("why", "Why was it parsed again?").output
            #expect(why.contains("because of (fixes, it says that it fixes it"), "\(why)")
        }
    }

    @Test func `exports given edges, and imports them exactly`() throws {
        try Shell.run { shell in
            let failure = try shell.remember("Deploy 81 failed. Closes: #1234")
            let token = try shell.remember("The token had expired.")
            try shell.loci(
                "link", failure, token, "--as", "causedBy", "--weight", "0.5", "--evidence",
                "\(failure)@1#0-9")
            let edge = try json(
                shell.loci("link", token, failure, "--as", "causal/blamedOn", "--json").output)
            try shell.loci("unlink", try #require(edge["id"]?.string))
            let exported = try shell.loci("export").output
            #expect(exported.split(separator: "\n").filter { $0.contains("\"edge\"") }.count == 2)
            try shell.write(exported, to: "all.jsonl")
            let there = ["--store", shell.folder + "/other"]
            func other(_ line: String) throws -> Shell.Answer {
                try shell.bash("loci \(line) \(there.joined(separator: " "))")
            }
            let imported = try other("import all.jsonl")
            #expect(
                imported.status == 0 && imported.output.contains("4 new"),
                "\(imported.output) \(imported.errors)")
            #expect(try other("export").output == exported)
            #expect(try other("import all.jsonl").output.contains("0 new"))
            #expect(try other("why --memory \(failure)").output.contains("The token had expired."))
            #expect(try other("check").status == 0)
            // An edge whose end is not there is refused, with its line, and nothing is stored before it.
            let lines = exported.split(separator: "\n").map(String.init)
            let dangling = lines.filter { !$0.contains("The token had expired.") }
            try shell.write(dangling.joined(separator: "\n") + "\n", to: "half.jsonl")
            let half = try shell.bash("loci import half.jsonl --store \(shell.folder)/half")
            #expect(half.status == 1 && half.output.isEmpty, "\(half.output)")
            #expect(
                half.errors.contains("half.jsonl: line 2: there is no memory \(token) in project/atlas")
                    && half.errors.contains("nothing was imported; --on-error skip"), "\(half.errors)")
            #expect(try shell.bash("loci homes --store \(shell.folder)/half").output.isEmpty)
            // From a pipe, which is read once, with its line too.
            let piped = try shell.bash("cat half.jsonl | loci import - --store \(shell.folder)/piped")
            #expect(
                piped.status == 1 && piped.errors.contains("-: line 2: there is no memory"), "\(piped.errors)"
            )
            // What is in the store, or in a file before, is there.
            let last = lines.filter { $0.contains("The token had expired.") }
            try shell.write(last.joined() + "\n", to: "token.jsonl")
            #expect(
                try shell.bash("loci import token.jsonl half.jsonl --store \(shell.folder)/two").output
                    .hasPrefix("4 new"))
            #expect(try shell.bash("loci import token.jsonl --store \(shell.folder)/three").status == 0)
            #expect(try shell.bash("loci import half.jsonl --store \(shell.folder)/three").status == 0)
            let edges = exported.split(separator: "\n").filter { $0.contains("\"edge\"") }.joined(
                separator: "\n")
            try shell.write(edges + "\n", to: "edges.jsonl")
            _ = try shell.bash("loci remember First --store \(shell.folder)/third")
            let refused = try shell.bash(
                "loci import edges.jsonl --on-error skip --store \(shell.folder)/third")
            #expect(refused.errors.contains("line 1: there is no memory"), "\(refused.errors)")
        }
    }

    @Test func `shows every edge between two memories, and those of a memory with itself`() throws {
        try Shell.run { shell in
            let one = try shell.remember("One came of two.")
            let two = try shell.remember("Two came first.")
            func link(
                _ from: String, _ to: String, _ kind: String, since: String = "2020-01-01"
            ) throws -> String {
                let answer = try shell.loci("link", from, to, "--as", kind, "--valid-from", since, "--json")
                return try #require(json(answer.output)["id"]?.string)
            }
            let edges = try [
                link(one, two, "causedBy"), link(one, two, "causal/blockedBy"), link(two, one, "refersTo"),
                link(one, two, "causedBy", since: "2021-01-01"), link(one, one, "causal/repeats"),
            ]
            // What was said before is known.
            #expect(try link(one, two, "causedBy") == edges[0])
            let shown = try shell.loci("neighbors", one).output
            for edge in edges {
                #expect(shown.components(separatedBy: "edge \(edge)").count == 2, "\(edge)\n\(shown)")
            }
            let lines = try shell.loci("neighbors", one, "--json").lines.map { try json($0) }
            #expect(lines.map { $0["memory"]?["id"]?.string } == [one, two])
            #expect(lines.map { $0["edges"]?.array?.count } == [1, 4])
            let causal = try shell.loci("neighbors", one, "--graph", "causal", "--direction", "out", "--json")
            #expect(try causal.lines.map { try json($0)["edges"]?.array?.count } == [1, 3])
            for edge in edges { #expect(try shell.loci("unlink", edge).status == 0) }
            #expect(try shell.loci("neighbors", one).output.isEmpty)
        }
    }

    @Test func `dumps edges in words`() throws {
        try Shell.run { shell in
            let one = try shell.remember("One came of two, says Ada Lovelace.")
            let two = try shell.remember("Two came first.")
            let linked = try shell.loci(
                "link", one, two, "--as", "causal/blockedBy", "--weight", "0.5", "--evidence",
                "\(one)@1#0-3", "--valid-from", "2026-03-01", "--principal", "ada")
            let edge = try #require(linked.lines.first)
            _ = try shell.loci("rebuild")
            let lines = try shell.loci("dump").lines.map { String($0.drop { $0 == " " }) }
            let record = try #require(lines.first { $0.hasPrefix("edge 1: ") })
            for words in [
                " blockedBy row ", "id \(edge)", "weight 0.5", "recorded 2", "true from 2026-03-01T00:00:00Z",
                "given by ada", "evidence \(one)@1#0-3",
            ] { #expect(record.contains(words), "\(words): \(record)") }
            #expect(lines.contains { $0.hasPrefix("way of edge 1: row ") && $0.contains("—blockedBy→") })
            #expect(lines.contains { $0.hasPrefix("way of edge 1: row ") && $0.contains("←blockedBy—") })
            #expect(lines.contains("id \(edge) is edge 1"))
            #expect(lines.contains { $0.hasPrefix("edgeKind 1000: blockedBy in the causal graph") })
            #expect(
                lines.contains { $0.hasPrefix("derived: row ") && $0.contains("it names it in version 1") })
            #expect(lines.contains { $0.hasPrefix("header: project/atlas, format ") })
            #expect(lines.contains { $0.hasPrefix("name kind `note`: number ") })
            #expect(lines.contains { $0.hasPrefix("memoryByTime 2") && $0.contains("Z: row ") })
            #expect(!lines.contains { $0.contains("of no known form") })
        }
    }

    @Test func `reads an export through, with its versions and edges, before it stores anything`() throws {
        try Shell.run { shell in
            let failure = try shell.remember("Deploy 81 failed.")
            let token = try shell.remember("The token had expired.")
            try shell.loci("link", failure, token, "--as", "causedBy")
            let exported = try shell.loci("export").output
            for (bad, words) in [
                (exported.replacing(#""weight":1"#, with: #""weight":7"#), "line 3: edge "),
                (
                    exported.replacing(
                        "\"id\":\"\(token)\"", with: "\"id\":\"\(failure)\"", maxReplacements: 1
                    ).replacing(#""version":1,"#, with: #""version":4294967295,"#), "line 1: memory "
                ),
            ] {
                try #require(bad != exported)
                try shell.write(bad, to: "bad.jsonl")
                let answer = try shell.bash("loci import bad.jsonl --batch 1 --store \(shell.folder)/other")
                #expect(
                    answer.status == 1 && answer.errors.contains("bad.jsonl: " + words), "\(answer.errors)")
                #expect(answer.errors.contains("nothing was imported"))
                #expect(try shell.bash("loci homes --store \(shell.folder)/other").output.isEmpty)
            }
        }
    }

    @Test func `shows what a citation names`() throws {
        try Shell.run { shell in
            let id = try shell.remember("Deploy 81 failed: größer\nthan before.")
            try shell.loci("update", id, "All is well.")
            #expect(try shell.loci("get", "\(id)@1#0-9").output == "Deploy 81\n")
            #expect(
                try shell.loci("get", "\(id)@1").output.contains("Deploy 81 failed: größer\nthan before."))
            #expect(try shell.loci("get", "\(id)@1").output.hasPrefix("\(id)@1  (not current)"))
            let part = try json(shell.loci("get", "\(id)@1#18-26", "--json").output)
            #expect(
                part == [
                    "id": .string(id), "version": 1, "from": 18, "to": 26, "text": "größer",
                ])
            #expect(try json(shell.loci("get", "\(id)@2", "--json").output)["version"]?.integer == 2)
            for place in ["@1#0-99", "@3#0-1", "@3"] {
                let answer = try shell.loci("get", id + place)
                #expect(answer.status == ExitStatus.notFound && answer.output.isEmpty, "\(answer.errors)")
            }
            let cited = try json(shell.loci("context", "What is well?", "--json").output)
            let citation = try #require(cited["entries"]?.array?.first?["citation"]?.string)
            #expect(try shell.loci("get", citation).output == "All is well.\n")
        }
    }

    @Test func `finds evidence that does not stand where it is cited missing, whatever part of it`() throws {
        try Shell.run { shell in
            let one = try shell.remember("One.")
            let other = String(one.dropLast(4)) + "0000"
            for place in ["\(one)@1#0-99", "\(one)@9#0-1", "\(other)@1#0-1"] {
                let answer = try shell.loci("link", one, one, "--as", "causedBy", "--evidence", place)
                #expect(answer.status == ExitStatus.notFound, "\(place): \(answer.errors)")
            }
        }
    }

    @Test func `refuses what cannot be linked, and names the way out`() throws {
        try Shell.run { shell in
            let one = try shell.remember("One.")
            for (arguments, status, words) in [
                (["link", one, "nowhere", "--as", "causedBy"], ExitStatus.notFound, "no key of a memory"),
                (["link", one, one, "--as", "next"], ExitStatus.failure, "threads"),
                (["link", one, one, "--as", "nonsense"], ExitStatus.usage, "GRAPH/NAME"),
                (["link", one, one, "--as", "causedBy", "--weight", "0"], ExitStatus.usage, "above 0"),
                (["neighbors", one, "--graph", "social"], ExitStatus.usage, "semantic"),
                (["why"], ExitStatus.usage, "--memory"),
                (["context", "x", "--tokens", "0"], ExitStatus.usage, "1,000,000"),
            ] {
                let answer = try shell.bash(("loci " + arguments.map { "'\($0)'" }.joined(separator: " ")))
                #expect(answer.status == status, "\(arguments) \(answer.errors)")
                #expect(answer.errors.contains(words), "\(arguments) \(answer.errors)")
            }
        }
    }

    @Test func `gathers a context that stays within its budget`() throws {
        try Shell.run { shell in
            let notes = (0..<30).map { number in
                "{\"content\":\"Note \(number): the harbour crane lifts \(number) tons of rope.\"}\n"
            }
            try shell.write(notes.joined(), to: "notes.jsonl")
            #expect(try shell.loci("import", "notes.jsonl").status == 0)
            let pack = try json(
                shell.loci("context", "What does the harbour crane lift?", "--tokens", "1000", "--json")
                    .output
            )
            let tokens = try #require(pack["tokens"]?.number)
            #expect(tokens <= 1_000 && tokens >= 900)
            let text = try #require(pack["text"]?.string)
            #expect(TokenCounter.estimate.count(text) == Int(tokens))
            for entry in try #require(pack["entries"]?.array) {
                #expect(text.contains(try #require(entry["citation"]?.string)))
            }
            let plain = try shell.loci("context", "What does the harbour crane lift?", "--tokens", "400")
            #expect(
                plain.output.contains("[1] ") && plain.errors.contains("of 400 tokens"))
        }
    }

    @Test func `lists namespaces with their sessions`() throws {
        try Shell.run { shell in
            try shell.remember("Of the project.")
            try shell.remember("Of a session.", in: "project/atlas/session/s-1")
            try shell.remember("Of it too.", in: "project/atlas/session/s-1")
            let lines = try shell.loci("namespaces", "--json").output.split(separator: "\n").map {
                try json(String($0))
            }
            let counts = lines.map { ($0["namespace"]?.string ?? "", Int($0["memories"]?.number ?? -1)) }
            #expect(counts.contains { $0 == ("project/atlas", 1) })
            #expect(counts.contains { $0 == ("project/atlas/session/s-1", 2) })
        }
    }
}
