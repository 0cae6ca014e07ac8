import TestSupport
import Testing

@testable import MemoryEngine

@Suite struct `A list` {
    let atlas = Namespace.project("atlas")

    /// `indexed`: how many the indexer has read when the rest come; they stand in the order of time by then.
    @Test(arguments: Engine.ListOrder.allCases, [0, 30, 57])
    func `gives each memory once, in its order, over pages of any size`(
        order: Engine.ListOrder, indexed: Int
    ) async throws {
        let store = try ScratchStore()
        var random = SeededRandom(seed: 7)
        var expected: [(time: Timestamp, place: Int, content: String)] = []
        for place in 0..<57 {
            var draft = MemoryDraft("memory \(place)")
            let time = Timestamp(microseconds: Int64(random.below(12)) * 1_000_000 - 5_000_000)
            draft.happened = time...time
            try await store.engine.remember(draft, in: atlas)
            expected.append((time, place, draft.content))
            if place + 1 == indexed {
                try await store.engine.finishIndexing(in: atlas)
                try await store.engine.fold(atlas)
            }
        }
        let state = try await store.engine.withExistingHome(of: atlas) { home in
            try home.environment.read { try HomeState.read(in: $0) }
        }
        #expect(Int(state.derivedPassages) == indexed)
        switch order {
        case .recorded: break
        case .recordedDescending: expected.reverse()
        case .happened: expected.sort { ($0.time, $0.place) < ($1.time, $1.place) }
        case .happenedDescending: expected.sort { ($0.time, $0.place) > ($1.time, $1.place) }
        }
        for limit in [1, 7, 56, 57, 58] {
            var found: [String] = []
            var cursor: String?
            repeat {
                let page = try await store.engine.list(in: atlas, order: order, after: cursor, limit: limit)
                found += page.memories.map(\.content)
                cursor = page.next
            } while cursor != nil
            #expect(found == expected.map(\.content))
        }
    }

    @Test func `ends a page whose contents are long`() async throws {
        let store = try ScratchStore()
        let content = String(repeating: "long ", count: 200)
        for place in 0..<4 { try await store.engine.remember("\(place) \(content)", in: atlas) }
        let page = try await store.engine.list(in: atlas, limit: 10, byteLimit: 2_500)
        #expect(page.memories.map { $0.content.prefix(1) } == ["0", "1", "2"])
        let rest = try await store.engine.list(in: atlas, after: page.next, limit: 10)
        #expect(rest.memories.map { $0.content.prefix(1) } == ["3"] && rest.next == nil)
    }

    @Test(arguments: Engine.ListOrder.allCases)
    func `goes on while memories come and go`(order: Engine.ListOrder) async throws {
        let store = try ScratchStore()
        var ids: [MemoryID] = []
        for place in 0..<40 {
            store.clock.advance()
            ids.append(try await store.engine.remember("memory \(place)", in: atlas).id)
        }
        var found: [MemoryID] = []
        var cursor: String?
        var step = 0
        repeat {
            let page = try await store.engine.list(in: atlas, order: order, after: cursor, limit: 6)
            found += page.memories.map(\.id)
            cursor = page.next
            // The last one given goes, and so does one that is still to come; a new one arrives.
            if step < 3 {
                try await store.engine.forget(.id(page.memories.last!.id), under: atlas)
                try await store.engine.forget(.id(ids[18 + step]), under: atlas)
                store.clock.advance()
                try await store.engine.remember("new \(step)", in: atlas)
            }
            step += 1
        } while cursor != nil
        #expect(Set(found).count == found.count)
        let gone = Set(ids[18...20])
        for id in ids where !gone.contains(id) { #expect(found.contains(id)) }
    }

    @Test func `refuses a cursor that is none of its own`() async throws {
        let store = try ScratchStore()
        try await store.engine.remember("one", in: atlas)
        for cursor in [
            "", "x", "happened.0.1", "recorded.0", "recorded.a.b", "recorded.0.-1",
            "recorded.0.99999999999999999999",
        ] {
            #expect(await refusal { try await store.engine.list(in: atlas, after: cursor) }?.code == .invalid)
        }
        for order in Engine.ListOrder.allCases {
            let last = "\(order.rawValue).\(Int64.max).\(UInt64.max)"
            _ = await refusal { try await store.engine.list(in: atlas, order: order, after: last) }
        }
        #expect(await refusal { try await store.engine.list(in: atlas, limit: 0) }?.code == .invalid)
        #expect(await refusal { try await store.engine.list(in: atlas, limit: 10_001) }?.code == .invalid)
    }

    @Test func `of a session holds its memories alone, of a home those of all sessions`() async throws {
        let store = try ScratchStore()
        try await store.engine.remember("home", in: atlas)
        try await store.engine.remember("one", in: atlas.session("1"))
        try await store.engine.remember("two", in: atlas.session("2"))
        #expect(try await store.engine.list(in: atlas).memories.map(\.content) == ["home", "one", "two"])
        #expect(try await store.engine.list(in: atlas.session("2")).memories.map(\.content) == ["two"])
        #expect(try await store.engine.list(in: atlas.session("3")).memories.isEmpty)
        #expect(
            try await store.engine.list(in: atlas, filter: .session(nil)).memories.map(\.content) == ["home"])
    }
}
