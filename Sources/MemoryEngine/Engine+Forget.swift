import Foundation
import Store

extension Engine {
    /// What to forget.
    public enum Selection: Sendable {
        case id(MemoryID)
        case filter(Filter)
        /// All that a principal wrote.
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
            for home in try homes(under: subtree) {
                if let statistics = try? await stats(in: home) {
                    erasure.memories += Int(statistics.memories)
                }
                try await removeHome(home)
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
                    try await eraseReceipts(of: principal, home, &erasure)
                }
                let ids = try await self.ids(what, subtree, home)
                var start = 0
                while start < ids.count {
                    try Task.checkCancellation()
                    let end = min(start + Applier.maximumEraseCount, ids.count)
                    let applied = try await home.apply(
                        Mutation(
                            operation: .random(), time: options.clock().microseconds,
                            changes: [.forget(Array(ids[start..<end]))]))
                    if case .erased(let counts) = applied.outcomes[0] {
                        erasure.memories += counts["memories"] ?? 0
                        erasure.counts.merge(counts, uniquingKeysWith: +)
                    }
                    start = end
                }
            }
        }
        return erasure
    }

    /// What a principal asked is forgotten with what they wrote.
    private func eraseReceipts(of principal: String, _ home: Home, _ erasure: inout Erasure) async throws {
        let applied = try await home.apply(
            Mutation(
                operation: .random(), time: options.clock().microseconds,
                changes: [.eraseReceipts(principal: principal)]))
        if case .erased(let counts) = applied.outcomes[0] {
            erasure.counts.merge(counts, uniquingKeysWith: +)
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
        try Columns.forEachBlock(.row, below: view.state.foldedPassages, in: transaction) { first, bytes in
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
            for suffix in [".compact", ".compact.loose", ".restore", ".restore.loose", ""] {
                Self.removeFiles(file + suffix)
            }
        }
    }
}
