import Foundation
import MemoryEngine

/// Vectors of a service that answers as OpenAI's `/embeddings` does: OpenAI itself, Jina and Voyage, which want other fields in
/// the question, and servers of one's own (Ollama, llama.cpp, vLLM, Infinity).
///
/// What the service answers is checked before it becomes a vector of the space: that it is of this model, one vector for each
/// input, of the space's dimension, with numbers only, and not zero. Vectors are scaled to length 1, which some services
/// do not do after they have cut one short.
public struct OpenAIEmbedder: HealthReporting {
    /// What differs between services.
    public struct Options: Sendable {
        /// Under which its costs are counted.
        public var service = "openai"
        /// How long a call may take, retries and all.
        public var deadline = Duration.seconds(60)
        /// The field that asks for the space's dimension; `nil` = the model has one only.
        public var dimensionField: String?
        /// Fields of every request, beside the model and the inputs.
        public var fields: [String: ServiceField] = [:]
        /// Further ones of a question, and of a passage.
        public var queryFields: [String: ServiceField] = [:]
        public var passageFields: [String: ServiceField] = [:]
        /// Inputs are `{"text": …}` and `{"image": …}` in the place of strings.
        public var takesObjects = false
        public var modalities: Set<Modality> = [.text]
        /// Other names by which the service may call the model in its answer.
        public var otherNames: Set<String> = []
        /// What stands before a question, or before a passage, for models that want it.
        public var queryPrefix = ""
        public var passagePrefix = ""
        /// Inputs in one request, and their bytes.
        public var limits = EmbedderLimits(maximumBatchCount: 256, maximumInputByteCount: 32 << 10)
        /// Tokens in one request, by the estimate of one for each three bytes; `nil` = no bound.
        public var maximumRequestTokens: Int?
        /// 0 = it costs nothing; `nil` = nobody knows, and a cap in dollars stops every call.
        public var dollarsPerMillionTokens: Double?
        /// Where costs are counted, and capped.
        public var ledger: CostLedger?

        public init() {}
    }

    public let space: EmbeddingSpace
    public var limits: EmbedderLimits { options.limits }
    public var modalities: Set<Modality> { options.modalities }

    private let options: Options
    private let call: ServiceCall

    /// What an image counts as where its service does not say.
    static let tokensOfImage = 2_000

    /// - Parameters:
    ///   - url: what stands before `/embeddings`, such as `https://api.openai.com/v1`.
    ///   - key: sent as `Authorization: Bearer KEY`. It shows in no error, and not when this is printed.
    ///   - space: the model by the name that the service has for it, and the dimension of its vectors.
    /// - Throws: `EngineError` with code `invalid`: an URL or a key that is none.
    public init(url: String, key: String? = nil, space: EmbeddingSpace, options: Options = Options()) throws {
        try self.init(url: url, key: key, space: space, options: options, client: ServiceCall.client())
    }

    init(url: String, key: String?, space: EmbeddingSpace, options: Options, client: HTTPClient) throws {
        self.space = space
        self.options = options
        call = ServiceCall(
            service: options.service, url: url + (url.hasSuffix("/") ? "embeddings" : "/embeddings"),
            space: space, deadline: options.deadline, credential: try ServiceCall.bearer(key),
            client: client, ledger: options.ledger,
            dollarsPerMillionTokens: options.dollarsPerMillionTokens)
        try call.check()
    }

    /// One vector of length 1 for each input, in their order.
    ///
    /// - Throws: `EngineError`: `embedder` (what the model does not take; a service that fails, that answers with what are no
    ///   vectors of the space, or whose cap is reached), `tooLarge`, `deadline`; `CancellationError`.
    public func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        var fields: [ServiceField] = []
        var weights: [InputWeight] = []
        for (index, input) in inputs.enumerated() {
            let (field, weight) = try question(input, index, purpose)
            fields.append(field)
            weights.append(weight)
        }
        let bounds = RequestBounds(count: limits.maximumBatchCount, tokens: options.maximumRequestTokens)
        var vectors: [[Float]] = []
        for batch in bounds.batches(of: weights) {
            let written = try await call.ask(
                request(Array(fields[batch]), purpose), texts: batch.count,
                tokens: weights[batch].reduce(0) { $0 + $1.tokens }, for: purpose, Self.read)
            vectors += try checked(written, count: batch.count)
        }
        return vectors
    }

    private func question(
        _ input: EmbeddingInput, _ index: Int, _ purpose: EmbeddingPurpose
    ) throws -> (ServiceField, InputWeight) {
        switch input {
        case .text(let text) where options.modalities.contains(.text):
            let said = (purpose == .query ? options.queryPrefix : options.passagePrefix) + text
            let weight = try call.weight(of: said, index, atMost: limits.maximumInputByteCount)
            return (options.takesObjects ? .object(["text": .string(said)]) : .string(said), weight)
        case .image(let bytes) where options.modalities.contains(.image):
            try input.check("image \(index) for \(space.name)")
            let text = Data(bytes).base64EncodedString()
            return (
                .object(["image": .string(text)]),
                InputWeight(tokens: Self.tokensOfImage, bytes: text.utf8.count)
            )
        default:
            throw EngineError(
                .embedder,
                "\(space.name) embeds \(options.modalities.map(\.rawValue).sorted().joined(separator: " and ")) only; give what "
                    + "else there is a vector")
        }
    }

    private func request(_ inputs: [ServiceField], _ purpose: EmbeddingPurpose) -> ServiceField {
        var fields = options.fields
        fields.merge(purpose == .query ? options.queryFields : options.passageFields) { $1 }
        if let field = options.dimensionField { fields[field] = .number(space.dimension) }
        fields["model"] = .string(space.model)
        fields["input"] = .list(inputs)
        return .object(fields)
    }

    private struct Reply: Decodable, Sendable {
        struct Item: Decodable, Sendable {
            let embedding: WrittenVector
            let index: Int?
        }
        struct Usage: Decodable, Sendable {
            let totalTokens: Int?
            let promptTokens: Int?

            private enum CodingKeys: String, CodingKey {
                case totalTokens = "total_tokens"
                case promptTokens = "prompt_tokens"
            }
        }

        let data: [Item]
        let model: String?
        let usage: Usage?
    }

    @Sendable private static func read(_ response: HTTPResponse) -> ServiceCall.Answer<Reply>? {
        guard let reply = try? JSONDecoder().decode(Reply.self, from: Data(response.body)) else { return nil }
        let tokens = reply.usage?.totalTokens ?? reply.usage?.promptTokens
        // A count that is none is not believed.
        return .init(content: reply, tokens: tokens.flatMap { (0...1 << 40).contains($0) ? $0 : nil })
    }

    private func checked(_ reply: Reply, count: Int) throws -> [[Float]] {
        if let model = reply.model, model != space.model, !options.otherNames.contains(model) {
            throw call.refusal("its answer is of the model `\(call.excerpt(model.utf8, limit: 100))`")
        }
        return try call.vectors(reply.data.map { ($0.index, $0.embedding) }, count: count)
    }

    /// How the service is: asked for the vector of one short text, which costs a token or two.
    public func health() async -> EmbedderHealth {
        await call.health {
            let (field, weight) = try question(.text("health"), 0, .query)
            let reply = try await call.answer(
                to: request([field], .query), texts: 1, tokens: weight.tokens, within: call.patience,
                isRetried: false, Self.read)
            _ = try checked(reply, count: 1)
        }
    }
}
