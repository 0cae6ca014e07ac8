import HNSW
import Store

/// Looks over the vector sets of a home: records, and what they refer to.
struct VectorSetCheck {
    private(set) var problems: [String] = []
    private(set) var vectorCount = 0

    private mutating func note(_ problem: String) {
        if problems.count < HomeCheck.maximumProblems { problems.append(problem) }
    }

    /// - Complexity: O(elements · log elements + links).
    mutating func run(in transaction: borrowing ReadTransaction) throws {
        let sets = try VectorSetRecord.all(in: transaction)
        for set in sets {
            let name = "the vector set `\(String(decoding: set.name.prefix(100), as: UTF8.self))`"
            if try VectorSetRecord.find(set.name, in: transaction)?.id != set.id {
                note("\(name) is not found by its name")
            }
            try elements(of: set, name, in: transaction)
            let index = HNSWIndex(table: Schema.link, segments: set.segments(of: set.space))
            for problem in try index.validate(set.space.extent, in: transaction) {
                note("the index of \(name): \(problem)")
            }
        }
        let known = Set(sets.map(\.id))
        var found: [String] = []
        try Schema.shared.scan(prefix: VectorSetSchema.names, in: transaction) { key, value in
            if value.byteCount != 4 || !known.contains(value.u32(at: 0)) {
                let name = key.copy(VectorSetSchema.names.bytes.count..<key.byteCount)
                found.append(
                    "the name `\(String(decoding: name.prefix(100), as: UTF8.self))` leads to no vector set")
            }
            return found.count < HomeCheck.maximumProblems
        }
        for problem in found { note(problem) }
    }

    /// Every element has a name, and a row that is its own or a note that it is zero; and all are counted.
    private mutating func elements(
        of set: VectorSetRecord, _ name: String, in transaction: borrowing ReadTransaction
    ) throws {
        var found: [String] = []
        var (count, attributes, slots, zeros): (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
        let prefix = VectorSetSchema.elements(set.id)
        try Schema.memory.scan(prefix: prefix, in: transaction) { key, value in
            let bytes = key.copy(prefix.bytes.count..<key.byteCount)
            let element = try VectorSetElement(decoding: value)
            count += 1
            if element.attribute != nil { attributes += 1 }
            let told = try Schema.memory.get(
                VectorSetSchema.name(set.id, element.ordinal), in: transaction)
            let isZero =
                try Schema.memory.get(
                    VectorSetSchema.zero(set.id, element.ordinal), in: transaction) != nil
            let slot = try Schema.memory.get(
                VectorSetSchema.slot(set.space.number, element.ordinal), in: transaction)
            if told?.copy(0..<(told?.byteCount ?? 0)) != bytes || element.ordinal >= set.nextOrdinal
                || isZero == (slot != nil)
            {
                found.append(
                    "the element `\(String(decoding: bytes.prefix(100), as: UTF8.self))` of \(name) has no name or "
                        + "no vector of its own")
            }
            return found.count < HomeCheck.maximumProblems
        }
        let segments = set.segments(of: set.space)
        let slotPrefix = VectorSetSchema.slots(set.space.number)
        try Schema.memory.scan(prefix: slotPrefix, in: transaction) { key, value in
            let ordinal = key.keyU32(at: slotPrefix.bytes.count)
            slots += 1
            let isSlot = value.byteCount == 4
            let row = isSlot ? try segments.row(value.u32(at: 0), set.space.extent, in: transaction) : nil
            if row?.passage != ordinal {
                found.append("ordinal \(ordinal) of \(name) has the vector of another")
            }
            return found.count < HomeCheck.maximumProblems
        }
        try Schema.memory.scan(prefix: VectorSetSchema.zeros(set.id), in: transaction) { _, _ in
            zeros += 1
            return true
        }
        for problem in found { note(problem) }
        let counted = (count, attributes, zeros, slots + zeros)
        if counted != (set.count, set.attributeCount, set.zeroCount, set.count) {
            note(
                "\(name) says that it has \(set.count) elements, \(set.attributeCount) attributes and "
                    + "\(set.zeroCount) zero vectors, and has \(count), \(attributes) and \(zeros), with \(slots) others"
            )
        }
        vectorCount += Int(slots)
    }
}
