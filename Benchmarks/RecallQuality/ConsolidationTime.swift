import ArgumentParser
import Foundation
import MemoryEngine

/// How long a consolidation takes, step by step.
struct ConsolidationTime: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consolidation", abstract: "How long a consolidation takes, step by step.",
        discussion: """
            One home holds the folder's turns and, where more are asked for, mixtures of them. Seconds are of processor time, \
            of all threads together; what making vectors takes is in them where the embedded default makes them.

                bench consolidation --data DIR --vectors minilm --memories 10000
            """)

    @OptionGroup var common: CommonOptions
    @Option(
        help:
            "Which vectors of the folder: those of turns.NAME.f16. Without it, the embedded default makes them."
    )
    var vectors: String?
    @Option(help: "How many memories.") var memories = 10_000

    func validate() throws {
        guard memories > 0 else { throw ValidationError("--memories is above 0") }
    }

    func run() async throws {
        let scratch = try Scratch(common)
        guard
            let mixed = try await MixedMemories(
                memories, of: common.data, vectors: vectors, at: scratch.path, "consolidation", .commit)
        else { return }
        let (engine, home) = (mixed.engine, mixed.home)
        var report = Report("consolidation")
        var sum = 0.0
        for step in ConsolidationStep.allCases {
            let start = Self.processorSeconds
            let done = try await engine.consolidate(in: home, steps: [step])
            let seconds = Self.processorSeconds - start
            sum += seconds
            if let reason = done.leftOut[step] {
                report.note("\(step.rawValue): left out, \(reason)")
            } else {
                report.add(
                    .init(
                        name: step.rawValue, parameters: "\(done.found[step] ?? 0) found", median: seconds,
                        unit: "s"))
            }
        }
        report.add(
            .init(
                name: "all", parameters: "\(memories) memories", median: sum, unit: "s",
                aim: .init(text: "< 60 s for 10,000", isMet: sum < 60)))
        let start = Self.processorSeconds
        let again = try await engine.consolidate(in: home)
        report.add(
            .init(
                name: "once more", parameters: "\(again.found.values.reduce(0, +)) found",
                median: Self.processorSeconds - start, unit: "s"))
        await engine.close()
        report.print(json: common.json)
    }

    /// What this process has taken of processors.
    private static var processorSeconds: Double {
        var usage = rusage()
        // Safe because the call writes one whole structure, of which the address is good for its duration.
        guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}
