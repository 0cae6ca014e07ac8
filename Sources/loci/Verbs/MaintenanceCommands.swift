import ArgumentParser
import Foundation
import MemoryEngine

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look over homes for damage: every page, every checksum, every reference.",
        usage: "loci check [--file <path>] [options]",
        discussion: """
              loci check    # all homes, unless LOCI_NAMESPACE is set
              loci check -n project/atlas
              loci check --file backup/atlas.loci

            It reads the pages itself before the database does, so that damage cannot stop it. A snapshot is \
            compared with the manifest beside it. Exit status 1 \
            if something is wrong: then stop writing, and `loci restore` a snapshot.
            """)

    @Option(
        help: ArgumentHelp("A file, wherever it lies, instead of a home of a store.", valueName: "path"),
        completion: .file())
    var file: String?
    @OptionGroup var place: PlaceOptions

    func run() async throws {
        var isClean = true
        if let file {
            let report = try await place.store.withProgress("checking \(file)", unit: "pages") {
                try await Engine.check(fileAt: file, progress: $0)
            }
            isClean = show(report, of: Visible.line(file))
        } else {
            isClean = try await place.store.withEngine(for: .reading) { engine in
                var isClean = true
                let given = try place.namespace.given()
                var homes: [Namespace] = []
                if given?.root ?? .tenant == .tenant { homes = try engine.vectorSetHomes(under: given) }
                // A tenant may have vector sets and nothing else.
                let hasMemories = try !engine.homes(under: given).isEmpty
                if homes.isEmpty || hasMemories {
                    homes = try await place.namespace.namespaces(of: engine).map(\.home) + homes
                }
                for home in homes {
                    let report = try await place.store.withProgress("checking \(home)", unit: "pages") {
                        try await engine.check(in: home, progress: $0)
                    }
                    if !show(report, of: home.description) { isClean = false }
                }
                return isClean
            }
        }
        if !isClean { throw ExitCode(ExitStatus.failure) }
    }

    private func show(_ report: CheckReport, of name: String) -> Bool {
        if place.json {
            Terminal.printObject { json in
                json.member("home", name)
                json.member("isClean", report.problems.isEmpty)
                json.list("problems", report.problems) { $0.write($1) }
                json.member("pages", report.pages)
                json.member("entries", report.entries)
                json.member("memories", report.memories)
                json.member("passages", report.passages)
                json.member("vectors", report.vectors)
            }
        } else if report.problems.isEmpty {
            Terminal.print(
                "\(name): \(Terminal.styled("clean", .green)); \(Terminal.grouped(report.pages)) pages, "
                    + "\(Terminal.grouped(report.entries)) entries, \(Terminal.grouped(report.memories)) memories, "
                    + "\(Terminal.counted(report.passages, "passage")), \(Terminal.counted(report.vectors, "vector"))"
            )
        } else {
            Terminal.print("\(name): \(Terminal.styled("damaged", .red))")
            for problem in report.problems {
                Terminal.print("  \(Visible.line(problem.replacing(Self.advice, with: "")))")
            }
            Terminal.note(
                "what is made of memories (words, edges, indexes) `loci rebuild` makes anew, without a loss; if `loci check` names "
                    + "more after that, restore a snapshot")
        }
        return report.problems.isEmpty
    }

    /// What damage is told with elsewhere.
    private static let advice = "; run `loci check`, then restore a snapshot"
}

struct DumpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump",
        abstract: "Every entry of every table of a home, in words, for a person.",
        usage: "loci dump [options]",
        discussion: """
              loci dump -n project/atlas | less

            An entry is a line: ends of lines and control characters in it are written as \\n and \\u{1B}. For \
            other programs there is `loci export`.
            """)

    @OptionGroup var place: PlaceOptions

    func run() async throws {
        try await place.withEngine(for: .reading) { engine, namespace in
            let asJSON = place.json
            try await engine.dump(in: namespace) { entry in
                if asJSON {
                    Terminal.printObject { $0.member("entry", entry) }
                } else {
                    Terminal.print(Visible.line(entry))
                }
            }
        }
    }
}

struct CompactCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact",
        abstract: "Rewrite the file of a home without free pages.",
        usage: "loci compact [options]",
        discussion: """
              loci compact -n project/atlas

            Bytes of forgotten memories that were left in free pages are gone afterwards. Nobody else may use \
            the home meanwhile.
            """)

    @OptionGroup var place: PlaceOptions

    func run() async throws {
        try await place.withEngine(for: .changing) { engine, namespace in
            let sizes = try await place.store.withProgress("compacting \(namespace.home)") {
                try await engine.compact(in: namespace, progress: $0)
            }
            place.store.printCounts(
                [("bytesBefore", sizes.before), ("bytesAfter", sizes.after)],
                text:
                    "\(namespace.home): \(Terminal.bytes(sizes.before)) before, \(Terminal.bytes(sizes.after)) now"
            )
        }
    }
}

