extension Engine {
    /// Gathers what an agent should read for one call: first what the session said lately, in its order, then what the
    /// question recalls of all scopes, each entry with its scope.
    ///
    /// - Throws: as `context(for:tokenBudget:counter:)`, and `invalid` for a view without a scope.
    /// - Complexity: that of the context, and of a list of the session.
    public func context(
        for question: String, in view: MemoryView, tokenBudget: Int, counter: TokenCounter = .estimate
    ) async throws -> ContextPack {
        guard (0...1_000).contains(view.recentLimit), (0...1).contains(view.recentShare) else {
            throw EngineError(
                .invalid, "a view has up to 1,000 memories of its session, and a share of 0 to 1 for them")
        }
        var recent: [ContextPack.Entry] = []
        if let session = view.session, view.recentLimit > 0 {
            let newest = try await list(in: session, order: .recordedDescending, limit: view.recentLimit)
            let room = Int(Double(tokenBudget) * view.recentShare)
            for memory in newest.memories {
                var entry = ContextPack.Entry(memory, score: 0, note: "lately")
                entry.scope = .session
                // The newest are wanted most, and all of them read from the oldest on.
                guard counter.count(ContextPack.serialized([entry] + recent)) <= room else { break }
                recent.insert(entry, at: 0)
            }
        }
        return try await context(
            for: [view.query(question)], tokenBudget: tokenBudget, counter: counter, behind: recent
        ) { view.scope(of: $0) }
    }
}
