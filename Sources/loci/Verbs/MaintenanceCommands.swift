import ArgumentParser
import Foundation
import MemoryEngine

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look over homes for damage: every page, every checksum, every reference.",
        discussion: """
              loci check                            (all homes, unless LOCI_NAMESPACE is set)
              loci check --namespace project/atlas
              loci check --file backup/atlas.loci

            It reads the pages itself before the database does, so that damage cannot stop it. Exit status 1 \
            if something is wrong: then stop writing, and `loci restore` a snapshot.
            """)

    @Option(help: ArgumentHelp("A file, wherever it lies, instead of a home of a store.", valueName: "path"))
    var file: String?
    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var store: StoreOptions

    func run() async throws {
        var isClean = true
        if let file {
            isClean = show(try await Engine.check(fileAt: file, progress: progress(file)), of: file)
        } else {
            let given = try namespace.given()
            isClean = try await store.withEngine(for: .reading) { engine in
                var isClean = true
                for home in try given.map({ [$0.home] }) ?? engine.homes() {
                    let report = try await engine.check(in: home, progress: progress(home.description))
                    if !show(report, of: home.description) { isClean = false }
                }
                return isClean
            }
        }
        if !isClean { throw ExitCode(ExitStatus.failure) }
    }

    private func progress(_ name: String) -> @Sendable (Int, Int) -> Void {
        let progress = Progress("checking \(name)", unit: "pages", isSilent: store.json)
        return { done, total in
            progress.update(done, of: total)
            if done >= total { progress.finish() }
        }
    }

    private func show(_ report: CheckReport, of name: String) -> Bool {
        if store.json {
            var json = JSONWriter()
            json.beginObject()
            json.member("home", name)
            json.member("isClean", report.problems.isEmpty)
            json.name("problems")
            json.beginArray()
            for problem in report.problems { json.write(problem) }
            json.endArray()
            json.member("pages", report.pages)
            json.member("entries", report.entries)
            json.member("memories", report.memories)
            json.member("passages", report.passages)
            json.member("vectors", report.vectors)
            json.endObject()
            Terminal.print(json.text)
        } else if report.problems.isEmpty {
            Terminal.print(
                "\(name): \(Terminal.styled("clean", .green)); \(Terminal.grouped(report.pages)) pages, "
                    + "\(Terminal.grouped(report.entries)) entries, \(Terminal.grouped(report.memories)) memories, "
                    + "\(Terminal.grouped(report.passages)) passages, \(Terminal.grouped(report.vectors)) vectors"
            )
        } else {
            Terminal.print("\(name): \(Terminal.styled("damaged", .red))")
            for problem in report.problems { Terminal.print("  \(Terminal.visible(problem))") }
        }
        return report.problems.isEmpty
    }
}

struct DumpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump",
        abstract: "Every entry of every table of a home, in words, for a person.",
        discussion: """
              loci dump --namespace project/atlas | less

            For other programs there is `loci export`.
            """)

    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var store: StoreOptions

    func run() async throws {
        let namespace = try namespace.required()
        try await store.withEngine(for: .reading) { engine in
            try await engine.dump(in: namespace) { Terminal.print(Terminal.visible($0)) }
        }
    }
}

struct CompactCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact",
        abstract: "Rewrite the file of a home without free pages.",
        discussion: """
              loci compact --namespace project/atlas

            Bytes of forgotten memories that were left in free pages are gone afterwards. Nobody else may use \
            the home meanwhile.
            """)

    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var store: StoreOptions

    func run() async throws {
        let namespace = try namespace.required()
        let sizes = try await store.withEngine(for: .changing) { engine in
            try await store.withProgress("compacting \(namespace.home)") {
                try await engine.compact(in: namespace, progress: $0)
            }
        }
        store.printCounts(
            [("bytesBefore", sizes.before), ("bytesAfter", sizes.after)],
            text:
                "\(namespace.home): \(Terminal.bytes(sizes.before)) before, \(Terminal.bytes(sizes.after)) now"
        )
    }
}

