import Store

/// Who is who: names and addresses of one person, put together by rules, with evidence, each merge to be taken back.
extension Engine {
    /// Edges that are made in one transaction.
    private static let mergeBatchCount = 512

    /// Puts together what is one person's among those who said or did something: names (`Memory.actor`) and e-mail
    /// addresses (attribute `email`). Each merge is an edge `sameAs` between the entities of two aliases, with its rule
    /// and the memories where they stand. What was taken back with `unlink` is not put together again, nor what a
    /// caller's own edges would contradict. Imports of histories do this at their end.
    ///
    /// - Throws: `EngineError`: `notFound` (the home), `readOnly`.
    /// - Complexity: O(memories with an address) at the speed of columns, and O(n log n) in the distinct identities.
    @discardableResult
    public func resolvePeople(in namespace: Namespace) async throws -> PeopleResolution {
        try checkWritable(namespace)
        let (home, now) = (namespace.home, options.clock())
        let (identityCount, personCount, edges) = try await graph(in: home) { transaction in
            try Self.resolution(home, now, in: transaction)
        }
        var mergeCount = 0
        for start in stride(from: 0, to: edges.count, by: Self.mergeBatchCount) {
            let batch = edges[start..<min(edges.count, start + Self.mergeBatchCount)]
            do {
                mergeCount += try await merge(batch, home, now)
            } catch let error as EngineError where error.code == .notFound {
                // Something was forgotten since it was read. Whatever does not rest on it is still made.
                for edge in batch {
                    do {
                        mergeCount += try await merge([edge], home, now)
                    } catch let error as EngineError where error.code == .notFound {}
                }
            }
        }
        return PeopleResolution(
            identityCount: identityCount, personCount: personCount, mergeCount: mergeCount)
    }

    private func merge(
        _ edges: ArraySlice<NewEdge>, _ home: Namespace, _ now: Timestamp
    ) async throws -> Int {
        let mutation = Mutation(at: now, changes: edges.map { .link($0) })
        let applied = try await withExistingHome(of: home) { try await $0.apply(mutation) }
        return applied.outcomes.count { $0 == .done }
    }

    private static func resolution(
        _ home: Namespace, _ now: Timestamp, in transaction: borrowing ReadTransaction
    ) throws -> (Int, Int, [NewEdge]) {
        let reading = try PeopleReading(home: home, at: now.microseconds, in: transaction)
        var resolver = reading.resolver
        resolver.resolve()
        let personCount = Set(resolver.assignments(reading.identities)).count
        return (
            reading.identities.count, personCount, try reading.edges(of: resolver.merges, in: transaction)
        )
    }

    /// The people of a home, as far as they have been resolved; who is found most often first.
    ///
    /// - Throws: `EngineError`: `notFound` (the home).
    /// - Complexity: as `resolvePeople(in:)`.
    public func people(in namespace: Namespace) async throws -> [Person] {
        let (home, now) = (namespace.home, options.clock())
        return try await graph(in: home) { transaction in
            try PeopleReading(home: home, at: now.microseconds, in: transaction).people(in: transaction)
        }
    }

    /// The persons of a name or an address, in whatever case it is written: none, one, or several who share it.
    ///
    /// - Throws: `EngineError`: `notFound` (the home).
    /// - Complexity: as `people(in:)`.
    public func people(named alias: String, in namespace: Namespace) async throws -> [Person] {
        let (name, address) = (PersonAlias(name: alias), PersonAlias(address: alias))
        return try await people(in: namespace).filter { person in
            person.identities.contains {
                name != nil && PersonAlias(name: $0.name) == name
                    || address != nil && PersonAlias(address: $0.address) == address
            }
        }
    }
}
