// The whole of it: open a store, remember, recall.
//
//     swift run --package-path Examples FourLines

import Embedders
import Foundation
import MemoryEngine

let path = FileManager.default.temporaryDirectory.appendingPathComponent("loci-\(UUID())").path
defer { try? FileManager.default.removeItem(atPath: path) }
let embedder = HashEmbedder()

let engine = try Engine.open(at: path, embedder: embedder)
try await engine.remember("The deploy failed: its token had expired.", in: .project("atlas"))
let hits = try await engine.recall("Why did the deploy fail?", in: .project("atlas"), limit: 5)
for hit in hits { print(hit.score, hit.memory.content) }

await engine.close()
