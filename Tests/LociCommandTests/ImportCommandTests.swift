import Foundation
import MemoryEngine
import TestSupport
import Testing

@testable import loci

@Suite struct `The command, asked to import` {
    /// A service that is down, or refuses requests with a text that has `long` in it.
    private final class Service: Sendable {
        private let state = Mutex<(isDown: Bool, texts: [String])>((false, []))

        var isDown: Bool {
            get { state.withLock { $0.isDown } }
            set { state.withLock { $0.isDown = newValue } }
        }
        var texts: [String] { state.withLock { $0.texts } }

        func answer(_ request: LoopbackServer.Request) -> String {
            struct Question: Decodable { let input: [String] }
            let input = (try? JSONDecoder().decode(Question.self, from: Data(request.body)))?.input ?? []
            state.withLock { $0.texts += input }
            guard !isDown else { return LoopbackServer.reply("401 Unauthorized") }
            guard !input.contains(where: { $0.contains("long") }) else {
                return LoopbackServer.reply("400 Bad Request", #"{"error":"over 8192 tokens"}"#)
            }
            let vectors = input.map { _ in #"{"embedding":[0,1,0,0]}"# }.joined(separator: ",")
            return LoopbackServer.reply("200 OK", #"{"data":[\#(vectors)],"model":"tiny"}"#)
        }
    }

    private func withService(
        _ body: (Shell, Service, (_ arguments: [String]) throws -> Shell.Answer) throws -> Void
    ) throws {
        try Shell.run { shell in
            let service = Service()
            let server = try LoopbackServer { request, _ in service.answer(request) }
            let environment = [
                "LOCI_EMBEDDINGS_URL": server.url("/v1"), "LOCI_EMBEDDINGS_MODEL": "tiny",
                "LOCI_EMBEDDINGS_DIMENSION": "4", "HOME": shell.folder,
            ]
            try body(shell, service) { try shell.run($0, environment: environment) }
        }
    }

    private static let lines = ["one", "two", "a long one", "four", "a long one too", "six"]
        .map { "{\"content\":\"\($0)\"}\n" }.joined()

    @Test func `names the line of a text that the embedder refuses, and leaves it out where that is said`()
        throws
    {
        try withService { shell, service, loci in
            try shell.write(Self.lines, to: "facts.jsonl")
            let stopped = try loci(["import", "facts.jsonl", "--embedder", "server"])
            #expect(stopped.status == 1)
            #expect(
                stopped.errors.contains("facts.jsonl: line 3: tiny/4/cosine refuses the text: ")
                    && stopped.errors.contains("over 8192 tokens")
                    && stopped.errors.hasSuffix("; --on-error skip leaves it out\n"), "\(stopped.errors)")
            // Nothing is made for what is not stored.
            #expect(try loci(["homes"]).output.isEmpty && !stopped.errors.contains("stays"))

            let skipped = try loci(["import", "facts.jsonl", "--embedder", "server", "--on-error", "skip"])
            #expect(
                skipped.status == 0 && skipped.output.hasPrefix("4 new, 0 known already, 2 left out"),
                "\(skipped)")
            for line in [3, 5] {
                #expect(
                    skipped.errors.contains("facts.jsonl: line \(line): tiny/4/cosine refuses"), "\(skipped)")
            }
            #expect(try loci(["list", "--json"]).lines.count == 4)
            #expect(try loci(["spaces"]).output.contains("4 vectors  tiny/4/cosine  used"))
            // The way of another unit.
            try shell.write("# A\n\nshort\n\n# B\n\na long section\n", to: "doc.md")
            let text = try loci(["import", "doc.md", "--embedder", "server", "--batch", "1"])
            #expect(
                text.status == 1 && text.errors.contains("doc.md: line 7: tiny/4/cosine"), "\(text.errors)")
            #expect(
                text.errors.hasPrefix(
                    "1 new, 0 known already before it stopped: that stays, and running it again brings only the rest\n"
                ), "\(text.errors)")
            let rest = try loci(["import", "doc.md", "--on-error", "skip"])
            #expect(rest.output.hasPrefix("0 new, 1 known already, 1 left out"), "\(rest)")
        }
    }

    @Test
    func `leaves out nothing while the service fails, and leaves a home that the next embedder may have`()
        throws
    {
        try withService { shell, service, loci in
            try shell.write(Self.lines, to: "facts.jsonl")
            service.isDown = true
            let failed = try loci(["import", "facts.jsonl", "--embedder", "server", "--on-error", "skip"])
            #expect(failed.status == 1 && failed.errors.contains("401"), "\(failed)")
            #expect(!failed.errors.contains("refuses the text"), "\(failed)")
            // All at once, and one that it would take.
            #expect(service.texts.count == 6 + 1)
            let other = try loci(["import", "facts.jsonl", "--embedder", "hash"])
            #expect(other.status == 0 && other.output.hasPrefix("6 new"), "\(other)")
            #expect(
                try loci(["spaces"]).output == "           6 vectors  loci-hash@1/256/cosine  used\n")
            #expect(service.texts.count == 7)
        }
    }

    @Test func `and then to reembed by another, says how to go over to its space`() throws {
        try withService { shell, service, loci in
            #expect(try loci(["remember", "The deploy failed.", "--embedder", "hash"]).status == 0)
            for arguments in [["reembed"], ["reembed", "--estimate"]] {
                let own = try loci(arguments)
                #expect(own.status == 0 && !own.errors.contains("--embedder"), "\(own)")
                let told = try loci(arguments + ["--embedder", "server"])
                #expect(told.status == 0)
                #expect(
                    told.errors.contains(
                        "project/atlas has its vectors in loci-hash@1/256/cosine, and goes on with them: --embedder is for new "
                            + "homes; `loci reembed -n project/atlas --into tiny/4/cosine` goes over to the space of server"
                    ),
                    "\(told.errors)")
            }
            #expect(service.texts.isEmpty)
            #expect(try !loci(["reembed", "--embedder", "hash"]).errors.contains("--embedder"))
            let over = try loci(["reembed", "-n", "project/atlas", "--into", "tiny/4/cosine"])
            #expect(over.status == 0 && over.output.contains("1 vector added"), "\(over)")
            #expect(service.texts == ["The deploy failed."])
        }
    }

    @Test func `tells a program numbers that add up`() throws {
        try Shell.run { shell in
            let lines = [
                #"{"content":"one"}"#, "", #"{"content":"two"}"#, #"{"content":"one"}"#, #"{"content":7}"#,
            ]
            let path = try shell.write(lines.joined(separator: "\n"), to: "lines.jsonl")
            let told = try shell.loci("import", path, "--json", "--on-error", "skip")
            #expect(
                told.output
                    == #"{"committed":3,"new":2,"known":1,"failed":1,"line":5,"source":"lines.jsonl"}"#
                    + "\n",
                "\(told)")
        }
    }

    @Test func `says how many lines have a namespace of their own, where another one was said`() throws {
        try Shell.run { shell in
            try shell.write(
                """
                {"content":"one"}
                {"content":"two","namespace":"user/ada"}
                {"content":"three","namespace":"project/atlas"}
                {"content":"four","namespace":"project/atlas/session/s"}

                """, to: "facts.jsonl")
            let set = try shell.loci("import", "facts.jsonl")
            #expect(
                set.errors
                    == "2 lines name a namespace other than project/atlas, which goes before LOCI_NAMESPACE: what they say is there\n"
            )
            let told = try shell.loci("import", "facts.jsonl", "-n", "project/atlas", "--batch", "1")
            #expect(
                told.errors
                    == "2 lines name a namespace other than project/atlas, which goes before --namespace: what they say is there\n"
            )
            #expect(try shell.loci("list", "-n", "user/ada", "--json").lines.count == 1)
            // So do those of an export.
            let all = try shell.loci("export", "-n", "user/ada")
            try shell.write(all.output, to: "export.jsonl")
            let again = try shell.loci("import", "export.jsonl", "-n", "project/other", "--json")
            #expect(again.status == 0, "\(again.errors)")
            let note = try JSONParser.parse(again.errors)
            #expect(note["elsewhere"]?.number == 1, "\(again.errors)")
            #expect(try shell.loci("list", "-n", "project/other").status == ExitStatus.notFound)
        }
    }
}
