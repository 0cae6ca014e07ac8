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
    /// Why a model, and a table, that is there or named is not among them.
    let modelFault: EngineError?
    let tableFault: EngineError?
    /// Why nothing makes vectors of new homes, though something that is there or named was to.
    package let fault: EngineError?
    let preference: Preference
    let services: ServiceSettings

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

    /// - Parameter isStrict: whether a model or a table that cannot be used stops whoever did not name it; if not, `fault` tells why
    ///   no home can be made with it.
    package init(
        preferring preference: Preference, environment: [String: String], services: ServiceSettings,
        media: [ServiceSettings.Service] = [], isStrict: Bool = true
    ) throws {
        self.services = services
        self.preference = preference
        let named = try media.map { try services.embedder(of: $0) }
        guard preference != .none else {
            (embedder, others, self.media, local, table) = (nil, [], named, nil, nil)
            (modelFault, tableFault, fault) = (nil, nil, nil)
            return
        }
        let hash = HashEmbedder()
        let service = try ServiceSettings.Service(rawValue: preference.rawValue).map {
            try services.embedder(of: $0)
        }
        // Who wants none of it is not stopped by it.
        (local, modelFault) = try Self.found(
            Self.variable, environment, stops: preference == .local || preference == .auto && isStrict
        ) { try Self.folder(environment).map { try LocalEncoder(folder: $0) } }
        (table, tableFault) = try Self.found(
            Self.tableVariable, environment,
            stops: preference == .table || preference == .auto && isStrict && local == nil
        ) { try Self.tablePath(environment).map { try TokenTableEmbedder(path: $0) } }
        fault = preference == .auto && local == nil ? modelFault ?? (table == nil ? tableFault : nil) : nil
        let first: (any Embedder)?
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
            first = fault == nil ? known.compactMap { $0 }.first ?? hash : nil
        }
        embedder = first
        // A space holds texts or what is attached.
        self.media = named.filter { $0.space != first?.space }
        var spaces = Set([first].compactMap { $0?.space } + self.media.map(\.space))
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

    /// What a variable names, or why it cannot be used, by the variable's name.
    private static func found<Found>(
        _ variable: String, _ environment: [String: String], stops: Bool, _ body: () throws -> Found?
    ) throws -> (Found?, fault: EngineError?) {
        do {
            return (try body(), nil)
        } catch let error as EngineError {
            let fault =
                environment[variable] == nil
                ? error : EngineError(error.code, "\(variable): \(error.message)")
            if stops { throw fault }
            return (nil, fault)
        }
    }

    /// What makes the vectors of new homes, in words.
    public var summary: String {
        guard let embedder else { return fault?.message ?? "no vectors are made" }
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
    package static func tablePath(_ environment: [String: String]) -> String? {
        if let named = environment[tableVariable] { return named.isEmpty ? nil : named }
        return newTablePath(environment).flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
    }

    /// The folder of a model that is there or named; `nil` = there is none.
    package static func folder(_ environment: [String: String]) -> String? {
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
