import Embedders
import Foundation
import MemoryEngine
import TestSupport

extension FuzzTarget {
    /// What reads the files of a model, and texts for it.
    static let encoder: [FuzzTarget] = [
        FuzzTarget(name: "safetensors", samples: [TinyModel(seed: 1).weights, shortFile]) { bytes in
            do {
                let tensors = try Safetensors(head: bytes, fileByteCount: bytes.count).tensors
                let isInside = tensors.values.allSatisfy { $0.bytes.upperBound <= bytes.count }
                return isInside ? .taken : .failed("a tensor lies outside of the file")
            } catch is EngineError {
                return .refused
            } catch {
                return .failed("\(error)")
            }
        },
        FuzzTarget(name: "vocabulary", samples: [Array(vocabulary.utf8)]) { bytes in
            guard let tokenizer = try? WordPiece(vocabulary: bytes, isLowercase: true) else {
                return .refused
            }
            return judge(tokenizer, "the deployed token fails") ?? .taken
        },
        FuzzTarget(name: "word-pieces", samples: texts) { bytes in
            guard let tokenizer = try? WordPiece(vocabulary: Array(vocabulary.utf8), isLowercase: true) else {
                return .failed("its vocabulary was refused")
            }
            return judge(tokenizer, String(decoding: bytes, as: UTF8.self)) ?? .taken
        },
        model("model.safetensors", TinyModel(seed: 1).weights),
        model("config.json", Array(TinyModel(seed: 1).configuration.utf8)),
        FuzzTarget(name: "token-table", samples: [table], share: 20) { bytes in
            let path = place + ".table"
            defer { try? FileManager.default.removeItem(atPath: path) }
            return judge {
                try Data(bytes).write(to: URL(fileURLWithPath: path))
                return try TokenTableEmbedder(path: path).vector(of: "the deployed token fails")
            }
        },
    ]

    private static let place =
        NSTemporaryDirectory() + "/loci-fuzz-model-\(ProcessInfo.processInfo.processIdentifier)"

    /// The table of the small model.
    private static let table: [UInt8] = {
        let (folder, path) = (place + ".made", place + ".made/table")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        do {
            try TinyModel(seed: 1).write(to: folder)
            _ = try TokenTableMaker(model: folder).write(to: path)
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    /// A folder of a small model with one of its files damaged: it is refused, or gives vectors of length 1.
    private static func model(_ damaged: String, _ sample: [UInt8]) -> FuzzTarget {
        let folder = place
        return FuzzTarget(name: "model/\(damaged)", samples: [sample], share: 20) { bytes in
            defer { try? FileManager.default.removeItem(atPath: folder) }
            return judge {
                try TinyModel(seed: 1).write(to: folder)
                try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + damaged))
                return try LocalEncoder(folder: folder).vector(of: "the deployed token fails")
            }
        }
    }

    /// What is damaged is refused, or gives a vector of length 1.
    private static func judge(_ vector: () throws -> [Float]) -> Verdict {
        do {
            let length = try vector().reduce(0) { $0 + $1 * $1 }
            return abs(length - 1) < 1e-3 ? .taken : .failed("a vector of length \(length)")
        } catch is EngineError {
            return .refused
        } catch {
            return .failed("\(error)")
        }
    }

    private static func judge(_ tokenizer: WordPiece, _ text: String) -> Verdict? {
        let all = tokenizer.tokens(of: text, atMost: 1 << 20)
        guard all.count >= 2, all.allSatisfy({ $0 >= 0 && $0 < tokenizer.count }) else {
            return .failed("\(all.count) tokens, or one that is none")
        }
        for limit in [2, 3, 8] where limit < all.count {
            let few = tokenizer.tokens(of: text, atMost: limit)
            guard few.count == limit, few.dropLast().elementsEqual(all.prefix(limit - 1)) else {
                return .failed("\(few) of at most \(limit) tokens is no beginning of \(all)")
            }
        }
        return nil
    }

    private static let vocabulary = TinyModel(seed: 1).vocabulary.joined(separator: "\n") + "\n"

    private static let shortFile: [UInt8] = {
        let header = #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#
        return [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8)
            + [UInt8](repeating: 0, count: 8)
    }()

    private static let texts = [
        "the deployed tokens failed.", "ÜBER e\u{301} ≮ 東京 한국어 \u{200D}\u{0}\u{FEFF}🙂",
        String(repeating: "ab", count: 120), "[CLS] [SEP] ##ed",
    ].map { Array($0.utf8) }
}
