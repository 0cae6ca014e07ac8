import TestSupport
import Testing

@testable import MemoryEngine

@Suite struct `A context` {
    private let atlas = Namespace.project("atlas")

    private func commit(_ hash: String, _ text: String) -> MemoryDraft {
        var draft = MemoryDraft(text)
        draft.kind = .commit
        draft.key = "git:" + hash
        return draft
    }

    /// A store with notes about a harbour, long and short.
    private func harbour(_ seed: UInt64) async throws -> ScratchStore {
        var random = SeededRandom(seed: seed)
        let store = try ScratchStore()
        let words = ["harbour", "crane", "ship", "pilot", "storm", "cargo", "rope", "tide", "gate", "lamp"]
        var drafts: [MemoryDraft] = []
        for step in 0..<120 {
            store.clock.advance(by: .seconds(3_600))
            var text = "The harbour log, entry \(step)."
            for _ in 0..<1 + random.below(12) {
                text +=
                    " The \(random.pick(words)) met the \(random.pick(words)) at the \(random.pick(words))."
            }
            var draft = MemoryDraft(text)
            draft.actor = random.pick(["Ada", "Grace"])
            draft.happened = store.clock.time...store.clock.time
            drafts.append(draft)
        }
        for result in try await store.engine.remember(drafts, in: atlas) { _ = try result.get() }
        return store
    }

