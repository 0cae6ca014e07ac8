import TestSupport
import Testing

@testable import MemoryEngine
@testable import Store

/// The same memories in one home, and spread over several: those of a session stay together, and so do those of a thread.
private struct Spread {
    static let one = Namespace.project("one")
    static let space = EmbeddingSpace(model: "m", dimension: 8)
    let store: ScratchStore
    let parts: [Namespace]
    /// What the memories are known by in both.
    private(set) var names: [MemoryID: String] = [:]

    /// - Parameter lacksVectors: the first of several has none.
    init(_ random: inout SeededRandom, over count: Int, lacksVectors: Bool = false) async throws {
        store = try ScratchStore()
        parts = (0..<count).map { .project("part-\($0)") }
        let first = try #require(Timestamp("2025-01-02T08:00:00Z"))
        for number in 0..<70 {
            store.clock.advance()
            var draft = MemoryDraft(`Scores of words`.text(&random) + (random.chance(0.3) ? "?" : "."))
            if random.chance(0.3) { draft.content = `Scores of words`.text(&random) + "\n\n" + draft.content }
            if random.chance(0.2) { draft.content += " That was in May 2025." }
            draft.key = "m\(number)"
            draft.actor = random.chance(0.8) ? random.pick(["Ada", "Ada King", "Grace Hopper"]) : nil
            let group = random.below(3 * count)
            draft.thread = random.chance(0.7) ? "t\(group)" : nil
            let happened = first.advanced(by: .seconds(86_400 * random.below(400)))
            draft.happened = happened...happened
            if random.chance(0.85), !lacksVectors || group % count > 0 {
                draft.embeddings = [Embedding(random.vector(8), in: Self.space)]
            }
            let session = random.chance(0.6) ? "s\(group)" : nil
            // What has neither is no neighbor of anything.
            for home in [Self.one, parts[group % count]] {
                let place = session.map { home.session($0) } ?? home
                names[try await store.engine.remember(draft, in: place).id] = draft.key
                guard number > 0, number % 9 == 0, let known = draft.key else { continue }
                try await change(known, number, in: place, &random)
            }
        }
    }

    /// Older versions count for nothing, in one home as in several.
    private func change(
        _ key: String, _ number: Int, in place: Namespace, _ random: inout SeededRandom
    ) async throws {
        guard let id = try await store.engine.get(key: key, in: place)?.id else { return }
        if number % 2 == 0 {
            try await store.engine.retract(id, in: place)
        } else {
            try await store.engine.update(id, in: place) { $0.content += " deploy token" }
        }
    }

    func fold() async throws {
        for home in parts + [Self.one] { try await store.engine.fold(home) }
    }

    /// What a recall gives, by the names of memories.
    func recall(
        _ query: RecallQuery, in homes: [Namespace]
    ) async throws -> (hits: [String: Hit], order: [Double], confidence: Double?) {
        var query = query
        query.namespaces = Dictionary(uniqueKeysWithValues: homes.map { ($0, 1) })
        let recall = try await store.engine.recall(query)
        let named = recall.hits.map { (names[$0.memory.id] ?? "", $0) }
        return (
            Dictionary(named) { first, _ in first }, recall.hits.map(\.score), recall.confidence
        )
    }
}

