import HNSW
import Store

/// Answers commands that change nothing.
struct VectorSetReader {
    let indexes: VectorSetIndexes

    func answer(
        _ command: VectorSetCommand, in transaction: borrowing ReadTransaction
    ) throws -> VectorSetAnswer {
        switch command {
        case .search(let search): return .matches(try self.search(search, in: transaction))
        case .describe(let set): return .description(try describe(set, in: transaction))
        case .vector(let set, let element): return .vector(try vector(set, element, in: transaction))
        case .attribute(let set, let element):
            return .bytes(try find(set, element, in: transaction)?.element.attribute)
        case .contains(let set, let element):
            return .flag(try find(set, element, in: transaction) != nil)
        case .links(let set, let element): return .links(try links(set, element, in: transaction))
        case .sample(let set, let count): return try sample(set, count, in: transaction)
        case .range(let set, let from, let until, let limit):
            return .names(try range(set, from, until, limit, in: transaction))
        case .count(let names):
            return .number(try names.count { try VectorSetRecord.find($0, in: transaction) != nil })
        case .names:
            var names: [[UInt8]] = []
            let prefix = VectorSetSchema.names
            try Schema.shared.scan(prefix: prefix, in: transaction) { key, _ in
                names.append(key.copy(prefix.bytes.count..<key.byteCount))
                return true
            }
            return .names(names)
        case .page(let from, let limit): return try page(from, limit, in: transaction)
        case .digest(let set): return .bytes(try digest(set, in: transaction))
        case .add, .remove, .setAttribute, .delete, .deleteAll:
            preconditionFailure("a write is not answered by a reader")
        }
    }

    /// Whether a command takes some tenths of a millisecond at most.
    func isShort(
        _ command: VectorSetCommand, in transaction: borrowing ReadTransaction
    ) throws -> Bool {
        switch command {
        case .vector, .attribute, .contains: return true
        case .count(let names): return names.count <= 16
        case .describe(let name):
            guard let set = try VectorSetRecord.find(name, in: transaction) else { return true }
            return try set.space.nextSlot <= Self.shortSlotCount
                || indexes.index(of: set).state(in: transaction)?.nodeCount ?? 0 > 0
        case .search(let search):
            guard let set = try VectorSetRecord.find(search.set, in: transaction) else { return true }
            guard search.count <= Self.shortCandidateCount, search.ef ?? 0 <= Self.shortCandidateCount,
                search.filter == nil || set.count <= Self.shortFilteredCount
            else { return false }
            var compared = set.space.nextSlot
            if !search.isExact, let state = try indexes.index(of: set).state(in: transaction),
                state.nodeCount > 0, !state.isDropping
            {
                compared -= min(compared, state.linkedSlots)
            }
            return Int(compared) * set.dimension * 4 <= Self.shortByteCount
        default: return false
        }
    }

    private static let shortSlotCount: UInt32 = 10_000
    private static let shortCandidateCount = 500
    private static let shortFilteredCount: UInt32 = 200
    /// Bytes of rows that are compared one by one.
    private static let shortByteCount = 2 << 20

    private func find(
        _ set: [UInt8], _ name: [UInt8], in transaction: borrowing ReadTransaction
    ) throws -> (set: VectorSetRecord, element: VectorSetElement)? {
        guard let set = try VectorSetRecord.find(set, in: transaction),
            let element = try VectorSetElement.read(name, of: set, in: transaction)
        else { return nil }
        return (set, element)
    }

    // MARK: Elements

    func name(
        _ ordinal: UInt32, of set: VectorSetRecord, in transaction: borrowing ReadTransaction
    ) throws -> [UInt8] {
        guard let name = try Schema.memory.get(VectorSetSchema.name(set.id, ordinal), in: transaction) else {
            throw StoreError(.corrupted, "element \(ordinal) of vector set \(set.id) has no name")
        }
        return name.copy(0..<name.byteCount)
    }

