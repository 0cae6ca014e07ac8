import Embedders
import MemoryEngine

/// A line of `loci embedders`.
struct EmbedderEntry: Sendable {
    let name: String
    let space: EmbeddingSpace?
    let modalities: Set<Modality>
    /// Settings that are missing, each as `A` or `A or B`.
    var missing: [String] = []
    /// Why it cannot be used, though no setting is missing.
    var problem: String?
    /// Whether that is only because there is no such file, and none is named.
    var isAbsent = false
    /// `nil` = it runs in this process.
    var service: ServiceSettings.Service?
    var dollarsPerMillionTokens: Double?
    /// What it cost today; `nil` = that is not counted.
    var today: CostLedger.Day?
    /// Of a service that is configured.
    var embedder: (any HealthReporting)?
    var health: EmbedderHealth?

    var isConfigured: Bool { missing.isEmpty && problem == nil }

    /// Whether it is there or configured, and of no use now.
    var isFailing: Bool { problem != nil && !isAbsent || health.map { $0.state != .ready } ?? false }

    /// - Parameter today: what services cost today; `nil` = that cannot be read.
    static func all(_ settings: Settings, today: [String: CostLedger.Day]?) -> [EmbedderEntry] {
        let hash = EmbedderEntry(name: "hash", space: HashEmbedder().space, modalities: [.text])
        let here = [
            hash,
            inProcess(.table, settings, AvailableEmbedders.tablePath(settings.values)) { found in
                try found.table?.load()
                return found.table?.space
            },
            inProcess(.local, settings, AvailableEmbedders.folder(settings.values)) { found in
                try found.local?.load()
                return found.local?.space
            },
        ]
        let services = settings.services
        return here
            + ServiceSettings.Service.allCases.map { service in
                var entry = EmbedderEntry(
                    name: service.rawValue, space: services.space(of: service),
                    modalities: ServiceSettings.modalities(of: service),
                    missing: services.missing(of: service), service: service)
                entry.dollarsPerMillionTokens = services.dollarsPerMillionTokens(of: service)
                // All of RunPod is counted as one.
                if service == .runpod || !service.isRunPod {
                    entry.today = today.map { $0[service.rawValue] ?? CostLedger.Day() }
                }
                guard entry.missing.isEmpty else { return entry }
                do {
                    entry.embedder = try services.embedder(of: service)
                } catch {
                    entry.problem = Failure(error).message
                }
                return entry
            }
    }

    /// One that needs a file, which is read and checked, and why it cannot be used if it cannot.
    ///
    /// - Parameter path: of what is there or named.
    private static func inProcess(
        _ preference: AvailableEmbedders.Preference, _ settings: Settings, _ path: String?,
        _ space: (AvailableEmbedders) throws -> EmbeddingSpace?
    ) -> EmbedderEntry {
        var entry = EmbedderEntry(name: preference.rawValue, space: nil, modalities: [.text])
        do {
            let found = try AvailableEmbedders(
                preferring: preference, environment: settings.values,
                services: ServiceSettings(environment: [:]))
            entry = EmbedderEntry(name: preference.rawValue, space: try space(found), modalities: [.text])
        } catch {
            entry.problem = Failure(error).message
            entry.isAbsent = path == nil
        }
        return entry
    }

    /// Asks all at once.
    static func askHealth(of entries: inout [EmbedderEntry]) async {
        let answers = await withTaskGroup(of: (Int, EmbedderHealth).self) { group in
            for (index, entry) in entries.enumerated() {
                guard let embedder = entry.embedder else { continue }
                group.addTask { (index, await embedder.health()) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for (index, health) in answers { entries[index].health = health }
    }

    // MARK: As text

    var columns: [String] {
        [
            name, space.map { Visible.line($0.name) } ?? "-", modalityNames.joined(separator: " "), price,
            state, spent,
        ]
    }

    var detail: String? { health?.message ?? problem }

    private var modalityNames: [String] { Modality.allCases.filter(modalities.contains).map(\.rawValue) }

    private var state: String {
        if let health { return health.state.rawValue }
        if problem != nil { return isAbsent ? "not there" : "not usable" }
        guard missing.isEmpty else { return "wants \(missing.joined(separator: ", "))" }
        return service == nil ? "ready" : "configured"
    }

    private var price: String {
        guard let service else { return "in this process" }
        if service.isRunPod { return "by time of workers" }
        if let dollars = dollarsPerMillionTokens {
            return "\(Terminal.decimals(dollars, 2)) dollars per million tokens"
        }
        return service == .server ? "yours" : "price not known"
    }

    private var spent: String { today.flatMap { $0.requests == 0 ? nil : "today \($0.summary)" } ?? "" }

    // MARK: As JSON

    func write(to json: inout JSONWriter) {
        json.member("name", name)
        json.name("space")
        if let space { json.write(space.name) } else { json.writeNull() }
        json.member("takes", modalityNames)
        json.member("isConfigured", isConfigured)
        json.member("isService", service != nil)
        json.list("missing", missing) { $0.write($1) }
        if let problem { json.member("problem", problem) }
        json.name("dollarsPerMillionTokens")
        if let dollars = dollarsPerMillionTokens { json.write(dollars) } else { json.writeNull() }
        if let today { json.object("today") { today.write(to: &$0) } }
        if let health {
            json.object("health") { json in
                json.member("state", health.state.rawValue)
                json.member("message", health.message)
            }
        }
    }
}

extension ServiceSettings.Service {
    /// Whether it is paid by the time of workers.
    fileprivate var isRunPod: Bool { rawValue.hasPrefix("runpod") }
}

extension CostLedger.Day {
    var summary: String {
        let amount =
            seconds > 0 ? "\(Terminal.decimals(seconds, 1)) seconds" : Terminal.counted(tokens, "token")
        var price = knownDollars.map { "\(Terminal.decimals($0, 4)) dollars" } ?? "price not known"
        if knownDollars != nil, unpricedRequests > 0 {
            price += " without \(Terminal.counted(unpricedRequests, "request")) of a price that is not known"
        }
        return "\(Terminal.counted(requests, "request")), \(amount), \(price)"
    }

    func write(to json: inout JSONWriter) {
        json.member("requests", requests)
        json.member("texts", texts)
        json.member("tokens", tokens)
        json.member("estimatedTokens", estimatedTokens)
        json.member("unpricedRequests", unpricedRequests)
        json.name("dollars")
        if let knownDollars { json.write(knownDollars) } else { json.writeNull() }
        json.member("seconds", seconds)
    }
}
