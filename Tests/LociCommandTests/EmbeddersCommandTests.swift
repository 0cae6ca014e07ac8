import Foundation
import MemoryEngine
import TestSupport
import Testing

@testable import loci

@Suite struct `The command, asked for embedders` {
    private static let key = "sk-secret-9f8e7d6c5b4a39281706"

    /// Answers each text with a vector that has a 1 at the place that the count of its bytes gives.
    private static func vectors(_ request: LoopbackServer.Request, model: String = "tiny") -> String {
        struct Question: Decodable { let input: [String] }
        guard request.head.contains("Authorization: Bearer \(key)") else {
            return LoopbackServer.reply("401 Unauthorized", #"{"error":"no key like \#(key.prefix(12))"}"#)
        }
        let input = (try? JSONDecoder().decode(Question.self, from: Data(request.body)))?.input ?? []
        let items = input.map { text in
            let vector = (0..<4).map { $0 == text.utf8.count % 4 ? "1" : "0" }.joined(separator: ",")
            return #"{"embedding":[\#(vector)]}"#
        }
        let body =
            #"{"data":[\#(items.joined(separator: ","))],"model":"\#(model)","usage":{"total_tokens":7}}"#
        return LoopbackServer.reply("200 OK", body)
    }

    private static func environment(_ shell: Shell, _ server: LoopbackServer) -> [String: String] {
        [
            "LOCI_EMBEDDINGS_URL": server.url("/v1"), "LOCI_EMBEDDINGS_MODEL": "tiny",
            "LOCI_EMBEDDINGS_DIMENSION": "4", "LOCI_EMBEDDINGS_KEY": key, "HOME": shell.folder,
        ]
    }

    private func rows(_ answer: Shell.Answer) throws -> [String: JSONValue] {
        var rows: [String: JSONValue] = [:]
        for line in answer.lines {
            let row = try JSONParser.parse(line)
            rows[try #require(row["name"]?.string)] = row
        }
        return rows
    }

    @Test func `lists them, with what is missing`() throws {
        try Shell.run { shell in
            let listed = try shell.loci("embedders")
            #expect(listed.status == 0 && listed.errors.isEmpty, "\(listed.errors)")
            #expect(listed.output.contains("hash            loci-hash@1/256/cosine"), "\(listed.output)")
            #expect(listed.output.contains("wants OPENAI_API_KEY"))
            #expect(
                listed.output.contains("wants RUNPOD_API_KEY, RUNPOD_ENDPOINT_BGE_M3 or RUNPOD_URL_BGE_M3"))
            #expect(listed.output.contains("0.02 dollars per million tokens"))
            let rows = try rows(shell.loci("embedders", "--json"))
            #expect(
                Set(rows.keys) == [
                    "hash", "table", "local", "openai", "jina", "voyage", "server", "runpod", "runpod-siglip",
                    "runpod-vl-jepa",
                ])
            #expect(rows["hash"]?["isConfigured"]?.bool == true)
            #expect(rows["local"]?["problem"]?.string?.contains("make model") == true)
            #expect(rows["table"]?["problem"]?.string?.contains("loci model distil") == true)
            #expect(rows["jina"]?["missing"]?.array?.compactMap(\.string) == ["JINA_API_KEY"])
            #expect(rows["jina"]?["takes"]?.array?.compactMap(\.string) == ["text", "image"])
            #expect(try shell.loci("embedders", "--health", "--costs").status == 64)
            // Only services that are configured are asked, and there is none.
            #expect(try shell.loci("embedders", "--health").status == 0)
        }
    }

