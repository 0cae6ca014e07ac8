// A test may stop where a value that it made is missing.
// swift-format-ignore-file: NeverForceUnwrap

import TestSupport
import Testing

@testable import MemoryEngine

@Suite struct `A filter` {
    let atlas = Namespace.project("atlas")

    /// Evaluates a filter on a memory as it was read, one by one.
    static func holds(_ filter: Filter, _ memory: Memory) -> Bool {
        switch filter {
        case .ids(let ids): ids.contains(memory.id)
        case .kind(let kind): memory.kind == kind
        case .actor(let name): memory.actor == name
        case .thread(let name): memory.thread == name
        case .tag(let name): memory.tags.contains(name)
        case .key(let key): memory.key == key
        case .keyHasPrefix(let prefix): memory.key?.hasPrefix(prefix) ?? false
        case .tagHasPrefix(let prefix): memory.tags.contains { $0.hasPrefix(prefix) }
        case .keyword(let word): memory.keywords.contains(word)
        case .attributeBetween(let name, let range):
            if case .number(let number)? = memory.attributes[name] { range.contains(number) } else { false }
        case .attributeHasPrefix(let name, let prefix):
            if case .string(let text)? = memory.attributes[name] { text.hasPrefix(prefix) } else { false }
        case .agent(let name): memory.origin.agent == name
        case .model(let name): memory.origin.model == name
        case .source(let name): memory.origin.source == name
        case .sourceHasPrefix(let prefix): memory.origin.source?.hasPrefix(prefix) ?? false
        case .mayContribute: memory.origin.mayContribute
        case .hasAttachment: !memory.attachments.isEmpty
        case .mediaType(let prefix): memory.attachments.contains { $0.mediaType.hasPrefix(prefix) }
        case .modality(.text): !memory.content.isEmpty
        case .modality(let other): memory.attachments.contains { $0.mediaType.hasPrefix("\(other)/") }
        case .hasVector: memory.attributes["embedded"] == true
        case .valid(let range): memory.valid.overlaps(range)
        case .expires(let range): memory.expires.map(range.contains) ?? false
        case .isCurrent: memory.isCurrent
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
    static let beginnings = [
        "", "a", "a b", "long", "longlong", "b", "c", "Ä", String(repeating: "long", count: 48),
    ]
    static let types = [
        "image/png", "image/jpeg", "video/mp4", "text/plain", "x/" + String(repeating: "y", count: 200),
    ]
    static let space = EmbeddingSpace(model: "m", dimension: 2)
    static let values: [AttributeValue] = [
        -7.5, -1, .number(.greatestFiniteMagnitude), .number(-.greatestFiniteMagnitude), 3e-5, "a b c",
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
        if random.chance(0.4) { draft.key = random.pick(names) + " \(place)" }
        draft.keywords = (0..<random.below(3)).map { _ in random.pick(names) }
        draft.origin.agent = random.chance(0.5) ? random.pick(names) : nil
        draft.origin.model = random.chance(0.5) ? random.pick(names) : nil
        draft.origin.source = random.chance(0.5) ? random.pick(names) : nil
        draft.origin.mayContribute = random.chance(0.3)
        for place in 0..<random.below(3) {
            draft.attachments.append(
                MemoryEngine.Attachment(
                    name: "\(place)", mediaType: random.pick(types), digest: [UInt8](repeating: 1, count: 32),
                    byteCount: 9, address: "https://example.org/\(place)", data: []))
        }
        if !draft.attachments.isEmpty, random.chance(0.3) { draft.content = "" }
        if random.chance(0.4) {
            let start = Timestamp("2026-02-01")!.advanced(by: .seconds(random.below(40)))
            draft.valid = start..<(random.chance(0.5) ? .distantFuture : Timestamp("2026-04-01")!)
        }
        if random.chance(0.4) {
            draft.expires = Timestamp("2026-06-01")!.advanced(by: .seconds(random.below(40)))
        }
        return draft
    }

    static func filter(_ random: inout SeededRandom, depth: Int) -> Filter {
        if depth > 0, random.chance(0.5) {
            let parts = (0..<random.below(4)).map { _ in filter(&random, depth: depth - 1) }
            return random.pick([.all(parts), .any(parts), .not(filter(&random, depth: depth - 1))])
        }
        let from = time(&random)
        let range = from..<from.advanced(by: .seconds(1 + random.below(20)))
        switch random.below(33) {
        case 13: return .key(random.pick([nil, names[0] + " 3", names[1] + " 17"]))
        case 14: return .keyHasPrefix(random.pick(beginnings))
        case 15: return .tagHasPrefix(random.pick(beginnings))
        case 16: return .keyword(random.pick(names + ["none"]))
        case 17:
            let bounds: [Double] = [-.infinity, -8, -1, 0, 1, 2.5, 4, .infinity]
            let (a, b) = (random.pick(bounds), random.pick(bounds))
            return .attributeBetween(random.pick(names), min(a, b)...max(a, b))
        case 18: return .attributeHasPrefix(random.pick(names), random.pick(beginnings + ["vvv", "1"]))
        case 19: return .agent(random.pick(names))
        case 20: return .model(random.pick(names))
        case 21: return .source(random.pick(names))
        case 22: return .sourceHasPrefix(random.pick(beginnings))
        case 23: return .mayContribute
        case 24: return .hasAttachment
        case 25: return .mediaType(random.pick(types + ["image/", "", "x/y", "none"]))
        case 26: return .modality(random.pick(Modality.allCases))
        case 27: return .hasVector(space)
        case 28:
            let start = Timestamp("2026-02-01")!.advanced(by: .seconds(random.below(60)))
            return .valid(start..<start.advanced(by: .seconds(1 + random.below(20))))
        case 29:
            let start = Timestamp("2026-06-01")!.advanced(by: .seconds(random.below(60)))
            return .expires(
                random.pick([start..<start.advanced(by: .seconds(20)), .distantPast ..< .distantFuture]))
        case 30: return .isCurrent
        case 31: return .actor(nil)
        case 32: return .thread(nil)
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
                try await store.engine.update(random.pick(ids), in: atlas) {
                    let key = $0.key
                    $0 = draft
                    $0.key = key
                }
            }
            if place % 11 == 10 { _ = try? await store.engine.retract(random.pick(ids), in: atlas) }
        }
        for id in ids where random.chance(0.3) {
            // The mark says what the vectors are, for the comparison.
            try await store.engine.update(id, in: atlas) {
                $0.attributes["embedded"] = true
                $0.content = String($0.content.prefix(30))
                $0.embeddings = [Embedding([1, 2], in: Self.space)]
            }
        }
        for isFolded in [false, true] {
            if isFolded { try await store.engine.fold(atlas) }
            let open = try await store.engine.list(in: atlas, limit: 1_000).memories
            let all = try await store.engine.list(in: atlas, limit: 1_000, includesClosed: true).memories
            #expect(Set(all.map(\.id)) == Set(ids) && open.count < all.count)
            let few = Filter.ids([ids[3], ids[9], MemoryID(rawValue: 1)])
            for round in 0..<160 {
                let filter = round < 3 ? [few, !few, .ids([])][round] : Self.filter(&random, depth: 3)
                let found = try await store.engine.list(in: atlas, filter: filter, limit: 1_000).memories
                #expect(found == open.filter { Self.holds(filter, $0) }, "\(filter)")
                let closed = try await store.engine.list(
                    in: atlas, filter: filter, limit: 1_000, includesClosed: true
                ).memories
                #expect(closed == all.filter { Self.holds(filter, $0) }, "\(filter)")
                guard round % 3 == 0 else { continue }
                var query = RecallQuery("item", in: atlas)
                query.channels = [.words]
                query.filter = filter
                query.limit = 1_000
                let hits = Set(try await store.engine.recall(query).map(\.memory.id))
                #expect(hits == Set(found.filter { !$0.content.isEmpty }.map(\.id)), "\(filter)")
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
        let many = Filter.ids(Set((0..<100_001).map { MemoryID(rawValue: $0) }))
        #expect(await refusal { try await store.engine.list(in: atlas, filter: many) }?.code == .tooLarge)
        let deeper = !filter
        #expect(await refusal { try await store.engine.list(in: atlas, filter: deeper) }?.code == .invalid)
        #expect(
            await refusal { try await store.engine.forget(.filter(deeper), under: atlas) }?.code == .invalid)
    }
}
