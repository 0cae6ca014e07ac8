import Foundation
import MemoryEngine

/// Vectors of a server that speaks the protocol of Text Embeddings Inference: `POST /embed` gives a bare list of vectors.
///
/// The server does not say in an answer which model made it; `health` asks it.
public struct TEIEmbedder: HealthReporting {
    /// What differs between servers.
    public struct Options: Sendable {
        /// Under which its costs are counted.
        public var service = "tei"
        public var deadline = Duration.seconds(60)
        /// The names of its prompts for questions and passages, where the model has some.
        public var queryPrompt: String?
        public var passagePrompt: String?
        /// A server takes 32 texts at once unless it was started with another `--max-client-batch-size`.
        public var limits = EmbedderLimits(maximumBatchCount: 32, maximumInputByteCount: 32 << 10)
        public var ledger: CostLedger?

        public init() {}
    }

    public let space: EmbeddingSpace
    public var limits: EmbedderLimits { options.limits }

    private let url: String
    private let options: Options
    private let call: ServiceCall

    /// - Parameters:
    ///   - url: the server's, such as `http://127.0.0.1:8080`.
    ///   - space: the model by the name with which the server was started, and its dimension.
    /// - Throws: `EngineError` with code `invalid`: an URL or a key that is none.
    public init(url: String, key: String? = nil, space: EmbeddingSpace, options: Options = Options()) throws {
        try self.init(url: url, key: key, space: space, options: options, client: ServiceCall.client())
    }

    init(url: String, key: String?, space: EmbeddingSpace, options: Options, client: HTTPClient) throws {
        self.space = space
        self.options = options
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        call = ServiceCall(
            service: options.service, url: self.url + "/embed", space: space, deadline: options.deadline,
            credential: try ServiceCall.bearer(key), client: client, ledger: options.ledger,
            dollarsPerMillionTokens: nil)
        try call.check()
    }

    /// One vector of length 1 for each text, in their order.
    ///
    /// - Throws: as `OpenAIEmbedder.embed`.
    public func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        let texts = try inputs.map { input in
            guard case .text(let text) = input else {
                throw EngineError(
                    .embedder, "\(space.name) embeds text only; give images and videos a vector")
            }
            return text
        }
        let tokens = texts.map { ServicePrice.tokens(ofBytes: $0.utf8.count) }
        var vectors: [[Float]] = []
        for batch in ServiceCall.batches(
            of: tokens, maximumCount: limits.maximumBatchCount, maximumTokens: nil)
        {
            var fields: [String: ServiceField] = [
                "inputs": .list(texts[batch].map(ServiceField.string)), "normalize": .flag(true),
                "truncate": .flag(false),
            ]
            if let prompt = purpose == .query ? options.queryPrompt : options.passagePrompt {
                fields["prompt_name"] = .string(prompt)
            }
            let written = try await call.ask(
                .object(fields), texts: batch.count, tokens: tokens[batch].reduce(0, +), Self.read)
            vectors += try call.vectors(written.map { (nil, $0) }, count: batch.count)
        }
        return vectors
    }

    private static func read(_ response: HTTPResponse) -> ServiceCall.Answer<[WrittenVector]>? {
        guard let vectors = try? JSONDecoder().decode([WrittenVector].self, from: Data(response.body)) else {
            return nil
        }
        let tokens = response.value(of: "x-compute-tokens").flatMap { Int($0) }
        return .init(content: vectors, tokens: tokens.flatMap { (0...1 << 40).contains($0) ? $0 : nil })
    }

    private struct Info: Decodable {
        let model: String

        private enum CodingKeys: String, CodingKey { case model = "model_id" }
    }

    /// How the server is, and whether its model is that of the space.
    public func health() async -> EmbedderHealth {
        await call.health {
            let response = try await call.probe(
                HTTPRequest(.get, url + "/info", credential: call.credential))
            guard let info = try? JSONDecoder().decode(Info.self, from: Data(response.body)) else {
                throw call.refusal("it does not tell its model: \(call.excerpt(response.body))")
            }
            guard info.model == space.model else {
                throw call.refusal("its model is `\(call.excerpt(info.model.utf8, limit: 100))`")
            }
        }
    }
}
