import Foundation
import MemoryEngine
import TestSupport
import Testing

@testable import Embedders

@Suite(.timeLimit(.minutes(10))) struct `An embedder on RunPod` {
    private static let key = "rpa_TEST4F9B1C77D02E4A5CB6"
    private static let space = EmbeddingSpace(model: "small-model", dimension: 2)
    private static let balancer = "https://lb1.api.runpod.ai"

    private static func client(over transport: RunPodTransport) -> HTTPClient {
        var options = HTTPClient.Options()
        options.random = { 0 }
        options.retries.maximumRetries = 0
        return HTTPClient(over: transport, clock: TurnedHTTPClock(), options: options)
    }

    private static func embedder(
        over transport: RunPodTransport, queue: Bool = true, balancer: Bool = false,
        _ change: (inout RunPodEmbedder.Options) -> Void = { _ in }
    ) throws -> RunPodEmbedder {
        var options = RunPodEmbedder.Options()
        change(&options)
        let clock = EagerHTTPClock()
        return try RunPodEmbedder(
            queue: queue
                ? RunPodEndpoint("abc123", key: key, client: client(over: transport), clock: clock) : nil,
            loadBalancer: balancer
                ? RunPodLoadBalancer("lb1", key: key, client: client(over: transport), clock: clock) : nil,
            space: space, options: options)
    }

    private static func completing(_ output: String) -> RunPodTransport {
        RunPodTransport { _, _, _ in RunPodTransport.job("COMPLETED", #","output":\#(output)"#) }
    }

    private static func body(_ request: HTTPRequest?) -> String {
        String(decoding: request?.body ?? [], as: UTF8.self)
    }

    // MARK: The contract

    @Test func `asks as our workers want it, and scales what it gets to length 1`() async throws {
        let transport = RunPodTransport { _, path, _ in
            path == "/run" ? RunPodTransport.job("IN_QUEUE") : RunPodTransport.completed([[3, 4], [0, -2]])
        }
        let embedder = try Self.embedder(over: transport) { $0.passagePrefix = "passage: " }
        let vectors = try await embedder.embed([.text("the \"deploy\""), .text("a/b\u{1}")], for: .passage)
        #expect(vectors == [[0.6, 0.8], [0, -1]])
        #expect(
            Self.body(transport.requests.first).hasPrefix(
                #"{"input":{"encoding":"base64","texts":["passage: the \"deploy\"","passage: a/b\u0001"],"type":"text"},"policy""#
            ))
        #expect(try await embedder.embed([], for: .passage).isEmpty)
    }

    @Test(arguments: [
        (CostLedger.Cap(seconds: 2), "seconds"), (CostLedger.Cap(dollars: 0.006), "dollars"),
    ])
    func `counts what its workers took, and stops at a cap`(cap: CostLedger.Cap, unit: String) async throws {
        let transport = RunPodTransport { _, _, _ in
            RunPodTransport.job("COMPLETED", #","executionTime":1500,"output":{"vectors":[[3,4]]}"#)
        }
        let ledger = CostLedger(caps: ["runpod": cap])
        let embedder = try Self.embedder(over: transport) { options in
            options.ledger = ledger
            options.dollarsPerSecond = 0.002
        }
        for _ in 0..<2 { _ = try await embedder.embed([.text("a")], for: .passage) }
        let spent = try ledger.today("runpod")
        #expect(spent.requests == 2 && spent.texts == 2 && spent.tokens == 0)
        #expect(spent.seconds == 3 && abs(spent.dollars - 0.006) < 1e-9)
        let error = await #expect(throws: EngineError.self) {
            try await embedder.embed([.text("a")], for: .passage)
        }
        #expect(error?.code == .embedder && error?.message.contains("\(unit) a day") == true)
        #expect(transport.requests.count == 2)
    }

    @Test(arguments: [
        ("FAILED", #","error":"out of memory""#), ("COMPLETED", #","output":{"vectors":7}"#),
    ])
    func `counts what its workers took to fail`(state: String, rest: String) async throws {
        let transport = RunPodTransport { _, _, _ in
            RunPodTransport.job(state, #","executionTime":60000"# + rest)
        }
        let ledger = CostLedger()
        let embedder = try Self.embedder(over: transport) { $0.ledger = ledger }
        await #expect(throws: EngineError.self) { try await embedder.embed([.text("a")], for: .passage) }
        #expect(try ledger.today("runpod").seconds == 60)
    }

    @Test(arguments: ["-1", "1e300", #""long""#, "[]", "null"])
    func `takes vectors whose time is none`(time: String) async throws {
        let transport = RunPodTransport { _, _, _ in
            RunPodTransport.job("COMPLETED", #","executionTime":\#(time),"output":{"vectors":[[3,4]]}"#)
        }
        let ledger = CostLedger()
        let embedder = try Self.embedder(over: transport) { $0.ledger = ledger }
        #expect(try await embedder.embed([.text("a")], for: .passage) == [[0.6, 0.8]])
        #expect(try ledger.today("runpod").seconds == 0 && ledger.today("runpod").requests == 1)
    }

    @Test func `sends texts, images and videos apart, and gives their vectors in order`() async throws {
        let transport = RunPodTransport { request, _, _ in
            let body = Self.body(request)
            let vectors: [[Float]] =
                body.contains(#""texts""#)
                ? [[1, 0], [0, 1]] : body.contains(#""images""#) ? [[-1, 0]] : [[0, -1]]
            return RunPodTransport.completed(vectors)
        }
        let embedder = try Self.embedder(over: transport) { $0.modalities = [.text, .image, .video] }
        let vectors = try await embedder.embed(
            [.text("a"), .image(MediaFiles.png), .video(MediaFiles.mp4), .text("b")], for: .passage)
        #expect(vectors == [[1, 0], [-1, 0], [0, -1], [0, 1]])
        let inputs = Set(transport.requests.map { Self.body($0).components(separatedBy: #","policy"#)[0] })
        let (image, video) = (Self.base64(MediaFiles.png), Self.base64(MediaFiles.mp4))
        #expect(
            inputs == [
                #"{"input":{"encoding":"base64","texts":["a","b"],"type":"text"}"#,
                #"{"input":{"encoding":"base64","images":["\#(image)"],"type":"image"}"#,
                #"{"input":{"encoding":"base64","type":"video","videos":[{"file":"\#(video)"}]}"#,
            ])
    }

    private static func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    @Test(arguments: [1, 16, 17, 100])
    func `sends 16 evenly spaced frames of a video that comes as frames`(count: Int) async throws {
        let transport = RunPodTransport { _, _, _ in RunPodTransport.completed([[1, 0]]) }
        let embedder = try Self.embedder(over: transport) { $0.modalities = [.video] }
        let frames = (0..<count).map { MediaFiles.png(UInt8($0)) }
        _ = try await embedder.embed([.frames(frames)], for: .passage)
        let chosen = count <= 16 ? Array(0..<count) : EmbeddingInput.evenlySpaced(16, of: count)
        let written = chosen.map { "\"\(Self.base64(frames[$0]))\"" }.joined(separator: ",")
        #expect(
            Self.body(transport.requests.first).hasPrefix(
                #"{"input":{"encoding":"base64","type":"video","videos":[{"frames":[\#(written)]}]}"#))
    }

    @Test(arguments: [
        EmbeddingInput.image(Array("GIF89a".utf8)), .image(Array(MediaFiles.png[..<20])),
        .video(MediaFiles.png),
        .image(MediaFiles.png(width: 9_000, height: 9_000)), .frames([]), .frames([MediaFiles.png, [1]]),
        .image([]),
    ])
    func `sends nothing that is no image or video, and names it`(input: EmbeddingInput) async throws {
        let transport = RunPodTransport { _, _, _ in .hang }
        let embedder = try Self.embedder(over: transport) { $0.modalities = [.text, .image, .video] }
        let error = await #expect(throws: EngineError.self) {
            try await embedder.embed([.text("a"), input], for: .passage)
        }
        #expect(error?.code == .invalid || error?.code == .tooLarge)
        #expect(error?.message.contains("\(input.modality.rawValue) 1") == true, "\(error?.message ?? "")")
        #expect(transport.requests.isEmpty)
    }

    @Test(arguments: [
        ("bad_image", EngineError.Code.invalid), ("bad_video", .invalid), ("too_large", .tooLarge),
        ("out_of_memory", .embedder),
    ])
    func `tells an image that its worker refuses from a worker that fails`(
        name: String, code: EngineError.Code
    ) async throws {
        let transport = RunPodTransport { _, _, _ in
            RunPodTransport.job("FAILED", #","error":{"code":"\#(name)","message":"input.images[0]"}"#)
        }
        let embedder = try Self.embedder(over: transport) { $0.modalities = [.image] }
        let error = await #expect(throws: EngineError.self) {
            try await embedder.embed([.image(MediaFiles.png)], for: .passage)
        }
        #expect(error?.code == code)
    }

    @Test(arguments: [
        #"{"model":"small-model","dimension":2,"vectors":["AABAQAAAgEA=","AAAAAAAAAMA="]}"#,
        #"[{"model":"small-model","dimension":2,"vectors":["AABAQAAAgEA=","AAAAAAAAAMA="]}]"#,
        #"{"vectors":[[3,4],[0,-2.0e0]]}"#, #"{"vectors":["AABAQAAAgEA=",[0,-2]]}"#,
        #"{"object":"list","data":[{"embedding":[0,-2],"index":1},{"embedding":[3,4],"index":0}],"model":"small-model","usage":{}}"#,
        #"{"object":"list","data":[{"object":"embedding","embedding":"AABAQAAAgEA="},{"embedding":[0,-2]}]}"#,
    ])
    func `understands what workers answer`(output: String) async throws {
        let embedder = try Self.embedder(over: Self.completing(output))
        #expect(
            try await embedder.embed([.text("a"), .text("b")], for: .passage) == [[0.6, 0.8], [0, -1]])
    }

    @Test(arguments: [
        // None, too few, too many, twice the same, for no input.
        #"{"vectors":[]}"#, #"{"vectors":[[1,0]]}"#, #"{"vectors":[[1,0],[1,0],[1,0]]}"#,
        #"{"data":[{"embedding":[1,0],"index":0},{"embedding":[1,0],"index":0}]}"#,
        #"{"data":[{"embedding":[1,0],"index":0},{"embedding":[1,0],"index":2}]}"#,
        #"{"data":[{"embedding":[1,0],"index":-1},{"embedding":[1,0],"index":0}]}"#,
        // Short, long, zero, no numbers.
        #"{"vectors":[[1,0],[1]]}"#, #"{"vectors":[[1,0],[]]}"#, #"{"vectors":[[1,0],[1,0,0]]}"#,
        #"{"vectors":[[1,0],[0,0]]}"#, #"{"vectors":[[1,0],[NaN,0]]}"#, #"{"vectors":[[1,0],[1e999,0]]}"#,
        #"{"vectors":[[1,0],[null,0]]}"#, #"{"vectors":[[1,0],["1",0]]}"#, #"{"vectors":[[1,0],null]}"#,
        // The same as base64: no base64, 7 bytes, 4, 12, NaN, infinity, zero.
        #"{"vectors":[[1,0],"AAAA*A=="]}"#, #"{"vectors":[[1,0],"AABAQAAAgA=="]}"#,
        #"{"vectors":[[1,0],"AABAQA=="]}"#, #"{"vectors":[[1,0],"AABAQAAAgEAAAIBA"]}"#,
        #"{"vectors":[[1,0],"AADAfwAAgEA="]}"#, #"{"vectors":[[1,0],"AACAfwAAgEA="]}"#,
        #"{"vectors":[[1,0],"AAAAAAAAAAA="]}"#, #"{"vectors":[[1,0],""]}"#,
        // Another model, another dimension.
        #"{"model":"other-model","vectors":[[1,0],[0,1]]}"#, #"{"dimension":3,"vectors":[[1,0],[0,1]]}"#,
        // No output of a worker.
        "7", #""text""#, "[]", "{}", #"[{"vectors":[[1,0],[0,1]]},{"vectors":[]}]"#, "[[1,0],[0,1]]",
        #"{"vectors":{"0":[1,0]}}"#,
    ])
    func `takes no vectors that are not those of its space, one for each input`(output: String) async throws {
        let embedder = try Self.embedder(over: Self.completing(output))
        let error = await #expect(throws: EngineError.self) {
            try await embedder.embed([.text("a"), .text("b")], for: .passage)
        }
        #expect(error?.code == .embedder)
        #expect(error?.message.contains("abc123") == true)
    }

    @Test func `takes another name of its model, where it is told`() async throws {
        let output = #"{"model":"other-model","vectors":[[1,0]]}"#
        let embedder = try Self.embedder(over: Self.completing(output)) { $0.otherNames = ["other-model"] }
        #expect(try await embedder.embed([.text("a")], for: .passage) == [[1, 0]])
    }

    // MARK: Batches

    @Test func `keeps so many jobs in flight, and no more, and all inputs in their order`() async throws {
        let transport = RunPodTransport { request, path, before in
            // Who waits long asks for it: the other jobs move the clock too.
            if path == "/health" { return .answer(200, body: "{}") }
            // `/run` for the text n gives the job n, whose vector has n for its angle.
            let number =
                path == "/run"
                ? Self.body(request).components(separatedBy: "text ")[1].prefix { $0.isNumber }
                : path.dropFirst("/status/".count)
            guard path != "/run", before > 0, let angle = Float(number) else {
                return RunPodTransport.job("IN_QUEUE", id: String(number))
            }
            return RunPodTransport.completed([[angle, 1]], id: String(number))
        }
        let counted = CountingTransport(transport)
        var options = RunPodEmbedder.Options()
        options.maximumJobCount = 1
        options.maximumInFlight = 4
        let client = HTTPClient(over: counted, clock: TurnedHTTPClock())
        let embedder = try RunPodEmbedder(
            queue: RunPodEndpoint("abc123", key: Self.key, client: client, clock: EagerHTTPClock()),
            loadBalancer: nil, space: Self.space, options: options)
        // Two calls have their bound together.
        async let some = embedder.embed((0..<20).map { .text("text \($0)") }, for: .passage)
        async let others = embedder.embed((20..<40).map { .text("text \($0)") }, for: .passage)
        let vectors = try await some + others
        #expect(vectors.map { ($0[0] / $0[1]).rounded() } == (0..<40).map(Float.init))
        #expect((2...4).contains(counted.mostJobs))
    }

    @Test func `fills jobs by their bytes and by their count`() throws {
        func counts(_ sizes: [Int], atMost count: Int = 64, byteCount: Int) throws -> [[Int]] {
            try RunPodBatch.batches(
                of: sizes.map { (.text, $0) }, atMost: count,
                byteCount: byteCount + RunPodBatch.frameByteCount
            ).map(\.places)
        }
        #expect(try counts([9, 9, 9, 9, 9], byteCount: 20) == [[0, 1], [2, 3], [4]])
        #expect(try counts([19, 1, 9, 9], byteCount: 20) == [[0], [1, 2], [3]])
        #expect(try counts([1, 1, 1, 1, 1], atMost: 2, byteCount: 1_000) == [[0, 1], [2, 3], [4]])
        #expect(try counts([1, 1], atMost: 0, byteCount: 1_000) == [[0], [1]])
        #expect(
            try counts(Array(repeating: 1, count: 1_025), atMost: 9_999, byteCount: 9_999).map(\.count) == [
                1_024, 1,
            ])
        #expect(throws: RunPodError.self) { try counts([20], byteCount: 20) }
        let images = try RunPodBatch.batches(
            of: Array(repeating: (.image, 1), count: 65), atMost: 9_999, byteCount: 9_999)
        #expect(images.map(\.places.count) == [64, 1])
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `knows how many bytes its inputs will have`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let scalars = (0..<200).compactMap { _ in
            Unicode.Scalar(
                UInt32.random(in: Bool.random(using: &random) ? 0...0x7F : 0x80...0xD7FF, using: &random))
        }
        let text = String(String.UnicodeScalarView(scalars))
        let file = [UInt8](repeating: 0xFF, count: Int.random(in: 1...100, using: &random))
        for item in [
            RunPodBatch.Item(.text, Array(text.utf8)), RunPodBatch.Item(.image, file),
            RunPodBatch.Item(.video, file), RunPodBatch.Item(frames: [file, [1], file]),
        ] {
            let (kind, byteCount) = (item.kind, item.byteCount)
            let count = try RunPodBatch.input(kind, [item]).count
            #expect(count <= byteCount + RunPodBatch.frameByteCount)
            #expect(count >= byteCount)
            // No more than a byte for each sign that may be written in two ways.
            let twice = try RunPodBatch.input(kind, [item, item]).count
            #expect(twice - count <= byteCount + 1)
        }
    }

    @Test func `refuses an input that is too large, by its place`() async throws {
        let transport = RunPodTransport { _, _, _ in .hang }
        let embedder = try Self.embedder(over: transport) {
            $0.limits.maximumInputByteCount = 10
            $0.modalities = [.text, .image]
        }
        for input in [
            EmbeddingInput.text(String(repeating: "a", count: 11)),
            .image(MediaFiles.png + Array(repeating: 0, count: 7_500_000)),
        ] {
            let error = await #expect(throws: EngineError.self) {
                try await embedder.embed([.text("a"), input], for: .passage)
            }
            #expect(error?.code == .tooLarge)
            #expect(error?.message.contains(" 1 ") == true)
        }
        #expect(transport.requests.isEmpty)
    }

    @Test func `says what it does not embed`() async throws {
        let transport = RunPodTransport { _, _, _ in .hang }
        let embedder = try Self.embedder(over: transport)
        let error = await #expect(throws: EngineError.self) {
            try await embedder.embed([.image([1])], for: .passage)
        }
        #expect(error?.code == .embedder)
        #expect(transport.requests.isEmpty)
    }

    @Test func `takes all of its jobs back when one fails`() async throws {
        let transport = RunPodTransport { request, path, _ in
            if Self.body(request).contains("bad") { return RunPodTransport.job("FAILED", id: "bad") }
            return path.hasPrefix("/cancel") ? .answer(200) : .hang
        }
        let embedder = try Self.embedder(over: transport) {
            $0.maximumJobCount = 1
            $0.maximumInFlight = 2
        }
        let error = await #expect(throws: EngineError.self) {
            try await embedder.embed([.text("good"), .text("bad"), .text("later")], for: .passage)
        }
        #expect(error?.message.contains("failed at a job") == true)
        #expect(!transport.requests.contains { Self.body($0).contains("later") })
    }

    @Test func `wants as many passages at once as its jobs in flight hold`() async throws {
        let transport = RunPodTransport { request, _, _ in
            let count = Self.body(request).components(separatedBy: "text-").count - 1
            return RunPodTransport.completed([[Float]](repeating: [1, 0], count: count))
        }
        let embedder = try Self.embedder(over: transport)
        #expect(embedder.preferredBatchCount == 32 * 64)
        let texts = (0..<embedder.preferredBatchCount).map { EmbeddingInput.text("text-\($0)") }
        #expect(try await embedder.embed(texts, for: .passage).count == texts.count)
        #expect(transport.paths.count == 32)
        let small = try Self.embedder(over: transport) { $0.limits.maximumBatchCount = 100 }
        #expect(small.preferredBatchCount == 100)
        #expect(try Self.embedder(over: transport) { $0.maximumInFlight = 0 }.preferredBatchCount == 64)
    }

    // MARK: Questions

    @Test func `lets no question wait in a queue`() async throws {
        let transport = RunPodTransport { _, _, _ in .hang }
        let embedder = try Self.embedder(over: transport)
        let error = await #expect(throws: EngineError.self) {
            try await embedder.embed([.text("a")], for: .query)
        }
        #expect(error?.code == .embedder)
        #expect(error?.message.contains("abc123") == true)
        #expect(error?.message.contains("load-balancing endpoint") == true)
        #expect(error?.message.contains("waitsForQueue") == true)
        #expect(transport.requests.isEmpty)
    }

    @Test func `lets a question wait where it is told so`() async throws {
        let transport = Self.completing(RunPodTransport.output([[1, 0]]))
        let embedder = try Self.embedder(over: transport) {
            $0.waitsForQueue = true
            $0.queryPrefix = "query: "
        }
        #expect(try await embedder.embed([.text("a")], for: .query) == [[1, 0]])
        #expect(transport.paths == ["/runsync?wait=9000"])
        #expect(Self.body(transport.requests[0]).contains(#"["query: a"]"#))
    }

    @Test func `asks questions of the load balancer, and passages of the queue`() async throws {
        let transport = RunPodTransport { request, path, _ in
            path == "/run"
                ? RunPodTransport.completed([[0, 1]])
                : .answer(200, body: RunPodTransport.output([[1, 0]]))
        }
        let embedder = try Self.embedder(over: transport, balancer: true)
        #expect(try await embedder.embed([.text("a")], for: .query) == [[1, 0]])
        #expect(try await embedder.embed([.text("a")], for: .passage) == [[0, 1]])
        #expect(transport.paths == ["\(Self.balancer)/embed", "/run"])
        #expect(
            Self.body(transport.requests[0]) == #"{"encoding":"base64","texts":["a"],"type":"text"}"#)
        let alone = try Self.embedder(over: transport, queue: false, balancer: true)
        #expect(try await alone.embed([.text("a")], for: .passage) == [[1, 0]])
    }

    @Test func `says that a load balancer starts`() async throws {
        for steps in [
            [ScriptedTransport.Step.answer(204)], [.answer(502, body: "<html>"), .answer(204)],
            [.answer(400, body: "no workers available"), .answer(204)],
            [.fail(.connection), .answer(204)],
        ] {
            let transport = RunPodTransport { _, path, _ in path.hasSuffix("/ping") ? steps[1] : steps[0] }
            let embedder = try Self.embedder(over: transport, queue: false, balancer: true)
            let error = await #expect(throws: EngineError.self) {
                try await embedder.embed([.text("a")], for: .query)
            }
            #expect(error?.code == .embedder)
            #expect(
                error?.message
                    == "the workers of the RunPod load balancer lb1 are starting; ask again later, or keep one active"
            )
        }
    }

    @Test(arguments: [
        (401, "refuses the key"), (404, "does not exist"), (500, "does not answer as it should"),
    ])
    func `says what a load balancer said`(status: Int, words: String) async throws {
        let transport = RunPodTransport { _, path, _ in .answer(path.hasSuffix("/ping") ? 200 : status) }
        let embedder = try Self.embedder(over: transport, queue: false, balancer: true)
        let error = await #expect(throws: EngineError.self) {
            try await embedder.embed([.text("a")], for: .query)
        }
        #expect(error?.code == .embedder)
        #expect(error?.message.contains(words) == true)
    }

    @Test func `tells the health of both endpoints`() async throws {
        let transport = RunPodTransport { _, path, before in
            path == "/health"
                ? .answer(200, body: #"{"workers":{"idle":1}}"#) : .answer(before == 0 ? 204 : 200)
        }
        let embedder = try Self.embedder(over: transport, balancer: true)
        #expect(try await embedder.queueHealth()?.condition == .ready)
        #expect(try await embedder.loadBalancerIsReady() == false)
        #expect(try await embedder.loadBalancerIsReady() == true)
        #expect(transport.paths.last == "\(Self.balancer)/ping")
        let queue = try Self.embedder(over: transport)
        #expect(try await queue.loadBalancerIsReady() == nil)
    }

    // MARK: Settings

    @Test func `refuses settings that are none`() {
        for (queue, key) in [(nil, "key"), ("a b", "key"), ("abc", "two words"), ("key", "key")] {
            let error = #expect(throws: EngineError.self) {
                try RunPodEmbedder(queue: queue, key: key, space: Self.space)
            }
            #expect(error?.code == .invalid)
        }
    }

    @Test func `does not show its key when it is printed`() throws {
        let embedder = try Self.embedder(over: RunPodTransport { _, _, _ in .hang }, balancer: true)
        var dumped = "\(embedder)"
        dump(embedder, to: &dumped)
        #expect(dumped.contains("https://api.runpod.ai/v2/abc123"))
        #expect(!dumped.contains(Self.key))
    }
}

/// Counts the jobs that are at RunPod at once.
private final class CountingTransport: HTTPTransport {
    private struct State {
        var jobs: Set<String> = []
        var most = 0
    }

    private let transport: RunPodTransport
    private let state = Mutex(State())

    init(_ transport: RunPodTransport) { self.transport = transport }

    var mostJobs: Int { state.withLock { $0.most } }

    func send(_ request: HTTPRequest, within: Duration) async throws -> HTTPResponse {
        let response = try await transport.send(request, within: within)
        guard let reply = RunPodReply(response.body), let id = reply.id else { return response }
        state.withLock { state in
            if reply.state == .completed { state.jobs.remove(id) } else { state.jobs.insert(id) }
            state.most = max(state.most, state.jobs.count)
        }
        return response
    }
}
