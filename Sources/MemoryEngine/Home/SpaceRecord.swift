import HNSW
import Store

/// An embedding space of a home: its number in the file, and how many vectors it has.
///
/// While a space is vacuumed it has two numbers: the open one, which is searched, and a copy, which takes its place when
/// it has caught up (`SpaceVacuum`).
package struct SpaceRecord: Equatable, Sendable {
    package enum Stage: UInt8, Sendable {
        /// It is searched, and takes new vectors.
        case open
        /// It is being filled from the open one of the same space.
        case copy
        /// Its rows and their codes are gone; lists of its graph may be left.
        case leaving
    }

    package var number: UInt16
    package var space: EmbeddingSpace
    package var nextSlot: UInt32 = 0
    /// Slots below it are in segments; those from it on are in the tail.
    package var segmentedSlots: UInt32 = 0
    /// Slots whose row was erased.
    package var erasedSlots: UInt32 = 0
    package var stage = Stage.open
    /// Of a copy: slots of the open space below it have been looked at, and copied unless they were erased.
    package var copiedSlots: UInt32 = 0

    package func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.string(space.model)
        writer.string(space.revision)
        writer.u32(UInt32(space.dimension))
        writer.u8(space.metric.stored.rawValue)
        writer.u32(nextSlot)
        writer.u32(segmentedSlots)
        writer.u32(erasedSlots)
        writer.u8(stage.rawValue)
        writer.u32(copiedSlots)
        return writer.bytes
    }

    package init(number: UInt16, space: EmbeddingSpace) {
        self.number = number
        self.space = space
    }

    package init(number: UInt16, decoding bytes: RawSpan) throws {
        var reader = ByteReader(bytes)
        try self.init(number: number, formatFive: &reader)
        erasedSlots = try reader.u32()
        let stage = Stage(rawValue: try reader.u8())
        copiedSlots = try reader.u32()
        try reader.finish()
        guard let stage, erasedSlots <= nextSlot else {
            throw StoreError(.corrupted, "the counters of space \(number) contradict each other")
        }
        self.stage = stage
    }

    /// What a record of format 5 is, and one of today begins with.
    init(number: UInt16, formatFive reader: inout ByteReader) throws {
        self.number = number
        let model = try reader.string()
        let revision = try reader.string()
        let dimension = Int(try reader.u32())
        let metric = EmbeddingMetric(stored: try reader.u8())
        guard let metric, (1...EmbeddingSpace.maximumDimension).contains(dimension) else {
            throw StoreError(.corrupted, "the record of space \(number) is not one")
        }
        space = EmbeddingSpace(model: model, revision: revision, dimension: dimension, metric: metric)
        nextSlot = try reader.u32()
        segmentedSlots = try reader.u32()
        guard segmentedSlots <= nextSlot else {
            throw StoreError(.corrupted, "the counters of space \(number) contradict each other")
        }
    }

    /// All records, by their numbers.
    package static func all(in transaction: borrowing ReadTransaction) throws -> [SpaceRecord] {
        var records: [SpaceRecord] = []
        try Schema.passage.scan(prefix: Schema.state, from: Schema.space(0), in: transaction) { key, value in
            guard key.byteCount == 3, numbers.contains(key.keyU16(at: 1)) else {
                throw StoreError(.corrupted, "a key of a space is not one")
            }
            records.append(try SpaceRecord(number: key.keyU16(at: 1), decoding: value))
            return true
        }
        return records
    }

    /// Those that are searched.
    package static func open(in transaction: borrowing ReadTransaction) throws -> [SpaceRecord] {
        try all(in: transaction).filter { $0.stage == .open }
    }

    /// Open spaces of a home at most.
    static let maximumCount = 100
    private static let numbers: Range<UInt16> = 1..<128

    /// A number that no record has, from `next` on and around; so one is given again as late as may be.
    static func freeNumber(from next: UInt16, beside taken: Set<UInt16>) -> UInt16? {
        let next = numbers.contains(next) ? next : numbers.lowerBound
        return (next..<numbers.upperBound).first { !taken.contains($0) }
            ?? (numbers.lowerBound..<next).first { !taken.contains($0) }
    }

    package func write(in transaction: borrowing WriteTransaction) throws {
        try Schema.passage.put(Schema.space(number), encode(), in: transaction)
    }

    /// Takes all its rows from a space, and the slots from the passages. Its number is free when the pages of its graph
    /// have gone too, which is the indexer's work.
    ///
    /// - Complexity: O(segments + passages / 1,008 + passages of the tail).
    mutating func leave(_ state: HomeState, in transaction: borrowing WriteTransaction) throws {
        try Schema.passage.removeAll(
            prefix: Key(prefix: Schema.Passage.column).u8(Column.slot(number).number), in: transaction)
        let number = number
        var passages: [UInt32] = []
        try TailRecord.forEach(in: transaction.snapshot, from: state.foldedPassages) { passage, front, _ in
            if front.slots.contains(where: { $0.space == number }) { passages.append(passage) }
        }
        for passage in passages {
            try TailRecord.change(passage, in: transaction) { $0.slots.removeAll { $0.space == number } }
        }
        try removeRows(in: transaction)
    }

    /// The same, where what passages say of slots is made anew.
    mutating func removeRows(in transaction: borrowing WriteTransaction) throws {
        try segments.removeAll(in: transaction)
        try HNSWIndex(table: Schema.link, segments: segments).dropWithCodes(in: transaction)
        nextSlot = 0
        segmentedSlots = 0
        erasedSlots = 0
        copiedSlots = 0
        stage = .leaving
        try write(in: transaction)
    }
}

extension SpaceRecord {
    var segments: VectorSegments {
        VectorSegments(
            table: Schema.vector, tail: (Schema.passage, Schema.Passage.vectorTail), space: number,
            dimension: space.dimension, metric: space.metric.stored)
    }

    var extent: VectorSegments.Extent {
        get { VectorSegments.Extent(nextSlot: nextSlot, segmentedSlots: segmentedSlots) }
        set {
            nextSlot = newValue.nextSlot
            segmentedSlots = newValue.segmentedSlots
        }
    }
}
