import HNSW
import Store

/// Applies one mutation inside a write transaction. All that happens to ground state happens here.
struct Applier {
    /// What became of a mutation, change by change.
    struct Result: Sendable {
        var sequence: UInt64
        /// The operation id was known: nothing was changed.
        var isRepeated = false
        var outcomes: [Outcome] = []
        /// What the transaction left; `nil` where nothing was changed.
        var after: (state: HomeState, spaces: [SpaceRecord])?
    }

    enum Outcome: Sendable, Equatable {
        case stored(MemoryID, version: UInt32, isNew: Bool)
        case erased([String: Int])
        /// How many vectors were added; none of a memory that is gone.
        case embedded(Int)
        /// What it was about has been forgotten meanwhile, or is not as it must be: nothing was changed.
        case obsolete
        /// It is there already: nothing was changed.
        case known
        /// An edge that says the same is there under another id: nothing was changed.
        case linked(EdgeID)
        case done
    }

    /// How many operation ids are remembered, at least.
    static let operationCount: UInt64 = 65_536
    /// How many commits the change log keeps.
    static let defaultChangeLogCount: UInt64 = 1_000_000

    var state: HomeState
    /// The open ones and their copies.
    var spaces: [SpaceRecord]
    let time: Int64
    let operation: UInt128
    var impliedEdgeCount: UInt128 = 0
    /// Those that the indexer has still to remove.
    var leaving: [SpaceRecord]
    private let loadedSpaces: [SpaceRecord]
    private var takenNumbers: Set<UInt16>
    /// Rows for the vector tails, written together at the end.
    var pendingVectors: [UInt16: [(passage: UInt32, vector: [Float])]] = [:]
    var log: [LogEntry] = []
    /// Words of passages that were erased, where a home has vectors of words.
    var erasedWords: Set<[UInt8]> = []
    private var hasWordVectors: Bool?

    /// Whether the home has vectors of words, of which some may have to go with the last passage that holds them.
    mutating func knowsWords(in transaction: borrowing ReadTransaction) throws -> Bool {
        if let hasWordVectors { return hasWordVectors }
        let found = try SynonymLists.areThere(in: transaction)
        hasWordVectors = found
        return found
    }

    private init(_ mutation: Mutation, in transaction: borrowing ReadTransaction) throws {
        state = try HomeState.read(in: transaction)
        let all = try SpaceRecord.all(in: transaction)
        spaces = all.filter { $0.stage != .leaving }
        leaving = all.filter { $0.stage == .leaving }
        takenNumbers = Set(all.map(\.number))
        loadedSpaces = spaces
        time = mutation.time
        operation = mutation.operation
    }

    /// For deriving what versions say, each as of the time when it was recorded.
    init(deriving state: HomeState) {
        self.state = state
        spaces = []
        leaving = []
        loadedSpaces = []
        takenNumbers = []
        time = 0
        operation = 0
    }

    /// - Throws: `EngineError` for what the state does not allow (a conflict, an unknown id), before
    ///   anything of that change is written; `StoreError` for what the store refuses.
    static func apply(_ mutation: Mutation, in transaction: borrowing WriteTransaction) throws -> Result {
        var applier = try Applier(mutation, in: transaction.snapshot)
        if !mutation.isFresh,
            try Operations.contains(
                mutation.operation, before: applier.state.sequence, in: transaction.snapshot)
        {
            return try applier.repeated(mutation, in: transaction.snapshot)
        }
        var result = Result(sequence: 0)
        let before = transaction.changeCount
        for (index, change) in mutation.changes.enumerated() {
            do {
                let outcome = try applier.apply(change, in: transaction)
                if let expected = mutation.named[index], case .stored(let id, _, _) = outcome, id != expected
                {
                    throw EngineError(
                        .conflict, "its key was given to another memory, or forgotten, meanwhile",
                        isStale: true)
                }
                result.outcomes.append(outcome)
            } catch let error as EngineError where mutation.changes.count > 1 || !mutation.numbers.isEmpty {
                let number = index < mutation.numbers.count ? mutation.numbers[index] : index + 1
                throw EngineError(error.code, "write \(number): \(error.message)", isStale: error.isStale)
            }
        }
        if transaction.changeCount == before, applier.log.isEmpty {
            result.sequence = applier.state.sequence
            return result
        }
        try applier.flushVectors(in: transaction)
        if !applier.erasedWords.isEmpty {
            try SynonymLists.forget(applier.erasedWords, applier.state, in: transaction)
        }
        try applier.finish(mutation, in: transaction)
        result.sequence = applier.state.sequence
        result.after = (applier.state, applier.spaces + applier.leaving)
        return result
    }

