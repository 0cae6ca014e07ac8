import ArgumentParser
import Embedders
import Foundation
import MemoryEngine

/// How much of what answers a question a recall finds, over conversations with known answers.
struct RecallQuality: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recall", abstract: "How much of what answers known questions a recall finds.",
        discussion: """
            Remembers the turns of a folder in the order of its file, asks its questions, and, where the folder tells the \
            answers, prints the evidence recall at k: the share of a question's answering turns among the first k hits, in \
            percent, over all questions but adversarial ones; beside words, vectors and reciprocal rank fusion alone, and \
            with each channel and each kind of edge left out. With --run a line for each question is written: \
            {"conv", "qid", "ranked": [up to 100 ids of turns]}.

                bench recall --data DIR --vectors minilm --scope all --run ranked.jsonl

            The folder's form is told in Benchmarks/RecallQuality/EvaluationData.swift; the data is the user's to bring.
            """)

    @OptionGroup var common: CommonOptions
    @Option(
        help:
            "Which vectors of the folder: those of turns.NAME.f16. Without it, the embedded default makes them."
    )
    var vectors: String?
    @Option(
        help: "What makes the vectors without --vectors: hash (by default), table or local, of this machine.")
    var embedder: String?
    @Option(help: "A home for each conversation, or one for all: conversation or all.")
    var scope = EvaluationStore.Scope.conversation
    @Option(
        help:
            "With --scope all: over so many homes, 1 to 64, that are asked at once; each conversation into the next."
    )
    var spread = 1
    @Flag(help: "Spread by session: each into the next home.") var spreadSessions = false
    @Option(help: "A file to write what each question found.") var run: String?
    @Flag(help: "Ask with the defaults only.") var onlyDefaults = false
    @Flag(help: "Fit the weights to the questions, each half tried on the other; prints those that changed.")
    var fit = false
    @Flag(help: "Leave out what the pictures of turns show.") var withoutCaptions = false
    @Flag(help: "Do not tell the sessions of the turns.") var withoutSessions = false
    @Flag(help: "Group by what questions want to know (why, when, …), not by the category of the file.")
    var byIntent = false
    @Option(
        name: .customLong("weight"),
        help: ArgumentHelp(
            "One weight of RecallWeights, or `words`, for one more line of the table; may be repeated.",
            valueName: "name=number"))
    var weights: [String] = []

    func validate() throws {
        guard embedder == nil || vectors == nil, ["hash", "table", "local"].contains(embedder ?? "hash")
        else {
            throw ValidationError("--embedder is hash, table or local, and without --vectors")
        }
        guard (1...64).contains(spread), spread == 1 || scope == .all else {
            throw ValidationError("--spread is 1 to 64, and with --scope all")
        }
    }

    func run() async throws {
        let missing = EvaluationData.missing(in: common.data, vectors: vectors)
        guard missing.isEmpty else {
            print("bench recall: skipped, because there is no \(missing.joined(separator: ", no "))")
            return
        }
        let data = try EvaluationData(common.data, vectors: vectors)
        let scratch = try Scratch(common)
        let store = try EvaluationStore(
            path: scratch.path + "/recall", scope: scope,
            spread: .init(count: spread, bySession: spreadSessions), space: data.space,
            embedder: vectors == nil ? try ownEmbedder() : VocabularyEmbedder(data))
        try await store.load(data.turns, captions: !withoutCaptions, withoutSessions: withoutSessions)
        if fit {
            try await printFit(store, data)
            await store.engine.close()
            return
        }
        var scores: [(name: String, score: EvaluationScore)] = []
        let settings =
            try (onlyDefaults || !data.hasEvidence ? [.defaults] : EvaluationSetting.all) + changed()
        for setting in settings {
            let answers = try await store.answers(to: data.questions, setting)
            if setting.name == EvaluationSetting.defaults.name, let run { try write(answers, data, to: run) }
            scores.append(
                (
                    setting.name,
                    EvaluationScore(answers, data, scope, captions: !withoutCaptions, byIntent: byIntent)
                ))
        }
        await store.engine.close()
        guard data.hasEvidence else {
            print(
                "bench recall: \(data.questions.count) questions asked; there is no evidence.jsonl to score them by"
            )
            return
        }
        let table = EvaluationTable(scores)
        print(common.json ? try table.json() : table.text(title: "bench recall \(common.data)"))
    }

    private func ownEmbedder() throws -> (any Embedder)? {
        guard let embedder, let preference = AvailableEmbedders.Preference(rawValue: embedder) else {
            return HashEmbedder()
        }
        return try AvailableEmbedders(preferring: preference).embedder
    }

    private func printFit(_ store: EvaluationStore, _ data: EvaluationData) async throws {
        let questions = data.questions.filter { $0.category != "adversarial" }
            .compactMap(store.labelled)
        let tuning = try await store.engine.tuneRecall(questions) { done, total in
            if done % 12_800 == 0 { print("  \(done) of at most \(total) recalls") }
        }
        func line(_ name: String, _ quality: RecallTuning.Quality) {
            let numbers = [quality.recall, quality.gain].map { String(format: "%.1f", $0 * 100) }
            print("  \(name): recall@10 \(numbers[0]), nDCG@10 \(numbers[1])")
        }
        print("bench recall \(common.data), \(tuning.questionCount) questions")
        line("the defaults", tuning.before)
        line("fitted to the other half", tuning.heldOutAfter)
        line("fitted to all", tuning.after)
        for (name, path) in RecallWeights.names {
            let (before, after) = (RecallWeights()[keyPath: path], tuning.settings.weights[keyPath: path])
            if before != after { print("  \(name) \(before) → \(after)") }
        }
        if let share = tuning.settings.lexicalWeight { print("  words → \(share)") }
    }

    /// A line for each question.
    private func write(_ answers: [EvaluationStore.Answer], _ data: EvaluationData, to path: String) throws {
        var lines = ""
        for (question, answer) in zip(data.questions, answers) {
            let object: [String: Any] = [
                "conv": question.conversation, "qid": question.id, "ranked": answer.ids,
            ]
            let line = try JSONSerialization.data(
                withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
            lines += String(decoding: line, as: UTF8.self) + "\n"
        }
        try lines.write(toFile: path, atomically: true, encoding: .utf8)
    }
}

