/// A passage that may be a hit, and what speaks for it.
struct Candidate {
    let passage: UInt32
    var parts = Hit.ScoreParts()
    /// The passages beside it in its series; `PassageRow.none` = none that counts.
    var previous = PassageRow.none
    var next = PassageRow.none
    /// What the passage before it asks, this one may answer.
    var isReply = false
    /// The best passage of its session.
    var best = PassageRow.none
    /// Who said or did it, if the question names them.
    var actor: String?
    /// The edge that vouches for it.
    var cause: CausalEdge?
    /// The time that the question names and in which it happened.
    var interval: Range<Int64>?
    /// The time that its words name, and the question too unless it asks when.
    var event: Range<Int64>?
    /// What the weight of its namespace made of its parts.
    var factor = 1.0

    var score: Double { parts.sum }

    /// It, and the passages beside it.
    var withNeighbors: [UInt32] { [previous, passage, next].filter { $0 != PassageRow.none } }

    init(_ passage: UInt32) { self.passage = passage }
}

/// An edge of cause or reference from the passage of a candidate to what vouches for it.
struct CausalEdge {
    var kind: UInt16
    var direction: EdgeDirection
    /// The passage that vouches.
    var anchor: UInt32
    /// The share of the anchor's score: the weight of the edge, times that of `RecallWeights`.
    var strength: Double
}
