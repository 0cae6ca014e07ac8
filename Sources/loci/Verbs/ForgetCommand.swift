import ArgumentParser
import MemoryEngine

struct ForgetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "Remove memories with all their versions and all that only they support.",
        usage: "loci forget (<memory> ... | --filter <expression> | --by <principal> | --all) [options]",
        discussion: """
              loci forget ID
              loci forget --by mallory --yes
              loci forget --filter 'tag:draft && since:2026-01-01' --yes
              loci forget --all -n project/atlas/session/s1 --yes

            Memories that are named, by id or key, are forgotten at once; any other selection needs --yes. It prints how many entries of which \
            kind were removed. Their bytes stay in free pages of the file until `loci compact`.
            """)

    @Argument(help: "Their ids or keys.", transform: Accept.memory)
    var memories: [MemoryReference] = []
    @OptionGroup var filter: FilterOptions
    @Option(
        help: ArgumentHelp(
            "All that this principal wrote: memories of which it wrote any version, and edges that it gave.",
            valueName: "principal"))
    var by: String?
    @Flag(help: "All of the namespace; of a home the whole file.")
    var all = false
    @Flag(help: "Do it without asking.")
    var yes = false
    @OptionGroup var place: PlaceOptions

    func run() async throws {
        let condition = try filter.condition()
        let given = [!memories.isEmpty, condition != nil, by != nil, all].filter { $0 }.count
        guard given == 1 else {
            throw ValidationError(
                "say what to forget: memories by id or key, a filter, --by or --all, and only one of them")
        }
        guard yes || !memories.isEmpty else {
            throw ValidationError(
                "this may be many memories; say --yes if that is meant (`loci list` shows them)")
        }
        var selections: [Engine.Selection] = []
        if let condition { selections.append(.filter(condition)) }
        if let by { selections.append(.principal(by)) }
        if all { selections.append(.everything) }
        let others = selections
        try await place.withStore(for: .changing, isLong: true) { store, namespace in
            // Before, so that a typing error in the name is told from a selection that is empty.
            _ = try await store.existingHomes(under: namespace)
            // All of them first: where one is not there, none is forgotten.
            var chosen = others
            for memory in memories { chosen.append(.id(try await memory.resolve(in: namespace, store))) }
            let selections = chosen
            let erasure = try await Progress("forgetting", unit: "memories", isSilent: place.json).during {
                progress in
                let watch = Task { if !all { await Self.watch(store, namespace, progress) } }
                defer { watch.cancel() }
                var sum = try await store.forget(selections[0], under: namespace)
                for selection in selections.dropFirst() {
                    let erasure = try await store.forget(selection, under: namespace)
                    sum.memories += erasure.memories
                    sum.homes += erasure.homes
                    sum.counts.merge(erasure.counts, uniquingKeysWith: +)
                }
                return sum
            }
            erasure.print(asJSON: place.json)
        }
    }

    /// Says how many memories a home has lost so far, until it is cancelled. Of a home whose file is to be removed
    /// it must not be asked: who reads it keeps it open.
    private static func watch(_ store: any MemoryStore, _ namespace: Namespace, _ progress: Progress) async {
        guard let before = try? await store.stats(in: namespace).memories else { return }
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            guard let now = try? await store.stats(in: namespace).memories else { return }
            progress.update(before > now ? Int(before - now) : 0, of: nil)
        }
    }
}

extension Engine.Erasure {
    fileprivate func print(asJSON: Bool) {
        let counts = counts.sorted { $0.key < $1.key }
        guard asJSON else {
            var line = "forgot \(Terminal.grouped(memories)) \(memories == 1 ? "memory" : "memories")"
            if homes > 0 {
                line += " in \(homes) \(homes == 1 ? "home, whose file is" : "homes, whose files are") gone"
            }
            let parts = counts.filter { $0.key != "memories" && $0.value > 0 }
                .map { "\(Terminal.grouped($0.value)) \($0.key)" }
            return Terminal.print(line + (parts.isEmpty ? "" : ": " + parts.joined(separator: ", ")))
        }
        Terminal.printObject { json in
            json.member("memories", memories)
            json.member("homes", homes)
            json.object("counts") { json in for (name, count) in counts { json.member(name, count) } }
        }
    }
}
