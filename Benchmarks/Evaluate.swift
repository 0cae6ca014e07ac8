import ArgumentParser
import Foundation
import MemoryEngine
import Store

/// How much of what answers a question a recall finds, over conversations with known answers.
struct Evaluate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "How much of what answers known questions a recall finds.",
        discussion: """
            Each conversation is a home of its own. Evidence recall at k is the share of a question's answering \
            turns among the first k hits, in percent, over all questions but adversarial ones. The folder's form \
            is told in Benchmarks/EvaluationData.swift; the data is the user's to bring.
            """)

    @OptionGroup var common: CommonOptions
    @Flag(help: "Leave out what the pictures of turns show.")
    var withoutCaptions = false
    @Flag(help: "Do not tell the sessions of the turns.")
    var withoutSessions = false

    @Flag(help: "Group by what questions want to know (why, when, …), not by the category of the file.")
    var byIntent = false
    @Option(
        name: .customLong("weight"),
        help: ArgumentHelp(
            "One weight of RecallWeights for one more line of the table; may be repeated.",
            valueName: "name=number"))
    var weights: [String] = []

    func run() async throws {
        let missing = EvaluationData.missing(in: common.data)
        guard missing.isEmpty else {
            print("bench evaluate: skipped, because there is no \(missing.joined(separator: ", no "))")
            return
        }
        let data = try EvaluationData(common.data)
        let scratch = try Scratch(common)
        let store = try EvaluationStore(path: scratch.path + "/evaluate")
        try await store.load(data.turns, captions: !withoutCaptions, withoutSessions: withoutSessions)
        var scores: [(name: String, score: EvaluationScore)] = []
        for setting in EvaluationSetting.all + (try changed()) {
            scores.append((setting.name, try await store.score(data.questions, setting, byIntent: byIntent)))
        }
        await store.engine.close()
        let table = EvaluationTable(scores)
        print(common.json ? try table.json() : table.text(title: "bench evaluate \(common.data)"))
    }
}

extension Evaluate {
    /// The defaults, and the weights of the command line.
    private func changed() throws -> [EvaluationSetting] {
        if weights.isEmpty { return [] }
        var changes: [(name: String, value: Double)] = []
        for weight in weights {
            let parts = weight.split(separator: "=")
            guard parts.count == 2, let value = Double(parts[1]),
                RecallWeights.names.contains(where: { $0.name == parts[0] })
            else { throw ValidationError("`\(weight)` is no weight: write `reply=0.5`") }
            changes.append((String(parts[0]), value))
        }
        let values = changes
        return [
            EvaluationSetting(name: weights.joined(separator: " ")) { query in
                // Over what the intent of the question gives.
                var weights = RecallWeights(for: query.readIntent)
                for (name, path) in RecallWeights.names {
                    if let change = values.first(where: { $0.name == name }) {
                        weights[keyPath: path] = change.value
                    }
                }
                query.weights = weights
            }
        ]
    }
}

/// A way to ask.
struct EvaluationSetting: Sendable {
    var name: String
    var change: @Sendable (inout RecallQuery) -> Void

    static let all =
        [
            EvaluationSetting(name: "vectors alone") { $0.channels = [.vectors] },
            EvaluationSetting(name: "words alone") { $0.channels = [.words] },
            EvaluationSetting(name: "both") { $0.channels = [.words, .vectors] },
            adding("+ previous and next turns alike", ["previous", "next"]),
            adding("+ replies instead", ["previous", "reply"]),
            adding("+ next", ["previous", "reply", "next"]),
            adding("+ session", ["previous", "reply", "next", "session"]),
            adding("+ actor", ["previous", "reply", "next", "session", "actor"]),
            adding("+ calendar", ["previous", "reply", "next", "session", "actor", "calendar"]),
            adding("+ event", ["previous", "reply", "next", "session", "actor", "calendar", "event"]),
            EvaluationSetting(name: "the defaults") { _ in },
        ]

