import Store

/// What happened to one memory in a commit.
struct LogEntry: Equatable, Sendable {
    var kind: Change.Kind
    var id: MemoryID
    var version: UInt32
}

/// A change of a home, from `Engine.changes(after:in:)`. It holds ids, never content.
public struct Change: Sendable, Equatable {
    /// What happened. The numbers are in files.
    public enum Kind: UInt8, Sendable, CaseIterable {
        case remembered = 1
        case updated = 2
        case retracted = 3
        case superseded = 4
        case forgotten = 5
        case embedded = 6
        case restored = 7
        case receipt = 8
        case outcome = 9
        case trimmed = 10
        case promoted = 11
        /// An edge; `Change.id` is the edge's.
        case linked = 12
        case unlinked = 13

        public var name: String {
            switch self {
            case .remembered: "remembered"
            case .updated: "updated"
            case .retracted: "retracted"
            case .superseded: "superseded"
            case .forgotten: "forgotten"
            case .embedded: "embedded"
            case .restored: "restored"
            case .receipt: "receipt"
            case .outcome: "outcome"
            case .trimmed: "trimmed"
            case .promoted: "promoted"
            case .linked: "linked"
            case .unlinked: "unlinked"
            }
        }
    }

    /// The commit; all changes of one have the same, and it grows by one from commit to commit.
    public let sequence: UInt64
    public let time: Timestamp
    public let kind: Kind
    public let id: MemoryID
    public let version: UInt32
}

/// The log of changes: commit → operation id, time and entries, in parts of one page.
enum ChangeLog {
    private static let entriesPerPart = 180

    static func append(
        _ entries: [LogEntry], _ sequence: UInt64, _ mutation: Mutation,
        in transaction: borrowing WriteTransaction
    ) throws {
        var start = 0
        var part: UInt16 = 0
        repeat {
            let end = min(start + entriesPerPart, entries.count)
            var writer = ByteWriter(capacity: 32 + (end - start) * 21)
            writer.u128(mutation.operation)
            writer.i64(mutation.time)
            writer.list(entries[start..<end]) {
                $0.u8($1.kind.rawValue)
                $0.u128($1.id.rawValue)
                $0.u32($1.version)
            }
            try Schema.passage.put(
                Schema.change(sequence, part: part), writer.bytes, in: transaction, isAppend: true)
            start = end
            part += 1
        } while start < entries.count
    }

    /// The operation ids of the commits above `sequence`, up to `last`, that have not been trimmed.
    static func operations(
        after sequence: UInt64, upTo last: UInt64, in transaction: borrowing ReadTransaction
    ) throws -> [UInt128] {
        var ids: [UInt128] = []
        guard sequence < last else { return ids }
        ids.reserveCapacity(Int(min(last - sequence, Operations.idsPerBlock)))
        try Schema.passage.scan(
            prefix: Schema.changes, from: Schema.change(sequence + 1, part: 0), in: transaction
        ) { key, value in
            let place = try place(key)
            guard place.sequence <= last else { return false }
            if place.part == 0 {
                var reader = ByteReader(value)
                ids.append(try reader.u128())
            }
            return true
        }
        return ids
    }

    static func remove(_ sequence: UInt64, in transaction: borrowing WriteTransaction) throws {
        try Schema.passage.removeAll(prefix: Schema.changes.u64(sequence), in: transaction)
    }

    /// The commit, and the part of it, that a key of the log names.
    static func place(_ key: RawSpan) throws -> (sequence: UInt64, part: UInt16) {
        guard key.byteCount == 11 else { throw StoreError(.corrupted, "a key of the change log is not one") }
        return (key.keyU64(at: 1), key.keyU16(at: 9))
    }

    /// How far a reader of the log has come.
    struct Position: Equatable, Sendable {
        var sequence: UInt64
        /// The part of that commit up to which it was given; `nil` = all of it.
        var part: UInt16?
    }

    /// Changes behind a position, at most about `limit` of them: to the end of a part.
    ///
    /// - Throws: `gap` when some of them have been trimmed.
    static func read(
        after position: Position, limit: Int, in transaction: borrowing ReadTransaction
    ) throws -> (changes: [Change], last: Position) {
        let state = try HomeState.read(in: transaction)
        let sequence = position.sequence
        guard sequence > state.trimmedSequence || sequence == state.trimmedSequence && position.part == nil
        else {
            throw EngineError(
                .gap,
                "changes up to commit \(state.trimmedSequence) have been trimmed, and \(sequence) was the last one "
                    + "seen; start again from an export")
        }
        guard sequence <= state.sequence else {
            throw EngineError(
                .invalid, "there is no commit \(sequence) yet; the last one is \(state.sequence)")
        }
        var changes: [Change] = []
        var last = position
        var next: UInt64?
        let start = Schema.change(
            position.part == nil ? sequence + 1 : sequence, part: position.part.map { $0 + 1 } ?? 0)
        try Schema.passage.scan(prefix: Schema.changes, from: start, in: transaction) { key, value in
            let (current, part) = try place(key)
            next = current
            if changes.count >= limit { return false }
            last = Position(sequence: current, part: part)
            next = nil
            changes += try decode(current, value)
            return true
        }
        if next != last.sequence { last.part = nil }
        return (changes, last)
    }

    static func decode(_ sequence: UInt64, _ value: RawSpan) throws -> [Change] {
        var reader = ByteReader(value)
        _ = try reader.u128()
        let time = Timestamp(microseconds: try reader.i64())
        let changes = try reader.list { reader in
            guard let kind = Change.Kind(rawValue: try reader.u8()) else {
                throw StoreError(.corrupted, "an entry of the change log has an unknown kind")
            }
            return Change(
                sequence: sequence, time: time, kind: kind, id: MemoryID(rawValue: try reader.u128()),
                version: try reader.u32())
        }
        try reader.finish()
        return changes
    }
}
