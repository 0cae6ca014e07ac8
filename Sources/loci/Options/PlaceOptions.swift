import ArgumentParser
import MemoryEngine

/// Which namespace of which store: the options of verbs that work in one namespace, or in all homes.
struct PlaceOptions: ParsableArguments {
    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var store: StoreOptions

    var json: Bool { store.json }

    /// Opens the store, lends it with the namespace, and closes it whatever happens. What a change leaves to the indexes
    /// is done before, as far as it takes no longer than two seconds and nobody waits for it; so `body` prints what it did
    /// itself.
    func withEngine<Result>(
        for use: StoreOptions.Use, threads: Int = 1, _ body: (Engine, Namespace) async throws -> Result
    ) async throws -> Result {
        let namespace = try namespace.required()
        return try await store.withEngine(for: use, threads: threads) { engine in
            do {
                let result = try await body(engine, namespace)
                if use != .reading { await store.finishIndexing(of: engine, within: Self.indexingTime) }
                return result
            } catch let error as EngineError where error.code == .notFound {
                // Where the home is not there, that is what is to be said, and not what was looked for in it.
                if use != .creating { _ = try await engine.existingHomes(under: namespace) }
                throw error
            }
        }
    }

    /// The same, with a server in the place of files where one is named.
    ///
    /// - Parameter isLong: it may take its time: all that it leaves to the indexes is done before it ends, unless somebody
    ///   waits for it.
    func withStore<Result>(
        for use: StoreOptions.Use, isLong: Bool = false,
        _ body: (any MemoryStore, Namespace) async throws -> Result
    ) async throws -> Result {
        let namespace = try namespace.required()
        return try await store.withStore(for: use) { store in
            do {
                let result = try await body(store, namespace)
                // A server does that by itself.
                if use != .reading, let engine = store as? Engine {
                    await self.store.finishIndexing(of: engine, within: isLong ? nil : Self.indexingTime)
                }
                return result
            } catch let error as EngineError where error.code == .notFound {
                if use != .creating { _ = try await store.existingHomes(under: namespace) }
                throw error
            }
        }
    }
}

extension PlaceOptions {
    /// How long a verb that changes little works for the indexes: an interrupted import may have left them much.
    private static let indexingTime = Duration.seconds(2)
}

extension StoreOptions {
    /// Works off what waits for the indexes of the homes that are open, until the time is over, SIGINT comes or another
    /// process waits to write, and says what is left. What the verb did is on disk by then, so nothing that goes wrong here
    /// is its failure. The engine is closed next.
    func finishIndexing(of engine: Engine, within limit: Duration?) async {
        let end = limit.map { ContinuousClock.now + $0 }
        do {
            let left = try await Progress("indexing", unit: "vectors", isSilent: json).during { progress in
                try await engine.finishIndexingLast(
                    until: { Signals.isInterrupted || end.map { ContinuousClock.now >= $0 } ?? false },
                    progress: { progress.update($0, of: $1) })
            }
            for home in left { try await tellUnlinked(home, engine) }
        } catch {
            Terminal.note("loci: the indexes are not finished: \(Failure(error).message)")
        }
    }

    /// Says of a home what is left to link in it, if anything is.
    private func tellUnlinked(_ home: Namespace, _ engine: Engine) async throws {
        // What is not linked otherwise is done on closing.
        guard let (linked, unlinked) = try await engine.unfinishedIndexes(in: home) else { return }
        let left =
            unlinked > 0
            ? "\(Terminal.grouped(linked)) of \(Terminal.grouped(linked + unlinked)) vectors are linked, and the others "
                + "compared one by one"
            : "what was forgotten is still to be taken out of it"
        Terminal.note(
            "the vector index of \(home) is not finished: \(left); what writes to it next goes on, or "
                + "`loci tune index -n \(home)` finishes it")
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