    private mutating func apply(
        _ change: Mutation.Change, in transaction: borrowing WriteTransaction
    ) throws -> Outcome {
        switch change {
        case .remember(let version): return try remember(version, in: transaction)
        case .update(let id, let expecting, let version):
            return try update(id, expecting: expecting, version, in: transaction)
        case .close(let id, let time, let closure, let successor):
            return try close(id, at: time, closure, successor: successor, in: transaction)
        case .forget(let ids): return .erased(try erase(ids, in: transaction))
        case .embed(let id, let version, let vectors):
            return try embed(id, version: version, vectors, in: transaction)
        case .restore(let memory): return try restore(memory, in: transaction)
        case .trim(let id, let versions): return .erased(try trim(id, versions, in: transaction))
        case .eraseTraces(let principal):
            var counts: [String: Int] = [:]
            try eraseEdges(givenBy: principal, &counts, in: transaction)
            try eraseReceipts(&counts, in: transaction) { $0.principal == principal }
            return .erased(counts)
        case .link(let edge): return try link(edge, in: transaction)
        case .conclude(let edge, let version):
            return try conclude(edge, closing: version, in: transaction)
        case .unlink(let id): return try unlink(id, in: transaction)
        case .expire(let ids):
            return .erased(try erase(try expired(ids, in: transaction.snapshot), in: transaction))
        case .citedBy(let home, let isCited): return try note(home, isCited, in: transaction)
        case .eraseCitations(let home, let ids):
            return .erased(try eraseCitations(of: home, ids, in: transaction))
        case .receipt(let receipt): return try keep(receipt, in: transaction)
        case .outcome(let recall, let outcome): return try record(outcome, of: recall, in: transaction)
        case .useSpace(let space, let old): return try use(space, from: old, in: transaction)
        case .dropSpace(let space): return try drop(space, in: transaction)
        case .setting(let name, let value):
            try Settings.set(name, value, in: transaction)
            return .done
        }
    }

    private func repeated(_ mutation: Mutation, in transaction: borrowing ReadTransaction) throws -> Result {
        var result = Result(sequence: state.sequence, isRepeated: true)
        for change in mutation.changes {
            switch change {
            case .remember(let version), .update(_, _, let version):
                let row = try Lookup.row(of: version.id, in: transaction)
                let version = try row.flatMap { try HeadRecord.read($0, in: transaction) }
                result.outcomes.append(
                    version.map { .stored($0.id, version: $0.version, isNew: false) } ?? .done)
            case .forget: result.outcomes.append(.erased([:]))
            default: result.outcomes.append(.done)
            }
        }
        return result
    }

    // MARK: Vectors

    /// The record of a space, made if it is new.
    mutating func spaceIndex(of space: EmbeddingSpace) throws -> Int {
        if let index = spaces.firstIndex(where: { $0.space == space && $0.stage == .open }) { return index }
        guard spaces.count(where: { $0.stage == .open }) < SpaceRecord.maximumCount,
            let number = SpaceRecord.freeNumber(from: state.nextSpace, beside: takenNumbers)
        else {
            throw EngineError(
                .tooLarge,
                "a home has at most \(SpaceRecord.maximumCount) embedding spaces; \(space.name) would be one more"
            )
        }
        spaces.append(SpaceRecord(number: number, space: space))
        takenNumbers.insert(number)
        state.nextSpace = number + 1
        return spaces.count - 1
    }

    /// Gives a passage its place in a space. Returns the slot.
    mutating func place(_ vector: Mutation.NewVector, _ passage: UInt32) throws -> TailRecord.Slot {
        let index = try spaceIndex(of: vector.space)
        let number = spaces[index].number
        let slot = spaces[index].nextSlot + UInt32(pendingVectors[number]?.count ?? 0)
        pendingVectors[number, default: []].append((passage, vector.vector))
        return TailRecord.Slot(space: number, slot: slot)
    }

    mutating func flushVectors(in transaction: borrowing WriteTransaction) throws {
        for index in spaces.indices {
            guard let rows = pendingVectors.removeValue(forKey: spaces[index].number) else { continue }
            var extent = spaces[index].extent
            try spaces[index].segments.append(rows, &extent, in: transaction)
            spaces[index].extent = extent
        }
    }

