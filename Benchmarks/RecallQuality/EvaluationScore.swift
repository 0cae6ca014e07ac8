import Foundation

/// What was found, as means over questions.
struct EvaluationScore {
    static let depth = 100
    static let ranks = [5, 10, 20, 50]
    /// As many words go into the small pack whose evidence is counted.
    static let packWords = 500

    private struct Answer {
        var group: String
        var isCounted: Bool
        /// The share of the evidence among the first hits, for each of `ranks`.
        var recalls: [Double]
        /// The share among the first hits that together have no more than `packWords` words.
        var inPack: Double
        var gain: Double
        var milliseconds: Double
    }
    private var answers: [Answer] = []

    /// The scores of what was found.
    init(
        _ found: [EvaluationStore.Answer], _ data: EvaluationData, _ scope: EvaluationStore.Scope,
        captions: Bool,
        byIntent: Bool
    ) {
        var words: [String: Int] = [:]
        for turn in data.turns {
            let text = turn.text + (captions ? "\n" + (turn.caption ?? "") : "")
            words[turn.conversation + "/" + turn.id] = text.split(whereSeparator: \.isWhitespace).count
        }
        for (question, answer) in zip(data.questions, found) where !question.evidence.isEmpty {
            var room = Self.packWords
            let pack = answer.ids.prefix { id in
                room -= words[scope == .all ? id : question.conversation + "/" + id] ?? 0
                return room >= 0
            }
            let evidence = Set(
                question.evidence.map { EvaluationStore.name($0, of: question.conversation, scope) })
            add(
                answer, Array(pack), evidence, byIntent ? answer.intent : question.category,
                isCounted: question.category != "adversarial")
        }
    }

    private mutating func add(
        _ answer: EvaluationStore.Answer, _ pack: [String], _ evidence: Set<String>, _ group: String,
        isCounted: Bool
    ) {
        let ids = answer.ids
        func share(_ ids: some Sequence<String>) -> Double {
            Double(Set(ids).intersection(evidence).count) / Double(evidence.count)
        }
        let recalls = Self.ranks.map { share(ids.prefix($0)) }
        func discount(_ place: Int) -> Double { 1 / log2(Double(place) + 2) }
        let gain = ids.prefix(10).enumerated().reduce(0) {
            $0 + (evidence.contains($1.element) ? discount($1.offset) : 0)
        }
        let best = (0..<min(10, evidence.count)).reduce(0) { $0 + discount($1) }
        answers.append(
            Answer(
                group: group, isCounted: isCounted, recalls: recalls, inPack: share(pack), gain: gain / best,
                milliseconds: answer.milliseconds))
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
        columns.append(("in \(Self.packWords) words", mean(counted) { $0.inPack }))
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
