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

    /// As `config.json` has it; in the file names are written `with_underscores`, here and below.
    struct Model: Decodable {
        let modelType: String
        let hiddenSize: Int
        let numHiddenLayers: Int
        let numAttentionHeads: Int
        let intermediateSize: Int
        let vocabSize: Int
        let maxPositionEmbeddings: Int
        let typeVocabSize: Int
        let layerNormEps: Double
        let hiddenAct: String
        let positionEmbeddingType: String?
    }

    struct Sentence: Decodable { let maxSeqLength: Int? }

    struct PoolingSettings: Decodable {
        let poolingModeClsToken: Bool?
        let poolingModeMeanTokens: Bool?
    }

    struct TokenizerSettings: Decodable {
        let doLowerCase: Bool?
        let stripAccents: Bool?
        let tokenizeChineseChars: Bool?
    }

    /// - Throws: `EngineError` with code `embedder` for what this encoder cannot compute, `corrupted` for what nobody can.
    init(
        _ model: Model, sentence: Sentence? = nil, pooling: PoolingSettings? = nil,
        tokenizer: TokenizerSettings? = nil
    ) throws {
        func refuse(_ what: String) -> EngineError {
            EngineError(.embedder, "the model has \(what); use one like all-MiniLM-L6-v2, of type bert")
        }
        guard model.modelType == "bert" else { throw refuse("the type \(model.modelType.prefix(40))") }
        guard model.hiddenAct == "gelu" else {
            throw refuse("the activation \(model.hiddenAct.prefix(40))")
        }
        guard (model.positionEmbeddingType ?? "absolute") == "absolute" else {
            throw refuse("positions that are not absolute")
        }
        guard (1...EmbeddingSpace.maximumDimension).contains(model.hiddenSize),
            (1...96).contains(model.numHiddenLayers),
            (1...model.hiddenSize).contains(model.numAttentionHeads),
            model.hiddenSize % model.numAttentionHeads == 0,
            (1...65_536).contains(model.intermediateSize),
            (3...WordPiece.maximumVocabularyCount).contains(model.vocabSize),
            (3...65_536).contains(model.maxPositionEmbeddings), (1...256).contains(model.typeVocabSize),
            model.layerNormEps > 0, model.layerNormEps < 1
        else { throw EngineError(.corrupted, "the model's config.json has sizes that no model has") }
        hidden = model.hiddenSize
        layerCount = model.numHiddenLayers
        headCount = model.numAttentionHeads
        intermediate = model.intermediateSize
        vocabularyCount = model.vocabSize
        positionCount = model.maxPositionEmbeddings
        typeCount = model.typeVocabSize
        epsilon = Float(model.layerNormEps)
        maximumTokenCount = max(
            3, min(sentence?.maxSeqLength ?? model.maxPositionEmbeddings, model.maxPositionEmbeddings))
        isLowercase = tokenizer?.doLowerCase ?? true
        guard tokenizer?.stripAccents ?? isLowercase == isLowercase,
            tokenizer?.tokenizeChineseChars ?? true
        else {
            throw refuse("a tokenizer with rules of its own for accents or Chinese")
        }
        switch (
            pooling?.poolingModeMeanTokens ?? (pooling == nil), pooling?.poolingModeClsToken ?? false
        ) {
        case (true, false): self.pooling = .mean
        case (false, true): self.pooling = .firstToken
        default: throw refuse("a pooling that is neither of the mean nor of the first token")
        }
    }
}
