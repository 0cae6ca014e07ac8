import ArgumentParser
import MemoryEngine

extension EmbeddingSpace: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
    public var defaultValueDescription: String { name }
}

struct SpacesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spaces",
        abstract: "The embedding spaces of a home: how many vectors each has, and which one is used.",
        usage: "loci spaces [--use <space> | --drop <space>] [options]",
        discussion: """
              loci spaces -n project/atlas
              loci spaces --json    # how many vectors are linked, and how many places are to be reclaimed

            A space is MODEL[@REVISION]/DIMENSION[/METRIC]. Texts and questions are embedded in the one that is used, if \
            there is an embedder of it; a home may have vectors in others besides, brought by imports or by other \
            programs. --use bge-m3/1024/cosine changes that. Where there is an embedder of it, what has no vector in it gets one \
            first; else it is refused while a passage would lose its vector by it. --drop takes a space that is not used.
            """)

    @Option(help: ArgumentHelp("Use this space from now on.", valueName: "space"))
    var use: EmbeddingSpace?
    @Option(help: ArgumentHelp("Remove all vectors in this space.", valueName: "space"))
    var drop: EmbeddingSpace?
    @OptionGroup var place: PlaceOptions

    func validate() throws {
        guard use == nil || drop == nil else { throw ValidationError("--use and --drop exclude each other") }
    }

    func run() async throws {
        let isChange = use != nil || drop != nil
        try await place.withEngine(for: isChange ? .changing : .reading) { engine, namespace in
            if let use {
                try await switchSpace(to: use, of: namespace, engine)
            } else if let drop {
                let count = try await engine.dropSpace(drop, in: namespace)
                if !place.json { Terminal.print("\(Terminal.counted(count, "vector")) dropped") }
            }
            let used = try await engine.space(of: namespace)
            let spaces = try await engine.stats(in: namespace).spaces
            for space in spaces { show(space, namespace) }
            if place.json { return }
            if let used, !spaces.contains(where: { $0.isUsed }) {
                Terminal.print(
                    "\(Terminal.padded("0", to: 12, isRight: true)) vectors  \(Visible.line(used.name))  used"
                )
            } else if spaces.isEmpty {
                Terminal.print("\(namespace.home): no vectors")
            }
        }
    }

    private func switchSpace(to space: EmbeddingSpace, of namespace: Namespace, _ engine: Engine) async throws
    {
        let own = try place.store.ownSpaces()
        guard let first = own.first else { return try await engine.useSpace(space, in: namespace) }
        if own.contains(space) {
            // What was remembered while another space was used has no vector in this one.
            _ = try await Progress("embedding", unit: "passages", isSilent: place.json).during { progress in
                try await engine.reembed(in: namespace, into: space) {
                    progress.update($0.added + $0.obsolete + $0.skipped, of: nil)
                }
            }
        } else {
            let before = try await engine.space(of: namespace) ?? first
            try await engine.useSpace(space, in: namespace)
            guard before != space else { return }
            Terminal.note(
                "there is no embedder of \(space.name): what is remembered from now on has the vectors that you bring, "
                    + "and none else; `loci spaces -n \(namespace) --use \(before.name)` goes back")
        }
    }

    private func show(_ space: HomeStatistics.Space, _ namespace: Namespace) {
        if place.json {
            Terminal.printObject { json in
                json.member("home", namespace.home.description)
                json.member("space", space.space.name)
                json.member("vectors", space.vectors)
                json.member("linked", space.linkedVectors)
                json.member("erased", space.erasedVectors)
                json.member("isUsed", space.isUsed)
            }
            return
        }
        Terminal.print(
            "\(Terminal.padded(Terminal.grouped(space.vectors), to: 12, isRight: true)) vector\(space.vectors == 1 ? " " : "s")  "
                + Visible.line(space.space.name) + (space.isUsed ? "  used" : ""))
    }
}
