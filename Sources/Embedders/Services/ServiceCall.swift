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
    struct Answer<Content> {
        let content: Content
        /// As the service counted them; `nil` = it does not say.
        let tokens: Int?
    }

    /// Asks for the vectors of some inputs, when the caps allow it, and counts what that cost.
    ///
    /// - Parameters:
    ///   - tokens: how many the inputs have at most about.
    ///   - read: what an answer holds; `nil` = it is none.
    /// - Throws: `EngineError`: `embedder` (a cap among it), `deadline`; `CancellationError`.
    func ask<Content>(
        _ fields: ServiceField, texts: Int, tokens: Int, _ read: (HTTPResponse) -> Answer<Content>?
    ) async throws -> Content {
        let price = (dollarsPerMillionTokens ?? 0) / 1e6
        let charge = CostLedger.Charge(texts: texts, tokens: tokens, dollars: Double(tokens) * price)
        let reservation = try ledger?.reserve(charge, for: service)
        defer { if let reservation { ledger?.release(reservation) } }
        let response = try await send(fields)
        guard let answer = read(response) else {
            try ledger?.count(charge, isEstimate: true, for: service)
            throw refusal("its answer is none: \(excerpt(response.body))")
        }
        var cost = charge
        if let counted = answer.tokens { (cost.tokens, cost.dollars) = (counted, Double(counted) * price) }
        try ledger?.count(cost, isEstimate: answer.tokens == nil, for: service)
        return answer.content
    }

    private func send(_ fields: ServiceField) async throws -> HTTPResponse {
        let encoder = JSONEncoder()
        // So that equal questions are equal bytes, and are asked once.
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body = try encoder.encode(fields)
        do {
            let request = try HTTPRequest(
                .post, url, headers: [HTTPHeader("Content-Type", "application/json")], credential: credential,
                body: Array(body))
            return try await client.send(request, within: deadline)
        } catch let error as HTTPError {
            throw Self.engineError(error)
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

    static func engineError(_ error: HTTPError) -> EngineError {
        let code: EngineError.Code =
            switch error.code {
            case .invalid: .invalid
            case .bodyTooLarge: .tooLarge
            case .deadline: .deadline
            case .connection, .certificate, .status, .resting, .replyTooLarge: .embedder
            }
        return EngineError(code, error.message)
    }

    // MARK: Batches

    /// Cuts inputs into requests, each of as many as a service takes by their number and their tokens.
    static func batches(
        of tokens: [Int], maximumCount: Int, maximumTokens: Int?
    ) -> [Range<Int>] {
        var batches: [Range<Int>] = []
        var (start, sum) = (0, 0)
        for (index, count) in tokens.enumerated() {
            let isFull = index - start >= max(1, maximumCount) || sum + count > maximumTokens ?? .max
            if index > start, isFull {
                batches.append(start..<index)
                (start, sum) = (index, 0)
            }
            sum += count
        }
        if start < tokens.count { batches.append(start..<tokens.count) }
        return batches
    }

    // MARK: Health

    /// How a service is, by what it says to `probe`.
    func health(_ probe: () async throws -> Void) async -> EmbedderHealth {
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
                .wrongKey, "\(host) refuses the key: give it another one, or a right to this model")
        // Retries may have used the time up; what was answered last is told then.
        case (.status, 503) where isLoading, (.deadline, _) where isLoading:
            EmbedderHealth(.loading, "\(host) loads its model: ask again in a moment")
        case (.connection, _), (.deadline, _), (.certificate, _):
            EmbedderHealth(.unreachable, "\(host) is not reached: \(error.message)")
        case (.resting, _): EmbedderHealth(.resting, error.message)
        default: EmbedderHealth(.failing, error.message)
        }
    }

    /// One request that is not retried longer than a few seconds, without counting vectors.
    func probe(_ request: HTTPRequest) async throws -> HTTPResponse {
        try await client.send(request, within: min(deadline, .seconds(10)))
    }

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
        /// It answers, and not with vectors of the space.
        case failing
    }

    public let state: State
    /// For a person, with the way out; no key is in it.
    public let message: String

    init(_ state: State, _ message: String) { (self.state, self.message) = (state, message) }
}

/// An embedder whose service can be asked how it is.
public protocol HealthReporting: Embedder {
    /// Asks it, for 10 seconds at most. A service without an own way for that is asked for one short vector, which costs it a
    /// token or two.
    func health() async -> EmbedderHealth
}
