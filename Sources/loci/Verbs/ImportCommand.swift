import ArgumentParser
import Foundation
import MemoryEngine

extension ImportFormat: ExpressibleByArgument {}
extension ImportRun.ErrorPolicy: ExpressibleByArgument {}

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract:
            "Import memories: JSON Lines, git histories, changelogs, documents, notes, conversations, exports.",
        usage:
            "loci import <path> ... [--format <form>] [--on-error stop|skip] [--threads <count>] [options]",
        discussion: """
              loci import facts.jsonl -n project/atlas
              loci import src/atlas -n project/atlas    # a git history
              loci import docs README.md
              loci import vault -n user/ada    # Markdown notes with settings at their heads
              loci import conversations.json -n user/ada    # of ChatGPT or Claude
              loci import changelog.Debian.gz -n project/debian --on-error skip
              loci import backup.jsonl    # of loci export
              cat facts.jsonl | loci import - --json

            FORMS, told by the name and the first bytes, or by --format

              jsonl             a JSON object a line, see below; also what loci export wrote
              git               a folder with .git, or bare: a memory for each commit of its branch
              debian-changelog  package (version) …; a memory for each item
              text              Markdown or plain text: a memory for each section
              notes             Markdown with --- settings --- at its head: a memory for each file
              chatgpt, claude   conversations.json of an export: a memory for each message
                                of the conversation as it was last shown

            Of a conversation of ChatGPT the branch that was last shown is taken (that of current_node); how many messages \
            stand on others is said.

            Of a note, title, tags, aliases, created and author are read, and each [[link]] is an attribute: \
            loci list --filter 'has:link:TARGET' finds what leads to a note. In a folder with .obsidian every \
            Markdown file is a note.

            A line of JSON needs `content`; it may have key, namespace, kind, actor, thread, happenedAt, \
            validFrom, validUntil, expiresAt, tags, keywords, attributes, importance, pinned, origin, \
            vectors (space to numbers) and attachments. A line's own namespace goes before --namespace, \
            and how many lines have another one is said. \
            Vectors of a line are used; where there are none, the embedder makes them.

            Run it again as often as you like: nothing comes twice. A line without a key is known by its \
            bytes, so that two lines that are alike are one memory.

            Histories and changelogs name people, by names and addresses. Those of one person are put together \
            at the end, each by an edge with its evidence: loci people shows them, loci unlink takes one back.

            With --on-error stop, files of JSON Lines, changelogs and documents are read through before \
            anything is stored, and refused as a whole; of other input the batches before stay. What an embedder \
            refuses, such as a text with more tokens than its model takes, shows when it is asked: it is named as \
            any other line that is wrong, and what was stored before it stays.

            With --json each batch prints {"committed":5,"new":4,"known":1,"failed":2,"line":9}: so many memories (and \
            edges) of the file are on disk, those that are new and those that were known together, and so many were \
            left out; "line" is the last line (commit, message) that was dealt with, blank ones counted.

            An import that stops leaves in the store what it said was there, and run again it goes on from there.

            A server (--connect) is sent a hundred memories at a time. With --on-error stop nothing is sent after those \
            among which one is wrong; the others of them stay. What the server's embedder refuses is named, and left out \
            or stopped at, as here; while it does not answer, the server stores without vectors, makes up for them, and \
            how many wait is said. Attachments and lines of loci export are for the store itself, and names are not put \
            together.
            """)

    @Argument(help: "Files and folders; `-` is standard input.", completion: .file())
    var paths: [String]
    @Option(help: "The form, if it is not to be told from the file.")
    var format: ImportFormat?
    @Option(help: "What to do about a line that is wrong: stop (refuse), or skip (leave it out).")
    var onError: ImportRun.ErrorPolicy = .stop
    @Option(
        help: ArgumentHelp(
            "How many memories are one transaction, 1 to 10,000 (by default 1,000, or as many as the embedder wants).",
            valueName: "count"),
        transform: Accept.count(1...Engine.maximumBatchCount, as: 1_000))
    var batch: Int?
    @OptionGroup var threads: ThreadsOption
    @OptionGroup var place: PlaceOptions

    func validate() throws {
        guard !paths.isEmpty else { throw ValidationError("say what to import") }
    }

    func run() async throws {
        let namespace = try place.namespace.given()
        try place.store.check()
        var sources: [ImportSource] = []
        for path in paths { sources += try ImportSource.find(at: path, format: format) }
        Signals.noticeInterrupts()
        let found = sources
        let isComplete = try await place.store.withStore(for: .loading, threads: threads.count) { store in
            if onError == .stop {
                var known = KnownMemories()
                for source in found where source.canBeReadTwice {
                    try await validate(source, &known, namespace, store)
                }
            }
            var sum = ImportRun.Outcome()
            let start = ContinuousClock.now
            do {
                for source in found where !sum.isInterrupted {
                    var outcome = ImportRun.Outcome()
                    defer { sum += outcome }
                    try await run(source, &outcome, namespace, store)
                }
            } catch {
                if sum.committed > 0 {
                    Terminal.note(
                        "\(Self.line(sum)) before it stopped: that stays, and running it again brings only the rest"
                    ) { Self.write(sum, to: &$0) }
                }
                throw error
            }
            if let engine = store as? Engine, !sum.isInterrupted, sum.new > 0 {
                try await resolvePeople(of: found, namespace, engine)
            }
            if sum.isInterrupted {
                Terminal.note("loci: interrupted; run the same command again to go on")
            } else if !place.json {
                let seconds = (ContinuousClock.now - start).inSeconds
                let rate = seconds > 0 ? Int(Double(sum.committed) / seconds) : 0
                Terminal.print(
                    Self.line(sum)
                        + Terminal.styled(
                            "  \(Terminal.decimals(seconds, 1)) s, \(Terminal.grouped(rate))/s", .dim))
            }
            if sum.waiting > 0 {
                let count = sum.waiting
                Terminal.note(
                    "\(Terminal.grouped(count)) \(count == 1 ? "has" : "have") no vector yet: what makes them "
                        + (store is RemoteStore
                            ? "did not answer, and the server makes up for that"
                            : "is not there or did not answer; `loci reembed` says why, and makes up for it")
                ) { $0.member("waiting", count) }
            }
            if sum.branched > 0 {
                let count = sum.branched
                Terminal.note(
                    "\(Terminal.grouped(count)) \(count == 1 ? "message" : "messages") of other branches than the one "
                        + "last shown \(count == 1 ? "was" : "were") left out"
                ) { $0.member("leftOut", count) }
            }
            if sum.elsewhere > 0, let namespace {
                let option = try place.namespace.said() == nil ? "LOCI_NAMESPACE" : "--namespace"
                let count = sum.elsewhere
                Terminal.note(
                    "\(Terminal.grouped(count)) \(count == 1 ? "line names" : "lines name") a namespace other than \(namespace), "
                        + "which goes before \(option): what \(count == 1 ? "it says" : "they say") is there"
                ) { $0.member("elsewhere", count) }
            }
            // A server does that by itself.
            if let engine = store as? Engine, !sum.isInterrupted {
                // Also where all was known: what was interrupted may have left the indexes unfinished.
                await place.store.finishIndexing(of: engine, within: nil)
            }
            return !sum.isInterrupted && !Signals.isInterrupted
        }
        if !isComplete { throw ExitCode(Signals.interruptStatus) }
    }

    /// Histories tell who did what by names and addresses, of which one person may have several.
    private func resolvePeople(
        of sources: [ImportSource], _ namespace: Namespace?, _ engine: Engine
    ) async throws {
        guard let namespace, sources.contains(where: { $0.format?.namesPeople ?? true }) else { return }
        let resolution = try await engine.resolvePeople(in: namespace)
        guard resolution.personCount < resolution.identityCount, !place.json else { return }
        Terminal.note(
            "\(Terminal.grouped(resolution.identityCount)) names with addresses are "
                + (resolution.personCount == 1
                    ? "one person" : "\(Terminal.grouped(resolution.personCount)) people") + ": loci people")
    }

    private func validate(
        _ source: ImportSource, _ known: inout KnownMemories, _ namespace: Namespace?,
        _ store: any MemoryStore
    ) async throws {
        let progress = Progress("reading \(source.name)", isBytes: true, isSilent: place.json)
        defer { progress.finish() }
        do {
            try await importer(source, namespace, store).validate(source, &known) {
                progress.update($0.done, of: $0.total)
            }
        } catch let error as ImportError {
            throw Failure(
                ImportError("\(source.path): \(error); nothing was imported\(Self.wayOut(of: error))"))
        }
    }

    private func run(
        _ source: ImportSource, _ outcome: inout ImportRun.Outcome, _ namespace: Namespace?,
        _ store: any MemoryStore
    ) async throws {
        do {
            try await Progress(
                "importing \(source.name)", unit: source.format == .git ? "commits" : "",
                isBytes: source.format != .git,
                isSilent: place.json
            ).during { progress in
                try await importer(source, namespace, store).run(source, &outcome) {
                    progress.update($0.done, of: $0.total)
                }
            }
            if outcome.isInterrupted {
                Terminal.note(
                    "\(source.path): \(Terminal.grouped(outcome.committed)) of its memories are in the store")
            }
        } catch let error as ImportError {
            let message = "\(source.path): \(error)\(Self.wayOut(of: error))"
            throw Failure(ImportError(isMissing: error.isMissing, message))
        }
    }

    private static func wayOut(of error: ImportError) -> String {
        error.isFatal ? "" : "; --on-error skip leaves it out"
    }

    private func importer(
        _ source: ImportSource, _ namespace: Namespace?, _ store: any MemoryStore
    ) -> ImportRun {
        let wanted = (store as? Engine)?.embedder?.preferredBatchCount ?? 0
        return ImportRun(
            store: store, namespace: namespace, policy: onError,
            batchCount: batch ?? min(max(1_000, wanted), Engine.maximumBatchCount),
            report: { outcome in if place.json { print(outcome, of: source) } },
            complain: { Terminal.note("loci: \($0)") })
    }

    private func print(_ outcome: ImportRun.Outcome, of source: ImportSource) {
        Terminal.printObject { json in
            Self.write(outcome, to: &json)
            json.member("line", outcome.line)
            if paths.count > 1 || source.name != source.path { json.member("source", source.name) }
        }
    }

    private static func write(_ outcome: ImportRun.Outcome, to json: inout JSONWriter) {
        json.member("committed", outcome.committed)
        json.member("new", outcome.new)
        json.member("known", outcome.known)
        json.member("failed", outcome.failed)
    }

    private static func line(_ outcome: ImportRun.Outcome) -> String {
        var line = "\(Terminal.grouped(outcome.new)) new, \(Terminal.grouped(outcome.known)) known already"
        if outcome.failed > 0 { line += ", \(Terminal.grouped(outcome.failed)) left out" }
        return line
    }
}

extension ImportRun.Outcome {
    /// What came of several sources.
    fileprivate static func += (sum: inout Self, outcome: Self) {
        sum.new += outcome.new
        sum.known += outcome.known
        sum.failed += outcome.failed
        sum.waiting += outcome.waiting
        sum.branched += outcome.branched
        sum.elsewhere += outcome.elsewhere
        sum.isInterrupted = outcome.isInterrupted
    }
}
