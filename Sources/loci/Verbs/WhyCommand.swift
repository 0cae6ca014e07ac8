import ArgumentParser
import MemoryEngine

struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Show what led to something, link by link, with the words that say so.",
        usage: "loci why (<words> ... | --memory <memory>) [options]",
        discussion: """
              loci why "the timer was removed"
              loci why --memory deploy/81 --depth 6
              loci why --memory deploy/80 --effects

            The question is recalled; the best hit of which a cause is known is followed through the causal graph, if it has half \
            of the best one's score. Nothing is a \
            cause only because it came before: each link was given (`loci link`), or is stated ("This reverts commit …", \
            "Fixes: …", "because of #12": of a commit, a number of an issue or a version that a memory has), or is a candidate of loci consolidate, which its \
            rule and a low confidence tell. The confidence of a link is the product of the weights on the way there. Exit \
            status 2 if no cause is known.
            """)

    @Argument(help: "What happened; `-` reads standard input.")
    var words: [String] = []
    @Option(
        help: ArgumentHelp("This memory, by its id or key.", valueName: "memory"), transform: Accept.memory)
    var memory: MemoryReference?
    @Flag(help: "What came of it, not what led to it.")
    var effects = false
    @Option(
        help: ArgumentHelp("How many links at most, 1 to 64 (by default 4).", valueName: "count"),
        transform: Accept.count(1...64, as: 6))
    var depth = 4
    @OptionGroup var place: PlaceOptions

    func validate() throws {
        guard words.isEmpty || memory == nil else {
            throw ValidationError(
                "both words and --memory are given, and one is wanted: say what happened, or name the memory")
        }
        guard !words.isEmpty || memory != nil else {
            throw ValidationError("say what happened, or name a memory with --memory")
        }
    }

    func run() async throws {
        try await place.withStore(for: .reading) { store, namespace in
            for start in try await starts(in: namespace, store) {
                let chain = try await store.causalChain(
                    of: start.memory.id, in: namespace, depth: depth, towards: effects)
                if chain.isEmpty { continue }
                if !place.json { start.warn() }
                return try await print(chain, of: start, store, asJSON: place.json)
            }
            throw EngineError(
                .notFound, "no \(effects ? "effect" : "cause") of that is known in \(namespace)")
        }
    }

    /// How many hits are looked at for one with a cause.
    private static let hitCount = 10

    /// What may be followed, and how it was found.
    private struct Start {
        let memory: Memory
        /// Counted from 1, and the confidence of the recall; `nil` = the memory was named.
        var found: (rank: Int, confidence: Double?)?

        func warn() {
            guard let found else { return }
            if found.rank > 1 {
                Terminal.note("hit \(found.rank) of the recall; those before it have no known cause")
            }
            if let confidence = found.confidence, confidence < Recall.leastConfidence {
                Terminal.note("what was asked about is likely not there: this has little of it")
            }
        }
    }

    private func starts(in namespace: Namespace, _ store: any MemoryStore) async throws -> [Start] {
        if let memory {
            let id = try await memory.resolve(in: namespace, store)
            guard let found = try await store.get(id, in: namespace) else {
                throw EngineError(.notFound, "there is no memory \(id) in \(namespace)")
            }
            return [Start(memory: found)]
        }
        var query = RecallQuery(try Words.read(words), in: namespace)
        query.intent = .why
        query.order = .score
        query.limit = Self.hitCount
        let recall = try await store.recall(query)
        let best = recall.first?.score ?? 0
        return recall.enumerated().filter { $0.offset == 0 || best > 0 && $0.element.score >= best / 2 }.map {
            rank, hit in
            Start(memory: hit.memory, found: (rank + 1, recall.confidence))
        }
    }

    private func print(
        _ chain: CausalChain, of found: Start, _ store: any MemoryStore, asJSON: Bool
    ) async throws {
        let start = found.memory
        if asJSON {
            var json = JSONWriter()
            json.beginObject()
            json.name("of")
            json.write(start)
            if let found = found.found {
                json.member("rank", found.rank)
                json.member("confidence", found.confidence)
            }
            json.member("isComplete", chain.isComplete)
            json.objects("links", chain) { json, link in
                json.member("depth", link.depth)
                json.member("confidence", link.confidence)
                json.name("edge")
                json.write(link.edge)
                json.name("effect")
                json.write(link.effect)
                json.name("cause")
                json.write(link.cause)
            }
            json.endObject()
            return Terminal.print(json.text)
        }
        Terminal.print(Terminal.styled(EdgeText.line(start), .bold))
        // Depth first, each cause under its effect. What several lead to has its own links under the first only.
        let links = Dictionary(grouping: chain) { effects ? $0.cause.id : $0.effect.id }
        var shown: Set<MemoryID> = [start.id]
        var waiting = Array((links[start.id] ?? []).reversed())
        while let link = waiting.popLast() {
            let margin = String(repeating: "  ", count: link.depth)
            let other = effects ? link.effect : link.cause
            let says = link.edge.rule.map { "it \($0)" } ?? "given"
            Terminal.print(
                Terminal.styled(
                    "\(margin)\(effects ? "led to" : "because of") (\(link.edge.kind), \(says), "
                        + "confidence \(Terminal.decimals(link.confidence, 2)))", .dim))
            Terminal.print(margin + EdgeText.line(other))
            for citation in link.edge.evidence where !citation.range.isEmpty {
                let words = try? await store.content(of: citation)
                if let words {
                    Terminal.print(
                        Terminal.styled(
                            "\(margin)  “\(Terminal.firstLine(words, atMost: 90))”  \(citation)", .dim))
                }
            }
            guard let further = links[other.id], !further.isEmpty else { continue }
            if shown.insert(other.id).inserted {
                waiting += further.reversed()
            } else {
                Terminal.print(Terminal.styled("\(margin)  … as above", .dim))
            }
        }
        if !chain.isComplete { Terminal.note("there is more: raise --depth") }
    }
}
