import Foundation
import MemoryEngine
import TestSupport
import Testing

@testable import loci

@Suite struct `The command, asked to consolidate` {
    @Test func `tells what each step found, shows it, and takes it back`() throws {
        try Shell.run { shell in
            for text in [
                "The deploy failed: its token had expired.", "the deploy failed, its token had expired",
            ] {
                #expect(try shell.loci("remember", text).status == 0)
            }
            let told = try shell.loci("consolidate")
            #expect(
                told.status == 0
                    && told.lines.contains { $0.hasPrefix("duplicates") && $0.hasSuffix("1 new") })
            #expect(told.lines.contains { $0.hasPrefix("words") && $0.contains("left out") })
            let again = try JSONParser.parse(
                try shell.loci("consolidate", "--only", "duplicates", "--json").output)
            #expect(again["steps"]?.array?.map { $0["found"] } == [.number(0)])

            let listed = try shell.loci("consolidate", "--list", "--json")
            #expect(listed.lines.count == 1)
            let conclusion = try JSONParser.parse(listed.lines[0])
            #expect(
                conclusion["step"]?.string == "duplicates"
                    && conclusion["says"]?.string?.contains("same") == true)
            #expect(conclusion["edge"]?["kind"]?.string == "duplicateOf")
            #expect(try shell.loci("consolidate", "--list").output.contains("the deploy failed, its token"))

