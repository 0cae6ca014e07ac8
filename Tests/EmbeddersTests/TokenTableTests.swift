import Foundation
import MemoryEngine
import TestSupport
import Testing

@testable import Embedders

/// A folder with a small model and the table of it; it is removed again.
private func withTable(
    dimension: Int? = nil, _ body: (_ folder: String, _ path: String) async throws -> Void
) async throws {
    let folder = NSTemporaryDirectory() + "loci-table-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try TinyModel(seed: 1).write(to: folder)
    let path = folder + "/made/table.safetensors"
    _ = try TokenTableMaker(model: folder).write(to: path, dimension: dimension)
    try await body(folder, path)
}

private func bytes(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
}

private func put(_ bytes: [UInt8], _ path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
}

private func product(_ a: [Float], _ b: [Float]) -> Double {
    zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}

@Suite struct `A table of tokens` {
    @Test func `holds the model's embeddings, each axis over the root of its deviation`() async throws {
        try await withTable { folder, path in
            let model = TinyModel(seed: 1)
            let table = try TokenTable(path: path)
            let weights = try TokenTableMaker(model: folder).weights.values
            #expect(table.tokenCount == model.vocabulary.count && table.dimension == 12)
            let tokens = weights.indices.filter { weights[$0] > 0 }
            // All but five marks and the full stop.
            #expect(tokens.count == model.vocabulary.count - 6)
            let all = try #require(model.tensors["embeddings.word_embeddings.weight"]).numbers
            var raw = tokens.map { token in (0..<12).map { Double(all[token * 12 + $0]) } }
            for place in 0..<12 {
                let mean = raw.reduce(0) { $0 + $1[place] } / Double(raw.count)
                for row in raw.indices { raw[row][place] -= mean }
            }
            let rows = tokens.map { token in
                var row = [Float](repeating: 0, count: 12)
                table.add(token, to: &row)
                return row.map { Double($0) / weights[token] }
            }
            func products(_ rows: [[Double]]) -> [[Double]] {
                rows.map { row in rows.map { zip(row, $0).reduce(0) { $0 + $1.0 * $1.1 } } }
            }
            // With X the centred rows and C = XᵀX/n, products are K = X C^(-1/2) Xᵀ, and so KK = n XXᵀ: no axis is in it.
            let made = products(rows)
            let square = products(made)
            let expected = products(raw)
            let largest = expected.flatMap { $0 }.max() ?? 0
            for (row, other) in zip(square, expected) {
                for (a, b) in zip(row, other) {
                    #expect(abs(a / Double(tokens.count) - b) < 0.02 * largest)
                }
            }
        }
    }

