// A test may stop where a value that it made is missing.
// swift-format-ignore-file: NeverForceUnwrap

import Store
import TestSupport
import Testing

@testable import MemoryEngine

/// A graph as a set of edges.
private struct GraphModel {
    struct Edge: Hashable {
        var id: EdgeID
        var from: MemoryID
        var to: MemoryID
        var kind: EdgeKind
        var weight: Float
        var recorded: Range<Timestamp>
        var valid: Range<Timestamp>
        var cites: MemoryID?
    }

    var nodes: [MemoryID] = []
    var edges: [EdgeID: Edge] = [:]

    func open(asOf: Timestamp?, validAt: Timestamp) -> [Edge] {
        edges.values.filter { edge in
            let isKnown =
                asOf.map { edge.recorded.contains($0) } ?? (edge.recorded.upperBound == .distantFuture)
            return isKnown && edge.valid.lowerBound <= validAt
                && (validAt < edge.valid.upperBound || edge.valid.upperBound == .distantFuture)
        }
    }

    /// The distance of every node from `start`, over edges of a direction.
    func distances(from start: MemoryID, _ direction: EdgeDirection, validAt: Timestamp) -> [MemoryID: Int] {
        var distances = [start: 0]
        var level = [start]
        while !level.isEmpty {
            var next: [MemoryID] = []
            for node in level {
                for edge in open(asOf: nil, validAt: validAt) {
                    var ends: [MemoryID] = []
                    if direction != .into, edge.from == node { ends.append(edge.to) }
                    if direction != .out, edge.to == node { ends.append(edge.from) }
                    for end in ends where distances[end] == nil {
                        distances[end] = distances[node]! + 1
                        next.append(end)
                    }
                }
            }
            level = next
        }
        return distances
    }

    mutating func forget(_ node: MemoryID) {
        nodes.removeAll { $0 == node }
        edges = edges.filter { $0.value.from != node && $0.value.to != node && $0.value.cites != node }
    }
}

@Suite struct `A graph` {
    private let atlas = Namespace.project("atlas")

