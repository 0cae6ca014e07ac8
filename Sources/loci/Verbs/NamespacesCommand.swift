import ArgumentParser
import MemoryEngine

struct NamespacesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "namespaces",
        abstract: "List namespaces: homes, and the sessions inside them.",
        usage: "loci namespaces [--namespace <path>] [options]",
        discussion: """
              loci namespaces
              loci namespaces -n project/atlas --json

            Each with how many memories of it are current. LOCI_NAMESPACE says nothing here.
            """)

    @OptionGroup var place: PlaceOptions

    func run() async throws {
        let subtree = try place.namespace.said()
        try await place.store.withStore(for: .reading) { store in
            let homes: [Namespace]
            if let subtree {
                homes = try await store.existingHomes(under: subtree)
            } else {
                homes = try await store.homes(under: nil)
            }
            try await homes.forEachWritten { home in
                for found in try await store.namespaces(in: home) {
                    if let subtree, subtree.session != nil, found.namespace != subtree { continue }
                    if place.json {
                        Terminal.printObject { json in
                            json.member("namespace", found.namespace.description)
                            json.member("memories", found.memories)
                        }
                    } else {
                        let count = Terminal.padded(Terminal.grouped(found.memories), to: 12, isRight: true)
                        let word = found.memories == 1 ? "memory  " : "memories"
                        Terminal.print("\(count) \(word)  \(NamespaceArgument.text(of: found.namespace))")
                    }
                }
            }
        }
    }
}
