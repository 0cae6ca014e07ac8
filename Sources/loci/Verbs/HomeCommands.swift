import ArgumentParser
import MemoryEngine

struct HomesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "homes",
        abstract: "List the homes of the store.",
        discussion: """
              loci homes
              loci homes --namespace @acme --json

            A home is a project, a user or an agent, and one file.
            """)

    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var store: StoreOptions

    func run() async throws {
        let subtree = try namespace.namespace.map { try Namespace(path: $0) }
        try await store.withEngine(for: .reading) { engine in
            for home in try engine.homes(under: subtree) {
                let statistics = try await engine.stats(in: home)
                if store.json {
                    var json = JSONWriter()
                    json.beginObject()
                    json.member("home", home.description)
                    json.member("memories", statistics.memories)
                    json.member("bytes", statistics.fileBytes)
                    json.endObject()
                    Terminal.print(json.text)
                } else {
                    let count = Terminal.padded(Terminal.grouped(statistics.memories), to: 12, isRight: true)
                    let size = Terminal.padded(Terminal.bytes(statistics.fileBytes), to: 10, isRight: true)
                    Terminal.print("\(count) memories  \(size)  \(home)")
                }
            }
        }
    }
}

struct StatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "What a home holds, and what it takes on disk.",
        discussion: """
              loci stats --namespace project/atlas
              loci stats --json            (all homes, unless LOCI_NAMESPACE is set)
            """)

    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var store: StoreOptions

    func run() async throws {
        let given = try namespace.given()
        try await store.withEngine(for: .reading) { engine in
            for home in try given.map({ [$0.home] }) ?? engine.homes() {
                let statistics = try await engine.stats(in: home)
                if store.json { Self.printJSON(statistics) } else { Self.print(statistics) }
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
                "\(Terminal.grouped(space.vectors)) in \(space.space.name), \(Terminal.grouped(space.tailVectors)) "
                    + "in the tail")
        }
        line("receipts", Terminal.grouped(statistics.receipts))
        line("commits", Terminal.grouped(statistics.sequence))
        line(
            "file",
            "\(Terminal.bytes(statistics.fileBytes)), \(Terminal.grouped(statistics.freePages)) free pages")
        line("readers", "\(statistics.readers)")
        line("made", statistics.created.description)
        for (name, size) in statistics.tables.sorted(by: { $0.key < $1.key }) {
            line(
                "table \(name)",
                "\(Terminal.grouped(size.entries)) entries, \(Terminal.grouped(size.pages)) pages, \(size.depth) levels"
            )
        }
    }

    private static func printJSON(_ statistics: HomeStatistics) {
        var json = JSONWriter()
        json.beginObject()
        json.member("home", statistics.namespace.description)
        json.member("memories", statistics.memories)
        json.member("versions", statistics.versions)
        json.member("passages", statistics.passages)
        json.member("currentPassages", statistics.currentPassages)
        json.member("tailPassages", statistics.tailPassages)
        json.name("spaces")
        json.beginArray()
        for space in statistics.spaces {
            json.beginObject()
            json.member("space", space.space.name)
            json.member("vectors", space.vectors)
            json.member("tailVectors", space.tailVectors)
            json.endObject()
        }
        json.endArray()
        json.member("receipts", statistics.receipts)
        json.member("sequence", statistics.sequence)
        json.member("bytes", statistics.fileBytes)
        json.member("freePages", statistics.freePages)
        json.member("readers", statistics.readers)
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
        json.endObject()
        Terminal.print(json.text)
    }
}

struct ChangesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "changes",
        abstract: "What happened to a home, commit by commit.",
        discussion: """
              loci changes --namespace project/atlas
              loci changes --after 120 --follow --json

            A change names a memory, and never its words. Go on with --after and the last commit you saw.
            """)

    @Option(help: ArgumentHelp("Only commits after this one.", valueName: "commit"))
    var after: UInt64 = 0
    @Flag(help: "Wait for new ones, until interrupted.")
    var follow = false
    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var store: StoreOptions

    func run() async throws {
        let namespace = try namespace.required()
        try await store.withEngine(for: .reading) { engine in
            for try await change in engine.changes(after: after, in: namespace, upToNow: !follow) {
                if store.json {
                    var json = JSONWriter()
                    json.beginObject()
                    json.member("sequence", change.sequence)
                    json.member("time", change.time)
                    json.member("kind", change.kind.name)
                    json.member("id", change.id.description)
                    json.member("version", change.version)
                    json.endObject()
                    Terminal.print(json.text)
                } else {
                    let number = Terminal.padded("\(change.sequence)", to: 8, isRight: true)
                    let kind = Terminal.padded(change.kind.name, to: 10)
                    Terminal.print("\(number)  \(change.time)  \(kind)  \(change.id)@\(change.version)")
                }
            }
        }
    }
}
