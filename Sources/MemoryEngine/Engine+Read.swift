import Store

extension Engine {
    /// Reads a memory: its newest version, a numbered one, or the one that the store held to be so at `asOf`.
    ///
    /// - Parameter validAt: `nil` is returned for a version that was not true then.
    /// - Returns: `nil` if there is none, or if it has expired and neither a version nor `asOf` is asked for.
    public func get(
        _ id: MemoryID, in namespace: Namespace, version: UInt32? = nil, asOf: Timestamp? = nil,
        validAt: Timestamp? = nil
    ) async throws -> Memory? {
        let found: Memory?? = try await read(in: namespace) { transaction in
            guard let row = try Lookup.row(of: id, in: transaction) else { return nil }
            return try Self.memory(
                row, namespace, version: version, asOf: asOf, validAt: validAt, in: transaction)
        }
        guard let memory = found ?? nil else { return nil }
        return version == nil && asOf == nil && hasExpired(memory) ? nil : memory
    }

    /// What has expired is hidden at once, and swept later.
    private func hasExpired(_ memory: Memory) -> Bool {
        memory.expires.map { $0 <= options.clock() } ?? false
    }

    /// Reads the memory with a key of the caller's, in exactly this namespace; `nil` if it has expired.
    public func get(key: String, in namespace: Namespace) async throws -> Memory? {
        let found: Memory?? = try await read(in: namespace) { transaction in
            guard let row = try Self.row(ofKey: key, namespace, in: transaction) else { return nil }
            return try Self.memory(
                row, namespace.home, version: nil, asOf: nil, validAt: nil, in: transaction)
        }
        guard let memory = found ?? nil, !hasExpired(memory) else { return nil }
        return memory
    }

    /// The id of the memory with a key of the caller's, in exactly this namespace; also of one that has expired, which
    /// can still be forgotten.
    public func id(ofKey key: String, in namespace: Namespace) async throws -> MemoryID? {
        let found: MemoryID?? = try await read(in: namespace) { transaction in
            guard let row = try Self.row(ofKey: key, namespace, in: transaction) else { return nil }
            return try HeadRecord.read(row, in: transaction)?.id
        }
        return found ?? nil
    }

    private static func row(
        ofKey key: String, _ namespace: Namespace, in transaction: borrowing ReadTransaction
    ) throws -> UInt64? {
        guard key.utf8.count <= Names.maximumByteCount else { return nil }
        var session: UInt32 = 0
        if let name = namespace.session {
            guard let number = try Names.number(of: name, .session, in: transaction) else { return nil }
            session = number
        }
        return try Lookup.row(ofKey: key, session: session, in: transaction)
    }

    /// All versions of a memory, the oldest first.
    public func versions(of id: MemoryID, in namespace: Namespace) async throws -> [Memory] {
        try await read(in: namespace) { transaction in
            guard let row = try Lookup.row(of: id, in: transaction) else { return [] }
            return try Self.versionNumbers(row, in: transaction).compactMap {
                try Self.memory(row, namespace, version: $0, asOf: nil, validAt: nil, in: transaction)
            }
        } ?? []
    }

    /// The vectors of a version, by default the newest, each with the part that it belongs to.
    public func embeddings(
        of id: MemoryID, version: UInt32? = nil, in namespace: Namespace
    ) async throws -> [Embedding] {
        try await read(in: namespace) { transaction in
            guard let row = try Lookup.row(of: id, in: transaction),
                let head = try HeadRecord.read(row, in: transaction)
            else { return [] }
            return try Self.embeddings(row, version ?? head.version, in: transaction)
        } ?? []
    }

    /// The bytes of an attachment, or a range of them.
    ///
    /// - Throws: `EngineError`: `notFound`, `invalid` (a range outside of it).
    public func attachment(
        _ digest: [UInt8], in namespace: Namespace, range: Range<UInt64>? = nil
    ) async throws -> [UInt8] {
        let bytes: [UInt8]? =
            try await read(in: namespace) { transaction in
                guard digest.count == 32,
                    let value = try Schema.shared.get(
                        Schema.Shared.attachment.key.raw(digest), in: transaction)
                else { return nil }
                var reader = ByteReader(value)
                let byteCount = try reader.u64()
                let range = range ?? 0..<byteCount
                guard range.upperBound <= byteCount else {
                    throw EngineError(
                        .invalid, "the attachment has \(byteCount) bytes; \(range.upperBound) were asked for")
                }
                return try Self.attachmentBytes(digest, range, in: transaction)
            } ?? nil
        guard let bytes else {
            throw EngineError(.notFound, "there is no such attachment in \(namespace.home)")
        }
        return bytes
    }

