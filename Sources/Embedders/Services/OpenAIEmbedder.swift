import Foundation
import MemoryEngine

/// Vectors of a server that speaks OpenAI's `/embeddings`: OpenAI itself, Ollama, llama.cpp, vLLM and others.
///
/// What the server answers is checked before it becomes a vector of the space: that it is of this model, one vector for each
/// text, of the space's dimension, with numbers only, and not zero. Vectors are scaled to length 1, which some servers
/// do not do after they have cut one short.
public struct OpenAIEmbedder: Embedder {
    /// What differs between servers.
    public struct Options: Sendable {
        /// How long a call may take, retries and all.
        public var deadline = Duration.seconds(60)
        /// Whether the server is asked to cut vectors to the space's dimension, as those of OpenAI's third generation can be.
        public var asksForDimension = false
        /// Other names by which the server may call the model in its answer.
        public var otherNames: Set<String> = []
        /// What stands before a question, or before a passage, for models that want it.
        public var queryPrefix = ""
        public var passagePrefix = ""
        /// Texts in one request, their bytes, and what they cost. OpenAI takes 2,048 texts of at most 8,192 tokens.
        public var limits = EmbedderLimits(maximumBatchCount: 256, maximumInputByteCount: 32 << 10)

        public init() {}
    }

    public let space: EmbeddingSpace
    public var limits: EmbedderLimits { options.limits }

    private let url: String
    private let credential: HTTPCredential?
    private let options: Options
    private let client: HTTPClient

    /// All of a process share its connections.
    private static let transport = Result { try CurlTransport() }

    /// - Parameters:
    ///   - url: what stands before `/embeddings`, such as `https://api.openai.com/v1`.
    ///   - key: sent as `Authorization: Bearer KEY`. It shows in no error, and not when this is printed.
    ///   - space: the model by the name that the server has for it, and the dimension of its vectors.
    /// - Throws: `EngineError` with code `invalid`: an URL or a key that is none.
    public init(url: String, key: String? = nil, space: EmbeddingSpace, options: Options = Options()) throws {
        do {
            try self.init(
                url: url, key: key, space: space, options: options,
                client: HTTPClient(over: Self.transport.get()))
        } catch let error as HTTPError {
            throw Self.engineError(error)
        }
    }

    init(url: String, key: String?, space: EmbeddingSpace, options: Options, client: HTTPClient) throws {
        self.url = url + (url.hasSuffix("/") ? "embeddings" : "/embeddings")
        self.space = space
        self.options = options
        self.client = client
        credential = try key.map(HTTPCredential.bearer)
        // Refuses what no request could be made of.
        _ = try HTTPRequest(.post, self.url, credential: credential)
    }

    /// One vector of length 1 for each text, in their order.
    ///
    /// - Throws: `EngineError`: `embedder` (no text; a server that fails, or that answers with what are no vectors of the
    ///   space), `deadline`; `CancellationError`.
    public func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        let prefix = purpose == .query ? options.queryPrefix : options.passagePrefix
        let texts = try inputs.map { input in
            guard case .text(let text) = input else {
                throw EngineError(
                    .embedder, "\(space.name) embeds text only; give images and videos a vector")
            }
            return prefix + text
        }
        var vectors: [[Float]] = []
        let count = max(1, limits.maximumBatchCount)
        for start in stride(from: 0, to: texts.count, by: count) {
            vectors += try await embed(Array(texts[start..<min(texts.count, start + count)]))
        }
        return vectors
    }

    private struct Question: Encodable {
        let model: String
        let input: [String]
        let dimensions: Int?
    }

    private struct Answer: Decodable {
        struct Item: Decodable {
            let embedding: [Float]
            let index: Int?
        }

        let data: [Item]
        let model: String?
    }

    private func embed(_ texts: [String]) async throws -> [[Float]] {
        let encoder = JSONEncoder()
        // So that equal questions are equal bytes, and are asked once.
        encoder.outputFormatting = .sortedKeys
        let question = try encoder.encode(
            Question(
                model: space.model, input: texts, dimensions: options.asksForDimension ? space.dimension : nil
            ))
        let response: HTTPResponse
        do {
            let request = try HTTPRequest(
                .post, url, headers: [HTTPHeader("Content-Type", "application/json")], credential: credential,
                body: Array(question))
            response = try await client.send(request, within: options.deadline)
        } catch let error as HTTPError {
            throw Self.engineError(error)
        }
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(response.body)) else {
            let excerpt = HTTPCredential.excerpt(of: response.body, without: credential)
            throw refusal("its answer is none of OpenAI's: \(excerpt)")
        }
        return try vectors(of: answer, count: texts.count)
    }

    private func vectors(of answer: Answer, count: Int) throws -> [[Float]] {
        if let model = answer.model, model != space.model, !options.otherNames.contains(model) {
            let shown = HTTPCredential.excerpt(of: Array(model.utf8), without: credential, limit: 100)
            throw refusal("its answer is of the model `\(shown)`")
        }
        guard answer.data.count == count else {
            throw refusal("it answers \(count) texts with \(answer.data.count) vectors")
        }
        var vectors = [[Float]?](repeating: nil, count: count)
        for (place, item) in answer.data.enumerated() {
            let index = item.index ?? place
            guard vectors.indices.contains(index), vectors[index] == nil else {
                throw refusal("vector \(place) of its answer is for text \(index), which has one or is none")
            }
            guard item.embedding.count == space.dimension else {
                throw refusal("vector \(index) has \(item.embedding.count) components")
            }
            // In doubles, so that the squares of large components stay finite.
            let length = item.embedding.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            guard length.isFinite, length > 0 else {
                throw refusal("vector \(index) has no length, or a component that is no number")
            }
            vectors[index] = item.embedding.map { Float(Double($0) / length) }
        }
        return vectors.compactMap { $0 }
    }

    private func refusal(_ reason: String) -> EngineError {
        EngineError(.embedder, "\(url) gave no vectors of \(space.name): \(reason)")
    }

    private static func engineError(_ error: HTTPError) -> EngineError {
        let code: EngineError.Code =
            switch error.code {
            case .invalid: .invalid
            case .bodyTooLarge: .tooLarge
            case .deadline: .deadline
            case .connection, .certificate, .status, .resting, .replyTooLarge: .embedder
            }
        return EngineError(code, error.message)
    }
}
