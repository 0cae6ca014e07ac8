import ArgumentParser
import Foundation
import MemoryEngine

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show how the answers to a question were found: scores, edges, times and weights.",
        usage:
            "loci explain (<words> ... | - | --like <file>) [--svg <file>] [-n <path[=weight]>] ... [options]",
        discussion: """
              loci explain "Why did the deploy fail?"
              loci explain "What did Ada say in May?" --limit 3 --json
              loci explain "rate limit" --svg walk.svg

            For each hit: what words and vectors gave it, raw and in standard deviations above the mean of the home, times \
            the share of each; and what vouched for it, memory by memory. What all of it adds is its score. --svg draws \
            the same as a picture: the question, the hits, and what vouched for them.
            """)

    @OptionGroup var ask: AskOptions
    @Option(
        help: ArgumentHelp(
            "A file to draw the walk into; - for standard output, and nothing else there.", valueName: "file")
    )
    var svg: String?
    @OptionGroup var store: StoreOptions

    func validate() throws {
        guard svg != "-" || !store.json else {
            throw ValidationError(
                "--svg - and --json both write to standard output: give a file to one of them")
        }
    }

    func run() async throws {
        _ = try store.path()
        var query = try ask.query(of: "explain")
        query.explains = true
        let asked = query
        try await store.withEngine(for: .reading) { engine in
            let recall = try await asked.answer(of: engine)
            if let svg {
                let picture = try await WalkPicture(of: recall, to: asked, engine).svg
                if svg == "-" { return Terminal.print(picture) }
                do {
                    try picture.write(toFile: svg, atomically: true, encoding: .utf8)
                } catch {
                    throw EngineError(
                        .io, "`\(svg)` cannot be written; name a file in a folder that is there")
                }
            }
            if store.json {
                Terminal.print(RecallCommand.json(recall))
            } else {
                Explanation(recall: recall, question: asked.text).print()
                if let svg { Terminal.note("drawn into \(svg)") }
            }
        }
    }
}

/// How a recall came to its hits, for a person.
private struct Explanation {
    let recall: Recall
    let question: String

    func print() {
        for reason in recall.leftOut { Terminal.note("left out: \(reason)") }
        line("intent", recall.intent.name)
        for home in recall.explanations { print(home) }
        for (index, hit) in recall.hits.enumerated() { print(hit, rank: index + 1) }
        recall.printEnd()
    }

    private func line(_ name: String, _ text: String) {
        Terminal.print("\(Terminal.padded(name, to: 10)) \(text)")
    }

    private func print(_ home: RecallExplanation) {
        func count(_ number: Int) -> String { Terminal.grouped(number) }
        line(
            "home",
            "\(home.home): \(count(home.passageCount)) passages, \(count(home.eligibleCount)) may be hits, "
                + "\(count(home.candidateCount)) weighed")
        if !home.words.isEmpty {
            line(
                "words",
                home.words.map { word in
                    let text = Visible.line(word.text)
                    if word.isSynonym { return "~\(text) \(Terminal.decimals(word.weight, 2))" }
                    return word.weight == 1 ? text : "\(text) \(Terminal.decimals(word.weight, 2))"
                }.joined(separator: ", "))
        }
        if !home.actors.isEmpty { line("names", home.actors.map(Visible.line).joined(separator: ", ")) }
        for time in home.times { line("time", Hit.Reason.interval(time)) }
        for channel in home.channels {
            line(
                channel.name == "words" ? "by words" : "by vectors",
                (channel.name == "words" ? "" : channel.name + ", ")
                    + "\(count(channel.foundCount)) found, mean \(Terminal.decimals(channel.mean, 3)), "
                    + "deviation \(Terminal.decimals(channel.deviation, 3)), "
                    + "share \(Terminal.decimals(channel.share, 2))")
        }
        let weights = RecallWeights.names.compactMap { name, path -> String? in
            let weight = home.weights[keyPath: path]
            return weight == 0 ? nil : "\(name) \(Terminal.decimals(weight, 2))"
        }
        line("weights", weights.joined(separator: ", ") + (home.isTuned ? " (of this home)" : ""))
        let factor = RecallWeights.sizeFactor(passages: home.passageCount)
        line(
            "", "actor, calendar, event and dated × \(Terminal.decimals(factor, 2)) for the size of the home")
    }

    private func print(_ hit: Hit, rank: Int) {
        Terminal.print("")
        let memory = hit.memory
        let head = [
            "\(rank)", Terminal.decimals(hit.score, 3), memory.id.description, memory.happened.lowerBound.day,
            Visible.line(memory.actor ?? ""), memory.namespace.description,
        ].filter { !$0.isEmpty }.joined(separator: "  ")
        Terminal.print(Terminal.styled(head, .bold))
        Terminal.print("    \(hit.line(for: question))")
        let home = recall.explanations.first { $0.home == memory.namespace.home }
        let factor = home?.factors[memory.id] ?? 1
        let weight = factor == 1 ? "" : " × \(Terminal.decimals(factor, 2)) (namespace)"
        for (channel, score) in zip(home?.channels ?? [], home?.scores[memory.id] ?? []) {
            let raw = score.raw.map { Terminal.decimals($0, 3) } ?? "none"
            let place = score.rank.map { "  #\($0)" } ?? ""
            step(
                channel.name == "words" ? "words" : "vectors", channel.share * score.normalized * factor,
                "\(raw), which is \(Terminal.decimals(score.normalized, 2)) deviations above the mean, × "
                    + Terminal.decimals(channel.share, 2) + weight + place)
        }
        for voucher in hit.path {
            switch voucher.reason {
            case .words, .vectors: continue
            default: step("", voucher.adds, hit.words(for: voucher))
            }
        }
    }

    private func step(_ name: String, _ adds: Double, _ text: String) {
        let number = (adds < 0 ? "" : "+") + Terminal.decimals(adds, 3)
        Terminal.print(
            "    \(Terminal.padded(number, to: 8, isRight: true))  \(name.isEmpty ? text : name + " " + text)"
        )
    }
}