    private func expect(
        _ engine: Engine, _ model: GraphModel, _ random: inout SeededRandom, now: Timestamp
    ) async throws {
        let asOf =
            random.chance(0.5)
            ? nil : model.edges.values.map(\.recorded.lowerBound).randomElement(using: &random)
        for node in model.nodes {
            let expected = model.open(asOf: asOf, validAt: now).filter { $0.from == node || $0.to == node }
            let found = try await engine.edges(of: node, in: atlas, asOf: asOf, validAt: now)
            #expect(Set(found.compactMap(\.id)) == Set(expected.map(\.id)))
            for edge in found {
                let id = try #require(edge.id)
                let known = try #require(model.edges[id])
                #expect(
                    edge.from == known.from && edge.to == known.to && edge.kind == known.kind
                        && edge.weight == known.weight && edge.recorded == known.recorded
                        && edge.valid == known.valid
                        && edge.evidence.map(\.id) == (known.cites.map { [$0] } ?? []))
            }
        }
        guard let start = model.nodes.randomElement(using: &random),
            let end = model.nodes.randomElement(using: &random)
        else { return }
        let direction = random.pick(EdgeDirection.allCases)
        let distances = model.distances(from: start, direction, validAt: now)
        var query = GraphQuery()
        query.direction = direction
        query.depth = 64
        query.limit = 10_000
        query.validAt = now
        query.kinds = Set(model.edges.values.map(\.kind))
        let hits = try await engine.neighbors(of: start, in: atlas, query: query)
        #expect(hits.isComplete)
        #expect(Set(hits.map(\.memory.id)) == Set(distances.keys).subtracting([start]))
        for hit in hits {
            #expect(hit.path.count == distances[hit.memory.id])
            // Each edge goes on where the one before it ended.
            var place = start
            for edge in hit.path {
                #expect(edge.from == place || edge.to == place)
                place = edge.from == place && (edge.to != place) ? edge.to : edge.from
            }
        }
        let path = try await engine.path(from: start, to: end, in: atlas, query: query)
        #expect(path?.count == distances[end])
        var place = start
        for edge in path ?? [] {
            #expect(edge.from == place || edge.to == place)
            place = edge.from == place ? edge.to : edge.from
        }
        #expect(path == nil || place == end)
        query.order = .strongest
        let strongest = try await engine.neighbors(of: start, in: atlas, query: query)
        #expect(Set(strongest.map(\.memory.id)) == Set(hits.map(\.memory.id)))
        #expect(strongest.map(\.strength) == strongest.map(\.strength).sorted(by: >))
        for hit in strongest {
            let product = hit.path.reduce(1.0) { $0 * Double($1.weight) * GraphWalk.keptByEdge }
            #expect(abs(hit.strength - product) < 1e-9)
        }
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func `agrees with a set of edges through any sequence of changes`(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let store = try ScratchStore()
        var engine = store.engine
        var model = GraphModel()
        let kinds: [EdgeKind] = [.causedBy, .refersTo, .sameAs, try EdgeKind("blocks", in: .causal)]
        for number in 0..<6 {
            model.nodes.append(try await engine.remember("node number \(number)", in: atlas).id)
        }
        for step in 0..<120 {
            let now = store.clock.advance(by: .seconds(1 + random.below(100)))
            switch random.below(12) {
            case 0: model.nodes.append(try await engine.remember("node of step \(step)", in: atlas).id)
            case 1...6:
                // Self links and cycles among them.
                guard let from = model.nodes.randomElement(using: &random),
                    let to = model.nodes.randomElement(using: &random)
                else { continue }
                let cites = random.chance(0.3) ? model.nodes.randomElement(using: &random) : nil
                let valid =
                    random.chance(0.3)
                    ? now.advanced(by: .seconds(-50))..<now.advanced(by: .seconds(50))
                    : Timestamp.distantPast..<Timestamp.distantFuture
                let weight = Float(1 + random.below(8)) / 8
                let kind = random.pick(kinds)
                let id = try await engine.link(
                    from, to: to, as: kind, in: atlas, weight: weight, valid: valid,
                    evidence: cites.map { [Citation(namespace: atlas, id: $0, version: 1, range: 0..<4)] }
                        ?? [])
                let alike = model.edges.values.first {
                    $0.recorded.upperBound == .distantFuture && $0.from == from && $0.to == to
                        && $0.kind == kind && $0.valid == valid && $0.cites == cites
                }
                #expect((id == alike?.id) == (weight == alike?.weight))
                if let alike, alike.weight == weight { continue }
                if let alike { model.edges[alike.id]!.recorded = alike.recorded.lowerBound..<now }
                model.edges[id] = .init(
                    id: id, from: from, to: to, kind: kind, weight: weight,
                    recorded: now..<Timestamp.distantFuture,
                    valid: valid, cites: cites)
            case 7, 8:
                guard
                    let id = model.edges.keys.sorted(by: { $0.rawValue < $1.rawValue })
                        .randomElement(using: &random)
                else { continue }
                let isOpen = model.edges[id]!.recorded.upperBound == .distantFuture
                let engine = engine
                let error = await refusal { try await engine.unlink(id, in: atlas) }
                #expect((error == nil) == isOpen)
                if isOpen { model.edges[id]!.recorded = model.edges[id]!.recorded.lowerBound..<now }
            case 9:
                guard let node = model.nodes.randomElement(using: &random) else { continue }
                try await engine.forget(.id(node), under: atlas)
                model.forget(node)
            case 10:
                guard let node = model.nodes.randomElement(using: &random) else { continue }
                try await engine.update(node, in: atlas) { $0.content = "changed in step \(step)" }
            default:
                if random.chance(0.3) {
                    await engine.close()
                    engine = try store.reopened()
                } else if random.chance(0.3) {
                    try await engine.rebuild(in: atlas)
                }
            }
            if step % 10 == 9 {
                try await expect(engine, model, &random, now: now)
                try await engine.expectClean(atlas)
            }
        }
        for node in model.nodes { try await engine.forget(.id(node), under: atlas) }
        let left = try await engine.entries(of: atlas).filter { $0.table == "edge" }
        #expect(left.isEmpty)
        await engine.close()
    }

