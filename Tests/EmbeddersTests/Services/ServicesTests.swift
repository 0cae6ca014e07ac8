import Foundation
import MemoryEngine
import TestSupport
import Testing

@testable import Embedders

/// Base64 of 32-bit floats, little-endian.
func base64(_ vector: [Float]) -> String {
    Data(
        vector.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * $0)) } }
    )
    .base64EncodedString()
}

@Suite(.timeLimit(.minutes(10))) struct `A hosted service` {
    static let key = "pa-test-77c02d4b9f1e2a5cb6"

    private static func embedder(
        _ options: OpenAIEmbedder.Options, model: String, dimension: Int = 2,
        over transport: ScriptedTransport
    ) throws -> OpenAIEmbedder {
        try OpenAIEmbedder(
            url: "https://api.example/v1", key: key,
            space: EmbeddingSpace(model: model, dimension: dimension),
            options: options, client: HTTPClient(over: transport, clock: TurnedHTTPClock()))
    }

    private static func answer(
        _ vectors: [Float]..., model: String, tokens: Int = 7
    ) -> ScriptedTransport.Step {
        let items = vectors.enumerated().map { "{\"embedding\":\"\(base64($1))\",\"index\":\($0)}" }
        return .answer(
            200,
            body: "{\"object\":\"list\",\"data\":[\(items.joined(separator: ","))],\"model\":\"\(model)\","
                + "\"usage\":{\"total_tokens\":\(tokens)}}")
    }

    private static func bodies(_ transport: ScriptedTransport) -> [String] {
        transport.requests.map { String(decoding: $0.body, as: UTF8.self) }
    }

    @Test func `is asked as OpenAI's documents say`() async throws {
        let transport = ScriptedTransport(Self.answer([0, -2], model: "text-embedding-3-small"))
        let embedder = try Self.embedder(
            .openAI(model: "text-embedding-3-small"), model: "text-embedding-3-small", over: transport)
        #expect(try await embedder.embed([.text("a/b")], for: .query) == [[0, -1]])
        #expect(
            Self.bodies(transport) == [
                #"{"dimensions":2,"encoding_format":"base64","input":["a/b"],"model":"text-embedding-3-small"}"#
            ])
        #expect(embedder.limits.costPerMegabyte == 0.005)
    }

    @Test func `is asked as Voyage's documents say, questions in another way than passages`() async throws {
        let transport = ScriptedTransport(Self.answer([3, 4], model: "voyage-code-3"))
        let embedder = try Self.embedder(
            .voyage(model: "voyage-code-3"), model: "voyage-code-3", over: transport)
        #expect(try await embedder.embed([.text("f")], for: .query) == [[0.6, 0.8]])
        #expect(try await embedder.embed([.text("f")], for: .passage) == [[0.6, 0.8]])
        let rest = #""model":"voyage-code-3","output_dimension":2,"truncation":false}"#
        #expect(
            Self.bodies(transport) == [
                #"{"encoding_format":"base64","input":["f"],"input_type":"query","# + rest,
                #"{"encoding_format":"base64","input":["f"],"input_type":"document","# + rest,
            ])
    }

    @Test func `is asked as Jina's documents say, for texts and images at once`() async throws {
        let transport = ScriptedTransport(Self.answer([1, 0], [0, 1], model: "jina-embeddings-v4"))
        let embedder = try Self.embedder(
            .jina(model: "jina-embeddings-v4"), model: "jina-embeddings-v4", over: transport)
        let inputs: [EmbeddingInput] = [.text("a cat"), .image(MediaFiles.png)]
        let image = Data(MediaFiles.png).base64EncodedString()
        #expect(try await embedder.embed(inputs, for: .passage) == [[1, 0], [0, 1]])
        #expect(
            Self.bodies(transport) == [
                #"{"dimensions":2,"embedding_type":"base64","input":[{"text":"a cat"},{"image":"\#(image)"}],"#
                    + #""model":"jina-embeddings-v4","task":"retrieval.passage","truncate":false}"#
            ])
        #expect(embedder.modalities == [.text, .image])
        await #expect(throws: EngineError.self) { try await embedder.embed([.video([1])], for: .passage) }
        _ = try await embedder.embed(inputs, for: .query)
        #expect(Self.bodies(transport)[1].contains(#""task":"retrieval.query""#))
    }

    @Test func `is asked for numbers where it is a server of one's own`() async throws {
        let transport = ScriptedTransport(Self.answer([1, 0], model: "m"))
        _ = try await Self.embedder(.server(), model: "m", over: transport).embed([.text("a")], for: .query)
        #expect(Self.bodies(transport) == [#"{"input":["a"],"model":"m"}"#])
    }

    @Test func `has presets for its own address`() throws {
        let embedders = [
            try OpenAIEmbedder.openAI(key: Self.key), try .jina(key: Self.key), try .voyage(key: Self.key),
        ]
        #expect(
            embedders.map(\.space.name) == [
                "text-embedding-3-small/1536/cosine", "jina-embeddings-v4/1024/cosine",
                "voyage-code-3/1024/cosine",
            ])
        for embedder in embedders {
            var dumped = "\(embedder)"
            dump(embedder, to: &dumped)
            #expect(dumped.contains("https://api.") && !dumped.contains(Self.key))
        }
        #expect(throws: EngineError.self) { try OpenAIEmbedder.voyage(key: Self.key, dimension: 0) }
        #expect(throws: EngineError.self) { try OpenAIEmbedder.voyage(key: "") }
    }

    @Test func `takes no more at once than it says`() {
        func tokens(_ counts: Int...) -> [InputWeight] { counts.map { InputWeight(tokens: $0, bytes: 0) } }
        #expect(RequestBounds(count: 2, tokens: 10).batches(of: []).isEmpty)
        #expect(RequestBounds(count: 2).batches(of: tokens(1, 1, 1, 1, 1)) == [0..<2, 2..<4, 4..<5])
        #expect(
            RequestBounds(count: 9, tokens: 10).batches(of: tokens(6, 4, 1, 20, 1))
                == [0..<2, 2..<3, 3..<4, 4..<5])
        #expect(RequestBounds(count: 0, tokens: 1).batches(of: tokens(1, 1)) == [0..<1, 1..<2])
        let bytes = [3, 3, 4, 11, 1].map { InputWeight(tokens: 1, bytes: $0) }
        #expect(
            RequestBounds(count: 9, bytes: 10).batches(of: bytes) == [0..<3, 3..<4, 4..<5])
    }

    @Test func `gets large images in requests of their own, and none that is no image`() async throws {
        let transport = ScriptedTransport(Self.answer([1, 0], model: "jina-embeddings-v4"))
        let embedder = try Self.embedder(
            .jina(model: "jina-embeddings-v4"), model: "jina-embeddings-v4", over: transport)
        let kinds = [MediaFiles.png, MediaFiles.lossyWebP, MediaFiles.progressiveJPEG]
        let images = kinds.map { $0 + [UInt8](repeating: 0, count: 4 << 20) }
        _ = try await embedder.embed(images.map(EmbeddingInput.image), for: .passage)
        #expect(transport.requests.count == 3)
        for wrong in [[], [0xFF, 0xD8], Array("GIF89a".utf8), Array("RIFF....WAVE".utf8)] {
            let error = await #expect(throws: EngineError.self) {
                try await embedder.embed([.text("a"), .image(wrong)], for: .passage)
            }
            #expect(
                error?.message.contains("image 1 for jina-embeddings-v4/2/cosine is no PNG, JPEG or WebP")
                    == true)
        }
        let large = kinds[2] + [UInt8](repeating: 0, count: 20 << 20)
        await #expect(throws: EngineError.self) { try await embedder.embed([.image(large)], for: .passage) }
        #expect(transport.requests.count == 3)
    }

    @Test func `gets no text that its model would not take whole`() async throws {
        let transport = ScriptedTransport(Self.answer([1, 0], model: "m"))
        let embedder = try Self.embedder(.server(), model: "m", over: transport)
        _ = try await embedder.embed([.text(String(repeating: "a", count: 32 << 10))], for: .query)
        let error = await #expect(throws: EngineError.self) {
            try await embedder.embed(
                [.text("a"), .text(String(repeating: "a", count: (32 << 10) + 1))], for: .query)
        }
        #expect(error?.message.contains("text 1 has 32769 bytes, and m/2/cosine takes 32768") == true)
        #expect(transport.requests.count == 1)
    }

    @Test(arguments: ServicePrice.all)
    func `has limits that keep each text within its model`(price: ServicePrice) throws {
        let options: OpenAIEmbedder.Options =
            switch price.service {
            case "openai": .openAI(model: price.model)
            case "jina": .jina(model: price.model)
            default: .voyage(model: price.model)
            }
        #expect(options.service == price.service)
        #expect(options.limits.maximumBatchCount <= price.maximumTexts)
        let tokens = ServicePrice.tokens(ofBytes: options.limits.maximumInputByteCount)
        #expect(try tokens <= #require(price.maximumTextTokens))
        #expect(options.maximumRequestTokens == price.maximumRequestTokens)
        #expect(options.dollarsPerMillionTokens == price.dollarsPerMillionTokens)
    }

    @Test(arguments: [
        "AAAA", "AACAPw==", "AACAPwAAAAAAAAAA", "!", "AADAfwAAgD8=", "AACAfwAAgD8=", "AAAAAAAAAAA=",
    ])
    func `gives no vectors that are not those of its space`(base64: String) async throws {
        let transport = ScriptedTransport(
            .answer(200, body: "{\"data\":[{\"embedding\":\"\(base64)\"}],\"model\":\"m\"}"))
        let embedder = try Self.embedder(.server(), model: "m", over: transport)
        let error = await #expect(throws: EngineError.self) {
            try await embedder.embed([.text("a")], for: .query)
        }
        #expect(error?.code == .embedder && error?.message.contains("m/2/cosine") == true)
    }

    @Test func `shows its key in nothing that goes wrong`() async throws {
        let steps: [ScriptedTransport.Step] = [
            .answer(401, body: Self.key), .answer(403, body: "<html>\(Self.key)"),
            .answer(422, body: "{\"detail\":\"\(Self.key)\"}"), .answer(200, body: Self.key),
            .answer(200, body: "{\"data\":[],\"model\":\"\(Self.key)\"}"),
            .answer(413, body: String(repeating: Self.key, count: 99)), .fail(.certificate),
            .answer(200, body: "{\"data\":[{\"embedding\":[1,2,3]}],\"model\":\"m\"}"), .fail(.replyTooLarge),
        ]
        for step in steps {
            let embedder = try Self.embedder(.server(), model: "m", over: ScriptedTransport(step))
            let tei = try TEIEmbedder(
                url: "https://api.example", key: Self.key, space: EmbeddingSpace(model: "m", dimension: 2),
                options: TEIEmbedder.Options(),
                client: HTTPClient(over: ScriptedTransport(step), clock: TurnedHTTPClock()))
            for embedder in [embedder as any HealthReporting, tei] {
                let error = await #expect(throws: EngineError.self) {
                    try await embedder.embed([.text("a")], for: .query)
                }
                let health = await embedder.health()
                #expect(health.state != .ready)
                for text in ["\(String(describing: error))", "\(health)"] {
                    #expect(!text.contains(Self.key) && !text.contains("2d4b9f1e2a"), "\(text)")
                }
            }
        }
    }

    @Test func `tells how it is`() async throws {
        func health(_ step: ScriptedTransport.Step) async throws -> EmbedderHealth {
            await (try Self.embedder(.server(), model: "m", over: ScriptedTransport(step))).health()
        }
        #expect(try await health(Self.answer([1, 1], model: "m")).state == .ready)
        #expect(try await health(Self.answer([1, 1], model: "n")).state == .failing)
        #expect(try await health(Self.answer([1, 1, 1], model: "m")).state == .failing)
        #expect(try await health(.answer(401)).state == .wrongKey)
        #expect(try await health(.answer(403)).message.contains("api.example"))
        #expect(try await health(.answer(404)).state == .failing)
        #expect(try await health(.fail(.certificate)).state == .unreachable)
        #expect(try await health(.answer(200, body: "<html>")).state == .failing)
    }

    @Test func `loads its model for a while`() async throws {
        // Told at once: who asks how it is does not wait for another answer.
        let transport = ScriptedTransport(
            .answer(503, body: "{\"error\":{\"code\":503,\"message\":\"Loading model\"}}"),
            Self.answer([1, 1], model: "m"))
        let embedder = try Self.embedder(.server(), model: "m", over: transport)
        let health = await embedder.health()
        #expect(health.state == .loading && health.message.contains("ask again"))
        #expect(await embedder.health().state == .ready)
    }

    @Test func `rests after it has failed for a while`() async throws {
        let transport = ScriptedTransport(.answer(500))
        let embedder = try Self.embedder(.server(), model: "m", over: transport)
        for _ in 1...10 { #expect(await embedder.health().state == .failing) }
        let health = await embedder.health()
        #expect(health.state == .resting && health.message.contains("api.example"))
        #expect(health.message.hasSuffix("ask again in 10 s"))
        #expect(transport.requests.count == 10)
    }
}

