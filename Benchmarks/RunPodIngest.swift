import ArgumentParser
import Embedders
import Foundation
import MemoryEngine

/// Memories that get their vectors from a worker of RunPod's queue.
struct RunPodIngest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runpod",
        abstract: "Texts a second that get their vectors from one RunPod worker, 32 jobs in flight.",
        discussion: """
            The endpoint is there already, and RUNPOD_API_KEY is its key. `Benchmarks/peers/runpod` starts one on this machine and \
            measures the worker alone beside it.
            """)

    @OptionGroup var common: CommonOptions
    @Option(help: "The endpoint, by the URL that stands before /run.") var url: String
    @Option(help: "The worker's model, by the name that it has for it.") var model: String
    @Option(help: "The dimension of its vectors.") var dimension: Int
    @Option(help: "A file of texts: a JSON string on each line.") var texts: String

    func run() async throws {
        let lines = try String(contentsOfFile: texts, encoding: .utf8).split(separator: "\n")
        let drafts = try lines.map { MemoryDraft(try JSONDecoder().decode(String.self, from: Data($0.utf8))) }
        let embedder = try RunPodEmbedder(
            queue: url, key: ProcessInfo.processInfo.environment["RUNPOD_API_KEY"],
            space: EmbeddingSpace(model: model, dimension: dimension))
        // A worker that is not there yet is started by that.
        _ = try await embedder.embed([.text("text")], for: .passage)
        let scratch = try Scratch(common)
        let home = Namespace.project("ingest")
        var options = Engine.Options()
        options.embedding = .later
        let engine = try Engine.open(at: scratch.path + "/store", embedder: embedder, options: options)
        for start in stride(from: 0, to: drafts.count, by: Engine.maximumBatchCount) {
            try await engine.remember(
                Array(drafts[start..<min(start + Engine.maximumBatchCount, drafts.count)]), in: home)
        }
        let start = ContinuousClock.now
        let progress = try await engine.embed(in: home)
        let seconds = (ContinuousClock.now - start).seconds
        var report = Report("runpod")
        report.add(
            .init(
                name: "vectors stored", parameters: "\(progress.added) texts",
                median: Double(progress.added) / seconds, unit: "texts/s"))
        report.print(json: common.json)
        await engine.close()
    }
}
