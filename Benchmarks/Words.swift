import ArgumentParser
import Foundation
import MemoryEngine

/// Recall by words over 100,000 real passages, and with exact vectors of 20,000 of them added.
struct Words: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "words", abstract: "Recall by words over real passages, then with exact vectors added.")

    @OptionGroup var common: CommonOptions
    @Option(help: "How many passages.") var count = 100_000
    @Option(help: "How many of them have a vector.") var vectors = 20_000
    @Option(help: "How many questions, each asked once.") var questions = 1_000

    @Flag(help: ArgumentHelp("This process is on one core already.", visibility: .hidden)) var isPinned =
        false

    func run() async throws {
        if !isPinned, try runOnOneCore() { return }
        let corpus = try Corpus(common, count: count + 20_000)
        let embedded = try CorpusVectors(common)
        let passages = corpus.paragraphs[..<count]
        let asked = Questions.make(
            from: corpus.paragraphs[count...], over: passages, count: questions, seed: 2)
        let rows = embedded.rows(min(vectors, count))
        let queries = embedded.mixtures(asked.count, seed: 3)

        let scratch = try Scratch(common)
        let home = Namespace.project("words")
        let engine = try Engine.open(at: scratch.path + "/store", options: Engine.benchOptions(.none))
        try await engine.load(passages, rows, in: home)

        var report = Report("words")
        var parameters = "\(count) passages, \(asked.count) questions"
        var byWords = Samples()
        var timings = RecallTimings()
        for question in asked.prefix(20) { _ = try await engine.recall(Self.query(question, nil, home)) }
        for question in asked {
            let recall = try await byWords.time { try await engine.recall(Self.query(question, nil, home)) }
            timings.add(recall.timings)
        }
        report.add(
            .init(
                name: "recall by words", parameters: parameters, median: byWords.median, p99: byWords.p99,
                unit: "ms",
                aim: .init(text: "p50 < 3 ms, p99 < 8 ms", isMet: byWords.median < 3 && byWords.p99 < 8)))
        report.note("median parts: \(timings.text)")

        var fused = Samples()
        timings = RecallTimings()
        parameters += ", \(rows.count) × 384 vectors, exact"
        for (question, vector) in zip(asked, queries) {
            let recall = try await fused.time { try await engine.recall(Self.query(question, vector, home)) }
            timings.add(recall.timings)
        }
        report.add(
            .init(
                name: "recall by words and vectors", parameters: parameters, median: fused.median,
                p99: fused.p99,
                unit: "ms", aim: .init(text: "p99 < 10 ms", isMet: fused.p99 < 10)))
        report.note("median parts: \(timings.text)")
        report.note(isPinned ? "pinned to one core" : "not pinned: `taskset` is missing")
        report.note("at least 3 terms a question, one of them in over 1 % of the passages, none asked twice")
        report.note("questions' vectors are mixtures of a passage's vector and three neighbors' with noise")
        report.print(json: common.json)
        await engine.close()
    }

    /// Runs this measurement once more, kept on one core by `taskset`; false where there is none.
    private func runOnOneCore() throws -> Bool {
        let taskset = URL(fileURLWithPath: "/usr/bin/taskset")
        guard FileManager.default.isExecutableFile(atPath: taskset.path) else { return false }
        let process = Process()
        process.executableURL = taskset
        process.arguments =
            [
                "-c", "0", Child.program.path, "words", "--is-pinned", "--count", "\(count)", "--vectors",
                "\(vectors)",
            ]
            + ["--questions", "\(questions)"] + common.arguments
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw ExitCode(process.terminationStatus) }
        return true
    }

    private static func query(_ text: String, _ vector: [Float]?, _ home: Namespace) -> RecallQuery {
        var query = RecallQuery(text, in: home)
        if let vector {
            query.embeddings = [Embedding(vector, in: CorpusVectors.space)]
        } else {
            query.channels = [.words, .context]
        }
        return query
    }
}

/// Questions out of paragraphs that are not in the store.
enum Questions {
    /// Runs of 6 to 12 words with at least 3 terms that some passage has, one of which over 1 % of the passages
    /// have; no two have the same terms.
    static func make(
        from held: ArraySlice<String>, over passages: ArraySlice<String>, count: Int, seed: UInt64
    ) -> [String] {
        var documents: [[UInt8]: Int] = [:]
        for passage in passages {
            for term in Set(terms(of: passage)) { documents[term, default: 0] += 1 }
        }
        var random = SeededRandom(seed: seed)
        var seen = Set<Set<[UInt8]>>()
        var questions: [String] = []
        for paragraph in held where questions.count < count {
            let words = paragraph.split(separator: " ")
            let length = min(words.count, Int.random(in: 6...12, using: &random))
            let start = Int.random(in: 0...words.count - length, using: &random)
            let text = words[start..<start + length].joined(separator: " ")
            let known = Set(terms(of: text)).filter { documents[$0] != nil }
            guard known.count >= 3, known.contains(where: { documents[$0] ?? 0 > passages.count / 100 }),
                seen.insert(known).inserted
            else { continue }
            questions.append(text)
        }
        return questions
    }

    private static func terms(of text: String) -> [[UInt8]] {
        var terms: [[UInt8]] = []
        let bytes = Array(text.utf8)
        Tokenizer().forEachTerm(in: bytes.span) { term in
            terms.append(term.indices.map { term[$0] })
        }
        return terms
    }
}

/// What the parts of recalls took.
struct RecallTimings {
    private var parts: [(name: String, samples: Samples)] = [
        ("filter", Samples()), ("words", Samples()), ("vectors", Samples()), ("ranking", Samples()),
        ("decoding", Samples()), ("all", Samples()),
    ]

    init() {}

    /// What the parts of one recall took.
    init(_ timings: Recall.Timings) { add(timings) }

    mutating func add(_ timings: Recall.Timings) {
        for (index, part) in [
            timings.filter, timings.words, timings.vectors, timings.ranking, timings.decoding, timings.total,
        ].enumerated() { parts[index].samples.add(part.milliseconds) }
    }

    /// By part: median and p99, in milliseconds.
    var milliseconds: [String: [String: Double]] {
        Dictionary(
            uniqueKeysWithValues: parts.map {
                ($0.name, ["p50_ms": $0.samples.median, "p99_ms": $0.samples.p99])
            })
    }

    var text: String {
        parts.map { "\($0.name) \(Report.digits($0.samples.median)) ms" }.joined(separator: ", ")
    }
}