struct VacuumCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vacuum",
        abstract: "Remove what has expired and old versions that nobody needs; then compact.",
        discussion: """
              loci vacuum --namespace project/atlas
              loci vacuum --closed-days 90 --keep 3
              loci vacuum --closed-days 90 --keep 3 --remember-policy

            A version that was replaced goes when it is older than --closed-days and not among the newest \
            --keep ones of its memory. Without options the home's own policy holds; it removes none unless \
            one was set by --remember-policy.
            """)

    @Option(help: ArgumentHelp("Remove versions that were replaced longer ago.", valueName: "days"))
    var closedDays: Double?
    @Option(
        help: ArgumentHelp("How many replaced versions of a memory stay in any case.", valueName: "count"))
    var keep: Int?
    @Flag(help: "Make what is said here the policy of the home.")
    var rememberPolicy = false
    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var store: StoreOptions

    func validate() throws {
        guard closedDays ?? 0 >= 0, closedDays ?? 0 <= 1e6, keep ?? 0 >= 0 else {
            throw ValidationError("--closed-days and --keep are not negative")
        }
    }

    /// What was said here; `nil` = nothing.
    private var retention: Retention? {
        guard closedDays != nil || keep != nil else { return nil }
        return Retention(age: closedDays.map { .seconds($0 * 86_400) }, count: keep)
    }

    func run() async throws {
        let namespace = try namespace.required()
        let report = try await store.withEngine(for: .changing) { engine in
            if rememberPolicy { try await engine.setRetention(retention ?? Retention(), in: namespace) }
            return try await store.withProgress("vacuuming \(namespace.home)") {
                try await engine.vacuum(in: namespace, retention: retention, progress: $0)
            }
        }
        store.printCounts(
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

struct RebuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild",
        abstract: "Drop what is derived (columns, index of words) and make it anew from the memories.",
        discussion: """
              loci rebuild --namespace project/atlas

            Readers see the old or the new, and nothing between.
            """)

    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var store: StoreOptions

    func run() async throws {
        let namespace = try namespace.required()
        try await store.withEngine(for: .changing) { engine in
            try await store.withProgress("rebuilding \(namespace.home)") {
                try await engine.rebuild(in: namespace, progress: $0)
            }
        }
        store.printCounts([("rebuilt", 1)], text: "\(namespace.home): rebuilt")
    }
}

struct SnapshotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "Copy a home as it is now, while it is used, with a manifest beside it.",
        discussion: """
              loci snapshot --namespace project/atlas backup/atlas.loci
              loci restore backup/atlas.loci --as project/atlas-then
            """)

    @Argument(help: "The new file; its manifest is PATH.manifest.json.") var path: String
    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var store: StoreOptions

    func run() async throws {
        let namespace = try namespace.required()
        let manifest = try await store.withEngine(for: .reading) { engine in
            try await store.withProgress("copying \(namespace.home)") {
                try await engine.snapshot(of: namespace, to: path, progress: $0)
            }
        }
        store.printCounts(
            [
                ("sequence", Int(manifest.sequence)), ("memories", Int(manifest.memories)),
                ("bytes", manifest.byteCount),
            ],
            text: "\(path): \(Terminal.grouped(manifest.memories)) memories of \(manifest.home), "
                + Terminal.bytes(manifest.byteCount))
    }
}

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put a snapshot into the store, after checking it whole.",
        discussion: """
              loci restore backup/atlas.loci
              loci restore backup/atlas.loci --as project/atlas-then
              loci restore backup/atlas.loci --replace
            """)

    @Argument(help: "The snapshot; its manifest lies beside it.") var path: String
    @Option(
        name: .customLong("as"),
        help: ArgumentHelp("The home; by default that of the snapshot.", valueName: "path"))
    var target: String?
    @Flag(help: "Replace the home that is there.") var replace = false
    @OptionGroup var store: StoreOptions

    func run() async throws {
        let target = try target.map { try Namespace(path: $0) }
        let home = try await store.withEngine(for: .creating) { engine in
            try await engine.restore(from: path, as: target, replacing: replace)
        }
        if store.json {
            var json = JSONWriter()
            json.beginObject()
            json.member("home", home.description)
            json.endObject()
            Terminal.print(json.text)
        } else {
            Terminal.print("\(home): restored from \(path)")
        }
    }
}

extension StoreOptions {
    /// Runs work that says how far it has come.
    func withProgress<Result>(
        _ title: String, _ body: (@escaping @Sendable (Int, Int) -> Void) async throws -> Result
    ) async throws -> Result {
        let progress = Progress(title, unit: "entries", isSilent: json)
        defer { progress.finish() }
        return try await body { done, total in progress.update(done, of: total) }
    }

    /// A line for a person, or an object of numbers for a program.
    func printCounts(_ counts: [(name: String, value: Int)], text: String) {
        guard json else { return Terminal.print(text) }
        var json = JSONWriter()
        json.beginObject()
        for count in counts { json.member(count.name, count.value) }
        json.endObject()
        Terminal.print(json.text)
    }
}