    @Test func `embeds by a server that is named, counts it, and stops at a cap`() throws {
        try Shell.run { shell in
            let server = try LoopbackServer { request, _ in Self.vectors(request) }
            var environment = Self.environment(shell, server)
            let made = try shell.loci(
                "embed", "abc", "abcd", "--json", "--embedder", "server", environment: environment)
            #expect(made.output == "[0,0,0,1]\n[1,0,0,0]\n", "\(made.errors)")
            let costs = try shell.loci("embedders", "--costs", "--json", environment: environment)
            let spent = try JSONParser.parse(costs.output)
            #expect(spent["service"]?.string == "server" && spent["tokens"]?.number == 7, "\(costs)")
            #expect(spent["texts"]?.number == 2)
            let listed = try shell.loci("embedders", environment: environment)
            #expect(
                listed.output.contains("tiny/4/cosine")
                    && listed.output.contains("today 1 request, 7 tokens"), "\(listed.output)")
            let state = shell.folder + "/.local/state/loci"
            let mode = try FileManager.default.attributesOfItem(atPath: state)[.posixPermissions] as? Int
            #expect(mode == 0o700)
            environment["LOCI_CAP_SERVER_TOKENS"] = "7"
            let capped = try shell.loci("embed", "abc", "--embedder", "server", environment: environment)
            #expect(capped.status == 1 && capped.errors.contains("cap of 7 tokens"), "\(capped.errors)")
        }
    }

    @Test func `asks a service only where it is named, or a home has its vectors from it`() throws {
        try Shell.run { shell in
            let count = Mutex(0)
            let isDown = Mutex(false)
            let server = try LoopbackServer { request, _ in
                count.withLock { $0 += 1 }
                return isDown.withLock { $0 }
                    ? LoopbackServer.reply("401 Unauthorized") : Self.vectors(request)
            }
            let environment = Self.environment(shell, server)
            for arguments in [
                ["remember", "The deploy failed."], ["recall", "deploy"], ["embed", "abc"], ["spaces"],
                ["embedders"], ["reembed"],
            ] {
                let answer = try shell.run(arguments, environment: environment)
                #expect(answer.status == 0, "\(answer.errors)")
            }
            #expect(count.withLock { $0 } == 0)
            let home = ["-n", "project/hosted"]
            let made = try shell.run(
                ["remember", "The token expired.", "--embedder", "server"] + home, environment: environment)
            #expect(made.status == 0 && count.withLock { $0 } == 1, "\(made.errors)")
            // From now on the home needs it, and says so by its space.
            let recalled = try shell.run(["recall", "tokens"] + home, environment: environment)
            #expect(recalled.output.contains("vectors of tiny"), "\(recalled)")
            #expect(count.withLock { $0 } == 2)
            try shell.loci("recall", "deploy", environment: environment)
            #expect(count.withLock { $0 } == 2)
            // While it does not answer, words do, and what is remembered gets its vector later.
            isDown.withLock { $0 = true }
            let stored = try shell.run(["remember", "It was renewed."] + home, environment: environment)
            #expect(stored.status == 0 && stored.errors.contains("without its vector in tiny"), "\(stored)")
            let found = try shell.run(["recall", "renewed"] + home, environment: environment)
            #expect(found.status == 0 && found.output.contains("It was renewed."), "\(found)")
            isDown.withLock { $0 = false }
            let later = try shell.run(["reembed"] + home, environment: environment)
            #expect(later.status == 0 && later.output.contains("1 vector"), "\(later)")
        }
    }

    @Test func `loses no vector and asks for none twice that is stored, when it is killed amid a queue`()
        throws
    {
        struct Question: Decodable { let input: [String] }
        try Shell.run { shell in
            let asked = Mutex<[[String]]>([])
            let server = try LoopbackServer { request, _ in
                let input = (try? JSONDecoder().decode(Question.self, from: Data(request.body)))?.input ?? []
                let count = asked.withLock { asked in
                    asked.append(input)
                    return asked.count
                }
                guard count == 3 else { return Self.vectors(request) }
                // It waits for this answer, with two batches stored.
                let text = try? String(contentsOfFile: shell.folder + "/process", encoding: .utf8)
                if let process = text.flatMap({ pid_t($0.dropLast()) }), process > 1 {
                    kill(process, SIGKILL)
                }
                return nil
            }
            let settings = Self.environment(shell, server).filter { $0.key != "HOME" }
            try shell.write(settings.map { "\($0.key)=\($0.value)\n" }.joined(), to: ".env")
            let texts = (1...30).map { "line \($0)" }
            try shell.write(texts.map { "{\"content\":\"\($0)\"}\n" }.joined(), to: "lines.jsonl")
            #expect(try shell.loci("import", "lines.jsonl", "--embedder", "none").status == 0)

            let estimate = try shell.bash("loci reembed --embedder server --estimate")
            #expect(
                estimate.output.hasPrefix("project/atlas: 30 passages of ")
                    && estimate.output.hasSuffix(", by a service, at no price that is known\n"), "\(estimate)"
            )

            let line = "loci reembed --embedder server --batch 5"
            let killed = try shell.bash("bash -c 'echo $$ > process; exec \(line)'; echo ended $?")
            #expect(killed.output.contains("ended 137") && asked.withLock { $0.count } == 3, "\(killed)")
            let resumed = try shell.bash(line)
            #expect(resumed.status == 0, "\(resumed.errors)")
            let batches = asked.withLock { $0 }
            #expect(batches.map(\.count) == [Int](repeating: 5, count: 7))
            // What was under way is asked for again, and nothing else.
            #expect(batches[2] == batches[3])
            #expect((batches[..<2] + batches[3...]).flatMap { $0 }.sorted() == texts.sorted())
            let rest = try JSONParser.parse(
                shell.bash("loci reembed --embedder server --estimate --json").output)
            #expect(rest["passages"]?.number == 0)
            // What was counted for it before stays.
            let costs = try JSONParser.parse(shell.bash("loci embedders --costs --json").output)
            #expect(costs["requests"]?.number == 7 && costs["texts"]?.number == 35, "\(costs)")
        }
    }

    @Test func `tells how each is, side by side`() throws {
        try Shell.run { shell in
            let good = try LoopbackServer { request, _ in Self.vectors(request) }
            let runPod = try LoopbackServer { request, _ in
                guard request.head.contains("Bearer \(Self.key)") else {
                    return LoopbackServer.reply("401 Unauthorized")
                }
                if request.head.hasPrefix("GET /ping") { return LoopbackServer.reply("204 No Content") }
                return LoopbackServer.reply("200 OK", #"{"workers":{"idle":1},"jobs":{}}"#)
            }
            var environment = Self.environment(shell, good)
            let well = try shell.loci("embedders", "--health", "--json", environment: environment)
            #expect(well.status == 0, "\(well.errors)")
            #expect(try rows(well)["server"]?["health"]?["state"]?.string == "ready")

            environment["RUNPOD_API_KEY"] = Self.key
            environment["RUNPOD_ENDPOINT_BGE_M3"] = runPod.url()
            environment["RUNPOD_URL_SIGLIP"] = runPod.url()
            environment["LOCI_EMBEDDINGS_KEY"] = "sk-another-key-1234567890"
            let mixed = try shell.loci("embedders", "--health", "--json", environment: environment)
            let states = try rows(mixed).compactMapValues { $0["health"]?["state"]?.string }
            #expect(
                states == ["server": "wrongKey", "runpod": "ready", "runpod-siglip": "loading"], "\(mixed)")
            #expect(mixed.status == 1)
        }
    }

    @Test func `writes a key into the file that is there`() throws {
        try Shell.run { shell in
            try shell.write("# mine\r\nOTHER=\"x\"\r\nVOYAGE_API_KEY=old # kept\r\nLAST=1", to: ".env")
            let path = shell.folder + "/.env"
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
            let input = Array("\(Self.key)\n".utf8)
            for name in ["VOYAGE_API_KEY", "JINA_API_KEY"] {
                let written = try shell.loci("embedders", "--set", name, input: input)
                #expect(written.output == "\(name)  written to .env\n", "\(written.errors)")
            }
            #expect(
                try String(contentsOfFile: path, encoding: .utf8)
                    == "# mine\r\nOTHER=\"x\"\r\nVOYAGE_API_KEY=\(Self.key) # kept\r\nLAST=1\r\nJINA_API_KEY=\(Self.key)\r\n"
            )
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o640)
            let rows = try rows(shell.loci("embedders", "--json"))
            #expect(rows["jina"]?["isConfigured"]?.bool == true)
            #expect(rows["openai"]?["isConfigured"]?.bool == false)
            let unknown = try shell.loci("embedders", "--set", "PATH", input: input)
            #expect(unknown.status == 64 && unknown.errors.contains("JINA_API_KEY"))
            for bad in ["", "\n", "it's a key\n"] {
                #expect(
                    try shell.loci("embedders", "--set", "JINA_API_KEY", input: Array(bad.utf8)).status == 1)
            }
            #expect(try String(contentsOfFile: path, encoding: .utf8).hasSuffix("\(Self.key)\r\n"))
        }
    }

    @Test func `writes no value that a setting cannot have`() throws {
        try Shell.run { shell in
            func write(_ name: String, _ value: String) throws -> Shell.Answer {
                try shell.loci("embedders", "--set", name, input: Array("\(value)\n".utf8))
            }
            for (name, bad, good) in [
                ("LOCI_EMBEDDINGS_DIMENSION", "three", "3"), ("LOCI_EMBEDDINGS_SHAPE", "round", "tei"),
                ("LOCI_EMBEDDINGS_URL", "ftp://secret-host", "https://host/v1"),
                ("LOCI_EMBEDDINGS_MODEL", "secret@", "tiny"), ("RUNPOD_QUESTIONS_WAIT", "perhaps", "true"),
                ("RUNPOD_ENDPOINT_SIGLIP", "an id", "0-key-1"), ("LOCI_CAP_OPENAI_DOLLARS", "-1", "2.50"),
                ("LOCI_CAP_JINA_TOKENS", "1.5", "1000"), ("LOCI_REASONER_FORM", "verse", "tool"),
                ("LOCI_REASONER_TOKENS", "0", "100"), ("LOCI_REASONER_PRICE_IN", "much", "0.5"),
                ("LOCI_REASONER_URL", "secret-host", "http://host"),
                ("LOCI_URL", "http://secret", "redis://host"),
                ("JINA_API_KEY", "two words", "word"),
            ] {
                let refused = try write(name, bad)
                #expect(refused.status == 1 && refused.errors.contains(name), "\(refused)")
                #expect(!refused.errors.contains("secret"), "\(refused.errors)")
                #expect(try write(name, good).status == 0, "\(name)")
            }
            let values = try #require(try EnvironmentFile.read(shell.folder + "/.env")).values
            #expect(values.count == 14 && values["LOCI_EMBEDDINGS_DIMENSION"] == "3")
        }
    }

    @Test func `loses none of the settings that are written at once`() throws {
        try Shell.run { shell in
            // Those that take any word.
            let names = Settings.names.map(\.name).filter { name in
                ![
                    "_URL", "_DIMENSION", "_SHAPE", "_WAIT", "_FORM", "_DOLLARS", "_TOKENS", "_SECONDS",
                    "_IN", "_OUT", "_PRICE",
                ]
                .contains { name.hasSuffix($0) }
            }
            #expect(names.count > 15)
            try shell.write("# mine\n", to: ".env")
            let written = try shell.bash(
                "unset LOCI_STORE; for name in \(names.joined(separator: " ")); do echo of-$name | loci embedders --set $name & done; wait"
            )
            #expect(written.status == 0 && written.errors.isEmpty, "\(written.errors)")
            let file = try #require(try EnvironmentFile.read(shell.folder + "/.env"))
            #expect(file.values == Dictionary(uniqueKeysWithValues: names.map { ($0, "of-\($0)") }))
            #expect(String(decoding: file.bytes, as: UTF8.self).hasPrefix("# mine\n"))
        }
    }

    @Test func `reads the place of the store from the file`() throws {
        try Shell.run { shell in
            try shell.write("LOCI_STORE=elsewhere\n", to: ".env")
            let made = try shell.bash("unset LOCI_STORE; loci remember 'The deploy failed.' && ls elsewhere")
            #expect(made.status == 0, "\(made.errors)")
            try shell.write("LOCI_URL=redis://127.0.0.1:1\n", to: ".env")
            #expect(try shell.bash("unset LOCI_STORE; loci recall deploy").status == 1)
            #expect(try shell.loci("remember", "In the environment's store.").status == 0)
        }
    }

    @Test func `shows no key, however it fails`() throws {
        try Shell.run { shell in
            let isClosed = Mutex(false)
            let echo = try LoopbackServer { request, _ in
                let body = #"{"error":"\#(request.head.replacing("\r\n", with: " "))"}"#
                return isClosed.withLock { $0 } ? nil : LoopbackServer.reply("400 Bad Request", body)
            }
            let other = try LoopbackServer { request, _ in Self.vectors(request, model: "of \(Self.key)") }
            var environment = Self.environment(shell, echo)
            environment["RUNPOD_API_KEY"] = Self.key
            environment["RUNPOD_URL_BGE_M3"] = echo.url()
            environment["RUNPOD_ENDPOINT_SIGLIP"] = Self.key
            for name in ["JINA_API_KEY", "VOYAGE_API_KEY", "OPENAI_API_KEY"] {
                // A key that no header can hold, so that nothing is sent.
                environment[name] = "\(Self.key) \(Self.key)"
            }
            var wrong = environment
            wrong["LOCI_EMBEDDINGS_URL"] = other.url("/v1")
            var inURL = environment
            inURL["LOCI_EMBEDDINGS_URL"] = "http://127.0.0.1:\(echo.port)/\(Self.key)"
            var noNumber = environment
            noNumber["LOCI_EMBEDDINGS_DIMENSION"] = Self.key
            noNumber["LOCI_CAP_JINA_TOKENS"] = Self.key
            try shell.write(
                "JINA_API_KEY \(Self.key)\nLOCI_CAP_OPENAI_TOKENS=\"\(Self.key)\n", to: "bad/.env")

            var outputs: [Shell.Answer] = []
            for environment in [environment, wrong, inURL, noNumber] {
                for service in ["server", "runpod", "openai", "jina", "voyage"] {
                    for json in [[], ["--json"]] {
                        outputs.append(
                            try shell.run(
                                ["embed", "abc", "--query", "--embedder", service] + json,
                                environment: environment))
                        #expect(outputs.last?.status == 1, "\(service): \(outputs.last?.output ?? "")")
                    }
                }
                outputs.append(try shell.run(["embedders", "--health"], environment: environment))
                outputs.append(try shell.run(["embedders", "--health", "--json"], environment: environment))
            }
            isClosed.withLock { $0 = true }
            outputs.append(
                try shell.loci("embed", "abc", "--embedder", "server", environment: environment))
            outputs.append(try shell.bash("cd bad && loci embed abc --embedder jina"))
            outputs.append(try shell.bash("cd bad && loci embedders --health"))
            outputs.append(
                try shell.loci(
                    "embedders", "--set", "JINA_API_KEY", input: Array("'\(Self.key)'\n".utf8)))
            for answer in outputs {
                #expect(answer.status != 70)
                for part in [Self.key, String(Self.key.dropFirst(3).prefix(8)), String(Self.key.suffix(8))] {
                    #expect(!answer.output.contains(part) && !answer.errors.contains(part), "\(answer)")
                }
            }
        }
    }
}
