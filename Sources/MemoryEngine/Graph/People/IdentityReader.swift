import Store

/// Finds the identities of a home: who said or did something, by what address (attribute `email`).
///
/// Addresses stand in the dictionary of filter terms, so that only they and their postings are read, and the columns
/// of what has one: no record.
struct IdentityReader {
    struct Found {
        var identity: Identity
        /// The memories in which the name and the address stand together first and last, by time.
        var firstRow: UInt64
        var lastRow: UInt64
    }

    private let view: HomeView
    /// Name by number, as far as they were asked for.
    private var names: [UInt32: String] = [:]
    private var found: [Found] = []

    /// All of a home, by name and address.
    ///
    /// - Complexity: O(current memories with an address), at the speed of columns.
    static func read(in transaction: borrowing ReadTransaction) throws -> [Found] {
        var reader = IdentityReader(view: try HomeView(in: transaction))
        for (address, passages) in try reader.addresses(in: transaction) {
            try reader.read(passages, of: address, in: transaction)
        }
        return reader.found.sorted {
            ($0.identity.name, $0.identity.address) < ($1.identity.name, $1.identity.address)
        }
    }

    private init(view: HomeView) { self.view = view }

    /// The passages of each address, ascending.
    private func addresses(in transaction: borrowing ReadTransaction) throws -> [(String, [UInt32])] {
        let prefix = FilterTerm.attribute(VersionFields.addressAttribute, .string(""))
        var passagesOfTerm: [[UInt8]: [UInt32]] = [:]
        try Schema.word.scan(prefix: Postings.termKey(prefix), in: transaction) { key, value in
            guard value.byteCount == 4 else {
                throw StoreError(.corrupted, "the number of a term is not one")
            }
            var passages: [UInt32] = []
            try Postings.forEachBlock(of: value.u32(at: 0), in: transaction) { block in
                for index in 0..<block.count { passages.append(block.passage(at: index)) }
            }
            guard passages.allSatisfy({ $0 < view.state.foldedPassages }) else {
                throw StoreError(.corrupted, "a posting names a passage that is not there")
            }
            passagesOfTerm[key.copy(1..<key.byteCount)] = passages
            return true
        }
        for entry in view.tail {
            entry.front.forEachFilterTerm { term in
                if term.begins(with: prefix) { passagesOfTerm[term.array, default: []].append(entry.passage) }
            }
        }
        return passagesOfTerm.map { term, passages in
            (String(decoding: term.dropFirst(prefix.count), as: UTF8.self), passages)
        }
    }

    private mutating func read(
        _ passages: [UInt32], of address: String, in transaction: borrowing ReadTransaction
    ) throws {
        let flags = try view.values(.flags, of: passages, in: transaction) { UInt64($0.flags.rawValue) }
        let parts = try view.values(.part, of: passages, in: transaction) { UInt64($0.part) }
        var current: [UInt32] = []
        for (index, passage) in passages.enumerated() {
            let isCurrent = PassageRow.Flags(rawValue: UInt8(truncatingIfNeeded: flags[index])).contains(
                .current)
            if isCurrent, parts[index] == 0 { current.append(passage) }
        }
        let actors = try view.values(.actor, of: current, in: transaction) { UInt64($0.actor) }
        let rows = try view.values(.row, of: current, in: transaction) { $0.row }
        let times = try view.values(.happenedFrom, of: current, in: transaction) {
            UInt64(bitPattern: $0.happenedFrom)
        }
        var places: [UInt64: [Int]] = [:]
        for (place, actor) in actors.enumerated() where actor != 0 {
            places[actor, default: []].append(place)
        }
        for (actor, places) in places {
            let name = try name(UInt32(truncatingIfNeeded: actor), in: transaction)
            let ordered = places.sorted {
                (Int64(bitPattern: times[$0]), $0) < (Int64(bitPattern: times[$1]), $1)
            }
            guard let first = ordered.first, let last = ordered.last else { continue }
            found.append(
                Found(
                    identity: Identity(
                        name: name, address: address, count: places.count,
                        first: Timestamp(microseconds: Int64(bitPattern: times[first])),
                        last: Timestamp(microseconds: Int64(bitPattern: times[last]))),
                    firstRow: rows[first], lastRow: rows[last]))
        }
    }

    private mutating func name(
        _ number: UInt32, in transaction: borrowing ReadTransaction
    ) throws -> String {
        if let name = names[number] { return name }
        let name = try Names.name(of: number, .actor, in: transaction) ?? ""
        names[number] = name
        return name
    }
}
