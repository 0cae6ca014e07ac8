import Foundation
import MemoryEngine

/// A value of a field of a request.
public enum ServiceField: Sendable, Encodable, Equatable {
    case string(String)
    case number(Int)
    case flag(Bool)
    case list([ServiceField])
    case object([String: ServiceField])

    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .string(let text): try value.encode(text)
        case .number(let number): try value.encode(number)
        case .flag(let flag): try value.encode(flag)
        case .list(let fields): try value.encode(fields)
        case .object(let fields): try value.encode(fields)
        }
    }
}

/// One service, as all embedders of this folder ask it: its address, the key, and who counts what it costs.
struct ServiceCall: Sendable {
    /// Under which its costs are counted.
    let service: String
    let url: String
    let space: EmbeddingSpace
    let deadline: Duration
    let credential: HTTPCredential?
    let client: HTTPClient
    let ledger: CostLedger?
    let dollarsPerMillionTokens: Double?

    /// All of a process share its connections.
    static let transport = Result { try CurlTransport() }

    /// A client of its own, so that services that fail leave others alone.
    static func client() throws -> HTTPClient {
        do {
            return HTTPClient(over: try transport.get())
        } catch let error as HTTPError {
            throw engineError(error)
        }
    }

    /// - Throws: `EngineError` with code `invalid`: an URL or a key that is none.
    func check() throws {
        do {
            try HTTPRequest.check(base: url)
            _ = try HTTPRequest(.post, url, credential: credential)
        } catch let error as HTTPError {
            throw Self.engineError(error)
        }
    }

    static func bearer(_ key: String?) throws -> HTTPCredential? {
        do {
            return try key.map(HTTPCredential.bearer)
        } catch let error as HTTPError {
            throw engineError(error)
        }
    }

    /// What an answer cost and holds.
    struct Answer<Content: Sendable>: Sendable {
        let content: Content
        /// As the service counted them; `nil` = it does not say.
        let tokens: Int?
    }

    /// Asks for the vectors of some inputs, when the caps allow it, and counts what that cost.
    ///
    /// - Parameters:
    ///   - tokens: how many the inputs have at most about.
    ///   - purpose: a question is not kept waiting where there is no connection.
    ///   - read: what an answer holds; `nil` = it is none.
    /// - Throws: `EngineError`: `embedder` (a cap among it), `deadline`, what the ledger throws; `CancellationError`.
    func ask<Content>(
        _ fields: ServiceField, texts: Int, tokens: Int, for purpose: EmbeddingPurpose,
        _ read: @escaping @Sendable (HTTPResponse) -> Answer<Content>?
    ) async throws -> Content {
        try await told {
            try await answer(
                to: fields, texts: texts, tokens: tokens, within: deadline, isRetried: true,
                isHurried: purpose == .query, read)
        }
    }