    /// The edges of cause that leave a memory, by their ids.
    private func causes(
        _ id: MemoryID, _ engine: Engine, asOf: Timestamp? = nil
    ) async throws -> [EdgeID: Float] {
        let edges = try await engine.edges(
            of: id, in: atlas, direction: .out, kinds: [.causedBy], asOf: asOf)
        var weights: [EdgeID: Float] = [:]
        for edge in edges { if let id = edge.id { weights[id] = edge.weight } }
        return weights
    }

    @Test func `knows an edge that is given again, and keeps what it weighed before`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let first = try await engine.remember("The deploy failed.", in: atlas).id
        let second = try await engine.remember("The token had expired.", in: atlas).id
        let edge = try await engine.link(first, to: second, as: .causedBy, in: atlas)
        let sequence = try await engine.stats(in: atlas).sequence
        let again = try await engine.link(first, to: second, as: .causedBy, in: atlas)
        #expect(again == edge)
        #expect(try await engine.stats(in: atlas).sequence == sequence)
        let known = Engine.Write.link(.id(first), to: .id(second), as: .causedBy)
        let other = Engine.Write.link(.id(first), to: .id(second), as: .fixes)
        let written = try await engine.write([known, other, other], in: atlas)
        #expect(written[0] == .linked(edge) && written[1] == written[2] && written[1] != written[0])

        // Somebody else's, and one that is said elsewhere, are others.
        let grace = try engine.acting(as: "grace")
        let hers = try await grace.link(first, to: second, as: .causedBy, in: atlas)
        let place = Citation(namespace: atlas, id: first, version: 1, range: 0..<3)
        let cited = try await engine.link(first, to: second, as: .causedBy, in: atlas, evidence: [place])
        #expect(try await causes(first, engine) == [edge: 1, hers: 1, cited: 1])

        let before = store.clock.time
        store.clock.advance(by: .seconds(1))
        let lighter = try await engine.link(first, to: second, as: .causedBy, in: atlas, weight: 0.5)
        #expect(try await causes(first, engine) == [lighter: 0.5, hers: 1, cited: 1])
        #expect(try await causes(first, engine, asOf: before) == [edge: 1, hers: 1, cited: 1])

