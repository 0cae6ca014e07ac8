import MemoryEngine

/// Goes on without the answers of another reasoner that cannot be used: the memory gets no note, the episode the engine's own
/// summary.
///
/// So one memory that a model refuses, or whose words lead it to nonsense, does not keep all later ones from being noted. Where
/// several in a row have no answer the model is to blame, and the error ends the consolidation. Those that were left out are
/// asked about again when they change, by another model, or where a consolidation `asksAgain`.
public final class SkippingReasoner: Reasoner {
    /// What was left out.
    public struct Skipped: Sendable {
        /// The memory, or the first one of an episode.
        public let id: MemoryID
        public let error: ReasonerError
    }

    private struct State {
        var skipped: [Skipped] = []
        var inARow = 0
    }

    public var model: String { reasoner.model }
    /// In the order of time.
    public var skipped: [Skipped] { state.withLock { $0.skipped } }

    private let reasoner: any Reasoner
    private let maximumInARow: Int
    private let state = Mutex(State())

    /// - Parameter maximumInARow: so many may follow each other.
    public init(_ reasoner: any Reasoner, maximumInARow: Int = 3) {
        (self.reasoner, self.maximumInARow) = (reasoner, maximumInARow)
    }

    /// - Throws: what the other throws that is not about one answer, or is one too many in a row.
    public func note(on memory: ReasonerMemory, beside others: [ReasonerMemory]) async throws -> ReasonerNote
    {
        try await answer(on: memory.id) { try await reasoner.note(on: memory, beside: others) }
            ?? ReasonerNote()
    }

    /// Throws as `note` does.
    public func summary(of episode: [ReasonerMemory], wordCount: Int) async throws -> String? {
        guard let first = episode.first else { return nil }
        return try await answer(on: first.id) {
            try await reasoner.summary(of: episode, wordCount: wordCount)
        } ?? nil
    }

    private func answer<Value>(on id: MemoryID, _ ask: () async throws -> Value) async throws -> Value? {
        do {
            let value = try await ask()
            state.withLock { $0.inARow = 0 }
            return value
        } catch let error as ReasonerError where error.isOfOneAnswer {
            let isOneTooMany = state.withLock { state in
                state.inARow += 1
                if state.inARow <= maximumInARow { state.skipped.append(Skipped(id: id, error: error)) }
                return state.inARow > maximumInARow
            }
            if isOneTooMany { throw error }
            return nil
        }
    }
}
