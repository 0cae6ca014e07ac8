import Foundation
import Testing

@testable import Embedders
@testable import MemoryEngine

@Suite(.timeLimit(.minutes(10))) struct `What reasoning costs` {
    typealias Shape = ScriptedModel.Shape

    private static let memory = ReasonerMemory.example("The kiln runs at 1200 degrees.")

    private static func day(_ ledger: CostLedger, _ shape: Shape) throws -> CostLedger.Day {
        try ledger.today(shape == .openAI ? "openai" : "anthropic")
    }

    @Test(arguments: Shape.allCases)
    func `is counted under the service's name, by what each kind of token costs`(
        shape: Shape
    ) async throws {
        let model = try ScriptedModel(shape, .answer(ScriptedModel.noteOfOne))
        let ledger = CostLedger()
        let reasoner = try model.reasoner {
            $0.ledger = ledger
            $0.dollarsPerMillionInputTokens = 2
            $0.dollarsPerMillionOutputTokens = 10
        }
        _ = try await reasoner.note(on: Self.memory, beside: [])
        let day = try Self.day(ledger, shape)
        #expect(day.requests == 1 && day.texts == 1 && day.tokens == 1_000 && day.estimatedTokens == 0)
        // 900 read and 100 written.
        #expect(abs(day.dollars - 0.0028) < 1e-12)
    }

    @Test(arguments: Shape.allCases) func `has no dollars where nobody knows a price`(
        shape: Shape
    ) async throws {
        let model = try ScriptedModel(shape, .answer(ScriptedModel.noteOfOne))
        let ledger = CostLedger()
        let reasoner = try model.reasoner {
            $0.ledger = ledger
            $0.dollarsPerMillionInputTokens = 2
        }
        _ = try await reasoner.note(on: Self.memory, beside: [])
        #expect(try Self.day(ledger, shape).dollars == 0 && Self.day(ledger, shape).tokens == 1_000)
    }

    @Test(
        arguments: Shape.allCases,
        [
            "null", "{}", #"{"prompt_tokens":-5,"completion_tokens":1,"input_tokens":-5,"output_tokens":1}"#,
            #"{"prompt_tokens":9007199254740993,"completion_tokens":1,"input_tokens":9007199254740993,"output_tokens":1}"#,
            #"{"prompt_tokens":5,"input_tokens":5}"#,
        ])
    func `is estimated where the service does not count, or counts what is none`(
        shape: Shape, usage: String
    ) async throws {
        let model = try ScriptedModel(
            shape, .body(ScriptedModel.body(shape, ScriptedModel.noteOfOne, usage: usage)))
        let ledger = CostLedger()
        let reasoner = try model.reasoner {
            $0.ledger = ledger
            $0.maximumAnswerTokens = 50
        }
        _ = try await reasoner.note(on: Self.memory, beside: [])
        let sent = try #require(model.questions.first).text.utf8.count
        let day = try Self.day(ledger, shape)
        #expect(day.tokens == (sent + 2) / 3 + 50 && day.estimatedTokens == day.tokens)
    }

    @Test(arguments: Shape.allCases) func `is counted of answers that are of no use, and not of refusals`(
        shape: Shape
    ) async throws {
        let ledger = CostLedger()
        for step in [
            ScriptedModel.Step.body("<html>"), .status("401 Unauthorized", "{}"), .answer("no JSON"),
        ] {
            let model = try ScriptedModel(shape, step)
            let reasoner = try model.reasoner { $0.ledger = ledger }
            _ = await ReasonerError.of { try await reasoner.note(on: Self.memory, beside: []) }
            #expect(!model.questions.isEmpty)
        }
        let day = try Self.day(ledger, shape)
        #expect(day.requests == 3)
        #expect(day.tokens == 2_000 + day.estimatedTokens)
        #expect(day.estimatedTokens > 4_096)
    }

    @Test(arguments: Shape.allCases, [CostLedger.Cap(tokens: 4_000), CostLedger.Cap(dollars: 0.04)])
    func `has a cap that stops a call before it is sent`(shape: Shape, cap: CostLedger.Cap) async throws {
        let model = try ScriptedModel(shape, .answer(ScriptedModel.noteOfOne))
        let service = shape == .openAI ? "openai" : "anthropic"
        let reasoner = try model.reasoner {
            $0.ledger = CostLedger(caps: [service: cap])
            // What may be written counts, before it is.
            $0.maximumAnswerTokens = 4_000
            $0.dollarsPerMillionInputTokens = 1
            $0.dollarsPerMillionOutputTokens = 10
        }
        let error = await ReasonerError.of { try await reasoner.note(on: Self.memory, beside: []) }
        #expect(error?.code == .service && error?.message.hasPrefix("\(service) has a cap of ") == true)
        #expect(error?.isOfOneAnswer == false && model.questions.isEmpty)
        let allowed = try model.reasoner {
            $0.ledger = CostLedger(caps: [service: .init(tokens: 8_000)])
            $0.maximumAnswerTokens = 4_000
        }
        _ = try await allowed.note(on: Self.memory, beside: [])
        #expect(model.questions.count == 1)
    }
}

