import Foundation
import MemoryEngine

/// Vectors of a model of the BERT family, computed in this process on one core for each call: all-MiniLM-L6-v2 (384
/// components), and others that are published in the same form.
///
/// It knows meanings: texts are near that say the same in other words. `make model` fetches all-MiniLM-L6-v2; any folder
/// with `config.json`, `vocab.txt` and `model.safetensors` of 32-bit floats will do. A text counts up to the model's
/// largest number of tokens (256, some 190 words of English, for all-MiniLM-L6-v2), and what is beyond is not looked at.
///
/// The space is named by the model and a digest of its weights, vocabulary and settings, so that vectors of two models, or
/// of two versions of one, never mix. Linear layers are computed by 16-bit numbers (bfloat16,
/// or whole ones), unless 32-bit floats are asked for: it is twice as fast, and for all-MiniLM-L6-v2 the cosine between both is above .9999.
public final class LocalEncoder: Embedder {
    /// How linear layers are computed.
    public enum Arithmetic: String, Sendable, CaseIterable {
        /// As is fastest on this processor.
        case fastest
        case float32
    }

    public let space: EmbeddingSpace
    /// Where the model is.
    public let folder: String
    public let limits = EmbedderLimits(maximumBatchCount: 1_024, maximumInputByteCount: 16 << 20)

    private let model: ModelFolder
    private let kernels: Kernels
    private let loaded = Mutex<BertEncoder?>(nil)

    /// Reads what a model's folder says of it. The weights are loaded by the first `embed`, or by `load`; where the
    /// folder does not state their digest, they are read here once.
    ///
    /// - Throws: `EngineError`: `notFound`, `corrupted`, `io`, or `embedder` for a model of another kind.
    public convenience init(folder: String, arithmetic: Arithmetic = .fastest) throws {
        try self.init(folder: folder, kernels: Kernels(allowsRounding: arithmetic == .fastest))
    }

    /// For tests and benchmarks: with the kernels of that name, if this processor can run them.
    package convenience init?(folder: String, kernelName: String) throws {
        guard let kernels = Kernels(name: kernelName) else { return nil }
        try self.init(folder: folder, kernels: kernels)
    }

    /// The names of all kernels that this processor can run, the fastest first.
    package static var kernelNames: [String] { Kernels.supported.map(\.name) }

    private init(folder: String, kernels: Kernels) throws {
        self.folder = folder
        model = try ModelFolder(path: folder)
        self.kernels = kernels
        let weights: String
        do {
            weights = try model.stated?.weights ?? MappedFile(path: model.weightsPath).digest
        } catch let error as EngineError where error.code != .io {
            throw EngineError(error.code, "\(error.message); \(ModelFolder.remedy)")
        }
        space = model.space(weights: weights)
    }

    /// The file with the weights.
    public var weightsPath: String { model.weightsPath }

    /// Whether linear layers round what they multiply.
    package var rounds: Bool { kernels.rounds }

    /// What computes, by its instructions: `AVX-512 BF16`, `AVX-512 VNNI`, `AVX2` and the like.
    public var kernelName: String { kernels.name }

    /// Loads the weights now, if they are not.
    ///
    /// - Throws: `EngineError`: `notFound`, `io`, or `corrupted`, also where the weights are not those of the digest
    ///   that the folder states.
    /// - Complexity: some 50 ms for 90 MB that the system has in memory.
    public func load() throws { _ = try encoder() }

    private func encoder() throws -> BertEncoder {
        try loaded.withLock { loaded in
            if let loaded { return loaded }
            let file = try MappedFile(path: model.weightsPath)
            do {
                let encoder = try BertEncoder(model.configuration, file: file, kernels: kernels)
                if let stated = model.stated, stated.weights != file.digest {
                    throw EngineError(
                        .corrupted, "damaged, or not the weights that \(ModelFolder.manifestName) speaks of")
                }
                loaded = encoder
                return encoder
            } catch let error as EngineError {
                throw EngineError(
                    error.code,
                    "\(model.weightsPath) is \(error.message); \(ModelFolder.remedy)")
            }
        }
    }

    /// One vector of length 1 for each text, in their order. Passages and queries are treated alike.
    ///
    /// - Throws: `EngineError` with code `embedder` for an image or a video, what `load` throws, and
    ///   `CancellationError`.
    /// - Complexity: about 2 ms for 16 tokens, 12 to 16 for 128, where there is AVX-512 with bfloat16 or VNNI.
    public func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        let encoder = try encoder()
        var vectors: [[Float]] = []
        vectors.reserveCapacity(inputs.count)
        var batch: [[Int32]] = []
        var tokenCount = 0
        for input in inputs {
            let tokens = tokens(of: try text(of: input))
            if tokenCount + tokens.count > BertEncoder.batchTokenCount, !batch.isEmpty {
                vectors += try encoder.vectors(of: batch)
                batch.removeAll(keepingCapacity: true)
                tokenCount = 0
                try Task.checkCancellation()
                await Task.yield()
            }
            batch.append(tokens)
            tokenCount += tokens.count
        }
        try Task.checkCancellation()
        return vectors + (try encoder.vectors(of: batch))
    }

    /// The vector of one text, on this thread.
    ///
    /// - Throws: what `load` throws.
    public func vector(of text: String) throws -> [Float] {
        // One text, one vector.
        try encoder().vectors(of: [tokens(of: text)])[0]
    }

    /// The tokens that the model sees of a text, with the marks of its begin and end.
    ///
    /// - Complexity: O(bytes) up to the model's largest number of tokens.
    public func tokens(of text: String) -> [Int32] {
        model.tokenizer.tokens(of: text, atMost: model.configuration.maximumTokenCount)
    }
}

extension MappedFile {
    /// 32 hexadecimal digits that tell this file from others.
    var digest: String {
        // Safe because the whole file is mapped.
        unsafe Kernels.digest(of: UnsafeRawBufferPointer(start: address(of: 0), count: byteCount))
    }
}