    static func attachmentBytes(
        _ digest: [UInt8], _ range: Range<UInt64>, in transaction: borrowing ReadTransaction
    ) throws -> [UInt8] {
        guard !range.isEmpty else { return [] }
        let chunkByteCount = UInt64(Table.pagePayloadByteCount)
        var bytes: [UInt8] = []
        for chunk in range.lowerBound / chunkByteCount...(range.upperBound - 1) / chunkByteCount {
            let start = chunk * chunkByteCount
            let from = Int(max(range.lowerBound, start) - start)
            let until = Int(min(range.upperBound, start + chunkByteCount) - start)
            guard
                let value = try Schema.attachment.get(Key().raw(digest).u32(UInt32(chunk)), in: transaction),
                value.byteCount >= until
            else { throw StoreError(.corrupted, "chunk \(chunk) of an attachment is missing") }
            bytes += value.copy(from..<until)
        }
        return bytes
    }

    /// The words that a citation names.
    ///
    /// - Throws: `EngineError`: `notFound` (forgotten, or another home), `invalid` (a range outside of it).
    public func content(of citation: Citation) async throws -> String {
        try citation.words(of: await get(citation.id, in: citation.namespace, version: citation.version))
    }

    // MARK: Lists

    /// What a list is ordered by: when the store learned of a memory, or when it happened.
    public enum ListOrder: String, Sendable, CaseIterable {
        case recorded, recordedDescending, happened, happenedDescending
    }

    /// A part of a list, and how to go on.
    public struct MemoryPage: Sendable {
        public let memories: [Memory]
        /// Give it as `after` for the next page; `nil` = this was the last.
        public let next: String?
    }

    /// Contents of so many bytes end a page before its limit.
    public static let maximumPageByteCount = 8 << 20

    /// Lists the newest versions of memories.
    ///
    /// - Parameters:
    ///   - cursor: `MemoryPage.next` of the page before. It stays good while memories come and go.
    ///   - includesClosed: also those that were retracted or superseded, have expired, or are not valid now.
    /// - Throws: `EngineError`: `invalid` (a cursor of another order, a limit outside of 1 to 10,000).
    public func list(
        in namespace: Namespace, filter: Filter? = nil, order: ListOrder = .recorded,
        after cursor: String? = nil,
        limit: Int = 100, includesClosed: Bool = false
    ) async throws -> MemoryPage {
        try await list(
            in: namespace, filter: filter, order: order, after: cursor, limit: limit,
            byteLimit: Self.maximumPageByteCount, includesClosed: includesClosed)
    }

    func list(
        in namespace: Namespace, filter: Filter? = nil, order: ListOrder = .recorded,
        after cursor: String? = nil,
        limit: Int, byteLimit: Int, includesClosed: Bool = false
    ) async throws -> MemoryPage {
        guard (1...10_000).contains(limit) else {
            throw EngineError(.invalid, "a page has 1 to 10,000 memories, not \(limit)")
        }
        try check(filter)
        let position = try cursor.map { try ListCursor($0, order) }
        let now = options.clock()
        let page = try await read(in: namespace) { transaction in
            let view = try HomeView(in: transaction)
            let evaluation = FilterEvaluation(view: view)
            let sessions = namespace.session.map { Set([$0]) }
            var set: PassageSet
            if includesClosed {
                set = try evaluation.present(in: transaction)
                if let name = namespace.session {
                    set.formIntersection(try evaluation.set(.session(name), in: transaction))
                }
                if let filter { set.formIntersection(try evaluation.set(filter, in: transaction)) }
            } else {
                set = try evaluation.eligible(
                    asOf: nil, validAt: now, now: now, sessions: sessions, filter: filter, in: transaction)
            }
            var memories: [Memory] = []
            var last: ListCursor?
            var hasMore = false
            var byteCount = 0
            let reader = MemoryReader(home: namespace.home)
            try Self.forEachRow(order, after: position, view.state, in: transaction) { row, place in
                guard let head = try HeadRecord.read(row, in: transaction) else {
                    throw StoreError(.corrupted, "row \(row) has no head")
                }
                guard head.passageCount > 0, set.contains(head.firstPassage) else { return true }
                if memories.count == limit || byteCount >= byteLimit {
                    hasMore = true
                    return false
                }
                let (memory, _) = try reader.memory(row, head.version, in: transaction)
                byteCount += memory.content.utf8.count
                memories.append(memory)
                last = place
                return true
            }
            return MemoryPage(memories: memories, next: hasMore ? last?.text(order) : nil)
        }
        return page ?? MemoryPage(memories: [], next: nil)
    }

    func check(_ filter: Filter?) throws {
        guard let filter else { return }
        guard filter.depth <= Filter.maximumDepth else {
            throw EngineError(
                .invalid,
                "the filter is nested \(filter.depth) deep; at most \(Filter.maximumDepth) are allowed")
        }
        guard filter.count <= Filter.maximumCount else {
            throw EngineError(
                .tooLarge,
                "the filter has \(filter.count) conditions and ids; at most \(Filter.maximumCount) are allowed"
            )
        }
    }

    /// Where a list stopped.
    struct ListCursor: Sendable {
        var time: Int64
        var row: UInt64

        init(time: Int64, row: UInt64) {
            self.time = time
            self.row = row
        }

