import Foundation
import MemoryEngine

/// Notes and summaries of a model whose service answers as OpenAI's `/chat/completions` does: OpenAI itself, and servers of one's
/// own (Ollama, llama.cpp, vLLM).
///
/// Contents of memories go to the service as data, and what it answers is held to a schema and to the memories that it was given
/// (`AnswerShape`). An answer that is not of that form is asked for once more, with what was wrong. It was tried with servers that
/// answer as the makers' documents of November 2026 say, not with an account.
public struct OpenAIReasoner: Reasoner {
    /// The model, by the name that the service has for it.
    public var model: String { call.model }

    private let call: ReasonerCall

    /// - Parameters:
    ///   - url: what stands before `/chat/completions`, such as `http://127.0.0.1:11434/v1`.
    ///   - key: sent as `Authorization: Bearer KEY`. It shows in no error, and not when this is printed.
    ///   - answerTokensField: the field with the most tokens of an answer, `max_completion_tokens` at OpenAI.
    /// - Throws: `EngineError` with code `invalid`: an URL, a key, a name of a model or a form that is none.
    public init(
        url: String, key: String? = nil, model: String, answerTokensField: String = "max_tokens",
        options: ReasonerOptions = ReasonerOptions(service: "server", form: .schema)
    ) throws {
        try self.init(
            url: url, key: key, model: model, answerTokensField: answerTokensField, options: options,
            client: ServiceCall.client())
    }

    init(
        url: String, key: String?, model: String, answerTokensField: String, options: ReasonerOptions,
        client: HTTPClient
    ) throws {
        guard options.form != .tool else {
            throw EngineError(
                .invalid, "a service of OpenAI's shape is told the form of answers by `schema` or `words`")
        }
        call = ReasonerCall(
            url: url + (url.hasSuffix("/") ? "chat/completions" : "/chat/completions"), model: model,
            credential: try ServiceCall.bearer(key), headers: [],
            shape: ChatShape(answerTokensField: answerTokensField), options: options, client: client)
        try call.check()
    }

    /// OpenAI itself.
    public static func openAI(
        key: String, model: String,
        options: ReasonerOptions = ReasonerOptions(service: "openai", form: .schema)
    ) throws -> OpenAIReasoner {
        try OpenAIReasoner(
            url: "https://api.openai.com/v1", key: key, model: model,
            answerTokensField: "max_completion_tokens", options: options)
    }

    /// - Throws: `ReasonerError`; `EngineError`: what the ledger throws; `CancellationError`.
    public func note(on memory: ReasonerMemory, beside others: [ReasonerMemory]) async throws -> ReasonerNote
    {
        try await call.note(on: memory, beside: others)
    }

    /// `nil` where the episode is too long for one question. Throws as `note` does.
    public func summary(of episode: [ReasonerMemory], wordCount: Int) async throws -> String? {
        try await call.summary(of: episode, wordCount: wordCount)
    }
}

/// `POST /chat/completions`.
private struct ChatShape: ReasonerShape {
    let answerTokensField: String

    func request(_ question: ReasonerQuestion) -> ServiceField {
        func message(_ role: String, _ content: String) -> ServiceField {
            .object(["role": .string(role), "content": .string(content)])
        }
        var fields: [String: ServiceField] = [
            "model": .string(question.model), answerTokensField: .number(question.maximumAnswerTokens),
            "messages": .list([message("system", question.system), message("user", question.user)]),
        ]
        if question.form == .schema {
            fields["response_format"] = .object([
                "type": .string("json_schema"),
                "json_schema": .object([
                    "name": .string(question.prompt.name), "strict": .flag(true), "schema": question.schema,
                ]),
            ])
        }
        return .object(fields)
    }

    private struct Reply: Decodable {
        struct Choice: Decodable {
            let message: Message
            let ending: String?

            enum CodingKeys: String, CodingKey {
                case message
                case ending = "finish_reason"
            }
        }
        struct Message: Decodable {
            let content: String?
            let refusal: String?
        }
        struct Usage: Decodable {
            let input: Int?
            let output: Int?

            enum CodingKeys: String, CodingKey {
                case input = "prompt_tokens"
                case output = "completion_tokens"
            }
        }

        let choices: [Choice]
        let usage: Usage?
    }

    func reply(_ body: [UInt8]) -> ReasonerReply? {
        guard let reply = try? JSONDecoder().decode(Reply.self, from: Data(body)),
            let choice = reply.choices.first
        else { return nil }
        let usage = reply.usage.flatMap { ReasonerReply.Usage(input: $0.input, output: $0.output) }
        let message = choice.message
        let answer: ReasonerReply.Answer =
            switch choice.ending {
            case "length": .truncated
            case "content_filter": .refused(message.refusal ?? "")
            default:
                if let refusal = message.refusal, !refusal.isEmpty {
                    .refused(refusal)
                } else {
                    message.content.map { .text($0) } ?? .nothing
                }
            }
        return ReasonerReply(answer: answer, usage: usage)
    }
}
