import ArgumentParser
import Foundation
import Testing

@testable import loci

@Suite struct `An exit status` {
    private static let id = "019ab3f2-6c1e-7d30-9a0b-2f4be1c07d55"

    /// Each verb that needs something to be there.
    private static let verbs: [[String]] = [
        ["recall", "x"], ["recall", "x", "--receipt"], ["get", id], ["get", "--key", "k"],
        ["get", id, "--versions"],
        ["list"], ["update", id, "x"], ["supersede", id, id], ["retract", id],
        ["promote", id, "--to", "project/other"], ["record", id, "success"], ["forget", id],
        ["forget", "--all", "--yes"], ["forget", "--by", "x", "--yes"], ["forget", "--tag", "x", "--yes"],
        ["export"], ["changes"], ["stats"], ["check"], ["dump"], ["compact"], ["vacuum"], ["rebuild"],
        ["index"], ["tune", "index"], ["tune", "recall"],
        ["neighbors", id], ["path", id, id], ["link", id, id, "--as", "causedBy"], ["unlink", id],
        ["why", "x"],
        ["why", "--memory", id], ["context", "x"], ["reembed"],
        ["snapshot", "copy.loci"], ["measure"], ["homes", "-n", "project/atlas"],
    ]

    @Test func `is 2 where there is no store, and no home`() throws {
        try Shell.run { shell in
            for verb in Self.verbs {
                let answer = try shell.run(verb)
                #expect(answer.status == 2, "\(verb)")
                #expect(answer.errors.contains("no store"), "\(verb)")
            }
            // And none was made.
            #expect(!FileManager.default.fileExists(atPath: shell.store))
            try shell.loci("remember", "text", "-n", "project/neighbor")
            for verb in Self.verbs {
                let answer = try shell.run(verb)
                #expect(answer.status == 2, "\(verb) \(answer.output)")
                // All say it with the same words.
                #expect(answer.errors == "loci: there is no home project/atlas\n", "\(verb) \(answer.errors)")
                #expect(answer.errors.contains("project/atlas"), "\(verb)")
                #expect(answer.output.isEmpty, "\(verb)")
            }
            #expect(try shell.loci("homes").lines.count == 1)
        }
    }

    @Test func `is 1 for a home that cannot be read, which hides no other`() throws {
        try Shell.run { shell in
            try shell.loci("remember", "text", "-n", "project/neighbor")
            try Data("junk!".utf8).write(to: URL(fileURLWithPath: shell.store + "/project/junk.loci"))
            let answer = try shell.loci("homes")
            #expect(answer.status == 1 && answer.lines.count == 1, "\(answer.output)")
            #expect(answer.errors.contains("project/junk: "), "\(answer.errors)")
        }
    }

