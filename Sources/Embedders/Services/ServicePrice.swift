/// What a service takes at most and costs, as its makers say; what they do not say is `nil`.
public struct ServicePrice: Sendable, Equatable {
    public let service: String
    public let model: String
    public let dollarsPerMillionTokens: Double?
    /// Of one text, in tokens.
    public let maximumTextTokens: Int?
    /// In one request.
    public let maximumTexts: Int
    /// Of all texts of a request.
    public let maximumRequestTokens: Int?

    /// When these were looked up.
    public static let date = "2026-11"

    /// Those that are known. A service's own server costs nothing by the token.
    public static let all: [ServicePrice] = [
        .init("openai", "text-embedding-3-small", 0.02, text: 8_192, texts: 2_048, request: 300_000),
        .init("openai", "text-embedding-3-large", 0.13, text: 8_192, texts: 2_048, request: 300_000),
        .init("voyage", "voyage-code-3", 0.18, text: 32_000, texts: 1_000, request: 120_000),
        .init("voyage", "voyage-code-4", 0.12, text: 32_000, texts: 1_000, request: 120_000),
        .init("voyage", "voyage-4", 0.06, text: 32_000, texts: 1_000, request: 320_000),
        .init("voyage", "voyage-4-lite", 0.02, text: 32_000, texts: 1_000, request: 1_000_000),
        // Its price stands in no source that agrees with another.
        .init("jina", "jina-embeddings-v4", nil, text: 32_768, texts: 512, request: nil),
    ]

    /// The entry of a model; `nil` = unknown.
    public static func of(_ model: String, by service: String) -> ServicePrice? {
        all.first { $0.service == service && $0.model == model }
    }

    private init(
        _ service: String, _ model: String, _ dollars: Double?, text: Int?, texts: Int, request: Int?
    ) {
        (self.service, self.model, dollarsPerMillionTokens) = (service, model, dollars)
        (maximumTextTokens, maximumTexts, maximumRequestTokens) = (text, texts, request)
    }

    /// How many tokens a text has at most about: one for each three bytes. English has one for four or five, code and other
    /// scripts one for two to four.
    static func tokens(ofBytes count: Int) -> Int { (count + 2) / 3 }
}
