import Foundation
import MemoryEngine

/// A folder with a model as its makers publish it: `config.json`, `vocab.txt`, `model.safetensors`, and beside them what
/// the sentence-transformers library writes (`sentence_bert_config.json`, `1_Pooling/config.json`).
///
/// `make model` adds `loci-model.json`, which names the model and states the digest of its weights and the revision of its
/// space, so that damage to any file that makes the vectors is found, and the space is known before the weights are read.
struct ModelFolder {
    let path: String
    let configuration: BertConfiguration
    let tokenizer: WordPiece
    let stated: Stated?
    /// The bytes of `vocab.txt`.
    let vocabulary: [UInt8]
    private let vocabularyDigest: String

    /// What `loci-model.json` says.
    struct Stated: Decodable, Equatable {
        let model: String
        let weights: String
        /// `nil` = files beside the weights are not checked.
        let revision: String?
    }

    static let manifestName = "loci-model.json"
    static let weightsName = "model.safetensors"
    var weightsPath: String { path + "/" + Self.weightsName }
    /// The way out where any file of it is damaged.
    static let remedy = "run `make model`, or fetch it again"

    /// Reads everything but the weights.
    ///
    /// - Throws: `EngineError`: `notFound`, `corrupted`, or `embedder` for a model of another kind.
    init(path: String) throws {
        do {
            try self.init(readingFrom: path)
        } catch let error as EngineError where error.code == .corrupted {
            throw EngineError(.corrupted, "\(error.message); \(Self.remedy)")
        }
    }

    private init(readingFrom path: String) throws {
        self.path = path
        guard FileManager.default.fileExists(atPath: path) else {
            throw EngineError(
                .notFound, "there is no model in \(path); run `make model`, or name another folder")
        }
        let reader = Reader(folder: path)
        configuration = try BertConfiguration(
            try reader.required("config.json"), sentence: try reader.optional("sentence_bert_config.json"),
            pooling: try reader.optional("1_Pooling/config.json"),
            tokenizer: try reader.optional("tokenizer_config.json"))
        vocabulary = try reader.bytes("vocab.txt")
        vocabularyDigest = Self.digest(of: vocabulary)
        do {
            tokenizer = try WordPiece(vocabulary: vocabulary, isLowercase: configuration.isLowercase)
        } catch let error as EngineError {
            throw EngineError(error.code, "\(path)/vocab.txt is \(error.message)")
        }
        guard tokenizer.count <= configuration.vocabularyCount else {
            throw EngineError(
                .corrupted,
                "\(path)/vocab.txt has \(tokenizer.count) tokens, and config.json says \(configuration.vocabularyCount)"
            )
        }
        let stated: Stated? = try reader.optional(Self.manifestName)
        if let stated,
            stated.weights.utf8.count != 32 || stated.model.isEmpty || stated.model.utf8.count > 100
                || stated.model.contains("@")
        {
            throw EngineError(.corrupted, "\(path)/\(Self.manifestName) is damaged")
        }
        self.stated = stated
        if let stated, let revision = stated.revision, space(weights: stated.weights).revision != revision {
            throw EngineError(
                .corrupted,
                "\(path)/vocab.txt or a .json file beside it is not what \(Self.manifestName) states (remove that file if "
                    + "you changed them)")
        }
    }

    /// What the model is called.
    var model: String { stated?.model ?? "bert-\(configuration.layerCount)x\(configuration.hidden)" }

    /// The file that tells the licence, or its beginning; `nil` = there is none.
    var license: String? {
        (try? Reader(folder: path).bytes("LICENSE.txt")).map {
            String(decoding: $0.prefix(16_384), as: UTF8.self)
        }
    }

    /// The space of the model's vectors: its revision is a digest of all that makes them.
    func space(weights: String) -> EmbeddingSpace {
        let shape = configuration
        let settings =
            "\(weights) \(vocabularyDigest) \(shape.pooling) \(shape.maximumTokenCount) \(shape.isLowercase) "
            + "\(shape.headCount) \(shape.epsilon)"
        return EmbeddingSpace(
            model: model,
            revision: String(Self.digest(of: Array(settings.utf8)).prefix(12)), dimension: shape.hidden)
    }

    /// 32 hexadecimal digits that tell these bytes from others.
    static func digest(of bytes: [UInt8]) -> String {
        // Safe because no more is read than there is.
        unsafe bytes.withUnsafeBytes { unsafe Kernels.digest(of: $0) }
    }

    /// Reads files that are small, or should be.
    private struct Reader {
        let folder: String
        static let maximumByteCount = 64 << 20

        func bytes(_ name: String) throws -> [UInt8] {
            let file = folder + "/" + name
            guard FileManager.default.fileExists(atPath: file) else {
                throw EngineError(
                    .notFound, "there is no \(file); run `make model`, or name a folder with a whole model")
            }
            do {
                let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
                defer { try? handle.close() }
                let data = try handle.read(upToCount: Self.maximumByteCount + 1) ?? Data()
                guard data.count <= Self.maximumByteCount else {
                    throw EngineError(.corrupted, "\(file) is no such file: it has over 64 MiB")
                }
                return [UInt8](data)
            } catch let error as EngineError {
                throw error
            } catch {
                throw EngineError(.io, "cannot read \(file): \(error.localizedDescription)")
            }
        }

        func required<Value: Decodable>(_ name: String) throws -> Value {
            do {
                let decoder = JSONDecoder()
                decoder.keyDecodingStrategy = .convertFromSnakeCase
                return try decoder.decode(Value.self, from: Data(try bytes(name)))
            } catch is DecodingError {
                throw EngineError(
                    .corrupted, "\(folder)/\(name) is damaged, or of another kind of model than BERT's")
            }
        }

        func optional<Value: Decodable>(_ name: String) throws -> Value? {
            guard FileManager.default.fileExists(atPath: folder + "/" + name) else { return nil }
            return try required(name)
        }
    }
}
