import Testing

@testable import loci

@Suite struct `The command, asked for embedding spaces` {
    @Test func `shows, switches and drops them`() throws {
        try Shell.run { shell in
            try shell.remember("The deploy failed.")
            let hash = "loci-hash@1/256/cosine"
            #expect(try shell.loci("spaces").output == "           1 vector   \(hash)  used\n")
            try shell.write(
                "{\"content\":\"The token expired.\",\"vectors\":{\"other/3\":[1,0,0],\"\(hash)\":[1\(String(repeating: ",0", count: 255))]}}\n",
                to: "other.jsonl")
            let imported = try shell.loci("import", "other.jsonl")
            #expect(imported.status == 0, "\(imported.errors)")
            #expect(
                try shell.loci("spaces").output
                    == "           2 vectors  \(hash)  used\n           1 vector   other/3/cosine\n")
            // The first memory would lose its vector.
            let refused = try shell.loci("spaces", "--use", "other/3")
            #expect(
                refused.status == 1 && refused.errors.contains("none in other/3/cosine"), "\(refused.errors)")
            #expect(try shell.loci("spaces", "--drop", hash).status == 1)
            let dropped = try shell.loci("spaces", "--drop", "other/3")
            #expect(dropped.output == "1 vector dropped\n           2 vectors  \(hash)  used\n")
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

    @Test func `goes back from a space that has no embedder`() throws {
        try Shell.run { shell in
            try shell.loci(
                "remember", "The deploy failed.", "--vector", "other/3=[1,0,0]", "--embedder", "none")
            let used = try shell.loci("spaces", "--use", "other/3")
            let way = "loci spaces -n project/atlas --use loci-hash@1/256/cosine"
            #expect(used.status == 0 && used.errors.contains(way), "\(used.errors)")
            let id = try shell.remember("The token expired.")
            #expect(
                try shell.loci("spaces", "--json").lines.map { try JSONParser.parse($0)["space"]?.string }
                    == [
                        "other/3/cosine"
                    ])
            #expect(try shell.bash(way).status == 0)
            #expect(
                try shell.loci("spaces").output
                    == "           1 vector   other/3/cosine\n           2 vectors  loci-hash@1/256/cosine  used\n"
            )
            let asked = try shell.loci("recall", "token", "--vectors-only", "--json")
            #expect(asked.output.contains(id), "\(asked.output)")
        }
    }

    @Test func `makes a second one only where that is said`() throws {
        try Shell.run { shell in
            #expect(
                try shell.loci("remember", "a", "--vector", "mini/3=[1,0,0]", "--embedder", "none").status
                    == 0)
            let refused = try shell.loci("remember", "b", "--vector", "mini/3/l2=[1,0,0]")
            #expect(
                refused.status == 1 && refused.errors.contains("only in mini/3/cosine")
                    && refused.errors.contains("--new-space"), "\(refused.errors)")
            #expect(try shell.loci("list", "--json").lines.count == 1)
            for space in ["mini/3", "max/3"] {
                let made = try shell.loci(
                    "remember", "In \(space).", "--vector", "\(space)=[0,1,0]", "--new-space", "--key", space)
                #expect(made.status == 0, "\(made.errors)")
            }
            #expect(try shell.loci("update", "mini/3", "--vector", "min/3=[0,1,1]").status == 1)
            #expect(try shell.loci("update", "mini/3", "--vector", "max/3=[0,1,1]").status == 0)
        }
    }
}
