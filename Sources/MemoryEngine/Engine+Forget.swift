import Foundation
import Store

extension Engine {
    /// What to forget.
    public enum Selection: Sendable {
        case id(MemoryID)
        case filter(Filter)
        /// All that a principal wrote: each memory of which it wrote a version, whole, and the edges that it gave.
        case principal(String)
        /// All of it: of a session its memories, of a home or a tenant the files.
        case everything
    }

    /// What was forgotten.
    public struct Erasure: Sendable, Equatable {
        public var memories = 0
        /// Whole homes, whose files were removed.
        public var homes = 0
        /// Entries removed, by what they were: versions, passages, vectors, postings, edges, …
        public var counts: [String: Int] = [:]
    }

    /// Forgets memories, with all versions and all that only they support. What is left of them is their id in
    /// the change log. Bytes of freed pages stay in the file until they are reused, or until `compact`.
    ///
    /// Large selections are erased in commits of 256 memories, so a crash in between leaves the rest.
    ///
    /// - Throws: `EngineError`; `notFound` for an id that is not there.
    @discardableResult
    public func forget(_ what: Selection, under subtree: Namespace) async throws -> Erasure {
        guard !options.isReadOnly else { throw EngineError(.readOnly, "the store is open for reading only") }
        var erasure = Erasure()
        if case .everything = what, subtree.session == nil {
            for home in try vectorSetHomes(under: subtree) {
                try await removeHome(home)
                erasure.homes += 1
            }
            for home in try homes(under: subtree) {
                let count = try? await read(in: home) {
                    let state = try HomeState.read(in: $0)
                    return state.memoryCount - state.entityCount
                }
                erasure.memories += (count ?? nil).map { Int($0) } ?? 0
                // Before the home is gone, so that asking again after a crash finds them; and after, as one more
                // may have come.
                let citing = try await homesCiting(home)
                var receipts = try await eraseCitations(of: nil, in: home, by: citing)
                for other in (try? await noted(.cites, in: home)) ?? [] {
                    try await tell(other, citedBy: home, false)
                }
                try await removeHome(home)
                receipts += try await eraseCitations(of: nil, in: home, by: citing)
                if receipts > 0 { erasure.counts["receipts", default: 0] += receipts }
                erasure.homes += 1
            }
            return erasure
        }
        if case .id(let id) = what {
            // Also one that has expired.
            let memory =
                try await read(in: subtree) { transaction in
                    try Lookup.row(of: id, in: transaction).flatMap {
                        try Self.memory($0, subtree, version: nil, asOf: nil, validAt: nil, in: transaction)
                    }
                } ?? nil
            guard memory != nil else {
                throw EngineError(.notFound, "there is no memory \(id) in \(subtree)")
            }
        }
        let homes = subtree.root == .tenant ? try homes(under: subtree) : [subtree.home]
        for name in homes {
            try await withHome(of: name, creating: false) { home in
                if case .principal(let principal) = what, subtree.session == nil {
                    try await eraseTraces(of: principal, home, &erasure)
                }
                let ids = try await self.ids(what, subtree, home)
                var start = 0
                while start < ids.count {
                    try Task.checkCancellation()
                    let end = min(start + Applier.maximumEraseCount, ids.count)
                    let part = Array(ids[start..<end])
                    let counts = try await erase(part, by: .forget(part), home)
                    erasure.memories += counts["memories"] ?? 0
                    erasure.counts.merge(counts, uniquingKeysWith: +)
                    start = end
                }
            }
        }
        return erasure
    }

    /// Erases memories by a change, and receipts of other homes that cite them: before it, so that asking again after
    /// a crash finds them, and after it, as one more may have come.
    func erase(
        _ ids: [MemoryID], by change: Mutation.Change, _ home: Home
    ) async throws -> [String: Int] {
        let name = home.namespace
        // What is made of them goes with them.
        let ids = try await read(home) { ids + (try Applier.summaries(of: ids, in: $0)) }
        var receipts = 0
        if case .forget = change {
            receipts = try await eraseCitations(of: ids, in: name, by: try await homesCiting(name))
        }
        guard case .erased(var counts) = try await apply(change, home).outcomes[0] else { return [:] }
        let citing = try await homesCiting(name)
        if !citing.isEmpty {
            let gone = try await read(home) { transaction in
                try ids.filter { try Lookup.row(of: $0, in: transaction) == nil }
            }
            receipts += try await eraseCitations(of: gone, in: name, by: citing)
        }
        if receipts > 0 { counts["receipts", default: 0] += receipts }
        return counts
    }

    /// What a principal asked, and how it linked memories, is forgotten with what it wrote.
    private func eraseTraces(of principal: String, _ home: Home, _ erasure: inout Erasure) async throws {
        while case .erased(let counts) = try await apply(.eraseTraces(principal: principal), home).outcomes[0]
        {
            erasure.counts.merge(counts, uniquingKeysWith: +)
            if counts["edges", default: 0] < Applier.maximumEraseCount { break }
        }
    }

    private func ids(_ what: Selection, _ subtree: Namespace, _ home: Home) async throws -> [MemoryID] {
        let filter: Filter?
        switch what {
        case .id(let id): return [id]
        case .filter(let given): filter = given
        case .principal(let name): filter = .principal(name)
        case .everything: filter = nil
        }
        try check(filter)
        return try await read(home) { transaction in
            let view = try HomeView(in: transaction)
            let evaluation = FilterEvaluation(view: view)
            // Any version counts: what a principal wrote once is forgotten with what became of it.
            var set = try evaluation.present(in: transaction)
            if let filter { set.formIntersection(try evaluation.set(filter, in: transaction)) }
            // But where a memory lies is told by its newest one: what was promoted out of a session stays.
            let scope = try subtree.session.map { try evaluation.set(.session($0), in: transaction) }
            return try Self.rows(of: set, view, in: transaction).compactMap { row in
                guard let head = try HeadRecord.read(row, in: transaction) else {
                    throw StoreError(.corrupted, "row \(row) has no head")
                }
                return scope?.contains(head.firstPassage) ?? true ? head.id : nil
            }
        }
    }

    /// The memories that passages belong to.
    static func rows(
        of set: PassageSet, _ view: HomeView, in transaction: borrowing ReadTransaction
    ) throws -> [UInt64] {
        var rows = Set<UInt64>()
        try view.forEachBlock(.row, in: transaction) { first, bytes in
            for index in 0..<Column.row.rowsPerBlock where set.contains(UInt32(first + index)) {
                if first + index < view.state.foldedPassages { rows.insert(bytes.u64(at: index * 8)) }
            }
        }
        for entry in view.tail where set.contains(entry.passage) { rows.insert(entry.front.row.row) }
        return rows.sorted()
    }

    /// Removes the file of a home, and what an interrupted copy of it may have left.
    private func removeHome(_ home: Namespace) async throws {
        let file = filePath(of: home)
        try await withLockedFile(of: home) { _, _ in
            try FileManager.default.removeItem(atPath: file)
            for suffix in [
                ".compact", ".compact.loose", ".restore", ".restore.loose", Self.olderExtension, "",
            ] {
                Self.removeFiles(file + suffix)
            }
        }
    }
}
