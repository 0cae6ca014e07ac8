// What the store knew and what was true are two things: updates, successors, and questions about the past.
//
//     swift run --package-path Examples TwoClocks

import Embedders
import Foundation
import MemoryEngine

let path = FileManager.default.temporaryDirectory.appendingPathComponent("loci-\(UUID())").path
defer { try? FileManager.default.removeItem(atPath: path) }
let engine = try Engine.open(at: path, embedder: HashEmbedder())
let atlas = Namespace.project("atlas")
let session = atlas.session("s-42")

// A draft says who, when and what of it; a key makes remembering it again harmless.
var draft = MemoryDraft("Deploy 81 failed: its token had expired.")
draft.kind = .event
draft.actor = "ci"
draft.key = "deploy/81"
draft.tags = ["deploy"]
draft.attributes = ["region": "eu-1"]
draft.origin = Origin(agent: "ci-bot", source: "log:81", trust: .verified)
let failure = try await engine.remember(draft, in: session)
let again = try await engine.remember(draft, in: session)
print("remembered twice, stored once:", failure.id == again.id, again.isNew)

// An update adds a version; the one before stays as what the store knew.
let before = Timestamp.now
let update = try await engine.update(failure.id, in: session, expecting: failure.version) {
    $0.content = "Deploy 81 failed: its token had been revoked."
}
print("version", update.version)
if let then = try await engine.get(failure.id, in: session, asOf: before) { print("then:", then.content) }
if let now = try await engine.get(failure.id, in: session) { print("now: ", now.content) }

// A question to several namespaces, with a filter and a receipt.
var query = RecallQuery("Why did the deploy fail?", in: [session: 1, atlas: 0.8])
query.filter = .tag("deploy") && .attribute("region", "eu-1") && .trust(atLeast: .known)
query.keepReceipt = true
let recall = try await engine.recall(query)
if let sure = recall.confidence, sure < Recall.leastConfidence { print("the answer is likely not there") }
for hit in recall { print(hit.citation, hit.parts, hit.passage.text) }
try await engine.record(.success, of: recall.id)

// What is worth keeping goes from the session to the project; what is not is forgotten.
try await engine.promote(failure.id, from: session, to: atlas)
for try await change in engine.changes(in: atlas, upToNow: true) { print(change.sequence, change.kind.name) }
let erased = try await engine.forget(.id(failure.id), under: atlas)
print("forgotten:", erased.memories)

await engine.close()
