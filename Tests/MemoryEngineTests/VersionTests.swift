import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `A version` {
    let atlas = Namespace.project("atlas")

    @Test func `is added by an update, and those before stay`() async throws {
        let store = try ScratchStore()
        let id = try await store.engine.remember("The token lasts 30 days.", in: atlas).id
        let first = store.clock.time
        store.clock.advance(by: .seconds(60))
        let second = try await store.engine.update(id, in: atlas) {
            $0.content = "The token lasts 90 days."
            $0.tags = ["token"]
        }
        #expect(second.version == 2)
        let versions = try await store.engine.versions(of: id, in: atlas)
        #expect(versions.map(\.content) == ["The token lasts 30 days.", "The token lasts 90 days."])
        #expect(versions.map(\.isCurrent) == [false, true])
        #expect(versions[0].recorded == first..<store.clock.time)
        #expect(versions[1].recorded == store.clock.time..<Timestamp.distantFuture)
        #expect(try await store.engine.get(id, in: atlas, version: 1) == versions[0])
        #expect(try await store.engine.get(id, in: atlas, version: 3) == nil)
        #expect(try await store.engine.get(id, in: atlas, asOf: first)?.version == 1)
        #expect(try await store.engine.get(id, in: atlas, asOf: first.advanced(by: .seconds(-1))) == nil)
        // Old words are found as of then, and only then.
        #expect(try await store.engine.recall("30", in: atlas).isEmpty)
        var query = RecallQuery("30 days", in: atlas)
        query.asOf = first
        let recall = try await store.engine.recall(query)
        #expect(recall.first?.memory.version == 1 && recall.isRankedWithTodaysStatistics)
        try await store.engine.expectClean(atlas)
    }

    @Test func `has a beginning after the one before, however the clock stands`() async throws {
        let store = try ScratchStore()
        let id = try await store.engine.remember("v1", in: atlas).id
        for number in 2...5 { try await store.engine.update(id, in: atlas) { $0.content = "v\(number)" } }
        store.clock.advance(by: .seconds(-3_600))
        try await store.engine.update(id, in: atlas) { $0.content = "v6" }
        let versions = try await store.engine.versions(of: id, in: atlas)
        for (old, new) in zip(versions, versions.dropFirst()) {
            #expect(old.recorded.upperBound == new.recorded.lowerBound && !old.recorded.isEmpty)
        }
        for version in versions {
            #expect(
                try await store.engine.get(id, in: atlas, asOf: version.recorded.lowerBound)?.version
                    == version.version)
        }
    }

    @Test func `is refused when another one is the newest`() async throws {
        let store = try ScratchStore()
        let id = try await store.engine.remember("one", in: atlas).id
        try await store.engine.update(id, in: atlas, expecting: 1) { $0.content = "two" }
        let error = await refusal {
            try await store.engine.update(id, in: atlas, expecting: 1) { $0.content = "three" }
        }
        #expect(error?.code == .conflict)
        #expect(try await store.engine.get(id, in: atlas)?.content == "two")
    }

    @Test func `comes from each of many concurrent updates`() async throws {
        let store = try ScratchStore()
        let id = try await store.engine.remember("0", in: atlas).id
        let engine = store.engine
        let atlas = atlas
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    _ = try? await engine.update(id, in: atlas) { $0.content = String(Int($0.content)! + 1) }
                }
            }
        }
        let memory = try #require(try await engine.get(id, in: atlas))
        #expect(memory.content == String(memory.version - 1) && memory.version > 1)
        try await engine.expectClean(atlas)
    }

    @Test func `answers for every pair of the two clocks`() async throws {
        let store = try ScratchStore()
        // Told on day 10: she lived in Rome from day 0 to 20. Corrected on day 30: from day 0 to 15, then in Oslo.
        let start = Timestamp("2026-01-01")!
        @Sendable func day(_ number: Int) -> Timestamp { start.advanced(by: .seconds(86_400 * number)) }
        store.clock.advance(by: .seconds((day(10).microseconds - store.clock.time.microseconds) / 1_000_000))
        var rome = MemoryDraft("Ada lives in Rome")
        rome.valid = day(0)..<day(20)
        let id = try await store.engine.remember(rome, in: atlas).id
        store.clock.advance(by: .seconds(86_400 * 20))
        try await store.engine.update(id, in: atlas) { $0.valid = day(0)..<day(15) }
        var oslo = MemoryDraft("Ada lives in Oslo")
        oslo.valid = day(15)..<day(1_000)
        try await store.engine.remember(oslo, in: atlas)
        for isFolded in [false, true] {
            if isFolded { try await store.engine.fold(atlas) }
            for asOf in [5, 12, 29, 31, nil] as [Int?] {
                for validAt in [-1, 3, 14, 15, 19, 20, 40] {
                    let knows = asOf ?? 100
                    var expected: Set<String> = []
                    if (10..<30).contains(knows), (0..<20).contains(validAt) {
                        expected.insert("Ada lives in Rome")
                    }
                    if knows >= 30, (0..<15).contains(validAt) { expected.insert("Ada lives in Rome") }
                    if knows >= 30, (15..<1_000).contains(validAt) { expected.insert("Ada lives in Oslo") }
                    var query = RecallQuery("Where does Ada live?", in: atlas)
                    query.asOf = asOf.map(day)
                    query.validAt = day(validAt)
                    let found = Set(try await store.engine.recall(query).map(\.memory.content))
                    #expect(found == expected, "as of \(asOf ?? -1), valid at \(validAt)")
                    let memory = try await store.engine.get(
                        id, in: atlas, asOf: asOf.map(day), validAt: day(validAt))
                    #expect((memory != nil) == expected.contains("Ada lives in Rome"))
                }
            }
        }
        try await store.engine.expectClean(atlas)
    }

    @Test func `is closed by a retraction, and nothing closes it twice`() async throws {
        let store = try ScratchStore()
        let id = try await store.engine.remember("The moon is made of cheese", in: atlas).id
        let told = store.clock.time
        store.clock.advance()
        try await store.engine.retract(id, in: atlas)
        #expect(try await store.engine.recall("cheese", in: atlas).isEmpty)
        #expect(try await store.engine.list(in: atlas).memories.isEmpty)
        let memory = try #require(try await store.engine.get(id, in: atlas))
        #expect(!memory.isCurrent && memory.version == 2 && memory.valid.upperBound == store.clock.time)
        var query = RecallQuery("cheese", in: atlas)
        query.asOf = told
        #expect(try await store.engine.recall(query).count == 1)
        #expect(await refusal { try await store.engine.retract(id, in: atlas) }?.code == .conflict)
        try await store.engine.expectClean(atlas)
        // An update after it makes it current again, with the validity that the update gives.
        try await store.engine.update(id, in: atlas) { $0.valid = nil }
        #expect(try await store.engine.recall("cheese", in: atlas).count == 1)
        try await store.engine.expectClean(atlas)
    }

    @Test func `of a retracted memory stays untrue, unless it says when it is true`() async throws {
        let store = try ScratchStore()
        let id = try await store.engine.remember("The token lasts 30 days.", in: atlas).id
        store.clock.advance()
        try await store.engine.retract(id, in: atlas)
        store.clock.advance()
        try await store.engine.update(id, in: atlas) { $0.content = "It lasts 90 days." }
        #expect(try await store.engine.recall("90 days", in: atlas).isEmpty)
        try await store.engine.update(id, in: atlas) { $0.valid = nil }
        #expect(try await store.engine.recall("90 days", in: atlas).first?.memory.id == id)
        try await store.engine.expectClean(atlas)
    }

    @Test func `is superseded by another memory, with an edge that goes when either is forgotten`()
        async throws
    {
        let store = try ScratchStore()
        let old = try await store.engine.remember("Port 80", in: atlas).id
        let new = try await store.engine.remember("Port 443", in: atlas).id
        store.clock.advance()
        try await store.engine.supersede(old, by: new, in: atlas)
        #expect(try await store.engine.recall("port", in: atlas).map(\.memory.id) == [new])
        #expect(try await store.engine.stats(in: atlas).tables["edge"]?.entries == 4)
        #expect(await refusal { try await store.engine.supersede(new, by: new, in: atlas) }?.code == .invalid)
        #expect(
            await refusal { try await store.engine.supersede(old, by: new, in: atlas) }?.code == .conflict)
        #expect(
            await refusal { try await store.engine.supersede(new, by: MemoryID(rawValue: 9), in: atlas) }?
                .code
                == .notFound)
        #expect(
            await refusal { try await store.engine.supersede(new, by: old, in: atlas) }?.code == .conflict)
        #expect(try await store.engine.get(new, in: atlas)?.isCurrent == true)
        try await store.engine.expectClean(atlas)
        try await store.engine.forget(.id(new), under: atlas)
        #expect(try await store.engine.stats(in: atlas).tables["edge"]?.entries == 0)
        try await store.engine.expectClean(atlas)
    }

    @Test func `can be announced to end, which can be drawn earlier`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let id = try await engine.remember("The trial is free", in: atlas).id
        func at(_ seconds: Int) -> Timestamp {
            Timestamp("2026-03-01T12:00:00Z")!.advanced(by: .seconds(seconds))
        }
        try await engine.retract(id, in: atlas, at: at(100))
        var memory = try #require(try await engine.get(id, in: atlas))
        #expect(memory.isCurrent && memory.valid.upperBound == at(100))
        #expect(try await engine.recall("trial", in: atlas).count == 1)
        try await engine.retract(id, in: atlas, at: at(50))
        memory = try #require(try await engine.get(id, in: atlas))
        #expect(memory.version == 3 && memory.isCurrent && memory.valid.upperBound == at(50))
        #expect(await refusal { try await engine.retract(id, in: atlas, at: at(80)) }?.code == .conflict)
        let successor = try await engine.remember("The month costs a coin", in: atlas).id
        try await engine.supersede(id, by: successor, in: atlas, at: at(40))
        try await engine.supersede(id, by: successor, in: atlas, at: at(30))
        #expect(try await engine.stats(in: atlas).tables["edge"]?.entries == 4)
        store.clock.advance(by: .seconds(29))
        #expect(try await engine.recall("trial", in: atlas).count == 1)
        store.clock.advance(by: .seconds(1))
        #expect(try await engine.recall("trial", in: atlas).isEmpty)
        try await engine.expectClean(atlas)
        // Now it is over, and that can be said.
        try await engine.retract(id, in: atlas)
        memory = try #require(try await engine.get(id, in: atlas))
        #expect(!memory.isCurrent && memory.valid.upperBound == at(30))
        #expect(await refusal { try await engine.retract(id, in: atlas) }?.code == .conflict)
        var kinds: [Change.Kind] = []
        for try await change in engine.changes(in: atlas, upToNow: true) where change.id == id {
            kinds.append(change.kind)
        }
        #expect(kinds == [.remembered, .updated, .updated, .updated, .updated, .retracted])
        try await engine.expectClean(atlas)
    }

    @Test func `cannot end before it begins to be true`() async throws {
        let store = try ScratchStore()
        var draft: MemoryDraft = "A plan"
        draft.valid = store.clock.time..<store.clock.time.advanced(by: .seconds(100))
        let id = try await store.engine.remember(draft, in: atlas).id
        let before = store.clock.time.advanced(by: .seconds(-1))
        #expect(await refusal { try await store.engine.retract(id, in: atlas, at: before) }?.code == .invalid)
        // At the very beginning it never was.
        try await store.engine.retract(id, in: atlas, at: store.clock.time)
        #expect(try await store.engine.get(id, in: atlas)?.valid.isEmpty == true)
        try await store.engine.expectClean(atlas)
    }
}

