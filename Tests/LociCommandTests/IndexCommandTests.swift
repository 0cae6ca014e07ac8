import Testing

@testable import loci

private func json(_ text: String) throws -> JSONValue { try JSONParser.parse(text) }

@Suite struct `The command, asked for its vector indexes` {
    @Test func `says that few vectors are all compared`() throws {
        try Shell.run { shell in
            try shell.remember("The deploy failed.")
            let index = try shell.loci("index")
            #expect(
                index.status == 0 && index.output.contains("none: all 1 vectors are compared"),
                "\(index.output)")
            let tuned = try shell.loci("tune", "index", "--json")
            #expect(tuned.status == 0, "\(tuned.errors)")
            #expect(try json(tuned.output)["nodes"]?.number == 0)
            #expect(try json(tuned.output)["curve"] == nil)
            try shell.loci("remember", "Without a vector.", "-n", "user/ada", "--embedder", "none")
            #expect(try shell.loci("index", "-n", "user/ada").output == "user/ada: no vectors\n")
        }
    }

    /// 540 vectors of 16 KiB are more than the 8 MiB from which there is a graph.
    @Test func `shows the graph, and the curve once it was measured`() throws {
        try Shell.run { shell in
            var random = SplitMix64(seed: 3)
            let zeros = String(repeating: ",0", count: 4_088)
            var lines = ""
            for number in 0..<540 {
                let vector = (0..<8).map { _ in "\(Int(random.next() % 2_001) - 1_000)" }.joined(
                    separator: ",")
                lines +=
                    "{\"content\":\"Memory \(number)\",\"vectors\":{\"wide/4096\":[\(vector)\(zeros)]}}\n"
            }
            try shell.write(lines, to: "wide.jsonl")
            let imported = try shell.loci("import", "wide.jsonl", "--embedder", "none", "--threads", "2")
            #expect(imported.status == 0, "\(imported.errors)")
            let before = try json(shell.loci("index", "--json").output)
            #expect(try #require(before["nodes"]?.number) > 500)
            #expect(try #require(before["recall"]?.number) > 0.9)
            #expect(before["curve"] == nil)
            #expect(before["degrees"]?.array?.count == 33)
            #expect(try shell.loci("index", "--sample", "0").output.contains("not measured: loci tune index"))

            let tuned = try shell.loci("tune", "index", "--sample", "20")
            #expect(tuned.status == 0 && tuned.output.contains("20 questions"), "\(tuned.output)")
            let after = try json(shell.loci("index", "--json", "--sample", "0").output)
            #expect(try #require(after["curve"]?.array).count > 0)
            #expect(after["recall"] == nil)
            #expect(try shell.loci("check").status == 0)

            #expect(try shell.loci("rebuild", "--threads", "3").status == 0)
            #expect(try json(shell.loci("index", "--json", "--sample", "0").output)["curve"] == nil)
            #expect(try shell.loci("rebuild", "--threads", "0").status == 64)
            #expect(try shell.loci("index", "--sample", "x").status == 64)
        }
    }
}
