import HNSW
import Store

/// Runs commands that change something. One that is refused has changed nothing.
struct VectorSetWriter {
    let indexes: VectorSetIndexes
    /// Sets with something to do for the indexer.
    private(set) var due: Set<UInt32> = []
    private(set) var hasLeaving = false

    init(_ indexes: VectorSetIndexes) { self.indexes = indexes }

    mutating func answer(
        _ command: VectorSetCommand, in transaction: borrowing WriteTransaction
    ) throws -> VectorSetAnswer {
        switch command {
        case .add(let addition): return .flag(try add(addition, in: transaction))
        case .remove(let set, let element): return .flag(try remove(set, element, in: transaction))
        case .setAttribute(let set, let element, let attribute):
            return .flag(try setAttribute(set, element, attribute, in: transaction))
        case .delete(let names):
            var count = 0
            for name in names {
                guard let set = try VectorSetRecord.find(name, in: transaction.snapshot) else { continue }
                try delete(set, in: transaction)
                count += 1
            }
            return .number(count)
        case .deleteAll:
            let sets = try VectorSetRecord.all(in: transaction.snapshot)
            for set in sets { try delete(set, in: transaction) }
            return .number(sets.count)
        default:
            return try VectorSetReader(indexes: indexes).answer(command, in: transaction.snapshot)
        }
    }

    // MARK: Adding

    /// Returns whether the element is new.
    private mutating func add(
        _ addition: VectorSetAddition, in transaction: borrowing WriteTransaction
    ) throws -> Bool {
        try Self.check(addition.set, "the name of the set")
        try Self.check(addition.element, "the name of the element")
        try Self.check(attribute: addition.attribute)
        let known = try VectorSetRecord.find(addition.set, in: transaction.snapshot)
        if let known { try Self.check(addition, against: known) }
        guard (1...VectorSetAddition.maximumDimension).contains(addition.vector.count) else {
            throw VectorSetError.invalid("a vector has 1 to \(VectorSetAddition.maximumDimension) components")
        }
        var set: VectorSetRecord
        let vector: [Float]?
        if let known {
            set = known
            vector = try VectorSetReader.checked(addition.vector, for: set, indexes)
        } else {
            var counters = try VectorSetCounters.read(in: transaction.snapshot)
            set = try make(addition, &counters, in: transaction.snapshot)
            vector = try VectorSetReader.checked(addition.vector, for: set, indexes)
            // Nothing is refused any more.
            try create(set, counters, in: transaction)
        }

        let found = try VectorSetElement.read(addition.element, of: set, in: transaction.snapshot)
        var element: VectorSetElement
        if let found {
            element = found
            try eraseVector(of: found.ordinal, &set, in: transaction)
        } else {
            element = VectorSetElement(ordinal: set.nextOrdinal)
            set.nextOrdinal += 1
            set.count += 1
            set.textByteCount += UInt64(addition.element.count)
            try Schema.memory.put(
                VectorSetSchema.name(set.id, element.ordinal), addition.element, in: transaction)
        }
        let hasNewAttribute = Self.replace(&element, addition.attribute, &set)
        if found == nil || hasNewAttribute {
            try Schema.memory.put(
                VectorSetSchema.element(set.id, addition.element), element.encode(), in: transaction)
        }
        if let vector {
            let slot = set.space.nextSlot
            try set.segments(of: set.space).append(
                [(element.ordinal, vector)], &set.space.extent, in: transaction)
            var writer = ByteWriter(capacity: 4)
            writer.u32(slot)
            try Schema.memory.put(
                VectorSetSchema.slot(set.space.number, element.ordinal), writer.bytes, in: transaction)
        } else {
            try Schema.memory.put(VectorSetSchema.zero(set.id, element.ordinal), [], in: transaction)
            set.zeroCount += 1
        }
        set.vectorCount += 1
        try set.write(in: transaction)
        try note(set, in: transaction.snapshot)
        return found == nil
    }

    private static func check(_ name: [UInt8], _ what: String) throws {
        guard name.count <= VectorSetSchema.maximumNameByteCount else {
            throw VectorSetError.invalid(
                "\(what) has \(name.count) bytes; it may have \(VectorSetSchema.maximumNameByteCount)")
        }
    }

    private static func check(attribute: [UInt8]?) throws {
        guard attribute?.count ?? 0 <= VectorSetSchema.maximumAttributeByteCount else {
            throw VectorSetError.invalid(
                "the attribute has \(attribute?.count ?? 0) bytes; it may have "
                    + "\(VectorSetSchema.maximumAttributeByteCount)")
        }
    }

    private static func check(_ addition: VectorSetAddition, against set: VectorSetRecord) throws {
        guard addition.quantization == set.quantization else { throw VectorSetError.quantization }
        guard addition.m == set.m else { throw VectorSetError.m }
        let isProjected = set.inputDimension > 0
        guard
            isProjected ? addition.reducedDimension == set.dimension : addition.vector.count == set.dimension
        else { throw VectorSetError.dimension(given: addition.vector.count, of: set.dimension) }
        if addition.reducedDimension != nil, !isProjected { throw VectorSetError.notProjected }
        if isProjected, addition.vector.count != set.inputDimension {
            throw VectorSetError.inputDimension(given: addition.vector.count, of: set.inputDimension)
        }
    }

