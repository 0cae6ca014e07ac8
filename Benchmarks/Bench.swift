import ArgumentParser
import Foundation

/// Measures what `docs/performance.md` claims.
///
/// Each subcommand builds what it needs in a scratch folder on the disk, measures, prints a table with the aim
/// beside each figure, and removes the folder. Figures that depend on the machine stand beside a peer that is
/// measured in the same run.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures the engine, on real text, beside its peers.",
        discussion: """
            The text and its vectors are made once:

                scripts/fetch-corpus .cache/corpus
                scripts/embed-corpus .cache/corpus 101000

            A figure is the median of many, with the p99 beside it. `met` and `missed` compare it with the aim.
            """,
        subcommands: [
            All.self, Words.self, Vectors.self, Ingest.self, RememberOne.self, Fragmented.self, Open.self,
            Homes.self, Writers.self, MemoryUse.self, Kernels.self, FirstRecall.self, Serve.self, Index.self,
            RecallTime.self, RecallQuality.self, Latency.self, ConsolidationTime.self, Confidence.self,
            Contradictions.self, Linking.self, Mixed.self, Backlog.self, EntityNames.self,
            Replace.self,
            Traverse.self,
            Build.self, Append.self, Search.self, ServerLoad.self, RecallOverTCP.self, Encode.self,
            RawText.self, Intents.self, RunPodIngest.self,
        ])
}

/// What every subcommand takes.
struct CommonOptions: ParsableArguments {
    @Option(help: "Where scripts/fetch-corpus and scripts/embed-corpus put the text and its vectors.")
    var data = ".cache/corpus"

    @Option(help: "A folder for scratch stores, on the disk that is to be measured. It is made and removed.")
    var scratch = ".cache/bench"

    @Flag(help: "Print JSON, one object for each subcommand.")
    var json = false

    var arguments: [String] {
        ["--data", data, "--scratch", scratch] + (json ? ["--json"] : [])
    }
}

/// Every measurement, each in a process of its own.
struct All: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "all", abstract: "Every measurement, one after the other.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        var failures: [String] = []
        for name in [
            "kernels", "words", "vectors", "ingest", "remember", "fragmented", "open", "homes", "writers",
            "memory", "index", "recall-time", "linking", "mixed", "backlog", "replace", "traverse",
        ] {
            let status = try Child.run([name] + common.arguments)
            if status != 0 { failures.append(name) }
        }
        guard failures.isEmpty else {
            throw ValidationError("these did not finish: \(failures.joined(separator: ", "))")
        }
    }
}

/// This program, once more, in a process of its own.
enum Child {
    static var program: URL { URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath() }

    /// Runs it with the terminal of this one; returns its exit status.
    static func run(_ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// Runs it and returns what it printed.
    static func output(_ arguments: [String]) throws -> String {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = program
        process.arguments = arguments
        process.standardOutput = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw ValidationError("`bench \(arguments.joined(separator: " "))` failed")
        }
        return String(decoding: data, as: UTF8.self)
    }
}
