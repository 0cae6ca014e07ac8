/// The postings of one folding step, gathered by term.
///
/// A hash table of numbers over one array of bytes: adding a posting of a known term allocates nothing.
/// (A dictionary from bytes to arrays took most of the indexer's time.)
struct TermGroups {
    private struct Group {
        /// Field byte and first bytes of the term, big-endian: most comparisons end here.
        var order: UInt64
        var hash: UInt32
        /// Where the field byte stands in `bytes`; the term follows.
        var start: Int32
        var byteCount: Int32
        /// Places in `postings`, as a list linked by `next`.
        var first: Int32
        var last: Int32
    }

    private static let none: Int32 = -1

    private var bytes: [UInt8] = []
    private var groups: [Group] = []
    private var postings: [Posting] = []
    private var next: [Int32] = []
    /// Group by hash, open addressing; a power of two of slots, at most half of them in use.
    private var slots = [Int32](repeating: TermGroups.none, count: 16_384)

    init() {
        bytes.reserveCapacity(128 << 10)
        groups.reserveCapacity(8_192)
        postings.reserveCapacity(65_536)
        next.reserveCapacity(65_536)
    }

    /// Adds a posting of a term; the passages of a term ascend.
    ///
    /// - Parameter hash: the `TermHash` of the term without its field.
    mutating func add(_ field: UInt8, _ term: Span<UInt8>, hash: UInt32, _ posting: Posting) {
        let place = Int32(postings.count)
        postings.append(posting)
        next.append(Self.none)
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot] != Self.none {
            let index = Int(slots[slot])
            if groups[index].hash == hash, isTerm(of: groups[index], field, term) {
                next[Int(groups[index].last)] = place
                groups[index].last = place
                return
            }
            slot = (slot + 1) & mask
        }
        slots[slot] = Int32(groups.count)
        var order = UInt64(field) << 56
        for index in 0..<min(7, term.count) { order |= UInt64(term[index]) << UInt64(48 - 8 * index) }
        groups.append(
            Group(
                order: order, hash: hash, start: Int32(bytes.count), byteCount: Int32(term.count + 1),
                first: place,
                last: place))
        bytes.append(field)
        for index in term.indices { bytes.append(term[index]) }
        if groups.count * 2 > slots.count { grow() }
    }

    /// Lends each term, its field first, with its postings, in the order of keys.
    func forEachTerm(_ body: ([UInt8], [Posting]) throws -> Void) rethrows {
        let sorted = groups.sorted { a, b in
            if a.order != b.order { return a.order < b.order }
            return term(of: a).lexicographicallyPrecedes(term(of: b))
        }
        var list: [Posting] = []
        for group in sorted {
            list.removeAll(keepingCapacity: true)
            var place = group.first
            while place != Self.none {
                list.append(postings[Int(place)])
                place = next[Int(place)]
            }
            try body(Array(term(of: group)), list)
        }
    }

    private func term(of group: Group) -> ArraySlice<UInt8> {
        bytes[Int(group.start)..<Int(group.start) + Int(group.byteCount)]
    }

    private func isTerm(of group: Group, _ field: UInt8, _ term: Span<UInt8>) -> Bool {
        guard Int(group.byteCount) == term.count + 1, bytes[Int(group.start)] == field else { return false }
        let start = Int(group.start) + 1
        for index in term.indices where bytes[start + index] != term[index] { return false }
        return true
    }

    private mutating func grow() {
        slots = [Int32](repeating: Self.none, count: slots.count * 2)
        let mask = slots.count - 1
        for (index, group) in groups.enumerated() {
            var slot = Int(group.hash) & mask
            while slots[slot] != Self.none { slot = (slot + 1) & mask }
            slots[slot] = Int32(index)
        }
    }
}
