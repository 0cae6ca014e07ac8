import ArgumentParser
import MemoryEngine

struct TuneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tune",
        abstract: "Fit a home to itself: its vector indexes, and the weights of recall.",
        discussion: """
              loci tune index -n project/atlas
              loci tune recall -n project/atlas
            """,
        subcommands: [TuneIndexCommand.self, TuneRecallCommand.self])
}

struct TuneIndexCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index",
        abstract: "Measure the vector indexes of a home on themselves.",
        usage: "loci tune index [--neighbors <count>] [--sample <count>] [options]",
        discussion: """
              loci tune index -n project/atlas

            What is not linked yet is linked first. A search that names a recall then keeps as many candidates as brought \
            it. Measure again when the home has grown a lot; loci rebuild forgets the curve.
            """)

    @Option(
        help: ArgumentHelp("How many nearest are asked for, 1 to 1,000 (by default 10).", valueName: "count"),
        transform: Accept.count(1...1_000, as: 10))
    var neighbors = 10
    @Option(
        help: ArgumentHelp(
            "How many questions are asked, 10 to 10,000 (by default 200).", valueName: "count"),
        transform: Accept.count(10...10_000, as: 200))
    var sample = 200
    @OptionGroup var threads: ThreadsOption
    @OptionGroup var place: PlaceOptions

    func run() async throws {
        try await place.withEngine(for: .changing, threads: threads.count) { engine, namespace in
            _ = try await place.store.withProgress("indexing \(namespace.home)", unit: "vectors") {
                try await engine.finishIndexing(in: namespace, progress: $0)
            }
            let reports = try await place.store.withProgress(
                "measuring the indexes of \(namespace.home)", unit: "steps"
            ) {
                try await engine.tuneIndexes(
                    in: namespace, neighborCount: neighbors, sampleCount: sample, progress: $0)
            }
            IndexCommand.show(reports, namespace, asJSON: place.json)
        }
    }
}

struct TuneRecallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recall",
        abstract: "Fit the weights of recall to questions whose answers are known.",
        usage: "loci tune recall [<questions>] [--apply] [--reset] [options]",
        discussion: """
              loci tune recall -n project/atlas
              loci tune recall --reset -n project/atlas

            Without a file it prints the weights that the home has. The file has an object a line: text, the question; \
            evidence, a list of ids or keys of the memories of the namespace that answer it; and, if need be, asked_at, a time, and until: \
            only what happened before then is looked at.

              {"text":"Which deploy failed?","evidence":["deploy/81"]}

            Each half of the questions is answered with the weights that were fitted to the other half: only where that is \
            better than before do the weights say anything of other questions, and only then does --apply keep them. A \
            recall goes by what the home keeps, unless it says --weight.
            """)

    @Argument(help: "A file of questions, or - for standard input.") var questions: String?
    @Flag(help: "Keep the weights in the home, if they are better for questions that were not fitted.")
    var apply = false
    @Flag(help: "Go by the defaults again.") var reset = false
    @OptionGroup var place: PlaceOptions

    func validate() throws {
        guard !reset || (questions == nil && !apply) else {
            throw ValidationError("--reset stands alone: it takes the weights of the home away")
        }
        guard !apply || questions != nil else {
            throw ValidationError("--apply keeps what a file was fitted to: name one")
        }
    }

    func run() async throws {
        try await place.withEngine(for: apply || reset ? .changing : .reading) { engine, namespace in
            if reset { try await engine.setRecallSettings(nil, in: namespace) }
            let known = try await engine.recallSettings(in: namespace)
            guard let questions else { return show(known, namespace) }
            let labelled = try await LabelledQuestions(path: questions).read(in: namespace, engine)
            let tuning = try await place.store.withProgress(
                "asking \(Terminal.grouped(labelled.count)) questions of \(namespace.home)", unit: "recalls"
            ) {
                try await engine.tuneRecall(labelled, from: known ?? RecallSettings(), progress: $0)
            }
            let isKept = apply && tuning.isBetter
            if isKept { try await engine.setRecallSettings(tuning.settings, in: namespace) }
            show(tuning, from: known ?? RecallSettings(), isKept: isKept, namespace)
        }
    }

    private func show(_ settings: RecallSettings?, _ namespace: Namespace) {
        if place.json {
            return Terminal.printObject { json in
                json.member("home", namespace.home.description)
                json.member("isTuned", settings != nil)
                Self.write(settings ?? RecallSettings(), to: &json)
            }
        }
        Terminal.print("\(namespace.home): \(settings == nil ? "the defaults" : "weights of its own")")
        let known = settings ?? RecallSettings()
        for (name, path) in RecallWeights.names {
            Terminal.print("  \(Terminal.padded(name, to: 10)) \(known.weights[keyPath: path])")
        }
        Terminal.print(
            "  \(Terminal.padded("words", to: 10)) \(known.lexicalWeight.map { "\($0)" } ?? "as the embedder advises")"
        )
    }

    private func show(
        _ tuning: RecallTuning, from before: RecallSettings, isKept: Bool, _ namespace: Namespace
    ) {
        let qualities = [
            ("before", tuning.before), ("heldOut", tuning.heldOutAfter), ("fitted", tuning.after),
        ]
        if place.json {
            return Terminal.printObject { json in
                json.member("home", namespace.home.description)
                json.member("questions", tuning.questionCount)
                for (name, quality) in qualities {
                    json.name(name)
                    json.beginObject()
                    json.member("recall", quality.recall)
                    json.member("nDCG", quality.gain)
                    json.endObject()
                }
                json.member("isBetter", tuning.isBetter)
                json.member("isKept", isKept)
                Self.write(tuning.settings, to: &json)
            }
        }
        Terminal.print("\(namespace.home): \(Terminal.grouped(tuning.questionCount)) questions")
        Terminal.print("  \(Terminal.padded("", to: 32)) recall@10  nDCG@10")
        let names = ["as it was", "fitted to the other half", "fitted to all of them"]
        for (name, (_, quality)) in zip(names, qualities) {
            let numbers = [quality.recall, quality.gain].map {
                Terminal.padded(Terminal.decimals($0, 4), to: 9, isRight: true)
            }
            Terminal.print("  \(Terminal.padded(name, to: 32)) \(numbers[0])\(numbers[1])")
        }
        for (name, old, new) in Self.changes(from: before, to: tuning.settings) {
            Terminal.print("  \(Terminal.padded(name, to: 10)) \(old) → \(new)")
        }
        if isKept {
            Terminal.print("kept: recalls of this home go by these weights (--reset takes them away)")
        } else if !tuning.isBetter {
            Terminal.print("not better for questions that were not fitted: leave the weights as they are")
        } else {
            Terminal.print(
                "better for questions that were not fitted: --apply keeps these weights in the home")
        }
    }

    /// Each number that differs, with its name.
    private static func changes(
        from old: RecallSettings, to new: RecallSettings
    ) -> [(name: String, old: String, new: String)] {
        var changes: [(name: String, old: String, new: String)] = []
        if old.lexicalWeight != new.lexicalWeight {
            func text(_ share: Double?) -> String { share.map { "\($0)" } ?? "as the embedder advises" }
            changes.append(("words", text(old.lexicalWeight), text(new.lexicalWeight)))
        }
        for (name, path) in RecallWeights.names
        where old.weights[keyPath: path] != new.weights[keyPath: path] {
            changes.append((name, "\(old.weights[keyPath: path])", "\(new.weights[keyPath: path])"))
        }
        return changes
    }

    private static func write(_ settings: RecallSettings, to json: inout JSONWriter) {
        json.name("weights")
        json.beginObject()
        for (name, path) in RecallWeights.names { json.member(name, settings.weights[keyPath: path]) }
        json.endObject()
        if let share = settings.lexicalWeight { json.member("words", share) }
    }
}

