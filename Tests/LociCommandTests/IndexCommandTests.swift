import MemoryEngine
import Testing

@testable import loci

private func json(_ text: String) throws -> JSONValue { try JSONParser.parse(text) }

@Suite struct `The command, asked for its vector indexes` {
    @Test func `says that few vectors are all compared`() throws {
        try Shell.run { shell in
            try shell.remember("The deploy failed.")
            let index = try shell.loci("index")
            #expect(
                index.status == 0 && index.output.contains("none: its 1 vector is compared"),
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

    /// A store as a program leaves it that was ended before its vectors, of 16 KiB each, were linked.
    private func leaveUnlinked(_ count: Int = 540, at path: String) async throws {
        var random = SplitMix64(seed: 4)
        let space = EmbeddingSpace(model: "wide", dimension: 4_096)
        let drafts = (0..<count).map { number in
            var draft = MemoryDraft("Memory \(number)")
            draft.key = "\(number)"
            let vector = (0..<8).map { _ in Float(Int(random.next() % 2_001) - 1_000) }
            draft.embeddings = [Embedding(vector + [Float](repeating: 0, count: 4_088), in: space)]
            return draft
        }
        let engine = try Engine.open(at: path)
        _ = try await engine.remember(drafts, in: .project("atlas"))
        await engine.close()
    }

    private func wide(_ shell: Shell) throws -> JSONValue {
        let lines = try shell.loci("index", "--json", "--sample", "0").lines.map { try json($0) }
        return try #require(lines.first { $0["space"]?.string == "wide/4096/cosine" })
    }

    @Test(arguments: [
        ["reembed"], ["forget", "7"], ["tune", "index", "--sample", "10", "--json"],
        ["import", "known.jsonl"],
    ])
    func `is told of whole ones after verbs that may take long`(verb: [String]) async throws {
        try await Shell.lend { shell in
            try await leaveUnlinked(at: shell.store)
            try shell.write("{\"content\":\"Memory 8\",\"key\":\"8\"}\n", to: "known.jsonl")
            #expect(try #require(wide(shell)["unlinked"]?.number) > 0)
            let answer = try shell.run(verb)
            #expect(answer.status == 0, "\(answer.errors)")
            let index = try wide(shell)
            #expect(index["unlinked"]?.number == 0 && index["waiting"]?.number == 0)
            #expect(try #require(index["nodes"]?.number) > 500)
            if verb[0] == "tune" { #expect(try json(answer.output)["curveNodes"] == index["nodes"]) }
        }
    }

    @Test func `links for two seconds after a short verb, and says what is left`() async throws {
        try await Shell.lend { shell in
            try await leaveUnlinked(at: shell.store)
            let answer = try shell.loci("remember", "One more.", "--embedder", "none")
            #expect(answer.status == 0, "\(answer.errors)")
            let isWhole = try wide(shell)["unlinked"]?.number == 0
            #expect(isWhole || answer.errors.contains("`loci tune index -n project/atlas` finishes it"))
        }
    }

    @Test(arguments: ["remember First. --embedder none", "forget 7"])
    func `lets another process write while it links`(verb: String) async throws {
        try await Shell.lend { shell in
            try await leaveUnlinked(at: shell.store)
            let answer = try shell.bash(
                """
                loci \(verb) > first 2> first.errors & first=$!
                until [ -s first ]; do kill -0 $first || exit 3; sleep 0.01; done
                # It tells its answer a moment before it gives way.
                until loci remember Second. --embedder none; do kill -0 $first || exit 4; done
                wait $first
                """)
            #expect(answer.status == 0, "\(answer.errors)")
            #expect(try shell.loci("recall", "Second", "--words-only").output.contains("Second."))
            #expect(try shell.loci("check").status == 0)
        }
    }

    @Test func `ends an import that is interrupted while it links, and says what is left`() async throws {
        // A quick machine has linked few vectors before the signal arrives.
        for count in [1_200, 4_800, 12_000] {
            if try await interruptsLinking(of: count) { return }
        }
        Issue.record("12,000 vectors were linked before the signal arrived")
    }

    /// Interrupts an import that links `count` vectors; false where it had linked them all by then.
    private func interruptsLinking(of count: Int) async throws -> Bool {
        try await Shell.lend { shell in
            try await leaveUnlinked(count, at: shell.store)
            try shell.write("{\"content\":\"One more.\",\"key\":\"more\"}\n", to: "more.jsonl")
            let answer = try shell.bash(
                """
                loci import more.jsonl --embedder none --threads 1 > out & import=$!
                until [ -s out ]; do kill -0 $import || exit 0; sleep 0.01; done
                kill -INT $import
                wait $import
                """)
            #expect(try shell.loci("get", "more").output.contains("One more."))
            if try wide(shell)["unlinked"]?.number == 0 { return false }
            #expect(answer.status == 130, "\(answer)")
            #expect(
                answer.errors.contains("vectors are linked")
                    && answer.errors.contains("what writes to it next goes on"), "\(answer.errors)")
            return true
        }
    }
}
