import ArgumentParser
import MemoryEngine

struct RememberCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remember",
        abstract: "Remember a text.",
        usage: "loci remember (<words> ... | -) [options]",
        discussion: """
            The words are the arguments, or standard input with `-`. They, their index and their vectors \
            are on disk when the verb ends.

              loci remember "Ada prefers short messages." --kind fact --tag style
              loci remember "We met in Riga." --happened yesterday -n user/ada
              loci remember - --thread standup --happened 2026-11-23T09:30Z < notes.txt
              loci remember "The API limit is 100 a minute." --key api-limit
              loci remember "The first prototype." --attach photo.png --media runpod-siglip

            With --key the same words again change nothing, and other words become a new version, as do the \
            same words with another kind, other tags and so on.

            An image that is attached is found by words that say what it shows, once a service has made its vector: --media \
            names the service, and the home goes on with it. Where it does not answer, the memory is stored all the same, and \
            loci reembed asks for the vector again. Of several images the first one has a vector, and of several videos; of other \
            files, and of an image that is damaged or too large, there is none.
            """)

    @Argument(help: "The words; `-` reads standard input.")
    var words: [String] = []
    @OptionGroup var draftOptions: DraftOptions
    @Option(help: "A name of yours, unique in the namespace.")
    var key: String?
    @Flag(help: "Keep it from being swept or consolidated away.")
    var pin = false
    @OptionGroup var place: PlaceOptions

    func run() async throws {
        _ = try place.namespace.required()
        try place.store.check()
        var draft = MemoryDraft(
            words.isEmpty && !(draftOptions.vector.isEmpty && draftOptions.attach.isEmpty)
                ? "" : try Words.read(words))
        try draftOptions.apply(to: &draft)
        if let key { try Accept.refuseBlank(key, of: "key") }
        draft.key = key
        draft.isPinned = pin
        let said = draft
        try await place.withStore(for: .creating) { store, namespace in
            try await draftOptions.checkSpaces(of: said, in: namespace, store, besides: place.store)
            let remembered = try await store.remember(said, in: namespace)
            remembered.print(in: namespace, asJSON: place.json)
        }
        if let expires = said.expires, expires <= .now {
            Terminal.note("it expired at \(expires): nothing finds it")
        }
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
        guard !missingSpaces.isEmpty else { return }
        let names = missingSpaces.map { Visible.line($0.name) }.joined(separator: " and ")
        let way =
            failures.isEmpty
            ? "; `loci embedders --health` says how what makes it is, and `loci reembed -n \(namespace)` asks it again"
            : ": \(failures.joined(separator: "; ")); `loci reembed -n \(namespace)` asks again"
        Terminal.note("without its vector in \(names) yet, which does not find it until then" + way)
    }
}
