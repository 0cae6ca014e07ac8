// A test may stop where a value that it made is missing.
// swift-format-ignore-file: NeverForceUnwrap

import Testing

@testable import MemoryEngine

@Suite struct `A filter` {
    let atlas = Namespace.project("atlas")

    /// Evaluates a filter on a memory as it was read, one by one.
    static func holds(_ filter: Filter, _ memory: Memory) -> Bool {
        switch filter {
        case .kind(let kind): memory.kind == kind
        case .actor(let name): memory.actor == name
        case .thread(let name): memory.thread == name
        case .tag(let name): memory.tags.contains(name)
        case .attribute(let name, let value): memory.attributes[name] == value
        case .hasAttribute(let name): memory.attributes[name] != nil
        case .trust(let least): memory.origin.trust >= least
        case .importance(let least): memory.importance >= least
        case .principal(let name): memory.origin.principal == name
        case .happened(let range): memory.happened.overlaps(range)
        case .recorded(let range): range.contains(memory.recorded.lowerBound)
        case .session(let name): memory.namespace.session == name
        case .isPinned: memory.isPinned
        case .all(let parts): parts.allSatisfy { holds($0, memory) }
        case .any(let parts): parts.contains { holds($0, memory) }
        case .not(let part): !holds(part, memory)
        }
    }

    static let names = ["a", "b", "a b", "Ä", String(repeating: "long", count: 50)]
    static let values: [AttributeValue] = [
        "a", "1", 1, 0, .number(-0.0), 2.5, true, false, .string(String(repeating: "v", count: 1_000)), "",
    ]

    static func time(_ random: inout SeededRandom) -> Timestamp {
        Timestamp(microseconds: Int64(random.below(40) - 10) * 1_000_000)
    }

    static func draft(_ random: inout SeededRandom, _ place: Int) -> MemoryDraft {
        var draft = MemoryDraft(
            "item \(place) " + String(repeating: "words to split. ", count: random.below(12)))
        draft.kind = random.pick([.note, .event, "own"])
        draft.actor = random.chance(0.5) ? random.pick(names) : nil
        draft.thread = random.chance(0.5) ? random.pick(names) : nil
        draft.tags = (0..<random.below(3)).map { _ in random.pick(names) }
        for _ in 0..<random.below(3) { draft.attributes[random.pick(names)] = random.pick(values) }
        draft.origin.trust = random.pick(Trust.allCases)
        draft.importance = random.pick([0, 0.25, 0.5, 1])
        draft.isPinned = random.chance(0.3)
        let from = time(&random)
        draft.happened = from...from.advanced(by: .seconds(random.below(5)))
        return draft
    }

    static func filter(_ random: inout SeededRandom, depth: Int) -> Filter {
        if depth > 0, random.chance(0.5) {
            let parts = (0..<random.below(4)).map { _ in filter(&random, depth: depth - 1) }
            return random.pick([.all(parts), .any(parts), .not(filter(&random, depth: depth - 1))])
        }
        let from = time(&random)
        let range = from..<from.advanced(by: .seconds(1 + random.below(20)))
        switch random.below(13) {
        case 0: return .kind(random.pick([.note, .event, "own", "unknown"]))
        case 1: return .actor(random.pick(names + ["nobody"]))
        case 2: return .thread(random.pick(names + [String(repeating: "x", count: 300)]))
        case 3: return .tag(random.pick(names + ["none"]))
        case 4: return .attribute(random.pick(names), random.pick(values))
        case 5: return .hasAttribute(random.pick(names + ["none"]))
        case 6: return .trust(atLeast: random.pick(Trust.allCases))
        case 7: return .importance(atLeast: random.pick([0, 0.3, 0.5, 1]))
        case 8: return .principal(random.pick(["tester", "nobody"]))
        case 9: return .happened(range)
        case 10:
            let start = Timestamp("2026-03-01T12:00:00Z")!.advanced(by: .seconds(random.below(60)))
            return .recorded(start..<start.advanced(by: .seconds(1 + random.below(40))))
        case 11: return .session(random.pick([nil, "s1", "s2", "s3"]))
        default: return .isPinned
        }
    }

    @Test(arguments: 1...3 as ClosedRange<UInt64>)
    func `agrees with a look at every memory, in the tail and in columns`(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let store = try ScratchStore { $0.passageByteCount = 64 }
        var ids: [MemoryID] = []
        for place in 0..<60 {
            store.clock.advance()
            let namespace = random.pick([atlas, atlas.session("s1"), atlas.session("s2")])
            ids.append(try await store.engine.remember(Self.draft(&random, place), in: namespace).id)
            if place == 30, seed % 2 == 0 { try await store.engine.fold(atlas) }
            if place % 7 == 6 { try await store.engine.forget(.id(ids.removeFirst()), under: atlas) }
            if place % 5 == 4 {
                let draft = Self.draft(&random, place)
                try await store.engine.update(random.pick(ids), in: atlas) { $0 = draft }
            }
            if place % 11 == 10 { _ = try? await store.engine.retract(random.pick(ids), in: atlas) }
        }
        for isFolded in [false, true] {
            if isFolded { try await store.engine.fold(atlas) }
            let open = try await store.engine.list(in: atlas, limit: 1_000).memories
            let all = try await store.engine.list(in: atlas, limit: 1_000, includesClosed: true).memories
            #expect(Set(all.map(\.id)) == Set(ids) && open.count < all.count)
            for _ in 0..<60 {
                let filter = Self.filter(&random, depth: 3)
                let found = try await store.engine.list(in: atlas, filter: filter, limit: 1_000).memories
                #expect(found == open.filter { Self.holds(filter, $0) }, "\(filter)")
                let closed = try await store.engine.list(
                    in: atlas, filter: filter, limit: 1_000, includesClosed: true
                ).memories
                #expect(closed == all.filter { Self.holds(filter, $0) }, "\(filter)")
                var query = RecallQuery("item", in: atlas)
                query.filter = filter
                query.limit = 1_000
                let hits = Set(try await store.engine.recall(query).map(\.memory.id))
                #expect(hits == Set(found.map(\.id)), "\(filter)")
            }
        }
        try await store.engine.expectClean(atlas)
    }

    @Test func `is refused when it is nested too deep`() async throws {
        let store = try ScratchStore()
        try await store.engine.remember("one", in: atlas)
        var filter = Filter.isPinned
        for _ in 1..<Filter.maximumDepth { filter = !filter }
        #expect(try await store.engine.list(in: atlas, filter: filter).memories.count == 1)
        let deeper = !filter
        #expect(await refusal { try await store.engine.list(in: atlas, filter: deeper) }?.code == .invalid)
        #expect(
            await refusal { try await store.engine.forget(.filter(deeper), under: atlas) }?.code == .invalid)
    }
}