    /// A new set, which is not written yet.
    private func make(
        _ addition: VectorSetAddition, _ counters: inout VectorSetCounters,
        in transaction: borrowing ReadTransaction
    ) throws -> VectorSetRecord {
        guard let number = try VectorSetSpace.freeNumber(&counters, in: transaction) else {
            throw VectorSetError.invalid(
                "there are \(VectorSetSchema.maximumSetCount) vector sets, and a tenant has no more")
        }
        defer { counters.nextID += 1 }
        return VectorSetRecord(
            id: counters.nextID, name: addition.set,
            dimension: addition.reducedDimension ?? addition.vector.count,
            inputDimension: addition.reducedDimension == nil ? 0 : addition.vector.count,
            quantization: addition.quantization, m: addition.m, space: number)
    }

    private func create(
        _ set: VectorSetRecord, _ counters: VectorSetCounters, in transaction: borrowing WriteTransaction
    ) throws {
        try counters.write(in: transaction)
        try VectorSetSpace(number: set.space.number, dimension: set.dimension, set: set.id).write(
            in: transaction)
        var writer = ByteWriter(capacity: 4)
        writer.u32(set.id)
        try Schema.shared.put(VectorSetSchema.id(set.name), writer.bytes, in: transaction)
    }

    /// Gives the element another attribute, `nil` = none. Returns whether it has changed.
    private static func replace(
        _ element: inout VectorSetElement, _ attribute: [UInt8]?, _ set: inout VectorSetRecord
    ) -> Bool {
        guard let attribute else { return false }
        let new = attribute.isEmpty ? nil : attribute
        guard new != element.attribute else { return false }
        if let old = element.attribute {
            set.attributeCount -= 1
            set.textByteCount -= UInt64(old.count)
        }
        if let new {
            set.attributeCount += 1
            set.textByteCount += UInt64(new.count)
        }
        element.attribute = new
        return true
    }

    private func setAttribute(
        _ name: [UInt8], _ elementName: [UInt8], _ attribute: [UInt8],
        in transaction: borrowing WriteTransaction
    ) throws -> Bool {
        try Self.check(attribute: attribute)
        guard var set = try VectorSetRecord.find(name, in: transaction.snapshot),
            var element = try VectorSetElement.read(elementName, of: set, in: transaction.snapshot)
        else { return false }
        if Self.replace(&element, attribute, &set) {
            try Schema.memory.put(
                VectorSetSchema.element(set.id, elementName), element.encode(), in: transaction)
            try set.write(in: transaction)
        }
        return true
    }

    // MARK: Removing

    private mutating func remove(
        _ name: [UInt8], _ elementName: [UInt8], in transaction: borrowing WriteTransaction
    ) throws -> Bool {
        guard var set = try VectorSetRecord.find(name, in: transaction.snapshot),
            let element = try VectorSetElement.read(elementName, of: set, in: transaction.snapshot)
        else { return false }
        if set.count == 1 {
            try delete(set, in: transaction)
            return true
        }
        try eraseVector(of: element.ordinal, &set, in: transaction)
        try Schema.memory.remove(VectorSetSchema.element(set.id, elementName), in: transaction)
        try Schema.memory.remove(VectorSetSchema.name(set.id, element.ordinal), in: transaction)
        set.count -= 1
        set.textByteCount -= UInt64(elementName.count + (element.attribute?.count ?? 0))
        if element.attribute != nil { set.attributeCount -= 1 }
        try set.write(in: transaction)
        try note(set, in: transaction.snapshot)
        return true
    }

    /// Takes the vector of an element away, and from the copy that is being made.
    private func eraseVector(
        of ordinal: UInt32, _ set: inout VectorSetRecord, in transaction: borrowing WriteTransaction
    ) throws {
        if try Schema.memory.remove(VectorSetSchema.zero(set.id, ordinal), in: transaction) {
            set.zeroCount -= 1
            return
        }
        for space in [set.space, set.copy].compactMap({ $0 }) {
            let key = VectorSetSchema.slot(space.number, ordinal)
            guard let value = try Schema.memory.get(key, in: transaction.snapshot) else {
                if space == set.space {
                    throw StoreError(.corrupted, "element \(ordinal) of vector set \(set.id) has no vector")
                }
                continue
            }
            let slot = value.u32(at: 0)
            guard slot < space.nextSlot else {
                throw StoreError(.corrupted, "the slot of element \(ordinal) of vector set \(set.id) is none")
            }
            let segments = set.segments(of: space)
            try segments.erase(slot, space.extent, in: transaction)
            try indexes.index(of: segments, m: set.m).noteErased(slot, space.extent, in: transaction)
            try Schema.memory.remove(key, in: transaction)
        }
    }

    /// Takes a set away at once for all who ask; its rows go little by little.
    private mutating func delete(
        _ set: VectorSetRecord, in transaction: borrowing WriteTransaction
    ) throws {
        try Schema.shared.remove(VectorSetSchema.id(set.name), in: transaction)
        try Schema.passage.remove(VectorSetSchema.set(set.id), in: transaction)
        try VectorSetSpace(
            number: set.space.number, dimension: set.dimension, set: set.id, stage: .leavingWithSet
        ).write(in: transaction)
        if let copy = set.copy {
            try VectorSetSpace(
                number: copy.number, dimension: set.dimension, set: set.id, stage: .leaving
            ).write(in: transaction)
        }
        due.remove(set.id)
        hasLeaving = true
    }

    private mutating func note(
        _ set: VectorSetRecord, in transaction: borrowing ReadTransaction
    ) throws {
        if try VectorSetIndexer.hasWork(set, indexes, in: transaction) { due.insert(set.id) }
    }
}
