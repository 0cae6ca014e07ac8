import ArgumentParser
import MemoryEngine

/// Which namespace of which store: the options of verbs that work in one namespace, or in all homes.
struct PlaceOptions: ParsableArguments {
    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var store: StoreOptions

    var json: Bool { store.json }

    /// Opens the store, lends it with the namespace, and closes it whatever happens.
    func withEngine<Result>(
        for use: StoreOptions.Use, threads: Int = 1, _ body: (Engine, Namespace) async throws -> Result
    ) async throws -> Result {
        let namespace = try namespace.required()
        return try await store.withEngine(for: use, threads: threads) { engine in
            do {
                return try await body(engine, namespace)
            } catch let error as EngineError where error.code == .notFound {
                // Where the home is not there, that is what is to be said, and not what was looked for in it.
                if use != .creating { _ = try await engine.existingHomes(under: namespace) }
                throw error
            }
        }
    }

    /// The same, with a server in the place of files where one is named.
    func withStore<Result>(
        for use: StoreOptions.Use, _ body: (any MemoryStore, Namespace) async throws -> Result
    ) async throws -> Result {
        let namespace = try namespace.required()
        return try await store.withStore(for: use) { store in
            do {
                return try await body(store, namespace)
            } catch let error as EngineError where error.code == .notFound {
                if use != .creating { _ = try await store.existingHomes(under: namespace) }
                throw error
            }
        }
    }
}

/// Which of the two clocks a question is about; the same options for `get` and `recall`.
struct ClockOptions: ParsableArguments {
    @Option(help: ArgumentHelp("What the store knew then.", valueName: "time"), transform: Accept.time)
    var asOf: Timestamp?
    @Option(
        help: ArgumentHelp("What was true then: a memory that was not is left out.", valueName: "time"),
        transform: Accept.time)
    var validAt: Timestamp?
}
