import Foundation
import MemoryEngine
import TestSupport
import Testing

@testable import Server

@Suite struct `An import over a connection` {
    /// A service that is down, or refuses requests with a text that has `long` in it.
    private final class Service: Sendable {
        private let state = Mutex(false)

        var isDown: Bool {
            get { state.withLock { $0 } }
            set { state.withLock { $0 = newValue } }
        }

        func answer(_ request: LoopbackServer.Request) -> String {
            struct Question: Decodable { let input: [String] }
            let input = (try? JSONDecoder().decode(Question.self, from: Data(request.body)))?.input ?? []
            guard !isDown else { return LoopbackServer.reply("401 Unauthorized") }
            guard !input.contains(where: { $0.contains("long") }) else {
                return LoopbackServer.reply("400 Bad Request", #"{"error":"over 8192 tokens"}"#)
            }
            let vectors = input.map { _ in #"{"embedding":[0,1,0,0]}"# }.joined(separator: ",")
            return LoopbackServer.reply("200 OK", #"{"data":[\#(vectors)],"model":"tiny"}"#)
        }
    }

    private func serve(_ body: (Service, ServedProcess, LociProgram) throws -> Void) throws {
        let service = Service()
        let server = try LoopbackServer { request, _ in service.answer(request) }
        let served = try ServedProcess(
            "--embedder", "server",
            after: """
                export HOME=$PWD LOCI_EMBEDDINGS_URL=\(server.url("/v1")) LOCI_EMBEDDINGS_MODEL=tiny \
                  LOCI_EMBEDDINGS_DIMENSION=4
                """)
        let loci = try LociProgram(["LOCI_MODEL": "", "LOCI_URL": "127.0.0.1:\(served.port)"])
        defer { loci.end() }
        try body(service, served, loci)
    }

    private static let lines = ["one", "two", "a long one", "four", "a long one too", "six"]
        .map { "{\"content\":\"\($0)\"}\n" }.joined()

    @Test
    func `names the line of a text that the server's embedder refuses, and leaves it out where that is said`()
        throws
    {
        try serve { _, served, loci in
            let none = try loci("import", "-", "-n", "project/none", input: "{\"content\":\"a long one\"}")
            #expect(none.status == 1 && none.errors.contains("line 1: tiny/4/cosine refuses"), "\(none)")
            #expect(try loci("homes").output.isEmpty)

            let stopped = try loci("import", "-", input: Self.lines)
            #expect(stopped.status == 1)
            #expect(
                stopped.errors.contains("-: line 3: tiny/4/cosine refuses the text: ")
                    && stopped.errors.contains("over 8192 tokens")
                    && stopped.errors.hasSuffix("; --on-error skip leaves it out\n"), "\(stopped.errors)")
            #expect(stopped.errors.hasPrefix("4 new, 0 known already before it stopped"), "\(stopped.errors)")

            let skipped = try loci("import", "-", "--on-error", "skip", "--json", input: Self.lines)
            #expect(
                skipped.output == #"{"committed":4,"new":0,"known":4,"failed":2,"line":6}"# + "\n",
                "\(skipped)")
            for line in [3, 5] {
                #expect(skipped.errors.contains("-: line \(line): tiny/4/cosine refuses"), "\(skipped)")
            }
            #expect(try loci.said("list", "--json").split(separator: "\n").count == 4)

            // Nothing is sent after the hundred with the one that is wrong.
            let many = (1...250).map { "{\"content\":\"\($0 == 150 ? "a long" : "Text") \($0).\"}" }
            let long = try loci(
                "import", "-", "-n", "project/many", input: many.joined(separator: "\n"))
            #expect(long.status == 1 && long.errors.contains("line 150: tiny"), "\(long.errors)")
            #expect(long.errors.hasPrefix("199 new"), "\(long.errors)")

            let client = try TestClient(port: served.port)
            _ = try client.ask("HELLO", "3")
            let told = try client.ask("MEM.REMEMBER", "project/atlas", "too long", "unlessrefused")
            guard case .map(let members) = told else { throw TestClient.Failure(description: "\(told)") }
            #expect(members.map(\.name) == ["refusals"] && "\(told)".contains("8192"), "\(told)")
            #expect(
                try client.ask("MEM.REMEMBER", "project/atlas", "short", "UNLESSREFUSED")["isNew"]
                    == .boolean(true))
            // Without it a text waits for another model.
            let kept = try client.ask("MEM.REMEMBER", "project/atlas", "too long")
            #expect(kept["isNew"] == .boolean(true) && kept["missingSpaces"] != nil, "\(kept)")
        }
    }

    @Test func `is stored while the server's embedder does not answer, and says what waits`() throws {
        try serve { service, _, loci in
            service.isDown = true
            let told = try loci("import", "-", input: Self.lines)
            #expect(told.status == 0 && told.output.hasPrefix("6 new, 0 known already"), "\(told)")
            #expect(told.errors.hasPrefix("6 have no vector yet: "), "\(told.errors)")
        }
    }
}
