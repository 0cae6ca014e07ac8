import ArgumentParser
import MemoryEngine

extension EdgeDirection: ExpressibleByArgument {}

/// Which edges a walk follows.
struct WalkOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Follow edges of this kind only; may be given again.", valueName: "kind"),
        transform: Accept.edgeKind)
    var kind: [EdgeKind] = []
    @Option(
        help: ArgumentHelp(
            "Follow this graph only: semantic, temporal, causal or entity; may be given again.",
            valueName: "graph"),
        transform: Accept.graph)
    var graph: [MemoryGraph] = []
    @Option(help: "Follow edges out of a memory, into it, or both.")
    var direction: EdgeDirection = .both
    @OptionGroup var clocks: ClockOptions

    func query(depth: Int) -> GraphQuery {
        var query = GraphQuery()
        query.kinds = kind.isEmpty ? nil : Set(kind)
        query.graphs = graph.isEmpty ? nil : Set(graph)
        query.direction = direction
        query.depth = depth
        query.asOf = clocks.asOf
        query.validAt = clocks.validAt
        return query
    }
}

struct NeighborsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "neighbors",
        abstract: "Show what edges join to a memory.",
        usage: "loci neighbors <memory> [options]",
        discussion: """
              loci neighbors ID
              loci neighbors deploy/81 --graph causal --depth 3
              loci neighbors ID --kind mentions --direction out --json
              loci neighbors ID --kind similarTo --kind nearDuplicate
              loci neighbors ID --kind sameSession --limit 10

            A memory is named by its id or its key. Below each neighbor stand all edges that join it to the memory before \
            it on the way, with the rule that derived them; edges of the memory with itself stand first. Edges are given (`loci link`), derived from words, or follow from threads. similarTo (by vectors), \
            nearDuplicate (by words) and sameSession are computed where you ask for them, by --kind or --graph.
            """)

    @Argument(help: "The memory.", transform: Accept.memory)
    var memory: MemoryReference
    @Option(
        help: ArgumentHelp("How many edges away, 1 to 64 (by default 1).", valueName: "count"),
        transform: Accept.count(1...64, as: 2))
    var depth = 1
    @Option(
        help: ArgumentHelp("How many memories at most (by default 100).", valueName: "count"),
        transform: Accept.count(1...10_000, as: 20))
    var limit = 100
    @Option(
        help: ArgumentHelp("Only what speaks of a time from then on.", valueName: "time"),
        transform: Accept.time)
    var speaksOfFrom: Timestamp?
    @Option(
        help: ArgumentHelp("Only what speaks of a time before that.", valueName: "time"),
        transform: Accept.time)
    var speaksOfUntil: Timestamp?
    @Flag(help: "The strongest paths first, not the shortest.")
    var strongest = false
    @OptionGroup var walk: WalkOptions
    @OptionGroup var place: PlaceOptions

    func validate() throws {
        guard speaksOfFrom ?? .distantPast < speaksOfUntil ?? .distantFuture else {
            throw ValidationError("--speaks-of-until is not after --speaks-of-from")
        }
    }

    func run() async throws {
        try await place.withStore(for: .reading) { store, namespace in
            let id = try await memory.resolve(in: namespace, store)
            var query = walk.query(depth: depth)
            query.limit = limit
            if speaksOfFrom != nil || speaksOfUntil != nil {
                query.speaksOf = (speaksOfFrom ?? .distantPast)..<(speaksOfUntil ?? .distantFuture)
            }
            query.order = strongest ? .strongest : .breadthFirst
            let hits = try await store.neighbors(of: id, in: namespace, query: query)
            let loops = try await edges(between: id, and: id, query, in: namespace, store)
            if !loops.isEmpty, query.speaksOf == nil, let memory = try await store.get(id, in: namespace) {
                print(memory, strength: Double(loops.map(\.weight).max() ?? 1), path: [], edges: loops)
            }
            for hit in hits {
                var joining: [Edge] = []
                if let last = hit.path.last {
                    let before = last.from == hit.memory.id ? last.to : last.from
                    joining = try await edges(
                        between: before, and: hit.memory.id, query, in: namespace, store)
                    // A computed edge is found by the walk only.
                    joining = [last] + joining.filter { !$0.isSame(as: last) }
                }
                print(hit.memory, strength: hit.strength, path: hit.path, edges: joining)
            }
            if !hits.isComplete { Terminal.note("not all was looked at: \(hits.visitedCount) memories were") }
        }
    }

    /// What the walk follows between two memories; those of the walk's path are among it, unless they are computed.
    private func edges(
        between a: MemoryID, and b: MemoryID, _ query: GraphQuery, in namespace: Namespace,
        _ store: any MemoryStore
    ) async throws -> [Edge] {
        try await store.edges(
            between: a, and: b, in: namespace, direction: query.direction, kinds: query.kinds,
            asOf: query.asOf, validAt: query.validAt
        ).filter { query.kinds != nil || query.graphs?.contains($0.kind.graph) ?? true }
    }

    private func print(_ memory: Memory, strength: Double, path: [Edge], edges: [Edge]) {
        guard place.json else {
            Terminal.print(EdgeText.line(memory))
            for edge in edges {
                let way = Edge.words(edge, isOut: edge.from != memory.id || edge.from == edge.to)
                Terminal.print(Terminal.styled("    " + way, .dim))
            }
            return
        }
        var json = JSONWriter()
        json.beginObject()
        json.member("strength", strength)
        for (name, list) in [("path", path), ("edges", edges)] {
            json.list(name, list) { $0.write($1) }
        }
        json.name("memory")
        json.write(memory)
        json.endObject()
        Terminal.print(json.text)
    }
}