@Suite struct `Settings of a reasoner` {
    private static let all = [
        "OPENAI_API_KEY": "sk-secret-1", "ANTHROPIC_API_KEY": "sk-secret-2", "LOCI_REASONER_MODEL": "model-1",
        "LOCI_REASONER_URL": "http://127.0.0.1:1/v1", "HOME": "/nowhere",
    ]

    private func reasoner(_ service: String, _ change: [String: String?]) throws -> any Reasoner {
        var environment = Self.all
        for (name, value) in change { environment[name] = value }
        let service = try #require(ServiceSettings.ReasonerService(rawValue: service))
        return try ServiceSettings(environment: environment).reasoner(of: service)
    }

    @Test func `choose the service that is named`() throws {
        #expect(try reasoner("openai", [:]) is OpenAIReasoner)
        #expect(try reasoner("anthropic", [:]) is AnthropicReasoner)
        var dumped = ""
        dump(try reasoner("server", ["LOCI_REASONER_KEY": "secret-key"]), to: &dumped)
        #expect(dumped.contains("http://127.0.0.1:1/v1/chat/completions") && !dumped.contains("secret-key"))
        for service in ["openai", "anthropic", "server"] {
            #expect(try reasoner(service, [:]).model == "model-1")
            #expect(try reasoner(service, ["LOCI_REASONER_FORM": "words"]).model == "model-1")
        }
    }

    @Test(arguments: [
        ("openai", "OPENAI_API_KEY"), ("anthropic", "ANTHROPIC_API_KEY"), ("server", "LOCI_REASONER_URL"),
        ("openai", "LOCI_REASONER_MODEL"), ("anthropic", "LOCI_REASONER_MODEL"),
        ("server", "LOCI_REASONER_MODEL"),
    ])
    func `name what is missing`(service: String, name: String) throws {
        for value in [nil, ""] {
            let error = #expect(throws: EngineError.self) { try reasoner(service, [name: value]) }
            #expect(error?.code == .invalid)
            #expect(
                error?.message.hasPrefix("\(service) wants \(name): set it") == true,
                "\(error?.message ?? "")")
        }
    }

    @Test(arguments: [
        ("server", "LOCI_REASONER_URL", "secret-host"), ("server", "LOCI_REASONER_KEY", "a secret key"),
        ("openai", "OPENAI_API_KEY", "a secret key"), ("anthropic", "ANTHROPIC_API_KEY", "a secret key"),
        ("openai", "LOCI_REASONER_MODEL", "a secret"), ("openai", "LOCI_REASONER_FORM", "secret"),
        ("openai", "LOCI_REASONER_FORM", "tool"), ("server", "LOCI_REASONER_FORM", "tool"),
        ("openai", "LOCI_REASONER_TOKENS", "0"), ("openai", "LOCI_REASONER_TOKENS", "secret"),
        ("openai", "LOCI_REASONER_TOKENS", "99999999"), ("openai", "LOCI_REASONER_PRICE_IN", "-1"),
        ("anthropic", "LOCI_REASONER_PRICE_OUT", "inf"), ("server", "LOCI_REASONER_PRICE_OUT", "secret"),
        ("openai", "LOCI_CAP_OPENAI_TOKENS", "secret"),
        // What these cost is not known.
        ("openai", "LOCI_CAP_OPENAI_DOLLARS", "2"), ("anthropic", "LOCI_CAP_ANTHROPIC_DOLLARS", "2"),
    ])
    func `refuse what is none`(service: String, name: String, value: String) throws {
        let error = #expect(throws: EngineError.self) { try reasoner(service, [name: value]) }
        #expect(
            error?.code == .invalid && error?.message.contains("secret") == false, "\(error?.message ?? "")")
    }

    @Test func `take a cap in dollars where the price is said`() throws {
        let price = ["LOCI_REASONER_PRICE_IN": "3", "LOCI_REASONER_PRICE_OUT": "15"]
        for service in ["OPENAI", "ANTHROPIC"] {
            let cap = ["LOCI_CAP_\(service)_DOLLARS": "2"]
            #expect(throws: Never.self) { try reasoner(service.lowercased(), price.merging(cap) { $1 }) }
            let half = ["LOCI_REASONER_PRICE_IN": "3"].merging(cap) { $1 }
            #expect(throws: EngineError.self) { try reasoner(service.lowercased(), half) }
        }
    }

    @Test func `serve for nothing where a file of them is wrong, or has the address alone`() throws {
        let broken = ServiceSettings(environment: Self.all, problem: "line 2 of .env is not NAME=VALUE")
        for service in ServiceSettings.ReasonerService.allCases {
            #expect(throws: EngineError.self) { try broken.reasoner(of: service) }
        }
        let withheld = ServiceSettings(environment: Self.all, withheld: ["LOCI_REASONER_KEY"])
        let error = #expect(throws: EngineError.self) { try withheld.reasoner(of: .server) }
        #expect(error?.message.contains("write it there too") == true)
    }
}
