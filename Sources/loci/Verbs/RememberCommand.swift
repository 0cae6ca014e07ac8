import ArgumentParser
import MemoryEngine

struct RememberCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remember",
        abstract: "Remember a text.",
        discussion: """
            The words are the arguments, or standard input with `-`. They, their index and their vectors \
            are on disk when the verb ends.

              loci remember "Ada prefers short commit messages." --kind fact --tag style -n user/ada
              loci remember - --thread standup-41 --happened 2026-11-23T09:30Z < notes.txt
              loci remember "The API limit is 100 a minute." --key api-limit

            With --key the same words again change nothing, and other words become a new version.
            """)

    @Argument(help: "The words; `-` reads standard input.")
    var words: [String] = []
    @OptionGroup var draftOptions: DraftOptions
    @Option(help: "A name of yours, unique in the namespace.")
    var key: String?
    @Flag(help: "Keep it from being swept or consolidated away.")
    var pin = false
    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var store: StoreOptions

    func run() async throws {
        let namespace = try namespace.required()
        _ = try store.path()
        var draft = MemoryDraft(
            words.isEmpty && !(draftOptions.vector.isEmpty && draftOptions.attach.isEmpty)
                ? "" : try Words.read(words))
        try draftOptions.apply(to: &draft)
        draft.key = key
        draft.isPinned = pin
        let remembered = try await store.withEngine(for: .creating) { engine in
            try await engine.remember(draft, in: namespace)
        }
        remembered.print(in: namespace, asJSON: store.json)
    }
}

extension Remembered {
    /// One line, for a person or a program.
    func print(in namespace: Namespace, asJSON: Bool) {
        guard !asJSON else {
            var json = JSONWriter()
            json.write(self, in: namespace)
            return Terminal.print(json.text)
        }
        let what = !isNew ? "known already" : version == 1 ? "remembered" : "version \(version)"
        Terminal.print("\(id)  \(what)  \(Terminal.styled(namespace.description, .dim))")
    }
}
