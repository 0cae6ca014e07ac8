import MemoryEngine

/// Services of OpenAI's shape, as their makers' documents of November 2026 have them. What is here was tried with servers that
/// answer as those documents say, not with an account.
extension OpenAIEmbedder.Options {
    /// OpenAI itself.
    public static func openAI(model: String) -> Self {
        var options = priced("openai", model)
        options.dimensionField = "dimensions"
        options.fields["encoding_format"] = .string("base64")
        return options
    }

    /// Jina v4: texts and images in one space. A text that is too long is an error there, and not cut.
    public static func jina(model: String) -> Self {
        var options = priced("jina", model)
        options.dimensionField = "dimensions"
        options.fields = ["embedding_type": .string("base64"), "truncate": .flag(false)]
        options.queryFields = ["task": .string("retrieval.query")]
        options.passageFields = ["task": .string("retrieval.passage")]
        options.takesObjects = true
        options.modalities = [.text, .image]
        options.limits.maximumBatchCount = 64
        return options
    }

    /// Voyage, whose models for code and for text differ by their names only.
    public static func voyage(model: String) -> Self {
        var options = priced("voyage", model)
        options.dimensionField = "output_dimension"
        options.fields = ["encoding_format": .string("base64"), "truncation": .flag(false)]
        options.queryFields = ["input_type": .string("query")]
        options.passageFields = ["input_type": .string("document")]
        return options
    }

    /// A server of one's own: Ollama (`http://127.0.0.1:11434/v1`), llama.cpp, vLLM, Infinity. It is asked for numbers, as not all
    /// of them write base64, and costs nothing.
    public static func server() -> Self {
        var options = Self()
        options.service = "server"
        options.dollarsPerMillionTokens = 0
        return options
    }

    private static func priced(_ service: String, _ model: String) -> Self {
        var options = Self()
        options.service = service
        guard let price = ServicePrice.of(model, by: service) else { return options }
        options.limits.maximumBatchCount = min(price.maximumTexts, options.limits.maximumBatchCount)
        // Three bytes a token at least, so that the service never has to refuse or cut what was sent.
        if let tokens = price.maximumTextTokens { options.limits.maximumInputByteCount = tokens * 3 }
        options.maximumRequestTokens = price.maximumRequestTokens
        options.dollarsPerMillionTokens = price.dollarsPerMillionTokens
        // A token has some four bytes. What has no known price has none here: `dollarsPerMillionTokens` tells the two apart.
        options.limits.costPerMegabyte = (price.dollarsPerMillionTokens ?? 0) / 4
        return options
    }
}

extension OpenAIEmbedder {
    /// - Parameter dimension: up to the model's own; fewer are a cut of its vectors.
    public static func openAI(
        key: String, model: String = "text-embedding-3-small", dimension: Int = 1_536,
        ledger: CostLedger? = nil
    ) throws -> OpenAIEmbedder {
        try of(.openAI(model: model), "https://api.openai.com/v1", key, model, dimension, ledger)
    }

    /// - Parameter dimension: 128 to 2,048.
    public static func jina(
        key: String, model: String = "jina-embeddings-v4", dimension: Int = 1_024, ledger: CostLedger? = nil
    ) throws -> OpenAIEmbedder {
        try of(.jina(model: model), "https://api.jina.ai/v1", key, model, dimension, ledger)
    }

    /// - Parameter dimension: 256, 512, 1,024 or 2,048.
    public static func voyage(
        key: String, model: String = "voyage-code-3", dimension: Int = 1_024, ledger: CostLedger? = nil
    ) throws -> OpenAIEmbedder {
        try of(.voyage(model: model), "https://api.voyageai.com/v1", key, model, dimension, ledger)
    }

    private static func of(
        _ options: Options, _ url: String, _ key: String, _ model: String, _ dimension: Int,
        _ ledger: CostLedger?
    ) throws -> OpenAIEmbedder {
        guard (1...EmbeddingSpace.maximumDimension).contains(dimension) else {
            throw EngineError(
                .invalid, "a space has 1 to \(EmbeddingSpace.maximumDimension) dimensions, not \(dimension)")
        }
        var options = options
        options.ledger = ledger
        return try OpenAIEmbedder(
            url: url, key: key, space: EmbeddingSpace(model: model, dimension: dimension), options: options)
    }
}
