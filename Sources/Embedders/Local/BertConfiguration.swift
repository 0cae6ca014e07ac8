import MemoryEngine

/// The shape of a model of the BERT family, and how a text becomes one vector by it.
struct BertConfiguration: Equatable, Sendable {
    enum Pooling: String, Sendable { case mean, firstToken }

    let hidden: Int
    let layerCount: Int
    let headCount: Int
    let intermediate: Int
    let vocabularyCount: Int
    let positionCount: Int
    let typeCount: Int
    let epsilon: Float
    let maximumTokenCount: Int
    let pooling: Pooling
    let isLowercase: Bool

    var headWidth: Int { hidden / headCount }

    /// As `config.json` has it.
    struct Model: Decodable {
        let model_type: String
        let hidden_size: Int
        let num_hidden_layers: Int
        let num_attention_heads: Int
        let intermediate_size: Int
        let vocab_size: Int
        let max_position_embeddings: Int
        let type_vocab_size: Int
        let layer_norm_eps: Double
        let hidden_act: String
        let position_embedding_type: String?
    }

    struct Sentence: Decodable { let max_seq_length: Int? }

    struct PoolingSettings: Decodable {
        let pooling_mode_cls_token: Bool?
        let pooling_mode_mean_tokens: Bool?
    }

    struct TokenizerSettings: Decodable {
        let do_lower_case: Bool?
        let strip_accents: Bool?
        let tokenize_chinese_chars: Bool?
    }

    /// - Throws: `EngineError` with code `embedder` for what this encoder cannot compute, `corrupted` for what nobody can.
    init(
        _ model: Model, sentence: Sentence? = nil, pooling: PoolingSettings? = nil,
        tokenizer: TokenizerSettings? = nil
    ) throws {
        func refuse(_ what: String) -> EngineError {
            EngineError(.embedder, "the model has \(what); use one like all-MiniLM-L6-v2, of type bert")
        }
        guard model.model_type == "bert" else { throw refuse("the type \(model.model_type.prefix(40))") }
        guard model.hidden_act == "gelu" else {
            throw refuse("the activation \(model.hidden_act.prefix(40))")
        }
        guard (model.position_embedding_type ?? "absolute") == "absolute" else {
            throw refuse("positions that are not absolute")
        }
        guard (1...EmbeddingSpace.maximumDimension).contains(model.hidden_size),
            (1...96).contains(model.num_hidden_layers),
            (1...model.hidden_size).contains(model.num_attention_heads),
            model.hidden_size % model.num_attention_heads == 0,
            (1...65_536).contains(model.intermediate_size),
            (3...WordPiece.maximumVocabularyCount).contains(model.vocab_size),
            (3...65_536).contains(model.max_position_embeddings), (1...256).contains(model.type_vocab_size),
            model.layer_norm_eps > 0, model.layer_norm_eps < 1
        else { throw EngineError(.corrupted, "the model's config.json has sizes that no model has") }
        hidden = model.hidden_size
        layerCount = model.num_hidden_layers
        headCount = model.num_attention_heads
        intermediate = model.intermediate_size
        vocabularyCount = model.vocab_size
        positionCount = model.max_position_embeddings
        typeCount = model.type_vocab_size
        epsilon = Float(model.layer_norm_eps)
        maximumTokenCount = max(
            3, min(sentence?.max_seq_length ?? model.max_position_embeddings, model.max_position_embeddings))
        isLowercase = tokenizer?.do_lower_case ?? true
        guard tokenizer?.strip_accents ?? isLowercase == isLowercase,
            tokenizer?.tokenize_chinese_chars ?? true
        else {
            throw refuse("a tokenizer with rules of its own for accents or Chinese")
        }
        switch (
            pooling?.pooling_mode_mean_tokens ?? (pooling == nil), pooling?.pooling_mode_cls_token ?? false
        ) {
        case (true, false): self.pooling = .mean
        case (false, true): self.pooling = .firstToken
        default: throw refuse("a pooling that is neither of the mean nor of the first token")
        }
    }
}
