import Foundation
import MemoryEngine

/// A vector as services write it: an array of numbers, or base64 of 32-bit floats, little-endian.
struct WrittenVector: Decodable, Sendable {
    /// `nil` where the base64 is none, or not of whole floats.
    let components: [Float]?

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let text = try? value.decode(String.self) {
            components = Data(base64Encoded: text).flatMap(Self.floats)
        } else {
            components = try value.decode([Float].self)
        }
    }

    private static func floats(_ data: Data) -> [Float]? {
        guard data.count % 4 == 0 else { return nil }
        let bytes = Array(data)
        return stride(from: 0, to: bytes.count, by: 4).map { start in
            let low = UInt32(bytes[start]) | UInt32(bytes[start + 1]) << 8
            let high = UInt32(bytes[start + 2]) << 16 | UInt32(bytes[start + 3]) << 24
            return Float(bitPattern: low | high)
        }
    }
}

/// Why a reply holds no vectors of a space.
struct VectorRefusal: Error {
    let reason: String
}

extension EmbeddingSpace {
    /// The vectors of a reply as vectors of length 1 of this space, in the order of what was asked.
    ///
    /// - Parameters:
    ///   - written: each with the number of what it is for, from 0, where the service says that.
    ///   - count: of what was asked.
    /// - Throws: `VectorRefusal`: other than one vector for each, another dimension, a component that is no number, a vector
    ///   without a length.
    func vectors(
        _ written: [(index: Int?, vector: WrittenVector)], count: Int
    ) throws(VectorRefusal) -> [[Float]] {
        guard written.count == count else {
            throw VectorRefusal(reason: "it answers \(count) inputs with \(written.count) vectors")
        }
        var vectors = [[Float]?](repeating: nil, count: count)
        for (place, (number, vector)) in written.enumerated() {
            let index = number ?? place
            guard vectors.indices.contains(index), vectors[index] == nil else {
                throw VectorRefusal(
                    reason: "vector \(place) of its answer is for input \(index), which has one or is none")
            }
            guard let components = vector.components else {
                throw VectorRefusal(reason: "vector \(index) is no base64 of 32-bit floats")
            }
            guard components.count == dimension else {
                throw VectorRefusal(reason: "vector \(index) has \(components.count) components")
            }
            // In doubles, so that the squares of large components stay finite.
            let length = components.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            guard length.isFinite, length > 0 else {
                throw VectorRefusal(
                    reason: "vector \(index) has no length, or a component that is no number")
            }
            vectors[index] = components.map { Float(Double($0) / length) }
        }
        return vectors.compactMap { $0 }
    }
}
