// What an agent works with for one call: its session lately, and what the question recalls of the user and the project.
//
//     swift run --package-path Examples OneView

import Embedders
import Foundation
import MemoryEngine

let path = FileManager.default.temporaryDirectory.appendingPathComponent("loci-\(UUID())").path
defer { try? FileManager.default.removeItem(atPath: path) }
let engine = try Engine.open(at: path, embedder: HashEmbedder())
let (atlas, ada) = (Namespace.project("atlas"), Namespace.user("ada"))
let session = atlas.session("s-42")

try await engine.remember("Deploys are signed off by two people.", in: atlas)
try await engine.remember("Ada wants to hear of a deploy in two lines.", in: ada)
try await engine.remember("Deploy 81 failed again.", in: session)
let found = try await engine.remember("Its token had expired.", in: session)

let view = MemoryView(session: session, user: ada, project: atlas)
let pack = try await engine.context(
    for: "Who is to sign off the deploy?", in: view, tokenBudget: 400)
print(pack.text)

// What is worth more than its session becomes part of the project, or, as a copy that knows where it is from, of the user.
try await engine.promote(found.id, from: session, to: atlas)
try await engine.promote(found.id, from: atlas, to: ada)
for edge in try await engine.edges(of: found.id, in: ada, kinds: [.derivedFrom]) {
    print(edge.kind, edge.toHome?.description ?? "")
}

await engine.close()
