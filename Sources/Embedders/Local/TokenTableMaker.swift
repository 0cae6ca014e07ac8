import Foundation
import MemoryEngine

/// Makes a table of tokens from the input embeddings of a model.
///
/// The rows of the model's table of words are centred, turned into their principal axes and cut to the first of these; each
/// axis is divided by the fourth root of its variance, so that the largest, which tell frequent words from rare ones, do not
/// drown the others. A row takes the weight of its token, and eight bits a component beside a scale of its own.
package struct TokenTableMaker {
    /// Of the tokens; texts may be counted before `write`.
    package var weights: TokenWeights
    private let folder: ModelFolder

    package static let dimension = 256
    /// Behind the name of the model, in the name of a table.
    static let modelSuffix = "-tokens"

    /// What was written.
    package struct Written: Sendable {
        package let space: EmbeddingSpace
        package let tokenCount: Int
        package let byteCount: Int
    }

    /// Reads what a model's folder says of it.
    ///
    /// - Throws: `EngineError`: `notFound`, `corrupted`, `io`, or `embedder` for a model of another kind.
    package init(model folder: String) throws {
        self.folder = try ModelFolder(path: folder)
        weights = TokenWeights(self.folder.vocabulary, self.folder.tokenizer)
    }

    /// Makes the table and writes it at `path`, which holds the old one or the new one, whole, at any moment.
    ///
    /// - Parameter dimension: of the table's rows; `nil` = 256, or as many as the model has.
    /// - Throws: `EngineError`: `invalid` for a dimension that the model has not, `corrupted`, `embedder`, `io`; `CancellationError`.
    /// - Complexity: O(tokens × width²).
    package func write(to path: String, dimension: Int? = nil) throws -> Written {
        let width = folder.configuration.hidden
        let dimension = dimension ?? min(Self.dimension, width)
        guard (1...width).contains(dimension) else {
            throw EngineError(
                .invalid, "a table of \(dimension) components: the model in \(folder.path) has \(width)")
        }
        let embeddings: [Float]
        do {
            embeddings = try self.embeddings()
        } catch let error as EngineError {
            throw EngineError(
                error.code, "\(folder.weightsPath) is \(error.message); \(ModelFolder.remedy)")
        }
        let content = try content(embeddings, width: width, dimension: dimension)
        let bytes = try TokenTable.bytes(of: content)
        try Self.write(bytes, to: path)
        let table = try TokenTable(path: path)
        _ = try table.check()
        return Written(space: table.space, tokenCount: table.tokenCount, byteCount: bytes.count)
    }

    /// The model's table of words, a row for each token of the vocabulary.
    private func embeddings() throws -> [Float] {
        let shape = folder.configuration
        let file = try MappedFile(path: folder.weightsPath)
        if let stated = folder.stated, stated.weights != file.digest {
            throw EngineError(
                .corrupted, "damaged, or not the weights that \(ModelFolder.manifestName) speaks of")
        }
        let offset = try BertEncoder.wordsOffset(shape, file: file)
        let count = folder.tokenizer.count * shape.hidden
        let numbers = (0..<count).map { place in
            // Safe because the table's shape was checked, and the vocabulary is not longer; the bits are little-endian.
            let bits = unsafe file.address(of: offset + 4 * place).loadUnaligned(as: UInt32.self)
            return Float(bitPattern: UInt32(littleEndian: bits))
        }
        guard numbers.allSatisfy({ abs($0) < 1e6 }) else {
            throw EngineError(.corrupted, "damaged: a vector of a token is no number")
        }
        return numbers
    }

    private func content(_ embeddings: [Float], width: Int, dimension: Int) throws -> TokenTable.Content {
        let weights = self.weights.values
        let tokens = weights.indices.filter { weights[$0] > 0 }
        guard tokens.count > 1 else {
            throw EngineError(.invalid, "\(folder.path)/vocab.txt has no two tokens with letters")
        }
        let mean = Self.mean(of: embeddings, tokens, width: width)
        let main = try PrincipalAxes(
            ofCovariance: Self.covariance(of: embeddings, tokens, around: mean, width: width), width: width)
        // Components lie beside each other, so that one row of the product is a sum of rows.
        var turn = [[Double]](repeating: [Double](repeating: 0, count: dimension), count: width)
        for component in 0..<dimension {
            let root = main.values[component].squareRoot().squareRoot()
            guard root > 0 else { continue }
            for place in 0..<width { turn[place][component] = main.axes[component][place] / root }
        }
        var rows = [Int8](repeating: 0, count: weights.count * dimension)
        var scales = [Float](repeating: 0, count: weights.count)
        for token in tokens {
            if token % 1_024 == 0 { try Task.checkCancellation() }
            var row = [Double](repeating: 0, count: dimension)
            for place in 0..<width {
                let number = Double(embeddings[token * width + place]) - mean[place]
                Self.add(turn[place], times: number, to: &row, at: 0)
            }
            let largest = row.reduce(0) { max($0, abs($1)) }
            guard largest > 0 else { continue }
            scales[token] = Float(weights[token] * largest / 127)
            for component in 0..<dimension {
                rows[token * dimension + component] = Int8((row[component] / largest * 127).rounded())
            }
        }
        return TokenTable.Content(
            model: String("\(folder.model)\(Self.modelSuffix)".suffix(100)), license: license,
            isLowercase: folder.configuration.isLowercase, dimension: dimension, rows: rows, scales: scales,
            vocabulary: folder.vocabulary)
    }

    private static func mean(of embeddings: [Float], _ tokens: [Int], width: Int) -> [Double] {
        var mean = [Double](repeating: 0, count: width)
        for token in tokens {
            for place in 0..<width { mean[place] += Double(embeddings[token * width + place]) }
        }
        return mean.map { $0 / Double(tokens.count) }
    }

    private static func covariance(
        of embeddings: [Float], _ tokens: [Int], around mean: [Double], width: Int
    ) throws -> [Double] {
        var sums = [Double](repeating: 0, count: width * width)
        var row = mean
        for token in tokens {
            if token % 1_024 == 0 { try Task.checkCancellation() }
            for place in 0..<width { row[place] = Double(embeddings[token * width + place]) - mean[place] }
            for first in 0..<width { add(row, times: row[first], to: &sums, at: first * width) }
        }
        return sums.map { $0 / Double(tokens.count) }
    }

    /// Adds `row` times `factor` to a part of `sums`.
    private static func add(_ row: [Double], times factor: Double, to sums: inout [Double], at start: Int) {
        precondition(start >= 0 && start + row.count <= sums.count)
        // Safe because the part lies within the sums; without checks inside, the compiler takes several at once.
        unsafe row.withUnsafeBufferPointer { row in
            unsafe sums.withUnsafeMutableBufferPointer { sums in
                for place in row.indices { unsafe sums[start + place] += factor * row[place] }
            }
        }
    }

    /// What the folder says of the licence, for whoever finds the table.
    private var license: String {
        "Made by `loci model distil` from the input embeddings of \(folder.model), which it altered. "
            + "The licence of that model holds for this file too"
            + (folder.license.map { ":\n\($0)" } ?? ".")
    }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        let file = URL(fileURLWithPath: path)
        do {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: file, options: .atomic)
        } catch {
            throw EngineError(.io, "cannot write \(path): \(error.localizedDescription)")
        }
    }
}
