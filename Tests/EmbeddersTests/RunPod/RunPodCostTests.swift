import MemoryEngine
import Testing

@testable import Embedders

/// Equal jobs at the same time are one job, whose worker is paid for once.
@Suite(.timeLimit(.minutes(10))) struct `The costs of workers on RunPod` {
    private static let space = EmbeddingSpace(model: "small-model", dimension: 2)

    /// The second call begins while the first one's request hangs, and both wait for its answer.
    private static func spentByTwo(
        over transport: RunPodTransport, _ answer: String, balancer: Bool = false
    ) async throws -> (day: CostLedger.Day, failures: Int) {
        let clock = TurnedHTTPClock()
        let client = HTTPClient(over: transport, clock: clock)
        var options = RunPodEmbedder.Options()
        options.ledger = CostLedger()
        let embedder = try RunPodEmbedder(
            queue: balancer
                ? nil : RunPodEndpoint("abc123", key: "key", client: client, clock: EagerHTTPClock()),
            loadBalancer: balancer
                ? RunPodLoadBalancer("lb1", key: "key", client: client, clock: EagerHTTPClock()) : nil,
            space: space, options: options)
        let calls = (0..<2).map { _ in Task { try await embedder.embed([.text("a")], for: .passage) } }
        // Each has an alarm for its deadline.
        try await clock.sleeping.reaches(2)
        try await transport.asked.reaches(1)
        transport.release(answer)
        var failures = 0
        for call in calls {
            switch await call.result {
            case .success(let vectors): #expect(vectors == [[0.6, 0.8]])
            case .failure: failures += 1
            }
        }
        return try (#require(options.ledger).today("runpod"), failures)
    }

    @Test(arguments: [
        (#""COMPLETED","output":{"vectors":[[3,4]]}"#, 0), (#""COMPLETED","output":{"vectors":7}"#, 2),
        (#""FAILED","error":"out of memory""#, 2),
    ])
    func `are counted once of a job that two wait for`(state: String, expected: Int) async throws {
        let transport = RunPodTransport { _, _, _ in .hang }
        let (spent, failures) = try await Self.spentByTwo(
            over: transport, #"{"id":"job-1","executionTime":1500,"status":\#(state)}"#)
        #expect(failures == expected && transport.paths == ["/run"])
        #expect(spent.seconds == 1.5 && spent.requests == 1 && spent.texts == 1)
    }

    @Test func `are counted once of a request that two wait for`() async throws {
        let transport = RunPodTransport { _, _, _ in .hang }
        let (spent, failures) = try await Self.spentByTwo(
            over: transport, RunPodTransport.output([[3, 4]]), balancer: true)
        #expect(failures == 0 && transport.paths == ["https://lb1.api.runpod.ai/embed"])
        #expect(spent.seconds > 0 && spent.requests == 1 && spent.texts == 1)
    }
}
