import Testing

@testable import loci

@Suite struct `The command, asked for embedding spaces` {
    @Test func `shows, switches and drops them`() throws {
        try Shell.run { shell in
            try shell.remember("The deploy failed.")
            let hash = "loci-hash@1/256/cosine"
            #expect(try shell.loci("spaces").output == "           1 vectors  \(hash)  used\n")
            try shell.write(
                "{\"content\":\"The token expired.\",\"vectors\":{\"other/3\":[1,0,0],\"\(hash)\":[1\(String(repeating: ",0", count: 255))]}}\n",
                to: "other.jsonl")
            let imported = try shell.loci("import", "other.jsonl")
            #expect(imported.status == 0, "\(imported.errors)")
            #expect(
                try shell.loci("spaces").output
                    == "           2 vectors  \(hash)  used\n           1 vectors  other/3/cosine\n")
            // The first memory would lose its vector.
            let refused = try shell.loci("spaces", "--use", "other/3")
            #expect(
                refused.status == 1 && refused.errors.contains("none in other/3/cosine"), "\(refused.errors)")
            #expect(try shell.loci("spaces", "--drop", hash).status == 1)
            let dropped = try shell.loci("spaces", "--drop", "other/3")
            #expect(dropped.output == "1 vectors dropped\n           2 vectors  \(hash)  used\n")
            #expect(try shell.loci("spaces", "--drop", "other/3").status == 2)
            let line = try JSONParser.parse(shell.loci("spaces", "--json").output)
            #expect(
                line["space"]?.string == hash && line["isUsed"]?.bool == true && line["vectors"]?.number == 2)
            #expect(try shell.loci("spaces", "--use", "other").status == 64)
            #expect(try shell.loci("check").status == 0)
            // A home without vectors may begin with any.
            try shell.loci("remember", "Without a vector.", "-n", "user/ada", "--embedder", "none")
            #expect(
                try shell.loci("spaces", "--use", "other/3", "-n", "user/ada").output
                    == "           0 vectors  other/3/cosine  used\n")
            let asked = try shell.loci("recall", "vector", "-n", "user/ada")
            #expect(
                asked.status == 0 && (asked.output + asked.errors).contains("no embedder of it"), "\(asked)")
        }
    }
}
