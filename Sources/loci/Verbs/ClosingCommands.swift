import ArgumentParser
import MemoryEngine

/// When the truth of a memory ends; the same option for `supersede` and `retract`.
struct ClosingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("From when on; by default now.", valueName: "time"), transform: Accept.time)
    var at: Timestamp?
    @OptionGroup var place: PlaceOptions
}

struct SupersedeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "supersede",
        abstract: "Say that another memory took the place of one.",
        usage: "loci supersede <memory> <successor> [--at <time>] [options]",
        discussion: """
              loci supersede ID NEW-ID
              loci supersede ID NEW-ID --at 2026-11-01

            The old one is no longer recalled, unless --valid-at or --as-of ask for before.
            """)

    @Argument(help: "The memory that is no longer true, by id or key.", transform: Accept.memory)
    var memory: MemoryReference
    @Argument(help: "The one that took its place.", transform: Accept.memory) var successor: MemoryReference
    @OptionGroup var options: ClosingOptions

    func run() async throws {
        try await options.place.withStore(for: .changing) { store, namespace in
            let id = try await memory.resolve(in: namespace, store)
            let successor = try await successor.resolve(in: namespace, store)
            try await store.supersede(id, by: successor, in: namespace, at: options.at)
            done(id, options.at.flatMap(announced) ?? "superseded", asJSON: options.place.json)
        }
    }
}

struct RetractCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retract",
        abstract: "Say that a memory is not true any more, or never was.",
        usage: "loci retract <memory> [--at <time>] [options]",
        discussion: """
              loci retract ID
              loci retract deploy/81
              loci retract ID --at 2026-11-01

            With --at in the future it stays current until then. It stays in the history; `forget` removes all trace of one.
            """)

    @Argument(help: "Its id or key.", transform: Accept.memory) var memory: MemoryReference
    @OptionGroup var options: ClosingOptions

    func run() async throws {
        try await options.place.withStore(for: .changing) { store, namespace in
            let id = try await memory.resolve(in: namespace, store)
            try await store.retract(id, in: namespace, at: options.at)
            done(id, options.at.flatMap(announced) ?? "retracted", asJSON: options.place.json)
        }
    }
}

struct PromoteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote",
        abstract: "Make a memory part of a wider namespace.",
        usage: "loci promote <memory> --to <path> [options]",
        discussion: """
              loci promote ID -n project/atlas/session/s1 --to project/atlas
              loci promote ID -n user/ada --to project/atlas

            From a session to its home it moves; to another home goes a copy with the same id, and an edge `derivedFrom` leads
            back.
            """)

    @Argument(help: "Its id or key.", transform: Accept.memory) var memory: MemoryReference
    @Option(
        help: ArgumentHelp("The wider namespace.", valueName: "path"), transform: NamespaceArgument.one)
    var to: Namespace
    @OptionGroup var place: PlaceOptions

    func run() async throws {
        try await place.withStore(for: .changing) { store, source in
            let id = try await memory.resolve(in: source, store)
            try await store.promote(id, from: source, to: to).print(in: to, asJSON: place.json)
        }
    }
}

extension Outcome: ExpressibleByArgument {
    public init?(argument: String) {
        guard let outcome = Self.allCases.first(where: { "\($0)" == argument }) else { return nil }
        self = outcome
    }

    public static var allValueStrings: [String] { allCases.map { "\($0)" } }
}

struct RecordCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Say what came of a recall that was asked with --receipt.",
        usage: "loci record <recall> success|failure|ignored [options]",
        discussion: """
              loci recall "How do we roll back?" --receipt
              loci record RECALL-ID success

            The first prints the id of the recall. The namespace is the first by path of those that the \
            recall asked.
            """)

    @Argument(help: "The id of the recall.", transform: Self.recall) var recall: RecallID
    @Argument(help: "What came of it.") var outcome: Outcome
    @OptionGroup var place: PlaceOptions

    func run() async throws {
        try await place.withStore(for: .changing) { store, namespace in
            try await store.record(outcome, of: recall, in: namespace)
        }
        done(MemoryID(rawValue: recall.rawValue), "recorded", asJSON: place.json)
    }

    private static func recall(_ text: String) throws -> RecallID {
        guard let id = RecallID(text) else {
            throw ValidationError("write the id that a recall printed at the end of its last line")
        }
        return id
    }
}

/// What an end in the future is called; `nil` for one that has come.
private func announced(_ moment: Timestamp) -> String? { moment > .now ? "valid until \(moment)" : nil }

/// One line of what was done to what.
private func done(_ id: MemoryID, _ what: String, asJSON: Bool) {
    guard asJSON else { return Terminal.print("\(id)  \(what)") }
    Terminal.printObject { json in
        json.member("id", id.description)
        json.member("done", what)
    }
}
