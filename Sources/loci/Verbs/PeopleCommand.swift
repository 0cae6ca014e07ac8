import ArgumentParser
import MemoryEngine

struct PeopleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "people",
        abstract: "Show who is who: names and addresses that are one person's, and why.",
        usage: "loci people [<alias>] [options]",
        discussion: """
              loci people
              loci people --merges
              loci people --resolve
              loci unlink EDGE    # take a merge back; it is not made again

            People are those who said or did something (actor), by what address (attribute email). Imports of git \
            histories and changelogs put them together at their end, and --resolve does it now: by one mailbox, one full \
            name, an address that spells or abbreviates the name, one login. Each merge is an edge sameAs between two \
            aliases. Join two yourself by loci link ID ID --as sameAs, with the ids that --json shows.
            """)

    @Argument(help: "A name or an address; by default all.")
    var alias: String?
    @Flag(help: "Put together what can be, first.")
    var resolve = false
    @Flag(help: "Show why they are one, with the ids of the edges.")
    var merges = false
    @OptionGroup var place: PlaceOptions

    func run() async throws {
        try await place.withEngine(for: resolve ? .changing : .reading) { engine, namespace in
            if resolve { try await engine.resolvePeople(in: namespace) }
            let people =
                if let alias { try await engine.people(named: alias, in: namespace) } else {
                    try await engine.people(in: namespace)
                }
            if let alias, people.isEmpty {
                throw EngineError(
                    .notFound,
                    "nobody in \(namespace.home) whose memories give an e-mail address (attribute `email`) is called \(alias)"
                )
            }
            if people.isEmpty, !place.json {
                Terminal.note(
                    "nobody: people are those whose memories give an e-mail address (attribute `email`)")
            }
            for person in people {
                if place.json { print(person) } else { try await show(person, in: namespace, engine) }
            }
        }
    }

    private func show(_ person: Person, in namespace: Namespace, _ engine: Engine) async throws {
        let count = Terminal.padded(Terminal.grouped(person.count), to: 8, isRight: true)
        Terminal.print("\(count)  \(Visible.line(person.name))")
        var seen: Set<String> = [person.name]
        for identity in person.identities {
            let parts = [identity.name, identity.address].filter { !$0.isEmpty && seen.insert($0).inserted }
            if parts.isEmpty { continue }
            Terminal.print(Terminal.styled("          " + Visible.line(parts.joined(separator: "  ")), .dim))
        }
        guard merges else { return }
        for edge in person.merges {
            let from = try await engine.get(edge.from, in: namespace.home)?.content ?? ""
            let to = try await engine.get(edge.to, in: namespace.home)?.content ?? ""
            Terminal.print(
                "    \(edge.id?.description ?? "")  \(Visible.line(from)) = \(Visible.line(to))"
                    + Terminal.styled("  \(Visible.line(edge.rule ?? "given"))", .dim))
        }
    }

    private func print(_ person: Person) {
        var json = JSONWriter()
        json.beginObject()
        json.member("name", person.name)
        json.member("count", person.count)
        json.objects("identities", person.identities) { json, identity in
            json.member("name", identity.name)
            json.member("address", identity.address)
            json.member("count", identity.count)
            json.member("first", identity.first)
            json.member("last", identity.last)
        }
        json.member("aliases", person.aliases.map(\.description))
        json.list("merges", person.merges) { $0.write($1) }
        json.endObject()
        Terminal.print(json.text)
    }
}