struct VacuumCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vacuum",
        abstract: "Remove what has expired and old versions that nobody needs; then compact.",
        usage: "loci vacuum [--closed-days <days>] [--keep <count>] [options]",
        discussion: """
              loci vacuum -n project/atlas
              loci vacuum --closed-days 90 --keep 3
              loci vacuum --closed-days 90 --keep 3 --remember-policy

            A version that was replaced goes when it is older than --closed-days and not among the newest \
            --keep ones of its memory. Without options the home's own policy holds; it removes none unless \
            one was set by --remember-policy.
            """)

    @Option(
        help: ArgumentHelp("Remove versions that were replaced longer ago.", valueName: "days"),
        transform: Accept.number(0...1_000_000, as: "90"))
    var closedDays: Double?
    @Option(
        help: ArgumentHelp("How many replaced versions of a memory stay in any case.", valueName: "count"),
        transform: Accept.count(0...1_000_000_000, as: 3))
    var keep: Int?
    @Flag(help: "Make what is said here the policy of the home.")
    var rememberPolicy = false
    @OptionGroup var place: PlaceOptions

    /// What was said here; `nil` = nothing.
    private var retention: Retention? {
        guard closedDays != nil || keep != nil else { return nil }
        return Retention(age: closedDays.map { .seconds($0 * 86_400) }, count: keep)
    }

    func run() async throws {
        try await place.withEngine(for: .changing) { engine, namespace in
            if rememberPolicy { try await engine.setRetention(retention ?? Retention(), in: namespace) }
            let report = try await place.store.withProgress("vacuuming \(namespace.home)") {
                try await engine.vacuum(in: namespace, retention: retention, progress: $0)
            }
            place.store.printCounts(
                [
                    ("expired", report.expired), ("versions", report.versions),
                    ("bytesBefore", report.bytesBefore),
                    ("bytesAfter", report.bytesAfter),
                ],
                text: "\(namespace.home): removed \(Terminal.grouped(report.expired)) expired memories and "
                    + "\(Terminal.grouped(report.versions)) versions; \(Terminal.bytes(report.bytesBefore)) before, "
                    + "\(Terminal.bytes(report.bytesAfter)) now")
        }
    }
}

struct RebuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild",
        abstract:
            "Drop what is derived (columns, index of words, graphs over vectors) and make it anew from the memories.",
        usage: "loci rebuild [--threads <count>] [options]",
        discussion: """
              loci rebuild -n project/atlas

            Readers see the old or the new, and nothing between.
            """)

    @OptionGroup var threads: ThreadsOption
    @OptionGroup var place: PlaceOptions

    func run() async throws {
        try await place.withEngine(for: .changing, threads: threads.count) { engine, namespace in
            try await place.store.withProgress("rebuilding \(namespace.home)", unit: "passages") {
                try await engine.rebuild(in: namespace, progress: $0)
            }
            place.store.printCounts([("rebuilt", 1)], text: "\(namespace.home): rebuilt")
        }
    }
}

struct SnapshotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "Copy a home as it is now, while it is used, with a manifest beside it.",
        usage: "loci snapshot <path> [options]",
        discussion: """
              loci snapshot -n project/atlas backup/atlas-today.loci
              loci restore backup/atlas-today.loci --as project/atlas-then
            """)

    @Argument(help: "The new file; its manifest is PATH.manifest.json.", completion: .file())
    var path: String
    @OptionGroup var place: PlaceOptions

    func run() async throws {
        let manifest = try await place.withEngine(for: .reading) { engine, namespace in
            try await place.store.withProgress("copying \(namespace.home)") {
                try await engine.snapshot(of: namespace, to: path, progress: $0)
            }
        }
        place.store.printCounts(
            [
                ("sequence", Int(manifest.sequence)), ("memories", Int(manifest.memories)),
                ("bytes", manifest.byteCount),
            ],
            text:
                "\(Visible.line(path)): \(Terminal.grouped(manifest.memories)) memories of \(manifest.home), "
                + Terminal.bytes(manifest.byteCount))
    }
}

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put a snapshot into the store, after checking it whole.",
        usage: "loci restore <path> [--as <path>] [--replace] [options]",
        discussion: """
              loci restore backup/atlas.loci --as project/atlas-copy
              loci restore backup/atlas.loci --replace

            Without --as it becomes the home that it was taken of, which must not be there without --replace.
            """)

    @Argument(help: "The snapshot; its manifest lies beside it.", completion: .file(extensions: ["loci"]))
    var path: String
    @Option(
        name: .customLong("as"),
        help: ArgumentHelp("The home; by default that of the snapshot.", valueName: "path"),
        transform: NamespaceArgument.one)
    var target: Namespace?
    @Flag(help: "Replace the home that is there.") var replace = false
    @OptionGroup var store: StoreOptions

    func run() async throws {
        guard FileManager.default.fileExists(atPath: path) else {
            // Before a store is made for nothing.
            throw EngineError(.notFound, "there is no snapshot at \(path)")
        }
        let home = try await store.withEngine(for: .creating) { engine in
            try await Progress("restoring \(path)", isSilent: store.json).during { _ in
                do {
                    return try await engine.restore(from: path, as: target, replacing: replace)
                } catch let error as EngineError where error.code == .conflict && !replace {
                    throw EngineError(
                        .conflict, error.message + ": --replace, or --as project/NAME")
                }
            }
        }
        if store.json {
            Terminal.printObject { $0.member("home", home.description) }
        } else {
            Terminal.print("\(home): restored from \(Visible.line(path))")
        }
    }
}

extension StoreOptions {
    /// Runs work that says how far it has come.
    func withProgress<Result>(
        _ title: String, unit: String = "entries",
        _ body: (@escaping @Sendable (Int, Int) -> Void) async throws -> Result
    ) async throws -> Result {
        try await Progress(title, unit: unit, isSilent: json).during { progress in
            try await body { done, total in progress.update(done, of: total) }
        }
    }

    /// A line for a person, or an object of numbers for a program.
    func printCounts(_ counts: [(name: String, value: Int)], text: String) {
        guard json else { return Terminal.print(text) }
        Terminal.printObject { json in for count in counts { json.member(count.name, count.value) } }
    }
}
