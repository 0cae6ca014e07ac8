import Foundation
import MemoryEngine
import TestSupport
import Testing

@testable import Embedders

/// A folder that is removed again.
private func withFolder(_ body: (String) async throws -> Void) async throws {
    let folder = NSTemporaryDirectory() + "loci-encoder-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await body(folder)
}

private func write(_ text: String, _ path: String) throws {
    let file = URL(fileURLWithPath: path)
    try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
}

private let texts = [
    "the deployed tokens failed.", "a", "", "deploy the deploy", "zzz qqq \u{1F642}",
    String(repeating: "fails the token. ", count: 20),
]

@Suite struct `The local encoder` {
    @Test(arguments: LocalEncoder.kernelNames)
    func `computes what BERT is published to compute, whatever its shape`(kernels: String) async throws {
        for (hidden, heads, intermediate) in [(12, 3, 22), (40, 5, 70), (64, 2, 96)] {
            try await withFolder { folder in
                let model = TinyModel(
                    seed: UInt64(hidden), hidden: hidden, headCount: heads, intermediate: intermediate)
                try model.write(to: folder)
                let encoder = try #require(try LocalEncoder(folder: folder, kernelName: kernels))
                let vectors = try await encoder.embed(texts.map(EmbeddingInput.text), for: .passage)
                #expect(vectors.count == texts.count)
                for (text, vector) in zip(texts, vectors) {
                    let tokens = encoder.tokens(of: text)
                    #expect(tokens.count <= model.positionCount)
                    let expected = ReferenceBert(model: model).vector(of: tokens)
                    #expect(cosine(vector, expected) > (encoder.rounds ? 0.999 : 0.999_999), "\(text)")
                    #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
                    // Beside other texts or alone, it is the same.
                    #expect(try await encoder.embed([.text(text)], for: .query) == [vector])
                }
            }
        }
    }