    // MARK: The end

    private mutating func finish(_ mutation: Mutation, in transaction: borrowing WriteTransaction) throws {
        state.sequence += 1
        for space in spaces where !loadedSpaces.contains(space) { try space.write(in: transaction) }
        try ChangeLog.append(log, state.sequence, mutation, in: transaction)
        try Operations.append(state.sequence, in: transaction)
        let limit = try Settings.changeLogCount(in: transaction.snapshot)
        // Two at a time, so that a lowered limit is reached without one long commit.
        for _ in 0..<2 where state.sequence - state.trimmedSequence > limit {
            state.trimmedSequence += 1
            try ChangeLog.remove(state.trimmedSequence, in: transaction)
        }
        try state.write(in: transaction)
    }
}

/// Finds rows and receipts by their names.
enum Lookup {
    static func row(of id: MemoryID, in transaction: borrowing ReadTransaction) throws -> UInt64? {
        try number(Schema.rowOfMemory(id), in: transaction)
            ?? number(Schema.youngRow(id), of: Schema.passage, in: transaction)
    }

    /// Lends every memory and entity, with its row, until `body` returns false.
    static func forEachRow(
        in transaction: borrowing ReadTransaction, _ body: (MemoryID, UInt64) throws -> Bool
    ) throws {
        var isWanted = true
        func visit(_ key: RawSpan, _ value: RawSpan) throws -> Bool {
            guard key.byteCount == 17, value.byteCount == 8 else {
                throw StoreError(.corrupted, "the row of a memory is not one")
            }
            isWanted = try body(MemoryID(rawValue: key.keyU128(at: 1)), value.u64(at: 0))
            return isWanted
        }
        try Schema.shared.scan(prefix: Schema.Shared.rowOfMemory.key, in: transaction) { key, value in
            try visit(key, value)
        }
        guard isWanted else { return }
        try Schema.passage.scan(prefix: Key(prefix: Schema.Passage.youngRow), in: transaction) { key, value in
            try visit(key, value)
        }
    }

    /// An id leads nowhere from then on.
    static func remove(_ id: MemoryID, in transaction: borrowing WriteTransaction) throws {
        try Schema.shared.remove(Schema.rowOfMemory(id), in: transaction)
        try Schema.passage.remove(Schema.youngRow(id), in: transaction)
    }

    static func row(
        ofKey key: String, session: UInt32, in transaction: borrowing ReadTransaction
    ) throws -> UInt64? {
        try number(Schema.memoryByKey(session: session, key), in: transaction)
    }

    static func number(
        _ key: Key, of table: Table = Schema.shared, in transaction: borrowing ReadTransaction
    ) throws -> UInt64? {
        guard let value = try table.get(key, in: transaction) else { return nil }
        guard value.byteCount == 8 else { throw StoreError(.corrupted, "the row of a name is not one") }
        return value.u64(at: 0)
    }

    static func receipt(_ recall: RecallID, in transaction: borrowing ReadTransaction) throws -> Receipt? {
        let key = Schema.Shared.receipt.key.u128(recall.rawValue)
        guard let value = try Schema.shared.get(key, in: transaction) else { return nil }
        var reader = ByteReader(value)
        return try Receipt(from: &reader)
    }
}

/// Settings of a home that are stored in it.
enum Settings {
    static let changeLogCountName = "changes.keep"

    static func value(_ name: String, in transaction: borrowing ReadTransaction) throws -> String? {
        guard let value = try Schema.shared.get(Schema.Shared.setting.key.raw(name.utf8), in: transaction)
        else {
            return nil
        }
        return String(decoding: value.array, as: UTF8.self)
    }

    static func set(_ name: String, _ value: String?, in transaction: borrowing WriteTransaction) throws {
        let key = Schema.Shared.setting.key.raw(name.utf8)
        if let value {
            try Schema.shared.put(key, Array(value.utf8), in: transaction)
        } else {
            try Schema.shared.remove(key, in: transaction)
        }
    }

    static func changeLogCount(in transaction: borrowing ReadTransaction) throws -> UInt64 {
        guard let text = try value(changeLogCountName, in: transaction), let count = UInt64(text) else {
            return Applier.defaultChangeLogCount
        }
        return max(count, Applier.operationCount)
    }
}
