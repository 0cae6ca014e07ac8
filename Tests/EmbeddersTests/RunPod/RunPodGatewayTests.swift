import Foundation
import MemoryEngine
import Testing

@testable import Embedders

/// Against workers of RunPod's SDK behind a gateway that stands in for its queue: `scripts/runpod-gateway`, where `make test` could
/// fetch its packages, or the one whose URL is LOCI_RUNPOD_GATEWAY. Its key is `gateway-key`; its endpoint `echo` has workers that embed in 8 dimensions, and `asleep` may have none.
@Suite(
    .serialized, .timeLimit(.minutes(10)),
    .enabled(if: RunPodGateway.url != nil, "the packages of scripts/runpod-gateway are not there"))
struct `An embedder on workers of RunPod's SDK` {
    private static let space = EmbeddingSpace(model: "echo", dimension: 8)

    private static func endpoint(
        _ id: String = "echo", key: String = "gateway-key", answers: Gauge = Gauge(),
        _ change: (inout RunPodJob.Options) -> Void = { _ in }
    ) throws -> RunPodEndpoint {
        var transport = CurlTransport.Options()
        transport.proxy = ""
        var options = RunPodJob.Options()
        change(&options)
        return try RunPodEndpoint(
            "\(#require(RunPodGateway.url))/v2/\(id)", key: key,
            client: HTTPClient(over: GaugedTransport(CurlTransport(options: transport), answers)),
            options: options)
    }

    private static func embedder(
        _ change: (inout RunPodEmbedder.Options) -> Void = { _ in }
    ) throws -> RunPodEmbedder {
        var options = RunPodEmbedder.Options()
        change(&options)
        return try RunPodEmbedder(queue: endpoint(), loadBalancer: nil, space: space, options: options)
    }

    private static func balancer() throws -> RunPodLoadBalancer {
        var transport = CurlTransport.Options()
        transport.proxy = ""
        return try RunPodLoadBalancer(
            #require(RunPodGateway.workerURL), key: "gateway-key",
            client: HTTPClient(over: CurlTransport(options: transport)))
    }