    /// Words, vectors, and of the edges these, each with its default.
    private static func adding(_ name: String, _ edges: [String]) -> EvaluationSetting {
        EvaluationSetting(name: name) { query in
            var weights = RecallWeights.none
            let defaults = RecallWeights()
            for (name, path) in RecallWeights.names where edges.contains(name) {
                weights[keyPath: path] = defaults[keyPath: path]
            }
            // Untyped: what asks is a turn like any other.
            if !edges.contains("reply") { weights.reply = defaults.previous }
            query.weights = weights
        }
    }
}

/// A home for each conversation, and a clock that shows when a question is asked.
struct EvaluationStore {
    let engine: Engine
    private let now: Clock

    private final class Clock: Sendable {
        private let time = Mutex(Timestamp.now)
        var now: Timestamp {
            get { time.withLock { $0 } }
            set { time.withLock { $0 = newValue } }
        }
    }

    private let embedder: (any Embedder)?

    /// - Parameter embedder: instead of the vectors of the data.
    init(path: String, embedder: (any Embedder)? = nil) throws {
        self.embedder = embedder
        var options = Engine.Options()
        options.durability = .none
        // One passage for each turn, so that it may bring its own vector.
        options.passageByteCount = 1 << 16
        let clock = Clock()
        now = clock
        options.clock = { clock.now }
        engine = try Engine.open(at: path, embedder: embedder, options: options)
    }

    private static func home(_ conversation: String) -> Namespace { .project(conversation) }

    /// Remembers the turns as an importer of conversations would, or of a history where ids are hashes.
    func load(_ turns: [EvaluationData.Turn], captions: Bool, withoutSessions: Bool) async throws {
        for conversation in Set(turns.map(\.conversation)).sorted() {
            let home = Self.home(conversation)
            let sessions = Dictionary(grouping: turns.filter { $0.conversation == conversation }) {
                withoutSessions ? nil : $0.session
            }
            for (session, turns) in sessions.sorted(by: { $0.value[0].time < $1.value[0].time }) {
                let namespace = session.map { home.session($0) } ?? home
                for start in stride(from: 0, to: turns.count, by: 1_000) {
                    let drafts = turns[start..<min(start + 1_000, turns.count)].map {
                        draft($0, captions: captions)
                    }
                    for result in try await engine.remember(drafts, in: namespace) { _ = try result.get() }
                }
            }
            try await engine.settle(home)
        }
    }

    private func draft(_ turn: EvaluationData.Turn, captions: Bool) -> MemoryDraft {
        var content = turn.text
        if captions, let caption = turn.caption { content += "\n" + caption }
        var draft = MemoryDraft(content)
        let isCommit = turn.id.utf8.count >= 12 && turn.id.allSatisfy(\.isHexDigit)
        draft.kind = isCommit ? .commit : .message
        draft.key = isCommit ? "git:" + turn.id : turn.id
        draft.actor = turn.speaker
        draft.thread = turn.conversation
        draft.happened = turn.time...turn.time
        draft.attributes["turn"] = .string(turn.id)
        if embedder == nil { draft.embeddings = [Embedding(turn.vector, in: CorpusVectors.space)] }
        return draft
    }

    func ask(
        _ question: EvaluationData.Question, _ change: (inout RecallQuery) -> Void
    ) async throws -> Recall {
        now.now = question.askedAt
        var query = RecallQuery(question.text, in: Self.home(question.conversation))
        query.limit = EvaluationScore.depth
        if embedder == nil { query.embeddings = [Embedding(question.vector, in: CorpusVectors.space)] }
        query.filter = question.until.map { .happened(.distantPast..<$0) }
        change(&query)
        return try await engine.recall(query)
    }

    /// Asks every question.
    func score(
        _ questions: [EvaluationData.Question], _ setting: EvaluationSetting, byIntent: Bool
    ) async throws -> EvaluationScore {
        var score = EvaluationScore()
        for question in questions {
            let recall = try await ask(question, setting.change)
            let ids = recall.map { hit -> String in
                if case .string(let id)? = hit.memory.attributes["turn"] { return id }
                return ""
            }
            let isCounted = question.category != "adversarial"
            score.add(
                ids, question, byIntent ? recall.intent.name : question.category, isCounted: isCounted,
                recall.timings.total.milliseconds)
        }
        return score
    }
}