@Suite struct `Promoting a memory` {
    let atlas = Namespace.project("atlas")

    @Test func `moves it from a session to its home, with its key`() async throws {
        let store = try ScratchStore()
        var draft: MemoryDraft = "The cache is stale"
        draft.key = "cache"
        let id = try await store.engine.remember(draft, in: atlas.session("s")).id
        let promoted = try await store.engine.promote(id, from: atlas.session("s"), to: atlas)
        #expect(promoted.id == id && promoted.version == 2)
        #expect(try await store.engine.get(id, in: atlas.session("s")) == nil)
        #expect(try await store.engine.list(in: atlas.session("s")).memories.isEmpty)
        #expect(try await store.engine.get(id, in: atlas)?.namespace == atlas)
        #expect(try await store.engine.get(key: "cache", in: atlas)?.id == id)
        #expect(try await store.engine.get(key: "cache", in: atlas.session("s")) == nil)
        #expect(try await store.engine.remember(draft, in: atlas).isNew == false)
        try await store.engine.expectClean(atlas)
        var changes: [Change.Kind] = []
        for try await change in store.engine.changes(in: atlas, upToNow: true) { changes.append(change.kind) }
        #expect(changes == [.remembered, .promoted])
    }

    @Test func `is refused where the key belongs to another memory`() async throws {
        let store = try ScratchStore()
        var draft: MemoryDraft = "in the session"
        draft.key = "k"
        let id = try await store.engine.remember(draft, in: atlas.session("s")).id
        draft.content = "in the home"
        try await store.engine.remember(draft, in: atlas)
        let error = await refusal { try await store.engine.promote(id, from: atlas.session("s"), to: atlas) }
        #expect(error?.code == .conflict)
        #expect(try await store.engine.get(key: "k", in: atlas.session("s"))?.content == "in the session")
        try await store.engine.expectClean(atlas)
    }

