import ArgumentParser
import Foundation
import MemoryEngine

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show how the answers to a question were found: scores, edges, times and weights.",
        usage: "loci explain (<words> ... | -) [--svg <file>] [-n <path[=weight]>] ... [options]",
        discussion: """
              loci explain "Why did the deploy fail?"
              loci explain "What did Ada say in May?" --limit 3 --json
              loci explain "rate limit" --svg walk.svg

            For each hit: what words and vectors gave it, raw and in standard deviations above the mean of the home, times \
            the share of each; and what vouched for it, memory by memory. What all of it adds is its score. --svg draws \
            the same as a picture: the question, the hits, and what vouched for them.
            """)

    @OptionGroup var ask: AskOptions
    @Option(help: ArgumentHelp("A file to draw the walk into.", valueName: "file")) var svg: String?
    @OptionGroup var store: StoreOptions

    func run() async throws {
        _ = try store.path()
        var query = try ask.query(of: "explain")
        query.explains = true
        let asked = query
        try await store.withEngine(for: .reading) { engine in
            let recall = try await engine.recallOfSome(asked)
            if let svg {
                let picture = try await WalkPicture(of: recall, to: asked, engine).svg
                do {
                    try picture.write(toFile: svg, atomically: true, encoding: .utf8)
                } catch {
                    throw EngineError(
                        .io, "`\(svg)` cannot be written; name a file in a folder that is there")
                }
            }
            if store.json {
                Terminal.print(Self.json(recall))
            } else {
                Explanation(recall).print()
                if let svg { Terminal.note("drawn into \(svg)") }
            }
        }
    }

    private static func json(_ recall: Recall) -> String {
        var json = JSONWriter()
        json.beginObject()
        json.member("intent", recall.intent.name)
        json.member("confidence", recall.confidence)
        json.name("homes")
        json.beginArray()
        for home in recall.explanations { write(home, to: &json) }
        json.endArray()
        json.name("hits")
        json.beginArray()
        for hit in recall.hits { json.write(hit) }
        json.endArray()
        json.object("milliseconds") { json in
            for (name, duration) in recall.timings.steps { json.member(name, duration.milliseconds) }
            json.member("total", recall.timings.total.milliseconds)
        }
        json.member("leftOut", recall.leftOut)
        json.endObject()
        return json.text
    }

    private static func write(_ home: RecallExplanation, to json: inout JSONWriter) {
        json.beginObject()
        json.member("home", home.home.description)
        json.member("passages", home.passageCount)
        json.member("eligible", home.eligibleCount)
        json.member("candidates", home.candidateCount)
        json.name("words")
        json.beginArray()
        for word in home.words {
            json.beginObject()
            json.member("word", word.text)
            json.member("weight", word.weight)
            json.member("isSynonym", word.isSynonym)
            json.endObject()
        }
        json.endArray()
        json.member("actors", home.actors)
        json.name("times")
        json.beginArray()
        for time in home.times {
            json.beginObject()
            json.member("from", time.lowerBound.description)
            json.member("until", time.upperBound.description)
            json.endObject()
        }
        json.endArray()
        json.member("isTuned", home.isTuned)
        json.object("weights") { json in
            for (name, path) in RecallWeights.names { json.member(name, home.weights[keyPath: path]) }
        }
        json.name("channels")
        json.beginArray()
        for channel in home.channels {
            json.beginObject()
            json.member("name", channel.name)
            json.member("mean", channel.mean)
            json.member("deviation", channel.deviation)
            json.member("share", channel.share)
            json.member("found", channel.foundCount)
            json.endObject()
        }
        json.endArray()
        json.object("factors") { json in
            for (id, factor) in home.factors.sorted(by: { $0.key < $1.key }) {
                json.member(id.description, factor)
            }
        }
        json.object("scores") { json in
            for (id, scores) in home.scores.sorted(by: { $0.key < $1.key }) {
                json.name(id.description)
                json.beginArray()
                for (channel, score) in zip(home.channels, scores) {
                    json.beginObject()
                    json.member("channel", channel.name)
                    if let raw = score.raw { json.member("raw", raw) }
                    json.member("normalized", score.normalized)
                    if let rank = score.rank { json.member("rank", rank) }
                    json.endObject()
                }
                json.endArray()
            }
        }
        json.endObject()
    }
}

/// How a recall came to its hits, for a person.
private struct Explanation {
    let recall: Recall

    init(_ recall: Recall) { self.recall = recall }

    func print() {
        for reason in recall.leftOut { Terminal.note("left out: \(reason)") }
        line("intent", recall.intent.name)
        for home in recall.explanations { print(home) }
        for (index, hit) in recall.hits.enumerated() { print(hit, rank: index + 1) }
        let steps = recall.timings.steps.map { "\($0.0) \(Terminal.decimals($0.1.milliseconds, 2))" }
        if !recall.hits.isEmpty, recall.confidence < Recall.leastConfidence {
            Terminal.note("the answer is likely not there: the hits have little of what was asked")
        }
        Terminal.print(
            Terminal.styled(
                "\(recall.hits.count) \(recall.hits.count == 1 ? "hit" : "hits") in \(Terminal.decimals(recall.timings.total.milliseconds, 2)) ms (\(steps.joined(separator: ", ")))"
                    + "  confidence \(Terminal.decimals(recall.confidence, 2))", .dim))
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
        for time in home.times {
            line("time", Hit.Reason.calendar(time).description.dropPrefix("happened in "))
        }
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
        Terminal.print("    \(Terminal.firstLine(hit.passage.text))")
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

extension String {
    fileprivate func dropPrefix(_ prefix: String) -> String {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self
    }
}
