// A test may stop where a value that it made is missing.
// swift-format-ignore-file: NeverForceUnwrap

import TestSupport
import Testing

@testable import MemoryEngine

/// Times as questions and memories name them, with the intervals that they stand for.
private struct Phrase {
    var text: String
    var intervals: [Range<Timestamp>]

    init(_ text: String, _ intervals: (String, String)...) {
        self.text = text
        self.intervals = intervals.map { Timestamp($0.0)!..<Timestamp($0.1)! }
    }

    /// Asked on Sunday, 1 March 2026, of a home whose first memory is of January 2025.
    static let asked = [
        Phrase("on 7 May 2025", ("2025-05-07", "2025-05-08")),
        Phrase("in May 2025", ("2025-05-01", "2025-06-01")), Phrase("in 2025", ("2025-01-01", "2026-01-01")),
        Phrase("in April", ("2025-04-01", "2025-05-01")), Phrase("last year", ("2025-01-01", "2026-01-01")),
        Phrase("in January", ("2025-01-01", "2025-02-01"), ("2026-01-01", "2026-02-01")),
        Phrase(
            "on 3 April 2025 or on 5 April 2025", ("2025-04-03", "2025-04-04"), ("2025-04-05", "2025-04-06")),
    ]
    static let said = [
        Phrase("on 9 May 2025", ("2025-05-09", "2025-05-10")),
        Phrase("in June 2025", ("2025-06-01", "2025-07-01")), Phrase("in 2025", ("2025-01-01", "2026-01-01")),
        Phrase("on 4 April 2025 and in 2025", ("2025-04-04", "2025-04-05"), ("2025-01-01", "2026-01-01")),
    ]
}

/// A home of short conversations, and questions to it.
private struct Conversations {
    static let home = Namespace.project("atlas")
    static let space = EmbeddingSpace(model: "m", dimension: 8)
    static let actors = ["Ada", "Cleo Park", "Zeno"]

    let store: ScratchStore
    var links: [SlowRecall.Link] = []
    var events: [MemoryID: [Range<Timestamp>]] = [:]

    init(_ random: inout SeededRandom) async throws {
        store = try ScratchStore()
        let first = Timestamp("2025-01-02T08:00:00Z")!
        var ids: [MemoryID] = []
        for number in 0..<70 {
            store.clock.advance()
            var text = `Scores of words`.text(&random)
            let said = random.chance(0.3) ? random.pick(Phrase.said) : nil
            if let said { text += ", \(said.text)" }
            var draft = MemoryDraft(text + (random.chance(0.3) ? "?" : "."))
            draft.thread = random.chance(0.8) ? "t\(random.below(5))" : nil
            draft.kind = random.pick([.commit, .fact] + [MemoryKind](repeating: .message, count: 14))
            draft.actor = random.chance(0.8) ? random.pick(Self.actors) : nil
            let day = first.advanced(by: .seconds(86_400 * random.below(400)))
            if number == 0 || random.chance(0.9) {
                let happened = number == 0 ? first : day
                draft.happened = happened...happened.advanced(by: .seconds(random.below(3) * 86_400))
            }
            if random.chance(0.85) { draft.embeddings = [Embedding(random.vector(8), in: Self.space)] }
            let place = random.chance(0.6) ? Self.home.session("s\(random.below(4))") : Self.home
            let id = try await store.engine.remember(draft, in: place).id
            ids.append(id)
            events[id] = said?.intervals
        }
        for _ in 0..<12 {
            let (from, to) = (random.pick(ids), random.pick(ids))
            guard from != to, !links.contains(where: { Set([$0.from, $0.to]) == [from, to] }) else {
                continue
            }
            let weight = Float(1 + random.below(4)) / 4
            let kind: EdgeKind = random.pick([.causedBy, .refersTo, .fixes, .supersedes])
            try await store.engine.link(from, to: to, as: kind, in: Self.home, weight: weight)
            // What took the place of what is no cause.
            if kind != .supersedes {
                links.append(SlowRecall.Link(from: from, to: to, kind: kind, weight: Double(weight)))
            }
        }
        // Not the first: from its time on a month without a year is that of each year.
        for id in ids[1...6] { try await store.engine.retract(id, in: Self.home) }
    }

