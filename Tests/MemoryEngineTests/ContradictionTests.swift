import Foundation
import Labelled
import Testing

@testable import MemoryEngine

@Suite struct `Contradictions of memories` {
    private let atlas = Namespace.project("atlas")

    // MARK: The labelled pairs

    private func memory(
        _ text: String, _ place: Int, kind: MemoryKind = .note, actor: String? = nil, happened: Int64? = nil
    ) -> StudiedMemory {
        let time = happened ?? Int64(place)
        return StudiedMemory(
            id: MemoryID(rawValue: UInt128(place + 1)), version: 1, passage: UInt32(place), kind: kind,
            actor: actor,
            happened: time..<time + 1, content: Array(text.utf8))
    }

    private func found(_ memories: StudiedMemory..., from mark: UInt32 = 0) -> [Derivation] {
        Contradictions.find(
            in: HomeStudy(memories: memories, nextPassage: UInt32(memories.count)), from: mark)
    }

    @Test(arguments: [("open", 0.9), ("held out", 0.9)])
    func `are found as they are labelled`(part: String, leastRecall: Double) throws {
        let pairs = try LabelledPair.all().filter { $0.part == part }
        #expect(pairs.count >= 95)
        var (right, wrong, missed) = (0, 0, 0)
        for pair in pairs {
            let isFound = !found(
                memory(pair.older, 0, actor: pair.actors?[0]), memory(pair.younger, 1, actor: pair.actors?[1])
            ).isEmpty
            if isFound { if pair.contradicts { right += 1 } else { wrong += 1 } }
            if pair.contradicts, !isFound { missed += 1 }
        }
        let precision = Double(right) / Double(right + wrong)
        let recall = Double(right) / Double(right + missed)
        #expect(precision >= 0.98, "\(part): \(wrong) wrong")
        #expect(recall >= leastRecall, "\(part): \(missed) missed")
    }

    // MARK: By themselves

    @Test func `supersede where time went on or a change is told, and only contradict where neither is so`() {
        let older = memory("The port is 8080.", 0, happened: 5)
        #expect(found(older, memory("The port is 9090.", 1, happened: 6)).map(\.kind) == [.supersedes])
        #expect(found(older, memory("The port is 9090.", 1, happened: 5)).map(\.kind) == [.contradicts])
        #expect(found(older, memory("The port is now 9090.", 1, happened: 5)).map(\.kind) == [.supersedes])
        // What was written first may tell of what came later.
        let late = found(
            memory("The port is 9090.", 0, happened: 9), memory("The port is 8080.", 1, happened: 5))
        #expect(late.map(\.from.rawValue) == [1] && late.map(\.closes) == [1])
        // Nobody is born twice.
        let born = found(memory("Ada was born in London.", 0), memory("Ada was born in Paris.", 1))
        #expect(born.map(\.kind) == [.contradicts] && born.map(\.closes) == [nil])
    }

    @Test func `are not where both may be so`() {
        func texts(_ one: String, _ other: String) -> Int { found(memory(one, 0), memory(other, 1)).count }
        // Of one relation there may be several, until a change is told.
        #expect(texts("The app runs on Windows.", "The app runs on Linux.") == 0)
        #expect(texts("The app runs on Windows.", "The app now runs on Linux.") == 1)
        #expect(texts("My son is called Blaise.", "My son is called René.") == 0)
        #expect(texts("Lunch is at 12:30.", "Lunch is at 13:00 today.") == 0)
        #expect(texts("Lunch is at 12:30 today.", "Lunch is at 13:00 today.") == 0)
        #expect(texts("Lunch is at 12:30.", "Lunch is at 13:00 from now on.") == 1)
    }

    @Test func `need a name for what is meant, or one thread or session to be said in`() {
        func inPlaces(
            _ older: String, _ younger: String, _ places: [(session: String?, thread: String?)]
        )
            -> Int
        {
            var (a, b) = (memory(older, 0), memory(younger, 1))
            (a.session, a.thread) = places[0]
            (b.session, b.thread) = places[1]
            return found(a, b).count
        }
        let budgets = ("The budget is 5.", "The budget is 6.")
        #expect(inPlaces(budgets.0, budgets.1, [("one", nil), ("two", nil)]) == 0)
        #expect(inPlaces(budgets.0, budgets.1, [(nil, "one"), (nil, "two")]) == 0)
        #expect(inPlaces(budgets.0, budgets.1, [("one", nil), ("one", nil)]) == 1)
        #expect(inPlaces(budgets.0, budgets.1, [("one", "a"), ("one", "b")]) == 1)
        #expect(inPlaces(budgets.0, budgets.1, [(nil, nil), ("two", nil)]) == 1)
        let named = ("Babbage's budget is 5.", "Babbage's budget is 6.")
        #expect(inPlaces(named.0, named.1, [("one", nil), ("two", nil)]) == 1)
        #expect(inPlaces("I live in Turin.", "I live in London.", [("one", nil), ("two", nil)]) == 1)
        // One of another session stands in the way of none.
        var all = [memory("The port is 1.", 0), memory("The port is 2.", 1), memory("The port is 3.", 2)]
        for (place, session) in ["one", "two", "one"].enumerated() { all[place].session = session }
        #expect(found(all[0], all[1], all[2]).map { [$0.from.rawValue, $0.to.rawValue] } == [[3, 1]])
    }