    @Test func `is 1 where a file may not grow, and nothing is lost`() throws {
        try Shell.run { shell in
            try shell.loci("remember", "Tea.", "--key", "tea")
            for (store, limit) in [(shell.store, 64), (shell.folder + "/new", 8)] {
                let answer = try shell.bash(
                    "ulimit -f \(limit) && loci remember \"$(yes Milk. | head -n 15000)\" --store \(store) -n project/atlas"
                )
                #expect(answer.status == 1, "\(answer.status) \(answer.errors)")
                #expect(
                    answer.errors.contains("the limit on the size of a file (`ulimit -f`) is reached"),
                    "\(answer.errors)")
            }
            #expect(try shell.loci("check").status == 0)
            #expect(try shell.loci("list").lines.count == 1)
        }
    }

    @Test func `is 2 for a file, a tenant or a part that is not there`() throws {
        try Shell.run { shell in
            try shell.write("{\"content\":\"x\"}\n", to: "here.jsonl")
            try shell.loci("remember", "text", "--key", "here")
            for line in [
                "import nowhere.jsonl", "import here.jsonl nowhere.jsonl", "restore nowhere.loci",
                "check --file nowhere.loci",
                "remember x --attach nowhere", "remember x --vector m/3=nowhere",
                "import nowhere --format git",
                "stats -n @acme", "export -n @acme", "homes -n @acme", "get --key here --attachment none",
                "get --key here --version 9",

            ] {
                let answer = try shell.bash("loci \(line)")
                #expect(answer.status == 2, "\(line): \(answer.errors)")
            }
        }
    }

    @Test func `is 0 where the home is there and nothing is found`() throws {
        try Shell.run { shell in
            try shell.loci("remember", "text")
            for line in [
                "forget --tag none --yes", "forget --by nobody --yes", "list --tag none",
                "recall nothing -n project/atlas",
                "recall text -n project/atlas -n project/none", "export -n project/atlas/session/none",
                "forget --all --yes -n project/atlas/session/none", "list -n project/atlas/session/none",

            ] {
                let answer = try shell.bash("loci \(line)")
                #expect(answer.status == 0, "\(line): \(answer.errors)")
            }
        }
    }

    @Test(arguments: [
        (
            "remember x --happened 'next week'",
            ["--happened <time>", "'next week'", "2026-11-23", "2 days ago"]
        ),
        ("remember x --expires 2026-02-30", ["--expires <time>", "'2026-02-30'", "2026-11-23"]),
        (
            "remember x -n project/a --valid-from 2026-02-01 --valid-until 2026-01-01",
            ["--valid-until", "2026-01-01"]
        ),
        ("remember x --importance 7", ["--importance <number>", "'7'", "from 0 to 1", "0.8"]),
        ("remember x --attribute foo", ["--attribute <name=value>", "'foo'", "region=eu-1"]),
        ("remember x --trust much", ["--trust <trust>", "'much'", "'untrusted', 'known' or 'verified'"]),
        ("remember x --quota 1Q", ["--quota <size>", "'1Q'", "512M"]),
        ("remember x --wait -1", ["--wait <seconds>"]),
        ("remember x --wait=-1", ["--wait <seconds>", "0 to 86400"]),
        ("remember x -n project/a --vector 1,2", ["--vector", "`1,2`", "mini/3=[0.1,0.2,0.3]"]),
        ("remember x --durability soon", ["--durability", "'soon'", "'commit', 'everySecond' or 'none'"]),
        ("remember x --embedder bert", ["--embedder", "'bert'", "- local", "- table", "- runpod"]),
        ("remember x --media bert", ["--media", "'bert'", "runpod-siglip", "comma"]),
        ("remember x -n project/a --embedder runpod-vl-jepa", ["--media runpod-vl-jepa"]),
        ("list --limit many", ["--limit <count>", "'many'", "1 to 10,000", "20"]),
        ("recall x --limit 0", ["--limit <count>", "'0'", "1 to 1,000"]),
        ("recall x --deadline 0", ["--deadline", "'0'", "1 to 3,600,000"]),
        ("recall x --word-weight 2", ["--word-weight <number>", "'2'", "from 0 to 1"]),
        ("recall x --as-of sometime", ["--as-of <time>", "'sometime'", "yesterday"]),
        ("recall x -n project/a=nan", ["project/a=nan", "above 0 and up to 1000"]),
        ("recall x -n project/a=-1", ["project/a=-1", "above 0"]),
        ("recall x -n project/a=1e400", ["project/a=1e400", "above 0"]),
        ("list --filter since:then", ["`since:then`", "2026-11-23"]),
        ("list --filter importance:9", ["`importance:9`", "0 to 1"]),
        ("list --filter nonsense", ["`nonsense`", "kind:"]),
        ("list --filter kind:", ["nothing stands behind `kind:`", "`actor:`"]),
        ("list --filter 'pinned && tag^:'", ["nothing stands behind `tag^:`"]),
        ("list --kind ' '", ["--kind is blank"]), ("list --tag ' '", ["--tag is blank"]),
        ("remember x -n project/a --actor '  '", ["--actor is blank"]),
        ("remember x -n project/a --tag a --tag ' '", ["--tag is blank"]),
        ("remember x -n project/a --key ' '", ["--key is blank"]),
        ("remember x -n project/a --principal ' '", ["--principal is blank"]),
        ("context -n project/a ''", ["loci context \"Why"]),
        ("recall -n project/a ''", ["loci recall \"Why"]),
        ("why", ["say what happened, or name a memory with --memory"]),
        ("why x --memory a", ["both words and --memory", "one is wanted"]),
        ("get 019ab3f2-6c1e-7d30-9a0b-2f4be1c07d55@x", ["ID@VERSION"]),
        ("get 019ab3f2-6c1e-7d30-9a0b-2f4be1c07d55@1 --version 2", ["leave out --version"]),
        ("list --order up", ["--order <order>", "'up'"]),
        ("get", ["--key"]),
        ("get --key k --version 0", ["--version <number>", "'0'"]),
        ("record nonsense success", ["<recall>", "'nonsense'"]),
        ("record 019ab3f2-6c1e-7d30-9a0b-2f4be1c07d55 fine", ["<outcome>", "'fine'", "success"]),
        ("promote 019ab3f2-6c1e-7d30-9a0b-2f4be1c07d55 --to bad", ["--to <path>", "'bad'", "NAME"]),
        ("import x --format yaml", ["--format <format>", "'yaml'", "jsonl", "claude"]),
        ("import x --batch 0", ["--batch <count>", "'0'", "1 to 10,000"]),
        ("vacuum --keep -1", ["--keep"]), ("vacuum --closed-days=x", ["--closed-days <days>", "'x'", "90"]),
        ("changes --after x", ["--after <commit>", "'x'", "120"]),
        ("restore x --as nowhere/x", ["--as <path>", "'nowhere/x'"]),
    ])
    func `is 64 for a wrong command line, and the message says what is accepted`(
        line: String, parts: [String]
    ) async throws {
        // In this process, because a hundred others take their time; quotation marks as the shell has them.
        let words = line.split(separator: "'").enumerated().flatMap { index, text in
            index.isMultiple(of: 2) ? text.split(separator: " ").map(String.init) : [String(text)]
        }
        do {
            var verb = try LociCommand.parseAsRoot(words + ["--store", "/nowhere"])
            if var verb = verb as? any AsyncParsableCommand { try await verb.run() } else { try verb.run() }
            Issue.record("it is taken")
        } catch {
            #expect(LociCommand.exitCode(for: error) == .validationFailure)
            let message = LociCommand.message(for: error)
            for part in parts { #expect(message.contains(part), "\(message)") }
        }
    }

    @Test func `of a wrong command line stands beside one line or one object`() throws {
        try Shell.run { shell in
            let plain = try shell.loci("list", "--limit", "many")
            #expect(plain.status == 64 && plain.output.isEmpty)
            #expect(
                plain.errors.hasPrefix(
                    "loci: The value 'many' is invalid for '--limit <count>': write a whole number"))
            #expect(try shell.loci("remebmer", "x").errors.contains("remebmer"))
            let help = try shell.loci("help", "nope")
            #expect(help.status == 64 && help.output.isEmpty, "\(help.output)")
            #expect(help.errors.contains("there is no verb `nope`"), "\(help.errors)")
            #expect(try shell.loci("help", "recall").status == 0)
            let weight = try shell.loci("link", "a", "b", "--as", "causedBy", "--weight", "-1")
            #expect(weight.status == 64 && weight.errors.contains("write --weight=-1"), "\(weight.errors)")
            let json = try shell.loci("list", "--limit", "many", "--json")
            #expect(json.status == 64 && json.output.isEmpty)
            #expect(try JSONParser.parse(json.errors)["error"]?["code"]?.string == "usage")
        }
    }
}
