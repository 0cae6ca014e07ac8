// Remember and recall, and several writes that are done whole or not at all: what docs/from-swift.md shows.
//
//     swift run --package-path Examples OneTransaction

import Embedders
import Foundation
import MemoryEngine

let folder = FileManager.default.temporaryDirectory.appendingPathComponent("loci-\(UUID())").path
defer { try? FileManager.default.removeItem(atPath: folder) }

let engine = try Engine.open(at: folder, embedder: HashEmbedder())
let atlas = Namespace.project("atlas")

var failure = MemoryDraft("The deploy failed: its token had expired.")
failure.key = "deploy/81"
try await engine.remember(failure, in: atlas)

let recall = try await engine.recall("Why did the deploy fail?", in: atlas)
for hit in recall.hits { print(hit.score, hit.memory.content) }

var rotation = MemoryDraft("The rotation of tokens was skipped.")
rotation.key = "rotation"
let written = try await engine.write(
    [.remember(rotation), .link(.key("deploy/81"), to: .key("rotation"), as: .causedBy)], in: atlas)

print(written.count, "writes")
do {
    try await engine.write([.remember(MemoryDraft("All is well.")), .retract(.key("nothing"))], in: atlas)
} catch let error as EngineError where error.code == .notFound {
    print("nothing was changed:", error.message)
}

await engine.close()
