import Store

extension Namespace {
    /// The home of all vector sets of a tenant.
    package static func vectorSets(tenant: String? = nil) -> Namespace { vectors("sets", tenant: tenant) }
}

extension Engine {
    /// Runs commands on the vector sets of a home, one after another: in one snapshot, or, where any of them changes
    /// something, in one transaction, which is durable when this returns. A command that is refused changes nothing, and keeps
    /// none of the others from running.
    ///
    /// - Parameter namespace: a home of vector sets (`Namespace.vectorSets`); it is made with its first set.
    /// - Throws: `EngineError` for what concerns the home as a whole, `wrongKind` for another namespace; then nothing has
    ///   changed.
    package func run(
        _ commands: [VectorSetCommand], in namespace: Namespace
    ) async throws -> [Result<VectorSetAnswer, VectorSetError>] {
        guard case .vectors = namespace.root, namespace.session == nil else {
            throw EngineError(.wrongKind, "`\(namespace)` holds memories, and no vector sets")
        }
        let creating = commands.contains { if case .add = $0 { true } else { false } }
        let isRead = commands.allSatisfy(\.isRead)
        let answers = try await withHome(of: namespace, creating: creating, holdsVectorSets: true) { home in
            if isRead { return try await self.answers(commands, home) }
            return try await self.apply(commands, home)
        }
        return answers ?? commands.map { .success($0.answerOfNothing) }
    }

    /// The answer to a command where it takes some tenths of a millisecond at most, on the thread of the caller; `nil` where it
    /// may take longer. Being handed to a thread and back takes as long as a search does.
    ///
    /// - Throws: `EngineError` for what concerns the home as a whole.
    package func answerNow(
        _ command: VectorSetCommand, in namespace: Namespace
    ) throws -> Result<VectorSetAnswer, VectorSetError>? {
        guard command.isRead, case .vectors = namespace.root, namespace.session == nil else { return nil }
        return try withOpenHome(of: namespace) { home in
            guard let indexes = home.vectorSets?.indexes else { return nil }
            let reader = VectorSetReader(indexes: indexes)
            return try home.environment.read { transaction in
                guard try reader.isShort(command, in: transaction) else { return nil }
                do {
                    return .success(try reader.answer(command, in: transaction))
                } catch let error as VectorSetError {
                    return .failure(error)
                }
            }
        }
    }

    @inline(never)
    private func answers(
        _ commands: [VectorSetCommand], _ home: Home
    ) async throws -> [Result<VectorSetAnswer, VectorSetError>] {
        let reader = VectorSetReader(indexes: try vectorSets(of: home).indexes)
        return try await read(home) { transaction in
            try commands.map { command in
                do {
                    return .success(try reader.answer(command, in: transaction))
                } catch let error as VectorSetError {
                    return .failure(error)
                }
            }
        }
    }

    @inline(never)
    private func apply(
        _ commands: [VectorSetCommand], _ home: Home
    ) async throws -> [Result<VectorSetAnswer, VectorSetError>] {
        let (indexes, indexer) = try vectorSets(of: home)
        var byteCount = 0
        for case .add(let addition) in commands {
            byteCount += addition.vector.count * 4 + addition.element.count + (addition.attribute?.count ?? 0)
        }
        if byteCount > 0 { await indexer.wait() }
        let (results, writer) = try await home.environment.submit(
            byteCount: byteCount, isShort: commands.count == 1
        ) { transaction in
            var writer = VectorSetWriter(indexes)
            var results: [Result<VectorSetAnswer, VectorSetError>] = []
            for command in commands {
                do {
                    results.append(.success(try writer.answer(command, in: transaction)))
                } catch let error as VectorSetError {
                    results.append(.failure(error))
                }
            }
            return (results, writer)
        }
        indexer.note(writer)
        return results
    }

    private func vectorSets(
        of home: Home
    ) throws -> (indexes: VectorSetIndexes, indexer: VectorSetIndexer) {
        guard let sets = home.vectorSets else {
            throw EngineError(.wrongKind, "`\(home.namespace)` holds memories, and no vector sets")
        }
        return sets
    }

    /// What a home of vector sets holds: sets, elements of all of them, and bytes of its file.
    ///
    /// - Throws: `EngineError`: `notFound`.
    /// - Complexity: O(sets).
    package func vectorSetTotals(
        in namespace: Namespace
    ) async throws -> (sets: Int, elements: Int, fileBytes: Int) {
        let totals = try await withHome(of: namespace, creating: false, holdsVectorSets: true) {
            try await self.totals($0)
        }
        guard let totals else { throw EngineError(.notFound, "there is no home \(namespace.home)") }
        return totals
    }

    @inline(never)
    private func totals(_ home: Home) async throws -> (sets: Int, elements: Int, fileBytes: Int) {
        let counts = try await read(home) { transaction in
            try VectorSetRecord.all(in: transaction).map { Int($0.count) }
        }
        return (counts.count, counts.reduce(0, +), fileSize(home.environment.path) ?? 0)
    }

    /// Closes a home and lets the next command open it again; where somebody works with it, it stays open, as what was
    /// written is on disk all the same.
    package func reopen(_ namespace: Namespace) async throws {
        do {
            try await hold(namespace)
            release(namespace)
        } catch let error as EngineError where error.code == .locked {
            return
        }
    }

    /// Returns when nothing is left to be linked, rewritten or taken away in a home of vector sets.
    package func finishVectorSets(in namespace: Namespace) async throws {
        _ = try await withHome(of: namespace, creating: false, holdsVectorSets: true) { home in
            try await vectorSets(of: home).indexer.finish()
        }
    }
}

extension VectorSetCommand {
    /// The answer where there is no set at all.
    fileprivate var answerOfNothing: VectorSetAnswer {
        switch self {
        case .add, .remove, .setAttribute, .contains: .flag(false)
        case .delete, .deleteAll, .count: .number(0)
        case .search: .matches(nil)
        case .describe: .description(nil)
        case .vector: .vector(nil)
        case .attribute, .digest: .bytes(nil)
        case .links: .links(nil)
        case .sample(_, let count): count == nil ? .name(nil) : .names([])
        case .range, .names: .names([])
        case .page: .page([], next: 0)
        }
    }
}
