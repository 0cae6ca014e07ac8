import MemoryEngine

/// The models that note and summarise memories, as settings name them.
extension ServiceSettings {
    /// By their names on the command line.
    package enum ReasonerService: String, Sendable, CaseIterable {
        case openai, anthropic
        /// A server of one's own.
        case server
    }

    private static func wanted(_ service: ReasonerService) -> [String] {
        switch service {
        case .openai: ["OPENAI_API_KEY", "LOCI_REASONER_MODEL"]
        case .anthropic: ["ANTHROPIC_API_KEY", "LOCI_REASONER_MODEL"]
        case .server: ["LOCI_REASONER_URL", "LOCI_REASONER_MODEL"]
        }
    }

    /// Nothing goes over a network until it is asked something.
    ///
    /// - Throws: `EngineError` with code `invalid`, which names the setting that is missing or none, and not its value.
    package func reasoner(of service: ReasonerService) throws -> any Reasoner {
        if let problem { throw EngineError(.invalid, "\(service.rawValue) is not used: \(problem)") }
        let missing = Self.wanted(service).filter { value($0) == nil }
        guard missing.isEmpty else { throw refusal(service.rawValue, missing) }
        let (options, model) = (try options(of: service), value("LOCI_REASONER_MODEL") ?? "")
        switch service {
        case .openai:
            return try OpenAIReasoner.openAI(
                key: value("OPENAI_API_KEY") ?? "", model: model, options: options)
        case .anthropic:
            return try AnthropicReasoner(
                key: value("ANTHROPIC_API_KEY") ?? "", model: model, options: options)
        case .server:
            try refuseWithheld("LOCI_REASONER_KEY")
            return try OpenAIReasoner(
                url: try address("LOCI_REASONER_URL"), key: value("LOCI_REASONER_KEY"), model: model,
                options: options)
        }
    }

    private func options(of service: ReasonerService) throws -> ReasonerOptions {
        let usual: AnswerForm = service == .anthropic ? .tool : .schema
        var options = ReasonerOptions(service: service.rawValue, form: usual)
        if let text = value("LOCI_REASONER_FORM") {
            guard let form = AnswerForm(rawValue: text), form != .tool || service == .anthropic else {
                let forms = AnswerForm.allCases.filter { $0 != .tool || service == .anthropic }
                throw EngineError(
                    .invalid,
                    "LOCI_REASONER_FORM is none of \(forms.map(\.rawValue).joined(separator: ", ")), which \(service.rawValue) has"
                )
            }
            options.form = form
        }
        if let text = value("LOCI_REASONER_TOKENS") {
            guard let tokens = Int(text), ReasonerCall.answerTokens.contains(tokens) else {
                throw EngineError(
                    .invalid,
                    "LOCI_REASONER_TOKENS is not a whole number from 1 to \(ReasonerCall.answerTokens.upperBound)"
                )
            }
            options.maximumAnswerTokens = tokens
        }
        if service == .server {
            (options.dollarsPerMillionInputTokens, options.dollarsPerMillionOutputTokens) = (0, 0)
        }
        if let price = try price("LOCI_REASONER_PRICE_IN") { options.dollarsPerMillionInputTokens = price }
        if let price = try price("LOCI_REASONER_PRICE_OUT") { options.dollarsPerMillionOutputTokens = price }
        let cap = "LOCI_CAP_\(service.rawValue.uppercased())_DOLLARS"
        guard value(cap) == nil || options.dollars(input: 0, output: 0) != nil else {
            throw EngineError(
                .invalid,
                "\(cap) cannot be kept, as nobody knows what the model costs: set LOCI_REASONER_PRICE_IN and LOCI_REASONER_PRICE_OUT"
            )
        }
        options.ledger = try ledger()
        return options
    }

    func price(_ name: String) throws -> Double? {
        guard let text = value(name) else { return nil }
        guard let price = Double(text), price.isFinite, price >= 0 else {
            throw EngineError(.invalid, "\(name) is no number of dollars, as 2.50")
        }
        return price
    }
}
