import ArgumentParser
import Embedders
import Foundation
import MemoryEngine

/// How well `Recall.confidence` tells questions that are answered in a home from such that are not.
struct Confidence: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confidence",
        abstract: "How well a recall knows whether the answer is there.",
        discussion: """
            Each question is put to its own conversation, and, with the names of who speaks there, to another one \
            (scripts/swap-questions). AUROC is the chance that the first gets the higher confidence.
            """)

    @OptionGroup var common: CommonOptions
    @Option(help: "Which vectors of the folders: those of turns.NAME.f16.") var vectors = "minilm"
    @Option(help: "The folder that scripts/swap-questions wrote.") var swapped = ".cache/swapped"
    @Option(help: "Write the signs of each question to this file, for scripts/fit-confidence.") var signs:
        String?

    func run() async throws {
        let missing =
            EvaluationData.missing(in: common.data, vectors: vectors)
            + [swapped + "/questions.jsonl"].filter { !FileManager.default.isReadableFile(atPath: $0) }
        guard missing.isEmpty else {
            print("bench confidence: skipped, because there is no \(missing.joined(separator: ", no "))")
            return
        }
        let data = try EvaluationData(common.data, vectors: vectors)
        let other = try data.swapped(in: swapped, vectors)
        let own = data.questions.filter { $0.category != "adversarial" && !$0.evidence.isEmpty }
        let scratch = try Scratch(common)
        var report = Report("confidence")
        var lines: [String] = []
        let ways: [(name: String, embedder: (any Embedder)?, channels: Set<RecallQuery.Channel>)] = [
            ("vectors of the data", VocabularyEmbedder(data), [.words, .vectors, .context]),
            ("HashEmbedder", HashEmbedder(), [.words, .vectors, .context]),
            ("words and edges", nil, [.words, .context]),
        ]
        for (index, way) in ways.enumerated() {
            let store = try EvaluationStore(
                path: scratch.path + "/\(index)", space: data.space, embedder: way.embedder)
            try await store.load(
                way.embedder is HashEmbedder ? data.turns.map(\.withoutVector) : data.turns, captions: true,
                withoutSessions: false)
            var answers: [(isOwn: Bool, confidence: Double)] = []
            for (isOwn, questions) in [(true, own), (false, other)] {
                for var question in questions {
                    if way.embedder is HashEmbedder { question.vector = nil }
                    let recall = try await store.ask(question) { $0.channels = way.channels }
                    // There are no images.
                    answers.append((isOwn, recall.confidence ?? 0))
                    let features = recall.signs.features
                    if lines.isEmpty {
                        lines.append(
                            "way,id,conversation,isOwn," + features.map(\.name).joined(separator: ","))
                    }
                    lines.append(
                        "\(way.name),\(question.id),\(question.conversation),\(isOwn ? 1 : 0),"
                            + features.map { "\($0.value)" }.joined(separator: ","))
                }
            }
            await store.engine.close()
            let auroc = Self.auroc(answers)
            report.add(
                .init(
                    name: "AUROC", parameters: "\(way.name), \(own.count) and \(other.count) questions",
                    median: auroc,
                    unit: "", aim: .init(text: "≥ 0.9", isMet: auroc >= 0.9)))
            func share(_ isOwn: Bool) -> Double {
                let these = answers.filter { $0.isOwn == isOwn }
                return 100 * Double(these.count { $0.confidence < Recall.leastConfidence })
                    / Double(max(1, these.count))
            }
            report.add(
                .init(
                    name: "refused", parameters: "\(way.name), answered there", median: share(true),
                    unit: "%",
                    aim: .init(text: "≤ 5 %", isMet: share(true) <= 5)))
            report.add(
                .init(name: "refused", parameters: "\(way.name), not there", median: share(false), unit: "%"))
            for tenth in 0..<10 {
                let these = answers.filter { Self.tenth(of: $0.confidence) == tenth }
                if these.isEmpty { continue }
                report.add(
                    .init(
                        name: "answered",
                        parameters:
                            "\(way.name), confidence \(Double(tenth) / 10) to \(Double(tenth + 1) / 10), "
                            + "\(these.count) questions",
                        median: 100 * Double(these.count(where: \.isOwn)) / Double(these.count), unit: "%"))
            }
        }
        if let signs {
            try (lines.joined(separator: "\n") + "\n").write(toFile: signs, atomically: true, encoding: .utf8)
        }
        report.print(json: common.json)
    }

    private static func tenth(of confidence: Double) -> Int { min(9, Int(confidence * 10)) }

    /// The chance that one of `isOwn` has more than one of the others (Hanley and McNeil, 1982: the Wilcoxon statistic).
    private static func auroc(_ answers: [(isOwn: Bool, confidence: Double)]) -> Double {
        let sorted = answers.sorted { $0.confidence < $1.confidence }
        var sum = 0.0
        var start = 0
        while start < sorted.count {
            var end = start
            while end < sorted.count, sorted[end].confidence == sorted[start].confidence { end += 1 }
            let rank = Double(start + end + 1) / 2
            for answer in sorted[start..<end] where answer.isOwn { sum += rank }
            start = end
        }
        let ones = Double(sorted.count { $0.isOwn })
        let others = Double(sorted.count) - ones
        return (sum - ones * (ones + 1) / 2) / max(1, ones * others)
    }
}