        init(_ text: String, _ order: ListOrder) throws {
            let parts = text.split(separator: ".")
            guard parts.count == 3, parts[0] == order.rawValue, let time = Int64(parts[1]),
                let row = UInt64(parts[2]), row < .max
            else {
                throw EngineError(
                    .invalid, "`\(text.prefix(80))` is not a cursor of a list ordered by \(order.rawValue)")
            }
            self.time = time
            self.row = row
        }

        func text(_ order: ListOrder) -> String { "\(order.rawValue).\(time).\(row)" }
    }

    /// Lends rows in an order, behind a cursor.
    private static func forEachRow(
        _ order: ListOrder, after cursor: ListCursor?, _ state: HomeState,
        in transaction: borrowing ReadTransaction, _ body: (UInt64, ListCursor) throws -> Bool
    ) throws {
        switch order {
        case .happened, .happenedDescending:
            let start = cursor.map { TimeOrder.Place(time: $0.time, row: $0.row) }
            try TimeOrder(state, in: transaction).forEach(
                after: start, isDescending: order == .happenedDescending, in: transaction
            ) { place in
                try body(place.row, ListCursor(time: place.time, row: place.row))
            }
        case .recorded:
            try Schema.memory.withCursor(in: transaction) { walker in
                var row = (cursor?.row ?? 0) + 1
                while try walker.seek(Schema.head(row)) {
                    row = walker.key.keyU64(at: 0)
                    guard try body(row, ListCursor(time: 0, row: row)) else { return }
                    row += 1
                }
            }
        case .recordedDescending:
            try Schema.memory.withCursor(in: transaction) { walker in
                var bound = cursor.map { Schema.head($0.row) }
                while true {
                    let isThere: Bool
                    if let key = bound {
                        isThere = try walker.seek(key) ? try walker.previous() : try walker.last()
                    } else {
                        isThere = try walker.last()
                    }
                    guard isThere else { return }
                    let row = walker.key.keyU64(at: 0)
                    guard try body(row, ListCursor(time: 0, row: row)) else { return }
                    bound = Schema.head(row)
                }
            }
        }
    }

    // MARK: Helpers

    static func memory(
        _ row: UInt64, _ namespace: Namespace, version: UInt32?, asOf: Timestamp?, validAt: Timestamp?,
        in transaction: borrowing ReadTransaction
    ) throws -> Memory? {
        guard let head = try HeadRecord.read(row, in: transaction) else {
            throw StoreError(.corrupted, "row \(row) has no head")
        }
        var number = version ?? head.version
        if let asOf, version == nil {
            let numbers = try versionNumbers(row, in: transaction)
            let known = try numbers.last { number in
                guard let record = try VersionRecord.read(row, number, in: transaction) else { return false }
                return record.recordedFrom <= asOf.microseconds && asOf.microseconds < record.recordedUntil
            }
            guard let known else { return nil }
            number = known
        }
        guard let record = try VersionRecord.read(row, number, in: transaction) else { return nil }
        let memory = try MemoryReader(home: namespace.home).memory(row, head, number, record, in: transaction)
        guard namespace.contains(memory.namespace) else { return nil }
        if let validAt, !memory.valid.contains(validAt) { return nil }
        return memory
    }

    static func versionNumbers(_ row: UInt64, in transaction: borrowing ReadTransaction) throws -> [UInt32] {
        var numbers: [UInt32] = []
        try Schema.memory.withCursor(in: transaction) { cursor in
            var next: UInt32 = 1
            while try cursor.seek(Schema.version(row, next)), cursor.key.keyU64(at: 0) == row {
                next = cursor.key.keyU32(at: 8)
                numbers.append(next)
                next += 1
            }
        }
        return numbers
    }

    static func embeddings(
        _ row: UInt64, _ number: UInt32, in transaction: borrowing ReadTransaction
    ) throws -> [Embedding] {
        guard let record = try VersionRecord.read(row, number, in: transaction) else { return [] }
        let state = try HomeState.read(in: transaction)
        let spaces = try SpaceRecord.open(in: transaction)
        return try PassageReader.vectors(
            record.firstPassage..<record.firstPassage + record.passageCount, state, spaces, in: transaction
        ).map { Embedding($0.vector, in: $0.space, part: Int($0.part)) }
    }

    /// The newest version of a memory with its vectors.
    static func current(
        _ id: MemoryID, _ namespace: Namespace, in transaction: borrowing ReadTransaction
    ) throws -> Current {
        guard let row = try Lookup.row(of: id, in: transaction),
            let memory = try memory(row, namespace, version: nil, asOf: nil, validAt: nil, in: transaction),
            let record = try VersionRecord.read(row, memory.version, in: transaction)
        else { throw EngineError(.notFound, "there is no memory \(id) in \(namespace)") }
        return Current(
            memory: memory, passages: record.ranges.map { Int($0.lowerBound)..<Int($0.upperBound) },
            embeddings: try embeddings(row, memory.version, in: transaction))
    }

    /// The newest version of a memory, and its vectors.
    struct Current: Sendable {
        let memory: Memory
        let passages: [Range<Int>]
        let embeddings: [Embedding]
    }
}
