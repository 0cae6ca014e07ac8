import ArgumentParser
import MemoryEngine

extension Engine.ListOrder: ExpressibleByArgument {}

struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List memories, page by page.",
        discussion: """
              loci list --kind event --since 2026-11-01 --order happenedDescending
              loci list --filter 'tag:deploy && !actor:robot' --limit 20
              loci list --json | while read -r memory; do …; done

            A page that is not the last ends with the --after of the next one, on standard error.
            """)

    @OptionGroup var filter: FilterOptions
    @Option(help: "In which order: recorded, recordedDescending, happened, happenedDescending.")
    var order: Engine.ListOrder = .recordedDescending
    @Option(help: "How many at most, 1 to 10,000.")
    var limit = 50
    @Option(help: ArgumentHelp("Where the page before stopped.", valueName: "cursor"))
    var after: String?
    @Flag(help: "Also what was retracted or superseded, has expired, or is not valid now.")
    var all = false
    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var store: StoreOptions

    func run() async throws {
        let namespace = try namespace.required()
        let filter = try filter.condition()
        try await store.withEngine(for: .reading) { engine in
            let page = try await engine.list(
                in: namespace, filter: filter, order: order, after: after, limit: limit, includesClosed: all)
            // A typing error in the name must not look like an empty memory.
            if page.memories.isEmpty, try !engine.homes().contains(namespace.home) {
                throw EngineError(.notFound, "there is no home \(namespace.home)")
            }
            if store.json {
                for memory in page.memories { memory.print(asJSON: true) }
            } else {
                for memory in page.memories { Terminal.print(Self.line(memory)) }
            }
            if let next = page.next { Terminal.note("more: --after \(next)") }
        }
    }

    private static func line(_ memory: Memory) -> String {
        let who = Terminal.padded(Terminal.visible(String((memory.actor ?? "").prefix(18))), to: 18)
        let kind = Terminal.padded(Terminal.visible(String(memory.kind.rawValue.prefix(9))), to: 9)
        return "\(memory.id)  \(memory.happened.lowerBound.day)  \(kind)  \(who)  "
            + Terminal.firstLine(memory.content, atMost: 70)
    }
}
