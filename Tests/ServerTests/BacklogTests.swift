import Foundation
import MemoryEngine
import TestSupport
import Testing

@testable import Server

@Suite struct `A server whose service fails` {
    @Test func `stores texts without vectors, says so, and makes up for them`() throws {
        let (isThere, embedded) = (Mutex(false), DispatchSemaphore(value: 0))
        let service = try LoopbackServer { request, _ in
            struct Question: Decodable { let input: [String] }
            guard isThere.withLock({ $0 }),
                let question = try? JSONDecoder().decode(Question.self, from: Data(request.body))
            else { return LoopbackServer.reply("401 Unauthorized") }
            embedded.signal()
            let vectors = question.input.map { _ in #"{"embedding":[0,1,0,0]}"# }.joined(separator: ",")
            return LoopbackServer.reply("200 OK", #"{"data":[\#(vectors)],"model":"tiny"}"#)
        }
        let server = try ServedProcess(
            "--embedder", "server",
            after: """
                export HOME=$PWD LOCI_EMBEDDINGS_URL=\(service.url("/v1")) LOCI_EMBEDDINGS_MODEL=tiny \
                  LOCI_EMBEDDINGS_DIMENSION=4
                """)
        let client = try TestClient(port: server.port)
        let told = try client.ask("MEM.REMEMBER", "project/atlas", "The deploy failed.")
        #expect("\(told)".contains("missingSpaces") && "\(told)".contains("tiny"), "\(told)")
        #expect("\(told)".contains("failures") && "\(told)".contains("401"), "\(told)")
        var loci = try LociProgram(["LOCI_MODEL": ""])
        defer { loci.end() }
        let connected = ["-n", "project/atlas", "--connect", "127.0.0.1:\(server.port)"]
        let second = try loci.run(["remember", "The token expired."] + connected)
        #expect(second.status == 0 && second.errors.contains("without its vector in tiny"), "\(second)")
        #expect(second.errors.contains("look whether the key is right"), "\(second)")
        #expect(try loci.run(["recall", "token", "--limit", "1"] + connected).output.contains("expired"))

        isThere.withLock { $0 = true }
        // One call for each of both, or one for both. The pauses between tries grow to five minutes on a busy machine.
        #expect(embedded.wait(timeout: .now() + 330) == .success)
        var statistics = ""
        for _ in 0..<100_000 where statistics.firstMatch(of: /"vectors"\)*, [\w.]*integer\(2\)/) == nil {
            statistics = "\(try client.ask("MEM.STATS", "project/atlas"))"
        }
        #expect(statistics.firstMatch(of: /"vectors"\)*, [\w.]*integer\(2\)/) != nil, "\(statistics)")
    }
}
