/// Which aliases are one person's so far (union-find, halving paths), with the words of their full names, and whom
/// nothing may put together.
struct AliasClusters {
    private var parents: [Int]
    private var wordsOfRoot: [Set<String>]
    /// Pairs that were taken back.
    private let apart: [(Int, Int)]

    init(wordsOfNames: [Set<String>], apart: [(Int, Int)]) {
        parents = Array(wordsOfNames.indices)
        wordsOfRoot = wordsOfNames
        self.apart = apart
    }

    mutating func root(_ index: Int) -> Int {
        var index = index
        while parents[index] != index {
            parents[index] = parents[parents[index]]
            index = parents[index]
        }
        return index
    }

    /// The words of all full names of the cluster.
    mutating func words(_ index: Int) -> Set<String> { wordsOfRoot[root(index)] }

    /// Whether both have full names, and these less than two words in common: a first name alone is shared by
    /// many, and so is a last one.
    mutating func contradict(_ a: Int, _ b: Int) -> Bool {
        let (first, second) = (words(a), words(b))
        return !first.isEmpty && !second.isEmpty && first.intersection(second).count < 2
    }

    /// Puts two together. Returns whether they were apart, and may be together.
    ///
    /// - Complexity: nearly O(1), and O(pairs that were taken back).
    mutating func join(_ a: Int, _ b: Int) -> Bool {
        let (a, b) = (root(a), root(b))
        guard a != b else { return false }
        for (first, second) in apart {
            let (one, other) = (root(first), root(second))
            if (one == a && other == b) || (one == b && other == a) { return false }
        }
        parents[max(a, b)] = min(a, b)
        wordsOfRoot[min(a, b)].formUnion(wordsOfRoot[max(a, b)])
        wordsOfRoot[max(a, b)] = []
        return true
    }
}