    /// Does something, and tells of its errors as those of embedders.
    func told<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as HTTPError {
            throw Self.engineError(error)
        }
    }

    /// As `ask`. Throws errors of the client as they are.
    func answer<Content>(
        to fields: ServiceField, texts: Int, tokens: Int, within: Duration, isRetried: Bool,
        isHurried: Bool = false, _ read: @escaping @Sendable (HTTPResponse) -> Answer<Content>?
    ) async throws -> Content {
        let encoder = JSONEncoder()
        // So that equal questions are equal bytes, and are asked once.
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let request = try HTTPRequest(
            .post, url, headers: [HTTPHeader("Content-Type", "application/json")], credential: credential,
            body: Array(encoder.encode(fields)))
        // Read once, by the meter where there is one.
        let known = Mutex<Answer<Content>?>(nil)
        let response = try await client.send(
            request, within: within, isRetried: isRetried, isHurried: isHurried,
            meter: meter(texts: texts, tokens: tokens) { response in
                let answer = read(response)
                known.withLock { $0 = answer }
                return answer?.tokens
            })
        guard let answer = known.withLock({ $0 }) ?? read(response) else {
            throw refusal("its answer is none: \(excerpt(response.body))")
        }
        return answer.content
    }

    /// Counts each attempt by an estimate before it is sent, and by what the service counted when it has answered.
    private func meter(
        texts: Int, tokens: Int, _ counted: @escaping @Sendable (HTTPResponse) -> Int?
    ) -> HTTPMeter? {
        guard let ledger else { return nil }
        let price = dollarsPerMillionTokens.map { $0 / 1e6 }
        @Sendable func charge(_ tokens: Int, isEstimate: Bool) -> CostLedger.Charge {
            CostLedger.Charge(
                texts: texts, tokens: tokens, dollars: price.map { Double(tokens) * $0 },
                isEstimate: isEstimate)
        }
        return ledger.meter(service, estimate: charge(tokens, isEstimate: true)) { response in
            counted(response).map { charge($0, isEstimate: false) }
        }
    }

    /// The vectors of an answer, checked.
    func vectors(_ written: [(index: Int?, vector: WrittenVector)], count: Int) throws -> [[Float]] {
        do {
            return try space.vectors(written, count: count)
        } catch {
            throw refusal(error.reason)
        }
    }

    func excerpt(_ bytes: some Collection<UInt8>, limit: Int = 300) -> String {
        HTTPCredential.excerpt(of: bytes, without: credential, limit: limit)
    }

    func refusal(_ reason: String) -> EngineError {
        EngineError(.embedder, "\(url) gave no vectors of \(space.name): \(reason)")
    }

    /// What a caller is told of an error, with the way out where its status tells one.
    static func engineError(_ error: HTTPError) -> EngineError {
        let way =
            switch error.status {
            case 401, 403: "; look whether the key is right, and may use this model"
            case 402: "; its account has no money left"
            case 404: "; look at the URL, and at the name of the model"
            case 429: "; it is asked too often, or its quota is used up: wait, or have it raised"
            default: ""
            }
        let code: EngineError.Code =
            switch error.code {
            case .invalid: .invalid
            case .bodyTooLarge: .tooLarge
            case .deadline: .deadline
            case .connection, .certificate, .status, .resting, .replyTooLarge: .embedder
            }
        // Other failures of servers may be of what was sent: some answer 500 to a text that is too long.
        let isTransient =
            switch error.code {
            case .connection, .certificate, .deadline, .resting: true
            case .status: [402, 408, 429, 502, 503, 504].contains(error.status)
            case .invalid, .bodyTooLarge, .replyTooLarge: false
            }
        return EngineError(code, error.message + way, isTransient: isTransient)
    }

    /// What a text weighs.
    ///
    /// - Parameter index: its number, for the error.
    /// - Throws: `EngineError` with code `embedder`: it is longer than the model takes. Nothing is cut off in silence.
    func weight(of text: String, _ index: Int, atMost maximum: Int) throws -> InputWeight {
        let count = text.utf8.count
        guard count <= maximum else {
            throw EngineError(
                .embedder,
                "text \(index) has \(count) bytes, and \(space.name) takes \(maximum): split it, or raise the limit if its model "
                    + "takes more")
        }
        // As it is written in JSON.
        let bytes = text.utf8.reduce(0) { sum, byte in
            switch byte {
            case 0..<0x20: sum + 6
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): sum + 2
            default: sum + 1
            }
        }
        return InputWeight(tokens: ServicePrice.tokens(ofBytes: count), bytes: bytes)
    }

    // MARK: Health

    /// How a service is, by what it says to `probe`.
    func health(_ probe: () async throws -> Void) async -> EmbedderHealth {
        if let capped = EmbedderHealth(ofCapsIn: ledger, service) { return capped }
        do {
            try await probe()
            return EmbedderHealth(.ready, "\(space.name) at \(host) answers")
        } catch is CancellationError {
            return EmbedderHealth(.unreachable, "the call was cancelled")
        } catch let error as HTTPError {
            return health(of: error)
        } catch {
            return EmbedderHealth(.failing, (error as? EngineError)?.message ?? "\(error)")
        }
    }

    private func health(of error: HTTPError) -> EmbedderHealth {
        let isLoading = error.message.lowercased().contains("loading")
        return switch (error.code, error.status) {
        case (.status, 401), (.status, 403):
            EmbedderHealth(
                .wrongKey,
                "\(host) refuses the key: give it another one, or a right to this model (\(error.message))")
        // A request of somebody else may be shared, whose retries use the time up; what was answered last is told then.
        case (.status, 503) where isLoading, (.deadline, _) where isLoading:
            EmbedderHealth(.loading, "\(host) loads its model: ask again in a moment")
        case (.connection, _), (.deadline, _), (.certificate, _):
            EmbedderHealth(.unreachable, "\(host) is not reached: \(error.message)")
        case (.resting, _):
            EmbedderHealth(
                .resting,
                error.message
                    + (error.retryAfter.map { ": ask again in \(max(1, $0.components.seconds)) s" } ?? ""))
        default: EmbedderHealth(.failing, Self.engineError(error).message)
        }
    }

    /// How long somebody waits who asks how a service is.
    var patience: Duration { min(deadline, .seconds(10)) }

    var host: String { (try? HTTPRequest(.get, url).host) ?? url }
}

/// How an embedder's service is.
public struct EmbedderHealth: Sendable, Equatable {
    /// What can be said of it in a word.
    public enum State: String, Sendable {
        /// It gives vectors of the space.
        case ready
        /// It starts, and will answer soon.
        case loading
        case wrongKey
        case unreachable
        /// It failed so often lately that it is left alone for a while.
        case resting
        /// A cap of the day is reached, so it is not asked.
        case capped
        /// It answers, and not with vectors of the space.
        case failing
    }

    public let state: State
    /// For a person, with the way out; no key is in it.
    public let message: String

    init(_ state: State, _ message: String) { (self.state, self.message) = (state, message) }

    /// Where no call would be sent, whatever the service says; `nil` = one may be.
    init?(ofCapsIn ledger: CostLedger?, _ service: String) {
        do {
            guard let reached = try ledger?.reachedCap(of: service) else { return nil }
            self.init(.capped, "cap reached: \(reached)")
        } catch {
            self.init(.failing, (error as? EngineError)?.message ?? "\(error)")
        }
    }
}

/// An embedder whose service can be asked how it is.
public protocol HealthReporting: Embedder {
    /// Asks it, for 10 seconds at most. A service without an own way for that is asked for one short vector, which costs it a
    /// token or two.
    func health() async -> EmbedderHealth
}