    @Test func `weighs tokens by their place in the vocabulary, and by texts that are counted`() async throws
    {
        try await withTable { folder, _ in
            let model = TinyModel(seed: 1)
            var weights = try TokenTableMaker(model: folder).weights
            func token(_ name: String) throws -> Int { try #require(model.vocabulary.firstIndex(of: name)) }
            let before = weights.values
            for name in ["[CLS]", "[UNK]", "."] { #expect(try before[token(name)] == 0) }
            // Single letters stand before the words, and count as the most frequent of all.
            for name in ["a", "##z", "the"] { #expect(try before[token(name)] == 0.05) }
            for _ in 0..<30_000 { weights.count("the deploy") }
            let after = weights.values
            #expect(try after[token("deploy")] == 0.05)
            #expect(try after[token("fail")] > 0.3)
        }
        // By Zipf's law: the 1,000th word stands in 7 of 1,000 texts.
        let names = ["[UNK]", "[CLS]", "[SEP]"] + (1...1_000).map { "word\($0)" }
        let lines = Array(names.joined(separator: "\n").utf8)
        let values = TokenWeights(lines, try WordPiece(vocabulary: lines, isLowercase: true)).values
        #expect(abs(values[1_002] - 2.9618) < 1e-3 && values[3] == 0.05)
    }

    @Test func `says what it is of, and its space names it`() async throws {
        try await withTable { folder, path in
            let space = try TokenTableEmbedder(path: path).space
            #expect(space.model == "bert-2x12-tokens" && space.dimension == 12 && space.revision.count == 12)
            #expect(EmbeddingSpace(name: space.name) == space)
            let maker = try TokenTableMaker(model: folder)
            // The same bytes again, in the place of the old ones.
            let old = try bytes(path)
            func beside() throws -> [String] {
                let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
                return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            }
            let files = try beside()
            #expect(try maker.write(to: path).space == space)
            #expect(try bytes(path) == old)
            #expect(try beside() == files)
            #expect(String(decoding: old.prefix(600), as: UTF8.self).contains("The licence of that model"))
            #expect(try maker.write(to: path, dimension: 5).space.dimension == 5)
            var counted = maker
            for _ in 0..<30_000 { counted.weights.count("fail") }
            #expect(try counted.write(to: path).space != space)
            try put(Array("Apache License 2.0".utf8), folder + "/LICENSE.txt")
            #expect(try TokenTableMaker(model: folder).write(to: path).space != space)
            #expect(
                String(decoding: try bytes(path).prefix(600), as: UTF8.self).contains("Apache License 2.0"))
            for dimension in [0, 13] {
                let error = #expect(throws: EngineError.self) {
                    try maker.write(to: path, dimension: dimension)
                }
                #expect(error?.code == .invalid)
            }
            let error = #expect(throws: EngineError.self) { try maker.write(to: folder + "/vocab.txt/x") }
            #expect(error?.code == .io, "\(error?.message ?? "")")
        }
    }

    @Test func `is refused wherever it was cut off, and whatever bit is another`() async throws {
        try await withTable { _, path in
            let whole = try bytes(path)
            func refusal() -> EngineError? {
                #expect(throws: EngineError.self) { try TokenTableEmbedder(path: path).load() }
            }
            for count in whole.indices {
                try put(Array(whole.prefix(count)), path)
                #expect(refusal()?.code == .corrupted, "\(count)")
            }
            try put(whole + [0], path)
            #expect(refusal()?.code == .corrupted)
            for place in whole.indices {
                var damaged = whole
                damaged[place] ^= 1 << UInt8(place % 8)
                try put(damaged, path)
                let error = refusal()
                #expect(error?.code == .corrupted, "byte \(place)")
                #expect(error?.message.contains("loci model distil") == true, "\(error?.message ?? "")")
                #expect(error?.message.contains(path) == true)
            }
            try FileManager.default.removeItem(atPath: path)
            #expect(refusal()?.code == .notFound)
            try put(TinyModel(seed: 1).weights, path)
            #expect(refusal()?.message.contains("no table") == true)
        }
    }

    @Test func `is refused where its digest is right and its numbers cannot be`() async throws {
        try await withTable { _, path in
            let vocabulary = Array((TinyModel(seed: 1).vocabulary.joined(separator: "\n") + "\n").utf8)
            let good = TokenTable.Content(
                model: "m", license: "none", isLowercase: true, dimension: 2,
                rows: [Int8](repeating: 3, count: 128), scales: [Float](repeating: 1, count: 64),
                vocabulary: vocabulary)
            try put(try TokenTable.bytes(of: good), path)
            try TokenTableEmbedder(path: path).load()
            var bad = [good, good, good, good, good]
            bad[0].scales[7] = .infinity
            bad[1].vocabulary.append(contentsOf: Array("more\n".utf8))
            bad[2].vocabulary = Array("a\nb\n".utf8)
            bad[3].model = "m@1"
            bad[4].dimension = 4
            for content in bad {
                try put(try TokenTable.bytes(of: content), path)
                let error = #expect(throws: EngineError.self) { try TokenTableEmbedder(path: path).load() }
                #expect(error?.code == .corrupted)
            }
        }
    }
}

@Suite struct `The embedder by a table of tokens` {
    @Test func `adds up the tokens of a text, and scales the sum to length 1`() async throws {
        try await withTable { folder, path in
            let embedder = try TokenTableEmbedder(path: path)
            let table = try TokenTable(path: path)
            let tokenizer = try ModelFolder(path: folder).tokenizer
            for text in ["the deployed tokens failed.", "a", String(repeating: "token fails ", count: 400)] {
                var sum = [Float](repeating: 0, count: 12)
                for token in tokenizer.tokens(of: text, atMost: 10_000) { table.add(Int(token), to: &sum) }
                let vector = try embedder.vector(of: text)
                #expect(abs(product(vector, vector) - 1) < 1e-5)
                #expect(product(vector, sum) / product(sum, sum).squareRoot() > 0.999_99)
                #expect(try await embedder.embed([.text("a"), .text(text)], for: .query)[1] == vector)
            }
            let one = try embedder.vector(of: "deploy token")
            #expect(product(one, try embedder.vector(of: "Token, deploy!")) > 0.999_99)
            #expect(try embedder.vector(of: "deploy fail") != one)
        }
    }

