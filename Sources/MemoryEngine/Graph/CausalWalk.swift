import Store

/// Follows the causal graph from one memory, towards causes or towards effects.
struct CausalWalk {
    /// A link of the answer, from an effect to its cause.
    struct Link: Equatable, Sendable {
        var effect: UInt64
        var cause: UInt64
        var edge: GraphNeighbor
        /// How many links lie between this one and the memory asked about, counting from 1.
        var depth: Int
        /// The product of the weights of the strongest way to here.
        var confidence: Double
    }

    private(set) var links: [Link] = []
    /// False when a bound ended the walk.
    private(set) var isComplete = true

    /// - Parameters:
    ///   - reader: of the causal kinds, outwards for causes and inwards for effects.
    ///   - bounds: their count is one of links.
    /// - Complexity: O(edges of the memories reached).
    init(
        from row: UInt64, _ reader: GraphReader, _ bounds: GraphWalk.Bounds, _ state: HomeState,
        in transaction: borrowing ReadTransaction
    ) throws {
        // A memory belongs to the level on which it is reached first. Only links from one level to the next are
        // kept: an answer without cycles, in which a cause may still have several effects.
        var levelOfRow: [UInt64: Int] = [row: 0]
        var confidenceOfRow: [UInt64: Double] = [row: 1]
        var level = [row]
        var depth = 0
        while !level.isEmpty, depth < bounds.depth, isComplete {
            depth += 1
            var next: [UInt64] = []
            for row in level {
                if let deadline = bounds.deadline, ContinuousClock.now >= deadline { isComplete = false }
                guard isComplete else { break }
                let found = try Self.neighbors(of: row, reader, state, in: transaction)
                for neighbor in found {
                    if let known = levelOfRow[neighbor.row], known != depth { continue }
                    guard links.count < bounds.count else {
                        isComplete = false
                        break
                    }
                    let confidence = (confidenceOfRow[row] ?? 0) * Double(neighbor.weight)
                    links.append(
                        Link(
                            effect: neighbor.isOut ? row : neighbor.row,
                            cause: neighbor.isOut ? neighbor.row : row,
                            edge: neighbor, depth: depth, confidence: confidence))
                    if levelOfRow[neighbor.row] == nil {
                        levelOfRow[neighbor.row] = depth
                        next.append(neighbor.row)
                    }
                    confidenceOfRow[neighbor.row] = max(confidenceOfRow[neighbor.row] ?? 0, confidence)
                }
            }
            level = next
        }
    }

    /// The neighbors of a row, the surest first.
    private static func neighbors(
        of row: UInt64, _ reader: GraphReader, _ state: HomeState, in transaction: borrowing ReadTransaction
    ) throws -> [GraphNeighbor] {
        var found: [GraphNeighbor] = []
        try reader.forEachNeighbor(of: row, state, in: transaction) { neighbor in
            if neighbor.row != row { found.append(neighbor) }
            return true
        }
        return found.sorted { $0.weight != $1.weight ? $0.weight > $1.weight : $0.row < $1.row }
    }
}
