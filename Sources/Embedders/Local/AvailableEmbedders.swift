import Foundation
import MemoryEngine

/// Which embedder a program should use: the one place that chooses.
///
/// The local encoder where there is a model for it, else a table of tokens where there is one, else `HashEmbedder`; a service
/// only where it is named. The others stand
/// beside it, because a home goes on with the space that it has: one whose vectors a service made asks that service, if the
/// environment has a key for it, and no other home does.
public struct AvailableEmbedders: Sendable {
    /// What a caller may ask for.
    public enum Preference: String, Sendable, CaseIterable {
        /// The local encoder if there is a model, else a table of tokens if there is one, else hashed words.
        case auto
        /// The local encoder, and an error where there is no model.
        case local
        /// A table of tokens, and an error where there is none.
        case table
        case hash
        case none
        /// Services, and an error where the environment lacks what they want: OpenAI, Jina, Voyage, a server of one's own
        /// (`LOCI_EMBEDDINGS_URL`), BGE-M3 on RunPod.
        case openai, jina, voyage, server, runpod
        /// SigLIP 2 on RunPod, whose texts and images are in one space.
        case siglip = "runpod-siglip"
        /// V-JEPA 2 on RunPod, which takes videos and no texts.
        case vlJEPA = "runpod-vl-jepa"
    }

    /// For new homes; `nil` = none was asked for.
    public let embedder: (any Embedder)?
    /// For homes that use another space already.
    public let others: [any Embedder]
    /// For what is attached to memories, where that was asked for.
    public let media: [any Embedder]
    /// The local encoder, if there is a model.
    public let local: LocalEncoder?
    /// The table of tokens, if there is one.
    public let table: TokenTableEmbedder?

    /// The environment variable that names the folder of the model; empty, there is none.
    public static let variable = "LOCI_MODEL"
    /// The environment variable that names the file of the table; empty, there is none.
    public static let tableVariable = "LOCI_TOKEN_TABLE"

    /// Looks for a model, in the folder that `LOCI_MODEL` names, else where `make model` puts it, and for a table of tokens, in
    /// the file that `LOCI_TOKEN_TABLE` names, else where `loci model distil` puts it.
    ///
    /// - Throws: `EngineError` where a model or a table is named or there and cannot be used, or is asked for and not there; where a service
    ///   is asked for and not configured.
    public init(
        preferring preference: Preference = .auto,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws {
        try self.init(
            preferring: preference, environment: environment,
            services: ServiceSettings(environment: environment))
    }

    package init(
        preferring preference: Preference, environment: [String: String], services: ServiceSettings,
        media: [ServiceSettings.Service] = []
    ) throws {
        let named = try media.map { try services.embedder(of: $0) }
        guard preference != .none else {
            (embedder, others, self.media, local, table) = (nil, [], named, nil, nil)
            return
        }
        let hash = HashEmbedder()
        let service = try ServiceSettings.Service(rawValue: preference.rawValue).map {
            try services.embedder(of: $0)
        }
        do {
            local = try Self.folder(environment).map { try LocalEncoder(folder: $0) }
        } catch  where preference == .hash || preference == .table || service != nil {
            // Who wants none of it is not stopped by it.
            local = nil
        }
        do {
            table = try Self.tablePath(environment).map { try TokenTableEmbedder(path: $0) }
        } catch  where preference != .table && (preference != .auto || local != nil) {
            table = nil
        }
        let first: any Embedder
        switch preference {
        case .local:
            guard let local else {
                throw EngineError(
                    .notFound,
                    "there is no model: run `make model`, or set \(Self.variable) to a folder that holds one")
            }
            first = local
        case .table:
            guard let table else {
                throw EngineError(
                    .notFound,
                    "there is no table of tokens: run `loci model distil`, or set \(Self.tableVariable) to one"
                )
            }
            first = table
        case .hash: first = hash
        default:
            let known: [(any Embedder)?] = [service, local, table]
            first = known.compactMap { $0 }.first ?? hash
        }
        embedder = first
        // A space holds texts or what is attached.
        self.media = named.filter { $0.space != first.space }
        var spaces = Set([first.space] + self.media.map(\.space))
        var rest: [any Embedder] = [hash]
        if let table { rest.insert(table, at: 0) }
        if let local { rest.insert(local, at: 0) }
        others = (rest + services.configured).filter { spaces.insert($0.space).inserted }
    }

    /// Whether vectors of new homes are made by a service.
    package var isService: Bool { embedder is any HealthReporting }

    /// Whether a service makes any vectors: of new homes, of those that have theirs from it, or of what is attached.
    package var hasServices: Bool {
        isService || (others + media).contains { $0 is any HealthReporting }
    }

    /// Whether a service makes the vectors of texts in a space.
    package func isOfService(_ space: EmbeddingSpace) -> Bool {
        ([embedder].compactMap { $0 } + others).first { $0.space == space } is any HealthReporting
    }

    /// What makes the vectors of new homes, in words.
    public var summary: String {
        guard let embedder else { return "no vectors are made" }
        if isService { return "vectors are made by \(embedder.space.name), of a service over the network" }
        if let local, local.space == embedder.space {
            return "vectors are made by \(local.space.name), of \(local.weightsPath)"
        }
        if let table, table.space == embedder.space {
            return "vectors are made by \(table.space.name), of \(table.path), which knows words one by one"
        }
        return "vectors are made by \(embedder.space.name), which knows spellings and no meanings"
    }

    /// Where the model is that is meant where none is named; `nil` = there is no place for it.
    package static func modelPath(_ environment: [String: String]) -> String? {
        if let named = environment[variable], !named.isEmpty { return named }
        return cache(environment).map { "\($0)/loci/models/all-MiniLM-L6-v2" }
    }

    /// Where a table is written to where no other place is named; `nil` = there is no place for it.
    package static func newTablePath(_ environment: [String: String]) -> String? {
        if let named = environment[tableVariable], !named.isEmpty { return named }
        return cache(environment).map { "\($0)/loci/models/loci-tokens.safetensors" }
    }

    /// The table that is there or named; `nil` = there is none.
    static func tablePath(_ environment: [String: String]) -> String? {
        if let named = environment[tableVariable] { return named.isEmpty ? nil : named }
        return newTablePath(environment).flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
    }

    /// The folder of a model that is there or named; `nil` = there is none.
    static func folder(_ environment: [String: String]) -> String? {
        if let named = environment[variable] { return named.isEmpty ? nil : named }
        guard let folder = modelPath(environment) else { return nil }
        // `make model` writes this file last.
        return FileManager.default.fileExists(atPath: "\(folder)/\(ModelFolder.manifestName)") ? folder : nil
    }

    private static func cache(_ environment: [String: String]) -> String? {
        // As the XDG base directories have it: a relative path does not count.
        if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") { return cache }
        return environment["HOME"].flatMap { $0.isEmpty ? nil : $0 + "/.cache" }
    }
}
