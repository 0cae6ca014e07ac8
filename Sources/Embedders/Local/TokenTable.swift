import Foundation
import MemoryEngine

/// A file with a vector for each token of a model: a safetensors file of `rows` (`I8`, tokens × components), `scales` (`F32`,
/// one for each row) and `vocabulary` (`U8`, the bytes of `vocab.txt`), whose metadata name the model, its licence and a digest.
///
/// A row times its scale is what its token adds to a text: the weight of the token is in it. The digest covers all
/// that makes vectors, so that the space is known without reading the rows, and damage to them is found when they are loaded.
struct TokenTable {
    let file: MappedFile
    let model: String
    let digest: String
    let tokenCount: Int
    let dimension: Int
    let rows: Range<Int>
    let scales: Range<Int>
    private let vocabulary: Range<Int>
    private let isLowercase: Bool
    private let license: String

    static let formatName = "loci-tokens 1"

    /// Reads what the file says of itself.
    ///
    /// - Throws: `EngineError`: `notFound`, `io` or `corrupted`.
    init(path: String) throws {
        file = try MappedFile(path: path)
        let head = try Safetensors.headByteCount(of: file.prefix(8), fileByteCount: file.byteCount)
        let content = try Safetensors(head: file.prefix(head), fileByteCount: file.byteCount)
        let metadata = content.metadata
        func damaged(_ reason: String) -> EngineError { EngineError(.corrupted, "damaged: \(reason)") }
        guard metadata["format"] == Self.formatName else { throw damaged("it is no table of tokens") }
        guard content.tensors.count == 3, let rows = content.tensors["rows"],
            let scales = content.tensors["scales"], let vocabulary = content.tensors["vocabulary"],
            rows.type == "I8", scales.type == "F32", vocabulary.type == "U8", rows.shape.count == 2,
            (3...WordPiece.maximumVocabularyCount).contains(rows.shape[0]),
            (1...EmbeddingSpace.maximumDimension).contains(rows.shape[1]), scales.shape == [rows.shape[0]],
            vocabulary.shape.count == 1, (1...64 << 20).contains(vocabulary.shape[0])
        else { throw damaged("it has not the rows, scales and vocabulary of a table of tokens") }
        guard let model = metadata["model"], (1...100).contains(model.utf8.count), !model.contains("@"),
            let lowercase = metadata["lowercase"], ["true", "false"].contains(lowercase),
            let license = metadata["license"], let digest = metadata["digest"], digest.utf8.count == 32
        else { throw damaged("its metadata lack the model, the licence or the digest") }
        (self.model, self.license, self.digest) = (model, license, digest)
        (tokenCount, dimension) = (rows.shape[0], rows.shape[1])
        (self.rows, self.scales, self.vocabulary) = (rows.bytes, scales.bytes, vocabulary.bytes)
        isLowercase = lowercase == "true"
    }

    var space: EmbeddingSpace {
        EmbeddingSpace(model: model, revision: String(digest.prefix(12)), dimension: dimension)
    }

    /// Reads all of it, and gives what cuts texts into its tokens.
    ///
    /// - Throws: `EngineError` with code `corrupted`.
    func check() throws -> WordPiece {
        let parts = [rows, scales, vocabulary].map { range in
            // Safe because tensors lie within the file.
            unsafe Kernels.digest(
                of: UnsafeRawBufferPointer(start: file.address(of: range.lowerBound), count: range.count))
        }
        guard
            digest == Self.digest(parts: parts, model: model, license: license, isLowercase: isLowercase)
        else { throw EngineError(.corrupted, "damaged: it is not what its digest speaks of") }
        guard (0..<tokenCount).allSatisfy({ scale(of: $0).isFinite }) else {
            throw EngineError(.corrupted, "damaged: a scale is no number")
        }
        // Safe because tensors lie within the file.
        let lines = unsafe [UInt8](
            UnsafeRawBufferPointer(start: file.address(of: vocabulary.lowerBound), count: vocabulary.count))
        let tokenizer = try WordPiece(vocabulary: lines, isLowercase: isLowercase)
        guard tokenizer.count == tokenCount else {
            throw EngineError(.corrupted, "damaged: it has \(tokenCount) rows for \(tokenizer.count) tokens")
        }
        return tokenizer
    }

    private func scale(of token: Int) -> Float {
        // Safe because there is a scale for each row, of four bytes; the bits are little-endian.
        let bits = unsafe file.address(of: scales.lowerBound + 4 * token).loadUnaligned(as: UInt32.self)
        return Float(bitPattern: UInt32(littleEndian: bits))
    }

    /// Adds the row of a token to `sum`.
    ///
    /// - Precondition: the token is one of the vocabulary, and `sum` has as many components as a row.
    func add(_ token: Int, to sum: inout [Float]) {
        precondition((0..<tokenCount).contains(token) && sum.count == dimension)
        let scale = scale(of: token)
        guard scale > 0 else { return }
        // Safe because each row has as many bytes as `sum` has components.
        unsafe sum.withUnsafeMutableBufferPointer { sum in
            let row = unsafe file.address(of: rows.lowerBound + token * dimension)
                .assumingMemoryBound(to: Int8.self)
            for component in 0..<dimension {
                unsafe sum[component] += scale * Float(row[component])
            }
        }
    }

    private static func digest(parts: [String], model: String, license: String, isLowercase: Bool) -> String {
        let all = parts + [formatName, model, "\(isLowercase)", license]
        return ModelFolder.digest(of: Array(all.joined(separator: "\n").utf8))
    }

    // MARK: Writing

    /// What a file holds.
    struct Content {
        var model: String
        /// A notice for whoever finds the file.
        var license: String
        var isLowercase: Bool
        var dimension: Int
        var rows: [Int8]
        var scales: [Float]
        var vocabulary: [UInt8]
    }

    /// The bytes of a file.
    static func bytes(of content: Content) throws -> [UInt8] {
        let rows = content.rows.map { UInt8(bitPattern: $0) }
        var scales: [UInt8] = []
        for scale in content.scales {
            for shift in stride(from: UInt32(0), to: 32, by: 8) {
                scales.append(UInt8(truncatingIfNeeded: scale.bitPattern >> shift))
            }
        }
        let parts = [rows, scales, content.vocabulary]
        let digest = digest(
            parts: parts.map(ModelFolder.digest), model: content.model, license: content.license,
            isLowercase: content.isLowercase)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let metadata = try encoder.encode([
            "format": formatName, "model": content.model, "license": content.license,
            "lowercase": "\(content.isLowercase)", "digest": digest,
        ])
        var entries = ["\"__metadata__\":" + String(decoding: metadata, as: UTF8.self)]
        let count = content.scales.count
        let shapes = [
            ("rows", "I8", "[\(count),\(content.dimension)]"), ("scales", "F32", "[\(count)]"),
            ("vocabulary", "U8", "[\(content.vocabulary.count)]"),
        ]
        var begin = 0
        for ((name, type, shape), part) in zip(shapes, parts) {
            entries.append(
                #""\#(name)":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":[\#(begin),\#(begin + part.count)]}"#
            )
            begin += part.count
        }
        var header = Array("{\(entries.joined(separator: ","))}".utf8)
        while header.count % 8 != 0 { header.append(0x20) }
        return (0..<8).map { UInt8(truncatingIfNeeded: header.count >> ($0 * 8)) } + header
            + parts.joined()
    }
}
