/// How a graph is built and searched. The names are those of Malkov and Yashunin (2018).
package struct HNSWParameters: Sendable, Equatable {
    /// Neighbors that a new node is given in each layer, and the most that a node has above layer 0.
    package var m = 16
    /// The most neighbors of a node in layer 0.
    package var m0 = 32
    /// Candidates kept while the neighbors of a new node are searched for.
    package var efConstruction = 128
    /// Candidates kept by a search that names no number of its own.
    package var efSearch = 160
    /// Whether rows have short codes besides, which a walk reads in the place of the rows: 2 bits a component, a
    /// sixteenth of the bytes. Answers are scored by the rows.
    package var hasCodes = true
    /// Up to so many rows that match a filter, for each candidate of a walk, all of them are scored by rows, or by codes: a
    /// walk takes as long.
    package var scoredPerCandidate = 20
    package var estimatedPerCandidate = 80
    /// Up to so many are scored by codes however few the candidates are; an eighth of it without a look at what lies near
    /// the question.
    package var estimatedAnyway = 16_384
    /// Threads that link rows. Any number makes the same graph.
    package var threads = 1
    /// Decides the levels of nodes and the rotation of codes, so that doing a step again gives the same ones.
    package var seed: UInt64 = 0x4c6f_6369

    /// Below so many bytes of rows there is no graph: the exact scan is as fast, and has nothing to keep.
    package var thresholdByteCount = 8 << 20
    /// Rows linked in one step, unless its pages are full before.
    package var rowsPerStep = 2_048
    /// Pages that one commit of the graph's author writes at most. A caller's commit waits for it.
    package var pagesPerCommit = 3_600

    package init() {}

    /// What may stand in a record: lists fit into a page twice at least.
    static let allowedM = 2...504

    static func allowedEfConstruction(_ m: Int) -> ClosedRange<Int> { m...Scratch.largestQueue }

    /// Whether these can be used at all.
    var isValid: Bool {
        Self.allowedM.contains(m) && Self.allowedM.contains(m0) && m0 >= m
            && Self.allowedEfConstruction(m).contains(efConstruction)
            && efSearch > 0 && rowsPerStep > 0 && pagesPerCommit > 0 && threads > 0
            && scoredPerCandidate > 0 && estimatedPerCandidate > 0 && estimatedAnyway >= 0
    }
}

/// The level of each node: at least l for one in m^l of them.
///
/// The paper draws it at random as ⌊-ln(u) / ln(m)⌋; here u is a hash of the slot, compared with powers of m in
/// whole numbers, so that a level is the same at any time and on any machine.
struct NodeLevels: Equatable {
    let seed: UInt64
    let m: UInt64

    init(seed: UInt64, m: Int) {
        self.seed = seed
        self.m = UInt64(m)
    }

    /// - Complexity: O(1); at most 64 for m = 2.
    func callAsFunction(_ slot: UInt32) -> Int {
        let hash = SplitMix64.number(UInt64(slot), of: seed)
        var bound = UInt64.max / m
        var level = 0
        while hash < bound, level < Self.maximum {
            level += 1
            bound /= m
        }
        return level
    }

    /// No node has a higher level; with m = 2 one in 2^24 would.
    static let maximum = 24
}

/// Numbers that look random and are the same for the same seed (Steele, Lea and Flood, 2014).
package enum SplitMix64 {
    /// The number at a place, from 0, of the sequence of a seed.
    package static func number(_ place: UInt64, of seed: UInt64) -> UInt64 {
        var bits = seed &+ (place &+ 1) &* 0x9e37_79b9_7f4a_7c15
        bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
        return bits ^ bits >> 31
    }
}
