import ArgumentParser
import MemoryEngine

struct RecallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recall",
        abstract: "Find the memories that answer a question.",
        usage: "loci recall (<words> ... | - | --like <file>) [-n <path[=weight]>] ... [options]",
        discussion: """
              loci recall "Why did the deploy fail?"
              loci recall "rate limit" -n project/atlas -n user/ada=0.5
              loci recall "deploy" --since "2 weeks ago" --kind event
              loci recall "What did we think then?" --as-of yesterday --json
              loci recall "Who removed the timer?" --compare
              loci recall "What did Ada say in May?" --order time --weight reply=0.3
              loci recall --like photo.png --since "3 weeks ago"

            Words and vectors are asked, each score is normalised (how far it stands out among all), and the \
            sum ranks; edges are what the thread, the session, the actor, the times and the causes around a memory \
            add. The line under each hit tells its path: how it was found, and what vouched for it. --compare \
            shows at which rank words alone and vectors alone have each hit.

            With --like the memories are found whose attached image, or video, is like the one that is shown; beside words it \
            stands in the place of what these say of images. What made their vectors is asked, so it has to be there.

            Several namespaces rank as if all they hold were in one; one with a weight of 0.5 counts half. Behind a backslash `=` and `,` are part \
            of a name: 'project/a\\=b'. Exit status 2 if none of the homes is there.
            """)

    @OptionGroup var ask: AskOptions
    @Flag(help: "Show the ranks that words alone and vectors alone give.")
    var compare = false
    @Option(
        help: ArgumentHelp("Leave out what is not ready by then.", valueName: "milliseconds"),
        transform: Accept.count(1...3_600_000, as: 50))
    var deadline: Int?
    @Flag(help: "Keep what was given, so that `loci record` can say what came of it.")
    var receipt = false
    @OptionGroup var store: StoreOptions

    func validate() throws {
        guard !compare || ask.like == nil else {
            throw ValidationError("--compare is of words and their vectors: leave out --like")
        }
    }

    func run() async throws {
        try store.check()
        var query = try ask.query(of: "recall")
        query.keepReceipt = receipt
        query.deadline = deadline.map { .milliseconds($0) }
        let asked = query
        try await store.withStore(for: receipt ? .changing : .reading) { memories in
            let recall = try await asked.answer(of: memories)
            let comparison = compare ? try await RecallComparison(of: asked, memories) : nil
            if store.json {
                Terminal.print(Self.json(recall))
            } else {
                RecallTable(question: asked.text, recall: recall, comparison: comparison).print()
            }
        }
    }

    static func json(_ recall: Recall) -> String {
        var json = JSONWriter()
        json.beginObject()
        json.member("id", recall.id.description)
        json.member("intent", recall.intent.name)
        json.member("confidence", recall.confidence)
        json.list("hits", recall.hits) { $0.write($1) }
        if !recall.explanations.isEmpty { json.list("homes", recall.explanations) { $0.write($1) } }
        json.object("milliseconds") { json in
            for (name, duration) in recall.timings.steps where !recall.timings.isWhole {
                json.member(name, duration.milliseconds)
            }
            json.member("total", recall.timings.total.milliseconds)
        }
        json.member("isRankedWithTodaysStatistics", recall.isRankedWithTodaysStatistics)
        json.list("leftOut", recall.leftOut) { $0.write($1) }
        json.endObject()
        return json.text
    }
}

extension Recall.Timings {
    /// Only the time of the whole is known, as of a recall that a server made.
    var isWhole: Bool { steps.allSatisfy { $0.1 == .zero } }

    /// What took part of the time, in its order.
    var steps: [(String, Duration)] {
        [
            ("embedding", embedding), ("filter", filter), ("words", words), ("vectors", vectors),
            ("ranking", ranking), ("decoding", decoding),
        ]
    }
}

extension Recall {
    /// The last line of what a person is told: how many hits, the time, and how sure it is.
    func printEnd() {
        if !hits.isEmpty, let confidence, confidence < Self.leastConfidence {
            Terminal.note("the answer is likely not there: the hits have little of what was asked")
        }
        if intent == .why, zip(hits, hits.dropFirst()).contains(where: { $0.score < $1.score }) {
            Terminal.note(
                "what an edge joins to a hit stands behind it; `--order score` ranks by score alone")
        }
        let steps = timings.steps.map { "\($0.0) \(Terminal.decimals($0.1.milliseconds, 2))" }
        let text =
            "\(hits.count) \(hits.count == 1 ? "hit" : "hits") in "
            + "\(Terminal.decimals(timings.total.milliseconds, 2)) ms"
            + (timings.isWhole ? "" : " (\(steps.joined(separator: ", ")))")
            + (confidence.map { "  confidence \(Terminal.decimals($0, 2))" } ?? "") + "  recall \(id)"
        Terminal.print(Terminal.styled(text, .dim))
    }
}

extension Hit {
    /// The reason of a step, for a person.
    func words(for step: Step) -> String {
        switch step.reason {
        case .session(memory.id):
            memory.namespace.session == nil && memory.thread == nil || memory.kind == .commit
                ? "stands for itself" : "the best of its session"
        case .edge(.next, .into, memory.id): "comes after another passage of it"
        case .edge(.next, .out, memory.id): "comes before another passage of it"
        default: Visible.line(step.reason.description)
        }
    }
}