    @Test(arguments: ["was moved to", "has been upgraded to", "was migrated to", "has moved to"])
    func `know what something runs on by another version that it came to`(verb: String) {
        let older = memory("The server runs on Debian 11.", 0)
        #expect(found(older, memory("The server \(verb) Debian 12.", 1)).map(\.closes) == [1])
        #expect(found(older, memory("The server \(verb) Rack 12.", 1)).isEmpty)
    }

    @Test func `are told once for each fact, by the first that takes it back`() {
        let all = found(
            memory("The port is 8080.", 0), memory("The port is 9090.", 1), memory("The port is 9090.", 2),
            memory("The port is 7070.", 3))
        #expect(all.map { [$0.from.rawValue, $0.to.rawValue] } == [[2, 1], [4, 2], [4, 3]])
        #expect(all[0].says == "port is: 9090, not 8080")
    }

    @Test func `need times that overlap, and of two messages one actor`() {
        var older = memory("The port is 8080.", 0)
        older.valid = Int64.min..<1
        #expect(found(older, memory("The port is 9090.", 1)).isEmpty)
        older.valid = Int64.min..<2
        #expect(found(older, memory("The port is 9090.", 1)).count == 1)
        let (one, other) = ("The dog is called Rex.", "The dog is called Laika.")
        func messages(_ actor: String) -> [Derivation] {
            found(
                memory(one, 0, kind: .message, actor: "Ada Lovelace"),
                memory(other, 1, kind: .message, actor: actor))
        }
        #expect(messages("Ada Lovelace").count == 1)
        #expect(messages("Grace Hopper").isEmpty)
    }

    @Test func `close only what says nothing else, and is neither a message nor pinned`() {
        let younger = memory("The port is 9090.", 1)
        func closes(_ older: StudiedMemory) -> [UInt32?] { found(older, younger).map(\.closes) }
        #expect(closes(memory("The port is 8080.", 0)) == [1])
        #expect(closes(memory("The port is 8080. The host is Atlas.", 0)).isEmpty)
        #expect(closes(memory("The port is 8080, as it was free.", 0)) == [nil])
        #expect(closes(memory("The port is 8080.", 0, kind: .message)) == [nil])
        var pinned = memory("The port is 8080.", 0)
        pinned.isPinned = true
        #expect(closes(pinned) == [nil])
        // What is believed less takes the place of nothing.
        var believed = memory("The port is 8080.", 0)
        believed.trust = .verified
        #expect(found(believed, younger).map(\.kind) == [.contradicts] && closes(believed) == [nil])
    }

    @Test func `are found between what callers give and what texts say`() {
        func given(_ place: Int, _ value: String) -> StudiedMemory {
            var memory = memory("Of port \(place).", place, kind: .fact)
            memory.attributes = [
                "subject": "the staging server", "relation": "port", "value": .string(value),
            ]
            return memory
        }
        #expect(found(given(0, "8080"), given(1, "9090")).map(\.closes) == [1])
        #expect(found(given(0, "8080"), given(1, "8080")).isEmpty)
        #expect(found(given(0, "8080"), memory("The staging server's port is 9090.", 1)).count == 1)
        #expect(found(memory("The port of the staging server is 9090.", 0), given(1, "8080")).count == 1)
    }

    @Test func `have one of two that is new`() {
        let (a, b, c) = (
            memory("The port is 8080.", 0), memory("The port is 9090.", 1), memory("The host is Atlas.", 2)
        )
        #expect(found(a, b, c, from: 2).isEmpty)
        #expect(found(a, b, c, from: 1).count == 1)
        #expect(found(a, b, c, from: 3).isEmpty)
    }

