import ArgumentParser
import Embedders
import MemoryEngine

struct ConsolidateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consolidate",
        abstract:
            "Work through what a home holds: what says the same, belongs together, took the place of what.",
        usage:
            "loci consolidate [--only <step>]... [--reasoner <service> [--again]] [--list] [--undo] [options]",
        discussion: """
              loci consolidate -n project/atlas
              loci consolidate -n project/atlas --only duplicates
              loci consolidate -n project/atlas --list
              loci unlink EDGE -n project/atlas    # take one conclusion back; it is not drawn again
              loci consolidate -n project/atlas --undo --only links
              loci consolidate -n project/atlas --list --only episodes
              LOCI_REASONER_MODEL=qwen3:8b loci consolidate -n project/atlas --reasoner server

            Run it now and then, or when there is time: what it has looked at it does not look at again, and after an \
            interruption it goes on. Nothing of what you stored is lost: each conclusion is an edge with what it rests on, or a \
            summary with edges to what it is made of, which recalls leave out. What a newer note takes back (contradictions) is \
            left out of recalls of now; --valid-at an earlier time still gives it, and taking the conclusion back brings it again. \
            What is taken back, by unlink or --undo, is not concluded again. All of a home is worked through, whichever \
            session is named; --list and --undo of a session look at what was concluded of its memories.

            With --reasoner the memories of the home go to a language model, which notes them and tells episodes: OpenAI, Anthropic \
            or a server of your own that answers as OpenAI does, as settings say (`loci help embedders`): LOCI_REASONER_MODEL and \
            a key, or LOCI_REASONER_URL. A key alone sends nothing anywhere. What memories say is data to it, and what it answers \
            is held to a form and to the memories that it was shown; a memory without such an answer is left out, and told. It is \
            asked about again when it changes, by another model, or with --again, such as after a change of settings. Costs \
            are counted, and end at a cap. None of this was tried with an account, but with servers of both shapes.

            The steps are:

            \(ConsolidationStep.allCases.map { "  \(Terminal.padded($0.rawValue, to: 16))\($0.help)" }.joined(separator: "\n"))
            """)

    @Option(help: ArgumentHelp("Only this step; may be repeated.", valueName: "step"))
    var only: [ConsolidationStep] = []
    @Option(
        help: ArgumentHelp(
            "A language model for notes and episodes: openai, anthropic, server (by default none).",
            valueName: "service"))
    var reasoner: ServiceSettings.ReasonerService?
    @Flag(help: "Ask the model also about what it was asked about before and has added nothing to.")
    var again = false
    @Flag(help: "Show what was concluded before, with the ids of the edges, and conclude nothing.")
    var list = false
    @Flag(help: "Take back all that was concluded, for good.")
    var undo = false
    @Option(
        help: ArgumentHelp("With --list: at most so many.", valueName: "count"),
        transform: Accept.count(1...1_000_000, as: 100))
    var limit = 100
    @OptionGroup var place: PlaceOptions

    func validate() throws {
        guard !(list && undo) else {
            throw ValidationError("--list shows and --undo takes back: give one of them")
        }
        guard reasoner != nil else {
            guard !again else { throw ValidationError("--again is for a model: name it with --reasoner") }
            return
        }
        guard !list, !undo else {
            throw ValidationError("--list and --undo ask no reasoner: leave --reasoner out")
        }
        guard only.isEmpty || only.contains(.notes) || only.contains(.episodes) else {
            throw ValidationError(
                "--reasoner is for the steps notes and episodes: add one of them with --only")
        }
    }

    func run() async throws {
        let steps = only.isEmpty ? Set(ConsolidationStep.allCases) : Set(only)
        let reasoner = try reasoner.map { SkippingReasoner(try Settings.current.services.reasoner(of: $0)) }
        try await place.withEngine(for: list ? .reading : .changing) { engine, namespace in
            if list { return try await show(steps, namespace, engine) }
            if undo {
                let count = try await engine.takeBackConclusions(of: steps, in: namespace)
                return place.store.printCounts(
                    [("takenBack", count)],
                    text: "\(namespace): \(Terminal.grouped(count)) conclusions taken back")
            }
            let report = try await place.store.withProgress("consolidating \(namespace.home)", unit: "steps")
            { progress in
                try await engine.consolidate(
                    in: namespace, steps: steps, reasoner: reasoner, asksAgain: again
                ) {
                    progress($0.done, $0.total)
                }
            }
            show(report, steps)
            let skipped = reasoner?.skipped ?? []
            for one in skipped {
                Terminal.note("\(one.id) was left out: \(Visible.line(one.error.message))")
            }
            if !skipped.isEmpty {
                Terminal.note(
                    "what was left out is not asked about again as it is; after a change of settings, add --again"
                )
            }
        }
    }

    private func show(_ report: ConsolidationReport, _ steps: Set<ConsolidationStep>) {
        let asked = ConsolidationStep.allCases.filter(steps.contains)
        guard !place.json else {
            return Terminal.printObject { json in
                json.objects("steps", asked) { json, step in
                    json.member("step", step.rawValue)
                    json.member("found", report.found[step] ?? 0)
                    if let reason = report.leftOut[step] { json.member("leftOut", reason) }
                }
            }
        }
        for step in asked {
            let name = Terminal.padded(step.rawValue, to: 16)
            if let reason = report.leftOut[step] {
                Terminal.print(name + Terminal.styled("left out: \(reason)", .dim))
            } else {
                let count = Terminal.padded(Terminal.grouped(report.found[step] ?? 0), to: 8, isRight: true)
                Terminal.print("\(name)\(count) new")
            }
        }
    }

    private func show(_ steps: Set<ConsolidationStep>, _ namespace: Namespace, _ engine: Engine) async throws
    {
        let conclusions = try await engine.conclusions(in: namespace, steps: steps, limit: limit)
        for conclusion in conclusions {
            if place.json {
                Terminal.printObject { json in
                    json.member("step", conclusion.step.rawValue)
                    json.member("says", conclusion.says)
                    json.name("edge")
                    json.write(conclusion.edge)
                }
                continue
            }
            let edge = conclusion.edge
            Terminal.print(
                "\(edge.id?.description ?? "")  \(edge.kind)  "
                    + Terminal.styled(Visible.line(conclusion.says), .dim))
            for id in [edge.from, edge.to] {
                let memory = try await engine.get(id, in: namespace.home)
                Terminal.print("  \(id)  \(Visible.line(Terminal.firstLine(memory?.content ?? "")))")
            }
        }
        let summaries =
            steps.contains(.episodes) ? try await engine.summaries(in: namespace, limit: limit) : []
        for summary in summaries { show(summary) }
        let noted = steps.contains(.notes) ? try await engine.notedMemories(in: namespace, limit: limit) : []
        for one in noted { show(one) }
        if conclusions.isEmpty, summaries.isEmpty, noted.isEmpty, !place.json {
            Terminal.note("nothing of that stands in \(namespace)")
        }
        if max(conclusions.count, summaries.count, noted.count) == limit {
            Terminal.note("there may be more: --limit \(limit * 10)")
        }
    }

    private func show(_ noted: NotedMemory) {
        guard !place.json else {
            return Terminal.printObject { json in
                json.member("step", ConsolidationStep.notes.rawValue)
                json.member("model", noted.model)
                json.member("keywords", noted.keywords)
                json.member("tags", noted.tags)
                json.name("memory")
                json.write(noted.memory)
            }
        }
        let words = [("keywords", noted.keywords), ("tags", noted.tags)].filter { !$0.1.isEmpty }.map {
            "\($0) \($1.joined(separator: ", "))"
        }
        Terminal.print(
            "\(noted.memory.id)  "
                + Terminal.styled(
                    Visible.line("\(words.joined(separator: "; ")), added by \(noted.model)"), .dim))
        Terminal.print("  \(Visible.line(Terminal.firstLine(noted.memory.content)))")
    }

    private func show(_ summary: Memory) {
        guard !place.json else {
            return Terminal.printObject { json in
                json.member("step", ConsolidationStep.episodes.rawValue)
                json.name("memory")
                json.write(summary)
            }
        }
        Terminal.print(
            "\(summary.id)  "
                + Terminal.styled(Visible.line("\(summary.namespace), \(summary.key ?? "")"), .dim))
        Terminal.print(Visible.text(summary.content))
    }
}

extension ServiceSettings.ReasonerService: ExpressibleByArgument {}

extension ConsolidationStep: ExpressibleByArgument {
    fileprivate var help: String {
        switch self {
        case .words: "which words mean alike (needs an embedder that knows meanings)"
        case .duplicates: "which memories say nearly the same as an older one"
        case .links: "which memories are about the same (needs an embedder that knows meanings)"
        case .contradictions: "which memories take back what older ones say, whose validity ends then"
        case .entities: "which names are one thing's"
        case .causes: "what may have caused what, where no text states it"
        case .notes: "what a language model notes of memories (--reasoner)"
        case .episodes:
            "summaries of sessions and threads: their sentences, or the model's (--reasoner)"
        }
    }
}
