import HNSW
import Store

/// One search of a vector set.
struct VectorSetWalk {
    private let search: VectorSetSearch
    private let set: VectorSetRecord
    private let index: HNSWIndex
    private let reader: VectorSetReader

    init(_ search: VectorSetSearch, _ set: VectorSetRecord, _ index: HNSWIndex, _ reader: VectorSetReader) {
        self.search = search
        self.set = set
        self.index = index
        self.reader = reader
    }

    private struct Candidate {
        let ordinal: UInt32
        let score: Double
    }

    /// - Parameter query: `nil` = zero, which is as near to everything.
    func run(_ query: [Float]?, in transaction: borrowing ReadTransaction) throws -> [VectorSetMatch] {
        guard search.count > 0 else { return [] }
        guard let query else {
            return Array(try matches(anything(in: transaction), in: transaction).prefix(search.count))
        }
        var found: [VectorSetMatch]
        if let filter = search.filter {
            guard set.attributeCount > 0 else { return [] }
            found = try filtered(query, filter, in: transaction)
        } else {
            found = try matches(nearest(query, search.count, nil, in: transaction), in: transaction)
        }
        guard set.zeroCount > 0, search.leastScore <= 0.5 else { return found }
        // Elements that are zero are in no index.
        found += try matches(zeros(in: transaction), in: transaction)
        return Array(found.sorted { $0.score > $1.score }.prefix(search.count))
    }

    private func nearest(
        _ query: [Float], _ count: Int, _ filter: PassageFilter?, isExact: Bool = false,
        in transaction: borrowing ReadTransaction
    ) throws -> [Candidate] {
        if count > HNSWIndex.largestCount { return try all(query, count, filter, in: transaction) }
        let ef = search.ef.map { max($0, count) }
        return try index.search(
            query, k: count, ef: ef, filter: filter, isExact: isExact || search.isExact, set.space.extent,
            in: transaction
        ).neighbors.map { Candidate(ordinal: $0.passage, score: VectorSetReader.score($0.score, in: set)) }
    }

    /// More than a search of the index gives: all of them are compared.
    private func all(
        _ query: [Float], _ count: Int, _ filter: PassageFilter?, in transaction: borrowing ReadTransaction
    ) throws -> [Candidate] {
        var found: [(ordinal: UInt32, cosine: Float)] = []
        try index.segments.scan(query, set.space.extent, in: transaction) { block in
            for (place, ordinal) in block.passages.enumerated()
            where ordinal != VectorSegments.noPassage && filter?.contains(ordinal) ?? true {
                found.append((ordinal, block.scores[place]))
            }
        }
        found.sort { $0.cosine != $1.cosine ? $0.cosine > $1.cosine : $0.ordinal < $1.ordinal }
        return found.prefix(count).map {
            Candidate(ordinal: $0.ordinal, score: VectorSetReader.score($0.cosine, in: set))
        }
    }

    /// Looks at the attributes of more and more of the nearest.
    private func filtered(
        _ query: [Float], _ filter: @escaping @Sendable ([UInt8]) -> Bool,
        in transaction: borrowing ReadTransaction
    ) throws -> [VectorSetMatch] {
        let bound = search.filterEf ?? search.count.multipliedReportingOverflow(by: 100).partialValue
        if let ef = search.ef, ef >= set.count, !search.isExact {
            // As many as there are: one comparison with all gives them in their order.
            var matching: [VectorSetMatch] = []
            for candidate in try nearest(
                query, min(bound, Int(set.count)), nil, isExact: true, in: transaction)
            where candidate.score >= search.leastScore && matching.count < search.count {
                if let match = try match(candidate, filter, in: transaction) { matching.append(match) }
            }
            return matching
        }
        // Whoever lets it look at all shall have the nearest of all.
        let looksAtAll = search.filterEf.map { $0 >= set.count } ?? false
        var looked = min(
            bound, max(Self.firstCount, search.count.multipliedReportingOverflow(by: 4).partialValue))
        var seen = Set<UInt32>()
        var matching: [VectorSetMatch] = []
        while looked <= HNSWIndex.largestCount, !search.isExact, !looksAtAll {
            let candidates = try nearest(query, looked, nil, in: transaction)
            for candidate in candidates where candidate.score >= search.leastScore {
                guard seen.insert(candidate.ordinal).inserted,
                    let match = try match(candidate, filter, in: transaction)
                else { continue }
                matching.append(match)
            }
            // A wider walk may find something nearer that a narrow one passed by.
            matching.sort { $0.score > $1.score }
            if matching.count >= search.count || candidates.count < looked || looked == bound {
                return Array(matching.prefix(search.count))
            }
            looked = min(bound, looked * 4)
        }
        let words = try words(filter, in: transaction)
        return try matches(
            nearest(query, search.count, PassageFilter(words: words), isExact: looksAtAll, in: transaction),
            in: transaction)
    }

    private static let firstCount = 64

    /// The elements whose attributes match, a bit for each ordinal.
    private func words(
        _ filter: @escaping @Sendable ([UInt8]) -> Bool, in transaction: borrowing ReadTransaction
    ) throws -> [UInt64] {
        var words = [UInt64](repeating: 0, count: Int(set.nextOrdinal) / 64 + 1)
        try Schema.memory.scan(prefix: VectorSetSchema.elements(set.id), in: transaction) { _, value in
            let element = try VectorSetElement(decoding: value)
            if let attribute = element.attribute, filter(attribute) {
                words[Int(element.ordinal / 64)] |= 1 << UInt64(element.ordinal % 64)
            }
            return true
        }
        return words
    }

    private func match(
        _ candidate: Candidate, _ filter: (@Sendable ([UInt8]) -> Bool)?,
        in transaction: borrowing ReadTransaction
    ) throws -> VectorSetMatch? {
        let name = try reader.name(candidate.ordinal, of: set, in: transaction)
        guard filter != nil || search.wantsAttributes else {
            return VectorSetMatch(element: name, score: candidate.score, attribute: nil)
        }
        let element = try reader.element(name, of: set, in: transaction)
        if let filter {
            guard let attribute = element.attribute, filter(attribute) else { return nil }
        }
        return VectorSetMatch(element: name, score: candidate.score, attribute: element.attribute)
    }

    private func matches(
        _ candidates: [Candidate], in transaction: borrowing ReadTransaction
    ) throws -> [VectorSetMatch] {
        var matches: [VectorSetMatch] = []
        for candidate in candidates where candidate.score >= search.leastScore {
            if let match = try match(candidate, search.filter, in: transaction) { matches.append(match) }
        }
        return matches
    }

    private func zeros(in transaction: borrowing ReadTransaction) throws -> [Candidate] {
        try alike(VectorSetSchema.zeros(set.id), in: transaction)
    }

    private func anything(in transaction: borrowing ReadTransaction) throws -> [Candidate] {
        try alike(VectorSetSchema.names(set.id), in: transaction)
    }

    /// Elements whose ordinals stand behind a prefix, all as alike as the others: the first of them, or, for a filter, all.
    private func alike(_ prefix: Key, in transaction: borrowing ReadTransaction) throws -> [Candidate] {
        var candidates: [Candidate] = []
        try Schema.memory.scan(prefix: prefix, in: transaction) { key, _ in
            candidates.append(Candidate(ordinal: key.keyU32(at: prefix.bytes.count), score: 0.5))
            return search.filter != nil || candidates.count < search.count
        }
        return candidates
    }
}