/// What words alone and vectors alone make of a question.
struct RecallComparison {
    let words: Recall
    let vectors: Recall

    /// How many ranks are looked at.
    private static let depth = 100

    init(of query: RecallQuery, _ store: any MemoryStore) async throws {
        var query = query
        query.keepReceipt = false
        query.limit = Self.depth
        query.channels = [.words]
        words = try await store.recall(query)
        query.channels = [.vectors]
        vectors = try await store.recall(query)
    }

    /// The rank of a hit in another recall, from 1; `-` where it is not among the first hundred.
    static func rank(_ hit: Hit, in recall: Recall) -> String {
        recall.hits.firstIndex { $0.memory.id == hit.memory.id }.map { "\($0 + 1)" } ?? "-"
    }
}

/// Hits for a person, in columns.
struct RecallTable {
    let question: String
    let recall: Recall
    let comparison: RecallComparison?

    func print() {
        for reason in recall.leftOut { Terminal.note("left out: \(reason)") }
        if recall.isRankedWithTodaysStatistics {
            Terminal.note("old versions are ranked with today's statistics of words")
        }
        var rows = [["", "score", "words", "vectors", "edges", "date", "actor", "namespace"]]
        if comparison != nil { rows[0].insert(contentsOf: ["by words", "by vectors"], at: 5) }
        for (index, hit) in recall.hits.enumerated() {
            var row = [
                "\(index + 1)", Terminal.decimals(hit.score, 3), Terminal.decimals(hit.parts.words, 3),
                Terminal.decimals(hit.parts.vectors, 3), Terminal.decimals(hit.parts.edges, 3),
                hit.memory.happened.lowerBound.day,
                String(Visible.line(hit.memory.actor ?? "").prefix(20)),
                hit.memory.namespace.description,
            ]
            if let comparison {
                row.insert(
                    contentsOf: [
                        "#" + RecallComparison.rank(hit, in: comparison.words),
                        "#" + RecallComparison.rank(hit, in: comparison.vectors),
                    ], at: 5)
            }
            rows.append(row)
        }
        let numberCount = rows[0].count - 3
        let widths = rows[0].indices.map { column in rows.map { Terminal.columns($0[column]) }.max() ?? 0 }
        if !recall.hits.isEmpty {
            for (index, row) in rows.enumerated() {
                let columns = row.indices.map { column in
                    let isLast = column == row.count - 1
                    return isLast
                        ? row[column]
                        : Terminal.padded(row[column], to: widths[column], isRight: column < numberCount)
                }.joined(separator: "  ")
                Terminal.print(Terminal.styled(columns, index == 0 ? .dim : .bold))
                guard index > 0 else { continue }
                let hit = recall.hits[index - 1]
                let margin = String(repeating: " ", count: widths[0] + 2)
                Terminal.print(margin + hit.line(for: question))
                Terminal.print(Terminal.styled(margin + Self.path(of: hit), .dim))
            }
        }
        if let comparison, let first = recall.hits.first {
            bestAlone("words alone", comparison.words, unlike: first)
            bestAlone("vectors alone", comparison.vectors, unlike: first)
        }
        recall.printEnd()
    }

    /// How a hit was found and what vouched for it, in words, each with what it adds.
    private static func path(of hit: Hit) -> String {
        hit.path.map { step in
            hit.words(for: step) + " " + (step.adds < 0 ? "" : "+") + Terminal.decimals(step.adds, 2)
        }.joined(separator: "; ")
    }

    /// The first hit of one way of finding, where it is another.
    private func bestAlone(_ name: String, _ alone: Recall, unlike first: Hit) {
        let time = "\(Terminal.decimals(alone.timings.total.milliseconds, 1)) ms"
        guard let best = alone.hits.first, best.memory.id != first.memory.id else {
            return Terminal.print("\(Terminal.padded(name, to: 13)) \(time), the same first")
        }
        Terminal.print(
            "\(Terminal.padded(name, to: 13)) \(time), first: \(best.line(for: question, atMost: 80))"
        )
    }
}

extension Hit {
    /// The line of its passage that shares most words with the question; the first of them.
    func line(for question: String, atMost width: Int = 110) -> String {
        let passage = passage.text
        // What has no words is told by what is attached.
        guard !passage.isEmpty else {
            let names = Visible.line(memory.attachments.map(\.name).joined(separator: ", "))
            return Terminal.firstLine(names.isEmpty ? "" : "[\(names)]", atMost: width)
        }
        func words(_ text: some StringProtocol) -> Set<String> {
            Set(
                text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init).filter {
                    $0.count > 2
                })
        }
        let asked = words(question)
        let lines = passage.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }
        let best = lines.enumerated().max { a, b in
            let (inA, inB) = (
                words(a.element).intersection(asked).count, words(b.element).intersection(asked).count
            )
            return inA != inB ? inA < inB : a.offset > b.offset
        }
        guard let best, best.offset > 0 else { return Terminal.firstLine(passage, atMost: width) }
        return "… " + Terminal.firstLine(String(best.element), atMost: width - 2)
    }
}
