import ArgumentParser
import MemoryEngine

/// Recalls of a home at rest, and while another caller remembers as fast as it can: one memory a time, which leaves a core
/// free now and then, and in batches, which leaves none.
struct Mixed: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mixed",
        abstract: "Recalls while memories come in, beside those of the same home at rest.")

    @OptionGroup var common: CommonOptions
    @Option(
        help: "How many memories there are before. Texts beyond those of the corpus are its own once more.")
    var count = 50_000
    @Option(
        help:
            "How many homes they are spread over. With more than one, each question and each batch is of another."
    )
    var homes = 1
    @Option(help: "How many questions, at rest and during each kind of ingest.") var questions = 1_000

    func run() async throws {
        let fresh = 60_000
        let corpus = try Corpus(common, count: min(count + fresh, 120_000))
        let embedded = try CorpusVectors(common)
        let rows = embedded.rows(count + fresh)
        let scratch = try Scratch(common)
        let engine = try Engine.open(at: scratch.path + "/store", options: Engine.benchOptions())
        let places = (0..<homes).map { Namespace.project("mixed-\($0)") }
        let texts = (0..<count + fresh).map { corpus.paragraphs[$0 % corpus.paragraphs.count] }
        for (number, home) in places.enumerated() {
            let range = count * number / homes..<count * (number + 1) / homes
            try await engine.load(texts[range], Array(rows[range]), in: home)
        }
        let asked = Questions.make(
            from: corpus.paragraphs[(corpus.paragraphs.count - fresh / 2)...],
            over: corpus.paragraphs[..<min(count, corpus.paragraphs.count - fresh / 2)], count: questions,
            seed: 5)
        let vectors = embedded.mixtures(questions, seed: 6)
        var random = SeededRandom(seed: 8)
        let chosen = (0..<questions).map { _ in places[Int(random.next() % UInt64(homes))] }
        func ask() async throws -> Samples {
            var samples = Samples()
            for (place, (text, vector)) in zip(asked, vectors).enumerated() {
                var query = RecallQuery(text, in: chosen[place])
                query.embeddings = [Embedding(vector, in: CorpusVectors.space)]
                let ready = query
                try await samples.time { _ = try await engine.recall(ready) }
            }
            return samples
        }
        var report = Report("mixed")
        _ = try await ask()
        let idle = try await ask()
        report.add(
            .init(
                name: "recall, at rest",
                parameters: "\(count) × 384" + (homes > 1 ? ", \(homes) homes" : ""), median: idle.median,
                p99: idle.p99,
                unit: "ms"))
        var next = count
        for batch in [1, 100] {
            let (first, last) = (next, next + fresh / 2)
            // A flag and no cancellation, which the call under way would take for its own.
            let done = Done()
            let ingest = Task {
                try await remember(texts, rows, first..<last, batch: batch, engine, places, until: done)
            }
            let busy = try await ask()
            done.set()
            next = try await ingest.value
            let ratio = busy.p99 / idle.p99
            report.add(
                .init(
                    name: "recall, while memories come in", parameters: "\(batch) a synced commit",
                    median: busy.median, p99: busy.p99, unit: "ms",
                    peer: (name: "at rest (p99)", ratio: ratio),
                    aim: batch == 1 ? .init(text: "p99 ≤ 2 × at rest", isMet: ratio <= 2) : nil))
            report.note("\(next - first) memories came in, \(batch) a commit, during \(questions) questions")
            if next == last { report.note("they ended before the questions did: bring more, or ask less") }
            for home in places.prefix(100) { try await engine.settle(home) }
        }
        report.print(json: common.json)
        await engine.close()
    }

    /// Remembers until `done` is set or there is nothing left, a batch in each home by turns. Returns the place behind the
    /// last.
    private func remember(
        _ paragraphs: [String], _ rows: [[Float]], _ places: Range<Int>, batch: Int, _ engine: Engine,
        _ homes: [Namespace], until done: Done
    ) async throws -> Int {
        var next = places.lowerBound
        let batches = Engine.batches(
            paragraphs[places], Array(rows[places]), space: CorpusVectors.space, size: batch)
        for (number, drafts) in batches.enumerated() {
            if done.isSet { break }
            // A step that shares no divisor with the number of homes as a rule, so that none comes twice soon.
            let home = homes[number * 7_919 % homes.count]
            for result in try await engine.remember(drafts, in: home) { _ = try result.get() }
            next += drafts.count
        }
        return next
    }
}
