// Vectors of a model of yours: an embedder is a space and one function.
//
//     swift run --package-path Examples OwnEmbedder

import Foundation
import MemoryEngine

/// How often each letter stands in a text: a model small enough to be read, and good for nothing else.
struct LetterCounts: Embedder {
    var revision = "1"
    var space: EmbeddingSpace { EmbeddingSpace(model: "letter-counts", revision: revision, dimension: 26) }

    func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        inputs.map { input in
            // Never zero: a vector of length 0 is refused.
            var counts = [Float](repeating: 0.01, count: 26)
            guard case .text(let text) = input else { return counts }
            for byte in text.lowercased().utf8 where (97...122).contains(byte) { counts[Int(byte) - 97] += 1 }
            return counts
        }
    }
}

let path = FileManager.default.temporaryDirectory.appendingPathComponent("loci-\(UUID())").path
defer { try? FileManager.default.removeItem(atPath: path) }
let engine = try Engine.open(at: path, embedder: LetterCounts())
let atlas = Namespace.project("atlas")
try await engine.remember("The deploy failed: its token had expired.", in: atlas)

// A vector that you have already comes with the memory, and a question may bring its own.
let images = EmbeddingSpace(model: "images", revision: "1", dimension: 3)
var draft = MemoryDraft("A picture of the outage.")
draft.embeddings = [Embedding([0.1, 0.2, 0.9], in: images)]
try await engine.remember(draft, in: atlas)
var query = RecallQuery("outage", in: [atlas: 1])
query.embeddings = [Embedding([0.1, 0.3, 0.8], in: images)]
for hit in try await engine.recall(query) { print(hit.score, hit.memory.content) }

await engine.close()

// From one model to another: the home goes on with the old one until each passage has a vector of the new one.
var options = Engine.Options()
options.otherEmbedders = [LetterCounts()]
let newer = LetterCounts(revision: "2")
let later = try Engine.open(at: path, embedder: newer, options: options)
try await later.reembed(in: atlas, into: newer.space, dropsOld: true)
print(try await later.space(of: atlas)?.name ?? "none")

// What words mean alike: found now and then, and used by every recall from then on.
let progress = try await later.consolidate(in: atlas)
print(progress.embeddedWords, "words,", progress.synonyms, "pairs that mean alike")
await later.close()
