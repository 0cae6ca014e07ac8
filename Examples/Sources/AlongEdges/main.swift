// Memories hang together: links with evidence, chains of causes, and a context for a model.
//
//     swift run --package-path Examples AlongEdges

import Embedders
import Foundation
import MemoryEngine

let path = FileManager.default.temporaryDirectory.appendingPathComponent("loci-\(UUID())").path
defer { try? FileManager.default.removeItem(atPath: path) }
let engine = try Engine.open(at: path, embedder: HashEmbedder())
let atlas = Namespace.project("atlas", tenant: "acme")
let user = Namespace.user("u-7", tenant: "acme")
let session = atlas.session("s-42")
let monday = Timestamp("2026-11-23T09:00:00Z") ?? .now
let friday = Timestamp("2026-11-27T09:00:00Z") ?? .now

// A day's notes, batch by batch.
let notes = ["Tokens are rotated by hand.", "The deploy runs at nine.", "Ada is on call."].map {
    MemoryDraft($0)
}
for try await stored in engine.remember(contentsOf: notes, in: session, onError: .skip) {
    print("stored:", stored.count)
}
let rotation = try await engine.remember("The rotation of tokens was skipped in October.", in: session).id

var draft = MemoryDraft("Deploy 81 failed: its token had expired.")
draft.kind = .event
draft.actor = "ci"
draft.key = "deploy/81"
draft.happened = monday...monday
draft.origin = Origin(agent: "ci-bot", source: "log:81", trust: .verified)
let failure = try await engine.remember(draft, in: session)

var query = RecallQuery("Why did the deploy fail?", in: [session: 1, atlas: 0.8, user: 0.5])
query.intent = .why
query.validAt = friday
query.deadline = .seconds(5)
query.keepReceipt = true
let recall = try await engine.recall(query)
for hit in recall { print(hit.memory.content, hit.path.map(\.reason.description)) }

// A link says what led to what, from when on, and where it is said.
try await engine.link(
    failure.id, to: rotation, as: .causedBy, in: session, weight: 0.8, valid: monday...,
    evidence: [recall[0].citation])
for link in try await engine.causes(of: failure.id, in: session, depth: 4) {
    print("because of:", link.cause.content, "confidence", link.confidence, link.edge.evidence)
}
print("effects:", try await engine.effects(of: rotation, in: session).count)

// What a model should read, within a budget: causes first, each with where it stands.
let pack = try await engine.context(for: query, tokenBudget: 300)
print(pack.text, "\(pack.tokenCount) of \(pack.tokenBudget) tokens; left out: \(pack.leftOut)")
print("cited again:", try await engine.content(of: pack.citations[0]))

try await engine.record(.success, of: recall.id)
let erased = try await engine.forget(.id(rotation), under: session)
print("forgotten:", erased.memories)
await engine.close()
