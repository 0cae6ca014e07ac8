import Foundation
import TestSupport
import Testing

@testable import loci

@Suite struct `The command's choice of an embedder` {
    @Test func `is the model that is there, for new homes, and is said`() throws {
        try Shell.run { shell in
            let model = shell.folder + "/model"
            try TinyModel(seed: 1).write(to: model)
            let environment = ["LOCI_MODEL": model]
            // A home that began without a model goes on without it.
            #expect(try shell.loci("remember", "the token failed").errors.isEmpty)
            #expect(try shell.loci("remember", "the deploy failed", environment: environment).errors.isEmpty)
            #expect(
                try shell.loci("spaces", environment: environment).output.contains(
                    "2 vectors  loci-hash@1/256"))
            let home = ["-n", "project/new"]
            #expect(
                try shell.run(["remember", "the deploy failed"] + home, environment: environment).status == 0)
            let spaces = try shell.run(["spaces"] + home, environment: environment).output
            #expect(spaces.contains("1 vector   bert-2x12@") && spaces.contains("used"), "\(spaces)")
            let recalled = try shell.run(["recall", "deploy"] + home, environment: environment)
            #expect(recalled.output.contains("vectors of bert-2x12"), "\(recalled.output)")

            let store = shell.folder + "/other"
            let first = try shell.loci("remember", "a", "--store", store, environment: environment)
            #expect(first.errors.contains("bert-2x12@") && first.errors.contains(model), "\(first.errors)")
        }
    }

    @Test func `can be said, and is refused where it cannot be`() throws {
        try Shell.run { shell in
            let model = shell.folder + "/model"
            try TinyModel(seed: 1).write(to: model)
            let environment = ["LOCI_MODEL": model]
            try shell.loci("remember", "a token", "--embedder", "hash", environment: environment)
            #expect(try shell.loci("spaces").output.contains("loci-hash"))
            let none = try shell.loci("remember", "a token", "--embedder", "local")
            #expect(none.status == 2 && none.errors.contains("make model"), "\(none.errors)")
            let gone = try shell.loci(
                "remember", "a", "-n", "project/new", environment: ["LOCI_MODEL": shell.folder + "/gone"])
            #expect(gone.status == 2 && gone.errors.contains(shell.folder + "/gone"), "\(gone.errors)")
            try shell.write("no weights", to: "model/model.safetensors")
            let damaged = try shell.loci("remember", "a", "-n", "project/new", environment: environment)
            #expect(damaged.status == 1 && damaged.errors.contains("make model"), "\(damaged.errors)")
        }
    }

    @Test func `prints vectors, a line for a text`() throws {
        try Shell.run { shell in
            let model = shell.folder + "/model"
            try TinyModel(seed: 1).write(to: model)
            let environment = ["LOCI_MODEL": model]
            try shell.write("the token failed\r\nthe deploy failed\nthe token failed\n", to: "texts")
            let lines = try shell.loci("embed", "--lines", "texts", "--json", environment: environment)
            #expect(lines.status == 0 && lines.errors.isEmpty, "\(lines.errors)")
            let vectors = try lines.output.split(separator: "\n").map { line in
                try #require(JSONParser.parse(String(line)).array).map { Float($0.number ?? .nan) }
            }
            #expect(vectors.map(\.count) == [12, 12, 12])
            #expect(vectors[0] == vectors[2] && vectors[0] != vectors[1])
            #expect(abs(vectors[1].reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
            let plain = try shell.loci(
                "embed", "the token failed", "the deploy failed", environment: environment)
            #expect(
                plain.output.split(separator: "\n").map { $0.split(separator: " ").compactMap { Float($0) } }
                    == [vectors[0], vectors[1]])
            let hashed = try shell.loci(
                "embed", "x", "--embedder", "hash", "--json", environment: environment)
            #expect(try JSONParser.parse(hashed.output).array?.count == 256)
            let piped = try shell.bash("printf 'the token failed' | loci embed - --json")
            #expect(try JSONParser.parse(piped.output).array?.count == 256)

            try shell.write("one\n \n", to: "texts")
            let empty = try shell.loci("embed", "--lines", "texts")
            #expect(
                empty.status == 1 && empty.errors == "loci: line 2 of texts is empty\n", "\(empty.errors)")
            #expect(try shell.loci("embed", "--lines", "none").status == 2)
            #expect(try shell.loci("embed").status == 64)
            #expect(try shell.loci("embed", "x", "--lines", "texts").status == 64)
            #expect(try shell.loci("embed", "x", "--embedder", "none").status == 64)
        }
    }
}
