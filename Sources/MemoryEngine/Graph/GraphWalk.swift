import Store

/// Walks the graphs of a home over one snapshot, bounded in memories and in time.
///
/// A walk is a tree: each memory is reached once, from the one before it. So cycles and self links end by
/// themselves, and a path is read from the parents.
struct GraphWalk {
    /// One memory that was reached.
    struct Step: Equatable, Sendable {
        var row: UInt64
        /// The step that led here; -1 = a start.
        var parent: Int
        /// The edge that led here; of a start, none.
        var edge: GraphNeighbor?
        var depth: Int
        /// The product of the weights along the path, with a loss for each edge.
        var strength: Double
    }

    /// The bounds of a walk.
    struct Bounds: Sendable {
        var depth: Int
        /// Memories that are reached at most.
        var count: Int
        var deadline: ContinuousClock.Instant?
    }

    /// What a path keeps of its strength with each edge.
    static let keptByEdge = 0.8

    let reader: GraphReader
    private(set) var bounds: Bounds
    private(set) var steps: [Step] = []
    /// False when a bound ended the walk.
    private(set) var isComplete = true
    private var stepOfRow: [UInt64: Int] = [:]
    private var edgeCount = 0
    /// The first step whose neighbors were not reached yet.
    private var nextPlace = 0
    /// The time was up; what is gone on with then is at its end.
    private var wasLate = false
    /// Of a walk by strength, what waits.
    private var heap = StrengthHeap()

    init(_ reader: GraphReader, _ bounds: Bounds) {
        self.reader = reader
        self.bounds = bounds
    }

    /// The steps from a start to `index`.
    func path(to index: Int) -> [Step] {
        var path: [Step] = []
        var place = index
        while place >= 0 {
            path.append(steps[place])
            place = steps[place].parent
        }
        return path.reversed()
    }

    /// Where a memory was reached.
    func index(of row: UInt64) -> Int? { stepOfRow[row] }

    private mutating func start(_ rows: [UInt64]) {
        for row in rows where stepOfRow[row] == nil {
            stepOfRow[row] = steps.count
            steps.append(Step(row: row, parent: -1, edge: nil, depth: 0, strength: 1))
        }
    }

    // MARK: In parts

    /// Begins a walk that is gone on with (`goOn`, `reachNextLevel`).
    mutating func begin(at row: UInt64, _ order: GraphQuery.Order = .breadthFirst) {
        switch order {
        case .breadthFirst: start([row])
        case .strongest: heap.push(Step(row: row, parent: -1, edge: nil, depth: 0, strength: 1))
        }
    }

    /// Goes on until `count` memories are reached. Returns whether it can be gone on with: neither the time is up nor all
    /// were reached. The edges of a memory at which it stopped are read again then.
    mutating func goOn(
        _ order: GraphQuery.Order, to count: Int, _ state: HomeState,
        in transaction: borrowing ReadTransaction
    ) throws -> Bool {
        bounds.count = count
        isComplete = !wasLate
        if wasLate { return false }
        switch order {
        case .breadthFirst: try breadthFirst(from: [], state, in: transaction)
        case .strongest: try bestFirst(from: [], state, in: transaction)
        }
        return !isComplete && !wasLate && steps.count >= count
    }

    /// Whether the time is up; looked at once in 256 edges.
    private mutating func isLate() -> Bool {
        edgeCount += 1
        return edgeCount.isMultiple(of: 256) && isTimeUp()
    }

    private mutating func isTimeUp() -> Bool {
        guard let deadline = bounds.deadline, ContinuousClock.now >= deadline else { return wasLate }
        wasLate = true
        return true
    }

    // MARK: Breadth first

    /// Reaches memories in the order of their distance; `until` ends it early (the memory is among the steps then).
    ///
    /// - Complexity: O(edges of the memories reached).
    mutating func breadthFirst(
        from rows: [UInt64], _ state: HomeState, in transaction: borrowing ReadTransaction,
        until isEnd: (UInt64) -> Bool = { _ in false }
    ) throws {
        start(rows)
        if rows.contains(where: isEnd) { return }
        while nextPlace < steps.count, steps[nextPlace].depth < bounds.depth {
            guard try expand(nextPlace, state, in: transaction, until: isEnd) else { return }
            nextPlace += 1
        }
    }

    /// How many memories the next level is reached from; 0 when the walk is at its end.
    var frontierCount: Int { steps.count - nextPlace }

