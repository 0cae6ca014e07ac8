import Foundation
import MemoryEngine

/// The services that settings name; a setting is a variable of the environment, or a line of a `.env` file.
///
/// Nothing goes over a network because of a setting: what is made of one is asked when somebody embeds with it.
package struct ServiceSettings: Sendable {
    /// By their names on the command line.
    package enum Service: String, Sendable, CaseIterable {
        case openai, jina, voyage
        /// A server of one's own.
        case server
        /// BGE-M3 on RunPod.
        case runpod
        /// SigLIP 2 on RunPod.
        case siglip = "runpod-siglip"
        /// V-JEPA 2 on RunPod.
        case vlJEPA = "runpod-vl-jepa"
    }

    /// The settings there are, each with what it is.
    package static let names: [(name: String, meaning: String)] = [
        ("OPENAI_API_KEY", "The key of OpenAI."),
        ("JINA_API_KEY", "The key of Jina."),
        ("VOYAGE_API_KEY", "The key of Voyage."),
        ("LOCI_EMBEDDINGS_URL", "A server of your own: what stands before /embeddings, or before /embed."),
        ("LOCI_EMBEDDINGS_MODEL", "Its model, by the name that it has there."),
        ("LOCI_EMBEDDINGS_DIMENSION", "How many numbers its vectors have."),
        ("LOCI_EMBEDDINGS_KEY", "Its key, if it wants one."),
        ("LOCI_EMBEDDINGS_SHAPE", "How it is asked: openai (by default) or tei."),
        ("RUNPOD_API_KEY", "The key of RunPod."),
        ("RUNPOD_ENDPOINT_BGE_M3", "The id of an endpoint with a queue and workers of BGE-M3, for passages."),
        ("RUNPOD_URL_BGE_M3", "The id or URL of one that balances loads, for questions."),
        ("RUNPOD_ENDPOINT_SIGLIP", "The same of SigLIP 2."),
        ("RUNPOD_URL_SIGLIP", "The same of SigLIP 2, for questions."),
        ("RUNPOD_ENDPOINT_VL_JEPA", "The same of V-JEPA 2."),
        ("RUNPOD_URL_VL_JEPA", "The same of V-JEPA 2, for questions."),
        (
            "RUNPOD_QUESTIONS_WAIT",
            "true: without a URL for questions they may wait in the queue."
        ),
        ("LOCI_RUNPOD_PRICE", "Dollars for a second of a worker on RunPod, as no price is known."),
        ("ANTHROPIC_API_KEY", "The key of Anthropic, for `consolidate --reasoner anthropic`."),
        ("LOCI_REASONER_MODEL", "The model for `consolidate --reasoner`, as its service calls it."),
        ("LOCI_REASONER_URL", "A server of your own for that: what stands before /chat/completions."),
        ("LOCI_REASONER_KEY", "Its key, if it wants one."),
        ("LOCI_REASONER_FORM", "How it is told the form: schema, tool (anthropic) or words."),
        ("LOCI_REASONER_TOKENS", "The most tokens of an answer, by default 4096."),
        ("LOCI_REASONER_PRICE_IN", "Dollars for a million tokens that it reads, as no price is known."),
        ("LOCI_REASONER_PRICE_OUT", "Dollars for a million tokens that it writes."),
        (cap("OPENAI", "DOLLARS"), "The most dollars of a day (UTC) for OpenAI."),
        (cap("OPENAI", "TOKENS"), "The most tokens of a day."),
        (cap("ANTHROPIC", "DOLLARS"), "The same of Anthropic; wants the prices above."),
        (cap("ANTHROPIC", "TOKENS"), "The same of Anthropic."),
        (cap("VOYAGE", "DOLLARS"), "The same of Voyage."),
        (cap("VOYAGE", "TOKENS"), "The same of Voyage."),
        (cap("JINA", "TOKENS"), "The same of Jina, whose price is not known."),
        (cap("SERVER", "TOKENS"), "The same of a server of your own."),
        (cap("RUNPOD", "SECONDS"), "The most seconds of a day that workers on RunPod work."),
        (cap("RUNPOD", "DOLLARS"), "The most dollars of a day for that; wants the price above."),
    ]

    private static let capPrefix = "LOCI_CAP_"
    private static func cap(_ service: String, _ unit: String) -> String { "\(capPrefix)\(service)_\(unit)" }

    /// Whether a variable is a setting, or was meant to be one.
    package static func isSetting(_ name: String) -> Bool {
        name.hasPrefix(capPrefix) || names.contains { $0.name == name }
    }

    /// Settings that lack nothing, for no service there is.
    private static let example = [
        "OPENAI_API_KEY": "key", "JINA_API_KEY": "key", "VOYAGE_API_KEY": "key", "RUNPOD_API_KEY": "0-key-0",
        "ANTHROPIC_API_KEY": "key", "LOCI_EMBEDDINGS_URL": "http://localhost",
        "LOCI_EMBEDDINGS_MODEL": "model",
        "LOCI_EMBEDDINGS_DIMENSION": "1", "LOCI_REASONER_URL": "http://localhost",
        "LOCI_REASONER_MODEL": "model",
        "LOCI_REASONER_PRICE_IN": "1", "LOCI_REASONER_PRICE_OUT": "1", "LOCI_RUNPOD_PRICE": "1", "HOME": "/",
    ]

    /// Looks whether a setting can have a value, whatever the others are.
    ///
    /// - Throws: `EngineError` with code `invalid`, which names the setting and not the value.
    package static func check(_ name: String, _ value: String) throws {
        var values = example
        for model in ["BGE_M3", "SIGLIP", "VL_JEPA"] { values["RUNPOD_ENDPOINT_\(model)"] = "endpoint" }
        values[name] = value
        let settings = ServiceSettings(environment: values)
        do {
            for service in Service.allCases { _ = try settings.embedder(of: service) }
            // A form may be one of some services only.
            let reasoners = ReasonerService.allCases.map { service in
                Result { try settings.reasoner(of: service) }
            }
            if let failure = reasoners.first, reasoners.allSatisfy({ (try? $0.get()) == nil }) {
                _ = try failure.get()
            }
            if name != "LOCI_REASONER_FORM" { for reasoner in reasoners { _ = try reasoner.get() } }
        } catch let error as EngineError {
            throw EngineError(
                .invalid, error.message.contains(name) ? error.message : "\(name): \(error.message)")
        }
    }

    private let values: [String: String]
    package let problem: String?
    private let withheld: Set<String>
    private let warn: (@Sendable (String) -> Void)?

    /// - Parameters:
    ///   - problem: why settings may be missing; no service is used then, because a cap may be among them.
    ///   - withheld: keys of the environment that are not used, since a file says where they would go.
    ///   - warn: is told where costs are not counted.
    package init(
        environment: [String: String], problem: String? = nil, withheld: Set<String> = [],
        warn: (@Sendable (String) -> Void)? = nil
    ) {
        values = environment
        self.problem = problem
        self.withheld = withheld
        self.warn = warn
    }

    func value(_ name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

    // MARK: What there is

    /// What a service wants; of several in a row one.
    private static func wanted(_ service: Service) -> [[String]] {
        func runPod(_ model: String) -> [[String]] {
            [["RUNPOD_API_KEY"], ["RUNPOD_ENDPOINT_\(model)", "RUNPOD_URL_\(model)"]]
        }
        return switch service {
        case .openai: [["OPENAI_API_KEY"]]
        case .jina: [["JINA_API_KEY"]]
        case .voyage: [["VOYAGE_API_KEY"]]
        case .server: [["LOCI_EMBEDDINGS_URL"], ["LOCI_EMBEDDINGS_MODEL"], ["LOCI_EMBEDDINGS_DIMENSION"]]
        case .runpod: runPod("BGE_M3")
        case .siglip: runPod("SIGLIP")
        case .vlJEPA: runPod("VL_JEPA")
        }
    }

    /// The settings that a service lacks, as `A` or `A or B`.
    package func missing(of service: Service) -> [String] {
        Self.wanted(service).filter { $0.allSatisfy { value($0) == nil } }.map {
            $0.joined(separator: " or ")
        }
    }

    /// What a service takes.
    package static func modalities(of service: Service) -> Set<Modality> {
        switch service {
        case .openai, .voyage, .server, .runpod: [.text]
        case .jina, .siglip: [.text, .image]
        case .vlJEPA: [.video]
        }
    }

    /// Those that take images or videos.
    package static var ofMedia: [Service] { Service.allCases.filter { modalities(of: $0) != [.text] } }

    /// The services that make vectors of a kind.
    package static func services(of modality: Modality) -> [Service] {
        Service.allCases.filter { modalities(of: $0).contains(modality) }
    }

    /// The space of a service; `nil` = its settings do not say.
    package func space(of service: Service) -> EmbeddingSpace? {
        switch service {
        case .openai: return EmbeddingSpace(model: "text-embedding-3-small", dimension: 1_536)
        case .jina: return EmbeddingSpace(model: "jina-embeddings-v4", dimension: 1_024)
        case .voyage: return EmbeddingSpace(model: "voyage-code-3", dimension: 1_024)
        case .server:
            guard let model = value("LOCI_EMBEDDINGS_MODEL"),
                let dimension = value("LOCI_EMBEDDINGS_DIMENSION").flatMap(Self.dimension)
            else { return nil }
            return EmbeddingSpace(model: model, dimension: dimension)
        case .runpod: return EmbeddingSpace(model: "BAAI/bge-m3", dimension: 1_024)
        case .siglip: return EmbeddingSpace(model: "google/siglip2-so400m-patch14-384", dimension: 1_152)
        case .vlJEPA: return EmbeddingSpace(model: "facebook/vjepa2-vitl-fpc64-256", dimension: 1_024)
        }
    }

    /// How the settings of a server of one's own differ from a space that one may have made; `nil` = there are none, or it is another's
    /// space.
    func difference(ofServerFrom space: EmbeddingSpace) -> String? {
        let names = (model: "LOCI_EMBEDDINGS_MODEL", dimension: "LOCI_EMBEDDINGS_DIMENSION")
        let (model, dimension) = (value(names.model), value(names.dimension))
        guard space.revision.isEmpty, space.metric == .cosine, model != nil || dimension != nil else {
            return nil
        }
        if let problem { return "\(Service.server.rawValue) is not used: \(problem)" }
        var parts: [String] = []
        if model != space.model {
            let said = model.map { isModel($0) ? "is `\($0)`" : "is not the name of a model" } ?? "is not set"
            parts.append("\(names.model) \(said), and the space is of `\(space.model)`")
        }
        if dimension.flatMap({ Int($0) }) != space.dimension {
            let said =
                dimension.map { Self.dimension($0).map { "is \($0)" } ?? "is \(Self.noDimension)" }
                ?? "is not set"
            parts.append("\(names.dimension) \(said), and the space has \(space.dimension)")
        }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }

    /// What a million tokens cost in dollars; `nil` = it is not counted by tokens, or nobody knows.
    package func dollarsPerMillionTokens(of service: Service) -> Double? {
        space(of: service).flatMap {
            ServicePrice.of($0.model, by: service.rawValue)?.dollarsPerMillionTokens
        }
    }

    /// Those that lack nothing, as embedders for homes that have a space of theirs; one whose settings are wrong is left out.
    package var configured: [any Embedder] {
        Service.allCases.filter { missing(of: $0).isEmpty }.compactMap { try? embedder(of: $0) }
    }

    // MARK: Embedders

    /// - Throws: `EngineError` with code `invalid`, which names the setting that is missing or none, and not its value.
    package func embedder(of service: Service) throws -> any HealthReporting {
        if let problem { throw EngineError(.invalid, "\(service.rawValue) is not used: \(problem)") }
        let missing = missing(of: service)
        guard missing.isEmpty else { throw refusal(service.rawValue, missing) }
        switch service {
        case .openai:
            return try OpenAIEmbedder.openAI(key: key("OPENAI_API_KEY"), ledger: ledger())
        case .jina: return try OpenAIEmbedder.jina(key: key("JINA_API_KEY"), ledger: ledger())
        case .voyage:
            return try OpenAIEmbedder.voyage(key: key("VOYAGE_API_KEY"), ledger: ledger())
        case .server: return try server()
        case .runpod: return try runPod("BGE_M3", service)
        case .siglip: return try runPod("SIGLIP", service)
        case .vlJEPA: return try runPod("VL_JEPA", service)
        }
    }

    private func key(_ name: String) -> String { value(name) ?? "" }

    /// An URL, of which it is said which setting has it.
    ///
    /// - Throws: `EngineError` with code `invalid`, which names the setting and not its value.
    func address(_ name: String) throws -> String {
        let url = key(name)
        do {
            try HTTPRequest.check(base: url)
            _ = try HTTPRequest(.post, url)
        } catch let error as HTTPError {
            throw EngineError(.invalid, "\(name): \(error.message)")
        }
        return url
    }

    func refusal(_ service: String, _ missing: [String]) -> EngineError {
        let names = missing.joined(separator: " and ")
        let hidden = withheld.sorted().filter { name in missing.contains { $0.contains(name) } }
        let reason =
            hidden.isEmpty
            ? "set \(missing.count == 1 ? "it" : "them"), or write it into .env with `loci embedders --set NAME`"
            : "\(hidden.joined(separator: " and ")) of the environment is not sent to an address that only .env names: write it "
                + "there too"
        return EngineError(.invalid, "\(service) wants \(names): \(reason)")
    }

    /// - Throws: where a key of the environment is not sent to the address of a server that a file names.
    func refuseWithheld(_ key: String) throws {
        guard !withheld.contains(key) else { throw refusal(Service.server.rawValue, [key]) }
    }

    private static let noDimension = "not a whole number from 1 to \(EmbeddingSpace.maximumDimension)"

    private static func dimension(_ text: String) -> Int? {
        Int(text).flatMap { (1...EmbeddingSpace.maximumDimension).contains($0) ? $0 : nil }
    }

    private func isModel(_ name: String) -> Bool {
        let space = EmbeddingSpace(model: name, dimension: 1)
        return EmbeddingSpace(name: space.name) == space && space.name.utf8.count <= 400
    }

    private func server() throws -> any HealthReporting {
        guard let space = space(of: .server) else {
            throw EngineError(.invalid, "LOCI_EMBEDDINGS_DIMENSION is \(Self.noDimension)")
        }
        guard isModel(space.model) else {
            throw EngineError(.invalid, "LOCI_EMBEDDINGS_MODEL is not the name of a model")
        }
        try refuseWithheld("LOCI_EMBEDDINGS_KEY")
        let (url, key) = (try address("LOCI_EMBEDDINGS_URL"), value("LOCI_EMBEDDINGS_KEY"))
        switch value("LOCI_EMBEDDINGS_SHAPE") ?? "openai" {
        case "openai":
            var options = OpenAIEmbedder.Options.server()
            options.ledger = try ledger()
            return try OpenAIEmbedder(url: url, key: key, space: space, options: options)
        case "tei":
            var options = TEIEmbedder.Options()
            options.service = Service.server.rawValue
            options.ledger = try ledger()
            return try TEIEmbedder(url: url, key: key, space: space, options: options)
        default: throw EngineError(.invalid, "LOCI_EMBEDDINGS_SHAPE is neither `openai` nor `tei`")
        }
    }

    private func runPod(_ model: String, _ service: Service) throws -> any HealthReporting {
        var options = RunPodEmbedder.Options()
        options.modalities = Self.modalities(of: service)
        switch value("RUNPOD_QUESTIONS_WAIT") ?? "false" {
        case "true":
            options.waitsForQueue = true
            // What is there already answers in time; a cold start may not.
            if value("RUNPOD_URL_\(model)") == nil { options.queryDeadline = .seconds(30) }
        case "false": break
        default: throw EngineError(.invalid, "RUNPOD_QUESTIONS_WAIT is neither `true` nor `false`")
        }
        // Images and videos need the larger body.
        if options.modalities != [.text] {
            options.usesRunSync = true
            options.maximumJobByteCount = 20_000_000
        }
        options.dollarsPerSecond = try price("LOCI_RUNPOD_PRICE")
        let cap = Self.cap("RUNPOD", "DOLLARS")
        guard value(cap) == nil || options.dollarsPerSecond != nil else {
            throw EngineError(
                .invalid, "\(cap) cannot be kept, as nobody knows what a worker costs: set LOCI_RUNPOD_PRICE")
        }
        options.ledger = try ledger()
        guard let space = space(of: service) else { throw EngineError(.invalid, "\(model) has no space") }
        for name in ["RUNPOD_ENDPOINT_\(model)", "RUNPOD_URL_\(model)"]
        where value(name)?.contains("://") == true { _ = try address(name) }
        return try RunPodEmbedder(
            queue: value("RUNPOD_ENDPOINT_\(model)"), loadBalancer: value("RUNPOD_URL_\(model)"),
            key: value("RUNPOD_API_KEY"), space: space, options: options)
    }

    // MARK: Costs

    /// Where costs are counted; `nil` = the environment names no folder for it.
    package var costsPath: String? {
        // As the XDG base directories have it: a relative path does not count.
        if let state = value("XDG_STATE_HOME"), state.hasPrefix("/") { return state + "/loci/costs.json" }
        return value("HOME").map { $0 + "/.local/state/loci/costs.json" }
    }

    /// What was counted, with the caps that settings name.
    ///
    /// - Throws: `EngineError` with code `invalid`: a cap that is none, that cannot hold, or without a file to count in.
    package func ledger() throws -> CostLedger {
        var caps: [String: CostLedger.Cap] = [:]
        for name in values.keys.sorted() where name.hasPrefix(Self.capPrefix) {
            guard let text = value(name) else { continue }
            guard Self.names.contains(where: { $0.name == name }) else {
                let known = Self.names.map(\.name).filter { $0.hasPrefix(Self.capPrefix) }
                throw EngineError(
                    .invalid, "\(name) is no cap that can hold; there are \(known.joined(separator: ", "))")
            }
            let parts = name.dropFirst(Self.capPrefix.count).split(separator: "_")
            let service = parts[0].lowercased()
            if parts[1] == "TOKENS", let tokens = Int(text), tokens >= 0 {
                caps[service, default: .init()].tokens = tokens
            } else if parts[1] == "SECONDS", let seconds = Double(text), seconds.isFinite, seconds >= 0 {
                caps[service, default: .init()].seconds = seconds
            } else if parts[1] == "DOLLARS", let dollars = Double(text), dollars.isFinite, dollars >= 0 {
                caps[service, default: .init()].dollars = dollars
            } else {
                let number =
                    parts[1] == "TOKENS" ? "whole number" : "number of \(parts[1].lowercased()), as 2.50"
                throw EngineError(.invalid, "\(name) is no \(number)")
            }
        }
        guard caps.isEmpty || costsPath != nil else {
            throw EngineError(
                .invalid, "a cap of a day wants a place to count in: set XDG_STATE_HOME or HOME")
        }
        return CostLedger(path: costsPath, caps: caps, warn: warn)
    }
}