    @Test func `are one change with what they close, which has bytes`() throws {
        let found = found(memory("The port is 8080.", 0), memory("The port is 9090.", 1))
        let change = try #require(found.first?.change)
        guard case .conclude(let edge, closing: 1) = change else {
            Issue.record("\(change)")
            return
        }
        #expect(edge.valid == 1..<Int64.max)
        let mutation = Mutation(operation: 1, time: 2, changes: [change])
        let bytes = mutation.encode()
        #expect(try Mutation(decoding: bytes.span.bytes) == mutation)
    }

    // MARK: In a home

    /// A store with an older and a younger memory that takes it back, an hour apart, and their ids.
    private func told(
        _ older: String = "The port of the gateway is 8080.",
        _ younger: String = "The port of the gateway is 9090.",
        _ change: (inout MemoryDraft) -> Void = { _ in }
    ) async throws -> (store: ScratchStore, older: MemoryID, younger: MemoryID, between: Timestamp) {
        let store = try ScratchStore()
        var draft = MemoryDraft(older)
        draft.kind = .note
        change(&draft)
        let first = try await store.engine.remember(draft, in: atlas).id
        let between = store.clock.advance(by: .seconds(1_800))
        store.clock.advance(by: .seconds(1_800))
        let second = try await store.engine.remember(MemoryDraft(younger), in: atlas).id
        store.clock.advance()
        return (store, first, second, between)
    }

    private func recalled(_ engine: Engine, validAt: Timestamp? = nil) async throws -> Set<MemoryID> {
        var query = RecallQuery("port of the gateway", in: atlas)
        query.validAt = validAt
        return Set(try await engine.recall(query).hits.map(\.memory.id))
    }

    private func consolidate(_ engine: Engine) async throws -> Int? {
        try await engine.consolidate(in: atlas, steps: [.contradictions]).found[.contradictions]
    }

    @Test func `leave out of recalls of now what is no longer so, and keep it for those of then`()
        async throws
    {
        let (store, older, younger, between) = try await told()
        #expect(try await recalled(store.engine) == [older, younger])
        #expect(try await consolidate(store.engine) == 1)
        #expect(try await recalled(store.engine) == [younger])
        #expect(try await recalled(store.engine, validAt: between).contains(older))
        let conclusion = try #require(try await store.engine.conclusions(in: atlas).first)
        #expect(conclusion.edge.kind == .supersedes)
        #expect(conclusion.edge.from == younger && conclusion.edge.to == older)
        #expect(conclusion.edge.evidence.count == 2)
        #expect(conclusion.says == "gateway port is: 9090, not 8080")
        let history = try await store.engine.versions(of: older, in: atlas)
        #expect(history.count == 2 && history.allSatisfy { $0.content == "The port of the gateway is 8080." })
        // One edge, and not a second that the closing implies.
        #expect(try await store.engine.edges(of: older, in: atlas, kinds: [.supersedes]).count == 1)
        #expect(try await consolidate(store.engine) ?? 0 == 0)
        #expect(try await store.engine.conclusions(in: atlas).count == 1)
        try await store.engine.expectClean(atlas)
    }

    @Test func `are taken back with what they closed, and not drawn again`() async throws {
        let (store, older, younger, _) = try await told()
        let before = try #require(try await store.engine.get(older, in: atlas))
        _ = try await consolidate(store.engine)
        store.clock.advance()
        #expect(try await store.engine.takeBackConclusions(of: [.contradictions], in: atlas) == 1)
        #expect(try await recalled(store.engine) == [older, younger])
        let after = try #require(try await store.engine.get(older, in: atlas))
        #expect(after.isCurrent && after.valid == before.valid && after.version == 3)
        store.clock.advance()
        // Also when all is looked at again, by other rules.
        let mark = Mutation.Change.setting(ConsolidationMark.name(.contradictions), nil)
        let mutation = Mutation(at: store.clock.time, changes: [mark])
        try await store.engine.withExistingHome(of: atlas) { _ = try await $0.apply(mutation) }
        #expect(try await consolidate(store.engine) == 0)
        #expect(try await recalled(store.engine) == [older, younger])
        try await store.engine.expectClean(atlas)
    }

