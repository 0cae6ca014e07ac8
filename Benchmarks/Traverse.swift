import ArgumentParser
import MemoryEngine

/// Walks over a graph of a million edges, one of whose memories has a hundred thousand of them.
struct Traverse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "traverse", abstract: "Neighbors, paths, causes and edges in a graph with a hub.")

    @OptionGroup var common: CommonOptions
    @Option(help: "How many memories, each of which has an edge with the hub.") var count = 100_000
    @Option(help: "How many edges in all.") var edges = 1_000_000
    @Option(help: "How many walks of each kind.") var walks = 200

    private static let home = Namespace.project("traverse")
    /// A tenth of the edges is causal, and half lead to a memory nearby.
    private static let kinds: [EdgeKind] = [.refersTo, .derivedFrom, .sameAs, .causedBy]
    private static let nearness = 1_000

    func run() async throws {
        let scratch = try Scratch(common)
        let engine = try Engine.open(at: scratch.path + "/store", options: Engine.benchOptions(.none))
        let ids = try await load(engine)
        var report = Report("traverse")
        try await measure(engine, ids, &report)
        report.note(
            "\(count) memories, \(edges) edges at random, half of them near; \(count) of them at the hub")
        report.note("each walk begins at another memory; those at the hub are the same walk again")
        report.print(json: common.json)
        await engine.close()
    }

    /// Makes memories and edges. The first memory is the hub.
    private func load(_ engine: Engine) async throws -> [MemoryID] {
        var ids: [MemoryID] = []
        for first in stride(from: 0, to: count, by: 1_000) {
            let drafts = (first..<min(first + 1_000, count)).map { MemoryDraft("note \($0)") }
            for result in try await engine.remember(drafts, in: Self.home) { ids.append(try result.get().id) }
        }
        var random = SeededRandom(seed: 1)
        let known = Timestamp.now..<Timestamp.distantFuture
        for first in stride(from: 1, to: edges, by: 10_000) {
            let batch = (first..<min(first + 10_000, edges)).map { number in
                var (from, to) = (number, 0)
                var kind = Self.kinds[number % 3]
                if number >= count {
                    from = Int.random(in: 1..<count, using: &random)
                    to =
                        number % 2 == 0
                        ? max(0, from - Int.random(in: 1...Self.nearness, using: &random))
                        : Int.random(in: 1..<count, using: &random)
                    // Causes are older than what came of them.
                    if number % 10 == 0 { (from, to, kind) = (max(from, to), min(from, to), .causedBy) }
                } else if number % 10 == 0 {
                    kind = .causedBy
                }
                return Edge(
                    id: EdgeID(rawValue: UInt128(number)), kind: kind, from: ids[from], to: ids[to],
                    toHome: nil, weight: Float.random(in: 0.1...1, using: &random),
                    valid: Timestamp.distantPast..<Timestamp.distantFuture, recorded: known, origin: Origin(),
                    principal: "bench", evidence: [])
            }
            try await engine.importEdges(batch, in: Self.home)
        }
        try await engine.settle(Self.home)
        return ids
    }

    private func measure(_ engine: Engine, _ ids: [MemoryID], _ report: inout Report) async throws {
        var random = SeededRandom(seed: 2)
        func any() -> MemoryID { ids[Int.random(in: 1..<ids.count, using: &random)] }
        let home = Self.home
        let hub = ids[0]
        for (name, isHub, depth, limit, visitLimit, order) in [
            ("a memory's neighbors", false, 1, 100, 100_000, GraphQuery.Order.breadthFirst),
            ("two steps", false, 2, 100, 100_000, .breadthFirst),
            ("three steps, 10,000 looked at", false, 3, 100, 10_000, .breadthFirst),
            ("three steps, the strongest", false, 3, 100, 10_000, .strongest),
            ("the hub's neighbors", true, 1, 100, 100_000, .breadthFirst),
            ("the hub's neighbors, 1,000 looked at", true, 1, 100, 1_000, .breadthFirst),
            ("the hub's strongest, 1,000 looked at", true, 2, 100, 1_000, .strongest),
        ] {
            var query = GraphQuery()
            query.depth = depth
            query.limit = limit
            query.visitLimit = visitLimit
            query.order = order
            let asked = query
            let starts = (0..<walks).map { _ in isHub ? hub : any() }
            try await add(name, &report) { place in
                let hits = try await engine.neighbors(of: starts[place], in: home, query: asked)
                guard hits.count <= limit, hits.visitedCount <= visitLimit else {
                    throw ValidationError("a walk went beyond its limits")
                }
            }
        }
        var query = GraphQuery()
        query.depth = 6
        let asked = query
        let pairs = (0..<walks).map { _ in (any(), any()) }
        try await add("a path, six steps", &report) { place in
            let path = try await engine.path(from: pairs[place].0, to: pairs[place].1, in: home, query: asked)
            guard path?.count ?? 0 <= 6 else { throw ValidationError("a path is longer than it may be") }
        }
        try await add("causes, six steps, 100 links", &report) { place in
            let chain = try await engine.causes(of: pairs[place].0, in: home, depth: 6)
            guard chain.count <= 100 else { throw ValidationError("a chain is longer than it may be") }
        }
        try await add("effects of the hub, 100 links", &report) { _ in
            let chain = try await engine.effects(of: hub, in: home)
            guard chain.count <= 100 else { throw ValidationError("a chain is longer than it may be") }
        }
        try await add("a memory's edges", &report) { place in
            _ = try await engine.edges(of: pairs[place].0, in: home)
        }
        try await add("100 edges of the hub", &report) { _ in
            let edges = try await engine.edges(of: hub, in: home, limit: 100)
            guard edges.count <= 100 else { throw ValidationError("more edges than asked for") }
        }
    }

    private func add(
        _ name: String, _ report: inout Report, _ walk: (Int) async throws -> Void
    ) async throws {
        var samples = Samples()
        // The first ones bring the file's pages into memory.
        for place in 0..<min(walks, 5) { try await walk(place) }
        for place in 0..<walks { try await samples.time { try await walk(place) } }
        report.add(
            .init(
                name: name, parameters: "", median: samples.median, p99: samples.p99, unit: "ms",
                aim: .init(text: "p99 < 20 ms", isMet: samples.p99 < 20)))
    }
}
