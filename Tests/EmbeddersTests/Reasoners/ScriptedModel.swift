import Foundation
import TestSupport
import Testing

@testable import Embedders
@testable import MemoryEngine

/// A service on loopback whose model answers as a test says, in one of the two shapes.
final class ScriptedModel: Sendable {
    enum Shape: String, CaseIterable, Sendable {
        case openAI, anthropic
    }

    /// What it was asked.
    struct Question: Sendable {
        /// From 0.
        let number: Int
        let head: String
        let text: String

        var body: AnswerValue { AnswerValue(json: text) ?? .nothing }
        var system: String {
            body["system"]?.text ?? body["messages"]?.list.first?["content"]?.text ?? ""
        }
        var user: String { body["messages"]?.list.last?["content"]?.text ?? "" }
        /// The memories by label.
        var memories: AnswerValue {
            let parts = user.components(separatedBy: "<memories>\n").last?.components(
                separatedBy: "\n</memories>")
            return parts?.first.flatMap { AnswerValue(json: $0) } ?? .nothing
        }
        var isSummary: Bool { text.contains("\"summary\"") }
        func content(_ label: String) -> String { memories[label]?["content"]?.text ?? "" }
    }

    enum Step: Sendable {
        /// An answer in JSON, or not.
        case answer(String)
        /// A whole body.
        case body(String)
        case status(String, String, headers: [String] = [])
    }

    static let key = "sk-test-4f9b1c77d02e4a5cb6"
    static let noNote = #"{"keywords":[],"tags":[],"facts":[],"links":[],"refinements":[]}"#
    /// Of a memory without others.
    static let noteOfOne = #"{"keywords":["kiln"],"tags":[],"facts":[]}"#

    let shape: Shape
    let server: LoopbackServer
    private let asked: Mutex<[Question]>

    var questions: [Question] { asked.withLock { $0 } }

    init(_ shape: Shape, _ script: @escaping @Sendable (Question) -> Step) throws {
        self.shape = shape
        let asked = Mutex<[Question]>([])
        self.asked = asked
        server = try LoopbackServer { request, _ in
            let text = String(decoding: request.body, as: UTF8.self)
            let question = asked.withLock { asked in
                let question = Question(number: asked.count, head: request.head, text: text)
                asked.append(question)
                return question
            }
            switch script(question) {
            case .answer(let answer): return LoopbackServer.reply("200 OK", Self.body(shape, answer))
            case .body(let body): return LoopbackServer.reply("200 OK", body)
            case .status(let status, let body, let headers):
                return LoopbackServer.reply(status, body, headers: headers)
            }
        }
    }

    /// One whose answers are these, and the last one to all that follows.
    convenience init(_ shape: Shape, _ steps: Step...) throws {
        try self.init(shape) { steps[min($0.number, steps.count - 1)] }
    }

    static func quoted(_ text: String) -> String {
        String(decoding: (try? JSONEncoder().encode(text)) ?? Data(), as: UTF8.self)
    }

    static func body(
        _ shape: Shape, _ answer: String, ending: String? = nil, usage: String? = nil
    ) -> String {
        switch shape {
        case .openAI:
            let usage = usage ?? #"{"prompt_tokens":900,"completion_tokens":100,"total_tokens":1000}"#
            return
                #"{"id":"c1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"#
                + quoted(answer)
                + #","refusal":null},"finish_reason":"\#(ending ?? "stop")"}],"usage":\#(usage)}"#
        case .anthropic:
            let usage = usage ?? #"{"input_tokens":700,"cache_read_input_tokens":200,"output_tokens":100}"#
            let block =
                AnswerValue(json: answer) == nil
                ? #"{"type":"text","text":\#(quoted(answer))}"#
                : #"{"type":"text","text":"Noted."},{"type":"tool_use","id":"t1","name":"note","input":\#(answer)}"#
            return #"{"id":"msg_1","type":"message","role":"assistant","content":["# + block
                + #"],"stop_reason":"\#(ending ?? "tool_use")","usage":\#(usage)}"#
        }
    }

    /// Over libcurl, with a clock that stands still and waits of no length between tries.
    func reasoner(_ change: (inout ReasonerOptions) -> Void = { _ in }) throws -> any Reasoner {
        var transport = CurlTransport.Options()
        transport.proxy = ""
        var client = HTTPClient.Options()
        client.random = { 0 }
        let http = try HTTPClient(
            over: CurlTransport(options: transport), clock: TurnedHTTPClock(), options: client)
        switch shape {
        case .openAI:
            var options = ReasonerOptions(service: "openai", form: .schema)
            change(&options)
            return try OpenAIReasoner(
                url: server.url("/v1"), key: Self.key, model: "model-1", answerTokensField: "max_tokens",
                options: options, client: http)
        case .anthropic:
            var options = ReasonerOptions(service: "anthropic", form: .tool)
            change(&options)
            return try AnthropicReasoner(
                key: Self.key, model: "model-1", url: server.url(""), options: options, client: http)
        }
    }
}

extension ReasonerMemory {
    static func example(_ content: String, number: UInt64 = 1, tags: [String] = []) -> ReasonerMemory {
        ReasonerMemory(
            id: MemoryID(rawValue: UInt128(0xABCD_0000 + number)), content: content, kind: .note,
            actor: "Ada",
            happened: Timestamp(microseconds: 1_772_000_000_000_000), tags: tags, keywords: [])
    }
}

extension ReasonerError {
    /// What a call fails with.
    static func of<Value>(_ body: () async throws -> Value) async -> ReasonerError? {
        do {
            _ = try await body()
            return nil
        } catch {
            return error as? ReasonerError
        }
    }
}
