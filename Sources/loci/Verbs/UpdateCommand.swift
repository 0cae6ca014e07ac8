import ArgumentParser
import MemoryEngine

struct UpdateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change a memory: what you say becomes its next version, the ones before stay.",
        usage: "loci update <memory> [<words> ... | -] [options]",
        discussion: """
              loci update ID "The API limit is 200 a minute."
              loci update api-limit --tag limits --untag draft
              loci update ID - --expecting 1 < notes.txt

            A memory is named by its id or its key. With --expecting the change is refused if somebody else made \
            another version meanwhile.
            """)

    @Argument(help: "Its id or key.", transform: Accept.memory)
    var memory: MemoryReference
    @Argument(help: "New words, if they change; `-` reads standard input.")
    var words: [String] = []
    @OptionGroup var draftOptions: DraftOptions
    @Option(help: ArgumentHelp("Take a tag away; may be given again.", valueName: "tag"))
    var untag: [String] = []
    @Option(help: ArgumentHelp("Take an attribute away; may be given again.", valueName: "name"))
    var unset: [String] = []
    @Flag(inversion: .prefixedNo, help: "Keep it from being swept away, or no longer.")
    var pin: Bool?
    @Option(
        help: ArgumentHelp("The version that the change is based on.", valueName: "number"),
        transform: Accept.count(1...UInt32.max, as: 2))
    var expecting: UInt32?
    @OptionGroup var place: PlaceOptions

    func run() async throws {
        _ = try place.namespace.required()
        let content = words.isEmpty ? nil : try Words.read(words)
        var said = MemoryDraft("")
        try draftOptions.apply(to: &said)
        let draft = said
        let end = try await place.withStore(for: .changing) { store, namespace in
            let id = try await memory.resolve(in: namespace, store)
            try await draftOptions.checkSpaces(of: draft, in: namespace, store, besides: place.store)
            let change = MemoryChange(
                content: content, options: draftOptions, untag: untag, unset: unset, isPinned: pin)
            let remembered = try await store.update(id, in: namespace, expecting: expecting, saying: change)
            remembered.print(in: namespace, asJSON: place.json)
            return try await store.get(id, in: namespace)?.valid.upperBound ?? .distantFuture
        }
        if end <= .now {
            Terminal.note(
                "it is not true since \(end), so recalls pass it over: say --valid-until, or remember it anew"
            )
        }
    }
}
