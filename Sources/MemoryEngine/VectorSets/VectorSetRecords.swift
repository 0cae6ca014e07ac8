import HNSW
import Store

/// Where the vector sets of a home lie. Nothing else lies in such a home but its header.
///
/// An element has an *ordinal*, which stays as long as the element does and is what the index calls a passage; its vector has
/// a slot of the set's space, and another one after each change.
enum VectorSetSchema {
    // In `memory`.
    private static let element: UInt8 = 0x01
    private static let name: UInt8 = 0x02
    private static let slot: UInt8 = 0x03
    private static let zero: UInt8 = 0x04
    // In `passage`, behind the tails of vectors.
    private static let set: UInt8 = 0x07
    private static let space: UInt8 = 0x08
    private static let counters: UInt8 = 0x09

    /// Name of a set → its id.
    static let names = Schema.Shared.vectorSet.key
    static func id(_ name: [UInt8]) -> Key { Schema.Shared.vectorSet.key.raw(name) }

    static let sets = Key(prefix: set)
    static func set(_ id: UInt32) -> Key { Key(prefix: set).u32(id) }
    static let spaces = Key(prefix: space)
    static func space(_ number: UInt16) -> Key { Key(prefix: space).u16(number) }
    static let counterKey = Key(prefix: counters)

    /// Element → `VectorSetElement`.
    static func elements(_ id: UInt32) -> Key { Key(prefix: element).u32(id) }
    static func element(_ id: UInt32, _ name: [UInt8]) -> Key { Key(prefix: element).u32(id).raw(name) }
    /// Ordinal → name.
    static func names(_ id: UInt32) -> Key { Key(prefix: name).u32(id) }
    static func name(_ id: UInt32, _ ordinal: UInt32) -> Key { Key(prefix: name).u32(id).u32(ordinal) }
    /// Ordinal → slot.
    static func slots(_ space: UInt16) -> Key { Key(prefix: slot).u16(space) }
    static func slot(_ space: UInt16, _ ordinal: UInt32) -> Key { Key(prefix: slot).u16(space).u32(ordinal) }
    /// Ordinals of elements whose vector is zero and has no slot.
    static func zeros(_ id: UInt32) -> Key { Key(prefix: zero).u32(id) }
    static func zero(_ id: UInt32, _ ordinal: UInt32) -> Key { Key(prefix: zero).u32(id).u32(ordinal) }

    /// Longer names would not fit into a key.
    static let maximumNameByteCount = Key.maximumByteCount - 5
    static let maximumAttributeByteCount = 1 << 20
    static let maximumSetCount = Int(UInt16.max) - 1
}

/// What the home has given numbers to.
struct VectorSetCounters {
    var nextID: UInt32 = 1
    var nextSpace: UInt16 = 1

    static func read(in transaction: borrowing ReadTransaction) throws -> VectorSetCounters {
        var counters = VectorSetCounters()
        guard let bytes = try Schema.passage.get(VectorSetSchema.counterKey, in: transaction) else {
            return counters
        }
        var reader = ByteReader(bytes)
        counters.nextID = try reader.u32()
        counters.nextSpace = try reader.u16()
        try reader.finish()
        return counters
    }

    func write(in transaction: borrowing WriteTransaction) throws {
        var writer = ByteWriter(capacity: 8)
        writer.u32(nextID)
        writer.u16(nextSpace)
        try Schema.passage.put(VectorSetSchema.counterKey, writer.bytes, in: transaction)
    }
}

