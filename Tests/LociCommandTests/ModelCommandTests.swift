import Foundation
import TestSupport
import Testing

@testable import loci

@Suite struct `The command's table of tokens` {
    @Test func `is made of a model, and serves new homes where there is no model`() throws {
        try Shell.run { shell in
            let model = shell.folder + "/model"
            try TinyModel(seed: 1).write(to: model)
            let path = shell.folder + "/cache/table"
            let environment = ["LOCI_TOKEN_TABLE": path]
            let missing = try shell.loci("embed", "a", "--embedder", "table")
            #expect(missing.status == 2 && missing.errors.contains("loci model distil"), "\(missing.errors)")

            let made = try shell.loci("model", "distil", "--model", model, environment: environment)
            #expect(
                made.status == 0 && made.output.hasPrefix("\(path): 64 tokens of bert-2x12-tokens@"),
                "\(made)")
            let listed = try shell.loci("embedders", "--json", environment: environment)
            let rows = try listed.lines.map { try JSONParser.parse($0) }
            let row = try #require(rows.first { $0["name"]?.string == "table" })
            let space = try #require(row["space"]?.string)
            #expect(row["isConfigured"]?.bool == true && made.output.contains(space))

            let first = try shell.loci("remember", "the deploy failed", environment: environment)
            #expect(
                first.status == 0 && first.errors.contains(space) && first.errors.contains(path), "\(first)")
            let recalled = try shell.loci("recall", "deploy", environment: environment)
            #expect(recalled.output.contains("vectors of bert-2x12-tokens"), "\(recalled)")
            // A home goes on with the space that it has, and says what it lacks where the table is gone.
            let gone = try shell.loci("recall", "deploy")
            #expect(
                gone.status == 0
                    && gone.errors.contains("vectors in \(space): no table of tokens is there"),
                "\(gone)")
            // A wrong setting stops who would make homes with it, and nobody else.
            let wrong = ["LOCI_TOKEN_TABLE": path + ".old", "LOCI_MODEL": ""]
            #expect(try shell.loci("list", environment: wrong).output == shell.loci("list").output)
            let asked = try shell.loci("recall", "deploy", environment: wrong)
            #expect(
                asked.status == 0
                    && asked.errors.contains("vectors in \(space): LOCI_TOKEN_TABLE: there is no table"),
                "\(asked)")
            let refused = try shell.loci("remember", "It was renewed.", environment: wrong)
            #expect(refused.status == 2 && refused.errors.contains("LOCI_TOKEN_TABLE: "), "\(refused)")
            // A damaged one is told by who lists them.
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            bytes[bytes.count - 9] ^= 1
            try bytes.write(to: URL(fileURLWithPath: path))
            let damaged = try shell.loci("embedders", "--json", environment: environment)
            let state = try damaged.lines.map { try JSONParser.parse($0) }
                .first { $0["name"]?.string == "table" }
            #expect(state?["isConfigured"]?.bool == false, "\(damaged.output)")
        }
    }

    @Test func `is told in JSON, and of a corpus and a dimension`() throws {
        try Shell.run { shell in
            try TinyModel(seed: 1).write(to: shell.folder + "/model")
            try shell.write(String(repeating: "the token\n", count: 30_000), to: "texts")
            func distil(_ more: String...) throws -> JSONValue {
                let answer = try shell.run(
                    ["model", "distil", "--model", "model", "--out", "table", "--json"] + more)
                #expect(answer.status == 0, "\(answer.errors)")
                return try JSONParser.parse(answer.output)
            }
            let plain = try distil()
            #expect(plain["path"]?.string == "table" && plain["tokens"]?.number == 64)
            let size =
                try FileManager.default.attributesOfItem(atPath: shell.folder + "/table")[.size] as? Int
            #expect(plain["bytes"]?.number == size.map(Double.init) && plain["seconds"]?.number != nil)
            #expect(try distil()["space"] == plain["space"])
            #expect(try distil("--corpus", "texts")["space"] != plain["space"])
            #expect(try distil("--dimension", "7")["space"]?.string?.hasSuffix("/7/cosine") == true)
            let wide = try shell.loci(
                "model", "distil", "--model", "model", "--out", "table", "--dimension", "13")
            #expect(wide.status == 1 && wide.errors.contains("has 12"), "\(wide.errors)")
            try shell.write("\u{FF}", to: "texts")
            try Data([0xFF, 0x0A]).write(to: URL(fileURLWithPath: shell.folder + "/texts"))
            let bad = try shell.loci(
                "model", "distil", "--model", "model", "--out", "table", "--corpus", "texts")
            #expect(bad.status == 1 && bad.errors.contains("line 1 of texts"), "\(bad.errors)")
            #expect(try shell.loci("model", "distil", "--model", "none", "--out", "table").status == 2)
            #expect(try shell.loci("model", "distil").status == 64)
        }
    }
}