    private static func input(_ type: String, _ rest: String = "") -> [UInt8] {
        Array(#"{"type":"\#(type)"\#(rest)}"#.utf8)
    }

    private static func error(_ body: () async throws -> [UInt8]) async -> RunPodError? {
        do {
            _ = try await body()
            return nil
        } catch {
            return error as? RunPodError
        }
    }

    @Test func `gets the same vectors by either way, through a cold start, in order`() async throws {
        let texts = (0..<300).map { EmbeddingInput.text("text \($0)") }
        let byRun = try await Self.embedder { $0.maximumJobCount = 7 }.embed(texts, for: .passage)
        let byRunSync = try await Self.embedder {
            $0.usesRunSync = true
            $0.maximumJobCount = 10
        }.embed(texts, for: .passage)
        #expect(byRun == byRunSync)
        #expect(Set(byRun).count == 300)
        let question = try await Self.embedder { $0.waitsForQueue = true }.embed([texts[7]], for: .query)
        #expect(question == [byRun[7]])
    }

    @Test(
        .enabled(if: RunPodGateway.workerURL != nil, "the packages of scripts/runpod-gateway are not there"))
    func `gets the same vectors of a worker over HTTP, to which a load balancer would hand it`() async throws
    {
        let balancer = try Self.balancer()
        let embedder = try RunPodEmbedder(queue: Self.endpoint(), loadBalancer: balancer, space: Self.space)
        #expect(try await embedder.loadBalancerIsReady() == true)
        let texts = (0..<100).map { EmbeddingInput.text("text \($0)") }
        let passages = try await embedder.embed(texts, for: .passage)
        #expect(try await embedder.embed([texts[7]], for: .query) == [passages[7]])
        let alone = try RunPodEmbedder(queue: nil, loadBalancer: balancer, space: Self.space)
        #expect(try await alone.embed(texts, for: .passage) == passages)
        let refusal = try await balancer.post(Self.input("fail"), to: "/embed", within: .seconds(120))
        #expect(RunPodComplaint.inOutput(refusal)?.message == "it was told to fail")
        let error = await Self.error {
            try await balancer.post(Array("no JSON".utf8), to: "/embed", within: .seconds(120))
        }
        #expect(error?.code == .failed && error?.message.contains("the body is not JSON") == true)
    }

    @Test func `understands how workers of the SDK fail`() async throws {
        let endpoint = try Self.endpoint()
        for (type, words) in [
            ("raise", "the handler raised, as it was told to"), ("fail", "it was told to fail"),
            ("nonsense", "this type is not known here"),
        ] {
            let error = await Self.error {
                try await endpoint.result(of: Self.input(type), within: .seconds(240))
            }
            #expect(error?.code == .failed)
            #expect(error?.message.hasSuffix(words) == true, "\(String(describing: error))")
        }
        let list = try await endpoint.result(
            of: Self.input("list", #","texts":["a"]"#), within: .seconds(240))
        #expect(RunPodOutput.ofJob(list)?.output.vectors.count == 1)
    }

    @Test func `comes through what goes wrong between them`() async throws {
        try await RunPodGateway.control(
            "faults",
            #"""
            [{"kind":"status","operation":"run"},{"kind":"status","operation":"status","count":3},
             {"kind":"truncate","operation":"status","bytes":9},{"kind":"drop","operation":"status"},
             {"kind":"status","operation":"status","status":429,"headers":{"Retry-After":"1"}},
             {"kind":"dropReply","operation":"status","skip":1}]
            """#)
        #expect(try await Self.embedder().embed([.text("a")], for: .passage).count == 1)
        try await RunPodGateway.control(
            "faults", #"[{"kind":"merge","output":{"model":"other"},"operation":"status","count":99}]"#)
        let error = await #expect(throws: EngineError.self) {
            try await Self.embedder().embed([.text("a")], for: .passage)
        }
        #expect(error?.message.contains("of the model `other`") == true)
        try await RunPodGateway.control("faults", "[]")
    }

    @Test func `tells a wrong key, an endpoint that is none, and one that sleeps`() async throws {
        let wrong = try Self.endpoint(key: "another-key")
        let wrongKey = await Self.error {
            try await wrong.result(of: Self.input("text"), within: .seconds(240))
        }
        #expect(wrongKey?.code == .wrongKey)
        let none = try Self.endpoint("none")
        let noEndpoint = await Self.error {
            try await none.result(of: Self.input("text"), within: .seconds(240))
        }
        #expect(noEndpoint?.code == .noEndpoint)
        let asleep = try Self.endpoint("asleep") {
            $0.healthInterval = .milliseconds(500)
            $0.asleepAfter = .seconds(2)
        }
        #expect(try await asleep.health(within: .seconds(120)).condition == .withoutWorkers)
        let error = await Self.error {
            try await asleep.result(of: Self.input("text"), within: .seconds(240))
        }
        #expect(error?.code == .asleep)
    }

    @Test func `takes back what nobody waits for`() async throws {
        let answers = Gauge()
        let endpoint = try Self.endpoint(answers: answers)
        let input = Self.input("sleep", #","seconds":50"#)
        let call = Task { try await endpoint.result(of: input, within: .seconds(240)) }
        // Once its status is told it has its id; until then there is nothing to take back.
        try await answers.reaches(2)
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        // The gateway has got it at once, or has it in a moment: the question for its health stands behind it.
        let end = ContinuousClock.now + .seconds(40)
        var jobs: [String: Int] = [:]
        repeat {
            jobs = try await endpoint.health(within: .seconds(120)).jobs
            if jobs["inProgress"] == 0, jobs["inQueue"] == 0 { return }
        } while ContinuousClock.now < end
        Issue.record("the job goes on: \(jobs)")
    }
}

/// Counts what is answered.
private struct GaugedTransport: HTTPTransport {
    private let transport: CurlTransport
    private let answers: Gauge

    init(_ transport: CurlTransport, _ answers: Gauge) {
        (self.transport, self.answers) = (transport, answers)
    }

    func send(_ request: HTTPRequest, within: Duration) async throws -> HTTPResponse {
        let response = try await transport.send(request, within: within)
        answers.change(by: 1)
        return response
    }
}

/// The gateway that LOCI_RUNPOD_GATEWAY names, or one of its own where its packages are there.
enum RunPodGateway {
    static let url = ProcessInfo.processInfo.environment["LOCI_RUNPOD_GATEWAY"] ?? started?.url

    /// A worker of its own that is served over HTTP, by what serves ours.
    static let workerURL = worker?.url

    private static let worker = CounterpartServer(
        script: "runpod-gateway", arguments: ["--worker"], folder: "workers-venv")

    private static let started = CounterpartServer(script: "runpod-gateway", folder: "workers-venv")

    /// Asks what RunPod does not have.
    static func control(_ operation: String, _ body: String) async throws {
        var transport = CurlTransport.Options()
        transport.proxy = ""
        let client = try HTTPClient(over: CurlTransport(options: transport))
        let request = try HTTPRequest(
            .post, "\(url ?? "")/gateway/\(operation)",
            headers: [HTTPHeader("Content-Type", "application/json")],
            body: Array(body.utf8))
        _ = try await client.send(request, within: .seconds(120))
    }
}
