import ArgumentParser
import MemoryEngine

struct HomesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "homes",
        abstract: "List the homes of the store.",
        usage: "loci homes [--namespace <path>] [options]",
        discussion: """
              loci homes
              loci homes --json
              loci homes -n @acme    # those of a tenant

            A home is a project, a user or an agent, or holds the vector sets of a tenant, and is one file. A server tells \
            those of memories. LOCI_NAMESPACE says nothing here.
            """)

    @OptionGroup var place: PlaceOptions

    func run() async throws {
        let subtree = try place.namespace.said()
        try await place.store.withStore(for: .reading) { store in
            let engine = store as? Engine
            let sets = try engine?.vectorSetHomes(under: subtree) ?? []
            let homes: [Namespace]
            if let subtree, sets.isEmpty {
                homes = try await store.existingHomes(under: subtree)
            } else {
                homes = try await store.homes(under: subtree)
            }
            var isWhole = true
            for home in homes {
                isWhole =
                    try await told(home) {
                        let statistics = try await store.stats(in: home)
                        return Line(
                            kind: "memories", counts: [("memories", Int(statistics.memories))],
                            fileBytes: statistics.fileBytes)
                    } && isWhole
            }
            for home in sets {
                isWhole =
                    try await told(home) {
                        guard let totals = try await engine?.vectorSetTotals(in: home) else { return nil }
                        return Line(
                            kind: "vectorSets",
                            counts: [("elements", totals.elements), ("sets", totals.sets)],
                            fileBytes: totals.fileBytes)
                    } && isWhole
            }
            if !isWhole { throw ExitCode(ExitStatus.failure) }
        }
    }

    /// What there is to tell of a home.
    private struct Line {
        let kind: String
        /// The first of them stands in front.
        let counts: [(name: String, count: Int)]
        let fileBytes: Int
    }

    /// Tells of a home. Returns whether it can be read; one that cannot hides no other.
    private func told(_ home: Namespace, _ read: () async throws -> Line?) async throws -> Bool {
        let line: Line?
        do {
            line = try await read()
        } catch let error as EngineError {
            Terminal.note("\(NamespaceArgument.text(of: home)): \(error.message)")
            return false
        }
        guard let line, let first = line.counts.first else { return true }
        guard !place.json else {
            Terminal.printObject { json in
                json.member("home", home.description)
                json.member("kind", line.kind)
                for (name, count) in line.counts { json.member(name, count) }
                json.member("bytes", line.fileBytes)
            }
            return true
        }
        func words(_ name: String, _ count: Int) -> String {
            guard count == 1 else { return name }
            return name == "memories" ? "memory" : String(name.dropLast())
        }
        let count = Terminal.padded(Terminal.grouped(first.count), to: 12, isRight: true)
        let size = Terminal.padded(Terminal.bytes(line.fileBytes), to: 10, isRight: true)
        let rest = line.counts.dropFirst().map {
            "  (\(Terminal.grouped($0.count)) vector \(words($0.name, $0.count)))"
        }
        Terminal.print(
            "\(count) \(Terminal.padded(words(first.name, first.count), to: 8))  \(size)  "
                + NamespaceArgument.text(of: home) + rest.joined())
        return true
    }
}