extension RecallQuality {
    /// The defaults, and the weights of the command line.
    private func changed() throws -> [EvaluationSetting] {
        if weights.isEmpty { return [] }
        var changes: [String: Double] = [:]
        var lexicalWeight: Double?
        for weight in weights {
            let parts = weight.split(separator: "=")
            if parts.count == 2, parts[0] == "words", let value = Double(parts[1]) {
                lexicalWeight = value
                continue
            }
            guard parts.count == 2, let value = Double(parts[1]),
                RecallWeights.names.contains(where: { $0.name == parts[0] })
            else { throw ValidationError("`\(weight)` is no weight: write `reply=0.5`") }
            changes[String(parts[0])] = value
        }
        let (values, share) = (changes, lexicalWeight)
        return [
            EvaluationSetting(name: weights.joined(separator: " ")) { query in
                query.weightOverrides = values
                query.lexicalWeight = share
            }
        ]
    }
}

/// A way to ask.
struct EvaluationSetting: Sendable {
    var name: String
    var change: @Sendable (inout RecallQuery) -> Void

    static let defaults = EvaluationSetting(name: "the defaults") { _ in }

    /// What others do, each kind of edge as it comes to the others, the defaults, and the defaults without each.
    static let all =
        [
            EvaluationSetting(name: "vectors alone") { $0.channels = [.vectors] },
            EvaluationSetting(name: "words alone") { query in
                query.channels = [.words]
                query.weights = RecallWeights.none
            },
            EvaluationSetting(name: "both, ranks fused") { query in
                query.channels = [.words, .vectors]
                query.weights = RecallWeights.none
                query.fusion = .ranks
                query.lexicalWeight = 0.5
            },
            EvaluationSetting(name: "both") { query in
                query.channels = [.words, .vectors]
                query.weights = RecallWeights.none
            },
            adding("+ previous and next turns alike", ["previous", "next"]),
            adding("+ replies instead", ["previous", "reply"]),
            adding("+ next", ["previous", "reply", "next"]),
            adding("+ session", ["previous", "reply", "next", "session"]),
            adding("+ actor", ["previous", "reply", "next", "session", "actor"]),
            adding("+ calendar", ["previous", "reply", "next", "session", "actor", "calendar"]),
            adding("+ event", ["previous", "reply", "next", "session", "actor", "calendar", "event"]),
            adding(
                "+ synonyms",
                ["previous", "reply", "next", "session", "actor", "calendar", "event", "synonyms"]),
            defaults,
        ]
        + RecallQuery.Channel.allCases.map { channel in
            EvaluationSetting(name: "- \(channel)") { $0.channels.remove(channel) }
        }
        + RecallWeights.names.map(\.name).map { name in
            EvaluationSetting(name: "- \(name)") { query in
                var weights = RecallWeights(for: query.readIntent)
                for (other, path) in RecallWeights.names where other == name { weights[keyPath: path] = 0 }
                query.weights = weights
            }
        }

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