    @Test func `are taken back without what somebody else changed since`() async throws {
        let (store, older, younger, _) = try await told()
        _ = try await consolidate(store.engine)
        store.clock.advance()
        try await store.engine.update(older, in: atlas) { $0.tags = ["kept"] }
        store.clock.advance()
        try await store.engine.takeBackConclusions(of: [.contradictions], in: atlas)
        #expect(try await store.engine.get(older, in: atlas)?.version == 3)
        // What a caller superseded stays so.
        let (other, first, second, _) = try await told("The port of the gateway is 8080.", "It rains.")
        try await other.engine.supersede(first, by: second, in: atlas)
        other.clock.advance()
        let third = try await other.engine.remember("The port of the gateway is 9090.", in: atlas).id
        _ = try await consolidate(other.engine)
        try await other.engine.forget(.id(third), under: atlas)
        #expect(try await other.engine.get(first, in: atlas)?.isCurrent == false)
        #expect(younger != third)
    }

    @Test func `go with the words of the younger memory, and are drawn anew where its new ones say so`()
        async throws
    {
        let (store, older, younger, _) = try await told()
        _ = try await consolidate(store.engine)
        store.clock.advance()
        // What only adds to it keeps them.
        try await store.engine.update(younger, in: atlas) { $0.tags = ["kept"] }
        #expect(try await store.engine.conclusions(in: atlas).count == 1)
        store.clock.advance()
        try await store.engine.update(younger, in: atlas) { $0.content = "The gateway was painted green." }
        #expect(try await store.engine.conclusions(in: atlas, includesTakenBack: true).isEmpty)
        #expect(try await recalled(store.engine).contains(older))
        try await store.engine.expectClean(atlas)
        store.clock.advance()
        try await store.engine.update(younger, in: atlas) { $0.content = "The port of the gateway is 7070." }
        #expect(try await consolidate(store.engine) == 1)
        #expect(try await recalled(store.engine) == [younger])
        try await store.engine.expectClean(atlas)
    }

    @Test func `go where the younger memory never was true, and stay where it is no more`() async throws {
        let (store, older, younger, between) = try await told()
        _ = try await consolidate(store.engine)
        store.clock.advance()
        try await store.engine.retract(younger, in: atlas)
        #expect(try await recalled(store.engine).isEmpty)
        let (other, first, second, then) = try await told()
        _ = try await consolidate(other.engine)
        other.clock.advance()
        try await other.engine.retract(second, in: atlas, at: then)
        #expect(try await recalled(other.engine) == [first])
        #expect(older != younger && between == then)
        try await other.engine.expectClean(atlas)
    }

    @Test func `leave what they did not close to those who read it`() async throws {
        let (store, several, _, _) = try await told(
            "The port of the gateway is 8080. Its key lies in the drawer of the desk.")
        var draft = MemoryDraft("The port of the harbour is 8080.")
        draft.isPinned = true
        let pinned = try await store.engine.remember(draft, in: atlas).id
        store.clock.advance()
        try await store.engine.remember("The port of the harbour is 9090.", in: atlas)
        #expect(try await consolidate(store.engine) ?? 0 >= 1)
        let pack = try await store.engine.context(
            for: RecallQuery("Where lies the key of the gateway, and what port has the harbour?", in: atlas),
            tokenBudget: 2_000)
        #expect(Set(pack.citations.map(\.id)).isSuperset(of: [several, pinned]))
    }

    @Test func `go with the younger memory, and what it closed is open again`() async throws {
        let (store, older, younger, _) = try await told()
        _ = try await consolidate(store.engine)
        store.clock.advance()
        try await store.engine.forget(.id(younger), under: atlas)
        #expect(try await recalled(store.engine) == [older])
        #expect(try await store.engine.conclusions(in: atlas, includesTakenBack: true).isEmpty)
        try await store.engine.expectClean(atlas)
        // And where both go, nothing is left.
        let (both, one, other, _) = try await told()
        _ = try await consolidate(both.engine)
        let filter = Filter.ids([one, other])
        try await both.engine.forget(.filter(filter), under: atlas)
        #expect(try await both.engine.stats(in: atlas).memories == 0)
        try await both.engine.expectClean(atlas)
    }

