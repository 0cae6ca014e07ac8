import ArgumentParser
import Glibc
import MemoryEngine

/// Writers of four homes side by side, beside one.
struct Writers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "writers", abstract: "Durable batches of 1,000 into four homes at once, beside one home."
    )

    @OptionGroup var common: CommonOptions
    @Option(help: "How many memories go into each home in a round.") var count = 4_000
    @Option(help: "How many rounds.") var rounds = 3

    func run() async throws {
        let corpus = try Corpus(common, count: count * 4)
        let embedded = try CorpusVectors(common)
        let rows = embedded.rows(count * 4)
        let parts = (0..<4).map { part in
            Engine.batches(
                corpus.paragraphs[part * count..<(part + 1) * count],
                Array(rows[part * count..<(part + 1) * count]), space: CorpusVectors.space)
        }
        let scratch = try Scratch(common)
        let engine = try Engine.open(at: scratch.path + "/store", options: Engine.benchOptions())
        var single = Samples()
        var together = Samples()
        var cores = [Samples(), Samples()]
        for round in 0..<rounds {
            let one = Namespace.project("one-\(round)")
            var (time, used) = try await Self.write([parts[0]], to: [one], engine)
            single.add(Double(count) / time)
            cores[0].add(used)
            try await engine.settle(one)
            let four = (0..<4).map { Namespace.project("four-\(round)-\($0)") }
            (time, used) = try await Self.write(parts, to: four, engine)
            together.add(Double(4 * count) / time)
            cores[1].add(used)
            for home in four { try await engine.settle(home) }
        }
        var report = Report("writers")
        report.add(
            .init(
                name: "one home", parameters: "\(count) memories, 384-d, batches of 1,000",
                median: single.median,
                unit: "memories/s"))
        let ratio = together.median / single.median
        report.add(
            .init(
                name: "four homes", parameters: "\(count) memories each", median: together.median,
                unit: "memories/s", peer: (name: "one home", ratio: ratio),
                aim: .init(text: "≥ 1.7 × one home", isMet: ratio >= 1.7)))
        report.note("median of \(rounds) rounds; one caller for each home")
        report.note(
            "cores kept busy, the indexers' among them: \(Report.digits(cores[0].median)) by one home, "
                + "\(Report.digits(cores[1].median)) by four")
        report.print(json: common.json)
        await engine.close()
    }

    private static func write(
        _ parts: [[[MemoryDraft]]], to homes: [Namespace], _ engine: Engine
    ) async throws -> (seconds: Double, cores: Double) {
        let start = ContinuousClock.now
        let startOfWork = processSeconds()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (batches, home) in zip(parts, homes) {
                group.addTask {
                    for batch in batches {
                        for result in try await engine.remember(batch, in: home) { _ = try result.get() }
                    }
                }
            }
            try await group.waitForAll()
        }
        let seconds = (ContinuousClock.now - start).seconds
        return (seconds, (processSeconds() - startOfWork) / seconds)
    }

    /// Processor time of this process so far.
    private static func processSeconds() -> Double {
        var time = timespec()
        // Safe because the call fills one value.
        guard unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return .nan }
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
