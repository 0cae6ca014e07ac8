import Store

/// Receipts: what recalls gave. They lie in one home and may cite memories of others, so each home notes whose
/// receipts cite it (`citedBy`) and whom its own cite (`cites`): forgetting asks those homes and no others.
extension Applier {
    mutating func keep(
        _ receipt: Receipt, in transaction: borrowing WriteTransaction
    ) throws -> Outcome {
        let own = try self.home(in: transaction.snapshot)
        let cited = Dictionary(grouping: receipt.items) { Namespace.homePath($0.namespace) }
        // What was forgotten since the recall looked is cited by nothing.
        for item in cited[own] ?? [] {
            guard try Lookup.row(of: item.id, in: transaction.snapshot) != nil else { return .obsolete }
        }
        for other in cited.keys.sorted() where other != own {
            let key = Schema.Shared.cites.key.raw(other.utf8)
            if try !Schema.shared.contains(key, in: transaction.snapshot) {
                try Schema.shared.put(key, [], in: transaction)
            }
        }
        let prefix = Schema.Shared.receipt.key
        if state.receiptCount >= Receipt.maximumCount {
            var oldest: Key?
            try Schema.shared.scan(prefix: prefix, in: transaction.snapshot) { key, _ in
                oldest = Key(bytes: key.array)
                return false
            }
            if let oldest, try Schema.shared.remove(oldest, in: transaction) { state.receiptCount -= 1 }
        }
        let key = Schema.Shared.receipt.key.u128(receipt.recall.rawValue)
        if try !Schema.shared.contains(key, in: transaction.snapshot) { state.receiptCount += 1 }
        var writer = ByteWriter()
        receipt.encode(into: &writer)
        try Schema.shared.put(key, writer.bytes, in: transaction)
        log.append(LogEntry(kind: .receipt, id: MemoryID(rawValue: receipt.recall.rawValue), version: 0))
        return .done
    }

    mutating func record(
        _ outcome: MemoryEngine.Outcome, of recall: RecallID, in transaction: borrowing WriteTransaction
    ) throws -> Outcome {
        guard var receipt = try Lookup.receipt(recall, in: transaction.snapshot) else {
            throw EngineError(
                .notFound,
                "there is no receipt of recall \(recall); ask with `keepReceipt` (`--receipt`), and record it in its home"
            )
        }
        receipt.outcome = outcome
        var writer = ByteWriter()
        receipt.encode(into: &writer)
        try Schema.shared.put(Schema.Shared.receipt.key.u128(recall.rawValue), writer.bytes, in: transaction)
        log.append(LogEntry(kind: .outcome, id: MemoryID(rawValue: recall.rawValue), version: 0))
        return .done
    }

    /// Notes that receipts of `home` may cite memories of this one, or that they do not.
    mutating func note(
        _ home: String, _ isCited: Bool, in transaction: borrowing WriteTransaction
    ) throws -> Outcome {
        let key = Schema.Shared.citedBy.key.raw(home.utf8)
        if !isCited {
            try Schema.shared.remove(key, in: transaction)
        } else if try !Schema.shared.contains(key, in: transaction.snapshot) {
            try Schema.shared.put(key, [], in: transaction)
        }
        return .done
    }

    /// Removes the receipts that cite memories of another home, and what edges have of them.
    mutating func eraseCitations(
        of home: String, _ ids: [MemoryID]?, in transaction: borrowing WriteTransaction
    ) throws -> [String: Int] {
        var counts: [String: Int] = [:]
        let erased = ids.map { Set($0) }
        try eraseForeign(home, erased, &counts, in: transaction)
        try eraseReceipts(&counts, in: transaction) { receipt in
            receipt.items.contains { item in
                (erased?.contains(item.id) ?? true) && Namespace.homePath(item.namespace) == home
            }
        }
        if ids == nil { try Schema.shared.remove(Schema.Shared.cites.key.raw(home.utf8), in: transaction) }
        return counts
    }

    /// Those that have expired and are not pinned: their expiry may have moved since somebody looked.
    func expired(_ ids: [MemoryID], in transaction: borrowing ReadTransaction) throws -> [MemoryID] {
        try ids.filter { id in
            guard let row = try Lookup.row(of: id, in: transaction) else { return false }
            let newest = try version(row, try head(row, in: transaction).version, in: transaction)
            return newest.fields.expires <= time && !newest.fields.isPinned
        }
    }

    /// The path of this home.
    private func home(in transaction: borrowing ReadTransaction) throws -> String {
        guard let bytes = try Schema.shared.get(Schema.Shared.header.key, in: transaction) else {
            throw StoreError(.corrupted, "the home has no header")
        }
        return try HomeHeader(decoding: bytes).namespace
    }
}