/// A file of questions whose answers are known: an object a line.
private struct LabelledQuestions {
    let path: String

    private static let fields = ["text", "evidence", "asked_at", "until"]

    /// - Throws: `Failure` that names the line, and what is wrong with it.
    func read(in namespace: Namespace, _ engine: Engine) async throws -> [LabelledQuestion] {
        var questions: [LabelledQuestion] = []
        do {
            var lines = LineReader(try ByteStream(path: path))
            while let line = try lines.next() {
                if line.bytes.allSatisfy({ $0 <= 0x20 }) { continue }
                do {
                    questions.append(try await question(line.bytes, in: namespace, engine))
                } catch let error as EngineError {
                    throw ImportError(line: line.number, error.message)
                }
            }
        } catch let error as ImportError {
            throw Failure(ImportError(isMissing: error.isMissing, "\(path): \(error)"))
        }
        guard questions.count >= 10 else {
            throw EngineError(
                .invalid,
                "\(path) has \(questions.count) questions; weights are fitted to 10 or more, better to hundreds"
            )
        }
        return questions
    }

    private func question(
        _ bytes: [UInt8], in namespace: Namespace, _ engine: Engine
    ) async throws -> LabelledQuestion {
        let value: JSONValue
        do {
            value = try JSONParser.parse(bytes)
        } catch {
            throw EngineError(.invalid, "this line is no JSON: \(error)")
        }
        guard let text = value["text"]?.string, let names = value["evidence"]?.array, !names.isEmpty else {
            throw EngineError(
                .invalid,
                "a question is an object with \"text\" and a list of \"evidence\", ids or keys of memories")
        }
        if let object = value.object,
            let other = object.members.first(where: { !Self.fields.contains($0.name) })
        {
            throw EngineError(
                .invalid,
                "\"\(Visible.line(other.name))\" is no field of a question; it has \(Self.fields.joined(separator: ", "))"
            )
        }
        var query = RecallQuery(text, in: namespace)
        query.now = try time("asked_at", value)
        let until = try time("until", value)
        query.filter = until.map { .happened(.distantPast..<$0) }
        var evidence: Set<MemoryID> = []
        for name in names {
            guard let name = name.string, !name.isEmpty else {
                throw EngineError(
                    .invalid, "\"evidence\" is a list of ids or keys, and this is \(name.kindName)")
            }
            let id = try await MemoryReference(name).resolve(in: namespace, engine)
            guard let memory = try await engine.get(id, in: namespace) else {
                throw EngineError(.notFound, "\(id) is no memory in \(namespace)")
            }
            // No recall of the question could give it.
            if let until, memory.happened.lowerBound >= until {
                throw EngineError(
                    .invalid, "\(id) happened after \"until\", and so cannot answer the question")
            }
            evidence.insert(id)
        }
        return LabelledQuestion(query, evidence: evidence)
    }

    private func time(_ name: String, _ value: JSONValue) throws -> Timestamp? {
        guard let member = value[name], member != .null else { return nil }
        guard let text = member.string, let time = TimeArgument.absolute(text) else {
            throw EngineError(.invalid, "\"\(name)\" is no time, as 2026-11-23 or 2026-11-23T08:30Z")
        }
        return time
    }
}