    @Test(arguments: 1...3 as ClosedRange<UInt64>)
    func `fills its budget by nine tenths, and is never over it`(seed: UInt64) async throws {
        let engine = try await harbour(seed).engine
        let counters = [
            TokenCounter.estimate, TokenCounter { $0.utf8.count },
            TokenCounter { $0.split(separator: " ").count },
            // One that counts a whole above the sum of its parts.
            TokenCounter { $0.utf8.count * $0.utf8.count / 1_000 },
        ]
        for counter in counters {
            for budget in [400, 777, 2_000, 3_333] {
                let pack = try await engine.context(
                    for: RecallQuery("What of the harbour crane?", in: atlas), tokenBudget: budget,
                    counter: counter)
                #expect(pack.tokenCount == counter.count(pack.text) && pack.tokenCount <= budget)
                #expect(pack.text == ContextPack.serialized(pack.entries))
                // A budget of a few lines, or one that grows with the square of the text, has steps of over a tenth.
                let isCoarse =
                    counter.count("a") != counter.count("aa") && budget < 2_000 || counter.count("a") == 0
                let all = pack.entries.count == 120
                #expect(
                    all || isCoarse || pack.tokenCount * 10 >= budget * 9, "\(pack.tokenCount) of \(budget)")
                for entry in pack.entries {
                    #expect(try await engine.content(of: entry.citation) == entry.text)
                    #expect(pack.text.contains(entry.citation.description))
                }
                #expect(Set(pack.citations.map(\.id)).count == pack.entries.count)
            }
        }
    }

    @Test(arguments: [60, 70, 110, 130, 150, 200, 250, 300, 350, 400, 500, 600])
    func `of a few lines begins with the best, and is filled by nine tenths where that is not all`(
        budget: Int
    ) async throws {
        for seed in 4...6 as ClosedRange<UInt64> {
            let engine = try await harbour(seed).engine
            let query = RecallQuery("What of the harbour crane?", in: atlas)
            let best = try #require(try await engine.recall(query).first)
            let pack = try await engine.context(for: query, tokenBudget: budget)
            #expect(pack.tokenCount <= budget && pack.citations.map(\.id).first == best.memory.id)
            // A whole first entry is not cut for the sake of a second one.
            if pack.entries.count > 1 || pack.entries.first?.text != best.passage.text {
                #expect(pack.tokenCount * 10 >= budget * 9, "\(pack.tokenCount) of \(budget)")
            }
            for entry in pack.entries { #expect(try await engine.content(of: entry.citation) == entry.text) }
            #expect(Set(pack.citations.map(\.id)).count == pack.entries.count)
        }
    }

    @Test func `tells no cause that is retracted, and of one that is superseded by what`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let outage = try await engine.remember("The outage of the harbour lamp", in: atlas).id
        let cut = try await engine.remember("A cable was cut.", in: atlas).id
        let old = try await engine.remember("Fuses have ten amperes.", in: atlas).id
        for cause in [cut, old] { try await engine.link(outage, to: cause, as: .causedBy, in: atlas) }
        let digger = try await engine.remember("A digger slipped.", in: atlas).id
        try await engine.link(cut, to: digger, as: .causedBy, in: atlas)
        store.clock.advance(by: .seconds(60))
        let before = store.clock.time
        store.clock.advance(by: .seconds(60))
        let new = try await engine.remember("Fuses have twenty amperes.", in: atlas).id
        try await engine.supersede(old, by: new, in: atlas)
        try await engine.retract(cut, in: atlas)
        var query = RecallQuery("Why the outage of the harbour lamp?", in: atlas)
        query.limit = 1
        let pack = try await engine.context(for: query, tokenBudget: 300)
        #expect(pack.intent == .why && !pack.citations.map(\.id).contains(cut))
        #expect(pack.entries.allSatisfy { !($0.note ?? "").contains(cut.description) })
        #expect(pack.leftOut.contains("2 causes that are retracted, or known by one that is"))
        let cause = try #require(pack.entries.first { $0.citation.id == old })
        #expect(cause.note?.hasSuffix("superseded by \(new)") == true)
        query.asOf = before
        let then = try await engine.context(for: query, tokenBudget: 1_000)
        #expect(Set(then.citations.map(\.id)).isSuperset(of: [outage, cut, old]))
        #expect(then.entries.allSatisfy { !($0.note ?? "").contains("superseded") })
    }

    @Test func `cuts between words, and a long word between characters`() throws {
        func entry(_ text: String) -> ContextPack.Entry {
            ContextPack.Entry(
                citation: Citation(
                    namespace: atlas, id: MemoryID(rawValue: 1), version: 1, range: 10..<10 + text.utf8.count),
                text: text, happened: .distantPast..<(.distantPast), actor: nil, kind: .note, score: 0,
                note: nil)
        }
        let ships = entry("two ships  went by")
        for (count, expected) in [
            (18, "two ships  went by"), (17, "two ships  went"), (12, "two ships"), (9, "two ships"),
            (4, "two"),
        ] {
            let part = try #require(ships.words(ofAtMost: count))
            #expect(part.text == expected && part.citation.range == 10..<10 + expected.utf8.count)
        }
        #expect(entry("日本語の文").words(ofAtMost: 7)?.text == "日本")
        #expect(entry("日本語の文").words(ofAtMost: 2) == nil)
    }

    @Test func `of a small budget says what found no place`() async throws {
        let engine = try await harbour(9).engine
        let query = RecallQuery("the harbour", in: atlas)
        let none = try await engine.context(for: query, tokenBudget: 5)
        #expect(none.entries.isEmpty && none.text.isEmpty && none.tokenCount == 0)
        #expect(none.leftOut.contains { $0.contains("no place within 5 tokens") })
        let some = try await engine.context(for: query, tokenBudget: 300)
        #expect(!some.entries.isEmpty && some.leftOut.contains { $0.contains("no place") })
        await #expect(throws: EngineError.self) { try await engine.context(for: query, tokenBudget: 0) }
    }

    @Test func `stands in the order of time where the question asks when`() async throws {
        let engine = try await harbour(4).engine
        let pack = try await engine.context(
            for: RecallQuery("When did the pilot meet the ship?", in: atlas), tokenBudget: 1_500)
        let times = pack.entries.map(\.happened.lowerBound)
        #expect(pack.intent == .when && times.count > 3 && times == times.sorted())
    }

    @Test func `gives causes before what came of them, where the question asks why`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let hashes = ["1234567890abcdef1234567890abcdef12345678", "abcdef1234567890abcdef1234567890abcdef12"]
        let ids = try await engine.remember(
            [
                commit(hashes[0], "Send mail in the background"),
                commit(
                    hashes[1],
                    "Revert \"Send mail in the background\"\n\nThis reverts commit \(hashes[0]).\n"),
                MemoryDraft("The weather was fine."),
                commit(
                    "fedcba9876543210fedcba9876543210fedcba98",
                    "Queue letters on disk\n\nFixes: \(hashes[1].prefix(12)) (\"Revert\")\n"),
            ], in: atlas
        ).map { try $0.get().id }
        let pack = try await engine.context(
            for: RecallQuery("Why do we queue letters on disk?", in: atlas), tokenBudget: 1_000)
        #expect(pack.intent == .why)
        let order = pack.citations.map(\.id)
        #expect(Array(order.prefix(3)) == [ids[0], ids[1], ids[3]])
        #expect(pack.entries[0].note?.contains(ids[1].description) == true)
    }

    @Test func `gives what is newer in the place of what it supersedes`() async throws {
        let store = try ScratchStore()
        let engine = store.engine
        let old = try await engine.remember("The office is in Lisbon, near the harbour.", in: atlas).id
        let middle = try await engine.remember("We moved: Porto is where the desks stand.", in: atlas).id
        let new = try await engine.remember("From May on everyone works in Braga.", in: atlas).id
        try await engine.link(middle, to: old, as: .supersedes, in: atlas)
        try await engine.link(new, to: middle, as: .supersedes, in: atlas)
        let pack = try await engine.context(
            for: RecallQuery("Where is the office near the harbour?", in: atlas), tokenBudget: 500)
        #expect(pack.citations.map(\.id) == [new])
        #expect(pack.leftOut.contains { $0.contains("newer ones supersede") })
        // A circle of given edges ends somewhere.
        try await engine.link(old, to: new, as: .supersedes, in: atlas)
        _ = try await engine.context(
            for: RecallQuery("Where is the office near the harbour?", in: atlas), tokenBudget: 500)
    }

    @Test(arguments: [200, 400, 1_000, 3_000])
    func `answers several questions in one budget, each by its best in turn, and nothing twice`(
        budget: Int
    ) async throws {
        let engine = try await harbour(5).engine
        let questions = [
            "the crane and the rope", "the pilot in the storm", "the crane and the rope of a ship",
        ]
        let queries = questions.map { RecallQuery($0, in: atlas) }
        let pack = try await engine.context(for: queries, tokenBudget: budget)
        #expect(pack.tokenCount == TokenCounter.estimate.count(pack.text) && pack.tokenCount <= budget)
        // A whole first entry is not cut for the sake of a second one.
        #expect(
            pack.entries.count == 1 || pack.tokenCount * 10 >= budget * 9, "\(pack.tokenCount) of \(budget)")
        #expect(Set(pack.citations.map(\.id)).count == pack.entries.count)
        var seen = Set<MemoryID>()
        var best: [MemoryID] = []
        for query in queries {
            let id = try #require(try await engine.recall(query).first?.memory.id)
            if seen.insert(id).inserted { best.append(id) }
        }
        #expect(best.count > 1 && pack.citations.map(\.id).starts(with: best.prefix(pack.entries.count)))
        for entry in pack.entries { #expect(try await engine.content(of: entry.citation) == entry.text) }
        let none: [RecallQuery] = []
        #expect(await refusal { try await engine.context(for: none, tokenBudget: 100) }?.code == .invalid)
        let many = Array(repeating: queries[0], count: Engine.maximumQuestionCount + 1)
        #expect(await refusal { try await engine.context(for: many, tokenBudget: 100) }?.code == .invalid)
    }

    @Test func `gives what says the same once, but not what says another number or the opposite`()
        async throws
    {
        let store = try ScratchStore()
        let engine = store.engine
        let texts = [
            "the harbour crane lifts heavy cargo from the ship every morning before the tide turns",
            "the harbour crane lifts heavy cargo from a ship every morning before the tide turns",
            "the harbour crane lifts heavy cargo from the ship every morning before the tide turns at 7",
            "the harbour crane never lifts heavy cargo from the ship every morning before the tide turns",
        ]
        for text in texts { try await engine.remember(text, in: atlas) }
        let pack = try await engine.context(for: RecallQuery("harbour crane", in: atlas), tokenBudget: 1_000)
        #expect(pack.entries.count == 3 && pack.entries.count { $0.text.hasSuffix("tide turns") } == 2)
        #expect(pack.leftOut.contains("1 memories that say the same as others"))
        // What consolidation folded is told too.
        try await engine.remember(texts[0] + "!", in: atlas)
        try await engine.consolidate(in: atlas, steps: [.duplicates])
        let folded = try await engine.context(
            for: RecallQuery("harbour crane", in: atlas), tokenBudget: 1_000)
        #expect(folded.entries.count == 3)
        #expect(folded.leftOut.contains("2 memories that say the same as others"), "\(folded.leftOut)")
    }

    @Test(arguments: [600, 900, 1_500])
    func `lets the summary of a session stand for what found no place`(budget: Int) async throws {
        var random = SeededRandom(seed: 11)
        let store = try ScratchStore()
        let engine = store.engine
        let words = ["crane", "ship", "pilot", "storm", "cargo", "rope", "tide", "gate", "lamp", "anchor"]
        for session in 0..<4 {
            var drafts: [MemoryDraft] = []
            for step in 0..<25 {
                var draft = MemoryDraft(
                    "The harbour log \(session), entry \(step), has the \(random.pick(words)) and the "
                        + "\(random.pick(words)) by the \(random.pick(words)) at \(random.below(1_000)).")
                draft.kind = .message
                draft.actor = random.pick(["Ada", "Grace"])
                let time = store.clock.time.advanced(by: .seconds(step - 100_000 + session * 10_000))
                draft.happened = time...time
                drafts.append(draft)
            }
            _ = try await engine.remember(drafts, in: atlas.session("log-\(session)"))
        }
        var query = RecallQuery("the harbour log", in: atlas)
        let before = try await engine.context(for: query, tokenBudget: budget)
        #expect(before.entries.allSatisfy { $0.kind != .summary })
        try await engine.consolidate(in: atlas, steps: [.episodes])
        let pack = try await engine.context(for: query, tokenBudget: budget)
        #expect(pack.tokenCount <= budget && pack.tokenCount * 10 >= budget * 9)
        let summaries = pack.entries.filter { $0.kind == .summary }
        #expect((budget < 900 ? 0 : 1)...3 ~= summaries.count)
        #expect(summaries.allSatisfy { $0.note == "summary of 25 memories" })
        #expect(pack.entries.count - summaries.count >= before.entries.count * 3 / 4 - 1)
        #expect(pack.entries.first == before.entries.first)
        for entry in pack.entries { #expect(try await engine.content(of: entry.citation) == entry.text) }
        // A summary may say what a filter leaves out.
        query.filter = .actor("Ada")
        let filtered = try await engine.context(for: query, tokenBudget: budget)
        #expect(!filtered.entries.isEmpty && filtered.entries.allSatisfy { $0.actor == "Ada" })
    }
}
