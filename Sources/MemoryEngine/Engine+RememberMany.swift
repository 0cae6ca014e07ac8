extension Engine {
    /// Remembers drafts of any number, batch by batch: each batch is one transaction, durable when it is given.
    ///
    ///     for try await stored in engine.remember(contentsOf: drafts, in: atlas, onError: .skip) { show(stored.count) }
    ///
    /// Nothing is stored before the first batch is asked for, and no more than one batch ahead of who asks. A batch that
    /// fails ends it; those before stay, and remembering the same drafts again brings those with a key once.
    ///
    /// - Parameters:
    ///   - policy: what becomes of a batch with a bad draft.
    ///   - batchCount: drafts of a batch, 1 to `maximumBatchCount`; other numbers are brought into these bounds.
    public func remember<Drafts: Sequence>(
        contentsOf drafts: Drafts, in namespace: Namespace, onError policy: BatchPolicy = .atomic,
        batchCount: Int = 1_000
    ) -> RememberedBatches<Drafts> where Drafts.Element == MemoryDraft {
        RememberedBatches(
            engine: self, drafts: drafts, namespace: namespace, policy: policy,
            batchCount: min(max(1, batchCount), Self.maximumBatchCount))
    }
}

/// What `Engine.remember(contentsOf:in:onError:batchCount:)` stores, batch by batch.
public struct RememberedBatches<Drafts: Sequence>: AsyncSequence where Drafts.Element == MemoryDraft {
    /// A batch that is stored.
    public struct Element: Sendable {
        /// How many drafts were taken so far, those of this batch among them.
        public let count: Int
        /// A result for each draft of the batch, in their order.
        public let results: [Result<Remembered, EngineError>]
    }

    let engine: Engine
    let drafts: Drafts
    let namespace: Namespace
    let policy: Engine.BatchPolicy
    let batchCount: Int

    /// Begins with the first draft.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(batches: self, rest: drafts.makeIterator())
    }

    /// Takes the drafts one batch after another.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let batches: RememberedBatches
        var rest: Drafts.Iterator
        var count = 0

        /// Stores the next batch; `nil` when there are no more drafts.
        ///
        /// - Throws: as `Engine.remember(_:in:onError:)`.
        public mutating func next() async throws -> Element? {
            var drafts: [MemoryDraft] = []
            while drafts.count < batches.batchCount, let draft = rest.next() { drafts.append(draft) }
            guard !drafts.isEmpty else { return nil }
            let results = try await batches.engine.remember(
                drafts, in: batches.namespace, onError: batches.policy)
            count += drafts.count
            return Element(count: count, results: results)
        }
    }
}
