import Foundation
import MemoryEngine
import Testing

@testable import Embedders

@Suite(.timeLimit(.minutes(10))) struct `An embedder of OpenAI's shape` {
    private static let key = "sk-test-4f9b1c77d02e4a5cb6"
    private static let space = EmbeddingSpace(model: "small-model", dimension: 2)

    private static func embedder(
        over transport: ScriptedTransport, _ client: HTTPClient.Options = .init(),
        _ change: (inout OpenAIEmbedder.Options) -> Void = { _ in }
    ) throws -> OpenAIEmbedder {
        var options = OpenAIEmbedder.Options()
        change(&options)
        return try OpenAIEmbedder(
            url: "https://api.example/v1", key: key, space: space, options: options,
            client: HTTPClient(over: transport, clock: TurnedHTTPClock(), options: client))
    }

    private static func answer(_ data: String, model: String = "small-model") -> ScriptedTransport.Step {
        .answer(
            200,
            body:
                "{\"object\":\"list\",\"data\":[\(data)],\"model\":\"\(model)\",\"usage\":{\"total_tokens\":3}}"
        )
    }

    @Test func `asks as OpenAI wants it, and scales what it gets to length 1`() async throws {
        let transport = ScriptedTransport(
            Self.answer("{\"embedding\":[0,2],\"index\":1},{\"embedding\":[3,4],\"index\":0}"))
        let embedder = try Self.embedder(over: transport) {
            $0.dimensionField = "dimensions"
            $0.queryPrefix = "query: "
        }
        let vectors = try await embedder.embed([.text("the \"deploy\""), .text("failed")], for: .query)
        #expect(vectors == [[0.6, 0.8], [0, 1]])
        let request = try #require(transport.requests.first)
        #expect(request.url == "https://api.example/v1/embeddings")
        #expect(request.credential?.key == Self.key)
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == #"{"dimensions":2,"input":["query: the \"deploy\"","query: failed"],"model":"small-model"}"#
        )
    }

    @Test func `goes by the order where the server numbers nothing, and sends no more at once than it may`()
        async throws
    {
        let transport = ScriptedTransport(
            Self.answer("{\"embedding\":[1,0]},{\"embedding\":[0,1]}"), Self.answer("{\"embedding\":[-1,0]}"))
        let embedder = try Self.embedder(over: transport) { $0.limits.maximumBatchCount = 2 }
        let vectors = try await embedder.embed(["a", "b", "c"].map(EmbeddingInput.text), for: .passage)
        #expect(vectors == [[1, 0], [0, 1], [-1, 0]])
        #expect(
            transport.requests.map { String(decoding: $0.body, as: UTF8.self) }
                == [#"{"input":["a","b"],"model":"small-model"}"#, #"{"input":["c"],"model":"small-model"}"#])
        #expect(try await embedder.embed([], for: .passage).isEmpty)
    }

    @Test(arguments: [
        "", "{\"embedding\":[1,0],\"index\":0}",
        "{\"embedding\":[1,0]},{\"embedding\":[1,0]},{\"embedding\":[1,0]}",
        "{\"embedding\":[1,0],\"index\":0},{\"embedding\":[1,0],\"index\":0}",
        "{\"embedding\":[1,0],\"index\":0},{\"embedding\":[1,0],\"index\":2}",
        "{\"embedding\":[1,0],\"index\":-1},{\"embedding\":[1,0],\"index\":0}",
        "{\"embedding\":[1,0]},{\"embedding\":[]}", "{\"embedding\":[1,0]},{\"embedding\":[1,0,0]}",
        "{\"embedding\":[1,0]},{\"embedding\":[0,0]}", "{\"embedding\":[1,0]},{\"embedding\":[NaN,0]}",
        "{\"embedding\":[1,0]},{\"embedding\":[1e999,0]}", "{\"embedding\":[1,0]},{\"embedding\":[null,0]}",
        "{\"embedding\":[1,0]},{\"embedding\":\"AAAA\"}", "{\"embedding\":[1,0]},{}",
    ])
    func `takes no vectors that are not those of its space, one for each text`(data: String) async throws {
        let embedder = try Self.embedder(over: ScriptedTransport(Self.answer(data)))
        let error = await #expect(throws: EngineError.self) {
            try await embedder.embed([.text("a"), .text("b")], for: .passage)
        }
        #expect(error?.code == .embedder)
        #expect(error?.message.contains("small-model/2/cosine") == true)
    }

    @Test(arguments: [
        "", "null", "[]", "{\"data\":[{\"embedding\":[1,", "<html>\(key)</html>", "{\"error\":\"\(key)\"}",
    ])
    func `takes an answer that is no answer for an error, and repeats no key`(body: String) async throws {
        let embedder = try Self.embedder(over: ScriptedTransport(.answer(200, body: body)))
        let error = await #expect(throws: EngineError.self) {
            try await embedder.embed([.text("a")], for: .passage)
        }
        #expect(error?.code == .embedder)
        #expect(error?.message.contains(Self.key) == false)
    }

    @Test func `takes no vector of another model, unless it is another name of its own`() async throws {
        let step = Self.answer("{\"embedding\":[1,0]}", model: "other-model")
        let embedder = try Self.embedder(over: ScriptedTransport(step))
        let error = await #expect(throws: EngineError.self) {
            try await embedder.embed([.text("a")], for: .passage)
        }
        #expect(error?.message.contains("`other-model`") == true)
        let tolerant = try Self.embedder(over: ScriptedTransport(step)) { $0.otherNames = ["other-model"] }
        #expect(try await tolerant.embed([.text("a")], for: .passage) == [[1, 0]])
    }

    @Test func `says what the server said, without the key`() async throws {
        let transport = ScriptedTransport(
            .answer(401, body: "{\"error\":{\"message\":\"wrong key \(Self.key)\"}}"))
        let embedder = try Self.embedder(over: transport)
        let error = await #expect(throws: EngineError.self) {
            try await embedder.embed([.text("a")], for: .passage)
        }
        #expect(error?.code == .embedder)
        #expect(
            error?.message == "api.example answered 401: {\"error\":{\"message\":\"wrong key [key]\"}}; "
                + "look whether the key is right, and may use this model")
    }

    @Test(arguments: [EmbeddingPurpose.query, .passage])
    func `keeps no question waiting where there is no connection`(purpose: EmbeddingPurpose) async throws {
        let transport = ScriptedTransport(.fail(.connection, isUnsent: true))
        var client = HTTPClient.Options()
        client.random = { 0 }
        let embedder = try Self.embedder(over: transport, client)
        await #expect(throws: EngineError.self) { try await embedder.embed([.text("a")], for: purpose) }
        #expect(transport.requests.count == (purpose == .query ? 2 : 5))
    }

    @Test func `does not show its key when it is printed`() async throws {
        let transport = ScriptedTransport(Self.answer("{\"embedding\":[1,0]}"))
        let embedder = try Self.embedder(over: transport)
        _ = try await embedder.embed([.text("a")], for: .passage)
        var dumped = "\(embedder)"
        dump(embedder, to: &dumped)
        #expect(dumped.contains("https://api.example/v1/embeddings"))
        #expect(!dumped.contains(Self.key))
        #expect(transport.requests.first?.credential?.key == Self.key)
    }

    @Test func `refuses images, and settings that are none`() async throws {
        let transport = ScriptedTransport(.answer(200))
        let embedder = try Self.embedder(over: transport)
        await #expect(throws: EngineError.self) { try await embedder.embed([.image([1])], for: .passage) }
        #expect(transport.requests.isEmpty)
        #expect(throws: EngineError.self) { try OpenAIEmbedder(url: "api.example", space: Self.space) }
        #expect(throws: EngineError.self) {
            try OpenAIEmbedder(url: "https://api.example/v1", key: "two words", space: Self.space)
        }
    }
}