struct StatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "What a home holds, and what it takes on disk.",
        usage: "loci stats [options]",
        discussion: """
              loci stats -n project/atlas
              loci stats --json    # all homes, unless LOCI_NAMESPACE is set
            """)

    @OptionGroup var place: PlaceOptions

    func run() async throws {
        try await place.store.withStore(for: .reading) { store in
            try await place.namespace.namespaces(of: store).forEachWritten { namespace in
                let statistics = try await store.stats(in: namespace.home)
                if place.json { Self.printJSON(statistics) } else { Self.print(statistics) }
            }
        }
    }

    private static func print(_ statistics: HomeStatistics) {
        func line(_ name: String, _ value: String) {
            Terminal.print("  \(Terminal.styled(Terminal.padded(name, to: 18), .dim))\(value)")
        }
        Terminal.print(Terminal.styled(statistics.namespace.description, .bold))
        line("memories", Terminal.grouped(statistics.memories))
        line("versions", Terminal.grouped(statistics.versions))
        line(
            "passages",
            "\(Terminal.grouped(statistics.passages)), \(Terminal.grouped(statistics.currentPassages)) current, "
                + "\(Terminal.grouped(statistics.tailPassages)) in the tail")
        for space in statistics.spaces {
            line(
                "vectors",
                "\(Terminal.grouped(space.vectors)) in \(Visible.line(space.space.name)), \(Terminal.grouped(space.tailVectors)) "
                    + "in the tail, "
                    + (space.linkedVectors == 0
                        ? "no graph" : "\(Terminal.grouped(space.linkedVectors)) in the graph")
                    + (space.erasedVectors == 0
                        ? "" : ", \(Terminal.grouped(space.erasedVectors)) places to reclaim"))
        }
        line("receipts", Terminal.grouped(statistics.receipts))
        line("commits", Terminal.grouped(statistics.sequence))
        line(
            "file",
            "\(Terminal.bytes(statistics.fileBytes)), \(Terminal.grouped(statistics.freePages)) free pages")
        line("readers", "\(statistics.readers)")
        if let age = statistics.oldestSnapshotAge {
            line(
                "snapshots",
                "\(statistics.heldSnapshots) held in this process, the oldest for \(age.components.seconds) seconds"
            )
        }
        line("made", statistics.created.description)
        for (name, size) in statistics.tables.sorted(by: { $0.key < $1.key }) {
            line(
                "table \(name)",
                "\(Terminal.grouped(size.entries)) entries, \(Terminal.grouped(size.pages)) pages, \(size.depth) levels"
            )
        }
    }

    private static func printJSON(_ statistics: HomeStatistics) {
        Terminal.printObject { json in
            json.member("home", statistics.namespace.description)
            json.member("memories", statistics.memories)
            json.member("versions", statistics.versions)
            json.member("passages", statistics.passages)
            json.member("currentPassages", statistics.currentPassages)
            json.member("tailPassages", statistics.tailPassages)
            json.objects("spaces", statistics.spaces) { json, space in
                json.member("space", space.space.name)
                json.member("vectors", space.vectors)
                json.member("tailVectors", space.tailVectors)
                json.member("linkedVectors", space.linkedVectors)
            }
            json.member("receipts", statistics.receipts)
            json.member("sequence", statistics.sequence)
            json.member("bytes", statistics.fileBytes)
            json.member("freePages", statistics.freePages)
            json.member("readers", statistics.readers)
            json.member("heldSnapshots", statistics.heldSnapshots)
            if let age = statistics.oldestSnapshotAge {
                json.member("oldestSnapshotMilliseconds", age.milliseconds)
            }
            json.member("created", statistics.created)
            json.object("tables") { json in
                for (name, size) in statistics.tables.sorted(by: { $0.key < $1.key }) {
                    json.object(name) { json in
                        json.member("entries", size.entries)
                        json.member("pages", size.pages)
                        json.member("depth", size.depth)
                    }
                }
            }
        }
    }
}

struct ChangesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "changes",
        abstract: "What happened to a home, commit by commit.",
        usage: "loci changes [--after <commit>] [--follow] [options]",
        discussion: """
              loci changes -n project/atlas
              loci changes --after 1 --json
              loci changes --follow | head -n 2

            A change names a memory, and never its words. Go on with --after and the last commit you saw.
            """)

    @Option(
        help: ArgumentHelp(
            "Only commits after this one (by default 0, which is before all).", valueName: "commit"),
        transform: Accept.count(0...UInt64.max, as: 120))
    var after: UInt64 = 0
    @Flag(help: "Wait for new ones, until interrupted.")
    var follow = false
    @OptionGroup var place: PlaceOptions

    func run() async throws {
        try await place.withStore(for: .reading) { store, namespace in
            for try await change in store.changes(after: after, in: namespace, upToNow: !follow) {
                if place.json {
                    Terminal.printObject { json in
                        json.member("sequence", change.sequence)
                        json.member("time", change.time)
                        json.member("kind", change.kind.name)
                        json.member("id", change.id.description)
                        json.member("version", change.version)
                    }
                } else {
                    let number = Terminal.padded("\(change.sequence)", to: 8, isRight: true)
                    let kind = Terminal.padded(change.kind.name, to: 10)
                    let time = Terminal.padded(change.time.description, to: 27)
                    Terminal.print("\(number)  \(time)  \(kind)  \(change.id)@\(change.version)")
                }
            }
        }
    }
}
