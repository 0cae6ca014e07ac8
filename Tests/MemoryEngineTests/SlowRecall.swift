// A test may stop where a value that it made is missing.
// swift-format-ignore-file: NeverForceUnwrap

import Foundation
import Testing

@testable import MemoryEngine

/// A recall over all memories of a home, worked out slowly from what the home exports: the rules of `RecallWeights` one after
/// another, each over every memory. Memories have one passage and one version here.
struct SlowRecall {
    /// What the test knows of the question beside its words, because it made it.
    struct Question {
        var text: String
        var vector: Embedding?
        var lexicalWeight = 0.35
        var weights = RecallWeights()
        /// Who is named.
        var actors: [String] = []
        var intervals: [Range<Timestamp>] = []
        /// What each namespace counts: the home, and sessions by name.
        var homeWeight: Double? = 1
        var sessionWeights: [String: Double] = [:]
        var kind: MemoryKind?
    }

    struct Link {
        var from: MemoryID
        var to: MemoryID
        var kind: EdgeKind
        var weight: Double
    }

    struct Result {
        var memory: Memory
        var parts: Hit.ScoreParts
        var previous: MemoryID?
        var next: MemoryID?
        var anchors: Set<MemoryID> = []
    }

    let memories: [Memory]
    let vectors: [[Float]?]
    let documents: [SlowWordScores.Document]
    let links: [Link]
    /// The times that each memory's words name, as the test put them there.
    let events: [MemoryID: [Range<Timestamp>]]

    init(
        _ store: ScratchStore, _ home: Namespace, _ links: [Link], _ events: [MemoryID: [Range<Timestamp>]]
    )
        async throws
    {
        let versions = try await store.engine.exported(home).flatMap(\.versions)
        documents = try await `Scores of words`.documents(store, in: home)
        #expect(versions.count == documents.count)
        memories = versions.map(\.memory)
        vectors = versions.map { $0.embeddings.first?.vector }
        self.links = links
        self.events = events
    }

