import Embedders
import Foundation
import MemoryEngine
import Server

/// What the environment says, and where it is silent a file `.env` in the working directory.
///
/// Of the file only the settings named here are taken. It may have come with somebody's repository, so a key of the environment
/// is not sent to an address that the file alone names: such a key has to stand in the file too.
struct Settings: Sendable {
    /// Those of this process.
    static let current = Settings(environment: ProcessInfo.processInfo.environment)

    static let fileName = ".env"

    /// All that the file may hold, each with what it is.
    static let names: [(name: String, meaning: String)] =
        [
            ("LOCI_STORE", "The store: a directory."),
            ("LOCI_URL", "Or the server that is asked, as redis://USER@HOST:PORT."),
            ("LOCI_PASSWORD", "The password of that user."),
        ] + ServiceSettings.names + [
            ("DOCKER_HUB_USERNAME", "Under which scripts/build-images pushes the workers of RunPod.")
        ]

    /// Keys, and the addresses to which they go.
    private static let addresses: [(key: String, names: [String])] = [
        ("LOCI_PASSWORD", ["LOCI_URL"]), ("LOCI_EMBEDDINGS_KEY", ["LOCI_EMBEDDINGS_URL"]),
        ("LOCI_REASONER_KEY", ["LOCI_REASONER_URL"]),
        (
            "RUNPOD_API_KEY",
            ["BGE_M3", "SIGLIP", "VL_JEPA"].flatMap { ["RUNPOD_ENDPOINT_\($0)", "RUNPOD_URL_\($0)"] }
        ),
    ]

    /// The environment, with what the file adds.
    let values: [String: String]
    /// Those of them that are the file's.
    let written: Set<String>
    /// What is wrong with the file, by the numbers of its lines.
    let problem: String?
    /// Keys of the environment that are not used.
    private let withheld: Set<String>

    init(environment: [String: String], file path: String = fileName) {
        do {
            self.init(environment: environment, file: try EnvironmentFile.read(path))
        } catch {
            self.init(environment: environment, file: nil, problem: Failure(error).message)
        }
    }

    init(environment: [String: String], file: EnvironmentFile?, problem: String? = nil) {
        let written = file?.values ?? [:]
        // One that is set to nothing is set.
        var added = written.filter { name, value in
            environment[name] == nil && !value.isEmpty
                && (ServiceSettings.isSetting(name) || Self.names.contains { $0.name == name })
        }
        // Both say which memories are meant, so the environment's word on one counts for the other.
        let places = ["LOCI_STORE", "LOCI_URL"]
        if places.contains(where: { environment[$0, default: ""] != "" }) {
            for name in places { added[name] = nil }
        }
        var values = environment.merging(added) { $1 }
        var ofFile = Set(added.keys)
        var withheld: Set<String> = []
        for (key, addresses) in Self.addresses where environment[key, default: ""] != "" {
            // An id is one of the service's own endpoints.
            let isForeign = addresses.contains { name in
                added[name].map { key != "RUNPOD_API_KEY" || $0.contains("://") } ?? false
            }
            guard isForeign else { continue }
            values[key] = written[key]
            if written[key] == nil { withheld.insert(key) } else { ofFile.insert(key) }
        }
        self.values = values
        self.written = ofFile
        self.withheld = withheld
        let lines = file?.badLines ?? []
        self.problem =
            lines.isEmpty
            ? problem
            : "line\(lines.count == 1 ? "" : "s") \(lines.prefix(10).map(String.init).joined(separator: ", ")) of "
                + "\(Self.fileName) \(lines.count == 1 ? "is" : "are") not NAME=VALUE"
    }

    var services: ServiceSettings {
        ServiceSettings(
            environment: values, problem: problem, withheld: withheld, warn: { Terminal.noteOnce($0) })
    }

    /// Why a name is none that the file may hold, and the way out. What stands behind a `=` is not in it.
    static func refusal(of argument: String) -> String? {
        let name = String(argument.prefix { $0 != "=" })
        if [AvailableEmbedders.variable, AvailableEmbedders.tableVariable].contains(name) {
            return "\(name) is read from the environment alone, not from \(fileName): `export \(name)=PATH`"
        }
        guard !names.contains(where: { $0.name == argument }) else { return nil }
        if names.contains(where: { $0.name == name }) {
            return "write --set \(name) alone: its value is standard input, so that it stays in no history"
        }
        if name.hasPrefix("LOCI_SERVE_") || ["LOCI_NAMESPACE", "LOCI_CA"].contains(name) {
            return "\(name) is read from the environment alone, not from \(fileName)"
        }
        return "there is no such setting; there are \(names.map(\.name).joined(separator: ", "))"
    }

    /// Looks whether a setting can have a value, whatever the others are.
    ///
    /// - Throws: `EngineError` with code `invalid`, which names the setting and not the value.
    static func check(_ name: String, _ value: String) throws {
        guard name == "LOCI_URL" else { return try ServiceSettings.check(name, value) }
        do { _ = try ServerAddress(value) } catch {
            throw EngineError(.invalid, "LOCI_URL: \(error.message)")
        }
    }

    /// What makes vectors.
    func embedders(
        _ preference: AvailableEmbedders.Preference, media: [ServiceSettings.Service] = [],
        isStrict: Bool = true
    ) throws -> AvailableEmbedders {
        try AvailableEmbedders(
            preferring: preference, environment: values, services: services, media: media,
            isStrict: isStrict)
    }
}