            #expect(try shell.loci("consolidate", "--undo").output.contains("1 conclusions taken back"))
            #expect(try shell.loci("consolidate", "--list").output.isEmpty)
            #expect(try shell.loci("consolidate", "--list", "--undo").status == ExitStatus.usage)
            #expect(try shell.loci("consolidate", "--only", "dreams").status == ExitStatus.usage)
        }
    }

    private static let key = "sk-secret-9f8e7d6c5b4a39281706"

    /// Notes each memory by one keyword; with another key it repeats that one.
    private static func answer(_ request: LoopbackServer.Request) -> String {
        guard request.head.contains("Authorization: Bearer \(key)\r\n") else {
            return LoopbackServer.reply("401 Unauthorized", #"{"error":"no key like \#(key.prefix(12))"}"#)
        }
        let hasOthers = String(decoding: request.body, as: UTF8.self).contains(#""refinements":{"#)
        let note =
            #"{\"keywords\":[\"oven\"],\"tags\":[],\"facts\":[]"#
            + (hasOthers ? #",\"links\":[],\"refinements\":[]}"# : "}")
        return LoopbackServer.reply(
            "200 OK",
            #"{"choices":[{"message":{"content":"\#(note)"},"finish_reason":"stop"}],"#
                + #""usage":{"prompt_tokens":70,"completion_tokens":7}}"#)
    }

    @Test func `has memories noted by a server that is named, counts it, and stops at a cap`() throws {
        try Shell.run { shell in
            let count = Mutex(0)
            let server = try LoopbackServer { request, _ in
                count.withLock { $0 += 1 }
                return Self.answer(request)
            }
            var environment = [
                "LOCI_REASONER_URL": server.url("/v1"), "LOCI_REASONER_MODEL": "tiny",
                "LOCI_REASONER_KEY": Self.key,
                "OPENAI_API_KEY": Self.key, "ANTHROPIC_API_KEY": Self.key, "HOME": shell.folder,
            ]
            let id = try shell.remember("The kiln runs at 1200 degrees.")
            // A key and an address alone send nothing anywhere.
            let plain = try shell.loci("consolidate", environment: environment)
            #expect(plain.status == 0 && plain.output.contains("no reasoner") && count.withLock { $0 } == 0)

            let noted = try shell.loci(
                "consolidate", "--only", "notes", "--reasoner", "server", "--json", environment: environment)
            #expect(noted.status == 0, "\(noted.errors)")
            let steps = try JSONParser.parse(noted.output)["steps"]?.array
            #expect(steps?.first?["found"] == .number(1) && count.withLock { $0 } == 1, "\(noted.output)")
            #expect(try shell.loci("recall", "oven").output.contains("1200 degrees"))
            #expect(
                try shell.loci("consolidate", "--list").output
                    == "\(id)  keywords oven, added by tiny\n  The kiln runs at 1200 degrees.\n")
            let listed = try JSONParser.parse(shell.loci("consolidate", "--list", "--json").output)
            #expect(listed["keywords"] == .array([.string("oven")]) && listed["step"] == .string("notes"))
            #expect(try shell.loci("consolidate", "--list", "--only", "links").output.isEmpty)
            let costs = try shell.loci("embedders", "--costs", "--json", environment: environment)
            #expect(try JSONParser.parse(costs.output)["tokens"] == .number(77), "\(costs.output)")
            #expect(try shell.loci("consolidate", "--undo", "--only", "notes").status == 0)
            #expect(try !shell.loci("get", id).output.contains("oven"))
            #expect(try shell.loci("consolidate", "--list").output.isEmpty)

            _ = try shell.remember("The kiln was cleaned.")
            environment["LOCI_CAP_SERVER_TOKENS"] = "80"
            let notes = ["consolidate", "--only", "notes", "--reasoner", "server"]
            let capped = try shell.run(notes, environment: environment)
            #expect(capped.status == 1 && capped.errors.contains("cap of 80 tokens"), "\(capped.errors)")
            #expect(count.withLock { $0 } == 1)
            environment["LOCI_CAP_SERVER_TOKENS"] = nil
            environment["LOCI_REASONER_KEY"] = "\(Self.key)0"
            for arguments in [notes, notes + ["--json"]] {
                let refused = try shell.run(arguments, environment: environment)
                #expect(refused.status == 1 && refused.errors.contains("401"))
                for part in [Self.key, String(Self.key.dropFirst(3).prefix(8))] {
                    #expect(!refused.errors.contains(part) && !refused.output.contains(part))
                }
            }
        }
    }

    @Test func `says what was left out and how to ask again, and does`() throws {
        try Shell.run { shell in
            let asked = Mutex(0)
            let server = try LoopbackServer { request, _ in
                let number = asked.withLock { asked in
                    asked += 1
                    return asked
                }
                // Of the first memory, also when it is asked about once more.
                guard number <= 2 else { return Self.answer(request) }
                return LoopbackServer.reply(
                    "200 OK", #"{"choices":[{"message":{"content":"{"},"finish_reason":"length"}]}"#)
            }
            let environment = [
                "LOCI_REASONER_URL": server.url("/v1"), "LOCI_REASONER_MODEL": "tiny",
                "LOCI_REASONER_KEY": Self.key, "HOME": shell.folder,
            ]
            let id = try shell.remember("The kiln runs at 1200 degrees.")
            _ = try shell.remember("Lunch is at noon.")
            let notes = ["consolidate", "--only", "notes", "--reasoner", "server"]
            let first = try shell.run(notes, environment: environment)
            #expect(first.status == 0, "\(first.errors)")
            #expect(
                first.errors.contains("\(id) was left out: ") && first.errors.contains("LOCI_REASONER_TOKENS")
                    && first.errors.hasSuffix("after a change of settings, add --again\n"), "\(first.errors)")
            #expect(asked.withLock { $0 } == 3)
            let second = try shell.run(notes, environment: environment)
            #expect(second.status == 0 && !second.errors.contains("--again"), "\(second.errors)")
            #expect(asked.withLock { $0 } == 3)
            let third = try shell.run(notes + ["--again"], environment: environment)
            #expect(third.status == 0 && third.output.contains("1 new"), "\(third)")
            // The other one has its words.
            #expect(asked.withLock { $0 } == 4)
            #expect(try shell.loci("get", id).output.contains("oven"))
            #expect(try shell.loci("consolidate", "--again").status == ExitStatus.usage)
        }
    }

    @Test func `says what a reasoner lacks, and where it has nothing to do`() throws {
        try Shell.run { shell in
            _ = try shell.remember("The kiln runs at 1200 degrees.")
            for (service, name) in [
                ("openai", "OPENAI_API_KEY and LOCI_REASONER_MODEL"),
                ("anthropic", "ANTHROPIC_API_KEY and LOCI_REASONER_MODEL"),
                ("server", "LOCI_REASONER_URL and LOCI_REASONER_MODEL"),
            ] {
                let answer = try shell.loci("consolidate", "--reasoner", service)
                #expect(
                    answer.status == 1 && answer.errors.contains("\(service) wants \(name)"),
                    "\(answer.errors)")
            }
            for arguments in [
                ["--reasoner", "jina"], ["--reasoner", "server", "--list"],
                ["--reasoner", "server", "--undo"],
                ["--reasoner", "server", "--only", "duplicates"],
            ] {
                #expect(try shell.run(["consolidate"] + arguments).status == ExitStatus.usage)
            }
        }
    }
}
