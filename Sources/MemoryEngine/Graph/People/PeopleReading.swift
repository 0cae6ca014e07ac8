import Store

/// What a home knows of people over one snapshot: identities, and the merges between their aliases.
struct PeopleReading: Sendable {
    /// A pair of aliases with edges `sameAs` between their entities.
    struct Pair: Sendable {
        var first: PersonAlias
        var second: PersonAlias
        /// The number of an edge that holds; `nil` where all were taken back.
        var edge: UInt64?
    }

    let home: Namespace
    private(set) var identities: [Identity] = []
    private(set) var pairs: [Pair] = []
    /// Where an alias is found first and last.
    private var rowsOfAlias: [PersonAlias: [UInt64]] = [:]
    private var rowsOfPair: [AliasPair: [UInt64]] = [:]

    private struct AliasPair: Hashable {
        var name: PersonAlias
        var address: PersonAlias
    }

    /// - Complexity: O(memories with an address) at the speed of columns, and O(edges `sameAs` of their aliases).
    init(home: Namespace, at now: Int64, in transaction: borrowing ReadTransaction) throws {
        self.home = home
        for found in try IdentityReader.read(in: transaction) {
            identities.append(found.identity)
            add(found)
        }
        try readPairs(now, in: transaction)
    }

    private mutating func add(_ found: IdentityReader.Found) {
        let (name, address) = (
            PersonAlias(name: found.identity.name), PersonAlias(address: found.identity.address)
        )
        let rows = [found.firstRow, found.lastRow]
        for alias in [name, address].compactMap({ $0 }) where rowsOfAlias[alias] == nil {
            rowsOfAlias[alias] = rows
        }
        if let name, let address { rowsOfPair[AliasPair(name: name, address: address)] = rows }
    }

    private mutating func readPairs(_ now: Int64, in transaction: borrowing ReadTransaction) throws {
        let kind = EdgeKind.sameAs.builtInNumber ?? 0
        var aliasOfRow: [UInt64: PersonAlias] = [:]
        for alias in rowsOfAlias.keys {
            if let row = try Lookup.number(alias.entity.aliasKey, in: transaction) { aliasOfRow[row] = alias }
        }
        for (row, alias) in aliasOfRow.sorted(by: { $0.key < $1.key }) {
            var open: [PersonAlias: UInt64?] = [:]
            let prefix = Key(prefix: Schema.Edge.out).u64(row).u16(kind)
            try Schema.edge.scan(prefix: prefix, in: transaction) { key, value in
                guard key.byteCount == Edges.directionKeyByteCount else {
                    throw StoreError(.corrupted, "a key of an edge is not one")
                }
                guard let other = aliasOfRow[key.keyU64(at: 11)] else { return true }
                var reader = ByteReader(value)
                let holds = try EdgeSpan(from: &reader).holds(asOf: nil, validAt: now)
                if holds {
                    open[other] = key.keyU64(at: 19)
                } else if open[other] == nil {
                    open[other] = .some(nil)
                }
                return true
            }
            for (other, edge) in open.sorted(by: { $0.key < $1.key }) {
                pairs.append(Pair(first: alias, second: other, edge: edge))
            }
        }
    }

    /// A resolver that knows what holds already, and what was taken back.
    var resolver: PersonResolver {
        var (known, apart): ([(PersonAlias, PersonAlias)], [(PersonAlias, PersonAlias)]) = ([], [])
        for pair in pairs {
            if pair.edge == nil {
                apart.append((pair.first, pair.second))
            } else {
                known.append((pair.first, pair.second))
            }
        }
        return PersonResolver(identities, known: known, apart: apart)
    }

    /// New edges, with the memories in which their aliases stand as evidence.
    func edges(of merges: [PersonMerge], in transaction: borrowing ReadTransaction) throws -> [NewEdge] {
        try merges.map { merge in
            let (name, address) = (min(merge.first, merge.second), max(merge.first, merge.second))
            var rows = rowsOfPair[AliasPair(name: name, address: address)] ?? []
            if rows.isEmpty { rows = [name, address].compactMap { rowsOfAlias[$0]?.first } }
            var evidence: [Evidence] = []
            for row in Set(rows).sorted() {
                guard let head = try HeadRecord.read(row, in: transaction) else {
                    throw StoreError(.corrupted, "a passage belongs to row \(row), which is not there")
                }
                evidence.append(Evidence(id: head.id, version: head.version, range: 0..<0))
            }
            return merge.edge(evidence)
        }
    }

    /// The persons, who is found most often first.
    func people(in transaction: borrowing ReadTransaction) throws -> [Person] {
        var resolver = resolver
        let view = try GraphView(home: home, in: transaction)
        let aliases = resolver.aliasesByPerson()
        var mergesOfPerson: [Int: [Edge]] = [:]
        for pair in pairs {
            guard let edge = pair.edge, let person = resolver.person(of: pair.first) else { continue }
            let record = try Edges.record(edge, in: transaction)
            mergesOfPerson[person, default: []].append(try view.edge(record, in: transaction))
        }
        let assigned = resolver.assignments(identities)
        let places = Dictionary(grouping: identities.indices, by: { assigned[$0] })
        return places.map { person, places in
            Person(
                identities: places.map { identities[$0] }, aliases: aliases[person] ?? [],
                merges: mergesOfPerson[person] ?? [])
        }.sorted(by: Person.isBefore)
    }
}