/// A vector set.
package struct VectorSetRecord: Equatable, Sendable {
    /// Rows under a number of the vector tables.
    struct Space: Equatable, Sendable {
        let number: UInt16
        var nextSlot: UInt32 = 0
        var segmentedSlots: UInt32 = 0

        var extent: VectorSegments.Extent {
            get { VectorSegments.Extent(nextSlot: nextSlot, segmentedSlots: segmentedSlots) }
            set { (nextSlot, segmentedSlots) = (newValue.nextSlot, newValue.segmentedSlots) }
        }
    }

    let id: UInt32
    let name: [UInt8]
    let dimension: Int
    /// 0 = vectors are not projected.
    let inputDimension: Int
    let quantization: VectorSetQuantization
    let m: Int
    var space: Space
    /// The copy that is to take the space's place (`VectorSetIndexer`), and how many slots of the space it has.
    var copy: Space?
    var copiedSlots: UInt32 = 0
    var count: UInt32 = 0
    var zeroCount: UInt32 = 0
    var attributeCount: UInt32 = 0
    /// Bytes of names and attributes.
    var textByteCount: UInt64 = 0
    var nextOrdinal: UInt32 = 0
    /// Vectors that were ever added.
    var vectorCount: UInt64 = 0

    package init(
        id: UInt32, name: [UInt8], dimension: Int, inputDimension: Int, quantization: VectorSetQuantization,
        m: Int, space: UInt16
    ) {
        self.id = id
        self.name = name
        self.dimension = dimension
        self.inputDimension = inputDimension
        self.quantization = quantization
        self.m = m
        self.space = Space(number: space)
    }

    package func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.u32(id)
        writer.blob(name)
        writer.u32(UInt32(dimension))
        writer.u32(UInt32(inputDimension))
        writer.u8(quantization.rawValue)
        writer.u16(UInt16(m))
        Self.encode(space, into: &writer)
        writer.optional(copy) { Self.encode($1, into: &$0) }
        writer.u32(copiedSlots)
        writer.u32(count)
        writer.u32(zeroCount)
        writer.u32(attributeCount)
        writer.u64(textByteCount)
        writer.u32(nextOrdinal)
        writer.u64(vectorCount)
        return writer.bytes
    }

    private static func encode(_ space: Space, into writer: inout ByteWriter) {
        writer.u16(space.number)
        writer.u32(space.nextSlot)
        writer.u32(space.segmentedSlots)
    }

    private static func space(from reader: inout ByteReader) throws -> Space {
        var space = Space(number: try reader.u16())
        space.nextSlot = try reader.u32()
        space.segmentedSlots = try reader.u32()
        guard space.segmentedSlots <= space.nextSlot else {
            throw StoreError(.corrupted, "the counters of space \(space.number) contradict each other")
        }
        return space
    }

    package init(decoding bytes: RawSpan) throws {
        var reader = ByteReader(bytes)
        id = try reader.u32()
        name = try reader.blob()
        dimension = Int(try reader.u32())
        inputDimension = Int(try reader.u32())
        let quantization = VectorSetQuantization(rawValue: try reader.u8())
        m = Int(try reader.u16())
        guard let quantization, (1...VectorSetAddition.maximumDimension).contains(dimension),
            inputDimension == 0 || inputDimension >= dimension,
            VectorSetAddition.allowedM.contains(m)
        else { throw StoreError(.corrupted, "the record of vector set \(id) is not one") }
        self.quantization = quantization
        space = try Self.space(from: &reader)
        copy = try reader.optional { try Self.space(from: &$0) }
        copiedSlots = try reader.u32()
        count = try reader.u32()
        zeroCount = try reader.u32()
        attributeCount = try reader.u32()
        textByteCount = try reader.u64()
        nextOrdinal = try reader.u32()
        vectorCount = try reader.u64()
        try reader.finish()
        guard copiedSlots <= space.nextSlot, zeroCount <= count, attributeCount <= count,
            count <= nextOrdinal, count - zeroCount <= space.nextSlot
        else { throw StoreError(.corrupted, "the counters of vector set \(id) contradict each other") }
    }

    /// The set of a name; `nil` if there is none.
    static func find(_ name: [UInt8], in transaction: borrowing ReadTransaction) throws -> VectorSetRecord? {
        guard name.count <= VectorSetSchema.maximumNameByteCount,
            let value = try Schema.shared.get(VectorSetSchema.id(name), in: transaction)
        else { return nil }
        guard value.byteCount == 4 else { throw StoreError(.corrupted, "the id of a vector set is not one") }
        guard let record = try read(value.u32(at: 0), in: transaction), record.name == name else {
            throw StoreError(.corrupted, "vector set \(value.u32(at: 0)) is missing")
        }
        return record
    }

    static func read(_ id: UInt32, in transaction: borrowing ReadTransaction) throws -> VectorSetRecord? {
        guard let bytes = try Schema.passage.get(VectorSetSchema.set(id), in: transaction) else { return nil }
        return try VectorSetRecord(decoding: bytes)
    }

    func write(in transaction: borrowing WriteTransaction) throws {
        try Schema.passage.put(VectorSetSchema.set(id), encode(), in: transaction)
    }

    static func all(in transaction: borrowing ReadTransaction) throws -> [VectorSetRecord] {
        var records: [VectorSetRecord] = []
        try Schema.passage.scan(prefix: VectorSetSchema.sets, in: transaction) { _, value in
            records.append(try VectorSetRecord(decoding: value))
            return true
        }
        return records
    }

    func segments(of space: Space) -> VectorSegments {
        VectorSetRecord.segments(of: space.number, dimension: dimension)
    }

    static func segments(of space: UInt16, dimension: Int) -> VectorSegments {
        VectorSegments(
            table: Schema.vector, tail: (Schema.passage, Schema.Passage.vectorTail), space: space,
            dimension: dimension, metric: .cosine)
    }
}

