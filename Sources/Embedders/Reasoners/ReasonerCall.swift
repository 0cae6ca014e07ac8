import Foundation
import MemoryEngine

/// What a service is asked, whatever its shape.
struct ReasonerQuestion: Sendable {
    let model: String
    let prompt: Prompt
    /// The rules, then what is to be done.
    let system: String
    /// The memories, and what was wrong with the answer before.
    let user: String
    let schema: ServiceField
    let form: AnswerForm
    let maximumAnswerTokens: Int
}

/// What a service answered, as far as it has a shape that is known.
struct ReasonerReply: Sendable {
    enum Answer: Sendable {
        /// What should be JSON.
        case text(String)
        case value(AnswerValue)
        case refused(String)
        case truncated
        case nothing
    }

    let answer: Answer
    /// As the service counted them; `nil` = it does not say.
    let usage: Usage?

    struct Usage: Sendable, Equatable {
        let input: Int
        let output: Int

        /// A count that is none is not believed.
        init?(input: Int?, output: Int?) {
            let counts = 0...1 << 40
            guard let input, let output, counts.contains(input), counts.contains(output) else { return nil }
            (self.input, self.output) = (input, output)
        }
    }
}

/// How a kind of service is asked, and how it answers.
protocol ReasonerShape: Sendable {
    func request(_ question: ReasonerQuestion) -> ServiceField
    /// - Returns: `nil` for what is no reply of such a service.
    func reply(_ body: [UInt8]) -> ReasonerReply?
}

/// One service with one model: what all reasoners of this folder are made of.
struct ReasonerCall: Sendable {
    let url: String
    let model: String
    let credential: HTTPCredential?
    let headers: [HTTPHeader]
    let shape: any ReasonerShape
    let options: ReasonerOptions
    let client: HTTPClient

    /// Of a reply: far more than the longest answer that is accepted.
    private static let maximumReplyByteCount = 4 << 20
    private static let maximumModelByteCount = 200
    static let answerTokens = 1...1 << 20

    /// - Throws: `EngineError` with code `invalid`: an URL, a key or a name of a model that is none.
    func check() throws {
        guard (1...Self.maximumModelByteCount).contains(model.utf8.count),
            model.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
        else {
            throw EngineError(
                .invalid, "the name of a model has 1 to \(Self.maximumModelByteCount) bytes and no blanks")
        }
        guard Self.answerTokens.contains(options.maximumAnswerTokens) else {
            throw EngineError(.invalid, "an answer has 1 to \(Self.answerTokens.upperBound) tokens")
        }
        do {
            try HTTPRequest.check(base: url)
            _ = try HTTPRequest(.post, url, headers: headers, credential: credential)
        } catch let error as HTTPError {
            throw ServiceCall.engineError(error)
        }
    }

    // MARK: Tasks

    func note(on memory: ReasonerMemory, beside others: [ReasonerMemory]) async throws -> ReasonerNote {
        try await result(
            of: .note(on: memory, beside: others, maximumContentByteCount: options.maximumContentByteCount))
    }

    func summary(of episode: [ReasonerMemory], wordCount: Int) async throws -> String? {
        let task = try ReasonerTask.summary(
            of: episode, wordCount: wordCount, maximumContentByteCount: options.maximumContentByteCount)
        guard let task else { return nil }
        return try await result(of: task)
    }

    /// Asks, and once more with what was wrong with the answer.
    private func result<Result>(of task: ReasonerTask<Result>) async throws -> Result {
        do {
            return try await answer(to: task, after: nil)
        } catch let complaint as AnswerComplaint where complaint.isWorthTelling {
            do {
                return try await answer(to: task, after: complaint)
            } catch let again as AnswerComplaint {
                throw error(again.code, "asked twice, \(again.reason)")
            }
        } catch let complaint as AnswerComplaint {
            throw error(complaint.code, complaint.reason)
        }
    }

    private func answer<Result>(
        to task: ReasonerTask<Result>, after complaint: AnswerComplaint?
    ) async throws -> Result {
        let schema = task.shape.schema
        var system = [Prompt.dataRule, task.prompt.instructions]
        if options.form == .words {
            system.append(Prompt.form(String(decoding: try Self.json(schema), as: UTF8.self)))
        }
        var user = ["<memories>\n\(task.memories)\n</memories>"]
        if let complaint { user.append(Prompt.complaint(complaint.reason)) }
        let question = ReasonerQuestion(
            model: model, prompt: task.prompt, system: system.joined(separator: "\n\n"),
            user: user.joined(separator: "\n\n"), schema: schema, form: options.form,
            maximumAnswerTokens: options.maximumAnswerTokens)
        let reply = try await send(Self.json(shape.request(question)), memoryCount: task.memoryCount)
        let value = try value(of: reply)
        if let reason = task.shape.complaint(about: value) { throw AnswerComplaint(.mismatch, reason) }
        return try task.read(value)
    }

