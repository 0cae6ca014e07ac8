import ArgumentParser
import MemoryEngine

struct EmbedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed",
        abstract: "Give vectors to the memories that were stored without them.",
        discussion: """
              loci embed --namespace project/atlas
              loci embed --namespace project/atlas --closed

            What was stored with another embedder, or with none, has no vectors in the space of this one. Each \
            batch is on disk before the next begins; run again after an interruption, it goes on. It ends when the vectors are \
            linked, or another process waits to write.
            """)

    @Flag(help: "Also versions that were replaced, which --as-of looks at.")
    var closed = false
    @Option(help: ArgumentHelp("How many passages are embedded at a time.", valueName: "count"))
    var batch = 256
    @OptionGroup var threads: ThreadsOption
    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var store: StoreOptions

    func validate() throws {
        guard (1...10_000).contains(batch) else { throw ValidationError("--batch takes 1 to 10000") }
    }

    func run() async throws {
        let namespace = try namespace.required()
        try await store.withEngine(for: .changing, threads: threads.count) { engine in
            let done = try await Progress("embedding", unit: "passages", isSilent: store.json).during {
                progress in
                try await engine.embed(in: namespace, includesClosed: closed, batchCount: batch) {
                    progress.update($0.added + $0.obsolete + $0.skipped, of: nil)
                }
            }
            if done.added + done.obsolete + done.skipped == 0 {
                _ = try await engine.existingHomes(under: namespace)
            }
            show(done, namespace)
            await store.finishIndexing(of: engine, within: nil)
        }
    }

    private func show(_ done: EmbeddingProgress, _ namespace: Namespace) {
        store.printCounts(
            [("added", done.added), ("obsolete", done.obsolete), ("skipped", done.skipped)],
            text: "\(namespace): \(Terminal.counted(done.added, "vector")) added"
                + (done.skipped > 0
                    ? ", \(Terminal.grouped(done.skipped)) \(done.skipped == 1 ? "passage has" : "passages have") no text"
                    : ""))
    }
}
