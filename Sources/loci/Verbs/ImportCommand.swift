import ArgumentParser
import Foundation
import MemoryEngine

extension ImportFormat: ExpressibleByArgument {}
extension ImportRun.ErrorPolicy: ExpressibleByArgument {}

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Import memories: JSON Lines, a git history, Debian changelogs, documents, an export.",
        discussion: """
              loci import notes.jsonl -n project/atlas
              loci import ~/src/atlas -n project/atlas    (a git history)
              loci import docs README.md -n project/atlas
              loci import changelog.Debian.gz -n project/debian
              loci import backup.jsonl                    (of loci export)

            A line of JSON needs `content`; it may have key, namespace, kind, actor, thread, happenedAt, \
            validFrom, validUntil, expiresAt, tags, keywords, attributes, importance, pinned, origin, \
            vectors (space to numbers) and attachments. A line's own namespace goes before --namespace. \
            Vectors of a line are used; where there are none, the embedder makes them.

            Run it again as often as you like: nothing comes twice. A line without a key is known by its \
            bytes, so that two lines that are alike are one memory.

            With --on-error stop, files of JSON Lines, changelogs and documents are read through before \
            anything is stored, and refused as a whole; of other input the batches before stay.

            With --json each line of output is {"committed":n}: n lines of the file are on disk.
            """)

    @Argument(help: "Files and folders; `-` is standard input.")
    var paths: [String]
    @Option(help: "The form, if it is not to be guessed: jsonl, git, debian-changelog, text.")
    var format: ImportFormat?
    @Option(help: "What to do about a line that is wrong: stop (refuse), or skip (leave it out).")
    var onError: ImportRun.ErrorPolicy = .stop
    @Option(help: ArgumentHelp("How many memories are one transaction, 1 to 10,000.", valueName: "count"))
    var batch = 1_000
    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var store: StoreOptions

    func validate() throws {
        guard (1...Engine.maximumBatchCount).contains(batch) else {
            throw ValidationError("--batch takes 1 to \(Engine.maximumBatchCount)")
        }
        guard !paths.isEmpty else { throw ValidationError("say what to import") }
    }

    func run() async throws {
        let namespace = try namespace.given()
        _ = try store.path()
        var sources: [ImportSource] = []
        for path in paths { sources += try ImportSource.find(at: path, format: format) }
        Signals.noticeInterrupts()
        let found = sources
        let isComplete = try await store.withEngine(for: .creating) { engine in
            if onError == .stop {
                for source in found where source.canBeReadTwice { try validate(source, namespace, engine) }
            }
            var sum = ImportRun.Outcome()
            let start = ContinuousClock.now
            for source in found where !sum.isInterrupted {
                let outcome = try await run(source, namespace, engine)
                sum.new += outcome.new
                sum.known += outcome.known
                sum.failed += outcome.failed
                sum.isInterrupted = outcome.isInterrupted
            }
            if sum.isInterrupted {
                Terminal.note("loci: interrupted; run the same command again to go on")
            } else if !store.json {
                Terminal.print(Self.line(sum, seconds: (ContinuousClock.now - start).inSeconds))
            }
            return !sum.isInterrupted
        }
        if !isComplete { throw ExitCode(Signals.interruptStatus) }
    }

    private func validate(_ source: ImportSource, _ namespace: Namespace?, _ engine: Engine) throws {
        let progress = Progress("reading \(source.name)", unit: "", isBytes: true, isSilent: store.json)
        defer { progress.finish() }
        do {
            try importer(source, namespace, engine).validate(source) {
                progress.update($0.done, of: $0.total)
            }
        } catch let error as ImportError {
            throw Failure("import", "\(source.path): \(error); nothing was imported")
        }
    }

    private func run(
        _ source: ImportSource, _ namespace: Namespace?, _ engine: Engine
    ) async throws -> ImportRun.Outcome {
        let progress = Progress(
            "importing \(source.name)", unit: "commits", isBytes: source.format != .git, isSilent: store.json)
        defer { progress.finish() }
        do {
            let outcome = try await importer(source, namespace, engine).run(source) {
                progress.update($0.done, of: $0.total)
            }
            if outcome.isInterrupted {
                progress.finish()
                Terminal.note("\(source.path): \(outcome.committed) lines are in the store")
            }
            return outcome
        } catch let error as ImportError {
            throw Failure("import", "\(source.path): \(error)")
        }
    }

    private func importer(_ source: ImportSource, _ namespace: Namespace?, _ engine: Engine) -> ImportRun {
        ImportRun(
            engine: engine, namespace: namespace, policy: onError, batchCount: batch,
            report: { outcome in if store.json { Terminal.print(Self.json(outcome, source, of: paths.count)) }
            },
            complain: { Terminal.note("loci: \($0)") })
    }

    private static func json(
        _ outcome: ImportRun.Outcome, _ source: ImportSource, of pathCount: Int
    ) -> String {
        var json = JSONWriter()
        json.beginObject()
        json.member("committed", outcome.committed)
        json.member("new", outcome.new)
        json.member("known", outcome.known)
        json.member("failed", outcome.failed)
        if pathCount > 1 || source.name != source.path { json.member("source", source.name) }
        json.endObject()
        return json.text
    }

    private static func line(_ outcome: ImportRun.Outcome, seconds: Double) -> String {
        let count = outcome.new + outcome.known
        var line = "\(Terminal.grouped(outcome.new)) new, \(Terminal.grouped(outcome.known)) known already"
        if outcome.failed > 0 { line += ", \(Terminal.grouped(outcome.failed)) left out" }
        let rate = seconds > 0 ? Int(Double(count) / seconds) : 0
        return line
            + Terminal.styled("  \(Terminal.decimals(seconds, 1)) s, \(Terminal.grouped(rate))/s", .dim)
    }
}
