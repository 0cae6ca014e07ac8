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
            let gone = try shell.loci("remember", "a", environment: ["LOCI_MODEL": shell.folder + "/gone"])
            #expect(gone.status == 2 && gone.errors.contains(shell.folder + "/gone"), "\(gone.errors)")
            try shell.write("no weights", to: "model/model.safetensors")
            let damaged = try shell.loci("remember", "a", "-n", "project/new", environment: environment)
            #expect(damaged.status == 1 && damaged.errors.contains("make model"), "\(damaged.errors)")
        }
    }
}
