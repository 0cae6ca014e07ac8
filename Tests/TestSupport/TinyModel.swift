import Foundation

/// A model of the BERT family that is small, in the form in which large ones are published; its weights are random.
public struct TinyModel: Sendable {
    public var hidden = 12
    public var layerCount = 2
    public var headCount = 3
    public var intermediate = 22
    public var positionCount = 20
    public let vocabulary: [String]
    /// By their names: shape and numbers, in rows.
    public private(set) var tensors: [String: (shape: [Int], numbers: [Float])] = [:]

    public init(seed: UInt64, hidden: Int = 12, headCount: Int = 3, intermediate: Int = 22) {
        (self.hidden, self.headCount, self.intermediate) = (hidden, headCount, intermediate)
        vocabulary =
            ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + "abcdefghijklmnopqrstuvwxyz".map { String($0) }
            + "abcdefghijklmnopqrstuvwxyz".map { "##\($0)" }
            + ["the", "deploy", "##ed", "fail", "token", "##s", "."]
        var random = SeededRandom(seed: seed)
        func add(_ name: String, _ shape: [Int], around center: Float = 0) {
            tensors[name] = (
                shape,
                (0..<shape.reduce(1, *)).map { _ in center + Float.random(in: -0.3...0.3, using: &random) }
            )
        }
        add("embeddings.word_embeddings.weight", [vocabulary.count, hidden])
        add("embeddings.position_embeddings.weight", [positionCount, hidden])
        add("embeddings.token_type_embeddings.weight", [2, hidden])
        add("embeddings.LayerNorm.weight", [hidden], around: 1)
        add("embeddings.LayerNorm.bias", [hidden])
        for layer in 0..<layerCount {
            func linear(_ name: String, _ outputs: Int, _ inputs: Int) {
                add("encoder.layer.\(layer).\(name).weight", [outputs, inputs])
                add("encoder.layer.\(layer).\(name).bias", [outputs])
            }
            for part in ["query", "key", "value"] { linear("attention.self.\(part)", hidden, hidden) }
            linear("attention.output.dense", hidden, hidden)
            linear("intermediate.dense", intermediate, hidden)
            linear("output.dense", hidden, intermediate)
            for part in ["attention.output", "output"] {
                add("encoder.layer.\(layer).\(part).LayerNorm.weight", [hidden], around: 1)
                add("encoder.layer.\(layer).\(part).LayerNorm.bias", [hidden])
            }
        }
    }

    public var configuration: String {
        """
        {"model_type": "bert", "hidden_size": \(hidden), "num_hidden_layers": \(layerCount), \
        "num_attention_heads": \(headCount), "intermediate_size": \(intermediate), "vocab_size": \(vocabulary.count), \
        "max_position_embeddings": \(positionCount), "type_vocab_size": 2, "layer_norm_eps": 1e-12, \
        "hidden_act": "gelu"}
        """
    }

    /// The bytes of `model.safetensors`.
    public var weights: [UInt8] {
        var (entries, body): ([String], [UInt8]) = ([#""__metadata__":{"format":"pt"}"#], [])
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            let begin = body.count
            for number in tensor.numbers {
                for shift in stride(from: UInt32(0), to: 32, by: 8) {
                    body.append(UInt8(truncatingIfNeeded: number.bitPattern >> shift))
                }
            }
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            entries.append(
                #""\#(name)":{"dtype":"F32","shape":[\#(shape)],"data_offsets":[\#(begin),\#(body.count)]}"#)
        }
        var header = Array("{\(entries.joined(separator: ","))}".utf8)
        while header.count % 8 != 0 { header.append(0x20) }
        return (0..<8).map { UInt8(truncatingIfNeeded: header.count >> ($0 * 8)) } + header + body
    }

    /// Writes the model into a folder, which is made.
    public func write(to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let files: [(String, [UInt8])] = [
            ("config.json", Array(configuration.utf8)),
            ("vocab.txt", Array((vocabulary.joined(separator: "\n") + "\n").utf8)),
            ("model.safetensors", weights),
        ]
        for (name, bytes) in files { try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name)) }
    }
}