    func question(_ random: inout SeededRandom) -> SlowRecall.Question {
        var question = SlowRecall.Question(text: `Scores of words`.text(&random))
        if random.chance(0.5) {
            question.actors = Array(Self.actors.shuffled(using: &random).prefix(1 + random.below(2)))
            question.text += " with " + question.actors.joined(separator: " and ")
        }
        if random.chance(0.5) {
            let phrase = random.pick(Phrase.asked)
            question.text += " " + phrase.text
            question.intervals = phrase.intervals
        }
        if random.chance(0.8) { question.vector = Embedding(random.vector(8), in: Self.space) }
        question.lexicalWeight = Double(random.below(11)) / 10
        for (_, path) in RecallWeights.names where random.chance(0.3) {
            question.weights[keyPath: path] = Double(random.below(9)) / 4
        }
        if random.chance(0.5) { question.weights.causes = 0.6 }
        if random.chance(0.3) { question.sessionWeights = ["s1": 2, "s2": 0.5] }
        if random.chance(0.3) { question.homeWeight = question.sessionWeights.isEmpty ? 0.5 : nil }
        // Of facts there are so few that the vectors of others are not compared at first.
        if random.chance(0.4) { question.kind = random.pick([.message, .fact]) }
        return question
    }

    static func query(_ question: SlowRecall.Question, limit: Int) -> RecallQuery {
        var namespaces: [Namespace: Double] = [:]
        if let weight = question.homeWeight { namespaces[home] = weight }
        for (session, weight) in question.sessionWeights { namespaces[home.session(session)] = weight }
        var query = RecallQuery(question.text, in: namespaces)
        query.limit = limit
        query.lexicalWeight = question.lexicalWeight
        query.weights = question.weights
        query.order = .score
        query.filter = question.kind.map { .kind($0) }
        query.embeddings = question.vector.map { [$0] } ?? []
        return query
    }
}

extension `A recall` {
    /// Whether two numbers are the same but for the rounding of 32-bit scores.
    private func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 1e-3 * max(1, abs(b)) }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `gives what its rules give when each is worked out over all memories, part by part`(
        seed: UInt64
    ) async throws {
        var random = SeededRandom(seed: seed)
        let conversations = try await Conversations(&random)
        let engine = conversations.store.engine
        var vouched = Hit.ScoreParts()
        for isFolded in [false, true] {
            if isFolded { try await engine.fold(Conversations.home) }
            let slow = try await SlowRecall(
                conversations.store, Conversations.home, conversations.links, conversations.events)
            for _ in 0..<10 {
                let question = conversations.question(&random)
                let expected = slow.hits(question)
                let recall = try await engine.recall(Conversations.query(question, limit: 1_000))
                #expect(recall.count == expected.count, "\(question.text)")
                let byID = Dictionary(uniqueKeysWithValues: expected.map { ($0.memory.id, $0) })
                for (hit, slow) in zip(recall, expected) { #expect(isClose(hit.score, slow.parts.sum)) }
                for hit in recall {
                    let slow = try #require(byID[hit.memory.id], "\(question.text)")
                    for (name, path) in Hit.ScoreParts.names {
                        #expect(
                            isClose(hit.parts[keyPath: path], slow.parts[keyPath: path]),
                            "\(name) of \(hit.memory.content) for \(question.text)")
                        vouched[keyPath: path] += abs(slow.parts[keyPath: path])
                    }
                    #expect(abs(hit.parts.sum - hit.score) < 1e-6)
                    expectPath(hit, slow, question.weights)
                }
                // Fewer hits are the first ones of more.
                let few = try await engine.recall(Conversations.query(question, limit: 5))
                #expect(few.map(\.memory.id) == recall.prefix(5).map(\.memory.id))
                #expect(zip(few, recall).allSatisfy { isClose($0.score, $1.score) })
            }
        }
        // Each rule was tried.
        for (name, path) in Hit.ScoreParts.names { #expect(vouched[keyPath: path] > 0, "\(name)") }
    }

    private func expectPath(_ hit: Hit, _ slow: SlowRecall.Result, _ weights: RecallWeights) {
        #expect(abs(hit.path.reduce(0) { $0 + $1.adds } - hit.score) < 1e-6)
        for step in hit.path {
            switch step.reason {
            case .words: #expect(isClose(step.adds, slow.parts.words))
            case .vectors: #expect(isClose(step.adds, slow.parts.vectors))
            case .edge(.repliesTo, let direction, let id):
                #expect(direction == .out && id == slow.previous)
            case .edge(.next, .into, let id): #expect(id == slow.previous)
            case .edge(.next, _, let id): #expect(id == slow.next)
            case .edge(_, _, let id): #expect(slow.anchors.contains(id))
            case .session: #expect(isClose(step.adds, slow.parts.session))
            case .actor(let name): #expect(name == hit.memory.actor)
            case .calendar(let time): #expect(time.overlaps(hit.memory.happened))
            case .event: #expect(isClose(step.adds, slow.parts.event))
            }
        }
    }
}