    @Test func `keeps all that is known of it, and an edge to where it is from`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let space = EmbeddingSpace(model: "m", dimension: 3)
        let session = Namespace.user("ada").session("s1")
        let happened = store.clock.time.advanced(by: .seconds(-86_400))
        var draft: MemoryDraft = "The engine weaves patterns"
        draft.actor = "Ada Lovelace"
        draft.happened = happened...happened
        draft.valid = happened..<store.clock.time.advanced(by: .seconds(86_400))
        draft.tags = ["engine"]
        draft.embeddings = [Embedding([1, 2, 3], in: space)]
        let pattern = Array("a pattern".utf8)
        draft.attachments = [
            MemoryEngine.Attachment(
                name: "pattern.txt", mediaType: "text/plain", digest: SHA256.digest(of: pattern),
                byteCount: UInt64(pattern.count), address: nil, data: pattern)
        ]
        let id = try await engine.remember(draft, in: session).id
        store.clock.advance()
        for _ in 0..<2 { try await engine.promote(id, from: session, to: atlas) }
        let original = try #require(try await engine.get(id, in: session))
        let copy = try #require(try await engine.get(id, in: atlas))
        #expect(copy.actor == original.actor && copy.tags == original.tags)
        #expect(copy.happened == original.happened && copy.valid == original.valid)
        #expect(copy.origin.principal == original.origin.principal)
        #expect(copy.origin.source == "\(session)/\(id)@1")
        #expect(try await engine.embeddings(of: id, in: atlas).map(\.vector) == [[1, 2, 3]])
        let digest = try #require(copy.attachments.first).digest
        #expect(try await engine.attachment(digest, in: atlas) == pattern)
        let edges = try await engine.edges(of: id, in: atlas, direction: .out, kinds: [.derivedFrom])
        #expect(edges.map(\.to) == [id] && edges.map(\.toHome) == [.user("ada")])
        // What was taken back is not made again.
        try await engine.unlink(try #require(edges.first?.id), in: atlas)
        try await engine.promote(id, from: session, to: atlas)
        #expect(try await engine.edges(of: id, in: atlas, kinds: [.derivedFrom]).isEmpty)
        try await engine.expectClean(atlas)
        // Within its home it moves: its versions tell where it was.
        try await engine.promote(id, from: session, to: .user("ada"))
        #expect(
            try await engine.versions(of: id, in: .user("ada")).map(\.namespace) == [session, .user("ada")])
    }

    @Test func `is true until another takes its place, and that one from then on`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let old = try await engine.remember("The password of the lamp is tulip.", in: atlas).id
        let new = try await engine.remember("The password of the lamp is daffodil.", in: atlas).id
        store.clock.advance(by: .seconds(60))
        let moment = store.clock.time
        store.clock.advance(by: .seconds(60))
        try await engine.supersede(old, by: new, in: atlas, at: moment)
        var query = RecallQuery("password of the lamp", in: atlas)
        for (time, wanted) in [(moment.advanced(by: .seconds(-1)), old), (moment, new)] {
            query.validAt = time
            #expect(try await engine.recall(query).map(\.memory.id) == [wanted])
            let pack = try await engine.context(for: query, tokenBudget: 500)
            #expect(pack.citations.map(\.id) == [wanted] && pack.leftOut.isEmpty, "\(pack.leftOut)")
        }
        // Who says when a memory is true is believed.
        try await engine.update(new, in: atlas) {
            $0.valid = store.clock.time.advanced(by: .seconds(-86_400))..<(.distantFuture)
        }
        query.validAt = moment.advanced(by: .seconds(-1))
        #expect(Set(try await engine.recall(query).map(\.memory.id)) == [old, new])
        try await engine.expectClean(atlas)
    }

    @Test func `is followed at once where the end that was planned is moved`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let old = try await engine.remember("The lamp is red.", in: atlas).id
        let new = try await engine.remember("The lamp is green.", in: atlas).id
        let moments = [60, 30].map { store.clock.time.advanced(by: .seconds($0)) }
        for moment in moments { try await engine.supersede(old, by: new, in: atlas, at: moment) }
        var query = RecallQuery("lamp", in: atlas)
        for (second, wanted) in [(29, old), (31, new), (61, new)] {
            query.validAt = store.clock.time.advanced(by: .seconds(second))
            #expect(try await engine.recall(query).map(\.memory.id) == [wanted])
        }
        try await engine.expectClean(atlas)
    }

    @Test func `copies it from one home to another, with its id and vectors`() async throws {
        let store = try ScratchStore()
        let space = EmbeddingSpace(model: "m", dimension: 3)
        var draft: MemoryDraft = "A rule worth keeping"
        draft.embeddings = [Embedding([1, 2, 3], in: space)]
        let id = try await store.engine.remember(draft, in: .user("u")).id
        let promoted = try await store.engine.promote(id, from: .user("u"), to: atlas)
        #expect(promoted.id == id && promoted.version == 1)
        let copy = try #require(try await store.engine.get(id, in: atlas))
        #expect(copy.origin.source == "user/u/\(id)@1")
        #expect(try await store.engine.embeddings(of: id, in: atlas).map(\.vector) == [[1, 2, 3]])
        #expect(try await store.engine.get(id, in: .user("u")) != nil)
        #expect(
            await refusal { try await store.engine.promote(id, from: atlas, to: atlas) }?.code == .invalid)
        #expect(
            await refusal { try await store.engine.promote(id, from: atlas, to: .collective) }?.code
                == .forbidden)
        #expect(
            await refusal { try await store.engine.promote(id, from: atlas, to: atlas.session("s")) }?.code
                == .invalid)
    }
}
