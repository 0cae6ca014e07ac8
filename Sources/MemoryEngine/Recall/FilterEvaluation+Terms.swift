import Store

/// Conditions on what stands in postings as terms (tags, attributes, sources), and on ids and keys.
extension FilterEvaluation {
    /// The passages that have a term.
    func term(_ term: [UInt8], in transaction: borrowing ReadTransaction) throws -> PassageSet {
        var set = PassageSet(capacity: view.capacity)
        if let number = try Postings.number(of: Postings.termKey(term), in: transaction) {
            try insertPostings(of: number, into: &set, in: transaction)
        }
        for entry in view.tail where entry.front.hasFilterTerm(term) { set.insert(entry.passage) }
        return set
    }

    /// The passages that have a term which spells a text with this beginning.
    ///
    /// - Parameter holds: decides for those whose term is too long to be spelled.
    /// - Complexity: O(distinct terms with the beginning + their postings), and a record for each passage with a
    ///   long term of this sort.
    func terms(
        _ spell: (String) -> [UInt8], _ beginning: String, in transaction: borrowing ReadTransaction,
        _ holds: (VersionFields) -> Bool
    ) throws -> PassageSet {
        let prefix = FilterTerm.beginning(spell, beginning)
        return try terms(beginningWith: prefix, in: transaction, { _ in true }, holds)
    }

    /// The passages whose attribute is a number within a range.
    func numbers(
        _ name: String, _ range: ClosedRange<Double>, in transaction: borrowing ReadTransaction
    ) throws -> PassageSet {
        let prefix = FilterTerm.numbers(name)
        return try terms(beginningWith: prefix, in: transaction) { term in
            FilterTerm.number(term, behind: prefix).map { range.contains($0) } ?? false
        } _: { fields in
            guard case .number(let number)? = fields.attributes[name] else { return false }
            return range.contains(number)
        }
    }

    func mediaType(_ prefix: String, in transaction: borrowing ReadTransaction) throws -> PassageSet {
        try terms(FilterTerm.mediaType, prefix, in: transaction) { fields in
            fields.attachments.contains { $0.mediaType.utf8.starts(with: prefix.utf8) }
        }
    }

    private func terms(
        beginningWith prefix: [UInt8], in transaction: borrowing ReadTransaction,
        _ matches: ([UInt8]) -> Bool, _ holds: (VersionFields) -> Bool
    ) throws -> PassageSet {
        var set = PassageSet(capacity: view.capacity)
        var uncertain = PassageSet(capacity: view.capacity)
        if prefix.count <= FilterTerm.maximumByteCount {
            for number in try numbers(of: prefix, in: transaction, matches) {
                try insertPostings(of: number, into: &set, in: transaction)
            }
        }
        let long = FilterTerm.long(prefix[0])
        for number in try numbers(of: long, in: transaction, { _ in true }) {
            try insertPostings(of: number, into: &uncertain, in: transaction)
        }
        for entry in view.tail {
            entry.front.forEachFilterTerm { term in
                if term.begins(with: prefix), matches(term.array) { set.insert(entry.passage) }
                if term.begins(with: long) { uncertain.insert(entry.passage) }
            }
        }
        var last: (row: UInt64, version: UInt32, holds: Bool)?
        try uncertain.forEachPassage { passage in
            guard !set.contains(passage) else { return }
            let row = try view.row(passage, in: transaction)
            if last?.row != row.row || last?.version != row.version {
                guard let record = try VersionRecord.read(row.row, row.version, in: transaction) else {
                    throw StoreError(.corrupted, "passage \(passage) belongs to no version")
                }
                last = (row.row, row.version, holds(record.fields))
            }
            if last?.holds == true { set.insert(passage) }
        }
        return set
    }

    /// The numbers of the terms that begin so, in the dictionary of folded passages.
    private func numbers(
        of prefix: [UInt8], in transaction: borrowing ReadTransaction, _ matches: ([UInt8]) -> Bool
    ) throws -> [UInt32] {
        var numbers: [UInt32] = []
        try Schema.word.scan(prefix: Postings.termKey(prefix), in: transaction) { key, value in
            guard value.byteCount == 4 else {
                throw StoreError(.corrupted, "the number of a term is not one")
            }
            if matches(key.copy(1..<key.byteCount)) { numbers.append(value.u32(at: 0)) }
            return true
        }
        return numbers
    }

    private func insertPostings(
        of number: UInt32, into set: inout PassageSet, in transaction: borrowing ReadTransaction
    ) throws {
        try Postings.forEachBlock(of: number, in: transaction) { block in
            for index in 0..<block.count {
                let passage = block.passage(at: index)
                guard passage < view.state.foldedPassages else {
                    throw StoreError(.corrupted, "a posting names passage \(passage), which is not there")
                }
                set.insert(passage)
            }
        }
    }

    // MARK: Rows

    /// The passages of memories.
    func of(_ rows: Set<UInt64>, in transaction: borrowing ReadTransaction) throws -> PassageSet {
        // A row of an erased passage is zero, which is no memory's.
        guard !rows.isEmpty else { return PassageSet(capacity: view.capacity) }
        return try matching(.row, in: transaction) {
            rows.contains($0.u64(at: $1 * 8))
        } tail: {
            rows.contains($0.row)
        }
    }

    /// The passages of memories with a key of the caller's, or without any.
    func keyed(_ key: String?, in transaction: borrowing ReadTransaction) throws -> PassageSet {
        guard let key else {
            var set = try of(try rows(keyedFrom: "", in: transaction), in: transaction)
            set.invert()
            set.formIntersection(try present(in: transaction))
            return set
        }
        guard key.utf8.count <= Names.maximumByteCount else { return PassageSet(capacity: view.capacity) }
        var rows = Set<UInt64>()
        for session in try sessions(in: transaction) {
            if let row = try Lookup.row(ofKey: key, session: session, in: transaction) { rows.insert(row) }
        }
        return try of(rows, in: transaction)
    }

    /// The memories whose key begins so, in all sessions.
    func rows(
        keyedFrom prefix: String, in transaction: borrowing ReadTransaction
    ) throws -> Set<UInt64> {
        guard prefix.utf8.count <= Names.maximumByteCount else { return [] }
        var rows = Set<UInt64>()
        for session in try sessions(in: transaction) {
            let key = Schema.memoryByKey(session: session, prefix)
            try Schema.shared.scan(prefix: key, in: transaction) { _, value in
                guard value.byteCount == 8 else {
                    throw StoreError(.corrupted, "the row of a name is not one")
                }
                rows.insert(value.u64(at: 0))
                return true
            }
        }
        return rows
    }

    /// The numbers of all sessions, and that of none.
    private func sessions(in transaction: borrowing ReadTransaction) throws -> [UInt32] {
        try [0] + Names.all(.session, in: transaction).map(\.number)
    }
}