    @Test func `leave messages and pinned memories open, and join them`() async throws {
        for isPinned in [false, true] {
            let (store, older, younger, _) = try await told {
                if isPinned { $0.isPinned = true } else { $0.kind = .message }
            }
            #expect(try await consolidate(store.engine) == 1)
            #expect(try await recalled(store.engine) == [older, younger])
            #expect(try await store.engine.get(older, in: atlas)?.version == 1)
            #expect(
                try await store.engine.edges(of: older, in: atlas, kinds: [.supersedes]).map(\.from) == [
                    younger
                ])
            try await store.engine.takeBackConclusions(of: [.contradictions], in: atlas)
            #expect(try await store.engine.get(older, in: atlas)?.version == 1)
        }
    }

    @Test func `are gone on with after part of them, and with what comes later`() async throws {
        let store = try ScratchStore()
        for place in 0..<600 {
            try await store.engine.remember("The port of gateway \(place) is 8080.", in: atlas)
            store.clock.advance()
            try await store.engine.remember("The port of gateway \(place) is 9090.", in: atlas)
            store.clock.advance()
        }
        await #expect(throws: CancellationError.self) {
            try await store.engine.consolidate(in: atlas, steps: [.contradictions]) { _ in
                throw CancellationError()
            }
        }
        #expect(try await store.engine.conclusions(in: atlas).count == 512)
        #expect(try await consolidate(store.engine) == 88)
        try await store.engine.remember("The port of gateway 7 is 7070.", in: atlas)
        #expect(try await consolidate(store.engine) == 1)
        #expect(try await store.engine.conclusions(in: atlas).count == 601)
        try await store.engine.takeBackConclusions(of: [.contradictions], in: atlas)
        let current = try await store.engine.list(in: atlas, limit: 2_000).memories
        #expect(current.count == 1_201)
    }

    @Test func `leave the newer memory out of recalls of a time before it held, until they are taken back`()
        async throws
    {
        let (store, older, younger, between) = try await told()
        #expect(try await recalled(store.engine, validAt: between) == [older, younger])
        _ = try await consolidate(store.engine)
        #expect(try await recalled(store.engine, validAt: between) == [older])
        store.clock.advance()
        try await store.engine.takeBackConclusions(of: [.contradictions], in: atlas)
        #expect(try await recalled(store.engine, validAt: between) == [older, younger])
        #expect(try await store.engine.get(younger, in: atlas)?.version == 1)
        // What says something else, or has a validity by its caller, is left in.
        let (more, _, both, then) = try await told(
            "The port of the gateway is 8080.",
            "The port of the gateway is 9090. Its key lies in the drawer of the desk.")
        #expect(try await consolidate(more.engine) == 1)
        #expect(try await recalled(more.engine, validAt: then).contains(both))
        try await store.engine.expectClean(atlas)
    }

    @Test func `judge a memory with new words anew, which has the validity that its caller gave it`()
        async throws
    {
        let (store, older, younger, between) = try await told()
        _ = try await consolidate(store.engine)
        store.clock.advance()
        try await store.engine.update(older, in: atlas) { $0.tags = ["kept"] }
        #expect(try await recalled(store.engine) == [younger])
        store.clock.advance()
        try await store.engine.update(older, in: atlas) { $0.content = "The gateway was painted green." }
        #expect(try await store.engine.get(older, in: atlas)?.valid.upperBound == .distantFuture)
        #expect(try await recalled(store.engine) == [older, younger])
        store.clock.advance()
        try await store.engine.update(older, in: atlas) { $0.content = "The port of the gateway is 8080." }
        #expect(try await consolidate(store.engine) == 1)
        #expect(try await recalled(store.engine) == [younger])
        store.clock.advance()
        try await store.engine.update(older, in: atlas) {
            $0.content = "The gateway was painted red."
            $0.valid = Timestamp.distantPast..<between
        }
        #expect(try await recalled(store.engine) == [younger])
        try await store.engine.expectClean(atlas)
    }

    @Test func `are listed and taken back for a session by the memories of that session`() async throws {
        let store = try ScratchStore()
        for session in ["one", "two"] {
            for port in ["8080", "9090"] {
                try await store.engine.remember(
                    "The port of the gateway is \(port).", in: atlas.session(session))
                store.clock.advance()
            }
        }
        #expect(try await consolidate(store.engine) == 2)
        let session = atlas.session("one")
        let own = try await store.engine.conclusions(in: session)
        #expect(own.count == 1)
        #expect(try await store.engine.takeBackConclusions(of: [.contradictions], in: session) == 1)
        #expect(try await store.engine.conclusions(in: session).isEmpty)
        #expect(try await store.engine.conclusions(in: atlas).count == 1)
        #expect(try await store.engine.list(in: atlas).memories.count == 3)
        try await store.engine.expectClean(atlas)
    }

    @Test func `do not end what will be true only later`() async throws {
        let (store, older, younger, _) = try await told()
        let later = store.clock.time.advanced(by: .seconds(3_600))
        try await store.engine.update(younger, in: atlas) { $0.valid = later..<Timestamp.distantFuture }
        _ = try await consolidate(store.engine)
        #expect(try await recalled(store.engine).contains(older))
    }
}