@Suite(.timeLimit(.minutes(10))) struct `A server of text embeddings inference` {
    private static let info = ScriptedTransport.Step.answer(200, body: #"{"model_id":"org/model"}"#)

    private static func embedder(
        over transport: ScriptedTransport, _ options: TEIEmbedder.Options = .init()
    ) throws -> TEIEmbedder {
        try TEIEmbedder(
            url: "http://127.0.0.1:8080/", key: nil, space: EmbeddingSpace(model: "org/model", dimension: 2),
            options: options, client: HTTPClient(over: transport, clock: TurnedHTTPClock()))
    }

    @Test func `is asked as its documents say`() async throws {
        let transport = ScriptedTransport(
            Self.info, .answer(200, body: "[[3,4],[0,2]]"), .answer(200, body: "[[1,0]]"))
        var options = TEIEmbedder.Options()
        options.queryPrompt = "query"
        options.limits.maximumBatchCount = 2
        let embedder = try Self.embedder(over: transport, options)
        #expect(
            try await embedder.embed([.text("a"), .text("b"), .text("c")], for: .query) == [
                [0.6, 0.8], [0, 1], [1, 0],
            ])
        #expect(
            transport.requests.map(\.url)
                == ["info", "embed", "embed"].map { "http://127.0.0.1:8080/\($0)" })
        #expect(
            transport.requests.dropFirst().map { String(decoding: $0.body, as: UTF8.self) } == [
                #"{"inputs":["a","b"],"normalize":true,"prompt_name":"query","truncate":false}"#,
                #"{"inputs":["c"],"normalize":true,"prompt_name":"query","truncate":false}"#,
            ])
        await #expect(throws: EngineError.self) { try await embedder.embed([.image([1])], for: .passage) }
    }

    @Test(arguments: [
        "[]", "[[1,0],[1,0]]", "[[1]]", "[[1,0,0]]", "[[0,0]]", "{}", "[[1,", "[[1,null]]", "<html>",
    ])
    func `gives no vectors that are not those of its space`(body: String) async throws {
        let embedder = try Self.embedder(over: ScriptedTransport(Self.info, .answer(200, body: body)))
        let error = await #expect(throws: EngineError.self) {
            try await embedder.embed([.text("a")], for: .query)
        }
        #expect(error?.code == .embedder)
    }

    @Test func `is asked for its model before it gets a text, and again after it failed`() async throws {
        let vector = ScriptedTransport.Step.answer(200, body: "[[0,1]]")
        let other = ScriptedTransport.Step.answer(200, body: #"{"model_id":"org/other"}"#)
        let transport = ScriptedTransport(Self.info, vector, vector, .answer(422), other)
        let embedder = try Self.embedder(over: transport)
        for _ in 1...2 { #expect(try await embedder.embed([.text("a")], for: .query) == [[0, 1]]) }
        await #expect(throws: EngineError.self) { try await embedder.embed([.text("a")], for: .query) }
        let error = await #expect(throws: EngineError.self) {
            try await embedder.embed([.text("a")], for: .query)
        }
        #expect(error?.message.contains("its model is `org/other`") == true)
        #expect(
            transport.requests.map { String($0.url.suffix(5)) } == [
                "/info", "embed", "embed", "embed", "/info",
            ])
    }

    @Test(arguments: [(0, [1, 1, 1]), (1, [1, 1, 1]), (2, [2, 1]), (100, [2, 1])])
    func `is sent as many texts at once as it says that it takes`(most: Int, counts: [Int]) async throws {
        let info = ScriptedTransport.Step.answer(
            200, body: #"{"model_id":"org/model","max_client_batch_size":\#(most)}"#)
        let answers = counts.map { count in
            ScriptedTransport.Step.answer(
                200, body: "[\([String](repeating: "[0,1]", count: count).joined(separator: ","))]")
        }
        var options = TEIEmbedder.Options()
        options.limits.maximumBatchCount = 2
        let transport = ScriptedTransport([info] + answers)
        let embedder = try Self.embedder(over: transport, options)
        #expect(try await embedder.embed([.text("a"), .text("b"), .text("c")], for: .passage).count == 3)
        #expect(transport.requests.count == 1 + counts.count)
    }

    @Test func `is one of a revision, where the space names one`() async throws {
        let info = ScriptedTransport.Step.answer(
            200, body: #"{"model_id":"org/model","model_sha":"c0ffee"}"#)
        for (revision, state) in [("", EmbedderHealth.State.ready), ("c0ffee", .ready), ("decade", .failing)]
        {
            let embedder = try TEIEmbedder(
                url: "http://127.0.0.1:8080", key: nil,
                space: EmbeddingSpace(model: "org/model", revision: revision, dimension: 2), options: .init(),
                client: HTTPClient(over: ScriptedTransport(info), clock: TurnedHTTPClock()))
            #expect(await embedder.health().state == state)
        }
    }

    @Test func `says what is refused, and which model it has`() async throws {
        let refusal =
            #"{"error":"Input validation error: inputs must have less than 512 tokens","error_type":"Validation"}"#
        let refusing = try Self.embedder(over: ScriptedTransport(Self.info, .answer(413, body: refusal)))
        let error = await #expect(throws: EngineError.self) {
            try await refusing.embed([.text("a")], for: .query)
        }
        #expect(error?.message.contains("less than 512 tokens") == true)
        func health(_ step: ScriptedTransport.Step) async throws -> EmbedderHealth {
            await (try Self.embedder(over: ScriptedTransport(step))).health()
        }
        #expect(try await health(.answer(200, body: #"{"model_id":"org/model"}"#)).state == .ready)
        let other = try await health(.answer(200, body: #"{"model_id":"org/other"}"#))
        #expect(other.state == .failing && other.message.contains("`org/other`"))
        #expect(try await health(.answer(200, body: "[]")).state == .failing)
        #expect(try await health(.answer(401)).state == .wrongKey)
    }
}
