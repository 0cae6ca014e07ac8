import Store

/// Receipts, and the homes that their citations reach.
extension Engine {
    /// Keeps what a recall gave, in the first home that it asked.
    ///
    /// Each home that is cited is told before, so that forgetting there knows whom to ask. And as a memory may be
    /// forgotten while this goes on, its home is looked at again afterwards.
    func keepReceipt(
        _ id: RecallID, _ query: RecallQuery, _ hits: [Hit], _ now: Timestamp, in home: Namespace,
        _ leftOut: inout [String]
    ) async throws {
        try checkWritable(home)
        let receipt = Receipt(
            recall: id, time: now.microseconds, principal: options.principal, query: query.text,
            items: hits.map {
                Receipt.Item(
                    namespace: $0.memory.namespace.description, id: $0.memory.id, version: $0.memory.version,
                    score: Float($0.score))
            }, outcome: nil)
        let cited = Dictionary(grouping: hits, by: \.memory.namespace.home)
            .filter { $0.key != home }.mapValues { $0.map(\.memory.id) }
        for other in cited.keys.sorted(by: { $0.description < $1.description }) {
            do {
                try await tell(other, citedBy: home, true)
            } catch let error as EngineError where error.code == .locked {
                leftOut.append("receipt: \(error.message)")
                return
            }
        }
        var isKept = try await withExistingHome(of: home) {
            try await apply(.receipt(receipt), $0).outcomes[0] == .done
        }
        for (other, ids) in cited where isKept {
            let gone: [MemoryID] =
                try await read(in: other) { transaction in
                    try ids.filter { try Lookup.row(of: $0, in: transaction) == nil }
                } ?? ids
            guard !gone.isEmpty else { continue }
            _ = try await eraseCitations(of: gone, in: other, by: [home])
            isKept = false
        }
        if !isKept { leftOut.append("receipt: a memory that it would cite was forgotten meanwhile") }
    }

    /// Says what came of what a recall gave, so that it can be credited to the memories that were used.
    ///
    /// - Parameter namespace: a namespace of the home where the receipt lies: the first by path of those asked that are
    ///   there, `collective` excepted. `nil` = look for it, first in the homes that are open.
    /// - Throws: `EngineError`: `notFound` (no receipt was kept, or it is older than the last 10,000).
    /// - Complexity: O(log receipts); without a namespace, for each home until it is found.
    public func record(
        _ outcome: Outcome, of recall: RecallID, in namespace: Namespace? = nil
    ) async throws {
        var place = namespace
        if place == nil { place = try await home(ofReceipt: recall) }
        guard let namespace = place else {
            throw EngineError(
                .notFound,
                "no receipt of recall \(recall) was kept; ask with `keepReceipt`, and record soon after")
        }
        try checkWritable(namespace)
        try await withExistingHome(of: namespace) { _ = try await apply(.outcome(recall, outcome), $0) }
    }

    private func home(ofReceipt recall: RecallID) async throws -> Namespace? {
        let open = openHomeNames
        for home in try open + homes().filter({ !open.contains($0) }) {
            do {
                let isThere = try await read(in: home) { try Lookup.receipt(recall, in: $0) != nil }
                if isThere ?? false { return home }
            } catch let error as EngineError where error.code == .corrupted || error.code == .foreign {
                // Another may have it.
            }
        }
        return nil
    }

    // MARK: Citations

    /// Notes in a home, if it is there, that receipts of another one cite it, or do not.
    func tell(_ home: Namespace, citedBy other: Namespace, _ isCited: Bool) async throws {
        _ = try await withHome(of: home, creating: false) { home in
            let key = Schema.Shared.citedBy.key.raw(other.description.utf8)
            let isNoted = try await read(home) { try Schema.shared.contains(key, in: $0) }
            guard isNoted != isCited else { return }
            _ = try await apply(.citedBy(home: other.description, isCited), home)
        }
    }

    /// The homes whose receipts may cite memories of a home. Where it cannot be read, any home may.
    func homesCiting(_ home: Namespace) async throws -> [Namespace] {
        do {
            return try await noted(.citedBy, in: home)
        } catch let error as EngineError where error.code == .corrupted || error.code == .foreign {
            var citing: [Namespace] = []
            for other in try homes() where other != home {
                if try await noted(.cites, in: other).contains(home) { citing.append(other) }
            }
            return citing
        }
    }

    /// The homes under a prefix of `citedBy` or `cites`.
    func noted(_ prefix: Schema.Shared, in home: Namespace) async throws -> [Namespace] {
        try await read(in: home) { transaction in
            var homes: [Namespace] = []
            try Schema.shared.scan(prefix: prefix.key, in: transaction) { key, _ in
                guard let path = String(validating: key.copy(1..<key.byteCount), as: UTF8.self),
                    let home = try? Namespace(path: path)
                else { throw StoreError(.corrupted, "the home in a note of receipts is not one") }
                homes.append(home)
                return true
            }
            return homes
        } ?? []
    }

    /// Removes the receipts of other homes that cite memories of one; `nil` = any of it.
    ///
    /// - Returns: how many.
    func eraseCitations(
        of ids: [MemoryID]?, in home: Namespace, by homes: [Namespace]
    ) async throws -> Int {
        var count = 0
        for other in homes where other != home {
            let applied = try await withHome(of: other, creating: false) {
                try await apply(.eraseCitations(home: home.description, ids), $0)
            }
            if case .erased(let counts)? = applied?.outcomes[0] { count += counts["receipts"] ?? 0 }
        }
        return count
    }

    /// Applies one change to a home, now.
    func apply(_ change: Mutation.Change, _ home: Home) async throws -> Applier.Result {
        return try await home.apply(
            Mutation(
                at: options.clock(), changes: [change]))
    }
}