        // One that was taken back is given anew.
        try await engine.unlink(lighter, in: atlas)
        let anew = try await engine.link(first, to: second, as: .causedBy, in: atlas, weight: 0.5)
        #expect(try await causes(first, engine) == [anew: 0.5, hers: 1, cited: 1])
        try await engine.expectClean(atlas)
    }

    @Test func `answers causes and effects without a cycle, nearest first, with evidence`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        var ids: [MemoryID] = []
        for name in ["outage", "full disk", "log level", "release", "rollback"] {
            ids.append(try await engine.remember(MemoryDraft(name), in: atlas).id)
        }
        let citation = Citation(namespace: atlas, id: ids[0], version: 1, range: 0..<6)
        for (effect, cause, weight) in [
            (0, 1, 0.9), (1, 2, 0.8), (2, 3, 1), (4, 0, 1), (3, 0, 0.5), (0, 3, 0.5),
        ] {
            try await engine.link(
                ids[effect], to: ids[cause], as: .causedBy, in: atlas, weight: Float(weight),
                evidence: [citation])
        }
        let causes = try await engine.causes(of: ids[0], in: atlas)
        #expect(causes.isComplete)
        #expect(
            causes.map { [$0.effect.content, $0.cause.content] } == [
                ["outage", "full disk"], ["outage", "release"], ["full disk", "log level"],
            ])
        #expect(causes.map(\.depth) == [1, 1, 2])
        #expect(abs(causes[2].confidence - 0.9 * 0.8) < 1e-6)
        #expect(causes.allSatisfy { $0.edge.evidence == [citation] })
        let effects = try await engine.effects(of: ids[1], in: atlas)
        #expect(
            effects.map { [$0.effect.content, $0.cause.content] } == [
                ["outage", "full disk"], ["rollback", "outage"], ["release", "outage"],
                ["log level", "release"],
            ])
        #expect(try await engine.causes(of: ids[0], in: atlas, depth: 1).count == 2)
        let bounded = try await engine.causes(of: ids[0], in: atlas, limit: 1)
        #expect(bounded.count == 1 && !bounded.isComplete)
    }

    @Test func `follows threads: next, previous, and the answer to a question`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        var ids: [MemoryID] = []
        for text in ["Hello", "Where is the key?", "Under the mat.", "Thanks"] {
            var draft = MemoryDraft(text)
            draft.thread = "chat"
            ids.append(try await engine.remember(draft, in: atlas).id)
        }
        func shape(_ index: Int, _ direction: EdgeDirection) async throws -> Set<String> {
            Set(
                try await engine.edges(
                    of: ids[index], in: atlas, direction: direction, kinds: [.next, .repliesTo]
                )
                .map { "\(ids.firstIndex(of: $0.from)!) \($0.kind) \(ids.firstIndex(of: $0.to)!)" })
        }
        #expect(try await shape(1, .out) == ["1 next 2"])
        #expect(try await shape(1, .into) == ["0 next 1", "2 repliesTo 1"])
        #expect(try await shape(2, .out) == ["2 next 3", "2 repliesTo 1"])
        try await engine.fold(atlas)
        #expect(try await shape(2, .both) == ["1 next 2", "2 next 3", "2 repliesTo 1"])
        try await engine.forget(.id(ids[1]), under: atlas)
        #expect(try await shape(0, .out) == ["0 next 2"])
    }

    @Test func `refuses what is no edge, and says why`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let a = try await engine.remember("a", in: atlas).id
        let b = try await engine.remember("b", in: atlas).id
        let gone = MemoryID(rawValue: 77)
        #expect(
            await refusal { try await engine.link(a, to: gone, as: .causedBy, in: atlas) }?.code == .notFound)
        #expect(
            await refusal { try await engine.link(gone, to: a, as: .causedBy, in: atlas) }?.code == .notFound)
        #expect(await refusal { try await engine.link(a, to: b, as: .next, in: atlas) }?.code == .invalid)
        for weight in [0, -1, 1.5, Float.nan] {
            let error = await refusal {
                try await engine.link(a, to: b, as: .causedBy, in: atlas, weight: weight)
            }
            #expect(error?.code == .invalid)
        }
        let citation = Citation(namespace: atlas, id: gone, version: 1, range: 0..<1)
        let error = await refusal {
            try await engine.link(a, to: b, as: .causedBy, in: atlas, evidence: [citation])
        }
        #expect(error?.code == .notFound)
        let bytes = try #require(try await engine.get(a, in: atlas)).content.utf8.count
        for (version, range, code) in [
            (1, 0..<bytes + 1, EngineError.Code.invalid), (1, -1..<1, .invalid), (2, 0..<1, .notFound),
        ] as [(UInt32, Range<Int>, EngineError.Code)] {
            let beyond = Citation(namespace: atlas, id: a, version: version, range: range)
            let error = await refusal {
                try await engine.link(a, to: b, as: .causedBy, in: atlas, evidence: [beyond])
            }
            #expect(error?.code == code)
        }
        for name in ["", "1a", "a b", String(repeating: "x", count: 65), "ü"] {
            #expect(await refusal { try EdgeKind(name, in: .causal) }?.code == .invalid)
        }
        #expect(await refusal { try EdgeKind("causedBy", in: .temporal) }?.code == .invalid)
        #expect(await refusal { try await engine.unlink(EdgeID(rawValue: 1), in: atlas) }?.code == .notFound)
        try await engine.expectClean(atlas)
    }

    @Test func `leads to another home, and is shown there, not walked`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let user = Namespace.user("u-7")
        let a = try await engine.remember("a plan", in: atlas).id
        let b = try await engine.remember("a wish", in: user).id
        #expect(
            await refusal { try await engine.link(a, to: b, as: .causedBy, in: atlas) }?.code == .notFound)
        let id = try await engine.link(a, to: b, as: .causedBy, in: atlas, toHome: user)
        let edges = try await engine.edges(of: a, in: atlas)
        #expect(edges.map(\.id) == [id] && edges[0].toHome == user && edges[0].to == b)
        #expect(try await engine.causes(of: a, in: atlas).isEmpty)
        try await engine.expectClean(atlas)
        try await engine.forget(.id(a), under: atlas)
        #expect(try await engine.entries(of: atlas).allSatisfy { $0.table != "edge" })
    }
}