struct PathCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "path",
        abstract: "Show how two memories hang together.",
        usage: "loci path <from> <to> [options]",
        discussion: """
              loci path deploy/81 deploy/80
              loci path deploy/81 deploy/80 --graph causal --depth 8

            Prints a path with as few edges as can be. Exit status 2 if there is none.
            """)

    @Argument(help: "Where the path begins: an id, or a key.", transform: Accept.memory)
    var from: MemoryReference
    @Argument(help: "Where it ends.", transform: Accept.memory)
    var to: MemoryReference
    @Option(
        help: ArgumentHelp("How many edges at most, 1 to 64 (by default 6).", valueName: "count"),
        transform: Accept.count(1...64, as: 8))
    var depth = 6
    @OptionGroup var walk: WalkOptions
    @OptionGroup var place: PlaceOptions

    func run() async throws {
        try await place.withStore(for: .reading) { store, namespace in
            let start = try await from.resolve(in: namespace, store)
            let end = try await to.resolve(in: namespace, store)
            guard
                let path = try await store.path(
                    from: start, to: end, in: namespace, query: walk.query(depth: depth))
            else {
                throw EngineError(
                    .notFound, "no path of at most \(depth) edges leads from \(start) to \(end)")
            }
            if place.json {
                var json = JSONWriter()
                json.beginArray()
                for edge in path { json.write(edge) }
                json.endArray()
                return Terminal.print(json.text)
            }
            var place = start
            try await EdgeText.print(place, in: namespace, store)
            for edge in path {
                let isOut = edge.from == place
                Terminal.print(Terminal.styled("    " + Edge.words(edge, isOut: isOut), .dim))
                place = isOut ? edge.to : edge.from
                try await EdgeText.print(place, in: namespace, store)
            }
        }
    }
}

/// Edges and their ends for a person.
enum EdgeText {
    static func line(_ memory: Memory) -> String {
        // A name has no day of its own.
        let day = memory.kind == .entity ? "" : memory.happened.lowerBound.day
        return "\(memory.id)  \(Terminal.padded(day, to: 10))  "
            + Terminal.padded(String(Visible.line(memory.kind.rawValue).prefix(9)), to: 9) + "  "
            + Terminal.firstLine(memory.content, atMost: 80) + (memory.isCurrent ? "" : "  (not current)")
    }

    static func print(_ id: MemoryID, in namespace: Namespace, _ store: any MemoryStore) async throws {
        guard let memory = try await store.get(id, in: namespace.home) else {
            return Terminal.print("\(id)  (not here)")
        }
        Terminal.print(line(memory))
    }
}

extension Edge {
    /// Whether it is the same edge as another: given ones by their ids, others by what they say.
    func isSame(as other: Edge) -> Bool {
        id == other.id && kind == other.kind && from == other.from && to == other.to
    }

    /// What an edge says, as it is met on the way.
    static func words(_ edge: Edge, isOut: Bool) -> String {
        var text = isOut ? "—\(edge.kind)→" : "←\(edge.kind)—"
        if edge.weight != 1 { text += " \(Terminal.decimals(Double(edge.weight), 2))" }
        if let rule = edge.rule { text += "  (\(rule))" }
        if let id = edge.id { text += "  edge \(id)" }
        return text
    }
}

extension JSONWriter {
    mutating func write(_ edge: Edge) {
        beginObject()
        member("id", edge.id?.description)
        member("kind", edge.kind.name)
        member("graph", edge.kind.graph.name)
        member("from", edge.from.description)
        member("to", edge.to.description)
        member("toHome", edge.toHome?.description)
        member("weight", Double(edge.weight))
        member("validFrom", edge.valid.lowerBound)
        member("validUntil", edge.valid.upperBound)
        member("recordedFrom", edge.recorded.lowerBound)
        member("recordedUntil", edge.recorded.upperBound)
        member("evidence", edge.evidence.map(\.description))
        member("rule", edge.rule)
        endObject()
    }
}
