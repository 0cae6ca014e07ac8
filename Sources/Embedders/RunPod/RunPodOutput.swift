import Foundation
import MemoryEngine

/// What a worker gives for a batch: `{"model", "dimension", "vectors"}` from ours, or OpenAI's list from an Infinity worker;
/// alone, or in a list of one, as generators of the SDK give it.
struct RunPodOutput: Decodable {
    private struct Item: Decodable {
        let embedding: WrittenVector
        let index: Int?
    }

    let model: String?
    let dimension: Int?
    /// Each with the place that its worker says, if it does.
    let vectors: [(index: Int?, vector: WrittenVector)]

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
        let vectors: [(index: Int?, vector: WrittenVector)]

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Key.self)
            model = try fields.decodeIfPresent(String.self, forKey: .model)
            dimension = try fields.decodeIfPresent(Int.self, forKey: .dimension)
            if let own = try fields.decodeIfPresent([WrittenVector].self, forKey: .vectors) {
                vectors = own.map { (nil, $0) }
            } else {
                vectors = try fields.decode([Item].self, forKey: .data).map { ($0.index, $0.embedding) }
            }
        }
    }

    private struct Time: Decodable {
        let executionTime: Milliseconds?

        /// A number as any other, or none: what is paid for is no reason to refuse vectors.
        struct Milliseconds: Decodable {
            let seconds: Double

            init(from decoder: any Decoder) throws {
                let value = (try? decoder.singleValueContainer().decode(Double.self)) ?? 0
                // A job lasts a week at most.
                seconds = (0...604_800_000).contains(value) ? value / 1_000 : 0
            }
        }
    }

    private struct Job: Decodable {
        let output: RunPodOutput
        let executionTime: Time.Milliseconds?
    }

    /// The seconds that a worker took for a job that ended, by RunPod's count; 0 where it says none.
    static func seconds(ofJob body: [UInt8]) -> Double {
        (try? JSONDecoder().decode(Time.self, from: Data(body)))?.executionTime?.seconds ?? 0
    }

    /// Reads the output of a completed job, and the seconds that its worker took for it by RunPod's count; `nil` where it is none.
    static func ofJob(_ body: [UInt8]) -> (output: RunPodOutput, seconds: Double)? {
        (try? JSONDecoder().decode(Job.self, from: Data(body))).map {
            ($0.output, $0.executionTime?.seconds ?? 0)
        }
    }

    /// Reads what a load balancer's worker answers; `nil` where it is none.
    init?(_ body: [UInt8]) {
        guard let output = try? JSONDecoder().decode(RunPodOutput.self, from: Data(body)) else { return nil }
        self = output
    }
}
