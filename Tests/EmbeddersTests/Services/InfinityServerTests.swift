import Foundation
import MemoryEngine
import Testing

@testable import Embedders

/// Against infinity-emb of PyPI (`scripts/openai-server`), where `make test` could fetch its packages.
@Suite(
    .timeLimit(.minutes(10)),
    .enabled(if: InfinityServer.server != nil, "the packages of scripts/openai-server are not there"))
struct `An embedder of a server of infinity-emb` {
    private static func embedder(
        key: String? = "server-key", model: String = "tiny", dimension: Int = 13,
        _ change: (inout OpenAIEmbedder.Options) -> Void = { _ in }
    ) throws -> OpenAIEmbedder {
        var transport = CurlTransport.Options()
        transport.proxy = ""
        var options = OpenAIEmbedder.Options()
        options.deadline = .seconds(240)
        change(&options)
        return try OpenAIEmbedder(
            url: #require(InfinityServer.server).url + "/v1", key: key,
            space: EmbeddingSpace(model: model, dimension: dimension), options: options,
            client: HTTPClient(over: CurlTransport(options: transport)))
    }

    private static func refusal(_ embedder: OpenAIEmbedder) async -> EngineError? {
        do {
            _ = try await embedder.embed([.text("a")], for: .passage)
            return nil
        } catch {
            return error as? EngineError
        }
    }

    @Test(arguments: [false, true])
    func `gets a vector of length 1 for each text, in requests of a few, and counts what they cost`(
        isBase64: Bool
    ) async throws {
        let ledger = CostLedger()
        let embedder = try Self.embedder {
            $0.limits.maximumBatchCount = 7
            $0.ledger = ledger
            if isBase64 { $0.fields["encoding_format"] = .string("base64") }
        }
        let texts = (1...50).map { String(repeating: "é", count: $0) }
        let vectors = try await embedder.embed(texts.map(EmbeddingInput.text), for: .passage)
        #expect(vectors.count == 50 && vectors.allSatisfy { $0.count == 13 })
        #expect(vectors.allSatisfy { abs($0.reduce(0) { $0 + $1 * $1 } - 1) < 1e-6 })
        let costs = try #require(ledger.days().values.first?["openai"])
        // It counts characters as tokens.
        #expect(costs.requests == 8 && costs.texts == 50 && costs.tokens == 1_275)
        #expect(await embedder.health().state == .ready)
    }

    @Test func `refuses its wrong key, another model and another dimension, and shows no key`() async throws {
        let wrongKey = await Self.refusal(try Self.embedder(key: "another-key-4f9b1c77"))
        #expect(wrongKey?.code == .embedder && wrongKey?.message.contains("4f9b1c77") == false)
        #expect(try await Self.embedder(key: nil).health().state == .wrongKey)
        let model = await Self.refusal(try Self.embedder(model: "other"))
        #expect(
            model?.code == .embedder && model?.message.contains("`tiny`") == true,
            "\(String(describing: model))")
        let dimension = await Self.refusal(try Self.embedder(dimension: 12))
        #expect(dimension?.code == .embedder, "\(String(describing: dimension))")
    }
}

private enum InfinityServer {
    static let server = CounterpartServer(script: "openai-server", folder: "infinity-venv")
}
