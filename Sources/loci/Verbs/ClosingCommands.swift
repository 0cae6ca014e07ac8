import ArgumentParser
import MemoryEngine

struct SupersedeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "supersede",
        abstract: "Say that another memory took the place of one.",
        discussion: """
              loci supersede OLD-ID NEW-ID
              loci supersede OLD-ID NEW-ID --at 2026-11-01

            The old one is no longer recalled, unless --valid-at or --as-of ask for before.
            """)

    @Argument(help: "The memory that is no longer true.") var id: MemoryID
    @Argument(help: "The one that took its place.") var successor: MemoryID
    @Option(help: ArgumentHelp("From when on; by default now.", valueName: "time")) var at: Timestamp?
    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var store: StoreOptions

    func run() async throws {
        let namespace = try namespace.required()
        try await store.withEngine(for: .changing) { engine in
            try await engine.supersede(id, by: successor, in: namespace, at: at)
        }
        done(id, "superseded", asJSON: store.json)
    }
}

struct RetractCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retract",
        abstract: "Say that a memory is not true any more, or never was.",
        discussion: """
              loci retract 019ab3f2-6c1e-7d30-9a0b-2f4be1c07d55
              loci retract 019ab3f2-6c1e-7d30-9a0b-2f4be1c07d55 --at 2026-11-01

            It stays in the history; `forget` removes all trace of one.
            """)

    @Argument(help: "Its id.") var id: MemoryID
    @Option(help: ArgumentHelp("From when on; by default now.", valueName: "time")) var at: Timestamp?
    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var store: StoreOptions

    func run() async throws {
        let namespace = try namespace.required()
        try await store.withEngine(for: .changing) { engine in
            try await engine.retract(id, in: namespace, at: at)
        }
        done(id, "retracted", asJSON: store.json)
    }
}

struct PromoteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote",
        abstract: "Make a memory part of a wider namespace.",
        discussion: """
              loci promote ID --namespace project/atlas/session/s1 --to project/atlas
              loci promote ID --namespace user/ada --to project/atlas

            From a session to its home it moves; to another home goes a copy with the same id.
            """)

    @Argument(help: "Its id.") var id: MemoryID
    @Option(help: ArgumentHelp("The wider namespace.", valueName: "path")) var to: String
    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var store: StoreOptions

    func run() async throws {
        let source = try namespace.required()
        let target = try Namespace(path: to)
        let remembered = try await store.withEngine(for: .changing) { engine in
            try await engine.promote(id, from: source, to: target)
        }
        remembered.print(in: target, asJSON: store.json)
    }
}

struct RecordCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Say what came of a recall that was asked with --receipt.",
        discussion: """
              loci recall "How do we roll back?" --receipt
              loci record RECALL-ID success

            The namespace is the first by path of those that the recall asked.
            """)

    @Argument(help: "The id of the recall.") var recall: String
    @Argument(help: "success, failure or ignored.") var outcome: String
    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var store: StoreOptions

    func run() async throws {
        guard let id = RecallID(recall) else { throw ValidationError("`\(recall)` is no id of a recall") }
        guard let outcome = Outcome.allCases.first(where: { "\($0)" == outcome }) else {
            throw ValidationError("an outcome is success, failure or ignored")
        }
        let namespace = try namespace.required()
        try await store.withEngine(for: .changing) { engine in
            try await engine.record(outcome, of: id, in: namespace)
        }
        done(MemoryID(rawValue: id.rawValue), "recorded", asJSON: store.json)
    }
}

/// One line of what was done to what.
private func done(_ id: MemoryID, _ what: String, asJSON: Bool) {
    guard asJSON else { return Terminal.print("\(id)  \(what)") }
    var json = JSONWriter()
    json.beginObject()
    json.member("id", id.description)
    json.member("done", what)
    json.endObject()
    Terminal.print(json.text)
}
