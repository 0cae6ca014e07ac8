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

            A home is a project, a user or an agent, and one file. LOCI_NAMESPACE says nothing here.
            """)

    @OptionGroup var place: PlaceOptions

    func run() async throws {
        let subtree = try place.namespace.said()
        try await place.store.withStore(for: .reading) { store in
            var isWhole = true
            let homes: [Namespace]
            if let subtree {
                homes = try await store.existingHomes(under: subtree)
            } else {
                homes = try await store.homes(under: nil)
            }
            for home in homes {
                let statistics: HomeStatistics
                do {
                    statistics = try await store.stats(in: home)
                } catch let error as EngineError {
                    // One that cannot be read hides no other.
                    isWhole = false
                    Terminal.note("\(NamespaceArgument.text(of: home)): \(error.message)")
                    continue
                }
                if place.json {
                    Terminal.printObject { json in
                        json.member("home", home.description)
                        json.member("memories", statistics.memories)
                        json.member("bytes", statistics.fileBytes)
                    }
                } else {
                    let count = Terminal.padded(Terminal.grouped(statistics.memories), to: 12, isRight: true)
                    let size = Terminal.padded(Terminal.bytes(statistics.fileBytes), to: 10, isRight: true)
                    let word = statistics.memories == 1 ? "memory  " : "memories"
                    Terminal.print("\(count) \(word)  \(size)  \(NamespaceArgument.text(of: home))")
                }
            }
            if !isWhole { throw ExitCode(ExitStatus.failure) }
        }
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