    @Test func `takes the first token where the model says so, and fewer tokens`() async throws {
        try await withFolder { folder in
            let model = TinyModel(seed: 7)
            try model.write(to: folder)
            let mean = try LocalEncoder(folder: folder).space
            try write(
                #"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#,
                folder + "/1_Pooling/config.json")
            try write(#"{"max_seq_length": 6}"#, folder + "/sentence_bert_config.json")
            let encoder = try LocalEncoder(folder: folder, arithmetic: .float32)
            let tokens = encoder.tokens(of: texts[5])
            #expect(tokens.count == 6)
            let vector = try #require(try await encoder.embed([.text(texts[5])], for: .passage).first)
            let expected = ReferenceBert(model: model).vector(of: tokens, isMean: false)
            #expect(cosine(vector, expected) > 0.999_999)
            #expect(encoder.space != mean)
        }
    }

    @Test func `may be asked by many at once`() async throws {
        try await withFolder { folder in
            try TinyModel(seed: 2).write(to: folder)
            let encoder = try LocalEncoder(folder: folder)
            let inputs = texts.map(EmbeddingInput.text)
            let expected = try await encoder.embed(inputs, for: .passage)
            try await withThrowingTaskGroup(of: [[Float]].self) { group in
                for _ in 0..<16 { group.addTask { try await encoder.embed(inputs, for: .passage) } }
                for try await vectors in group { #expect(vectors == expected) }
            }
            await #expect(throws: EngineError.self) { try await encoder.embed([.image([1])], for: .passage) }
            #expect(try await encoder.embed([], for: .passage).isEmpty)
        }
    }

    @Test func `names its space by what makes its vectors`() async throws {
        try await withFolder { folder in
            try TinyModel(seed: 1).write(to: folder)
            let space = try LocalEncoder(folder: folder).space
            #expect(space.model == "bert-2x12" && space.dimension == 12 && space.revision.count == 12)
            #expect(EmbeddingSpace(name: space.name) == space)
            #expect(try LocalEncoder(folder: folder, arithmetic: .float32).space == space)

            var weights = TinyModel(seed: 1).weights
            weights[weights.count - 1] ^= 1
            try Data(weights).write(to: URL(fileURLWithPath: folder + "/model.safetensors"))
            #expect(try LocalEncoder(folder: folder).space != space)
            try TinyModel(seed: 1).write(to: folder)
            #expect(try LocalEncoder(folder: folder).space == space)
            try write(TinyModel(seed: 1).vocabulary.reversed().joined(separator: "\n"), folder + "/vocab.txt")
            #expect(try LocalEncoder(folder: folder).space != space)
        }
    }

    @Test func `finds each bit that is not what the folder states`() async throws {
        try await withFolder { folder in
            let model = TinyModel(seed: 1)
            try model.write(to: folder)
            let weights = model.weights
            try write(
                #"{"model": "tiny", "weights": "\#(ModelFolder.digest(of: weights))"}"#,
                folder + "/loci-model.json")
            let encoder = try LocalEncoder(folder: folder)
            #expect(encoder.space.model == "tiny")
            _ = try await encoder.embed([.text("a")], for: .passage)

            var random = SeededRandom(seed: 4)
            for _ in 0..<60 {
                var damaged = weights
                damaged[random.below(damaged.count)] ^= 1 << UInt8(random.below(8))
                try Data(damaged).write(to: URL(fileURLWithPath: folder + "/model.safetensors"))
                let other = try LocalEncoder(folder: folder)
                #expect(other.space == encoder.space)
                let error = #expect(throws: EngineError.self) { try other.load() }
                #expect(error?.code == .corrupted || error?.code == .embedder, "\(error?.message ?? "")")
                #expect(error?.message.contains("make model") == true)
            }
            for count in [0, 4, 100, weights.count / 2, weights.count - 1] {
                try Data(weights.prefix(count)).write(to: URL(fileURLWithPath: folder + "/model.safetensors"))
                let error = await #expect(throws: EngineError.self) {
                    try await LocalEncoder(folder: folder).embed([.text("a")], for: .passage)
                }
                #expect(error?.code == .corrupted)
            }
        }
    }

    @Test func `finds each bit of what else makes its vectors that is not what the folder states`()
        async throws
    {
        try await withFolder { folder in
            let model = TinyModel(seed: 1)
            try model.write(to: folder)
            let weights = ModelFolder.digest(of: model.weights)
            func state(_ revision: String) throws {
                try write(
                    #"{"model": "tiny", "weights": "\#(weights)", "revision": "\#(revision)"}"#,
                    folder + "/loci-model.json")
            }
            try write(#"{"model": "tiny", "weights": "\#(weights)"}"#, folder + "/loci-model.json")
            let space = try LocalEncoder(folder: folder).space
            try state(space.revision)
            #expect(try LocalEncoder(folder: folder).space == space)

            let path = folder + "/vocab.txt"
            let vocabulary = try Data(contentsOf: URL(fileURLWithPath: path))
            var random = SeededRandom(seed: 5)
            for round in 0..<40 {
                var damaged = vocabulary
                if round < 30 {
                    damaged[random.below(damaged.count)] ^= 1 << UInt8(random.below(8))
                } else {
                    damaged = damaged.prefix(random.below(damaged.count))
                }
                try damaged.write(to: URL(fileURLWithPath: path))
                let error = #expect(throws: EngineError.self) { try LocalEncoder(folder: folder) }
                #expect(error?.code == .corrupted && error?.message.contains("make model") == true)
            }
            try vocabulary.write(to: URL(fileURLWithPath: path))
            try write(#"{"max_seq_length": 6}"#, folder + "/sentence_bert_config.json")
            let error = #expect(throws: EngineError.self) { try LocalEncoder(folder: folder) }
            #expect(error?.message.contains("loci-model.json states") == true)
        }
    }

    @Test func `says what is wrong with a folder, and what to do`() async throws {
        try await withFolder { folder in
            func error(_ message: String, _ code: EngineError.Code) {
                let error = #expect(throws: EngineError.self) { try LocalEncoder(folder: folder).load() }
                #expect(
                    error?.code == code && error?.message.contains(message) == true, "\(error?.message ?? "")"
                )
            }
            error("make model", .notFound)
            let model = TinyModel(seed: 1)
            try model.write(to: folder)
            for name in ["config.json", "vocab.txt", "model.safetensors"] {
                try FileManager.default.removeItem(atPath: folder + "/" + name)
                error(name, .notFound)
                try model.write(to: folder)
            }
            func change(_ old: String, _ new: String) throws {
                try write(
                    model.configuration.replacingOccurrences(of: old, with: new), folder + "/config.json")
            }
            try change(#""bert""#, #""gpt2""#)
            error("gpt2", .embedder)
            try change(#""gelu""#, #""relu""#)
            error("relu", .embedder)
            try change(#""hidden_size": 12"#, #""hidden_size": 13"#)
            error("config.json", .corrupted)
            try change(#""hidden_size": 12"#, #""hidden_size": 24"#)
            error("shape", .corrupted)
            try change(#""num_hidden_layers": 2"#, #""num_hidden_layers": 3"#)
            error("encoder.layer.2", .corrupted)
            try change(#""vocab_size": 64"#, #""vocab_size": 63"#)
            error("vocab.txt", .corrupted)
            try write("{", folder + "/config.json")
            error("config.json", .corrupted)
            try model.write(to: folder)
            try write(#"{"model": "a@b", "weights": ""}"#, folder + "/loci-model.json")
            error("loci-model.json", .corrupted)
        }
    }

    @Test func `refuses vectors that are no numbers`() async throws {
        try await withFolder { folder in
            let model = TinyModel(seed: 1)
            try model.write(to: folder)
            var weights = model.weights
            // The last numbers are those of a layer norm or a table: one of them is no number.
            for place in weights.count - model.vocabulary.count * 48..<weights.count where place % 4 == 3 {
                weights[place] = 0x7F
                weights[place - 1] = 0xC0
            }
            try Data(weights).write(to: URL(fileURLWithPath: folder + "/model.safetensors"))
            let encoder = try LocalEncoder(folder: folder)
            await #expect(throws: EngineError.self) { try await encoder.embed([.text("a")], for: .passage) }
        }
    }
}

@Suite struct `The choice of an embedder` {
    private func choose(
        _ preference: AvailableEmbedders.Preference, _ environment: [String: String]
    ) throws -> AvailableEmbedders {
        try AvailableEmbedders(preferring: preference, environment: environment)
    }

    @Test func `is of hashed words where there is no model`() throws {
        for environment in [
            [:], ["LOCI_MODEL": ""], ["HOME": "/nowhere"],
            ["XDG_CACHE_HOME": "/nowhere", "HOME": "/nowhere"],
        ] {
            let found = try choose(.auto, environment)
            #expect(found.embedder?.space == HashEmbedder().space && found.others.isEmpty)
            #expect(found.summary.contains("no meanings"))
            #expect(throws: EngineError.self) { try choose(.local, environment) }
        }
        #expect(try choose(.none, [:]).embedder == nil)
    }

    @Test func `is of the model that is named or in its place, and keeps the other for homes that use it`()
        async throws
    {
        try await withFolder { folder in
            let place = folder + "/loci/models/all-MiniLM-L6-v2"
            try TinyModel(seed: 1).write(to: place)
            // One that is being fetched does not count.
            #expect(try choose(.auto, ["XDG_CACHE_HOME": folder]).local == nil)
            let digest = ModelFolder.digest(of: TinyModel(seed: 1).weights)
            try write(#"{"model": "tiny", "weights": "\#(digest)"}"#, place + "/loci-model.json")
            let hash = HashEmbedder().space
            for environment in [
                ["LOCI_MODEL": place], ["XDG_CACHE_HOME": folder, "HOME": "/nowhere"],
            ] {
                let found = try choose(.auto, environment)
                let local = try #require(found.local?.space)
                #expect(found.embedder?.space == local && found.others.map(\.space) == [hash])
                #expect(found.summary.contains(place))
                #expect(try choose(.local, environment).embedder?.space == local)
                let other = try choose(.hash, environment)
                #expect(other.embedder?.space == hash && other.others.map(\.space) == [local])
                #expect(try choose(.none, environment).others.isEmpty)
            }
            // Set to nothing, the variable says that there is none.
            #expect(try choose(.auto, ["LOCI_MODEL": "", "XDG_CACHE_HOME": folder]).local == nil)
            let gone = ["LOCI_MODEL": folder + "/none"]
            let error = #expect(throws: EngineError.self) { try choose(.auto, gone) }
            #expect(error?.message.hasPrefix("LOCI_MODEL: ") == true)
            // Where no home is made, it stops nobody who did not ask for it.
            func unmade(_ preference: AvailableEmbedders.Preference) throws -> AvailableEmbedders {
                try AvailableEmbedders(
                    preferring: preference, environment: gone, services: ServiceSettings(environment: gone),
                    isStrict: false)
            }
            let lenient = try unmade(.auto)
            #expect(lenient.embedder == nil && lenient.others.map(\.space) == [hash])
            #expect(lenient.wrong == [error?.message] && lenient.fault(of: nil)?.message == error?.message)
            // Of a space only what concerns it is named.
            let model = EmbeddingSpace(model: "tiny", revision: "abc", dimension: 12)
            let table = EmbeddingSpace(model: "tiny-tokens", revision: "abc", dimension: 12)
            let other = EmbeddingSpace(model: "tiny", dimension: 12)
            #expect(lenient.absence(of: model) == error?.message)
            #expect(lenient.fault(of: model)?.message == error?.message)
            #expect(lenient.absence(of: table)?.contains("loci model distil") == true)
            #expect(lenient.absence(of: table)?.contains("LOCI_MODEL") == false)
            #expect(lenient.absence(of: other) == nil)
            for space in [table, other, hash] { #expect(lenient.fault(of: space) == nil) }
            #expect(throws: EngineError.self) { try unmade(.local) }
            #expect(try choose(.hash, ["LOCI_MODEL": folder + "/none"]).embedder?.space == hash)
        }
    }

    @Test func `tells a damaged file of the model by its name, and the way out`() async throws {
        try await withFolder { folder in
            for (name, text) in [
                ("config.json", "{"), ("vocab.txt", "no tokens"), ("loci-model.json", "{}"),
                ("model.safetensors", ""),
            ] {
                let model = folder + "/" + name + ".d"
                try TinyModel(seed: 1).write(to: model)
                try write(text, model + "/" + name)
                let error = #expect(throws: EngineError.self) { try choose(.auto, ["LOCI_MODEL": model]) }
                #expect(error?.code == .corrupted)
                #expect(
                    error?.message.contains(name) == true && error?.message.contains("`make model`") == true
                        && error?.message.hasPrefix("LOCI_MODEL: ") == true, "\(error?.message ?? "")")
            }
        }
    }

    @Test func `tells a table that is missing from a model that is`() async throws {
        try await withFolder { folder in
            let model = folder + "/model"
            try TinyModel(seed: 1).write(to: model)
            let gone = ["LOCI_MODEL": model, "LOCI_TOKEN_TABLE": folder + "/none"]
            let found = try choose(.auto, gone)
            let local = try #require(found.local?.space)
            let table = EmbeddingSpace(model: local.model + "-tokens", revision: "abc", dimension: 12)
            #expect(found.absence(of: table)?.hasPrefix("LOCI_TOKEN_TABLE: ") == true)
            let other = EmbeddingSpace(model: local.model, revision: "abc", dimension: 12)
            #expect(found.absence(of: other)?.contains("other weights: its space is \(local.name)") == true)
            let another = EmbeddingSpace(model: "mini", revision: "abc", dimension: 12)
            #expect(found.absence(of: another)?.contains("set LOCI_MODEL to that of mini") == true)
            for space in [other, another] {
                #expect(found.absence(of: space)?.contains("LOCI_TOKEN_TABLE") == false)
            }
            let none = try choose(.auto, [:])
            #expect(none.absence(of: other)?.contains("`make model`") == true)
            #expect(try choose(.none, gone).absence(of: other)?.contains("--embedder none") == true)
        }
    }
}