/// An element of a vector set, beside its vector.
package struct VectorSetElement: Equatable, Sendable {
    let ordinal: UInt32
    package var attribute: [UInt8]?

    package func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 8 + (attribute?.count ?? 0))
        writer.u32(ordinal)
        writer.bool(attribute != nil)
        if let attribute { writer.raw(attribute) }
        return writer.bytes
    }

    package init(ordinal: UInt32) { self.ordinal = ordinal }

    package init(decoding bytes: RawSpan) throws {
        var reader = ByteReader(bytes)
        ordinal = try reader.u32()
        attribute = try reader.bool() ? reader.raw(bytes.byteCount - 5) : nil
        try reader.finish()
    }

    static func read(
        _ name: [UInt8], of set: VectorSetRecord, in transaction: borrowing ReadTransaction
    ) throws -> VectorSetElement? {
        guard name.count <= VectorSetSchema.maximumNameByteCount,
            let bytes = try Schema.memory.get(VectorSetSchema.element(set.id, name), in: transaction)
        else { return nil }
        return try VectorSetElement(decoding: bytes)
    }
}

/// What a number of the vector tables is used for, as long as anything lies under it.
package struct VectorSetSpace: Equatable, Sendable {
    package enum Stage: UInt8, Sendable {
        case inUse = 0
        /// Its rows go, as a copy has taken its place.
        case leaving = 1
        /// The set goes, and with it what it says of its elements.
        case leavingWithSet = 2
    }

    let number: UInt16
    let dimension: Int
    let set: UInt32
    var stage = Stage.inUse

    package init(number: UInt16, dimension: Int, set: UInt32, stage: Stage = .inUse) {
        self.number = number
        self.dimension = dimension
        self.set = set
        self.stage = stage
    }

    package func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 9)
        writer.u32(UInt32(dimension))
        writer.u32(set)
        writer.u8(stage.rawValue)
        return writer.bytes
    }

    init(number: UInt16, decoding bytes: RawSpan) throws {
        var reader = ByteReader(bytes)
        self.number = number
        dimension = Int(try reader.u32())
        set = try reader.u32()
        let stage = Stage(rawValue: try reader.u8())
        try reader.finish()
        guard let stage, (1...VectorSetAddition.maximumDimension).contains(dimension) else {
            throw StoreError(.corrupted, "the record of space \(number) is not one")
        }
        self.stage = stage
    }

    func write(in transaction: borrowing WriteTransaction) throws {
        try Schema.passage.put(VectorSetSchema.space(number), encode(), in: transaction)
    }

    /// The first space that is to go; `nil` if there is none.
    ///
    /// - Complexity: O(spaces).
    static func firstLeaving(in transaction: borrowing ReadTransaction) throws -> VectorSetSpace? {
        var leaving: VectorSetSpace?
        try Schema.passage.scan(prefix: VectorSetSchema.spaces, in: transaction) { key, value in
            guard key.byteCount == 3 else { throw StoreError(.corrupted, "a key of a space is not one") }
            let space = try VectorSetSpace(number: key.keyU16(at: 1), decoding: value)
            if space.stage != .inUse { leaving = space }
            return leaving == nil
        }
        return leaving
    }

    /// A number that nothing lies under, from the counter on and around; so one is given again as late as may be.
    static func freeNumber(
        _ counters: inout VectorSetCounters, in transaction: borrowing ReadTransaction
    ) throws -> UInt16? {
        for _ in 0..<VectorSetSchema.maximumSetCount {
            let number = counters.nextSpace
            counters.nextSpace = number == UInt16.max ? 1 : number + 1
            if try !Schema.passage.contains(VectorSetSchema.space(number), in: transaction) { return number }
        }
        return nil
    }
}
