import ArgumentParser
import Embedders
import Foundation
import MemoryEngine
import Server

extension AvailableEmbedders.Preference: ExpressibleByArgument {}

extension Durability: ExpressibleByArgument {}

/// The options that every verb has: which store, and how to speak.
struct StoreOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The store: a directory. Or set LOCI_STORE.", valueName: "path"),
        completion: .directory)
    var store: String?

    @OptionGroup var connection: ConnectOption

    @Flag(help: "Print JSON, for programs; errors and notes are JSON on standard error, an object a line.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "How long to wait for another process that writes (by default not at all).", valueName: "seconds"),
        transform: Self.wait)
    var wait: Double?
    static let wait = Accept.number(0...86_400, as: "2.5")

    @Option(help: ArgumentHelp("Who writes (by default the user of this machine).", valueName: "name"))
    var principal: String?

    @Option(
        help: ArgumentHelp(
            "What makes vectors in new homes: local (a model in this process), table (a model's words, one by one), hash (words and "
                + "their pieces, hashed), none, auto (by default: local where there is a model, else table where there is one), "
                + "or a service: openai, jina, voyage, server, runpod (`loci help embedders`).",
            valueName: "embedder"))
    var embedder: AvailableEmbedders.Preference?

    @Option(
        help: ArgumentHelp(
            "What makes vectors of attached images and videos, in homes that have none of them yet: runpod-siglip, jina, "
                + "runpod-vl-jepa, or two with a comma between (by default nothing).",
            valueName: "embedders"), transform: Accept.media)
    var media: [ServiceSettings.Service]?

    @Option(
        help:
            "When a write is safe: commit (by default; before the verb ends), everySecond, none (on closing)."
    )
    var durability: Durability?

    @Option(
        help: ArgumentHelp("The largest size of a home's file (by default 64G).", valueName: "size"),
        transform: Accept.size)
    var quota: ByteSize?

    /// What a verb does to the store.
    enum Use {
        /// Reads only: the store must be there.
        case reading
        /// Changes what is there.
        case changing
        /// Writes, and makes the store if there is none. While a service does not answer, a text is stored without its vector.
        case creating
        /// Writes much: it stops where a service fails, and goes on when it is run again.
        case loading
        /// Writes for others, and makes up for the vectors that a service failed to make.
        case serving

        var makesStore: Bool { self == .creating || self == .loading || self == .serving }
    }

    /// The directory of the store.
    func path() throws -> String {
        guard connection.connect == nil else {
            throw ValidationError("this verb works on the files of a store: leave out --connect")
        }
        if let store {
            guard !store.isEmpty else { throw ValidationError("--store is empty: write --store PATH") }
            return store
        }
        if let store = Settings.current.values["LOCI_STORE"], !store.isEmpty { return store }
        throw ValidationError("say which store: --store PATH, or set LOCI_STORE")
    }

    /// Which server is asked; `nil` = files are.
    func server() throws -> ServerAddress? {
        guard let address = try connection.address(isStoreSaid: store != nil) else { return nil }
        let foreign: [(String, Bool)] = [
            ("--wait", wait != nil), ("--embedder", embedder != nil), ("--media", media != nil),
            ("--durability", durability != nil),
            ("--quota", quota != nil), ("--principal", principal != nil),
        ]
        if let said = foreign.first(where: \.1)?.0 {
            throw ValidationError(
                "\(said) is a matter of the server: leave it out"
                    + (said == "--principal" ? "; who logs in is who writes" : ""))
        }
        return address
    }

    /// - Throws: `ValidationError` where neither a store nor a server is named.
    func check() throws {
        if try server() == nil { _ = try path() }
    }

    /// Opens the store or connects to the server, lends it, and closes it whatever happens.
    func withStore<Result>(
        for use: Use, threads: Int = 1, _ body: (any MemoryStore) async throws -> Result
    ) async throws -> Result {
        guard let address = try server() else {
            return try await withEngine(for: use, threads: threads, canConnect: true) {
                try await body($0)
            }
        }
        let client = try await Client.connect(to: address)
        do {
            let result = try await body(RemoteStore(client: client))
            await client.close()
            return result
        } catch {
            await client.close()
            throw error
        }
    }

    /// How long a question waits for a service before words answer it: as much as one may wait in a queue of RunPod.
    private static let questionPatience = Duration.seconds(10)

    /// What makes vectors. A model that cannot be used stops only what needs it.
    func embedders() throws -> AvailableEmbedders {
        guard embedder != .vlJEPA else {
            throw ValidationError(
                "--embedder runpod-vl-jepa makes no vectors of texts: write --media runpod-vl-jepa")
        }
        return try Settings.current.embedders(embedder ?? .auto, media: media ?? [], isStrict: false)
    }

    /// The spaces that verbs make vectors in.
    func ownSpaces() throws -> [EmbeddingSpace] {
        let embedders = try embedders()
        return ([embedders.embedder].compactMap { $0 } + embedders.others + embedders.media).map(\.space)
    }

    /// - Parameters:
    ///   - threads: that link vectors.
    ///   - given: what makes vectors, if somebody looked already.
    func open(
        for use: Use, threads: Int = 1, embedders given: AvailableEmbedders? = nil
    ) throws -> Engine {
        let path = try path()
        var options = Engine.Options()
        options.isReadOnly = use == .reading
        if let durability { options.durability = durability }
        options.linkingThreads = threads
        options.writerWait = .milliseconds(Int((wait ?? 0) * 1_000))
        if let principal {
            try Accept.refuseBlank(principal, of: "principal")
            options.principal = principal
        }
        if let quota { options.quotaBytes = quota.byteCount }
        if !use.makesStore, !FileManager.default.fileExists(atPath: path) {
            throw EngineError(.notFound, "there is no store at \(path)")
        }
        let embedders = try given ?? self.embedders()
        if let fault = embedders.fault, use.makesStore, !FileManager.default.fileExists(atPath: path) {
            throw fault
        }
        options.absence = { embedders.absence(of: $0) }
        options.fault = { embedders.fault(of: $0) }
        options.otherEmbedders = embedders.others
        options.mediaEmbedders = embedders.media
        options.warn = { Terminal.note($0) }
        // A home may have its vectors from one that is not named now.
        if embedders.hasServices {
            options.questionFallback = .words
            options.questionPatience = Self.questionPatience
            if use != .loading { options.embedding = .whenAvailable }
        }
        options.embedsBacklog = use == .serving && embedders.hasServices
        options.warnsOfAbsence = use == .serving
        if embedders.local != nil || embedders.table != nil || embedders.isService, use.makesStore,
            !FileManager.default.fileExists(atPath: path)
        {
            Terminal.note("a new store: \(embedders.summary)")
        }
        return try Engine.open(at: path, embedder: embedders.embedder, options: options)
    }

    /// Opens the store, lends it, and closes it whatever happens.
    ///
    /// - Parameter canConnect: whether the verb could ask a server in the place of files.
    func withEngine<Result>(
        for use: Use, threads: Int = 1, embedders: AvailableEmbedders? = nil, canConnect: Bool = false,
        _ body: (Engine) async throws -> Result
    ) async throws -> Result {
        let engine = try open(for: use, threads: threads, embedders: embedders)
        do {
            let result = try await body(engine)
            await engine.close()
            return result
        } catch {
            await engine.close()
            throw advised(error, at: engine.path, canConnect: canConnect)
        }
    }

    /// A refusal because of another process, with what can be done about it.
    private func advised(_ error: any Error, at path: String, canConnect: Bool) -> any Error {
        guard let error = error as? EngineError, error.code == .locked,
            error.message.contains("another process")
        else { return error }
        guard let server = Engine.server(ofStore: path),
            server.process != Int(ProcessInfo.processInfo.processIdentifier)
        else {
            guard wait == nil, error.message.contains("writes to") else { return error }
            return EngineError(.locked, error.message + ", or wait for that with `--wait SECONDS`")
        }
        var way = "this verb works on its files, so stop the server first"
        if canConnect {
            way = "ask it with `--connect\(server.address.map { " \($0)" } ?? "")`"
            if server.address?.hasPrefix("rediss:") == true {
                way += ", and `LOCI_CA=FILE` where its certificate is not one that this machine trusts"
            }
        }
        return EngineError(
            .locked, "\(error.message); a server (process \(server.process)) has the store open: \(way)")
    }
}

/// How many threads a verb uses that loads or builds much.
struct ThreadsOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Threads that link vectors, 1 to 256 (by default as many as there are cores).", valueName: "count"
        ),
        transform: Accept.count(1...256, as: 2))
    var threads: Int?

    var count: Int { threads ?? min(256, ProcessInfo.processInfo.activeProcessorCount) }
}