    /// Reaches the neighbors of all that were reached last. Returns false where `until` or a bound ended it.
    ///
    /// - Parameter count: the bound of memories from now on.
    mutating func reachNextLevel(
        atMost count: Int, _ state: HomeState, in transaction: borrowing ReadTransaction,
        until isEnd: (UInt64) -> Bool
    ) throws -> Bool {
        bounds.count = count
        let end = steps.count
        while nextPlace < end {
            guard try expand(nextPlace, state, in: transaction, until: isEnd) else { return false }
            nextPlace += 1
        }
        return true
    }

    /// Reaches the neighbors of a step. Returns whether the walk goes on.
    private mutating func expand(
        _ place: Int, _ state: HomeState, in transaction: borrowing ReadTransaction,
        until isEnd: (UInt64) -> Bool
    ) throws -> Bool {
        let (step, reader) = (steps[place], reader)
        // A search for likeness takes its time, and may find nothing.
        if reader.near != nil, isTimeUp() {
            isComplete = false
            return false
        }
        var goesOn = true
        try reader.forEachNeighbor(of: step.row, state, in: transaction) { neighbor in
            if isLate() {
                isComplete = false
                goesOn = false
                return false
            }
            guard stepOfRow[neighbor.row] == nil else { return true }
            guard steps.count < bounds.count else {
                isComplete = false
                goesOn = false
                return false
            }
            stepOfRow[neighbor.row] = steps.count
            steps.append(
                Step(
                    row: neighbor.row, parent: place, edge: neighbor, depth: step.depth + 1,
                    strength: step.strength * Double(neighbor.weight) * Self.keptByEdge))
            if isEnd(neighbor.row) {
                goesOn = false
                return false
            }
            return true
        }
        return goesOn
    }

    // MARK: Best first

    /// Reaches memories in the order of the strength of their paths, the strongest first (Dijkstra, 1959, over
    /// products of weights up to 1), until `until` says that it is enough.
    ///
    /// - Complexity: O(e log e) in the edges of the memories reached.
    mutating func bestFirst(
        from rows: [UInt64], _ state: HomeState, in transaction: borrowing ReadTransaction,
        until isEnd: (UInt64) -> Bool = { _ in false }
    ) throws {
        for row in rows { heap.push(Step(row: row, parent: -1, edge: nil, depth: 0, strength: 1)) }
        while let step = heap.pop() {
            guard stepOfRow[step.row] == nil else { continue }
            guard steps.count < bounds.count else {
                heap.push(step)
                isComplete = false
                return
            }
            let place = steps.count
            stepOfRow[step.row] = place
            steps.append(step)
            if isEnd(step.row) { return }
            guard step.depth < bounds.depth else { continue }
            guard try push(place, state, in: transaction) else { return }
        }
    }

    private mutating func push(
        _ place: Int, _ state: HomeState, in transaction: borrowing ReadTransaction
    ) throws -> Bool {
        let (step, reader) = (steps[place], reader)
        if reader.near != nil, isTimeUp() {
            isComplete = false
            return false
        }
        var isInTime = true
        try reader.forEachNeighbor(of: step.row, state, in: transaction) { neighbor in
            if isLate() {
                isComplete = false
                isInTime = false
                return false
            }
            guard stepOfRow[neighbor.row] == nil else { return true }
            heap.push(
                Step(
                    row: neighbor.row, parent: place, edge: neighbor, depth: step.depth + 1,
                    strength: step.strength * Double(neighbor.weight) * Self.keptByEdge))
            return true
        }
        return isInTime
    }
}

/// Steps that wait, the strongest on top; of equals the one with fewer edges, then the older memory.
private struct StrengthHeap {
    private var items: [GraphWalk.Step] = []

    private static func isBefore(_ a: GraphWalk.Step, _ b: GraphWalk.Step) -> Bool {
        if a.strength != b.strength { return a.strength > b.strength }
        return a.depth != b.depth ? a.depth < b.depth : a.row < b.row
    }

    mutating func push(_ step: GraphWalk.Step) {
        items.append(step)
        var child = items.count - 1
        while child > 0, Self.isBefore(items[child], items[(child - 1) / 2]) {
            items.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> GraphWalk.Step? {
        guard let top = items.first else { return nil }
        let last = items.removeLast()
        guard !items.isEmpty else { return top }
        items[0] = last
        var parent = 0
        while true {
            var best = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < items.count {
                if Self.isBefore(items[child], items[best]) { best = child }
            }
            if best == parent { return top }
            items.swapAt(parent, best)
            parent = best
        }
    }
}