    func element(
        _ name: [UInt8], of set: VectorSetRecord, in transaction: borrowing ReadTransaction
    ) throws -> VectorSetElement {
        guard let element = try VectorSetElement.read(name, of: set, in: transaction) else {
            throw StoreError(.corrupted, "vector set \(set.id) lacks an element that it names")
        }
        return element
    }

    /// The vector of an element; `nil` where it is zero.
    private func row(
        _ ordinal: UInt32, of set: VectorSetRecord, in transaction: borrowing ReadTransaction
    ) throws -> (slot: UInt32, vector: [Float])? {
        let key = VectorSetSchema.slot(set.space.number, ordinal)
        guard let value = try Schema.memory.get(key, in: transaction) else { return nil }
        guard value.byteCount == 4 else { throw StoreError(.corrupted, "the slot of an element is not one") }
        let slot = value.u32(at: 0)
        let row = try set.segments(of: set.space).row(slot, set.space.extent, in: transaction)
        guard row.passage == ordinal else {
            throw StoreError(.corrupted, "slot \(slot) of vector set \(set.id) is another element's")
        }
        return (slot, row.vector)
    }

    private func vector(
        _ set: [UInt8], _ element: [UInt8], in transaction: borrowing ReadTransaction
    ) throws -> StoredVector? {
        guard let found = try find(set, element, in: transaction) else { return nil }
        let row = try row(found.element.ordinal, of: found.set, in: transaction)
        return StoredVector(
            vector: row?.vector ?? [Float](repeating: 0, count: found.set.dimension),
            quantization: found.set.quantization)
    }

    // MARK: Sets

    private func describe(
        _ name: [UInt8], in transaction: borrowing ReadTransaction
    ) throws -> VectorSetDescription? {
        guard let set = try VectorSetRecord.find(name, in: transaction) else { return nil }
        let perElement = set.dimension * 4 + 64
        return VectorSetDescription(
            quantization: set.quantization, m: set.m, dimension: set.dimension,
            inputDimension: set.inputDimension, count: Int(set.count),
            topLevel: try topLevel(of: set, in: transaction), attributeCount: Int(set.attributeCount),
            id: Int(set.id), lastVector: Int(set.vectorCount),
            byteCount: 256 + Int(set.count) * perElement + Int(set.textByteCount))
    }

    /// The highest level of an element: of the graph, or, where there is none, what it would have.
    private func topLevel(
        of set: VectorSetRecord, in transaction: borrowing ReadTransaction
    ) throws -> Int {
        let index = indexes.index(of: set)
        if let state = try index.state(in: transaction), state.nodeCount > 0 { return state.topLevel }
        var level = 0
        try index.segments.forEachPassage(set.space.extent, in: transaction) { slot, _ in
            level = max(level, index.level(of: slot))
        }
        return level
    }

    /// Layers from the highest of the element on; where the element is not in a graph, the nearest of those that would be in
    /// each.
    private func links(
        _ set: [UInt8], _ name: [UInt8], in transaction: borrowing ReadTransaction
    ) throws -> [[VectorSetMatch]]? {
        guard let (set, element) = try find(set, name, in: transaction) else { return nil }
        guard let row = try row(element.ordinal, of: set, in: transaction) else { return [[]] }
        let index = indexes.index(of: set)
        let extent = set.space.extent
        if let layers = try index.links(of: row.slot, extent, in: transaction) {
            return try layers.map { slots in
                let scores = try index.scores(of: slots.sorted(), row.vector, extent, in: transaction)
                return try zip(slots.sorted(), scores).map { slot, score in
                    try match(
                        index.segments.row(slot, extent, in: transaction).passage, score, of: set,
                        in: transaction)
                }
            }
        }
        return try (0...index.level(of: row.slot)).reversed().map { layer in
            var words = [UInt64](repeating: 0, count: Int(set.nextOrdinal) / 64 + 1)
            try index.segments.forEachPassage(extent, in: transaction) { slot, ordinal in
                guard index.level(of: slot) >= layer, ordinal != element.ordinal else { return }
                words[Int(ordinal / 64)] |= 1 << UInt64(ordinal % 64)
            }
            return try index.search(
                row.vector, k: min(set.m, HNSWIndex.largestCount), filter: PassageFilter(words: words),
                isExact: true, extent, in: transaction
            ).neighbors.map { try match($0.passage, $0.score, of: set, in: transaction) }
        }
    }

