import Foundation
import MemoryEngine

/// Notes and summaries of a model whose service answers as Anthropic's `/v1/messages` does.
///
/// Contents of memories go to the service as data, and what it answers is held to a schema and to the memories that it was given,
/// as by `OpenAIReasoner`. It was tried with servers that answer as the maker's documents of November 2026 say, not with an
/// account.
public struct AnthropicReasoner: Reasoner {
    /// The model, by the name that the service has for it.
    public var model: String { call.model }

    private let call: ReasonerCall

    /// The version of the shape that is asked for.
    private static let version = "2023-06-01"

    /// - Parameters:
    ///   - key: sent as `x-api-key: KEY`. It shows in no error, and not when this is printed.
    ///   - url: what stands before `/v1/messages`.
    /// - Throws: `EngineError` with code `invalid`: an URL, a key or a name of a model that is none.
    public init(
        key: String, model: String, url: String = "https://api.anthropic.com",
        options: ReasonerOptions = ReasonerOptions(service: "anthropic", form: .tool)
    ) throws {
        try self.init(key: key, model: model, url: url, options: options, client: ServiceCall.client())
    }

    init(key: String, model: String, url: String, options: ReasonerOptions, client: HTTPClient) throws {
        let credential: HTTPCredential
        do {
            credential = try .header("x-api-key", key)
        } catch let error as HTTPError {
            throw ServiceCall.engineError(error)
        }
        call = ReasonerCall(
            url: url + (url.hasSuffix("/") ? "v1/messages" : "/v1/messages"), model: model,
            credential: credential, headers: [HTTPHeader("anthropic-version", Self.version)],
            shape: MessagesShape(), options: options, client: client)
        try call.check()
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

/// `POST /v1/messages`.
private struct MessagesShape: ReasonerShape {
    func request(_ question: ReasonerQuestion) -> ServiceField {
        var fields: [String: ServiceField] = [
            "model": .string(question.model), "max_tokens": .number(question.maximumAnswerTokens),
            "system": .string(question.system),
            "messages": .list([.object(["role": .string("user"), "content": .string(question.user)])]),
        ]
        switch question.form {
        case .tool:
            fields["tools"] = .list([
                .object([
                    "name": .string(question.prompt.name), "description": .string(question.prompt.purpose),
                    "input_schema": question.schema,
                ])
            ])
            fields["tool_choice"] = .object([
                "type": .string("tool"), "name": .string(question.prompt.name),
                "disable_parallel_tool_use": .flag(true),
            ])
        case .schema:
            fields["output_config"] = .object([
                "format": .object(["type": .string("json_schema"), "schema": question.schema])
            ])
        case .words: break
        }
        return .object(fields)
    }

    private struct Reply: Decodable {
        struct Block: Decodable {
            let type: String
            let text: String?
            let input: AnswerValue?
        }
        struct Usage: Decodable {
            let input: Int?
            /// What was put into a cache, or read from one, is not in `input`.
            let cached: Int?
            let read: Int?
            let output: Int?

            enum CodingKeys: String, CodingKey {
                case input = "input_tokens"
                case cached = "cache_creation_input_tokens"
                case read = "cache_read_input_tokens"
                case output = "output_tokens"
            }

            var counted: ReasonerReply.Usage? {
                guard let input = ReasonerReply.Usage(input: input, output: output),
                    let caches = ReasonerReply.Usage(input: cached ?? 0, output: read ?? 0)
                else { return nil }
                return .init(input: input.input + caches.input + caches.output, output: input.output)
            }
        }

        let content: [Block]
        let ending: String?
        let usage: Usage?

        enum CodingKeys: String, CodingKey {
            case content, usage
            case ending = "stop_reason"
        }
    }

    func reply(_ body: [UInt8]) -> ReasonerReply? {
        guard let reply = try? JSONDecoder().decode(Reply.self, from: Data(body)) else { return nil }
        // What a model thinks, or says beside its tool, is no answer.
        let text = reply.content.filter { $0.type == "text" }.compactMap(\.text).joined()
        let answer: ReasonerReply.Answer =
            switch reply.ending {
            case "refusal": .refused(text)
            case "max_tokens", "model_context_window_exceeded": .truncated
            default:
                if let input = reply.content.first(where: { $0.type == "tool_use" })?.input {
                    .value(input)
                } else {
                    text.isEmpty ? .nothing : .text(text)
                }
            }
        return ReasonerReply(answer: answer, usage: reply.usage?.counted)
    }
}
