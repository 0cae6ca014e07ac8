import Foundation
import MemoryEngine

/// Vectors of a server that speaks the protocol of Text Embeddings Inference: `POST /embed` gives a bare list of vectors.
///
/// The server does not say in an answer which model made it. So it is asked before the first text (`/info`), and again after a call
/// that failed, since another server may have come in its place.
public struct TEIEmbedder: HealthReporting {
    /// What differs between servers.
    public struct Options: Sendable {
        /// Under which its costs are counted.
        public var service = "tei"
        public var deadline = Duration.seconds(60)
        /// The names of its prompts for questions and passages, where the model has some.
        public var queryPrompt: String?
        public var passagePrompt: String?
        /// A server takes 32 texts at once unless it was started with another `--max-client-batch-size`; one that says that
        /// it takes fewer (`/info`) is sent fewer.
        public var limits = EmbedderLimits(maximumBatchCount: 32, maximumInputByteCount: 32 << 10)
        /// 0 = it costs nothing by the token, as a server of one's own; `nil` = nobody knows.
        public var dollarsPerMillionTokens: Double? = 0
        public var ledger: CostLedger?
        /// Whether the server is asked for its model. Leave it out only where something between gives `/embed` alone.
        public var checksModel = true

        public init() {}
    }

    public let space: EmbeddingSpace
    public var limits: EmbedderLimits { options.limits }

    private let url: String
    private let options: Options
    private let call: ServiceCall
    /// What the server has said of itself since the last failure; for all copies.
    private let told = Told()

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
            dollarsPerMillionTokens: options.dollarsPerMillionTokens)
        try call.check()
    }

    /// One vector of length 1 for each text, in their order.
    ///
    /// - Throws: as `OpenAIEmbedder.embed`.
    public func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        let texts = try inputs.map(text(of:))
        guard !texts.isEmpty else { return [] }
        let weights = try texts.enumerated().map { index, text in
            try call.weight(of: text, index, atMost: limits.maximumInputByteCount)
        }
        do {
            return try await vectors(of: texts, weights, purpose)
        } catch {
            told.info = nil
            throw error
        }
    }

    private func vectors(
        of texts: [String], _ weights: [InputWeight], _ purpose: EmbeddingPurpose
    ) async throws -> [[Float]] {
        if options.checksModel, told.info == nil {
            told.info = try await call.told {
                try await checkModel(
                    within: options.deadline, isRetried: true, isHurried: purpose == .query)
            }
        }
        let most = told.info?.maximumBatchCount ?? limits.maximumBatchCount
        var vectors: [[Float]] = []
        for batch in RequestBounds(count: min(limits.maximumBatchCount, max(1, most))).batches(of: weights) {
            var fields: [String: ServiceField] = [
                "inputs": .list(texts[batch].map(ServiceField.string)), "normalize": .flag(true),
                "truncate": .flag(false),
            ]
            if let prompt = purpose == .query ? options.queryPrompt : options.passagePrompt {
                fields["prompt_name"] = .string(prompt)
            }
            let written = try await call.ask(
                .object(fields), texts: batch.count, tokens: weights[batch].reduce(0) { $0 + $1.tokens },
                for: purpose, Self.read)
            vectors += try call.vectors(written.map { (nil, $0) }, count: batch.count)
        }
        return vectors
    }

    @Sendable private static func read(_ response: HTTPResponse) -> ServiceCall.Answer<[WrittenVector]>? {
        guard let vectors = try? JSONDecoder().decode([WrittenVector].self, from: Data(response.body)) else {
            return nil
        }
        let tokens = response.value(of: "x-compute-tokens").flatMap { Int($0) }
        return .init(content: vectors, tokens: tokens.flatMap { (0...1 << 40).contains($0) ? $0 : nil })
    }

    private final class Told: Sendable {
        private let state = Mutex<Info?>(nil)

        var info: Info? {
            get { state.withLock { $0 } }
            set { state.withLock { $0 = newValue } }
        }
    }

    private struct Info: Decodable {
        let model: String
        /// The commit of its files, where it was loaded from a hub.
        let revision: String?
        let maximumBatchCount: Int?

        private enum CodingKeys: String, CodingKey {
            case model = "model_id"
            case revision = "model_sha"
            case maximumBatchCount = "max_client_batch_size"
        }
    }

    /// - Throws: `HTTPError`; `EngineError` with code `embedder`: the server's model is another one.
    private func checkModel(
        within: Duration, isRetried: Bool, isHurried: Bool = false
    ) async throws -> Info {
        let response = try await call.client.send(
            HTTPRequest(.get, url + "/info", credential: call.credential), within: within,
            isRetried: isRetried, isHurried: isHurried)
        guard let info = try? JSONDecoder().decode(Info.self, from: Data(response.body)) else {
            throw call.refusal("it does not tell its model: \(call.excerpt(response.body))")
        }
        guard info.model == space.model else {
            throw call.refusal("its model is `\(call.excerpt(info.model.utf8, limit: 100))`")
        }
        if let revision = info.revision, !space.revision.isEmpty, revision != space.revision {
            throw call.refusal("its model has revision `\(call.excerpt(revision.utf8, limit: 100))`")
        }
        return info
    }

    /// How the server is, and whether its model is that of the space.
    public func health() async -> EmbedderHealth {
        await call.health { _ = try await checkModel(within: call.patience, isRetried: false) }
    }
}
