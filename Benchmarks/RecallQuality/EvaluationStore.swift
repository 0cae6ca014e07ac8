import ArgumentParser
import Foundation
import MemoryEngine
import Store

/// A home for each conversation, or some for all of them.
struct EvaluationStore {
    let engine: Engine

    /// What a home is.
    enum Scope: String, ExpressibleByArgument, CaseIterable {
        case conversation, all
    }

    /// What a question found: the ids of turns, the best first.
    struct Answer {
        var ids: [String]
        var intent: String
        var milliseconds: Double
    }

    /// Where the turns of all conversations lie.
    struct Spread {
        /// Over so many homes.
        var count = 1
        /// Each session of a conversation into the next home, not each conversation.
        var bySession = false
    }

    private let scope: Scope
    private let spread: Spread
    /// The homes of all, by what is spread.
    private let places = Mutex<[String: Int]>([:])
    private let space: EmbeddingSpace
    private let embedder: (any Embedder)?
    /// The memories of turns, by conversation and id.
    private let memories = Mutex<[String: MemoryID]>([:])

    /// - Parameter embedder: instead of the vectors of the data.
    init(
        path: String, scope: Scope = .conversation, spread: Spread = Spread(), space: EmbeddingSpace,
        embedder: (any Embedder)? = nil
    ) throws {
        self.scope = scope
        self.spread = spread
        self.space = space
        self.embedder = embedder
        var options = Engine.Options()
        options.durability = .none
        // One passage for each turn, so that it may bring its own vector.
        options.passageByteCount = 1 << 16
        engine = try Engine.open(at: path, embedder: embedder, options: options)
    }

    private func home(of turn: EvaluationData.Turn) -> Namespace {
        guard scope == .all else { return .project(turn.conversation) }
        let part = turn.conversation + (spread.bySession ? "/" + (turn.session ?? "") : "")
        let place = places.withLock { places in
            let place = places[part] ?? places.count
            places[part] = place
            return place
        }
        return home(at: place % spread.count)
    }

    private func home(at place: Int) -> Namespace { .project(place == 0 ? "all" : "all-\(place)") }

    /// Where what answers a question may be.
    private func homes(of question: EvaluationData.Question) -> [Namespace] {
        scope == .all ? (0..<spread.count).map { home(at: $0) } : [.project(question.conversation)]
    }

    /// The name of a turn among all of its home.
    static func name(_ id: String, of conversation: String, _ scope: Scope) -> String {
        scope == .all ? conversation + "/" + id : id
    }

    /// Remembers the turns in their order, as an importer of conversations would, or of a history where ids are hashes.
    func load(_ turns: [EvaluationData.Turn], captions: Bool, withoutSessions: Bool) async throws {
        var start = 0
        while start < turns.count {
            let namespace = namespace(of: turns[start], withoutSessions: withoutSessions)
            var end = start + 1
            while end < turns.count, end - start < 1_000,
                self.namespace(of: turns[end], withoutSessions: withoutSessions) == namespace
            {
                end += 1
            }
            let drafts = turns[start..<end].map { draft($0, captions: captions) }
            let results = try await engine.remember(drafts, in: namespace)
            for (turn, result) in zip(turns[start..<end], results) {
                let id = try result.get().id
                memories.withLock { $0[turn.conversation + "/" + turn.id] = id }
            }
            start = end
        }
        for home in Set(turns.map { home(of: $0) }) {
            try await engine.settle(home)
            if embedder?.knowsMeanings ?? false { try await engine.consolidate(in: home) }
        }
    }

    private func namespace(of turn: EvaluationData.Turn, withoutSessions: Bool) -> Namespace {
        let home = home(of: turn)
        // What an importer of a history makes of months is no session.
        guard let session = turn.session, !withoutSessions, !turn.isCommit else { return home }
        return home.session(scope == .all ? turn.conversation + "-" + session : session)
    }

    private func draft(_ turn: EvaluationData.Turn, captions: Bool) -> MemoryDraft {
        var content = turn.text
        // As the folder's vectors have it.
        if captions, let caption = turn.caption { content += " [shares \(caption)]" }
        var draft = MemoryDraft(content)
        draft.kind = turn.isCommit ? .commit : .message
        let name = Self.name(turn.id, of: turn.conversation, scope)
        draft.key = turn.isCommit && scope == .conversation ? "git:" + turn.id : name
        draft.actor = turn.speaker
        draft.thread = turn.conversation
        draft.happened = turn.time...turn.time
        draft.attributes["turn"] = .string(name)
        if let vector = turn.vector { draft.embeddings = [Embedding(vector, in: space)] }
        return draft
    }

    /// A question with the memories that answer it; `nil` if none does.
    func labelled(_ question: EvaluationData.Question) -> LabelledQuestion? {
        let found = memories.withLock { memories in
            question.evidence.compactMap { memories[question.conversation + "/" + $0] }
        }
        return found.isEmpty ? nil : LabelledQuestion(query(question), evidence: Set(found))
    }

    func ask(
        _ question: EvaluationData.Question, _ change: (inout RecallQuery) -> Void
    ) async throws -> Recall {
        var query = query(question)
        change(&query)
        return try await engine.recall(query)
    }

    private func query(_ question: EvaluationData.Question) -> RecallQuery {
        var query = RecallQuery(
            question.text, in: Dictionary(uniqueKeysWithValues: homes(of: question).map { ($0, 1) }))
        query.now = question.askedAt
        query.limit = EvaluationScore.depth
        if let vector = question.vector { query.embeddings = [Embedding(vector, in: space)] }
        query.filter = question.until.map { .happened(.distantPast..<$0) }
        return query
    }

    /// What every question finds.
    func answers(
        to questions: [EvaluationData.Question], _ setting: EvaluationSetting
    ) async throws -> [Answer] {
        var answers: [Answer] = []
        for question in questions {
            let recall = try await ask(question, setting.change)
            let ids = recall.compactMap { hit -> String? in
                if case .string(let id)? = hit.memory.attributes["turn"] { return id }
                return nil
            }
            answers.append(
                Answer(
                    ids: ids, intent: recall.intent.name, milliseconds: recall.timings.total.milliseconds))
        }
        return answers
    }
}