/// What was found, as means over questions.
struct EvaluationScore {
    static let depth = 50
    static let ranks = [5, 10, 20, 50]

    private struct Answer {
        var group: String
        var isCounted: Bool
        /// The share of the evidence among the first hits, for each of `ranks`.
        var recalls: [Double]
        var gain: Double
        var milliseconds: Double
    }
    private var answers: [Answer] = []

    mutating func add(
        _ ids: [String], _ question: EvaluationData.Question, _ group: String, isCounted: Bool,
        _ milliseconds: Double
    ) {
        let recalls = Self.ranks.map { rank in
            Double(Set(ids.prefix(rank)).intersection(question.evidence).count)
                / Double(question.evidence.count)
        }
        func discount(_ place: Int) -> Double { 1 / log2(Double(place) + 2) }
        let gain = ids.prefix(10).enumerated().reduce(0) {
            $0 + (question.evidence.contains($1.element) ? discount($1.offset) : 0)
        }
        let best = (0..<min(10, question.evidence.count)).reduce(0) { $0 + discount($1) }
        answers.append(
            Answer(
                group: group, isCounted: isCounted, recalls: recalls, gain: gain / best,
                milliseconds: milliseconds))
    }

    private var groups: [String] { Set(answers.map(\.group)).sorted() }

    private func mean(_ answers: [Answer], _ value: (Answer) -> Double) -> Double {
        100 * answers.reduce(0) { $0 + value($1) } / Double(max(1, answers.count))
    }

    /// The columns of the table with their values, in percent.
    var columns: [(name: String, value: Double)] {
        let counted = answers.filter(\.isCounted)
        var columns: [(String, Double)] = Self.ranks.enumerated().map { index, rank in
            ("R@\(rank)", mean(counted) { $0.recalls[index] })
        }
        columns.append(("all@10", mean(counted) { $0.recalls[1] == 1 ? 1 : 0 }))
        columns.append(("nDCG@10", mean(counted) { $0.gain }))
        for group in groups where groups.count > 1 {
            let part = answers.filter { $0.group == group }
            columns.append(("\(group) \(part.count)", mean(part) { $0.recalls[1] }))
        }
        var times = Samples()
        for answer in answers { times.add(answer.milliseconds) }
        columns.append(("p50 ms", times.median))
        columns.append(("p99 ms", times.p99))
        return columns
    }
}

/// Scores side by side: evidence recall, and R@10 by category.
struct EvaluationTable {
    let rows: [(name: String, score: EvaluationScore)]

    init(_ rows: [(name: String, score: EvaluationScore)]) { self.rows = rows }

    func text(title: String) -> String {
        guard let first = rows.first else { return title }
        var cells = [[""] + first.score.columns.map(\.name)]
        for row in rows {
            cells.append(
                [row.name]
                    + row.score.columns.map {
                        String(format: $0.name.hasSuffix(" ms") ? "%.2f" : "%.1f", $0.value)
                    })
        }
        let widths = cells[0].indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        let lines = cells.map { row in
            row.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - row[column].count)
                return column == 0 ? row[column] + space : space + row[column]
            }.joined(separator: "  ")
        }
        return ([title] + lines.map { "  " + $0 }).joined(separator: "\n")
            + "\n  (R@k: evidence recall in percent; under a group its R@10 and how many questions it has; adversarial ones count only in it)"
    }

    func json() throws -> String {
        let objects = rows.map { row in
            var object: [String: Any] = ["name": row.name]
            for (name, value) in row.score.columns { object[name] = value }
            return object
        }
        let data = try JSONSerialization.data(withJSONObject: objects, options: [.sortedKeys])
        return String(decoding: data, as: UTF8.self)
    }
}
