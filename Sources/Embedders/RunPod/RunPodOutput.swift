import Foundation
import MemoryEngine

/// What a worker gives for a batch: `{"model", "dimension", "vectors"}` from ours, or OpenAI's list from an Infinity worker;
/// alone, or in a list of one, as generators of the SDK give it. A vector is base64 of 32-bit floats, little-endian, or an
/// array of numbers.
struct RunPodOutput: Decodable {
    struct Vector: Decodable {
        /// `nil` where base64 is none, or of no whole count of floats.
        let components: [Float]?

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let text = try? value.decode(String.self) {
                components = Self.floats(ofBase64: text)
            } else {
                components = try value.decode([Float].self)
            }
        }

        private static func floats(ofBase64 text: String) -> [Float]? {
            guard let data = Data(base64Encoded: text), data.count % 4 == 0 else { return nil }
            let bytes = Array(data)
            return stride(from: 0, to: bytes.count, by: 4).map { start in
                let low = UInt32(bytes[start]) | UInt32(bytes[start + 1]) << 8
                let high = UInt32(bytes[start + 2]) << 16 | UInt32(bytes[start + 3]) << 24
                return Float(bitPattern: low | high)
            }
        }
    }

    private struct Item: Decodable {
        let embedding: Vector
        let index: Int?
    }

    let model: String?
    let dimension: Int?
    /// Each with the place that its worker says, if it does.
    let vectors: [(index: Int?, vector: Vector)]

    private enum Key: String, CodingKey { case model, dimension, vectors, data }

    init(from decoder: any Decoder) throws {
        if var list = try? decoder.unkeyedContainer() {
            let only = try list.decode(Fields.self)
            guard list.isAtEnd else {
                throw DecodingError.dataCorruptedError(in: list, debugDescription: "several outputs")
            }
            (model, dimension, vectors) = (only.model, only.dimension, only.vectors)
        } else {
            let only = try Fields(from: decoder)
            (model, dimension, vectors) = (only.model, only.dimension, only.vectors)
        }
    }

    private struct Fields: Decodable {
        let model: String?
        let dimension: Int?
        let vectors: [(index: Int?, vector: Vector)]

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Key.self)
            model = try fields.decodeIfPresent(String.self, forKey: .model)
            dimension = try fields.decodeIfPresent(Int.self, forKey: .dimension)
            if let own = try fields.decodeIfPresent([Vector].self, forKey: .vectors) {
                vectors = own.map { (nil, $0) }
            } else {
                vectors = try fields.decode([Item].self, forKey: .data).map { ($0.index, $0.embedding) }
            }
        }
    }

    private struct Job: Decodable { let output: RunPodOutput }

    /// Reads the output of a completed job; `nil` where it is none.
    static func ofJob(_ body: [UInt8]) -> RunPodOutput? {
        (try? JSONDecoder().decode(Job.self, from: Data(body)))?.output
    }

    /// Reads what a load balancer's worker answers; `nil` where it is none.
    init?(_ body: [UInt8]) {
        guard let output = try? JSONDecoder().decode(RunPodOutput.self, from: Data(body)) else { return nil }
        self = output
    }
}
