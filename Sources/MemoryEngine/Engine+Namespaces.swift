import Store

/// A namespace that holds memories, and how many.
public struct NamespaceSummary: Sendable, Equatable {
    public let namespace: Namespace
    /// Memories that are current.
    public let memories: Int
}

extension Engine {
    /// The namespaces of a home that hold memories: the home itself, and its sessions in the order of their names.
    ///
    /// - Throws: `EngineError`: `notFound`.
    /// - Complexity: O(passages).
    public func namespaces(in home: Namespace) async throws -> [NamespaceSummary] {
        try checkHome(home)
        let home = home.home
        let counts = try await read(in: home) { try Self.memoriesBySession($0) }
        guard let counts else { throw EngineError(.notFound, "there is no home \(home)") }
        var summaries = [NamespaceSummary(namespace: home, memories: counts[nil] ?? 0)]
        for (session, count) in counts {
            if let session { summaries.append(.init(namespace: home.session(session), memories: count)) }
        }
        return summaries.sorted { $0.namespace.description < $1.namespace.description }
    }

    /// Current memories by their session; `nil` = those of the home itself.
    private static func memoriesBySession(
        _ transaction: borrowing ReadTransaction
    ) throws -> [String?: Int] {
        let view = try HomeView(in: transaction)
        var passages: [UInt32] = []
        try FilterEvaluation(view: view).flagged(.current, in: transaction).forEachPassage {
            passages.append($0)
        }
        let parts = try view.values(.part, of: passages, in: transaction) { UInt64($0.part) }
        let sessions = try view.values(.session, of: passages, in: transaction) { UInt64($0.session) }
        var countOfNumber: [UInt64: Int] = [:]
        for (part, session) in zip(parts, sessions) where part == 0 {
            countOfNumber[session, default: 0] += 1
        }
        var counts: [String?: Int] = [:]
        for (number, count) in countOfNumber {
            counts[number == 0 ? nil : try Names.name(of: UInt32(number), .session, in: transaction)] = count
        }
        return counts
    }
}