@Suite struct `Memories spread over homes` {
    private func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 1e-6 }

    private func query(_ random: inout SeededRandom) -> RecallQuery {
        var text = `Scores of words`.text(&random)
        if random.chance(0.3) { text += " dep* wor*" }
        if random.chance(0.5) { text += " said Ada King" }
        if random.chance(0.3) { text += " in May" }
        var query = RecallQuery(text, in: Spread.one)
        query.limit = 100
        query.order = .score
        if random.chance(0.7) { query.embeddings = [Embedding(random.vector(8), in: Spread.space)] }
        if random.chance(0.3) { query.filter = .actor("Ada") }
        return query
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `are found as they are in one home, with the same scores`(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let spread = try await Spread(&random, over: 2 + Int(seed % 4), lacksVectors: seed % 2 == 0)
        var differences = 0
        for isFolded in [false, true] {
            if isFolded { try await spread.fold() }
            for _ in 0..<8 {
                let query = query(&random)
                let one = try await spread.recall(query, in: [Spread.one])
                let several = try await spread.recall(query, in: spread.parts)
                #expect(one.hits.count > 5 || query.filter != nil)
                #expect(Set(one.hits.keys) == Set(several.hits.keys), "\(query.text)")
                for (name, hit) in one.hits {
                    guard let other = several.hits[name] else { continue }
                    for (part, path) in Hit.ScoreParts.names {
                        #expect(
                            isClose(hit.parts[keyPath: path], other.parts[keyPath: path]),
                            "\(part) of \(name), asked \(query.text)")
                    }
                }
                #expect(try isClose(#require(one.confidence), #require(several.confidence)))
                // By what it holds itself, a part of them scores otherwise.
                let alone = try await spread.recall(query, in: [spread.parts[0]])
                differences += alone.hits.count { name, hit in
                    !isClose(hit.score, several.hits[name]?.score ?? hit.score)
                }
            }
        }
        #expect(differences > 10)
    }

    @Test func `have ranks among what was found in all homes`() async throws {
        var random = SeededRandom(seed: 7)
        let spread = try await Spread(&random, over: 3)
        for _ in 0..<8 {
            var query = query(&random)
            query.fusion = .ranks
            query.channels = [.words, .vectors]
            let one = try await spread.recall(query, in: [Spread.one])
            let several = try await spread.recall(query, in: spread.parts)
            // Which of two with one score comes first is a matter of their homes.
            for path in [\Hit.ScoreParts.words, \Hit.ScoreParts.vectors] {
                let (a, b) = (one.hits, several.hits)
                #expect(
                    zip(
                        a.values.map { $0.parts[keyPath: path] }.sorted(),
                        b.values.map { $0.parts[keyPath: path] }.sorted()
                    ).allSatisfy(isClose))
            }
            #expect(one.hits.count == several.hits.count)
        }
    }

    @Test func `are left out where there is no such home, and what is there is found as alone`() async throws
    {
        var random = SeededRandom(seed: 3)
        let spread = try await Spread(&random, over: 2)
        let query = query(&random)
        let one = try await spread.recall(query, in: [Spread.one])
        let besides = try await spread.recall(query, in: [Spread.one, .user("nobody")])
        #expect(one.order == besides.order)
    }

    @Test func `are read again where their home changes between the steps`() async throws {
        var random = SeededRandom(seed: 5)
        let spread = try await Spread(&random, over: 2)
        var query = RecallQuery("deploy token", in: [spread.parts[0]: 1, spread.parts[1]: 1])
        query.limit = 100
        let before = try await spread.store.engine.recall(query)
        let gone = try #require(before.first { $0.memory.namespace.home == spread.parts[0] }).memory
        let changes: [HomeWork.Step] = [.count, .score, .gather]
        for change in changes {
            let new = "The deploy token of \(change) is new"
            var works = spread.parts.map { HomeWork(recall(query, $0, spread.store.clock.time)) }
            var shared = SharedStatistics()
            for step in HomeWork.Step.allCases {
                for index in works.indices {
                    works[index] = try await done(works[index], step, shared, spread)
                }
                shared.add(works, after: step)
                guard step == change else { continue }
                try await spread.store.engine.remember(MemoryDraft(new), in: spread.parts[0])
                try await spread.store.engine.fold(spread.parts[0])
                if change == .gather {
                    _ = try await spread.store.engine.forget(.id(gone.id), under: spread.parts[0])
                }
            }
            let found = works.flatMap { $0.answer?.hits ?? [] }.map(\.memory)
            #expect(found.count >= before.count - 1)
            #expect(found.contains { $0.id == gone.id } == (change != .gather))
            // Ranks were given out by then; of what is new the best take those of what they came before.
            #expect(found.contains { $0.content == new })
        }
    }

    private func recall(_ query: RecallQuery, _ home: Namespace, _ now: Timestamp) -> HomeRecall {
        HomeRecall(
            query: query, words: WordQuery(query.text, Tokenizer()), embeddings: [],
            advisedLexicalWeight: nil, spelledSpace: nil, intent: query.readIntent, home: home, homeWeight: 1,
            sessionWeights: [:], now: now, expiry: now, deadline: nil)
    }

    @inline(never)
    private func done(
        _ work: HomeWork, _ step: HomeWork.Step, _ shared: SharedStatistics, _ spread: Spread
    ) async throws -> HomeWork {
        let engine = spread.store.engine
        return try await engine.withExistingHome(of: work.recall.home) { home in
            let indexes = home.indexes
            return try await engine.read(home) { try work.after(step, shared, indexes, in: $0) }
        }
    }
}