    private func value(of reply: ReasonerReply) throws -> AnswerValue {
        switch reply.answer {
        case .value(let value): return value
        case .text(let text):
            let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
            guard !trimmed.isEmpty else { throw AnswerComplaint(.empty, "it is empty") }
            guard !trimmed.hasPrefix("```") else {
                throw AnswerComplaint(.fenced, "it stands in a code fence, and not alone")
            }
            guard let value = AnswerValue(json: trimmed) else {
                throw AnswerComplaint(.notJSON, "it is not one whole JSON value")
            }
            return value
        case .refused(let reason):
            let said = HTTPCredential.excerpt(of: reason.utf8, without: credential, limit: 200)
            throw AnswerComplaint(.refused, "the model refuses" + (said.isEmpty ? "" : ": \(said)"))
        case .truncated:
            throw AnswerComplaint(
                .truncated,
                "it is cut off, as it may have \(options.maximumAnswerTokens) tokens, those of thinking included"
            )
        case .nothing: throw AnswerComplaint(.empty, "it is empty")
        }
    }

    private func error(_ code: ReasonerError.Code, _ reason: String) -> ReasonerError {
        let way =
            switch code {
            case .truncated: "; allow it more (`LOCI_REASONER_TOKENS`)"
            case .empty, .fenced, .notJSON, .mismatch:
                "; another model, or another way to tell it the form (`LOCI_REASONER_FORM`), may do better"
            case .service, .tooSlow, .badReply, .refused: ""
            }
        return ReasonerError(code, "\(host) gave no answer of `\(model)` that can be used: \(reason)\(way)")
    }

    private var host: String { (try? HTTPRequest(.post, url).host) ?? url }

    // MARK: The wire

    private static func json(_ field: ServiceField) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(field))
    }

    /// Sends a question when the caps allow it, and counts what that cost.
    ///
    /// - Throws: `ReasonerError`: `service` (a cap among it), `badReply`, `tooSlow`; `EngineError`: what the ledger throws.
    private func send(_ body: [UInt8], memoryCount: Int) async throws -> ReasonerReply {
        do {
            let request = try HTTPRequest(
                .post, url, headers: [HTTPHeader("Content-Type", "application/json")] + headers,
                credential: credential, body: body)
            let response = try await counted(request, memoryCount: memoryCount)
            guard response.body.count <= Self.maximumReplyByteCount, let reply = shape.reply(response.body)
            else {
                let excerpt = HTTPCredential.excerpt(of: response.body, without: credential)
                throw error(.badReply, "its reply is none of such a service: \(excerpt)")
            }
            return reply
        } catch let error as HTTPError {
            throw told(ServiceCall.engineError(error), isRefusedAsItIs: [400, 422].contains(error.status))
        } catch let error as EngineError {
            throw told(error, isRefusedAsItIs: false)
        }
    }

    /// What is an embedder's failure elsewhere is a service's here.
    private func told(_ error: EngineError, isRefusedAsItIs: Bool) -> any Error {
        if error.code == .deadline { return ReasonerError(.tooSlow, error.message) }
        guard error.code == .embedder else { return error }
        let way =
            isRefusedAsItIs
            ? "; where that is about the form of answers, ask for another one (`LOCI_REASONER_FORM`)" : ""
        return ReasonerError(.service, error.message + way)
    }

    private func counted(_ request: HTTPRequest, memoryCount: Int) async throws -> HTTPResponse {
        let (options, shape) = (options, shape)
        @Sendable func charge(_ input: Int, _ output: Int, isEstimate: Bool) -> CostLedger.Charge {
            CostLedger.Charge(
                texts: memoryCount, tokens: input + output,
                dollars: options.dollars(input: input, output: output),
                isEstimate: isEstimate)
        }
        let estimate = charge(
            ServicePrice.tokens(ofBytes: request.body.count), options.maximumAnswerTokens, isEstimate: true)
        let meter = options.ledger?.meter(options.service, estimate: estimate) { response in
            shape.reply(response.body)?.usage.map { charge($0.input, $0.output, isEstimate: false) }
        }
        return try await client.send(request, within: options.deadline, meter: meter)
    }
}