    func hits(_ question: Question) -> [Result] {
        let own = own(question)
        var weights = question.weights
        let size = Double(max(10, documents.count { $0.isCurrent }))
        for path in [\RecallWeights.actor, \.calendar, \.event, \.dated] {
            weights[keyPath: path] *= (log(size) / log(600)).squareRoot()
        }
        func isVisible(_ index: Int) -> Bool { memories[index].isCurrent && weight(index, question) != nil }
        let visible = memories.indices.filter(isVisible)
        let eligible = Set(visible.filter { question.kind == nil || memories[$0].kind == question.kind })
        func neighbor(_ index: Int, _ step: Int) -> Int? {
            let memory = memories[index]
            guard memory.kind != .commit, let series = Self.series(memory) else { return nil }
            return visible.first {
                Self.series(memories[$0]) == series && Int(memories[$0].turn!) == Int(memory.turn!) + step
                    && (memories[$0].namespace.session ?? memory.namespace.session)
                        == (memory.namespace.session ?? memories[$0].namespace.session)
            }
        }

        // Candidates.
        let found = eligible.filter { own[$0].isMatch }
        var candidates = found
        for index in found {
            for step in [-1, 1] {
                if let other = neighbor(index, step), eligible.contains(other) { candidates.insert(other) }
            }
        }
        func happened(_ index: Int) -> Range<Timestamp>? {
            question.intervals.first { $0.overlaps(memories[index].happened) }
        }
        candidates.formUnion(eligible.filter { happened($0) != nil })
        let anchors = found.sorted { (-own[$0].score, $0) < (-own[$1].score, $1) }
            .prefix(20).filter { own[$0].score > 0 }
        var causes: [Int: (value: Double, anchors: Set<MemoryID>)] = [:]
        for anchor in anchors {
            for link in links {
                let id = memories[anchor].id
                let share =
                    link.kind == .refersTo && link.from == id
                    ? max(weights.causes, weights.references) : weights.causes
                guard link.from == id || link.to == id, share > 0 else { continue }
                let other = memories.firstIndex { $0.id == (link.from == id ? link.to : link.from) }!
                guard eligible.contains(other) else { continue }
                candidates.insert(other)
                let value = share * link.weight * own[anchor].score
                if value > causes[other]?.value ?? 0 { causes[other] = (value, [id]) }
            }
        }

        // Groups.
        func group(_ index: Int) -> String {
            if memories[index].kind == .commit { return "\(index)" }
            return memories[index].namespace.session.map { "s" + $0 } ?? memories[index].thread.map {
                "t" + $0
            }
                ?? "\(index)"
        }
        let groups = Dictionary(grouping: candidates, by: group)
        let actors = question.actors.filter { name in visible.contains { memories[$0].actor == name } }

        var results: [Result] = []
        for index in candidates {
            var parts = Hit.ScoreParts()
            parts.words = own[index].words
            parts.vectors = own[index].vectors
            let (previous, next) = (neighbor(index, -1), neighbor(index, 1))
            if let previous {
                let asks = memories[previous].content.contains("?")
                parts.context += (asks ? weights.reply : weights.previous) * own[previous].score
            }
            if let next { parts.context += weights.next * own[next].score }
            let peers = groups[group(index)]!
            let best =
                2 * peers.count <= candidates.count ? peers.map { own[$0].score }.max()! : own[index].score
            parts.session = weights.session * best
            if let actor = memories[index].actor, actors.contains(actor) { parts.actor = weights.actor }
            if happened(index) != nil { parts.calendar = weights.calendar }
            for event in events[memories[index].id] ?? [] {
                var part = weights.dated
                if question.intervals.contains(where: { $0.overlaps(event) }) {
                    let days =
                        (event.upperBound.microseconds - event.lowerBound.microseconds) / 86_400_000_000
                    part += weights.event * (days > 31 ? 0.5 : 1)
                }
                parts.event = max(parts.event, part)
            }
            parts.causes = (causes[index]?.value ?? 0)
            guard own[index].isMatch || parts.context > 0 || parts.calendar > 0 || parts.causes > 0 else {
                continue
            }
            let weight = weight(index, question)!
            parts.scale(by: parts.sum >= 0 ? weight : 1 / weight)
            results.append(
                Result(
                    memory: memories[index], parts: parts, previous: previous.map { memories[$0].id },
                    next: next.map { memories[$0].id }, anchors: causes[index]?.anchors ?? []))
        }
        return results.sorted { $0.parts.sum > $1.parts.sum }
    }

    private static func series(_ memory: Memory) -> String? { memory.thread ?? memory.namespace.session }

    private func weight(_ index: Int, _ question: Question) -> Double? {
        let session = memories[index].namespace.session.flatMap { question.sessionWeights[$0] }
        guard let home = question.homeWeight else { return session }
        return max(home, session ?? 0)
    }

    private struct Own {
        var words = 0.0
        var vectors = 0.0
        var isMatch = false
        var score: Double { words + vectors }
    }

    private func own(_ question: Question) -> [Own] {
        let words = SlowWordScores(question.text, documents, titleWeight: question.weights.titles)
        let hasWords = !WordQuery(question.text, Tokenizer()).isEmpty
        let wordShare = !hasWords ? 0 : question.vector == nil ? 1 : question.lexicalWeight
        var own = memories.indices.map { index in
            Own(
                words: hasWords
                    ? wordShare
                        * (words.scores[index] + words.titles[index] - words.mean - words.titleMean)
                        / words.deviation : 0,
                isMatch: words.scores[index] > 0)
        }
        guard let vector = question.vector else { return own }
        let scores = vectors.map { $0.map { Vectors.score(vector.vector, $0, .cosine) } }
        let current = zip(memories, scores).compactMap { $0.isCurrent ? $1 : nil }
        let mean = current.reduce(0, +) / Double(current.count)
        let deviation =
            (current.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(current.count)).squareRoot()
        for (index, score) in scores.enumerated() {
            guard let score else { continue }
            own[index].vectors = (hasWords ? 1 - question.lexicalWeight : 1) * (score - mean) / deviation
            own[index].isMatch = true
        }
        return own
    }
}