    private func match(
        _ ordinal: UInt32, _ cosine: Float, of set: VectorSetRecord,
        in transaction: borrowing ReadTransaction
    ) throws -> VectorSetMatch {
        VectorSetMatch(
            element: try name(ordinal, of: set, in: transaction), score: Self.score(cosine, in: set),
            attribute: nil)
    }

    /// Where vectors are told as if quantized, what is 1 but for the rounding of 32-bit floats is 1: a vector is as its like.
    static func score(_ cosine: Float, in set: VectorSetRecord) -> Double {
        let isRounded = set.quantization != .none && 1 - abs(cosine) < 0x1p-20
        return min(1, max(0, (1 + Double(isRounded ? cosine.rounded() : cosine)) / 2))
    }

    // MARK: Searching

    private func search(
        _ search: VectorSetSearch, in transaction: borrowing ReadTransaction
    ) throws -> [VectorSetMatch]? {
        guard let set = try VectorSetRecord.find(search.set, in: transaction) else { return nil }
        let query: [Float]?
        switch search.query {
        case .element(let name):
            guard let element = try VectorSetElement.read(name, of: set, in: transaction) else {
                throw VectorSetError.noSuchElement
            }
            query = try row(element.ordinal, of: set, in: transaction)?.vector
        case .vector(let vector):
            query = try Self.checked(vector, for: set, indexes)
        }
        let found = VectorSetWalk(search, set, indexes.index(of: set), self)
        return try found.run(query, in: transaction)
    }

    /// The vector as the set keeps it; `nil` where it is zero.
    static func checked(
        _ vector: [Float], for set: VectorSetRecord, _ indexes: VectorSetIndexes
    ) throws -> [Float]? {
        var vector = vector
        if set.inputDimension > 0, vector.count != set.dimension {
            guard vector.count == set.inputDimension else {
                throw VectorSetError.inputDimension(given: vector.count, of: set.inputDimension)
            }
            try check(vector)
            vector = indexes.projected(vector, for: set)
        }
        guard vector.count == set.dimension else {
            throw VectorSetError.dimension(given: vector.count, of: set.dimension)
        }
        return try check(vector) ? vector : nil
    }

    /// Whether a vector has a direction.
    ///
    /// - Throws: `VectorSetError.invalid` for one that may not be stored.
    @discardableResult
    static func check(_ vector: [Float]) throws -> Bool {
        do {
            try Distance.check(vector, dimension: vector.count, metric: .cosine)
            return true
        } catch  where error.code == .zeroNorm {
            return false
        } catch {
            throw VectorSetError.invalid(error.message)
        }
    }

    // MARK: Names

    private func sample(
        _ name: [UInt8], _ count: Int?, in transaction: borrowing ReadTransaction
    ) throws -> VectorSetAnswer {
        // So many may be asked for that a reply would not end.
        guard count ?? 0 >= -Self.maximumSampleCount else {
            throw VectorSetError.invalid("COUNT is out of range: it is at least -\(Self.maximumSampleCount)")
        }
        guard let set = try VectorSetRecord.find(name, in: transaction) else {
            return count == nil ? .name(nil) : .names([])
        }
        guard let count else { return .name(try anyNames(1, of: set, in: transaction).first) }
        if count < 0 { return .names(try anyNames(-count, of: set, in: transaction)) }
        if count == 0 { return .names([]) }
        if count >= (Int(set.count) + 1) / 2 {
            return .names(Array(try allNames(of: set, in: transaction).shuffled().prefix(count)))
        }
        var seen = Set<[UInt8]>()
        var names: [[UInt8]] = []
        while names.count < count {
            for name in try anyNames(count - names.count, of: set, in: transaction)
            where seen.insert(name).inserted { names.append(name) }
        }
        return .names(names)
    }

