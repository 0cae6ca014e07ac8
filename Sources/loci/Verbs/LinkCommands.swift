import ArgumentParser
import MemoryEngine

struct LinkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "link",
        abstract: "Join two memories by an edge.",
        usage: "loci link <from> <to> --as <kind> [options]",
        discussion: """
              loci link ID ID --as causedBy --weight 0.8
              loci link deploy/81 ID --as causal/blockedBy --evidence 'ID@1#0-44'
              loci link ID ID --as supersedes --valid-from 2026-03-01

            A memory is named by its id or its key. A causal edge leads from what happened to its cause. Kinds: \
            \(EdgeKind.all.map(\.name).joined(separator: ", ")); or one of your own, GRAPH/NAME. Prints the edge's \
            id, with which `loci unlink` takes it back.
            """)

    @Argument(help: "The memory that the edge leads from.", transform: Accept.memory)
    var from: MemoryReference
    @Argument(help: "The memory that it leads to.", transform: Accept.memory)
    var to: MemoryReference
    @Option(
        name: .customLong("as"), help: ArgumentHelp("What the edge says.", valueName: "kind"),
        transform: Accept.edgeKind)
    var kind: EdgeKind
    @Option(
        help: ArgumentHelp("How strong it is, or how sure: above 0 and up to 1.", valueName: "number"),
        transform: Accept.number(0...1, as: "0.8"))
    var weight = 1.0
    @Option(help: ArgumentHelp("When it began to be true.", valueName: "time"), transform: Accept.time)
    var validFrom: Timestamp?
    @Option(help: ArgumentHelp("When it ceased to be true.", valueName: "time"), transform: Accept.time)
    var validUntil: Timestamp?
    @Option(
        help: ArgumentHelp("Where it is said; may be given again.", valueName: "citation"),
        transform: Accept.citation)
    var evidence: [CitationArgument] = []
    @OptionGroup var place: PlaceOptions

    func validate() throws {
        guard weight > 0 else { throw ValidationError("the weight of an edge lies above 0 and up to 1") }
        guard validFrom ?? .distantPast < validUntil ?? .distantFuture else {
            throw ValidationError("--valid-until is not after --valid-from")
        }
    }

    func run() async throws {
        try await place.withStore(for: .changing) { store, namespace in
            let start = try await from.resolve(in: namespace, store)
            let end = try await to.resolve(in: namespace, store)
            // An id is one of the whole home.
            for place in evidence { _ = try await place.text(in: namespace.home, store) }
            let id = try await store.link(
                start, to: end, as: kind, in: namespace, weight: Float(weight),
                valid: (validFrom ?? .distantPast)..<(validUntil ?? .distantFuture),
                evidence: evidence.map { $0.citation(in: namespace) })
            if place.json {
                Terminal.printObject { json in
                    json.member("id", id.description)
                    json.member("from", start.description)
                    json.member("to", end.description)
                    json.member("kind", kind.name)
                }
            } else {
                Terminal.print("\(id)")
            }
        }
    }
}

struct UnlinkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlink",
        abstract: "Take an edge back.",
        usage: "loci unlink <edge> [options]",
        discussion: """
              loci unlink EDGE

            `loci link` prints the id of an edge, and `loci neighbors` shows them. The store no longer holds it to be \
            so; --as-of an earlier time still shows it. Edges that follow from words have no id: they change with the words.
            """)

    @Argument(help: "The id of the edge.", transform: Accept.edgeID)
    var edge: EdgeID
    @OptionGroup var place: PlaceOptions

    func run() async throws {
        try await place.withStore(for: .changing) { store, namespace in
            try await store.unlink(edge, in: namespace)
            guard place.json else { return Terminal.print("\(edge)  unlinked") }
            Terminal.printObject { $0.member("unlinked", edge.description) }
        }
    }
}
