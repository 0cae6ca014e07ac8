import ArgumentParser
import MemoryEngine

extension Engine.ListOrder: ExpressibleByArgument {}

struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List memories, page by page.",
        usage: "loci list [--kind <kind>] [--tag <tag>] [--since <time>] [--filter <expression>] [options]",
        discussion: """
              loci list --kind event --since 2026-11-01 --order happenedDescending
              loci list --since "2 weeks ago" --limit 20
              loci list --filter 'tag:deploy && !actor:robot'
              loci list --json | while read -r memory; do echo "$memory"; done

            A page that is not the last ends with the --after of the next one, on standard error; with --json it is \
            {"note":…,"after":…}.
            """)

    @OptionGroup var filter: FilterOptions
    @Option(help: "In which order.")
    var order: Engine.ListOrder = .recordedDescending
    @Option(
        help: ArgumentHelp("How many at most, 1 to 10,000 (by default 50).", valueName: "count"),
        transform: Accept.count(1...10_000, as: 20))
    var limit = 50
    @Option(help: ArgumentHelp("Where the page before stopped.", valueName: "cursor"))
    var after: String?
    @Flag(help: "Also what was retracted or superseded, has expired, or is not valid now.")
    var all = false
    @OptionGroup var place: PlaceOptions

    func run() async throws {
        let filter = try filter.condition()
        try await place.withStore(for: .reading) { store, namespace in
            let page = try await store.list(
                in: namespace, filter: filter, order: order, after: after, limit: limit, includesClosed: all)
            if page.memories.isEmpty { _ = try await store.existingHomes(under: namespace) }
            if place.json {
                for memory in page.memories { memory.print(asJSON: true) }
            } else {
                for memory in page.memories { Terminal.print(Self.line(memory)) }
            }
            if let next = page.next { Terminal.note("more: --after \(next)") { $0.member("after", next) } }
        }
    }

    private static func line(_ memory: Memory) -> String {
        let who = Terminal.padded(String(Visible.line(memory.actor ?? "").prefix(18)), to: 18)
        let kind = Terminal.padded(String(Visible.line(memory.kind.rawValue).prefix(9)), to: 9)
        return "\(memory.id)  \(memory.happened.lowerBound.day)  \(kind)  \(who)  "
            + Terminal.firstLine(memory.content, atMost: 70)
    }
}
