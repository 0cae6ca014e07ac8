import MemoryEngine

/// Vectors of a text's words alone, each looked up in a table that was made from a model once: no model is loaded, and no
/// network asked.
///
/// `loci model distil` makes the table from the input embeddings of a model of the BERT family, 8 MB for all-MiniLM-L6-v2. A text
/// is the sum of the rows of its tokens, which weigh as they are rare, scaled to length 1. So it knows of words that they are of
/// like meaning (`car` and `vehicle`), and nothing of their order or of what a word means beside others. Its cost is
/// that of cutting a text into tokens and one sum a token; all of a text counts, however long.
///
/// The same table gives the same bits on every machine. The space is named by the model and a digest of the table.
public final class TokenTableEmbedder: Embedder {
    public let space: EmbeddingSpace
    /// Where the table is.
    public let path: String
    public let limits = EmbedderLimits(maximumBatchCount: 4_096, maximumInputByteCount: 16 << 20)

    /// Evidence in the first ten hits of the engine's recall at this weight, on conversations, dialogues and commits: 78.8, 68.6 and
    /// 79.1 percent.
    public let lexicalWeight = 0.35
    /// Sums of words are near for any two texts about one thing, whatever they say of it.
    public let knowsMeanings = false

    private let table: TokenTable
    private let loaded = Mutex<WordPiece?>(nil)

    /// Reads what a table says of itself; the rest is read and checked by the first `embed`, or by `load`.
    ///
    /// - Throws: `EngineError`: `notFound`, `corrupted` or `io`.
    public init(path: String) throws {
        self.path = path
        table = try Self.advised(path) { try TokenTable(path: path) }
        space = table.space
    }

    /// Reads and checks the table now, if it is not.
    ///
    /// - Throws: `EngineError` with code `corrupted`.
    /// - Complexity: O(bytes).
    public func load() throws { _ = try tokenizer() }

    private func tokenizer() throws -> WordPiece {
        try loaded.withLock { loaded in
            if let loaded { return loaded }
            let tokenizer = try Self.advised(path) { try table.check() }
            loaded = tokenizer
            return tokenizer
        }
    }

    private static func advised<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as EngineError where error.code == .corrupted {
            let reason = error.message.hasPrefix(path) ? error.message : "\(path) is \(error.message)"
            throw EngineError(.corrupted, "\(reason); make it again by `loci model distil`")
        } catch let error as EngineError where error.code == .notFound {
            throw EngineError(
                .notFound, "there is no table of tokens at \(path); make one by `loci model distil`")
        }
    }

    /// One vector of length 1 for each text, in their order. Passages and queries are treated alike.
    ///
    /// - Throws: `EngineError` with code `embedder` for an image or a video, what `load` throws, and
    ///   `CancellationError`.
    /// - Complexity: O(bytes).
    public func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        let tokenizer = try tokenizer()
        return try inputs.map { input in
            try Task.checkCancellation()
            return vector(of: try text(of: input), tokenizer)
        }
    }

    /// The vector of one text. A text without a token that weighs anything gives a fixed unit vector.
    ///
    /// - Throws: what `load` throws.
    public func vector(of text: String) throws -> [Float] { vector(of: text, try tokenizer()) }

    private func vector(of text: String, _ tokenizer: WordPiece) -> [Float] {
        var sum = [Float](repeating: 0, count: space.dimension)
        for token in tokenizer.tokens(of: text, atMost: text.utf8.count + 2) {
            table.add(Int(token), to: &sum)
        }
        let squares = sum.reduce(0) { $0 + $1 * $1 }
        guard squares > 0, squares.isFinite else {
            sum = [Float](repeating: 0, count: space.dimension)
            sum[0] = 1
            return sum
        }
        let scale = 1 / squares.squareRoot()
        for index in sum.indices { sum[index] *= scale }
        return sum
    }
}