    @Test func `answers texts without known tokens as hashed words do`() async throws {
        try await withTable { _, path in
            let embedder = try TokenTableEmbedder(path: path)
            let hash = HashEmbedder(dimension: 12)
            for text in ["", " \n", ".", "\u{1F642}", "[CLS] \u{1F642}"] {
                let vector = try embedder.vector(of: text)
                #expect(vector[0] == 1 || text.contains("CLS"))
                #expect(abs(product(vector, vector) - 1) < 1e-5)
            }
            #expect(try embedder.vector(of: "") == hash.vector(of: ""))
            await #expect(throws: EngineError.self) { try await embedder.embed([.image([1])], for: .passage) }
            #expect(try await embedder.embed([], for: .passage).isEmpty)
        }
    }

    @Test func `may be asked by many at once`() async throws {
        try await withTable { _, path in
            let inputs = ["the deploy failed", "a token", ""].map(EmbeddingInput.text)
            let expected = try await TokenTableEmbedder(path: path).embed(inputs, for: .passage)
            let embedder = try TokenTableEmbedder(path: path)
            try await withThrowingTaskGroup(of: [[Float]].self) { group in
                for _ in 0..<16 { group.addTask { try await embedder.embed(inputs, for: .passage) } }
                for try await vectors in group { #expect(vectors == expected) }
            }
        }
    }

    @Test func `is chosen where there is a table and no model, and stands beside the others`() async throws {
        try await withTable { folder, path in
            func choose(
                _ preference: AvailableEmbedders.Preference, _ environment: [String: String]
            ) throws -> AvailableEmbedders {
                try AvailableEmbedders(preferring: preference, environment: environment)
            }
            let (table, hash) = (try TokenTableEmbedder(path: path).space, HashEmbedder().space)
            let named = ["LOCI_TOKEN_TABLE": path]
            let found = try choose(.auto, named)
            #expect(found.embedder?.space == table && found.others.map(\.space) == [hash])
            #expect(found.summary.contains(path) && found.summary.contains(table.name))
            #expect(try choose(.table, named).embedder?.space == table)
            let hashed = try choose(.hash, named)
            #expect(hashed.embedder?.space == hash && hashed.others.map(\.space) == [table])
            #expect(try choose(.none, named).table == nil)
            // A model goes first.
            let both = try choose(.auto, named.merging(["LOCI_MODEL": folder]) { $1 })
            #expect(both.embedder?.space == both.local?.space && both.others.map(\.space) == [table, hash])
            // In its place.
            let place = folder + "/loci/models/loci-tokens.safetensors"
            #expect(AvailableEmbedders.newTablePath(["XDG_CACHE_HOME": folder]) == place)
            #expect(AvailableEmbedders.newTablePath(named) == path)
            _ = try TokenTableMaker(model: folder).write(to: place)
            #expect(try choose(.auto, ["XDG_CACHE_HOME": folder]).embedder?.space == table)
            #expect(
                try choose(.auto, ["XDG_CACHE_HOME": folder, "LOCI_TOKEN_TABLE": ""]).embedder?.space == hash)
            let error = #expect(throws: EngineError.self) { try choose(.table, [:]) }
            #expect(error?.code == .notFound && error?.message.contains("loci model distil") == true)
            // A damaged one stops whoever would use it, and nobody else.
            try put([1, 2, 3], path)
            #expect(throws: EngineError.self) { try choose(.auto, named) }
            #expect(throws: EngineError.self) { try choose(.table, named) }
            #expect(try choose(.hash, named).embedder?.space == hash)
            #expect(try choose(.auto, named.merging(["LOCI_MODEL": folder]) { $1 }).table == nil)
        }
    }
}
