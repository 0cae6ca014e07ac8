import Foundation
import MemoryEngine
import TestSupport
import Testing

@testable import Embedders
@testable import loci

@Suite struct `The command, where an embedder is of no use` {
    /// Vectors of four numbers, whatever is asked.
    private static func vectors(_ request: LoopbackServer.Request) -> String {
        struct Question: Decodable { let input: [String] }
        let input = (try? JSONDecoder().decode(Question.self, from: Data(request.body)))?.input ?? []
        if input.contains(where: { $0.contains("refused") }) {
            return LoopbackServer.reply("400 Bad Request", #"{"error":"the text is too long"}"#)
        }
        let items = input.map { _ in #"{"embedding":[1,0,0,0]}"# }.joined(separator: ",")
        return LoopbackServer.reply(
            "200 OK", #"{"data":[\#(items)],"model":"tiny","usage":{"total_tokens":7}}"#)
    }

    private static func environment(_ shell: Shell, _ server: LoopbackServer) -> [String: String] {
        [
            "LOCI_EMBEDDINGS_URL": server.url("/v1"), "LOCI_EMBEDDINGS_MODEL": "tiny",
            "LOCI_EMBEDDINGS_DIMENSION": "4", "HOME": shell.folder,
        ]
    }

    /// A model that states its digest, so that its space is known before its weights are read.
    private static func model(_ shell: Shell) throws -> String {
        let model = shell.folder + "/model"
        try TinyModel(seed: 1).write(to: model)
        let digest = ModelFolder.digest(of: TinyModel(seed: 1).weights)
        try shell.write(#"{"model": "tiny-bert", "weights": "\#(digest)"}"#, to: "model/loci-model.json")
        return model
    }

    private static func row(_ name: String, of answer: Shell.Answer) throws -> JSONValue {
        try #require(answer.lines.map { try JSONParser.parse($0) }.first { $0["name"]?.string == name })
    }

    // MARK: Models

    @Test func `answers by words where the model of a home is damaged, and stops what needs it`() throws {
        try Shell.run { shell in
            let model = try Self.model(shell)
            let environment = ["LOCI_MODEL": model]
            try shell.loci("remember", "the deploy failed", environment: environment)
            try shell.loci("remember", "without a vector", "--embedder", "none")
            try shell.loci("remember", "the token expired", "-n", "project/hashed")
            let weights = TinyModel(seed: 1).weights
            try Data(weights.dropLast(100)).write(to: URL(fileURLWithPath: model + "/model.safetensors"))
            for verb in [["recall", "deploy"], ["explain", "deploy"], ["context", "deploy"]] {
                let answer = try shell.run(verb, environment: environment)
                #expect(answer.status == 0 && answer.output.contains("the deploy failed"), "\(answer)")
            }
            let recalled = try shell.loci("recall", "deploy", environment: environment)
            #expect(
                recalled.errors.contains("vectors in tiny-bert@")
                    && recalled.errors.contains("model.safetensors is")
                    && recalled.errors.contains("make model"),
                "\(recalled.errors)")
            for verb in [["remember", "it was renewed"], ["reembed"]] {
                let stopped = try shell.run(verb, environment: environment)
                #expect(stopped.status == 1 && stopped.errors.contains("make model"), "\(stopped)")
            }
            for verb in [["remember", "it was renewed"], ["reembed"], ["recall", "token"]] {
                let done = try shell.run(verb + ["-n", "project/hashed"], environment: environment)
                #expect(done.status == 0 && done.errors.isEmpty, "\(done)")
            }
        }
    }

    @Test(arguments: ["LOCI_MODEL", "LOCI_TOKEN_TABLE"])
    func `stops for a wrong path only where it is needed`(variable: String) throws {
        try Shell.run { shell in
            let environment = [variable: shell.folder + "/gone"]
            try shell.loci("remember", "the deploy failed")
            for verb in [["remember", "it was renewed"], ["reembed"], ["recall", "deploy"], ["spaces"]] {
                let done = try shell.run(verb, environment: environment)
                #expect(done.status == 0 && done.errors.isEmpty, "\(verb): \(done)")
            }
            #expect(try shell.loci("spaces").output.contains("2 vectors  loci-hash@1/256"))
            // A home that would be made with it is not made.
            for place in [["-n", "project/new"], ["--store", shell.folder + "/other"]] {
                let stopped = try shell.run(["remember", "a"] + place, environment: environment)
                #expect(stopped.status == 2 && stopped.errors.contains("\(variable): "), "\(stopped)")
            }
            #expect(try shell.loci("homes").lines.count == 1)
            #expect(!FileManager.default.fileExists(atPath: shell.folder + "/other"))
            let named = try shell.loci("remember", "a", "-n", "project/new", "--embedder", "hash")
            #expect(named.status == 0, "\(named)")
        }
    }

    @Test func `tells by its health a model or table that is wrong from one that is not there`() throws {
        try Shell.run { shell in
            let absent = try shell.loci("embedders", "--health", "--json")
            #expect(absent.status == 0, "\(absent)")
            #expect(try Self.row("local", of: absent)["problem"]?.string?.contains("make model") == true)
            for (variable, name) in [("LOCI_MODEL", "local"), ("LOCI_TOKEN_TABLE", "table")] {
                let environment = [variable: shell.folder + "/gone"]
                let wrong = try shell.loci("embedders", "--health", environment: environment)
                #expect(wrong.status == 1 && wrong.output.contains("\(variable): "), "\(name): \(wrong)")
                #expect(wrong.output.contains("not usable"))
                #expect(try shell.loci("embedders", environment: environment).status == 0)
            }
            let model = try Self.model(shell)
            try shell.write("{", to: "model/config.json")
            let damaged = try shell.loci("embedders", "--health", environment: ["LOCI_MODEL": model])
            #expect(
                damaged.status == 1 && damaged.output.contains("config.json")
                    && damaged.output.contains("make model") && !damaged.output.contains("loci check"),
                "\(damaged)")
            // One that is in its place, and unnamed.
            let place = shell.folder + "/cache/loci/models"
            try shell.write("no table", to: "cache/loci/models/loci-tokens.safetensors")
            let there = try shell.loci(
                "embedders", "--health", environment: ["XDG_CACHE_HOME": shell.folder + "/cache"])
            #expect(there.status == 1 && there.output.contains(place), "\(there)")
            let address = ["LOCI_EMBEDDINGS_URL": "ftp://host", "HOME": shell.folder]
            let settings = address.merging(
                ["LOCI_EMBEDDINGS_MODEL": "tiny", "LOCI_EMBEDDINGS_DIMENSION": "4"]) { $1 }
            #expect(try shell.loci("embedders", "--health", environment: address).status == 0)
            let service = try shell.loci("embedders", "--health", environment: settings)
            #expect(service.status == 1 && service.output.contains("LOCI_EMBEDDINGS_URL"), "\(service)")
        }
    }

    // MARK: Costs

    @Test func `lists what there is where costs are damaged, and stops only for a cap`() throws {
        try Shell.run { shell in
            let server = try LoopbackServer { request, _ in Self.vectors(request) }
            var environment = Self.environment(shell, server)
            let path = try shell.write("{\"2026", to: ".local/state/loci/costs.json")
            let listed = try shell.loci("embedders", environment: environment)
            #expect(listed.status == 0 && listed.output.contains("tiny/4/cosine"), "\(listed)")
            #expect(listed.errors.contains(path) && listed.errors.contains("remove it"), "\(listed)")
            let rows = try shell.loci("embedders", "--json", environment: environment)
            #expect(rows.lines.count == 10 && rows.errors.hasPrefix("{\"note\":"), "\(rows)")
            let made = try shell.loci(
                "remember", "the deploy failed", "--embedder", "server", environment: environment)
            #expect(
                made.status == 0 && made.errors.contains("costs are not counted: \(path)")
                    && !made.errors.contains("without its vector"), "\(made)")
            #expect(made.errors.split(separator: "\n").count { $0.contains(path) } == 1)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "{\"2026")
            environment["LOCI_CAP_SERVER_TOKENS"] = "1000"
            let stopped = try shell.loci("embed", "a", "--embedder", "server", environment: environment)
            #expect(stopped.status == 1 && stopped.errors.contains(path), "\(stopped)")
            let health = try shell.loci("embedders", "--health", environment: environment)
            #expect(health.status == 1 && health.output.contains(path), "\(health)")
        }
    }

    @Test func `says why a memory has no vector, and that a cap is reached`() throws {
        try Shell.run { shell in
            let server = try LoopbackServer { request, _ in Self.vectors(request) }
            var environment = Self.environment(shell, server)
            let made = try shell.loci(
                "remember", "the deploy failed", "--embedder", "server", "--json", environment: environment)
            #expect(made.status == 0 && !made.output.contains("failures"), "\(made)")
            let refused = try shell.loci("remember", "a refused text", environment: environment)
            #expect(
                refused.status == 0 && refused.errors.contains("without its vector in tiny/4/cosine")
                    && refused.errors.contains("the text is too long")
                    && refused.errors.contains("`loci reembed -n project/atlas`"), "\(refused)")
            #expect(refused.errors.split(separator: "\n").count == 1)
            environment["LOCI_CAP_SERVER_TOKENS"] = "7"
            let capped = try shell.loci("remember", "another", "--json", environment: environment)
            let reasons = try JSONParser.parse(capped.output)["failures"]?.array?.compactMap(\.string) ?? []
            #expect(reasons.count == 1 && reasons[0].contains("server has a cap of 7 tokens"), "\(capped)")
            let health = try shell.loci("embedders", "--health", environment: environment)
            #expect(
                health.status == 1 && health.output.contains("capped")
                    && health.output.contains("cap reached: server has a cap of 7 tokens"), "\(health)")
            // Which setting is of another space.
            environment["LOCI_EMBEDDINGS_MODEL"] = "large"
            let other = try shell.loci("remember", "a third", environment: environment)
            #expect(
                other.status == 0
                    && other.errors.contains("LOCI_EMBEDDINGS_MODEL is `large`, and the space is of `tiny`"),
                "\(other)")
        }
    }

    @Test func `shows no dollars where no price is known`() throws {
        try Shell.run { shell in
            let day = Timestamp.now.day
            try shell.write(
                "{\"\(day)\":{\"runpod\":{\"requests\":1,\"texts\":1,\"seconds\":1.5},\"server\":{\"requests\":1,\"tokens\":7}}}",
                to: ".local/state/loci/costs.json")
            let environment = ["HOME": shell.folder]
            let costs = try shell.loci("embedders", "--costs", environment: environment)
            #expect(costs.output.contains("1.5 seconds, price not known"), "\(costs)")
            #expect(costs.output.contains("7 tokens, 0.0000 dollars"))
            let rows = try shell.loci("embedders", "--costs", "--json", environment: environment).lines.map {
                try JSONParser.parse($0)
            }
            #expect(rows.map { $0["service"]?.string } == ["runpod", "server"])
            #expect(rows[0]["dollars"] == .null && rows[1]["dollars"]?.number == 0)
        }
    }

    // MARK: Ways out

    @Test func `tells which spaces there are to go over to`() throws {
        try Shell.run { shell in
            try shell.loci("remember", "a", "--vector", "mine/3=[1,0,0]", "--new-space")
            for (into, status, part) in [
                ("nonsense", 64, "write MODEL@REVISION/DIMENSION/METRIC"),
                ("other/3", 1, "nothing makes vectors of texts in other/3/cosine"),
            ] as [(String, Int32, String)] {
                let answer = try shell.loci("reembed", "--into", into)
                #expect(answer.status == status && answer.errors.contains(part), "\(answer)")
                #expect(
                    answer.errors.contains("there are embedders of loci-hash@1/256/cosine")
                        && answer.errors.contains("project/atlas has vectors in mine/3/cosine"), "\(answer)")
            }
            #expect(try shell.loci("reembed", "--into", "loci-hash@1/256").status == 0)
            let none = try shell.loci("reembed", "--embedder", "none")
            #expect(none.status == 64 && none.errors.contains("--embedder none makes no vectors"), "\(none)")
        }
    }

    @Test func `writes no setting that is not one line, or not of the file`() throws {
        try Shell.run { shell in
            func set(_ name: String, _ input: String) throws -> Shell.Answer {
                try shell.loci("embedders", "--set", name, input: Array(input.utf8))
            }
            let two = try set("JINA_API_KEY", "one-key\nanother-key\n")
            #expect(two.status == 1 && two.errors.contains("more than a line"), "\(two)")
            #expect(!two.errors.contains("another-key"))
            for (name, part) in [
                ("LOCI_MODEL=/path", "LOCI_MODEL is read from the environment alone"),
                ("LOCI_TOKEN_TABLE", "LOCI_TOKEN_TABLE is read from the environment alone"),
                ("JINA_API_KEY=secret", "write --set JINA_API_KEY alone"),
            ] {
                let refused = try set(name, "word\n")
                #expect(refused.status == 64 && refused.errors.contains(part), "\(refused)")
                #expect(!refused.errors.contains("secret") && !refused.errors.contains("/path"), "\(refused)")
            }
            #expect(!FileManager.default.fileExists(atPath: shell.folder + "/.env"))
            #expect(try set("JINA_API_KEY", "one-key\n\n").status == 0)
        }
    }
}