    private static let maximumSampleCount = 1_000_000

    /// So many elements, each by chance.
    private func anyNames(
        _ count: Int, of set: VectorSetRecord, in transaction: borrowing ReadTransaction
    ) throws -> [[UInt8]] {
        var names: [[UInt8]] = []
        // Of ordinals some are not given to anybody any more: where that is most of them, chance would take long.
        guard Int(set.count) * 16 >= Int(set.nextOrdinal) else {
            let all = try allNames(of: set, in: transaction)
            return (0..<count).compactMap { _ in all.randomElement() }
        }
        while names.count < count {
            let key = VectorSetSchema.name(set.id, UInt32.random(in: 0..<set.nextOrdinal))
            if let name = try Schema.memory.get(key, in: transaction) {
                names.append(name.copy(0..<name.byteCount))
            }
            try transaction.checkAge()
        }
        return names
    }

    private func allNames(
        of set: VectorSetRecord, in transaction: borrowing ReadTransaction
    ) throws -> [[UInt8]] {
        try range(set.name, .least, .greatest, .max, in: transaction)
    }

    private func range(
        _ name: [UInt8], _ from: VectorSetBound, _ until: VectorSetBound, _ limit: Int,
        in transaction: borrowing ReadTransaction
    ) throws -> [[UInt8]] {
        guard limit > 0, let set = try VectorSetRecord.find(name, in: transaction) else { return [] }
        let prefix = VectorSetSchema.elements(set.id)
        var start: [UInt8] = []
        var names: [[UInt8]] = []
        switch from {
        case .least: break
        case .greatest: return []
        case .including(let name), .excluding(let name): start = name
        }
        if case .least = until { return [] }
        // A longer one sorts as its beginning does, as no element is longer.
        let seek = VectorSetSchema.element(
            set.id, Array(start.prefix(VectorSetSchema.maximumNameByteCount)))
        try Schema.memory.scan(prefix: prefix, from: seek, in: transaction) { key, _ in
            let name = key.copy(prefix.bytes.count..<key.byteCount)
            switch from {
            case .including(let bound) where name.lexicographicallyPrecedes(bound): return true
            case .excluding(let bound) where !bound.lexicographicallyPrecedes(name): return true
            default: break
            }
            switch until {
            case .including(let bound) where bound.lexicographicallyPrecedes(name): return false
            case .excluding(let bound) where !name.lexicographicallyPrecedes(bound): return false
            default: break
            }
            names.append(name)
            return names.count < limit
        }
        return names
    }

    private func page(
        _ from: Int, _ limit: Int, in transaction: borrowing ReadTransaction
    ) throws -> VectorSetAnswer {
        guard let start = UInt32(exactly: from) else { return .page([], next: 0) }
        var names: [[UInt8]] = []
        var next = 0
        try Schema.passage.scan(
            prefix: VectorSetSchema.sets, from: VectorSetSchema.set(start), in: transaction
        ) { _, value in
            let set = try VectorSetRecord(decoding: value)
            if names.count == limit {
                next = Int(set.id)
                return false
            }
            names.append(set.name)
            return true
        }
        return .page(names, next: next)
    }

    private func digest(
        _ name: [UInt8], in transaction: borrowing ReadTransaction
    ) throws -> [UInt8]? {
        guard let set = try VectorSetRecord.find(name, in: transaction) else { return nil }
        var sum = [UInt8](repeating: 0, count: 32)
        for name in try allNames(of: set, in: transaction) {
            let element = try element(name, of: set, in: transaction)
            var writer = ByteWriter()
            writer.blob(name)
            writer.optional(element.attribute) { $0.blob($1) }
            if let row = try row(element.ordinal, of: set, in: transaction) { writer.floats(row.vector) }
            for (place, byte) in SHA256.digest(of: writer.bytes).enumerated() { sum[place] ^= byte }
        }
        return sum
    }
}
