/// Gives vectors, in the background, to what was stored without them: one home after another, and again after a pause that
/// grows while the embedder does not answer.
///
/// What waits is what the store says, so it outlives the process, and each passage gets its vector once, however often its
/// embedder was asked.
final class EmbeddingBacklog: Sendable {
    private struct State {
        /// The longest waiting first.
        var homes: [Namespace] = []
        var task: Task<Void, Never>?
        var isClosed = false
    }

    /// Not asked about again while this lives: it may cost, and comes to nothing.
    let refusals = Refusals()

    private let state = Mutex(State())
    private let pause: @Sendable (_ failures: Int) async throws -> Void
    private let warn: (@Sendable (String) -> Void)?

    init(
        pause: @escaping @Sendable (_ failures: Int) async throws -> Void, warn: (@Sendable (String) -> Void)?
    ) {
        (self.pause, self.warn) = (pause, warn)
    }

    /// Up to 2, 4, 8, … 300 seconds, with full jitter, so that many stores do not ask a service that has come back at once.
    static func pause(after failures: Int) async throws {
        let longest = min(300, Double(1 << min(failures, 9)))
        try await Task.sleep(for: .seconds(max(0.1, Double.random(in: 0..<1) * longest)))
    }

    /// Looks after a home soon.
    func add(_ home: Namespace, of engine: Engine) {
        state.withLock { state in
            guard !state.isClosed, !state.homes.contains(home) else { return }
            state.homes.append(home)
            if state.task == nil { state.task = Task { await run(engine) } }
        }
    }

    /// Ends the work after the batch that is under way.
    func close() async {
        let task = state.withLock { state in
            state.isClosed = true
            state.homes = []
            return state.task
        }
        task?.cancel()
        await task?.value
    }

    private func run(_ engine: Engine) async {
        var failures = 0
        while let home = next() {
            do {
                try await engine.embedBacklog(of: home)
                failures = 0
            } catch let error as EngineError
                where [.embedder, .deadline].contains(error.code) && !Task.isCancelled
            {
                failures += 1
                if failures == 1 {
                    warn?(
                        "\(home): what is remembered waits for its vectors, as \(error.message); it is tried again"
                    )
                }
                putBack(home)
                do { try await pause(failures) } catch { continue }
            } catch {
                if !Task.isCancelled { warn?("\(home): what is remembered gets no vectors: \(error)") }
            }
        }
    }

    /// The next home; at the end of them no task is left.
    private func next() -> Namespace? {
        state.withLock { state in
            if state.homes.isEmpty {
                state.task = nil
                return nil
            }
            return state.homes.removeFirst()
        }
    }

    private func putBack(_ home: Namespace) {
        state.withLock { state in
            if !state.isClosed, !state.homes.contains(home) { state.homes.append(home) }
        }
    }
}

extension Engine {
    /// Looks after a home in the background, where that is wanted.
    func lookAfter(_ home: Namespace) {
        let hasEmbedders = !embedders.isEmpty || !options.mediaEmbedders.isEmpty
        if options.embedsBacklog, !options.isReadOnly, hasEmbedders { backlog.add(home.home, of: self) }
    }

    /// Gives a vector to all that lacks one in the space that a home uses, in that of the fallback, and in those of what is
    /// attached. None waits for another's embedder.
    ///
    /// - Throws: the first failure, when all were tried.
    fileprivate func embedBacklog(of home: Namespace) async throws {
        guard let own = try await withHome(of: home, creating: false, { try embedders(of: $0) }) else {
            return
        }
        var failure: EngineError?
        for embedder in [own.current, options.fallbackEmbedder].compactMap({ $0 })
        where embedder.modalities.contains(.text) {
            do {
                try await embed(in: home, into: embedder.space, besides: backlog.refusals)
            } catch let error as EngineError where [.embedder, .deadline].contains(error.code) {
                try Task.checkCancellation()
                failure = failure ?? error
            }
        }
        for modality in Modality.allCases where own.media[modality] != nil {
            do {
                _ = try await embedMedia(modality, in: home, besides: backlog.refusals)
            } catch let error as EngineError where [.embedder, .deadline].contains(error.code) {
                try Task.checkCancellation()
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }
}
